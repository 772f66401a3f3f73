//! Conversations with `retrostep dap`, from the first byte to the last.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use protocol_tests::client::{Answer, Client};
use protocol_tests::programs::{checkout, mark};
use protocol_tests::pythons;
use protocol_tests::replay::{
    Landing, go, look, open, position, set_breakpoints, variables_of_frame,
};
use protocol_tests::run::{record_command, run};
use protocol_tests::schema;
use protocol_tests::skip::skip;
use serde_json::{Value, json};

#[path = "protocol/data_breakpoints.rs"]
mod data_breakpoints;
#[path = "protocol/launching.rs"]
mod launching;
#[path = "protocol/long_lists.rs"]
mod long_lists;
#[path = "protocol/opening.rs"]
mod opening;

const BINARY: &str = env!("CARGO_BIN_EXE_retrostep");

fn python(test: &str) -> Option<PathBuf> {
    let newest = pythons::newest();
    if newest.is_none() {
        skip(test, "no Python from 3.9 to 3.14 was found");
    }
    newest.map(|python| python.path)
}

fn shop(file: &str) -> PathBuf {
    checkout().join("samples/python/shop").join(file)
}

/// A recording of the shop, and the folder it lies in.
fn recorded_shop(test: &str) -> Result<Option<(tempfile::TempDir, PathBuf)>> {
    let Some(python) = python(test) else {
        return Ok(None);
    };
    let folder = tempfile::tempdir()?;
    let recording = folder.path().join("shop.retro");
    let command = [python, shop("replay_orders.py")];
    let outcome = run(
        &mut record_command(BINARY.as_ref(), &recording, command),
        Duration::from_secs(60),
    )?;
    ensure!(
        outcome.status.code() == Some(1),
        "the shop fails: {outcome:?}"
    );
    Ok(Some((folder, recording)))
}

fn initialize(client: &mut Client) -> Result<Value> {
    client.request(
        "initialize",
        &json!({"adapterID": "retrostep", "supportsVariableType": true}),
    )
}

fn start() -> Result<Client> {
    Client::start(BINARY.as_ref(), &std::env::temp_dir())
}

fn move_on(client: &mut Client, command: &str) -> Result<Landing> {
    go(client, command, &json!({"threadId": 1}))
}

/// A folder that is a repository of its own, with files in it.
fn folder_with(files: &[(&str, &str)]) -> Result<tempfile::TempDir> {
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join(".git"))?;
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text)?;
    }
    Ok(folder)
}

/// Events of a launch that a test says nothing about.
const SURROUNDINGS: &[&str] = &[
    "breakpoint",
    "continued",
    "initialized",
    "process",
    "progressEnd",
    "progressStart",
    "progressUpdate",
    "retrostep/position",
];

#[test]
fn a_launch_records_and_replays_at_the_exception() -> Result<()> {
    let Some(python) = python("a_launch_records") else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let recording = folder.path().join("launched.retro");
    let mut client = start()?;
    client.ignore(&[
        "retrostep/position",
        "process",
        "thread",
        "progressStart",
        "progressUpdate",
        "progressEnd",
    ]);
    initialize(&mut client)?;
    let launch = client.send(
        "launch",
        &json!({"program": shop("replay_orders.py"), "python": python, "out": recording, "cwd": folder.path()}),
    )?;
    client.event("initialized")?;
    client.request("configurationDone", &Value::Null)?;
    let Answer::Success(_) = client.response(launch)? else {
        return Err(client.failure("launch was refused"));
    };
    let stopped = client.event("stopped")?;
    ensure!(stopped["reason"] == "exception", "{stopped}");
    ensure!(stopped["allThreadsStopped"] == true, "{stopped}");
    let thread = stopped["threadId"].as_u64().context("threadId")?;
    let stop = look(&mut client, thread, true)?;
    ensure!(stop.line == mark(&shop("pricing.py"), "raise")?, "{stop:?}");
    let variables = stop.variables.unwrap_or_default();
    let codes = ["'LOYAL20'"; 6].join(", ");
    ensure!(
        variables.get("codes") == Some(&format!("[{codes}]")),
        "{variables:?}"
    );
    let written = client.take_events("output");
    let stdout: String = written
        .iter()
        .filter(|output| output["category"] == "stdout")
        .filter_map(|output| output["output"].as_str())
        .collect();
    ensure!(stdout.lines().count() == 31, "{stdout}");
    ensure!(stdout.starts_with("1 Omar 2 117.45\n"), "{stdout}");
    ensure!(
        written
            .iter()
            .any(|output| output["line"] == 18 && output["source"]["path"].is_string()),
        "no output says which line wrote it: {written:?}"
    );
    ensure!(
        recording.exists(),
        "launch did not write to its argument `out`"
    );
    client.finish()
}

