//! What is inside the recordings: opened when asked for, by any thread.
//!
//! Of each recording a few facts are kept for as long as its file stays what it is; of the recordings
//! themselves only those asked for last stay open.

mod facts;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use retrostep_sessions::Entry;
use retrostep_trace::{CancellationToken, Completeness, Recording, SourceId};

use crate::error::{RequestError, Result};
use crate::mapping::Text;
use crate::server::Event;
pub(crate) use facts::{Ending, FunctionFacts, RecordingFacts};

/// How many recordings stay open: each has caches of up to 80 MB.
const MOST_OPEN: usize = 3;
/// How many recorded texts are kept with their structure.
const MOST_TEXTS: usize = 16;
/// A recording that nobody asked for so long gives back its memory.
const IDLE: Duration = Duration::from_secs(5);

/// A recording's file as it was at one moment: when it grows or is replaced, it is another one.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct FileKey {
    pub(crate) path: PathBuf,
    len_bytes: u64,
    modified: SystemTime,
}

impl From<&Entry> for FileKey {
    fn from(entry: &Entry) -> FileKey {
        FileKey {
            path: entry.path.clone(),
            len_bytes: entry.len_bytes,
            modified: entry.modified,
        }
    }
}

/// The recordings, shared by all threads that answer requests.
#[derive(Debug)]
pub(crate) struct Recordings {
    store: Mutex<Store>,
    events: Sender<Event>,
}

/// What is computed once; whoever comes second waits for the first one.
type Once<T> = Arc<Mutex<Option<T>>>;

#[derive(Debug, Default)]
struct Store {
    /// Those asked for last are at the end.
    open: Vec<Open>,
    facts: HashMap<FileKey, Once<Arc<RecordingFacts>>>,
    /// By the hash of their bytes; those asked for last are at the end.
    texts: Vec<(u64, Once<Arc<Text>>)>,
    /// The files whose damage was told.
    named: HashSet<PathBuf>,
}

#[derive(Debug)]
struct Open {
    key: FileKey,
    recording: Once<Arc<Recording>>,
    asked_at: Instant,
    forgotten: bool,
}

impl Recordings {
    /// None so far; what is damaged is told to `events`.
    pub(crate) fn new(events: Sender<Event>) -> Recordings {
        Recordings {
            store: Mutex::default(),
            events,
        }
    }

    /// Opens a recording, or returns it if it is open. It can be used for as long as it is held, also
    /// when its file is deleted meanwhile.
    ///
    /// # Errors
    ///
    /// It cannot be read; that was told to the user if they have to know.
    pub(crate) fn open(&self, key: &FileKey) -> Result<Arc<Recording>> {
        let slot = self.slot(key);
        let mut slot = lock(&slot);
        if let Some(recording) = &*slot {
            return Ok(recording.clone());
        }
        let recording = Arc::new(self.read(key)?);
        *slot = Some(recording.clone());
        Ok(recording)
    }

    /// The facts of a recording, computed when first asked for.
    ///
    /// # Errors
    ///
    /// As [`Recordings::open`]; or cancelled.
    pub(crate) fn facts(
        &self,
        entry: &Entry,
        cancel: &CancellationToken,
    ) -> Result<Arc<RecordingFacts>> {
        let key = FileKey::from(entry);
        let slot = lock(&self.store)
            .facts
            .entry(key.clone())
            .or_default()
            .clone();
        let mut slot = lock(&slot);
        if let Some(facts) = &*slot {
            return Ok(facts.clone());
        }
        cancel.check()?;
        // A recording that is only counted must not drive out one that is in use.
        let recording = match self.is_open(&key) {
            true => self.open(&key)?,
            false => Arc::new(self.read(&key)?),
        };
        let facts = Arc::new(RecordingFacts::read(entry, &recording, cancel)?);
        *slot = Some(facts.clone());
        Ok(facts)
    }

