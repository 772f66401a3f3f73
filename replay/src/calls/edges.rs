//! Who called a function and whom it called, counted by line.

use std::collections::HashMap;
use std::sync::Arc;

use retrostep_trace::{
    CancellationToken, Direction, Event, FrameState, Function, FunctionId, Key, Position,
    Recording, SourceId,
};

use super::function::is_same;
use super::recorded::{self, RecordedCall, exit_of};
use super::walk::NewestCalls;
use super::{MOST_CALLS, count_calls, group_of, unless_damaged};
use crate::Result;

/// Who called a function, or whom it called.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edges {
    /// The other functions, that of the most calls first, then that of the newest call.
    pub edges: Vec<Edge>,
    /// How many calls of the function there are in the recording; exact.
    pub calls: u64,
    /// How many of them were looked at, the newest.
    pub looked_at: u64,
    /// How many calls were left out because the recording is damaged there.
    pub unknown: u64,
    /// Whether there is more than what was looked at.
    pub more: bool,
}

/// One function that called, or was called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The other function: one of its code objects. `None` for code that is not recorded.
    pub function: Option<FunctionId>,
    /// The caller's lines that made the calls, ascending; empty for code that is not recorded.
    pub lines: Vec<EdgeLine>,
    /// How many calls, among those looked at.
    pub calls: u64,
    /// The newest of them.
    pub newest: RecordedCall,
}

/// One line that made calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EdgeLine {
    /// Its source.
    pub source: SourceId,
    /// The line, 1-based.
    pub line: u32,
    /// How many calls it made, among those looked at.
    pub calls: u64,
    /// The step event of the line that made the newest.
    pub newest: Position,
}

/// Who called `function` (any of its code objects): recorded code directly, or through code that is not
/// recorded, such as `sorted` that calls its key.
///
/// Cost: looks at up to [`MOST_CALLS`] calls, the newest.
///
/// # Errors
///
/// [`crate::Error::Trace`] if the recording cannot be read, or the search was cancelled.
pub fn incoming(
    recording: &Recording,
    function: FunctionId,
    cancel: &CancellationToken,
) -> Result<Edges> {
    let group = group_of(recording, function)?;
    let mut tally = Tally::new(recording);
    let end = recording.end();
    tally.out.calls = count_calls(recording, &group.ids, end, cancel)?;
    let mut calls = NewestCalls::before(recording, &group.ids, end, cancel)?;
    while let Some(call) = calls.next()? {
        if tally.out.looked_at == MOST_CALLS {
            tally.out.more = true;
            break;
        }
        tally.out.looked_at += 1;
        match unless_damaged(caller_at(recording, call))? {
            Some(caller) => {
                let other = caller.as_ref().map(|caller| caller.function);
                tally.add(other, caller.as_ref(), call)?;
            }
            None => tally.out.unknown += 1,
        }
    }
    tally.finish(cancel)
}

/// Whom `function` (any of its code objects) called. Resuming a generator or coroutine is no call.
///
/// Cost: looks at up to [`MOST_CALLS`] calls of the function, the newest, and at as many calls and
/// resumes that they made.
///
/// # Errors
///
/// As [`incoming`].
pub fn outgoing(
    recording: &Recording,
    function: FunctionId,
    cancel: &CancellationToken,
) -> Result<Edges> {
    let group = group_of(recording, function)?;
    let mut tally = Tally::new(recording);
    let end = recording.end();
    tally.out.calls = count_calls(recording, &group.ids, end, cancel)?;
    let mut calls = NewestCalls::before(recording, &group.ids, end, cancel)?;
    let mut left = MOST_CALLS;
    'calls: while let Some(call) = calls.next()? {
        if tally.out.looked_at == MOST_CALLS {
            tally.out.more = true;
            break;
        }
        tally.out.looked_at += 1;
        let Some(frame) = recording.frame_of_event(call)? else {
            continue;
        };
        let exit = exit_of(recording, frame, call, cancel)?.unwrap_or(end);
        let mut range = call.next()..exit;
        while let Some(made) = recording.find_between(
            Key::CallFrom(frame),
            range.clone(),
            Direction::Backward,
            cancel,
        )? {
            if left == 0 {
                tally.out.more = true;
                break 'calls;
            }
            left -= 1;
            range.end = made;
            let Some(Event::Call { function, .. }) = recording.event(made)?.map(|it| it.event)
            else {
                continue;
            };
            match unless_damaged(caller_at(recording, made))? {
                Some(caller) => tally.add(Some(function), caller.as_ref(), made)?,
                None => tally.out.unknown += 1,
            }
        }
    }
    tally.finish(cancel)
}

