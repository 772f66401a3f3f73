//! Python source as tokens.

use super::syntax::SyntaxError;

/// What a token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// A name or a keyword.
    Name,
    /// A number.
    Number,
    /// A string or bytes literal with its prefix.
    Text,
    /// A formatted string: where its expressions are.
    Formatted(Vec<(usize, usize)>),
    /// An operator or a delimiter.
    Operator,
    /// The end of a logical line.
    Newline,
    /// The end of the text.
    End,
}

/// A token and where it stands, in bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Longest first, so that `**=` is never read as `**`.
const OPERATORS: &[&str] = &[
    "**=", "//=", ">>=", "<<=", "...", "!=", "->", ":=", "==", "<=", ">=", "+=", "-=", "*=", "/=",
    "%=", "&=", "|=", "^=", "@=", "**", "//", "<<", ">>", "(", ")", "[", "]", "{", "}", ",", ":",
    ".", ";", "@", "=", "+", "-", "*", "/", "%", "&", "|", "^", "~", "<", ">", "!",
];

/// Formatted strings inside formatted strings go no deeper than this.
const MAX_NESTING: u32 = 8;

/// Reads all tokens. Line ends inside brackets are no tokens.
pub(super) fn tokens(text: &str) -> Result<Vec<Token>, SyntaxError> {
    let mut lexer = Lexer {
        text,
        at: 0,
        brackets: 0,
    };
    let mut tokens = Vec::new();
    loop {
        let token = lexer.next()?;
        let done = token.kind == TokenKind::End;
        tokens.push(token);
        if done {
            return Ok(tokens);
        }
    }
}

/// Reads the tokens of a whole program; what is no token is skipped.
pub(super) fn tokens_of_source(text: &str) -> Vec<Token> {
    let mut lexer = Lexer {
        text,
        at: 0,
        brackets: 0,
    };
    let mut tokens = Vec::new();
    loop {
        match lexer.next() {
            Ok(token) => {
                let done = token.kind == TokenKind::End;
                tokens.push(token);
                if done {
                    return tokens;
                }
            }
            Err(error) => {
                let rest = text.get(error.column..).unwrap_or_default();
                let skipped = rest.chars().next().map_or(1, char::len_utf8);
                lexer.at = error.column + skipped;
            }
        }
    }
}

struct Lexer<'a> {
    text: &'a str,
    at: usize,
    brackets: u32,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn byte(&self, ahead: usize) -> u8 {
        let bytes = self.text.as_bytes();
        bytes.get(self.at + ahead).copied().unwrap_or(0)
    }

    fn next(&mut self) -> Result<Token, SyntaxError> {
        self.skip_blank();
        let start = self.at;
        let Some(first) = self.rest().chars().next() else {
            return Ok(self.token(TokenKind::End, start));
        };
        if first == '\n' {
            self.at += 1;
            return Ok(self.token(TokenKind::Newline, start));
        }
        if first.is_ascii_digit() || (first == '.' && self.byte(1).is_ascii_digit()) {
            self.number();
            return Ok(self.token(TokenKind::Number, start));
        }
        if let Some(kind) = self.string()? {
            return Ok(self.token(kind, start));
        }
        if first == '_' || first.is_alphabetic() {
            let rest = self.rest();
            let len = rest
                .find(|character: char| character != '_' && !character.is_alphanumeric())
                .unwrap_or(rest.len());
            self.at += len;
            return Ok(self.token(TokenKind::Name, start));
        }
        let operator = OPERATORS
            .iter()
            .find(|operator| self.rest().starts_with(**operator));
        let Some(operator) = operator else {
            return Err(SyntaxError::new(start, format!("unexpected {first:?}")));
        };
        match *operator {
            "(" | "[" | "{" => self.brackets += 1,
            ")" | "]" | "}" => self.brackets = self.brackets.saturating_sub(1),
            _ => {}
        }
        self.at += operator.len();
        Ok(self.token(TokenKind::Operator, start))
    }

    fn token(&self, kind: TokenKind, start: usize) -> Token {
        Token {
            kind,
            start,
            end: self.at,
        }
    }

    fn skip_blank(&mut self) {
        loop {
            match self.byte(0) {
                b' ' | b'\t' | b'\r' | 0x0c => self.at += 1,
                b'\n' if self.brackets > 0 => self.at += 1,
                b'\\' if self.byte(1) == b'\n' => self.at += 2,
                b'\\' if self.byte(1) == b'\r' && self.byte(2) == b'\n' => self.at += 3,
                b'#' => {
                    let rest = self.rest();
                    self.at += rest.find('\n').unwrap_or(rest.len());
                }
                _ => return,
            }
        }
    }

    fn number(&mut self) {
        let radix = self.byte(0) == b'0' && matches!(self.byte(1), b'x' | b'X');
        loop {
            let byte = self.byte(0);
            let exponent = !radix && matches!(byte, b'e' | b'E');
            if exponent && matches!(self.byte(1), b'+' | b'-') && self.byte(2).is_ascii_digit() {
                self.at += 2;
            } else if !(byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.') {
                return;
            }
            self.at += 1;
        }
    }

    /// Reads a string if one begins here.
    fn string(&mut self) -> Result<Option<TokenKind>, SyntaxError> {
        let prefix = (0..3).find(|ahead| matches!(self.byte(*ahead), b'\'' | b'"'));
        let Some(prefix) = prefix else {
            return Ok(None);
        };
        let letters = self.rest().as_bytes().get(..prefix).unwrap_or_default();
        if !letters.iter().all(|letter| b"rRbBuUfFtT".contains(letter)) {
            return Ok(None);
        }
        let formatted = letters.iter().any(|letter| b"fFtT".contains(letter));
        let raw = letters.iter().any(|letter| b"rR".contains(letter));
        let start = self.at;
        self.at += prefix;
        let mut parts = Vec::new();
        let closed = scan(
            self.text.as_bytes(),
            &mut self.at,
            formatted,
            raw,
            &mut parts,
            0,
        );
        if !closed {
            return Err(SyntaxError::new(start, "unterminated string".to_owned()));
        }
        Ok(Some(if formatted {
            TokenKind::Formatted(parts)
        } else {
            TokenKind::Text
        }))
    }
}

