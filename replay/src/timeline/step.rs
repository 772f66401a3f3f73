//! Where a step ends when no breakpoint is met on the way.

use retrostep_trace::{Direction, FrameId, Key, Position, ThreadId};

use super::Timeline;
use crate::breakpoint::{Search, nearer};
use crate::{Result, Stop, StopReason};

/// Which step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum StepKind {
    /// The next or previous line of the same frame, or of its caller when the frame ends or begins.
    Over,
    /// The next or previous line of the thread.
    Into,
    /// Out of the frame: what comes after it ended, or the line that called or resumed it.
    Out,
}

impl Timeline {
    pub(super) fn step_target(
        &self,
        search: Search<'_>,
        kind: StepKind,
        direction: Direction,
        thread: ThreadId,
    ) -> Result<Stop> {
        let found = match direction {
            Direction::Forward if self.position >= self.end() => {
                return self.limit_stop(direction);
            }
            Direction::Backward if self.position == Position::START => {
                return self.limit_stop(direction);
            }
            Direction::Forward => self.step_forward(search, kind, thread)?,
            Direction::Backward => self.step_backward(search, kind, thread)?,
        };
        match found {
            Some(at) => {
                let thread = self.recording.thread_at(at)?;
                Ok(self.plain_stop(at, thread, StopReason::Step))
            }
            None => self.thread_limit(direction, thread),
        }
    }

    fn step_forward(
        &self,
        search: Search<'_>,
        kind: StepKind,
        thread: ThreadId,
    ) -> Result<Option<Position>> {
        let from = self.position;
        let next_of_thread = || find(search, Key::ThreadStep(thread), from.next(), FORWARD);
        match kind {
            StepKind::Into => next_of_thread(),
            StepKind::Over => match self.innermost(thread, from)? {
                Some(frame) => self.next_in_frame(search, frame, from),
                None => next_of_thread(),
            },
            StepKind::Out => {
                let shown = self.shown_position(search, thread)?;
                let Some(frame) = self.innermost(thread, shown)? else {
                    return next_of_thread();
                };
                let exit = find(search, Key::FrameExit(frame), from, FORWARD)?;
                let suspension = find(search, Key::FrameYield(frame), from, FORWARD)?;
                match nearer(exit, suspension, FORWARD) {
                    Some(left) => self.next_in_caller(search, frame, left),
                    None => Ok(None),
                }
            }
        }
    }

    /// The first step event of `frame` after `from`. When it never runs again, that of the frame below
    /// it when it left the stack for good.
    fn next_in_frame(
        &self,
        search: Search<'_>,
        frame: FrameId,
        from: Position,
    ) -> Result<Option<Position>> {
        let (mut frame, mut from) = (frame, from);
        loop {
            search.cancel.check()?;
            if let Some(step) = find(search, Key::FrameStep(frame), from.next(), FORWARD)? {
                return Ok(Some(step));
            }
            let Some(left) = self.left_for_good(search, frame, from)? else {
                return Ok(None);
            };
            let Some(caller) = self.caller_at(frame, left)? else {
                return Ok(None);
            };
            (frame, from) = (caller, left);
        }
    }

    /// The first step event, after `left`, of the frame below `frame`, which leaves the stack there.
    fn next_in_caller(
        &self,
        search: Search<'_>,
        frame: FrameId,
        left: Position,
    ) -> Result<Option<Position>> {
        match self.caller_at(frame, left)? {
            Some(caller) => self.next_in_frame(search, caller, left),
            None => Ok(None),
        }
    }

    /// Where a frame without later step events leaves the stack: its exit, else its last suspension.
    fn left_for_good(
        &self,
        search: Search<'_>,
        frame: FrameId,
        from: Position,
    ) -> Result<Option<Position>> {
        if let Some(exit) = find(search, Key::FrameExit(frame), from, FORWARD)? {
            return Ok(Some(exit));
        }
        let last = find(search, Key::FrameYield(frame), self.end(), BACKWARD)?;
        Ok(last.filter(|&last| last >= from))
    }

