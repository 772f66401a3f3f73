//! Requests that run while other things happen.

use serde_json::{Value, json};

use super::client::{Client, capabilities};
use crate::handlers::requests::gated;

const URI: &str = "file:///nowhere/a.py";

fn client() -> Client {
    Client::introduced(json!({"capabilities": {}})).0
}

/// Waits until everything was taken in that was sent so far.
fn settle(client: &mut Client) {
    client.refused("no/such", json!({}));
}

fn change(version: i64, text: &str) -> Value {
    json!({"textDocument": {"uri": URI, "version": version}, "contentChanges": [{"text": text}]})
}

#[test]
fn a_request_that_runs_is_cancelled_at_once() {
    let mut client = client();
    // More than there are threads.
    let ids: Vec<i64> = (0..9)
        .map(|_| client.send("test/wait", json!({"gate": "never"})))
        .collect();
    for id in &ids {
        client.notify("$/cancelRequest", json!({"id": id}));
        assert_eq!(client.error(*id), -32800);
    }
    // The threads are free again, and nothing is answered twice.
    assert_eq!(client.request("test/wait", json!({})), "waited");
    client.leave();
}

#[test]
fn a_late_answer_is_given_only_where_its_places_are_right() {
    let mut client = client();
    client.open(URI, "x = 1\n");
    let document = json!({"uri": URI});
    let late = client.send(
        "test/text",
        json!({"textDocument": document, "gate": "late"}),
    );
    let other = client.send("test/wait", json!({"gate": "late"}));
    client.notify("textDocument/didChange", change(2, "def f():\n    pass\n"));
    settle(&mut client);
    gated::open("late");
    assert_eq!(client.error(late), -32801);
    assert_eq!(client.result(other), "waited");
    let now = client.request("test/text", json!({"textDocument": document}));
    let text = "def f():\n    pass\n";
    assert_eq!(now, json!({"text": text, "version": 2, "definitions": 1}));
    // Of a document that was closed nothing is right.
    let late = client.send(
        "test/text",
        json!({"textDocument": document, "gate": "closed"}),
    );
    client.notify("textDocument/didClose", json!({"textDocument": document}));
    settle(&mut client);
    gated::open("closed");
    assert_eq!(client.error(late), -32801);
    assert_eq!(
        client.refused("test/text", json!({"textDocument": document})),
        -32602
    );
    client.leave();
}

#[test]
fn a_fault_is_the_answer_to_one_request() {
    let mut client = client();
    for _ in 0..9 {
        assert_eq!(client.refused("test/wait", json!({"panics": true})), -32603);
    }
    assert_eq!(client.request("test/wait", json!({})), "waited");
    client.leave();
}

#[test]
fn shutdown_cancels_what_runs() {
    let mut client = client();
    let running = client.send("test/wait", json!({"gate": "never"}));
    let shutdown = client.send("shutdown", Value::Null);
    assert_eq!(client.error(running), -32800);
    client.result(shutdown);
    client.notify("exit", Value::Null);
    let (unseen, ended) = client.ended();
    assert!(unseen.is_empty(), "{unseen:?}");
    ended.unwrap();
}

#[test]
fn what_takes_long_shows_its_progress_and_can_be_cancelled() {
    let (mut client, _) = Client::introduced(json!({"capabilities": capabilities()}));
    let running = client.send("test/wait", json!({"gate": "shown", "done": 3}));
    let create = client.told("window/workDoneProgress/create");
    let token = create["params"]["token"].clone();
    client.answer_to(&create, Value::Null);
    let begin = client.told("$/progress");
    assert_eq!(begin["params"]["token"], token);
    let value = &begin["params"]["value"];
    assert_eq!(value["kind"], "begin");
    assert_eq!(value["title"], "Reading recordings");
    assert_eq!(
        (&value["percentage"], &value["message"]),
        (&json!(30), &json!("3 of 10"))
    );
    client.notify("window/workDoneProgress/cancel", json!({"token": token}));
    assert_eq!(client.error(running), -32800);
    assert_eq!(
        client.told("$/progress")["params"]["value"],
        json!({"kind": "end"})
    );
    // A client that refuses sees none.
    let running = client.send("test/wait", json!({"gate": "refused"}));
    let create = client.told("window/workDoneProgress/create");
    let error = json!({"code": -32603, "message": "no"});
    client.send_text(&json!({"jsonrpc": "2.0", "id": create["id"], "error": error}).to_string());
    settle(&mut client);
    gated::open("refused");
    client.result(running);
    client.leave();
}

#[test]
fn progress_is_shown_where_the_client_wants_it() {
    let mut client = client();
    let params = json!({"gate": "token", "workDoneToken": 17});
    let running = client.send("test/wait", params);
    let begin = client.told("$/progress");
    assert_eq!(begin["params"]["token"], 17);
    assert_eq!(begin["params"]["value"]["kind"], "begin");
    gated::open("token");
    assert_eq!(client.result(running), "waited");
    assert_eq!(client.told("$/progress")["params"]["value"]["kind"], "end");
    // What is quick is not shown.
    client.request("test/wait", json!({"workDoneToken": 18}));
    client.leave();
}
