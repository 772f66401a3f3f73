//! Replaying a recording that is there.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::client::Client;
use crate::launcher::FakeLauncher;
use crate::shop::{Shop, TEXT};

/// A client that has attached and stands at the start.
fn at_start(shop: &Shop) -> Client {
    attached(shop, json!(0)).0
}

/// A client that has attached, with the first stop.
fn attached(shop: &Shop, position: Value) -> (Client, Value, Value) {
    let mut client = Client::new(Arc::new(FakeLauncher::default()));
    client.initialize();
    let arguments = json!({"recording": shop.recording(), "position": position});
    let seq = client.send("attach", arguments);
    client.wait("initialized", |message| message["event"] == "initialized");
    assert_eq!(client.answer(seq)["success"], true);
    client.request("configurationDone", Value::Null);
    let (stopped, position) = client.stopped();
    (client, stopped, position)
}

fn frames(client: &mut Client, thread: i64) -> Vec<(String, i64)> {
    let body = client.request("stackTrace", json!({"threadId": thread}));
    let frames = body["stackFrames"].as_array().unwrap();
    assert_eq!(body["totalFrames"], frames.len());
    frames
        .iter()
        .map(|frame| {
            (
                frame["name"].as_str().unwrap().to_owned(),
                frame["line"].as_i64().unwrap(),
            )
        })
        .collect()
}

fn innermost(client: &mut Client) -> i64 {
    let body = client.request("stackTrace", json!({"threadId": 1, "levels": 1}));
    body["stackFrames"][0]["id"].as_i64().unwrap()
}

fn locals(client: &mut Client, frame: i64) -> (i64, Vec<(String, String)>) {
    let scopes = client.request("scopes", json!({"frameId": frame}));
    assert_eq!(scopes["scopes"][0]["name"], "Locals");
    let reference = scopes["scopes"][0]["variablesReference"].as_i64().unwrap();
    (reference, variables(client, reference))
}

fn variables(client: &mut Client, reference: i64) -> Vec<(String, String)> {
    let body = client.request("variables", json!({"variablesReference": reference}));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let variables = body["variables"].as_array().unwrap();
    variables
        .iter()
        .map(|variable| (text(&variable["name"]), text(&variable["value"])))
        .collect()
}

fn pair(name: &str, value: &str) -> (String, String) {
    (name.into(), value.into())
}

#[test]
fn a_replay_begins_at_the_uncaught_exception() {
    let shop = Shop::new();
    let (mut client, stopped, position) = attached(&shop, Value::Null);
    assert_eq!(stopped["reason"], "exception");
    assert_eq!(stopped["description"], "Raised ValueError");
    let status = position["status"].as_str().unwrap();
    assert!(status.ends_with("· raised ValueError"), "{status}");
    assert_eq!(position["line"], 8);
    assert_eq!(position["function"], "<module>");
    assert_eq!(frames(&mut client, 1), [("<module>".to_owned(), 8)]);
    let info = client.request("exceptionInfo", json!({"threadId": 1}));
    assert_eq!(info["exceptionId"], "ValueError");
    assert_eq!(info["description"], "below zero");
    assert_eq!(info["breakMode"], "unhandled");
    client.finish();
}

#[test]
fn steps_go_through_the_calls_and_back() {
    let shop = Shop::new();
    let mut client = at_start(&shop);
    let thread = json!({"threadId": 1});
    let mut forward = Vec::new();
    for _ in 0..7 {
        client.moves("stepIn", thread.clone());
        forward.push(frames(&mut client, 1)[0].clone());
    }
    let names: Vec<_> = forward
        .iter()
        .map(|(name, line)| (&**name, *line))
        .collect();
    let module = "<module>";
    assert_eq!(
        names,
        [
            (module, 1),
            (module, 5),
            (module, 6),
            (module, 7),
            ("add", 2),
            ("add", 3),
            (module, 6)
        ]
    );
    for expected in forward.iter().rev().skip(1) {
        client.request("retrostep/stepBackInto", thread.clone());
        client.event("continued");
        client.stopped();
        assert_eq!(frames(&mut client, 1)[0], *expected);
    }
    client.moves("next", thread.clone());
    client.moves("next", thread.clone());
    client.moves("next", thread.clone());
    client.moves("next", thread.clone());
    assert_eq!(frames(&mut client, 1), [(module.to_owned(), 6)]);
    client.moves("stepBack", thread.clone());
    assert_eq!(frames(&mut client, 1), [(module.to_owned(), 7)]);
    client.moves("stepIn", thread.clone());
    assert_eq!(
        frames(&mut client, 1),
        [("add".to_owned(), 2), (module.to_owned(), 7)]
    );
    client.moves("stepOut", thread.clone());
    assert_eq!(frames(&mut client, 1), [(module.to_owned(), 6)]);
    client.request("retrostep/stepBackInto", thread.clone());
    client.event("continued");
    client.stopped();
    client.request("retrostep/stepBackOut", thread);
    client.event("continued");
    client.stopped();
    assert_eq!(frames(&mut client, 1), [(module.to_owned(), 7)]);
    client.finish();
}

