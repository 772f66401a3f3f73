//! Comparing values without running the program's code: what could be its code is refused.

use std::cmp::Ordering;

use num_traits::ToPrimitive as _;
use retrostep_trace::{Content, ObjectKind, Text, Value};

use super::ExpressionError;
use super::evaluate::{Evaluator, Outcome, raised, would_run};
use super::number::{self, Exact};
use super::syntax::Comparison;
use crate::Datum;
use crate::datum::TypeName;

/// Deepest nesting of containers that are compared.
const MAX_DEPTH: u32 = 100;

/// The sorts of containers that compare with each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    List,
    Tuple,
    Set,
    Dict,
    Deque,
    ByteArray,
}

impl Evaluator<'_> {
    pub(super) fn compare(
        &mut self,
        comparison: Comparison,
        left: &Datum,
        right: &Datum,
    ) -> Outcome<bool> {
        match comparison {
            Comparison::Equal => self.equal(left, right, 0),
            Comparison::NotEqual => Ok(!self.equal(left, right, 0)?),
            Comparison::Is => self.identical(left, right),
            Comparison::IsNot => Ok(!self.identical(left, right)?),
            Comparison::In => self.contains(right, left),
            Comparison::NotIn => Ok(!self.contains(right, left)?),
            _ => self.ordered(comparison, left, right, 0),
        }
    }

    /// `is`.
    fn identical(&mut self, left: &Datum, right: &Datum) -> Outcome<bool> {
        match (left, right) {
            (Datum::Object(a), Datum::Object(b)) => Ok(a == b),
            (Datum::None, Datum::None)
            | (Datum::Ellipsis, Datum::Ellipsis)
            | (Datum::NotImplemented, Datum::NotImplemented) => Ok(true),
            (Datum::Bool(a), Datum::Bool(b)) => Ok(a == b),
            (Datum::Type(a), Datum::Type(b)) => Ok(a == b),
            (Datum::Type(ty), Datum::Object(_)) => self.is_class(right, ty),
            (Datum::Object(_), Datum::Type(ty)) => self.is_class(left, ty),
            _ if std::mem::discriminant(left) != std::mem::discriminant(right) => Ok(false),
            _ => Err(ExpressionError::NotRecorded(
                "whether these are one object was not recorded; compare with `==`".to_owned(),
            )),
        }
    }

    /// Whether a recorded class is the one of this name.
    pub(super) fn is_class(&self, class: &Datum, ty: &TypeName) -> Outcome<bool> {
        let Datum::Object(object) = class else {
            return Ok(false);
        };
        let content = self.content(*object)?;
        let name = content.text.as_ref().map(crate::render::lossy);
        let Some(name) = name.filter(|_| content.kind == ObjectKind::Class) else {
            return Ok(false);
        };
        let module = content
            .attributes
            .iter()
            .find_map(|(attribute, value)| match value {
                retrostep_trace::Value::Str(text) if &**attribute == "__module__" => {
                    Some(crate::render::lossy(text))
                }
                _ => None,
            });
        Ok(name == *ty.qualified_name && module.is_none_or(|module| module == *ty.module))
    }

    pub(super) fn shape(&self, value: &Datum) -> Outcome<Option<Shape>> {
        Ok(match value {
            Datum::List(_) => Some(Shape::List),
            Datum::Tuple(_) => Some(Shape::Tuple),
            Datum::Set(_) | Datum::FrozenSet(_) => Some(Shape::Set),
            Datum::Dict(_) => Some(Shape::Dict),
            Datum::Object(object) => match self.outline(*object)?.kind {
                ObjectKind::List => Some(Shape::List),
                ObjectKind::Tuple => Some(Shape::Tuple),
                ObjectKind::Set | ObjectKind::FrozenSet => Some(Shape::Set),
                ObjectKind::Dict => Some(Shape::Dict),
                ObjectKind::Deque => Some(Shape::Deque),
                ObjectKind::ByteArray => Some(Shape::ByteArray),
                _ => None,
            },
            _ => None,
        })
    }

    /// The exact number that a value is: a built-in real number or a recorded Decimal.
    pub(super) fn exact(&self, value: &Datum) -> Outcome<Option<Exact>> {
        if let Datum::Object(object) = value {
            let content = self.outline(*object)?;
            if content.kind == ObjectKind::Literal {
                let text = content.text.as_ref().map(crate::render::lossy);
                return Ok(text.and_then(|text| number::decimal(&text).flatten()));
            }
            return Ok(None);
        }
        Ok(number::exact(value))
    }

    /// As Python compares elements: one object is equal to itself.
    pub(super) fn same_or_equal(&mut self, a: &Datum, b: &Datum, depth: u32) -> Outcome<bool> {
        if let (Datum::Object(a), Datum::Object(b)) = (a, b)
            && a == b
        {
            return Ok(true);
        }
        self.equal(a, b, depth)
    }

    /// `==`.
    pub(super) fn equal(&mut self, left: &Datum, right: &Datum, depth: u32) -> Outcome<bool> {
        self.spend(1)?;
        if depth > MAX_DEPTH {
            return raised(
                "RecursionError",
                "maximum recursion depth exceeded in comparison",
            );
        }
        for value in [left, right] {
            if let Datum::Unavailable(why) = value {
                return Err(ExpressionError::NotRecorded(format!(
                    "a compared value is not there: {}",
                    crate::render::reason(*why)
                )));
            }
        }
        match (left, right) {
            (Datum::None, Datum::None)
            | (Datum::Ellipsis, Datum::Ellipsis)
            | (Datum::NotImplemented, Datum::NotImplemented) => return Ok(true),
            (Datum::Str(a), Datum::Str(b)) => return texts_equal(a, b, false),
            (Datum::Bytes(a), Datum::Bytes(b)) => return texts_equal(a, b, true),
            (Datum::Complex(a, b), Datum::Complex(c, d)) => return Ok(a == c && b == d),
            (Datum::Complex(a, b), other) | (other, Datum::Complex(a, b))
                if number::is_number(other) =>
            {
                return Ok(*b == 0.0 && self.equal(&Datum::Float(*a), other, depth + 1)?);
            }
            (Datum::Type(a), Datum::Type(b)) => return Ok(a == b),
            (Datum::Type(ty), Datum::Object(_)) if self.is_kind(right, ObjectKind::Class)? => {
                return self.is_class(right, ty);
            }
            (Datum::Object(_), Datum::Type(ty)) if self.is_kind(left, ObjectKind::Class)? => {
                return self.is_class(left, ty);
            }
            (Datum::Range(a), Datum::Range(b)) => return Ok(ranges_equal(a, b)),
            _ => {}
        }
        if number::is_number(left) && number::is_number(right) {
            // A NaN is equal to nothing.
            return Ok(match (number::exact(left), number::exact(right)) {
                (Some(a), Some(b)) => a.compare(&b) == Ordering::Equal,
                _ => false,
            });
        }
        for value in [left, right] {
            if self.defines_equality(value)? {
                return self.refused_equality(left, right);
            }
        }
        if let (Some(a), Some(b)) = (self.exact(left)?, self.exact(right)?) {
            return Ok(a.compare(&b) == Ordering::Equal);
        }
        match (self.shape(left)?, self.shape(right)?) {
            (Some(a), Some(b)) if a == b => self.containers_equal(a, left, right, depth),
            (Some(Shape::ByteArray), _) | (_, Some(Shape::ByteArray)) => {
                match (self.byte_text(left)?, self.byte_text(right)?) {
                    (Some(a), Some(b)) => texts_equal(&a, &b, true),
                    _ => Ok(false),
                }
            }
            _ => self.others_equal(left, right),
        }
    }

    fn is_kind(&self, value: &Datum, kind: ObjectKind) -> Outcome<bool> {
        match value {
            Datum::Object(object) => Ok(self.outline(*object)?.kind == kind),
            _ => Ok(false),
        }
    }

    fn refused_equality<T>(&self, left: &Datum, right: &Datum) -> Outcome<T> {
        would_run(&format!(
            "comparing {} with {}",
            self.type_name(left)?,
            self.type_name(right)?
        ))
    }

    /// Whether `==` of the value may be code of the program, or of a library that is not known here.
    fn defines_equality(&self, value: &Datum) -> Outcome<bool> {
        let Datum::Object(object) = value else {
            return Ok(false);
        };
        let content = self.content(*object)?;
        Ok(match content.kind {
            ObjectKind::Function
            | ObjectKind::Class
            | ObjectKind::Module
            | ObjectKind::Generator
            | ObjectKind::Cell
            | ObjectKind::Namespace => false,
            ObjectKind::Literal => {
                let text = content.text.as_ref().map(crate::render::lossy);
                let text = text.unwrap_or_default();
                number::decimal(&text).is_none() && !is_plain_literal(&text)
            }
            ObjectKind::Enum => {
                // A member without a data type compares by identity.
                content
                    .attributes
                    .iter()
                    .any(|(name, _)| &**name == "__eq__")
            }
            ObjectKind::Array => true,
            _ => self.may_be_overridden(value)?,
        })
    }

    /// Values of different sorts, or of one that compares by identity.
    fn others_equal(&mut self, left: &Datum, right: &Datum) -> Outcome<bool> {
        let (Datum::Object(a), Datum::Object(b)) = (left, right) else {
            // An enumeration with a data type equals its value.
            for value in [left, right] {
                if self.is_kind(value, ObjectKind::Enum)? {
                    return self.refused_equality(left, right);
                }
            }
            return Ok(false);
        };
        if a == b {
            return Ok(true);
        }
        let (a, b) = (self.content(*a)?, self.content(*b)?);
        match (a.kind, b.kind) {
            (ObjectKind::Literal, ObjectKind::Literal) => {
                let texts = (
                    a.text.as_ref().map(crate::render::lossy),
                    b.text.as_ref().map(crate::render::lossy),
                );
                if let (Some(a), Some(b)) = &texts
                    && number::decimal(a).is_some()
                    && number::decimal(b).is_some()
                {
                    return Ok(false);
                }
                if a.type_id == b.type_id && texts.0 == texts.1 {
                    return Ok(true);
                }
                self.refused_equality(left, right)
            }
            (ObjectKind::Enum, ObjectKind::Enum) if a.type_id == b.type_id => Ok(false),
            (ObjectKind::Enum, _) | (_, ObjectKind::Enum) => self.refused_equality(left, right),
            _ => Ok(false),
        }
    }

    fn containers_equal(
        &mut self,
        shape: Shape,
        left: &Datum,
        right: &Datum,
        depth: u32,
    ) -> Outcome<bool> {
        if self.len(left)? != self.len(right)? {
            return Ok(false);
        }
        match shape {
            Shape::Dict => {
                let others = self.mapping_entries(right)?;
                for (key, value) in self.mapping_entries(left)? {
                    let Some(other) = self.find_entry(&others, &key)? else {
                        return Ok(false);
                    };
                    if !self.same_or_equal(&value, &other, depth + 1)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            Shape::Set => {
                let others = self.elements(right)?;
                let items = self.elements(left)?;
                self.all_in(&items, &others)
            }
            Shape::ByteArray => match (self.byte_text(left)?, self.byte_text(right)?) {
                (Some(a), Some(b)) => texts_equal(&a, &b, true),
                _ => Ok(false),
            },
            _ => {
                let (a, b) = (self.elements(left)?, self.elements(right)?);
                for (a, b) in a.iter().zip(&b) {
                    if !self.same_or_equal(a, b, depth + 1)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
        }
    }

    /// Whether every item is among the others.
    pub(super) fn all_in(&mut self, items: &[Datum], others: &[Datum]) -> Outcome<bool> {
        for item in items {
            if self.position(others, item)?.is_none() {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Where among `items` the first one equal to `wanted` stands.
    pub(super) fn position(&mut self, items: &[Datum], wanted: &Datum) -> Outcome<Option<usize>> {
        let mut refused = None;
        for (index, item) in items.iter().enumerate() {
            match self.same_or_equal(item, wanted, 1) {
                Ok(true) if refused.is_none() => return Ok(Some(index)),
                Ok(true) => break,
                Ok(false) => {}
                Err(error @ ExpressionError::TooLarge(_)) => return Err(error),
                Err(error) => {
                    refused.get_or_insert(error);
                }
            }
        }
        match refused {
            Some(error) => Err(error),
            None => Ok(None),
        }
    }

    /// The value of the entry with this key.
    pub(super) fn find_entry(
        &mut self,
        entries: &[(Datum, Datum)],
        key: &Datum,
    ) -> Outcome<Option<Datum>> {
        self.hashable(key)?;
        let mut refused = None;
        for (candidate, value) in entries {
            match self.same_or_equal(candidate, key, 1) {
                // Keys are unique: no other one can be meant.
                Ok(true) => return Ok(Some(value.clone())),
                Ok(false) => {}
                Err(error @ ExpressionError::TooLarge(_)) => return Err(error),
                Err(error) => {
                    refused.get_or_insert(error);
                }
            }
        }
        match refused {
            Some(error) => Err(error),
            None => Ok(None),
        }
    }

    /// The key as it stands in a recorded mapping.
    pub(crate) fn recorded_key(
        &mut self,
        content: &Content,
        key: &Datum,
    ) -> Outcome<Option<Value>> {
        let keys: Vec<Datum> = content
            .entries
            .iter()
            .map(|(key, _)| Datum::from(key))
            .collect();
        let index = self.position(&keys, key)?;
        let entry = index.and_then(|index| content.entries.get(index));
        Ok(entry.map(|(key, _)| key.clone()))
    }

    /// Refuses keys that Python cannot hash.
    pub(super) fn hashable(&mut self, key: &Datum) -> Outcome<()> {
        let mutable = match self.shape(key)? {
            Some(Shape::Set) => match key {
                Datum::FrozenSet(_) => false,
                Datum::Object(object) => self.content(*object)?.kind == ObjectKind::Set,
                _ => true,
            },
            Some(Shape::Tuple) | None => false,
            Some(_) => true,
        };
        if mutable && !self.may_be_overridden(key)? {
            let type_name = self.type_name(key)?;
            return raised("TypeError", format!("unhashable type: '{type_name}'"));
        }
        Ok(())
    }

    /// `<`, `<=`, `>`, `>=`.
    fn ordered(
        &mut self,
        comparison: Comparison,
        left: &Datum,
        right: &Datum,
        depth: u32,
    ) -> Outcome<bool> {
        self.spend(1)?;
        if depth > MAX_DEPTH {
            return raised(
                "RecursionError",
                "maximum recursion depth exceeded in comparison",
            );
        }
        match (left, right) {
            (Datum::Str(a), Datum::Str(b)) => {
                return Ok(holds(comparison, order_texts(a, b, false)?));
            }
            (Datum::Bytes(a), Datum::Bytes(b)) => {
                return Ok(holds(comparison, order_texts(a, b, true)?));
            }
            _ => {}
        }
        for value in [left, right] {
            if self.defines_equality(value)? || self.is_kind(value, ObjectKind::Enum)? {
                return self.refused_order(comparison, left, right);
            }
        }
        if let (Some(a), Some(b)) = (self.exact(left)?, self.exact(right)?) {
            return Ok(holds(comparison, a.compare(&b)));
        }
        if is_real(left) && is_real(right) {
            // One of the two is a NaN.
            return Ok(false);
        }
        match (self.shape(left)?, self.shape(right)?) {
            (Some(Shape::Set), Some(Shape::Set)) => {
                let (a, b) = (self.elements(left)?, self.elements(right)?);
                return match comparison {
                    Comparison::LessOrEqual => self.all_in(&a, &b),
                    Comparison::Less => Ok(a.len() < b.len() && self.all_in(&a, &b)?),
                    Comparison::GreaterOrEqual => self.all_in(&b, &a),
                    _ => Ok(b.len() < a.len() && self.all_in(&b, &a)?),
                };
            }
            (Some(a), Some(b))
                if a == b && matches!(a, Shape::List | Shape::Tuple | Shape::Deque) =>
            {
                let (a, b) = (self.elements(left)?, self.elements(right)?);
                for (a, b) in a.iter().zip(&b) {
                    if !self.same_or_equal(a, b, depth + 1)? {
                        return self.ordered(comparison, a, b, depth + 1);
                    }
                }
                return Ok(holds(comparison, a.len().cmp(&b.len())));
            }
            _ => {}
        }
        if self.is_kind(left, ObjectKind::Literal)? || self.is_kind(right, ObjectKind::Literal)? {
            return self.refused_order(comparison, left, right);
        }
        raised(
            "TypeError",
            format!(
                "'{}' not supported between instances of '{}' and '{}'",
                comparison.symbol(),
                self.type_name(left)?,
                self.type_name(right)?
            ),
        )
    }

    fn refused_order<T>(&self, comparison: Comparison, left: &Datum, right: &Datum) -> Outcome<T> {
        would_run(&format!(
            "{} between {} and {}",
            comparison.symbol(),
            self.type_name(left)?,
            self.type_name(right)?
        ))
    }

    /// Which of two values comes first, for sorting.
    pub(super) fn less(&mut self, left: &Datum, right: &Datum) -> Outcome<bool> {
        self.ordered(Comparison::Less, left, right, 0)
    }

    /// `wanted in container`.
    pub(super) fn contains(&mut self, container: &Datum, wanted: &Datum) -> Outcome<bool> {
        match (container, wanted) {
            (Datum::Str(text), Datum::Str(part)) => return text_contains(text, part, false),
            (Datum::Str(_), _) => {
                let type_name = self.type_name(wanted)?;
                return raised(
                    "TypeError",
                    format!("'in <string>' requires string as left operand, not {type_name}"),
                );
            }
            (Datum::Bytes(text), Datum::Bytes(part)) => return text_contains(text, part, true),
            (Datum::Bytes(text), _) => match number::integer(wanted) {
                Some(byte) => {
                    let Some(byte) = byte.to_u8() else {
                        return raised("ValueError", "byte must be in range(0, 256)");
                    };
                    return match text.kept.contains(&byte) {
                        true => Ok(true),
                        false => self.absent(is_complete(text, true)),
                    };
                }
                None => {
                    let type_name = self.type_name(wanted)?;
                    return raised(
                        "TypeError",
                        format!("a bytes-like object is required, not '{type_name}'"),
                    );
                }
            },
            (Datum::Range(_), Datum::Int(_) | Datum::Bool(_)) => {
                return self.range_contains(container, wanted);
            }
            _ => {}
        }
        if self.may_be_overridden(container)? {
            let type_name = self.type_name(container)?;
            return would_run(&format!("`in` of a {type_name}"));
        }
        if self.shape(container)? == Some(Shape::Dict) {
            let (entries, complete) = self.recorded_entries(container)?;
            if self.find_entry(&entries, wanted)?.is_some() {
                return Ok(true);
            }
            return self.absent(complete);
        }
        if self.shape(container)? == Some(Shape::Set) {
            self.hashable(wanted)?;
        }
        let (items, complete) = self.recorded_elements(container)?;
        if self.position(&items, wanted)?.is_some() {
            return Ok(true);
        }
        self.absent(complete)
    }

    /// Not found: an answer only if all elements were recorded.
    fn absent(&self, complete: bool) -> Outcome<bool> {
        if complete {
            return Ok(false);
        }
        Err(ExpressionError::NotRecorded(
            "it is not among the recorded elements; the others were not recorded".to_owned(),
        ))
    }

    /// The items without those equal to an earlier one.
    pub(super) fn distinct(&mut self, items: Vec<Datum>) -> Outcome<Vec<Datum>> {
        let mut out: Vec<Datum> = Vec::new();
        for item in items {
            self.hashable(&item)?;
            if self.position(&out, &item)?.is_none() {
                out.push(item);
            }
        }
        Ok(out)
    }

    /// Sets an entry of a computed dictionary.
    pub(super) fn insert(
        &mut self,
        dictionary: &mut crate::Dictionary,
        key: Datum,
        value: Datum,
    ) -> Outcome<()> {
        self.hashable(&key)?;
        let keys: Vec<Datum> = dictionary
            .entries
            .iter()
            .map(|(key, _)| key.clone())
            .collect();
        match self.position(&keys, &key)? {
            Some(index) => {
                if let Some(entry) = dictionary.entries.get_mut(index) {
                    entry.1 = value;
                }
            }
            None => dictionary.entries.push((key, value)),
        }
        Ok(())
    }
}

fn holds(comparison: Comparison, ordering: Ordering) -> bool {
    match comparison {
        Comparison::Less => ordering.is_lt(),
        Comparison::LessOrEqual => ordering.is_le(),
        Comparison::Greater => ordering.is_gt(),
        Comparison::GreaterOrEqual => ordering.is_ge(),
        _ => false,
    }
}

fn is_real(value: &Datum) -> bool {
    number::is_number(value) && !matches!(value, Datum::Complex(..))
}

/// Immutable values of the standard library that are equal when their texts are.
fn is_plain_literal(text: &str) -> bool {
    [
        "datetime.",
        "UUID(",
        "PosixPath(",
        "PurePosixPath(",
        "WindowsPath(",
        "PureWindowsPath(",
        "range(",
        "Fraction(",
        "slice(",
    ]
    .iter()
    .any(|prefix| text.starts_with(prefix))
}

fn ranges_equal(a: &[num_bigint::BigInt; 3], b: &[num_bigint::BigInt; 3]) -> bool {
    let len = |range| super::sequence::range_len(range);
    let (first, second) = (len(a), len(b));
    let one = num_bigint::BigInt::from(1);
    first == second
        && (first == num_bigint::BigInt::ZERO || (a[0] == b[0] && (first == one || a[2] == b[2])))
}

/// Whether all of a text, or of bytes, was recorded.
pub(super) fn is_complete(text: &Text, bytes: bool) -> bool {
    kept_len(text, bytes) >= text.len
}

fn kept_len(text: &Text, bytes: bool) -> u64 {
    let len = text.kept.len() as u64;
    if bytes || len < text.len {
        len
    } else {
        crate::render::code_points(&text.kept).count() as u64
    }
}

fn cut_off<T>(text: &Text, bytes: bool) -> Outcome<T> {
    super::sequence::not_in_full(kept_len(text, bytes), text.len)
}

fn texts_equal(a: &Text, b: &Text, bytes: bool) -> Outcome<bool> {
    if a.len != b.len {
        return Ok(false);
    }
    let common = a.kept.len().min(b.kept.len());
    if a.kept.get(..common) != b.kept.get(..common) {
        return Ok(false);
    }
    for text in [a, b] {
        if !is_complete(text, bytes) {
            return cut_off(text, bytes);
        }
    }
    Ok(true)
}

/// UTF-8 with surrogates as three bytes orders as code points do.
fn order_texts(a: &Text, b: &Text, bytes: bool) -> Outcome<Ordering> {
    let common = a.kept.len().min(b.kept.len());
    let order = a.kept.get(..common).cmp(&b.kept.get(..common));
    if order != Ordering::Equal {
        return Ok(order);
    }
    match (is_complete(a, bytes), is_complete(b, bytes)) {
        (true, true) => Ok(a.kept.len().cmp(&b.kept.len())),
        // The complete one is a beginning of the other.
        (true, false) if a.kept.len() <= b.kept.len() => Ok(Ordering::Less),
        (false, true) if b.kept.len() <= a.kept.len() => Ok(Ordering::Greater),
        (true, _) => cut_off(b, bytes),
        _ => cut_off(a, bytes),
    }
}

fn text_contains(text: &Text, part: &Text, bytes: bool) -> Outcome<bool> {
    if part.len > text.len {
        return Ok(false);
    }
    if !is_complete(part, bytes) {
        return cut_off(part, bytes);
    }
    let found = part.kept.is_empty()
        || text
            .kept
            .windows(part.kept.len())
            .any(|window| *window == *part.kept);
    if found || is_complete(text, bytes) {
        return Ok(found);
    }
    cut_off(text, bytes)
}
