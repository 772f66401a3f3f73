//! `cargo xtask bench`: what recording and replaying cost, as one table.

use std::process::Command;

use anyhow::{Context as _, Result, bail};

use crate::setup::{self, checkout};

/// Builds the release binary, brings the interpreters, and hands over to `benches/run.py`.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let root = checkout();
    let cache = setup::install_interpreters()?;
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
        .arg("--cache")
        .arg(cache)
        .args(arguments)
        .current_dir(&root)
        .status()
        .context("run python3")?;
    if !status.success() {
        bail!("benches/run.py failed");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    #[test]
    fn figures_are_computed_and_written_as_their_own_tests_say() {
        let folder = super::checkout().join("benches");
        let run = Command::new("python3")
            .args(["-m", "unittest", "--quiet"])
            .current_dir(&folder)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output();
        let Ok(output) = run else {
            return protocol_tests::skip::skip("figures of the benchmark", "no python3");
        };
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{errors}");
        assert!(!errors.contains("Ran 0 tests"), "{errors}");
    }
}
