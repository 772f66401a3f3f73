//! What differed first.

use retrostep_replay::compare::{DifferenceKind, compare};
use retrostep_trace::{Event, FunctionId, Unavailable, Value};

use crate::build::{Builder, F, TEXT, damaged, many_calls, none};

#[test]
fn damage_is_no_difference() {
    let (_folder, recording) = damaged();
    let whole = many_calls().finish();
    let function = FunctionId(F);
    let found = compare(&whole, function, &recording, function, &none()).unwrap();
    assert!(found.damaged && found.more, "{found:?}");
    assert_eq!(found.difference, None);
    assert!(found.same_calls > 100, "{found:?}");
}

/// What differs between one call of `f(1)` and another one.
fn difference(
    one: impl Fn(&mut Builder),
    other: impl Fn(&mut Builder),
) -> Option<(DifferenceKind, String)> {
    let build = |events: &dyn Fn(&mut Builder)| {
        let mut builder = Builder::new();
        builder.whole_call(F, 1, 1, 1);
        builder.call(F);
        builder.write(0, 1);
        builder.line(2);
        events(&mut builder);
        builder.finish()
    };
    let (one, other) = (build(&one), build(&other));
    let function = FunctionId(F);
    let found = compare(&one, function, &other, function, &none()).unwrap();
    found.difference.map(|found| (found.kind, found.text))
}

#[test]
fn the_first_difference_of_two_calls_is_told() {
    let told = |text: &str, kind: DifferenceKind| Some((kind, text.to_owned()));
    let variable = || DifferenceKind::Variable("m".to_owned());
    let written = |value: i64| {
        move |builder: &mut Builder| {
            builder.write(1, value);
            builder.line(3);
            builder.give_back(value);
        }
    };
    assert_eq!(difference(written(4), written(4)), None);
    assert_eq!(
        difference(written(4), written(5)),
        told("call 2: m = 4 in one, 5 in the other (line 2)", variable())
    );
    let silent = |builder: &mut Builder| {
        builder.line(3);
        builder.give_back(4);
    };
    assert_eq!(
        difference(written(4), silent),
        told(
            "call 2: m = 4 in one, no value in the other (line 2)",
            variable()
        )
    );
    let again = |builder: &mut Builder| {
        builder.line(2);
    };
    assert_eq!(
        difference(silent, again),
        told(
            "call 2: after line 2 comes line 3 in one, line 2 in the other",
            DifferenceKind::Path
        )
    );
    let raising = |builder: &mut Builder| {
        builder.line(3);
        builder.raise();
        builder.unwind();
    };
    assert_eq!(
        difference(silent, raising),
        told(
            "call 2: returns 4 in one, raises ValueError in the other (line 3)",
            DifferenceKind::Ended
        )
    );
    let unknown = |builder: &mut Builder| {
        let value = Some(Value::Unavailable(Unavailable::Redacted));
        builder.push(Event::Write { slot: 1, value });
        builder.line(3);
        builder.give_back(4);
    };
    assert_eq!(difference(written(4), unknown), None);
    let running = |builder: &mut Builder| {
        builder.line(3);
    };
    assert_eq!(
        difference(silent, running),
        told(
            "call 2: returns 4 in one, is still running in the other (line 3)",
            DifferenceKind::Ended
        )
    );
}

#[test]
fn lines_are_compared_where_the_text_is_the_same() {
    let build = |text: &str, first: i64| {
        let mut builder = Builder::with_text(text);
        builder.whole_call(F, first, 1, 1);
        builder.finish()
    };
    let changed = TEXT.replace("return m", "return m + 0");
    let (one, other) = (build(TEXT, 1), build(&changed, 1));
    let function = FunctionId(F);
    let found = compare(&one, function, &other, function, &none()).unwrap();
    let difference = found.difference.unwrap();
    assert_eq!(
        difference.text,
        "call 1: the function's text differs at line 3"
    );
    assert_eq!(difference.kind, DifferenceKind::Text);
    // What differs before that line comes first.
    let other = build(&changed, 2);
    let found = compare(&one, function, &other, function, &none()).unwrap();
    let text = found.difference.unwrap().text;
    assert_eq!(text, "call 1: n = 1 in one, 2 in the other (line 1)");
}
