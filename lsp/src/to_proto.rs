//! Our words, as the client wants them.

use std::ops::Range;

use ls_types::{Position, Uri};
use ropey::Rope;

use crate::client::Encoding;

/// The position of a byte; bytes beyond the end are the end.
pub(crate) fn position(text: &Rope, byte: usize, encoding: Encoding) -> Position {
    let index = text.byte_to_char(byte.min(text.len_bytes()));
    let line = text.char_to_line(index);
    let start = text.line_to_char(line);
    let column = match encoding {
        Encoding::Utf8 => text.char_to_byte(index) - text.char_to_byte(start),
        Encoding::Utf16 => text.char_to_utf16_cu(index) - text.char_to_utf16_cu(start),
        Encoding::Utf32 => index - start,
    };
    Position::new(number(line), number(column))
}

/// The range of bytes.
pub(crate) fn range(text: &Rope, bytes: Range<usize>, encoding: Encoding) -> ls_types::Range {
    ls_types::Range::new(
        position(text, bytes.start, encoding),
        position(text, bytes.end, encoding),
    )
}

/// The protocol's number of a line of the engine, which counts from 1.
pub(crate) fn line(line: u32) -> u32 {
    line.saturating_sub(1)
}

/// The place after the last character of a line that counts from 1.
pub(crate) fn end_of_line(text: &Rope, line: u32, encoding: Encoding) -> Position {
    let idx = (line.saturating_sub(1) as usize).min(text.len_lines().saturating_sub(1));
    // One look at the text, since this is asked for thousands of lines.
    let Some(line) = text.line(idx).as_str() else {
        let end = crate::from_proto::line_end(text, idx);
        return position(text, text.char_to_byte(end), encoding);
    };
    let line = line.strip_suffix('\n').unwrap_or(line);
    let line = line.strip_suffix('\r').unwrap_or(line);
    let column = match encoding {
        Encoding::Utf8 => line.len(),
        Encoding::Utf16 if line.is_ascii() => line.len(),
        Encoding::Utf16 => line.encode_utf16().count(),
        Encoding::Utf32 => line.chars().count(),
    };
    Position::new(number(idx), number(column))
}

/// A line that counts from 1, without its indentation and its line break.
pub(crate) fn line_range(text: &Rope, line: u32, encoding: Encoding) -> ls_types::Range {
    let end = end_of_line(text, line, encoding);
    let idx = end.line as usize;
    let blanks = (text.line(idx).chars()).take_while(|letter| matches!(letter, ' ' | '\t'));
    // Blanks have the same length in every encoding.
    let start = number(blanks.count()).min(end.character);
    ls_types::Range::new(Position::new(end.line, start), end)
}

/// The address of a file.
pub(crate) fn uri(path: &std::path::Path) -> Option<Uri> {
    Uri::from_file_path(path)
}

fn number(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_what_the_client_counts() {
        let text = Rope::from_str("x = 1\r\n  '😀é'  \r\n");
        let byte = text.to_string().find('é').unwrap();
        let check = |encoding, column| {
            let position = position(&text, byte, encoding);
            assert_eq!(position, Position::new(1, column));
            assert_eq!(
                crate::from_proto::byte_offset(&text, position, encoding),
                byte
            );
        };
        check(Encoding::Utf8, 7);
        check(Encoding::Utf16, 5);
        check(Encoding::Utf32, 4);
        let end = end_of_line(&text, 2, Encoding::Utf16);
        assert_eq!(end, Position::new(1, 9));
        assert_eq!(
            line_range(&text, 2, Encoding::Utf16),
            ls_types::Range::new(Position::new(1, 2), end)
        );
        assert_eq!(end_of_line(&text, 99, Encoding::Utf8), Position::new(2, 0));
        assert_eq!(position(&text, 999, Encoding::Utf8), Position::new(2, 0));
    }
}
