//! Sizes and times as people read them, the same in the terminal and in editors.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, Local};

/// `317 KB`, `1.2 GB`: units of 1,000.
#[must_use]
pub fn size(bytes: u64) -> String {
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
#[must_use]
pub fn duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        _ => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
    }
}

/// `14:32` today, `yesterday`, `12 Nov` this year, `12 Nov 2025` before.
#[must_use]
pub fn moment(time: SystemTime, now: SystemTime) -> String {
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
#[must_use]
pub fn full_moment(time: SystemTime) -> String {
    DateTime::<Local>::from(time).to_rfc3339_opts(chrono::SecondsFormat::Secs, false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_durations_read_well() {
        assert_eq!(size(999), "999 B");
        assert_eq!(size(1_000), "1.0 KB");
        assert_eq!(size(317_400), "317 KB");
        assert_eq!(size(2_149_000_000), "2.1 GB");
        assert_eq!(duration(Duration::from_millis(43)), "43 ms");
        assert_eq!(duration(Duration::from_millis(3_870)), "3.9 s");
        assert_eq!(duration(Duration::from_secs(245)), "4 min 5 s");
        assert_eq!(duration(Duration::from_secs(7_380)), "2 h 3 min");
    }

    #[test]
    fn days_are_told_by_their_distance() {
        let now = SystemTime::now();
        let day = Duration::from_secs(24 * 60 * 60);
        assert!(moment(now, now).contains(':'));
        assert_eq!(moment(now - day, now), "yesterday");
        assert!(!moment(now - 3 * day, now).contains(':'));
    }
}
