//! `retrostep rename` and `retrostep delete`.

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;

use retrostep_sessions::Entry;

use crate::args::DeleteOptions;

pub(crate) fn rename(recording: &str, name: &str) -> anyhow::Result<()> {
    let entry = Entry::of(&crate::open::find(recording)?)?;
    let path = entry.rename(name)?;
    writeln!(io::stdout(), "{}", crate::open::shown(&path))?;
    Ok(())
}

pub(crate) fn delete(options: &DeleteOptions) -> anyhow::Result<()> {
    // All names are looked up first: either everything that was meant is deleted, or nothing.
    let mut entries = Vec::new();
    for name in &options.recordings {
        let path = crate::open::find(name)?;
        if entries.iter().all(|entry: &Entry| entry.path != path) {
            entries.push(Entry::of(&path)?);
        }
    }
    for entry in entries {
        refuse_foreign(&entry.path)?;
        if options.yes || confirmed(&entry)? {
            entry.delete()?;
            writeln!(io::stdout(), "deleted {}", crate::open::shown(&entry.path))?;
        }
    }
    Ok(())
}

/// A path can name anything: only recordings are deleted, also ones that are cut short or newer.
fn refuse_foreign(path: &Path) -> anyhow::Result<()> {
    let named_so = path
        .extension()
        .is_some_and(|end| end == retrostep_sessions::RECORDING_EXTENSION);
    if !named_so
        && matches!(
            retrostep_trace::Recording::open(path),
            Err(retrostep_trace::Error::NotARecording { .. }
                | retrostep_trace::Error::NotBegun { .. })
        )
    {
        anyhow::bail!("{} is not a recording, and stays", path.display());
    }
    Ok(())
}

/// Asks, where there is somebody to ask.
fn confirmed(entry: &Entry) -> anyhow::Result<bool> {
    if !io::stdin().is_terminal() || !io::stderr().is_terminal() {
        return Ok(true);
    }
    write!(io::stderr(), "Delete {}? [y/N] ", entry.id)?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}
