//! Whatever happens to the program, the recorder, the disk or the file: what is intact is shown, and
//! nothing hangs or crashes.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use protocol_tests::client::Client;
use protocol_tests::programs::checkout;
use protocol_tests::pythons;
use protocol_tests::replay::{go, open, position, threads};
use protocol_tests::run::{Outcome, record_command, run};
use protocol_tests::skip::skip;
use serde_json::{Value, json};

#[path = "damage/following.rs"]
mod following;
#[path = "damage/kills.rs"]
mod kills;
#[path = "damage/limits.rs"]
mod limits;

const BINARY: &str = env!("CARGO_BIN_EXE_retrostep");
const LIMIT: Duration = Duration::from_secs(120);

/// Prints a counter for ever; the counter is also a local variable.
const COUNTER: &str = "\
def count():
    number = 0
    while True:
        number += 1
        print(number, flush=True)

count()
";

fn python(test: &str) -> Option<PathBuf> {
    let newest = pythons::newest();
    if newest.is_none() {
        skip(test, "no Python from 3.9 to 3.14 was found");
    }
    newest.map(|python| python.path)
}

fn retrostep(arguments: &[&str], recording: &Path) -> Result<Outcome> {
    let mut command = Command::new(BINARY);
    command.args(arguments).arg(recording).stdin(Stdio::null());
    run(&mut command, LIMIT)
}

fn info(recording: &Path) -> Result<Value> {
    let outcome = retrostep(&["info", "--json"], recording)?;
    ensure!(outcome.status.success(), "info fails: {}", outcome.stderr);
    serde_json::from_str(&outcome.stdout).with_context(|| outcome.stdout)
}

fn start_counter(python: &Path, folder: &Path) -> Result<(Child, PathBuf)> {
    start_script(python, folder, COUNTER, Stdio::piped())
}

/// Starts recording a script of this text into `folder`.
fn start_script(
    python: &Path,
    folder: &Path,
    text: &str,
    stdout: Stdio,
) -> Result<(Child, PathBuf)> {
    let script = folder.join("script.py");
    std::fs::write(&script, text)?;
    let recording = folder.join("script.retro");
    let mut command = record_command(BINARY.as_ref(), &recording, [python, &script]);
    // A group of its own, so that nothing it starts outlives the test.
    let child = command
        .process_group(0)
        .stdout(stdout)
        .stderr(Stdio::null())
        .spawn()
        .context("start the recorder")?;
    Ok((child, recording))
}

/// The child of a process that runs Python.
fn python_child(recorder: u32) -> Result<i32> {
    let children = std::fs::read_to_string(format!("/proc/{recorder}/task/{recorder}/children"))?;
    let pid = children
        .split_whitespace()
        .next()
        .context("the recorder has no child")?;
    Ok(pid.parse()?)
}

fn kill(pid: i32) {
    let _ = Command::new("kill")
        .args(["-KILL", &pid.to_string()])
        .stderr(Stdio::null())
        .status();
}

/// Reads the counter until it passes `enough`; returns the last number of a complete line.
fn read_past(reader: &mut impl std::io::BufRead, enough: u64) -> Result<u64> {
    let mut line = String::new();
    loop {
        line.clear();
        ensure!(reader.read_line(&mut line)? > 0, "the counter ended");
        let number: u64 = line.trim().parse().with_context(|| line.clone())?;
        if number >= enough {
            return Ok(number);
        }
    }
}

/// The last value of the counter that the recording shows.
fn counter_at_end(recording: &Path) -> Result<u64> {
    counter(recording, "number")
}

/// The last value of a variable that counts.
fn counter(recording: &Path, name: &str) -> Result<u64> {
    let mut client = open(BINARY.as_ref(), recording)?;
    let (_, end) = position(&mut client)?;
    protocol_tests::replay::seek(&mut client, end)?;
    let value = value_before_end(&mut client, name)?;
    client.finish()?;
    Ok(value)
}

/// Steps back from the end to the last line that ran, and reads a number there.
fn value_before_end(client: &mut Client, name: &str) -> Result<u64> {
    let thread = threads(client)?.into_values().next().context("no thread")?;
    go(
        client,
        "retrostep/stepBackInto",
        &json!({"threadId": thread}),
    )?;
    let stack = client.request("stackTrace", &json!({"threadId": thread}))?;
    let frame = &stack["stackFrames"][0]["id"];
    let body = client.request(
        "evaluate",
        &json!({"expression": name, "frameId": frame, "context": "watch"}),
    )?;
    let result = body["result"].as_str().context("a result")?;
    result
        .parse()
        .with_context(|| format!("{name} is {result}"))
}

#[test]
fn a_killed_program_leaves_a_recording_up_to_its_last_line() -> Result<()> {
    let Some(python) = python("a_killed_program") else {
        return Ok(());
    };
    for enough in [1, 40, 700, 3_000] {
        let folder = tempfile::tempdir()?;
        let (mut recorder, recording) = start_counter(&python, folder.path())?;
        let mut reader = BufReader::new(recorder.stdout.take().context("stdout")?);
        read_past(&mut reader, enough)?;
        kill(python_child(recorder.id())?);
        let mut rest = String::new();
        reader.read_to_string(&mut rest)?;
        recorder.wait()?;
        let last = rest
            .lines()
            .filter_map(|line| line.parse().ok())
            .next_back()
            .unwrap_or(enough);
        let shown = counter_at_end(&recording)?;
        ensure!(
            shown == last || shown == last + 1,
            "printed {last}, the recording ends at {shown}"
        );
        ensure!(
            info(&recording)?["complete"] == true,
            "the host ended the recording well"
        );
    }
    Ok(())
}

