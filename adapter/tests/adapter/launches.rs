//! Recording a program and then replaying it.

use std::sync::Arc;

use retrostep_adapter::{OutputStream, Report};
use serde_json::{Value, json};

use crate::client::Client;
use crate::launcher::FakeLauncher;
use crate::shop::Shop;

fn launched(shop: &Shop, more: Value) -> (Client, FakeLauncher, i64) {
    let launcher = FakeLauncher::default();
    let mut client = Client::new(Arc::new(launcher.clone()));
    client.initialize();
    let mut arguments = json!({"program": shop.source()});
    for (name, value) in more.as_object().unwrap() {
        arguments[name] = value.clone();
    }
    let seq = client.send("launch", arguments);
    client.event("progressStart");
    client.wait("initialized", |message| message["event"] == "initialized");
    (client, launcher, seq)
}

fn finished(shop: &Shop) -> Report {
    Report::Finished {
        recording: shop.recording(),
        events: 60,
        exit_code: Some(1),
        signal: None,
        notes: vec!["2 values were too long".into()],
    }
}

fn progress(events: u64) -> Report {
    Report::Progress {
        events,
        bytes: 10,
        elapsed_ms: 100,
    }
}

fn stderr(text: &str) -> Report {
    Report::Output {
        stream: OutputStream::Stderr,
        text: text.into(),
        position: None,
        source: None,
        line: None,
    }
}

#[test]
fn a_launch_records_and_then_replays() {
    let shop = Shop::new();
    let (mut client, launcher, seq) = launched(&shop, json!({"args": ["a"], "redact": ["iban"]}));
    {
        let asked = launcher.asked.lock().unwrap();
        let request = asked.request.as_ref().unwrap();
        assert_eq!(request.args, ["a"]);
        assert_eq!(request.redact, ["iban"]);
    }
    let body = client.request(
        "setBreakpoints",
        json!({
            "source": {"path": shop.source()},
            "breakpoints": [{"line": 2}, {"line": 99}],
        }),
    );
    assert_eq!(body["breakpoints"][0]["verified"], false);
    assert_eq!(body["breakpoints"][0]["reason"], "pending");
    client.request("setExceptionBreakpoints", json!({"filters": ["uncaught"]}));
    client.request("configurationDone", Value::Null);
    let threads = client.request("threads", Value::Null);
    assert_eq!(threads["threads"][0]["id"], 1);
    let refused = client.refused("stackTrace", json!({"threadId": 1}));
    assert_eq!(refused, "there is no replay yet");
    client.refused("pause", json!({"threadId": 1}));
    launcher.report(Report::Started {
        recording: shop.recording(),
        pid: 7,
    });
    assert_eq!(client.event("process")["systemProcessId"], 7);
    // What one line writes in pieces is one output.
    for (position, text) in [(55, "thr"), (56, "ee"), (57, "\n")] {
        launcher.report(Report::Output {
            stream: OutputStream::Stdout,
            text: text.into(),
            position: Some(position),
            source: Some(shop.source().to_str().unwrap().into()),
            line: Some(8),
        });
    }
    let output = client.event("output");
    assert_eq!(output["output"], "three\n");
    assert_eq!(output["category"], "stdout");
    assert_eq!(output["line"], 8);
    assert_eq!(output["data"]["position"], 55);
    launcher.report(progress(2_100_000));
    assert_eq!(client.answer(seq)["success"], true);
    assert_eq!(
        client.event("progressUpdate")["message"],
        "2.1M events, 0 s"
    );
    let position = client.event("retrostep/position");
    assert_eq!(position["state"], "recording");
    assert_eq!(position["status"], "Recording 2.1M events");
    launcher.report(finished(&shop));
    client.event("progressEnd");
    assert_eq!(client.event("output")["output"], "2 values were too long\n");
    let said = client.event("output")["output"].clone();
    assert_eq!(said, "shop ended with exit code 1; 60 events recorded\n");
    let first = client.event("breakpoint");
    assert_eq!(first["breakpoint"]["id"], body["breakpoints"][0]["id"]);
    assert_eq!(first["breakpoint"]["verified"], true);
    let second = client.event("breakpoint");
    assert_eq!(second["breakpoint"]["id"], body["breakpoints"][1]["id"]);
    assert_eq!(second["breakpoint"]["verified"], false);
    let (stopped, _) = client.stopped();
    assert_eq!(stopped["description"], "Raised ValueError");
    let (stopped, _) = client.moves("reverseContinue", json!({"threadId": 1}));
    assert_eq!(
        stopped["hitBreakpointIds"],
        json!([body["breakpoints"][0]["id"]])
    );
    client.finish();
}

