//! A text cut into parts that can be read one by one.
//!
//! Each function or class at the top level is a part, and so is what stands between two of them. A part
//! that stays the same keeps its structure, wherever it moves; a bracket that is not closed yet makes one
//! part hard to read, and not all that follow.

use std::collections::HashMap;
use std::sync::Arc;

use tree_sitter::{InputEdit, Parser, Point, Tree};

use super::{Definition, Statement, python};

/// A part of so many bytes keeps its tree: smaller ones are read again in less than a millisecond.
const LONG: usize = 1 << 14;

/// The structure of a part. Lines and offsets count from the part's first line, and indices from its
/// first definition and statement.
#[derive(Clone, Debug)]
pub(super) struct Part {
    /// Of a long part.
    tree: Option<Tree>,
    /// Whether some of it could not be read.
    pub(super) has_errors: bool,
    pub(super) definitions: Vec<Definition>,
    pub(super) statements: Vec<Statement>,
    /// How many line ends it has.
    lines: u32,
}

/// A part in its text.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    /// Its first byte.
    pub(super) start: usize,
    /// One after its last byte.
    pub(super) end: usize,
    /// How many lines are before it.
    pub(super) line: u32,
    pub(super) part: Arc<Part>,
}

impl Placed {
    /// The parser's tree of the part; its offsets and lines count from the part's beginning. `text` is
    /// the whole text.
    pub(super) fn tree(&self, text: &str) -> Option<Tree> {
        if let Some(tree) = &self.part.tree {
            return Some(tree.clone());
        }
        parser()?.parse(text.get(self.start..self.end)?, None)
    }
}

/// Reads a text; of an earlier text those parts are kept that are the same.
pub(super) fn read(text: &str, before: Option<(&[Placed], &str)>) -> Vec<Placed> {
    let ends = cut(text);
    let mut start = 0;
    let mut pieces = Vec::new();
    for end in ends {
        pieces.push((start, text.get(start..end).unwrap_or_default()));
        start = end;
    }
    let (earlier, earlier_text) = before.unwrap_or_default();
    let piece_of = |placed: &Placed| {
        let range = placed.start..placed.end;
        earlier_text.get(range).unwrap_or_default()
    };
    // As a rule all but one are the same, from both ends.
    let front = (pieces.iter().zip(earlier))
        .take_while(|((_, piece), placed)| *piece == piece_of(placed))
        .count();
    let back = (pieces.iter().skip(front).rev())
        .zip(earlier.iter().skip(front).rev())
        .take_while(|((_, piece), placed)| *piece == piece_of(placed))
        .count();
    let changed = earlier.get(front..earlier.len() - back).unwrap_or_default();
    let known: HashMap<&str, &Placed> = (changed.iter())
        .map(|placed| (piece_of(placed), placed))
        .collect();
    let mut reader = None;
    let mut line = 0;
    let count = pieces.len();
    let placed = pieces
        .into_iter()
        .enumerate()
        .map(|(index, (start, piece))| {
            let same = match index {
                index if index < front => earlier.get(index),
                index if index >= count - back => earlier.get(earlier.len() - (count - index)),
                _ => known.get(piece).copied(),
            };
            let part = match same {
                Some(same) => same.part.clone(),
                None => {
                    let only = match changed {
                        [only] if count - back - front == 1 => Some((&*only.part, piece_of(only))),
                        _ => None,
                    };
                    Arc::new(Part::read(reader.get_or_insert_with(parser), piece, only))
                }
            };
            let placed = Placed {
                start,
                end: start + piece.len(),
                line,
                part,
            };
            line += placed.part.lines;
            placed
        });
    placed.collect()
}

fn parser() -> Option<Parser> {
    let mut parser = Parser::new();
    // Fails only for a grammar of another generation, which a test would find.
    let set = parser.set_language(&tree_sitter_python::LANGUAGE.into());
    set.ok().map(|()| parser)
}

