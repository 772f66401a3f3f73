//! What the recorder says of objects, against deep copies that the program itself makes, on every
//! interpreter found.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that meets the unexpected must fail and say why"
)]

#[path = "mutation/reader.rs"]
mod reader;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use reader::Reader;
use retrostep_record_python_wire::{Access, Config, Consumer, ENVIRONMENT, State, create};

/// A recorded run of a program.
struct Run {
    reader: Reader,
    output: String,
    errors: String,
    status: std::process::ExitStatus,
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/mutation")
        .join(name)
}

/// The library, built from the sources as they are: Cargo builds no dynamic library for tests.
fn library() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let mut folder = std::env::current_exe().expect("the test has a path");
        folder.pop();
        if folder.ends_with("deps") {
            folder.pop();
        }
        let mut build = Command::new(env!("CARGO"));
        build.args([
            "build",
            "--quiet",
            "--lib",
            "--package",
            env!("CARGO_PKG_NAME"),
        ]);
        if folder.ends_with("release") {
            build.arg("--release");
        }
        let status = build
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .status()
            .expect("cargo runs");
        assert!(status.success(), "the library does not build");
        folder.join("libretrostep_record_python_extension.so")
    })
}

/// Every supported interpreter of this machine.
fn interpreters() -> Vec<PathBuf> {
    let found = protocol_tests::pythons::found();
    for minor in protocol_tests::pythons::missing(&found) {
        eprintln!("no Python 3.{minor} here: not tested");
    }
    assert!(!found.is_empty(), "no supported Python found");
    found.into_iter().map(|python| python.path).collect()
}

/// Every interpreter with every way to read frames.
fn everywhere() -> Vec<(PathBuf, Access)> {
    interpreters()
        .into_iter()
        .flat_map(|python| ACCESSES.map(|access| (python.clone(), access)))
        .collect()
}

/// Every way to read frames.
const ACCESSES: [Access; 2] = [Access::Direct, Access::Asked];

