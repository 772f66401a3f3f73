//! The built-in functions that need no code of the program.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::{FromPrimitive as _, Signed as _, ToPrimitive as _};
use retrostep_trace::{ObjectKind, TypeId};

use super::ExpressionError;
use super::evaluate::{Evaluator, Outcome, raised, would_run};
use super::number;
use super::syntax::{Argument, BinaryOperator, Kind, Node, Passing};
use crate::datum::TypeName;
use crate::render;
use crate::{Datum, Dictionary};

/// Types that have a name without an import.
const TYPES: &[&str] = &[
    "bool",
    "bytearray",
    "bytes",
    "complex",
    "dict",
    "float",
    "frozenset",
    "int",
    "list",
    "object",
    "range",
    "set",
    "slice",
    "str",
    "tuple",
    "type",
    "BaseException",
    "Exception",
    "ArithmeticError",
    "AssertionError",
    "AttributeError",
    "EOFError",
    "FileNotFoundError",
    "ImportError",
    "IndexError",
    "KeyError",
    "KeyboardInterrupt",
    "LookupError",
    "MemoryError",
    "ModuleNotFoundError",
    "NameError",
    "NotImplementedError",
    "OSError",
    "OverflowError",
    "PermissionError",
    "RecursionError",
    "RuntimeError",
    "StopIteration",
    "SystemExit",
    "TimeoutError",
    "TypeError",
    "UnicodeError",
    "ValueError",
    "ZeroDivisionError",
];

const FUNCTIONS: &[&str] = &[
    "abs",
    "all",
    "any",
    "ascii",
    "bin",
    "chr",
    "divmod",
    "enumerate",
    "getattr",
    "hasattr",
    "hex",
    "isinstance",
    "len",
    "max",
    "min",
    "oct",
    "ord",
    "pow",
    "repr",
    "reversed",
    "round",
    "sorted",
    "sum",
    "zip",
];

/// Built-in functions of the language that are refused: they run code of the program, look outside of
/// the recording, or ask the interpreter for what it does not hold.
const REFUSED: &[&str] = &[
    "__import__",
    "aiter",
    "anext",
    "breakpoint",
    "callable",
    "classmethod",
    "compile",
    "delattr",
    "dir",
    "eval",
    "exec",
    "exit",
    "filter",
    "format",
    "globals",
    "hash",
    "help",
    "id",
    "input",
    "issubclass",
    "iter",
    "locals",
    "map",
    "memoryview",
    "next",
    "open",
    "print",
    "property",
    "quit",
    "setattr",
    "staticmethod",
    "super",
    "vars",
];

/// Whether a name that nothing recorded defines is a built-in function that is refused.
pub(super) fn is_refused(name: &str) -> bool {
    REFUSED.contains(&name)
}

/// The names that are offered as completions.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    FUNCTIONS.iter().chain(TYPES).copied()
}

/// What a name means that nothing recorded defines.
pub(super) fn named(name: &str) -> Option<Datum> {
    if TYPES.contains(&name) {
        return Some(Datum::Type(TypeName::builtin(name)));
    }
    if FUNCTIONS.contains(&name) {
        return Some(Datum::Builtin(name.into()));
    }
    match name {
        "Ellipsis" => Some(Datum::Ellipsis),
        "NotImplemented" => Some(Datum::NotImplemented),
        "__debug__" => Some(Datum::Bool(true)),
        _ => None,
    }
}

/// The arguments of a call, worked out.
pub(super) struct Arguments {
    pub(super) positional: Vec<Datum>,
    pub(super) keywords: Vec<(String, Datum)>,
}

impl Arguments {
    pub(super) fn keyword(&mut self, name: &str) -> Option<Datum> {
        let index = self
            .keywords
            .iter()
            .position(|(keyword, _)| keyword == name)?;
        Some(self.keywords.remove(index).1)
    }
}

