//! Instructions that may change objects: noted when they are about to run, looked at afterwards.
//!
//! An instruction says only which objects it may change. Whether it did is read from memory when its
//! frame has its next event: a store may fail, or end in a property or a `__setitem__`.

use super::Values;
use super::bytecode::{Action, Reraise, Site, Stack, StoreMap};
use super::classes::Shape;
use super::raw::{self, Object, flag, size_of, type_of, word};
use crate::api::py;
use crate::frame::RawFrame;
use crate::layout::layout;

/// Whether an instruction is of interest again when it runs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Call again each time it is about to run.
    Always,
    /// It never changes an object.
    Never,
}

/// More than this many calls that wait for their end belong to frames that are long gone.
const WAITING_MAX: usize = 512;
/// Dicts up to this size are compared as a whole.
const SMALL_DICT: usize = 32;
/// Objects that one call may bring.
pub(super) const ROOTS_MAX: usize = 64;

/// What may have changed.
#[derive(Debug)]
pub(super) enum Suspicion {
    /// An element of a sequence.
    Item { key: u64, index: usize },
    /// An entry of a mapping; the mapping key is held until then and is a plain scalar.
    Entry { key: u64, entry: Object },
    /// Anything in these objects.
    Whole { keys: Vec<u64> },
    /// Anything in these objects and what they refer to.
    Reachable { keys: Vec<u64> },
}

#[derive(Debug)]
struct Pending {
    thread: usize,
    frame: RawFrame,
    suspicion: Suspicion,
}

/// What waits for the next event of its frame.
#[derive(Debug, Default)]
pub(super) struct PendingCalls {
    waiting: Vec<Pending>,
    last: Last,
}

/// Where the last event happened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Last {
    thread: usize,
    frame: usize,
    /// The frame below it on the real stack.
    below: usize,
}

impl Values {
    /// Notes what the instruction at `offset` may change. Settles what came before it first.
    ///
    /// `offset` counts bytes.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held, and `frame`, which runs `code`, is about to run the
    /// instruction.
    pub(crate) unsafe fn on_instruction(
        &mut self,
        out: &mut Vec<u8>,
        frame: RawFrame,
        code: Object,
        offset: i32,
        map: &StoreMap,
    ) -> Interest {
        let Some(site) = map.site(offset) else {
            return Interest::Never;
        };
        // SAFETY: the caller's.
        unsafe {
            self.settle(out, frame);
            let Some(stack) = Stack::new(frame, code, site) else {
                return Interest::Never;
            };
            if let Some(suspicion) = self.suspect(out, stack, site) {
                if self.pending.waiting.len() >= WAITING_MAX {
                    self.drop_oldest();
                }
                self.pending.waiting.push(Pending {
                    thread: py::PyThreadState_Get() as usize,
                    frame,
                    suspicion,
                });
            }
        }
        Interest::Always
    }

    /// The exception that goes on, borrowed, if the instruction at `offset` lets one.
    ///
    /// # Safety
    ///
    /// As [`Values::on_instruction`].
    pub(crate) unsafe fn reraised(
        &self,
        frame: RawFrame,
        code: Object,
        offset: i32,
        map: &StoreMap,
    ) -> Option<Object> {
        let site = map.site(offset)?;
        let Action::Reraise(place) = site.action else {
            return None;
        };
        // SAFETY: the caller's; the operand, and what is being handled, are alive until the
        // instruction has run.
        let exception = unsafe {
            match place {
                Reraise::Operand(distance) => {
                    Stack::new(frame, code, site)?.peek(usize::from(distance))
                }
                Reraise::Handled => {
                    let mut parts = [std::ptr::null_mut(); 3];
                    let [class, value, traceback] = &mut parts;
                    py::PyErr_GetExcInfo(class, value, traceback);
                    let [_, value, _] = parts;
                    for part in parts.into_iter().filter(|part| !part.is_null()) {
                        py::Py_DecRef(part);
                    }
                    value
                }
            }
        };
        // SAFETY: as above.
        let is_exception = !exception.is_null()
            && unsafe { raw::flags_of(type_of(exception)) } & flag::EXCEPTION != 0;
        is_exception.then_some(exception)
    }

    /// Called first in every event, while changes still count as those of the thread that ran last.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held.
    pub(crate) unsafe fn leave_thread(&mut self, out: &mut Vec<u8>) {
        if layout().asks() {
            // SAFETY: the caller's.
            unsafe {
                let now = py::PyThreadState_Get() as usize;
                let last = std::mem::replace(&mut self.pending.last.thread, now);
                if last != 0 && last != now {
                    self.rescan_known(out);
                }
            }
            return;
        }
        if self.pending.waiting.is_empty() {
            return;
        }
        // SAFETY: the caller's.
        unsafe {
            let last = self.pending.last.thread;
            if last == 0 || py::PyThreadState_Get() as usize == last {
                return;
            }
            let innermost = self.innermost(last);
            if let Some(innermost) = innermost {
                self.check_waiting(out, innermost);
            }
            self.pending.last = Last::default();
            self.tell_redacted(out);
        }
    }

