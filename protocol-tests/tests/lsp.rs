//! Conversations with `retrostep lsp`, each message checked against the protocol's types.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that meets the unexpected must fail and say why"
)]

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use protocol_tests::lsp_client::{LspClient, uri};
use protocol_tests::pythons::{self, Python};
use protocol_tests::replay::{go, open};
use protocol_tests::skip::skip;
use protocol_tests::workspace::{Workspace, full_client, hints, hover};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_retrostep");
const REFRESH: &str = "workspace/inlayHint/refresh";
const STEPS: usize = 40;
const RECORDINGS: usize = 10;
/// What the figures are meant to be, and what a busy machine may make of them.
const STEP_TARGET: Duration = Duration::from_millis(50);
const RECORDING_TARGET: Duration = Duration::from_millis(200);
const MOST: Duration = Duration::from_millis(500);

const PROGRAM: &str = "\
def twice(n):
    result = n * 2
    return result


def main():
    total = 0
    for n in range(50):
        total += twice(n)
    raise ValueError(total)


main()
";

/// A workspace with one recorded program.
struct Stage {
    workspace: Workspace,
    python: Python,
    script: PathBuf,
    recording: PathBuf,
}

impl Stage {
    /// `None` if nothing can be recorded here, which is said.
    fn new(test: &str) -> Result<Option<Stage>> {
        let Some(python) = pythons::newest() else {
            skip(test, "no Python from 3.9 to 3.14 was found");
            return Ok(None);
        };
        let workspace = Workspace::new()?;
        let script = workspace.write("program.py", PROGRAM)?;
        let name = "program-20260101-000000";
        let recording = workspace.record(BINARY.as_ref(), &python, &script, name)?;
        Ok(Some(Stage {
            workspace,
            python,
            script,
            recording,
        }))
    }

    fn serve(&self) -> Result<LspClient> {
        self.workspace.serve(BINARY.as_ref(), &full_client())
    }
}

fn text_of(
    hints: &std::collections::BTreeMap<u64, protocol_tests::workspace::Hint>,
    line: u64,
) -> &str {
    hints.get(&line).map_or("", |hint| hint.text.as_str())
}

fn median(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort();
    let middle = times[times.len() / 2];
    (middle, times.pop().unwrap_or_default())
}

#[test]
fn functions_of_one_name_in_two_files_are_told_apart() -> Result<()> {
    let test = "functions_of_one_name_in_two_files_are_told_apart";
    let Some(python) = pythons::newest() else {
        skip(test, "no Python from 3.9 to 3.14 was found");
        return Ok(());
    };
    let workspace = Workspace::new()?;
    let helper = workspace.write("helper.py", "def step(n):\n    return n - 1\n")?;
    let text = "\
import helper


def step(n):
    return n + 1


helper.step(7)
print([step(n) for n in range(3)])
";
    let script = workspace.write("twins.py", text)?;
    let names = ["one-20260101-000000", "two-20260101-000001"];
    let mut recordings = Vec::new();
    for name in names {
        recordings.push(workspace.record(BINARY.as_ref(), &python, &script, name)?);
    }
    let mut client = LspClient::start(BINARY.as_ref(), workspace.path())?;
    client.initialize(workspace.path(), &json!({}), &json!({}))?;
    let newest = &recordings[1];
    for (file, calls, label) in [(&script, 3, "#3 2"), (&helper, 1, "#1 7")] {
        let uri = client.open(file)?;
        let params = json!({"recording": newest, "uri": uri, "function": "step"});
        let told = client.request("retrostep/calls", &params)?;
        ensure!(told["total"] == calls, "{told}");
        ensure!(told["calls"][0]["label"] == label, "{told}");

        let document = json!({"textDocument": {"uri": uri}});
        let lenses = client.request("textDocument/codeLens", &document)?;
        let lenses = lenses.as_array().context("lenses")?;
        let lens = |command: &str| {
            let mut found = lenses.iter().map(|lens| &lens["command"]);
            found
                .find(|it| it["command"] == command)
                .with_context(|| format!("no lens {command}: {lenses:?}"))
        };
        let mut run = |lens: &Value| {
            let command = json!({"command": lens["command"], "arguments": lens["arguments"]});
            let told = client.request("workspace/executeCommand", &command)?;
            Ok::<_, anyhow::Error>(told.as_str().context("a text")?.to_owned())
        };
        let counted = if calls == 1 { "1 call" } else { "3 calls" };
        let told = run(lens("retrostep.server.calls")?)?;
        ensure!(told.lines().count() == 1 + calls, "{told}");
        let number = label.split(' ').next().context("a number")?;
        ensure!(told.lines().nth(1).context("a call")?.starts_with(number));
        let told = run(lens("retrostep.server.recordings")?)?;
        ensure!(told.lines().count() == 2, "{told}");
        ensure!(told.lines().all(|line| line.ends_with(counted)), "{told}");
    }
    // A file that has no such function has no calls of it.
    let other = workspace.write("other.py", "")?;
    let uri = client.open(&other)?;
    let params = json!({"recording": newest, "uri": uri, "function": "step"});
    let error = client.request("retrostep/calls", &params);
    let error = error.err().context("calls of nothing")?.to_string();
    ensure!(error.contains("step did not run"), "{error}");
    // The protocol's first form names no file.
    let params = json!({"recording": newest, "function": "step"});
    let told = client.request("retrostep/calls", &params)?;
    ensure!(told["total"] == 1 || told["total"] == 3, "{told}");
    client.finish()
}

