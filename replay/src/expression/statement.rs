//! Which names a line of the recorded program reads and writes.
//!
//! Only what stands on one logical line is read: the head of a compound statement, or the simple
//! statements between two line ends. A line that cannot be read gives nothing.

use std::ops::Range;

use super::lexer::{self, Token, TokenKind};
use super::parser::{Parser, is_keyword};
use super::syntax::{Argument, Kind, Node, Passing, SyntaxError};

/// A source's logical lines.
#[derive(Debug)]
pub(crate) struct SourceLines {
    text: String,
    /// Where each physical line starts, in bytes.
    starts: Vec<usize>,
    tokens: Vec<Token>,
}

/// What one logical line does.
#[derive(Clone, Debug, Default)]
pub(crate) struct Statement {
    /// What is assigned to: names, attributes, elements.
    pub(crate) targets: Vec<Node>,
    /// The expressions whose values it uses.
    pub(crate) values: Vec<Node>,
    /// `x += value` reads its target too.
    pub(crate) augmented: bool,
    /// It defines a function or a class.
    pub(crate) defines: bool,
}

const AUGMENTED: &[&str] = &[
    "+=", "-=", "*=", "/=", "//=", "%=", "**=", ">>=", "<<=", "&=", "|=", "^=", "@=",
];

impl SourceLines {
    pub(crate) fn new(bytes: &[u8]) -> SourceLines {
        let text = String::from_utf8_lossy(bytes).into_owned();
        let starts = std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect();
        let tokens = lexer::tokens_of_source(&text);
        SourceLines {
            text,
            starts,
            tokens,
        }
    }

    /// The text of a physical line, 1-based, without its end and the white space around it.
    pub(crate) fn line(&self, line: u32) -> &str {
        self.text.get(self.range(line)).unwrap_or_default().trim()
    }

    /// The text of a physical line, 1-based, without its end.
    pub(crate) fn raw_line(&self, line: u32) -> &str {
        let text = self.text.get(self.range(line)).unwrap_or_default();
        text.trim_end_matches(['\n', '\r'])
    }

    /// How many physical lines there are.
    pub(crate) fn count(&self) -> u32 {
        let lines = self.starts.len() - usize::from(self.text.ends_with('\n'));
        u32::try_from(lines).unwrap_or(u32::MAX)
    }

