//! Operators between values: numbers, sequences, sets and dictionaries.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::ToPrimitive as _;
use retrostep_trace::Text;

use super::ExpressionError;
use super::compare::{Shape, is_complete};
use super::evaluate::{Evaluator, Outcome, raised, would_run};
use super::number;
use super::sequence::not_in_full;
use super::syntax::BinaryOperator;
use crate::Datum;

/// Most elements of a computed sequence.
const MAX_LEN: u64 = 1_000_000;

impl Evaluator<'_> {
    pub(super) fn binary(
        &mut self,
        operator: BinaryOperator,
        left: &Datum,
        right: &Datum,
    ) -> Outcome {
        if let Some(value) = number::binary(operator, left, right)? {
            return Ok(value);
        }
        for value in [left, right] {
            if self.may_be_overridden(value)? {
                return self.refused_operator(operator, left, right);
            }
        }
        let found = match operator {
            BinaryOperator::Add => self.concatenated(left, right)?,
            BinaryOperator::Multiply => match (number::integer(left), number::integer(right)) {
                (_, Some(times)) => self.repeated(left, &times)?,
                (Some(times), _) => self.repeated(right, &times)?,
                _ => None,
            },
            BinaryOperator::Modulo if matches!(left, Datum::Str(_) | Datum::Bytes(_)) => {
                return Err(ExpressionError::Refused(
                    "% formatting is not evaluated on a recording".to_owned(),
                ));
            }
            BinaryOperator::Or
            | BinaryOperator::And
            | BinaryOperator::Xor
            | BinaryOperator::Subtract => self.sets(operator, left, right)?,
            _ => None,
        };
        if let Some(found) = found {
            return Ok(found);
        }
        let literal = |value: &Datum| match value {
            Datum::Object(object) => self
                .content(*object)
                .map(|content| content.kind == retrostep_trace::ObjectKind::Literal),
            _ => Ok(false),
        };
        if literal(left)? || literal(right)? {
            return self.refused_operator(operator, left, right);
        }
        let (left_name, right_name) = (self.type_name(left)?, self.type_name(right)?);
        if operator == BinaryOperator::Add {
            if let Datum::Str(_) = left {
                return raised(
                    "TypeError",
                    format!("can only concatenate str (not \"{right_name}\") to str"),
                );
            }
            if let Some(shape @ (Shape::List | Shape::Tuple)) = self.shape(left)? {
                let name = if shape == Shape::List {
                    "list"
                } else {
                    "tuple"
                };
                return raised(
                    "TypeError",
                    format!("can only concatenate {name} (not \"{right_name}\") to {name}"),
                );
            }
        }
        let symbol = match operator {
            BinaryOperator::Power => "** or pow()",
            _ => operator.symbol(),
        };
        raised(
            "TypeError",
            format!("unsupported operand type(s) for {symbol}: '{left_name}' and '{right_name}'"),
        )
    }

    fn refused_operator<T>(
        &self,
        operator: BinaryOperator,
        left: &Datum,
        right: &Datum,
    ) -> Outcome<T> {
        would_run(&format!(
            "{} between {} and {}",
            operator.symbol(),
            self.type_name(left)?,
            self.type_name(right)?
        ))
    }

    fn concatenated(&mut self, left: &Datum, right: &Datum) -> Outcome<Option<Datum>> {
        if let (Datum::Str(a), Datum::Str(b)) = (left, right) {
            return joined(a, b, false).map(Some);
        }
        if let (Some(a), Some(b)) = (self.byte_text(left)?, self.byte_text(right)?) {
            return joined(&a, &b, true).map(Some);
        }
        let shape = self.shape(left)?;
        if shape != self.shape(right)? || !matches!(shape, Some(Shape::List | Shape::Tuple)) {
            return Ok(None);
        }
        let mut items = self.elements(left)?;
        items.extend(self.elements(right)?);
        Ok(Some(match shape {
            Some(Shape::Tuple) => Datum::Tuple(items.into()),
            _ => Datum::List(items.into()),
        }))
    }

    fn repeated(&mut self, value: &Datum, times: &BigInt) -> Outcome<Option<Datum>> {
        let shape = self.shape(value)?;
        let repeatable = matches!(value, Datum::Str(_) | Datum::Bytes(_))
            || matches!(shape, Some(Shape::List | Shape::Tuple));
        if !repeatable {
            return Ok(None);
        }
        let times = if *times < BigInt::ZERO {
            BigInt::ZERO
        } else {
            times.clone()
        };
        let len = self.len(value)? * &times;
        let len = len.to_u64().filter(|len| *len <= MAX_LEN);
        let (Some(_), Some(times)) = (len, times.to_usize()) else {
            return Err(ExpressionError::TooLarge(
                "the sequence is too long to work out here".to_owned(),
            ));
        };
        if let Datum::Str(text) | Datum::Bytes(text) = value {
            let bytes = matches!(value, Datum::Bytes(_));
            if !is_complete(text, bytes) && times > 0 {
                return not_in_full(text.kept.len() as u64, text.len);
            }
            let kept = text.kept.repeat(times);
            let text = Text {
                kept: kept.into(),
                len: text.len * times as u64,
            };
            return Ok(Some(if bytes {
                Datum::Bytes(text)
            } else {
                Datum::Str(text)
            }));
        }
        let items = self.elements(value)?;
        let mut out = Vec::with_capacity(items.len() * times);
        for _ in 0..times {
            out.extend_from_slice(&items);
        }
        self.spend(out.len() as u64)?;
        Ok(Some(match shape {
            Some(Shape::Tuple) => Datum::Tuple(out.into()),
            _ => Datum::List(out.into()),
        }))
    }

    fn sets(
        &mut self,
        operator: BinaryOperator,
        left: &Datum,
        right: &Datum,
    ) -> Outcome<Option<Datum>> {
        match (self.shape(left)?, self.shape(right)?) {
            (Some(Shape::Set), Some(Shape::Set)) => {}
            (Some(Shape::Dict), Some(Shape::Dict)) if operator == BinaryOperator::Or => {
                let mut dictionary = crate::Dictionary::default();
                for side in [left, right] {
                    for (key, value) in self.mapping_entries(side)? {
                        self.insert(&mut dictionary, key, value)?;
                    }
                }
                return Ok(Some(Datum::Dict(Arc::new(dictionary))));
            }
            _ => return Ok(None),
        }
        let (a, b) = (self.elements(left)?, self.elements(right)?);
        let mut out = Vec::new();
        for item in &a {
            let shared = self.position(&b, item)?.is_some();
            let kept = match operator {
                BinaryOperator::Or => true,
                BinaryOperator::And => shared,
                _ => !shared,
            };
            if kept {
                out.push(item.clone());
            }
        }
        if matches!(operator, BinaryOperator::Or | BinaryOperator::Xor) {
            for item in &b {
                if self.position(&a, item)?.is_none() {
                    out.push(item.clone());
                }
            }
        }
        Ok(Some(if self.type_name(left)? == "frozenset" {
            Datum::FrozenSet(out.into())
        } else {
            Datum::Set(out.into())
        }))
    }
}

fn joined(a: &Text, b: &Text, bytes: bool) -> Outcome {
    if !is_complete(a, bytes) {
        return not_in_full(a.kept.len() as u64, a.len);
    }
    let mut kept = a.kept.to_vec();
    kept.extend_from_slice(&b.kept);
    let text = Text {
        kept: kept.into(),
        len: a.len.saturating_add(b.len),
    };
    Ok(if bytes {
        Datum::Bytes(text)
    } else {
        Datum::Str(text)
    })
}
