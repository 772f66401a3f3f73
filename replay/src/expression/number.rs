//! Arithmetic with Python's rules: integers of any size, exact comparisons, floor division.

use std::cmp::Ordering;

use num_bigint::{BigInt, Sign};
use num_traits::{FromPrimitive as _, Signed as _, ToPrimitive as _, Zero as _};

use super::ExpressionError;
use super::evaluate::{Outcome, raised};
use super::syntax::BinaryOperator;
use crate::Datum;

/// Integers with more bits are not worked out.
const MAX_BITS: u64 = 4_000_000;

/// The integer that a value is; `bool` is one too.
pub(super) fn integer(value: &Datum) -> Option<BigInt> {
    match value {
        Datum::Int(value) => Some((**value).clone()),
        Datum::Bool(value) => Some(BigInt::from(u8::from(*value))),
        _ => None,
    }
}

/// Whether a value is a built-in number.
pub(super) fn is_number(value: &Datum) -> bool {
    matches!(
        value,
        Datum::Int(_) | Datum::Bool(_) | Datum::Float(_) | Datum::Complex(..)
    )
}

/// The float that an integer becomes in arithmetic with floats.
pub(super) fn to_float(value: &BigInt) -> Outcome<f64> {
    match value.to_f64() {
        Some(float) if float.is_finite() => Ok(float),
        _ => raised("OverflowError", "int too large to convert to float"),
    }
}

fn float(value: &Datum) -> Outcome<Option<f64>> {
    match (value, integer(value)) {
        (Datum::Float(value), _) => Ok(Some(*value)),
        (_, Some(value)) => Ok(Some(to_float(&value)?)),
        _ => Ok(None),
    }
}

/// An operator between two numbers; `None` if one of them is no number or the operator is not defined.
pub(super) fn binary(
    operator: BinaryOperator,
    left: &Datum,
    right: &Datum,
) -> Outcome<Option<Datum>> {
    if !is_number(left) || !is_number(right) {
        return Ok(None);
    }
    if let (Some(a), Some(b)) = (integer(left), integer(right)) {
        let both_bool = matches!((left, right), (Datum::Bool(_), Datum::Bool(_)));
        return integers(operator, &a, &b).map(|value| match value {
            Some(Datum::Int(value))
                if both_bool
                    && matches!(
                        operator,
                        BinaryOperator::And | BinaryOperator::Or | BinaryOperator::Xor
                    ) =>
            {
                Some(Datum::Bool(!value.is_zero()))
            }
            other => other,
        });
    }
    if let (Some((a, b)), Some((c, d))) = (complex(left)?, complex(right)?)
        && (matches!(left, Datum::Complex(..)) || matches!(right, Datum::Complex(..)))
    {
        return complexes(operator, (a, b), (c, d));
    }
    let (Some(a), Some(b)) = (float(left)?, float(right)?) else {
        return Ok(None);
    };
    floats(operator, a, b)
}

fn complex(value: &Datum) -> Outcome<Option<(f64, f64)>> {
    if let Datum::Complex(real, imaginary) = value {
        return Ok(Some((*real, *imaginary)));
    }
    Ok(float(value)?.map(|real| (real, 0.0)))
}

fn complexes(
    operator: BinaryOperator,
    (a, b): (f64, f64),
    (c, d): (f64, f64),
) -> Outcome<Option<Datum>> {
    Ok(Some(match operator {
        BinaryOperator::Add => Datum::Complex(a + c, b + d),
        BinaryOperator::Subtract => Datum::Complex(a - c, b - d),
        BinaryOperator::Multiply => Datum::Complex(a * c - b * d, a * d + b * c),
        BinaryOperator::Divide | BinaryOperator::Power => {
            return Err(ExpressionError::Refused(format!(
                "{} of complex numbers is not evaluated on a recording",
                operator.symbol()
            )));
        }
        _ => return Ok(None),
    }))
}

fn integers(operator: BinaryOperator, a: &BigInt, b: &BigInt) -> Outcome<Option<Datum>> {
    let bits = a.bits() + b.bits();
    let value = match operator {
        BinaryOperator::Add => a + b,
        BinaryOperator::Subtract => a - b,
        BinaryOperator::Multiply => {
            limit(bits)?;
            a * b
        }
        BinaryOperator::Divide => return divide(a, b).map(|value| Some(Datum::Float(value))),
        BinaryOperator::FloorDivide => floor_divide(a, b)?.0,
        BinaryOperator::Modulo => floor_divide(a, b)?.1,
        BinaryOperator::Power if b.is_negative() => {
            return power(to_float(a)?, to_float(b)?).map(|value| Some(Datum::Float(value)));
        }
        BinaryOperator::Power => {
            let exponent = match a.bits() {
                // 0 and 1 stay small whatever the exponent; only its parity matters for -1.
                0 | 1 => (b % 2_u8).to_u32().unwrap_or(0) + if b.is_zero() { 0 } else { 2 },
                _ => {
                    let exponent = b.to_u32().unwrap_or(u32::MAX);
                    limit(a.bits().saturating_mul(u64::from(exponent)))?;
                    exponent
                }
            };
            a.pow(exponent)
        }
        BinaryOperator::ShiftLeft | BinaryOperator::ShiftRight if b.is_negative() => {
            return raised("ValueError", "negative shift count");
        }
        BinaryOperator::ShiftLeft => {
            let by = b.to_u64().unwrap_or(u64::MAX);
            if !a.is_zero() {
                limit(a.bits().saturating_add(by))?;
            }
            if a.is_zero() { BigInt::ZERO } else { a << by }
        }
        BinaryOperator::ShiftRight => match b.to_u64() {
            Some(by) if by <= a.bits() => a >> by,
            _ if a.is_negative() => BigInt::from(-1),
            _ => BigInt::ZERO,
        },
        BinaryOperator::And => a & b,
        BinaryOperator::Or => a | b,
        BinaryOperator::Xor => a ^ b,
        BinaryOperator::MatrixMultiply => return Ok(None),
    };
    Ok(Some(Datum::int(value)))
}