    /// Whether a call that may have changed something waits for its end.
    #[inline]
    pub(crate) fn is_waiting(&self) -> bool {
        !self.pending.waiting.is_empty()
    }

    /// Looks at what is suspected to have changed since the last event. Called in every event, with
    /// the frame the event belongs to, when changes count as those of the thread that runs.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held and the frame runs.
    pub(crate) unsafe fn settle(&mut self, out: &mut Vec<u8>, frame: RawFrame) {
        // SAFETY: the caller's.
        unsafe {
            if layout().asks() {
                self.rescan_known(out);
            } else if !self.pending.waiting.is_empty() {
                self.settle_waiting(out, frame);
            }
            if !frame.0.is_null() {
                self.refresh_globals(out, frame.globals());
            }
            self.tell_redacted(out);
        }
    }

    unsafe fn settle_waiting(&mut self, out: &mut Vec<u8>, frame: RawFrame) {
        // SAFETY: the caller's.
        unsafe {
            let thread = py::PyThreadState_Get() as usize;
            let below = if frame.0.is_null() {
                0
            } else {
                frame.previous().0 as usize
            };
            let now = Last {
                thread,
                frame: frame.0 as usize,
                below,
            };
            let last = std::mem::replace(&mut self.pending.last, now);
            loop {
                let finished = self
                    .pending
                    .waiting
                    .iter()
                    .rposition(|pending| pending.thread == thread && pending.frame == frame);
                let Some(index) = finished else {
                    break;
                };
                let pending = self.pending.waiting.remove(index);
                self.finish(out, pending.suspicion);
            }
            let Some(innermost) = self.innermost(thread) else {
                return;
            };
            // Code that is not recorded may have run since, and goes on when the recorded frame
            // returns to it. It did not if one recorded frame called the other or returned to it.
            let same = (last.thread, last.frame) == (now.thread, now.frame);
            let direct = last.thread == now.thread
                && (now.below == last.frame || last.below == now.frame)
                && self.pending.waiting[innermost].frame.0 as usize != now.below;
            if !same && !direct {
                self.check_waiting(out, innermost);
            }
        }
    }

    /// The last call of a thread that waits for its end.
    fn innermost(&self, thread: usize) -> Option<usize> {
        self.pending
            .waiting
            .iter()
            .rposition(|pending| pending.thread == thread)
    }

    /// Looks at what may have changed and keeps it waiting.
    unsafe fn check_waiting(&mut self, out: &mut Vec<u8>, at: usize) {
        let pending = self.pending.waiting.remove(at);
        // SAFETY: the interpreter's lock is held.
        unsafe { self.check(out, &pending.suspicion) };
        self.pending.waiting.insert(at, pending);
    }

    unsafe fn finish(&mut self, out: &mut Vec<u8>, suspicion: Suspicion) {
        // SAFETY: the interpreter's lock is held; a held entry key is given back once.
        unsafe {
            self.check(out, &suspicion);
            if let Suspicion::Entry { entry, .. } = suspicion
                && let Some(decrement) = self.symbols.decrement
            {
                decrement(entry);
            }
        }
    }

    /// Recording goes on after a pause: everything known may have changed.
    pub(crate) fn resume(&mut self) {
        self.epoch += 1;
        self.deep_epoch = self.epoch;
        while !self.pending.waiting.is_empty() {
            self.drop_oldest();
        }
    }

    fn drop_oldest(&mut self) {
        let pending = self.pending.waiting.remove(0);
        if let Suspicion::Entry { entry, .. } = pending.suspicion
            && let Some(decrement) = self.symbols.decrement
        {
            // SAFETY: the reference was taken when the entry was noted.
            unsafe { decrement(entry) };
        }
    }

    /// Looks at what may have changed.
    pub(super) unsafe fn check(&mut self, out: &mut Vec<u8>, suspicion: &Suspicion) {
        self.drain_deaths();
        // SAFETY: an object whose death was not noticed is alive.
        unsafe {
            match suspicion {
                Suspicion::Item { key, index } => {
                    if let Some(object) = self.alive(*key) {
                        self.touch_item(out, object, *index);
                    }
                }
                Suspicion::Entry { key, entry } => {
                    if let Some(object) = self.alive(*key) {
                        self.touch_entry(out, object, *entry);
                        self.touch_sibling(out, object);
                    }
                }
                Suspicion::Whole { keys } => {
                    for key in keys {
                        if let Some(object) = self.alive(*key) {
                            self.rescan(out, object);
                            self.touch_sibling(out, object);
                        }
                    }
                }
                Suspicion::Reachable { keys } => {
                    self.epoch += 1;
                    self.rescan_reachable(out, keys);
                }
            }
        }
    }

