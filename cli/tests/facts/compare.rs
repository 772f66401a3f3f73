//! What differed first.

use retrostep_replay::compare::{Comparison, DifferenceKind, compare};
use retrostep_trace::CancellationToken;

use crate::program::record;

fn compared(test: &str, one: &str, other: &str) -> Option<Comparison> {
    let (one, other) = (record(test, one).pop()?, record(test, other).pop()?);
    let found = compare(
        &one.recording,
        one.function("f"),
        &other.recording,
        other.function("f"),
        &CancellationToken::new(),
    );
    Some(found.unwrap())
}

const COMPARED: &str = "\
RATE = 0.25
class Item:
    def __init__(self, price):
        self.price = price

def f(items, rate):  # f
    log = []
    total = 0
    for item in items:
        total += item.price * rate
        log.append(total)
    if total > 100:
        total = 100
    return {'total': total, 'log': log}

def main():
    f([], 1)
    f([Item(1.0), Item(2.0)], 2)
    f([Item(1.0), Item(4.0), Item(8.0)], RATE)

main()
";

#[test]
fn the_first_difference_of_two_recordings_is_told() {
    let Some(same) = compared("compare", COMPARED, COMPARED) else {
        return;
    };
    assert_eq!(
        (same.difference, same.same_calls, same.more),
        (None, 3, false)
    );
    let check = |from: &str, to: &str, expected: &str, kind: DifferenceKind| {
        let changed = COMPARED.replacen(from, to, 1);
        assert_ne!(changed, COMPARED);
        let found = compared("compare", COMPARED, &changed).unwrap();
        let difference = found.difference.unwrap();
        assert_eq!(
            (difference.text.as_str(), &difference.kind),
            (expected, &kind)
        );
    };
    check(
        "0.25",
        "0.5",
        "call 3: rate = 0.25 in one, 0.5 in the other (line 6)",
        DifferenceKind::Argument("rate".to_owned()),
    );
    check(
        "Item(2.0)",
        "Item(3.0)",
        "call 2: items = [Item(price=1.0), Item(price=2.0)] in one, \
         [Item(price=1.0), Item(price=3.0)] in the other (line 6)",
        DifferenceKind::Argument("items".to_owned()),
    );
    check(
        "Item(4.0)",
        "Item(5.0)",
        "call 3: items[1].price = 4.0 in one, 5.0 in the other (line 6)",
        DifferenceKind::Argument("items".to_owned()),
    );
    check(
        "    f([Item(1.0), Item(4.0), Item(8.0)], RATE)\n",
        "    pass\n",
        "called 3 times in one, 2 times in the other",
        DifferenceKind::Calls,
    );
    check(
        "log.append(total)",
        "log.append(total + 1)",
        "call 2: the function's text differs at line 11",
        DifferenceKind::Text,
    );
}

#[test]
fn what_a_call_did_differs_where_its_arguments_are_the_same() {
    let program = |value: &str| {
        format!(
            "\
STATE = {{'limit': {value}}}
def g():
    return STATE['limit']

def f(n):  # f
    found = []
    if n > g():
        found.append(n)
    found.append(g())
    yield n
    if g() > 5:
        raise ValueError(g())

for n in (1, 9):
    try:
        list(f(n))
    except ValueError:
        pass
"
        )
    };
    let check = |one: &str, other: &str, expected: &str| {
        let Some(found) = compared("compare calls", &program(one), &program(other)) else {
            return;
        };
        let difference = found.difference.map(|it| it.text);
        assert_eq!(difference.as_deref(), Some(expected), "{one} {other}");
    };
    check(
        "3",
        "0",
        "call 1: after line 7 comes line 9 in one, line 8 in the other",
    );
    check(
        "3",
        "4",
        "call 1: found = [3] in one, [4] in the other (line 9)",
    );
}

#[test]
fn two_runs_of_one_program_are_the_same() {
    let text = "\
import collections
import threading

class Node:
    def __init__(self, name):
        self.name = name
        self.self = self
        self.lock = threading.Lock()

def f(names):  # f
    seen = set()
    counts = collections.Counter()
    nodes = {}
    for name in names:
        seen.add(name)
        counts[name] += 1
        nodes[name] = Node(name)
    def inner():
        nonlocal seen
        seen = frozenset(seen)
        return seen
    key = lambda name: (-counts[name], name)
    inner()
    yield sorted(seen, key=key)
    error = ValueError(nodes['a'])
    yield error
    return nodes

result = []  # module
for item in f(['a', 'b', 'a', 'c', 'd', 'e']):
    result.append(item)
";
    let (ones, others) = (record("same", text), record("same", text));
    for (one, other) in ones.iter().zip(&others) {
        for marker in ["f", "module"] {
            let found = compare(
                &one.recording,
                one.function(marker),
                &other.recording,
                other.function(marker),
                &CancellationToken::new(),
            );
            let found = found.unwrap();
            let told = (found.difference, found.same_calls, found.more);
            assert_eq!(told, (None, 1, false), "{marker}");
        }
    }
}

#[test]
fn what_closures_and_modules_hold_is_compared() {
    let text = "\
import os
def f():  # f
    total = 0
    def add(n):
        nonlocal total
        total += n
    add(1)
    add(SIZES[0])
    return None

SIZES = []
SIZES.append(os.getpid())  # module
f()
";
    let (ones, others) = (record("closures", text), record("closures", text));
    for (one, other) in ones.iter().zip(&others) {
        let told = |marker: &str| {
            let found = compare(
                &one.recording,
                one.function(marker),
                &other.recording,
                other.function(marker),
                &CancellationToken::new(),
            );
            found.unwrap().difference.unwrap()
        };
        let found = told("f");
        assert!(found.text.starts_with("call 1: total = "), "{found:?}");
        assert_eq!(found.lines, [8, 8]);
        let found = told("module");
        assert!(found.text.starts_with("call 1: SIZES = ["), "{found:?}");
        assert_eq!(found.lines, [12, 12]);
    }
}