#[test]
fn calls_of_one_expression_are_counted_without_those_of_another() -> Result<()> {
    let test = "calls_of_one_expression_are_counted_without_those_of_another";
    let Some(python) = pythons::newest() else {
        skip(test, "no Python from 3.9 to 3.14 was found");
        return Ok(());
    };
    let workspace = Workspace::new()?;
    let text = "\
first = [lambda n: n + 1]
print([call(3) for call in first * 4])
second = [
    lambda m: m * 2]
print(second[0](5))
";
    let script = workspace.write("lambdas.py", text)?;
    workspace.record(BINARY.as_ref(), &python, &script, "one-20260101-000000")?;
    let mut client = LspClient::start(BINARY.as_ref(), workspace.path())?;
    client.initialize(workspace.path(), &json!({}), &json!({}))?;
    let uri = client.open(&script)?;
    let told = hover(&mut client, &uri, 4, 14)?;
    ensure!(told.contains('5') && told.contains("call 1 of 1"), "{told}");
    client.finish()
}

#[test]
fn an_exception_says_the_same_in_the_source_and_in_the_list() -> Result<()> {
    let test = "an_exception_says_the_same_in_the_source_and_in_the_list";
    let Some(python) = pythons::newest() else {
        skip(test, "no Python from 3.9 to 3.14 was found");
        return Ok(());
    };
    let workspace = Workspace::new()?;
    let text = "\
class OutOfStock(Exception):
    pass


raise OutOfStock('3 left')
";
    let script = workspace.write("stock.py", text)?;
    workspace.record(BINARY.as_ref(), &python, &script, "one-20260101-000000")?;
    let mut client = LspClient::start(BINARY.as_ref(), workspace.path())?;
    client.initialize(workspace.path(), &json!({}), &json!({}))?;
    client.open(&script)?;
    let told = client.wait_for("textDocument/publishDiagnostics")?;
    let message = told["diagnostics"][0]["message"].as_str();
    let message = message.context("a diagnostic")?;
    ensure!(message.starts_with("OutOfStock: 3 left"), "{told}");
    let listed = client.request("retrostep/recordings", &json!(null))?;
    let exception = &listed["recordings"][0]["exceptions"][0];
    ensure!(exception["label"] == "OutOfStock: 3 left", "{listed}");
    client.finish()
}

