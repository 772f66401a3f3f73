//! What is shown of a small recorded program: variables, expressions, history, why, the console.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that meets the unexpected must fail and say why"
)]

use std::path::PathBuf;
use std::sync::Arc;

use retrostep_replay::console::{Console, ConsoleKind, Palette};
use retrostep_replay::history::{Order, history};
use retrostep_replay::why::why;
use retrostep_replay::{
    Expression, ExpressionError, Filter, Node, Place, ScopeKind, Snapshot, Template, Timeline,
};
use retrostep_trace::{
    CancellationToken, Change, Content, Direction, Event, FrameId, Function, FunctionId,
    FunctionKind, Header, ObjectId, ObjectKind, Position, Recording, Source, Summary, Text,
    ThreadId, Type, TypeId, Unavailable, Value, Variable, VariableKind, Writer, WriterOptions,
};

const PROGRAM: &str = "\
def add(codes, n):
    codes.append(n)
    return codes

def total(cart, codes, secret):
    codes = add(codes, 7)
    due = len(cart) - sum(codes)
    if due < 0:
        raise ValueError('total below zero')
    return due

cart = [1, 2]
codes = [5]
due = total(cart, codes, customer)
";

const MODULE: FrameId = FrameId(0);
const TOTAL: FrameId = FrameId(1);
const ADD: FrameId = FrameId(2);
const NAMESPACE: ObjectId = ObjectId(0);
const CART: ObjectId = ObjectId(1);
const CODES: ObjectId = ObjectId(2);
const CUSTOMER: ObjectId = ObjectId(3);
const ERROR: ObjectId = ObjectId(4);

struct Program {
    writer: Writer,
    path: PathBuf,
}

fn text(value: &str) -> Text {
    Text {
        kept: value.as_bytes().into(),
        len: value.chars().count() as u64,
    }
}

fn name(value: &str) -> Value {
    Value::Str(text(value))
}

fn function(name: &str, first_line: u32, kind: FunctionKind, variables: &[&str]) -> Function {
    let arguments = if name == "total" { 3 } else { 2 };
    let variable = |(index, name): (usize, &&str)| Variable {
        name: (*name).into(),
        kind: if index < arguments {
            VariableKind::Argument
        } else {
            VariableKind::Local
        },
    };
    Function {
        name: name.into(),
        qualified_name: name.into(),
        source: retrostep_trace::SourceId(0),
        first_line,
        kind,
        variables: variables.iter().enumerate().map(variable).collect(),
        lines: (1..=14).collect(),
    }
}

impl Program {
    fn push(&mut self, event: Event) -> Position {
        self.writer.push(ThreadId(0), event).unwrap()
    }

    fn line(&mut self, line: u32) -> Position {
        self.push(Event::Line { line })
    }

    fn object(&mut self, object: ObjectId, change: Change) -> Position {
        self.push(Event::Object { object, change })
    }

    fn set(&mut self, key: &str, value: Value) -> Position {
        let key = name(key);
        self.object(NAMESPACE, Change::SetKey { key, value })
    }

    fn write(&mut self, slot: u32, value: Value) -> Position {
        let value = Some(value);
        self.push(Event::Write { slot, value })
    }

    fn call(&mut self, frame: FrameId, function: u32) -> Position {
        self.push(Event::Call {
            frame,
            function: FunctionId(function),
            globals: Some(NAMESPACE),
            locals: (function == 0).then_some(NAMESPACE),
        })
    }
}

fn content(kind: ObjectKind, type_id: u32, items: Vec<Value>) -> Box<Content> {
    let mut content = Content::new(kind, TypeId(type_id));
    content.len = items.len() as u64;
    content.items = items;
    Box::new(content)
}

/// The events whose positions the tests ask for.
struct Positions {
    line_6: Position,
    append: Position,
    line_7: Position,
    line_8: Position,
    raise: Position,
}

