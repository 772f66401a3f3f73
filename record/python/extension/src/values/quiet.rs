//! Lines whose instructions need no events of their own: asking their guards when they begin, looking
//! at their stores when they have run.

use std::cell::Cell;
use std::ffi::CString;

use super::Values;
use super::attributes::named_values;
use super::bytecode::StoreMap;
use super::classes;
use super::deaths;
use super::facts::{Answer, Guard, Key, LineFacts, Store};
use super::raw::{self, Object, Type, flag, object_at, type_of, type_offset, word};
use crate::frame::RawFrame;

/// Where a type has the number that changes with every change of it; 0 for none.
const TYPE_VERSION: usize = 384;

impl Values {
    /// Whether the instructions of a line that begins, or goes on, need not be looked at: its guards
    /// hold. Once they do not, the line is never quiet again.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held, no exception is pending and the frame runs the line.
    #[inline]
    pub(crate) unsafe fn is_quiet(
        &mut self,
        out: &mut Vec<u8>,
        frame: RawFrame,
        facts: &LineFacts,
    ) -> bool {
        if facts.is_loud.get() {
            return false;
        }
        // SAFETY: the caller's.
        let quiet = unsafe { self.guards_hold(out, frame, facts) };
        facts.is_loud.set(!quiet);
        quiet
    }

    /// Whether the interpreter has to be told again which instructions of a line are of interest.
    pub(crate) fn needs_instructions_again(facts: &LineFacts) -> bool {
        facts.is_loud.get() && facts.has_disabled.replace(false)
    }

    /// Whether an instruction need not be looked at, now or ever while its line is quiet.
    #[inline]
    pub(crate) fn is_answered(
        &self,
        map: &StoreMap,
        offset: i32,
        facts: Option<&LineFacts>,
        quiet: bool,
    ) -> bool {
        match map.site(offset).map(|site| site.answer) {
            None | Some(Answer::Never) => true,
            Some(Answer::Always) => false,
            Some(Answer::Guarded) => {
                if quiet && let Some(facts) = facts {
                    facts.has_disabled.set(true);
                }
                quiet
            }
        }
    }

    unsafe fn guards_hold(
        &mut self,
        out: &mut Vec<u8>,
        frame: RawFrame,
        facts: &LineFacts,
    ) -> bool {
        let mut globals = None;
        // SAFETY: the caller's; what variables hold is alive.
        unsafe {
            for guard in &facts.guards {
                let holds = match guard {
                    Guard::Global(name) => {
                        *globals.get_or_insert_with(|| self.globals_are_seen(frame, facts))
                            || self.global_is_harmless(frame, *name)
                    }
                    Guard::Callable(slot) => {
                        let callable = frame.slot(*slot as usize);
                        !callable.is_null() && self.is_harmless(callable, std::ptr::null_mut())
                    }
                    Guard::Method { slot, name, seen } => {
                        let object = frame.slot(*slot as usize);
                        if object.is_null() {
                            return false;
                        }
                        let class = type_of(object);
                        let now = (class as usize, self.type_version(class));
                        if now.1 != 0 && seen.get() == now {
                            true
                        } else {
                            seen.set(now);
                            self.method_is_harmless(object, *name)
                        }
                    }
                    Guard::Text(slot) => {
                        let object = frame.slot(*slot as usize);
                        !object.is_null() && type_of(object) == self.symbols.text
                    }
                    Guard::Scalar(slot) => self.is_immutable(frame.slot(*slot as usize)),
                    Guard::Container(slot) => self.is_container(out, frame.slot(*slot as usize)),
                };
                if !holds {
                    return false;
                }
            }
            if globals == Some(false) {
                facts.seen_globals.set(self.globals_version(frame));
            }
        }
        true
    }

    /// A number that tells a type from others and from itself before a change; 0 for none.
    unsafe fn type_version(&self, class: Type) -> u32 {
        // SAFETY: a class of an object is a type.
        unsafe {
            if raw::flags_of(class) & flag::HEAP_TYPE == 0 {
                // It never changes and never goes.
                return u32::MAX;
            }
            word(class, TYPE_VERSION) as u32
        }
    }

    /// Which namespaces a frame finds its globals in, and their versions.
    unsafe fn globals_version(&self, frame: RawFrame) -> (usize, u64, u64) {
        // SAFETY: the frame keeps both.
        unsafe {
            let (globals, builtins) = (frame.globals(), frame.builtins());
            let version = |dict: Object| {
                if dict.is_null() || type_of(dict) != self.symbols.dict {
                    return None;
                }
                self.layout.dict_version(dict)
            };
            match (version(globals), version(builtins)) {
                (Some(one), Some(two)) => (globals as usize, one, two),
                _ => (0, 0, 0),
            }
        }
    }

    unsafe fn globals_are_seen(&self, frame: RawFrame, facts: &LineFacts) -> bool {
        // SAFETY: the caller's.
        let now = unsafe { self.globals_version(frame) };
        now.0 != 0 && facts.seen_globals.get() == now
    }

    unsafe fn global_is_harmless(&self, frame: RawFrame, name: Object) -> bool {
        let (Some(find), Some(hash)) = (self.symbols.dict_get_known_hash, self.symbols.object_hash)
        else {
            return false;
        };
        // SAFETY: looking a text up in an exact dict of names runs no code of the program.
        unsafe {
            for dict in [frame.globals(), frame.builtins()] {
                if dict.is_null() || type_of(dict) != self.symbols.dict {
                    return false;
                }
                let found = find(dict, name, hash(name));
                if !found.is_null() {
                    return self.is_harmless(found, std::ptr::null_mut());
                }
            }
        }
        false
    }

