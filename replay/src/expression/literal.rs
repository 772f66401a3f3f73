//! The values of Python's literals.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::Num as _;
use retrostep_trace::Text;

use crate::Datum;
use crate::render::encode;

/// A number literal; `None` if the text is none.
pub(super) fn number(text: &str) -> Option<Datum> {
    let lower = text.to_ascii_lowercase();
    if lower.starts_with('_') || lower.ends_with('_') || lower.contains("__") {
        return None;
    }
    let digits: String = lower.chars().filter(|digit| *digit != '_').collect();
    let radix = match digits.get(..2) {
        Some("0x") => Some(16),
        Some("0o") => Some(8),
        Some("0b") => Some(2),
        _ => None,
    };
    if let Some(radix) = radix {
        return integer(digits.get(2..)?, radix);
    }
    if let Some(imaginary) = digits.strip_suffix('j') {
        return Some(Datum::Complex(0.0, float(imaginary)?));
    }
    if digits.contains(['.', 'e']) {
        return Some(Datum::Float(float(&digits)?));
    }
    if digits.len() > 1 && digits.starts_with('0') && digits.contains(|digit| digit != '0') {
        return None;
    }
    integer(&digits, 10)
}

fn integer(digits: &str, radix: u32) -> Option<Datum> {
    if digits.is_empty() || !digits.chars().all(|digit| digit.is_digit(radix)) {
        return None;
    }
    let value = BigInt::from_str_radix(digits, radix).ok()?;
    Some(Datum::Int(Arc::new(value)))
}

fn float(digits: &str) -> Option<f64> {
    let valid = |character: char| character.is_ascii_digit() || ".e+-".contains(character);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.')
        || !digits.chars().all(valid)
    {
        return None;
    }
    digits.parse().ok()
}

/// The value of string literals side by side, given with prefix and quotes.
pub(super) fn strings(literals: &[&str]) -> Result<Datum, &'static str> {
    let mut out = Vec::new();
    let mut bytes = None;
    for literal in literals {
        let quote = literal.find(['\'', '"']).unwrap_or(0);
        let (prefix, quoted) = literal.split_at(quote);
        let prefix = prefix.to_ascii_lowercase();
        let is_bytes = prefix.contains('b');
        if *bytes.get_or_insert(is_bytes) != is_bytes {
            return Err("cannot mix bytes and nonbytes literals");
        }
        let closing = match quoted.as_bytes() {
            [a, b, c, ..] if a == b && b == c && quoted.len() >= 6 => 3,
            _ => 1,
        };
        let inner = quoted
            .get(closing..quoted.len().saturating_sub(closing))
            .unwrap_or_default();
        if is_bytes && !inner.is_ascii() {
            return Err("bytes can only contain ASCII literal characters");
        }
        if prefix.contains('r') {
            out.extend_from_slice(inner.as_bytes());
        } else {
            unescape(inner, is_bytes, &mut out)?;
        }
    }
    if bytes == Some(true) {
        let len = out.len() as u64;
        return Ok(Datum::Bytes(Text {
            kept: out.into(),
            len,
        }));
    }
    Ok(Datum::text(out))
}

fn unescape(inner: &str, is_bytes: bool, out: &mut Vec<u8>) -> Result<(), &'static str> {
    let mut rest = inner;
    while let Some(backslash) = rest.find('\\') {
        let (before, escape) = rest.split_at(backslash);
        out.extend_from_slice(before.as_bytes());
        let escape = escape.get(1..).unwrap_or_default();
        let Some(letter) = escape.chars().next() else {
            out.push(b'\\');
            return Ok(());
        };
        rest = escape.get(letter.len_utf8()..).unwrap_or_default();
        let simple = match letter {
            '\n' => continue,
            '\\' | '\'' | '"' => Some(letter as u8),
            'a' => Some(7),
            'b' => Some(8),
            'f' => Some(12),
            'n' => Some(10),
            'r' => Some(13),
            't' => Some(9),
            'v' => Some(11),
            _ => None,
        };
        if let Some(byte) = simple {
            out.push(byte);
            continue;
        }
        let hexadecimal = match letter {
            'x' => 2,
            'u' if !is_bytes => 4,
            'U' if !is_bytes => 8,
            'N' if !is_bytes => return Err("characters by name are not known here"),
            _ => 0,
        };
        if hexadecimal > 0 {
            let digits = rest.get(..hexadecimal).ok_or("truncated escape")?;
            let code_point = u32::from_str_radix(digits, 16).map_err(|_| "truncated escape")?;
            if code_point > 0x10_ffff {
                return Err("illegal Unicode character");
            }
            rest = rest.get(hexadecimal..).unwrap_or_default();
            push(code_point, is_bytes, out);
        } else if letter.is_digit(8) {
            let len = escape
                .bytes()
                .take(3)
                .take_while(|digit| (b'0'..b'8').contains(digit))
                .count();
            let digits = escape.get(..len).unwrap_or_default();
            rest = escape.get(len..).unwrap_or_default();
            push(u32::from_str_radix(digits, 8).unwrap_or(0), is_bytes, out);
        } else {
            out.push(b'\\');
            encode(out, u32::from(letter));
        }
    }
    out.extend_from_slice(rest.as_bytes());
    Ok(())
}

fn push(code_point: u32, is_bytes: bool, out: &mut Vec<u8>) {
    if is_bytes {
        out.push((code_point & 0xff) as u8);
    } else {
        encode(out, code_point);
    }
}
