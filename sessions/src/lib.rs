//! The library of a workspace: its recordings, where a replay stands, and facts from git.
//!
//! A library is a folder: `.retrostep/` at the root of the repository, or the user's data folder
//! outside of one. This crate knows names and files; what is inside a recording is `trace`'s.

#![deny(missing_docs)]

mod error;
mod git;
mod library;
mod position;
pub mod words;
mod writing;

pub use error::{Error, Result};
pub use git::{GitFacts, git_facts};
pub use library::{Entry, Library, RECORDING_EXTENSION};
pub use position::ReplayPosition;
pub use writing::is_being_written;
