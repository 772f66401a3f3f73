use std::fmt::Write as _;

use proptest::prelude::*;

use super::*;

fn map(recorded: &str, buffer: &str) -> LineMap {
    LineMap::new(
        &Text::recorded(recorded.as_bytes()),
        &Text::recorded(buffer.as_bytes()),
    )
}

/// The recorded line of each line of the buffer, 0 where there is none.
fn back(recorded: &str, buffer: &str) -> Vec<u32> {
    let map = map(recorded, buffer);
    (1..=buffer.lines().count() as u32)
        .map(|line| map.to_recorded(line).unwrap_or(0))
        .collect()
}

const SHOP: &str = "\
import sys

def total(items):
    sum = 0
    for item in items:
        sum += item
    return sum

def count(items):
    sum = 0
    for item in items:
        sum += 1
    return sum
";

#[test]
fn equal_texts_map_line_by_line() {
    let expected: Vec<u32> = (1..=13).collect();
    assert_eq!(back(SHOP, SHOP), expected);
    assert_eq!(back(SHOP, &SHOP.replace('\n', "\r\n")), expected);
    assert_eq!(back(SHOP, &SHOP.replace('\n', "\r")), expected[..1]);
    assert_eq!(map(SHOP, &SHOP.replace('\n', "\r")).to_buffer(13), Some(13));
    assert_eq!(back(SHOP, &format!("\u{feff}{SHOP}")), expected);
    assert!(back("", "").is_empty());
    assert_eq!(map(SHOP, SHOP).to_buffer(0), None);
    assert_eq!(map(SHOP, SHOP).to_buffer(99), None);
}

#[test]
fn a_changed_line_has_no_counterpart_and_moves_the_others() {
    let buffer = SHOP.replace("import sys\n", "import sys\nimport os\n");
    let buffer = buffer.replace("sum += item", "sum += item * 2");
    let expected = [1, 0, 2, 3, 4, 5, 0, 7, 8, 9, 10, 11, 12, 13];
    assert_eq!(back(SHOP, &buffer), expected);
}

#[test]
fn identical_lines_of_other_functions_are_others() {
    // `total` is gone: its lines are those of `count` by text only.
    let at = SHOP.find("def count").unwrap();
    let buffer = format!("import sys\n\n{}", &SHOP[at..]);
    assert_eq!(back(SHOP, &buffer), [1, 2, 9, 10, 11, 12, 13]);
    // A copy of `count` is not `total`, nor the original.
    let copy = SHOP[at..].replace("def count", "def size");
    let buffer = format!("{SHOP}\n{copy}");
    let lines = back(SHOP, &buffer);
    assert_eq!(lines[..13], (1..=13).collect::<Vec<u32>>());
    assert_eq!(lines[14..], [0; 5]);
}

#[test]
fn functions_that_are_moved_keep_their_lines() {
    let (front, count) = SHOP.split_at(SHOP.find("def count").unwrap());
    let (imports, total) = front.split_at(front.find("def total").unwrap());
    let buffer = format!("{imports}{count}\n{total}");
    let expected = [1, 2, 9, 10, 11, 12, 13];
    let lines = back(SHOP, &buffer);
    assert_eq!(lines[..7], expected);
    assert_eq!(lines[8..13], [3, 4, 5, 6, 7]);
}

#[test]
fn functions_that_are_renamed_keep_all_lines() {
    let buffer = SHOP.replace("def total", "def sum_of");
    assert_eq!(back(SHOP, &buffer), (1..=13).collect::<Vec<u32>>());
    // With another change it is another function.
    let buffer = buffer.replace("return sum\n\n", "return sum + 1\n\n");
    assert_eq!(back(SHOP, &buffer)[2..7], [0; 5]);
    // One that takes the name of another one that is gone is the renamed one.
    let at = SHOP.find("def count").unwrap();
    let buffer = format!(
        "import sys\n\n{}",
        SHOP[at..].replace("def count", "def total")
    );
    assert_eq!(back(SHOP, &buffer), [1, 2, 9, 10, 11, 12, 13]);
}

