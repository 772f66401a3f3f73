//! Conditions made ready for millions of executions: what is certain is told at once from the values of
//! names, all else is left to the evaluation of expressions.

use std::borrow::Cow;
use std::cell::Cell;
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use retrostep_trace::{
    Content, Excerpt, LineMoment, MOST_NAMES, ObjectId, ObjectKind, Part as ObjectPart, Position,
    Recording, Seen, Text, Value,
};

use crate::Datum;
use crate::expression::{Argument, BinaryOperator, Comparison, Expression, Kind, Node, Passing};

/// A condition as tests of names.
#[derive(Debug)]
pub(crate) struct Test {
    /// The names whose values it needs.
    pub(crate) names: Vec<Arc<str>>,
    /// The attributes, entries and elements of what names hold.
    parts: Vec<(usize, Kept)>,
    root: Part,
}

/// An attribute by its name, or an entry or element by its key or index.
#[derive(Clone, Debug, PartialEq)]
enum Kept {
    Attribute(String),
    Item(Value),
}

/// What a test looks at.
#[derive(Debug, Default)]
struct Looked {
    names: Vec<Arc<str>>,
    parts: Vec<(usize, Kept)>,
}

/// Why a test does not tell whether the condition holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    /// It has to be evaluated.
    Unsure,
    /// It cannot be evaluated: a local has no value, by its number among the names.
    Unbound(usize),
}

#[derive(Debug)]
enum Part {
    And(Box<Part>, Box<Part>),
    Or(Box<Part>, Box<Part>),
    Not(Box<Part>),
    Compare(Operand, Vec<(Comparison, Operand)>),
    Truth(Operand),
}

#[derive(Debug)]
enum Operand {
    Constant(Value),
    Name(usize),
    Attribute(Box<Operand>, String),
    Item(Box<Operand>, Value),
    /// The part with this number; where that is not known, what it stands for.
    Part(usize, Box<Operand>),
    /// `len(operand)`, if the name `len` is not the program's own.
    Len(usize, Box<Operand>),
    Arithmetic(BinaryOperator, Box<Operand>, Box<Operand>),
}

impl Test {
    /// The condition as a test, or `None` if it has to be evaluated at every execution.
    pub(crate) fn of(condition: &Expression) -> Option<Test> {
        let mut looked = Looked::default();
        let root = part(condition.node(), &mut looked)?;
        let Looked { names, parts } = looked;
        (names.len() <= MOST_NAMES).then_some(Test { names, parts, root })
    }

    /// The parts whose values it needs.
    pub(crate) fn parts(&self) -> Vec<(usize, ObjectPart<'_>)> {
        let parts = self.parts.iter().map(|(name, kept)| {
            let part = match kept {
                Kept::Attribute(attribute) => ObjectPart::Attribute(attribute),
                Kept::Item(Value::Int(index)) => ObjectPart::Item(index.unsigned_abs()),
                Kept::Item(key) => ObjectPart::Entry(key),
            };
            (*name, part)
        });
        parts.collect()
    }

    /// Whether the condition holds.
    ///
    /// # Errors
    ///
    /// [`Open`] if that is not certain here.
    pub(crate) fn holds(
        &self,
        recording: &Recording,
        moment: &LineMoment<'_>,
    ) -> Result<bool, Open> {
        let at = Look {
            recording,
            position: moment.position,
            seen: moment.seen,
            parts: moment.parts,
            unbound: Cell::new(None),
        };
        match (at.holds(&self.root), at.unbound.get()) {
            (Some(holds), _) => Ok(holds),
            (None, Some(name)) => Err(Open::Unbound(name)),
            (None, None) => Err(Open::Unsure),
        }
    }
}

fn part(node: &Node, looked: &mut Looked) -> Option<Part> {
    let mut boxed = |node| part(node, looked).map(Box::new);
    Some(match &node.kind {
        Kind::And(left, right) => Part::And(boxed(left)?, boxed(right)?),
        Kind::Or(left, right) => Part::Or(boxed(left)?, boxed(right)?),
        Kind::Not(inner) => Part::Not(boxed(inner)?),
        Kind::Compare(first, rest) => {
            let first = operand(first, looked)?;
            let mut compared = Vec::new();
            for (comparison, node) in rest {
                compared.push((*comparison, operand(node, looked)?));
            }
            Part::Compare(first, compared)
        }
        _ => Part::Truth(operand(node, looked)?),
    })
}

