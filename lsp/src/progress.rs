//! How far a request is: told by the thread that runs it, shown by the main loop when it takes long.

use std::sync::{Arc, Mutex, PoisonError};

/// How far a request is. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<Mutex<Option<Reached>>>);

/// A part of a whole, in whatever it is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reached {
    pub(crate) done: usize,
    pub(crate) of: usize,
}

impl Progress {
    /// So much is done. Costs little; may be told often.
    pub(crate) fn report(&self, done: usize, of: usize) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(Reached { done, of });
    }

    /// What was told last.
    pub(crate) fn reached(&self) -> Option<Reached> {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reached {
    /// From 0 to 100.
    pub(crate) fn percentage(self) -> u32 {
        let percentage = self.done.saturating_mul(100) / self.of.max(1);
        u32::try_from(percentage.min(100)).unwrap_or(100)
    }
}