    fn alive(&self, key: u64) -> Option<Object> {
        Some(*self.addresses.get(&key)? as Object)
    }

    unsafe fn suspect(&mut self, out: &mut Vec<u8>, stack: Stack, site: Site) -> Option<Suspicion> {
        let argument = site.argument as usize;
        // SAFETY: the stack has the operands of the instruction.
        unsafe {
            match site.action {
                Action::StoreItem | Action::DeleteItem => {
                    self.suspect_item(out, stack.peek(2), stack.peek(1), site.action)
                }
                Action::StoreAttribute | Action::DeleteAttribute => self.whole(stack.peek(1)),
                Action::StoreSlice => self.whole(stack.peek(3)),
                Action::InPlace => self.reachable(&[stack.peek(2)]),
                Action::Element => {
                    // The argument counts from below the operands that are popped.
                    let container = stack.peek(argument + 1);
                    let map = stack.peek(argument + 2);
                    self.whole(container).or_else(|| {
                        // MAP_ADD pops two operands.
                        (argument > 0).then(|| self.whole(map)).flatten()
                    })
                }
                Action::Call(form) => self.suspect_call(stack, form, argument),
                Action::Reraise(_) => None,
            }
        }
    }

    unsafe fn suspect_item(
        &mut self,
        out: &mut Vec<u8>,
        container: Object,
        key: Object,
        action: Action,
    ) -> Option<Suspicion> {
        if container.is_null() || key.is_null() {
            return None;
        }
        // SAFETY: operands are alive.
        unsafe {
            let class = type_of(container);
            if !super::deaths::maybe_known(container as usize)
                || !self.known.contains_key(&(container as usize))
            {
                return self.suspect_owner(container);
            }
            let known = self.known_key(container)?;
            let scalar = type_of(key) == self.symbols.int || type_of(key) == self.symbols.text;
            if (class == self.symbols.list || class == self.symbols.bytearray)
                && action == Action::StoreItem
                && type_of(key) == self.symbols.int
            {
                let index = self.place(container, key)?;
                return Some(Suspicion::Item { key: known, index });
            }
            if raw::flags_of(class) & flag::DICT != 0
                && scalar
                && word(container, 16) >= SMALL_DICT
                && let Some(increment) = self.symbols.increment
            {
                // Only if nothing else changed unseen can the difference be the one entry.
                self.rescan(out, container);
                increment(key);
                return Some(Suspicion::Entry {
                    key: known,
                    entry: key,
                });
            }
            if self.shape_of(class) == Some(Shape::Buffer) {
                return Some(Suspicion::Reachable { keys: vec![known] });
            }
            Some(Suspicion::Whole { keys: vec![known] })
        }
    }

    /// Where an element of a sequence stands; `None` for one that it does not have.
    ///
    /// # Safety
    ///
    /// The sequence and the key, an int, are alive.
    pub(super) unsafe fn place(&self, sequence: Object, key: Object) -> Option<usize> {
        // SAFETY: the caller's.
        let (len, index) = unsafe { (size_of(sequence), self.layout.int(key)) };
        let raw::Int::Small(index) = index else {
            return None;
        };
        let index = if index < 0 { index + len as i64 } else { index };
        usize::try_from(index).ok().filter(|index| *index < len)
    }

    /// The instance behind a dictionary that is not known itself.
    pub(super) unsafe fn suspect_owner(&mut self, dict: Object) -> Option<Suspicion> {
        // SAFETY: operands are alive.
        unsafe {
            if dict.is_null() || type_of(dict) != self.symbols.dict {
                return None;
            }
            let keys = vec![self.owner_of(dict)?];
            Some(Suspicion::Whole { keys })
        }
    }

    pub(super) fn shape_of(&self, class: Object) -> Option<Shape> {
        self.classes.get(&(class as usize)).map(|class| class.shape)
    }

    unsafe fn whole(&mut self, object: Object) -> Option<Suspicion> {
        // SAFETY: operands are alive.
        let key = unsafe { self.operand(object) }?;
        Some(Suspicion::Whole { keys: vec![key] })
    }

    pub(super) unsafe fn reachable(&mut self, objects: &[Object]) -> Option<Suspicion> {
        let mut keys = Vec::new();
        for object in objects.iter().take(ROOTS_MAX) {
            // SAFETY: operands are alive.
            keys.extend(unsafe { self.operand(*object) });
        }
        (!keys.is_empty()).then_some(Suspicion::Reachable { keys })
    }

    /// The key of an operand that is known.
    unsafe fn operand(&mut self, object: Object) -> Option<u64> {
        if object.is_null() || !super::deaths::maybe_known(object as usize) {
            return None;
        }
        // SAFETY: operands are alive.
        unsafe { self.known_key(object) }
    }
}