fn limit(bits: u64) -> Outcome<()> {
    if bits > MAX_BITS {
        return Err(ExpressionError::TooLarge(
            "the number is too large to work out here".to_owned(),
        ));
    }
    Ok(())
}

/// Quotient rounded down, and the remainder with the divisor's sign.
pub(super) fn floor_divide(a: &BigInt, b: &BigInt) -> Outcome<(BigInt, BigInt)> {
    if b.is_zero() {
        return raised("ZeroDivisionError", "integer division or modulo by zero");
    }
    let (mut quotient, mut remainder) = (a / b, a % b);
    if !remainder.is_zero() && remainder.is_negative() != b.is_negative() {
        quotient -= 1;
        remainder += b;
    }
    Ok((quotient, remainder))
}

/// True division of integers, rounded correctly to the nearest float.
fn divide(a: &BigInt, b: &BigInt) -> Outcome<f64> {
    if b.is_zero() {
        return raised("ZeroDivisionError", "division by zero");
    }
    if a.bits() <= 53
        && b.bits() <= 53
        && let (Some(a), Some(b)) = (a.to_f64(), b.to_f64())
    {
        return Ok(a / b);
    }
    // The quotient gets at least 66 significant bits; a last bit stands for all that is cut off.
    // Below the smallest normal float fewer bits may be kept, so that rounding happens once.
    let wanted = 66 - (a.bits() as i64 - b.bits() as i64);
    let shift = wanted.min(1140);
    let (numerator, denominator) = if shift >= 0 {
        (a.magnitude() << shift.unsigned_abs(), b.magnitude().clone())
    } else {
        (a.magnitude().clone(), b.magnitude() << shift.unsigned_abs())
    };
    let mut quotient = &numerator / &denominator;
    if !(&numerator % &denominator).is_zero() {
        quotient = (quotient << 1_u32) | num_bigint::BigUint::from(1_u8);
    } else {
        quotient <<= 1_u32;
    }
    let exponent = -(shift + 1);
    let magnitude = scale(&quotient, exponent);
    if magnitude.is_infinite() {
        return raised(
            "OverflowError",
            "integer division result too large for a float",
        );
    }
    Ok(if a.is_negative() != b.is_negative() {
        -magnitude
    } else {
        magnitude
    })
}

/// `value * 2^exponent`, rounded once to the nearest float, ties to even.
fn scale(value: &num_bigint::BigUint, exponent: i64) -> f64 {
    let bits = value.bits() as i64;
    if bits == 0 {
        return 0.0;
    }
    // The lowest exponent that a float's last bit can have is -1074.
    let drop = (bits - 53).max(-1074 - exponent).max(0);
    let mut kept = value >> drop.unsigned_abs();
    if drop > 0 {
        let rest = value - (&kept << drop.unsigned_abs());
        let half = num_bigint::BigUint::from(1_u8) << (drop.unsigned_abs() - 1);
        let odd = kept.bit(0);
        if rest > half || (rest == half && odd) {
            kept += 1_u8;
        }
    }
    let kept = kept.to_f64().unwrap_or(f64::INFINITY);
    let mut exponent = exponent + drop;
    let mut result = kept;
    // Two factors, so that neither leaves the range on the way.
    while exponent != 0 && result != 0.0 && result.is_finite() {
        let step = exponent.clamp(-1000, 1000);
        result *= 2_f64.powi(i32::try_from(step).unwrap_or(0));
        exponent -= step;
    }
    result
}

fn floats(operator: BinaryOperator, a: f64, b: f64) -> Outcome<Option<Datum>> {
    let zero = |message: &str| raised("ZeroDivisionError", message);
    Ok(Some(Datum::Float(match operator {
        BinaryOperator::Add => a + b,
        BinaryOperator::Subtract => a - b,
        BinaryOperator::Multiply => a * b,
        BinaryOperator::Divide if b == 0.0 => return zero("float division by zero"),
        BinaryOperator::Divide => a / b,
        BinaryOperator::FloorDivide if b == 0.0 => {
            return zero("float floor division by zero");
        }
        BinaryOperator::Modulo if b == 0.0 => return zero("float modulo"),
        BinaryOperator::FloorDivide => divmod(a, b).0,
        BinaryOperator::Modulo => divmod(a, b).1,
        BinaryOperator::Power => power(a, b)?,
        _ => return Ok(None),
    })))
}