/// A recording without events, but with all that its events can name.
fn begin() -> (tempfile::TempDir, Program) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("shop.retro");
    let header = Header {
        language: "Python 3.12.1".to_owned(),
        name: "shop".to_owned(),
        command: vec!["python".to_owned(), "shop.py".to_owned()],
        working_directory: "/work".to_owned(),
        ..Header::default()
    };
    let writer = Writer::create(&path, &header, WriterOptions::default()).unwrap();
    let mut program = Program { writer, path };
    program.writer.add_source(Source {
        path: "/work/shop.py".into(),
        text: Some(PROGRAM.as_bytes().into()),
    });
    for (module, qualified) in [
        ("builtins", "dict"),
        ("builtins", "list"),
        ("shop", "Customer"),
        ("builtins", "ValueError"),
    ] {
        program.writer.add_type(Type {
            module: module.into(),
            qualified_name: qualified.into(),
            fields: Vec::new(),
            base: None,
        });
    }
    let w = &mut program.writer;
    w.add_function(function("<module>", 1, FunctionKind::Module, &[]));
    let total = ["cart", "codes", "secret", "due"];
    w.add_function(function("total", 5, FunctionKind::Function, &total));
    w.add_function(function("add", 1, FunctionKind::Function, &["codes", "n"]));
    (folder, program)
}

fn record() -> (tempfile::TempDir, Arc<Recording>, Positions) {
    let (folder, mut program) = begin();
    let main: Arc<str> = "MainThread".into();
    program.push(Event::ThreadStart { name: main });
    let namespace = content(ObjectKind::Namespace, 0, Vec::new());
    program.object(NAMESPACE, Change::New(namespace));
    program.call(MODULE, 0);
    program.line(12);
    let cart = content(ObjectKind::List, 1, vec![Value::Int(1), Value::Int(2)]);
    program.object(CART, Change::New(cart));
    program.set("cart", Value::Object(CART));
    program.line(13);
    let codes = content(ObjectKind::List, 1, vec![Value::Int(5)]);
    program.object(CODES, Change::New(codes));
    program.set("codes", Value::Object(CODES));
    let mut customer = Content::new(ObjectKind::Instance, TypeId(2));
    customer.attributes = vec![
        ("name".into(), name("Sven")),
        ("token".into(), Value::Unavailable(Unavailable::Redacted)),
    ];
    program.object(CUSTOMER, Change::New(Box::new(customer)));
    program.set("customer", Value::Object(CUSTOMER));
    program.line(14);
    program.call(TOTAL, 1);
    program.write(0, Value::Object(CART));
    program.write(1, Value::Object(CODES));
    program.write(2, Value::Object(CUSTOMER));
    let line_6 = program.line(6);
    program.call(ADD, 2);
    program.write(0, Value::Object(CODES));
    program.write(1, Value::Int(7));
    program.line(2);
    let append = program.object(
        CODES,
        Change::Append {
            value: Value::Int(7),
        },
    );
    program.line(3);
    let value = Value::Object(CODES);
    program.push(Event::Return { value });
    program.write(1, Value::Object(CODES));
    let line_7 = program.line(7);
    program.write(3, Value::Int(-10));
    let line_8 = program.line(8);
    program.line(9);
    let mut error = content(ObjectKind::Exception, 3, vec![name("total below zero")]);
    error.text = Some(text("total below zero"));
    program.object(ERROR, Change::New(error));
    let exception = Value::Object(ERROR);
    let raise = program.push(Event::Raise {
        exception: exception.clone(),
    });
    program.push(Event::Unwind {
        exception: exception.clone(),
    });
    program.push(Event::Unwind { exception });
    program.push(Event::ThreadEnd);
    program.writer.finish(&Summary::default()).unwrap();
    let recording = Arc::new(Recording::open(&program.path).unwrap());
    let positions = Positions {
        line_6,
        append,
        line_7,
        line_8,
        raise,
    };
    (folder, recording, positions)
}

fn shown(recording: &Recording, at: Position, frame: FrameId, expression: &str) -> String {
    let snapshot = Snapshot::new(recording, at);
    let evaluated = Expression::parse(expression)
        .and_then(|expression| snapshot.evaluate(Some(frame), &expression));
    match evaluated {
        Ok(variable) => variable.text,
        Err(error) => format!("! {error}"),
    }
}

#[test]
fn a_value_is_the_one_of_its_moment() {
    let (_folder, recording, at) = record();
    let codes = |position| shown(&recording, position, TOTAL, "codes");
    assert_eq!(codes(at.line_6), "[5]");
    assert_eq!(codes(at.append), "[5]");
    assert_eq!(codes(at.append.next()), "[5, 7]");
    assert_eq!(shown(&recording, at.raise, MODULE, "codes"), "[5, 7]");
    assert_eq!(shown(&recording, at.line_8, TOTAL, "due"), "-10");
    assert_eq!(
        shown(&recording, at.line_7, TOTAL, "due"),
        "! UnboundLocalError: cannot access local variable 'due' where it is not associated with a value"
    );
}

