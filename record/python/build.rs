//! Builds the extension and makes it, with the Python package, a part of the library.
//!
//! The extension is a cdylib, which a Cargo dependency cannot provide, so it is built by a Cargo of its
//! own with a target folder of its own below `OUT_DIR`: the outer Cargo's locks are never waited for.

#![expect(
    clippy::print_stderr,
    reason = "Cargo shows the standard error of a build script that fails"
)]

use std::fmt::Write as _;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs, io};

const PACKAGE: &str = "retrostep-record-python-extension";
const LIBRARY: &str = "libretrostep_record_python_extension.so";

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            println!("cargo::error={message}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    let here = folder("CARGO_MANIFEST_DIR")?;
    let out = folder("OUT_DIR")?;
    for watched in [
        "build.rs",
        "extension/src",
        "extension/Cargo.toml",
        "wire",
        "package",
        "../../Cargo.lock",
    ] {
        println!("cargo::rerun-if-changed={}", here.join(watched).display());
    }
    let built = build_extension(&here, &out)?;
    let extension = out.join("retrostep_recorder.so");
    fs::copy(&built, &extension).map_err(|error| failed("copy", &built, &error))?;
    let package = package_files(&here.join("package"))?;
    let name = contents_name(&extension, &package)?;

    let mut code = String::new();
    let _ = writeln!(code, "const CONTENTS_NAME: &str = {name:?};");
    let _ = writeln!(
        code,
        "pub(crate) const EXTENSION: &[u8] = include_bytes!({extension:?});"
    );
    let _ = writeln!(code, "pub(crate) const PACKAGE: &[(&str, &[u8])] = &[");
    for (name, path) in package {
        let _ = writeln!(code, "    ({name:?}, include_bytes!({path:?})),");
    }
    code.push_str("];\n");
    let generated = out.join("embedded.rs");
    fs::write(&generated, code).map_err(|error| failed("write", &generated, &error))
}

/// A name that differs when the contents do.
fn contents_name(extension: &Path, package: &[(String, PathBuf)]) -> Result<String, String> {
    let mut hasher = DefaultHasher::new();
    let read = |path: &Path| fs::read(path).map_err(|error| failed("read", path, &error));
    read(extension)?.hash(&mut hasher);
    for (name, path) in package {
        name.hash(&mut hasher);
        read(path)?.hash(&mut hasher);
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// Builds the extension and returns the library's path.
fn build_extension(here: &Path, out: &Path) -> Result<PathBuf, String> {
    let target = env::var("TARGET").map_err(|_| "TARGET is not set".to_owned())?;
    let target_dir = out.join("extension");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(here)
        .args(["build", "--quiet", "--release", "--offline"])
        .args(["--package", PACKAGE, "--target", &target])
        .arg("--manifest-path")
        .arg(here.join("extension/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target_dir)
        .env("CARGO_BUILD_BUILD_DIR", &target_dir)
        .env("CARGO_PROFILE_RELEASE_STRIP", "true")
        .env("CARGO_PROFILE_RELEASE_DEBUG", "false")
        // What the outer build was asked for is meant for the outer build: sanitizers, coverage,
        // denied warnings and clippy would end up inside the program that is recorded.
        .env_remove("CARGO_ENCODED_RUSTFLAGS")
        .env_remove("RUSTFLAGS")
        .env_remove("RUSTC_WORKSPACE_WRAPPER")
        .env_remove("CLIPPY_ARGS");
    if env::var("PROFILE").as_deref() == Ok("release") {
        cargo
            .env("CARGO_PROFILE_RELEASE_LTO", "fat")
            .env("CARGO_PROFILE_RELEASE_CODEGEN_UNITS", "1");
    } else {
        cargo.env("CARGO_PROFILE_RELEASE_INCREMENTAL", "true");
    }
    let output = cargo
        .output()
        .map_err(|error| format!("cannot start Cargo to build the Python extension: {error}"))?;
    if !output.status.success() {
        eprint!("{}", String::from_utf8_lossy(&output.stderr));
        return Err(format!(
            "the Python extension does not build: {}",
            first_error(&output.stderr)
        ));
    }
    Ok(target_dir.join(target).join("release").join(LIBRARY))
}

/// The files of the Python package below `folder`: their names relative to it, and their paths.
fn package_files(folder: &Path) -> Result<Vec<(String, PathBuf)>, String> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(folder_now) = open.pop() {
        let entries = fs::read_dir(&folder_now)
            .and_then(Iterator::collect::<io::Result<Vec<_>>>)
            .map_err(|error| failed("list", &folder_now, &error))?;
        for entry in entries {
            let path = entry.path();
            if path.is_dir() {
                if entry.file_name() != "__pycache__" {
                    open.push(path);
                }
            } else if path
                .extension()
                .is_some_and(|end| end == "py" || end == "pyi")
                || entry.file_name() == "py.typed"
            {
                let name = path
                    .strip_prefix(folder)
                    .map_err(|error| error.to_string())?
                    .to_string_lossy()
                    .into_owned();
                found.push((name, path));
            }
        }
    }
    found.sort();
    Ok(found)
}

fn folder(variable: &str) -> Result<PathBuf, String> {
    env::var_os(variable)
        .map(PathBuf::from)
        .ok_or_else(|| format!("{variable} is not set"))
}

fn failed(action: &str, path: &Path, error: &io::Error) -> String {
    format!("cannot {action} {}: {error}", path.display())
}

fn first_error(stderr: &[u8]) -> String {
    String::from_utf8_lossy(stderr)
        .lines()
        .find(|line| line.starts_with("error"))
        .unwrap_or("see Cargo's messages above")
        .to_owned()
}
