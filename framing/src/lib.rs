//! Frames of the debug adapter and the language server protocol: headers, an empty line, as many
//! bytes as `Content-Length` says.
//!
//! What stands in a frame is not known here.

#![deny(missing_docs)]

mod decoder;
mod reading;
mod writing;

pub use decoder::{FrameDecoder, FrameError, Result};
pub use reading::{InputError, read_frames};
pub use writing::write_frame;
