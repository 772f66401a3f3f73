//! The replay in a terminal.

use std::path::Path;

/// Replays `recording` on standard input and output, from its uncaught exception or its end.
pub(crate) fn run(recording: &Path) -> anyhow::Result<()> {
    crate::open::open(recording)?;
    anyhow::bail!("this build cannot replay in a terminal")
}