#[test]
fn a_plain_client_gets_the_standard_part_and_no_request() -> Result<()> {
    let Some(stage) = Stage::new("a_plain_client_gets_the_standard_part_and_no_request")? else {
        return Ok(());
    };
    let mut client = LspClient::start(BINARY.as_ref(), stage.workspace.path())?;
    let answer = client.initialize(stage.workspace.path(), &json!({}), &json!({}))?;
    let capabilities = &answer["capabilities"];
    ensure!(capabilities["positionEncoding"] == "utf-16", "{answer}");
    let uri = client.open(&stage.script)?;
    let document = json!({"uri": uri});
    let shown = hints(&mut client, &uri)?;
    ensure!(text_of(&shown, 9) == "= 0 to 2450 · 50 times", "{shown:?}");
    let text = hover(&mut client, &uri, 9, 8)?;
    ensure!(text.contains("2450"), "{text}");
    ensure!(!text.contains("command:"), "{text}");
    let lenses = client.request("textDocument/codeLens", &json!({"textDocument": document}))?;
    ensure!(!lenses.as_array().context("lenses")?.is_empty());
    let place = json!({"textDocument": document, "position": {"line": 0, "character": 4}});
    let items = client.request("textDocument/prepareCallHierarchy", &place)?;
    ensure!(items[0]["name"] == "twice", "{items}");
    let calls = client.request("callHierarchy/incomingCalls", &json!({"item": items[0]}))?;
    ensure!(calls[0]["from"]["name"] == "main", "{calls}");
    let place = json!({"textDocument": document, "position": {"line": 1, "character": 4}});
    let highlights = client.request("textDocument/documentHighlight", &place)?;
    ensure!(!highlights.as_array().context("highlights")?.is_empty());
    let symbols = client.request("workspace/symbol", &json!({"query": "program"}))?;
    ensure!(symbols[0]["name"] == "program", "{symbols}");
    let told = client.wait_for("textDocument/publishDiagnostics")?;
    let diagnostic = &told["diagnostics"][0];
    ensure!(
        diagnostic["message"]
            .as_str()
            .is_some_and(|text| text.starts_with("ValueError: 2450")),
        "{told}"
    );
    ensure!(diagnostic.get("relatedInformation").is_none(), "{told}");

    // What happens meanwhile is no reason to ask a client for what it did not say it can do.
    let mut replay = open(BINARY.as_ref(), &stage.recording)?;
    go(&mut replay, "stepIn", &json!({"threadId": 1}))?;
    replay.finish()?;
    stage.workspace.record(
        BINARY.as_ref(),
        &stage.python,
        &stage.script,
        "second-20260101-000001",
    )?;
    client.request("workspace/symbol", &json!({"query": ""}))?;
    for method in [
        REFRESH,
        "workspace/inlineValue/refresh",
        "workspace/codeLens/refresh",
        "workspace/semanticTokens/refresh",
        "workspace/configuration",
        "client/registerCapability",
        "window/workDoneProgress/create",
        "$/progress",
        "window/showMessage",
    ] {
        let taken = client.taken(method);
        ensure!(taken.is_empty(), "{method} came uninvited: {taken:?}");
    }
    client.finish()
}

#[test]
fn hints_follow_the_steps_of_a_replay() -> Result<()> {
    let Some(stage) = Stage::new("hints_follow_the_steps_of_a_replay")? else {
        return Ok(());
    };
    let mut client = stage.serve()?;
    let uri = client.open(&stage.script)?;
    ensure!(text_of(&hints(&mut client, &uri)?, 9) == "= 0 to 2450 · 50 times");
    let mut replay = open(BINARY.as_ref(), &stage.recording)?;
    client.wait_for(REFRESH)?;
    let mut times = Vec::new();
    let mut last = 0;
    for step in 0..STEPS {
        client.taken(REFRESH);
        go(&mut replay, "stepIn", &json!({"threadId": 1}))?;
        let start = Instant::now();
        client
            .wait_for(REFRESH)
            .with_context(|| format!("step {step}"))?;
        times.push(start.elapsed());
        // The total only grows in this program.
        let shown = hints(&mut client, &uri)?;
        let told = text_of(&shown, 9).trim_start_matches("= ");
        let total = told.split(' ').next().unwrap_or_default();
        let total: u64 = total.parse().unwrap_or(last);
        ensure!(total >= last, "{total} after {last}");
        last = total;
        ensure!(!text_of(&shown, 9).contains("times"), "{shown:?}");
    }
    ensure!(last > 0, "the replay did not get anywhere");
    let (middle, longest) = median(times);
    eprintln!(
        "from a step to the refresh: median {middle:?}, longest {longest:?}, meant to be {STEP_TARGET:?}"
    );
    ensure!(middle < MOST, "the median is {middle:?}");
    replay.finish()?;
    client.wait_for(REFRESH)?;
    ensure!(text_of(&hints(&mut client, &uri)?, 9) == "= 0 to 2450 · 50 times");
    client.finish()
}