#[test]
fn a_data_breakpoint_stops_backward_at_the_lines_that_write() -> Result<()> {
    let Some((_folder, recording)) = recorded_shop("a_data_breakpoint")? else {
        return Ok(());
    };
    let mut client = open(BINARY.as_ref(), &recording)?;
    let (_, end) = position(&mut client)?;
    protocol_tests::replay::seek(&mut client, end)?;
    client.request("setExceptionBreakpoints", &json!({"filters": ["uncaught"]}))?;
    let landing = move_on(&mut client, "reverseContinue")?;
    ensure!(landing.reason == "exception", "{landing:?}");
    let stack = client.request("stackTrace", &json!({"threadId": 1}))?;
    let frame = &stack["stackFrames"][0]["id"];
    let info = client.request(
        "dataBreakpointInfo",
        &json!({"name": "codes", "frameId": frame}),
    )?;
    let id = info["dataId"]
        .as_str()
        .with_context(|| format!("no data id: {info}"))?;
    client.request(
        "setDataBreakpoints",
        &json!({"breakpoints": [{"dataId": id}]}),
    )?;
    client.request("setExceptionBreakpoints", &json!({"filters": []}))?;
    // In this frame: the rebinding to the same list is no change, the append in the callee is one, and
    // so is the binding of the argument.
    let landing = move_on(&mut client, "reverseContinue")?;
    ensure!(landing.reason == "data breakpoint", "{landing:?}");
    ensure!(landing.description.contains("codes"), "{landing:?}");
    let stop = look(&mut client, landing.thread, false)?;
    ensure!(
        stop.line == mark(&shop("pricing.py"), "append")?,
        "{stop:?}"
    );
    client.finish()
}

#[test]
fn plain_clients_get_backward_steps_through_the_console() -> Result<()> {
    let Some((_folder, recording)) = recorded_shop("plain_clients")? else {
        return Ok(());
    };
    let mut client = open(BINARY.as_ref(), &recording)?;
    for _ in 0..6 {
        move_on(&mut client, "stepIn")?;
    }
    let (there, _) = position(&mut client)?;
    move_on(&mut client, "stepIn")?;
    let say = |client: &mut Client, text: &str| {
        client.request("evaluate", &json!({"expression": text, "context": "repl"}))
    };
    say(&mut client, "direction backward")?;
    move_on(&mut client, "stepIn")?;
    let (back, _) = position(&mut client)?;
    ensure!(
        back == there,
        "stepIn under direction backward stands at {back}, not {there}"
    );
    say(&mut client, "direction forward")?;
    let help = say(&mut client, "help")?;
    ensure!(
        help["result"]
            .as_str()
            .is_some_and(|text| text.contains("history")),
        "{help}"
    );
    client.finish()
}

