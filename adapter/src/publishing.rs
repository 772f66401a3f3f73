//! Telling other processes where the replay stands, through the library.
//!
//! This happens on a thread of its own: a move does not wait for the file system, and of moves that
//! follow each other quickly only the last is told.

use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::Context as _;
use retrostep_sessions::{Library, ReplayPosition};

use crate::replaying::Replay;

/// The shortest time between two positions that are told.
const PAUSE: Duration = Duration::from_millis(20);

/// The library of the workspace that was recorded: of the program's folder, else of the recording's.
pub(crate) fn library_of(recording: &Path, working_directory: &str) -> Library {
    let worked_in = Path::new(working_directory);
    let folder = if worked_in.is_dir() {
        worked_in
    } else {
        recording.parent().unwrap_or(Path::new("."))
    };
    Library::find(folder)
}

#[derive(Debug)]
enum Notice {
    /// A replay stands there.
    At(Library, ReplayPosition),
    /// No replay is open any more.
    Over,
}

/// The way to the thread that tells.
#[derive(Clone, Debug)]
pub(crate) struct Publishing(Sender<Notice>);

impl Publishing {
    /// Tells where `replay` stands, soon.
    pub(crate) fn tell(&self, replay: &Replay) {
        let recording = std::path::absolute(&replay.path).unwrap_or_else(|_| replay.path.clone());
        let position = ReplayPosition {
            recording,
            position: replay.timeline.position().0,
            end: replay.timeline.end().0,
            thread: replay.timeline.thread().0,
            process_id: std::process::id(),
        };
        // After the conversation nobody is told any more.
        let _ = self.0.send(Notice::At(replay.library.clone(), position));
    }
}

/// The thread that tells; when dropped, what it told is withdrawn.
#[derive(Debug)]
pub(crate) struct Publisher {
    publishing: Publishing,
    thread: Option<JoinHandle<()>>,
}

impl Publisher {
    pub(crate) fn start() -> anyhow::Result<Publisher> {
        let (sender, notices) = channel();
        let thread = std::thread::Builder::new()
            .name("publisher".to_owned())
            .spawn(move || publish(&notices))
            .context("start the thread that publishes the position")?;
        Ok(Publisher {
            publishing: Publishing(sender),
            thread: Some(thread),
        })
    }

    pub(crate) fn publishing(&self) -> Publishing {
        self.publishing.clone()
    }
}

impl Drop for Publisher {
    fn drop(&mut self) {
        let _ = self.publishing.0.send(Notice::Over);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn publish(notices: &Receiver<Notice>) {
    let mut told: Option<Library> = None;
    'open: while let Ok(mut notice) = notices.recv() {
        // A search that was cancelled may still stop somewhere after the end.
        let (library, position) = loop {
            let Notice::At(library, position) = notice else {
                break 'open;
            };
            match notices.try_recv() {
                Ok(newer) => notice = newer,
                Err(_) => break (library, position),
            }
        };
        if let Some(other) = told.take_if(|told| told.folder() != library.folder()) {
            clear(&other);
        }
        // That other processes cannot be told is no reason to stop.
        if let Err(error) = library.publish_position(&position) {
            tracing::warn!(%error, "the position cannot be published");
        }
        told = Some(library);
        std::thread::sleep(PAUSE);
    }
    if let Some(library) = told {
        clear(&library);
    }
}

fn clear(library: &Library) {
    if let Err(error) = library.clear_position() {
        tracing::warn!(%error, "the position cannot be withdrawn");
    }
}
