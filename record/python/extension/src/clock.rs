//! The time of events: cheap to ask at every event, read from the system only when it moved on.

use std::time::Instant;

/// Time stamp counter steps between two readings of the system's clock: at most 100 µs on any
/// processor of at least 1 GHz.
#[cfg(target_arch = "x86_64")]
const STEPS: u64 = 100_000;

/// Events between two readings where no counter is at hand.
#[cfg(not(target_arch = "x86_64"))]
const STEPS: u64 = 64;

/// Tells the time since the recorder started.
#[derive(Debug)]
pub(crate) struct Clock {
    start: Instant,
    last_step: u64,
}

impl Clock {
    /// A clock that starts now.
    pub(crate) fn new() -> Clock {
        Clock {
            start: Instant::now(),
            last_step: 0,
        }
    }

    /// Nanoseconds since the start, if the clock moved on noticeably since the last answer.
    #[inline]
    pub(crate) fn tick(&mut self) -> Option<u64> {
        let step = self.step();
        if step.wrapping_sub(self.last_step) < STEPS {
            return None;
        }
        self.last_step = step;
        Some(u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX))
    }

    #[cfg(target_arch = "x86_64")]
    #[inline]
    fn step(&self) -> u64 {
        // SAFETY: every x86-64 processor has the instruction.
        unsafe { core::arch::x86_64::_rdtsc() }
    }

    #[cfg(not(target_arch = "x86_64"))]
    #[inline]
    fn step(&mut self) -> u64 {
        self.last_step.wrapping_add(1)
    }
}
