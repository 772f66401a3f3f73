//! The plugin in the real Neovim: a walk backward, values, histories and the panel, with nvim-dap and
//! without it.
//!
//! nvim-dap is stood in for, unless `NVIM_DAP_PATH` names a checkout of it.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that meets the unexpected must fail and say why"
)]

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use protocol_tests::programs::{checkout, neovim};
use protocol_tests::pythons;
use protocol_tests::run::succeed;
use protocol_tests::skip::skip;
use protocol_tests::workspace::Workspace;

const BINARY: &str = env!("CARGO_BIN_EXE_retrostep");
const LIMIT: Duration = Duration::from_secs(180);

#[test]
fn the_plugin_steps_backward_and_shows_what_was_recorded() -> Result<()> {
    let stand_in = checkout().join("protocol-tests/neovim/stand_in");
    converse(
        "the_plugin_steps_backward_and_shows_what_was_recorded",
        "walk.lua",
        Some(&stand_in),
    )
}

#[test]
fn the_plugin_steps_backward_with_nvim_dap_itself() -> Result<()> {
    const TEST: &str = "the_plugin_steps_backward_with_nvim_dap_itself";
    let Some(nvim_dap) = std::env::var_os("NVIM_DAP_PATH").map(PathBuf::from) else {
        skip(TEST, "NVIM_DAP_PATH does not name a checkout of nvim-dap");
        return Ok(());
    };
    let module = nvim_dap.join("lua/dap.lua");
    ensure!(module.is_file(), "there is no {}", module.display());
    converse(TEST, "walk.lua", Some(&nvim_dap))
}

#[test]
fn without_nvim_dap_the_plugin_does_all_but_moving() -> Result<()> {
    converse(
        "without_nvim_dap_the_plugin_does_all_but_moving",
        "without_dap.lua",
        None,
    )
}

/// Runs a script in Neovim, on a workspace with the samples.
fn converse(test: &str, script: &str, dap: Option<&Path>) -> Result<()> {
    let Some(neovim) = neovim() else {
        skip(
            test,
            "Neovim is not installed; cargo xtask test installs it",
        );
        return Ok(());
    };
    let Some(python) = pythons::newest() else {
        skip(test, "no Python from 3.9 to 3.14 was found");
        return Ok(());
    };
    let workspace = Workspace::with_samples()?;
    // The editor's own files, and the Python that a program is started with.
    let own = tempfile::tempdir()?;
    let programs = own.path().join("bin");
    std::fs::create_dir(&programs)?;
    for name in ["python", "python3"] {
        let launcher = programs.join(name);
        std::fs::write(
            &launcher,
            format!("#!/bin/sh\nexec '{}' \"$@\"\n", python.path.display()),
        )?;
        make_executable(&launcher)?;
    }
    let mut command = Command::new(neovim);
    command
        .args(["--clean", "--headless", "-l"])
        .arg(checkout().join("protocol-tests/neovim").join(script))
        .arg(BINARY)
        .arg(checkout().join("extensions/nvim"))
        .args(dap)
        .arg(workspace.path())
        .env("PATH", before_path(&programs)?)
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("XDG_CONFIG_HOME", own.path().join("config"))
        .env("XDG_DATA_HOME", own.path().join("data"))
        .env("XDG_STATE_HOME", own.path().join("state"))
        .env("XDG_CACHE_HOME", own.path().join("cache"))
        .current_dir(workspace.path())
        .stdin(Stdio::null());
    let outcome = succeed(&mut command, LIMIT)?;
    ensure!(outcome.stdout.ends_with("checks\n"), "{outcome:?}");
    eprintln!("{script}: {}", outcome.stdout.trim());
    Ok(())
}

fn make_executable(path: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    let permissions = std::fs::Permissions::from_mode(0o755);
    Ok(std::fs::set_permissions(path, permissions)?)
}

fn before_path(folder: &Path) -> Result<OsString> {
    let path = std::env::var_os("PATH").context("PATH")?;
    let folders = std::iter::once(folder.to_owned()).chain(std::env::split_paths(&path));
    Ok(std::env::join_paths(folders)?)
}
