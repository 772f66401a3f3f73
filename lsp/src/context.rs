//! What a handler is given: everything as it was when its request arrived, on a thread of its own.
//!
//! Nothing here changes while a request runs, except for what the user sees of its progress and the
//! wish to cancel it. The main loop goes on meanwhile.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::Sender;

use retrostep_sessions::Entry;
use retrostep_trace::{CancellationToken, Position, Recording, SourceId, ThreadId};

use crate::client::Client;
use crate::cursor::Cursor;
use crate::document::{Document, Documents, resolved};
use crate::error::{RequestError, Result};
use crate::libraries::Libraries;
use crate::mapping::{LineMap, Text};
use crate::places::Places;
use crate::progress::Progress;
use crate::recordings::{FileKey, FunctionFacts, RecordingFacts, Recordings, is_cancelled};
use crate::server::Event;
use crate::settings::Settings;
use crate::surveys::Surveys;

/// What every handler is given.
#[derive(Clone, Debug)]
pub(crate) struct Context {
    /// What the client understands, and how it counts columns.
    pub(crate) client: Arc<Client>,
    /// What the user chose.
    pub(crate) settings: Settings,
    /// All open documents.
    pub(crate) documents: Documents,
    /// The libraries of the workspace: their recordings, and where a replay stands.
    pub(crate) libraries: Libraries,
    /// What is inside the recordings.
    pub(crate) recordings: Arc<Recordings>,
    /// What is known of the lines of recorded sources.
    pub(crate) surveys: Arc<Surveys>,
    /// Where the hints come from that were answered.
    pub(crate) places: Arc<Places>,
    /// The recording whose values the user wants to see instead of the newest one's.
    pub(crate) selected: Option<PathBuf>,
    /// Where the user is, if the client tells.
    pub(crate) cursor: Option<Cursor>,
    /// The way to the main loop.
    pub(crate) events: Sender<Event>,
    /// To be given to everything that scans, and to be looked at between two recordings.
    pub(crate) cancel: CancellationToken,
    /// Tells the user how far the request is, if it takes long enough to be shown.
    pub(crate) progress: Progress,
}

/// What a handler of a request about an open document is given.
#[derive(Clone, Debug)]
pub(crate) struct DocumentContext {
    /// What every handler is given.
    pub(crate) workspace: Context,
    /// The document that the request is about.
    pub(crate) document: Arc<Document>,
}

/// A recording in which a file ran.
#[derive(Clone, Debug)]
pub(crate) struct Covering {
    pub(crate) facts: Arc<RecordingFacts>,
    /// The file in that recording.
    pub(crate) source: SourceId,
}

/// The replay that is open in some editor.
#[derive(Clone, Debug)]
pub(crate) struct Replay {
    pub(crate) facts: Arc<RecordingFacts>,
    pub(crate) recording: Arc<Recording>,
    pub(crate) position: Position,
    pub(crate) thread: ThreadId,
}

/// A recorded source beside the document.
#[derive(Clone, Debug)]
pub(crate) struct Mapped {
    /// The recorded text with its structure.
    pub(crate) recorded: Arc<Text>,
    /// The document's text with its structure.
    pub(crate) buffer: Arc<Text>,
    /// Which line of the one is which of the other.
    pub(crate) lines: Arc<LineMap>,
}

impl Covering {
    /// The function of the file by its qualified name, if it was called.
    pub(crate) fn function(&self, qualified_name: &str) -> Option<&FunctionFacts> {
        self.facts.function(self.source, qualified_name)
    }
}

impl Context {
    /// Shows the user a text.
    pub(crate) fn tell(&self, text: String) {
        // After the conversation nobody is told any more.
        let _ = self.events.send(Event::Told(text));
    }

    /// The facts of all readable recordings, the newest first by when they began.
    ///
    /// Cost: reads each recording that was not read before.
    ///
    /// # Errors
    ///
    /// Cancelled. A recording that cannot be read is left out.
    pub(crate) fn all_facts(&self) -> Result<Vec<Arc<RecordingFacts>>> {
        let entries = self.libraries.entries();
        let count = entries.len();
        let mut all = Vec::new();
        for (index, entry) in entries.into_iter().enumerate() {
            self.progress.report(index, count);
            all.extend(self.facts(entry)?);
        }
        all.sort_by_key(|facts| std::cmp::Reverse(facts.started));
        Ok(all)
    }

    /// The recordings in which a file ran, the newest first. `path` is without symbolic links, as
    /// [`Document::path`] is.
    ///
    /// # Errors
    ///
    /// As [`Context::all_facts`].
    pub(crate) fn covering(&self, path: &Path) -> Result<Vec<Covering>> {
        let all = self.all_facts()?;
        Ok((all.into_iter())
            .filter_map(|facts| covers(facts, path))
            .collect())
    }

