//! Numbers, sizes, times and errors as people read them.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Local};

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

/// `184312` as `184,312`.
pub(crate) fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 event`, `2 events`.
pub(crate) fn counted(number: u64, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(number))
}

/// `317 KB`, `1.2 GB`: units of 1,000.
pub(crate) fn size(bytes: u64) -> String {
    let mut unit_bytes = 1_000_u64;
    for unit in ["KB", "MB", "GB", "TB"] {
        let next = unit_bytes * 1_000;
        if bytes < 1_000 {
            return format!("{bytes} B");
        }
        if bytes < next || unit == "TB" {
            let tenths =
                (u128::from(bytes) * 10 + u128::from(unit_bytes) / 2) / u128::from(unit_bytes);
            return if tenths < 100 {
                format!("{}.{} {unit}", tenths / 10, tenths % 10)
            } else {
                format!("{} {unit}", (tenths + 5) / 10)
            };
        }
        unit_bytes = next;
    }
    format!("{bytes} B")
}

/// `43 ms`, `3.9 s`, `4 min 5 s`, `2 h 3 min`.
pub(crate) fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{}.{} s", seconds, duration.subsec_millis() / 100),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `14:32` today, `yesterday`, `12 Nov` this year, `12 Nov 2025` before.
pub(crate) fn moment(time: SystemTime, now: SystemTime) -> String {
    let time = DateTime::<Local>::from(time);
    let now = DateTime::<Local>::from(now);
    let (day, today) = (time.date_naive(), now.date_naive());
    if day == today {
        time.format("%H:%M").to_string()
    } else if Some(day) == today.pred_opt() {
        "yesterday".to_owned()
    } else if time.format("%Y").to_string() == now.format("%Y").to_string() {
        time.format("%-d %b").to_string()
    } else {
        time.format("%-d %b %Y").to_string()
    }
}

/// The time in full, with its zone.
pub(crate) fn full_moment(time: SystemTime) -> String {
    DateTime::<Local>::from(time).to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
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
    fn numbers_read_well() {
        assert_eq!(count(184_312), "184,312");
        assert_eq!(count(12), "12");
        assert_eq!(counted(1, "event"), "1 event");
        assert_eq!(counted(2_100, "event"), "2,100 events");
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_000), "1.0 KB");
        assert_eq!(size(317_400), "317 KB");
        assert_eq!(size(2_149_000_000), "2.1 GB");
        assert_eq!(duration(Duration::from_millis(43)), "43 ms");
        assert_eq!(duration(Duration::from_millis(3_960)), "3.9 s");
        assert_eq!(duration(Duration::from_secs(245)), "4 min 5 s");
        assert_eq!(duration(Duration::from_secs(7_380)), "2 h 3 min");
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
