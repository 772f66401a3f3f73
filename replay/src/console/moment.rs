//! Moments by name: `184266`, `-200`, `3.2s`, `start`, `end`, `exception`.

use super::{ConsoleError, Context, Result};
use crate::Stop;
use retrostep_trace::Position;

/// Goes to the moment that a text names.
pub(super) fn seek(ctx: &mut Context<'_>, text: &str) -> Result<Stop> {
    let text = text.trim().replace([',', '_'], "");
    let now = ctx.timeline.position();
    let stop = match text.as_str() {
        "" => {
            return Err(ConsoleError::Input(
                "where to? an event (184266, -200), a time (3.2s), start, end or exception"
                    .to_owned(),
            ));
        }
        "start" => ctx.timeline.seek(Position::START)?,
        "end" => ctx.timeline.seek(ctx.timeline.end())?,
        "exception" => ctx.timeline.seek_failure()?,
        _ => match (relative(&text, now), seconds(&text)) {
            (Some(position), _) => {
                if position > ctx.timeline.end() {
                    return Err(ConsoleError::Input(format!(
                        "no event {}; the last one is {}",
                        crate::render::count(position.0),
                        crate::render::count(ctx.timeline.end().0)
                    )));
                }
                ctx.timeline.seek(position)?
            }
            (None, Some(time_ns)) => ctx.timeline.seek_time(time_ns)?,
            (None, None) => {
                return Err(ConsoleError::Input(format!(
                    "no moment {text:?}: use an event (184266, -200), a time (3.2s), start, end or \
                     exception"
                )));
            }
        },
    };
    Ok(stop)
}

fn relative(text: &str, now: Position) -> Option<Position> {
    if let Some(back) = text.strip_prefix('-') {
        return Some(Position(now.0.saturating_sub(back.parse().ok()?)));
    }
    if let Some(on) = text.strip_prefix('+') {
        return Some(Position(now.0.saturating_add(on.parse().ok()?)));
    }
    text.parse().ok().map(Position)
}

/// A time since the start in nanoseconds: `3.2s`, `150ms`.
fn seconds(text: &str) -> Option<u64> {
    let (number, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 1e6),
        (None, Some(number)) => (number, 1e9),
        (None, None) => return None,
    };
    let number: f64 = number.trim().parse().ok()?;
    (number.is_finite() && number >= 0.0).then_some((number * unit) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read() {
        let now = Position(500);
        assert_eq!(relative("184266", now), Some(Position(184_266)));
        assert_eq!(relative("-200", now), Some(Position(300)));
        assert_eq!(relative("-900", now), Some(Position(0)));
        assert_eq!(relative("+5", now), Some(Position(505)));
        assert_eq!(relative("soon", now), None);
        assert_eq!(seconds("3.2s"), Some(3_200_000_000));
        assert_eq!(seconds("150ms"), Some(150_000_000));
        assert_eq!(seconds("-1s"), None);
        assert_eq!(seconds("s"), None);
    }
}