impl Evaluator<'_> {
    pub(super) fn call(&mut self, function: &Node, arguments: &[Argument]) -> Outcome {
        let what = format!("{}(...)", self.source(function));
        match &function.kind {
            Kind::Name(name) => {
                let known = FUNCTIONS.contains(&name.as_str()) || TYPES.contains(&name.as_str());
                if !known || !self.is_builtin(name)? {
                    if !is_refused(name) || !self.is_builtin(name)? {
                        // A name that means nothing is told as such.
                        self.evaluate(function)?;
                    }
                    return would_run(&what);
                }
                let arguments = self.arguments(arguments)?;
                self.builtin(name, arguments).map_err(|error| match error {
                    // What inside the call would run code is told by the call's name.
                    ExpressionError::Refused(_) => ExpressionError::Refused(format!(
                        "{what} would run program code, which a recording cannot do."
                    )),
                    other => other,
                })
            }
            Kind::Attribute(object, name) => {
                let value = self.evaluate(object)?;
                if super::methods::exists(self, &value, name)? {
                    let arguments = self.arguments(arguments)?;
                    return self.method(&value, name, arguments, &what);
                }
                would_run(&what)
            }
            _ => would_run(&what),
        }
    }

    fn arguments(&mut self, arguments: &[Argument]) -> Outcome<Arguments> {
        let mut out = Arguments {
            positional: Vec::new(),
            keywords: Vec::new(),
        };
        for argument in arguments {
            let value = self.evaluate(&argument.value)?;
            match &argument.passing {
                Passing::Positional => out.positional.push(value),
                Passing::Unpacked => out.positional.extend(self.elements(&value)?),
                Passing::Keyword(name) => out.keywords.push((name.clone(), value)),
                Passing::UnpackedKeywords => {
                    return Err(ExpressionError::Refused(
                        "`**` in a call is not evaluated on a recording".to_owned(),
                    ));
                }
            }
        }
        Ok(out)
    }

    fn builtin(&mut self, name: &str, mut arguments: Arguments) -> Outcome {
        let reverse = matches!(name, "sorted")
            .then(|| arguments.keyword("reverse"))
            .flatten();
        let default = matches!(name, "min" | "max")
            .then(|| arguments.keyword("default"))
            .flatten();
        let start = matches!(name, "sum" | "enumerate")
            .then(|| arguments.keyword("start"))
            .flatten();
        if let Some((keyword, _)) = arguments.keywords.first() {
            if keyword == "key" {
                return would_run(&format!("{name}(...)"));
            }
            return raised(
                "TypeError",
                format!("{name}() got an unexpected keyword argument '{keyword}'"),
            );
        }
        let values = arguments.positional;
        match (name, values.as_slice()) {
            ("len", [value]) => Ok(Datum::int(self.len(value)?)),
            ("abs", [value]) => self.absolute(value),
            ("all", [value]) => self.quantified(value, false),
            ("any", [value]) => self.quantified(value, true),
            ("bin", [value]) => self.in_radix(value, 2, "0b"),
            ("oct", [value]) => self.in_radix(value, 8, "0o"),
            ("hex", [value]) => self.in_radix(value, 16, "0x"),
            ("bool", []) => Ok(Datum::Bool(false)),
            ("bool", [value]) => Ok(Datum::Bool(self.truth(value)?)),
            ("chr", [value]) => match number::integer(value).and_then(|value| value.to_u32()) {
                Some(code_point) if code_point <= 0x10_ffff => {
                    let mut kept = Vec::new();
                    render::encode(&mut kept, code_point);
                    Ok(Datum::text(kept))
                }
                _ => raised("ValueError", "chr() arg not in range(0x110000)"),
            },
            ("ord", [value]) => self.ordinal(value),
            ("divmod", [a, b]) => {
                let quotient = self.binary(BinaryOperator::FloorDivide, a, b)?;
                let rest = self.binary(BinaryOperator::Modulo, a, b)?;
                Ok(Datum::Tuple([quotient, rest].into()))
            }
            ("pow", [a, b]) => self.binary(BinaryOperator::Power, a, b),
            ("round", [value]) => self.rounded(value, None),
            ("round", [value, digits]) => self.rounded(value, Some(digits)),
            ("sum", [items]) => self.sum(items, start.unwrap_or_else(|| Datum::int(0))),
            ("sum", [items, start]) => self.sum(items, start.clone()),
            ("min" | "max", [items]) => {
                let items = self.elements(items)?;
                self.extreme(name, &items, default)
            }
            ("min" | "max", [_, _, ..]) => self.extreme(name, &values, None),
            ("sorted", [items]) => {
                let items = self.elements(items)?;
                let reverse = match reverse {
                    Some(reverse) => self.truth(&reverse)?,
                    None => false,
                };
                Ok(Datum::List(self.sorted(items, reverse)?.into()))
            }
            ("reversed", [items]) => {
                let mut items = self.elements(items)?;
                items.reverse();
                Ok(Datum::List(items.into()))
            }
            ("enumerate", [items]) => self.enumerated(items, start),
            ("enumerate", [items, start]) => self.enumerated(items, Some(start.clone())),
            ("zip", _) => self.zipped(&values),
            ("list", []) => Ok(Datum::List([].into())),
            ("list", [items]) => Ok(Datum::List(self.elements(items)?.into())),
            ("tuple", []) => Ok(Datum::Tuple([].into())),
            ("tuple", [items]) => Ok(Datum::Tuple(self.elements(items)?.into())),
            ("set", []) => Ok(Datum::Set([].into())),
            ("frozenset", []) => Ok(Datum::FrozenSet([].into())),
            ("set" | "frozenset", [items]) => {
                let items = self.elements(items)?;
                let items = self.distinct(items)?;
                Ok(match name {
                    "set" => Datum::Set(items.into()),
                    _ => Datum::FrozenSet(items.into()),
                })
            }
            ("dict", []) => Ok(Datum::Dict(Arc::new(Dictionary::default()))),
            ("dict", [entries]) => self.dictionary(entries),
            ("range", [_] | [_, _] | [_, _, _]) => self.range(&values),
            ("str", []) => Ok(Datum::str("")),
            ("str", [value]) => self.string(value),
            ("repr", [value]) => self.repr(value),
            ("ascii", [_]) => would_run("ascii(...)"),
            ("int", []) => Ok(Datum::int(0)),
            ("int", [value]) => self.int(value),
            ("int", [value, radix]) => self.parse_int(value, radix),
            ("float", []) => Ok(Datum::Float(0.0)),
            ("float", [value]) => self.float(value),
            ("complex", [real, imaginary]) => match (self.float(real)?, self.float(imaginary)?) {
                (Datum::Float(real), Datum::Float(imaginary)) => {
                    Ok(Datum::Complex(real, imaginary))
                }
                _ => would_run("complex(...)"),
            },
            ("type", [value]) => Ok(Datum::Type(self.type_of(value)?)),
            ("isinstance", [value, class]) => Ok(Datum::Bool(self.is_instance(value, class)?)),
            ("getattr" | "hasattr", [value, Datum::Str(attribute), rest @ ..]) => {
                let attribute = render::lossy(attribute);
                match (self.attribute(value, &attribute, &attribute), name, rest) {
                    (Ok(_), "hasattr", []) => Ok(Datum::Bool(true)),
                    (Err(ExpressionError::Raised { .. }), "hasattr", []) => Ok(Datum::Bool(false)),
                    (Ok(found), "getattr", _) => Ok(found),
                    (Err(ExpressionError::Raised { .. }), "getattr", [default]) => {
                        Ok(default.clone())
                    }
                    (Err(error), ..) => Err(error),
                    _ => would_run(&format!("{name}(...)")),
                }
            }
            _ if TYPES.contains(&name) => would_run(&format!("{name}(...)")),
            _ => raised(
                "TypeError",
                format!("{name}() does not take {} arguments here", values.len()),
            ),
        }
    }

    fn absolute(&mut self, value: &Datum) -> Outcome {
        match (value, number::integer(value)) {
            (_, Some(value)) => Ok(Datum::int(value.abs())),
            (Datum::Float(value), _) => Ok(Datum::Float(value.abs())),
            (Datum::Complex(real, imaginary), _) => Ok(Datum::Float(real.hypot(*imaginary))),
            (Datum::Object(_), _) => would_run("abs(...)"),
            _ => raised(
                "TypeError",
                format!("bad operand type for abs(): '{}'", self.type_name(value)?),
            ),
        }
    }

    fn quantified(&mut self, items: &Datum, wanted: bool) -> Outcome {
        for item in self.elements(items)? {
            if self.truth(&item)? == wanted {
                return Ok(Datum::Bool(wanted));
            }
        }
        Ok(Datum::Bool(!wanted))
    }

    fn in_radix(&mut self, value: &Datum, radix: u32, prefix: &str) -> Outcome {
        let Some(value) = number::integer(value) else {
            let type_name = self.type_name(value)?;
            return raised(
                "TypeError",
                format!("'{type_name}' object cannot be interpreted as an integer"),
            );
        };
        let sign = if value.is_negative() { "-" } else { "" };
        self.spend(value.bits())?;
        let digits = value.abs().to_str_radix(radix);
        Ok(Datum::str(&format!("{sign}{prefix}{digits}")))
    }

    fn ordinal(&mut self, value: &Datum) -> Outcome {
        let (text, len) = match value {
            Datum::Str(text) => (render::code_points(&text.kept).next(), text.len),
            Datum::Bytes(text) => (text.kept.first().map(|byte| u32::from(*byte)), text.len),
            _ => {
                let type_name = self.type_name(value)?;
                return raised(
                    "TypeError",
                    format!("ord() expected string of length 1, but {type_name} found"),
                );
            }
        };
        match text {
            Some(code_point) if len == 1 => Ok(Datum::int(code_point)),
            _ => raised(
                "TypeError",
                format!("ord() expected a character, but string of length {len} found"),
            ),
        }
    }

    fn rounded(&mut self, value: &Datum, digits: Option<&Datum>) -> Outcome {
        let digits = match digits {
            None | Some(Datum::None) => None,
            Some(digits) => match number::integer(digits).and_then(|digits| digits.to_i32()) {
                Some(digits) => Some(digits),
                None => return would_run("round(...)"),
            },
        };
        match (value, number::integer(value), digits) {
            (_, Some(value), None | Some(0..)) => Ok(Datum::int(value)),
            (Datum::Float(value), _, None) => match BigInt::from_f64(value.round_ties_even()) {
                Some(rounded) => Ok(Datum::int(rounded)),
                None if value.is_nan() => {
                    raised("ValueError", "cannot convert float NaN to integer")
                }
                None => raised("OverflowError", "cannot convert float infinity to integer"),
            },
            (Datum::Float(value), _, Some(digits @ 0..=300)) => {
                // Rust writes the exact decimal expansion, ties to even digit, as Python rounds.
                let digits = usize::try_from(digits).unwrap_or(0);
                let text = format!("{value:.digits$}");
                Ok(Datum::Float(text.parse().unwrap_or(*value)))
            }
            _ => would_run("round(...)"),
        }
    }

    fn sum(&mut self, items: &Datum, start: Datum) -> Outcome {
        if matches!(start, Datum::Str(_)) {
            return raised(
                "TypeError",
                "sum() can't sum strings [use ''.join(seq) instead]",
            );
        }
        let items = self.elements(items)?;
        // From 3.12 on Python adds floats with a compensation.
        let floats = items
            .iter()
            .filter(|item| matches!(item, Datum::Float(_)))
            .count();
        if floats > 1 && self.python_minor() >= 12 {
            return self.compensated_sum(&items, start);
        }
        let mut total = start;
        for item in items {
            total = self.binary(BinaryOperator::Add, &total, &item)?;
        }
        Ok(total)
    }

    fn compensated_sum(&mut self, items: &[Datum], start: Datum) -> Outcome {
        let mut total = start;
        let mut rest = items.iter();
        // Integers are added exactly up to the first float.
        for item in rest.by_ref() {
            let float = matches!(item, Datum::Float(_));
            total = self.binary(BinaryOperator::Add, &total, item)?;
            if float {
                break;
            }
        }
        let Datum::Float(mut high) = total else {
            for item in rest {
                total = self.binary(BinaryOperator::Add, &total, item)?;
            }
            return Ok(total);
        };
        let mut low = 0.0_f64;
        for item in rest {
            match item {
                Datum::Float(value) => {
                    let sum = high + value;
                    low += if high.abs() >= value.abs() {
                        (high - sum) + value
                    } else {
                        (value - sum) + high
                    };
                    high = sum;
                }
                Datum::Int(_) | Datum::Bool(_) => match self.float(item)? {
                    Datum::Float(value) => high += value,
                    _ => return would_run("sum(...)"),
                },
                _ => return would_run("sum(...)"),
            }
        }
        if low != 0.0 && low.is_finite() {
            high += low;
        }
        Ok(Datum::Float(high))
    }

    fn extreme(&mut self, name: &str, items: &[Datum], default: Option<Datum>) -> Outcome {
        let Some((first, rest)) = items.split_first() else {
            return match default {
                Some(default) => Ok(default),
                None => raised("ValueError", format!("{name}() iterable argument is empty")),
            };
        };
        let mut best = first;
        for item in rest {
            let better = if name == "min" {
                self.less(item, best)?
            } else {
                self.less(best, item)?
            };
            if better {
                best = item;
            }
        }
        Ok(best.clone())
    }

    /// A stable merge sort, so that a comparison that is refused ends it.
    fn sorted(&mut self, items: Vec<Datum>, reverse: bool) -> Outcome<Vec<Datum>> {
        if items.len() < 2 {
            return Ok(items);
        }
        let mut left = items;
        let right = left.split_off(left.len() / 2);
        let mut left = self.sorted(left, reverse)?.into_iter().peekable();
        let mut right = self.sorted(right, reverse)?.into_iter().peekable();
        let mut out = Vec::with_capacity(left.len() + right.len());
        while let (Some(a), Some(b)) = (left.peek(), right.peek()) {
            let second = if reverse {
                self.less(a, b)?
            } else {
                self.less(b, a)?
            };
            out.extend(if second { right.next() } else { left.next() });
        }
        out.extend(left);
        out.extend(right);
        Ok(out)
    }

    fn enumerated(&mut self, items: &Datum, start: Option<Datum>) -> Outcome {
        let first = start.as_ref().map_or(Some(BigInt::ZERO), number::integer);
        let Some(first) = first else {
            return raised("TypeError", "enumerate() needs an integer to start with");
        };
        let items = self.elements(items)?.into_iter().enumerate();
        let items =
            items.map(|(index, item)| Datum::Tuple([Datum::int(&first + index), item].into()));
        Ok(Datum::List(items.collect()))
    }

    fn zipped(&mut self, values: &[Datum]) -> Outcome {
        let mut columns = Vec::new();
        for value in values {
            columns.push(self.elements(value)?);
        }
        let shortest = columns.iter().map(Vec::len).min().unwrap_or(0);
        let rows = (0..shortest).map(|row| {
            let cells = columns.iter().filter_map(|column| column.get(row).cloned());
            Datum::Tuple(cells.collect())
        });
        Ok(Datum::List(rows.collect()))
    }

    fn dictionary(&mut self, value: &Datum) -> Outcome {
        let mut dictionary = Dictionary::default();
        if self.shape(value)? == Some(super::compare::Shape::Dict) {
            dictionary.entries = self.mapping_entries(value)?;
        } else {
            for pair in self.elements(value)? {
                let pair = self.elements(&pair)?;
                let Ok([key, value]) = <[Datum; 2]>::try_from(pair) else {
                    return raised("ValueError", "dictionary update sequence needs pairs");
                };
                self.insert(&mut dictionary, key, value)?;
            }
        }
        Ok(Datum::Dict(Arc::new(dictionary)))
    }

    fn range(&mut self, values: &[Datum]) -> Outcome {
        let mut bounds = Vec::new();
        for value in values {
            let Some(bound) = number::integer(value) else {
                let type_name = self.type_name(value)?;
                return raised(
                    "TypeError",
                    format!("'{type_name}' object cannot be interpreted as an integer"),
                );
            };
            bounds.push(bound);
        }
        let one = BigInt::from(1);
        let bounds = match bounds.as_slice() {
            [stop] => [BigInt::ZERO, stop.clone(), one],
            [start, stop] => [start.clone(), stop.clone(), one],
            [start, stop, step] => [start.clone(), stop.clone(), step.clone()],
            _ => return raised("TypeError", "range expected 1 to 3 arguments"),
        };
        if bounds[2] == BigInt::ZERO {
            return raised("ValueError", "range() arg 3 must not be zero");
        }
        Ok(Datum::Range(Arc::new(bounds)))
    }

    /// Whether the text of a value is exactly what Python's `repr` gives: no part of it is missing, and
    /// none is an object whose text the program may define.
    fn has_exact_text(&mut self, value: &Datum) -> Outcome<bool> {
        self.spend(1)?;
        Ok(match value {
            Datum::Unavailable(_) | Datum::Builtin(_) => false,
            Datum::Str(text) => super::compare::is_complete(text, false),
            Datum::Bytes(text) => super::compare::is_complete(text, true),
            Datum::Object(object) => {
                let content = self.content(*object)?;
                match content.kind {
                    ObjectKind::Literal => true,
                    ObjectKind::Exception | ObjectKind::Enum => !self.may_be_overridden(value)?,
                    _ if self.may_be_overridden(value)? || self.shape(value)?.is_none() => false,
                    _ => {
                        let mut exact = content.items.len() as u64 >= content.len
                            || content.entries.len() as u64 >= content.len;
                        let entries = content.entries.iter();
                        let parts = entries.flat_map(|(key, value)| [key, value]);
                        for part in content.items.iter().chain(parts) {
                            exact = exact && self.has_exact_text(&Datum::from(part))?;
                        }
                        exact
                    }
                }
            }
            Datum::List(items)
            | Datum::Tuple(items)
            | Datum::Set(items)
            | Datum::FrozenSet(items) => {
                let mut exact = true;
                for item in items.iter() {
                    exact = exact && self.has_exact_text(item)?;
                }
                exact
            }
            Datum::Dict(dictionary) => {
                let mut exact = true;
                for (key, value) in &dictionary.entries {
                    exact = exact && self.has_exact_text(key)? && self.has_exact_text(value)?;
                }
                exact
            }
            _ => true,
        })
    }

    fn repr(&mut self, value: &Datum) -> Outcome {
        if !self.has_exact_text(value)? {
            return would_run("repr(...)");
        }
        Ok(Datum::str(&render::value(self.snapshot, value, 1_000_000)?))
    }

    fn string(&mut self, value: &Datum) -> Outcome {
        match value {
            Datum::Str(_) => Ok(value.clone()),
            Datum::Object(object) => {
                let content = self.content(*object)?;
                if content.kind == ObjectKind::Literal {
                    let text = content.text.as_ref().map(render::lossy).unwrap_or_default();
                    let decimal = text
                        .strip_prefix("Decimal('")
                        .and_then(|text| text.strip_suffix("')"));
                    return match decimal {
                        Some(digits) => Ok(Datum::str(digits)),
                        None => would_run("str(...)"),
                    };
                }
                if content.kind == ObjectKind::Exception
                    && !self.may_be_overridden(value)?
                    && let Some(text) = &content.text
                {
                    return Ok(Datum::Str(text.clone()));
                }
                self.repr(value)
            }
            _ => self.repr(value),
        }
    }

    fn int(&mut self, value: &Datum) -> Outcome {
        if let Some(value) = number::integer(value) {
            return Ok(Datum::int(value));
        }
        match value {
            Datum::Float(float) => match BigInt::from_f64(float.trunc()) {
                Some(value) => Ok(Datum::int(value)),
                None if float.is_nan() => {
                    raised("ValueError", "cannot convert float NaN to integer")
                }
                None => raised("OverflowError", "cannot convert float infinity to integer"),
            },
            Datum::Str(_) => self.parse_int(value, &Datum::int(10)),
            Datum::Object(_) => match self.exact(value)? {
                Some(number::Exact::Fraction(a, b)) => Ok(Datum::int(a / b)),
                _ => would_run("int(...)"),
            },
            _ => raised(
                "TypeError",
                format!(
                    "int() argument must be a string, a bytes-like object or a real number, not '{}'",
                    self.type_name(value)?
                ),
            ),
        }
    }

    fn parse_int(&mut self, value: &Datum, radix: &Datum) -> Outcome {
        let (Datum::Str(text), Some(radix)) = (value, number::integer(radix)) else {
            return would_run("int(...)");
        };
        let radix = radix.to_u32().filter(|radix| (2..=36).contains(radix));
        let Some(radix) = radix.filter(|_| super::compare::is_complete(text, false)) else {
            return would_run("int(...)");
        };
        let written = render::lossy(text);
        let digits = written.trim();
        let (negative, digits) = match digits.strip_prefix('-') {
            Some(rest) => (true, rest),
            None => (false, digits.strip_prefix('+').unwrap_or(digits)),
        };
        let valid = !digits.is_empty()
            && !digits.starts_with('_')
            && !digits.ends_with('_')
            && !digits.contains("__")
            && digits
                .chars()
                .all(|digit| digit == '_' || digit.is_digit(radix));
        let digits: String = digits.chars().filter(|digit| *digit != '_').collect();
        self.spend(digits.len() as u64)?;
        let number = BigInt::parse_bytes(digits.as_bytes(), radix).filter(|_| valid);
        match number {
            Some(number) => Ok(Datum::int(if negative { -number } else { number })),
            None => {
                let text = render::value(self.snapshot, value, render::LIMIT)?;
                raised(
                    "ValueError",
                    format!("invalid literal for int() with base {radix}: {text}"),
                )
            }
        }
    }

    fn float(&mut self, value: &Datum) -> Outcome {
        if let Some(value) = number::integer(value) {
            return Ok(Datum::Float(number::to_float(&value)?));
        }
        match value {
            Datum::Float(_) => Ok(value.clone()),
            Datum::Str(text) if super::compare::is_complete(text, false) => {
                let written = render::lossy(text);
                let digits = written.trim();
                let plain = digits
                    .bytes()
                    .all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
                let special = ["inf", "infinity", "nan"].contains(
                    &digits
                        .trim_start_matches(['+', '-'])
                        .to_lowercase()
                        .as_str(),
                );
                match digits.parse() {
                    Ok(value) if plain || special => Ok(Datum::Float(value)),
                    _ => {
                        let text = render::value(self.snapshot, value, render::LIMIT)?;
                        raised(
                            "ValueError",
                            format!("could not convert string to float: {text}"),
                        )
                    }
                }
            }
            Datum::Object(_) => {
                // The digits of a Decimal read as the nearest float.
                match self.string(value)? {
                    Datum::Str(text) => match render::lossy(&text).parse() {
                        Ok(value) => Ok(Datum::Float(value)),
                        Err(_) => would_run("float(...)"),
                    },
                    _ => would_run("float(...)"),
                }
            }
            _ => would_run("float(...)"),
        }
    }

    fn is_instance(&mut self, value: &Datum, class: &Datum) -> Outcome<bool> {
        if self.shape(class)? == Some(super::compare::Shape::Tuple) {
            for class in self.elements(class)? {
                if self.is_instance(value, &class)? {
                    return Ok(true);
                }
            }
            return Ok(false);
        }
        if let Datum::Type(wanted) = class
            && &*wanted.qualified_name == "object"
        {
            return Ok(true);
        }
        let Datum::Object(object) = value else {
            let own = self.type_of(value)?;
            let Datum::Type(wanted) = class else {
                return Ok(false);
            };
            let bool_as_int = &*own.qualified_name == "bool" && &*wanted.qualified_name == "int";
            return Ok(own == *wanted || bool_as_int);
        };
        let content = self.content(*object)?;
        let mut next: Option<TypeId> = Some(content.type_id);
        let mut own_module = None;
        // A chain of bases is never this long unless it is damaged.
        for _ in 0..100 {
            let Some(type_id) = next else { break };
            let ty = self.snapshot.recording.type_of(type_id)?;
            let name = TypeName {
                module: ty.module.clone(),
                qualified_name: ty.qualified_name.clone(),
            };
            let found = match class {
                Datum::Type(wanted) => *wanted == name,
                _ => self.is_class(class, &name)?,
            };
            if found {
                return Ok(true);
            }
            own_module.get_or_insert_with(|| name.module.clone());
            next = ty.base;
        }
        if own_module.as_deref() == Some("builtins") {
            return Ok(false);
        }
        Err(ExpressionError::NotRecorded(
            "only the first base of each class is recorded, and it is none of those".to_owned(),
        ))
    }
}
