//! Telling other processes where the replay stands, through the library.

use std::path::Path;

use retrostep_sessions::{Library, ReplayPosition};

use crate::replaying::Replay;

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

/// Publishes where `replay` stands. That other processes cannot be told is no reason to stop.
pub(crate) fn publish(replay: &Replay) {
    let recording = std::path::absolute(&replay.path).unwrap_or_else(|_| replay.path.clone());
    let position = ReplayPosition {
        recording,
        position: replay.timeline.position().0,
        end: replay.timeline.end().0,
        thread: replay.timeline.thread().0,
        process_id: std::process::id(),
    };
    if let Err(error) = replay.library.publish_position(&position) {
        tracing::warn!(%error, "the position cannot be published");
    }
}

/// Tells other processes that no replay is open any more.
pub(crate) fn clear(library: &Library) {
    if let Err(error) = library.clear_position() {
        tracing::warn!(%error, "the position cannot be withdrawn");
    }
}
