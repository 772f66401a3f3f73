//! Clients that are in a hurry, mistaken or malicious.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::Client;
use crate::launcher::FakeLauncher;
use crate::shop::Shop;

fn new_client() -> Client {
    Client::new(Arc::new(FakeLauncher::default()))
}

/// A client at the start of a recording with a breakpoint whose condition is never true.
fn searching(shop: &Shop) -> Client {
    let mut client = new_client();
    client.request("initialize", json!({"adapterID": "retrostep"}));
    begin_search(client, shop)
}

fn begin_search(mut client: Client, shop: &Shop) -> Client {
    let seq = client.send(
        "attach",
        json!({"recording": shop.recording(), "position": 0}),
    );
    client.wait("initialized", |message| message["event"] == "initialized");
    client.answer(seq);
    // It never holds, and takes so long that no search ends before it is cancelled.
    let slow = json!({"line": 3, "condition": "len([x for x in range(20_000)]) == 0"});
    client.request(
        "setBreakpoints",
        json!({"source": {"path": shop.source()}, "breakpoints": [slow]}),
    );
    client.request("configurationDone", Value::Null);
    client.stopped();
    client
}

#[test]
fn frames_may_be_cut_anywhere_and_come_together() {
    let mut client = new_client();
    let first =
        r#"{"seq":1,"type":"request","command":"initialize","arguments":{"adapterID":"ä"}}"#;
    let second = r#"{"seq":2,"type":"request","command":"configurationDone"}"#;
    let bytes = format!(
        "content-length: {}\r\nContent-Type: x\r\n\r\n{first}CONTENT-LENGTH:{}\r\n\r\n{second}",
        first.len(),
        second.len()
    );
    for byte in bytes.as_bytes() {
        client.send_bytes(&[*byte]);
    }
    assert_eq!(client.answer(1)["success"], true);
    assert_eq!(client.answer(2)["success"], true);
    client.send_bytes(
        bytes
            .replace("\"seq\":1", "\"seq\":3")
            .replace("\"seq\":2", "\"seq\":4")
            .as_bytes(),
    );
    assert_eq!(client.answer(3)["success"], false);
    assert_eq!(client.answer(4)["success"], true);
    client.finish();
}

#[test]
fn bytes_that_are_no_frames_end_the_connection() {
    for bytes in [
        "Content-Length: x\r\n\r\n",
        "Content-Length: 99999999999999\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "Content-Length: 2\r\nOrigin: https://example.com\r\n\r\n{}",
        "\r\n",
        "Content-Length: 50\r\n\r\n{}",
    ] {
        let mut client = new_client();
        client.send_bytes(bytes.as_bytes());
        assert!(client.end().is_err(), "{bytes:?}");
    }
}

#[test]
fn content_that_is_no_message_is_passed_over() {
    let mut client = new_client();
    for content in ["", "null", "{", "[]", "{\"type\":\"request\"}", "\u{0}"] {
        client.send_bytes(format!("Content-Length: {}\r\n\r\n{content}", content.len()).as_bytes());
    }
    client.initialize();
    client.finish();
}

#[test]
fn every_request_gets_one_answer_in_every_state() {
    let shop = Shop::new();
    let commands = [
        "attach",
        "breakpointLocations",
        "cancel",
        "completions",
        "configurationDone",
        "continue",
        "dataBreakpointInfo",
        "evaluate",
        "exceptionInfo",
        "goto",
        "gotoTargets",
        "initialize",
        "launch",
        "loadedSources",
        "modules",
        "next",
        "pause",
        "restart",
        "restartFrame",
        "retrostep/history",
        "retrostep/hits",
        "retrostep/overview",
        "retrostep/seek",
        "retrostep/stepBackInto",
        "retrostep/stepBackOut",
        "reverseContinue",
        "scopes",
        "setBreakpoints",
        "setDataBreakpoints",
        "setExceptionBreakpoints",
        "setFunctionBreakpoints",
        "setVariable",
        "source",
        "stackTrace",
        "stepBack",
        "stepIn",
        "stepOut",
        "threads",
        "variables",
        "nonsense",
        "",
    ];
    let mut client = new_client();
    let ask_all = |client: &mut Client, arguments: &Value| {
        for command in commands {
            let seq = client.send(command, arguments.clone());
            let answer = client.answer(seq);
            assert_eq!(answer["command"], command);
        }
    };
    for command in commands.iter().filter(|command| **command != "initialize") {
        let refused = client.refused(command, json!({}));
        assert!(refused.contains("initialize"), "{command}: {refused}");
    }
    client.initialize();
    ask_all(&mut client, &json!({"threadId": "one", "line": []}));
    let seq = client.send("attach", json!({"recording": shop.recording()}));
    client.wait("initialized", |message| message["event"] == "initialized");
    client.answer(seq);
    client.stopped();
    for arguments in [
        Value::Null,
        json!([]),
        json!({"threadId": 99, "frameId": 99, "variablesReference": 99, "targetId": 1_000_000}),
    ] {
        for command in commands.iter().filter(|command| **command != "restart") {
            let seq = client.send(command, arguments.clone());
            client.answer(seq);
        }
    }
    client.refused("nonsense", json!({}));
    client.finish_quietly();
}