fn record(python: &Path, access: Access, program: &str, arguments: &[&str]) -> Run {
    let config = Config {
        access,
        roots: vec![folder("program").to_string_lossy().into_owned()],
        redact: ["password", "secret", "token", "api_key"]
            .map(String::from)
            .to_vec(),
        max_string: 10_000,
        max_children: 1_000,
        depth: 6,
        ..Config::default()
    };
    let folder_of_ring = if Path::new("/dev/shm").is_dir() {
        PathBuf::from("/dev/shm")
    } else {
        std::env::temp_dir()
    };
    static NUMBER: std::sync::atomic::AtomicU32 = std::sync::atomic::AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
    let ring = folder_of_ring.join(format!("retrostep-test-{}-{number}", std::process::id()));
    create(&ring, &config.to_bytes()).expect("a ring can be made");
    let mut consumer = Consumer::open(&ring).expect("the ring can be opened");
    let mut child = Command::new(python)
        .arg(folder("program").join(program))
        .args(arguments)
        .env("LD_PRELOAD", library())
        .env(ENVIRONMENT, &ring)
        .env("PYTHONPATH", folder("library"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the interpreter starts");
    let mut reader = Reader::default();
    let begin = Instant::now();
    let status = loop {
        let ended = child.try_wait().expect("the child can be asked");
        loop {
            let bytes = consumer.available();
            if bytes.is_empty() {
                break;
            }
            let read = reader.read(bytes);
            consumer.consume(read);
            if read == 0 {
                break;
            }
        }
        if let Some(status) = ended {
            break status;
        }
        if begin.elapsed() > Duration::from_secs(120) {
            child.kill().expect("the child can be ended");
            panic!("{} {program} does not end", python.display());
        }
        std::thread::park_timeout(Duration::from_millis(2));
    };
    let _ = std::fs::remove_file(&ring);
    let rest = consumer.available();
    if !rest.is_empty() || consumer.state() != State::Recording {
        let start = &rest[..rest.len().min(40)];
        let reason = consumer.reason();
        reader.wrong.push(format!(
            "{} bytes were not read, from {start:?}; {:?} {reason}",
            rest.len(),
            consumer.state()
        ));
    }
    let output = child.wait_with_output().expect("the output can be read");
    Run {
        reader,
        output: String::from_utf8_lossy(&output.stdout).into_owned(),
        errors: String::from_utf8_lossy(&output.stderr).into_owned(),
        status,
    }
}

fn check(access: Access, program: &str, arguments: &[&str], least: usize) {
    let mut wrong = Vec::new();
    for python in interpreters() {
        let mut run = record(&python, access, program, arguments);
        if access == Access::Asked {
            // What comes from behind the limit of children is known where instructions are watched.
            run.reader
                .wrong
                .retain(|text| !text.contains(", d: entry 999 is not recorded"));
        }
        let name = format!("{} {access:?} {program} {arguments:?}", python.display());
        if !run.status.success() || !run.output.contains("done") {
            wrong.push(format!(
                "{name}: {}\n{}\n{}",
                run.status, run.output, run.errors
            ));
        }
        if run.reader.checked < least {
            wrong.push(format!(
                "{name}: only {} of at least {least} looks",
                run.reader.checked
            ));
        }
        for text in run.reader.wrong.iter().take(12) {
            wrong.push(format!("{name}: {text}"));
        }
        if run.reader.wrong.len() > 12 {
            wrong.push(format!("{name}: and {} more", run.reader.wrong.len() - 12));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_way_to_change_an_object_is_seen() {
    for access in ACCESSES {
        check(access, "coverage.py", &[], 150);
    }
}

#[test]
fn what_a_line_does_is_seen_whatever_its_variables_hold() {
    for access in ACCESSES {
        check(access, "receivers.py", &[], 700);
    }
}

#[test]
fn random_changes_of_aliased_containers_are_seen() {
    for seed in ["1", "2", "3"] {
        check(Access::Direct, "fuzz.py", &[seed, "150"], 450);
    }
    // All known objects are compared at every event: fewer changes for the same time.
    check(Access::Asked, "fuzz.py", &["4", "30"], 90);
}

/// What the variables of one function show at its `mark()`, as `name value`.
const SCALARS: &[(&str, &str)] = &[
    ("small", "-1"),
    ("big", "int 0000000000000080 00"),
    ("bigger", "int ffffffffffffffff bf"),
    ("edge", "-9223372036854775808"),
    ("zero", "float 8000000000000000"),
    ("nan", "float 7ff8000000000123"),
    ("infinite", "float fff0000000000000"),
    ("latin", "4 \"caf\u{e9}\""),
    ("wide", "2 \"\u{20ac}\u{100}\""),
    ("astral", "2 \"a\u{1f600}\""),
    ("lone", "3 78 ed b2 80 79"),
    ("raw", "2 00 ff"),
];

#[test]
fn values_are_exact_and_no_code_of_the_program_runs() {
    let objects: &[(&str, &str)] = &[
        ("hostile", "Instance __main__.Hostile(kept=1)"),
        ("meta", "Instance __main__.Meta()"),
        ("colour", "Enum __main__.Colour 'RED' [1]"),
        ("level", "Enum __main__.Level 'HIGH' [3]"),
        ("text", "Literal __main__.Text ''t'' [1 \"t\"]"),
        ("number", "Literal __main__.Number [7]"),
        ("pair", "Tuple __main__.Pair [1, 1 \"r\"]"),
        ("row", "Instance __main__.Row(name=1 \"n\", size=0)"),
        (
            "ordered",
            "Dict collections.OrderedDict {1 \"b\": 1, 1 \"a\": 2}",
        ),
        (
            "counted",
            "Dict collections.Counter {1 \"a\": 2, 1 \"b\": 1}",
        ),
        (
            "defaulting",
            "Dict collections.defaultdict {1 \"k\": List builtins.list [1]}",
        ),
        ("frozen", "FrozenSet builtins.frozenset [1]"),
        ("price", "Literal decimal.Decimal 'Decimal('1.50')'"),
        ("half", "Literal fractions.Fraction 'Fraction(1, 2)'"),
        ("day", "Literal datetime.date 'datetime.date(2024, 2, 29)'"),
        (
            "moment",
            "Literal datetime.datetime 'datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.timezone.utc)'",
        ),
        ("clock", "Literal datetime.time 'datetime.time(1, 2, 3)'"),
        (
            "span",
            "Literal datetime.timedelta 'datetime.timedelta(days=1, seconds=2)'",
        ),
        (
            "ident",
            "Literal uuid.UUID 'UUID('00000000-0000-0000-0000-000000001234')'",
        ),
        ("steps", "Literal builtins.range 'range(1, 10, 2)'"),
        ("piece", "Literal builtins.slice 'slice(1, None, 2)'"),
        (
            "pattern",
            "Literal re.Pattern 're.compile('a+b', re.IGNORECASE)'",
        ),
        (
            "found",
            "Literal re.Match '<re.Match object; span=(0, 3), match='aab'>'",
        ),
        (
            "plain",
            "Exception builtins.ValueError '('bad', 1)' [3 \"bad\", 1]",
        ),
        ("single", "Exception builtins.KeyError ''k'' [1 \"k\"]"),
        (
            "missing",
            "Exception builtins.FileNotFoundError '[Errno 2] No such file: 'f.txt'' [2, 12 \"No such file\"]",
        ),
        (
            "own",
            "Exception __main__.OrderError 'no stock' [8 \"no stock\"](code=42)",
        ),
        ("hidden", "Exception __main__.HostileError [1]"),
        (
            "chained",
            "Exception builtins.RuntimeError 'outer' [5 \"outer\"](__cause__=Exception builtins.ValueError 'inner' [5 \"inner\"])",
        ),
        ("function", "Function builtins.function 'scalars'"),
        (
            "builtin",
            "Function builtins.builtin_function_or_method 'len'",
        ),
        (
            "method",
            "Function builtins.builtin_function_or_method 'list.append'",
        ),
        ("module", "Module builtins.module 'math'"),
        ("kind", "Class builtins.type 'Hostile'"),
        ("running", "Generator builtins.generator 'generator'"),
        ("numbers", "Array array.array '(2,) h' [1, -2]"),
        ("view", "Array builtins.memoryview '(2,) B' [97, 98]"),
        ("proxy", "Dict builtins.mappingproxy {1 \"k\": 1}"),
        ("queue", "Deque collections.deque [1, 2]"),
        ("buffer", "ByteArray builtins.bytearray 'ab'"),
        ("space", "Instance types.SimpleNamespace(a=1)"),
    ];
    let mut wrong = Vec::new();
    for (python, access) in everywhere() {
        let run = record(&python, access, "encoding.py", &[]);
        let name = format!("{} {access:?}", python.display());
        if !run.status.success() || !run.output.starts_with("done") {
            wrong.push(format!(
                "{name}: {}\n{}\n{}",
                run.status, run.output, run.errors
            ));
            continue;
        }
        wrong.extend(
            run.reader
                .wrong
                .iter()
                .map(|text| format!("{name}: {text}")),
        );
        for (function, expected) in [("scalars", SCALARS), ("objects", objects)] {
            for (variable, expected) in expected {
                let shown = run.reader.marked(function, variable);
                if shown != *expected {
                    wrong.push(format!(
                        "{name}: {variable}\n   is  {shown}\n   not {expected}"
                    ));
                }
            }
        }
        for (variable, path) in [("path", "'/a/b/c'"), ("relative", "'x/y'")] {
            let shown = run.reader.marked("objects", variable);
            if !shown.contains(path) {
                wrong.push(format!("{name}: {variable} is {shown}"));
            }
        }
        let leaked: Vec<&String> = run
            .reader
            .texts
            .iter()
            .filter(|text| text.contains("-leak"))
            .collect();
        if !leaked.is_empty() {
            wrong.push(format!("{name}: left the process: {leaked:?}"));
        }
        for kept in ["shown-1", "shown-2", "shown-3", "shown-4", "shown-5"] {
            if !run.reader.texts.iter().any(|text| text == kept) {
                wrong.push(format!("{name}: {kept} is not recorded"));
            }
        }
        if run.reader.redacted < 10 {
            wrong.push(format!("{name}: only {} redacted", run.reader.redacted));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
