//! Why a recording could not be started.

use std::io;
use std::path::PathBuf;

/// Why a program was not started under the recorder. Nothing ran when one of these is returned.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// There is nothing to run.
    #[error("no program was given")]
    NoProgram,
    /// The script to run does not exist.
    #[error("there is no file {}", path.display())]
    NoScript {
        /// The script.
        path: PathBuf,
    },
    /// The program to run does not exist.
    #[error("there is no program \"{name}\"{}", if name.contains('/') { "" } else { " on PATH" })]
    ProgramNotFound {
        /// As the user wrote it.
        name: String,
    },
    /// There is no Python to run the script with.
    #[error("no Python was found: activate a virtual environment, or name one with --python")]
    NoPython,
    /// A Python was named for a command line that names its own.
    #[error("--python is for a script, -m or -c; \"{name}\" brings its own interpreter")]
    PythonNotUsed {
        /// The program of the command line.
        name: String,
    },
    /// The program could not be started.
    #[error("cannot start {name}: {source}")]
    Start {
        /// The program.
        name: String,
        /// Why.
        source: io::Error,
    },
    /// The recorder could not be unpacked anywhere.
    #[error("cannot unpack the recorder into {}: {source}", path.display())]
    Unpack {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The memory shared with the program could not be made.
    #[error("cannot share memory with the program in {}: {source}", path.display())]
    Share {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The recording cannot be written where it should.
    #[error("cannot write the recording {}: {source}", path.display())]
    Output {
        /// The recording.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// The operating system refused something else.
    #[error("cannot {action}: {source}")]
    System {
        /// What was attempted.
        action: &'static str,
        /// Why.
        source: io::Error,
    },
}

/// The result of this crate's fallible functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;
