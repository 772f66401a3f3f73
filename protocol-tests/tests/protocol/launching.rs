//! What `launch` gives the program, and how it fails.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use protocol_tests::client::{Answer, Client};
use protocol_tests::run::run;
use serde_json::{Value, json};

use super::{SURROUNDINGS, folder_with, initialize, python, start};

fn launch(client: &mut Client, arguments: &Value) -> Result<Answer> {
    let launch = client.send("launch", arguments)?;
    client.request("configurationDone", &Value::Null)?;
    client.response(launch)
}

fn evaluate(client: &mut Client, expression: &str) -> Result<Value> {
    let arguments = json!({"expression": expression, "context": "watch"});
    Ok(client.request("evaluate", &arguments)?["result"].clone())
}

#[test]
fn a_launch_gives_the_program_what_it_was_asked_to() -> Result<()> {
    let Some(python) = python("a_launch_gives") else {
        return Ok(());
    };
    let folder = folder_with(&[
        (
            "app.py",
            "import os, sys\nimport inner, outer\nargs, cwd = sys.argv, os.getcwd()\n\
             seen = os.environ.get('SEEN'), os.environ.get('GONE')\niban = 'DE44'\n\
             print('a', 'b')\n",
        ),
        ("inner.py", "x = 1\n"),
        ("outer.py", "y = 2\n"),
    ])?;
    let mut client = start()?;
    client.ignore(SURROUNDINGS);
    initialize(&mut client)?;
    let answer = launch(
        &mut client,
        &json!({
            "program": "app.py", "python": python, "cwd": folder.path(), "args": ["-v", "a b"],
            "env": {"SEEN": "yes", "GONE": null}, "redact": ["iban"], "exclude": ["**/outer.py"],
            "stopAt": "end", "console": "internalConsole", "maxSize": "10MB",
        }),
    )?;
    ensure!(matches!(answer, Answer::Success(_)), "{answer:?}");
    let stopped = client.event("stopped")?;
    ensure!(stopped["description"] == "End of recording", "{stopped}");
    for (expression, expected) in [
        ("args", "['app.py', '-v', 'a b']".to_owned()),
        (
            "cwd",
            format!("'{}'", folder.path().canonicalize()?.display()),
        ),
        ("seen", "('yes', None)".to_owned()),
        ("iban", "redacted".to_owned()),
    ] {
        let value = evaluate(&mut client, expression)?;
        ensure!(value == *expected, "{expression} is {value}");
    }
    let sources = client.request("loadedSources", &Value::Null)?.to_string();
    ensure!(
        sources.contains("inner.py") && !sources.contains("outer.py"),
        "{sources}"
    );
    // What one line writes in pieces arrives as one, with the line that wrote it.
    let written = client.take_events("output");
    let line = written.iter().find(|output| output["output"] == "a b\n");
    ensure!(
        line.is_some_and(|output| output["line"] == 6 && output["data"]["position"].is_u64()),
        "{written:?}"
    );
    client.finish()
}

#[test]
fn a_program_that_reads_the_keyboard_runs_in_a_terminal_of_the_client() -> Result<()> {
    let Some(python) = python("reads_the_keyboard") else {
        return Ok(());
    };
    let folder = folder_with(&[("ask.py", "name = input('name? ')\nprint('hello', name)\n")])?;
    let mut client = start()?;
    client.ignore(SURROUNDINGS);
    client.ignore(&["output"]);
    client.request(
        "initialize",
        &json!({"adapterID": "retrostep", "supportsRunInTerminalRequest": true}),
    )?;
    let launch = client.send(
        "launch",
        &json!({
            "program": "ask.py", "python": python, "cwd": folder.path(), "stopAt": "end",
            "console": "integratedTerminal",
        }),
    )?;
    client.request("configurationDone", &Value::Null)?;
    let asked = client.reverse_request("runInTerminal")?;
    let arguments = &asked["arguments"];
    ensure!(arguments["kind"] == "integrated", "{asked}");
    let words: Vec<&str> = (arguments["args"].as_array().into_iter().flatten())
        .filter_map(Value::as_str)
        .collect();
    let (program, words) = words.split_first().context("a command")?;
    let input = folder.path().join("keys");
    std::fs::write(&input, "Ada\n")?;
    let mut terminal = std::process::Command::new(program);
    terminal
        .args(words)
        .current_dir(arguments["cwd"].as_str().context("cwd")?)
        .stdin(std::fs::File::open(&input)?);
    client.answer(&asked, &json!({}))?;
    let outcome = run(&mut terminal, Duration::from_secs(60))?;
    ensure!(outcome.stdout.contains("hello Ada"), "{outcome:?}");
    let answer = client.response(launch)?;
    ensure!(matches!(answer, Answer::Success(_)), "{answer:?}");
    client.event("stopped")?;
    let name = evaluate(&mut client, "name")?;
    ensure!(name == "'Ada'", "{name}");
    client.finish()
}

