//! Two calls, side by side: one step of each, then what changed since the step before.

use retrostep_trace::{Event, Position, Value};

use super::side::{Next, Side};
use super::text::SharedLines;
use super::value::{Moment, unequal};
use super::{Difference, DifferenceKind};
use crate::exception::ExceptionFacts;
use crate::{Result, render};

/// A difference, before it is known in which call.
#[derive(Debug)]
pub(super) struct Found {
    kind: DifferenceKind,
    positions: [Position; 2],
    lines: [u32; 2],
    text: String,
}

impl Found {
    pub(super) fn tell(self, call: u64) -> Difference {
        let place = match self.lines {
            [0, 0] => String::new(),
            [a, b] if a == b || b == 0 => format!(" (line {a})"),
            [0, b] => format!(" (line {b})"),
            [a, b] => format!(" (line {a}, in the other {b})"),
        };
        let place = match self.kind {
            DifferenceKind::Text => String::new(),
            _ => place,
        };
        Difference {
            kind: self.kind,
            call,
            positions: self.positions.map(Some),
            lines: self.lines,
            text: format!("call {}: {}{place}", render::count(call), self.text),
        }
    }
}

/// The first difference between two calls; none also when no line is left to compare.
pub(super) fn first_difference(
    a: &mut Side<'_>,
    b: &mut Side<'_>,
    lines: &SharedLines,
    left: &mut u64,
) -> Result<Option<Found>> {
    loop {
        a.cancel.check()?;
        if *left == 0 {
            return Ok(None);
        }
        *left -= 1;
        let (next_a, next_b) = (a.next()?, b.next()?);
        let to = [next_a.position(), next_b.position()];
        if let Some(found) = values_differ(a, b, to)? {
            return Ok(Some(found));
        }
        match (next_a, next_b) {
            (Next::Line(line_a, at_a), Next::Line(line_b, at_b)) => {
                let relative = [a.relative(line_a), b.relative(line_b)];
                match lines.is_same_line(relative) {
                    Some(true) => {}
                    Some(false) => return Ok(Some(path(a, b, next_a, next_b))),
                    None => {
                        return Ok(Some(Found {
                            kind: DifferenceKind::Text,
                            positions: to,
                            lines: [line_a, line_b],
                            text: lines.sentence(),
                        }));
                    }
                }
                (a.at, a.line) = (at_a, line_a);
                (b.at, b.line) = (at_b, line_b);
            }
            (Next::Exit(_), Next::Exit(_)) => return ends_differ(a, b),
            _ => return Ok(Some(path(a, b, next_a, next_b))),
        }
    }
}

fn path(a: &Side<'_>, b: &Side<'_>, next_a: Next, next_b: Next) -> Found {
    let words = |side: &Side<'_>, next| match next {
        Next::Line(line, _) => format!("line {line}"),
        Next::Exit(_) if !side.ended => "nothing more recorded".to_owned(),
        Next::Exit(_) => "the end of the call".to_owned(),
    };
    let after = match a.line {
        0 => "first".to_owned(),
        line => format!("after line {line}"),
    };
    let text = format!(
        "{after} comes {} in one, {} in the other",
        words(a, next_a),
        words(b, next_b)
    );
    Found {
        kind: DifferenceKind::Path,
        positions: [next_a.position(), next_b.position()],
        // The sentence names the lines.
        lines: [0, 0],
        text,
    }
}

/// The first value that differs where both calls go on to `to`.
fn values_differ(a: &mut Side<'_>, b: &mut Side<'_>, to: [Position; 2]) -> Result<Option<Found>> {
    let mut names = a.changed(to[0])?;
    names.extend(b.changed(to[1])?);
    let moments = [a.moment(to[0]), b.moment(to[1])];
    let is_call = a.line == 0;
    for name in names {
        // A name of one text only is a difference of the texts, which the lines tell.
        if !a.has_name(&name) || !b.has_name(&name) {
            continue;
        }
        let (value_a, value_b) = (a.value(&name, to[0])?, b.value(&name, to[1])?);
        let pair = (moments[0], value_a.as_ref());
        let Some(found) = unequal(pair, (moments[1], value_b.as_ref()))? else {
            continue;
        };
        let kind = if is_call && a.is_argument(&name) {
            DifferenceKind::Argument(name.clone())
        } else {
            DifferenceKind::Variable(name.clone())
        };
        let [text_a, text_b] = found.texts;
        let text = format!(
            "{name}{} = {text_a} in one, {text_b} in the other",
            found.part
        );
        return Ok(Some(at_step(a, b, kind, text)));
    }
    if let (Some((at_a, value_a)), Some((at_b, value_b))) = (a.yielded(to[0])?, b.yielded(to[1])?) {
        let pair = (a.moment(at_a), Some(&value_a));
        if let Some(found) = unequal(pair, (b.moment(at_b), Some(&value_b)))? {
            let [text_a, text_b] = found.texts;
            let part = of_part(&found.part);
            let text = format!("yields {text_a} in one, {text_b} in the other{part}");
            return Ok(Some(at_step(a, b, DifferenceKind::Yielded, text)));
        }
    }
    Ok(None)
}

/// A difference that the last steps made.
fn at_step(a: &Side<'_>, b: &Side<'_>, kind: DifferenceKind, text: String) -> Found {
    let line = |side: &Side<'_>| match side.line {
        0 => side.first_line,
        line => line,
    };
    Found {
        kind,
        positions: [a.at, b.at],
        lines: [line(a), line(b)],
        text,
    }
}

fn of_part(part: &str) -> String {
    match part {
        "" => String::new(),
        part => format!(", in {part}"),
    }
}

/// How a call ended.
enum End {
    Returned(Value),
    Raised(String),
    Running,
    Unreadable,
}

fn end_of(side: &Side<'_>) -> Result<End> {
    if !side.ended {
        return Ok(End::Running);
    }
    let event = side.recording.event(side.exit)?.map(|found| found.event);
    Ok(match event {
        Some(Event::Return { value }) => End::Returned(value),
        Some(Event::Unwind { exception }) => {
            End::Raised(ExceptionFacts::of(side.recording, &exception, side.exit)?.text())
        }
        _ => End::Unreadable,
    })
}

fn ends_differ(a: &Side<'_>, b: &Side<'_>) -> Result<Option<Found>> {
    let ends = (end_of(a)?, end_of(b)?);
    let (moment_a, moment_b) = (a.moment(a.exit), b.moment(b.exit));
    let text = match &ends {
        (End::Unreadable, _) | (_, End::Unreadable) | (End::Running, End::Running) => {
            return Ok(None);
        }
        (End::Raised(one), End::Raised(other)) if one == other => return Ok(None),
        (End::Returned(value_a), End::Returned(value_b)) => {
            let pair = (moment_a, Some(value_a));
            let Some(found) = unequal(pair, (moment_b, Some(value_b)))? else {
                return Ok(None);
            };
            let [text_a, text_b] = found.texts;
            let part = of_part(&found.part);
            format!("returns {text_a} in one, {text_b} in the other{part}")
        }
        (one, other) => {
            let words = |end: &End, moment: Moment<'_>| -> Result<String> {
                Ok(match end {
                    End::Returned(value) => format!("returns {}", moment.text(Some(value))?),
                    End::Raised(text) => format!("raises {}", render::shortened(text, 60)),
                    _ => "is still running".to_owned(),
                })
            };
            let (one, other) = (words(one, moment_a)?, words(other, moment_b)?);
            format!("{one} in one, {other} in the other")
        }
    };
    Ok(Some(at_step(a, b, DifferenceKind::Ended, text)))
}
