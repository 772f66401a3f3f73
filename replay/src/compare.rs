//! What differed first between two recordings in one function.
//!
//! Calls are compared in the order in which they began: the first with the first, and so on; with several
//! threads that order may differ from run to run. Of each call the arguments, the lines taken, the
//! values written to its variables, the changes of objects that these hold, what was yielded, and how it
//! ended are compared.
//! Objects are compared by what they contain, never by identity. A value that was not recorded in one of
//! the two is no difference.

mod frame;
mod side;
mod text;
mod value;

use retrostep_trace::{CancellationToken, Completeness, FunctionId, Position, Recording};

use crate::Result;
use crate::calls::{count_calls, group_of, nth_call, unless_damaged};
use crate::render;
use frame::Found;
use side::Side;
use text::SharedLines;

/// Most calls that are compared.
pub const MOST_CALLS: u64 = 10_000;

/// Most lines of each recording that are compared, in all calls together.
pub const MOST_LINES: u64 = 50_000;

/// What a comparison found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The first difference; `None` if there is none as far as was compared.
    pub difference: Option<Difference>,
    /// How many calls were compared to their end without a difference.
    pub same_calls: u64,
    /// How many calls each recording has.
    pub calls: [u64; 2],
    /// Whether something was left uncompared, because there is too much of it or it is damaged.
    pub more: bool,
    /// Whether one of the recordings is damaged: what is missing there may look like a difference. The
    /// comparison ends before a call in which it meets damage.
    pub damaged: bool,
}

/// The first difference between two recordings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What differs.
    pub kind: DifferenceKind,
    /// In which call, from 1.
    pub call: u64,
    /// Where in each recording; `None` where there is no such call.
    pub positions: [Option<Position>; 2],
    /// The line in each recording, 1-based; 0 where there is none.
    pub lines: [u32; 2],
    /// Ready to show: `call 3: rate = 0.20 in one, 0.10 in the other (line 16)`.
    pub text: String,
}

/// What differs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum DifferenceKind {
    /// An argument of this name.
    Argument(String),
    /// Which line was taken next.
    Path,
    /// The value of the variable of this name, or of a part of what it holds.
    Variable(String),
    /// What was yielded.
    Yielded,
    /// What was returned, which exception left the call, or whether it ended.
    Ended,
    /// How often the function was called.
    Calls,
    /// The function's text, at a line that ran.
    Text,
}

/// What differs first between `function_a` in recording `a` and `function_b` in recording `b`, each with
/// all its code objects.
///
/// Where the function's text differs, lines are compared around what differs; a call that runs a line
/// which is in its recording only is a difference of the text. So is, after everything else, text that
/// differs where nothing else does.
///
/// Cost: compares up to [`MOST_CALLS`] calls and [`MOST_LINES`] lines; for each a few index lookups, and
/// the reading of what changed.
///
/// # Errors
///
/// [`crate::Error::Trace`] if a recording cannot be read, or the search was cancelled.
pub fn compare(
    a: &Recording,
    function_a: FunctionId,
    b: &Recording,
    function_b: FunctionId,
    cancel: &CancellationToken,
) -> Result<Comparison> {
    let groups = [group_of(a, function_a)?, group_of(b, function_b)?];
    let [group_a, group_b] = &groups;
    let calls = [
        count_calls(a, &group_a.ids, a.end(), cancel)?,
        count_calls(b, &group_b.ids, b.end(), cancel)?,
    ];
    let lines = SharedLines::of((a, &group_a.function), (b, &group_b.function));
    let mut out = Comparison {
        difference: None,
        same_calls: 0,
        calls,
        more: false,
        damaged: is_damaged(a) || is_damaged(b),
    };
    let both = calls[0].min(calls[1]);
    let mut left = MOST_LINES;
    for n in 0..both.min(MOST_CALLS) {
        cancel.check()?;
        let Some(call_a) = nth_call(a, &group_a.ids, n, cancel)? else {
            break;
        };
        let Some(call_b) = nth_call(b, &group_b.ids, n, cancel)? else {
            break;
        };
        let pair = [(a, call_a), (b, call_b)];
        let found = unless_damaged(call_difference(pair, &lines, &mut left, cancel))?;
        let met_damage = !out.damaged && (is_damaged(a) || is_damaged(b));
        let Some(found) = found.filter(|_| !met_damage) else {
            out.damaged = true;
            out.more = true;
            return Ok(out);
        };
        if let Some(found) = found {
            out.difference = Some(found.tell(n + 1));
            return Ok(out);
        }
        if left == 0 {
            out.more = true;
            return Ok(out);
        }
        out.same_calls += 1;
    }
    if both > MOST_CALLS {
        out.more = true;
        return Ok(out);
    }
    if calls[0] != calls[1] {
        let extra = [
            nth_call(a, &group_a.ids, both, cancel)?,
            nth_call(b, &group_b.ids, both, cancel)?,
        ];
        out.difference = Some(Difference {
            kind: DifferenceKind::Calls,
            call: both + 1,
            positions: extra,
            lines: [0, 0],
            text: format!(
                "called {} in one, {} in the other",
                times(calls[0]),
                times(calls[1])
            ),
        });
        return Ok(out);
    }
    if let Some(difference) = lines.difference() {
        out.difference = Some(difference);
    }
    Ok(out)
}

/// The first difference between two calls; none if one of them cannot be read.
fn call_difference(
    [a, b]: [(&Recording, Position); 2],
    lines: &SharedLines,
    left: &mut u64,
    cancel: &CancellationToken,
) -> Result<Option<Found>> {
    let side_a = Side::new(a.0, a.1, lines.first[0], cancel)?;
    let side_b = Side::new(b.0, b.1, lines.first[1], cancel)?;
    match (side_a, side_b) {
        (Some(mut a), Some(mut b)) => frame::first_difference(&mut a, &mut b, lines, left),
        _ => Ok(None),
    }
}

fn is_damaged(recording: &Recording) -> bool {
    matches!(recording.completeness(), Completeness::Damaged(_))
}

fn times(count: u64) -> String {
    match count {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        _ => format!("{} times", render::count(count)),
    }
}
