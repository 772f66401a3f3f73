//! Calls: lists and edges.

use retrostep_replay::calls::{function_at, incoming, list, outgoing};
use retrostep_trace::{CancellationToken, Event};

use crate::program::record;

const CALLS: &str = "\
def total(price, codes, note='x'):  # total
    if price < 0:
        raise ValueError(price)
    return price + len(codes)

def fact(n):  # fact
    if n <= 1:
        return 1
    return n * fact(n - 1)  # recurse

def numbers(n):  # numbers
    for i in range(n):
        yield i

def never():  # never
    return total(1, [])  # in never

def bill():  # bill
    items = ['a long entry', 'another long entry']
    total(1.5, items)  # first
    for price in (1, 2):
        total(price, [])  # loop
    try:
        total(-1, [], 'a text that is much longer than all others')  # bad
    except ValueError:
        pass
    return sorted([3, 1], key=lambda x: -x)  # sorted

bill()  # main
fact(4)  # fact call
whole = list(numbers(2))
part = numbers(9)
next(part)
closed = numbers(5)
next(closed)
closed.close()
";

#[test]
fn calls_are_listed_newest_first_with_arguments_and_outcomes() {
    for recorded in record("calls", CALLS) {
        assert_eq!(
            recorded.calls("total"),
            [
                "4 (-1, [], 'a text that is muc…') raised ValueError".to_owned(),
                "3 (2, [], 'x') → 2".to_owned(),
                "2 (1, [], 'x') → 1".to_owned(),
                "1 (1.5, 2 items, 'x') → 3.5".to_owned(),
            ]
        );
        assert_eq!(
            recorded.calls("fact"),
            ["4 (1) → 1", "3 (2) → 2", "2 (3) → 6", "1 (4) → 24"]
        );
        let numbers = recorded.calls("numbers");
        // From Python 3.13 on, closing a generator that has nothing to clean up runs no code of it;
        // before, also the end of the program closes one.
        let closed = |call: &str, told: &str| {
            told == format!("{call} closed") || told == format!("{call} yielded 0")
        };
        assert!(closed("3 (5)", &numbers[0]), "{}", numbers[0]);
        assert!(closed("2 (9)", &numbers[1]), "{}", numbers[1]);

        assert_eq!(numbers[2], "1 (2) → None");
        assert_eq!(recorded.calls("sorted").len(), 2);
        let cancel = CancellationToken::new();
        let function = recorded.function("total");
        let page = list(&recorded.recording, function, 1..3, &cancel).unwrap();
        let numbers: Vec<u64> = page.calls.iter().map(|call| call.number).collect();
        assert_eq!((numbers, page.total), (vec![3, 2], 4));
        for call in &page.calls {
            let event = recorded
                .recording
                .event(call.position)
                .unwrap()
                .unwrap()
                .event;
            assert_eq!(
                event,
                Event::Line {
                    line: recorded.line("total") + 1
                }
            );
        }
    }
}

#[test]
fn edges_count_calls_by_line() {
    for recorded in record("edges", CALLS) {
        let cancel = CancellationToken::new();
        let recording = &recorded.recording;
        let found = incoming(recording, recorded.function("total"), &cancel).unwrap();
        assert_eq!((found.calls, found.more, found.edges.len()), (4, false, 1));
        let edge = &found.edges[0];
        assert_eq!(edge.function, Some(recorded.function("bill")));
        let lines: Vec<(u32, u64)> = edge
            .lines
            .iter()
            .map(|line| (line.line, line.calls))
            .collect();
        let line = |marker| recorded.line(marker);
        assert_eq!(
            lines,
            [(line("first"), 1), (line("loop"), 2), (line("bad"), 1)]
        );
        assert_eq!(edge.newest.number, 4);
        assert!(edge.newest.outcome.is_raised());

        let found = incoming(recording, recorded.function("fact"), &cancel).unwrap();
        let told: Vec<_> = found
            .edges
            .iter()
            .map(|edge| (edge.function, edge.calls, edge.lines[0].line))
            .collect();
        let main = recorded.function("main");
        assert_eq!(
            told,
            [
                (Some(recorded.function("fact")), 3, line("recurse")),
                (Some(main), 1, line("fact call")),
            ]
        );
        // Through code that is not recorded.
        let found = incoming(recording, recorded.function("sorted"), &cancel).unwrap();
        assert_eq!(found.edges[0].lines[0].line, line("sorted"));
        let found = incoming(recording, main, &cancel).unwrap();
        assert_eq!((found.edges.len(), found.edges[0].function), (1, None));

        let found = outgoing(recording, recorded.function("bill"), &cancel).unwrap();
        let told: Vec<_> = found
            .edges
            .iter()
            .map(|edge| {
                (
                    edge.function.unwrap(),
                    edge.calls,
                    edge.newest.outcome.to_string(),
                )
            })
            .collect();
        assert_eq!(
            told,
            [
                (
                    recorded.function("total"),
                    4,
                    "raised ValueError".to_owned()
                ),
                (recorded.function("sorted"), 2, "→ -1".to_owned()),
            ]
        );
        assert_eq!(found.edges[0].lines.len(), 3);
    }
}

#[test]
fn a_function_that_never_ran_is_no_function() {
    for recorded in record("never", CALLS) {
        for marker in ["never", "in never"] {
            let line = recorded.line(marker);
            assert_eq!(
                function_at(&recorded.recording, recorded.source, line).unwrap(),
                None,
                "{marker}"
            );
        }
    }
}