    /// The text of a part of a statement, white space folded.
    #[cfg(test)]
    fn part(&self, node: &Node) -> String {
        let text = self.text.get(node.start..node.end).unwrap_or_default();
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn range(&self, line: u32) -> Range<usize> {
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        let start = self.starts.get(index).copied().unwrap_or(self.text.len());
        let next = self.starts.get(index.saturating_add(1)).copied();
        start..next.unwrap_or(self.text.len())
    }

    /// What the logical line does that a physical line belongs to.
    pub(crate) fn statement(&self, line: u32) -> Statement {
        let range = self.range(line);
        let first = self
            .tokens
            .partition_point(|token| token.end <= range.start && token.kind != TokenKind::End);
        let is_end = |token: &Token| matches!(token.kind, TokenKind::Newline | TokenKind::End);
        let before = self.tokens.get(..first).unwrap_or_default();
        let start = before.iter().rposition(is_end).map_or(0, |index| index + 1);
        let tail = self.tokens.get(start..).unwrap_or_default();
        let tail: Vec<Token> = tail
            .iter()
            .skip_while(|token| token.kind == TokenKind::Newline)
            .take_while(|token| !is_end(token))
            .cloned()
            .collect();
        let mut statement = Statement::default();
        let mut parser = Parser::of_tokens(&self.text, tail);
        // What was read up to something unreadable is kept.
        let _ = read(&mut parser, &mut statement);
        statement
    }
}

fn read(parser: &mut Parser<'_>, statement: &mut Statement) -> Result<(), SyntaxError> {
    loop {
        if matches!(parser.peek().kind, TokenKind::End) {
            return Ok(());
        }
        parser.accept("async");
        let word = parser.word();
        match word {
            "if" | "elif" | "while" => {
                parser.advance();
                statement.values.push(parser.expressions()?);
                parser.accept(":");
            }
            "for" => {
                parser.advance();
                statement.targets.push(parser.targets()?);
                parser.accept("in");
                statement.values.push(parser.expressions()?);
                parser.accept(":");
            }
            "with" => {
                parser.advance();
                loop {
                    statement.values.push(parser.expression()?);
                    if parser.accept("as") {
                        statement.targets.push(parser.primary()?);
                    }
                    if !parser.accept(",") {
                        break;
                    }
                }
                parser.accept(":");
            }
            "except" => {
                parser.advance();
                parser.accept("*");
                if !parser.at(":") {
                    statement.values.push(parser.expressions()?);
                }
                if parser.accept("as") {
                    statement.targets.push(parser.primary()?);
                }
                parser.accept(":");
            }
            "else" | "try" | "finally" => {
                parser.advance();
                parser.accept(":");
            }
            "return" | "raise" | "assert" => {
                parser.advance();
                if !matches!(parser.peek().kind, TokenKind::End) && !parser.at(";") {
                    statement.values.push(parser.expressions()?);
                    if parser.accept("from") {
                        statement.values.push(parser.expression()?);
                    }
                }
            }
            "del" => {
                parser.advance();
                statement.targets.push(parser.expressions()?);
            }
            "def" | "class" | "@" | "import" | "from" | "global" | "nonlocal" | "pass"
            | "break" | "continue" => {
                statement.defines = matches!(word, "def" | "class" | "@");
                return Ok(());
            }
            _ => assignment(parser, statement)?,
        }
        parser.accept(";");
    }
}

fn assignment(parser: &mut Parser<'_>, statement: &mut Statement) -> Result<(), SyntaxError> {
    let mut last = parser.expressions()?;
    if parser.accept(":") {
        // An annotation says nothing about the value.
        parser.expression()?;
        if !parser.at("=") {
            return Ok(());
        }
    }
    if AUGMENTED.contains(&parser.word()) {
        parser.advance();
        statement.augmented = true;
        statement.targets.push(last);
        statement.values.push(parser.expressions()?);
        return Ok(());
    }
    while parser.accept("=") {
        let next = parser.expressions()?;
        statement.targets.push(std::mem::replace(&mut last, next));
    }
    statement.values.push(last);
    Ok(())
}

impl Statement {
    /// The names that are read, each once, in the order of the text: those of the values, and those
    /// through which an attribute or element is assigned.
    pub(crate) fn names_read(&self) -> Vec<String> {
        let mut names = Vec::new();
        for value in &self.values {
            read_names(value, &mut Vec::new(), &mut names);
        }
        for target in &self.targets {
            if self.augmented || !matches!(target.kind, Kind::Name(_)) {
                target_names(target, self.augmented, &mut names);
            }
        }
        names
    }

    /// Every name on the line, assigned ones first.
    pub(crate) fn names(&self) -> Vec<String> {
        let mut names = Vec::new();
        for target in &self.targets {
            target_names(target, true, &mut names);
        }
        for name in self.names_read() {
            push(&mut names, &name);
        }
        names
    }

    /// The calls among the values, outermost first: the function's last name, and the arguments.
    pub(crate) fn calls(&self) -> Vec<(String, &[Argument], bool)> {
        fn collect<'n>(node: &'n Node, out: &mut Vec<(String, &'n [Argument], bool)>) {
            if let Kind::Call(function, arguments) = &node.kind {
                match &function.kind {
                    Kind::Name(name) => out.push((name.clone(), arguments, false)),
                    Kind::Attribute(_, name) => out.push((name.clone(), arguments, true)),
                    _ => {}
                }
            }
            for child in node.children() {
                collect(child, out);
            }
        }
        let mut out = Vec::new();
        for value in &self.values {
            collect(value, &mut out);
        }
        out
    }
}

/// The argument of a call that a parameter gets: by its name, else by its place.
pub(crate) fn argument_for<'n>(
    arguments: &'n [Argument],
    parameter: &str,
    place: usize,
) -> Option<&'n Node> {
    let named = arguments
        .iter()
        .find(|argument| matches!(&argument.passing, Passing::Keyword(name) if name == parameter));
    if let Some(named) = named {
        return Some(&named.value);
    }
    let mut positional = arguments
        .iter()
        .take_while(|argument| argument.passing == Passing::Positional);
    positional.nth(place).map(|argument| &argument.value)
}

