//! `retrostep record` on real programs: what it reports, and how it leaves the program alone.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that meets the unexpected must fail and say why"
)]

use std::fs;
use std::io::{BufRead as _, BufReader, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use protocol_tests::pythons;
use protocol_tests::run::{Outcome, run};
use protocol_tests::skip::skip;
use serde_json::{Value as Json, json};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(120);

/// A folder with a program, and an interpreter to record it with.
struct Program {
    folder: TempDir,
    python: PathBuf,
}

impl Program {
    /// `None` where no interpreter was found, which the test's output says.
    fn new(test: &str, text: &str) -> Option<Program> {
        let Some(python) = pythons::newest() else {
            skip(test, "no Python from 3.9 to 3.14 was found");
            return None;
        };
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("app.py"), text).unwrap();
        Some(Program {
            folder,
            python: python.path,
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// `retrostep record OPTIONS --out a.retro --python P app.py`, ready to run.
    fn command(&self, options: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_retrostep"));
        command
            .arg("record")
            .args(options)
            .arg("--out")
            .arg(self.path("a.retro"))
            .arg("--python")
            .arg(&self.python)
            .arg("app.py")
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .process_group(0);
        command
    }

    /// What the terminal shows of the recording for these commands.
    fn replay(&self, commands: &str) -> String {
        let mut replay = Command::new(env!("CARGO_BIN_EXE_retrostep"))
            .arg("replay")
            .arg(self.path("a.retro"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = replay.stdin.take().unwrap();
        write!(input, "{commands}").unwrap();
        drop(input);
        let shown = replay.wait_with_output().unwrap();
        assert!(shown.status.success());
        String::from_utf8(shown.stdout).unwrap()
    }

    fn run(&self, options: &[&str]) -> Outcome {
        run(&mut self.command(options), LIMIT).unwrap()
    }

    fn info(&self) -> Json {
        let mut command = Command::new(env!("CARGO_BIN_EXE_retrostep"));
        command.args(["info", "--json"]).arg(self.path("a.retro"));
        let outcome = run(&mut command, LIMIT).unwrap();
        assert!(outcome.status.success(), "{outcome:?}");
        serde_json::from_str(&outcome.stdout).unwrap()
    }

    /// How often the line that ends in `# marker` was recorded.
    fn hits(&self, marker: &str) -> u64 {
        let line = self.line(marker);
        let moves = "continue\n".repeat(9);
        let shown = self.replay(&format!("break app.py:{line}\nstart\n{moves}"));
        shown
            .lines()
            .filter(|line| line.ends_with("· breakpoint"))
            .count() as u64
    }

    /// The line that ends in `# marker`, 1-based.
    fn line(&self, marker: &str) -> u64 {
        let text = fs::read_to_string(self.path("app.py")).unwrap();
        let marker = format!("# {marker}");
        let at = text
            .lines()
            .position(|line| line.ends_with(&marker))
            .unwrap();
        at as u64 + 1
    }
}

/// The other end of `--report`.
struct Reports {
    child: Child,
    socket: UnixStream,
    lines: BufReader<UnixStream>,
}

impl Reports {
    fn start(program: &Program, options: &[&str]) -> Reports {
        let path = program.path("socket");
        let listener = UnixListener::bind(&path).unwrap();
        let mut all = vec!["--report", path.to_str().unwrap()];
        all.extend_from_slice(options);
        let child = program
            .command(&all)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (socket, _) = listener.accept().unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        let lines = BufReader::new(socket.try_clone().unwrap());
        Reports {
            child,
            socket,
            lines,
        }
    }

    fn next(&mut self) -> Option<Json> {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        (!line.is_empty()).then(|| serde_json::from_str(&line).unwrap())
    }

    /// Everything up to the end, without what depends on the clock.
    fn rest(&mut self) -> Vec<Json> {
        std::iter::from_fn(|| self.next())
            .filter(|report| report["event"] != "progress")
            .collect()
    }

    fn end(mut self) -> (ExitStatus, String) {
        let status = wait(&mut self.child);
        let stdout = std::io::read_to_string(self.child.stdout.take().unwrap()).unwrap();
        (status, stdout)
    }
}

fn wait(child: &mut Child) -> ExitStatus {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return status;
        }
        if Instant::now() > deadline {
            child.kill().unwrap();
            panic!("the recorder did not end");
        }
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

fn wait_for(path: &Path) -> String {
    let deadline = Instant::now() + LIMIT;
    loop {
        if let Ok(text) = fs::read_to_string(path)
            && text.ends_with('\n')
        {
            return text;
        }
        assert!(
            Instant::now() < deadline,
            "{} was not written",
            path.display()
        );
        std::thread::park_timeout(Duration::from_millis(2));
    }
}

fn send(signal: &str, process_id: u32) {
    let status = Command::new("kill")
        .args([signal, &process_id.to_string()])
        .status();
    assert!(status.unwrap().success());
}

const TALKING: &str = "\
import os, sys
print('one')  # one
sys.stdout.flush()
os.system('echo unseen')
def tell(text):
    print(text, file=sys.stderr)  # tell
tell('zwölf')
print('last')  # last
sys.exit(3)
";

#[test]
fn an_interpreter_is_checked_once_and_a_changed_one_again() {
    let Some(program) = Program::new("an_interpreter_is_checked_once", "print('ran')\n") else {
        return;
    };
    let cache = tempfile::tempdir().unwrap();
    let record = || {
        let mut command = program.command(&[]);
        command.env("XDG_CACHE_HOME", cache.path());
        let outcome = run(&mut command, LIMIT).unwrap();
        assert!(outcome.status.success(), "{outcome:?}");
        let unpacked = fs::read_dir(cache.path().join("retrostep")).unwrap();
        let unpacked = unpacked.map(|entry| entry.unwrap().path());
        let files = unpacked.flat_map(|folder| fs::read_dir(folder).unwrap());
        let is_note = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with("checked-")
        };
        let mut notes: Vec<PathBuf> = files
            .map(|file| file.unwrap().path())
            .filter(is_note)
            .collect();
        notes.sort();
        notes
    };
    let notes = record();
    assert_eq!(notes.len(), 1, "{notes:?}");
    assert_eq!(record(), notes);
    // What was noted of another interpreter says nothing of this one.
    let other = notes[0].with_file_name("checked-0000000000000000");
    fs::rename(&notes[0], &other).unwrap();
    assert_eq!(record(), [other, notes[0].clone()]);
}

#[test]
fn captured_output_is_reported_with_the_line_that_wrote_it() {
    let Some(program) = Program::new("captured_output", TALKING) else {
        return;
    };
    let mut reports = Reports::start(&program, &["--capture-output"]);
    let rest = reports.rest();
    let (status, stdout) = reports.end();
    assert_eq!(status.code(), Some(3));
    assert_eq!(stdout, "");
    assert_eq!(rest[0]["event"], "started");
    assert_eq!(
        rest[0]["recording"],
        program.path("a.retro").to_str().unwrap()
    );
    let last = rest.last().unwrap();
    assert_eq!(last["event"], "finished");
    assert_eq!(last["exit_code"], 3);
    assert_eq!(last["events"], program.info()["events"]);
    let said: Vec<(&str, String, Option<u64>)> = ["stdout", "stderr"]
        .into_iter()
        .flat_map(|stream| {
            let mut parts: Vec<(&str, String, Option<u64>)> = Vec::new();
            for report in rest.iter().filter(|report| report["stream"] == stream) {
                let line = report["line"].as_u64();
                let text = report["text"].as_str().unwrap();
                assert_eq!(line.is_some(), report["position"].is_u64(), "{report}");
                match parts.last_mut() {
                    Some(part) if part.2 == line => part.1.push_str(text),
                    _ => parts.push((stream, text.to_owned(), line)),
                }
            }
            parts
        })
        .collect();
    assert_eq!(
        said,
        [
            ("stdout", "one\n".to_owned(), Some(program.line("one"))),
            ("stdout", "unseen\n".to_owned(), None),
            ("stdout", "last\n".to_owned(), Some(program.line("last"))),
            ("stderr", "zwölf\n".to_owned(), Some(program.line("tell"))),
        ]
    );
}

#[test]
fn told_output_goes_where_it_would_and_is_reported_too() {
    let Some(program) = Program::new("told_output", TALKING) else {
        return;
    };
    let mut reports = Reports::start(&program, &[]);
    let rest = reports.rest();
    let (_, stdout) = reports.end();
    assert_eq!(stdout, "one\nunseen\nlast\n");
    let told: String = rest
        .iter()
        .filter(|report| report["stream"] == "stdout")
        .map(|report| report["text"].as_str().unwrap())
        .collect();
    assert_eq!(told, "one\nlast\n");
}

#[test]
fn an_adapter_can_end_the_program() {
    let text = "print('ready', flush=True)\nwhile True: pass\n";
    let Some(program) = Program::new("an_adapter_can_end", text) else {
        return;
    };
    let mut reports = Reports::start(&program, &["--capture-output"]);
    while let Some(report) = reports.next() {
        if report["event"] == "output" {
            break;
        }
    }
    reports.socket.write_all(b"end\n").unwrap();
    let last = reports.rest().pop().unwrap();
    assert_eq!(last["event"], "finished");
    assert_eq!(last["signal"], 15);
    assert_eq!(reports.end().0.signal(), Some(15));
    assert_eq!(program.info()["complete"], true);
    assert_eq!(program.info()["result"], "killed by SIGTERM");
}

#[test]
fn what_cannot_be_started_is_reported() {
    let Some(program) = Program::new("cannot_be_started", "") else {
        return;
    };
    fs::remove_file(program.path("app.py")).unwrap();
    let mut reports = Reports::start(&program, &["--capture-output"]);
    let rest = reports.rest();
    let path = program.path("app.py");
    assert_eq!(
        rest,
        [json!({"event": "failed", "message": format!("there is no file {}", path.display())})]
    );
    assert_eq!(reports.end().0.code(), Some(2));
    assert!(!program.path("a.retro").exists());
}

#[test]
fn a_signal_sent_to_the_recorder_reaches_the_program() {
    let text = "\
import signal, sys, time
def stop(number, frame):
    sys.exit(5)
signal.signal(signal.SIGTERM, stop)
open('ready', 'w').write('yes\\n')
while True:
    time.sleep(0.01)
";
    let Some(program) = Program::new("a_signal_sent", text) else {
        return;
    };
    let mut child = program.command(&["--quiet"]).spawn().unwrap();
    wait_for(&program.path("ready"));
    send("-TERM", child.id());
    assert_eq!(wait(&mut child).code(), Some(5));
    assert_eq!(program.info()["exit_code"], 5);
    assert_eq!(program.info()["result"], "exit 5");
}

#[test]
fn the_terminals_interrupt_reaches_the_program_once() {
    let text = "\
import signal, time
# Whoever runs the tests may have the interrupt ignored, and programs inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
count = 0
open('ready', 'w').write('yes\\n')
while count < 1:
    try:
        time.sleep(30)
    except KeyboardInterrupt:
        count += 1
print(count)
";
    let Some(program) = Program::new("the_terminals_interrupt", text) else {
        return;
    };
    // A terminal signals the whole group from the kernel; another process that signals the group
    // reaches the program directly, and the recorder does not die of it.
    let mut child = program
        .command(&["--quiet"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    wait_for(&program.path("ready"));
    let recorder = child.id().to_string();
    let children = fs::read_to_string(format!("/proc/{recorder}/task/{recorder}/children"));
    send("-INT", children.unwrap().trim().parse().unwrap());
    assert_eq!(wait(&mut child).code(), Some(0));
    let said = std::io::read_to_string(child.stdout.take().unwrap()).unwrap();
    assert_eq!(said, "1\n");
}

const COUNTING: &str = "\
def count(to):
    number = 0
    while number < to:
        number += 1
    return number
print(count(200_000))
";

/// As above, with numbers that hardly compress.
const SCATTERING: &str = "\
def count(to):
    number = state = 1
    while number < to:
        number += 1
        state = state * 48271 % 2147483647
    return number
print(count(200_000))
";

#[test]
fn at_the_size_limit_the_program_goes_on() {
    let Some(program) = Program::new("at_the_size_limit", SCATTERING) else {
        return;
    };
    let outcome = program.run(&["--max-size", "50KB"]);
    assert_eq!(outcome.status.code(), Some(0));
    assert_eq!(outcome.stdout, "200000\n");
    assert!(
        outcome.stderr.contains("it reached the size limit"),
        "{}",
        outcome.stderr
    );
    let info = program.info();
    assert_eq!(info["complete"], true);
    assert!(info["events"].as_u64().unwrap() < 700_000, "{info}");
    assert!(info["bytes"].as_u64().unwrap() < 1_000_000, "{info}");
    assert!(
        info["notes"][0].as_str().unwrap().contains("size limit"),
        "{info}"
    );
}

#[test]
fn without_a_limit_everything_is_there() {
    let Some(program) = Program::new("without_a_limit", COUNTING) else {
        return;
    };
    let outcome = program.run(&["--name", "counting"]);
    assert_eq!(outcome.stdout, "200000\n");
    assert!(
        outcome.stderr.starts_with("recorded "),
        "{}",
        outcome.stderr
    );
    // Two lines and a write for each number, at least.
    let info = program.info();
    assert!(info["events"].as_u64().unwrap() > 600_000, "{info}");
    assert_eq!(info["name"], "counting");
    assert_eq!(info["result"], "passed");
    assert_eq!(info["notes"], json!([]));
}

#[test]
fn a_program_that_outlives_the_command_does_not_hold_the_recorder() {
    let text = "\
import os, sys, time
if os.fork() == 0:
    os.setsid()
    open('pid', 'w').write('%d\\n' % os.getpid())
    while not os.path.exists('go'):
        time.sleep(0.01)
    open('done', 'w').write('yes\\n')
    os._exit(0)
while not os.path.exists('pid'):
    time.sleep(0.01)
print('parent')
";
    let Some(program) = Program::new("a_program_that_outlives", text) else {
        return;
    };
    let outcome = program.run(&["--quiet"]);
    assert_eq!(outcome.status.code(), Some(0));
    assert_eq!(outcome.stdout, "parent\n");
    fs::write(program.path("go"), "").unwrap();
    assert_eq!(wait_for(&program.path("done")), "yes\n");
    assert_eq!(program.info()["complete"], true);
}

#[test]
fn a_killed_recorder_leaves_the_program_alone_and_a_file_that_opens() {
    let text = "\
def count(to):
    number = 0
    while number < to:
        number += 1
    return number
count(1000)
open('ready', 'w').write('yes\\n')
import os
while not os.path.exists('go'):
    count(10)
open('done', 'w').write('%d\\n' % count(3_000_000))
";
    let Some(program) = Program::new("a_killed_recorder", text) else {
        return;
    };
    let mut child = program.command(&["--quiet"]).spawn().unwrap();
    wait_for(&program.path("ready"));
    let deadline = Instant::now() + LIMIT;
    while fs::metadata(program.path("a.retro")).map_or(0, |facts| facts.len()) < 2_000 {
        assert!(Instant::now() < deadline);
        std::thread::park_timeout(Duration::from_millis(2));
    }
    child.kill().unwrap();
    wait(&mut child);
    fs::write(program.path("go"), "").unwrap();
    // More is recorded than the ring holds: the program must notice that nobody takes it.
    assert_eq!(wait_for(&program.path("done")), "3000000\n");
    let info = program.info();
    assert_eq!(info["complete"], false);
    assert_eq!(info["result"], "stopped early");
    assert!(info["events"].as_u64().unwrap() > 100, "{info}");
}

#[test]
fn a_program_that_is_no_python_is_left_alone_and_told() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_retrostep"));
    let folder = tempfile::tempdir().unwrap();
    command
        .args(["record", "--out"])
        .arg(folder.path().join("a.retro"))
        .args(["sh", "-c", "echo out; exit 7"]);
    let outcome = run(&mut command, LIMIT).unwrap();
    assert_eq!(outcome.status.code(), Some(7));
    assert_eq!(outcome.stdout, "out\n");
    assert!(
        outcome
            .stderr
            .contains("nothing was recorded: no Python program ran")
    );
    assert!(!folder.path().join("a.retro").exists());
}

#[test]
fn a_program_that_marks_parts_is_recorded_only_there() {
    let text = "\
import retrostep
def outside():
    return 1  # outside
def inside():
    return 2  # inside
outside()
with retrostep.record('part'):
    inside()
outside()
";
    let name = "a_program_that_marks_parts_is_recorded_only_there";
    let Some(program) = Program::new(name, text) else {
        return;
    };
    for (options, outside) in [(&[][..], 0), (&["--marked"][..], 0), (&["--all"][..], 2)] {
        let outcome = program.run(options);
        assert!(outcome.status.success(), "{outcome:?}");
        assert_eq!(program.hits("inside"), 1, "{options:?}");
        assert_eq!(program.hits("outside"), outside, "{options:?}");
        fs::remove_file(program.path("a.retro")).unwrap();
    }
    // Imported by another module, the package has its say from the import on.
    fs::write(program.path("part.py"), text).unwrap();
    fs::write(
        program.path("app.py"),
        "first = 1  # first\nimport part\nlast = 1  # last\n",
    )
    .unwrap();
    let outcome = program.run(&[]);
    assert!(outcome.status.success(), "{outcome:?}");
    assert_eq!((program.hits("first"), program.hits("last")), (1, 0));
}

#[test]
fn a_wide_global_does_not_hide_what_later_ones_hold() {
    let text = "\
import json
wide = json.loads(json.dumps([[[n] for n in range(90)] for _ in range(90)]))
wide = json.loads(json.dumps([[[n] for n in range(90)] for _ in range(90)]))
late = json.loads('[[[[1]]]]')
";
    let Some(program) = Program::new("a_wide_global_does_not_hide_what_later_ones_hold", text)
    else {
        return;
    };
    let outcome = program.run(&[]);
    assert!(outcome.status.success(), "{outcome:?}");
    let shown = program.replay("end\nprint late\n");
    assert_eq!(shown.lines().last(), Some("[[[[1]]]]"), "{shown}");
}

#[test]
fn what_a_function_returns_is_shown_as_it_will_be() {
    let text = "\
def fill(row):
    row.append(len(row))
    return row
def outer(row):
    return fill(row)
def fresh():
    return [1, 2]
rows = outer([])
rows = fresh()
";
    let Some(program) = Program::new("what_a_function_returns_is_shown_as_it_will_be", text) else {
        return;
    };
    let outcome = program.run(&[]);
    assert!(outcome.status.success(), "{outcome:?}");
    let shown = program.replay("break 7\nrc\nbreak 5\nrc\nprint row\n");
    let returned: Vec<&str> = shown
        .lines()
        .filter_map(|line| line.trim().strip_prefix("returns "))
        .collect();
    // The second list is still empty where it is shown.
    assert_eq!(returned, ["[1, 2]", "[0]"], "{shown}");
    assert_eq!(shown.lines().last(), Some("[]"), "{shown}");
}