#[test]
fn functions_that_are_indented_as_a_whole_keep_their_lines() {
    let indented = |text: &str, by: &str| -> String {
        let line = |line: &str| match line {
            "" => "\n".to_owned(),
            line => format!("{by}{line}\n"),
        };
        text.lines().map(line).collect()
    };
    let (front, count) = SHOP.split_at(SHOP.find("def count").unwrap());
    let (imports, total) = front.split_at(front.find("def total").unwrap());
    let buffer = format!("{imports}class Shop:\n{}\n{count}", indented(total, "    "));
    let lines = back(SHOP, &buffer);
    assert_eq!(lines[..4], [1, 2, 0, 3]);
    assert_eq!(lines[4..8], [4, 5, 6, 7]);
    assert_eq!(lines[10..], [9, 10, 11, 12, 13]);
    // Not if a line of it changed too: then no line is unchanged.
    let changed = buffer.replace("sum += item", "sum += 2 * item");
    assert_eq!(back(SHOP, &changed)[3..8], [0; 5]);
    // The other way, with tabs, and with what is in it.
    let recorded = "if x:\n\tclass A:\n\t\tdef f(self):\n\n\t\t\treturn 1\n\n\t\ty = 2\n";
    let buffer = "class B:\n\tdef f(self):\n\n\t\treturn 1\n\n\ty = 2\n";
    assert_eq!(back(recorded, buffer), [2, 3, 4, 5, 6, 7]);
}

#[test]
fn all_lines_of_a_statement_map_or_none() {
    let recorded = "x = f(\n    1,\n    2,\n)\ny = 3\n";
    assert_eq!(
        back(recorded, &recorded.replace("2,", "4,")),
        [0, 0, 0, 0, 5]
    );
    assert_eq!(
        back(recorded, &recorded.replace("2,\n", "2,\n    3,\n")),
        [0, 0, 0, 0, 0, 5]
    );
    assert_eq!(back(recorded, &format!("\n{recorded}")), [0, 1, 2, 3, 4, 5]);
    // A head counts as a statement, its body does not.
    let recorded = "if (a and\n        b):\n    x = 1\n    y = 2\n";
    assert_eq!(
        back(recorded, &recorded.replace("a and", "a or")),
        [0, 0, 3, 4]
    );
    assert_eq!(
        back(recorded, &recorded.replace("x = 1", "x = 2")),
        [1, 2, 0, 4]
    );
    // Code that became text is no code any more.
    let recorded = "a = 1\nb = 2\nc = 3\n";
    assert_eq!(
        back(recorded, "a = 1\n\"\"\"\nb = 2\n\"\"\"\nc = 3\n"),
        [1, 0, 0, 0, 3]
    );
    // A decorator belongs to the head.
    let recorded = "@a\ndef f():\n    return 1\n";
    assert_eq!(back(recorded, &recorded.replace("@a", "@b")), [0, 0, 3]);
}

#[test]
fn functions_with_the_same_name_are_told_apart_by_their_heads() {
    let recorded = "\
class A:
    @property
    def x(self):
        return self._x

    @x.setter
    def x(self, value):
        self._x = value
        return self._x
";
    assert_eq!(back(recorded, recorded), (1..=9).collect::<Vec<u32>>());
    let buffer = recorded.replace("_x = value", "_x = value + 1");
    assert_eq!(back(recorded, &buffer), [1, 2, 3, 4, 5, 6, 7, 0, 9]);
    // The first one is gone.
    let buffer = "class A:\n    @x.setter\n    def x(self, value):\n        return self._x\n";
    assert_eq!(back(recorded, buffer), [1, 6, 7, 9]);
    // Where the heads are the same too, only those that are equal as a whole are certain.
    let recorded = "def f():\n    a = 1\n    return a\ndef f():\n    b = 1\n    return b\n";
    let buffer = recorded.replace("a = 1", "a = 2");
    assert_eq!(back(recorded, &buffer), [0, 0, 0, 4, 5, 6]);
    let recorded = "def f():\n    a = 1\n".repeat(2) + "x = 1\n";
    assert_eq!(back(&recorded, &recorded), [1, 2, 3, 4, 5]);
    let buffer = recorded.replace("x = 1", "x = 2");
    assert_eq!(back(&recorded, &buffer), [1, 2, 3, 4, 0]);
    assert_eq!(back(&recorded, &buffer[19..]), [0, 0, 0]);
}

