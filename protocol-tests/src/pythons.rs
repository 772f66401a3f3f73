//! The Python interpreters of this machine.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The versions that can be recorded, as minor numbers of Python 3.
pub const SUPPORTED: std::ops::RangeInclusive<u32> = 9..=14;

/// One interpreter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Python {
    /// Its minor version: 12 for 3.12.
    pub minor: u32,
    /// Its full version: `3.12.1`.
    pub version: String,
    /// The executable, with links resolved.
    pub path: PathBuf,
}

impl Python {
    /// The name used in the names of tests: `python3.12`.
    pub fn name(&self) -> String {
        format!("python3.{}", self.minor)
    }
}

/// One interpreter for each supported minor version that is found.
///
/// Looks into `RETROSTEP_PYTHONS` (a list like PATH, of executables) and nowhere else when that is set;
/// else into `~/.pyenv/versions`, PATH and what was unpacked into the tests' cache.
pub fn found() -> Vec<Python> {
    let mut all = BTreeMap::new();
    let mut add = |path: &Path| {
        if let Some(python) = ask(path)
            && SUPPORTED.contains(&python.minor)
        {
            all.entry(python.minor).or_insert(python);
        }
    };
    if let Some(list) = std::env::var_os("RETROSTEP_PYTHONS") {
        std::env::split_paths(&list).for_each(|path| add(&path));
        return all.into_values().collect();
    }
    if let Some(home) = std::env::var_os("HOME")
        && let Ok(entries) = std::fs::read_dir(Path::new(&home).join(".pyenv/versions"))
    {
        entries
            .flatten()
            .for_each(|entry| add(&entry.path().join("bin/python")));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    for dir in std::env::split_paths(&path).filter(|dir| !dir.ends_with("shims")) {
        for minor in SUPPORTED {
            add(&dir.join(format!("python3.{minor}")));
        }
        add(&dir.join("python3"));
    }
    if let Some(cache) = std::env::var_os("RETROSTEP_TEST_CACHE") {
        for minor in SUPPORTED {
            let name = format!("python3.{minor}");
            let folder = Path::new(&cache).join("pythons").join(&name);
            add(&folder.join("usr/bin").join(name));
        }
    }
    all.into_values().collect()
}

/// The newest interpreter found.
pub fn newest() -> Option<Python> {
    found().pop()
}

/// The supported minor versions of which no interpreter was found.
pub fn missing(found: &[Python]) -> Vec<u32> {
    SUPPORTED
        .filter(|minor| found.iter().all(|python| python.minor != *minor))
        .collect()
}

fn ask(path: &Path) -> Option<Python> {
    if !path.is_file() {
        return None;
    }
    let question = "import sys, os; v = sys.version_info; \
        print(sys.implementation.name, v[0], v[1], '%d.%d.%d' % v[:3], os.path.realpath(sys.executable))";
    let output = Command::new(path)
        .args(["-I", "-c", question])
        .output()
        .ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let mut parts = text.trim_end().splitn(5, ' ');
    let (implementation, major) = (parts.next()?, parts.next()?);
    let minor = parts.next()?.parse().ok()?;
    let version = parts.next()?.to_owned();
    let path = PathBuf::from(parts.next()?);
    (implementation == "cpython" && major == "3").then_some(Python {
        minor,
        version,
        path,
    })
}
