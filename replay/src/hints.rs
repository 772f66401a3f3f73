//! What is told at the ends of lines: what they assigned, changed, decided, returned.
//!
//! Either of a whole recording ([`overall`]), or of the calls that a moment shows ([`Moment`]). Texts never repeat what stands in the line, and nothing is told that is not known.

mod loops;
mod moment;
mod overall;
mod parts;
pub(crate) mod phrase;

use retrostep_trace::{FrameId, Position, Value};

pub use moment::{Call, Moment};
pub use overall::overall;

use crate::survey::Values;

/// The most characters of all hints of a line.
pub const MAX_LEN: usize = 40;

/// What is told of a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Hint {
    /// The line, 1-based, of the recorded text.
    pub line: u32,
    /// The text: all parts in their order.
    pub parts: Vec<HintPart>,
    /// The last execution that it tells of: its step event, or the call of a function's head.
    pub step: Position,
    /// The frame that ran it.
    pub frame: Option<FrameId>,
}

/// A piece of a hint.
#[derive(Clone, Debug, PartialEq)]
pub struct HintPart {
    /// Ready to show.
    pub text: String,
    /// The value that it shows.
    pub value: Option<HintValue>,
}

/// A value that is shown shortened.
#[derive(Clone, Debug, PartialEq)]
pub struct HintValue {
    /// The name that has it, if it is a variable's.
    pub name: Option<String>,
    /// The value.
    pub value: Value,
    /// The position at which its contents are those shown.
    pub at: Position,
}

impl Hint {
    /// All of the text.
    #[must_use]
    pub fn text(&self) -> String {
        self.parts.iter().map(|part| part.text.as_str()).collect()
    }
}

impl HintPart {
    /// Text that shows no value.
    fn plain(text: impl Into<String>) -> HintPart {
        HintPart {
            text: text.into(),
            value: None,
        }
    }

    /// Text that shows the last of some values.
    fn of(text: String, name: Option<String>, last: &Value, values: &Values) -> HintPart {
        HintPart {
            text,
            value: Some(HintValue {
                name,
                value: last.clone(),
                at: values.last_at,
            }),
        }
    }
}

/// How many characters a text has.
fn len(text: &str) -> usize {
    text.chars().count()
}
