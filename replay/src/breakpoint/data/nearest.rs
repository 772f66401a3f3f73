//! The nearest stop of a data breakpoint, without a look at changes that cannot be it.
//!
//! Most changes stop near themselves: forward after them, backward before them. What else can stop at
//! one side of a position though the change lies on the other is what was unfinished at the position:
//! forward the lines that each thread had not left yet, backward the lines that frames on a stack, or
//! suspended ones, had begun.

use std::ops::Range;

use retrostep_trace::{Direction, FrameId, Key, Position, ThreadId, ThreadInfo};

use super::{DataPoint, Stopping, step_after, step_before};
use crate::Result;
use crate::breakpoint::Search;

const FORWARD: Direction = Direction::Forward;
const BACKWARD: Direction = Direction::Backward;

/// Frames of a stack that are looked at together.
const PAGE: u64 = 32;

/// A search for one data breakpoint.
pub(super) struct Nearest<'a> {
    point: &'a DataPoint,
    search: Search<'a>,
}

/// A change with who made it.
#[derive(Clone, Copy, Debug)]
struct Found {
    write: Position,
    thread: ThreadId,
    frame: Option<FrameId>,
}

/// What a thread does from a position on.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    thread: ThreadId,
    from: Position,
    /// Frames below this one are left out.
    bottom: Option<FrameId>,
}

/// The stops that are wanted: positions in this range.
type Wanted = Range<Position>;

/// Takes in a change that passes, and where it stops; what it leaves of the range is still wanted.
type Take<'t> = dyn FnMut(Found, Position, &mut Wanted) + 't;

