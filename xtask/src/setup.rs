//! Installs what the tests need and the machine lacks, into a cache folder, and says so.

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result};

/// npm packages, each with the exact version the tests were written for.
const NODE_MODULES: &[&str] = &[
    "@vscode/debugadapter-testsupport@1.68.0",
    "@vscode/debugprotocol@1.68.0",
];

/// Small pure-Python packages whose test suites are run recorded and not.
pub(crate) const PYTHON_PACKAGES: &[&str] = &["toolz==1.0.0", "cachetools==5.5.0", "click==8.1.7"];

/// A program the tests need, and the Debian package that brings it.
const PROGRAMS: &[(&str, &str)] = &[
    ("cc", "gcc"),
    ("git", "git"),
    ("python3", "python3"),
    ("node", "nodejs"),
    ("npm", "npm"),
    ("patchelf", "patchelf"),
    ("chromium", "chromium"),
];

/// Writes a line to standard output.
pub(crate) fn say(line: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}")?;
    out.flush()?;
    Ok(())
}

/// The checkout.
pub(crate) fn checkout() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// Installs what is missing; returns the cache folder.
///
/// What cannot be installed is said, and the tests that need it are skipped.
pub(crate) fn install() -> Result<PathBuf> {
    let cache = cache()?;
    debian_packages()?;
    node_modules(&cache)?;
    crate::vscode::install(&cache)?;
    crate::vscode::install_packages()?;
    python_packages(&cache)?;
    crate::lsp::install(&cache)?;
    crate::pythons::install(&cache)?;
    Ok(cache)
}

/// Installs what bringing the newest Python needs, and that Python with its headers; returns the cache
/// folder.
pub(crate) fn install_interpreters() -> Result<PathBuf> {
    let cache = cache()?;
    debian_packages()?;
    crate::pythons::install(&cache)?;
    crate::pythons::install_headers(&cache)?;
    Ok(cache)
}

fn cache() -> Result<PathBuf> {
    let base = std::env::var_os("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")))
        .unwrap_or_else(|| checkout().join("target"));
    let cache = base.join("retrostep-tests");
    std::fs::create_dir_all(&cache).with_context(|| format!("create {}", cache.display()))?;
    Ok(cache)
}

fn debian_packages() -> Result<()> {
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| !on_path(program))
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    let list = missing.join(" ");
    if !is_root() || !on_path("apt-get") {
        return say(&format!(
            "missing: {list}. The tests that need them are skipped; on Debian: apt-get install {list}"
        ));
    }
    say(&format!("installing with apt-get: {list}"))?;
    let quiet = |arguments: &[&str]| {
        Command::new("apt-get")
            .args(["-qq", "-o", "Dpkg::Use-Pty=0"])
            .args(arguments)
            .env("DEBIAN_FRONTEND", "noninteractive")
            .stdin(Stdio::null())
            .status()
    };
    quiet(&["update"])?;
    let status = quiet(
        &[
            &["install", "--no-install-recommends", "--yes"][..],
            &missing,
        ]
        .concat(),
    )?;
    if !status.success() {
        say("apt-get failed; the tests that need these programs are skipped")?;
    }
    Ok(())
}

fn node_modules(cache: &Path) -> Result<()> {
    let folder = cache.join("node");
    let stamp = folder.join("installed.txt");
    let wanted = NODE_MODULES.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if !on_path("npm") {
        return say("no npm: the test that drives Microsoft's debug client is skipped");
    }
    say(&format!(
        "installing into {}: {}",
        folder.display(),
        NODE_MODULES.join(" ")
    ))?;
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("package.json"), "{\"private\":true}\n")?;
    let status = Command::new("npm")
        .args([
            "install",
            "--silent",
            "--no-save",
            "--no-audit",
            "--no-fund",
        ])
        .args(NODE_MODULES)
        .current_dir(&folder)
        .stdin(Stdio::null())
        .status()?;
    if status.success() {
        std::fs::write(stamp, wanted)?;
        return Ok(());
    }
    say("npm failed: the test that drives Microsoft's debug client is skipped")
}

/// Unpacks the source distributions, which hold the packages' own tests, and pytest beside them.
fn python_packages(cache: &Path) -> Result<()> {
    let folder = cache.join("python");
    let stamp = folder.join("installed.txt");
    let wanted = PYTHON_PACKAGES.join("\n");
    if std::fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    let Some(python) = ["python3", "python"].into_iter().find(|name| on_path(name)) else {
        return say("no Python: everything that records is skipped");
    };
    say(&format!(
        "installing into {}: {} and pytest",
        folder.display(),
        PYTHON_PACKAGES.join(" ")
    ))?;
    if folder.exists() {
        std::fs::remove_dir_all(&folder)?;
    }
    let (sources, pytest) = (folder.join("sources"), folder.join("pytest"));
    std::fs::create_dir_all(&sources)?;
    let pip = |arguments: &[&str], place: &Path| {
        Command::new(python)
            .args(["-m", "pip", "--quiet", "--disable-pip-version-check"])
            .args(arguments)
            .arg(place)
            .stdin(Stdio::null())
            .status()
    };
    // Versions of pytest and what it needs that run on every supported Python.
    let install = [
        "install",
        "--no-compile",
        "pytest==8.3.4",
        "exceptiongroup==1.2.2",
        "tomli==2.2.1",
        "typing_extensions==4.12.2",
        "--target",
    ];
    // What they are built with may come built.
    let names: Vec<&str> = PYTHON_PACKAGES
        .iter()
        .filter_map(|package| package.split("==").next())
        .collect();
    let names = names.join(",");
    let download = [
        &["download", "--no-deps", "--no-binary", &names][..],
        PYTHON_PACKAGES,
        &["--dest"],
    ]
    .concat();
    let success = pip(&install, &pytest)?.success() && pip(&download, &sources)?.success();
    if !success || !unpack(&sources)? {
        return say("pip failed: the test suites of other packages are skipped");
    }
    std::fs::write(stamp, wanted)?;
    Ok(())
}

fn unpack(sources: &Path) -> Result<bool> {
    for entry in std::fs::read_dir(sources)? {
        let path = entry?.path();
        let status = Command::new("tar")
            .arg("-xzf")
            .arg(&path)
            .arg("-C")
            .arg(sources)
            .status()?;
        if !status.success() {
            return Ok(false);
        }
    }
    Ok(true)
}

pub(crate) fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(program).is_file())
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output();
    id.is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}
