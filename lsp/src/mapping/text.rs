//! A text with its lines and its structure.

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::ops::{Range, RangeInclusive};

use retrostep_replay::syntax::{Definition, Syntax};

/// A text, its lines and its structure.
#[derive(Clone, Debug)]
pub(crate) struct Text {
    content: String,
    hash: u64,
    /// The lines without their endings and without a byte order mark, as bytes.
    lines: Vec<Range<usize>>,
    syntax: Syntax,
}

impl Text {
    /// A text whose structure is known; its lines end with `\n` or `\r\n`.
    pub(crate) fn new(content: String, syntax: Syntax) -> Text {
        let mut hasher = DefaultHasher::new();
        content.hash(&mut hasher);
        Text {
            hash: hasher.finish(),
            lines: lines(&content),
            content,
            syntax,
        }
    }

    /// Reads a recorded text.
    pub(crate) fn recorded(bytes: &[u8]) -> Text {
        let content = with_line_feeds(&String::from_utf8_lossy(bytes));
        let syntax = Syntax::parse(&content);
        Text::new(content, syntax)
    }

    /// The structure; its offsets are those of [`Text::content`].
    pub(crate) fn syntax(&self) -> &Syntax {
        &self.syntax
    }

    /// The text as it was read.
    pub(crate) fn content(&self) -> &str {
        &self.content
    }

    /// Different texts have different ones.
    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    /// How many lines there are; the one after the last line ending counts.
    pub(crate) fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// A line, from 1, without its ending; empty beyond the end.
    pub(crate) fn line(&self, line: u32) -> &str {
        let range = (line as usize)
            .checked_sub(1)
            .and_then(|index| self.lines.get(index));
        range
            .and_then(|range| self.content.get(range.clone()))
            .unwrap_or_default()
    }

    /// Some lines in one piece.
    pub(super) fn slice(&self, lines: &RangeInclusive<u32>) -> &str {
        let range = |line: u32| {
            (line as usize)
                .checked_sub(1)
                .and_then(|index| self.lines.get(index))
        };
        match (range(*lines.start()), range(*lines.end())) {
            (Some(first), Some(last)) => {
                self.content.get(first.start..last.end).unwrap_or_default()
            }
            _ => "",
        }
    }

    /// The lines that belong to no definition, and then those of each definition without the ones
    /// inside it, by its index.
    ///
    /// In a text that could only be read in part a definition may have been overlooked: its lines belong
    /// to nothing then.
    pub(super) fn own_lines(&self) -> Vec<Vec<u32>> {
        let definitions = self.syntax.definitions();
        let mut owners = vec![0; self.lines.len()];
        // Inner ones come after those around them.
        for (owner, definition) in (1..).zip(definitions) {
            for line in definition.lines.clone() {
                let index = (line as usize).checked_sub(1);
                if let Some(place) = index.and_then(|index| owners.get_mut(index)) {
                    *place = owner;
                }
            }
        }
        let mut own = vec![Vec::new(); definitions.len() + 1];
        let overlooked = self.overlooked();
        for (line, owner) in (1..).zip(owners) {
            if overlooked.contains(&line) {
                continue;
            }
            if let Some(lines) = own.get_mut(owner) {
                lines.push(line);
            }
        }
        own
    }

    /// The lines of what looks like definitions where the text could not be read.
    fn overlooked(&self) -> HashSet<u32> {
        let mut overlooked = HashSet::new();
        if !self.syntax.has_errors() {
            return overlooked;
        }
        let definitions = self.syntax.definitions();
        let known: HashSet<u32> = (definitions
            .iter()
            .map(|definition| *definition.head.start()))
        .collect();
        let mut around: Option<usize> = None;
        for line in (1..).take(self.lines.len()) {
            let text = self.line(line);
            let rest = text.trim_start();
            if rest.is_empty() {
                continue;
            }
            let indentation = text.len() - rest.len();
            around = around.filter(|around| indentation > *around);
            let words = ["def ", "async def ", "class "];
            if around.is_none()
                && !known.contains(&line)
                && words.iter().any(|word| rest.starts_with(word))
            {
                around = Some(indentation);
            }
            if around.is_some() {
                overlooked.insert(line);
            }
        }
        overlooked
    }

    /// The lines of each statement or head that has several.
    pub(super) fn long_statements(&self) -> Vec<RangeInclusive<u32>> {
        (self.syntax.statements().iter())
            .map(|statement| statement.lines.clone())
            .filter(|lines| lines.start() < lines.end())
            .collect()
    }

    /// A definition without its name and its indentation: what stays when it is moved, renamed and
    /// indented anew. `None` if a line is indented less than its first one.
    pub(super) fn shape(&self, definition: &Definition) -> Option<String> {
        let first = self.line(*definition.lines.start());
        let indentation = first.get(..first.len() - first.trim_start().len())?;
        let mut shape = String::new();
        for line in definition.lines.clone() {
            let text = self.line(line);
            if text.trim().is_empty() {
                shape.push('\n');
                continue;
            }
            let text = text.strip_prefix(indentation)?;
            match self.name_in(definition, line, indentation.len()) {
                Some(name) => {
                    shape.push_str(text.get(..name.start)?);
                    shape.push('\0');
                    shape.push_str(text.get(name.end..)?);
                }
                None => shape.push_str(text),
            }
            shape.push('\n');
        }
        Some(shape)
    }

    /// Where a definition's name is in a line of it that is indented so many bytes less.
    fn name_in(&self, definition: &Definition, line: u32, less: usize) -> Option<Range<usize>> {
        let range = self.lines.get((line as usize).checked_sub(1)?)?;
        let name = &definition.name_range;
        let is_in = range.start <= name.start && name.end <= range.end;
        let start = name.start.checked_sub(range.start)?.checked_sub(less)?;
        is_in.then(|| start..start + name.len())
    }
}

/// The text with `\n` where `\r` ends a line alone.
pub(crate) fn with_line_feeds(text: &str) -> String {
    let mut fed = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\r') {
        let (front, back) = rest.split_at(at);
        fed.push_str(front);
        let back = back.strip_prefix('\r').unwrap_or(back);
        fed.push(if back.starts_with('\n') { '\r' } else { '\n' });
        rest = back;
    }
    fed.push_str(rest);
    fed
}

fn lines(content: &str) -> Vec<Range<usize>> {
    let mark = if content.starts_with('\u{feff}') {
        3
    } else {
        0
    };
    let mut lines = Vec::new();
    let mut start = mark;
    for (at, byte) in content.bytes().enumerate() {
        if byte == b'\n' {
            let has_return = at > start && content.as_bytes().get(at - 1) == Some(&b'\r');
            lines.push(start..if has_return { at - 1 } else { at });
            start = at + 1;
        }
    }
    lines.push(start..content.len());
    lines
}
