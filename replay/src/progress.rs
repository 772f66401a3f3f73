//! How far a search is, for whoever waits for it.

use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex};

use retrostep_trace::Position;

use crate::breakpoint::lock;

/// How far the search is that runs on a timeline. Clones see the same search, from any thread.
#[derive(Clone, Debug, Default)]
pub struct Progress(Arc<Mutex<State>>);

/// The last moment that a search looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reached {
    /// The moment.
    pub position: Position,
    /// How much of what the search may have to look at lies behind it, 0 to 100.
    pub percent: u8,
}

#[derive(Debug, Default)]
struct State {
    /// From where to where the search goes, in either direction.
    span: (Position, Position),
    reached: Option<Reached>,
}

impl Progress {
    /// The last moment that the search looked at; `None` before the first.
    #[must_use]
    pub fn reached(&self) -> Option<Reached> {
        lock(&self.0).reached
    }

    /// Forgets the last search.
    pub fn clear(&self) {
        *lock(&self.0) = State::default();
    }

    /// A search begins, from `from` towards `to`.
    pub(crate) fn begin(&self, from: Position, to: Position) {
        *lock(&self.0) = State {
            span: (from, to),
            reached: None,
        };
    }

    /// The search looks at `position`.
    pub(crate) fn reach(&self, position: Position) {
        let mut state = lock(&self.0);
        let (from, to) = state.span;
        state.reached = Some(Reached {
            position,
            percent: percent(from, position, to),
        });
    }

    /// What has to be known before the search can go on is looked for in `span`, and `position` is
    /// where that is.
    pub(crate) fn reach_within(&self, span: &RangeInclusive<Position>, position: Position) {
        lock(&self.0).reached = Some(Reached {
            position,
            percent: percent(*span.start(), position, *span.end()),
        });
    }
}

fn percent(from: Position, at: Position, to: Position) -> u8 {
    let all = u128::from(from.0.abs_diff(to.0)).max(1);
    let done = u128::from(from.0.abs_diff(at.0)).min(all);
    u8::try_from(done * 100 / all).unwrap_or(100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn progress_is_told_in_both_directions() {
        let progress = Progress::default();
        assert_eq!(progress.reached(), None);
        let check = |expected: (u64, u8)| {
            let reached = progress.reached().unwrap();
            assert_eq!((reached.position.0, reached.percent), expected);
        };
        progress.begin(Position(1_000), Position(0));
        assert_eq!(progress.reached(), None);
        progress.reach(Position(380));
        check((380, 62));
        progress.reach_within(&(Position(0)..=Position(2_000)), Position(500));
        check((500, 25));
        progress.begin(Position(5), Position(u64::MAX));
        progress.reach(Position(u64::MAX));
        check((u64::MAX, 100));
        progress.begin(Position(7), Position(7));
        progress.reach(Position(7));
        check((7, 0));
    }
}
