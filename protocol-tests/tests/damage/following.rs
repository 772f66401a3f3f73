//! A recording that is being written is opened, stepped and followed by another process.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use protocol_tests::replay::{go, look, open, position, seek, threads};
use protocol_tests::run::record_command;
use serde_json::json;

use super::{BINARY, python, value_before_end};

/// Counts as far as it is told and prints where it is.
const TOLD: &str = "\
import sys
def count():
    number = 0
    for wanted in sys.stdin:
        while number < int(wanted):
            number += 1
        print(number, flush=True)
count()
";
const ROUNDS: u64 = 5;
const ROUND: u64 = 400;
/// A reader sees the events of a program that waits after a quarter of a second; a slow machine takes
/// longer.
const PATIENCE: u32 = 200;

#[test]
fn a_growing_recording_is_followed_to_its_end() -> Result<()> {
    let Some(python) = python("following") else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("told.py");
    std::fs::write(&script, TOLD)?;
    let recording = folder.path().join("told.retro");
    let mut program = record_command(BINARY.as_ref(), &recording, [python, script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let mut stdin = program.stdin.take().context("stdin")?;
    let mut stdout = BufReader::new(program.stdout.take().context("stdout")?);
    let mut count_to = |number: u64| -> Result<()> {
        writeln!(stdin, "{number}")?;
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        ensure!(line.trim() == number.to_string(), "printed {line:?}");
        Ok(())
    };
    count_to(ROUND)?;
    let mut client = {
        let mut tries = 0;
        loop {
            // Until its first block is written there is nothing to stand on.
            let outcome = super::retrostep(&["info", "--json"], &recording)?;
            if outcome.status.success() {
                let facts: serde_json::Value = serde_json::from_str(&outcome.stdout)?;
                ensure!(facts["complete"] == false, "it is being written: {facts}");
                if facts["events"].as_u64() > Some(ROUND) {
                    break open(BINARY.as_ref(), &recording)?;
                }
            } else {
                let not_begun = outcome.stderr.contains("has not begun");
                ensure!(not_begun || !recording.exists(), "{}", outcome.stderr);
            }
            tries += 1;
            ensure!(tries < PATIENCE, "nothing is written: {}", outcome.stdout);
            std::thread::park_timeout(Duration::from_millis(50));
        }
    };
    client.ignore(&["stopped"]);
    let mut last_end = 0;
    for round in 1..=ROUNDS {
        count_to(round * ROUND)?;
        let mut tries = 0;
        // The end is looked for until the program's last number is there.
        let end = loop {
            let (_, end) = position(&mut client)?;
            seek(&mut client, end)?;
            if value_before_end(&mut client, "number")? == round * ROUND {
                break end;
            }
            tries += 1;
            ensure!(tries < PATIENCE, "round {round}: still at event {end}");
            std::thread::park_timeout(Duration::from_millis(50));
        };
        ensure!(end > last_end, "round {round}: the end stays at {end}");
        last_end = end;
        // What was there before is still there, in both directions.
        let thread = threads(&mut client)?
            .into_values()
            .next()
            .context("no thread")?;
        let at_end = look(&mut client, thread, true)?;
        go(&mut client, "stepBack", &json!({"threadId": thread}))?;
        let before = look(&mut client, thread, true)?;
        ensure!(
            before.position < at_end.position,
            "{before:?} then {at_end:?}"
        );
        go(&mut client, "next", &json!({"threadId": thread}))?;
        ensure!(
            position(&mut client)?.0 > before.position,
            "next does not go on from {before:?}"
        );
    }
    drop(stdin);
    ensure!(program.wait()?.success(), "the program was disturbed");
    client.finish()?;
    let facts = super::info(&recording)?;
    ensure!(facts["complete"] == true, "it ended well: {facts}");
    Ok(())
}