#[test]
fn what_would_run_program_code_is_refused_by_name() {
    let (_folder, recording, at) = record();
    let check = |expression: &str, expected: &str| {
        assert_eq!(
            shown(&recording, at.raise, TOTAL, expression),
            expected,
            "{expression}"
        );
    };
    check("secret", "Customer(name='Sven', token=redacted)");
    check("secret.name.upper()", "'SVEN'");
    check("secret.token", "redacted");
    check("secret.token + 1", "! secret.token is not there: redacted");
    check(
        "cart(1)",
        "! cart(...) would run program code, which a recording cannot do.",
    );
    check(
        "secret.pay(1)",
        "! secret.pay(...) would run program code, which a recording cannot do.",
    );
    check(
        "secret == 1",
        "! comparing Customer with int would run program code, which a recording cannot do.",
    );
    check(
        "sum([secret])",
        "! sum(...) would run program code, which a recording cannot do.",
    );
    check("secret is secret", "True");
    check("secret is None", "False");
    check("len(codes) + codes[-1] * 2", "16");
    check("[code for code in codes if code > 5]", "[7]");
    check("codes[5]", "! IndexError: list index out of range");
    check("missing", "! NameError: name 'missing' is not defined");
    check(
        "due = 3",
        "! a recording cannot be changed; compare with `==` at column 5",
    );
    check(
        "isinstance(secret, list)",
        "! only the first base of each class is recorded, and it is none of those",
    );
}

#[test]
fn scopes_and_children_have_names_counts_and_places() {
    let (_folder, recording, at) = record();
    let snapshot = Snapshot::new(&recording, at.line_8);
    let scopes = snapshot.scopes(TOTAL).unwrap();
    let names: Vec<&str> = scopes.iter().map(|scope| scope.name).collect();
    assert_eq!(names, ["Locals", "Globals"]);
    let locals = Node::Scope(TOTAL, ScopeKind::Locals);
    let variables = snapshot
        .children(&locals, None, Filter::All, 0..10)
        .unwrap();
    let lines: Vec<String> = variables
        .iter()
        .map(|variable| format!("{} {} {}", variable.name, variable.type_name, variable.text))
        .collect();
    assert_eq!(
        lines,
        [
            "cart list [1, 2]",
            "codes list [5, 7]",
            "secret Customer Customer(name='Sven', token=redacted)",
            "due int -10",
        ]
    );
    let codes = &variables[1];
    assert_eq!((codes.indexed, codes.named), (2, 0));
    let node = codes.node.clone().unwrap();
    assert_eq!(node, Node::Object(CODES));
    let page = snapshot
        .children(&node, Some("codes"), Filter::Indexed, 1..2)
        .unwrap();
    assert_eq!(page.len(), 1);
    assert_eq!(page[0].evaluate_name.as_deref(), Some("codes[1]"));
    assert_eq!(
        page[0].place,
        Some(Place::Item {
            object: CODES,
            index: 1
        })
    );
    assert!(
        snapshot
            .children(&node, None, Filter::Named, 0..5)
            .unwrap()
            .is_empty()
    );
}

#[test]
fn a_returned_value_is_shown_after_the_call_and_on_the_last_line() {
    let (_folder, recording, at) = record();
    let returned = |position, frame| {
        let snapshot = Snapshot::new(&recording, position);
        let node = Node::Scope(frame, ScopeKind::ReturnValue);
        let variables = snapshot.children(&node, None, Filter::All, 0..9).unwrap();
        let lines = variables
            .iter()
            .map(|variable| format!("{} {}", variable.name, variable.text));
        lines.collect::<Vec<_>>()
    };
    assert_eq!(returned(at.line_7, TOTAL), ["add() [5, 7]"]);
    assert_eq!(returned(at.append.next(), ADD), ["return [5, 7]"]);
    assert!(returned(at.line_8, TOTAL).is_empty());
}

