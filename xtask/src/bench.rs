//! `cargo xtask bench`: what recording and replaying cost, as one table.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::setup::checkout;

/// Builds the release binary and hands over to `benches/run.py`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let root = checkout();
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let built = Command::new(cargo)
        .args(["build", "--release", "--package", "retrostep"])
        .current_dir(&root)
        .status()
        .context("run cargo build")?;
    if !built.success() {
        bail!("the release build failed");
    }
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or(root.join("target"), Into::into);
    let status = Command::new("python3")
        .arg(root.join("benches/run.py"))
        .arg(target.join("release/retrostep"))
        .args(arguments)
        .current_dir(&root)
        .status()
        .context("run python3")?;
    if !status.success() {
        bail!("benches/run.py failed");
    }
    Ok(())
}
