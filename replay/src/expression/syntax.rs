//! What an expression is made of.

use crate::Datum;

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SyntaxError {
    /// 0-based, in bytes.
    pub(crate) column: usize,
    /// What is wrong.
    pub(crate) what: String,
}

impl SyntaxError {
    pub(crate) fn new(column: usize, what: String) -> SyntaxError {
        SyntaxError { column, what }
    }
}

/// A part of an expression, with where it stands in the text, in bytes.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) kind: Kind,
    pub(crate) start: usize,
    pub(crate) end: usize,
    /// One more than its deepest part; limited, so that no walk over it can go too deep.
    pub(crate) depth: u32,
}

/// The sorts of expressions.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Name(String),
    Constant(Datum),
    Formatted(Vec<Node>),
    Attribute(Box<Node>, String),
    Subscript(Box<Node>, Box<Node>),
    Slice([Option<Box<Node>>; 3]),
    Call(Box<Node>, Vec<Argument>),
    Unary(UnaryOperator, Box<Node>),
    Binary(BinaryOperator, Box<Node>, Box<Node>),
    Compare(Box<Node>, Vec<(Comparison, Node)>),
    And(Box<Node>, Box<Node>),
    Or(Box<Node>, Box<Node>),
    Not(Box<Node>),
    Conditional {
        condition: Box<Node>,
        then: Box<Node>,
        otherwise: Box<Node>,
    },
    Tuple(Vec<Node>),
    List(Vec<Node>),
    Set(Vec<Node>),
    /// Entries; without a key it is `**mapping`.
    Dict(Vec<(Option<Node>, Node)>),
    Starred(Box<Node>),
    Comprehension {
        form: ComprehensionForm,
        element: Box<Node>,
        value: Option<Box<Node>>,
        clauses: Vec<Clause>,
    },
    Lambda(Vec<String>, Box<Node>),
    Walrus(String, Box<Node>),
    Await(Box<Node>),
    Yield(Option<Box<Node>>),
}

/// One argument of a call.
#[derive(Clone, Debug)]
pub(crate) struct Argument {
    /// How it is passed.
    pub(crate) passing: Passing,
    /// Its value.
    pub(crate) value: Node,
}

/// How an argument is passed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Passing {
    Positional,
    Keyword(String),
    /// `*values`.
    Unpacked,
    /// `**values`.
    UnpackedKeywords,
}

/// What a comprehension makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ComprehensionForm {
    List,
    Set,
    Dict,
    Generator,
}

/// `for target in values if condition`.
#[derive(Clone, Debug)]
pub(crate) struct Clause {
    pub(crate) target: Node,
    pub(crate) values: Node,
    pub(crate) conditions: Vec<Node>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UnaryOperator {
    Plus,
    Minus,
    Invert,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BinaryOperator {
    Add,
    Subtract,
    Multiply,
    MatrixMultiply,
    Divide,
    FloorDivide,
    Modulo,
    Power,
    ShiftLeft,
    ShiftRight,
    And,
    Or,
    Xor,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    In,
    NotIn,
    Is,
    IsNot,
}

impl BinaryOperator {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            BinaryOperator::Add => "+",
            BinaryOperator::Subtract => "-",
            BinaryOperator::Multiply => "*",
            BinaryOperator::MatrixMultiply => "@",
            BinaryOperator::Divide => "/",
            BinaryOperator::FloorDivide => "//",
            BinaryOperator::Modulo => "%",
            BinaryOperator::Power => "**",
            BinaryOperator::ShiftLeft => "<<",
            BinaryOperator::ShiftRight => ">>",
            BinaryOperator::And => "&",
            BinaryOperator::Or => "|",
            BinaryOperator::Xor => "^",
        }
    }
}

impl Comparison {
    pub(crate) fn symbol(self) -> &'static str {
        match self {
            Comparison::Equal => "==",
            Comparison::NotEqual => "!=",
            Comparison::Less => "<",
            Comparison::LessOrEqual => "<=",
            Comparison::Greater => ">",
            Comparison::GreaterOrEqual => ">=",
            Comparison::In => "in",
            Comparison::NotIn => "not in",
            Comparison::Is => "is",
            Comparison::IsNot => "is not",
        }
    }
}

impl Node {
    /// Its direct parts.
    pub(crate) fn children(&self) -> Vec<&Node> {
        match &self.kind {
            Kind::Name(_) | Kind::Constant(_) | Kind::Yield(None) => Vec::new(),
            Kind::Formatted(nodes) | Kind::Tuple(nodes) | Kind::List(nodes) | Kind::Set(nodes) => {
                nodes.iter().collect()
            }
            Kind::Attribute(node, _)
            | Kind::Unary(_, node)
            | Kind::Not(node)
            | Kind::Starred(node)
            | Kind::Lambda(_, node)
            | Kind::Walrus(_, node)
            | Kind::Await(node)
            | Kind::Yield(Some(node)) => vec![node],
            Kind::Subscript(left, right)
            | Kind::Binary(_, left, right)
            | Kind::And(left, right)
            | Kind::Or(left, right) => vec![left, right],
            Kind::Slice(parts) => parts.iter().flatten().map(|part| &**part).collect(),
            Kind::Call(function, arguments) => {
                let mut all = vec![&**function];
                all.extend(arguments.iter().map(|argument| &argument.value));
                all
            }
            Kind::Compare(first, rest) => {
                let mut all = vec![&**first];
                all.extend(rest.iter().map(|(_, node)| node));
                all
            }
            Kind::Conditional {
                condition,
                then,
                otherwise,
            } => vec![then, condition, otherwise],
            Kind::Dict(entries) => entries
                .iter()
                .flat_map(|(key, value)| key.iter().chain([value]))
                .collect(),
            Kind::Comprehension {
                element,
                value,
                clauses,
                ..
            } => {
                let mut all = vec![&**element];
                all.extend(value.as_deref());
                for clause in clauses {
                    all.push(&clause.target);
                    all.push(&clause.values);
                    all.extend(&clause.conditions);
                }
                all
            }
        }
    }
}
