//! Which frame is the innermost one of each thread, event by event, inside one block.
//!
//! The writer and the reader run the same walk. What a block does not say itself, the state of frames
//! that were called earlier, comes from [`Outside`]: the writer's live frames, or the entry list that
//! the writer made of them.

use crate::hash::Map;
use crate::{FrameId, FunctionId, ObjectId, ThreadId};

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
    Call {
        frame: FrameId,
        function: FunctionId,
        globals: Option<ObjectId>,
        locals: Option<ObjectId>,
    },
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
    /// The newest activation of each frame of this block.
    pub(crate) latest: Map<FrameId, u32>,
}

impl Walker {
    pub(crate) fn clear(&mut self) {
        self.threads.clear();
        self.activations.clear();
        self.latest.clear();
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
        let (current, thread_id) = (local.current, local.thread);
        let (belongs_to, next) = match step {
            Step::Other => return current,
            Step::Line(line) => return self.line(position, thread, line),
            Step::Call {
                frame,
                function,
                globals,
                locals,
            } => {
                let (caller_frame, depth) = self.below(current);
                let index = self.push(Activation {
                    frame,
                    function,
                    thread: thread_id,
                    caller: current,
                    caller_frame,
                    depth,
                    call: position,
                    start: position,
                    line: 0,
                    line_position: position,
                    last_line: 0,
                    last_line_position: position,
                    globals,
                    locals,
                    previous: NONE,
                    entry: None,
                    ended: false,
                });
                (index, index)
            }
            Step::Resume(frame) => match self.resume(position, current, frame, outside) {
                Some(index) => (index, index),
                None => return current,
            },
            Step::Leave => {
                if let Some(activation) = self.activations.get_mut(current as usize) {
                    activation.ended = true;
                }
                (current, self.caller(current, outside))
            }
            Step::Suspend => (current, self.caller(current, outside)),
        };
        if let Some(local) = self.threads.get_mut(thread as usize) {
            local.current = next;
        }
        belongs_to
    }

    /// Takes in a line and returns the activation it belongs to.
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
        if let Some(&index) = self.latest.get(&frame) {
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
        self.latest.insert(activation.frame, index);
        self.activations.push(activation);
        index
    }
}
