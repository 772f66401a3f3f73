//! Whatever a client sends, it is answered and the conversation goes on.

use serde_json::{Value, json};

use crate::client::{Client, frame};

fn client() -> Client {
    Client::introduced(json!({"capabilities": {}})).0
}

#[test]
fn what_is_no_message_is_answered() {
    let mut client = client();
    for (text, code) in [
        ("{\"jsonrpc\": \"2.0\", \"id\": 7,", -32700),
        ("", -32700),
        ("[]", -32600),
        ("{\"id\": [], \"method\": \"x\"}", -32600),
    ] {
        client.send_text(text);
        let response = client.wait("an error", |message| message.get("error").is_some());
        assert_eq!(response["id"], Value::Null, "{text}");
        assert!(response.as_object().unwrap().contains_key("id"));
        assert_eq!(response["error"]["code"], code, "{text}");
    }
    client.send_text(r#"{"jsonrpc": "2.0", "id": 70}"#);
    assert_eq!(client.error(70), -32600);
    // An answer to what was not asked.
    client.send_text(r#"{"jsonrpc": "2.0", "id": 71, "result": null}"#);
    client.send_text(r#"{"jsonrpc": "2.0", "id": null, "error": {"code": 1, "message": ""}}"#);
    let response = client.wait("an error", |message| message.get("error").is_some());
    assert_eq!(response["error"]["code"], -32600);
    client.leave();
}

#[test]
fn frames_may_be_cut_anywhere_and_lie_together() {
    let mut client = client();
    let message =
        |id: i64| frame(&json!({"jsonrpc": "2.0", "id": id, "method": "no/such"}).to_string());
    let bytes = format!(
        "{}{}",
        message(101),
        message(102).replace("Content", "content")
    );
    client.send_bytes(bytes.as_bytes());
    for byte in message(103).bytes() {
        client.send_bytes(&[byte]);
    }
    for id in 101..=103 {
        assert_eq!(client.error(id), -32601);
    }
    client.leave();
}

#[test]
fn a_stream_that_is_no_frames_ends_the_conversation() {
    let mut client = client();
    client.send_bytes(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    let (_, ended) = client.ended();
    assert_eq!(
        ended.unwrap_err().to_string(),
        "the client speaks HTTP, not this protocol"
    );
    let mut client = Client::start();
    client.send_bytes(b"Content-Length: 10\r\n\r\n{");
    client.hang_up();
    assert_eq!(
        client.ended().1.unwrap_err().to_string(),
        "the input ends inside a message"
    );
}

#[test]
fn unknown_methods_and_wrong_parameters_are_answered() {
    let mut client = client();
    assert_eq!(client.refused("textDocument/formatting", json!({})), -32601);
    assert_eq!(client.refused("$/no/such", Value::Null), -32601);
    for params in [
        Value::Null,
        json!({}),
        json!([]),
        json!({"query": 3}),
        json!("x"),
    ] {
        assert_eq!(client.refused("workspace/symbol", params), -32602);
    }
    client.notify("$/no/such", Value::Null);
    client.notify(
        "textDocument/didClose",
        json!({"textDocument": {"uri": ":not an address"}}),
    );
    client.notify("textDocument/didChange", Value::Null);
    // An answer may be asked for in words, and with numbers that were used before.
    client.send_text(
        r#"{"jsonrpc":"2.0","id":"a","method":"workspace/symbol","params":{"query":""}}"#,
    );
    client.wait("an answer", |message| {
        message["id"] == "a" && message["result"] == json!([])
    });
    client.leave();
}

#[test]
fn cancelling_what_is_answered_or_unknown_is_no_fault() {
    let mut client = client();
    let id = client.send("workspace/symbol", json!({"query": ""}));
    client.result(id);
    client.notify("$/cancelRequest", json!({"id": id}));
    client.notify("$/cancelRequest", json!({"id": "unknown"}));
    client.notify("$/cancelRequest", json!({}));
    client.notify(
        "window/workDoneProgress/cancel",
        json!({"token": "unknown"}),
    );
    client.request("workspace/symbol", json!({"query": ""}));
    client.leave();
}

#[test]
fn shutdown_answers_what_runs() {
    let mut client = client();
    let ids: Vec<i64> = (0..50)
        .map(|_| client.send("workspace/symbol", json!({"query": ""})))
        .collect();
    let shutdown = client.send("shutdown", Value::Null);
    for id in ids {
        let response = client.response(id);
        let code = &response["error"]["code"];
        assert!(
            response.get("result").is_some() || *code == -32800,
            "{response}"
        );
    }
    client.result(shutdown);
    client.notify("exit", Value::Null);
    let (unseen, ended) = client.ended();
    assert!(unseen.is_empty(), "{unseen:?}");
    ended.unwrap();
}
