//! Records Python programs: starts them, drains the recorder's ring, writes the recording.
//!
//! [`record`] runs one [`Job`] from the program's start to its end. The part that runs inside the
//! program is the extension, which travels inside this library and is unpacked on first use.
//! This crate knows no protocol and prints nothing; who calls it tells the user.

#![deny(missing_docs)]

mod child;
mod command;
mod decode;
mod drain;
mod embedded;
mod error;
mod job;
mod output;
mod run;
mod scope;

pub use child::die_by;
pub use command::{Launch, Program};
pub use error::{Error, Result};
pub use job::{
    Ending, Job, Limits, Moment, Observer, Origin, Outcome, Output, OutputMode, Progress, Recorded,
    Wish,
};
pub use retrostep_record_python_wire::{Access, Mode};
pub use retrostep_trace::Stream;
pub use run::{is_being_written, record};
pub use scope::REDACTED_NAMES;
