//! Values as text, as Python's `repr` writes them.
//!
//! What the recorder left out says so in the text. Addresses are never shown.

mod lines;
mod number;
mod object;
mod printable;
mod text;

use std::sync::Arc;

use num_bigint::BigInt;
use retrostep_trace::{Content, ObjectId, Recording, Result, Unavailable};

use crate::{Datum, Snapshot};

pub use lines::lines;
pub(crate) use number::float;
pub(crate) use object::{class_name, lossy, ordered_attributes};
pub(crate) use text::{code_points, encode};

/// The most characters of a shown value, the `…` included.
pub const LIMIT: usize = 100;

/// Deepest nesting that is written out, whatever the limit of characters.
const MAX_DEPTH: usize = 100;

/// The recorded Python's version, as far as it changes how values are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PythonVersion {
    /// The `12` of 3.12.
    pub(crate) minor: u32,
}

impl PythonVersion {
    pub(crate) fn of(recording: &Recording) -> PythonVersion {
        PythonVersion::parse(&recording.header().language)
    }

    fn parse(language: &str) -> PythonVersion {
        let minor = language
            .split_whitespace()
            .nth(1)
            .and_then(|version| version.split('.').nth(1))
            .and_then(|minor| minor.parse().ok());
        PythonVersion {
            minor: minor.unwrap_or(14),
        }
    }
}

/// A value as text of at most `limit` characters, the `…` included.
pub(crate) fn value(snapshot: Snapshot<'_>, datum: &Datum, limit: usize) -> Result<String> {
    let mut painter = Painter::new(snapshot, limit);
    painter.value(datum)?;
    Ok(painter.canvas.finish())
}

/// Why a value is not there, in words.
#[must_use]
pub fn reason(unavailable: Unavailable) -> &'static str {
    match unavailable {
        Unavailable::TooDeep => "not recorded: nested too deep",
        Unavailable::TooLarge => "not recorded: too large",
        Unavailable::Redacted => "redacted",
        Unavailable::OptimisedOut => "optimised out",
        Unavailable::Unreadable => "not recorded: unreadable",
        Unavailable::Unknown => "not recorded: may have changed unseen",
    }
}

/// A number of events, elements or characters with thousands separated: `184,266`.
#[must_use]
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A number of things in words: `1 element`, `9,900 elements`.
#[must_use]
pub fn counted(number: u64, thing: &str) -> String {
    let plural = match (number, thing.strip_suffix('y')) {
        (1, _) => thing.to_owned(),
        (_, Some(stem)) => format!("{stem}ies"),
        (_, None) => format!("{thing}s"),
    };
    format!("{} {plural}", count(number))
}

/// `text` cut to `limit` characters, the `…` included.
#[must_use]
pub fn shortened(text: &str, limit: usize) -> String {
    let mut canvas = Canvas::new(limit);
    canvas.push_str(text);
    canvas.finish()
}

/// Text that stops growing once it is longer than its limit.
#[derive(Debug)]
struct Canvas {
    out: String,
    /// Characters written, at most one more than `limit`.
    len: usize,
    limit: usize,
}

impl Canvas {
    fn new(limit: usize) -> Canvas {
        Canvas {
            out: String::new(),
            len: 0,
            limit,
        }
    }

    fn is_full(&self) -> bool {
        self.len > self.limit
    }

    fn push(&mut self, character: char) {
        if !self.is_full() {
            self.out.push(character);
            self.len += 1;
        }
    }

    fn push_str(&mut self, text: &str) {
        for character in text.chars() {
            if self.is_full() {
                return;
            }
            self.push(character);
        }
    }

    fn finish(mut self) -> String {
        if self.is_full() {
            let kept = self.limit.saturating_sub(1);
            if let Some((end, _)) = self.out.char_indices().nth(kept) {
                self.out.truncate(end);
            }
            self.out.push('…');
        }
        self.out
    }
}

/// Writes values onto a canvas.
struct Painter<'a> {
    snapshot: Snapshot<'a>,
    version: PythonVersion,
    canvas: Canvas,
    /// Objects that are being written: one that comes again inside itself is written as `[...]`.
    open: Vec<ObjectId>,
    depth: usize,
}

