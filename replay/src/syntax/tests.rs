use super::*;

const TEXT: &str = "\
import os
@cache
@other(
    1)
def total(cart, *items, codes=[], rate: int = 2, **rest):
    a = b = 1
    x, (self.y, z) = 1, (2, 3)
    for code, rate in zip(
        cart,
        items,
    ):
        if (n := code) > 1:
            continue
        elif n:
            a += 1
        else: a = 2
    while a: a -= 1
    with open(os) as file, b as (c, d):
        pass
    try:
        return a
    except (ValueError, OSError) as error:
        raise

class Cart:
    size = 0

    def add(self):
        def inner():
            return 1
        return inner()
";

fn line(text: &str, part: &str) -> u32 {
    let at = text.find(part).unwrap();
    text[..at].matches('\n').count() as u32 + 1
}

fn named<'a>(syntax: &'a Syntax, name: &str) -> &'a Definition {
    let mut found = syntax.definitions().iter();
    found.find(|it| it.qualified_name == name).unwrap()
}

fn targets(text: &str, statement: &Statement) -> Vec<String> {
    let targets = statement.targets.iter();
    targets
        .map(|range| text[range.clone()].to_owned())
        .collect()
}

#[test]
fn definitions_have_the_names_the_language_gives_them() {
    let syntax = Syntax::parse(TEXT);
    let names: Vec<&str> = (syntax.definitions().iter())
        .map(|it| it.qualified_name.as_str())
        .collect();
    assert_eq!(
        names,
        ["total", "Cart", "Cart.add", "Cart.add.<locals>.inner"]
    );
    let total = named(&syntax, "total");
    assert_eq!(total.lines, 2..=23);
    assert_eq!(total.head, 5..=5);
    let parameters: Vec<_> = (total.parameters.iter())
        .map(|it| (it.name.as_str(), it.has_default))
        .collect();
    assert_eq!(
        parameters,
        [
            ("cart", false),
            ("items", false),
            ("codes", true),
            ("rate", true),
            ("rest", false)
        ]
    );
    assert_eq!(syntax.definition_at(line(TEXT, "return 1")), Some(3));
    assert_eq!(syntax.definition_at(line(TEXT, "return inner")), Some(2));
    assert_eq!(syntax.definition_at(2), Some(0));
    assert_eq!(syntax.definition_at(1), None);
}

#[test]
fn statements_tell_what_they_bind_and_what_is_around_them() {
    let syntax = Syntax::parse(TEXT);
    let at = |part: &str| {
        let (_, statement) = syntax.statements_at(line(TEXT, part)).next().unwrap();
        statement
    };
    assert_eq!(targets(TEXT, at("a = b")), ["a", "b"]);
    assert_eq!(targets(TEXT, at("x, (")), ["x", "z"]);
    let head = at("        items,\n");
    assert_eq!(head.kind, StatementKind::For);
    assert_eq!(head.lines, 8..=11);
    assert_eq!(head.body, Some(12..=16));
    assert_eq!(targets(TEXT, head), ["code", "rate"]);
    let condition = at("if (n");
    assert_eq!(condition.kind, StatementKind::If);
    assert_eq!(condition.body, Some(13..=13));
    assert_eq!(targets(TEXT, condition), ["n"]);
    let other = at("a += 1");
    assert_eq!(targets(TEXT, other), ["a"]);
    let around = other
        .enclosing_loop
        .map(|index| &syntax.statements()[index].lines);
    assert_eq!(around, Some(&(8..=11)));
    assert_eq!(at("elif").kind, StatementKind::If);
    assert_eq!(at("while").body, None);
    assert_eq!(syntax.statements_at(line(TEXT, "while")).count(), 2);
    assert_eq!(targets(TEXT, at("with")), ["file", "c", "d"]);
    assert_eq!(targets(TEXT, at("except")), ["error"]);
    assert_eq!(at("return a").kind, StatementKind::Return);
    assert_eq!(at("@other").lines, 2..=5);
    assert_eq!(at("size").definition, Some(1));
}

