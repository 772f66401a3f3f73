//! Data breakpoints on everything that has writes, in both directions.

use anyhow::Result;
use protocol_tests::client::Client;
use protocol_tests::replay::{Landing, go, look, open};
use protocol_tests::run::{record_command, run};
use serde_json::{Value, json};

use super::{BINARY, folder_with, python};

const PROGRAM: &str = "\
TOTAL = 0
CONFIG = {'a': 1}
class Account:
    def __init__(self):
        self.sum = 0
def bump(account, n):
    global TOTAL
    account.sum += n
    TOTAL += n
    CONFIG['a'] = CONFIG['a'] + n
    local = n
    local += 1
    return local
account = Account()
for i in range(3):
    bump(account, i + 1)
rows = [[0, 0], [0, 0]]
rows[1][0] = 5
rows[0] = rows[1]
rows[0][0] += 1
print('end')
";

/// What is watched, and the line and the old and new value of each of its writes.
const WATCHED: &[(&str, &[(u64, &str)])] = &[
    (
        "TOTAL",
        &[(1, "= 0"), (9, "0 → 1"), (9, "1 → 3"), (9, "3 → 6")],
    ),
    (
        "account.sum",
        &[(5, "= 0"), (8, "0 → 1"), (8, "1 → 3"), (8, "3 → 6")],
    ),
    (
        "CONFIG['a']",
        &[(2, "= 1"), (10, "1 → 2"), (10, "2 → 4"), (10, "4 → 7")],
    ),
    ("rows[1][0]", &[(17, "= 0"), (18, "0 → 5"), (20, "5 → 6")]),
    (
        "rows[0]",
        &[
            (17, "= [0, 0]"),
            (19, "[0, 0] → [5, 0]"),
            // Through the other name of the same list.
            (20, "[0]: 5 → 6"),
        ],
    ),
];

fn watch(client: &mut Client, name: &str) -> Result<()> {
    let stack = client.request("stackTrace", &json!({"threadId": 1, "levels": 1}))?;
    let info = client.request(
        "dataBreakpointInfo",
        &json!({"name": name, "frameId": stack["stackFrames"][0]["id"]}),
    )?;
    assert_eq!(info["description"], name);
    let set = client.request(
        "setDataBreakpoints",
        &json!({"breakpoints": [{"dataId": info["dataId"]}]}),
    )?;
    assert_eq!(set["breakpoints"][0]["verified"], true, "{name}: {set}");
    Ok(())
}

#[test]
fn data_breakpoints_stop_at_each_write_in_both_directions() -> Result<()> {
    let Some(python) = python("data_breakpoints_stop_at_each_write_in_both_directions") else {
        return Ok(());
    };
    let folder = folder_with(&[("main.py", PROGRAM)])?;
    let recording = folder.path().join("main.retro");
    let command = [python, folder.path().join("main.py")];
    let outcome = run(
        &mut record_command(BINARY.as_ref(), &recording, command),
        std::time::Duration::from_secs(60),
    )?;
    assert_eq!(outcome.stdout, "end\n");
    let mut client = open(BINARY.as_ref(), &recording)?;
    let to_the_end = |client: &mut Client| -> Result<Vec<Landing>> {
        let mut stops = Vec::new();
        loop {
            let landing = go(client, "continue", &json!({"threadId": 1}))?;
            if landing.reason != "data breakpoint" {
                return Ok(stops);
            }
            stops.push(landing);
        }
    };
    to_the_end(&mut client)?;
    for (name, writes) in WATCHED {
        watch(&mut client, name)?;
        let mut backward = Vec::new();
        loop {
            let landing = go(&mut client, "reverseContinue", &json!({"threadId": 1}))?;
            if landing.reason != "data breakpoint" {
                break;
            }
            backward.push((look(&mut client, 1, false)?.line, landing.text));
        }
        backward.reverse();
        let expected: Vec<(u64, String)> = writes
            .iter()
            .map(|(line, text)| (*line, (*text).to_owned()))
            .collect();
        assert_eq!(backward, expected, "{name}, backward");
        let forward: Vec<String> = to_the_end(&mut client)?
            .into_iter()
            .map(|landing| landing.text)
            .collect();
        let texts: Vec<&str> = writes.iter().map(|(_, text)| *text).collect();
        assert_eq!(forward, texts, "{name}, forward");
    }
    let nothing = client.request("dataBreakpointInfo", &json!({"name": "nowhere"}))?;
    assert_eq!(nothing["dataId"], Value::Null);
    Ok(())
}
