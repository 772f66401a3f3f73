//! What events mean for the recorded stacks, whichever way the interpreter reports them.
//!
//! Every event first brings the thread's shadow stack into agreement with the real one, then says
//! what the frame's variables show now, then itself. The frame that calls is looked at once more
//! before the call, so that nobody sees it with values from before its current line.

use retrostep_record_python_wire::message::{self, put, tag};

use crate::api::{PyObject, field, py};
use crate::ask::Variables;
use crate::codes::CodeInfo;
use crate::frame::RawFrame;
use crate::layout::{fixed, layout};
use crate::recorder::Recorder;
use crate::threads::{Active, Thread};
use crate::values::{LineFacts, Shadow, Values};

/// The number of `trace::Unavailable::Unknown` on the wire.
const UNKNOWN: u8 = 5;

/// A generator or coroutine that waits to be resumed.
#[derive(Debug)]
pub(crate) struct Suspended {
    id: u64,
    info: &'static CodeInfo,
    at: At,
    shadows: Vec<Shadow>,
}

/// Where a frame stands.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct At {
    /// What is known of its line; `None` before the first.
    pub(crate) line: Option<u32>,
    facts: Option<&'static LineFacts>,
    /// Whether the line's guards held when it began.
    quiet: bool,
}

/// What a line event found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    /// The code is not recorded.
    Elsewhere,
    /// No instruction of the line is to be looked at.
    Quiet,
    /// Its instructions are to be looked at.
    Watched,
    /// As [`Line::Watched`], and the interpreter was told otherwise before.
    WatchedAgain,
}

/// How a frame begins to run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// A new activation.
    Call,
    /// A suspended one goes on; an unknown one counts as new.
    Resume,
}

/// All methods need the interpreter's lock, frames that exist, and no pending exception.
impl Recorder {
    /// First act of every event.
    #[inline]
    fn begin(&mut self, frame: RawFrame) {
        // SAFETY: the lock is held.
        unsafe { self.values.leave_thread(&mut self.out) };
        self.switch_thread();
        if let Some(thread) = self.threads.current() {
            thread.raised_last = None;
        }
        self.beat();
        // SAFETY: the lock is held; what is settled is the running thread's.
        unsafe { self.values.settle(&mut self.out, frame) };
    }

