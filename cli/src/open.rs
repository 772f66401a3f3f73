//! From what the user calls a recording to the recording.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use retrostep_sessions::Library;
use retrostep_trace::Recording;

/// The library of the folder the user is in.
pub(crate) fn library() -> anyhow::Result<Library> {
    let folder = std::env::current_dir().context("cannot tell the current folder")?;
    Ok(Library::find(&folder))
}

/// The file that `name` means.
pub(crate) fn find(name: &str) -> anyhow::Result<PathBuf> {
    find_in(&library()?, name)
}

/// The file that `name` means in a library.
pub(crate) fn find_in(library: &Library, name: &str) -> anyhow::Result<PathBuf> {
    let found = library.resolve(name);
    found.map_err(|error| match error {
        retrostep_sessions::Error::NoSuchRecording { .. } => {
            anyhow::anyhow!("{error}; \"retrostep list\" shows what there is")
        }
        retrostep_sessions::Error::Empty { .. } => {
            anyhow::anyhow!("{error}; \"retrostep record COMMAND\" makes one")
        }
        other => other.into(),
    })
}

/// Opens a recording; the error says which it was.
pub(crate) fn open(path: &Path) -> anyhow::Result<Recording> {
    Ok(Recording::open(path)?)
}

/// A path as the user would write it here.
pub(crate) fn shown(path: &Path) -> String {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok())
        .unwrap_or(path)
        .display()
        .to_string()
}