fn operand(node: &Node, looked: &mut Looked) -> Option<Operand> {
    Some(match &node.kind {
        Kind::Constant(value) => Operand::Constant(constant(value)?),
        Kind::Unary(crate::expression::UnaryOperator::Minus, inner) => {
            match operand(inner, looked)? {
                Operand::Constant(Value::Int(number)) => {
                    Operand::Constant(Value::Int(number.checked_neg()?))
                }
                Operand::Constant(Value::Float(number)) => Operand::Constant(Value::Float(-number)),
                _ => return None,
            }
        }
        Kind::Name(name) => Operand::Name(name_number(name, &mut looked.names)),
        Kind::Attribute(object, name) if name != "__class__" => {
            let attribute = Operand::Attribute(Box::new(operand(object, looked)?), name.clone());
            looked.part(attribute)
        }
        Kind::Subscript(object, index) => {
            let object = Box::new(operand(object, looked)?);
            match operand(index, looked)? {
                Operand::Constant(index) => looked.part(Operand::Item(object, index)),
                _ => return None,
            }
        }
        Kind::Call(function, arguments) => match (&function.kind, &arguments[..]) {
            (Kind::Name(name), [Argument { passing, value }])
                if name == "len" && *passing == Passing::Positional =>
            {
                let len = name_number(name, &mut looked.names);
                Operand::Len(len, Box::new(operand(value, looked)?))
            }
            _ => return None,
        },
        Kind::Binary(operator, left, right) => match operator {
            BinaryOperator::Add
            | BinaryOperator::Subtract
            | BinaryOperator::Multiply
            | BinaryOperator::Modulo
            | BinaryOperator::FloorDivide => Operand::Arithmetic(
                *operator,
                Box::new(operand(left, looked)?),
                Box::new(operand(right, looked)?),
            ),
            _ => return None,
        },
        _ => return None,
    })
}

impl Looked {
    /// The operand, known by a number if it is a part of what a name holds and there are not too many.
    fn part(&mut self, operand: Operand) -> Operand {
        let (whole, kept) = match &operand {
            Operand::Attribute(whole, name) => (whole, Kept::Attribute(name.clone())),
            Operand::Item(whole, Value::Int(index)) if *index >= 0 => {
                (whole, Kept::Item(Value::Int(*index)))
            }
            Operand::Item(whole, Value::Str(key)) if is_plain(key) => {
                (whole, Kept::Item(Value::Str(key.clone())))
            }
            _ => return operand,
        };
        let Operand::Name(name) = **whole else {
            return operand;
        };
        let part = (name, kept);
        let number = match self.parts.iter().position(|known| *known == part) {
            Some(number) => number,
            None if self.parts.len() == MOST_NAMES => return operand,
            None => {
                self.parts.push(part);
                self.parts.len() - 1
            }
        };
        Operand::Part(number, Box::new(operand))
    }
}

fn name_number(name: &str, names: &mut Vec<Arc<str>>) -> usize {
    match names.iter().position(|known| **known == *name) {
        Some(number) => number,
        None => {
            names.push(name.into());
            names.len() - 1
        }
    }
}

/// A constant that is no container.
fn constant(value: &Datum) -> Option<Value> {
    let value = value.to_value()?;
    matches!(
        value,
        Value::None | Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Str(_)
    )
    .then_some(value)
}

/// What is looked at: an execution with what names hold there.
struct Look<'a> {
    recording: &'a Recording,
    position: Position,
    seen: &'a [Seen<'a>],
    parts: &'a [Seen<'a>],
    /// The local without value that ended the test.
    unbound: Cell<Option<usize>>,
}