/// The names that an expression reads, those that it binds itself left out.
pub(crate) fn names_in(node: &Node) -> Vec<String> {
    let mut names = Vec::new();
    read_names(node, &mut Vec::new(), &mut names);
    names
}

fn read_names(node: &Node, bound: &mut Vec<String>, out: &mut Vec<String>) {
    match &node.kind {
        Kind::Name(name) => {
            if !bound.contains(name) && !is_keyword(name) {
                push(out, name);
            }
        }
        Kind::Lambda(parameters, body) => {
            let depth = bound.len();
            bound.extend(parameters.iter().cloned());
            read_names(body, bound, out);
            bound.truncate(depth);
        }
        Kind::Comprehension {
            element,
            value,
            clauses,
            ..
        } => {
            let depth = bound.len();
            for clause in clauses {
                read_names(&clause.values, bound, out);
                let mut targets = Vec::new();
                target_names(&clause.target, true, &mut targets);
                bound.extend(targets);
                for condition in &clause.conditions {
                    read_names(condition, bound, out);
                }
            }
            read_names(element, bound, out);
            if let Some(value) = value {
                read_names(value, bound, out);
            }
            bound.truncate(depth);
        }
        _ => {
            for child in node.children() {
                read_names(child, bound, out);
            }
        }
    }
}

/// The names of an assignment's target: those it binds, and those it goes through.
fn target_names(node: &Node, binding: bool, out: &mut Vec<String>) {
    match &node.kind {
        Kind::Name(name) => {
            if binding {
                push(out, name);
            }
        }
        Kind::Tuple(nodes) | Kind::List(nodes) => {
            for node in nodes {
                target_names(node, binding, out);
            }
        }
        Kind::Starred(node) => target_names(node, binding, out),
        _ => read_names(node, &mut Vec::new(), out),
    }
}

fn push(names: &mut Vec<String>, name: &str) {
    if !names.iter().any(|known| known == name) {
        names.push(name.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, line: u32, targets: &[&str], read: &[&str]) {
        let lines = SourceLines::new(source.as_bytes());
        let statement = lines.statement(line);
        let found: Vec<String> = statement
            .targets
            .iter()
            .map(|node| lines.part(node))
            .collect();
        assert_eq!(found, targets, "targets of {source:?}");
        assert_eq!(statement.names_read(), read, "names read by {source:?}");
    }

    #[test]
    fn assignments() {
        check("due = subtotal - off", 1, &["due"], &["subtotal", "off"]);
        check("a = b = c", 1, &["a", "b"], &["c"]);
        check("x, *y = f(z)", 1, &["x, *y"], &["f", "z"]);
        check(
            "total += item.price * n",
            1,
            &["total"],
            &["item", "n", "total"],
        );
        check("d[k].x = v", 1, &["d[k].x"], &["v", "d", "k"]);
        check("n: int = m", 1, &["n"], &["m"]);
        check(
            "s = f'{a!r:>{w}} {{no}} {b[\"c\"]}'",
            1,
            &["s"],
            &["w", "a", "b"],
        );
    }

    #[test]
    fn compound_heads_and_several_lines() {
        check(
            "for i, x in enumerate(xs):\n    pass",
            1,
            &["i, x"],
            &["enumerate", "xs"],
        );
        check("if a and not b: c = d", 1, &["c"], &["a", "b", "d"]);
        check(
            "with open(p) as f, g() as h:",
            1,
            &["f", "h"],
            &["open", "p", "g"],
        );
        check(
            "x = 1\ny = g(\n    a,\n    b,\n)\nz = 2",
            4,
            &["y"],
            &["g", "a", "b"],
        );
        check(
            "return [i * k for i in xs if i > m]",
            1,
            &[],
            &["xs", "m", "k"],
        );
        check("def f(a=b):", 1, &[], &[]);
        check(
            "raise ValueError(f'{due:.2f}') from err",
            1,
            &[],
            &["ValueError", "due", "err"],
        );
    }

    #[test]
    fn a_broken_line_gives_what_was_readable() {
        check("x = = y", 1, &[], &[]);
        check(
            "text = '''\nline of text x = y\n'''\nq = w",
            4,
            &["q"],
            &["w"],
        );
        check("$ ? !\na = b", 2, &["a"], &["b"]);
    }
}