impl Part {
    /// `before` is what the part was: it makes reading faster and changes nothing else.
    fn read(parser: &mut Option<Parser>, text: &str, before: Option<(&Part, &str)>) -> Part {
        let before = before.and_then(|(part, earlier)| edited(part.tree.as_ref()?, earlier, text));
        let tree = (parser.as_mut()).and_then(|parser| parser.parse(text, before.as_ref()));
        let breaks = text.bytes().filter(|byte| *byte == b'\n').count();
        let mut part = Part {
            tree: None,
            has_errors: false,
            definitions: Vec::new(),
            statements: Vec::new(),
            lines: u32::try_from(breaks).unwrap_or(u32::MAX),
        };
        if let Some(tree) = tree {
            part.has_errors = tree.root_node().has_error();
            python::read(&tree, text, &mut part);
            part.tree = Some(tree).filter(|_| text.len() >= LONG);
        }
        part
    }
}

/// A tree in which it is marked where a text differs from the one that it is of.
fn edited(tree: &Tree, before: &str, after: &str) -> Option<Tree> {
    let same = |pair: &(u8, u8)| pair.0 == pair.1;
    let front = before.bytes().zip(after.bytes()).take_while(same).count();
    let most = before.len().min(after.len()) - front;
    let backward = before.bytes().rev().zip(after.bytes().rev());
    let back = backward.take(most).take_while(same).count();
    // Bytes in the middle of a character are of no use.
    let front = after
        .floor_char_boundary(front)
        .min(before.floor_char_boundary(front));
    let (old_end, new_end) = (
        before.ceil_char_boundary(before.len() - back),
        after.ceil_char_boundary(after.len() - back),
    );
    let mut tree = tree.clone();
    tree.edit(&InputEdit {
        start_byte: front,
        old_end_byte: old_end,
        new_end_byte: new_end,
        start_position: point(after, front)?,
        old_end_position: point(before, old_end)?,
        new_end_position: point(after, new_end)?,
    });
    Some(tree)
}

fn point(text: &str, at: usize) -> Option<Point> {
    let front = text.get(..at)?;
    let start = front.rfind('\n').map_or(0, |at| at + 1);
    Some(Point {
        row: front.bytes().filter(|byte| *byte == b'\n').count(),
        column: at - start,
    })
}

/// What a part is that is being cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sort {
    Definition,
    /// Decorators, whose definition has not come yet.
    Decorators,
    Other,
}

/// The ends of the parts of a text.
fn cut(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let mut ends = Vec::new();
    let mut sort = Sort::Other;
    let mut at = 0;
    let mut scanned = Scanned::default();
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let is_free = scanned.depth == 0 && !scanned.continues;
        let begins = match Start::of(rest) {
            // No bracket goes on here, also if one was not closed.
            Start::Definition => {
                let begins = sort != Sort::Decorators;
                (scanned.depth, sort) = (0, Sort::Definition);
                begins
            }
            Start::Decorator if is_free => {
                let begins = sort != Sort::Decorators;
                sort = Sort::Decorators;
                begins
            }
            Start::Other if is_free && sort == Sort::Definition => {
                sort = Sort::Other;
                true
            }
            _ => false,
        };
        if begins && at > 0 {
            ends.push(at);
        }
        at = scanned.line(bytes, at);
    }
    ends.push(bytes.len());
    ends
}

/// What a line begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Start {
    Definition,
    Decorator,
    /// Blanks, a comment or nothing: it belongs to what is before it.
    Blank,
    Other,
}

impl Start {
    fn of(line: &[u8]) -> Start {
        match line.first() {
            None | Some(b' ' | b'\t' | b'\r' | b'\n' | b'\x0c' | b'#') => Start::Blank,
            Some(b'@') => Start::Decorator,
            Some(_) if is_definition(line) => Start::Definition,
            Some(_) => Start::Other,
        }
    }
}

fn is_definition(line: &[u8]) -> bool {
    let after = |line: &'_ [u8], word: &str| -> Option<usize> {
        let rest = line.strip_prefix(word.as_bytes())?;
        let blanks = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t'));
        Some(blanks.count()).filter(|blanks| *blanks > 0)
    };
    let is_word = |line: &[u8]| after(line, "def").is_some() || after(line, "class").is_some();
    let is_async = || {
        let blanks = after(line, "async")?;
        let rest = line.get("async".len() + blanks..)?;
        after(rest, "def")
    };
    is_word(line) || is_async().is_some()
}

/// How a line ended.
#[derive(Clone, Copy, Debug, Default)]
struct Scanned {
    /// How many brackets are open.
    depth: u32,
    /// Its end is no end, because a `\` stands before it.
    continues: bool,
}