impl Look<'_> {
    fn holds(&self, part: &Part) -> Option<bool> {
        Some(match part {
            Part::And(left, right) => self.holds(left)? && self.holds(right)?,
            Part::Or(left, right) => self.holds(left)? || self.holds(right)?,
            Part::Not(inner) => !self.holds(inner)?,
            Part::Truth(operand) => truth(&*self.value(operand)?)?,
            Part::Compare(first, rest) => {
                let mut left = self.value(first)?;
                for (comparison, operand) in rest {
                    let right = self.value(operand)?;
                    if !compare(*comparison, &left, &right)? {
                        return Some(false);
                    }
                    left = right;
                }
                true
            }
        })
    }

    fn value<'v>(&'v self, operand: &'v Operand) -> Option<Cow<'v, Value>> {
        Some(match operand {
            Operand::Constant(value) => Cow::Borrowed(value),
            Operand::Name(number) => match self.seen.get(*number)? {
                Seen::Value(value) => Cow::Borrowed(*value),
                Seen::Unbound => {
                    self.unbound.set(Some(*number));
                    return None;
                }
                Seen::Absent | Seen::Unknown => return None,
            },
            Operand::Part(number, otherwise) => match self.parts.get(*number)? {
                Seen::Value(value) => Cow::Borrowed(*value),
                _ => return self.value(otherwise),
            },
            Operand::Attribute(object, name) => {
                let content = self.content(object)?;
                let own = content
                    .attributes
                    .iter()
                    .find(|(known, _)| **known == **name);
                Cow::Owned(own?.1.clone())
            }
            Operand::Item(object, index) => {
                let Value::Object(object) = &*self.value(object)? else {
                    return None;
                };
                Cow::Owned(self.item(*object, index)?)
            }
            Operand::Len(name, object) => {
                if self.seen.get(*name)? != &Seen::Absent {
                    return None;
                }
                let value = self.value(object)?;
                let len = match &*value {
                    Value::Str(text) if is_plain(text) => text.len,
                    Value::Object(object) => {
                        let content = self.excerpt(*object, 0..0)?.content;
                        self.is_built_in(&content).then_some(())?;
                        content.kind.is_collection().then_some(content.len)?
                    }
                    _ => return None,
                };
                Cow::Owned(Value::Int(i64::try_from(len).ok()?))
            }
            Operand::Arithmetic(operator, left, right) => {
                let (left, right) = (self.value(left)?, self.value(right)?);
                let (Value::Int(left), Value::Int(right)) = (&*left, &*right) else {
                    return None;
                };
                Cow::Owned(Value::Int(arithmetic(*operator, *left, *right)?))
            }
        })
    }

    /// The contents of an object without the elements of a list that is long.
    fn content(&self, operand: &Operand) -> Option<Arc<Content>> {
        match &*self.value(operand)? {
            Value::Object(object) => Some(self.excerpt(*object, 0..0)?.content),
            _ => None,
        }
    }

    fn excerpt(&self, object: ObjectId, range: Range<u64>) -> Option<Excerpt> {
        let found = self.recording.excerpt(object, range, self.position);
        Some(found.ok()??.0)
    }

    /// An element that is certainly the one meant, of an object whose operations the program cannot have
    /// defined.
    fn item(&self, object: ObjectId, index: &Value) -> Option<Value> {
        let content = self.excerpt(object, 0..0)?.content;
        if !self.is_built_in(&content) {
            return None;
        }
        match (content.kind, index) {
            (ObjectKind::List | ObjectKind::Tuple, Value::Int(index)) => {
                let index = if *index < 0 {
                    content.len.checked_sub(index.unsigned_abs())?
                } else {
                    index.unsigned_abs()
                };
                let excerpt = self.excerpt(object, index..index.checked_add(1)?)?;
                excerpt.item(index).cloned()
            }
            (ObjectKind::Dict, Value::Str(wanted)) if is_plain(wanted) => {
                let mut entries = content.entries.iter();
                entries.find_map(|(key, value)| match key {
                    Value::Str(key) if key == wanted => Some(value.clone()),
                    _ => None,
                })
            }
            _ => None,
        }
    }

    fn is_built_in(&self, content: &Content) -> bool {
        let ty = self.recording.type_of(content.type_id);
        ty.is_ok_and(|ty| &*ty.module == "builtins")
    }
}

fn arithmetic(operator: BinaryOperator, left: i64, right: i64) -> Option<i64> {
    match operator {
        BinaryOperator::Add => left.checked_add(right),
        BinaryOperator::Subtract => left.checked_sub(right),
        BinaryOperator::Multiply => left.checked_mul(right),
        // Of two positive numbers all languages say the same.
        BinaryOperator::Modulo if left >= 0 && right > 0 => Some(left % right),
        BinaryOperator::FloorDivide if left >= 0 && right > 0 => Some(left / right),
        _ => None,
    }
}

fn truth(value: &Value) -> Option<bool> {
    Some(match value {
        Value::None => false,
        Value::Bool(value) => *value,
        Value::Int(value) => *value != 0,
        Value::Float(value) => *value != 0.0,
        Value::Str(text) => text.len > 0,
        _ => return None,
    })
}

fn compare(comparison: Comparison, left: &Value, right: &Value) -> Option<bool> {
    match comparison {
        Comparison::Equal => equal(left, right),
        Comparison::NotEqual => equal(left, right).map(|equal| !equal),
        Comparison::Is => is_none(left, right),
        Comparison::IsNot => is_none(left, right).map(|same| !same),
        Comparison::In | Comparison::NotIn => None,
        _ => {
            let order = order(left, right)?;
            Some(match comparison {
                Comparison::Less => order == Ordering::Less,
                Comparison::LessOrEqual => order != Ordering::Greater,
                Comparison::Greater => order == Ordering::Greater,
                _ => order != Ordering::Less,
            })
        }
    }
}

