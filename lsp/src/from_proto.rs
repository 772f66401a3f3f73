//! What the client says, in our words.

use std::path::PathBuf;

use ls_types::{Position, Range, Uri};
use ropey::Rope;

use crate::client::Encoding;
use crate::document::resolved;
use crate::error::{RequestError, Result};

/// The file that an address names, if it names one.
pub(crate) fn path(uri: &Uri) -> Option<PathBuf> {
    let is_file = uri.scheme().as_str().eq_ignore_ascii_case("file");
    let path = uri.to_file_path().filter(|_| is_file)?;
    path.is_absolute().then(|| path.into_owned())
}

/// As [`path`], for a request that needs a file; symbolic links are resolved, as of [`Document::path`].
///
/// # Errors
///
/// The address names no file.
///
/// [`Document::path`]: crate::document::Document::path
pub(crate) fn file(uri: &Uri) -> Result<PathBuf> {
    let path = path(uri).map(|path| resolved(&path));
    path.ok_or_else(|| RequestError::params("the document is no file"))
}

/// The index of the character at a position.
///
/// What is beyond the end of a line is its end, before its line break; what is beyond the last line is
/// the end of the text. A position inside a character is the one before it.
pub(crate) fn char_index(text: &Rope, position: Position, encoding: Encoding) -> usize {
    let line = position.line as usize;
    if line >= text.len_lines() {
        return text.len_chars();
    }
    let start = text.line_to_char(line);
    let end = line_end(text, line);
    let column = position.character as usize;
    let index = match encoding {
        Encoding::Utf8 => {
            let byte = text.char_to_byte(start).saturating_add(column);
            text.byte_to_char(byte.min(text.char_to_byte(end)))
        }
        Encoding::Utf16 => {
            let unit = text.char_to_utf16_cu(start).saturating_add(column);
            text.utf16_cu_to_char(unit.min(text.char_to_utf16_cu(end)))
        }
        Encoding::Utf32 => start.saturating_add(column),
    };
    index.min(end)
}

/// The indices of the characters between which a range lies, in order.
pub(crate) fn char_range(text: &Rope, range: Range, encoding: Encoding) -> (usize, usize) {
    let start = char_index(text, range.start, encoding);
    let end = char_index(text, range.end, encoding);
    (start.min(end), start.max(end))
}

/// The byte at a position: what the engine counts in.
pub(crate) fn byte_offset(text: &Rope, position: Position, encoding: Encoding) -> usize {
    text.char_to_byte(char_index(text, position, encoding))
}

/// The index of a line's end, before its line break.
pub(crate) fn line_end(text: &Rope, line: usize) -> usize {
    if line + 1 >= text.len_lines() {
        return text.len_chars();
    }
    let start = text.line_to_char(line);
    let mut end = text.line_to_char(line + 1);
    for ending in ['\n', '\r'] {
        if end > start && text.get_char(end - 1) == Some(ending) {
            end -= 1;
        }
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_are_clamped_to_the_text() {
        let text = Rope::from_str("a😀e\u{301}\r\n\u{2028}x\rlast");
        let check = |line, character, encoding, expected| {
            let index = char_index(&text, Position::new(line, character), encoding);
            assert_eq!(index, expected, "{line}:{character} {encoding:?}");
        };
        // After the emoji, and inside of it.
        check(0, 5, Encoding::Utf8, 2);
        check(0, 3, Encoding::Utf8, 1);
        check(0, 3, Encoding::Utf16, 2);
        check(0, 2, Encoding::Utf16, 1);
        check(0, 2, Encoding::Utf32, 2);
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            // The end of the line lies before its line break.
            check(0, u32::MAX, encoding, 4);
            // A line separator ends no line.
            check(1, u32::MAX, encoding, 8);
            check(2, 1, encoding, 10);
            check(2, 99, encoding, 13);
            check(3, 0, encoding, 13);
            check(u32::MAX, u32::MAX, encoding, 13);
        }
    }

    #[test]
    fn only_files_have_a_path() {
        let check = |uri: &str, expected: Option<&str>| {
            let path = path(&uri.parse().unwrap());
            assert_eq!(path.as_deref(), expected.map(std::path::Path::new), "{uri}");
        };
        check("file:///a/b%20%C3%A4.py", Some("/a/b ä.py"));
        check("FILE:///a.py", Some("/a.py"));
        check("untitled:Untitled-1", None);
        check("vscode-notebook-cell:/a.ipynb#W0", None);
        check("file:a.py", None);
    }
}