#[test]
fn half_typed_text_gives_no_function_the_lines_of_another() {
    let buffer = SHOP.replace("def count(items):", "def count(items");
    let map = map(SHOP, &buffer);
    assert_eq!(map.to_buffer(4), Some(4));
    for line in 10..=13 {
        let found = map.to_buffer(line);
        assert!(found.is_none() || found == Some(line), "{line} {found:?}");
    }
    for line in 3..=7 {
        let found = map.to_buffer(line);
        assert!(found.is_none() || found == Some(line), "{line} {found:?}");
    }
}

#[test]
fn definitions_correspond_even_if_they_changed() {
    let buffer = SHOP.replace("def total(items)", "def total(items, tax)");
    let map = map(SHOP, &buffer);
    assert_eq!(map.definition_to_buffer(0), Some(0));
    assert_eq!(map.to_buffer(3), None);
    assert_eq!(map.to_buffer(4), Some(4));
    assert_eq!(
        super::tests::map(SHOP, "x = 1\n").definition_to_buffer(0),
        None
    );
}

/// A program of functions with many lines in common.
fn program(functions: &[(usize, Vec<usize>)]) -> Vec<String> {
    let mut lines = vec!["import sys".to_owned()];
    for (number, (name, body)) in functions.iter().enumerate() {
        lines.push(String::new());
        lines.push(format!("def f{name}_{number}(a):"));
        for line in body {
            lines.extend(
                STATEMENTS[*line]
                    .split('\n')
                    .map(|line| format!("    {line}")),
            );
        }
        lines.push("    return a".to_owned());
    }
    lines.push("x = f(1)".to_owned());
    lines
}

const STATEMENTS: &[&str] = &[
    "a += 1",
    "b = a",
    "if a:\n    b = 2",
    "c = max(\n    a,\n    b,\n)",
    "for d in e:\n    a += d\n    b = a",
    "s = \"\"\"\na += 1\n\"\"\"",
    "def g(h):\n    return h",
];

#[derive(Clone, Debug)]
enum Change {
    Insert(usize, usize),
    Delete(usize),
    Duplicate(usize),
    Move(usize, usize),
    Alter(usize),
    Indent(usize),
}

fn change() -> impl Strategy<Value = Change> {
    prop_oneof![
        (0_usize..80, 0..STATEMENTS.len()).prop_map(|(at, what)| Change::Insert(at, what)),
        (0_usize..80).prop_map(Change::Delete),
        (0_usize..80).prop_map(Change::Duplicate),
        (0_usize..80, 0_usize..80).prop_map(|(from, to)| Change::Move(from, to)),
        (0_usize..80).prop_map(Change::Alter),
        (0_usize..80).prop_map(Change::Indent),
    ]
}

