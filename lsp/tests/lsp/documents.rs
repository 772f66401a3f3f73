//! Documents as clients send them, right or wrong.

use serde_json::{Value, json};

use crate::client::Client;

#[test]
fn unknown_documents_and_versions_out_of_order_are_no_fault() {
    let (mut client, _) = Client::introduced(json!({"capabilities": {}}));
    let uri = "file:///nowhere/a.py";
    let change = |version: i64, range: Value, text: &str| {
        let mut change = json!({"text": text});
        if !range.is_null() {
            change["range"] = range;
        }
        json!({"textDocument": {"uri": uri, "version": version}, "contentChanges": [change]})
    };
    let beyond = json!({"start": {"line": 90, "character": 7},
        "end": {"line": 4_294_967_295_u64, "character": 4_294_967_295_u64}});
    let backward = json!({"start": {"line": 0, "character": 3},
        "end": {"line": 0, "character": 1}});
    client.notify("textDocument/didChange", change(2, Value::Null, "x"));
    client.notify(
        "textDocument/didClose",
        json!({"textDocument": {"uri": uri}}),
    );
    client.open(uri, "a = '😀'\r\n");
    client.open(uri, "a = 'é'\n");
    client.notify("textDocument/didChange", change(1, beyond, "b = 2\n"));
    client.notify("textDocument/didChange", change(-4, backward, "c"));
    client.open("untitled:Untitled-1", "x = 1\n");
    client.open("file:///nowhere/%FF%00.py", "x = 1\n");
    client.notify(
        "textDocument/didClose",
        json!({"textDocument": {"uri": uri}}),
    );
    client.notify(
        "textDocument/didClose",
        json!({"textDocument": {"uri": uri}}),
    );
    assert_eq!(
        client.request("workspace/symbol", json!({"query": ""})),
        json!([])
    );
    client.leave();
}
