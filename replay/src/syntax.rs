//! The structure of a source text: definitions, statements, loops, conditions, expressions.
//!
//! Read with a parser that recovers from errors, so that half a program has a structure too.
//! What a statement means is left to those who ask; nothing here knows a recording.
//! Lines are 1-based and both ends of a range of lines belong to it; offsets are bytes.

mod expression;
mod parts;
mod python;

use std::ops::{Range, RangeInclusive};

pub use expression::{ExpressionRange, NameUse};
use parts::Placed;

/// A text's structure.
#[derive(Clone, Debug)]
pub struct Syntax {
    /// In the order of the text, without gaps.
    parts: Vec<Placed>,
    definitions: Vec<Definition>,
    /// In the order of their first lines.
    statements: Vec<Statement>,
}

/// A function or a class.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Definition {
    /// Whether it is a class.
    pub is_class: bool,
    /// Its own name: `total`.
    pub name: String,
    /// Its name with those around it, as the language writes it: `Cart.total`, `main.<locals>.inner`.
    pub qualified_name: String,
    /// Where its name stands.
    pub name_range: Range<usize>,
    /// From its first decorator to its last line.
    pub lines: RangeInclusive<u32>,
    /// From `def` or `class` to the end of its head.
    pub head: RangeInclusive<u32>,
    /// The lines of its body.
    pub body: RangeInclusive<u32>,
    /// The definition around it, by index.
    pub parent: Option<usize>,
    /// The names of its parameters, and whether each has a default value.
    pub parameters: Vec<Parameter>,
}

/// A parameter of a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// Whether it has a default value.
    pub has_default: bool,
}

/// A simple statement, or the head of one that has a body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Its lines; of a statement with a body those of its head.
    pub lines: RangeInclusive<u32>,
    /// What it is.
    pub kind: StatementKind,
    /// The lines of its body, if that begins below the head.
    pub body: Option<RangeInclusive<u32>>,
    /// The innermost function or class around it, by index.
    pub definition: Option<usize>,
    /// The innermost loop around it in the same definition, by index of its head.
    pub enclosing_loop: Option<usize>,
    /// Where the names stand that it binds.
    pub targets: Vec<Range<usize>>,
    /// How many of them, from the first, it binds whenever it is done.
    pub assigned: usize,
    /// Where the attributes and elements stand that it assigns to.
    pub parts: Vec<Range<usize>>,
}

/// What a statement is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementKind {
    /// The head of a loop over the elements of something.
    For,
    /// The head of a loop with a condition.
    While,
    /// The head of a loop whose condition is a constant: it is not looked at in each pass.
    Forever,
    /// The head of an `if` or `elif`; one whose condition is a constant counts as [`StatementKind::Other`].
    If,
    /// The head of a function or class, from its first decorator.
    Definition,
    /// A `return`.
    Return,
    /// A statement that jumps: it has no value and may leave no trace of its own.
    Jump,
    /// It binds names of other modules.
    Import,
    /// Anything else that is executed.
    Other,
}

impl StatementKind {
    /// Whether it is the head of a loop.
    #[must_use]
    pub fn is_loop(self) -> bool {
        matches!(
            self,
            StatementKind::For | StatementKind::While | StatementKind::Forever
        )
    }
}

impl Syntax {
    /// Reads a text.
    #[must_use]
    pub fn parse(text: &str) -> Syntax {
        Syntax::of(parts::read(text, None))
    }

    /// Reads a text that came from `before`, the structure of `before_text`: that makes reading faster and
    /// changes nothing else.
    ///
    /// Cost: the comparison of both, and the reading of the functions and classes that are not the same.
    #[must_use]
    pub fn parse_after(text: &str, before: &Syntax, before_text: &str) -> Syntax {
        Syntax::of(parts::read(text, Some((&before.parts, before_text))))
    }

