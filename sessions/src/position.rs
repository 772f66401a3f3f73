//! Where the open replay stands, shared between processes through the library.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::library::{Library, failed};
use crate::{Error, Result};

const FILE: &str = "replay.json";
/// What a position that is being written is called, before the number of the process that writes it.
const HALF: &str = "replay.json.";

/// Where the open replay stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReplayPosition {
    /// The recording, absolute.
    pub recording: PathBuf,
    /// The position.
    pub position: u64,
    /// The position after the last event.
    pub end: u64,
    /// The thread that is looked at.
    pub thread: u32,
    /// The process that replays: when it is gone, so is the replay.
    pub process_id: u32,
}

impl Library {
    /// Tells other processes where the replay stands. Whoever reads meanwhile sees the old or the new
    /// position.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn publish_position(&self, position: &ReplayPosition) -> Result<()> {
        self.create()?;
        let path = self.folder().join(FILE);
        let half = self.folder().join(format!("{HALF}{}", std::process::id()));
        let text = serde_json::to_vec(position).map_err(|error| Error::Io {
            action: "write",
            path: path.clone(),
            source: error.into(),
        })?;
        fs::write(&half, text).map_err(failed("write", &half))?;
        fs::rename(&half, &path).map_err(failed("write", &path))
    }

    /// Where the replay stands, if one is open.
    #[must_use]
    pub fn position(&self) -> Option<ReplayPosition> {
        let text = fs::read(self.folder().join(FILE)).ok()?;
        let position: ReplayPosition = serde_json::from_slice(&text).ok()?;
        is_alive(&position.process_id.to_string()).then_some(position)
    }

    /// Deletes what processes left that were killed while they told their position.
    fn clear_halves(&self) {
        let Ok(files) = fs::read_dir(self.folder()) else {
            return;
        };
        for file in files.flatten() {
            let name = file.file_name();
            let process = name.to_str().and_then(|name| name.strip_prefix(HALF));
            if process.is_some_and(|process| !is_alive(process)) {
                // Another process may be quicker.
                let _ = fs::remove_file(file.path());
            }
        }
    }

    /// Tells other processes that this process's replay is closed.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn clear_position(&self) -> Result<()> {
        self.clear_halves();
        if self
            .position()
            .is_some_and(|open| open.process_id != std::process::id())
        {
            return Ok(());
        }
        let path = self.folder().join(FILE);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(failed("delete", &path)(error))
            }
            _ => Ok(()),
        }
    }
}

fn is_alive(process: &str) -> bool {
    Path::new("/proc").join(process).exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_killed_processes_left_half_written_is_deleted() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        let library = Library::find(folder.path());
        library.create().unwrap();
        let of_killed = library.folder().join(format!("{HALF}{}", u32::MAX));
        let of_living = library
            .folder()
            .join(format!("{HALF}{}", std::process::id()));
        fs::write(&of_killed, "{\"reco").unwrap();
        fs::write(&of_living, "{\"reco").unwrap();
        library.clear_position().unwrap();
        assert!(!of_killed.exists());
        assert!(of_living.exists());
    }

    #[test]
    fn a_position_is_read_as_it_was_published_until_the_replay_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join(".git")).unwrap();
        let library = Library::find(folder.path());
        assert_eq!(library.position(), None);
        let mut position = ReplayPosition {
            recording: "/a/b.retro".into(),
            position: 184_266,
            end: 184_312,
            thread: 0,
            process_id: std::process::id(),
        };
        library.publish_position(&position).unwrap();
        assert_eq!(library.position().as_ref(), Some(&position));
        library.clear_position().unwrap();
        assert_eq!(library.position(), None);
        library.clear_position().unwrap();
        position.process_id = u32::MAX;
        library.publish_position(&position).unwrap();
        assert_eq!(library.position(), None);
    }
}