#[test]
fn the_history_of_a_list_has_all_changes_through_every_name() {
    let (_folder, recording, at) = record();
    let snapshot = Snapshot::new(&recording, at.raise);
    let cancel = CancellationToken::new();
    let codes = Expression::parse("codes").unwrap();
    let found = history(snapshot, Some(TOTAL), &codes, 0..10, Order::Newest, &cancel).unwrap();
    let lines: Vec<String> = found
        .changes
        .iter()
        .map(|change| format!("{}:{} {}", change.function_name, change.line, change.text))
        .collect();
    // Binding the same list again by line 6 shows nothing new.
    assert_eq!(lines, ["add:2 1 → 2 items, + 7", "<module>:14 = [5]"]);
    assert_eq!(found.total, 2);
    let second = history(snapshot, Some(TOTAL), &codes, 1..10, Order::Newest, &cancel).unwrap();
    let oldest = history(snapshot, Some(TOTAL), &codes, 0..10, Order::Oldest, &cancel).unwrap();
    let written = |found: &retrostep_replay::history::History| -> Vec<_> {
        found.changes.iter().map(|change| change.written).collect()
    };
    let mut reversed = written(&oldest);
    reversed.reverse();
    assert_eq!(written(&found), reversed);
    assert_eq!((oldest.total, oldest.more), (found.total, false));
    assert_eq!(second.changes.len(), 1);
    assert_eq!(second.changes[0].new_text.as_deref(), Some("[5]"));
}

#[test]
fn changes_are_found_in_both_directions() {
    let (_folder, recording, at) = record();
    let cancel = CancellationToken::new();
    let place = Place::Local {
        frame: TOTAL,
        slot: 1,
    };
    let mut forward = Vec::new();
    let mut from = Position::START;
    while let Some(change) = place
        .find_change(&recording, from, Direction::Forward, &cancel)
        .unwrap()
    {
        forward.push((change.position, change.step, change.text.clone()));
        from = change.position.next();
    }
    let mut backward = Vec::new();
    let mut from = recording.end();
    while let Some(change) = place
        .find_change(&recording, from, Direction::Backward, &cancel)
        .unwrap()
    {
        backward.push((change.position, change.step, change.text.clone()));
        from = change.position;
    }
    backward.reverse();
    assert_eq!(forward, backward);
    assert_eq!(forward.len(), 2);
    assert_eq!(forward[1].0, at.append);
}

#[test]
fn why_follows_names_calls_and_arguments() {
    let (_folder, recording, at) = record();
    let snapshot = Snapshot::new(&recording, at.raise);
    let due = Expression::parse("due").unwrap();
    let found = why(snapshot, Some(TOTAL), &due, &CancellationToken::new()).unwrap();
    let lines: Vec<String> = found
        .links
        .iter()
        .map(|link| {
            format!(
                "{} {} {} line {}",
                link.depth, link.name, link.text, link.line
            )
        })
        .collect();
    assert_eq!(
        lines,
        [
            "0 due = -10 line 7",
            "1 cart = [1, 2] line 14",
            "2 cart = [1, 2] line 12",
            "1 codes 1 → 2 items, + 7 line 2",
            "2 codes = [5] line 14",
            "3 codes = [5] line 13",
            "2 n = 7 line 6",
        ]
    );
}

#[test]
fn arguments_that_code_without_a_recording_passed_are_shown_where_the_function_begins() {
    let (_folder, mut program) = begin();
    let worker: Arc<str> = "Thread-1".into();
    program.push(Event::ThreadStart { name: worker });
    let namespace = content(ObjectKind::Namespace, 0, Vec::new());
    program.object(NAMESPACE, Change::New(namespace));
    let call = program.call(TOTAL, 1);
    program.write(0, Value::Int(3));
    let line = program.line(6);
    program.writer.finish(&Summary::default()).unwrap();
    let recording = Arc::new(Recording::open(&program.path).unwrap());
    let snapshot = Snapshot::new(&recording, line);
    let cart = Expression::parse("cart").unwrap();
    let found = why(snapshot, Some(TOTAL), &cart, &CancellationToken::new()).unwrap();
    let [link] = &found.links[..] else {
        panic!("{:?}", found.links);
    };
    assert_eq!((link.position, link.line), (call, 5));
    assert_eq!(link.line_text, "def total(cart, codes, secret):");
}

#[test]
fn log_messages_are_filled_in() {
    let (_folder, recording, at) = record();
    let template = Template::parse("{secret.name} owes {due:=^}").map(|_| ());
    assert!(matches!(template, Err(ExpressionError::Syntax { .. })));
    let template = Template::parse("{secret.name} owes {due}, {{codes}} {codes[9]}").unwrap();
    let filled = Snapshot::new(&recording, at.raise).fill(Some(TOTAL), &template);
    assert_eq!(
        filled,
        "Sven owes -10, {codes} <IndexError: list index out of range>"
    );
}

