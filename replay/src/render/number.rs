//! Numbers as Python's `repr` writes them.

use num_bigint::BigInt;

/// Integers with more bits than this are described, not written out.
const MAX_BITS: u64 = 50_000;

/// A float: the shortest digits that read back as the same number, with an exponent from `1e+16` up
/// and below `0.0001`.
pub(crate) fn float(value: f64) -> String {
    let mut text = plain(value);
    if value.is_finite() && !text.contains(['.', 'e']) {
        text.push_str(".0");
    }
    text
}

/// A complex number: `(1-2j)`, `2j`.
pub(crate) fn complex(real: f64, imaginary: f64) -> String {
    if real == 0.0 && real.is_sign_positive() {
        return format!("{}j", plain(imaginary));
    }
    let sign = if imaginary.is_nan() || imaginary.is_sign_positive() {
        "+"
    } else {
        ""
    };
    format!("({}{sign}{}j)", plain(real), plain(imaginary))
}

/// An integer in decimal.
pub(crate) fn integer(value: &BigInt) -> String {
    if value.bits() > MAX_BITS {
        return format!("<integer of {} bits>", super::count(value.bits()));
    }
    value.to_string()
}

/// A float without the `.0` of whole numbers.
fn plain(value: f64) -> String {
    if value.is_nan() {
        return "nan".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "inf" } else { "-inf" }.to_owned();
    }
    let scientific = shortest(value);
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        return positional(mantissa, exponent);
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}

/// The shortest digits that read back as the number, in the form `-1.25e-7`. Where two such numbers of
/// digits are equally near, the even one, as Python has it.
fn shortest(value: f64) -> String {
    let shortest = format!("{value:e}");
    let mantissa = shortest.split('e').next().unwrap_or_default();
    let digits = mantissa.bytes().filter(u8::is_ascii_digit).count();
    let rounded = format!("{value:.*e}", digits.saturating_sub(1));
    if rounded.parse() == Ok(value) {
        rounded
    } else {
        shortest
    }
}

/// Digits with the point put where the exponent says.
fn positional(mantissa: &str, exponent: i32) -> String {
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => ("-", rest),
        None => ("", mantissa),
    };
    let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
    if exponent < 0 {
        let zeros = usize::try_from(-exponent - 1).unwrap_or(0);
        return format!("{sign}0.{}{digits}", "0".repeat(zeros));
    }
    let whole = usize::try_from(exponent).unwrap_or(0) + 1;
    if digits.len() <= whole {
        return format!("{sign}{digits}{}", "0".repeat(whole - digits.len()));
    }
    let (whole, fraction) = digits.split_at(whole);
    format!("{sign}{whole}.{fraction}")
}