#[test]
fn a_killed_recorder_leaves_what_was_flushed_and_lets_the_program_go_on() -> Result<()> {
    let Some(python) = python("a_killed_recorder") else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let (mut recorder, recording) = start_counter(&python, folder.path())?;
    let program = python_child_soon(recorder.id())?;
    let mut reader = BufReader::new(recorder.stdout.take().context("stdout")?);
    read_past(&mut reader, 5_000)?;
    recorder.kill()?;
    recorder.wait()?;
    // More than any ring holds: a program that waited for its recorder would stop here.
    let went_on = read_past(&mut reader, 200_000);
    kill(program);
    went_on?;
    if recording.exists() {
        let facts = info(&recording)?;
        ensure!(facts["complete"] == false, "nobody ended it: {facts}");
        let outcome = retrostep(&["verify"], &recording)?;
        ensure!(
            outcome.status.code().is_some(),
            "verify crashed: {}",
            outcome.stderr
        );
    }
    Ok(())
}

fn python_child_soon(recorder: u32) -> Result<i32> {
    for _ in 0..5_000 {
        if let Ok(pid) = python_child(recorder) {
            return Ok(pid);
        }
        std::thread::park_timeout(Duration::from_millis(1));
    }
    bail!("the recorder starts no program")
}

fn small_recording(python: &Path, folder: &Path) -> Result<PathBuf> {
    let recording = folder.join("small.retro");
    let script = checkout().join("samples/python/closures.py");
    let outcome = run(
        &mut record_command(BINARY.as_ref(), &recording, [python, &script]),
        LIMIT,
    )?;
    ensure!(recording.exists(), "nothing recorded: {}", outcome.stderr);
    Ok(recording)
}

/// Asks a damaged recording everything; nothing may crash or hang, errors are fine.
fn look_at(recording: &Path) -> Result<()> {
    for arguments in [&["info", "--json"][..], &["verify"]] {
        let outcome = retrostep(arguments, recording)?;
        ensure!(
            matches!(outcome.status.code(), Some(0..=2)) && !outcome.stderr.contains("panicked"),
            "{arguments:?}: {}\n{}",
            outcome.status,
            outcome.stderr
        );
    }
    Ok(())
}

/// The same over the adapter: a refusal that names the file, or a replay of what is there.
fn replay(recording: &Path) -> Result<()> {
    let mut client = Client::start(
        BINARY.as_ref(),
        recording.parent().unwrap_or(Path::new(".")),
    )?;
    client.ignore(&[
        "stopped",
        "initialized",
        "output",
        "retrostep/position",
        "continued",
    ]);
    client.request("initialize", &json!({"adapterID": "retrostep"}))?;
    let attach = client.send("attach", &json!({"recording": recording}))?;
    let configured = client.send("configurationDone", &Value::Null)?;
    client.response(configured)?;
    if let protocol_tests::client::Answer::Success(_) = client.response(attach)? {
        client.event("stopped")?;
        for command in ["reverseContinue", "stepIn", "continue", "stepBack"] {
            go(&mut client, command, &json!({"threadId": 1}))?;
        }
        let stack = client.send("stackTrace", &json!({"threadId": 1}))?;
        if let protocol_tests::client::Answer::Refusal(response) = client.response(stack)? {
            // The names of the functions may be what is damaged.
            let message = response["message"].as_str().unwrap_or_default();
            ensure!(
                message.contains("is damaged at byte"),
                "stackTrace was refused: {message}"
            );
        }
    }
    client.finish()
}

#[test]
fn a_truncated_recording_shows_what_is_intact() -> Result<()> {
    let Some(python) = python("a_truncated_recording") else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let bytes = std::fs::read(small_recording(&python, folder.path())?)?;
    let cut = folder.path().join("cut.retro");
    for part in 0..=24 {
        let len = bytes.len() * part / 24;
        std::fs::write(&cut, bytes.get(..len).unwrap_or_default())?;
        look_at(&cut).with_context(|| format!("cut after {len} of {} bytes", bytes.len()))?;
        if part % 6 == 5 {
            replay(&cut).with_context(|| format!("cut after {len} of {} bytes", bytes.len()))?;
        }
    }
    Ok(())
}

#[test]
fn a_damaged_recording_is_noticed() -> Result<()> {
    let Some(python) = python("a_damaged_recording") else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let bytes = std::fs::read(small_recording(&python, folder.path())?)?;
    let damaged = folder.path().join("damaged.retro");
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    for round in 0..24 {
        let mut copy = bytes.clone();
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let at = (state >> 33) as usize % copy.len();
        if let Some(byte) = copy.get_mut(at) {
            *byte ^= 1 << (round % 8);
        }
        std::fs::write(&damaged, &copy)?;
        look_at(&damaged).with_context(|| format!("byte {at} damaged"))?;
        let verified = retrostep(&["verify"], &damaged)?;
        ensure!(
            !verified.status.success(),
            "verify does not see that byte {at} is damaged"
        );
        if round % 6 == 0 {
            replay(&damaged).with_context(|| format!("byte {at} damaged"))?;
        }
    }
    Ok(())
}

#[test]
fn what_is_no_recording_is_refused_by_name() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("notes.txt");
    File::create(&path)?;
    for content in [
        "",
        "not a recording",
        "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
    ] {
        std::fs::write(&path, content)?;
        let outcome = retrostep(&["info"], &path)?;
        ensure!(
            outcome.status.code() == Some(1),
            "info of {content:?}: {outcome:?}"
        );
        ensure!(
            outcome.stderr.contains("notes.txt"),
            "does not name the file: {}",
            outcome.stderr
        );
        replay(&path)?;
    }
    replay(&folder.path().join("absent.retro"))
}
