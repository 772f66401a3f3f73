//! Python expressions, from tokens to a tree.
//!
//! The whole grammar of expressions is read, so that what cannot be evaluated is refused by name and
//! the lines of a program can be asked which names they read.

use super::lexer::{Token, TokenKind, tokens};
use super::literal;
use super::syntax::{
    Argument, BinaryOperator, Clause, Comparison, ComprehensionForm, Kind, Node, Passing,
    SyntaxError, UnaryOperator,
};
use crate::Datum;

/// Longest text of an expression, in bytes.
const MAX_LEN_BYTES: usize = 64 * 1024;

/// Deepest tree. Bounds every recursion over it.
const MAX_DEPTH: u32 = 100;

/// Deepest nesting of brackets, prefixes and conditional expressions while reading.
const MAX_NESTING: u32 = 40;

const KEYWORDS: &[&str] = &[
    "False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue",
    "def", "del", "elif", "else", "except", "finally", "for", "from", "global", "if", "import",
    "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while",
    "with", "yield",
];

/// Whether a name is a keyword, which no variable can have as its name.
pub(crate) fn is_keyword(name: &str) -> bool {
    KEYWORDS.contains(&name)
}

/// Reads a text that is one expression.
pub(crate) fn parse(text: &str) -> Result<Node, SyntaxError> {
    let mut parser = Parser::new(text, 0)?;
    parser.skip_newlines();
    if parser.peek().kind == TokenKind::End {
        return Err(SyntaxError::new(0, "there is no expression".to_owned()));
    }
    let node = parser.expressions()?;
    parser.skip_newlines();
    parser.end()?;
    Ok(node)
}

/// Reads tokens one after the other; the statements of a line are read by [`super::statement`].
pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token>,
    next: usize,
    nesting: u32,
}

