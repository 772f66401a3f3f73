//! The rules of DESIGN section 5 by brute force: over the plain list of events, without any index.

use std::collections::{BTreeMap, BTreeSet};

use retrostep_replay::{HitCondition, StepKind};
use retrostep_trace::{Change, Direction, Event, FrameId, Position, ThreadEvent, ThreadId, Value};

use crate::program::{GLOBALS, text};

/// Where a step ends, and what it is called there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Halt {
    Step(usize),
    ThreadStart(usize),
    ThreadEnd(usize),
    Start,
    End,
}

/// A watched variable.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Watched {
    Local(FrameId, u32),
    Global,
}

/// A change of a watched variable: the event, and where it stops forward and backward.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct DataHit {
    pub write: usize,
    pub after: usize,
    pub before: usize,
}

pub(crate) struct Reference<'a> {
    pub events: &'a [ThreadEvent],
    /// The stacks before each event and at the end, innermost frame last.
    stacks: Vec<BTreeMap<ThreadId, Vec<FrameId>>>,
    /// The innermost frame that each event belongs to.
    frames: Vec<Option<FrameId>>,
}

impl<'a> Reference<'a> {
    pub(crate) fn new(events: &'a [ThreadEvent]) -> Reference<'a> {
        let mut stacks = vec![BTreeMap::new()];
        let mut frames = Vec::new();
        for ThreadEvent { thread, event } in events {
            let mut now: BTreeMap<ThreadId, Vec<FrameId>> = stacks[stacks.len() - 1].clone();
            let stack = now.entry(*thread).or_default();
            if let Event::Call { frame, .. } | Event::Resume { frame } = event {
                stack.push(*frame);
            }
            frames.push(stack.last().copied());
            if matches!(
                event,
                Event::Return { .. } | Event::Yield { .. } | Event::Unwind { .. }
            ) {
                stack.pop();
            }
            stacks.push(now);
        }
        Reference {
            events,
            stacks,
            frames,
        }
    }

    pub(crate) fn end(&self) -> usize {
        self.events.len()
    }

    /// Outermost first.
    pub(crate) fn stack(&self, thread: ThreadId, at: usize) -> &[FrameId] {
        self.stacks[at].get(&thread).map_or(&[], |stack| stack)
    }

    pub(crate) fn threads(&self) -> BTreeSet<ThreadId> {
        self.events.iter().map(|event| event.thread).collect()
    }

    pub(crate) fn is_line(&self, at: usize) -> bool {
        matches!(self.events[at].event, Event::Line { .. })
    }

    pub(crate) fn frame_of(&self, at: usize) -> Option<FrameId> {
        self.frames[at]
    }

    /// Step events of the whole program.
    pub(crate) fn steps(&self) -> impl DoubleEndedIterator<Item = usize> + '_ {
        (0..self.end()).filter(|&at| self.is_line(at))
    }

