//! The structure of a document's text, read when it is asked for.
//!
//! A change only notes what it did. Whoever asks for the structure next, on another thread, makes the
//! noted changes in the last tree that was read and reads from there.

use std::sync::{Arc, OnceLock};

use retrostep_replay::syntax::Syntax;
use ropey::Rope;
use tree_sitter::{InputEdit, Point, Tree};

use crate::mapping::Text;

/// With more changes than this, the text is read anew.
const MOST_EDITS: usize = 1_000;

/// A place in a text: bytes from the start; lines and bytes in the line, from 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) byte: usize,
    line: usize,
    column: usize,
}

/// What a change did: the text between `start` and `old_end` became that between `start` and
/// `new_end`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edit {
    pub(super) start: Place,
    pub(super) old_end: Place,
    pub(super) new_end: Place,
}

/// The structure of one text, which may be read already.
#[derive(Clone, Debug, Default)]
pub(super) struct Parsing {
    current: Arc<OnceLock<Arc<Text>>>,
    earlier: Option<Earlier>,
}

/// The structure of an earlier text, and what was changed since.
#[derive(Clone, Debug)]
struct Earlier {
    text: Arc<OnceLock<Arc<Text>>>,
    edits: Vec<Edit>,
}

impl Parsing {
    /// The text was changed in one place.
    pub(super) fn edited(&mut self, edit: Edit) {
        let current = std::mem::take(&mut self.current);
        match &mut self.earlier {
            Some(earlier) if current.get().is_none() && earlier.edits.len() < MOST_EDITS => {
                earlier.edits.push(edit);
            }
            earlier => {
                *earlier = Some(Earlier {
                    text: current,
                    edits: vec![edit],
                });
            }
        }
    }

    /// The text is another one.
    pub(super) fn replaced(&mut self) {
        *self = Parsing::default();
    }

    #[cfg(test)]
    pub(super) fn is_read(&self) -> bool {
        self.current.get().is_some()
    }

    /// The structure of `text`, which is the text that the changes led to.
    pub(super) fn parsed(&self, text: &Rope) -> Arc<Text> {
        let read = || {
            let (content, has_lone_returns) = content(text);
            let before = self.earlier.as_ref().and_then(Earlier::tree);
            let syntax = Syntax::parse(&content, before.filter(|_| !has_lone_returns).as_ref());
            Arc::new(Text::new(content, syntax))
        };
        self.current.get_or_init(read).clone()
    }
}

impl Earlier {
    /// The tree with the changes marked, if the earlier text was read.
    fn tree(&self) -> Option<Tree> {
        let text = self.text.get()?;
        let mut tree = text.syntax().tree()?.clone();
        for edit in &self.edits {
            tree.edit(&InputEdit {
                start_byte: edit.start.byte,
                old_end_byte: edit.old_end.byte,
                new_end_byte: edit.new_end.byte,
                start_position: point(edit.start),
                old_end_position: point(edit.old_end),
                new_end_position: point(edit.new_end),
            });
        }
        Some(tree)
    }
}

fn point(place: Place) -> Point {
    Point {
        row: place.line,
        column: place.column,
    }
}

/// The place of a character.
pub(super) fn place(text: &Rope, index: usize) -> Place {
    place_of_byte(text, text.char_to_byte(index))
}

/// The place of a byte.
pub(super) fn place_of_byte(text: &Rope, byte: usize) -> Place {
    let line = text.byte_to_line(byte);
    Place {
        byte,
        line,
        column: byte - text.line_to_byte(line),
    }
}

/// The text in one piece. A `\r` that ends a line alone becomes `\n`, which the parser's lines end with;
/// whether there was one is returned too, since changes beside it do not say what they did to it.
fn content(text: &Rope) -> (String, bool) {
    let content = text.to_string();
    let bytes = content.as_bytes();
    let is_lone = |at: usize| bytes.get(at + 1) != Some(&b'\n');
    let mut returns = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\r');
    if !returns.any(|(at, _)| is_lone(at)) {
        return (content, false);
    }
    (crate::mapping::with_line_feeds(&content), true)
}