/// Python's `divmod` of floats, signed zeros included; `b` is not zero.
pub(super) fn divmod(a: f64, b: f64) -> (f64, f64) {
    let mut modulo = a % b;
    let mut quotient = (a - modulo) / b;
    if modulo == 0.0 {
        modulo = 0.0_f64.copysign(b);
    } else if (b < 0.0) != (modulo < 0.0) {
        modulo += b;
        quotient -= 1.0;
    }
    let floor = if quotient == 0.0 {
        0.0_f64.copysign(a / b)
    } else {
        let floor = quotient.floor();
        if quotient - floor > 0.5 {
            floor + 1.0
        } else {
            floor
        }
    };
    (floor, modulo)
}

fn power(a: f64, b: f64) -> Outcome<f64> {
    if a == 0.0 && b < 0.0 {
        return raised(
            "ZeroDivisionError",
            "0.0 cannot be raised to a negative power",
        );
    }
    if a < 0.0 && a.is_finite() && b.is_finite() && b.fract() != 0.0 {
        return Err(ExpressionError::Refused(
            "** with a complex result is not evaluated on a recording".to_owned(),
        ));
    }
    let value = a.powf(b);
    if value.is_infinite() && a.is_finite() && b.is_finite() {
        return raised("OverflowError", "(34, 'Numerical result out of range')");
    }
    Ok(value)
}

/// A number as an exact fraction of integers with a positive denominator, or an infinity.
#[derive(Clone, Debug)]
pub(super) enum Exact {
    Fraction(BigInt, BigInt),
    Infinity(Sign),
}

impl Exact {
    pub(super) fn is_zero(&self) -> bool {
        matches!(self, Exact::Fraction(numerator, _) if numerator.is_zero())
    }

    /// `None` for a NaN.
    pub(super) fn of_float(value: f64) -> Option<Exact> {
        if value.is_infinite() {
            let sign = if value > 0.0 { Sign::Plus } else { Sign::Minus };
            return Some(Exact::Infinity(sign));
        }
        let bits = value.to_bits();
        let raw = i64::from_u64(bits >> 52 & 0x7ff)?;
        let fraction = bits & ((1 << 52) - 1);
        if raw == 0x7ff {
            return None;
        }
        let (mantissa, exponent) = if raw == 0 {
            (fraction, -1074)
        } else {
            (fraction | 1 << 52, raw - 1075)
        };
        let mut numerator = BigInt::from(mantissa);
        if value.is_sign_negative() {
            numerator = -numerator;
        }
        Some(if exponent >= 0 {
            Exact::Fraction(numerator << exponent.unsigned_abs(), BigInt::from(1))
        } else {
            Exact::Fraction(numerator, BigInt::from(1) << exponent.unsigned_abs())
        })
    }

    pub(super) fn compare(&self, other: &Exact) -> Ordering {
        match (self, other) {
            (Exact::Fraction(a, b), Exact::Fraction(c, d)) => (a * d).cmp(&(c * b)),
            (Exact::Infinity(a), Exact::Infinity(b)) => a.cmp(b),
            (Exact::Infinity(sign), _) => sign.cmp(&Sign::NoSign),
            (_, Exact::Infinity(sign)) => Sign::NoSign.cmp(sign),
        }
    }
}

/// A real number exactly; `None` if it is a NaN or no real number.
pub(super) fn exact(value: &Datum) -> Option<Exact> {
    match value {
        Datum::Float(value) => Exact::of_float(*value),
        _ => integer(value).map(|value| Exact::Fraction(value, BigInt::from(1))),
    }
}

/// A `Decimal('1.20')` exactly. The outer `None`: no such text; the inner: not a number.
pub(super) fn decimal(text: &str) -> Option<Option<Exact>> {
    let digits = text.strip_prefix("Decimal('")?.strip_suffix("')")?;
    let (negative, digits) = match digits.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, digits),
    };
    let sign = if negative { Sign::Minus } else { Sign::Plus };
    if digits == "Infinity" {
        return Some(Some(Exact::Infinity(sign)));
    }
    if digits.starts_with("NaN") || digits.starts_with("sNaN") {
        return Some(None);
    }
    let (mantissa, exponent) = digits.split_once('E').unwrap_or((digits, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    if all.is_empty() || !all.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let mut numerator: BigInt = all.parse().ok()?;
    if negative {
        numerator = -numerator;
    }
    let exponent = exponent.checked_sub(i64::try_from(fraction.len()).ok()?)?;
    let power = u32::try_from(exponent.unsigned_abs()).ok()?;
    if power > 20_000 {
        return None;
    }
    let ten = BigInt::from(10).pow(power);
    Some(Some(if exponent >= 0 {
        Exact::Fraction(numerator * ten, BigInt::from(1))
    } else {
        Exact::Fraction(numerator, ten)
    }))
}