impl<'a> Nearest<'a> {
    pub(super) fn new(point: &'a DataPoint, search: Search<'a>) -> Nearest<'a> {
        Nearest { point, search }
    }

    /// The nearest stop. Bounds as [`DataPoint::find`].
    pub(super) fn stop(
        &self,
        from: Position,
        direction: Direction,
        limit: Position,
    ) -> Result<Option<Position>> {
        let mut nearest = None;
        match direction {
            Direction::Forward => {
                let mut wanted = from..limit.next();
                let mut take = |_: Found, after: Position, wanted: &mut Wanted| {
                    nearest = Some(after);
                    wanted.end = after;
                };
                self.unfinished_lines(&mut wanted, &mut take)?;
                self.ahead(&mut wanted, &mut take)?;
            }
            Direction::Backward => {
                let mut wanted = limit..from;
                let mut take = |_: Found, before: Position, wanted: &mut Wanted| {
                    nearest = Some(before);
                    wanted.start = before.next();
                };
                self.behind(&mut wanted, &mut take)?;
                self.made_later(&mut wanted, &mut take)?;
            }
        }
        Ok(nearest)
    }

    /// The changes that stop at a position, in order of their writes.
    pub(super) fn stopping_at(&self, at: Position, direction: Direction) -> Result<Vec<Stopping>> {
        let mut here = Vec::new();
        let mut take = |found: Found, _: Position, _: &mut Wanted| {
            here.push(Stopping {
                write: found.write,
                thread: found.thread,
            });
        };
        let mut wanted = at..at.next();
        match direction {
            Direction::Forward => self.unfinished_lines(&mut wanted, &mut take)?,
            Direction::Backward => {
                self.behind(&mut wanted, &mut take)?;
                self.made_later(&mut wanted, &mut take)?;
            }
        }
        here.sort_unstable();
        here.dedup();
        Ok(here)
    }

    /// The nearest change in a range, whether it passes or not.
    fn change(&self, range: Range<Position>, direction: Direction) -> Result<Option<Found>> {
        let Search {
            recording, cancel, ..
        } = self.search;
        let place = &self.point.place;
        let mut unlimited = u64::MAX;
        let found = place.find_raw_within(recording, range, direction, cancel, &mut unlimited)?;
        let Some(write) = found.map(|found| found.position) else {
            return Ok(None);
        };
        self.search.progress.reach(write);
        Ok(Some(Found {
            write,
            thread: recording.thread_at(write)?,
            frame: recording.frame_of_event(write)?,
        }))
    }

    fn passes(&self, found: &Found) -> Result<bool> {
        let gate = &self.point.gate;
        gate.holds(self.search, found.frame, found.write.next())
    }

    fn find(
        &self,
        key: Key,
        range: Range<Position>,
        direction: Direction,
    ) -> Result<Option<Position>> {
        let Search {
            recording, cancel, ..
        } = self.search;
        Ok(recording.find_between(key, range, direction, cancel)?)
    }

    fn end(&self) -> Position {
        self.search.recording.end()
    }

    /// The threads that have events on both sides of a position.
    fn threads_around(&self, at: Position) -> impl Iterator<Item = &'a ThreadInfo> {
        let threads = self.search.threads.iter();
        threads.filter(move |thread| thread.first < at && thread.last >= at)
    }

    /// Forward: the changes from `wanted.start` on.
    fn ahead(&self, wanted: &mut Wanted, take: &mut Take<'_>) -> Result<()> {
        let mut from = wanted.start;
        while let Some(found) = self.change(from..wanted.end, FORWARD)? {
            from = found.write.next();
            if !self.passes(&found)? {
                continue;
            }
            let after = step_after(self.search, found.thread, found.write)?;
            if wanted.contains(&after) {
                take(found, after, wanted);
                // Up to there the thread's other changes stop at the same place.
                from = self.next_of_others(found.thread, from, after)?;
            }
        }
        Ok(())
    }

    /// The first event from `from` on that is not the thread's, at most `end`.
    fn next_of_others(&self, thread: ThreadId, from: Position, end: Position) -> Result<Position> {
        let mut nearest = end;
        for other in self.search.threads {
            if other.thread != thread && other.first < nearest && other.last >= from {
                let key = Key::Thread(other.thread);
                nearest = self.find(key, from..nearest, FORWARD)?.unwrap_or(nearest);
            }
        }
        Ok(nearest)
    }

    /// Forward: the changes before `wanted.start` of lines that their threads had not left there.
    fn unfinished_lines(&self, wanted: &mut Wanted, take: &mut Take<'_>) -> Result<()> {
        let from = wanted.start;
        for thread in self.search.threads {
            if thread.first >= from {
                continue;
            }
            let before = Position::START..from;
            let Some(last) = self.find(Key::Thread(thread.thread), before.clone(), BACKWARD)?
            else {
                continue;
            };
            let step = self.find(Key::ThreadStep(thread.thread), before, BACKWARD)?;
            if step == Some(last) {
                continue;
            }
            let mut range = step.unwrap_or(thread.first)..last.next();
            while let Some(found) = self.change(range.clone(), FORWARD)? {
                range.start = match found.thread == thread.thread {
                    true => found.write.next(),
                    false => self.next_of(thread.thread, found.write..range.end)?,
                };
                if found.thread != thread.thread || !self.passes(&found)? {
                    continue;
                }
                let after = step_after(self.search, found.thread, found.write)?;
                if wanted.contains(&after) {
                    take(found, after, wanted);
                }
                if after >= wanted.end {
                    // The thread's later changes stop there or further on.
                    break;
                }
            }
        }
        Ok(())
    }

    /// The next event of a thread in a range, else its end.
    fn next_of(&self, thread: ThreadId, range: Range<Position>) -> Result<Position> {
        let end = range.end;
        Ok(self
            .find(Key::Thread(thread), range, FORWARD)?
            .unwrap_or(end))
    }

    /// Backward: the changes before `wanted.end`.
    fn behind(&self, wanted: &mut Wanted, take: &mut Take<'_>) -> Result<()> {
        let mut to = wanted.end;
        // A change never stops after itself.
        while let Some(found) = self.change(wanted.start..to, BACKWARD)? {
            to = found.write;
            if !self.passes(&found)? {
                continue;
            }
            let before = step_before(self.search, found.thread, found.frame, found.write)?;
            if wanted.contains(&before) {
                take(found, before, wanted);
                if wanted.start > before && self.is_one_line(found.thread, before, to)? {
                    to = before;
                }
            }
        }
        Ok(())
    }

    /// Whether nothing but the line begun at `step` of a thread ran between it and `to`.
    fn is_one_line(&self, thread: ThreadId, step: Position, to: Position) -> Result<bool> {
        let between = step.next()..to;
        let other = self.next_of_others(thread, between.start, to)?;
        Ok(other == to && self.find(Key::Step, between, FORWARD)?.is_none())
    }

    /// Backward: the changes from `wanted.end` on, of lines that had begun before.
    fn made_later(&self, wanted: &mut Wanted, take: &mut Take<'_>) -> Result<()> {
        let from = wanted.end;
        if wanted.is_empty() {
            return Ok(());
        }
        for thread in self.threads_around(from) {
            let mut range = from..self.unfinished_until(thread.thread, wanted)?;
            let mut known = wanted.start;
            let on = Stretch {
                thread: thread.thread,
                from,
                bottom: None,
            };
            while let Some(found) = self.later(on, &range)? {
                range.start = found.write.next();
                self.take_later(found, wanted, take)?;
                if wanted.start != known {
                    // Lines that began earlier are no longer wanted.
                    known = wanted.start;
                    range.end = self.unfinished_until(thread.thread, wanted)?.min(range.end);
                }
            }
        }
        let resumed = self.search.recording.resumed_after(from)?;
        if resumed.is_empty() || wanted.is_empty() {
            return Ok(());
        }
        let Some(first) = self.change(from..self.end(), FORWARD)? else {
            return Ok(());
        };
        for frame in resumed {
            self.after_resumes(frame, first.write, wanted, take)?;
        }
        Ok(())
    }

    fn take_later(&self, found: Found, wanted: &mut Wanted, take: &mut Take<'_>) -> Result<()> {
        let before = step_before(self.search, found.thread, found.frame, found.write)?;
        if wanted.contains(&before) && self.passes(&found)? {
            take(found, before, wanted);
        }
        Ok(())
    }

    /// Until where a thread can make changes of lines that began at a wanted position.
    fn unfinished_until(&self, thread: ThreadId, wanted: &Wanted) -> Result<Position> {
        let recording = self.search.recording;
        let from = wanted.end;
        let mut outermost = None;
        let mut skip = 0;
        'stack: loop {
            self.search.cancel.check()?;
            let page = recording.stack(thread, from, skip, PAGE)?;
            for state in &page {
                if wanted.contains(&state.line_position) {
                    outermost = Some(state.frame);
                }
                if state.activation <= wanted.start {
                    break 'stack;
                }
            }
            if (page.len() as u64) < PAGE {
                break;
            }
            skip += PAGE;
        }
        let mut until = from;
        if let Some(frame) = outermost {
            let end = self.end();
            until = match self.find(Key::FrameStep(frame), from..end, FORWARD)? {
                Some(step) => step,
                None => self
                    .find(Key::FrameExit(frame), from..end, FORWARD)?
                    .unwrap_or(end),
            };
        }
        // What no frame did belongs to the thread's last line.
        let last = self.find(Key::ThreadStep(thread), wanted.clone(), BACKWARD)?;
        if last.is_some() {
            let range = from..self.end();
            let step = self.find(Key::ThreadStep(thread), range, FORWARD)?;
            until = until.max(step.unwrap_or(self.end()));
        }
        Ok(until)
    }

    /// The first change in a range that was made in a line which had begun before. Changes by frames
    /// that began a line since are passed over together.
    fn later(&self, on: Stretch, range: &Range<Position>) -> Result<Option<Found>> {
        let mut start = range.start;
        while let Some(found) = self.change(start..range.end, FORWARD)? {
            if found.thread != on.thread {
                start = self.next_of(on.thread, found.write..range.end)?;
                continue;
            }
            match self.begun_since(on, found.write)? {
                None => return Ok(Some(found)),
                Some(frame) => {
                    let rest = found.write..range.end;
                    let exit = self.find(Key::FrameExit(frame), rest.clone(), FORWARD)?;
                    let rest = rest.start..exit.unwrap_or(rest.end);
                    let left = self.find(Key::FrameYield(frame), rest.clone(), FORWARD)?;
                    start = left.unwrap_or(rest.end);
                }
            }
        }
        Ok(None)
    }

    /// The outermost frame on the stack at `at` that began a line since.
    fn begun_since(&self, on: Stretch, at: Position) -> Result<Option<FrameId>> {
        let recording = self.search.recording;
        let mut outermost = None;
        let mut skip = 0;
        loop {
            self.search.cancel.check()?;
            let page = recording.stack(on.thread, at, skip, PAGE)?;
            for state in &page {
                if Some(state.frame) == on.bottom {
                    return Ok(outermost);
                }
                if state.line_position >= on.from && state.line_position != state.call {
                    outermost = Some(state.frame);
                }
                if state.activation < on.from {
                    return Ok(outermost);
                }
            }
            if (page.len() as u64) < PAGE {
                return Ok(outermost);
            }
            skip += PAGE;
        }
    }

    /// Backward: the changes that a frame makes from `first` on, when it goes on with a line that began
    /// before `wanted.end`.
    fn after_resumes(
        &self,
        frame: FrameId,
        first: Position,
        wanted: &mut Wanted,
        take: &mut Take<'_>,
    ) -> Result<()> {
        let (from, end) = (wanted.end, self.end());
        let Some(facts) = self.search.recording.frame(frame)? else {
            return Ok(());
        };
        let step = Key::FrameStep(frame);
        let is_wanted = !wanted.is_empty()
            && (facts.call >= wanted.start || self.find(step, wanted.clone(), BACKWARD)?.is_some());
        if !is_wanted || self.find(step, from..first, FORWARD)?.is_some() {
            return Ok(());
        }
        let until = self.find(step, first..end, FORWARD)?.unwrap_or(end);
        let mut at = from;
        while let Some(resume) = self.find(Key::FrameResume(frame), at..until, FORWARD)? {
            let thread = self.search.recording.thread_at(resume)?;
            let rest = resume..until;
            let exit = self.find(Key::FrameExit(frame), rest.clone(), FORWARD)?;
            let rest = resume..exit.unwrap_or(until);
            let left = self.find(Key::FrameYield(frame), rest.clone(), FORWARD)?;
            let mut range = resume.max(first)..left.unwrap_or(rest.end);
            at = range.end.max(resume.next());
            let on = Stretch {
                thread,
                from,
                bottom: Some(frame),
            };
            while let Some(found) = self.later(on, &range)? {
                range.start = found.write.next();
                self.take_later(found, wanted, take)?;
                if wanted.is_empty() {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}
