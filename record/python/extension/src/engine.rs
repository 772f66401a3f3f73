//! Starting and stopping the source of events that the interpreter's version has.

use std::sync::atomic::{AtomicU32, Ordering};

use crate::api::{PyObject, py};
use crate::frame::RawFrame;
use crate::layout::layout;
use crate::{monitoring, recorder, settrace, starts};

/// How many marked parts of the program run.
static PARTS: AtomicU32 = AtomicU32::new(0);

/// Gets everything ready to start.
///
/// # Safety
///
/// The interpreter's lock is held and no exception is pending.
pub(crate) unsafe fn prepare() -> Result<(), String> {
    if layout().has_monitoring() {
        // SAFETY: the caller's.
        unsafe { monitoring::prepare() }
    } else {
        // SAFETY: the caller's.
        unsafe { starts::install() };
        Ok(())
    }
}

/// Starts recording.
///
/// # Safety
///
/// As for [`prepare`].
pub(crate) unsafe fn start() {
    if recorder::is_over() {
        return;
    }
    recorder::set_enabled(true);
    // SAFETY: the caller's.
    let started = unsafe {
        if layout().has_monitoring() {
            monitoring::start()
        } else {
            settrace::start();
            Ok(())
        }
    };
    recorder::enter(|recorder| {
        if let Err(reason) = started {
            recorder.note(&format!("nothing was recorded: {reason}"));
        }
    });
}

/// A marked part of the program begins: records from here on, the frames that run included.
///
/// # Safety
///
/// As for [`prepare`].
pub(crate) unsafe fn begin_part() {
    if PARTS.fetch_add(1, Ordering::Relaxed) > 0 || recorder::is_over() {
        return;
    }
    // SAFETY: the caller's; the frames of the running thread exist.
    unsafe {
        recorder::set_enabled(true);
        let frames = running_frames();
        recorder::enter(|recorder| {
            recorder.values.resume();
            recorder.adopt(&frames);
            for (_, code, _) in &frames {
                recorder.instrument_known(*code);
            }
        });
        for (_, code, _) in frames {
            py::Py_DecRef(code);
        }
        start();
    }
}

/// A marked part of the program ends.
///
/// # Safety
///
/// As for [`prepare`].
pub(crate) unsafe fn end_part() {
    let before = PARTS.load(Ordering::Relaxed);
    PARTS.store(before.saturating_sub(1), Ordering::Relaxed);
    if before == 1 {
        // SAFETY: the caller's.
        unsafe { pause() };
    }
}

/// Records nothing until a marked part begins; the ends of the frames that run are not seen.
///
/// # Safety
///
/// As for [`prepare`].
pub(crate) unsafe fn pause() {
    if !recorder::is_enabled() {
        return;
    }
    // SAFETY: the caller's.
    unsafe {
        let frame = RawFrame::current();
        recorder::enter(|recorder| recorder.abandon_frames(frame));
        recorder::set_enabled(false);
        if layout().has_monitoring() {
            let recorded = recorder::reach(|recorder| {
                let recorded: Vec<_> = recorder.codes.recorded().collect();
                for info in &recorded {
                    info.is_instrumented.set(false);
                }
                recorded
            });
            monitoring::stop(&recorded.unwrap_or_default());
        } else {
            settrace::stop();
        }
    }
}

/// The frames of the running thread with their code (a new reference) and line, outermost first.
unsafe fn running_frames() -> Vec<(RawFrame, *mut PyObject, u32)> {
    let mut frames = Vec::new();
    // SAFETY: the caller's; references to frame objects are given back.
    unsafe {
        let mut object = py::PyEval_GetFrame();
        if !object.is_null() {
            py::Py_IncRef(object);
        }
        while !object.is_null() {
            let line = u32::try_from(py::PyFrame_GetLineNumber(object)).unwrap_or(0);
            frames.push((
                RawFrame::of_object(object),
                py::PyFrame_GetCode(object),
                line,
            ));
            let next = py::PyFrame_GetBack(object);
            py::Py_DecRef(object);
            object = next;
        }
    }
    frames.reverse();
    frames
}
