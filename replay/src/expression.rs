//! Expressions in the recorded language, on recorded values only.
//!
//! Nothing is ever run: what would need code of the program is refused by name.

mod builtins;
mod compare;
mod evaluate;
mod lexer;
mod literal;
mod methods;
mod number;
mod operators;
mod parser;
mod sequence;
mod statement;
mod syntax;

use std::sync::Arc;

use retrostep_trace::Error;

pub(crate) use builtins::names as builtin_names;
pub(crate) use evaluate::{Evaluator, namespace_entry};
pub(crate) use parser::is_keyword;
pub(crate) use statement::{SourceLines, Statement, argument_for, names_in};
use syntax::SyntaxError;
pub(crate) use syntax::{Argument, BinaryOperator, Comparison, Kind, Node, Passing, UnaryOperator};

/// A parsed expression. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Expression {
    text: Arc<str>,
    node: Arc<Node>,
}

/// A parsed log message: text with expressions in braces; `{{` and `}}` stand for braces.
#[derive(Clone, Debug)]
pub struct Template {
    parts: Arc<[TemplatePart]>,
}

#[derive(Clone, Debug)]
pub(crate) enum TemplatePart {
    Text(String),
    Expression(Expression),
}

/// Why an expression has no value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    /// It is no expression.
    #[error("{what} at column {}", column + 1)]
    Syntax {
        /// 0-based, in bytes.
        column: usize,
        /// What is wrong.
        what: String,
    },
    /// It would run code of the program, or change the recording. The text says what.
    #[error("{0}")]
    Refused(String),
    /// What the recorded language raises: `IndexError: list index out of range`.
    #[error("{kind}: {message}")]
    Raised {
        /// The exception's name.
        kind: &'static str,
        /// Its text.
        message: String,
    },
    /// It needs something that was not recorded. The text says what and why.
    #[error("{0}")]
    NotRecorded(String),
    /// It is too large to work out here.
    #[error("{0}")]
    TooLarge(String),
    /// The recording could not be read, or the search was cancelled.
    #[error(transparent)]
    Recording(#[from] Error),
}

impl From<SyntaxError> for ExpressionError {
    fn from(error: SyntaxError) -> ExpressionError {
        ExpressionError::Syntax {
            column: error.column,
            what: error.what,
        }
    }
}

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// [`ExpressionError::Syntax`].
    pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
        let text = text.trim();
        Ok(Expression {
            text: text.into(),
            node: Arc::new(parser::parse(text)?),
        })
    }

    /// The text it was read from, without white space around it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    pub(crate) fn node(&self) -> &Node {
        &self.node
    }

    /// Whether `.name` and `[index]` can follow the text without brackets around it.
    pub(crate) fn is_primary(&self) -> bool {
        matches!(
            self.node.kind,
            Kind::Name(_)
                | Kind::Attribute(..)
                | Kind::Subscript(..)
                | Kind::Call(..)
                | Kind::List(_)
                | Kind::Dict(_)
                | Kind::Set(_)
        )
    }
}

impl Template {
    /// Reads a log message.
    ///
    /// # Errors
    ///
    /// [`ExpressionError::Syntax`] if an expression in braces is none.
    pub fn parse(text: &str) -> Result<Template, ExpressionError> {
        let mut parts = Vec::new();
        let mut plain = String::new();
        let mut rest = text;
        while let Some(brace) = rest.find(['{', '}']) {
            let (before, behind) = rest.split_at(brace);
            plain.push_str(before);
            let open = behind.starts_with('{');
            let tail = behind.get(1..).unwrap_or_default();
            if let Some(tail) = tail.strip_prefix(if open { '{' } else { '}' }) {
                plain.push(if open { '{' } else { '}' });
                rest = tail;
                continue;
            }
            let column = text.len() - behind.len();
            if !open {
                return Err(ExpressionError::Syntax {
                    column,
                    what: "`}` without `{`".to_owned(),
                });
            }
            let (expression, tail) = braced(tail, column)?;
            if !plain.is_empty() {
                parts.push(TemplatePart::Text(std::mem::take(&mut plain)));
            }
            parts.push(TemplatePart::Expression(expression));
            rest = tail;
        }
        plain.push_str(rest);
        if !plain.is_empty() {
            parts.push(TemplatePart::Text(plain));
        }
        Ok(Template {
            parts: parts.into(),
        })
    }

    pub(crate) fn parts(&self) -> &[TemplatePart] {
        &self.parts
    }
}

/// The expression up to its closing brace, and what follows that: the first brace with which the text
/// before it is an expression, so that strings and dictionaries may hold braces.
fn braced(text: &str, column: usize) -> Result<(Expression, &str), ExpressionError> {
    let mut first = None;
    // A message with many braces is a mistake; the search for the right one stays short.
    for (end, _) in text.match_indices('}').take(20) {
        let (inner, tail) = text.split_at(end);
        match Expression::parse(inner) {
            Ok(expression) => return Ok((expression, tail.get(1..).unwrap_or_default())),
            Err(error) => {
                first.get_or_insert(error);
            }
        }
    }
    Err(match first {
        Some(ExpressionError::Syntax { column: at, what }) => ExpressionError::Syntax {
            column: column + 1 + at,
            what,
        },
        Some(other) => other,
        None => ExpressionError::Syntax {
            column,
            what: "`{` is never closed".to_owned(),
        },
    })
}

#[cfg(test)]
mod tests;
