//! A program's output, exit code and exceptions are the same recorded and not.

use std::io::Write as _;
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use libtest_mimic::{Arguments, Failed, Trial};
use protocol_tests::programs::{checkout, samples};
use protocol_tests::pythons::{Python, found, missing};
use protocol_tests::run::{Outcome, run};

const BINARY: &str = env!("CARGO_BIN_EXE_retrostep");
const LIMIT: Duration = Duration::from_secs(240);

/// The programs of `transparency/`, with the arguments to try each with.
const PROGRAMS: &[(&str, &[&[&str]])] = &[
    ("identity.py", &[&["one", "--two"]]),
    (
        "endings.py",
        &[
            &["exit"],
            &["exit-text"],
            &["exit-none"],
            &["_exit"],
            &["chained"],
            &["during"],
            &["recursion"],
            &["interrupt"],
            &["sigint"],
            &["sigterm"],
            &["sigkill"],
            &["handled"],
            &["abort"],
            &["thread"],
            &["hook"],
            &["atexit"],
            &["syntax"],
            &["unraisable"],
            &["sub"],
            &["normal"],
        ],
    ),
    ("lifetimes.py", &[&[]]),
    ("nested.py", &[&[]]),
    ("tracers.py", &[&[]]),
    ("processes.py", &[&[]]),
    ("keyboard.py", &[&[]]),
    ("tricky.py", &[&[]]),
];

/// Folders of unpacked source distributions, with the command that runs their tests.
const PACKAGES: &[(&str, &[&str])] = &[
    (
        "toolz-1.0.0",
        &["-m", "pytest", "-q", "-p", "no:cacheprovider", "toolz"],
    ),
    (
        "cachetools-5.5.0",
        &["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
    ),
    (
        "click-8.1.7",
        &["-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"],
    ),
];

/// CPython's own tests of what a recorder could disturb, and the folder of the standard library's
/// that holds them. `RETROSTEP_TRANSPARENCY=all` runs the slow ones too.
const OWN_TESTS: &[(&str, Speed)] = &[
    ("test_generators", Speed::Fast),
    ("test_coroutines", Speed::Fast),
    ("test_thread", Speed::Fast),
    ("test_weakref", Speed::Fast),
    ("test_exceptions", Speed::Fast),
    ("test_descr", Speed::Fast),
    ("test_gc", Speed::Fast),
    ("test_threading", Speed::Slow),
];

/// Whether a module of tests runs every time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Speed {
    Fast,
    Slow,
}

