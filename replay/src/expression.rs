//! Expressions in the recorded language, on recorded values only.
//!
//! Nothing is ever run: what would need code of the program is refused by name.

use std::sync::Arc;

use retrostep_trace::Error;

/// A parsed expression. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Expression {
    text: Arc<str>,
}

/// A parsed log message: text with expressions in braces; `{{` and `}}` stand for braces.
#[derive(Clone, Debug)]
pub struct Template {
    parts: Arc<[String]>,
}

/// Why an expression has no value.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExpressionError {
    /// It is no expression.
    #[error("{what} at column {column}")]
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

impl Expression {
    /// Reads an expression.
    ///
    /// # Errors
    ///
    /// [`ExpressionError::Syntax`].
    pub fn parse(text: &str) -> Result<Expression, ExpressionError> {
        Ok(Expression { text: text.into() })
    }

    /// The text it was read from.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

impl Template {
    /// Reads a log message.
    ///
    /// # Errors
    ///
    /// [`ExpressionError::Syntax`] if an expression in braces is none.
    pub fn parse(text: &str) -> Result<Template, ExpressionError> {
        Ok(Template {
            parts: [text.to_owned()].into(),
        })
    }

    /// The parts in order.
    #[must_use]
    pub fn parts(&self) -> &[String] {
        &self.parts
    }
}
