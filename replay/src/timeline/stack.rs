//! Stacks and threads at the timeline's position.

use std::sync::Arc;

use retrostep_trace::{CancellationToken, Direction, Event, FrameState, Key, Position, ThreadId};

use super::Timeline;
use crate::Result;
use crate::breakpoint::Search;

/// A page of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct StackPage {
    /// Innermost first.
    pub frames: Vec<FrameState>,
    /// How many frames the whole stack has.
    pub total: u64,
}

/// A thread as it is at the timeline's position.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadState {
    /// The thread.
    pub thread: ThreadId,
    /// Its name in the program.
    pub name: Arc<str>,
    /// Whether it has begun and not yet ended there.
    pub alive: bool,
}

impl Timeline {
    /// A page of the stack of `thread`: skips `skip`, returns at most `limit`.
    ///
    /// At the first event of a thread, position 0 for the main thread, the stack of its first step
    /// event is shown. After its last event the last state of its outermost frame is.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn stack(&self, thread: ThreadId, skip: u64, limit: u64) -> Result<StackPage> {
        let cancel = CancellationToken::new();
        let at = self.shown_position(self.search(&cancel), thread)?;
        Ok(StackPage {
            frames: self.recording.stack(thread, at, skip, limit)?,
            total: self.recording.stack_depth(thread, at)?,
        })
    }

    /// The threads of the recording, in order of first appearance, as they are at this position.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn threads(&self) -> Result<Vec<ThreadState>> {
        let alive = |first: Position, last: Position, ended: bool| {
            first <= self.position && (!ended || self.position <= last)
        };
        Ok(self
            .threads
            .iter()
            .map(|info| ThreadState {
                thread: info.thread,
                name: info.name.clone(),
                alive: alive(info.first, info.last, info.ended),
            })
            .collect())
    }

    /// The position whose stack is shown for `thread` at the timeline's position: the same one, unless
    /// the thread's stack is empty there.
    pub(super) fn shown_position(&self, search: Search<'_>, thread: ThreadId) -> Result<Position> {
        let at = self.position;
        if self.recording.stack_depth(thread, at)? > 0 {
            return Ok(at);
        }
        let next = || {
            let key = Key::ThreadStep(thread);
            let recording = search.recording;
            recording.find(key, at, Direction::Forward, search.cancel)
        };
        if at == Position::START && thread == self.first_thread {
            return Ok(next()?.unwrap_or(at));
        }
        let event = self.recording.event(at)?;
        let begins = event.is_some_and(|found| {
            found.thread == thread
                && matches!(found.event, Event::ThreadStart { .. } | Event::Call { .. })
        });
        if begins {
            return Ok(next()?.unwrap_or(at));
        }
        match self.thread_info(thread) {
            Some(info) if at >= info.last => self.last_shown(search, thread),
            _ => Ok(at),
        }
    }

    /// The last position at which the thread's outermost frame is on its stack.
    fn last_shown(&self, search: Search<'_>, thread: ThreadId) -> Result<Position> {
        let at = self.position;
        let back = |key, from| {
            let recording = search.recording;
            recording.find(key, from, Direction::Backward, search.cancel)
        };
        let Some(last) = back(Key::ThreadStep(thread), at)? else {
            return Ok(at);
        };
        let depth = self.recording.stack_depth(thread, last)?;
        let bottom = self
            .recording
            .stack(thread, last, depth.saturating_sub(1), 1)?;
        let Some(outermost) = bottom.first() else {
            return Ok(last);
        };
        let exit = back(Key::FrameExit(outermost.frame), at)?;
        Ok(exit.filter(|&exit| exit > last).unwrap_or(last))
    }
}
