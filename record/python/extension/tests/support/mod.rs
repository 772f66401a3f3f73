//! Runs real interpreters with the library preloaded and shows what comes out of the ring as text,
//! one event per line, so that a test reads like the program it is about.

#![allow(dead_code, reason = "each test binary uses its part")]

mod decode;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use protocol_tests::pythons::Python;
use retrostep_record_python_wire::{Access, Config, Consumer, ENVIRONMENT, State, create};

const PATIENCE: Duration = Duration::from_secs(60);

/// One interpreter of every supported version that this machine has; says which are absent.
pub(crate) fn pythons() -> Vec<Python> {
    let found = protocol_tests::pythons::found();
    for minor in protocol_tests::pythons::missing(&found) {
        eprintln!("no Python 3.{minor} here: not tested");
    }
    assert!(!found.is_empty(), "no supported Python found");
    found
}

/// What a recorded run gave.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) code: Option<i32>,
    pub(crate) state: State,
    pub(crate) reason: String,
    /// How often the program waited for room in the ring.
    pub(crate) stalls: u64,
    /// The events as text.
    pub(crate) events: Vec<String>,
    pub(crate) self_check: String,
    pub(crate) notes: Vec<String>,
}

fn library() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().unwrap();
    folder.join("libretrostep_record_python_extension.so")
}

/// A fresh folder for one test.
pub(crate) fn folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("extension-{}-{number}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    folder.canonicalize().unwrap()
}

/// Records a program given as text.
pub(crate) fn record(python: &Python, source: &str) -> Run {
    record_with(python, source, Config::default(), &[])
}

/// Records a program given as text, with frames read in one way.
pub(crate) fn record_as(python: &Python, source: &str, access: Access) -> Run {
    let config = Config {
        access,
        ..Config::default()
    };
    record_with(python, source, config, &[])
}

/// Records a program given as text; `arguments` come before the script.
pub(crate) fn record_with(
    python: &Python,
    source: &str,
    config: Config,
    arguments: &[&str],
) -> Run {
    let folder = folder();
    let script = folder.join("main.py");
    std::fs::write(&script, source).unwrap();
    let mut command: Vec<String> = arguments.iter().map(|&argument| argument.into()).collect();
    command.push(script.to_string_lossy().into_owned());
    let run = record_command(python, &folder, &command, "", config);
    std::fs::remove_dir_all(&folder).unwrap();
    run
}

/// When the test takes messages out of the ring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Drain {
    AtOnce,
    /// Only after the program waited for room.
    WhenFull,
    /// Only after the program waited for room; then it asks to record nothing more.
    StopWhenFull,
    /// Never: nobody is there.
    Never,
}

/// Records a command line of the interpreter.
pub(crate) fn record_command(
    python: &Python,
    folder: &Path,
    arguments: &[String],
    input: &str,
    config: Config,
) -> Run {
    record_draining(python, folder, arguments, input, config, Drain::AtOnce)
}

/// Records a command line of the interpreter and takes its messages when `drain` says so.
pub(crate) fn record_draining(
    python: &Python,
    folder: &Path,
    arguments: &[String],
    input: &str,
    mut config: Config,
    drain: Drain,
) -> Run {
    let ring = folder.join("ring");
    if config.roots.is_empty() {
        config.roots = vec![folder.to_string_lossy().into_owned()];
    }
    config.max_string = 1000;
    config.max_children = 100;
    config.depth = 4;
    config.redact = vec!["password".into()];
    config.package_folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../package");
    create(&ring, &config.to_bytes()).unwrap();
    let mut consumer = (drain != Drain::Never).then(|| Consumer::open(&ring).unwrap());
    std::fs::write(folder.join("input"), input).unwrap();
    let mut child = Command::new(&python.path)
        .args(arguments)
        .current_dir(folder)
        .env("LD_PRELOAD", library())
        .env(ENVIRONMENT, &ring)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(std::fs::File::open(folder.join("input")).unwrap())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut stderr = child.stderr.take().unwrap();
    let stdout = std::thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    let stderr = std::thread::spawn(move || {
        let mut text = String::new();
        stderr.read_to_string(&mut text).map(|_| text)
    });
    let begin = Instant::now();
    let mut bytes = Vec::new();
    let status = loop {
        let status = child.try_wait().unwrap();
        if let Some(consumer) = &mut consumer
            && (drain == Drain::AtOnce || status.is_some() || consumer.stalls() > 0)
        {
            if drain == Drain::StopWhenFull {
                consumer.request_stop();
            }
            let len = consumer.available().len();
            bytes.extend_from_slice(&consumer.available()[..len]);
            consumer.consume(len);
        }
        if let Some(status) = status {
            break status;
        }
        if begin.elapsed() > PATIENCE {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("the program did not end: {arguments:?}");
        }
        std::thread::yield_now();
    };
    let decoded = decode::text(&bytes);
    let stalls = consumer.as_ref().map_or(0, Consumer::stalls);
    let (state, reason) = consumer.map_or((State::Unclaimed, String::new()), |consumer| {
        (consumer.state(), consumer.reason())
    });
    Run {
        stdout: stdout.join().unwrap().unwrap(),
        stderr: stderr.join().unwrap().unwrap(),
        code: status.code(),
        state,
        reason,
        stalls,
        events: decoded.events,
        self_check: decoded.self_check,
        notes: decoded.notes,
    }
}

/// Every way to read frames.
const ACCESSES: [Access; 2] = [Access::Direct, Access::Asked];

/// Every Python with every way to read frames.
pub(crate) fn everywhere() -> Vec<(Python, Access)> {
    pythons()
        .into_iter()
        .flat_map(|python| ACCESSES.map(|access| (python.clone(), access)))
        .collect()
}

/// Asserts that a program gives these events on every Python, whichever way frames are read,
/// namespaces and objects left out.
pub(crate) fn check(source: &str, expected: &[&str]) {
    for access in ACCESSES {
        check_as(access, source, expected);
    }
}

/// As [`check`], with frames read in one way.
pub(crate) fn check_as(access: Access, source: &str, expected: &[&str]) {
    for python in pythons() {
        let run = record_as(&python, source, access);
        let events: Vec<&str> = run
            .events
            .iter()
            .map(String::as_str)
            .filter(|event| !event.contains("object "))
            .collect();
        // Which of several exceptions goes on is read from the operand stack up to 3.11.
        let is_unsaid = access == Access::Asked && python.minor < 12;
        let expected: Vec<&str> = expected
            .iter()
            .zip(events.iter().chain(std::iter::repeat(&"")))
            .map(|(expected, event)| match *event {
                "unwind <unavailable 5>" if is_unsaid && expected.starts_with("unwind ") => *event,
                _ => *expected,
            })
            .collect();
        assert_eq!(
            events, expected,
            "Python 3.{}, {access:?}: {:?} {}\n{}",
            python.minor, run.state, run.reason, run.stderr
        );
    }
}
