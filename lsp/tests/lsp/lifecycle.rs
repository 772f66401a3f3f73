//! From `initialize` to `exit`.

use serde_json::{Value, json};

use crate::client::{Client, capabilities};

#[test]
fn a_client_comes_and_leaves() {
    let (client, answer) = Client::introduced(json!({"capabilities": {}}));
    assert_eq!(answer["serverInfo"]["name"], "retrostep");
    assert_eq!(answer["capabilities"]["positionEncoding"], "utf-16");
    assert_eq!(answer["capabilities"]["textDocumentSync"]["change"], 2);
    client.leave();
}

#[test]
fn the_cheapest_encoding_is_taken() {
    let general = json!({"general": {"positionEncodings": ["utf-16", "utf-8", "utf-32"]}});
    let (client, answer) = Client::introduced(json!({"capabilities": general}));
    assert_eq!(answer["capabilities"]["positionEncoding"], "utf-8");
    client.leave();
}

#[test]
fn requests_in_the_wrong_state_are_refused() {
    let mut client = Client::start();
    assert_eq!(
        client.refused("workspace/symbol", json!({"query": ""})),
        -32002
    );
    assert_eq!(client.refused("no/such", Value::Null), -32002);
    client.notify("textDocument/didOpen", json!({"textDocument": 3}));
    // Without `capabilities`, and then once more.
    assert_eq!(client.refused("initialize", json!({})), -32602);
    client.request("initialize", json!({"capabilities": capabilities()}));
    assert_eq!(
        client.refused("initialize", json!({"capabilities": {}})),
        -32600
    );
    client.request("shutdown", Value::Null);
    assert_eq!(
        client.refused("workspace/symbol", json!({"query": ""})),
        -32600
    );
    assert_eq!(client.refused("shutdown", Value::Null), -32600);
    client.notify("exit", Value::Null);
    let (unseen, ended) = client.ended();
    assert!(unseen.is_empty());
    ended.unwrap();
}

#[test]
fn to_leave_without_shutdown_is_an_error() {
    let (mut client, _) = Client::introduced(json!({"capabilities": {}}));
    client.notify("exit", Value::Null);
    let (_, ended) = client.ended();
    assert_eq!(
        ended.unwrap_err().to_string(),
        "the client left without shutdown"
    );
    let mut client = Client::start();
    client.notify("exit", Value::Null);
    assert!(client.ended().1.is_err());
}

#[test]
fn a_client_that_hangs_up_is_gone() {
    let (mut client, _) = Client::introduced(json!({"capabilities": {}}));
    client.hang_up();
    client.ended().1.unwrap();
}

#[test]
fn settings_are_asked_for_from_a_client_that_has_them() {
    let mut capabilities = capabilities();
    capabilities["workspace"]["configuration"] = json!(true);
    capabilities["workspace"]["didChangeConfiguration"] = json!({"dynamicRegistration": true});
    let (mut client, _) = Client::introduced(json!({"capabilities": capabilities}));
    let registration = client.told("client/registerCapability");
    client.answer_to(&registration, Value::Null);
    let asked = client.told("workspace/configuration");
    assert_eq!(
        asked["params"],
        json!({"items": [{"section": "retrostep"}]})
    );
    // Nothing changes.
    client.answer_to(&asked, json!([{"values": {"show": "hints"}}]));
    client.notify(
        "workspace/didChangeConfiguration",
        json!({"settings": null}),
    );
    let asked = client.told("workspace/configuration");
    client.answer_to(&asked, json!([{"values": {"show": "off"}}]));
    for method in ["inlayHint", "inlineValue", "codeLens", "semanticTokens"] {
        let refresh = client.told(&format!("workspace/{method}/refresh"));
        assert!(refresh.get("params").is_none());
        client.answer_to(&refresh, Value::Null);
    }
    client.leave();
}

#[test]
fn settings_are_taken_from_a_client_that_sends_them() {
    let (mut client, _) = Client::introduced(json!({"capabilities": capabilities(),
        "initializationOptions": {"retrostep": {"lenses": "off"}}}));
    let settings = json!({"settings": {"retrostep": {"lenses": "off", "diagnostics": 3}}});
    client.notify("workspace/didChangeConfiguration", settings);
    client.notify(
        "workspace/didChangeConfiguration",
        json!({"settings": {"other": {}}}),
    );
    assert_eq!(
        client.request("workspace/symbol", json!({"query": ""})),
        json!([])
    );
    assert!(client.unseen().is_empty(), "nothing changed");
    let settings = json!({"settings": {"retrostep": {"lenses": "failures"}}});
    client.notify("workspace/didChangeConfiguration", settings);
    client.told("workspace/codeLens/refresh");
    client.request("workspace/symbol", json!({"query": ""}));
    client.unseen();
    client.leave();
}