struct Session {
    console: Console,
    timeline: Timeline,
    _folder: tempfile::TempDir,
}

impl Session {
    fn open(kind: ConsoleKind) -> Session {
        let (folder, recording, _) = record();
        Session {
            console: Console::new(kind, Palette::Plain),
            timeline: Timeline::new(recording, |_| None).unwrap(),
            _folder: folder,
        }
    }

    fn run(&mut self, line: &str) -> String {
        let cancel = CancellationToken::new();
        match self.console.run(&mut self.timeline, None, line, &cancel) {
            Ok(reply) => reply.text,
            Err(error) => format!("! {error}"),
        }
    }
}

#[test]
fn the_console_moves_and_tells_where_it_is() {
    let mut session = Session::open(ConsoleKind::Terminal);
    let text = session.run("exception");
    assert!(text.contains("shop.py:9 in total"), "{text}");
    assert!(
        text.contains("▶    9          raise ValueError('total below zero')"),
        "{text}"
    );
    let text = session.run("back");
    assert!(
        text.contains("shop.py:9 in total") || text.contains("shop.py:8 in total"),
        "{text}"
    );
    let text = session.run("break 7");
    assert_eq!(text, "breakpoint 1 at shop.py:7");
    let text = session.run("rc");
    assert!(text.contains("· breakpoint\nshop.py:7 in total"), "{text}");
    assert!(text.contains("    codes = [5, 7]"), "{text}");
    assert_eq!(session.run("codes"), "[5, 7]");
    assert_eq!(
        session.run("print due"),
        "! UnboundLocalError: cannot access local variable 'due' where it is not associated with a value"
    );
    assert!(session.run("watch codes").starts_with("breakpoint 2"));
    let text = session.run("rc");
    assert!(text.contains("shop.py:2 in add"), "{text}");
    assert!(
        session
            .run("where")
            .starts_with("▶ #0  add(codes=[5], n=7)  shop.py:2")
    );
    let text = session.run("up");
    assert!(text.contains("shop.py:6 in total"), "{text}");
    assert_eq!(
        session.run("bakc"),
        "! no command \"bakc\"; did you mean \"back\"?"
    );
    assert!(session.run("help").contains("back-into"));
    assert!(session.run("hits 7").contains("runs once"));
    assert!(
        session
            .run("log shop.py:7 codes are {codes}")
            .contains("codes are [5, 7]\n1 hit")
    );
    assert_eq!(session.run("delete"), "2 breakpoints removed");
    assert!(session.run("seek 99999").starts_with("! no event 99,999"));
    assert!(session.run("end").contains("end of recording"));
}

#[test]
fn in_a_clients_console_the_programs_names_come_first() {
    let mut session = Session::open(ConsoleKind::Client);
    session.run("exception");
    session.run("direction backward");
    assert_eq!(session.console.direction(), Direction::Backward);
    session.console.set_direction(Direction::Forward);
    assert!(
        session
            .run("break 7")
            .starts_with("! breakpoints are set in the editor")
    );
    let text = session.run("rc");
    assert!(text.contains("start of recording"), "{text}");
    let text = session.run("until shop.py:2");
    assert!(text.contains("shop.py:2 in add"), "{text}");
    // `n` is a variable here, and the command `next` elsewhere.
    assert_eq!(session.run("n"), "7");
    assert!(session.run("next").contains("shop.py:3 in add"));
}

#[test]
fn completion_offers_commands_names_and_lines() {
    let mut session = Session::open(ConsoleKind::Terminal);
    session.run("exception");
    let mut complete = |line: &str| {
        let found = session
            .console
            .complete(&session.timeline, None, line, line.len());
        let texts: Vec<String> = found
            .into_iter()
            .map(|completion| completion.text)
            .collect();
        texts.join(" ")
    };
    assert_eq!(complete("back-"), "back-into back-out");
    assert_eq!(complete("print sec"), "secret");
    assert_eq!(complete("print secret.n"), "name");
    assert_eq!(
        complete("break shop.py:1"),
        "shop.py:1 shop.py:10 shop.py:11 shop.py:12 shop.py:13 shop.py:14"
    );
    assert_eq!(complete("break to"), "total");
    assert_eq!(complete("direction b"), "backward");
    assert_eq!(complete("print \""), "");
}
