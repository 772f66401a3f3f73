//! `cargo xtask test`: installs what is missing, then runs every check, the fast ones first.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context as _, Result, bail};

use crate::setup::{self, say};

/// How many tests went which way.
#[derive(Clone, Copy, Debug, Default)]
struct Totals {
    passed: u64,
    failed: u64,
    skipped: u64,
}

/// One command of the run.
struct Step {
    name: &'static str,
    arguments: &'static [&'static str],
    counts: Counts,
}

/// How a step's tests are counted.
#[derive(Clone, Copy, PartialEq)]
enum Counts {
    /// The step is one test.
    Itself,
    /// The step prints the results of Rust test binaries.
    TestResults,
}

const STEPS: &[Step] = &[
    step("format", &["fmt", "--all", "--check"]),
    step(
        "format of the fuzz targets",
        &["fmt", "--manifest-path", "fuzz/Cargo.toml", "--check"],
    ),
    step(
        "lints",
        &[
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
    ),
    step("licences", &["xtask", "licences"]),
    step("generated files", &["xtask", "dap-types", "--check"]),
    tests(
        "unit tests",
        &["test", "--workspace", "--exclude", "retrostep"],
    ),
    tests(
        "command line",
        &[
            "test",
            "-p",
            "retrostep",
            "--bins",
            "--test",
            "record",
            "--test",
            "library",
        ],
    ),
    tests(
        "protocol",
        &["test", "-p", "retrostep", "--test", "protocol"],
    ),
    tests(
        "debug client",
        &["test", "-p", "retrostep", "--test", "debug_client"],
    ),
    tests(
        "language server",
        &["test", "-p", "retrostep", "--test", "lsp"],
    ),
    tests(
        "language server client library",
        &["test", "-p", "retrostep", "--test", "lsp_library"],
    ),
    tests(
        "Neovim",
        &[
            "test",
            "-p",
            "retrostep",
            "--test",
            "neovim",
            "--test",
            "neovim_plugin",
        ],
    ),
    tests("VS Code", &["test", "-p", "retrostep", "--test", "vscode"]),
    tests("edits", &["test", "-p", "retrostep", "--test", "edits"]),
    tests(
        "redaction",
        &["test", "-p", "retrostep", "--test", "redaction"],
    ),
    tests(
        "damage (slow)",
        &["test", "-p", "retrostep", "--test", "damage"],
    ),
    tests(
        "transparency (slow)",
        &["test", "-p", "retrostep", "--test", "transparency"],
    ),
    tests(
        "values (slow)",
        &["test", "-p", "retrostep", "--test", "values"],
    ),
    tests(
        "oracle (slow)",
        &["test", "-p", "retrostep", "--test", "oracle"],
    ),
    step("fuzz reader (slow)", &["xtask", "fuzz", "reader", "15"]),
    step("fuzz blocks (slow)", &["xtask", "fuzz", "blocks", "15"]),
    step(
        "fuzz expression (slow)",
        &["xtask", "fuzz", "expression", "15"],
    ),
    step("fuzz codec (slow)", &["xtask", "fuzz", "codec", "15"]),
    step(
        "fuzz conversation (slow)",
        &["xtask", "fuzz", "conversation", "15"],
    ),
];

const fn step(name: &'static str, arguments: &'static [&'static str]) -> Step {
    Step {
        name,
        arguments,
        counts: Counts::Itself,
    }
}

const fn tests(name: &'static str, arguments: &'static [&'static str]) -> Step {
    Step {
        name,
        arguments,
        counts: Counts::TestResults,
    }
}

/// Runs the steps whose name has one of `words` in it, or all.
pub(crate) fn run(words: &[String]) -> Result<()> {
    let root = setup::checkout();
    let cache = setup::install()?;
    let skips = cache.join("skipped-tests.txt");
    match std::fs::remove_file(&skips) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    let mut totals = Totals::default();
    let mut failures = Vec::new();
    for step in STEPS {
        if !words.is_empty() && !words.iter().any(|word| step.name.contains(word.as_str())) {
            continue;
        }
        say(&format!(
            "== {}: cargo {}",
            step.name,
            step.arguments.join(" ")
        ))?;
        let start = Instant::now();
        let found = run_step(step, &root, &cache, &skips)?;
        let seconds = start.elapsed().as_secs_f64();
        say(&format!(
            "== {}: {} passed, {} failed, {} skipped, {seconds:.1} s",
            step.name, found.passed, found.failed, found.skipped
        ))?;
        if found.failed > 0 {
            failures.push(step.name);
        }
        totals.passed += found.passed;
        totals.failed += found.failed;
        totals.skipped += found.skipped;
    }
    report_skips(&skips)?;
    if !failures.is_empty() {
        say(&format!("failed: {}", failures.join(", ")))?;
    }
    say(&format!(
        "{} passed, {} failed, {} skipped",
        totals.passed, totals.failed, totals.skipped
    ))?;
    if totals.failed > 0 {
        bail!("{} failed", totals.failed);
    }
    Ok(())
}

fn run_step(step: &Step, root: &Path, cache: &Path, skips: &Path) -> Result<Totals> {
    let skipped_before = lines_of(skips);
    let mut child = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(step.arguments)
        .args(if step.counts == Counts::TestResults {
            &["--no-fail-fast"][..]
        } else {
            &[]
        })
        .current_dir(root)
        .env("RETROSTEP_TEST_SKIPS", skips)
        .env("RETROSTEP_TEST_CACHE", cache)
        .env("CARGO_TERM_COLOR", "never")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("run cargo {}", step.arguments.join(" ")))?;
    let mut totals = Totals::default();
    let stdout = child.stdout.take().context("the step's output")?;
    for line in BufReader::new(stdout).split(b'\n') {
        let line = String::from_utf8_lossy(&line?).into_owned();
        say(&line)?;
        if let Some(found) = test_result(&line) {
            totals.passed += found.passed;
            totals.failed += found.failed;
            totals.skipped += found.skipped;
        }
    }
    let success = child.wait()?.success();
    match step.counts {
        Counts::Itself if success => totals.passed = 1,
        Counts::Itself => totals.failed = 1,
        // A test binary that does not build or dies prints no result of its own.
        Counts::TestResults if !success && totals.failed == 0 => totals.failed = 1,
        Counts::TestResults => {}
    }
    let skipped = lines_of(skips).saturating_sub(skipped_before);
    totals.passed = totals.passed.saturating_sub(skipped);
    totals.skipped += skipped;
    Ok(totals)
}

/// Reads `test result: ok. 3 passed; 0 failed; 1 ignored; …`.
fn test_result(line: &str) -> Option<Totals> {
    let counts = line.trim().strip_prefix("test result: ")?;
    let number = |word: &str| {
        counts
            .split([';', '.'])
            .find_map(|part| part.trim().strip_suffix(word)?.trim().parse().ok())
    };
    Some(Totals {
        passed: number(" passed")?,
        failed: number(" failed")?,
        skipped: number(" ignored")?,
    })
}

fn lines_of(path: &Path) -> u64 {
    std::fs::read_to_string(path).map_or(0, |text| text.lines().count() as u64)
}

fn report_skips(skips: &PathBuf) -> Result<()> {
    let text = std::fs::read_to_string(skips).unwrap_or_default();
    for line in text.lines() {
        say(&format!("skipped {line}"))?;
    }
    std::io::stdout().flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::test_result;

    #[test]
    fn results_of_test_binaries_are_read() {
        let line =
            "test result: FAILED. 12 passed; 3 failed; 4 ignored; 0 measured; 0 filtered out";
        let found = test_result(line).unwrap();
        assert_eq!((found.passed, found.failed, found.skipped), (12, 3, 4));
        assert!(test_result("test a_test ... ok").is_none());
    }
}