    unsafe fn is_immutable(&self, object: Object) -> bool {
        if object.is_null() {
            return true;
        }
        let symbols = &self.symbols;
        // SAFETY: what a variable holds is alive.
        let class = unsafe { type_of(object) };
        class == symbols.int
            || class == symbols.float
            || class == symbols.text
            || class == symbols.tuple
            || class == symbols.bytes
            || class == symbols.complex
    }

    /// Whether it is exactly a list or a dict; a dict is recorded as it stands, so that afterwards only
    /// what is stored differs.
    unsafe fn is_container(&mut self, out: &mut Vec<u8>, object: Object) -> bool {
        if object.is_null() {
            return true;
        }
        // SAFETY: what a variable holds is alive.
        unsafe {
            let class = type_of(object);
            if class == self.symbols.list {
                return true;
            }
            if class != self.symbols.dict || self.known_key(object).is_none() {
                return false;
            }
            self.rescan(out, object);
            true
        }
    }

    /// The attribute of a class or of one it inherits from, borrowed; null for none.
    ///
    /// # Safety
    ///
    /// `class` is a type that is alive.
    pub(super) unsafe fn class_attribute(&self, class: Type, name: &[u8]) -> Object {
        let Ok(name) = CString::new(name) else {
            return std::ptr::null_mut();
        };
        // SAFETY: the caller's; a type keeps the tuple of those it inherits from.
        unsafe {
            let order = object_at(class, type_offset::MRO);
            if order.is_null() {
                return std::ptr::null_mut();
            }
            self.layout
                .tuple_items(order)
                .iter()
                .map(|class| classes::own(&self.symbols, *class, &name))
                .find(|found| !found.is_null())
                .unwrap_or(std::ptr::null_mut())
        }
    }

    /// Whether an instance has an attribute of that name itself.
    ///
    /// # Safety
    ///
    /// `object` is alive.
    pub(super) unsafe fn has_own_attribute(&self, object: Object, name: &[u8]) -> bool {
        // SAFETY: the caller's; names are texts.
        unsafe {
            let Some(info) = self.classes.get(&(type_of(object) as usize)) else {
                return true;
            };
            named_values(self.layout, &self.symbols, info, object)
                .into_iter()
                .any(|(own, _)| self.text_bytes(own).as_deref() == Some(name))
        }
    }

    /// Records what the stores of a quiet line changed.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held, no exception is pending and the frame runs the line.
    #[inline]
    pub(crate) unsafe fn look_at_stores(
        &mut self,
        out: &mut Vec<u8>,
        frame: RawFrame,
        facts: &LineFacts,
    ) {
        for store in &facts.stores {
            // SAFETY: the caller's; what variables hold is alive.
            unsafe {
                match store {
                    Store::Item { container, key } => {
                        let container = frame.slot(*container as usize);
                        let key = match key {
                            Key::Slot(slot) => frame.slot(*slot as usize),
                            Key::Constant(constant) => *constant,
                        };
                        self.look_at_item(out, container, key, facts);
                    }
                    Store::Attribute { object, name, seen } => {
                        let object = frame.slot(*object as usize);
                        if !object.is_null()
                            && deaths::maybe_known(object as usize)
                            && self.known_key(object).is_some()
                        {
                            if !self.assigns_only(object, *name, seen)
                                || !self.touch_attribute(out, object, *name)
                            {
                                self.rescan(out, object);
                            }
                            self.touch_sibling(out, object);
                        }
                    }
                }
            }
        }
        self.tell_redacted(out);
    }

    /// Whether assigning an attribute of an object changes that attribute alone: no property and no
    /// `__setattr__` takes part.
    unsafe fn assigns_only(
        &self,
        object: Object,
        name: Object,
        seen: &Cell<(usize, u32, bool)>,
    ) -> bool {
        // SAFETY: the object is alive and with it its class.
        unsafe {
            let class = type_of(object);
            let version = self.type_version(class);
            let (seen_class, seen_version, plain) = seen.get();
            if version != 0 && (seen_class, seen_version) == (class as usize, version) {
                return plain;
            }
            let plain = raw::flags_of(class) & flag::HEAP_TYPE != 0
                && word(class, type_offset::SET_ATTRIBUTE)
                    == self
                        .symbols
                        .generic_set_attribute
                        .map_or(0, |set| set as usize)
                && {
                    let name = self.text_bytes(name).unwrap_or_default();
                    let found = self.class_attribute(class, &name);
                    found.is_null() || word(type_of(found), type_offset::DESCR_SET) == 0
                };
            seen.set((class as usize, version, plain));
            plain
        }
    }

    unsafe fn look_at_item(
        &mut self,
        out: &mut Vec<u8>,
        container: Object,
        key: Object,
        facts: &LineFacts,
    ) {
        if container.is_null() || key.is_null() || !deaths::maybe_known(container as usize) {
            return;
        }
        // SAFETY: the caller's.
        unsafe {
            if self.known_key(container).is_none() {
                return;
            }
            if type_of(container) == self.symbols.list {
                if type_of(key) != self.symbols.int {
                    self.rescan(out, container);
                    return;
                }
                if let Some(index) = self.place(container, key) {
                    self.touch_item(out, container, index);
                }
                return;
            }
            let is_scalar = type_of(key) == self.symbols.int || type_of(key) == self.symbols.text;
            // The line stores nothing else: a dict whose last change is recorded has no other one.
            if facts.stores.len() == 1 {
                let version = self.layout.dict_version(container);
                let known = self.known.get(&(container as usize));
                if known.is_some_and(|known| version.is_some() && known.state.version == version) {
                    return;
                }
            }
            if is_scalar {
                self.touch_entry(out, container, key);
            } else {
                self.rescan(out, container);
            }
            self.touch_sibling(out, container);
        }
    }
}