#[test]
fn a_log_point_tells_its_whole_past_at_once() -> Result<()> {
    let Some((_folder, recording)) = recorded_shop("a_log_point")? else {
        return Ok(());
    };
    let mut client = open(BINARY.as_ref(), &recording)?;
    let path = shop("pricing.py");
    let line = mark(&path, "append")?;
    client.take_events("output");
    client.request(
        "setBreakpoints",
        &json!({"source": {"path": path}, "breakpoints": [{"line": line, "logMessage": "{customer.name} has {len(codes)}"}]}),
    )?;
    let mut text = String::new();
    while text.matches(" has ").count() < 6 {
        text.push_str(
            client.event("output")?["output"]
                .as_str()
                .unwrap_or_default(),
        );
    }
    for (number, name) in ["Omar", "Ada", "Vik", "Mei", "Jo", "Sven"]
        .iter()
        .enumerate()
    {
        ensure!(
            text.contains(&format!("'{name}' has {number}"))
                || text.contains(&format!("{name} has {number}")),
            "{text}"
        );
    }
    client.finish()
}

#[test]
fn a_recording_cannot_be_changed() -> Result<()> {
    let Some((_folder, recording)) = recorded_shop("cannot_be_changed")? else {
        return Ok(());
    };
    let mut client = open(BINARY.as_ref(), &recording)?;
    let why = client.refused(
        "setVariable",
        &json!({"variablesReference": 1, "name": "x", "value": "1"}),
    )?;
    ensure!(
        why.contains("recording") && why.contains("changed"),
        "{why}"
    );
    client.finish()
}

#[test]
fn the_recorded_text_is_shown_when_the_file_is_gone() -> Result<()> {
    let Some(python) = python("the_recorded_text") else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("gone.py");
    std::fs::write(&script, "value = 1\nvalue += 1\n")?;
    let recording = folder.path().join("gone.retro");
    run(
        &mut record_command(BINARY.as_ref(), &recording, [&python, &script]),
        Duration::from_secs(60),
    )?;
    std::fs::remove_file(&script)?;
    let mut client = open(BINARY.as_ref(), &recording)?;
    let stack = client.request("stackTrace", &json!({"threadId": 1}))?;
    let source = &stack["stackFrames"][0]["source"];
    let reference = source["sourceReference"].as_u64().unwrap_or_default();
    let body = client.request(
        "source",
        &json!({"source": source, "sourceReference": reference}),
    )?;
    ensure!(body["content"] == "value = 1\nvalue += 1\n", "{body}");
    set_breakpoints(&mut client, &script.to_string_lossy(), &[2])?;
    let landing = move_on(&mut client, "continue")?;
    ensure!(landing.reason == "breakpoint", "{landing:?}");
    client.finish()
}

