//! Values and expressions against real Pythons: thousands of generated ones, each Python found.
//!
//! Where no Python is found the tests say so and prove nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that meets the unexpected must fail and say why"
)]

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use retrostep_replay::{Expression, ExpressionError, Snapshot};
use retrostep_trace::{Header, Position, Recording, Summary, Writer, WriterOptions};

/// Prints for each expression what `repr` gives, or which exception is raised.
const ORACLE: &str = r#"
import ast, json, sys
def run(text):
    try:
        shown = repr(eval(text))
    except RecursionError:
        return ["skip", ""]
    except Exception as error:
        return ["error", type(error).__name__]
    return ["value", shown if len(shown) <= 100 else shown[:99] + "\u2026"]
print(json.dumps([run(text) for text in json.load(sys.stdin)]))
"#;

/// One interpreter of each supported version, with links resolved, which `ask` starts.
fn pythons() -> Vec<(PathBuf, String)> {
    let found = protocol_tests::pythons::found();
    for minor in protocol_tests::pythons::missing(&found) {
        eprintln!("no Python 3.{minor} here: not compared");
    }
    assert!(!found.is_empty(), "no supported Python found");
    found
        .into_iter()
        .map(|python| (python.path, python.version))
        .collect()
}

fn ask(python: &Path, expressions: &[String]) -> Vec<(String, String)> {
    let mut child = Command::new(python)
        .args(["-W", "ignore", "-c", ORACLE])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let input = serde_json::to_vec(expressions).unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let writer = std::thread::spawn(move || stdin.write_all(&input).unwrap());
    let output = child.wait_with_output().unwrap();
    writer.join().unwrap();
    assert!(output.status.success());
    serde_json::from_slice(&output.stdout).unwrap()
}

fn empty_recording(folder: &Path, version: &str) -> Recording {
    let path = folder.join("empty.retro");
    let header = Header {
        language: format!("Python {version}"),
        ..Header::default()
    };
    let writer = Writer::create(&path, &header, WriterOptions::default()).unwrap();
    writer.finish(&Summary::default()).unwrap();
    Recording::open(&path).unwrap()
}

/// A small generator of numbers; the same ones in every run.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn pick<'a>(&mut self, items: &[&'a str]) -> &'a str {
        items[self.below(items.len() as u64) as usize]
    }

    fn float(&mut self) -> String {
        let value = match self.below(5) {
            0 => f64::from_bits(self.next()),
            1 => self.below(1000) as f64 / 8.0,
            2 => self.below(1 << 60) as f64,
            3 => self.below(1_000_000) as f64 / 1e9,
            _ => {
                let exponent = self.below(40) as i32 - 20;
                self.below(100) as f64 * 10_f64.powi(exponent)
            }
        };
        match value {
            _ if value.is_nan() => "float('nan')".to_owned(),
            _ if value.is_infinite() => "float('inf')".to_owned(),
            _ if value.is_sign_negative() => format!("(-{:e})", value.abs()),
            _ => format!("{value:e}"),
        }
    }

    fn int(&mut self) -> String {
        match self.below(6) {
            0 => self.next().to_string(),
            1 => format!("(-{})", self.below(1000)),
            2 => format!(
                "0x{:x}{:016x}{:016x}",
                self.next(),
                self.next(),
                self.next()
            ),
            3 => "0".to_owned(),
            _ => self.below(100).to_string(),
        }
    }

    fn text(&mut self) -> String {
        let mut out = String::from("'");
        for _ in 0..self.below(14) {
            let code_point = match self.below(8) {
                0 => self.below(0x20),
                1 => 0x7f + self.below(0x40),
                2 => self.below(0x3000),
                3 => 0xd800 + self.below(0x800),
                4 => self.below(0x11_0000),
                5 => u64::from(b"'\"\\\n\t\r "[self.below(7) as usize]),
                _ => 0x20 + self.below(0x5f),
            };
            out.push_str(&format!("\\U{code_point:08x}"));
        }
        out.push('\'');
        out
    }

    fn bytes(&mut self) -> String {
        let mut out = String::from("b'");
        for _ in 0..self.below(12) {
            out.push_str(&format!("\\x{:02x}", self.below(256)));
        }
        out.push('\'');
        out
    }

    fn scalar(&mut self) -> String {
        match self.below(9) {
            0 => self.pick(&["None", "True", "False", "..."]).to_owned(),
            1 | 2 => self.int(),
            3 | 4 => self.float(),
            5 => format!("complex({}, {})", self.float(), self.float()),
            6 => self.bytes(),
            _ => self.text(),
        }
    }

    fn key(&mut self) -> String {
        match self.below(4) {
            0 => self.int(),
            1 => format!("({}, {})", self.int(), self.text()),
            2 => self.bytes(),
            _ => self.text(),
        }
    }

    fn value(&mut self, depth: u32) -> String {
        if depth == 0 || self.below(3) == 0 {
            return self.scalar();
        }
        let mut items = Vec::new();
        for _ in 0..self.below(4) {
            items.push(self.value(depth - 1));
        }
        match self.below(6) {
            0 => format!("[{}]", items.join(", ")),
            1 => match items.len() {
                0 => "()".to_owned(),
                _ => format!("({},)", items.join(", ")),
            },
            2 => {
                let entries: Vec<String> = items
                    .into_iter()
                    .map(|item| format!("{}: {item}", self.key()))
                    .collect();
                format!("{{{}}}", entries.join(", "))
            }
            // The order of several elements is Python's own; one has no order.
            3 => format!("{{{}}}", self.key()),
            4 => format!("frozenset([{}])", self.key()),
            _ => self
                .pick(&["set()", "frozenset()", "range(3)", "range(1, 9, 2)"])
                .to_owned(),
        }
    }

    fn operand(&mut self) -> String {
        match self.below(12) {
            0 | 1 => self.below(9).to_string(),
            2 => format!("(-{})", self.below(9)),
            3 => self.int(),
            4 | 5 => self.float(),
            6 => self.pick(&["'ab'", "'abcab'", "''", "b'xyz'"]).to_owned(),
            7 => self.pick(&["[1, 2, 3]", "[]", "[3, [1], 'x']"]).to_owned(),
            8 => self.pick(&["(1, 2)", "()", "(1, 'a')"]).to_owned(),
            9 => self
                .pick(&["{1}", "set()", "{'a': 1, 'b': 2}", "{}"])
                .to_owned(),
            10 => self.pick(&["True", "False", "None"]).to_owned(),
            _ => "range(1, 10, 3)".to_owned(),
        }
    }

    fn expression(&mut self) -> String {
        let (a, b, c) = (self.operand(), self.operand(), self.operand());
        let small = |numbers: &mut Self| match numbers.below(4) {
            0 => String::new(),
            _ => (numbers.below(9) as i64 - 4).to_string(),
        };
        match self.below(12) {
            0..=3 => {
                let operator =
                    self.pick(&["+", "-", "*", "/", "//", "%", "&", "|", "^", "-", "+", "/"]);
                format!("{a} {operator} {b}")
            }
            4 => {
                let operator = self.pick(&["**", "<<", ">>"]);
                format!("{} {operator} {}", self.below(12), self.below(9) as i64 - 2)
            }
            5 | 6 => {
                let first = self.pick(&["<", "<=", "==", "!=", ">", ">=", "in", "not in"]);
                let second = self.pick(&["<", "==", ">="]);
                match self.below(3) {
                    0 => format!("{a} {first} {b} {second} {c}"),
                    _ => format!("{a} {first} {b}"),
                }
            }
            7 => format!("{a}[{}:{}:{}]", small(self), small(self), small(self)),
            8 => format!("{a}[{b}]"),
            9 => {
                let logic = self.pick(&["and", "or", "if"]);
                match logic {
                    "if" => format!("{a} if {b} else not {c}"),
                    _ => format!("{a} {logic} {b}"),
                }
            }
            10 => {
                let function = self.pick(&[
                    "abs",
                    "len",
                    "min",
                    "max",
                    "sum",
                    "sorted",
                    "round",
                    "str",
                    "repr",
                    "int",
                    "float",
                    "bool",
                    "list",
                    "tuple",
                    "any",
                    "all",
                    "hex",
                    "type",
                    "enumerate",
                ]);
                match function {
                    "enumerate" => format!("list(enumerate({a}))"),
                    _ => format!("{function}({a})"),
                }
            }
            _ => match self.below(6) {
                0 => format!("-{a}"),
                1 => format!("~{a}"),
                2 => format!("round({}, {})", self.float(), self.below(4)),
                3 => format!("divmod({a}, {b})"),
                4 => format!("[x for x in {a} if x]"),
                _ => format!("isinstance({a}, (int, str))"),
            },
        }
    }
}