type Result<T, E = SyntaxError> = std::result::Result<T, E>;

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str, nesting: u32) -> Result<Parser<'a>> {
        if text.len() > MAX_LEN_BYTES {
            return Err(SyntaxError::new(0, "the expression is too long".to_owned()));
        }
        Ok(Parser {
            text,
            tokens: tokens(text)?,
            next: 0,
            nesting,
        })
    }

    /// A parser of tokens that were read already; positions are those in `text`.
    pub(super) fn of_tokens(text: &'a str, tokens: Vec<Token>) -> Parser<'a> {
        Parser {
            text,
            tokens,
            next: 0,
            nesting: 0,
        }
    }

    pub(super) fn peek(&self) -> Token {
        self.tokens.get(self.next).cloned().unwrap_or(Token {
            kind: TokenKind::End,
            start: self.text.len(),
            end: self.text.len(),
        })
    }

    pub(super) fn word(&self) -> &'a str {
        let token = self.tokens.get(self.next);
        token
            .and_then(|token| self.text.get(token.start..token.end))
            .unwrap_or_default()
    }

    fn word_after(&self) -> &'a str {
        let token = self.tokens.get(self.next + 1);
        token
            .and_then(|token| self.text.get(token.start..token.end))
            .unwrap_or_default()
    }

    pub(super) fn advance(&mut self) {
        self.next += 1;
    }

    /// Whether the next token is this operator or keyword.
    pub(super) fn at(&self, word: &str) -> bool {
        let kind = self.tokens.get(self.next).map(|token| &token.kind);
        matches!(kind, Some(TokenKind::Operator | TokenKind::Name)) && self.word() == word
    }

    pub(super) fn accept(&mut self, word: &str) -> bool {
        let found = self.at(word);
        if found {
            self.advance();
        }
        found
    }

    fn expect(&mut self, word: &str) -> Result<()> {
        if self.accept(word) {
            Ok(())
        } else {
            Err(self.unexpected(&format!("expected `{word}`")))
        }
    }

    fn unexpected(&self, wanted: &str) -> SyntaxError {
        let token = self.peek();
        let found = match token.kind {
            TokenKind::End | TokenKind::Newline => "the end".to_owned(),
            _ => format!("`{}`", self.word()),
        };
        SyntaxError::new(token.start, format!("{wanted}, found {found}"))
    }

    pub(super) fn end(&self) -> Result<()> {
        let token = self.peek();
        match token.kind {
            TokenKind::End => Ok(()),
            _ if self.at("=") => Err(SyntaxError::new(
                token.start,
                "a recording cannot be changed; compare with `==`".to_owned(),
            )),
            _ => Err(self.unexpected("expected the end of the expression")),
        }
    }

    fn skip_newlines(&mut self) {
        while self.peek().kind == TokenKind::Newline {
            self.advance();
        }
    }

    fn node(&self, kind: Kind, start: usize) -> Result<Node> {
        let end = self
            .next
            .checked_sub(1)
            .and_then(|last| self.tokens.get(last))
            .map_or(start, |token| token.end);
        let mut node = Node {
            kind,
            start,
            end,
            depth: 0,
        };
        let deepest = node.children().iter().map(|child| child.depth).max();
        node.depth = deepest.unwrap_or(0) + 1;
        if node.depth > MAX_DEPTH {
            return Err(SyntaxError::new(
                start,
                "the expression is nested too deep".to_owned(),
            ));
        }
        Ok(node)
    }

    fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T>) -> Result<T> {
        if self.nesting >= MAX_NESTING {
            let start = self.peek().start;
            return Err(SyntaxError::new(
                start,
                "the expression is nested too deep".to_owned(),
            ));
        }
        self.nesting += 1;
        let result = read(self);
        self.nesting -= 1;
        result
    }

    /// One expression or several with commas between them: a tuple.
    pub(super) fn expressions(&mut self) -> Result<Node> {
        let start = self.peek().start;
        if self.at("yield") {
            return self.yielded();
        }
        let first = self.starred()?;
        if !self.at(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.accept(",") {
            if !self.starts_expression() {
                break;
            }
            items.push(self.starred()?);
        }
        self.node(Kind::Tuple(items), start)
    }

    fn starts_expression(&self) -> bool {
        let token = self.peek();
        let word = self.word();
        match token.kind {
            TokenKind::Number | TokenKind::Text | TokenKind::Formatted(_) => true,
            TokenKind::Name => {
                !is_keyword(word)
                    || matches!(
                        word,
                        "None" | "True" | "False" | "not" | "lambda" | "await" | "yield"
                    )
            }
            TokenKind::Operator => {
                matches!(word, "(" | "[" | "{" | "-" | "+" | "~" | "*" | "...")
            }
            TokenKind::Newline | TokenKind::End => false,
        }
    }

    fn yielded(&mut self) -> Result<Node> {
        let start = self.peek().start;
        self.advance();
        self.accept("from");
        let value = if self.starts_expression() {
            Some(Box::new(self.nested(Self::expressions)?))
        } else {
            None
        };
        self.node(Kind::Yield(value), start)
    }

    fn starred(&mut self) -> Result<Node> {
        let start = self.peek().start;
        if self.accept("*") {
            let value = self.binary(BITWISE_OR)?;
            return self.node(Kind::Starred(Box::new(value)), start);
        }
        self.named()
    }

    /// An expression, or `name := expression`.
    fn named(&mut self) -> Result<Node> {
        let start = self.peek().start;
        if self.peek().kind == TokenKind::Name && self.word_after() == ":=" {
            let name = self.word().to_owned();
            self.advance();
            self.advance();
            let value = self.expression()?;
            return self.node(Kind::Walrus(name, Box::new(value)), start);
        }
        self.expression()
    }

    pub(super) fn expression(&mut self) -> Result<Node> {
        self.nested(Self::conditional)
    }

    fn conditional(&mut self) -> Result<Node> {
        let start = self.peek().start;
        if self.at("lambda") {
            return self.lambda();
        }
        let then = self.binary(OR)?;
        if !self.accept("if") {
            return Ok(then);
        }
        let condition = self.binary(OR)?;
        self.expect("else")?;
        let otherwise = self.expression()?;
        self.node(
            Kind::Conditional {
                condition: Box::new(condition),
                then: Box::new(then),
                otherwise: Box::new(otherwise),
            },
            start,
        )
    }

    fn lambda(&mut self) -> Result<Node> {
        let start = self.peek().start;
        self.advance();
        let mut parameters = Vec::new();
        while !self.at(":") {
            if self.accept("*") || self.accept("**") || self.accept("/") || self.accept(",") {
                continue;
            }
            if self.peek().kind != TokenKind::Name {
                return Err(self.unexpected("expected a parameter"));
            }
            parameters.push(self.word().to_owned());
            self.advance();
            if self.accept("=") {
                self.expression()?;
            }
        }
        self.advance();
        let body = self.expression()?;
        self.node(Kind::Lambda(parameters, Box::new(body)), start)
    }

    /// Binary operators that bind at least as tightly as `minimum`.
    fn binary(&mut self, minimum: u8) -> Result<Node> {
        let start = self.peek().start;
        let mut left = if minimum <= NOT && self.accept("not") {
            let operand = self.nested(|parser| parser.binary(NOT))?;
            self.node(Kind::Not(Box::new(operand)), start)?
        } else {
            self.unary()?
        };
        loop {
            if minimum <= COMPARISON
                && let Some(comparison) = self.comparison()
            {
                let mut rest = vec![(comparison, self.binary(BITWISE_OR)?)];
                while let Some(comparison) = self.comparison() {
                    rest.push((comparison, self.binary(BITWISE_OR)?));
                }
                left = self.node(Kind::Compare(Box::new(left), rest), start)?;
                continue;
            }
            if minimum <= AND && self.accept("and") {
                let right = self.binary(AND + 1)?;
                left = self.node(Kind::And(Box::new(left), Box::new(right)), start)?;
                continue;
            }
            if minimum <= OR && self.accept("or") {
                let right = self.binary(OR + 1)?;
                left = self.node(Kind::Or(Box::new(left), Box::new(right)), start)?;
                continue;
            }
            let Some((operator, strength)) = self.binary_operator() else {
                return Ok(left);
            };
            if strength < minimum {
                return Ok(left);
            }
            self.advance();
            let right = self.binary(strength + 1)?;
            left = self.node(
                Kind::Binary(operator, Box::new(left), Box::new(right)),
                start,
            )?;
        }
    }

    fn binary_operator(&self) -> Option<(BinaryOperator, u8)> {
        if self.peek().kind != TokenKind::Operator {
            return None;
        }
        Some(match self.word() {
            "|" => (BinaryOperator::Or, BITWISE_OR),
            "^" => (BinaryOperator::Xor, BITWISE_OR + 1),
            "&" => (BinaryOperator::And, BITWISE_OR + 2),
            "<<" => (BinaryOperator::ShiftLeft, BITWISE_OR + 3),
            ">>" => (BinaryOperator::ShiftRight, BITWISE_OR + 3),
            "+" => (BinaryOperator::Add, BITWISE_OR + 4),
            "-" => (BinaryOperator::Subtract, BITWISE_OR + 4),
            "*" => (BinaryOperator::Multiply, BITWISE_OR + 5),
            "@" => (BinaryOperator::MatrixMultiply, BITWISE_OR + 5),
            "/" => (BinaryOperator::Divide, BITWISE_OR + 5),
            "//" => (BinaryOperator::FloorDivide, BITWISE_OR + 5),
            "%" => (BinaryOperator::Modulo, BITWISE_OR + 5),
            _ => return None,
        })
    }

    /// Takes a comparison operator if one is next.
    fn comparison(&mut self) -> Option<Comparison> {
        let comparison = match (self.peek().kind, self.word()) {
            (TokenKind::Operator, "==") => Comparison::Equal,
            (TokenKind::Operator, "!=") => Comparison::NotEqual,
            (TokenKind::Operator, "<") => Comparison::Less,
            (TokenKind::Operator, "<=") => Comparison::LessOrEqual,
            (TokenKind::Operator, ">") => Comparison::Greater,
            (TokenKind::Operator, ">=") => Comparison::GreaterOrEqual,
            (TokenKind::Name, "in") => Comparison::In,
            (TokenKind::Name, "not") if self.word_after() == "in" => {
                self.advance();
                Comparison::NotIn
            }
            (TokenKind::Name, "is") if self.word_after() == "not" => {
                self.advance();
                Comparison::IsNot
            }
            (TokenKind::Name, "is") => Comparison::Is,
            _ => return None,
        };
        self.advance();
        Some(comparison)
    }

    fn unary(&mut self) -> Result<Node> {
        let start = self.peek().start;
        let operator = match self.word() {
            "-" => Some(UnaryOperator::Minus),
            "+" => Some(UnaryOperator::Plus),
            "~" => Some(UnaryOperator::Invert),
            _ => None,
        };
        let is_operator = self.peek().kind == TokenKind::Operator;
        if let Some(operator) = operator.filter(|_| is_operator) {
            self.advance();
            let operand = self.nested(Self::unary)?;
            return self.node(Kind::Unary(operator, Box::new(operand)), start);
        }
        let base = if self.accept("await") {
            let operand = self.nested(Self::primary)?;
            self.node(Kind::Await(Box::new(operand)), start)?
        } else {
            self.primary()?
        };
        if !self.accept("**") {
            return Ok(base);
        }
        let exponent = self.nested(Self::unary)?;
        self.node(
            Kind::Binary(BinaryOperator::Power, Box::new(base), Box::new(exponent)),
            start,
        )
    }

    /// An atom with its attributes, indexes and calls.
    pub(super) fn primary(&mut self) -> Result<Node> {
        let start = self.peek().start;
        let mut node = self.atom()?;
        loop {
            if self.accept(".") {
                if self.peek().kind != TokenKind::Name {
                    return Err(self.unexpected("expected an attribute's name"));
                }
                let name = self.word().to_owned();
                self.advance();
                node = self.node(Kind::Attribute(Box::new(node), name), start)?;
            } else if self.accept("[") {
                let index = self.nested(Self::subscript)?;
                self.expect("]")?;
                node = self.node(Kind::Subscript(Box::new(node), Box::new(index)), start)?;
            } else if self.accept("(") {
                let arguments = self.nested(Self::arguments)?;
                node = self.node(Kind::Call(Box::new(node), arguments), start)?;
            } else {
                return Ok(node);
            }
        }
    }

    fn subscript(&mut self) -> Result<Node> {
        let start = self.peek().start;
        let first = self.slice()?;
        if !self.at(",") {
            return Ok(first);
        }
        let mut items = vec![first];
        while self.accept(",") {
            if self.at("]") {
                break;
            }
            items.push(self.slice()?);
        }
        self.node(Kind::Tuple(items), start)
    }

    fn slice(&mut self) -> Result<Node> {
        let start = self.peek().start;
        let first = if self.at(":") {
            None
        } else {
            Some(self.starred()?)
        };
        if !self.accept(":") {
            return first.ok_or_else(|| self.unexpected("expected an index"));
        }
        let mut parts = [first.map(Box::new), None, None];
        if !self.at(":") && !self.at("]") && !self.at(",") {
            parts[1] = Some(Box::new(self.expression()?));
        }
        if self.accept(":") && !self.at("]") && !self.at(",") {
            parts[2] = Some(Box::new(self.expression()?));
        }
        self.node(Kind::Slice(parts), start)
    }

    fn arguments(&mut self) -> Result<Vec<Argument>> {
        let mut arguments = Vec::new();
        while !self.accept(")") {
            let passing = if self.accept("**") {
                Passing::UnpackedKeywords
            } else if self.accept("*") {
                Passing::Unpacked
            } else if self.peek().kind == TokenKind::Name && self.word_after() == "=" {
                let name = self.word().to_owned();
                self.advance();
                self.advance();
                Passing::Keyword(name)
            } else {
                Passing::Positional
            };
            let start = self.peek().start;
            let mut value = self.named()?;
            if self.at("for") || self.at("async") {
                value = self.comprehension(ComprehensionForm::Generator, value, None, start)?;
            }
            arguments.push(Argument { passing, value });
            if !self.accept(",") {
                self.expect(")")?;
                break;
            }
        }
        Ok(arguments)
    }

    fn atom(&mut self) -> Result<Node> {
        let token = self.peek();
        let start = token.start;
        let word = self.word();
        match token.kind {
            TokenKind::Name => {
                let kind = match word {
                    "None" => Kind::Constant(Datum::None),
                    "True" => Kind::Constant(Datum::Bool(true)),
                    "False" => Kind::Constant(Datum::Bool(false)),
                    _ if is_keyword(word) => {
                        return Err(self.unexpected("expected an expression"));
                    }
                    _ => Kind::Name(word.to_owned()),
                };
                self.advance();
                self.node(kind, start)
            }
            TokenKind::Number => {
                let value = literal::number(word)
                    .ok_or_else(|| SyntaxError::new(start, format!("`{word}` is no number")))?;
                self.advance();
                self.node(Kind::Constant(value), start)
            }
            TokenKind::Text | TokenKind::Formatted(_) => self.strings(),
            TokenKind::Operator => match word {
                "(" => self.nested(Self::parentheses),
                "[" => self.nested(Self::list),
                "{" => self.nested(Self::braces),
                "..." => {
                    self.advance();
                    self.node(Kind::Constant(Datum::Ellipsis), start)
                }
                _ => Err(self.unexpected("expected an expression")),
            },
            TokenKind::Newline | TokenKind::End => Err(self.unexpected("expected an expression")),
        }
    }

    /// String literals that stand side by side are one string.
    fn strings(&mut self) -> Result<Node> {
        let start = self.peek().start;
        let mut texts = Vec::new();
        let mut parts = Vec::new();
        let mut formatted = false;
        loop {
            let token = self.peek();
            match token.kind {
                TokenKind::Text => texts.push(self.word()),
                TokenKind::Formatted(ranges) => {
                    formatted = true;
                    for (from, to) in ranges {
                        parts.push(self.formatted_part(from, to)?);
                    }
                }
                _ => break,
            }
            self.advance();
        }
        if formatted {
            return self.node(Kind::Formatted(parts), start);
        }
        let value =
            literal::strings(&texts).map_err(|what| SyntaxError::new(start, what.to_owned()))?;
        self.node(Kind::Constant(value), start)
    }

    fn formatted_part(&mut self, from: usize, to: usize) -> Result<Node> {
        if self.nesting >= MAX_NESTING {
            return Err(SyntaxError::new(
                from,
                "the expression is nested too deep".to_owned(),
            ));
        }
        // Spaces up to the part keep its positions those of the whole text.
        let part = self.text.get(from..to).unwrap_or_default();
        let mut inner = Parser::new(part, self.nesting + 1)?;
        for token in &mut inner.tokens {
            token.start += from;
            token.end += from;
            if let TokenKind::Formatted(ranges) = &mut token.kind {
                for range in ranges {
                    *range = (range.0 + from, range.1 + from);
                }
            }
        }
        inner.text = self.text;
        inner.skip_newlines();
        let node = inner.expressions()?;
        inner.skip_newlines();
        inner.end()?;
        Ok(node)
    }

    fn parentheses(&mut self) -> Result<Node> {
        let start = self.peek().start;
        self.advance();
        if self.accept(")") {
            return self.node(Kind::Tuple(Vec::new()), start);
        }
        let mut node = self.expressions()?;
        if self.at("for") || self.at("async") {
            node = self.comprehension(ComprehensionForm::Generator, node, None, start)?;
        }
        self.expect(")")?;
        // The brackets belong to the expression, so that its text can stand alone.
        self.node(node.kind, start)
    }

    fn list(&mut self) -> Result<Node> {
        let start = self.peek().start;
        self.advance();
        let mut items = Vec::new();
        while !self.accept("]") {
            let item = self.starred()?;
            if items.is_empty() && (self.at("for") || self.at("async")) {
                let mut node = self.comprehension(ComprehensionForm::List, item, None, start)?;
                self.expect("]")?;
                node.end = self.behind();
                return Ok(node);
            }
            items.push(item);
            if !self.accept(",") {
                self.expect("]")?;
                break;
            }
        }
        self.node(Kind::List(items), start)
    }

    /// The end of the token taken last.
    fn behind(&self) -> usize {
        let last = self.next.checked_sub(1);
        last.and_then(|last| self.tokens.get(last))
            .map_or(0, |token| token.end)
    }

    fn braces(&mut self) -> Result<Node> {
        let start = self.peek().start;
        self.advance();
        let mut items = Vec::new();
        let mut entries = Vec::new();
        while !self.accept("}") {
            if self.accept("**") {
                entries.push((None, self.binary(BITWISE_OR)?));
            } else {
                let key = self.starred()?;
                let first = items.is_empty() && entries.is_empty();
                let value = if self.accept(":") {
                    Some(self.expression()?)
                } else {
                    None
                };
                if first && (self.at("for") || self.at("async")) {
                    let form = match value {
                        Some(_) => ComprehensionForm::Dict,
                        None => ComprehensionForm::Set,
                    };
                    let mut node = self.comprehension(form, key, value, start)?;
                    self.expect("}")?;
                    node.end = self.behind();
                    return Ok(node);
                }
                match value {
                    Some(value) => entries.push((Some(key), value)),
                    None => items.push(key),
                }
            }
            if !items.is_empty() && !entries.is_empty() {
                return Err(self.unexpected("a set and a dictionary cannot be mixed"));
            }
            if !self.accept(",") {
                self.expect("}")?;
                break;
            }
        }
        if items.is_empty() {
            self.node(Kind::Dict(entries), start)
        } else {
            self.node(Kind::Set(items), start)
        }
    }

    fn comprehension(
        &mut self,
        form: ComprehensionForm,
        element: Node,
        value: Option<Node>,
        start: usize,
    ) -> Result<Node> {
        let mut clauses = Vec::new();
        loop {
            self.accept("async");
            if !self.accept("for") {
                break;
            }
            let target = self.targets()?;
            self.expect("in")?;
            let values = self.binary(OR)?;
            let mut conditions = Vec::new();
            while self.accept("if") {
                conditions.push(self.binary(OR)?);
            }
            clauses.push(Clause {
                target,
                values,
                conditions,
            });
        }
        self.node(
            Kind::Comprehension {
                form,
                element: Box::new(element),
                value: value.map(Box::new),
                clauses,
            },
            start,
        )
    }

    /// The targets between `for` and `in`.
    pub(super) fn targets(&mut self) -> Result<Node> {
        let start = self.peek().start;
        let mut items = Vec::new();
        let mut tuple = false;
        loop {
            let item_start = self.peek().start;
            let starred = self.accept("*");
            let mut item = self.nested(Self::primary)?;
            if starred {
                item = self.node(Kind::Starred(Box::new(item)), item_start)?;
            }
            items.push(item);
            if !self.accept(",") {
                break;
            }
            tuple = true;
            if self.at("in") {
                break;
            }
        }
        match (tuple, items.pop()) {
            (false, Some(only)) => Ok(only),
            (_, last) => {
                items.extend(last);
                self.node(Kind::Tuple(items), start)
            }
        }
    }
}

const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARISON: u8 = 4;
const BITWISE_OR: u8 = 5;
