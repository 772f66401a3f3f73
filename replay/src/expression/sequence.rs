//! Lengths, elements, indexes and slices of recorded and computed containers.

use num_bigint::BigInt;
use num_traits::{Signed as _, ToPrimitive as _, Zero as _};
use retrostep_trace::{Content, ObjectKind, Text};

use super::ExpressionError;
use super::compare::{Shape, is_complete};
use super::evaluate::{Evaluator, Outcome, raised, would_run};
use super::number;
use crate::Datum;
use crate::render::{self, code_points, encode};

impl Evaluator<'_> {
    /// `len(value)`: the true length, whatever part of it was recorded.
    pub(super) fn len(&mut self, value: &Datum) -> Outcome<BigInt> {
        Ok(match value {
            Datum::Str(text) | Datum::Bytes(text) => BigInt::from(text.len),
            Datum::List(items)
            | Datum::Tuple(items)
            | Datum::Set(items)
            | Datum::FrozenSet(items) => BigInt::from(items.len()),
            Datum::Dict(dictionary) => BigInt::from(dictionary.entries.len()),
            Datum::Range(bounds) => range_len(bounds),
            Datum::Object(object) => {
                if self.may_be_overridden(value)? {
                    return would_run("len(...)");
                }
                let content = self.outline(*object)?;
                if self.shape(value)?.is_none() {
                    return self.no_length(value);
                }
                BigInt::from(content.len)
            }
            _ => return self.no_length(value),
        })
    }

    fn no_length<T>(&self, value: &Datum) -> Outcome<T> {
        raised(
            "TypeError",
            format!("object of type '{}' has no len()", self.type_name(value)?),
        )
    }

    /// Every element, as iterating gives them.
    pub(super) fn elements(&mut self, value: &Datum) -> Outcome<Vec<Datum>> {
        let (items, complete) = self.recorded_elements(value)?;
        if !complete {
            let len = self.len(value)?;
            return Err(ExpressionError::NotRecorded(format!(
                "only {} of {len} elements were recorded",
                items.len()
            )));
        }
        Ok(items)
    }

    /// The elements that were recorded, from the first on, and whether that is all of them.
    pub(super) fn recorded_elements(&mut self, value: &Datum) -> Outcome<(Vec<Datum>, bool)> {
        let (items, complete) = match value {
            Datum::Str(text) => {
                let items = code_points(&text.kept).map(character).collect();
                (items, is_complete(text, false))
            }
            Datum::Bytes(text) => (byte_items(text), is_complete(text, true)),
            Datum::List(items)
            | Datum::Tuple(items)
            | Datum::Set(items)
            | Datum::FrozenSet(items) => (items.to_vec(), true),
            Datum::Dict(_) => {
                let (entries, complete) = self.recorded_entries(value)?;
                (entries.into_iter().map(|(key, _)| key).collect(), complete)
            }
            Datum::Range(bounds) => {
                let len = range_len(bounds).to_u64().unwrap_or(u64::MAX);
                self.spend(len)?;
                let [start, _, step] = bounds.as_ref();
                let items = (0..len).map(|index| Datum::int(start + step * index));
                (items.collect(), true)
            }
            Datum::Object(object) => {
                if self.may_be_overridden(value)? {
                    let type_name = self.type_name(value)?;
                    return would_run(&format!("going through a {type_name}"));
                }
                let content = self.content(*object)?;
                self.spend(content.items.len() as u64)?;
                match content.kind {
                    ObjectKind::Dict => {
                        let (entries, complete) = self.recorded_entries(value)?;
                        (entries.into_iter().map(|(key, _)| key).collect(), complete)
                    }
                    ObjectKind::ByteArray => {
                        let text = byte_array(&content);
                        (byte_items(&text), is_complete(&text, true))
                    }
                    ObjectKind::List
                    | ObjectKind::Tuple
                    | ObjectKind::Set
                    | ObjectKind::FrozenSet
                    | ObjectKind::Deque => (
                        content.items.iter().map(Datum::from).collect(),
                        content.items.len() as u64 >= content.len,
                    ),
                    ObjectKind::Generator => return would_run("going through a generator"),
                    _ => return self.not_iterable(value),
                }
            }
            _ => return self.not_iterable(value),
        };
        let items: Vec<Datum> = items;
        self.spend(items.len() as u64)?;
        Ok((items, complete))
    }

    fn not_iterable<T>(&self, value: &Datum) -> Outcome<T> {
        raised(
            "TypeError",
            format!("'{}' object is not iterable", self.type_name(value)?),
        )
    }

    /// Every entry of a mapping.
    pub(super) fn mapping_entries(&mut self, value: &Datum) -> Outcome<Vec<(Datum, Datum)>> {
        let (entries, complete) = self.recorded_entries(value)?;
        if !complete {
            let len = self.len(value)?;
            return Err(ExpressionError::NotRecorded(format!(
                "only {} of {len} entries were recorded",
                entries.len()
            )));
        }
        Ok(entries)
    }

    /// The entries that were recorded, and whether that is all of them.
    pub(super) fn recorded_entries(
        &mut self,
        value: &Datum,
    ) -> Outcome<(Vec<(Datum, Datum)>, bool)> {
        match value {
            Datum::Dict(dictionary) => Ok((dictionary.entries.clone(), true)),
            Datum::Object(object) if self.shape(value)? == Some(Shape::Dict) => {
                if self.may_be_overridden(value)? {
                    let type_name = self.type_name(value)?;
                    return would_run(&format!("going through a {type_name}"));
                }
                let content = self.content(*object)?;
                self.spend(content.entries.len() as u64)?;
                let entries = content
                    .entries
                    .iter()
                    .map(|(key, value)| (Datum::from(key), Datum::from(value)))
                    .collect();
                Ok((entries, content.entries.len() as u64 >= content.len))
            }
            _ => raised(
                "TypeError",
                format!("'{}' object is not a mapping", self.type_name(value)?),
            ),
        }
    }

    /// `value[index]`.
    pub(super) fn index(&mut self, value: &Datum, index: &Datum) -> Outcome {
        if self.may_be_overridden(value)? {
            let type_name = self.type_name(value)?;
            return would_run(&format!("an index of a {type_name}"));
        }
        if self.shape(value)? == Some(Shape::Dict) {
            return self.entry(value, index);
        }
        let name = match value {
            Datum::Str(_) => "string",
            Datum::Bytes(_) => "bytes",
            Datum::Range(_) => "range",
            Datum::Type(_) => return would_run("a type with parameters"),
            _ => match self.shape(value)? {
                Some(Shape::List) => "list",
                Some(Shape::Tuple) => "tuple",
                Some(Shape::Deque) => "deque",
                Some(Shape::ByteArray) => "bytearray",
                _ => {
                    let type_name = self.type_name(value)?;
                    return raised(
                        "TypeError",
                        format!("'{type_name}' object is not subscriptable"),
                    );
                }
            },
        };
        let Some(wanted) = number::integer(index) else {
            let type_name = self.type_name(index)?;
            let message = match name {
                "string" => format!("string indices must be integers, not '{type_name}'"),
                "bytes" => format!("byte indices must be integers or slices, not {type_name}"),
                _ => format!("{name} indices must be integers or slices, not {type_name}"),
            };
            return raised("TypeError", message);
        };
        let len = self.len(value)?;
        let place = if wanted.is_negative() {
            &wanted + &len
        } else {
            wanted
        };
        if place.is_negative() || place >= len {
            let message = match name {
                "bytes" => "index out of range".to_owned(),
                "range" => "range object index out of range".to_owned(),
                _ => format!("{name} index out of range"),
            };
            return raised("IndexError", message);
        }
        if let Datum::Range(bounds) = value {
            let [start, _, step] = bounds.as_ref();
            return Ok(Datum::int(start + step * place));
        }
        let place = place.to_u64().unwrap_or(u64::MAX);
        match self.element(value, place)? {
            Some(Datum::Unavailable(why)) => Err(ExpressionError::NotRecorded(format!(
                "element {place} is not there: {}",
                render::reason(why)
            ))),
            Some(element) => Ok(element),
            None => Err(ExpressionError::NotRecorded(format!(
                "element {place} of {len} was not recorded"
            ))),
        }
    }

    /// The element at a place inside the length; `None` if it was not recorded.
    fn element(&mut self, value: &Datum, place: u64) -> Outcome<Option<Datum>> {
        let index = usize::try_from(place).unwrap_or(usize::MAX);
        Ok(match value {
            Datum::Str(text) => {
                self.spend(place)?;
                code_points(&text.kept).nth(index).map(character)
            }
            Datum::Bytes(text) => text.kept.get(index).map(|byte| Datum::int(*byte)),
            Datum::List(items) | Datum::Tuple(items) => items.get(index).cloned(),
            Datum::Object(object) => {
                let excerpt = self.excerpt(*object, place..place.saturating_add(1))?;
                if excerpt.content.kind == ObjectKind::ByteArray {
                    let text = byte_array(&excerpt.content);
                    text.kept.get(index).map(|byte| Datum::int(*byte))
                } else {
                    excerpt.item(place).map(Datum::from)
                }
            }
            _ => None,
        })
    }

    fn entry(&mut self, value: &Datum, key: &Datum) -> Outcome {
        let (entries, complete) = self.recorded_entries(value)?;
        match self.find_entry(&entries, key)? {
            Some(Datum::Unavailable(why)) => Err(ExpressionError::NotRecorded(format!(
                "this entry is not there: {}",
                render::reason(why)
            ))),
            Some(found) => Ok(found),
            None if !complete => Err(ExpressionError::NotRecorded(format!(
                "it is not among the {} that were recorded",
                render::counted(entries.len() as u64, "entry")
            ))),
            None if self.type_name(value)? == "defaultdict" => {
                would_run("a missing key of a defaultdict")
            }
            None => {
                let text = render::value(self.snapshot, key, render::LIMIT)?;
                raised("KeyError", text)
            }
        }
    }

    /// `value[start:stop:step]`.
    pub(super) fn slice(&mut self, value: &Datum, bounds: &[Option<Datum>; 3]) -> Outcome {
        if self.may_be_overridden(value)? {
            let type_name = self.type_name(value)?;
            return would_run(&format!("a slice of a {type_name}"));
        }
        let shape = self.shape(value)?;
        let sliceable = matches!(value, Datum::Str(_) | Datum::Bytes(_) | Datum::Range(_))
            || matches!(shape, Some(Shape::List | Shape::Tuple | Shape::ByteArray));
        if !sliceable {
            let type_name = self.type_name(value)?;
            return match shape {
                // From 3.12 on a slice can be a key, though none here ever is.
                Some(Shape::Dict) if self.python_minor() >= 12 => {
                    let mut texts = Vec::new();
                    for bound in bounds {
                        let bound = bound.as_ref().unwrap_or(&Datum::None);
                        texts.push(render::value(self.snapshot, bound, render::LIMIT)?);
                    }
                    raised("KeyError", format!("slice({})", texts.join(", ")))
                }
                Some(Shape::Dict) => raised("TypeError", "unhashable type: 'slice'"),
                _ => raised(
                    "TypeError",
                    format!("'{type_name}' object is not subscriptable"),
                ),
            };
        }
        let len = self.len(value)?;
        let (start, stop, step) = self.slice_bounds(bounds, &len)?;
        let range = [start, stop, step];
        if let Datum::Range(of) = value {
            let at = |place: &BigInt| &of[0] + &of[2] * place;
            return Ok(Datum::Range(
                [at(&range[0]), at(&range[1]), &of[2] * &range[2]].into(),
            ));
        }
        let count = range_len(&range).to_u64().unwrap_or(u64::MAX);
        self.spend(count)?;
        let places = (0..count).map(|index| &range[0] + &range[2] * index);
        let places: Vec<u64> = places.map(|place| place.to_u64().unwrap_or(0)).collect();
        if let Datum::Str(text) = value {
            let all: Vec<u32> = code_points(&text.kept).collect();
            self.spend(all.len() as u64)?;
            let mut out = Vec::new();
            for place in places {
                match usize::try_from(place).ok().and_then(|place| all.get(place)) {
                    Some(code_point) => encode(&mut out, *code_point),
                    None => return not_in_full(all.len() as u64, text.len),
                }
            }
            return Ok(Datum::text(out));
        }
        let mut items = Vec::new();
        for place in places {
            match self.element(value, place)? {
                Some(element) => items.push(element),
                None => {
                    return Err(ExpressionError::NotRecorded(format!(
                        "element {place} of {len} was not recorded"
                    )));
                }
            }
        }
        match (value, shape) {
            (Datum::Bytes(_), _) | (_, Some(Shape::ByteArray)) => {
                let bytes = items.iter().filter_map(number::integer);
                let bytes: Vec<u8> = bytes.filter_map(|byte| byte.to_u8()).collect();
                let len = bytes.len() as u64;
                Ok(Datum::Bytes(Text {
                    kept: bytes.into(),
                    len,
                }))
            }
            (_, Some(Shape::Tuple)) => Ok(Datum::Tuple(items.into())),
            _ => Ok(Datum::List(items.into())),
        }
    }

    /// The places a slice takes, as a range inside the length.
    fn slice_bounds(
        &mut self,
        bounds: &[Option<Datum>; 3],
        len: &BigInt,
    ) -> Outcome<(BigInt, BigInt, BigInt)> {
        let mut numbers = [None, None, None];
        for (number, bound) in numbers.iter_mut().zip(bounds) {
            *number = match bound {
                None | Some(Datum::None) => None,
                Some(bound) => match number::integer(bound) {
                    Some(value) => Some(value),
                    None => {
                        return raised(
                            "TypeError",
                            "slice indices must be integers or None or have an __index__ method",
                        );
                    }
                },
            };
        }
        let [start, stop, step] = numbers;
        let step = step.unwrap_or_else(|| BigInt::from(1));
        if step.is_zero() {
            return raised("ValueError", "slice step cannot be zero");
        }
        let (lowest, highest) = if step.is_negative() {
            (BigInt::from(-1), len - 1)
        } else {
            (BigInt::ZERO, len.clone())
        };
        let clamp = |bound: BigInt| {
            let bound = if bound.is_negative() {
                bound + len
            } else {
                bound
            };
            bound.clamp(lowest.clone(), highest.clone().max(lowest.clone()))
        };
        let (first, last) = if step.is_negative() {
            (highest.clone(), lowest.clone())
        } else {
            (lowest.clone(), highest.clone())
        };
        Ok((start.map_or(first, clamp), stop.map_or(last, clamp), step))
    }

    /// The bytes of a `bytes` or a `bytearray`.
    pub(super) fn byte_text(&mut self, value: &Datum) -> Outcome<Option<Text>> {
        Ok(match value {
            Datum::Bytes(text) => Some(text.clone()),
            Datum::Object(object) => {
                let content = self.content(*object)?;
                (content.kind == ObjectKind::ByteArray).then(|| byte_array(&content))
            }
            _ => None,
        })
    }

    pub(super) fn range_contains(&mut self, range: &Datum, wanted: &Datum) -> Outcome<bool> {
        let (Datum::Range(bounds), Some(wanted)) = (range, number::integer(wanted)) else {
            return Ok(false);
        };
        let [start, _, step] = bounds.as_ref();
        let (place, rest) = number::floor_divide(&(wanted - start), step)?;
        Ok(rest.is_zero() && !place.is_negative() && place < range_len(bounds))
    }
}

/// How many elements a range has.
pub(super) fn range_len(bounds: &[BigInt; 3]) -> BigInt {
    let [start, stop, step] = bounds;
    let distance = if step.is_negative() {
        start - stop
    } else {
        stop - start
    };
    if distance <= BigInt::ZERO {
        return BigInt::ZERO;
    }
    let step = step.abs();
    (distance + &step - 1) / step
}

fn character(code_point: u32) -> Datum {
    let mut kept = Vec::with_capacity(4);
    encode(&mut kept, code_point);
    Datum::Str(Text {
        kept: kept.into(),
        len: 1,
    })
}

fn byte_items(text: &Text) -> Vec<Datum> {
    text.kept.iter().map(|byte| Datum::int(*byte)).collect()
}

fn byte_array(content: &Content) -> Text {
    Text {
        kept: content
            .text
            .as_ref()
            .map_or_else(|| [].into(), |text| text.kept.clone()),
        len: content.len,
    }
}

/// Refuses what needs more of a text than was recorded.
pub(super) fn not_in_full<T>(kept: u64, len: u64) -> Outcome<T> {
    Err(ExpressionError::NotRecorded(format!(
        "only {} of {} were recorded",
        render::count(kept),
        render::counted(len, "character")
    )))
}
