//! Going through the calls of a function, newest first.

use retrostep_trace::{CancellationToken, Direction, FunctionId, Key, Position, Recording};

use crate::Result;

/// The calls of some code objects before a position, newest first.
#[derive(Debug)]
pub(super) struct NewestCalls<'a> {
    recording: &'a Recording,
    cancel: &'a CancellationToken,
    /// For each code object the newest call that was not given out.
    next: Vec<(FunctionId, Option<Position>)>,
}

impl<'a> NewestCalls<'a> {
    pub(super) fn before(
        recording: &'a Recording,
        ids: &[FunctionId],
        before: Position,
        cancel: &'a CancellationToken,
    ) -> Result<NewestCalls<'a>> {
        let mut calls = NewestCalls {
            recording,
            cancel,
            next: Vec::new(),
        };
        for &id in ids {
            let found = calls.find(id, before)?;
            calls.next.push((id, found));
        }
        Ok(calls)
    }

    /// The next older call.
    pub(super) fn next(&mut self) -> Result<Option<Position>> {
        let newest = self.next.iter().map(|(_, found)| *found).max().flatten();
        let Some(newest) = newest else {
            return Ok(None);
        };
        for number in 0..self.next.len() {
            let Some(&(id, found)) = self.next.get(number) else {
                continue;
            };
            if found == Some(newest) {
                let older = self.find(id, newest)?;
                if let Some(place) = self.next.get_mut(number) {
                    place.1 = older;
                }
            }
        }
        Ok(Some(newest))
    }

    fn find(&self, id: FunctionId, before: Position) -> Result<Option<Position>> {
        let key = Key::Call(id);
        Ok(self
            .recording
            .find(key, before, Direction::Backward, self.cancel)?)
    }
}

/// How many calls of some code objects there are before `to`.
pub(crate) fn count_calls(
    recording: &Recording,
    ids: &[FunctionId],
    to: Position,
    cancel: &CancellationToken,
) -> retrostep_trace::Result<u64> {
    let mut count = 0u64;
    for &id in ids {
        count = count.saturating_add(recording.count(Key::Call(id), to, cancel)?);
    }
    Ok(count)
}

/// The `n`th call of some code objects, from 0.
pub(crate) fn nth_call(
    recording: &Recording,
    ids: &[FunctionId],
    n: u64,
    cancel: &CancellationToken,
) -> Result<Option<Position>> {
    if let [id] = ids {
        return Ok(recording.nth(Key::Call(*id), n, cancel)?);
    }
    // The lowest position with more than `n` calls before it follows the call.
    let (mut low, mut high) = (0, recording.end().0);
    if count_calls(recording, ids, recording.end(), cancel)? <= n {
        return Ok(None);
    }
    while low < high {
        let middle = low + (high - low) / 2;
        if count_calls(recording, ids, Position(middle), cancel)? > n {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    Ok(Position(low).previous())
}