/// `is`, when one side is `None`.
fn is_none(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Unavailable(_), _) | (_, Value::Unavailable(_)) => None,
        (Value::None, Value::None) => Some(true),
        (Value::None, _) | (_, Value::None) => Some(false),
        _ => None,
    }
}

fn equal(left: &Value, right: &Value) -> Option<bool> {
    match (left, right) {
        (Value::Str(left), Value::Str(right)) if is_plain(left) && is_plain(right) => {
            Some(left == right)
        }
        (Value::None, Value::None) => Some(true),
        (Value::None, Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Str(_))
        | (Value::Bool(_) | Value::Int(_) | Value::Float(_) | Value::Str(_), Value::None)
        | (Value::Str(_), Value::Bool(_) | Value::Int(_) | Value::Float(_))
        | (Value::Bool(_) | Value::Int(_) | Value::Float(_), Value::Str(_)) => Some(false),
        (Value::Float(left), Value::Float(right)) => Some(left == right),
        _ => order(left, right).map(|order| order == Ordering::Equal),
    }
}

/// Which of two numbers or plain texts comes first.
fn order(left: &Value, right: &Value) -> Option<Ordering> {
    if let (Value::Str(left), Value::Str(right)) = (left, right) {
        return (is_plain(left) && is_plain(right)).then(|| left.kept.cmp(&right.kept));
    }
    match (integer(left), integer(right)) {
        (Some(left), Some(right)) => Some(left.cmp(&right)),
        _ => exact(left)?.partial_cmp(&exact(right)?),
    }
}

fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Int(value) => Some(*value),
        Value::Bool(value) => Some(i64::from(*value)),
        _ => None,
    }
}

/// A number that a float holds exactly.
fn exact(value: &Value) -> Option<f64> {
    const EXACT: u64 = 1 << 53;
    match value {
        Value::Float(value) => Some(*value),
        _ => integer(value)
            .filter(|value| value.unsigned_abs() <= EXACT)
            .map(|value| value as f64),
    }
}

/// Whether a text is complete, for texts of which that is seen at once.
fn is_plain(text: &Text) -> bool {
    text.kept.len() as u64 == text.len && text.kept.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Value {
        Value::Str(Text {
            kept: text.as_bytes().into(),
            len: text.chars().count() as u64,
        })
    }

    #[test]
    fn values_compare_as_the_language_does() {
        use Comparison::{Equal, Greater, Is, Less, NotEqual};
        let (one, half) = (Value::Int(1), Value::Float(0.5));
        assert_eq!(compare(Equal, &one, &Value::Bool(true)), Some(true));
        assert_eq!(compare(Equal, &one, &Value::Float(1.0)), Some(true));
        assert_eq!(compare(Greater, &one, &half), Some(true));
        assert_eq!(compare(Less, &text("a"), &text("b")), Some(true));
        assert_eq!(compare(NotEqual, &text("a"), &one), Some(true));
        assert_eq!(compare(Is, &one, &Value::None), Some(false));
        let nan = Value::Float(f64::NAN);
        assert_eq!(compare(Equal, &nan, &nan), Some(false));
    }

    #[test]
    fn what_is_not_certain_is_left_open() {
        use Comparison::{Equal, In, Less};
        let large = Value::Int(i64::MAX);
        assert_eq!(compare(Equal, &large, &Value::Float(9.3e18)), None);
        assert_eq!(compare(Less, &text("a"), &Value::Int(1)), None);
        assert_eq!(compare(Equal, &text("ü"), &text("ü")), None);
        assert_eq!(compare(In, &text("a"), &text("ab")), None);
        let object = Value::Object(ObjectId(0));
        assert_eq!(compare(Equal, &object, &Value::Int(1)), None);
        assert_eq!(truth(&object), None);
    }

    #[test]
    fn simple_conditions_become_tests() {
        for (condition, names) in [
            ("i == 123456", &["i"][..]),
            ("x > 5 and name == 'a'", &["x", "name"]),
            ("not (0 < len(xs) <= 3)", &["len", "xs"]),
            ("self.total % 7 == -1 or self.done", &["self"]),
        ] {
            let test = Test::of(&Expression::parse(condition).unwrap()).unwrap();
            let found: Vec<&str> = test.names.iter().map(|name| &**name).collect();
            assert_eq!(found, names, "{condition}");
        }
        for condition in ["f(x)", "[x for x in xs]", "x ** 2 > 4", "a[i] == 1"] {
            assert!(Test::of(&Expression::parse(condition).unwrap()).is_none());
        }
    }
}
