//! What the user points at in a document.

use std::ops::Range;

use crate::context::DocumentContext;
use crate::from_proto;
use crate::view::View;

/// An expression in a document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pointed {
    /// Where it stands.
    pub(crate) range: Range<usize>,
    /// As it is written.
    pub(crate) text: String,
    /// The line it begins at, from 1.
    pub(crate) line: u32,
    /// The line it ends at.
    last_line: u32,
    /// Whether it is a name and nothing more.
    pub(crate) is_name: bool,
}

impl Pointed {
    /// The smallest expression at a position.
    pub(crate) fn at(ctx: &DocumentContext, position: ls_types::Position) -> Option<Pointed> {
        let encoding = ctx.workspace.client.encoding;
        let byte = from_proto::byte_offset(&ctx.document.text, position, encoding);
        let parsed = ctx.document.parsed();
        let found = parsed
            .syntax()
            .expression_at(parsed.content(), byte..byte)?;
        let text = parsed.content().get(found.range.clone())?;
        let breaks = u32::try_from(text.matches('\n').count()).ok()?;
        Some(Pointed {
            text: text.to_owned(),
            line: found.line,
            last_line: found.line + breaks,
            is_name: found.is_name,
            range: found.range,
        })
    }

    /// The recorded line that the expression begins at, if all its lines are what was recorded.
    pub(crate) fn recorded_line(&self, view: &View) -> Option<u32> {
        let lines = &view.mapped.lines;
        let first = lines.to_recorded(self.line)?;
        let follows = |(recorded, line)| lines.to_recorded(line) == Some(recorded);
        (first..)
            .zip(self.line..=self.last_line)
            .all(follows)
            .then_some(first)
    }

    /// The name that stands last in it: of `self.cart.total` the word `total`.
    pub(crate) fn last_name(&self) -> &str {
        let is_part = |letter: char| letter.is_alphanumeric() || letter == '_';
        let start = self.text.rfind(|letter| !is_part(letter));
        self.text
            .get(start.map_or(0, |at| at + 1)..)
            .unwrap_or_default()
    }
}