impl Scanned {
    /// Goes over the line at a byte, and on to the end of what begins in it; returns where the next line
    /// begins.
    fn line(&mut self, bytes: &[u8], mut at: usize) -> usize {
        self.continues = false;
        while let Some(byte) = bytes.get(at) {
            match byte {
                b'\n' => return at + 1,
                b'\\' => match bytes.get(at + 1..) {
                    Some([b'\n', ..]) => return self.go_on(at + 2),
                    Some([b'\r', b'\n', ..]) => return self.go_on(at + 3),
                    _ => {}
                },
                b'#' => {
                    let rest = bytes.get(at..).unwrap_or_default();
                    let len = rest.iter().position(|byte| *byte == b'\n');
                    at += len.unwrap_or(rest.len());
                    continue;
                }
                b'"' | b'\'' => {
                    at = text_end(bytes, at, *byte);
                    continue;
                }
                b'(' | b'[' | b'{' => self.depth += 1,
                b')' | b']' | b'}' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
        }
        at
    }

    fn go_on(&mut self, at: usize) -> usize {
        self.continues = true;
        at
    }
}

/// Where the text in quotes ends that begins at a byte; one in single quotes that is not closed ends with
/// its line.
fn text_end(bytes: &[u8], start: usize, quote: u8) -> usize {
    let is_quote = |at: usize| bytes.get(at) == Some(&quote);
    let is_triple = |at: usize| is_quote(at) && is_quote(at + 1) && is_quote(at + 2);
    let is_long = is_triple(start);
    let mut at = start + if is_long { 3 } else { 1 };
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' if bytes.get(at + 1..at + 3) == Some(b"\r\n") => at += 3,
            b'\\' => at += 2,
            b'\n' if !is_long => return at,
            byte if *byte == quote && !is_long => return at + 1,
            byte if *byte == quote && is_triple(at) => return at + 3,
            _ => at += 1,
        }
    }
    bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[&str]) {
        let mut start = 0;
        let mut parts = Vec::new();
        for end in cut(text) {
            parts.push(&text[start..end]);
            start = end;
        }
        assert_eq!(parts, expected);
    }

    #[test]
    fn definitions_and_what_is_between_them_are_parts() {
        check("", &[""]);
        check("x = 1\n", &["x = 1\n"]);
        check(
            "import a\n@b\n@c(\n    1)\n# d\nasync def e(\n    f,\n):\n    g\n\n# h\nclass I: pass\nj\nk\ndef l(): m",
            &[
                "import a\n",
                "@b\n@c(\n    1)\n# d\nasync def e(\n    f,\n):\n    g\n\n# h\n",
                "class I: pass\n",
                "j\nk\n",
                "def l(): m",
            ],
        );
    }

    /// The definitions and statements of a text that is read in one piece.
    fn whole(text: &str) -> crate::syntax::Syntax {
        let part = Arc::new(Part::read(&mut parser(), text, None));
        crate::syntax::Syntax::of(vec![Placed {
            start: 0,
            end: text.len(),
            line: 0,
            part,
        }])
    }

    #[test]
    fn parts_together_have_the_structure_of_the_whole() {
        let samples = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/python");
        let mut folders = vec![samples];
        let mut count = 0;
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.extension().is_some_and(|end| end == "py") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    let (parts, whole) = (crate::syntax::Syntax::parse(&text), whole(&text));
                    assert_eq!(parts.definitions(), whole.definitions(), "{path:?}");
                    assert_eq!(parts.statements(), whole.statements(), "{path:?}");
                    count += 1;
                }
            }
        }
        assert!(count > 10, "{count}");
    }

    #[test]
    fn what_is_in_brackets_and_quotes_is_no_beginning() {
        let whole =
            "def a():\n    '''\ndef b():\n'''\n    \"\\\ndef c\"\n    (\nd)\n    e = \\\nf\n";
        check(whole, &[whole]);
        check("a = [\n@b\n]\n", &["a = [\n@b\n]\n"]);
        check(
            "a = b'\\''\r\ndefined = classes\r\n",
            &["a = b'\\''\r\ndefined = classes\r\n"],
        );
    }

    #[test]
    fn what_is_not_closed_ends_before_the_next_definition() {
        check(
            "def a(:\n    b = (\ndef c():\n    'd\ndef e(): f",
            &["def a(:\n    b = (\n", "def c():\n    'd\n", "def e(): f"],
        );
    }
}