#[test]
fn recordings_that_come_change_and_go_show_at_once() -> Result<()> {
    let Some(stage) = Stage::new("recordings_that_come_change_and_go_show_at_once")? else {
        return Ok(());
    };
    let Stage {
        workspace,
        python,
        script,
        ..
    } = &stage;
    let other = workspace.write("other.py", &PROGRAM.replace("50", "60"))?;
    let text = std::fs::read(script)?;
    let elsewhere = Workspace::new()?;
    let mut client = stage.serve()?;
    let uri = client.open(script)?;
    ensure!(text_of(&hints(&mut client, &uri)?, 9) == "= 0 to 2450 · 50 times");
    let mut times = Vec::new();
    for number in 0..RECORDINGS {
        // Recorded where nobody looks, then put into the library as a whole.
        std::fs::write(
            script,
            String::from_utf8(text.clone())?.replace("50", &format!("{}", number + 3)),
        )?;
        let name = format!("new-20260101-0001{number:02}");
        let made = elsewhere.record(BINARY.as_ref(), python, script, &name)?;
        let place = workspace.recordings().join(made.file_name().unwrap());
        client.taken(REFRESH);
        let start = Instant::now();
        std::fs::copy(&made, &place)?;
        client.wait_for(REFRESH)?;
        let changed = std::fs::read_to_string(script)?;
        let told = shown_text(&mut client, script, &changed)?;
        times.push(start.elapsed());
        let calls = format!("{} calls", number + 3);
        ensure!(told == calls, "{told} and not {calls}");
        client.taken(REFRESH);
        let start = Instant::now();
        std::fs::remove_file(&place)?;
        client.wait_for(REFRESH)?;
        times.push(start.elapsed());
    }
    let (middle, longest) = median(times);
    eprintln!(
        "from a recording to its hints: median {middle:?}, longest {longest:?}, meant to be {RECORDING_TARGET:?}"
    );
    ensure!(middle < MOST, "the median is {middle:?}");

    // One of another program changes nothing here.
    std::fs::write(script, &text)?;
    workspace.record(BINARY.as_ref(), python, &other, "other-20260101-000200")?;
    client.wait_for(REFRESH)?;
    let told = shown_text(&mut client, script, PROGRAM)?;
    ensure!(told == "50 calls", "{told}");
    client.finish()
}

/// What the first line shows once the document has this text.
fn shown_text(client: &mut LspClient, script: &Path, text: &str) -> Result<String> {
    let uri = uri(script);
    let document = json!({"textDocument": {"uri": uri}});
    client.notify("textDocument/didClose", &document)?;
    client.open_text(script, text)?;
    Ok(text_of(&hints(client, &uri)?, 1).to_owned())
}

#[test]
fn a_recording_deleted_while_it_is_used_is_gone_and_nothing_else() -> Result<()> {
    let test = "a_recording_deleted_while_it_is_used_is_gone_and_nothing_else";
    let Some(stage) = Stage::new(test)? else {
        return Ok(());
    };
    let Stage {
        workspace,
        python,
        script,
        recording,
    } = &stage;
    let mut client = stage.serve()?;
    let uri = client.open(script)?;
    ensure!(!hints(&mut client, &uri)?.is_empty());
    // Asked before it is gone, answered from what was true then or from nothing.
    let everything =
        json!({"start": {"line": 0, "character": 0}, "end": {"line": 99, "character": 0}});
    let params = json!({"textDocument": {"uri": uri}, "range": everything});
    let asked: Vec<u64> = (0..20)
        .map(|_| client.send("textDocument/inlayHint", &params))
        .collect::<Result<_>>()?;
    client.taken(REFRESH);
    std::fs::remove_file(recording)?;
    for id in asked {
        if let Err(error) = client.response(id)? {
            return Err(client.failure(&format!("a hint was refused: {error}")));
        }
    }
    client.wait_for(REFRESH)?;
    ensure!(hints(&mut client, &uri)?.is_empty());
    ensure!(hover(&mut client, &uri, 9, 8)?.is_empty());
    let lenses = client.request(
        "textDocument/codeLens",
        &json!({"textDocument": {"uri": uri}}),
    )?;
    ensure!(lenses.as_array().is_none_or(Vec::is_empty), "{lenses}");
    client.taken(REFRESH);
    workspace.record(BINARY.as_ref(), python, script, "again-20260101-000003")?;
    loop {
        client.wait_for(REFRESH)?;
        if text_of(&hints(&mut client, &uri)?, 9) == "= 0 to 2450 · 50 times" {
            break;
        }
    }
    ensure!(client.taken("window/showMessage").is_empty());
    client.finish()
}

