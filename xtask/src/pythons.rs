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
    let newest = *protocol_tests::pythons::SUPPORTED.end();
    let missing = protocol_tests::pythons::missing(&protocol_tests::pythons::found());
    if !missing.contains(&newest) {
        return Ok(());
    }
    let name = format!("python3.{newest}");
    let folder = cache.join("pythons").join(&name);
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

fn unpack(name: &str, folder: &Path) -> Result<()> {
    if folder.exists() {
        std::fs::remove_dir_all(folder)?;
    }
    let apt = folder.join("apt");
    for part in ["state/lists/partial", "cache/archives/partial"] {
        std::fs::create_dir_all(apt.join(part))?;
    }
    let sources = apt.join("sources.list");
    std::fs::write(
        &sources,
        format!("deb [signed-by={KEYRING}] http://deb.debian.org/debian {RELEASE} main\n"),
    )?;
    // As if nothing were installed, so that every library comes along.
    let status = apt.join("status");
    std::fs::write(&status, "")?;
    let apt_get = |arguments: &[&str]| {
        let mut command = Command::new("apt-get");
        for (option, value) in [
            ("Dir::State", apt.join("state")),
            ("Dir::State::status", status.clone()),
            ("Dir::Cache", apt.join("cache")),
            ("Dir::Etc::sourcelist", sources.clone()),
            ("Dir::Etc::sourceparts", PathBuf::from("/dev/null")),
        ] {
            command
                .arg("-o")
                .arg(format!("{option}={}", value.display()));
        }
        command.arg("-qq").args(arguments);
        run(&mut command)
    };
    apt_get(&["update"])?;
    apt_get(&[
        "install",
        "--yes",
        "--no-install-recommends",
        "--download-only",
        name,
    ])?;
    for entry in std::fs::read_dir(apt.join("cache/archives"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "deb") {
            run(Command::new("dpkg-deb").arg("-x").arg(path).arg(folder))?;
        }
    }
    std::fs::remove_dir_all(&apt)?;
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
