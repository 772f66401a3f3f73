//! What `attach` opens, and who may ask for it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use protocol_tests::client::{Answer, Client};
use protocol_tests::replay::position;
use protocol_tests::run::{record_command, run};
use serde_json::{Value, json};

use super::{BINARY, SURROUNDINGS, folder_with, initialize, move_on, python, recorded_shop, start};

#[test]
fn what_cannot_be_opened_is_named() -> Result<()> {
    let Some((folder, recording)) = recorded_shop("cannot_be_opened")? else {
        return Ok(());
    };
    let intact = std::fs::read(&recording)?;
    let file = |name: &str, bytes: &[u8]| -> Result<PathBuf> {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes)?;
        Ok(path)
    };
    let mut newer = intact.clone();
    *newer.get_mut(8).context("a version")? = 99;
    for (recording, expected) in [
        (
            file("newer.retro", &newer)?,
            "made by a newer Retrostep (format 99",
        ),
        (
            file("text.retro", b"x = 1\n")?,
            "text.retro is not a Retrostep recording",
        ),
        (
            file("empty.retro", b"")?,
            "empty.retro is empty: its recording has not begun",
        ),
        (
            PathBuf::from("nothing"),
            "there is no recording \"nothing\"",
        ),
    ] {
        let mut client = Client::start(BINARY.as_ref(), folder.path())?;
        initialize(&mut client)?;
        let why = client.refused("attach", &json!({"recording": recording}))?;
        ensure!(why.contains(expected), "{why}");
        client.finish()?;
    }
    // One that is cut off or damaged opens, says what is missing, and answers everything.
    let mut damaged = intact.clone();
    for byte in damaged.iter_mut().skip(intact.len() / 2).take(8) {
        *byte ^= 0xff;
    }
    let cut = intact.get(..intact.len() / 2).unwrap_or_default();
    for (recording, expected) in [
        (file("cut.retro", cut)?, "The recording ends early"),
        (file("damaged.retro", &damaged)?, "The recording is damaged"),
    ] {
        let mut client = start()?;
        client.ignore(SURROUNDINGS);
        initialize(&mut client)?;
        let attach = client.send("attach", &json!({"recording": recording}))?;
        client.request("configurationDone", &Value::Null)?;
        let answer = client.response(attach)?;
        ensure!(matches!(answer, Answer::Success(_)), "{answer:?}");
        let said = client.event("output")?;
        ensure!(
            said["output"]
                .as_str()
                .is_some_and(|text| text.contains(expected)),
            "{said}"
        );
        let stopped = client.event("stopped")?;
        let thread = json!({"threadId": stopped["threadId"]});
        client.request("threads", &Value::Null)?;
        client.request("retrostep/position", &Value::Null)?;
        for command in ["stackTrace", "exceptionInfo"] {
            let sequence = client.send(command, &thread)?;
            client.response(sequence)?;
        }
        for command in ["reverseContinue", "continue", "stepBack", "next"] {
            client.request(command, &thread)?;
            client.event("stopped")?;
        }
        client.take_events("output");
        client.finish()?;
    }
    Ok(())
}

#[test]
fn a_recording_that_is_still_being_written_can_be_followed() -> Result<()> {
    let Some(python) = python("still_being_written") else {
        return Ok(());
    };
    let folder = folder_with(&[("busy.py", "n = 0\nwhile True:\n    n += 1\n")])?;
    let recording = folder.path().join("busy.retro");
    let mut recorder = record_command(
        BINARY.as_ref(),
        &recording,
        [&python, &folder.path().join("busy.py")],
    );
    // Together they are one process group, which the test ends.
    let mut recorder = {
        use std::os::unix::process::CommandExt as _;
        recorder
            .process_group(0)
            .stdout(std::process::Stdio::null())
            .spawn()?
    };
    let followed = follow(&recording);
    let group = format!("-{}", recorder.id());
    run(
        std::process::Command::new("kill").args(["-KILL", "--", &group]),
        Duration::from_secs(20),
    )?;
    recorder.wait()?;
    followed
}

/// Replays what there is of a recording, then what was added.
fn follow(recording: &Path) -> Result<()> {
    let deadline = std::time::Instant::now() + Duration::from_secs(60);
    while std::fs::metadata(recording).map_or(0, |file| file.len()) < 4_000 {
        ensure!(std::time::Instant::now() < deadline, "nothing is recorded");
        std::thread::yield_now();
    }
    let mut client = start()?;
    client.ignore(SURROUNDINGS);
    initialize(&mut client)?;
    let attach = client.send(
        "attach",
        &json!({"recording": recording, "position": "end"}),
    )?;
    client.request("configurationDone", &Value::Null)?;
    let answer = client.response(attach)?;
    ensure!(matches!(answer, Answer::Success(_)), "{answer:?}");
    let said = client.event("output")?;
    ensure!(
        said["output"]
            .as_str()
            .is_some_and(|text| text.contains("still being recorded")),
        "{said}"
    );
    client.event("stopped")?;
    let (_, end) = position(&mut client)?;
    while position(&mut client)?.1 == end {
        ensure!(std::time::Instant::now() < deadline, "nothing is added");
    }
    let landing = move_on(&mut client, "continue")?;
    ensure!(landing.description == "End of recording", "{landing:?}");
    let (there, _) = position(&mut client)?;
    ensure!(there > end, "{there} is not beyond {end}");
    client.finish()
}

#[test]
fn only_debug_clients_of_this_machine_are_served_over_tcp() -> Result<()> {
    use std::io::{BufRead as _, BufReader, Read as _, Write as _};
    for address in ["0.0.0.0:0", "192.0.2.1:4711", "[::]:0"] {
        let mut command = std::process::Command::new(BINARY);
        let outcome = run(
            command.args(["dap", "--listen", address]),
            Duration::from_secs(20),
        )?;
        ensure!(
            !outcome.status.success() && outcome.stderr.contains("loopback"),
            "{address}: {outcome:?}"
        );
    }
    let mut adapter = std::process::Command::new(BINARY)
        .args(["dap", "--listen", "127.0.0.1:0"])
        .stdout(std::process::Stdio::piped())
        .spawn()?;
    let mut line = String::new();
    BufReader::new(adapter.stdout.take().context("stdout")?).read_line(&mut line)?;
    let address = line.trim().strip_prefix("listening at ").map(str::to_owned);
    let talk = |bytes: &str| -> Result<String> {
        let mut stream = std::net::TcpStream::connect(address.as_deref().context("an address")?)?;
        stream.set_read_timeout(Some(Duration::from_secs(20)))?;
        stream.write_all(bytes.as_bytes())?;
        let mut answer = Vec::new();
        // A refused connection may be reset while bytes are under way.
        let _ = stream.read_to_end(&mut answer);
        Ok(String::from_utf8_lossy(&answer).into_owned())
    };
    let framed = |text: &str| format!("Content-Length: {}\r\n\r\n{text}", text.len());
    let hello = framed(r#"{"seq":1,"type":"request","command":"initialize"}"#);
    let bye = framed(r#"{"seq":2,"type":"request","command":"disconnect"}"#);
    let conversations = [
        talk(&format!("{hello}{bye}")),
        talk(&format!("Origin: http://example.com\r\n{hello}{bye}")),
        talk(&format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n\r\n{hello}"
        )),
    ];
    adapter.kill()?;
    adapter.wait()?;
    let [served, with_origin, over_http] = conversations;
    ensure!(
        served?.contains("supportsStepBack"),
        "a debug client is served"
    );
    let refused = (with_origin?, over_http?);
    ensure!(refused == (String::new(), String::new()), "{refused:?}");
    Ok(())
}
