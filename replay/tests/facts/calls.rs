//! Calls: lists and edges.

use retrostep_replay::calls::{
    Outcome, function_at, functions_in, group_of, incoming, list, outgoing,
};
use retrostep_replay::compare::compare;
use retrostep_replay::failures::failures;
use retrostep_trace::{CancellationToken, Event, FunctionId, Recording, SourceId, Value};

use crate::build::{Builder, F, F_AGAIN, G, MODULE, damaged, many_calls, none};

#[test]
fn code_objects_of_one_definition_are_one_function() {
    let mut builder = Builder::new();
    for n in 0..6 {
        let function = if n % 2 == 0 { F } else { F_AGAIN };
        builder.whole_call(function, n, n, 10 * n);
    }
    let recording = builder.finish();
    let group = group_of(&recording, FunctionId(F_AGAIN)).unwrap();
    assert_eq!(group.ids, [FunctionId(F), FunctionId(F_AGAIN)]);
    assert_eq!(group.count(&recording, &none()).unwrap(), 6);
    let page = list(&recording, FunctionId(F), 1..4, &none()).unwrap();
    let told: Vec<(u64, &str, String)> = page
        .calls
        .iter()
        .map(|call| {
            (
                call.number,
                call.arguments.as_str(),
                call.outcome.to_string(),
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            (5, "4", "→ 40".to_owned()),
            (4, "3", "→ 30".to_owned()),
            (3, "2", "→ 20".to_owned()),
        ]
    );
    let found = outgoing(&recording, FunctionId(MODULE), &none()).unwrap();
    let told: Vec<u64> = found.edges.iter().map(|edge| edge.calls).collect();
    assert_eq!(told, [6]);
    assert_eq!(found.edges[0].newest.number, 6);
    let names: Vec<(String, usize)> = functions_in(&recording, SourceId(0))
        .iter()
        .map(|group| (group.function.name.to_string(), group.ids.len()))
        .collect();
    assert_eq!(
        names,
        [
            ("<module>".to_owned(), 1),
            ("f".to_owned(), 2),
            ("g".to_owned(), 1)
        ]
    );
}

#[test]
fn a_function_is_found_by_its_lines_and_may_have_no_calls() {
    let recording = Builder::new().finish();
    let at = |line| function_at(&recording, SourceId(0), line).unwrap();
    assert_eq!(at(2), Some(FunctionId(F)));
    assert_eq!(at(1), Some(FunctionId(F)));
    assert_eq!(at(6), Some(FunctionId(G)));
    assert_eq!(at(8), Some(FunctionId(MODULE)));
    assert_eq!(at(99), None);
    assert_eq!(function_at(&recording, SourceId(9), 1).unwrap(), None);
    let function = FunctionId(F);
    let found = incoming(&recording, function, &none()).unwrap();
    assert_eq!((found.calls, found.edges.len(), found.more), (0, 0, false));
    assert_eq!(list(&recording, function, 0..9, &none()).unwrap().calls, []);
    let same = compare(&recording, function, &recording, function, &none()).unwrap();
    assert_eq!((same.difference, same.same_calls), (None, 0));
}

#[test]
fn calls_of_an_unfinished_recording_still_run() {
    let mut builder = Builder::new();
    builder.call(G);
    builder.line(6);
    let value = Value::Int(1);
    builder.push(Event::Yield { value });
    builder.call(F);
    builder.write(0, 5);
    builder.line(2);
    builder.writer.flush().unwrap();
    let recording = Recording::open(&builder.path()).unwrap();
    let outcome = |function| {
        let page = list(&recording, FunctionId(function), 0..1, &none()).unwrap();
        let call = page.calls.into_iter().next().unwrap();
        assert_eq!((call.exit, call.duration_ns), (None, None));
        call.outcome
    };
    assert_eq!(outcome(F), Outcome::Running);
    assert_eq!(outcome(G), Outcome::Yielded("1".to_owned()));
    assert_eq!(outcome(MODULE), Outcome::Running);
    assert_eq!(failures(&recording, 9, &none()).unwrap(), []);
}

#[test]
fn a_damaged_block_costs_only_what_it_held() {
    let (_folder, recording) = damaged();
    let report = recording.verify(&mut |_| {}, &none()).unwrap();
    assert!(!report.damage.is_empty() && report.blocks > 3, "{report:?}");
    let found = incoming(&recording, FunctionId(F), &none()).unwrap();
    assert!(
        found.looked_at > 1000 && found.looked_at < 2001,
        "{found:?}"
    );
    assert_eq!(found.edges[0].calls + found.unknown, found.looked_at);
    let failure = &failures(&recording, 9, &none()).unwrap()[0];
    assert_eq!(failure.left.len(), 2);
    assert!(failure.more);
    let whole = many_calls().finish();
    let function = FunctionId(F);
    for (one, other) in [(&whole, &recording), (&recording, &whole)] {
        let found = compare(one, function, other, function, &none()).unwrap();
        assert!(found.damaged, "{found:?}");
    }
    let page = list(&recording, function, 0..3000, &none()).unwrap();
    for call in &page.calls {
        match &call.outcome {
            Outcome::Returned(value) => assert_eq!(*value, call.arguments),
            Outcome::Raised(name) => assert_eq!(name, "ValueError"),
            Outcome::Unknown => {}
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_cancelled_question_has_no_answer() {
    let mut builder = Builder::new();
    builder.whole_call(F, 1, 1, 1);
    let recording = builder.finish();
    let cancel = CancellationToken::new();
    cancel.cancel();
    let function = FunctionId(F);
    assert!(
        incoming(&recording, function, &cancel)
            .unwrap_err()
            .is_cancelled()
    );
    assert!(
        outgoing(&recording, function, &cancel)
            .unwrap_err()
            .is_cancelled()
    );
    assert!(
        list(&recording, function, 0..1, &cancel)
            .unwrap_err()
            .is_cancelled()
    );
    assert!(failures(&recording, 1, &cancel).unwrap_err().is_cancelled());
    let compared = compare(&recording, function, &recording, function, &cancel);
    assert!(compared.unwrap_err().is_cancelled());
}
