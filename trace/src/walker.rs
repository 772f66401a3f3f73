//! Which frame is the innermost one of each thread, event by event, inside one block.
//!
//! The writer and the reader run the same walk. What a block does not say itself, the state of frames
//! that were called earlier, comes from [`Outside`]: the writer's live frames, or the entry list that
//! the writer made of them.

use crate::hash::Map;
use crate::{Call, FrameId, FunctionId, ObjectId, ThreadId};

/// An index that means "none".
pub(crate) const NONE: u32 = u32::MAX;

/// What a frame was at the boundary of two blocks; its locals stand beside it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct FrameRecord {
    pub(crate) frame: FrameId,
    pub(crate) function: FunctionId,
    pub(crate) thread: ThreadId,
    pub(crate) caller: Option<FrameId>,
    pub(crate) depth: u32,
    pub(crate) call: u64,
    /// Where it was last called or resumed.
    pub(crate) start: u64,
    /// Its last line, or 0 before the first.
    pub(crate) line: u32,
    pub(crate) line_position: u64,
    pub(crate) globals: Option<ObjectId>,
    pub(crate) locals: Option<ObjectId>,
    /// The block in which it was last the innermost frame.
    pub(crate) block: u32,
}

/// What the walk asks about the time before its block.
pub(crate) trait Outside {
    fn frame(&self, frame: FrameId) -> Option<&FrameRecord>;
    fn top(&self, thread: ThreadId) -> Option<FrameId>;
}

/// A stretch of a frame's life in this block: from its call, its resume or the block's start.
#[derive(Clone, Debug)]
pub(crate) struct Activation {
    pub(crate) frame: FrameId,
    pub(crate) function: FunctionId,
    /// The thread it was called on.
    pub(crate) thread: ThreadId,
    /// The caller's activation, when it is known in this block.
    pub(crate) caller: u32,
    pub(crate) caller_frame: Option<FrameId>,
    pub(crate) depth: u32,
    pub(crate) call: u64,
    pub(crate) start: u64,
    /// Its line when this activation began.
    pub(crate) line: u32,
    pub(crate) line_position: u64,
    /// Its last line in this activation.
    pub(crate) last_line: u32,
    pub(crate) last_line_position: u64,
    pub(crate) globals: Option<ObjectId>,
    pub(crate) locals: Option<ObjectId>,
    /// The activation of the same frame before this one in this block.
    pub(crate) previous: u32,
    /// Where the frame was last touched, for frames from earlier blocks.
    pub(crate) entry: Option<u32>,
    pub(crate) ended: bool,
}

/// A thread in this block.
#[derive(Clone, Debug)]
pub(crate) struct LocalThread {
    pub(crate) thread: ThreadId,
    /// Its innermost frame at the block's start.
    pub(crate) first: u32,
    /// Its innermost frame now.
    pub(crate) current: u32,
}

/// What an event does to frames.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Step {
    Call(Call),
    Line(u32),
    Leave,
    Suspend,
    Resume(FrameId),
    Other,
}

/// The state of the walk.
#[derive(Debug, Default)]
pub(crate) struct Walker {
    pub(crate) threads: Vec<LocalThread>,
    pub(crate) activations: Vec<Activation>,
    /// The newest activations of the frames called in this block: of `first_called` and those after it.
    called: Vec<u32>,
    first_called: u64,
    /// The newest activations of other frames.
    others: Map<FrameId, u32>,
}

impl Walker {
    /// A walk at a block's start; frames that are called in it have ids from `first_frame` on.
    pub(crate) fn new(first_frame: u64) -> Walker {
        Walker {
            first_called: first_frame,
            ..Walker::default()
        }
    }

    pub(crate) fn start(&mut self, first_frame: u64) {
        self.threads.clear();
        self.activations.clear();
        self.called.clear();
        self.first_called = first_frame;
        self.others.clear();
    }

    /// The newest activation of a frame of this block.
    pub(crate) fn latest(&self, frame: FrameId) -> Option<u32> {
        let called = frame.0.checked_sub(self.first_called);
        called
            .and_then(|index| self.called.get(usize::try_from(index).ok()?))
            .or_else(|| self.others.get(&frame))
            .copied()
    }

    /// Adds a thread at its first event in this block.
    pub(crate) fn add_thread(&mut self, thread: ThreadId, outside: &impl Outside) -> u32 {
        let first = match outside.top(thread) {
            Some(frame) => self.enter(frame, outside),
            None => NONE,
        };
        self.threads.push(LocalThread {
            thread,
            first,
            current: first,
        });
        (self.threads.len() - 1) as u32
    }

    /// The innermost activation of a thread.
    #[inline]
    pub(crate) fn current(&self, thread: u32) -> u32 {
        let local = self.threads.get(thread as usize);
        local.map_or(NONE, |local| local.current)
    }