#[test]
fn every_capability_has_a_handler_and_every_handler_a_capability() -> Result<()> {
    let Some((_folder, recording)) = recorded_shop("every_capability")? else {
        return Ok(());
    };
    let mut probe = start()?;
    let capabilities = initialize(&mut probe)?;
    probe.ignore(&["initialized"]);
    probe.finish()?;
    let mut client = open(BINARY.as_ref(), &recording)?;
    for (command, capability) in [
        ("breakpointLocations", "supportsBreakpointLocationsRequest"),
        ("cancel", "supportsCancelRequest"),
        ("completions", "supportsCompletionsRequest"),
        ("dataBreakpointInfo", "supportsDataBreakpoints"),
        ("disassemble", "supportsDisassembleRequest"),
        ("exceptionInfo", "supportsExceptionInfoRequest"),
        ("goto", "supportsGotoTargetsRequest"),
        ("gotoTargets", "supportsGotoTargetsRequest"),
        ("loadedSources", "supportsLoadedSourcesRequest"),
        ("modules", "supportsModulesRequest"),
        ("readMemory", "supportsReadMemoryRequest"),
        ("restart", "supportsRestartRequest"),
        ("restartFrame", "supportsRestartFrame"),
        ("setExpression", "supportsSetExpression"),
        ("setFunctionBreakpoints", "supportsFunctionBreakpoints"),
        (
            "setInstructionBreakpoints",
            "supportsInstructionBreakpoints",
        ),
        ("stepInTargets", "supportsStepInTargetsRequest"),
        ("terminateThreads", "supportsTerminateThreadsRequest"),
        ("writeMemory", "supportsWriteMemoryRequest"),
    ] {
        ensure!(
            schema::commands().iter().any(|known| known == command),
            "{command} is no request"
        );
        if command == "restart" {
            continue;
        }
        // Without the arguments each needs: a known request complains about them, an unknown one about itself.
        let text =
            format!(r#"{{"seq":7000,"type":"request","command":"{command}","arguments":{{}}}}"#);
        client.send_text(7000, &text)?;
        let answer = client.response(7000)?;
        let unknown = match &answer {
            Answer::Success(_) => false,
            Answer::Refusal(response) => {
                response.to_string().contains("unknown")
                    || response.to_string().contains("not supported")
            }
        };
        let advertised = capabilities.get(capability) == Some(&Value::Bool(true));
        ensure!(
            advertised != unknown,
            "{command}: {capability} is {advertised}, the answer {answer:?}"
        );
    }
    client.take_events("stopped");
    client.finish()
}

#[test]
fn hostile_bytes_are_answered_or_end_the_conversation_cleanly() -> Result<()> {
    let hello =
        r#"{"seq":1,"type":"request","command":"initialize","arguments":{"adapterID":"x"}}"#;
    let mut client = start()?;
    client.ignore(&["initialized"]);
    // Cut anywhere, other headers, names in other cases, two messages in one write.
    let whole = format!(
        "X-Other: y\r\ncontent-length: {}\r\n\r\n{hello}",
        hello.len()
    );
    client.expect(1);
    for byte in whole.as_bytes() {
        client.send_raw(&[*byte])?;
    }
    ensure!(
        matches!(client.response(1)?, Answer::Success(_)),
        "initialize in single bytes"
    );
    let threads = r#"{"seq":2,"type":"request","command":"threads"}"#;
    let unknown = r#"{"seq":3,"type":"request","command":"no such thing","arguments":[1]}"#;
    let framed = |text: &str| format!("Content-Length: {}\r\n\r\n{text}", text.len());
    client.expect(2);
    client.expect(3);
    client.send_raw(format!("{}{}", framed(threads), framed(unknown)).as_bytes())?;
    ensure!(
        matches!(client.response(2)?, Answer::Refusal(_)),
        "threads before there is a recording"
    );
    ensure!(
        matches!(client.response(3)?, Answer::Refusal(_)),
        "an unknown request"
    );
    for (sequence, arguments) in [
        (4, "null"),
        (5, "{}"),
        (6, "\"text\""),
        (7, r#"{"threadId":"one"}"#),
        (8, r#"{"threadId":-1}"#),
    ] {
        let text = format!(
            r#"{{"seq":{sequence},"type":"request","command":"stackTrace","arguments":{arguments}}}"#
        );
        client.send_text(sequence, &text)?;
        ensure!(
            matches!(client.response(sequence)?, Answer::Refusal(_)),
            "stackTrace {arguments}"
        );
    }
    let cancel = r#"{"seq":9,"type":"request","command":"cancel","arguments":{"requestId":3}}"#;
    client.send_text(9, cancel)?;
    client.response(9)?;
    client.finish()
}

#[test]
fn what_is_no_message_does_not_hang() -> Result<()> {
    for bytes in [
        &b"Content-Length: 99999999999999\r\n\r\n"[..],
        b"Content-Length: -5\r\n\r\n{}",
        b"Content-Length: 7\r\n\r\nnotjson",
        b"Content-Length: 2\r\n\r\n[]",
        b"GET / HTTP/1.1\r\nOrigin: http://example.com\r\n\r\n",
        b"\r\n\r\n\r\n",
        b"Content-Length: 50\r\n\r\n{\"seq\":1",
    ] {
        let mut command = std::process::Command::new(BINARY);
        let file = tempfile::NamedTempFile::new()?;
        std::fs::write(file.path(), bytes)?;
        command.arg("dap").stdin(std::fs::File::open(file.path())?);
        let outcome = run(&mut command, Duration::from_secs(20))?;
        ensure!(
            outcome.status.code().is_some_and(|code| code != 101)
                && !outcome.stderr.contains("panicked"),
            "{:?}: {outcome:?}",
            String::from_utf8_lossy(bytes)
        );
    }
    Ok(())
}

#[test]
fn a_program_that_cannot_be_recorded_is_refused_by_name() -> Result<()> {
    let Some(python) = python("cannot_be_recorded") else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let absent = folder.path().join("absent.py");
    for (arguments, name) in [
        (json!({"program": absent, "python": python}), "absent.py"),
        (
            json!({"program": shop("replay_orders.py"), "python": "/nonexistent/python"}),
            "/nonexistent/python",
        ),
        (json!({}), "program"),
    ] {
        let mut client = start()?;
        client.ignore(&[
            "initialized",
            "output",
            "process",
            "progressStart",
            "progressEnd",
        ]);
        initialize(&mut client)?;
        let launch = client.send("launch", &arguments)?;
        let configured = client.send("configurationDone", &Value::Null)?;
        client.response(configured)?;
        match client.response(launch)? {
            Answer::Success(_) => return Err(client.failure("the launch was not refused")),
            Answer::Refusal(response) => {
                ensure!(
                    response.to_string().contains(name),
                    "does not name {name}: {response}"
                );
            }
        }
        client.finish()?;
    }
    Ok(())
}

#[test]
fn threads_scopes_and_variables_are_paged_and_keep_their_handles() -> Result<()> {
    let Some((_folder, recording)) = recorded_shop("handles")? else {
        return Ok(());
    };
    let mut client = open(BINARY.as_ref(), &recording)?;
    let path = shop("pricing.py");
    set_breakpoints(
        &mut client,
        &path.to_string_lossy(),
        &[mark(&path, "append")?],
    )?;
    move_on(&mut client, "continue")?;
    let stack = client.request(
        "stackTrace",
        &json!({"threadId": 1, "startFrame": 1, "levels": 1}),
    )?;
    ensure!(
        stack["stackFrames"].as_array().map(Vec::len) == Some(1),
        "{stack}"
    );
    let all = client.request("stackTrace", &json!({"threadId": 1}))?;
    ensure!(
        all["stackFrames"][1]["id"] == stack["stackFrames"][0]["id"],
        "{all}"
    );
    let first = variables_of_frame(&mut client, &all["stackFrames"][0]["id"])?;
    ensure!(
        first.contains_key("codes") && first.contains_key("customer"),
        "{first:?}"
    );
    let bad = client.refused("variables", &json!({"variablesReference": 987_654_321}))?;
    ensure!(!bad.is_empty(), "an unknown handle is refused with words");
    let scopes = client.request("scopes", &json!({"frameId": all["stackFrames"][0]["id"]}))?;
    let again = client.request("scopes", &json!({"frameId": all["stackFrames"][0]["id"]}))?;
    ensure!(
        scopes == again,
        "the same scope has the same handle\n{scopes}\n{again}"
    );
    client.finish()
}

#[test]
fn the_recordings_are_found_from_any_folder() -> Result<()> {
    let Some((folder, recording)) = recorded_shop("any_folder")? else {
        return Ok(());
    };
    let relative = Path::new(recording.file_name().context("a name")?);
    let mut client = Client::start(BINARY.as_ref(), folder.path())?;
    client.ignore(&["initialized", "output", "retrostep/position"]);
    initialize(&mut client)?;
    let attach = client.send("attach", &json!({"recording": relative}))?;
    client.request("configurationDone", &Value::Null)?;
    ensure!(
        matches!(client.response(attach)?, Answer::Success(_)),
        "a relative path"
    );
    client.event("stopped")?;
    client.finish()
}