#[test]
fn a_replay_waits_until_the_client_is_ready() {
    let shop = Shop::new();
    let (mut client, launcher, seq) = launched(&shop, json!({"stopAt": "entry"}));
    launcher.report(finished(&shop));
    client.event("progressEnd");
    client.event("output");
    client.event("output");
    assert_eq!(client.answer(seq)["success"], true);
    client.request("configurationDone", Value::Null);
    let (stopped, position) = client.stopped();
    assert_eq!(stopped["reason"], "entry");
    assert_eq!(position["position"], 0);
    client.finish();
}

#[test]
fn a_launch_that_fails_says_why() {
    let shop = Shop::new();
    let mut client = Client::new(Arc::new(FakeLauncher::default()));
    client.initialize();
    let refused = client.refused(
        "launch",
        json!({"program": shop.source(), "python": "python2.7"}),
    );
    assert_eq!(
        refused,
        "python2.7 is Python 2.7; Retrostep records 3.9 to 3.14"
    );
    let refused = client.refused("launch", json!({"program": "/no/such.py"}));
    assert!(refused.contains("/no/such.py does not exist"), "{refused}");
    client.finish();

    let (mut client, launcher, seq) = launched(&shop, json!({}));
    launcher.report(Report::Failed {
        message: "the disk is full".into(),
    });
    client.event("progressEnd");
    let answer = client.answer(seq);
    assert_eq!(answer["body"]["error"]["format"], "the disk is full");
    assert_eq!(answer["body"]["error"]["showUser"], true);
    client.finish();
}

#[test]
fn a_program_that_cannot_be_read_fails_the_launch() {
    let shop = Shop::with_nothing();
    let (mut client, launcher, seq) = launched(&shop, json!({}));
    client.request("configurationDone", Value::Null);
    launcher.report(stderr("  File \"/a/shop.py\", line 1\n    def\n       ^\n"));
    launcher.report(stderr("SyntaxError: invalid syntax\n"));
    launcher.report(finished(&shop));
    client.event("progressEnd");
    for _ in 0..4 {
        client.event("output");
    }
    let answer = client.answer(seq);
    let text = answer["body"]["error"]["format"].as_str().unwrap();
    assert!(text.contains("SyntaxError: invalid syntax"), "{text}");
    assert!(text.contains("/a/shop.py\", line 1"), "{text}");
    client.finish();
}

#[test]
fn terminate_and_disconnect_end_the_program() {
    let shop = Shop::new();
    let (mut client, launcher, seq) = launched(&shop, json!({}));
    client.request("terminate", Value::Null);
    assert!(launcher.stopped());
    client.event("progressEnd");
    assert_eq!(client.answer(seq)["message"], "cancelled");
    client.wait("terminated", |message| message["event"] == "terminated");
    client.finish();

    let (mut client, launcher, seq) = launched(&shop, json!({}));
    let disconnect = client.send("disconnect", Value::Null);
    assert_eq!(client.answer(seq)["message"], "cancelled");
    assert_eq!(client.answer(disconnect)["success"], true);
    client.end().unwrap();
    assert!(launcher.stopped());

    let (mut client, launcher, seq) = launched(&shop, json!({}));
    launcher.report(progress(1_000));
    client.answer(seq);
    client.event("progressUpdate");
    client.event("retrostep/position");
    client.end().unwrap();
    assert!(launcher.stopped());
}

#[test]
fn a_terminal_of_the_client_runs_the_program() {
    let shop = Shop::new();
    let (mut client, _, seq) = launched(&shop, json!({"console": "externalTerminal"}));
    let asked = client.wait("runInTerminal", |message| {
        message["command"] == "runInTerminal"
    });
    assert_eq!(asked["arguments"]["kind"], "external");
    assert_eq!(asked["arguments"]["args"], json!(["retrostep", "record"]));
    client.send_message(&json!({
        "seq": 900, "type": "response", "request_seq": asked["seq"], "success": false,
        "command": "runInTerminal", "message": "no screen",
    }));
    client.event("progressEnd");
    let answer = client.answer(seq);
    let text = answer["body"]["error"]["format"].as_str().unwrap();
    assert!(
        text.contains("could not open a terminal: no screen"),
        "{text}"
    );
    client.finish();
}

#[test]
fn restart_records_again() {
    let shop = Shop::new();
    let (mut client, launcher, seq) = launched(&shop, json!({}));
    client.request("configurationDone", Value::Null);
    launcher.report(finished(&shop));
    client.event("progressEnd");
    client.event("output");
    client.event("output");
    client.answer(seq);
    client.stopped();
    let arguments = json!({"arguments": {"program": shop.source(), "args": ["again"]}});
    client.request("restart", arguments);
    client.event("continued");
    client.event("progressStart");
    assert_eq!(
        launcher
            .asked
            .lock()
            .unwrap()
            .request
            .as_ref()
            .unwrap()
            .args,
        ["again"]
    );
    launcher.report(finished(&shop));
    client.event("progressEnd");
    client.event("output");
    client.event("output");
    client.stopped();
    client.finish();
}
