//! What is kept of the values that one line or one variable got.

use std::cmp::Ordering;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::Arc;

use retrostep_trace::hash::{Map, Mixer};
use retrostep_trace::{Position, Value};

/// Most different values that are told apart.
pub const MOST_DIFFERENT: usize = 1_000;
/// Most values of a series that are kept.
const MOST_SAMPLES: usize = 80;

/// The values that a line or a variable got, in the order of time.
#[derive(Clone, Debug)]
pub struct Values {
    /// How many.
    pub count: u64,
    /// The last one, `None` if it was deleted.
    pub last: Option<Value>,
    /// From where on the last one holds.
    pub last_at: Position,
    /// Different values with how often each came and when last; `None` if there are too many, or some
    /// cannot be told apart by themselves, such as containers.
    pub different: Option<Map<Key, Seen>>,
    /// The lowest and the highest, if all are numbers that can be compared.
    pub range: Option<(Extreme, Extreme)>,
    /// Evenly spaced values of the series, if all are numbers.
    pub samples: Vec<f64>,
    stride: u64,
    numeric: bool,
}

/// What tells values apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key(u64);

/// How often a value came, and when last.
#[derive(Clone, Debug)]
pub struct Seen {
    /// How often.
    pub count: u64,
    /// The value.
    pub value: Value,
    /// From where on it held, the last time.
    pub last_at: Position,
}

/// The lowest or highest of numbers.
#[derive(Clone, Debug)]
pub struct Extreme {
    /// The value.
    pub value: Value,
    /// From where on it held, the first time.
    pub at: Position,
    number: Number,
}

/// A value as far as it can be told apart and compared without reading objects.
#[derive(Clone, Debug)]
pub(crate) struct Reading {
    pub(crate) key: Option<Key>,
    pub(crate) number: Option<Number>,
}

/// A number that can be compared exactly.
#[derive(Clone, Debug)]
pub(crate) enum Number {
    Int(i64),
    Float(f64),
    /// Digits without a dot and without zeros in front, and how many of them stand after the dot.
    Decimal {
        negative: bool,
        digits: Arc<str>,
        scale: i32,
    },
}

impl Number {
    /// The order of two numbers of the same sort; `None` for others.
    fn compare(&self, other: &Number) -> Option<Ordering> {
        match (self, other) {
            (Number::Int(a), Number::Int(b)) => Some(a.cmp(b)),
            (Number::Float(a), Number::Float(b)) => a.partial_cmp(b),
            (Number::Int(int), Number::Float(float)) => compare_mixed(*int, *float),
            (Number::Float(float), Number::Int(int)) => {
                compare_mixed(*int, *float).map(Ordering::reverse)
            }
            (Number::Decimal { negative: a, .. }, Number::Decimal { negative: b, .. })
                if a != b =>
            {
                Some(b.cmp(a))
            }
            (
                Number::Decimal {
                    negative,
                    digits: a,
                    scale: a_scale,
                },
                Number::Decimal {
                    digits: b,
                    scale: b_scale,
                    ..
                },
            ) => {
                let order = compare_digits((a, *a_scale), (b, *b_scale));
                Some(if *negative { order.reverse() } else { order })
            }
            _ => None,
        }
    }

    /// About how large it is.
    pub(crate) fn approximate(&self) -> f64 {
        match self {
            Number::Int(value) => *value as f64,
            Number::Float(value) => *value,
            Number::Decimal {
                negative,
                digits,
                scale,
            } => {
                let digits = if digits.is_empty() { "0" } else { digits };
                let sign = if *negative { "-" } else { "" };
                if digits.is_empty() {
                    return 0.0;
                }
                let text = format!("{sign}{digits}e{}", i64::from(*scale).saturating_neg());
                text.parse().unwrap_or(f64::NAN)
            }
        }
    }

    /// The number that a decimal's text says, such as `-18.7500` or `1E+3`.
    pub(crate) fn decimal(text: &str) -> Option<Number> {
        let (text, exponent) = match text.split_once(['E', 'e']) {
            Some((text, exponent)) => (text, exponent.parse::<i32>().ok()?),
            None => (text, 0),
        };
        let (negative, text) = match text.strip_prefix('-') {
            Some(text) => (true, text),
            None => (false, text),
        };
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits = format!("{whole}{part}");
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let digits = digits.trim_start_matches('0');
        Some(Number::Decimal {
            // Zero has no sign that counts.
            negative: negative && !digits.is_empty(),
            digits: digits.into(),
            scale: i32::try_from(part.len()).ok()?.checked_sub(exponent)?,
        })
    }
}

