//! The one recorder of the process, reached only while the interpreter's lock is held.
//!
//! Everything the recorder does happens inside an entry: [`enter`] for events, [`on_change`] for
//! hooks that see an object change. An entry inside an entry (the recorder's own use of the
//! interpreter set something off) does nothing.

use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicBool, Ordering};

use retrostep_record_python_wire::{Config, Producer};

use crate::values::Values;

/// Everything the recorder knows.
pub(crate) struct Recorder {
    /// Whole messages that the ring has not taken yet.
    pub(crate) out: Vec<u8>,
    /// The value under construction, kept for its memory.
    pub(crate) value: Vec<u8>,
    pub(crate) values: Values,
    pub(crate) producer: Producer,
}

struct Shared {
    recorder: UnsafeCell<Option<Recorder>>,
    busy: UnsafeCell<bool>,
}

// SAFETY: reached only by the holder of the interpreter's lock; `busy` keeps entries apart.
unsafe impl Sync for Shared {}

static SHARED: Shared = Shared {
    recorder: UnsafeCell::new(None),
    busy: UnsafeCell::new(false),
};

/// Whether anything is to be recorded now. Read first by every callback.
static ENABLED: AtomicBool = AtomicBool::new(false);

/// Whether anything is to be recorded now.
#[inline]
pub(crate) fn is_enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}

/// Switches recording on or off. Also called in a forked child, where nothing else may be touched.
pub(crate) fn set_enabled(enabled: bool) {
    ENABLED.store(enabled, Ordering::Relaxed);
}

/// Makes the recorder of this process. The interpreter's lock is held.
pub(crate) fn install(producer: Producer, config: &Config) {
    let recorder = Recorder {
        out: Vec::with_capacity(64 << 10),
        value: Vec::with_capacity(4 << 10),
        values: Values::new(config),
        producer,
    };
    // SAFETY: the lock is held and no entry runs before recording is enabled.
    unsafe { *SHARED.recorder.get() = Some(recorder) };
}

/// Runs `work` on the recorder. `None` when recording is off or an entry is already running.
#[inline]
pub(crate) fn enter<R>(work: impl FnOnce(&mut Recorder) -> R) -> Option<R> {
    if !is_enabled() {
        return None;
    }
    // SAFETY: every caller holds the interpreter's lock.
    unsafe {
        if *SHARED.busy.get() {
            return None;
        }
        *SHARED.busy.get() = true;
        let result = (*SHARED.recorder.get()).as_mut().map(work);
        *SHARED.busy.get() = false;
        result
    }
}

/// Runs `work` for a hook that sees an object change outside the engine's own events. What it
/// appends belongs to the thread that runs and reaches the ring with the next event at the latest.
pub(crate) fn on_change(work: impl FnOnce(&mut Values, &mut Vec<u8>)) {
    enter(|recorder| {
        work(&mut recorder.values, &mut recorder.out);
    });
}