impl<'a> Painter<'a> {
    fn new(snapshot: Snapshot<'a>, limit: usize) -> Painter<'a> {
        Painter {
            snapshot,
            version: PythonVersion::of(snapshot.recording),
            canvas: Canvas::new(limit),
            open: Vec::new(),
            depth: 0,
        }
    }

    fn value(&mut self, datum: &Datum) -> Result<()> {
        if self.canvas.is_full() {
            return Ok(());
        }
        if self.depth >= MAX_DEPTH {
            self.canvas.push('…');
            return Ok(());
        }
        self.depth += 1;
        let result = self.any(datum);
        self.depth -= 1;
        result
    }

    fn any(&mut self, datum: &Datum) -> Result<()> {
        match datum {
            Datum::None => self.canvas.push_str("None"),
            Datum::Bool(true) => self.canvas.push_str("True"),
            Datum::Bool(false) => self.canvas.push_str("False"),
            Datum::Int(value) => self.integer(value),
            Datum::Float(value) => self.canvas.push_str(&number::float(*value)),
            Datum::Complex(real, imaginary) => {
                self.canvas.push_str(&number::complex(*real, *imaginary));
            }
            Datum::Str(value) => text::string(&mut self.canvas, value, self.version),
            Datum::Bytes(value) => text::bytes(&mut self.canvas, &value.kept, value.len),
            Datum::Ellipsis => self.canvas.push_str("Ellipsis"),
            Datum::NotImplemented => self.canvas.push_str("NotImplemented"),
            Datum::Object(object) => return self.object(*object),
            Datum::List(items) => return self.items("[", items, "]", items.len() as u64),
            Datum::Tuple(items) => {
                let close = if items.len() == 1 { ",)" } else { ")" };
                return self.items("(", items, close, items.len() as u64);
            }
            Datum::Set(items) => return self.set("set", items, items.len() as u64),
            Datum::FrozenSet(items) => return self.frozen_set(items, items.len() as u64),
            Datum::Dict(dictionary) => {
                let len = dictionary.entries.len() as u64;
                return self.entries(&dictionary.entries, len);
            }
            Datum::Range(bounds) => {
                let [start, stop, step] = bounds.as_ref();
                let text = if *step == BigInt::from(1) {
                    format!("range({start}, {stop})")
                } else {
                    format!("range({start}, {stop}, {step})")
                };
                self.canvas.push_str(&text);
            }
            Datum::Type(name) => {
                self.canvas.push_str("<class '");
                self.canvas.push_str(&name.display());
                self.canvas.push_str("'>");
            }
            Datum::Builtin(name) => {
                self.canvas.push_str("<built-in function ");
                self.canvas.push_str(name);
                self.canvas.push('>');
            }
            Datum::Unavailable(why) => self.canvas.push_str(reason(*why)),
        }
        Ok(())
    }

    fn integer(&mut self, value: &Arc<BigInt>) {
        self.canvas.push_str(&number::integer(value));
    }

    /// Elements between brackets, and how many of `len` are missing.
    fn items(&mut self, open: &str, items: &[Datum], close: &str, len: u64) -> Result<()> {
        self.canvas.push_str(open);
        for (index, item) in items.iter().enumerate() {
            if self.canvas.is_full() {
                return Ok(());
            }
            if index > 0 {
                self.canvas.push_str(", ");
            }
            self.value(item)?;
        }
        self.missing(
            len.saturating_sub(items.len() as u64),
            "element",
            items.is_empty(),
        );
        self.canvas.push_str(close);
        Ok(())
    }

    fn entries(&mut self, entries: &[(Datum, Datum)], len: u64) -> Result<()> {
        self.canvas.push('{');
        for (index, (key, item)) in entries.iter().enumerate() {
            if self.canvas.is_full() {
                return Ok(());
            }
            if index > 0 {
                self.canvas.push_str(", ");
            }
            self.value(key)?;
            self.canvas.push_str(": ");
            self.value(item)?;
        }
        let missing = len.saturating_sub(entries.len() as u64);
        self.missing(missing, "entry", entries.is_empty());
        self.canvas.push('}');
        Ok(())
    }

    fn set(&mut self, name: &str, items: &[Datum], len: u64) -> Result<()> {
        if len == 0 {
            self.canvas.push_str(name);
            self.canvas.push_str("()");
            return Ok(());
        }
        self.items("{", items, "}", len)
    }

    fn frozen_set(&mut self, items: &[Datum], len: u64) -> Result<()> {
        self.canvas.push_str("frozenset(");
        if len > 0 {
            self.items("{", items, "}", len)?;
        }
        self.canvas.push(')');
        Ok(())
    }

    fn missing(&mut self, missing: u64, thing: &str, first: bool) {
        if missing > 0 {
            if !first {
                self.canvas.push_str(", ");
            }
            self.canvas.push('+');
            self.canvas.push_str(&counted(missing, thing));
            self.canvas.push_str(" not recorded");
        }
    }

    fn object(&mut self, object: ObjectId) -> Result<()> {
        // An element takes at least a character.
        let shown = 0..self.canvas.limit as u64;
        let Some(excerpt) = self.snapshot.excerpt(object, shown)? else {
            self.canvas.push_str("not recorded");
            return Ok(());
        };
        let content = excerpt.content;
        if self.open.contains(&object) {
            let text = object::recursive(self.snapshot.recording, &content)?;
            self.canvas.push_str(&text);
            return Ok(());
        }
        self.open.push(object);
        let result = self.content(&content);
        self.open.pop();
        result
    }

    fn content(&mut self, content: &Arc<Content>) -> Result<()> {
        object::paint(self, content)
    }
}

#[cfg(test)]
mod tests;