#[test]
fn a_search_is_answered_while_it_runs_and_can_be_ended() {
    let shop = Shop::with_rounds(40_000);
    let mut client = searching(&shop);
    client.request("continue", json!({"threadId": 1}));
    client.request("pause", json!({"threadId": 1}));
    let (stopped, position) = client.stopped();
    assert_eq!(stopped["description"], "Search cancelled");
    assert_eq!(position["position"], 0);

    let seq = client.send("continue", json!({"threadId": 1}));
    assert_eq!(client.answer(seq)["success"], true);
    let waiting = client.send("next", json!({"threadId": 1}));
    client.request("cancel", json!({"requestId": waiting}));
    client.request("cancel", json!({"requestId": seq}));
    let (stopped, _) = client.stopped();
    assert_eq!(stopped["description"], "Search cancelled");
    assert_eq!(client.answer(waiting)["message"], "cancelled");
    client.request("cancel", json!({"requestId": seq}));
    client.request("cancel", json!({}));

    client.request("continue", json!({"threadId": 1}));
    let waiting = client.send("stackTrace", json!({"threadId": 1}));
    let disconnect = client.send("disconnect", Value::Null);
    assert_eq!(client.answer(waiting)["message"], "cancelled");
    assert_eq!(client.answer(disconnect)["success"], true);
    client.end().unwrap();
}

#[test]
fn a_client_that_vanishes_during_a_search_ends_the_connection() {
    let shop = Shop::with_rounds(40_000);
    let mut client = searching(&shop);
    client.request("continue", json!({"threadId": 1}));
    client.end().unwrap();
}

#[test]
fn the_progress_of_a_long_search_is_shown_and_ends_it() {
    let shop = Shop::with_rounds(40_000);
    let mut client = new_client();
    client.initialize();
    let mut client = begin_search(client, &shop);
    let path = shop.source();
    let slow = json!({"line": 7, "condition": "len([n for n in range(20_000)]) == 0"});
    client.request(
        "setBreakpoints",
        json!({"source": {"path": path}, "breakpoints": [slow]}),
    );
    let end = client.request("retrostep/position", Value::Null)["end"].clone();
    client.moves("retrostep/seek", json!({"position": end}));
    client.event("continued");
    client.request("reverseContinue", json!({"threadId": 1}));
    let start = client.event("progressStart");
    assert_eq!(start["title"], "Searching backward");
    assert_eq!(start["cancellable"], true);
    let told = |body: &Value| {
        let message = body["message"].as_str().unwrap_or_default().to_owned();
        let (percent, event) = message.split_once(" %, event ").unwrap();
        assert_eq!(body["percentage"], percent.parse::<u64>().unwrap());
        event.replace(',', "").parse::<u64>().unwrap()
    };
    let first = told(&start);
    let later = told(&client.event("progressUpdate"));
    assert!(later < first && first < end.as_u64().unwrap());
    client.request("cancel", json!({"progressId": start["progressId"]}));
    let (stopped, position) = client.stopped();
    assert_eq!(stopped["description"], "Search cancelled");
    assert_eq!(position["position"], end);
    assert_eq!(
        client.event("progressEnd")["progressId"],
        start["progressId"]
    );
    client.finish_quietly();
}
