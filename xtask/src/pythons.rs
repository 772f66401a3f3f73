//! Brings the newest supported Python to a machine whose distribution does not have it yet.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::setup::say;

/// The Debian release that has the newest supported Python.
const RELEASE: &str = "forky";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// Unpacks Debian's `python3.14` with every library it needs, C library included, into the cache.
///
/// Nothing of the machine changes. What cannot be done is said, and that version is not tested.
pub(crate) fn install(cache: &Path) -> Result<()> {
    let Some((name, folder)) = wanted(cache) else {
        return Ok(());
    };
    if !folder.join("usr/bin").join(&name).exists() {
        say(&format!(
            "unpacking {name} of Debian {RELEASE} into {}",
            folder.display()
        ))?;
        if let Err(error) = unpack(&name, &folder) {
            // Half of it would be found by the next run.
            let _ = std::fs::remove_dir_all(&folder);
            return say(&format!("no {name}, which is not tested: {error:#}"));
        }
    }
    Ok(())
}

/// Unpacks that Python's C headers beside it; the floors of the benchmark are built with them.
pub(crate) fn install_headers(cache: &Path) -> Result<()> {
    let Some((name, folder)) = wanted(cache) else {
        return Ok(());
    };
    let present = folder.join("usr/include").join(&name).join("Python.h");
    if !present.exists() && folder.exists() {
        say(&format!("unpacking the headers of {name}"))?;
        if let Err(error) = unpack_headers(&name, &folder) {
            return say(&format!("no headers of {name}: {error:#}"));
        }
    }
    Ok(())
}

/// The name of the newest Python and the folder it is unpacked into, unless the machine has it.
fn wanted(cache: &Path) -> Option<(String, PathBuf)> {
    let newest = *protocol_tests::pythons::SUPPORTED.end();
    let missing = protocol_tests::pythons::missing(&protocol_tests::pythons::found());
    let name = format!("python3.{newest}");
    let folder = cache.join("pythons").join(&name);
    missing.contains(&newest).then_some((name, folder))
}

fn unpack(name: &str, folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let apt = folder.join("apt");
    prepare(&apt)?;
    apt_get(
        &apt,
        &[
            "install",
            "--yes",
            "--no-install-recommends",
            "--download-only",
            name,
        ],
    )?;
    unpack_archives(&apt, folder)?;
    // The program must find its own loader and libraries: the machine's are older.
    let libraries = folder.join("usr/lib/x86_64-linux-gnu");
    let program = folder.join("usr/bin").join(name);
    run(Command::new("patchelf")
        .arg("--set-interpreter")
        .arg(libraries.join("ld-linux-x86-64.so.2"))
        .args(["--force-rpath", "--set-rpath"])
        .arg(&libraries)
        .arg(&program))?;
    run(Command::new(&program).args(["-c", "import ssl, sqlite3, ctypes, zlib"]))
}

fn unpack_headers(name: &str, folder: &Path) -> Result<()> {
    let apt = folder.join("apt");
    prepare(&apt)?;
    apt_get(&apt, &["download", &format!("lib{name}-dev")])?;
    unpack_archives(&apt, folder)
}

/// Makes a state of apt's own in `apt`, as if nothing were installed, so that every library comes along.
fn prepare(apt: &Path) -> Result<()> {
    for part in ["state/lists/partial", "cache/archives/partial"] {
        std::fs::create_dir_all(apt.join(part))?;
    }
    std::fs::write(
        apt.join("sources.list"),
        format!("deb [signed-by={KEYRING}] http://deb.debian.org/debian {RELEASE} main\n"),
    )?;
    std::fs::write(apt.join("status"), "")?;
    apt_get(apt, &["update"])
}

fn apt_get(apt: &Path, arguments: &[&str]) -> Result<()> {
    let mut command = Command::new("apt-get");
    for (option, value) in [
        ("Dir::State", apt.join("state")),
        ("Dir::State::status", apt.join("status")),
        ("Dir::Cache", apt.join("cache")),
        ("Dir::Etc::sourcelist", apt.join("sources.list")),
        ("Dir::Etc::sourceparts", PathBuf::from("/dev/null")),
    ] {
        command
            .arg("-o")
            .arg(format!("{option}={}", value.display()));
    }
    command.current_dir(apt.join("cache/archives"));
    run(command.arg("-qq").args(arguments))
}

/// Unpacks what was downloaded, and removes apt's state.
fn unpack_archives(apt: &Path, folder: &Path) -> Result<()> {
    for entry in std::fs::read_dir(apt.join("cache/archives"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg-deb").arg("-x").arg(path).arg(folder))?;
        }
    }
    std::fs::remove_dir_all(apt)?;
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("run {program}"))?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program}: {}", errors.trim_end());
    Ok(())
}
