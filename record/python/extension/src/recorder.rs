//! The one recorder of the process, reached only while the interpreter's lock is held.
//!
//! Everything the recorder does happens inside an entry: [`enter`] for events, [`on_change`] for
//! hooks that see an object change. An entry inside an entry (the recorder's own use of the
//! interpreter set something off) does nothing.

use std::cell::UnsafeCell;
use std::collections::HashMap;
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use retrostep_record_python_wire::message::{self, put};
use retrostep_record_python_wire::{Config, Mode, Producer};

use crate::api::py;
use crate::clock::Clock;
use crate::codes::Codes;
use crate::pieces;
use crate::stack::Suspended;
use crate::tasks::Tasks;
use crate::threads::Threads;
use crate::values::Values;

/// After so long without room the program's recorder asks whether the host still lives.
const LIVENESS_CHECK_AFTER: Duration = Duration::from_secs(1);

/// Events between two looks at the clock: together they take a few microseconds.
const BEATS: u32 = 64;

/// Everything the recorder knows.
pub(crate) struct Recorder {
    /// Whole messages that the ring has not taken yet.
    pub(crate) out: Vec<u8>,
    /// The value under construction, kept for its memory.
    pub(crate) value: Vec<u8>,
    pub(crate) values: Values,
    pub(crate) codes: Codes,
    pub(crate) threads: Threads,
    /// Generators and coroutines between a yield and the next resume, by the frame's address.
    pub(crate) suspended: HashMap<usize, Suspended>,
    pub(crate) tasks: Tasks,
    pub(crate) clock: Clock,
    /// Events until the clock is looked at again.
    pub(crate) beats: u32,
    pub(crate) next_frame: u64,
    pub(crate) mode: Mode,
    producer: Producer,
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

/// Whether nothing will be recorded any more: the host had enough or is gone, or this is a child.
static OVER: AtomicBool = AtomicBool::new(false);

/// Whether nothing will be recorded any more in this process.
#[inline]
pub(crate) fn is_over() -> bool {
    OVER.load(Ordering::Relaxed)
}

/// Records nothing any more in this process. Also called in a forked child, where nothing else may
/// be touched.
pub(crate) fn finish() {
    OVER.store(true, Ordering::Relaxed);
    set_enabled(false);
}

/// Whether anything is to be recorded now.
#[inline]
pub(crate) fn is_enabled() -> bool {
    ENABLED.load(Ordering::Relaxed)
}

/// Switches recording on or off.
pub(crate) fn set_enabled(enabled: bool) {
    ENABLED.store(enabled, Ordering::Relaxed);
}

/// The recorded interpreter.
static INTERPRETER: AtomicUsize = AtomicUsize::new(0);

/// Makes the recorder of this process. The interpreter's lock is held.
pub(crate) fn install(producer: Producer, config: &Config) {
    // SAFETY: the lock is held.
    let interpreter = unsafe { py::PyInterpreterState_Get() };
    INTERPRETER.store(interpreter as usize, Ordering::Relaxed);
    let recorder = Recorder {
        out: Vec::with_capacity(64 << 10),
        value: Vec::with_capacity(4 << 10),
        values: Values::new(config),
        codes: Codes::new(config),
        threads: Threads::default(),
        suspended: HashMap::new(),
        tasks: Tasks::default(),
        clock: Clock::new(),
        beats: 0,
        next_frame: 0,
        mode: config.mode,
        producer,
    };
    // SAFETY: the lock is held and no entry runs before recording is enabled.
    unsafe { *SHARED.recorder.get() = Some(recorder) };
}

/// Runs `work` on the recorder, recording or not. `None` when there is none or an entry is running.
pub(crate) fn reach<R>(work: impl FnOnce(&mut Recorder) -> R) -> Option<R> {
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

/// Runs `work` on the recorder and hands what it appended to the host.
/// `None` when recording is off or an entry is already running.
///
/// May release the interpreter's lock for a while after `work`.
#[inline]
pub(crate) fn enter<R>(work: impl FnOnce(&mut Recorder) -> R) -> Option<R> {
    if !is_enabled() {
        return None;
    }
    let (result, delivered) = reach(|recorder| {
        let result = work(recorder);
        (result, recorder.deliver())
    })?;
    if !delivered {
        wait_and_deliver();
    }
    Some(result)
}

/// Whether the interpreter that runs is the recorded one. Others may have a lock of their own, and
/// functions that stand in for the interpreter's are called by all.
pub(crate) fn is_own_interpreter() -> bool {
    // SAFETY: called with a running thread.
    let interpreter = unsafe { py::PyInterpreterState_Get() };
    interpreter as usize == INTERPRETER.load(Ordering::Relaxed)
}

/// Runs `work` for a hook that sees an object change outside the engine's own events. What it
/// appends belongs to the thread that runs. Never waits: what the ring has no room for follows with
/// the next event.
pub(crate) fn on_change(work: impl FnOnce(&mut Values, &mut Vec<u8>)) {
    if !is_enabled() || !is_own_interpreter() {
        return;
    }
    reach(|recorder| {
        recorder.switch_thread();
        work(&mut recorder.values, &mut recorder.out);
        recorder.deliver();
    });
}

/// Waits, without the interpreter's lock, until the host made room. Switches recording off when it
/// never will.
#[cold]
fn wait_and_deliver() {
    let begin = Instant::now();
    let mut pause = Duration::from_micros(50);
    loop {
        // SAFETY: the lock is held and no Python object is in use here.
        unsafe {
            let state: *mut c_void = py::PyEval_SaveThread();
            std::thread::sleep(pause);
            py::PyEval_RestoreThread(state);
        }
        pause = (pause * 2).min(Duration::from_millis(2));
        if !is_enabled() {
            return;
        }
        let patience_over = begin.elapsed() > LIVENESS_CHECK_AFTER;
        let settled = reach(|recorder| {
            if recorder.deliver() {
                return true;
            }
            let over = recorder.producer.stop_requested()
                || (patience_over && !recorder.producer.host_alive());
            if over {
                finish();
                recorder.out = Vec::new();
            }
            over
        });
        if settled == Some(true) {
            return;
        }
    }
}

impl Recorder {
    /// Hands the host everything that is whole. False when the ring has no room.
    #[inline]
    pub(crate) fn deliver(&mut self) -> bool {
        if self.out.is_empty() {
            return true;
        }
        if self.out.len() <= pieces::MAX_BYTES {
            let pushed = self.producer.try_push(&self.out);
            if pushed {
                self.out.clear();
            }
            return pushed;
        }
        self.deliver_in_pieces()
    }

    #[cold]
    fn deliver_in_pieces(&mut self) -> bool {
        let mut at = 0;
        while let Some(rest) = self.out.get(at..).filter(|rest| !rest.is_empty()) {
            let len = pieces::first(rest);
            let Some(piece) = rest.get(..len).filter(|piece| !piece.is_empty()) else {
                break;
            };
            if len > pieces::MAX_BYTES {
                let rest = self.out.split_off(at + len);
                let long = self.out.split_off(at);
                self.out.extend(pieces::parts(&long));
                self.out.extend(rest);
                continue;
            }
            if !self.producer.try_push(piece) {
                self.out.drain(..at);
                return false;
            }
            at += len;
        }
        self.out.clear();
        self.out.shrink_to(1 << 20);
        true
    }

    /// Looks, now and then, whether the host wants to record nothing more.
    pub(crate) fn look_at_host(&mut self) {
        if self.producer.stop_requested() {
            finish();
            self.out.clear();
        }
    }

    /// Adds a sentence to the recording's notes.
    pub(crate) fn note(&mut self, text: &str) {
        self.out.push(message::NOTE);
        put::text(&mut self.out, text.as_bytes());
    }

    /// Says that recording began.
    pub(crate) fn started(&mut self, self_check: &str, version: &str) {
        self.out.push(message::STARTED);
        put::text(&mut self.out, self_check.as_bytes());
        put::text(&mut self.out, version.as_bytes());
    }

    /// Looks at the clock now and then: at every event after one that may have taken long, else less
    /// often than events happen.
    #[inline]
    pub(crate) fn beat(&mut self) {
        if self.beats == 0 || self.values.is_waiting() {
            self.beats = BEATS;
            self.tick();
        } else {
            self.beats -= 1;
        }
    }

    /// Emits the time if it moved on noticeably.
    #[inline]
    pub(crate) fn tick(&mut self) {
        if let Some(ns) = self.clock.tick() {
            self.out.push(message::CLOCK);
            put::number(&mut self.out, ns);
            self.look_at_host();
        }
    }
}