#[test]
fn breakpoints_stop_in_both_directions_and_both_ends_are_stops() {
    let shop = Shop::new();
    let mut client = at_start(&shop);
    let body = client.request(
        "setBreakpoints",
        json!({"source": {"path": shop.source()}, "breakpoints": [{"line": 2}, {"line": 4}]}),
    );
    let breakpoints = body["breakpoints"].as_array().unwrap().clone();
    assert_eq!(breakpoints[0]["verified"], true);
    assert_eq!(breakpoints[0]["line"], 2);
    assert_eq!(breakpoints[1]["line"], 5);
    let thread = json!({"threadId": 1});
    client.moves("continue", thread.clone());
    assert_eq!(frames(&mut client, 1)[0].1, 5);
    let mut forward = Vec::new();
    let mut last_thread = 1;
    loop {
        client.request("continue", thread.clone());
        let (stopped, position) = client.stopped();
        if stopped["threadId"] != last_thread {
            client.event("continued");
        }
        last_thread = stopped["threadId"].as_i64().unwrap();
        if stopped["reason"] != "breakpoint" {
            assert_eq!(stopped["description"], "End of recording");
            assert_eq!(position["position"], position["end"]);
            break;
        }
        assert_eq!(stopped["hitBreakpointIds"][0], breakpoints[0]["id"]);
        forward.push((position["position"].clone(), last_thread));
    }
    assert_eq!(forward.len(), 4);
    assert_eq!(forward.iter().filter(|(_, thread)| *thread == 2).count(), 1);
    for expected in forward.iter().rev() {
        client.request("reverseContinue", thread.clone());
        let (stopped, position) = client.stopped();
        if stopped["threadId"] != last_thread {
            client.event("continued");
        }
        last_thread = stopped["threadId"].as_i64().unwrap();
        assert_eq!((position["position"].clone(), last_thread), *expected);
    }
    client.moves("reverseContinue", thread.clone());
    let (stopped, position) = client.moves("reverseContinue", thread);
    assert_eq!(stopped["description"], "Start of recording");
    assert_eq!(position["position"], 0);
    client.finish();
}

#[test]
fn variables_are_those_of_the_moment_and_keep_their_handles_over_a_step() {
    let shop = Shop::new();
    let mut client = at_start(&shop);
    client.request(
        "setBreakpoints",
        json!({"source": {"path": shop.source()}, "breakpoints": [{"line": 2, "condition": "n == 2"}]}),
    );
    client.moves("continue", json!({"threadId": 1}));
    let frame = innermost(&mut client);
    let (scope, values) = locals(&mut client, frame);
    assert_eq!(values, [pair("items", "[0, 1, 10]"), pair("n", "2")]);
    let body = client.request("variables", json!({"variablesReference": scope}));
    let items = &body["variables"][0];
    assert_eq!(items["type"], "list");
    assert_eq!(items["evaluateName"], "items");
    assert_eq!(items["indexedVariables"], 3);
    let reference = items["variablesReference"].as_i64().unwrap();
    let page = client.request(
        "variables",
        json!({"variablesReference": reference, "filter": "indexed", "start": 1, "count": 1}),
    );
    assert_eq!(page["variables"].as_array().unwrap().len(), 1);
    assert_eq!(page["variables"][0]["value"], "1");
    assert_eq!(page["variables"][0]["evaluateName"], "items[1]");
    client.moves("next", json!({"threadId": 1}));
    let gone = client.refused("variables", json!({"variablesReference": reference}));
    assert!(gone.contains("not valid any more"), "{gone}");
    assert_eq!(innermost(&mut client), frame);
    let (same_scope, values) = locals(&mut client, frame);
    assert_eq!(same_scope, scope);
    assert_eq!(values[0], pair("items", "[0, 1, 10, 2]"));
    let body = client.request("variables", json!({"variablesReference": scope}));
    assert_eq!(body["variables"][0]["variablesReference"], reference);
    client.finish();
}

