//! Recordings by name, as symbols and as rows.

use serde_json::{Value, json};

use crate::client::{Client, uri};
use crate::shop::{Shop, touch};

#[test]
fn recordings_are_found_by_name() {
    let shop = Shop::new();
    shop.record("replay_orders-20260101-000000", 0);
    shop.record("server-20260101-000100", 60);
    let mut client = Client::of_workspace(shop.path());
    let symbols = client.request("workspace/symbol", json!({"query": "repord"}));
    let symbols = symbols.as_array().unwrap();
    assert_eq!(symbols.len(), 1);
    assert_eq!(symbols[0]["name"], "replay_orders");
    assert_eq!(symbols[0]["kind"], 1);
    assert_eq!(symbols[0]["location"]["uri"], uri(&shop.source()));
    assert_eq!(
        client.request("workspace/symbol", json!({"query": "none"})),
        json!([])
    );
    client.leave();
}

#[test]
fn rows_are_ready_to_show() {
    let shop = Shop::new();
    let first = shop.record("first", 0);
    touch(&first, 100);
    let second = shop.record("second", 60);
    // The newest is the one that began last.
    touch(&second, 70);
    let mut client = Client::of_workspace(shop.path());
    let rows = client.request("retrostep/recordings", json!({}));
    let rows = rows["recordings"].as_array().unwrap();
    assert_eq!(rows[0]["label"], "second");
    assert_eq!(rows[1]["label"], "first");
    let row = &rows[0];
    assert_eq!(row["path"], second.display().to_string());
    assert_eq!(row["result"], "failed");
    assert!(
        row["description"]
            .as_str()
            .unwrap()
            .starts_with("ValueError, "),
        "{row}"
    );
    let tooltip = row["tooltip"].as_str().unwrap();
    assert!(
        tooltip.starts_with("**second**, `python shop.py`  \n12 events, 3.9 s, "),
        "{row}"
    );
    assert!(
        tooltip.contains("Ended by ValueError at shop.py:5"),
        "{row}"
    );
    let exception = &row["exceptions"][0];
    assert_eq!(exception["label"], "ValueError: below zero");
    assert_eq!(exception["description"], "shop.py:5");
    assert_eq!(exception["line"], 4);
    assert_eq!(exception["uri"], uri(&shop.source()));
    client.leave();
}

#[test]
fn a_recording_can_be_selected() {
    let shop = Shop::new();
    let first = shop.record("first", 0);
    shop.record("second", 60);
    let mut client = Client::of_workspace(shop.path());
    let selected = |client: &mut Client| -> Vec<bool> {
        let rows = client.request("retrostep/recordings", Value::Null);
        let rows = rows["recordings"].as_array().unwrap().clone();
        rows.iter()
            .map(|row| row["selected"].as_bool().unwrap())
            .collect()
    };
    let refreshed = |client: &mut Client| {
        for kind in ["inlayHint", "inlineValue", "codeLens", "semanticTokens"] {
            let refresh = client.told(&format!("workspace/{kind}/refresh"));
            client.answer_to(&refresh, Value::Null);
        }
    };
    assert_eq!(selected(&mut client), [false, false]);
    let method = "retrostep/selectRecording";
    client.request(method, json!({"recording": first}));
    refreshed(&mut client);
    assert_eq!(selected(&mut client), [false, true]);
    client.request(method, json!({"recording": "second"}));
    refreshed(&mut client);
    assert_eq!(selected(&mut client), [true, false]);
    assert_eq!(client.refused(method, json!({"recording": "none"})), -32803);
    client.request(method, json!({"recording": null}));
    refreshed(&mut client);
    assert_eq!(selected(&mut client), [false, false]);
    client.leave();
}

#[test]
fn a_damaged_recording_is_named_once_and_the_others_work() {
    let shop = Shop::new();
    shop.record("good", 0);
    std::fs::write(shop.file("bad"), "this is no recording").unwrap();
    std::fs::write(shop.file("begun"), "").unwrap();
    let mut client = Client::of_workspace(shop.path());
    for _ in 0..2 {
        let rows = client.request("retrostep/recordings", Value::Null);
        let rows = rows["recordings"].as_array().unwrap().clone();
        assert_eq!(rows.len(), 3);
        let good = rows.iter().find(|row| row["label"] == "good").unwrap();
        assert_eq!(good["result"], "failed");
        let bad = rows.iter().find(|row| row["label"] == "bad.retro").unwrap();
        assert_eq!(bad["result"], "unreadable");
    }
    let warning = client.told("window/showMessage");
    assert_eq!(warning["params"]["type"], 2);
    let message = warning["params"]["message"].as_str().unwrap();
    assert!(
        message.starts_with("recording \"bad.retro\" cannot be read"),
        "{message}"
    );
    client.request("retrostep/recordings", Value::Null);
    assert!(client.unseen().is_empty());
    client.leave();
}
