//! The structure of a source text: definitions, statements, loops, conditions, expressions.
//!
//! Read with a parser that recovers from errors, so that half a program has a structure too.
//! What a statement means is left to those who ask; nothing here knows a recording.
//! Lines are 1-based and both ends of a range of lines belong to it; offsets are bytes.

mod expression;
mod python;

use std::ops::{Range, RangeInclusive};

pub use expression::ExpressionRange;
use tree_sitter::{Parser, Tree};

/// A text's structure.
#[derive(Clone, Debug)]
pub struct Syntax {
    tree: Option<Tree>,
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
    ///
    /// `before` is the tree of an earlier text in which the differences were marked by
    /// [`Tree::edit`]: it makes reading faster and changes nothing else.
    #[must_use]
    pub fn parse(text: &str, before: Option<&Tree>) -> Syntax {
        let mut parser = Parser::new();
        let language = tree_sitter_python::LANGUAGE.into();
        // Fails only for a grammar of another generation, which a test would find.
        let tree = match parser.set_language(&language) {
            Ok(()) => parser.parse(text, before),
            Err(_) => None,
        };
        let mut syntax = Syntax {
            tree,
            definitions: Vec::new(),
            statements: Vec::new(),
        };
        if let Some(tree) = syntax.tree.take() {
            python::read(&tree, text, &mut syntax);
            syntax.tree = Some(tree);
        }
        syntax
    }

    /// The parser's own tree; to be edited and given to [`Syntax::parse`] for the text that follows.
    #[must_use]
    pub fn tree(&self) -> Option<&Tree> {
        self.tree.as_ref()
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

#[cfg(test)]
mod tests;
