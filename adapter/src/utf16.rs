//! Columns: the protocol counts UTF-16 code units, the engine bytes.

/// The byte at which `units` code units of `text` end; the end of `text` if it has fewer.
pub(crate) fn byte_offset(text: &str, units: usize) -> usize {
    let mut seen = 0;
    for (offset, character) in text.char_indices() {
        if seen >= units {
            return offset;
        }
        seen += character.len_utf16();
    }
    text.len()
}

/// How many code units `text` has.
pub(crate) fn len(text: &str) -> i64 {
    i64::try_from(text.encode_utf16().count()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_units_are_not_bytes() {
        let text = "ä😀x";
        let offsets: Vec<usize> = (0..6).map(|units| byte_offset(text, units)).collect();
        assert_eq!(offsets, [0, 2, 6, 6, 7, 7]);
        assert_eq!(len(text), 4);
    }
}