#[test]
fn what_is_wrong_with_a_launch_is_named() -> Result<()> {
    let Some(python) = python("wrong_with_a_launch") else {
        return Ok(());
    };
    let folder = folder_with(&[
        ("broken.py", "def broken(:\n    pass\n"),
        ("fine.py", "x = 1\n"),
        ("lib", "x = 1\n"),
    ])?;
    for (arguments, expected) in [
        (
            json!({"program": "broken.py", "python": python}),
            &["SyntaxError", "broken.py", "line 1", "Correct the program"][..],
        ),
        (
            json!({"module": "no_such_module", "python": python}),
            &["no_such_module"],
        ),
        (
            json!({"program": "fine.py", "python": "/no/such/python"}),
            &["/no/such/python does not exist", "\"python\""],
        ),
        (
            json!({"program": "fine.py", "args": "-v"}),
            &["\"args\"", "expected a sequence"],
        ),
        (
            json!({"program": "fine.py", "env": {"PORT": 8080}}),
            &["\"env\""],
        ),
        (
            json!({"program": "fine.py", "maxSize": "a lot"}),
            &["\"maxSize\"", "a lot"],
        ),
        (
            json!({"program": "fine.py", "console": "tv"}),
            &["\"console\"", "internalConsole"],
        ),
        (
            json!({"program": "fine.py", "out": "/no/such/folder/x.retro"}),
            &["/no/such/folder/x.retro"],
        ),
    ] {
        let mut client = start()?;
        client.ignore(SURROUNDINGS);
        client.ignore(&["output"]);
        initialize(&mut client)?;
        let mut arguments = arguments;
        arguments["cwd"] = json!(folder.path());
        let Answer::Refusal(response) = launch(&mut client, &arguments)? else {
            return Err(client.failure(&format!("{arguments} was not refused")));
        };
        let format = response["body"]["error"]["format"].as_str().unwrap_or("");
        ensure!(
            expected.iter().all(|part| format.contains(part)),
            "{arguments}: {response}"
        );
        ensure!(response["body"]["error"]["showUser"] == true, "{response}");
        // The client may correct it and try again.
        let Answer::Success(_) = launch(
            &mut client,
            &json!({"program": "lib", "python": python, "cwd": folder.path(), "stopAt": "entry"}),
        )?
        else {
            return Err(client.failure("a second launch was refused"));
        };
        client.event("stopped")?;
        client.finish()?;
    }
    Ok(())
}

#[test]
fn a_program_whose_adapter_is_killed_is_ended() -> Result<()> {
    let Some(python) = python("adapter_is_killed") else {
        return Ok(());
    };
    let folder = folder_with(&[(
        "server.py",
        "import time\nprint('ready', flush=True)\nwhile True:\n    time.sleep(0.02)\n",
    )])?;
    let mut client = start()?;
    client.ignore(SURROUNDINGS);
    initialize(&mut client)?;
    client.send(
        "launch",
        &json!({"program": "server.py", "python": python, "cwd": folder.path(), "out": "server.retro"}),
    )?;
    client.request("configurationDone", &Value::Null)?;
    client.event("output")?;
    let process = client.event("process")?;
    let program = process["systemProcessId"].as_u64().context("a process")?;
    let program = std::path::Path::new("/proc").join(program.to_string());
    ensure!(program.exists(), "the program runs: {process}");
    let mut kill = std::process::Command::new("kill");
    run(
        kill.args(["-KILL", &client.pid().to_string()]),
        Duration::from_secs(10),
    )?;
    let deadline = Instant::now() + Duration::from_secs(20);
    while program.exists() {
        ensure!(Instant::now() < deadline, "the program still runs");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
