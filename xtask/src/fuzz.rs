//! `cargo xtask fuzz`: hostile input, made by a fuzzer that follows the code it reaches.
//!
//! `fuzz/` is laid out for `cargo fuzz`, which wants a nightly compiler; what that passes to the
//! compiler works on a stable one too, without the sanitizers, and is passed here.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};

use crate::setup::{checkout, say};

/// Every target, with the longest input it is tried with.
const TARGETS: &[(&str, u32)] = &[
    ("reader", 64 << 10),
    ("blocks", 64 << 10),
    ("expression", 400),
    ("codec", 32 << 10),
    ("conversation", 4 << 10),
];

/// What tells the fuzzer which code an input reaches.
const COVERAGE: &[&str] = &[
    "--cfg=fuzzing",
    "-Ccodegen-units=1",
    "-Cpasses=sancov-module",
    "-Cllvm-args=-sanitizer-coverage-level=4",
    "-Cllvm-args=-sanitizer-coverage-inline-8bit-counters",
    "-Cllvm-args=-sanitizer-coverage-pc-table",
    "-Cllvm-args=-sanitizer-coverage-trace-compares",
];

/// How long a target runs when nothing is said.
const SECONDS: u32 = 60;
/// An input that takes longer hangs.
const HANG_SECONDS: u32 = 20;
/// Besides the limit that each target sets for what it tries.
const MEMORY_MB: u32 = 1024;

/// `[TARGET] [SECONDS]`: one target or all, each so long.
pub(crate) fn run(arguments: &[String]) -> Result<()> {
    let seconds = arguments.iter().find_map(|word| word.parse().ok());
    let names: Vec<&String> = arguments
        .iter()
        .filter(|word| word.parse::<u32>().is_err())
        .collect();
    for name in &names {
        let known = TARGETS.iter().map(|(target, _)| *target);
        ensure!(
            known.clone().any(|target| target == name.as_str()),
            "no target {name:?}; there are: {}",
            known.collect::<Vec<_>>().join(", ")
        );
    }
    let root = checkout();
    build(&root)?;
    for (target, max_len) in TARGETS {
        if names.is_empty() || names.iter().any(|name| name.as_str() == *target) {
            fuzz(&root, target, *max_len, seconds.unwrap_or(SECONDS))?;
        }
    }
    Ok(())
}

fn build(root: &Path) -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo)
        .args(["build", "--quiet", "--release", "--locked", "--bins"])
        // With a target named, build scripts are not built for the fuzzer.
        .args(["--target", env!("TARGET"), "--target-dir"])
        .arg(root.join("target/fuzz"))
        .current_dir(root.join("fuzz"))
        .env("CARGO_ENCODED_RUSTFLAGS", COVERAGE.join("\x1f"))
        .stdin(Stdio::null())
        .status()
        .context("run cargo build")?;
    ensure!(status.success(), "the fuzz targets do not build");
    Ok(())
}

/// Tries the committed inputs, then what can be made from them.
fn fuzz(root: &Path, target: &str, max_len: u32, seconds: u32) -> Result<()> {
    let place = root.join("target/fuzz");
    let found = place.join("corpus").join(target);
    let failures = place.join("failures").join(target);
    for folder in [&found, &failures] {
        std::fs::create_dir_all(folder).with_context(|| format!("create {}", folder.display()))?;
    }
    let program = place.join(env!("TARGET")).join("release").join(target);
    let output = Command::new(&program)
        .arg(&found)
        .arg(root.join("fuzz/corpus").join(target))
        .arg(format!("-artifact_prefix={}/", failures.display()))
        .arg(format!("-max_total_time={seconds}"))
        .arg(format!("-timeout={HANG_SECONDS}"))
        .arg(format!("-rss_limit_mb={MEMORY_MB}"))
        .arg(format!("-max_len={max_len}"))
        .args(["-verbosity=0", "-print_final_stats=1"])
        .env("RUST_BACKTRACE", "1")
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("run {}", program.display()))?;
    let log = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        bail!(
            "{target} fails on an input that lies in {}; try it with `{} FILE`\n{log}",
            failures.display(),
            program.display()
        );
    }
    let inputs = log
        .lines()
        .find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    say(&format!(
        "{target}: {} inputs in {seconds} s, none fails",
        inputs.unwrap_or("?").trim()
    ))
}
