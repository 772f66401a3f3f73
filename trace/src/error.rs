//! What can go wrong when a recording is written or read.

use std::path::PathBuf;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The operating system refused.
    #[error("{action} {}: {source}", path.display())]
    Io {
        /// What was attempted: `open`, `read`, `write`.
        action: &'static str,
        /// The recording.
        path: PathBuf,
        /// Why it was refused.
        source: std::io::Error,
    },
    /// The file is no recording.
    #[error("{} is not a Retrostep recording", path.display())]
    NotARecording {
        /// The file.
        path: PathBuf,
    },
    /// The file is empty: its recorder has yet to write, or ended before it did.
    #[error("{} is empty: its recording has not begun", path.display())]
    NotBegun {
        /// The file.
        path: PathBuf,
    },
    /// The file was made by another version of the format.
    #[error("recording {} is format {found}, this build reads {oldest} to {newest}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u16,
        /// The oldest format this build reads.
        oldest: u16,
        /// The newest format this build reads.
        newest: u16,
    },
    /// Bytes of the file contradict themselves.
    #[error("recording {} is damaged at byte {offset}: {what}", path.display())]
    Corrupt {
        /// The file.
        path: PathBuf,
        /// Where in the file.
        offset: u64,
        /// What is wrong.
        what: String,
    },
    /// A search was cancelled.
    #[error("cancelled")]
    Cancelled,
}

/// The result of this crate's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
