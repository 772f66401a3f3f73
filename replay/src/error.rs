//! What can go wrong when a recording is explored.

use retrostep_trace::FrameId;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The recording could not be read, or a search was cancelled.
    #[error(transparent)]
    Trace(#[from] retrostep_trace::Error),
    /// There is no such frame in the recording.
    #[error("frame {frame} is not in the recording")]
    NoSuchFrame {
        /// The frame asked for.
        frame: FrameId,
    },
    /// A frame never ran a line.
    #[error("frame {frame} ran no line that was recorded")]
    FrameWithoutLines {
        /// The frame asked for.
        frame: FrameId,
    },
    /// The path names no source of the recording.
    #[error("{path} did not run in this recording")]
    NoSuchSource {
        /// The path asked for.
        path: String,
    },
    /// No breakpoint has this number.
    #[error("there is no logpoint {id}")]
    NoSuchLogpoint {
        /// The number asked for.
        id: crate::BreakpointId,
    },
    /// The text is id of no [`crate::Place`].
    #[error("{text:?} is not the id of a data breakpoint")]
    BadPlace {
        /// The text.
        text: String,
    },
    /// A hit condition that cannot be understood.
    #[error(
        "hit condition {text:?} is not understood: use a number, or ==, >, >=, <, <= or % with a number"
    )]
    BadHitCondition {
        /// The text.
        text: String,
    },
}

impl Error {
    /// Whether this only says that a search was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        matches!(self, Error::Trace(retrostep_trace::Error::Cancelled))
    }
}

/// The result of this crate's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