#[test]
fn a_damaged_recording_is_named_once_and_the_others_work() -> Result<()> {
    let Some(stage) = Stage::new("a_damaged_recording_is_named_once_and_the_others_work")? else {
        return Ok(());
    };
    let library = stage.workspace.recordings();
    std::fs::write(
        library.join("broken-20260101-000009.retro"),
        "no recording at all".repeat(40),
    )?;
    let mut client = stage.serve()?;
    let uri = client.open(&stage.script)?;
    for _ in 0..3 {
        let shown = hints(&mut client, &uri)?;
        ensure!(text_of(&shown, 9) == "= 0 to 2450 · 50 times", "{shown:?}");
        client.request("workspace/symbol", &json!({"query": ""}))?;
    }
    let told = client.wait_for("window/showMessage")?;
    let text = told["message"].as_str().unwrap_or_default();
    ensure!(text.contains("broken-20260101-000009"), "{told}");
    let again = client.taken("window/showMessage");
    ensure!(again.is_empty(), "told again: {again:?}");
    client.finish()
}

#[test]
fn what_comes_at_the_wrong_time_is_refused_or_passed_over() -> Result<()> {
    let Some(stage) = Stage::new("what_comes_at_the_wrong_time_is_refused_or_passed_over")? else {
        return Ok(());
    };
    let mut client = LspClient::start(BINARY.as_ref(), stage.workspace.path())?;
    let document = json!({"uri": uri(&stage.script)});
    let place = json!({"textDocument": document, "position": {"line": 1, "character": 4}});
    let early = client.send("textDocument/hover", &place)?;
    let error = client
        .response(early)?
        .err()
        .context("an answer before initialize")?;
    ensure!(error["code"] == -32002, "{error}");
    client.initialize(stage.workspace.path(), &full_client(), &json!({}))?;

    // Documents that nobody opened, and changes to them.
    let params = json!({"textDocument": {"uri": "file:///nowhere.py"}, "position": {"line": 0, "character": 0}});
    let unknown = client.send("textDocument/hover", &params)?;
    if let Ok(answer) = client.response(unknown)? {
        ensure!(answer.is_null(), "{answer}");
    }
    let change = |uri: &Value, version: i32, text: &str| {
        json!({
            "textDocument": {"uri": uri, "version": version},
            "contentChanges": [{"text": text}],
        })
    };
    client.notify(
        "textDocument/didChange",
        &change(&json!("file:///nowhere.py"), 2, "x = 1"),
    )?;
    client.notify(
        "textDocument/didClose",
        &json!({"textDocument": {"uri": "file:///nowhere.py"}}),
    )?;

    // Versions that do not grow, and a line that does not exist.
    let uri = client.open(&stage.script)?;
    let changed = PROGRAM.replace("result = n * 2", "result = n * 3");
    client.notify("textDocument/didChange", &change(&json!(uri), 7, &changed))?;
    ensure!(text_of(&hints(&mut client, &uri)?, 2).is_empty());
    client.notify("textDocument/didChange", &change(&json!(uri), 3, PROGRAM))?;
    let shown = hints(&mut client, &uri)?;
    let restored = text_of(&shown, 2) == "= 98 · last of 50";
    ensure!(restored || text_of(&shown, 2).is_empty(), "{shown:?}");
    let far =
        json!({"textDocument": {"uri": uri}, "position": {"line": 4_000_000, "character": 7}});
    let far = client.send("textDocument/hover", &far)?;
    client.response(far)?.ok();
    let backward = json!({
        "textDocument": {"uri": uri},
        "range": {"start": {"line": 9, "character": 0}, "end": {"line": 2, "character": 0}},
    });
    let backward = client.send("textDocument/inlayHint", &backward)?;
    client.response(backward)?.ok();
    let nothing = client.send("retrostep/noSuchMethod", &json!({}))?;
    let error = client.response(nothing)?.err().context("no such method")?;
    ensure!(error["code"] == -32601, "{error}");
    client.notify("textDocument/didChange", &change(&json!(uri), 8, PROGRAM))?;
    let shown = hints(&mut client, &uri)?;
    ensure!(text_of(&shown, 2) == "= 98 · last of 50", "{shown:?}");
    client.finish()
}
