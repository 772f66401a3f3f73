//! Many changes at once, with requests and cancellations between them.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Client, frame};

const CHANGES: i64 = 20_000;

#[test]
fn every_request_in_a_burst_of_changes_is_answered_once() {
    let (mut client, _) = Client::introduced(json!({"capabilities": {}}));
    let uri = "file:///nowhere/burst.py";
    let mut model: Vec<String> = vec!["x = 0".to_owned()];
    client.open(uri, "x = 0\n");
    let mut bytes = String::new();
    let mut send = |message: Value| bytes.push_str(&frame(&message.to_string()));
    let mut asked = HashSet::new();
    for number in 0..CHANGES {
        let line = usize::try_from(number * 7 % 50).unwrap() % model.len();
        let start = json!({"line": line, "character": 0});
        // Mostly lines are added; some are taken away.
        let (end, text) = match number % 3 {
            0 if model.len() > 1 => {
                model.remove(line);
                (json!({"line": line + 1, "character": 0}), String::new())
            }
            _ => {
                let added = format!("y{number} = {number}");
                model.insert(line, added.clone());
                (start.clone(), format!("{added}\n"))
            }
        };
        send(
            json!({"jsonrpc": "2.0", "method": "textDocument/didChange", "params": {
                "textDocument": {"uri": uri, "version": number + 2},
                "contentChanges": [{"range": {"start": start, "end": end}, "text": text}],
            }}),
        );
        if number % 10 == 0 {
            let id = 1_000_000 + number;
            asked.insert(id);
            let (method, params) = match number % 100 {
                0 => ("test/wait", json!({"gate": "never"})),
                50 => ("test/text", json!({"textDocument": {"uri": uri}})),
                _ => ("test/wait", json!({})),
            };
            send(json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
            if number % 20 == 0 {
                send(json!({"jsonrpc": "2.0", "method": "$/cancelRequest", "params": {"id": id}}));
            }
        }
    }
    let start = Instant::now();
    client.send_bytes(bytes.as_bytes());
    let last = client.send("test/text", json!({"textDocument": {"uri": uri}}));
    let now = client.result(last);
    let took = start.elapsed();
    assert_eq!(now["text"], model.join("\n") + "\n");
    assert_eq!(now["version"], CHANGES + 1);
    while !asked.is_empty() {
        let response = client.wait("an answer", |message| message["id"].is_i64());
        let id = response["id"].as_i64().unwrap();
        assert!(asked.remove(&id), "answered twice: {response}");
        let code = &response["error"]["code"];
        assert!(
            response.get("result").is_some() || *code == -32800 || *code == -32801,
            "{response}"
        );
    }
    assert!(took < Duration::from_secs(15), "{took:?}");
    client.leave();
}