#[test]
fn expressions_are_evaluated_and_refused_by_name() {
    let shop = Shop::new();
    let (mut client, ..) = attached(&shop, Value::Null);
    let frame = innermost(&mut client);
    let mut evaluate = |context: &str, expression: &str| {
        let arguments = json!({"expression": expression, "context": context, "frameId": frame});
        client.request("evaluate", arguments)["result"].clone()
    };
    assert_eq!(evaluate("watch", "len(total) + i"), "6");
    assert_eq!(evaluate("hover", "total"), "[0, 1, 10, 2]");
    assert_eq!(evaluate("clipboard", "total[1:]"), "[1, 10, 2]");
    assert_eq!(evaluate("repl", "total[0] == 0"), "True");
    let refused = client.refused(
        "evaluate",
        json!({"expression": "nothing", "context": "watch", "frameId": frame}),
    );
    assert!(refused.contains("nothing"), "{refused}");
    let refused = client.refused(
        "evaluate",
        json!({"expression": "print(total)", "context": "watch", "frameId": frame}),
    );
    assert!(
        refused.contains("print(...) would run program code"),
        "{refused}"
    );
    client.finish();
}

#[test]
fn the_console_moves_in_the_direction_it_was_told() {
    let shop = Shop::new();
    let (mut client, ..) = attached(&shop, Value::Null);
    let repl = |text: &str| json!({"expression": text, "context": "repl"});
    let before = client.request("retrostep/position", Value::Null)["position"].clone();
    client.request("evaluate", repl("direction backward"));
    client.moves("stepIn", json!({"threadId": 1}));
    assert_eq!(frames(&mut client, 1)[0].1, 8);
    client.moves("next", json!({"threadId": 1}));
    assert_eq!(frames(&mut client, 1)[0].1, 6);
    client.moves("stepBack", json!({"threadId": 1}));
    assert_eq!(frames(&mut client, 1)[0].1, 7);
    client.request("evaluate", repl("direction forward"));
    client.moves("next", json!({"threadId": 1}));
    assert_eq!(frames(&mut client, 1)[0].1, 6);
    let body = client.request("evaluate", repl(&format!("seek {before}")));
    assert!(body["result"].is_string());
    client.event("continued");
    let (_, position) = client.stopped();
    assert_eq!(position["position"], before);
    let help = client.request("evaluate", repl("help"));
    assert!(help["result"].as_str().unwrap().contains("history"));
    let refused = client.refused("evaluate", repl("brake"));
    assert!(!refused.is_empty());
    let why = client.request("evaluate", repl("why i"))["result"].clone();
    assert!(
        why.as_str().unwrap().contains("shop.py:6 in <module>"),
        "{why}"
    );
    client.finish();
}

#[test]
fn completions_know_names_and_commands() {
    let shop = Shop::new();
    let (mut client, ..) = attached(&shop, Value::Null);
    let frame = innermost(&mut client);
    let mut complete = |text: &str| {
        let arguments = json!({"text": text, "column": text.len() + 1, "frameId": frame});
        let body = client.request("completions", arguments);
        let targets = body["targets"].as_array().unwrap().clone();
        let labels = targets
            .iter()
            .map(|target| target["label"].as_str().unwrap().to_owned());
        labels.collect::<Vec<_>>()
    };
    assert!(complete("len(tot").contains(&"total".to_owned()));
    assert!(complete("hist").contains(&"history".to_owned()));
    client.finish();
}

