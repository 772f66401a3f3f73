//! What can go wrong with a library.

use std::io;
use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("cannot {action} {}: {source}", path.display())]
    Io {
        /// What was attempted: `create`, `list`, `rename`, `delete`.
        action: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why it was refused.
        source: io::Error,
    },
    /// There is no recording of that name.
    #[error("there is no recording \"{name}\" in {}", library.display())]
    NoSuchRecording {
        /// As the user wrote it.
        name: String,
        /// Where it was looked for.
        library: PathBuf,
    },
    /// The library holds no recording.
    #[error("there is no recording in {}", library.display())]
    Empty {
        /// The library.
        library: PathBuf,
    },
    /// Several recordings begin like that.
    #[error("several recordings begin with \"{name}\": {}", candidates.join(", "))]
    Ambiguous {
        /// As the user wrote it.
        name: String,
        /// The recordings it could be, newest first.
        candidates: Vec<String>,
    },
    /// The name cannot be a file's name.
    #[error("\"{name}\" cannot be the name of a recording")]
    BadName {
        /// As the user wrote it.
        name: String,
    },
    /// There is a recording of that name already.
    #[error("there is already a recording {}", path.display())]
    Exists {
        /// The recording.
        path: PathBuf,
    },
}

/// The result of this crate's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
