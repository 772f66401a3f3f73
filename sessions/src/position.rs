//! Where the open replay stands, shared between processes through the library.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::library::{Library, failed};
use crate::{Error, Result};

const FILE: &str = "replay.json";

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
        let half = self.folder().join(format!("{FILE}.{}", std::process::id()));
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
        Path::new("/proc")
            .join(position.process_id.to_string())
            .exists()
            .then_some(position)
    }

    /// Tells other processes that this process's replay is closed.
    ///
    /// # Errors
    ///
    /// [`Error::Io`].
    pub fn clear_position(&self) -> Result<()> {
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

#[cfg(test)]
mod tests {
    use super::*;

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
