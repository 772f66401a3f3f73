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
    let scientific = format!("{value:e}");
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..16).contains(&exponent) {
        return format!("{value}");
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{mantissa}e{sign}{:02}", exponent.unsigned_abs())
}