fn apply(lines: &mut Vec<String>, change: &Change) {
    let within = |at: usize| at % lines.len().max(1);
    match *change {
        _ if lines.is_empty() => {}
        Change::Insert(at, what) => {
            let at = within(at);
            for line in STATEMENTS[what].split('\n').rev() {
                lines.insert(at, format!("    {line}"));
            }
        }
        Change::Delete(at) => {
            lines.remove(within(at));
        }
        Change::Duplicate(at) => lines.insert(within(at), lines[within(at)].clone()),
        Change::Move(from, to) => {
            let (from, to) = (within(from), within(to));
            let line = lines.remove(from);
            lines.insert(to.min(lines.len()), line);
        }
        Change::Alter(at) => {
            let at = within(at);
            let _ = write!(lines[at], " # {at}");
        }
        // The function that begins at or after a line, as a whole.
        Change::Indent(at) => {
            let at = within(at);
            let Some(first) = (at..lines.len()).find(|at| lines[*at].starts_with("def ")) else {
                return;
            };
            lines[first].insert_str(0, "    ");
            for line in &mut lines[first + 1..] {
                if !line.is_empty() && !line.starts_with(' ') {
                    break;
                }
                if !line.is_empty() {
                    line.insert_str(0, "    ");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn what_maps_is_the_same_after_any_edit(
        functions in proptest::collection::vec(
            (0_usize..3, proptest::collection::vec(0..STATEMENTS.len(), 0..5)), 0..4),
        changes in proptest::collection::vec(change(), 0..6),
    ) {
        let recorded = program(&functions);
        let mut buffer = recorded.clone();
        for change in &changes {
            apply(&mut buffer, change);
        }
        let recorded = Text::recorded(recorded.join("\n").as_bytes());
        let buffer = Text::recorded(buffer.join("\n").as_bytes());
        let map = LineMap::new(&recorded, &buffer);
        let names: HashMap<u32, usize> = (recorded.syntax().definitions().iter().enumerate())
            .map(|(index, definition)| (*definition.head.start(), index)).collect();
        let mut last: HashMap<Option<usize>, (u32, Option<usize>)> = HashMap::new();
        let mut mapped = std::collections::HashSet::new();
        for line in 1..=recorded.line_count() as u32 {
            let Some(other) = map.to_buffer(line) else { continue };
            prop_assert_eq!(map.to_recorded(other), Some(line));
            prop_assert!(mapped.insert(other), "two lines map to {}", other);
            let (from, to) = (recorded.line(line), buffer.line(other));
            let is_name = names.contains_key(&line);
            prop_assert!(from.trim_start() == to.trim_start() || is_name, "{from:?} {to:?}");
            let from_definition = recorded.syntax().definition_at(line);
            let to_definition = buffer.syntax().definition_at(other);
            match from_definition {
                Some(index) => prop_assert_eq!(map.definition_to_buffer(index), to_definition),
                None => prop_assert_eq!(to_definition, None),
            }
            // A line with other indentation belongs to a function with other indentation.
            if from != to && !is_name {
                let from = &recorded.syntax().definitions()[from_definition.unwrap()];
                let to = &buffer.syntax().definitions()[to_definition.unwrap()];
                prop_assert_eq!(recorded.shape(from), buffer.shape(to));
            }
            if let Some((before, definition)) = last.insert(from_definition, (other, to_definition)) {
                prop_assert!(before < other);
                prop_assert_eq!(definition, to_definition);
            }
        }
        for lines in recorded.long_statements() {
            let there: Vec<Option<u32>> = lines.map(|line| map.to_buffer(line)).collect();
            let first = there[0];
            let expected: Vec<Option<u32>> =
                (0..there.len() as u32).map(|at| first.map(|first| first + at)).collect();
            prop_assert_eq!(there, expected);
        }
    }

    #[test]
    fn any_texts_can_be_compared(recorded in "\\PC{0,60}", buffer in "[ -~\\r\\n\\t]{0,60}") {
        map(&recorded, &buffer);
        map(&buffer, &recorded);
    }
}

#[test]
fn an_edit_in_a_long_file_costs_little() {
    let mut recorded = String::new();
    for number in 0..1_000 {
        let _ = write!(
            recorded,
            "def f{number}(a):\n    b = a + {number}\n    for c in range(b):\n        if c:\n            \
             b += c\n        else:\n            b -= 1\n    print(a, b)\n    return b\n\n"
        );
    }
    let buffer = recorded.replace("b = a + 500\n", "b = a + 501\n    print(b)\n");
    let recorded = Text::recorded(recorded.as_bytes());
    let buffer = Text::recorded(buffer.as_bytes());
    let start = std::time::Instant::now();
    let map = LineMap::new(&recorded, &buffer);
    let took = start.elapsed();
    assert_eq!(map.to_buffer(9_999), Some(10_000));
    assert_eq!(map.to_buffer(5_002), None);
    // Measured: 1.1 ms with optimisation, 7 ms with as little as tests have.
    assert!(took < std::time::Duration::from_millis(200), "{took:?}");
}
