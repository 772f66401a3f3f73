//! How recording begins and ends, and that the program does not notice.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a failing test panics, and says what it could not test"
)]

mod support;

use std::path::PathBuf;
use std::process::Command;

use protocol_tests::pythons::Python;
use retrostep_record_python_wire::{Access, Config, Mode, State};
use support::{everywhere, folder, pythons, record, record_as, record_command, record_with};

fn strings(arguments: &[&str]) -> Vec<String> {
    arguments.iter().map(|&text| text.to_owned()).collect()
}

#[test]
fn code_without_a_file_is_recorded_when_it_is_the_main_program() {
    for python in pythons() {
        let folder = folder();
        let program =
            "import collections\ncollections.namedtuple('P', 'x')\ndef f(): return 1\nf()";
        let expected = [
            "call <module>",
            "line 1",
            "line 2",
            "line 3",
            "line 4",
            "call f",
            "line 3",
            "return 1",
            "return None",
        ];
        for (arguments, input) in [(vec!["-c", program], ""), (vec!["-"], program)] {
            let run = record_command(
                &python,
                &folder,
                &strings(&arguments),
                input,
                Config::default(),
            );
            let events: Vec<_> = run
                .events
                .iter()
                .filter(|e| !e.contains("object "))
                .collect();
            assert_eq!(events, expected, "{python:?} {arguments:?} {}", run.stderr);
            std::fs::remove_file(folder.join("ring")).unwrap();
        }
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn the_programs_environment_is_its_own() {
    let program = "import os, sys; print(sorted(os.environ), sys.gettrace(), 'retrostep' in sys.modules, len(sys.argv))";
    for python in pythons() {
        let plain = std::process::Command::new(&python.path)
            .args(["-c", program])
            .output()
            .unwrap();
        let run = record(&python, program);
        let plain = String::from_utf8(plain.stdout).unwrap();
        assert!(plain.ends_with("] None False 1\n"), "{plain}");
        assert_eq!(run.stdout, plain, "{}", run.stderr);
        assert_eq!(run.self_check, "every layout agrees");
        assert_eq!(run.notes, Vec::<String>::new());
    }
}

#[test]
fn a_recording_says_that_frames_were_read_the_slow_way() {
    for python in pythons() {
        let run = record_as(&python, "x = 1\n", Access::Asked);
        let why = "frames are read the slow way: asked for";
        assert_eq!(
            (run.self_check.as_str(), run.state),
            (why, State::Recording)
        );
        assert_eq!(run.notes.len(), 1);
        assert!(run.notes[0].ends_with("since frames are read the slow way (asked for)"));
    }
}

#[test]
fn the_self_check_leaves_nothing_behind() {
    for python in pythons() {
        let run = record(
            &python,
            "print([c for c in object.__subclasses__() + str.__subclasses__() if c.__module__ == 'retrostep'])\n",
        );
        assert_eq!(run.stdout, "[]\n", "{}", run.stderr);
    }
}

#[test]
fn an_interpreter_that_cannot_be_recorded_runs_the_program_and_says_why() {
    let home = std::env::var("HOME").unwrap();
    let mut tried = 0;
    for version in ["2.7.18", "3.6.15", "3.7.16", "3.8.18"] {
        let path = PathBuf::from(format!("{home}/.pyenv/versions/{version}/bin/python"));
        if !path.exists() {
            eprintln!("no Python {version} here: not tested");
            continue;
        }
        let python = Python {
            path,
            minor: 0,
            version: version.to_owned(),
        };
        let run = record(&python, "print('ran')\n");
        assert_eq!((run.stdout.as_str(), run.code), ("ran\n", Some(0)));
        assert_eq!(run.state, State::Refused);
        assert!(
            run.reason.contains(version) && run.reason.contains("3.9 to 3.14"),
            "{}",
            run.reason
        );
        tried += 1;
    }
    eprintln!("{tried} old versions tried");
}

#[test]
fn only_marked_parts_are_recorded_when_that_is_asked_for() {
    let source = "\
import retrostep
def part():
    x = 1
    with retrostep.record('here'):
        y = inner(x)
    return y
def inner(n):
    return n + 1
@retrostep.record
def whole():
    return 5
part()
whole()
inner(9)
";
    for (python, access) in everywhere() {
        let config = Config {
            mode: Mode::Marked,
            access,
            ..Config::default()
        };
        let run = record_with(&python, source, config, &[]);
        let events: Vec<_> = run
            .events
            .iter()
            .filter(|event| !event.contains("object ") && !event.starts_with("line 4"))
            .map(String::as_str)
            .collect();
        assert_eq!(
            events,
            [
                "call <module>",
                "line 12",
                "call part",
                "x = 1",
                "mark here",
                "line 5",
                "call inner",
                "n = 1",
                "line 8",
                "return 2",
                "y = 2",
                "return <unavailable 5>",
                "return <unavailable 5>",
                "call <module>",
                "line 13",
                "mark whole",
                "call whole",
                "line 11",
                "return 5",
                "return <unavailable 5>",
            ],
            "{python:?} {access:?} {}",
            run.stderr
        );
    }
}

/// Runs a program with and without the recorder: everything that can be seen from outside is equal.
fn check_unnoticed(source: &str) {
    for (python, access) in everywhere() {
        let folder = folder();
        let script = folder.join("main.py");
        std::fs::write(&script, source).unwrap();
        let arguments = strings(&[script.to_str().unwrap()]);
        let plain = Command::new(&python.path)
            .args(&arguments)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(&folder)
            .output()
            .unwrap();
        let config = Config {
            access,
            ..Config::default()
        };
        let run = record_command(&python, &folder, &arguments, "", config);
        assert_eq!(run.state, State::Recording);
        assert!(!run.events.is_empty());
        let version = python.minor;
        assert_eq!(
            run.stdout,
            String::from_utf8_lossy(&plain.stdout),
            "3.{version} {access:?}"
        );
        assert_eq!(
            run.stderr,
            String::from_utf8_lossy(&plain.stderr),
            "3.{version} {access:?}"
        );
        assert_eq!(run.code, plain.status.code(), "3.{version} {access:?}");
        std::fs::remove_dir_all(folder).unwrap();
    }
}

#[test]
fn objects_die_when_they_would_and_signals_arrive() {
    check_unnoticed(
        "\
import atexit, os, signal, weakref
class R:
    def __init__(self, n): self.n = n
    def __del__(self): print('del', self.n)
def f():
    r = R(1)
    w = weakref.ref(r, lambda _: print('dead'))
    del r
    s = R(2)
    s = None
    t = R(3)
    return w
f()
signal.signal(signal.SIGUSR1, lambda s, frame: print('signal', frame.f_lineno))
os.kill(os.getpid(), signal.SIGUSR1)
try:
    os.kill(os.getpid(), signal.SIGINT)
    for i in range(100000): pass
except KeyboardInterrupt:
    print('interrupted')
def deep(n): return deep(n + 1)
try:
    deep(0)
except RecursionError as error:
    print(error)
pid = os.fork()
if pid == 0:
    print('child', flush=True)
    os._exit(3)
print(os.waitpid(pid, 0)[1] >> 8)
atexit.register(lambda: print('atexit'))
kept = R(5)
try:
    1 / 0
except ZeroDivisionError as error:
    raise ValueError('second') from error
",
    );
}

#[test]
fn a_program_that_traces_itself_sees_what_it_would() {
    check_unnoticed(
        "\
import io, pdb, sys, threading
seen = []
def tracer(frame, event, arg):
    if frame.f_code.co_filename == __file__:
        seen.append((frame.f_code.co_name, event, frame.f_lineno))
    return tracer
def f(x):
    y = x + 1
    return y
sys.settrace(tracer)
f(1)
print(sys.gettrace() is tracer)
sys.settrace(None)
print(sys.gettrace())
f(2)
threading.settrace(tracer)
t = threading.Thread(target=f, args=(7,)); t.start(); t.join()
threading.settrace(None)
print(seen)
p = pdb.Pdb(stdin=io.StringIO('s\\ns\\np a\\nc\\n'), stdout=io.StringIO())
def g():
    a = 1
    p.set_trace()
    b = 2
    return b
g()
print(p.stdout.getvalue())
def bad(frame, event, arg):
    raise RuntimeError('tracer')
sys.settrace(bad)
try:
    f(3)
except RuntimeError as error:
    print(error)
print(sys.gettrace())
",
    );
}