/// Compares two numbers without a sign, by their digits and scales.
fn compare_digits((a, a_scale): (&str, i32), (b, b_scale): (&str, i32)) -> Ordering {
    if a.is_empty() || b.is_empty() {
        return b.is_empty().cmp(&a.is_empty());
    }
    let whole = |digits: &str, scale: i32| digits.len() as i64 - i64::from(scale);
    whole(a, a_scale).cmp(&whole(b, b_scale)).then_with(|| {
        let (a, b) = (a.trim_end_matches('0'), b.trim_end_matches('0'));
        a.cmp(b)
    })
}

fn compare_mixed(int: i64, float: f64) -> Option<Ordering> {
    /// Up to here every integer is a float.
    const EXACT: i64 = 1 << 53;
    (-EXACT..=EXACT)
        .contains(&int)
        .then(|| (int as f64).partial_cmp(&float))
        .flatten()
}

impl Values {
    pub(crate) fn new() -> Values {
        Values {
            count: 0,
            last: None,
            last_at: Position::START,
            different: Some(Map::default()),
            range: None,
            samples: Vec::new(),
            stride: 1,
            numeric: true,
        }
    }

    /// Takes in a value that holds from `at` on; `read` tells what it is.
    pub(crate) fn add(
        &mut self,
        value: Option<&Value>,
        at: Position,
        read: impl FnOnce() -> Reading,
    ) {
        self.last = value.cloned();
        self.last_at = at;
        let number = self.count;
        self.count += 1;
        if !self.numeric && self.different.is_none() {
            return;
        }
        let Some(value) = value else {
            self.numeric = false;
            self.different = None;
            return;
        };
        let reading = read();
        self.tell_apart(reading.key, value, at);
        match reading.number {
            Some(read) if self.numeric => self.measure(number, read, value, at),
            _ => self.leave_numbers(),
        }
    }

    /// Whether all values are numbers that can be compared.
    #[must_use]
    pub fn are_numbers(&self) -> bool {
        self.numeric && self.count > 0
    }

    fn tell_apart(&mut self, key: Option<Key>, value: &Value, at: Position) {
        let (Some(key), Some(different)) = (key, &mut self.different) else {
            self.different = None;
            return;
        };
        let is_full = different.len() >= MOST_DIFFERENT;
        match different.get_mut(&key) {
            Some(seen) => {
                seen.count += 1;
                seen.last_at = at;
                // The same number can be written in several ways; the last one is told.
                seen.value = value.clone();
            }
            None if !is_full => {
                let seen = Seen {
                    count: 1,
                    value: value.clone(),
                    last_at: at,
                };
                different.insert(key, seen);
            }
            None => self.different = None,
        }
    }

    fn measure(&mut self, index: u64, number: Number, value: &Value, at: Position) {
        if index.is_multiple_of(self.stride) {
            self.samples.push(number.approximate());
            if self.samples.len() > MOST_SAMPLES {
                let mut keep = false;
                self.samples.retain(|_| {
                    keep = !keep;
                    keep
                });
                self.stride *= 2;
            }
        }
        let new = || Extreme {
            value: value.clone(),
            at,
            number: number.clone(),
        };
        let Some((lowest, highest)) = &mut self.range else {
            match number.compare(&number) {
                Some(_) => self.range = Some((new(), new())),
                None => self.leave_numbers(),
            }
            return;
        };
        match (
            number.compare(&lowest.number),
            number.compare(&highest.number),
        ) {
            (Some(below), Some(above)) => {
                if below.is_lt() {
                    *lowest = new();
                }
                if above.is_gt() {
                    *highest = new();
                }
            }
            _ => self.leave_numbers(),
        }
    }

    fn leave_numbers(&mut self) {
        self.numeric = false;
        self.range = None;
        self.samples = Vec::new();
    }
}

impl Key {
    fn of_number(sort: u32, bits: u64) -> Key {
        let mut hasher = Mixer::default();
        hasher.write_u32(sort);
        hasher.write_u64(bits);
        Key(hasher.finish())
    }
}

impl Reading {
    /// A value that cannot be told apart by itself.
    pub(crate) fn unknown() -> Reading {
        Reading {
            key: None,
            number: None,
        }
    }

