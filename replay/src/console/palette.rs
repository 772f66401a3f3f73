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