struct Case {
    python: Python,
    dir: PathBuf,
    command: Vec<String>,
    python_path: Option<PathBuf>,
    /// Code to record besides that of the program's folder.
    include: Option<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let pythons = found();
    let mut trials: Vec<Trial> = missing(&pythons)
        .into_iter()
        .map(|minor| {
            Trial::test(format!("python3.{minor} is not on this machine"), || Ok(()))
                .with_ignored_flag(true)
        })
        .collect();
    for python in &pythons {
        add_programs(&mut trials, python)?;
        add_packages(&mut trials, python);
        add_own_tests(&mut trials, python);
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn add_programs(trials: &mut Vec<Trial>, python: &Python) -> Result<()> {
    for program in samples()? {
        let name = format!("{}::sample::{}", python.name(), program.name);
        let dir = program.script.parent().unwrap_or(Path::new(".")).to_owned();
        let absent = program.lowest_minor() > python.minor;
        let file = program
            .script
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let case = Case {
            python: python.clone(),
            dir,
            command: vec![file],
            python_path: None,
            include: None,
        };
        trials.push(trial(name, case).with_ignored_flag(absent));
    }
    let dir = checkout().join("protocol-tests/transparency");
    for (script, variants) in PROGRAMS {
        for arguments in *variants {
            let name = format!("{}::{} {}", python.name(), script, arguments.join(" "));
            let command = std::iter::once(*script).chain(arguments.iter().copied());
            let case = Case {
                python: python.clone(),
                dir: dir.clone(),
                command: command.map(str::to_owned).collect(),
                python_path: None,
                include: None,
            };
            trials.push(trial(name, case));
        }
    }
    for (name, command) in [
        ("module", &["-m", "shop.replay_orders"][..]),
        (
            "command",
            &[
                "-c",
                "import sys; print(sys.argv, __name__); raise SystemExit(2)",
                "x",
            ],
        ),
        ("folder", &["shop"]),
        (
            "unbuffered",
            &["-u", "-X", "dev", "-W", "ignore", "output.py"],
        ),
        ("isolated", &["-I", "-S", "-E", "recursion.py"]),
        ("absent", &["absent.py"]),
    ] {
        let case = Case {
            python: python.clone(),
            dir: checkout().join("samples/python"),
            command: command.iter().map(|&part| part.to_owned()).collect(),
            python_path: None,
            include: None,
        };
        trials.push(trial(format!("{}::started as {name}", python.name()), case));
    }
    Ok(())
}

fn add_packages(trials: &mut Vec<Trial>, python: &Python) {
    let cache = std::env::var_os("RETROSTEP_TEST_CACHE").map(PathBuf::from);
    for (package, command) in PACKAGES {
        let folder = cache
            .as_deref()
            .unwrap_or(Path::new("/nonexistent"))
            .join("python");
        let sources = folder.join("sources");
        // Where others were installed, one that is missing fails instead of being left out.
        let absent = !sources.exists();
        let dir = sources.join(package);
        let case = Case {
            python: python.clone(),
            dir,
            command: command.iter().map(|&part| part.to_owned()).collect(),
            python_path: Some(folder.join("pytest")),
            include: None,
        };
        let name = format!("{}::tests of {package}", python.name());
        trials.push(trial(name, case).with_ignored_flag(absent));
    }
}

fn add_own_tests(trials: &mut Vec<Trial>, python: &Python) {
    let all = std::env::var("RETROSTEP_TRANSPARENCY").is_ok_and(|which| which == "all");
    let library = python.path.ancestors().nth(2).unwrap_or(Path::new("/"));
    let library = library.join("lib").join(python.name());
    for (module, speed) in OWN_TESTS {
        if *speed == Speed::Slow && !all {
            continue;
        }
        let case = Case {
            python: python.clone(),
            dir: std::env::temp_dir(),
            command: ["-m", "unittest", "-v", &format!("test.{module}")]
                .map(str::to_owned)
                .to_vec(),
            python_path: None,
            include: Some(format!("**/test/{module}.py")),
        };
        // Distributions often leave the tests out.
        let is_file = |name: String| library.join("test").join(name).exists();
        let absent = !is_file(format!("{module}.py")) && !is_file(module.to_string());
        let name = format!("{}::own {module}", python.name());
        trials.push(trial(name, case).with_ignored_flag(absent));
    }
}

fn trial(name: String, case: Case) -> Trial {
    Trial::test(name, move || {
        check(&case).map_err(|error| Failed::from(format!("{error:#}")))
    })
}

fn check(case: &Case) -> Result<()> {
    let plain = outcome(case, None)?;
    let folder = tempfile::tempdir()?;
    let recording = folder.path().join("program.retro");
    let recorded = outcome(case, Some(&recording))?;
    let recorded_stderr = without_own_messages(&recorded.stderr);
    if case.include.is_some() {
        let (plain_results, results) = (results(&plain.stderr), results(&recorded_stderr));
        ensure!(
            plain_results.len() > 5 && plain_results == results,
            "the tests differ\n--- plain\n{}\n--- recorded\n{}",
            plain.stderr,
            recorded.stderr
        );
        return ended_alike(&plain, &recorded);
    }
    ensure!(
        same_text(&plain.stdout, &recorded.stdout),
        "stdout differs\n--- plain\n{}\n--- recorded\n{}\n{}",
        plain.stdout,
        recorded.stdout,
        recorded.stderr
    );
    ensure!(
        same_text(&plain.stderr, &recorded_stderr),
        "stderr differs\n--- plain\n{}\n--- recorded\n{}",
        plain.stderr,
        recorded.stderr
    );
    ended_alike(&plain, &recorded)
}

fn ended_alike(plain: &Outcome, recorded: &Outcome) -> Result<()> {
    ensure!(
        same_status(plain.status, recorded.status),
        "ended with {}, recorded with {}\n{}",
        plain.status,
        recorded.status,
        recorded.stderr
    );
    Ok(())
}

/// What became of each test. What tests print besides depends on how threads take turns.
fn results(stderr: &str) -> Vec<String> {
    let ends = ["ok", "FAIL", "ERROR", "expected failure"];
    stderr
        .lines()
        .filter(|line| {
            line.rsplit_once("... ")
                .is_some_and(|(_, end)| ends.contains(&end) || end.starts_with("skipped"))
                || ["OK", "FAILED", "FAIL:", "ERROR:"]
                    .iter()
                    .any(|word| line.starts_with(word))
        })
        .map(neutral)
        .collect()
}

fn outcome(case: &Case, recording: Option<&Path>) -> Result<Outcome> {
    let python = case.python.path.to_string_lossy().into_owned();
    let whole = std::iter::once(python).chain(case.command.iter().cloned());
    let mut command = match recording {
        Some(recording) => {
            let mut record = Command::new(BINARY);
            record.args(["record", "--quiet", "--out"]).arg(recording);
            if let Some(include) = &case.include {
                record.args(["--include", include]);
            }
            record.arg("--").args(whole);
            record
        }
        None => {
            let mut plain = Command::new(&case.python.path);
            plain.args(&case.command);
            plain
        }
    };
    command
        .current_dir(&case.dir)
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("COLUMNS", "80")
        .stdin(Stdio::from(typed()?));
    if let Some(path) = &case.python_path {
        command.env("PYTHONPATH", path);
    }
    run(&mut command, LIMIT)
}

/// What the programs read from standard input.
fn typed() -> Result<std::fs::File> {
    use std::io::{Seek as _, SeekFrom};
    let mut file = tempfile::tempfile().context("a file for standard input")?;
    file.write_all(b"Ada\nand some\nmore words\n")?;
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}

/// Standard error without the lines of `retrostep record` itself.
fn without_own_messages(stderr: &str) -> String {
    stderr
        .split_inclusive('\n')
        .filter(|line| !line.starts_with("retrostep: "))
        .collect()
}

/// Equal but for the durations that test runners print, and addresses.
fn same_text(a: &str, b: &str) -> bool {
    neutral(a) == neutral(b)
}

fn neutral(text: &str) -> String {
    let mut out = String::new();
    for (index, part) in text.split(" in ").enumerate() {
        if index > 0 {
            out.push_str(" in ");
        }
        let digits = part.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let is_duration = digits.len() < part.len() && digits.starts_with('s');
        out.push_str(if is_duration { digits } else { part });
    }
    let mut neutral = String::new();
    let mut rest = out.as_str();
    while let Some((before, after)) = rest.split_once("0x") {
        neutral.push_str(before);
        neutral.push_str("0x");
        rest = after.trim_start_matches(|c: char| c.is_ascii_hexdigit());
    }
    neutral.push_str(rest);
    neutral
}

/// A program that a signal ended may be told as a shell tells it: 128 and the signal.
fn same_status(plain: ExitStatus, recorded: ExitStatus) -> bool {
    let as_shell =
        |status: ExitStatus| status.code().or(status.signal().map(|signal| 128 + signal));
    as_shell(plain) == as_shell(recorded)
}
