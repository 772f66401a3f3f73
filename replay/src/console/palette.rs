//! Colours: only where the terminal shows them, and never the only sign of anything.

/// Whether text carries colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Palette {
    /// Plain text.
    Plain,
    /// Text with ANSI escape sequences.
    Ansi,
}

impl Palette {
    pub(super) fn strong(self, text: &str) -> String {
        self.wrap("1", text)
    }

    pub(super) fn dim(self, text: &str) -> String {
        self.wrap("2", text)
    }

    pub(super) fn error(self, text: &str) -> String {
        self.wrap("31", text)
    }

    pub(super) fn value(self, text: &str) -> String {
        self.wrap("36", text)
    }

    pub(super) fn present(self, text: &str) -> String {
        self.wrap("1;33", text)
    }

    fn wrap(self, code: &str, text: &str) -> String {
        match self {
            Palette::Plain => text.to_owned(),
            Palette::Ansi if text.is_empty() => String::new(),
            Palette::Ansi => format!("\x1b[{code}m{text}\x1b[0m"),
        }
    }
}

/// The escape sequences that [`Palette::Ansi`] writes.
const SEQUENCES: &[&str] = &["[0m", "[1m", "[2m", "[31m", "[36m", "[1;33m"];

/// Text that a terminal only shows: control characters of a recording, which may come from anyone,
/// are written as escapes. Line ends, tabs and the colours of this console stay.
#[must_use]
pub fn harmless(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for (at, character) in text.char_indices() {
        let behind = text.get(at + character.len_utf8()..).unwrap_or_default();
        let own = character == '\x1b'
            && SEQUENCES
                .iter()
                .any(|sequence| behind.starts_with(sequence));
        if own || matches!(character, '\n' | '\t') || !character.is_control() {
            out.push(character);
        } else {
            out.push_str(&format!("\\x{:02x}", u32::from(character)));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_characters_of_a_recording_do_nothing() {
        assert_eq!(harmless("a\tb\nc"), "a\tb\nc");
        assert_eq!(
            harmless("\x1b]0;title\x07\x1b[2J\r"),
            "\\x1b]0;title\\x07\\x1b[2J\\x0d"
        );
        let coloured = Palette::Ansi.error("x");
        assert_eq!(harmless(&coloured), coloured);
    }
}