    /// The frame below `frame` on the stack at the event at `at`, which takes `frame` off it.
    fn caller_at(&self, frame: FrameId, at: Position) -> Result<Option<FrameId>> {
        let thread = self.recording.thread_at(at)?;
        let stack = self.recording.stack(thread, at, 0, 2)?;
        Ok(match &stack[..] {
            [top, caller] if top.frame == frame => Some(caller.frame),
            _ => None,
        })
    }

    fn step_backward(
        &self,
        search: Search<'_>,
        kind: StepKind,
        thread: ThreadId,
    ) -> Result<Option<Position>> {
        let from = self.position;
        match kind {
            StepKind::Into => find(search, Key::ThreadStep(thread), from, BACKWARD),
            StepKind::Over => {
                let frame = if from >= self.end() {
                    None
                } else {
                    self.innermost(thread, from)?
                };
                let Some(frame) = frame else {
                    return self.last_of_outermost(search, thread, from);
                };
                match find(search, Key::FrameStep(frame), from, BACKWARD)? {
                    Some(step) => Ok(Some(step)),
                    None => self.line_of_caller(search, thread, from),
                }
            }
            StepKind::Out => {
                let shown = self.shown_position(search, thread)?;
                self.line_of_caller(search, thread, shown)
            }
        }
    }

    /// The last step event before `before` of the thread's outermost frame.
    fn last_of_outermost(
        &self,
        search: Search<'_>,
        thread: ThreadId,
        before: Position,
    ) -> Result<Option<Position>> {
        let Some(last) = find(search, Key::ThreadStep(thread), before, BACKWARD)? else {
            return Ok(None);
        };
        let depth = self.recording.stack_depth(thread, last)?;
        let bottom = self
            .recording
            .stack(thread, last, depth.saturating_sub(1), 1)?;
        match bottom.first() {
            Some(outermost) => {
                Ok(find(search, Key::FrameStep(outermost.frame), before, BACKWARD)?.or(Some(last)))
            }
            None => Ok(Some(last)),
        }
    }

    /// The line that called or resumed the thread's innermost frame at `at`.
    fn line_of_caller(
        &self,
        search: Search<'_>,
        thread: ThreadId,
        at: Position,
    ) -> Result<Option<Position>> {
        const PAGE: u64 = 16;
        let (mut skip, mut limit) = (1, 1);
        loop {
            search.cancel.check()?;
            let callers = self.recording.stack(thread, at, skip, limit)?;
            if callers.is_empty() {
                return Ok(None);
            }
            let line = callers
                .iter()
                .map(|caller| (caller.line_position, caller.call))
                .find(|&(line, call)| line != call && line < self.position);
            if let Some((line, _)) = line {
                return Ok(Some(line));
            }
            (skip, limit) = (skip + limit, PAGE);
        }
    }

    fn innermost(&self, thread: ThreadId, at: Position) -> Result<Option<FrameId>> {
        let stack = self.recording.stack(thread, at, 0, 1)?;
        Ok(stack.first().map(|top| top.frame))
    }

    /// The stop when a thread has nothing left in a direction: its last or first event, and when that
    /// is not beyond the current position, the end or start of the recording.
    fn thread_limit(&self, direction: Direction, thread: ThreadId) -> Result<Stop> {
        let Some(info) = self.thread_info(thread) else {
            return self.limit_stop(direction);
        };
        match direction {
            Direction::Forward if info.last > self.position => {
                Ok(self.plain_stop(info.last, thread, StopReason::EndOfThread))
            }
            Direction::Backward if info.first < self.position && info.first > Position::START => {
                Ok(self.plain_stop(info.first, thread, StopReason::StartOfThread))
            }
            _ => self.limit_stop(direction),
        }
    }
}

const FORWARD: Direction = Direction::Forward;
const BACKWARD: Direction = Direction::Backward;

fn find(
    search: Search<'_>,
    key: Key,
    from: Position,
    direction: Direction,
) -> Result<Option<Position>> {
    Ok(search.recording.find(key, from, direction, search.cancel)?)
}
