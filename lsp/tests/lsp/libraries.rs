//! What happens in a library is noticed.

use std::time::{Duration, Instant};

use retrostep_trace::Summary;
use serde_json::{Value, json};

use crate::client::Client;
use crate::shop::Shop;

/// How long a recording may take to be noticed, and how long a position.
const RECORDING: Duration = Duration::from_millis(200);
const POSITION: Duration = Duration::from_millis(50);
const ALL: &[&str] = &["inlayHint", "inlineValue", "codeLens", "semanticTokens"];
const OF_POSITION: &[&str] = &["inlayHint", "inlineValue"];

/// Waits until the client is asked to ask again, and answers.
fn refreshed(client: &mut Client, kinds: &[&str], since: Instant, limit: Duration) {
    for kind in kinds {
        let refresh = client.told(&format!("workspace/{kind}/refresh"));
        let took = since.elapsed();
        assert!(took < limit, "{kind} took {took:?}");
        client.answer_to(&refresh, Value::Null);
    }
}

/// Answers what is still asked, so that nothing is left over.
fn settle(client: &mut Client) {
    loop {
        client.request("workspace/symbol", json!({"query": ""}));
        let unseen = client.unseen();
        if unseen.is_empty() {
            return;
        }
        for message in unseen {
            assert!(
                message["method"].as_str().unwrap().ends_with("/refresh"),
                "{message}"
            );
            client.answer_to(&message, Value::Null);
        }
    }
}