#[test]
fn data_breakpoints_stop_after_the_write_forward_and_before_it_backward() {
    let shop = Shop::new();
    let mut client = at_start(&shop);
    client.moves("next", json!({"threadId": 1}));
    client.moves("next", json!({"threadId": 1}));
    client.moves("next", json!({"threadId": 1}));
    let frame = innermost(&mut client);
    let (scope, _) = locals(&mut client, frame);
    let info = client.request(
        "dataBreakpointInfo",
        json!({"variablesReference": scope, "name": "total"}),
    );
    assert_eq!(info["accessTypes"], json!(["write"]));
    let same = client.request(
        "dataBreakpointInfo",
        json!({"name": "total", "frameId": frame}),
    );
    assert_eq!(same["dataId"], info["dataId"]);
    let nothing = client.request(
        "dataBreakpointInfo",
        json!({"name": "1 + 1", "frameId": frame}),
    );
    assert_eq!(nothing["dataId"], Value::Null);
    let body = client.request(
        "setDataBreakpoints",
        json!({"breakpoints": [{"dataId": info["dataId"]}, {"dataId": "nonsense"}]}),
    );
    assert_eq!(body["breakpoints"][0]["verified"], true);
    assert_eq!(body["breakpoints"][1]["verified"], false);
    let (stopped, _) = client.moves("continue", json!({"threadId": 1}));
    assert_eq!(stopped["reason"], "data breakpoint");
    let description = stopped["description"].as_str().unwrap().to_owned();
    assert!(
        description.starts_with("total changed: 0 → 1 item"),
        "{description}"
    );
    assert_eq!(frames(&mut client, 1)[0], ("add".to_owned(), 3));
    let (stopped, _) = client.moves("reverseContinue", json!({"threadId": 1}));
    assert_eq!(stopped["description"], *description);
    assert_eq!(frames(&mut client, 1)[0], ("add".to_owned(), 2));
    client.finish();
}

#[test]
fn a_logpoint_prints_its_whole_past_once() {
    let shop = Shop::new();
    let (mut client, ..) = attached(&shop, Value::Null);
    let logpoint = json!({
        "source": {"path": shop.source()},
        "breakpoints": [{"line": 2, "logMessage": "n is {n}"}],
    });
    client.request("setBreakpoints", logpoint.clone());
    let mut printed = Vec::new();
    for _ in 0..5 {
        printed.push(client.event("output"));
    }
    for (output, n) in printed.iter().zip([0, 1, 10, 2]) {
        let text = output["output"].as_str().unwrap();
        assert!(text.ends_with(&format!("n is {n}\n")), "{text}");
        assert_eq!(output["line"], 2);
        assert!(output["data"]["position"].is_u64());
    }
    assert_eq!(printed[4]["output"], "4 hits of the logpoint\n");
    client.request("setBreakpoints", logpoint);
    client.finish();
}

#[test]
fn function_and_exception_breakpoints_stop() {
    let shop = Shop::new();
    let mut client = at_start(&shop);
    client.request(
        "setFunctionBreakpoints",
        json!({"breakpoints": [{"name": "add", "hitCondition": "2"}]}),
    );
    client.request("setExceptionBreakpoints", json!({"filters": ["raised"]}));
    let (stopped, _) = client.moves("continue", json!({"threadId": 1}));
    assert_eq!(stopped["reason"], "function breakpoint");
    assert_eq!(frames(&mut client, 1)[0], ("add".to_owned(), 2));
    let (stopped, _) = client.moves("continue", json!({"threadId": 1}));
    assert_eq!(stopped["reason"], "exception");
    let refused = client.refused("setExceptionBreakpoints", json!({"filters": ["sometimes"]}));
    assert!(refused.contains("sometimes"), "{refused}");
    client.finish();
}