/// Goes from an opening quote to behind the closing one; `false` if there is none.
fn scan(
    bytes: &[u8],
    at: &mut usize,
    formatted: bool,
    raw: bool,
    parts: &mut Vec<(usize, usize)>,
    nesting: u32,
) -> bool {
    let Some(&quote) = bytes.get(*at) else {
        return false;
    };
    let triple = bytes.get(*at..*at + 3) == Some(&[quote; 3]);
    let closing = if triple { 3 } else { 1 };
    *at += closing;
    loop {
        let Some(&byte) = bytes.get(*at) else {
            return false;
        };
        if byte == quote && (!triple || bytes.get(*at..*at + 3) == Some(&[quote; 3])) {
            *at += closing;
            return true;
        }
        match byte {
            b'\n' if !triple => return false,
            b'\\' => {
                *at += if raw && !formatted {
                    2
                } else {
                    2.min(bytes.len() - *at)
                }
            }
            b'{' if formatted && bytes.get(*at + 1) == Some(&b'{') => *at += 2,
            b'{' if formatted => {
                if nesting >= MAX_NESTING || !replacement(bytes, at, quote, parts, nesting) {
                    return false;
                }
            }
            _ => *at += 1,
        }
    }
}

/// Goes over one `{expression!r:format}`; `at` is at its opening brace.
fn replacement(
    bytes: &[u8],
    at: &mut usize,
    quote: u8,
    parts: &mut Vec<(usize, usize)>,
    nesting: u32,
) -> bool {
    *at += 1;
    let start = *at;
    let mut brackets = 0_u32;
    let mut end = None;
    while let Some(&byte) = bytes.get(*at) {
        let next = bytes.get(*at + 1).copied().unwrap_or(0);
        let in_format = end.is_some();
        match byte {
            b'}' if brackets == 0 => {
                parts.push((start, end.unwrap_or(*at)));
                *at += 1;
                return true;
            }
            b'{' if in_format => {
                if nesting >= MAX_NESTING || !replacement(bytes, at, quote, parts, nesting + 1) {
                    return false;
                }
            }
            _ if in_format => {
                if byte == quote {
                    return false;
                }
                *at += 1;
            }
            b'\'' | b'"' => {
                if nesting >= MAX_NESTING
                    || !scan(bytes, at, false, false, &mut Vec::new(), nesting + 1)
                {
                    return false;
                }
            }
            b'(' | b'[' | b'{' => {
                brackets += 1;
                *at += 1;
            }
            b')' | b']' | b'}' => {
                brackets = brackets.saturating_sub(1);
                *at += 1;
            }
            b'!' if brackets == 0 && next != b'=' => {
                end = Some(*at);
                *at += 1;
            }
            b'=' if brackets == 0 && matches!(next, b'}' | b'!' | b':') => {
                let before = bytes.get(*at - 1).copied().unwrap_or(0);
                if !matches!(before, b'=' | b'!' | b'<' | b'>') {
                    end = Some(*at);
                }
                *at += 1;
            }
            b':' if brackets == 0 => {
                end = Some(*at);
                *at += 1;
            }
            _ => *at += 1,
        }
    }
    false
}