    fn thread_steps(&self, thread: ThreadId) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.steps()
            .filter(move |&at| self.events[at].thread == thread)
    }

    fn frame_steps(&self, frame: FrameId) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.steps()
            .filter(move |&at| self.frames[at] == Some(frame))
    }

    fn thread_events(&self, thread: ThreadId) -> impl DoubleEndedIterator<Item = usize> + '_ {
        (0..self.end()).filter(move |&at| self.events[at].thread == thread)
    }

    /// Where a step of `thread` from `at` ends when nothing intervenes.
    pub(crate) fn step(
        &self,
        kind: StepKind,
        direction: Direction,
        thread: ThreadId,
        at: usize,
    ) -> Halt {
        match direction {
            Direction::Forward if at >= self.end() => Halt::End,
            Direction::Backward if at == 0 => Halt::Start,
            Direction::Forward => match self.forward(kind, thread, at) {
                Some(step) => Halt::Step(step),
                None => match self.thread_events(thread).next_back() {
                    Some(last) if last > at => Halt::ThreadEnd(last),
                    _ => Halt::End,
                },
            },
            Direction::Backward => match self.backward(kind, thread, at) {
                Some(step) => Halt::Step(step),
                None => match self.thread_events(thread).next() {
                    Some(first) if first > 0 && first < at => Halt::ThreadStart(first),
                    _ => Halt::Start,
                },
            },
        }
    }

    fn forward(&self, kind: StepKind, thread: ThreadId, at: usize) -> Option<usize> {
        let next_of_thread = || self.thread_steps(thread).find(|&step| step > at);
        let stack = self.stack(thread, at);
        match (kind, stack.last()) {
            (StepKind::Into, _) | (StepKind::Over, None) => next_of_thread(),
            (StepKind::Over, Some(&frame)) => self.over(frame, at),
            (StepKind::Out, _) => {
                let Some(frame) = self.shown_frame(thread, at) else {
                    return next_of_thread();
                };
                let left = (at..self.end()).find(|&event| self.leaves(frame, event))?;
                self.over(self.below(frame, left)?, left)
            }
        }
    }

    /// The next step event of the frame, or of the one below it once it is gone for good.
    fn over(&self, frame: FrameId, at: usize) -> Option<usize> {
        if let Some(step) = self.frame_steps(frame).find(|&step| step > at) {
            return Some(step);
        }
        let left = (at..self.end()).rfind(|&event| self.leaves(frame, event))?;
        self.over(self.below(frame, left)?, left)
    }

    /// Whether the frame leaves the stack at an event.
    fn leaves(&self, frame: FrameId, event: usize) -> bool {
        self.frames[event] == Some(frame)
            && matches!(
                self.events[event].event,
                Event::Return { .. } | Event::Yield { .. } | Event::Unwind { .. }
            )
    }

    fn below(&self, frame: FrameId, at: usize) -> Option<FrameId> {
        let stack = self.stack(self.events[at].thread, at);
        let index = stack.iter().position(|&other| other == frame)?;
        Some(stack[index.checked_sub(1)?])
    }

    /// The innermost frame of a thread, or the one shown in its place where there is none.
    fn shown_frame(&self, thread: ThreadId, at: usize) -> Option<FrameId> {
        if let Some(&frame) = self.stack(thread, at).last() {
            return Some(frame);
        }
        let first_step = self.steps().next()?;
        let is_start = at == 0 && self.events[first_step].thread == thread;
        let begins = at < self.end()
            && self.events[at].thread == thread
            && matches!(
                self.events[at].event,
                Event::ThreadStart { .. } | Event::Call { .. }
            );
        if is_start || begins {
            let next = self.thread_steps(thread).find(|&step| step >= at)?;
            return self.frames[next];
        }
        if at < self.thread_events(thread).next_back()? {
            return None;
        }
        self.last_outermost(thread, at)
    }

    fn last_outermost(&self, thread: ThreadId, before: usize) -> Option<FrameId> {
        let last = self.thread_steps(thread).rfind(|&step| step < before)?;
        self.stack(thread, last).first().copied()
    }

    fn backward(&self, kind: StepKind, thread: ThreadId, at: usize) -> Option<usize> {
        let stack = self.stack(thread, at);
        match kind {
            StepKind::Into => self.thread_steps(thread).rfind(|&step| step < at),
            StepKind::Over if stack.is_empty() || at == self.end() => {
                let frame = self.last_outermost(thread, at)?;
                self.frame_steps(frame).rfind(|&step| step < at)
            }
            StepKind::Over => {
                let frame = *stack.last()?;
                let own = self.frame_steps(frame).rfind(|&step| step < at);
                own.or_else(|| self.line_below(thread, stack, at))
            }
            // Where no frame of the thread runs, the one shown is an outermost one.
            StepKind::Out if stack.is_empty() => None,
            StepKind::Out => self.line_below(thread, stack, at),
        }
    }

    /// The last line of the nearest frame below the innermost one that has begun a line.
    fn line_below(&self, thread: ThreadId, stack: &[FrameId], at: usize) -> Option<usize> {
        let (_, callers) = stack.split_last()?;
        callers.iter().rev().find_map(|&caller| {
            let mut steps = self.frame_steps(caller);
            steps.rfind(|&step| step < at && self.events[step].thread == thread)
        })
    }

    /// Step events of a line.
    pub(crate) fn line_hits(&self, line: u32) -> Vec<usize> {
        let is = |at: &usize| self.events[*at].event == Event::Line { line };
        (0..self.end()).filter(is).collect()
    }

    /// The first lines of a function's calls, in order of the calls.
    pub(crate) fn function_hits(&self, function: u32) -> Vec<usize> {
        let first_line = |event: &ThreadEvent| match &event.event {
            Event::Call {
                frame,
                function: called,
                ..
            } if called.0 == function => Some(self.frame_steps(*frame).next()),
            _ => None,
        };
        // A call without a line counts as a hit but stops nowhere.
        let hits = self.events.iter().filter_map(first_line);
        hits.map(|step| step.unwrap_or(usize::MAX)).collect()
    }

    pub(crate) fn raises(&self) -> Vec<usize> {
        let is = |at: &usize| matches!(self.events[*at].event, Event::Raise { .. });
        (0..self.end()).filter(is).collect()
    }

    pub(crate) fn unwinds(&self) -> Vec<usize> {
        let is = |at: &usize| matches!(self.events[*at].event, Event::Unwind { .. });
        (0..self.end()).filter(is).collect()
    }

    pub(crate) fn uncaught(&self) -> Vec<usize> {
        let mut raises = Vec::new();
        for (at, event) in self.events.iter().enumerate() {
            if let Event::Unwind { exception } = &event.event
                && self.stack(event.thread, at + 1).is_empty()
            {
                let raised = Event::Raise {
                    exception: exception.clone(),
                };
                raises.extend((0..at).rfind(|&earlier| self.events[earlier].event == raised));
            }
        }
        raises.sort_unstable();
        raises
    }

    /// The value of a watched variable before an event.
    fn value(&self, watched: Watched, at: usize) -> Option<Value> {
        let mut value = None;
        for (event, frame) in self.events.iter().zip(&self.frames).take(at) {
            match (&event.event, watched) {
                (Event::Write { slot, value: new }, Watched::Local(of, watched))
                    if *frame == Some(of) && *slot == watched =>
                {
                    value.clone_from(new);
                }
                (Event::Object { object, change }, Watched::Global) if *object == GLOBALS => {
                    if let Change::SetKey { key, value: new } = change
                        && *key == text("g")
                    {
                        value = Some(new.clone());
                    }
                }
                _ => {}
            }
        }
        value
    }

    /// The changes of a watched variable.
    pub(crate) fn data_hits(&self, watched: Watched) -> Vec<DataHit> {
        let mut hits = Vec::new();
        for write in 0..self.end() {
            let (old, new) = (self.value(watched, write), self.value(watched, write + 1));
            let in_place = match (&new, &self.events[write].event) {
                (Some(Value::Object(shown)), Event::Object { object, change }) => {
                    shown == object && !matches!(change, Change::New(_))
                }
                _ => false,
            };
            if old != new || in_place {
                hits.push(DataHit {
                    write,
                    after: self.step_after(write),
                    before: self.step_before(write),
                });
            }
        }
        hits
    }

    fn step_after(&self, write: usize) -> usize {
        let thread = self.events[write].thread;
        let step = self.thread_steps(thread).find(|&step| step > write);
        step.unwrap_or_else(|| {
            let last = self.thread_events(thread).next_back().unwrap();
            last.max(write + 1)
        })
    }

    fn step_before(&self, write: usize) -> usize {
        let thread = self.events[write].thread;
        let stack = self.stack(thread, write);
        let own = stack.iter().rev().find_map(|&frame| {
            let mut steps = self.frame_steps(frame);
            steps.rfind(|&step| step < write)
        });
        own.unwrap_or_else(|| match stack.first() {
            Some(&outermost) => self
                .events
                .iter()
                .position(
                    |event| matches!(event.event, Event::Call { frame, .. } if frame == outermost),
                )
                .unwrap(),
            None => {
                let mut steps = self.thread_steps(thread);
                steps.rfind(|&step| step < write).unwrap_or(write)
            }
        })
    }

    /// Whether the first local of the frame that runs a step event is this number.
    pub(crate) fn first_local_is(&self, number: i64, step: usize) -> bool {
        let value = |frame| self.value(Watched::Local(frame, 0), step);
        self.frame_of(step).and_then(value) == Some(Value::Int(number))
    }
}

/// Those of `hits` whose number, from 1, the condition wants.
pub(crate) fn numbered(hits: &[usize], condition: Option<HitCondition>) -> Vec<usize> {
    let wanted = |number: u64| condition.is_none_or(|condition| condition.holds(number));
    let numbered = hits.iter().zip(1..);
    numbered
        .filter(|&(&at, number)| wanted(number) && at != usize::MAX)
        .map(|(&at, _)| at)
        .collect()
}

pub(crate) fn position(at: usize) -> Position {
    Position(at as u64)
}