#[test]
fn jumps_go_to_any_execution_of_a_line() {
    let shop = Shop::new();
    let (mut client, ..) = attached(&shop, Value::Null);
    let source = json!({"path": shop.source()});
    let body = client.request("gotoTargets", json!({"source": source, "line": 3}));
    let targets = body["targets"].as_array().unwrap().clone();
    assert_eq!(targets.len(), 4);
    assert_eq!(targets[1]["label"], "hit 2 of 4");
    client.request("goto", json!({"threadId": 1, "targetId": targets[1]["id"]}));
    client.event("continued");
    let (stopped, position) = client.stopped();
    assert_eq!(stopped["reason"], "goto");
    assert_eq!(position["position"], targets[1]["id"]);
    let frame = innermost(&mut client);
    client.request("restartFrame", json!({"frameId": frame}));
    client.event("continued");
    client.stopped();
    assert_eq!(frames(&mut client, 1)[0], ("add".to_owned(), 2));
    client.request("retrostep/seek", json!({"position": 1_000_000}));
    client.event("continued");
    let (stopped, position) = client.stopped();
    assert_eq!(stopped["description"], "End of recording");
    assert_eq!(position["position"], position["end"]);
    client.refused("goto", json!({"threadId": 1, "targetId": -1}));
    client.refused("retrostep/seek", json!({"position": "noon"}));
    client.finish();
}

