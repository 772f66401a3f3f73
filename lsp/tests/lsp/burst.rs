//! Many changes at once, with requests and cancellations between them.

use std::collections::HashSet;

use serde_json::json;

use crate::client::{Client, frame};

const CHANGES: i64 = 20_000;

#[test]
fn every_request_in_a_burst_of_changes_is_answered_once() {
    let (mut client, _) = Client::introduced(json!({"capabilities": {}}));
    let uri = "file:///nowhere/burst.py";
    client.open(uri, "x = 0\n");
    let mut bytes = String::new();
    let mut send = |message: serde_json::Value| bytes.push_str(&frame(&message.to_string()));
    let mut asked = HashSet::new();
    for number in 0..CHANGES {
        let place = json!({"line": number % 50, "character": 0});
        send(
            json!({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {
                "textDocument": {"uri": uri, "version": number + 2},
                "contentChanges": [{"range": {"start": place, "end": place},
                    "text": format!("y{number} = {number}\n")}],
            }}),
        );
        if number % 10 == 0 {
            let id = 1_000_000 + number;
            asked.insert(id);
            send(
                json!({"jsonrpc": "2.0", "id": id, "method": "workspace/symbol",
                "params": {"query": ""}}),
            );
            if number % 20 == 0 {
                send(json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": id}}));
            }
        }
    }
    let start = std::time::Instant::now();
    client.send_bytes(bytes.as_bytes());
    // Answered after everything before it was taken in.
    client.refused("no/such", json!({}));
    let took = start.elapsed();
    while !asked.is_empty() {
        let response = client.wait("an answer", |message| message["id"].is_i64());
        let id = response["id"].as_i64().unwrap();
        assert!(asked.remove(&id), "answered twice: {response}");
        let code = &response["error"]["code"];
        assert!(
            response["result"] == json!([]) || *code == -32800,
            "{response}"
        );
    }
    assert!(took < std::time::Duration::from_secs(10), "{took:?}");
    client.leave();
}
