//! The structure of a document's text, read when it is asked for.
//!
//! Whoever asks, on another thread, reads from the last structure that was asked for: what is the same in
//! both texts is not read again.

use std::sync::{Arc, OnceLock};

use retrostep_replay::syntax::Syntax;
use ropey::Rope;

use crate::mapping::Text;

/// The structure of one text, which may be read already.
#[derive(Clone, Debug, Default)]
pub(super) struct Parsing {
    current: Arc<OnceLock<Arc<Text>>>,
    /// That of an earlier text, if one was read.
    earlier: Option<Arc<Text>>,
}

impl Parsing {
    /// The text was changed.
    pub(super) fn changed(&mut self) {
        let current = std::mem::take(&mut self.current);
        if let Some(text) = current.get() {
            self.earlier = Some(text.clone());
        }
    }

    #[cfg(test)]
    pub(super) fn is_read(&self) -> bool {
        self.current.get().is_some()
    }

    /// The structure of `text`.
    pub(super) fn parsed(&self, text: &Rope) -> Arc<Text> {
        let read = || {
            let content = content(text);
            let syntax = match &self.earlier {
                Some(earlier) => Syntax::parse_after(&content, earlier.syntax(), earlier.content()),
                None => Syntax::parse(&content),
            };
            Arc::new(Text::new(content, syntax))
        };
        self.current.get_or_init(read).clone()
    }
}

/// The text in one piece. A `\r` that ends a line alone becomes `\n`, which the parser's lines end with.
fn content(text: &Rope) -> String {
    let content = text.to_string();
    let bytes = content.as_bytes();
    let is_lone = |at: usize| bytes.get(at + 1) != Some(&b'\n');
    let mut returns = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\r');
    if !returns.any(|(at, _)| is_lone(at)) {
        return content;
    }
    crate::mapping::with_line_feeds(&content)
}