#[test]
fn history_and_hits_are_in_recording_order_and_paged() {
    let shop = Shop::new();
    let (mut client, ..) = attached(&shop, Value::Null);
    let body = client.request("retrostep/history", json!({"expression": "i"}));
    assert_eq!(body["total"], 3);
    let news: Vec<_> = body["writes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|write| write["new"].clone())
        .collect();
    assert_eq!(news, ["0", "1", "2"]);
    assert_eq!(body["writes"][1]["old"], "0");
    assert_eq!(body["writes"][0]["line"], 6);
    let page = client.request(
        "retrostep/history",
        json!({"expression": "i", "start": 1, "count": 1}),
    );
    assert_eq!(page["writes"], json!([body["writes"][1]]));
    let newest = client.request(
        "retrostep/history",
        json!({"expression": "i", "newest": true, "count": 2}),
    );
    assert_eq!(
        newest["writes"],
        json!([body["writes"][1], body["writes"][2]])
    );
    let source = json!({"path": shop.source()});
    let hits = client.request("retrostep/hits", json!({"source": source, "line": 2}));
    assert_eq!(hits["total"], 4);
    let ns: Vec<_> = hits["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| hit["values"]["n"].clone())
        .collect();
    assert_eq!(ns, ["0", "1", "10", "2"]);
    let page = client.request(
        "retrostep/hits",
        json!({"source": source, "line": 2, "start": 3, "count": 5}),
    );
    assert_eq!(page["hits"], json!([hits["hits"][3]]));
    client.finish();
}

#[test]
fn an_overview_tells_what_happened_where() {
    let shop = Shop::new();
    let (mut client, ..) = attached(&shop, Value::Null);
    client.request(
        "setBreakpoints",
        json!({"source": {"path": shop.source()}, "breakpoints": [{"line": 2}]}),
    );
    let sum = |body: &Value, member: &str| -> u64 {
        let columns = body[member].as_array().unwrap().iter();
        columns.map(|column| column.as_u64().unwrap()).sum()
    };
    let body = client.request("retrostep/overview", json!({"buckets": 5}));
    assert_eq!((&body["from"], &body["exact"]), (&json!(0), &json!(true)));
    for member in ["depths", "exceptions", "output", "marks", "hits"] {
        assert_eq!(body[member].as_array().unwrap().len(), 5, "{member}");
    }
    assert_eq!(sum(&body, "hits"), 4);
    assert_eq!(sum(&body, "exceptions"), 1);
    let end = body["to"].as_u64().unwrap();
    let both: u64 = [(0, end / 2), (end / 2, end)]
        .into_iter()
        .map(|(from, to)| {
            let part = json!({"from": from, "to": to, "buckets": 3});
            sum(&client.request("retrostep/overview", part), "hits")
        })
        .sum();
    assert_eq!(both, 4);
    client.finish();
}

#[test]
fn sources_are_the_recorded_ones_when_the_file_changed() {
    let shop = Shop::new();
    std::fs::write(shop.source(), "changed\n").unwrap();
    let (mut client, ..) = attached(&shop, Value::Null);
    let sources = client.request("loadedSources", Value::Null);
    let source = sources["sources"][0].clone();
    assert_eq!(source["name"], "shop.py");
    let reference = source["sourceReference"].as_i64().unwrap();
    let text = client.request(
        "source",
        json!({"sourceReference": reference, "source": source}),
    );
    assert_eq!(text["content"], TEXT);
    let by_path = client.request(
        "source",
        json!({"sourceReference": 0, "source": {"path": shop.source()}}),
    );
    assert_eq!(by_path["content"], TEXT);
    let body = client.request(
        "setBreakpoints",
        json!({"source": {"sourceReference": reference}, "breakpoints": [{"line": 3}]}),
    );
    assert_eq!(body["breakpoints"][0]["verified"], true);
    let locations = client.request(
        "breakpointLocations",
        json!({"source": source, "line": 1, "endLine": 4}),
    );
    assert_eq!(
        locations["breakpoints"],
        json!([{"line": 1}, {"line": 2}, {"line": 3}])
    );
    let modules = client.request("modules", json!({"startModule": 0, "moduleCount": 1}));
    assert_eq!(modules["modules"][0]["name"], "shop");
    let refused = client.refused("source", json!({"sourceReference": 99}));
    assert!(refused.contains("did not run"), "{refused}");
    client.finish();
}

#[test]
fn lines_and_columns_count_from_where_the_client_counts() {
    let shop = Shop::new();
    let mut client = Client::new(Arc::new(FakeLauncher::default()));
    client.request(
        "initialize",
        json!({"adapterID": "x", "linesStartAt1": false, "columnsStartAt1": false}),
    );
    let seq = client.send("attach", json!({"recording": shop.recording()}));
    client.wait("initialized", |message| message["event"] == "initialized");
    client.answer(seq);
    let body = client.request(
        "setBreakpoints",
        json!({"source": {"path": shop.source()}, "breakpoints": [{"line": 1}]}),
    );
    assert_eq!(body["breakpoints"][0]["line"], 1);
    client.request("configurationDone", Value::Null);
    let (_, position) = client.stopped();
    assert_eq!(position["line"], 7);
    let stack = client.request("stackTrace", json!({"threadId": 1}));
    assert_eq!(stack["stackFrames"][0]["line"], 7);
    assert_eq!(stack["stackFrames"][0]["column"], 0);
    assert!(stack["stackFrames"][0]["source"]["sourceReference"].is_null());
    client.finish();
}

#[test]
fn a_recording_cannot_be_changed() {
    let shop = Shop::new();
    let (mut client, ..) = attached(&shop, Value::Null);
    let refused = client.refused(
        "setVariable",
        json!({"variablesReference": 1, "name": "i", "value": "3"}),
    );
    assert_eq!(
        refused,
        "A recording cannot be changed. Edit the code and record again."
    );
    client.finish();
}

#[test]
fn terminate_ends_the_replay_and_restart_begins_it_again() {
    let shop = Shop::new();
    let (mut client, stopped, _) = attached(&shop, Value::Null);
    client.moves("reverseContinue", json!({"threadId": 1}));
    client.request("restart", Value::Null);
    client.event("continued");
    let (again, _) = client.stopped();
    assert_eq!(again["description"], stopped["description"]);
    client.request("terminate", Value::Null);
    client.wait("terminated", |message| message["event"] == "terminated");
    let refused = client.refused("stackTrace", json!({"threadId": 1}));
    assert!(refused.contains("terminated"), "{refused}");
    client.finish();
}

#[test]
fn what_cannot_be_opened_is_named() {
    let shop = Shop::new();
    let check = |recording: &str, expected: &str| {
        let mut client = Client::new(Arc::new(FakeLauncher::default()));
        client.initialize();
        let seq = client.send("attach", json!({"recording": recording}));
        let answer = client.answer(seq);
        assert_eq!(answer["success"], false);
        let error = &answer["body"]["error"];
        assert_eq!(error["showUser"], true);
        let text = error["format"].as_str().unwrap();
        assert!(text.contains(expected), "{text}");
        client.finish();
    };
    check("yesterday", "there is no recording \"yesterday\"");
    check(
        shop.source().to_str().unwrap(),
        "is not a Retrostep recording",
    );
    check("", "\"recording\"");
}
