//! Errors as people read them, and sizes as they write them.

/// An error with its causes, each told once: some errors have their cause in their own text.
pub(crate) fn with_causes(error: &anyhow::Error) -> String {
    let mut text = error.to_string();
    for cause in error.chain().skip(1) {
        let cause = cause.to_string();
        if !text.ends_with(&cause) {
            text.push_str(": ");
            text.push_str(&cause);
        }
    }
    text
}

/// Reads `500MB`, `2 GB`, `1.5GiB`, `1000`.
pub(crate) fn parse_size(text: &str) -> Result<u64, String> {
    let text = text.trim();
    let at = text
        .find(|letter: char| !letter.is_ascii_digit() && letter != '.')
        .unwrap_or(text.len());
    let (number, unit) = text.split_at(at);
    let factor: u64 = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kb" => 1_000,
        "m" | "mb" => 1_000_000,
        "g" | "gb" => 1_000_000_000,
        "t" | "tb" => 1_000_000_000_000,
        "kib" => 1 << 10,
        "mib" => 1 << 20,
        "gib" => 1 << 30,
        "tib" => 1 << 40,
        _ => return Err(format!("\"{unit}\" is no unit of size; use KB, MB or GB")),
    };
    let wrong = || "a size is a number with a unit, as 500MB or 2GB".to_owned();
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if number.is_empty() || fraction.len() > 9 {
        return Err(wrong());
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().map_err(|_| wrong())?
    };
    let mut bytes = u128::from(whole) * u128::from(factor);
    if !fraction.is_empty() {
        let part: u64 = fraction.parse().map_err(|_| wrong())?;
        let scale = 10_u128.pow(u32::try_from(fraction.len()).map_err(|_| wrong())?);
        bytes += u128::from(part) * u128::from(factor) / scale;
    }
    match u64::try_from(bytes) {
        Ok(0) => Err("the size must be more than nothing".to_owned()),
        Ok(bytes) => Ok(bytes),
        Err(_) => Err(wrong()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_is_told_once() {
        let error = anyhow::anyhow!("no such file")
            .context("cannot write a.retro: no such file")
            .context("record");
        assert_eq!(
            with_causes(&error),
            "record: cannot write a.retro: no such file"
        );
    }

    #[test]
    fn sizes_are_read_with_their_units() {
        let check = |text: &str, bytes| assert_eq!(parse_size(text).ok(), bytes, "{text}");
        check("1000", Some(1_000));
        check("500MB", Some(500_000_000));
        check("2 gb", Some(2_000_000_000));
        check("1.5GiB", Some(1_610_612_736));
        check(".5k", Some(500));
        check("0", None);
        check("GB", None);
        check("5 apples", None);
        check("1.2.3MB", None);
        check("99999999999999999TB", None);
        check("-5", None);
    }
}