/// The frame that makes the call at `call`, with the line that it is on.
fn caller_at(recording: &Recording, call: Position) -> Result<Option<FrameState>> {
    let thread = recording.thread_at(call)?;
    let stack = recording.stack(thread, call, 0, 1)?;
    Ok(stack.into_iter().next())
}

/// Calls, counted by the other function and by line.
struct Tally<'a> {
    recording: &'a Recording,
    out: Edges,
    counted: Vec<Counted>,
    /// The place in `counted` of each code object met.
    known: HashMap<FunctionId, usize>,
    functions: HashMap<FunctionId, Arc<Function>>,
}

struct Counted {
    function: Option<FunctionId>,
    lines: Vec<EdgeLine>,
    calls: u64,
    newest: Position,
}

impl<'a> Tally<'a> {
    fn new(recording: &'a Recording) -> Tally<'a> {
        Tally {
            recording,
            out: Edges::default(),
            counted: Vec::new(),
            known: HashMap::new(),
            functions: HashMap::new(),
        }
    }

    /// Takes in a call between the function asked about and `other`.
    fn add(
        &mut self,
        other: Option<FunctionId>,
        caller: Option<&FrameState>,
        call: Position,
    ) -> Result<()> {
        let source = match caller {
            Some(caller) => Some(self.function(caller.function)?.source),
            None => None,
        };
        let place = self.place_of(other, call)?;
        let Some(counted) = self.counted.get_mut(place) else {
            return Ok(());
        };
        counted.calls += 1;
        counted.newest = counted.newest.max(call);
        let (Some(caller), Some(source)) = (caller, source) else {
            return Ok(());
        };
        let known = counted
            .lines
            .iter_mut()
            .find(|known| known.line == caller.line && known.source == source);
        match known {
            Some(known) => {
                known.calls += 1;
                known.newest = known.newest.max(caller.line_position);
            }
            None => counted.lines.push(EdgeLine {
                source,
                line: caller.line,
                calls: 1,
                newest: caller.line_position,
            }),
        }
        Ok(())
    }

    fn function(&mut self, id: FunctionId) -> Result<Arc<Function>> {
        if let Some(function) = self.functions.get(&id) {
            return Ok(function.clone());
        }
        let function = self.recording.function(id)?;
        self.functions.insert(id, function.clone());
        Ok(function)
    }

    /// The place in `counted` of a function; its code objects share one.
    fn place_of(&mut self, other: Option<FunctionId>, call: Position) -> Result<usize> {
        let known = match other {
            Some(id) => self.known.get(&id).copied(),
            None => (self.counted.iter()).position(|counted| counted.function.is_none()),
        };
        if let Some(place) = known {
            return Ok(place);
        }
        let mut place = self.counted.len();
        if let Some(id) = other {
            let function = self.function(id)?;
            let same = self.counted.iter().position(|counted| {
                let met = counted.function.and_then(|met| self.functions.get(&met));
                met.is_some_and(|met| is_same(met, &function))
            });
            place = same.unwrap_or(place);
            self.known.insert(id, place);
        }
        if place == self.counted.len() {
            self.counted.push(Counted {
                function: other,
                lines: Vec::new(),
                calls: 0,
                newest: call,
            });
        }
        Ok(place)
    }

    fn finish(mut self, cancel: &CancellationToken) -> Result<Edges> {
        self.counted
            .sort_by_key(|counted| std::cmp::Reverse((counted.calls, counted.newest)));
        for mut counted in self.counted {
            cancel.check()?;
            counted.lines.sort_by_key(|line| (line.source, line.line));
            let Some(Event::Call { function, .. }) =
                self.recording.event(counted.newest)?.map(|it| it.event)
            else {
                continue;
            };
            let called = group_of(self.recording, function)?;
            let upto = counted.newest.next();
            let number = count_calls(self.recording, &called.ids, upto, cancel)?;
            let newest = recorded::read(self.recording, counted.newest, number, cancel)?;
            if let Some(newest) = newest {
                self.out.edges.push(Edge {
                    function: counted.function,
                    lines: counted.lines,
                    calls: counted.calls,
                    newest,
                });
            }
        }
        Ok(self.out)
    }
}