    /// Takes in an event and returns the activation it belongs to.
    pub(crate) fn apply(
        &mut self,
        position: u64,
        thread: u32,
        step: Step,
        outside: &impl Outside,
    ) -> u32 {
        let Some(local) = self.threads.get(thread as usize) else {
            return NONE;
        };
        let current = local.current;
        let (belongs_to, next) = match step {
            Step::Other => return current,
            Step::Line(line) => return self.line(position, thread, line),
            Step::Call(call) => return self.call(position, thread, &call),
            Step::Resume(frame) => match self.resume(position, current, frame, outside) {
                Some(index) => (index, index),
                None => return current,
            },
            Step::Leave => return self.leave(thread, outside),
            Step::Suspend => (current, self.caller(current, outside)),
        };
        if let Some(local) = self.threads.get_mut(thread as usize) {
            local.current = next;
        }
        belongs_to
    }

    /// Takes in a call and returns the activation that begins.
    pub(crate) fn call(&mut self, position: u64, thread: u32, call: &Call) -> u32 {
        let Some(local) = self.threads.get(thread as usize) else {
            return NONE;
        };
        let (caller, thread_id) = (local.current, local.thread);
        let (caller_frame, depth) = self.below(caller);
        let index = self.push(Activation {
            frame: call.frame,
            function: call.function,
            thread: thread_id,
            caller,
            caller_frame,
            depth,
            call: position,
            start: position,
            line: 0,
            line_position: position,
            last_line: 0,
            last_line_position: position,
            globals: call.globals,
            locals: call.locals,
            previous: NONE,
            entry: None,
            ended: false,
        });
        if let Some(local) = self.threads.get_mut(thread as usize) {
            local.current = index;
        }
        index
    }

    /// Takes in the end of a thread's innermost frame and returns its activation.
    pub(crate) fn leave(&mut self, thread: u32, outside: &impl Outside) -> u32 {
        let current = self.current(thread);
        if let Some(activation) = self.activations.get_mut(current as usize) {
            activation.ended = true;
        }
        let caller = self.caller(current, outside);
        if let Some(local) = self.threads.get_mut(thread as usize) {
            local.current = caller;
        }
        current
    }

    /// Takes in a line and returns the activation it belongs to.
    #[inline]
    pub(crate) fn line(&mut self, position: u64, thread: u32, line: u32) -> u32 {
        let current = self.current(thread);
        if let Some(activation) = self.activations.get_mut(current as usize) {
            activation.last_line = line;
            activation.last_line_position = position;
        }
        current
    }

    /// The activation below `index` on its stack, looked up outside if need be.
    fn caller(&mut self, index: u32, outside: &impl Outside) -> u32 {
        let Some(activation) = self.activations.get(index as usize) else {
            return NONE;
        };
        if activation.caller != NONE {
            return activation.caller;
        }
        let Some(frame) = activation.caller_frame else {
            return NONE;
        };
        let caller = self.enter(frame, outside);
        if let Some(activation) = self.activations.get_mut(index as usize) {
            activation.caller = caller;
        }
        caller
    }

    fn resume(
        &mut self,
        position: u64,
        current: u32,
        frame: FrameId,
        outside: &impl Outside,
    ) -> Option<u32> {
        let previous = self.enter(frame, outside);
        let before = self.activations.get(previous as usize)?;
        if before.ended || previous == current {
            return None;
        }
        let mut next = before.clone();
        (next.caller_frame, next.depth) = self.below(current);
        next.caller = current;
        next.start = position;
        next.line = next.last_line;
        next.line_position = next.last_line_position;
        next.previous = previous;
        next.entry = None;
        Some(self.push(next))
    }

    /// The frame of an activation that calls another, and the depth of the one called.
    fn below(&self, current: u32) -> (Option<FrameId>, u32) {
        match self.activations.get(current as usize) {
            Some(activation) => (Some(activation.frame), activation.depth.saturating_add(1)),
            None => (None, 1),
        }
    }

    fn enter(&mut self, frame: FrameId, outside: &impl Outside) -> u32 {
        if let Some(index) = self.latest(frame) {
            return index;
        }
        let Some(record) = outside.frame(frame) else {
            return NONE;
        };
        let record = record.clone();
        self.push(Activation {
            frame,
            function: record.function,
            thread: record.thread,
            caller: NONE,
            caller_frame: record.caller,
            depth: record.depth,
            call: record.call,
            start: record.start,
            line: record.line,
            line_position: record.line_position,
            last_line: record.line,
            last_line_position: record.line_position,
            globals: record.globals,
            locals: record.locals,
            previous: NONE,
            entry: Some(record.block),
            ended: false,
        })
    }

    fn push(&mut self, activation: Activation) -> u32 {
        let index = self.activations.len() as u32;
        let called = activation.frame.0.checked_sub(self.first_called);
        match called.and_then(|called| usize::try_from(called).ok()) {
            // Ids are given in order; a file may say otherwise.
            Some(called) if called == self.called.len() => self.called.push(index),
            Some(called) if called < self.called.len() => {
                if let Some(latest) = self.called.get_mut(called) {
                    *latest = index;
                }
            }
            _ => {
                self.others.insert(activation.frame, index);
            }
        }
        self.activations.push(activation);
        index
    }
}
