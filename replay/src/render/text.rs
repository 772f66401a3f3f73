//! Text and bytes as Python's `repr` writes them, and the code points of recorded text.

use std::fmt::Write as _;

use retrostep_trace::Text;

use super::printable::is_printable;
use super::{Canvas, PythonVersion, counted};

/// A quoted, escaped string. What the recorder cut off is told after the closing quote.
pub(super) fn string(canvas: &mut Canvas, text: &Text, version: PythonVersion) {
    let quote = quote_for(&text.kept);
    canvas.push(quote);
    let mut kept = 0_u64;
    for code_point in code_points(&text.kept) {
        if canvas.is_full() {
            return;
        }
        kept += 1;
        escape(canvas, code_point, quote, version);
    }
    close(canvas, quote, text.len.saturating_sub(kept), "character");
}

/// Quoted, escaped bytes with their `b`.
pub(super) fn bytes(canvas: &mut Canvas, kept: &[u8], len: u64) {
    let quote = quote_for(kept);
    canvas.push('b');
    canvas.push(quote);
    for byte in kept {
        if canvas.is_full() {
            return;
        }
        match byte {
            b'\\' => canvas.push_str("\\\\"),
            b'\t' => canvas.push_str("\\t"),
            b'\n' => canvas.push_str("\\n"),
            b'\r' => canvas.push_str("\\r"),
            _ if char::from(*byte) == quote => {
                canvas.push('\\');
                canvas.push(quote);
            }
            0x20..0x7f => canvas.push(char::from(*byte)),
            _ => canvas.push_str(&format!("\\x{byte:02x}")),
        }
    }
    close(canvas, quote, len.saturating_sub(kept.len() as u64), "byte");
}

/// The code points of text as recorded: UTF-8 in which lone surrogates take three bytes.
/// Bytes that are no such text give U+FFFD.
pub(crate) fn code_points(bytes: &[u8]) -> CodePoints<'_> {
    CodePoints { rest: bytes }
}

/// See [`code_points`].
#[derive(Clone, Debug)]
pub(crate) struct CodePoints<'a> {
    rest: &'a [u8],
}

impl Iterator for CodePoints<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let (&first, tail) = self.rest.split_first()?;
        self.rest = tail;
        let (mut code_point, following) = match first {
            0x00..0x80 => return Some(u32::from(first)),
            0xc2..0xe0 => (u32::from(first) & 0x1f, 1),
            0xe0..0xf0 => (u32::from(first) & 0x0f, 2),
            0xf0..0xf5 => (u32::from(first) & 0x07, 3),
            _ => return Some(0xfffd),
        };
        let Some((more, tail)) = tail.split_at_checked(following) else {
            return Some(0xfffd);
        };
        if more.iter().any(|byte| byte & 0xc0 != 0x80) {
            return Some(0xfffd);
        }
        for byte in more {
            code_point = code_point << 6 | u32::from(byte & 0x3f);
        }
        self.rest = tail;
        Some(code_point)
    }
}

/// Appends a code point as [`code_points`] reads it.
pub(crate) fn encode(out: &mut Vec<u8>, code_point: u32) {
    if let Some(character) = char::from_u32(code_point) {
        let mut buf = [0; 4];
        out.extend_from_slice(character.encode_utf8(&mut buf).as_bytes());
        return;
    }
    let low = |shift: u32| (code_point >> shift & 0x3f) as u8 | 0x80;
    out.extend_from_slice(&[(code_point >> 12 & 0x0f) as u8 | 0xe0, low(6), low(0)]);
}

/// Python prefers `'`, and takes `"` where that saves escapes.
fn quote_for(kept: &[u8]) -> char {
    if kept.contains(&b'\'') && !kept.contains(&b'"') {
        '"'
    } else {
        '\''
    }
}

fn escape(canvas: &mut Canvas, code_point: u32, quote: char, version: PythonVersion) {
    let mut escaped = String::new();
    match code_point {
        0x5c => escaped.push_str("\\\\"),
        0x09 => escaped.push_str("\\t"),
        0x0a => escaped.push_str("\\n"),
        0x0d => escaped.push_str("\\r"),
        _ if code_point == u32::from(quote) => {
            escaped.push('\\');
            escaped.push(quote);
        }
        _ => match char::from_u32(code_point) {
            Some(character) if is_printable(code_point, version) => escaped.push(character),
            _ => {
                // Writing to a string cannot fail.
                let _ = match code_point {
                    ..=0xff => write!(escaped, "\\x{code_point:02x}"),
                    0x100..=0xffff => write!(escaped, "\\u{code_point:04x}"),
                    _ => write!(escaped, "\\U{code_point:08x}"),
                };
            }
        },
    }
    canvas.push_str(&escaped);
}

fn close(canvas: &mut Canvas, quote: char, missing: u64, thing: &str) {
    if missing == 0 {
        canvas.push(quote);
        return;
    }
    canvas.push('…');
    canvas.push(quote);
    canvas.push_str(" +");
    canvas.push_str(&counted(missing, thing));
    canvas.push_str(" not recorded");
}