    /// What a value that is no object is.
    pub(crate) fn of_scalar(value: &Value) -> Reading {
        let number = match value {
            Value::Int(value) => Some(Number::Int(*value)),
            Value::Float(value) => Some(Number::Float(*value)),
            _ => None,
        };
        // Most values are numbers: of one sort no two have the same key.
        let quick = match value {
            Value::Int(value) => Some(Key::of_number(1, value.cast_unsigned())),
            Value::Float(value) => Some(Key::of_number(2, value.to_bits())),
            _ => None,
        };
        if quick.is_some() {
            return Reading { key: quick, number };
        }
        let mut hasher = DefaultHasher::new();
        std::mem::discriminant(value).hash(&mut hasher);
        match value {
            Value::None | Value::Ellipsis | Value::NotImplemented => {}
            Value::Bool(value) => value.hash(&mut hasher),
            Value::BigInt(bytes) => bytes.hash(&mut hasher),
            Value::Complex(real, imaginary) => {
                (real.to_bits(), imaginary.to_bits()).hash(&mut hasher);
            }
            Value::Str(text) | Value::Bytes(text) => {
                let kept_all = matches!(value, Value::Bytes(_) if text.kept.len() as u64 == text.len)
                    || (matches!(value, Value::Str(_))
                        && crate::render::code_points(&text.kept).count() as u64 == text.len);
                if !kept_all {
                    return Reading { key: None, number };
                }
                text.kept.hash(&mut hasher);
            }
            Value::Int(_) | Value::Float(_) | Value::Object(_) | Value::Unavailable(_) => {
                return Reading { key: None, number };
            }
        }
        Reading {
            key: Some(Key(hasher.finish())),
            number,
        }
    }

    /// What an object is whose text says all of it.
    pub(crate) fn of_literal(type_id: u32, text: &str) -> Reading {
        let decimal = text
            .strip_prefix("Decimal('")
            .and_then(|rest| rest.strip_suffix("')"));
        let mut hasher = DefaultHasher::new();
        (type_id, text).hash(&mut hasher);
        Reading {
            key: Some(Key(hasher.finish())),
            number: decimal.and_then(Number::decimal),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(all: &[Value]) -> Values {
        let mut values = Values::new();
        for (at, value) in (1..).zip(all) {
            values.add(Some(value), Position(at), || Reading::of_scalar(value));
        }
        values
    }

    #[test]
    fn decimals_compare_as_numbers() {
        let ascending = [
            "-100", "-18.75", "-18.7", "-0.5", "0.000", "1E-3", "0.10", "0.2", "1.20", "9.99",
            "1E+1", "11", "100.00", "1.0E+3",
        ];
        for (index, lower) in ascending.iter().enumerate() {
            for higher in ascending.iter().skip(index + 1) {
                let (a, b) = (
                    Number::decimal(lower).unwrap(),
                    Number::decimal(higher).unwrap(),
                );
                assert_eq!(a.compare(&b), Some(Ordering::Less), "{lower} {higher}");
                assert_eq!(b.compare(&a), Some(Ordering::Greater), "{higher} {lower}");
                assert!(a.approximate() < b.approximate());
            }
        }
        let equal = (Number::decimal("0.0"), Number::decimal("-0.00"));
        assert_eq!(
            equal.0.unwrap().compare(&equal.1.unwrap()),
            Some(Ordering::Equal)
        );
        for text in ["NaN", "Infinity", "", "-", "1E", "sNaN1"] {
            assert!(Number::decimal(text).is_none(), "{text}");
        }
    }

    #[test]
    fn a_series_keeps_its_extremes_and_few_samples() {
        let all: Vec<Value> = (0..10_000).map(|i| Value::Int((i * 37) % 1_009)).collect();
        let values = values(&all);
        let (lowest, highest) = values.range.clone().unwrap();
        assert_eq!(
            (lowest.value, highest.value),
            (Value::Int(0), Value::Int(1_008))
        );
        assert!(values.samples.len() <= MOST_SAMPLES && values.samples.len() > MOST_SAMPLES / 3);
        assert!(values.different.is_none());
        assert!(values.are_numbers());
    }

    #[test]
    fn numbers_that_cannot_be_compared_have_no_range() {
        assert!(values(&[Value::Float(f64::NAN)]).range.is_none());
        assert!(
            values(&[Value::Int(1), Value::Float(f64::NAN)])
                .range
                .is_none()
        );
        assert!(
            values(&[Value::Int(i64::MAX), Value::Float(1.0)])
                .range
                .is_none()
        );
        assert!(values(&[Value::Int(1), Value::Float(0.5)]).range.is_some());
        assert!(values(&[Value::Int(1), Value::None]).range.is_none());
        assert!(!values(&[Value::Bool(true)]).are_numbers());
    }
}
