//! Long lists: what a program copied of one is what the replay shows of it, page by page.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use protocol_tests::client::Client;
use protocol_tests::programs::{checkout, mark};
use protocol_tests::pythons::{self, Python};
use protocol_tests::raw::decompressed;
use protocol_tests::replay::{go, open, position, seek, set_breakpoints};
use protocol_tests::run::run;
use protocol_tests::skip::skip;
use serde_json::{Value, json};

use super::BINARY;

/// The variables below a reference, of which the page is wanted if there is one.
fn variables(
    client: &mut Client,
    reference: &Value,
    page: Option<(u64, u64)>,
) -> Result<Vec<Value>> {
    let mut asked = json!({"variablesReference": reference});
    if let Some((start, count)) = page {
        asked["filter"] = "indexed".into();
        asked["start"] = start.into();
        asked["count"] = count.into();
    }
    let body = client.request("variables", &asked)?;
    Ok(body["variables"].as_array().context("variables")?.clone())
}

fn values(variables: &[Value]) -> Vec<&str> {
    variables
        .iter()
        .filter_map(|variable| variable["value"].as_str())
        .collect()
}

/// Compares the list with its copy where the replay stands now.
fn compare(client: &mut Client, thread: u64) -> Result<()> {
    let stack = client.request("stackTrace", &json!({"threadId": thread}))?;
    let frame = &stack["stackFrames"][0]["id"];
    let scopes = client.request("scopes", &json!({"frameId": frame}))?;
    let locals = variables(client, &scopes["scopes"][0]["variablesReference"], None)?;
    let local = |name: &str| {
        let found = locals.iter().find(|local| local["name"] == name);
        found.with_context(|| format!("no {name} in {locals:?}"))
    };
    let start = local("start")?["value"].as_str().unwrap_or_default();
    let start: u64 = start.parse()?;
    let size = local("size")?["value"].as_str().unwrap_or_default();
    let numbers = local("numbers")?;
    ensure!(
        numbers["indexedVariables"] == size.parse::<u64>()?,
        "{size} elements are shown as {numbers}"
    );
    let seen = variables(client, &local("seen")?["variablesReference"], Some((0, 40)))?;
    let page = (start, 40);
    let shown = variables(client, &numbers["variablesReference"], Some(page))?;
    ensure!(
        values(&seen).len() == 40 && values(&seen) == values(&shown),
        "elements from {start} on: {:?} instead of {:?}",
        values(&shown),
        values(&seen)
    );
    for expression in [
        "sum(numbers) == total",
        "numbers[0] == first",
        "numbers[start:start + 40] == seen",
        "numbers[start] == seen[0]",
        "len(numbers) == size",
    ] {
        let asked = json!({"expression": expression, "frameId": frame, "context": "repl"});
        let answer = client.request("evaluate", &asked)?;
        ensure!(answer["result"] == "True", "{expression}: {answer}");
    }
    Ok(())
}

/// Records a script that stops at a mark `compare` so many times, and compares at each stop.
fn check(python: &Python, name: &str, rounds: usize) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let recording = folder.path().join("list.retro");
    let script = checkout().join("protocol-tests/long_lists").join(name);
    let mut command = std::process::Command::new(BINARY);
    command
        .args(["record", "--quiet", "--max-children", "1000000", "--out"])
        .arg(&recording)
        .arg("--")
        .arg(&python.path)
        .arg(&script);
    let outcome = run(&mut command, Duration::from_secs(120))?;
    ensure!(outcome.status.success(), "{outcome:?}");
    // The searches for what must not be in a recording go through all of it.
    decompressed(&std::fs::read(&recording)?)?;
    let mut client = open(BINARY.as_ref(), &recording)?;
    let path = script.to_string_lossy().into_owned();
    set_breakpoints(&mut client, &path, &[mark(&script, "compare")?])?;
    let mut stops = Vec::new();
    loop {
        let landing = go(&mut client, "continue", &json!({"threadId": 1}))?;
        if landing.at_an_end() {
            break;
        }
        stops.push(position(&mut client)?.0);
    }
    ensure!(stops.len() == rounds, "{} rounds", stops.len());
    // Not in order, so that no answer rests on the one before.
    for at in 0..stops.len() {
        let stop = stops[at * 37 % stops.len()];
        let landing = seek(&mut client, stop)?;
        compare(&mut client, landing.thread).with_context(|| format!("at {stop}"))?;
    }
    client.finish()
}

#[test]
fn a_long_list_shows_what_the_program_saw_of_it() -> Result<()> {
    let pythons = pythons::found();
    if pythons.is_empty() {
        skip("long lists", "no Python from 3.9 to 3.14 was found");
    }
    for python in &pythons {
        check(python, "changes.py", 60).with_context(|| python.name())?;
    }
    Ok(())
}

#[test]
fn contents_that_are_longer_than_the_ring_are_recorded() -> Result<()> {
    let Some(python) = pythons::newest() else {
        skip("contents", "no Python from 3.9 to 3.14 was found");
        return Ok(());
    };
    check(&python, "large.py", 3)
}