    fn of(parts: Vec<Placed>) -> Syntax {
        let sum = |count: fn(&Placed) -> usize| parts.iter().map(count).sum();
        let mut syntax = Syntax {
            definitions: Vec::with_capacity(sum(|placed| placed.part.definitions.len())),
            statements: Vec::with_capacity(sum(|placed| placed.part.statements.len())),
            parts: Vec::new(),
        };
        for placed in &parts {
            let by = Shift {
                bytes: placed.start,
                lines: placed.line,
                definitions: syntax.definitions.len(),
                statements: syntax.statements.len(),
            };
            let definitions = placed.part.definitions.iter();
            syntax
                .definitions
                .extend(definitions.map(|it| it.shifted(&by)));
            let statements = placed.part.statements.iter();
            syntax
                .statements
                .extend(statements.map(|it| it.shifted(&by)));
        }
        syntax.parts = parts;
        syntax
    }

    /// Whether some of the text could not be read.
    #[must_use]
    pub fn has_errors(&self) -> bool {
        self.parts.iter().any(|placed| placed.part.has_errors)
    }

    /// The functions and classes, outer ones before those in them.
    #[must_use]
    pub fn definitions(&self) -> &[Definition] {
        &self.definitions
    }

    /// The statements, in the order of their first lines.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The innermost definition whose lines, decorators included, have this one.
    #[must_use]
    pub fn definition_at(&self, line: u32) -> Option<usize> {
        let around = (self.definitions.iter().enumerate())
            .take_while(|(_, definition)| *definition.lines.start() <= line)
            .filter(|(_, definition)| definition.lines.contains(&line));
        around.last().map(|(index, _)| index)
    }

    /// The function that a statement is the head of.
    #[must_use]
    pub fn function_of(&self, head: &Statement) -> Option<(usize, &Definition)> {
        let mut definitions = self.definitions.iter().enumerate();
        definitions.find(|(_, it)| it.lines.start() == head.lines.start() && !it.is_class)
    }

    /// The only function with this name, if there is one and not several.
    #[must_use]
    pub fn function_named(&self, name: &str) -> Option<usize> {
        let mut alike = (self.definitions.iter().enumerate())
            .filter(|(_, it)| it.name == name && !it.is_class)
            .map(|(index, _)| index);
        let first = alike.next();
        first.filter(|_| alike.next().is_none())
    }

    /// The statements that have this line; several when they share it.
    pub fn statements_at(&self, line: u32) -> impl Iterator<Item = (usize, &Statement)> {
        let end = self
            .statements
            .partition_point(|statement| *statement.lines.start() <= line);
        let before = self.statements.get(..end).unwrap_or_default();
        // Simple statements and heads lie beside each other: the last one that begins at another line
        // is the only one that can reach over this one.
        let first = before
            .iter()
            .rposition(|statement| *statement.lines.start() != line)
            .unwrap_or(0);
        before
            .iter()
            .enumerate()
            .skip(first)
            .filter(move |(_, statement)| statement.lines.contains(&line))
    }
}

/// Where a part of a text stands in the whole.
struct Shift {
    bytes: usize,
    lines: u32,
    definitions: usize,
    statements: usize,
}

impl Shift {
    fn bytes(&self, range: &Range<usize>) -> Range<usize> {
        range.start + self.bytes..range.end + self.bytes
    }

    fn lines(&self, lines: &RangeInclusive<u32>) -> RangeInclusive<u32> {
        lines.start() + self.lines..=lines.end() + self.lines
    }
}

impl Definition {
    fn shifted(&self, by: &Shift) -> Definition {
        Definition {
            is_class: self.is_class,
            name: self.name.clone(),
            qualified_name: self.qualified_name.clone(),
            name_range: by.bytes(&self.name_range),
            lines: by.lines(&self.lines),
            head: by.lines(&self.head),
            body: by.lines(&self.body),
            parent: self.parent.map(|index| index + by.definitions),
            parameters: self.parameters.clone(),
        }
    }
}

impl Statement {
    fn shifted(&self, by: &Shift) -> Statement {
        Statement {
            lines: by.lines(&self.lines),
            kind: self.kind,
            body: self.body.as_ref().map(|lines| by.lines(lines)),
            definition: self.definition.map(|index| index + by.definitions),
            enclosing_loop: self.enclosing_loop.map(|index| index + by.statements),
            targets: self.targets.iter().map(|range| by.bytes(range)).collect(),
            assigned: self.assigned,
            parts: self.parts.iter().map(|range| by.bytes(range)).collect(),
        }
    }
}

#[cfg(test)]
mod tests;