    /// The recording whose values are shown for a file while no replay is open: the selected one if the
    /// file ran in it, else the newest one in which it did.
    ///
    /// Cost: looks into the recordings last written first, and no further than needed.
    ///
    /// # Errors
    ///
    /// As [`Context::all_facts`].
    pub(crate) fn shown(&self, path: &Path) -> Result<Option<Covering>> {
        let entries = self.libraries.entries();
        let is_selected = |entry: &&Entry| self.selected.as_ref() == Some(&entry.path);
        let (selected, others): (Vec<_>, Vec<_>) = entries.into_iter().partition(is_selected);
        for entry in selected {
            if let Some(covering) = self.facts(entry)?.and_then(|facts| covers(facts, path)) {
                return Ok(Some(covering));
            }
        }
        let mut newest: Option<Covering> = None;
        for entry in others {
            // What was written last before another one began, began before it too.
            if newest
                .as_ref()
                .is_some_and(|newest| entry.modified < newest.facts.started)
            {
                break;
            }
            let Some(covering) = self.facts(entry)?.and_then(|facts| covers(facts, path)) else {
                continue;
            };
            let is_newer = |newest: &Covering| newest.facts.started < covering.facts.started;
            if newest.as_ref().is_none_or(is_newer) {
                newest = Some(covering);
            }
        }
        Ok(newest)
    }

    /// The replay that is open, wherever its recording lies.
    ///
    /// # Errors
    ///
    /// Cancelled. A replay whose recording cannot be read is none.
    pub(crate) fn replay(&self) -> Result<Option<Replay>> {
        let Some(published) = self.libraries.position() else {
            return Ok(None);
        };
        let Some(entry) = self.entry_of(&published.recording) else {
            return Ok(None);
        };
        let Some(facts) = self.facts(&entry)? else {
            return Ok(None);
        };
        let Ok(recording) = self.open(&facts) else {
            return Ok(None);
        };
        Ok(Some(Replay {
            facts,
            recording,
            position: Position(published.position),
            thread: ThreadId(published.thread),
        }))
    }

    /// Opens a recording. It can be used for as long as it is held.
    ///
    /// # Errors
    ///
    /// It cannot be read any more.
    pub(crate) fn open(&self, facts: &RecordingFacts) -> Result<Arc<Recording>> {
        self.recordings.open(&FileKey::from(&facts.entry))
    }

    /// The facts of a recording; `None` if it cannot be read, which the user was told.
    ///
    /// # Errors
    ///
    /// Cancelled.
    pub(crate) fn facts(&self, entry: &Entry) -> Result<Option<Arc<RecordingFacts>>> {
        match self.recordings.facts(entry, &self.cancel) {
            Ok(facts) => Ok(Some(facts)),
            Err(error) if is_cancelled(&error) => Err(error),
            Err(error) => {
                tracing::debug!(%error, "a recording is left out");
                Ok(None)
            }
        }
    }

    /// The facts of the recording in a file, in a library or elsewhere.
    ///
    /// # Errors
    ///
    /// There is none, or it cannot be read.
    pub(crate) fn facts_of(&self, path: &Path) -> Result<Arc<RecordingFacts>> {
        let facts = match self.entry_of(path) {
            Some(entry) => self.facts(&entry)?,
            None => None,
        };
        facts.ok_or_else(|| {
            let path = path.display();
            RequestError::failed(format!(
                "recording \"{path}\" is not there, or cannot be read"
            ))
        })
    }

    fn entry_of(&self, path: &Path) -> Option<Entry> {
        let mut entries = self.libraries.entries().into_iter();
        let known = entries.find(|entry| entry.path == path);
        known.cloned().or_else(|| Entry::of(path).ok())
    }
}

impl DocumentContext {
    /// The recordings in which the document ran, the newest first.
    ///
    /// # Errors
    ///
    /// As [`Context::all_facts`].
    pub(crate) fn covering(&self) -> Result<Vec<Covering>> {
        match &self.document.path {
            Some(path) => self.workspace.covering(path),
            None => Ok(Vec::new()),
        }
    }

    /// The recording whose values are shown for the document while no replay is open.
    ///
    /// # Errors
    ///
    /// As [`Context::all_facts`].
    pub(crate) fn shown(&self) -> Result<Option<Covering>> {
        match &self.document.path {
            Some(path) => self.workspace.shown(path),
            None => Ok(None),
        }
    }

    /// The document in the replay that is open, if it ran there.
    ///
    /// # Errors
    ///
    /// As [`Context::replay`].
    pub(crate) fn replayed(&self) -> Result<Option<(Replay, SourceId)>> {
        let Some(path) = &self.document.path else {
            return Ok(None);
        };
        let replay = self.workspace.replay()?;
        Ok(replay.and_then(|replay| {
            let source = replay.facts.source(path)?;
            Some((replay, source))
        }))
    }

    /// A recorded source beside the document; `None` if its text was not recorded: then nothing can be
    /// said about any line.
    ///
    /// Cost: about a millisecond for a text of 10,000 lines after an edit; nothing if it was asked
    /// before for this text of the document.
    ///
    /// # Errors
    ///
    /// The recording cannot be read.
    pub(crate) fn mapped(&self, recording: &Recording, source: SourceId) -> Result<Option<Mapped>> {
        let Some(recorded) = self.workspace.recordings.text(recording, source)? else {
            return Ok(None);
        };
        Ok(Some(Mapped {
            buffer: self.document.parsed(),
            lines: self.document.line_map(&recorded),
            recorded,
        }))
    }
}

fn covers(facts: Arc<RecordingFacts>, path: &Path) -> Option<Covering> {
    let source = facts.source(path)?;
    Some(Covering { facts, source })
}

/// Whether two paths name the same file.
pub(crate) fn is_same_file(a: &Path, b: &Path) -> bool {
    a == b || resolved(a) == resolved(b)
}