/// Compares, and returns how many expressions were refused here.
fn compare(python: &(PathBuf, String), expressions: &[String]) -> usize {
    let folder = tempfile::tempdir().unwrap();
    let recording = empty_recording(folder.path(), &python.1);
    let snapshot = Snapshot::new(&recording, Position::START);
    let expected = ask(&python.0, expressions);
    let mut refused = 0;
    let mut wrong = Vec::new();
    for (text, (kind, wanted)) in expressions.iter().zip(&expected) {
        if kind == "skip" {
            continue;
        }
        let found =
            match Expression::parse(text).and_then(|parsed| snapshot.evaluate(None, &parsed)) {
                Ok(variable) => ("value", variable.text),
                Err(ExpressionError::Raised { kind, .. }) => ("error", kind.to_owned()),
                Err(ExpressionError::Refused(_) | ExpressionError::TooLarge(_)) => {
                    refused += 1;
                    continue;
                }
                Err(error) => ("failed", error.to_string()),
            };
        if (found.0, &found.1) != (kind.as_str(), wanted) {
            wrong.push(format!(
                "{text}\n  Python: {kind} {wanted}\n  here:   {} {}",
                found.0, found.1
            ));
        }
    }
    assert!(
        wrong.is_empty(),
        "Python {}: {} of {} differ:\n{}",
        python.1,
        wrong.len(),
        expressions.len(),
        wrong[..wrong.len().min(20)].join("\n")
    );
    refused
}

#[test]
fn values_are_written_as_python_writes_them() {
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    let expressions: Vec<String> = (0..3_000).map(|_| numbers.value(3)).collect();
    for python in pythons() {
        assert_eq!(compare(&python, &expressions), 0);
    }
}

#[test]
fn every_character_is_written_as_python_writes_it() {
    for python in pythons() {
        // The planes in between have no characters in any version of Unicode.
        let planes = (0..0x3_2400_u32)
            .chain(0xe_0000..0xe_0200)
            .chain(0x10_fff0..0x11_0000);
        let expressions: Vec<String> = planes
            .step_by(8)
            .map(|first| {
                let characters: Vec<String> = (first..first + 8)
                    .map(|code_point| format!("\\U{code_point:08x}"))
                    .collect();
                format!("'{}'", characters.concat())
            })
            .collect();
        assert_eq!(compare(&python, &expressions), 0);
    }
}

#[test]
fn expressions_give_what_python_gives() {
    let mut numbers = Numbers(0x2545_f491_4f6c_dd1d);
    let expressions: Vec<String> = (0..8_000).map(|_| numbers.expression()).collect();
    for python in pythons() {
        let refused = compare(&python, &expressions);
        assert!(refused < 600, "{refused} refused");
    }
}