    /// A recorded source with its structure; `None` if its text was not recorded.
    ///
    /// # Errors
    ///
    /// The recording cannot be read.
    pub(crate) fn text(
        &self,
        recording: &Recording,
        source: SourceId,
    ) -> Result<Option<Arc<Text>>> {
        let source = recording.source(source)?;
        let Some(bytes) = &source.text else {
            return Ok(None);
        };
        let slot = self.text_slot(facts::hash(bytes));
        let mut slot = lock(&slot);
        let text = slot.get_or_insert_with(|| Arc::new(Text::recorded(bytes)));
        Ok(Some(text.clone()))
    }

    /// Gives back the memory of recordings that nobody asks for.
    pub(crate) fn forget_idle(&self) {
        let idle: Vec<Once<Arc<Recording>>> = (lock(&self.store).open.iter_mut())
            .filter(|open| !open.forgotten && open.asked_at.elapsed() >= IDLE)
            .map(|open| {
                open.forgotten = true;
                open.recording.clone()
            })
            .collect();
        for recording in idle {
            // One that is being opened is in use.
            if let Ok(recording) = recording.try_lock()
                && let Some(recording) = &*recording
            {
                recording.forget_blocks();
            }
        }
    }

    /// Whether something is open that [`Recordings::forget_idle`] will have to look at.
    pub(crate) fn is_any_awake(&self) -> bool {
        lock(&self.store).open.iter().any(|open| !open.forgotten)
    }

    /// Forgets what is known of files that are not, or not any more, what these say.
    pub(crate) fn retain(&self, is_known: impl Fn(&FileKey) -> bool) {
        let mut store = lock(&self.store);
        store.facts.retain(|key, _| is_known(key));
        store.open.retain(|open| is_known(&open.key));
    }

    fn is_open(&self, key: &FileKey) -> bool {
        lock(&self.store).open.iter().any(|open| open.key == *key)
    }

    fn slot(&self, key: &FileKey) -> Once<Arc<Recording>> {
        let mut store = lock(&self.store);
        let known = store.open.iter().position(|open| open.key == *key);
        let mut open = match known {
            Some(at) => store.open.remove(at),
            None => Open {
                key: key.clone(),
                recording: Once::default(),
                asked_at: Instant::now(),
                forgotten: false,
            },
        };
        open.asked_at = Instant::now();
        open.forgotten = false;
        let slot = open.recording.clone();
        // An earlier state of the same file is of no use any more.
        store.open.retain(|open| open.key.path != key.path);
        store.open.push(open);
        if store.open.len() > MOST_OPEN {
            store.open.remove(0);
        }
        slot
    }

    fn text_slot(&self, hash: u64) -> Once<Arc<Text>> {
        let mut store = lock(&self.store);
        let known = store.texts.iter().position(|(known, _)| *known == hash);
        let text = match known {
            Some(at) => store.texts.remove(at),
            None => (hash, Once::default()),
        };
        let slot = text.1.clone();
        store.texts.push(text);
        if store.texts.len() > MOST_TEXTS {
            store.texts.remove(0);
        }
        slot
    }

    fn read(&self, key: &FileKey) -> Result<Recording> {
        match Recording::open(&key.path) {
            Ok(recording) => {
                if let Completeness::Damaged(what) = recording.completeness() {
                    self.name(key, &what);
                }
                Ok(recording)
            }
            Err(error) => {
                if !is_expected(&error) {
                    self.name(key, &error.to_string());
                }
                Err(error.into())
            }
        }
    }

    /// Tells the user once that something is wrong with a recording.
    fn name(&self, key: &FileKey, what: &str) {
        if lock(&self.store).named.insert(key.path.clone()) {
            let file = key.path.file_name().unwrap_or_default().to_string_lossy();
            let text = format!("recording \"{file}\" cannot be read in full: {what}");
            let _ = self.events.send(Event::Warning(text));
        }
    }
}

/// A recording that has not begun, or that was deleted since it was listed.
fn is_expected(error: &retrostep_trace::Error) -> bool {
    match error {
        retrostep_trace::Error::NotBegun { .. } => true,
        retrostep_trace::Error::Io { source, .. } => source.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}

/// Whether an error means that the request is not wanted any more, rather than that a recording cannot
/// be read.
pub(crate) fn is_cancelled(error: &RequestError) -> bool {
    error.code == crate::error::ErrorCode::RequestCancelled
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
