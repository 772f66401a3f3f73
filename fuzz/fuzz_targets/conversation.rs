//! A whole conversation: each line of the input is a request, `command` or `command {arguments}`; each
//! is answered once, and the adapter ends when the client leaves.

#![no_main]

use libfuzzer_sys::fuzz_target;
use retrostep_fuzz::adapter::{Client, recording};
use retrostep_fuzz::memory;
use serde_json::{Value, json};

const BYTES: usize = 256 << 20;
const MOST_REQUESTS: usize = 40;

fuzz_target!(|text: &str| {
    let recording = recording();
    memory::within(BYTES, || {
        let mut client = Client::start();
        let arguments = json!({
            "adapterID": "retrostep", "supportsVariableType": true, "supportsVariablePaging": true,
            "supportsProgressReporting": true, "linesStartAt1": true, "columnsStartAt1": true,
        });
        let first = client.send("initialize", Some(arguments));
        client.answer(first);
        let attach = client.send(
            "attach",
            Some(json!({"recording": recording, "position": 40})),
        );
        client.send("configurationDone", None);
        client.answer(attach);
        if client.event("stopped") {
            talk(&mut client, text);
        }
        client.leave();
    });
});

fn talk(client: &mut Client, text: &str) {
    for line in text.lines().take(MOST_REQUESTS) {
        let (command, arguments) = line.split_once(' ').unwrap_or((line, ""));
        let arguments: Option<Value> = serde_json::from_str(arguments).ok();
        let seq = client.send(command, arguments);
        if client.answer(seq).is_none() {
            return;
        }
    }
}