fn names(client: &mut Client) -> Vec<String> {
    let symbols = client.request("workspace/symbol", json!({"query": ""}));
    let mut names: Vec<String> = (symbols.as_array().unwrap().iter())
        .map(|symbol| symbol["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    names
}

/// Waits until the names are these; each change asks the client to ask again.
fn named(client: &mut Client, expected: &[&str], since: Instant) {
    loop {
        let refresh = client.told("workspace/codeLens/refresh");
        client.answer_to(&refresh, Value::Null);
        if names(client) == expected {
            let took = since.elapsed();
            assert!(took < RECORDING, "{expected:?} took {took:?}");
            return;
        }
    }
}

#[test]
fn recordings_that_come_change_and_go_are_noticed() {
    let shop = Shop::new();
    // There is no library yet.
    let mut client = Client::of_workspace(shop.path());
    assert!(names(&mut client).is_empty());
    let since = Instant::now();
    shop.record("first", 0);
    named(&mut client, &["first"], since);
    settle(&mut client);
    let since = Instant::now();
    shop.record("second", 10);
    named(&mut client, &["first", "second"], since);
    settle(&mut client);
    let since = Instant::now();
    std::fs::rename(shop.file("first"), shop.file("renamed")).unwrap();
    named(&mut client, &["renamed", "second"], since);
    settle(&mut client);
    let since = Instant::now();
    std::fs::remove_file(shop.file("second")).unwrap();
    named(&mut client, &["renamed"], since);
    settle(&mut client);
    let since = Instant::now();
    std::fs::remove_dir_all(shop.library().folder()).unwrap();
    named(&mut client, &[], since);
    settle(&mut client);
    let since = Instant::now();
    shop.record("again", 0);
    named(&mut client, &["again"], since);
    settle(&mut client);
    client.leave();
}

#[test]
fn a_recording_that_grows_is_noticed() {
    let shop = Shop::new();
    let mut writer = shop.begin("growing", 0);
    shop.run(&mut writer);
    let mut client = Client::of_workspace(shop.path());
    let row = |client: &mut Client| {
        client.request("retrostep/recordings", Value::Null)["recordings"][0].clone()
    };
    assert_eq!(row(&mut client)["result"], "running");
    let since = Instant::now();
    writer.flush().unwrap();
    refreshed(&mut client, ALL, since, RECORDING);
    settle(&mut client);
    let events = row(&mut client)["description"].clone();
    assert_eq!(events, "recording, 12 events");
    let since = Instant::now();
    writer.finish(&Summary::default()).unwrap();
    refreshed(&mut client, ALL, since, RECORDING);
    settle(&mut client);
    assert_eq!(row(&mut client)["result"], "passed");
    client.leave();
}

#[test]
fn the_position_of_a_replay_is_noticed_until_it_is_gone() {
    let shop = Shop::new();
    let recording = shop.record("shop", 0);
    let mut client = Client::of_workspace(shop.path());
    names(&mut client);
    for position in [4, 5] {
        let since = Instant::now();
        shop.publish(&recording, position, std::process::id());
        refreshed(&mut client, OF_POSITION, since, POSITION);
    }
    let rows = client.request("retrostep/recordings", Value::Null);
    assert_eq!(rows["recordings"][0]["open"], true);
    let since = Instant::now();
    shop.library().clear_position().unwrap();
    refreshed(&mut client, OF_POSITION, since, POSITION);
    // A process that ends without a word.
    let mut process = std::process::Command::new("sleep")
        .arg("60")
        .spawn()
        .unwrap();
    let since = Instant::now();
    shop.publish(&recording, 4, process.id());
    refreshed(&mut client, OF_POSITION, since, POSITION);
    process.kill().unwrap();
    process.wait().unwrap();
    let since = Instant::now();
    refreshed(&mut client, OF_POSITION, since, POSITION);
    assert!(
        client.unseen().is_empty(),
        "only what follows the position is refreshed"
    );
    client.leave();
}

#[test]
fn a_refresh_waits_for_the_answer_to_the_one_before() {
    let shop = Shop::new();
    let recording = shop.record("shop", 0);
    let mut client = Client::of_workspace(shop.path());
    names(&mut client);
    shop.publish(&recording, 4, std::process::id());
    let first = client.told("workspace/inlayHint/refresh");
    let other = client.told("workspace/inlineValue/refresh");
    client.answer_to(&other, Value::Null);
    shop.publish(&recording, 5, std::process::id());
    // The other kind says when the change was noticed.
    let other = client.told("workspace/inlineValue/refresh");
    client.answer_to(&other, Value::Null);
    assert!(client.unseen().is_empty());
    client.answer_to(&first, Value::Null);
    let second = client.told("workspace/inlayHint/refresh");
    assert_ne!(first["id"], second["id"]);
    client.answer_to(&second, Value::Null);
    client.leave();
}

#[test]
fn a_client_that_cannot_refresh_is_not_asked_to() {
    let shop = Shop::new();
    let (mut client, _) = Client::introduced(json!({
        "capabilities": {"workspace": {"codeLens": {"refreshSupport": true}}},
        "rootUri": crate::client::uri(shop.path()),
    }));
    let since = Instant::now();
    shop.record("shop", 0);
    refreshed(&mut client, &["codeLens"], since, RECORDING);
    settle(&mut client);
    client.leave();
}

#[test]
fn folders_and_documents_bring_their_libraries() {
    let (one, other) = (Shop::new(), Shop::new());
    one.record("one", 0);
    other.record("other", 0);
    let (mut client, _) = Client::introduced(json!({"capabilities": {}}));
    assert!(names(&mut client).is_empty());
    let uri = crate::client::uri(&one.source());
    client.open(&uri, crate::shop::TEXT);
    assert_eq!(names(&mut client), ["one"]);
    let folder = json!({"uri": crate::client::uri(other.path()), "name": "other"});
    let change =
        |added: Value, removed: Value| json!({"event": {"added": added, "removed": removed}});
    client.notify(
        "workspace/didChangeWorkspaceFolders",
        change(json!([folder]), json!([])),
    );
    assert_eq!(names(&mut client), ["one", "other"]);
    client.notify(
        "textDocument/didClose",
        json!({"textDocument": {"uri": uri}}),
    );
    assert_eq!(names(&mut client), ["other"]);
    client.notify(
        "workspace/didChangeWorkspaceFolders",
        change(json!([]), json!([folder])),
    );
    assert!(names(&mut client).is_empty());
    client.leave();
}