#[test]
fn half_a_program_has_a_structure() {
    let text = "def f(a):\n    b = a.\n    c = 2\n\ndef g(:\n    d = 3\n";
    let syntax = Syntax::parse(text);
    assert_eq!(named(&syntax, "f").lines.start(), &1);
    let bound: Vec<_> = (syntax.statements().iter())
        .flat_map(|statement| targets(text, statement))
        .collect();
    assert!(bound.contains(&"d".to_owned()), "{bound:?}");
}

#[test]
fn the_expression_at_a_place_is_the_smallest_whole_one() {
    let text = "total = order.lines[0].price * f(qty, key=2) + len(names)  # order\n";
    let syntax = Syntax::parse(text);
    let check = |part: &str, inside: usize, expected: Option<&str>| {
        let at = text.find(part).unwrap() + inside;
        let found = syntax.expression_at(text, at..at);
        let found = found.map(|found| &text[found.range]);
        assert_eq!(found, expected, "{part} + {inside}");
    };
    check("total", 2, Some("total"));
    check("order", 0, Some("order"));
    check("lines", 1, Some("order.lines"));
    check("price", 0, Some("order.lines[0].price"));
    check("price", 5, Some("order.lines[0].price"));
    check(" * ", 1, Some("order.lines[0].price * f(qty, key=2)"));
    check("qty", 3, Some("qty"));
    check("key", 0, None);
    check("# order", 4, None);
    check("f(qty", 0, Some("f"));
    let selected = text.find("order").unwrap()..text.find(" + len").unwrap();
    let found = syntax.expression_at(text, selected.clone()).unwrap();
    assert_eq!(found.range, selected);
}

/// Whether reading `after` from what was known of `before` finds what reading it alone finds.
fn check_after(before: &str, after: &str) {
    let quick = Syntax::parse_after(after, &Syntax::parse(before), before);
    let plain = Syntax::parse(after);
    assert_eq!(quick.statements(), plain.statements());
    assert_eq!(quick.definitions(), plain.definitions());
    assert_eq!(quick.has_errors(), plain.has_errors());
}

#[test]
fn a_later_text_is_read_from_the_earlier_one() {
    for (part, other) in [
        ("a = b", "more = 2; a = b"),
        ("class Cart", "def new(): pass\n\nclass Cart"),
        ("import os\n", ""),
        ("@cache\n", "@cache\n@third\n"),
        ("        def inner():\n            return 1\n", "x = 1\n"),
        ("class Cart:\n", ""),
        ("a += 1", "a += 'é'"),
        ("a += 1", "a += (1"),
    ] {
        assert!(TEXT.contains(part), "{part}");
        let after = TEXT.replacen(part, other, 1);
        check_after(TEXT, &after);
        check_after(&after, TEXT);
    }
    check_after(TEXT, "");
    check_after("", TEXT);
    check_after(TEXT, &format!("{TEXT}{TEXT}"));
    // Of a part this long the tree is kept.
    let long = format!("{TEXT}{}", "    size = size + 1\n".repeat(1_000));
    check_after(&long, &long.replacen("size = size + 1", "size = (1)", 1));
    check_after(
        &long,
        &long.replacen("size = size + 1\n", "s\u{e9} = ''\n", 1),
    );
    check_after(&long, &long.replacen("size = size + 1\n", "", 1));
    check_after(TEXT, &long);
}

#[test]
fn a_bracket_that_is_not_closed_leaves_other_functions_alone() {
    let text = TEXT.replacen("a += 1", "a += (1", 1);
    let syntax = Syntax::parse(&text);
    assert!(syntax.has_errors());
    assert_eq!(named(&syntax, "Cart.add").parent, Some(1));
    let read = syntax.statements_at(line(&text, "size = 0")).next();
    assert_eq!(read.unwrap().1.definition, Some(1));
}

#[test]
fn the_uses_of_a_name_are_those_of_the_variable() {
    let text = "def f(a, b=1):\n    a = a.a + f(a=b)\n    for a in b: pass\n    return a\n";
    let syntax = Syntax::parse(text);
    let uses = syntax.uses_of(text, "a", 1..=4);
    let found: Vec<_> = uses.iter().map(|it| (it.line, it.is_written)).collect();
    let expected = [(1, true), (2, true), (2, false), (3, true), (4, false)];
    assert_eq!(found, expected);
    assert_eq!(syntax.uses_of(text, "a", 4..=4).len(), 1);
}