    /// A frame begins or goes on. What is known of its code; `None` when that is not recorded.
    pub(crate) unsafe fn enter_frame(
        &mut self,
        frame: RawFrame,
        code: *mut PyObject,
        entry: Entry,
    ) -> Option<&'static CodeInfo> {
        // SAFETY: the caller's.
        let info = unsafe { self.info(frame, code) }?;
        self.begin(frame);
        // SAFETY: the caller's; after `leave_stale` the top of the stack is a frame that called.
        unsafe {
            self.leave_stale(frame);
            self.compare();
            let task = if info.is_coroutine {
                self.enter_task()
            } else {
                None
            };
            let suspended = match entry {
                Entry::Resume => self.suspended.remove(&(frame.0 as usize)),
                Entry::Call => None,
            };
            match suspended {
                Some(suspended) if std::ptr::eq(suspended.info, info) => {
                    self.resume(frame, suspended);
                }
                _ => self.call(frame, info),
            }
            if let Some(task) = task {
                self.stand_task(task);
            }
        }
        Some(info)
    }

    /// A line is about to run.
    #[inline]
    pub(crate) unsafe fn line(&mut self, frame: RawFrame, line: u32) -> Line {
        self.begin(frame);
        // SAFETY: the caller's.
        unsafe {
            let Some(info) = self.stand_in(frame) else {
                return Line::Elsewhere;
            };
            self.compare();
            let facts = info.map.line(line);
            let result = self.enter_line(frame, facts);
            if result == Line::WatchedAgain {
                self.instrument_again(info);
            }
            if let Some(active) = self.threads.current().and_then(|t| t.stack.last_mut()) {
                active.at = At {
                    line: Some(line),
                    facts,
                    quiet: result == Line::Quiet,
                };
            }
            self.out.push(message::LINE);
            put::number(&mut self.out, u64::from(line));
            result
        }
    }

    /// Asks the guards of a line that begins or goes on.
    #[inline]
    unsafe fn enter_line(&mut self, frame: RawFrame, facts: Option<&'static LineFacts>) -> Line {
        let Some(facts) = facts.filter(|facts| facts.has_sites) else {
            return Line::Quiet;
        };
        // SAFETY: the caller's.
        if unsafe { self.values.is_quiet(&mut self.out, frame, facts) } {
            return Line::Quiet;
        }
        if Values::needs_instructions_again(facts) {
            return Line::WatchedAgain;
        }
        Line::Watched
    }

    /// Whether the instructions of the innermost frame's line have to be looked at one by one;
    /// `None` where none of its code has.
    pub(crate) fn wants_instructions(&mut self) -> Option<bool> {
        let active = self.threads.current()?.stack.last()?;
        let (info, at) = (active.info, active.at);
        if info.map.is_empty() {
            return None;
        }
        let watched = at
            .facts
            .is_some_and(|facts| facts.has_loud_sites || (facts.has_sites && !at.quiet));
        Some(watched || (info.map.reraises() && self.saw_several_exceptions()))
    }

    /// An instruction that may change an object is about to run.
    pub(crate) unsafe fn instruction(&mut self, frame: RawFrame, offset: i32) -> bool {
        self.begin(frame);
        // SAFETY: the caller's.
        unsafe {
            let Some(info) = self.stand_in(frame) else {
                return false;
            };
            let at = self.threads.current().and_then(|t| t.stack.last());
            let at = at.map(|active| active.at).unwrap_or_default();
            if self
                .values
                .is_answered(&info.map, offset, at.facts, at.quiet)
            {
                return false;
            }
            let interest =
                self.values
                    .on_instruction(&mut self.out, frame, info.code, offset, &info.map);
            let reraised = self.values.reraised(frame, info.code, offset, &info.map);
            if let Some(exception) = reraised {
                self.value.clear();
                self.values
                    .encode(&mut self.out, &mut self.value, exception);
                self.remember_exception();
            }
            interest == crate::values::Interest::Always
        }
    }

    /// The frame returns.
    pub(crate) unsafe fn return_value(&mut self, frame: RawFrame, value: *mut PyObject) {
        self.begin(frame);
        // SAFETY: the caller's.
        unsafe {
            let Some(info) = self.stand_in(frame) else {
                return;
            };
            self.compare();
            self.emit_value(message::RETURN, value, info.redacted);
            self.pop(true);
        }
    }

    /// The frame yields.
    pub(crate) unsafe fn yield_value(&mut self, frame: RawFrame, value: *mut PyObject) {
        self.begin(frame);
        // SAFETY: the caller's.
        unsafe {
            let Some(info) = self.stand_in(frame) else {
                return;
            };
            self.compare();
            self.emit_value(message::YIELD, value, info.redacted);
            let Some(thread) = self.threads.current() else {
                return;
            };
            if let Some(active) = thread.stack.last() {
                let suspended = Suspended {
                    id: active.id,
                    info,
                    at: active.at,
                    shadows: thread.shadows.split_off(active.base),
                };
                self.suspended.insert(frame.0 as usize, suspended);
            }
            self.pop(false);
        }
    }

    /// An exception was raised in the frame, or came into it from code that is not recorded.
    pub(crate) unsafe fn raise(&mut self, frame: RawFrame, exception: *mut PyObject, first: bool) {
        self.begin(frame);
        // SAFETY: the caller's.
        unsafe {
            if self.stand_in(frame).is_none() {
                return;
            }
            self.compare();
            self.value.clear();
            self.values
                .encode(&mut self.out, &mut self.value, exception);
            self.remember_exception();
            if first {
                self.out.push(message::RAISE);
                self.out.extend_from_slice(&self.value);
            }
        }
    }

    /// Keeps the exception that was just encoded, for the moment it leaves the frame.
    fn remember_exception(&mut self) {
        let Recorder { threads, value, .. } = self;
        let Some(thread) = threads.current() else {
            return;
        };
        let Some(active) = thread.stack.last() else {
            return;
        };
        let id = active.id;
        thread
            .exceptions
            .retain(|(frame, known)| *frame != id || **known != **value);
        thread.exceptions.push((id, value.as_slice().into()));
        thread.raised_last = Some(id);
    }

    /// Whether several exceptions were seen in the running frame.
    fn saw_several_exceptions(&mut self) -> bool {
        let Some(thread) = self.threads.current() else {
            return false;
        };
        let Some(id) = thread.stack.last().map(|active| active.id) else {
            return false;
        };
        let seen = thread.exceptions.iter().filter(|(frame, _)| *frame == id);
        seen.take(2).count() > 1
    }

    /// The frame is left by an exception that the interpreter does not tell: the one that the last
    /// event saw in the frame, or the only one ever seen there.
    pub(crate) unsafe fn unwind_unseen(&mut self, frame: RawFrame) {
        self.switch_thread();
        let raised_last = self.threads.current().and_then(|t| t.raised_last);
        self.begin(frame);
        // SAFETY: the caller's.
        unsafe {
            if self.stand_in(frame).is_none() {
                return;
            }
            self.compare();
            self.out.push(message::UNWIND);
            let Some(thread) = self.threads.current() else {
                return;
            };
            let id = thread.stack.last().map(|active| active.id);
            let mut seen = thread
                .exceptions
                .iter()
                .rev()
                .filter(|(frame, _)| Some(*frame) == id);
            match (seen.next(), seen.next()) {
                (Some((_, last)), earlier) if earlier.is_none() || raised_last == id => {
                    self.out.extend_from_slice(last);
                }
                _ => self.out.extend_from_slice(&[tag::UNAVAILABLE, UNKNOWN]),
            }
            self.pop(true);
        }
    }

    /// The frame is left by an exception.
    pub(crate) unsafe fn unwind(&mut self, frame: RawFrame, exception: *mut PyObject) {
        self.begin(frame);
        // SAFETY: the caller's.
        unsafe {
            if self.stand_in(frame).is_none() {
                return;
            }
            self.compare();
            self.emit_value(message::UNWIND, exception, false);
            self.pop(true);
        }
    }

    /// Whether `frame` is the innermost recorded frame of the thread that ran last.
    #[inline]
    pub(crate) fn is_top(&mut self, frame: RawFrame) -> bool {
        self.threads
            .current()
            .and_then(|thread| thread.stack.last())
            .is_some_and(|active| active.frame == frame)
    }

    /// Whether the frame is a generator's or coroutine's.
    pub(crate) unsafe fn suspends(&mut self, frame: RawFrame) -> bool {
        // SAFETY: the caller's.
        unsafe { self.info(frame, frame.code()) }.is_some_and(|info| info.suspends)
    }

    /// Whether instructions of the frame's code are of interest.
    pub(crate) unsafe fn watches_instructions(&mut self, frame: RawFrame) -> bool {
        // SAFETY: the caller's.
        unsafe { self.info(frame, frame.code()) }.is_some_and(|info| !info.map.is_empty())
    }

    /// Takes in the frames that already run, outermost first, as if they were called now.
    pub(crate) unsafe fn adopt(&mut self, frames: &[(RawFrame, *mut PyObject, u32)]) {
        for (frame, code, line) in frames {
            // SAFETY: the caller's.
            unsafe {
                if self.enter_frame(*frame, *code, Entry::Call).is_some() {
                    self.out.push(message::LINE);
                    put::number(&mut self.out, u64::from(*line));
                }
            }
        }
    }

    /// Ends every frame of every thread without saying how: what follows is not recorded.
    pub(crate) fn abandon_frames(&mut self, frame: RawFrame) {
        self.suspended.clear();
        self.begin(frame);
        // SAFETY: the running thread's frames exist.
        unsafe { self.compare() };
        for index in 0..self.threads.len() {
            if self.threads.is_idle(index) {
                continue;
            }
            self.continue_thread(index);
            while !self.threads.is_idle(index) {
                self.pop_stale();
            }
        }
    }

    /// What is known of the code of a frame; `None` when it is not recorded.
    #[inline]
    unsafe fn info(&mut self, frame: RawFrame, code: *mut PyObject) -> Option<&'static CodeInfo> {
        // SAFETY: the caller's.
        unsafe { self.codes.of(&mut self.out, &mut self.values, frame, code) }
    }

    /// Makes `frame` the top of the shadow stack. `None` when its code is not recorded.
    #[inline]
    unsafe fn stand_in(&mut self, frame: RawFrame) -> Option<&'static CodeInfo> {
        if let Some(active) = self.threads.current().and_then(|t| t.stack.last())
            && active.frame == frame
            // SAFETY: the caller's.
            && unsafe { frame.code() } == active.info.code
        {
            return Some(active.info);
        }
        // SAFETY: the caller's.
        unsafe { self.find(frame) }
    }

    #[cold]
    unsafe fn find(&mut self, frame: RawFrame) -> Option<&'static CodeInfo> {
        // SAFETY: the caller's.
        unsafe {
            let code = frame.code();
            let info = self.info(frame, code)?;
            let thread = self.threads.current()?;
            let depth = thread
                .stack
                .iter()
                .rposition(|active| active.frame == frame && std::ptr::eq(active.info, info));
            match depth {
                Some(depth) => {
                    while self.threads.current()?.stack.len() > depth + 1 {
                        self.pop_stale();
                    }
                }
                None => {
                    self.leave_stale(frame);
                    self.compare();
                    self.call(frame, info);
                }
            }
            Some(info)
        }
    }

    /// Drops frames from the top that did not call `frame`: their end was not seen.
    unsafe fn leave_stale(&mut self, frame: RawFrame) {
        loop {
            let Some(top) = self.threads.current().and_then(|t| t.stack.last()) else {
                return;
            };
            let top = top.frame;
            // SAFETY: the caller's; only frames that exist are walked.
            if top != frame && unsafe { called(top, frame) } {
                return;
            }
            self.pop_stale();
        }
    }

    unsafe fn call(&mut self, frame: RawFrame, info: &'static CodeInfo) {
        // SAFETY: the caller's.
        unsafe {
            let globals = self.namespace(frame.globals());
            let locals = if info.has_namespace {
                self.namespace(frame.locals())
            } else {
                0
            };
            let id = self.next_frame;
            self.next_frame += 1;
            self.out.push(message::CALL);
            for number in [id, info.function, globals, locals] {
                put::number(&mut self.out, number);
            }
            self.push(frame, id, info);
            self.compare();
        }
    }

    unsafe fn resume(&mut self, frame: RawFrame, suspended: Suspended) {
        self.out.push(message::RESUME);
        put::number(&mut self.out, suspended.id);
        let mut at = suspended.at;
        if at.quiet {
            // The rest of the line runs now: what its guards ask for may be different.
            // SAFETY: the caller's.
            let line = unsafe { self.enter_line(frame, at.facts) };
            at.quiet = line == Line::Quiet;
            if line == Line::WatchedAgain {
                // SAFETY: the caller's.
                unsafe { self.instrument_again(suspended.info) };
            }
        }
        if let Some(thread) = self.threads.current() {
            let base = thread.shadows.len();
            thread.shadows.extend_from_slice(&suspended.shadows);
            thread.stack.push(Active {
                frame,
                id: suspended.id,
                info: suspended.info,
                at,
                base,
            });
        }
    }

    fn push(&mut self, frame: RawFrame, id: u64, info: &'static CodeInfo) {
        if let Some(thread) = self.threads.current() {
            let base = thread.shadows.len();
            thread
                .shadows
                .resize(base + info.slots.len(), Shadow::UNBOUND);
            thread.stack.push(Active {
                frame,
                id,
                info,
                at: At::default(),
                base,
            });
        }
    }

    /// Takes the top frame off; `over` when it will not go on.
    fn pop(&mut self, over: bool) {
        let Some(thread) = self.threads.current() else {
            return;
        };
        if let Some(active) = thread.stack.pop() {
            thread.shadows.truncate(active.base);
            if over && !thread.exceptions.is_empty() {
                thread.exceptions.retain(|(frame, _)| *frame != active.id);
            }
            self.leave_task(active.id, over);
        }
    }

    fn pop_stale(&mut self) {
        self.out
            .extend_from_slice(&[message::RETURN, tag::UNAVAILABLE, UNKNOWN]);
        self.pop(true);
    }

    /// The id of a namespace plus 1, or 0 if there is none that can be read.
    unsafe fn namespace(&mut self, dict: *mut PyObject) -> u64 {
        // SAFETY: the caller's: a live object or null.
        unsafe {
            if dict.is_null() || py::PyType_IsSubtype((*dict).ob_type, py::PyDict_Type()) == 0 {
                return 0;
            }
            self.values.namespace(&mut self.out, dict) + 1
        }
    }

    #[inline]
    unsafe fn emit_value(&mut self, kind: u8, value: *mut PyObject, redacted: bool) {
        self.value.clear();
        if value.is_null() {
            self.value.extend_from_slice(&[tag::UNAVAILABLE, UNKNOWN]);
        } else {
            // SAFETY: the caller's.
            unsafe {
                let redacted = redacted && value != py::_Py_NoneStruct();
                self.values
                    .encode_named(&mut self.out, &mut self.value, redacted, value);
            }
        }
        self.out.push(kind);
        self.out.extend_from_slice(&self.value);
    }

    /// Says which variables of the top frame show something else than before.
    #[inline]
    unsafe fn compare(&mut self) {
        let Recorder {
            out,
            value,
            values,
            threads,
            ..
        } = self;
        let Some(Thread { stack, shadows, .. }) = threads.current() else {
            return;
        };
        let Some(active) = stack.last() else {
            return;
        };
        let Some(shadows) = shadows.get_mut(active.base..) else {
            return;
        };
        // SAFETY: the top frame exists and has the slots; what they hold is alive.
        unsafe {
            let asked = layout()
                .asks()
                .then(|| Variables::of(active.frame.object(), &active.info.names));
            let is_call = active.info.hides_slots && active.at.line.is_none();
            if is_call {
                let redacted = active.info.slots.iter().filter(|slot| slot.redacted);
                values.hide(redacted.map(|slot| {
                    let object = match &asked {
                        Some(variables) => variables.get(slot.raw as usize),
                        None => active.frame.slot(slot.raw as usize),
                    };
                    let is_cell = !object.is_null() && (*object).ob_type == py::PyCell_Type();
                    if is_cell {
                        field(object, fixed::CELL_CONTENT)
                    } else {
                        object
                    }
                }));
            }
            let mut look = |index: u32| {
                let place = index as usize;
                let (Some(slot), Some(shadow)) =
                    (active.info.slots.get(place), shadows.get_mut(place))
                else {
                    return;
                };
                let object = match &asked {
                    Some(variables) => variables.get(slot.raw as usize),
                    None => active.frame.slot(slot.raw as usize),
                };
                if slot.cell && !object.is_null() && (*object).ob_type == py::PyCell_Type() {
                    let id = values.cell(out, object, slot.redacted);
                    let now = values.sight(object);
                    if !shadow.says_the_same(now) {
                        *shadow = now;
                        out.push(message::WRITE);
                        put::number(out, u64::from(index));
                        put::object(out, id);
                    }
                    return;
                }
                let now = values.sight(object);
                if shadow.says_the_same(now) {
                    return;
                }
                value.clear();
                let is_shown = object.is_null() || !slot.redacted;
                *shadow = if is_shown && Values::put_sight(value, now) {
                    now
                } else {
                    values.encode_named(out, value, slot.redacted, object)
                };
                out.push(message::WRITE);
                put::number(out, u64::from(index));
                out.extend_from_slice(value);
            };
            let At { line, facts, quiet } = active.at;
            if asked.is_some() || line.is_none() || (!quiet && facts.is_some()) {
                (0..active.info.slots.len() as u32).for_each(look);
            } else {
                if let Some(facts) = facts {
                    facts.bound.iter().copied().for_each(&mut look);
                }
                active.info.cells.iter().copied().for_each(look);
            }
            if is_call {
                values.hide(std::iter::empty());
            }
            if quiet && let Some(facts) = facts {
                values.look_at_stores(out, active.frame, facts);
            }
            if active.info.has_namespace {
                let locals = active.frame.locals();
                if !locals.is_null()
                    && py::PyType_IsSubtype((*locals).ob_type, py::PyDict_Type()) != 0
                {
                    values.refresh_namespace(out, locals);
                }
            }
        }
    }
}

/// Whether `caller` is below `frame` on the real stack.
unsafe fn called(caller: RawFrame, frame: RawFrame) -> bool {
    let mut at = frame;
    // SAFETY: the caller's; `previous` of a running frame is null or a running frame.
    unsafe {
        loop {
            at = at.previous();
            if at == caller {
                return true;
            }
            if at.0.is_null() {
                return false;
            }
        }
    }
}
