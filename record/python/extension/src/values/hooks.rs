//! Container methods called by anyone, recorded code or not: noticed by exchanging the C functions
//! behind the methods of the built-in containers.
//!
//! The method objects stay the ones they were, with their names, signatures and identity: only the
//! function pointer in their definition is another. The exchanged function calls the original and
//! then has the container looked at, if it is known. The one exception is `list.append` from 3.11 on:
//! the interpreter has an instruction of its own for it, which a second, equal method object switches
//! off. Builds with debugging checks are left alone.

mod tables;

use std::ffi::{CStr, c_int, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Values;
use super::capture::PendingError;
use super::classes;
use super::deaths;
use super::raw::{Object, Type, flag, flags_of, object_at, type_of, word};
use crate::recorder;
use tables::{Effect, METHOD_NAMES, SLOT_PLACES, Signature};

const METHODS_MAX: usize = 64;
const SLOTS_MAX: usize = 32;

struct Originals<const N: usize>([AtomicUsize; N]);

static METHODS: Originals<METHODS_MAX> = Originals([const { AtomicUsize::new(0) }; METHODS_MAX]);
static EFFECTS: Originals<METHODS_MAX> = Originals([const { AtomicUsize::new(0) }; METHODS_MAX]);
static SLOTS: Originals<SLOTS_MAX> = Originals([const { AtomicUsize::new(0) }; SLOTS_MAX]);

type OneArgument = unsafe extern "C" fn(Object, Object) -> Object;
type Fast = unsafe extern "C" fn(Object, *const Object, isize) -> Object;
type FastKeywords = unsafe extern "C" fn(Object, *const Object, isize, Object) -> Object;
type Keywords = unsafe extern "C" fn(Object, Object, Object) -> Object;
type Assign = unsafe extern "C" fn(Object, Object, Object) -> c_int;
type AssignIndex = unsafe extern "C" fn(Object, isize, Object) -> c_int;
type Repeat = unsafe extern "C" fn(Object, isize) -> Object;

fn effect(index: usize) -> Effect {
    match EFFECTS.0[index].load(Ordering::Relaxed) {
        1 => Effect::Tail,
        2 => Effect::Entry,
        _ => Effect::Whole,
    }
}

/// What a store under a key may have done: an entry of a dict that was as recorded before, or an element
/// of a sequence.
fn stored(object: Object, value: Object, current: bool) -> Effect {
    // SAFETY: the receiver of a slot is alive.
    let is_dict = unsafe { flags_of(type_of(object)) } & flag::DICT != 0;
    match is_dict {
        true if current => Effect::Entry,
        false if !value.is_null() => Effect::Item,
        _ => Effect::Whole,
    }
}

/// Whether the container was as recorded before a method changes one entry of it.
fn is_current(object: Object) -> bool {
    if !deaths::maybe_known(object as usize) || !recorder::is_enabled() {
        return false;
    }
    let mut current = false;
    recorder::on_change(|values, _| {
        // SAFETY: the receiver of a method is alive.
        current = unsafe { values.is_current(object) };
    });
    current
}

/// Has a container looked at after a method of it ran.
#[inline]
fn changed(object: Object, effect: Effect, entry: Option<Object>) {
    if !deaths::maybe_known(object as usize) || !recorder::is_enabled() {
        return;
    }
    recorder::on_change(|values, out| {
        let pending = PendingError::save(&values.symbols);
        // SAFETY: the receiver of a method is alive, and its first argument too.
        unsafe { values.changed(out, object, effect, entry) };
        drop(pending);
    });
}

unsafe extern "C" fn one<const N: usize>(object: Object, argument: Object) -> Object {
    // SAFETY: the interpreter calls it with what the original takes.
    unsafe { call_one(N, object, argument) }
}

unsafe fn call_one(slot: usize, object: Object, argument: Object) -> Object {
    // SAFETY: the original has this signature by its flags.
    unsafe {
        let original =
            std::mem::transmute::<usize, OneArgument>(METHODS.0[slot].load(Ordering::Relaxed));
        let effect = effect(slot);
        if effect == Effect::Entry {
            let current = is_current(object);
            let result = original(object, argument);
            changed(object, effect, current.then_some(argument));
            return result;
        }
        let result = original(object, argument);
        changed(object, effect, None);
        result
    }
}

unsafe extern "C" fn fast<const N: usize>(
    object: Object,
    arguments: *const Object,
    count: isize,
) -> Object {
    // SAFETY: the interpreter calls it with what the original takes.
    unsafe { call_fast(N, object, arguments, count) }
}

unsafe fn call_fast(slot: usize, object: Object, arguments: *const Object, count: isize) -> Object {
    // SAFETY: the original has this signature by its flags.
    unsafe {
        let original = std::mem::transmute::<usize, Fast>(METHODS.0[slot].load(Ordering::Relaxed));
        let mut effect = effect(slot);
        let mut entry = None;
        if effect == Effect::Entry && count > 0 && is_current(object) {
            entry = Some(*arguments);
        }
        if effect == Effect::Tail && count > 0 {
            effect = Effect::Whole;
        }
        let result = original(object, arguments, count);
        changed(object, effect, entry);
        result
    }
}

unsafe extern "C" fn fast_keywords<const N: usize>(
    object: Object,
    arguments: *const Object,
    count: isize,
    names: Object,
) -> Object {
    // SAFETY: the interpreter calls it with what the original takes.
    unsafe { call_fast_keywords(N, object, arguments, count, names) }
}

unsafe fn call_fast_keywords(
    slot: usize,
    object: Object,
    arguments: *const Object,
    count: isize,
    names: Object,
) -> Object {
    // SAFETY: the original has this signature by its flags.
    unsafe {
        let original =
            std::mem::transmute::<usize, FastKeywords>(METHODS.0[slot].load(Ordering::Relaxed));
        let mut entry = None;
        if effect(slot) == Effect::Entry && count > 0 && is_current(object) {
            entry = Some(*arguments);
        }
        let result = original(object, arguments, count, names);
        let effect = if entry.is_some() {
            Effect::Entry
        } else {
            Effect::Whole
        };
        changed(object, effect, entry);
        result
    }
}

unsafe extern "C" fn keywords<const N: usize>(
    object: Object,
    arguments: Object,
    names: Object,
) -> Object {
    // SAFETY: the interpreter calls it with what the original takes.
    unsafe { call_keywords(N, object, arguments, names) }
}

unsafe fn call_keywords(slot: usize, object: Object, arguments: Object, names: Object) -> Object {
    // SAFETY: the original has this signature by its flags.
    unsafe {
        let original =
            std::mem::transmute::<usize, Keywords>(METHODS.0[slot].load(Ordering::Relaxed));
        let result = original(object, arguments, names);
        changed(object, Effect::Whole, None);
        result
    }
}

unsafe extern "C" fn assign<const N: usize>(object: Object, key: Object, value: Object) -> c_int {
    // SAFETY: the interpreter calls it with what the original takes.
    unsafe { call_assign(N, object, key, value) }
}

unsafe fn call_assign(slot: usize, object: Object, key: Object, value: Object) -> c_int {
    // SAFETY: the original has this slot's signature.
    unsafe {
        let original = std::mem::transmute::<usize, Assign>(SLOTS.0[slot].load(Ordering::Relaxed));
        let current = is_current(object);
        let result = original(object, key, value);
        changed(object, stored(object, value, current), Some(key));
        result
    }
}

unsafe extern "C" fn assign_index<const N: usize>(
    object: Object,
    index: isize,
    value: Object,
) -> c_int {
    // SAFETY: the interpreter calls it with what the original takes.
    unsafe { call_assign_index(N, object, index, value) }
}

unsafe fn call_assign_index(slot: usize, object: Object, index: isize, value: Object) -> c_int {
    // SAFETY: the original has this slot's signature.
    unsafe {
        let original =
            std::mem::transmute::<usize, AssignIndex>(SLOTS.0[slot].load(Ordering::Relaxed));
        let result = original(object, index, value);
        changed(object, Effect::Whole, None);
        result
    }
}

unsafe extern "C" fn binary<const N: usize>(object: Object, other: Object) -> Object {
    // SAFETY: the interpreter calls it with what the original takes.
    unsafe { call_binary(N, object, other) }
}

unsafe fn call_binary(slot: usize, object: Object, other: Object) -> Object {
    // SAFETY: the original has this slot's signature.
    unsafe {
        let original =
            std::mem::transmute::<usize, OneArgument>(SLOTS.0[slot].load(Ordering::Relaxed));
        let result = original(object, other);
        changed(object, Effect::Whole, None);
        result
    }
}

unsafe extern "C" fn repeat<const N: usize>(object: Object, count: isize) -> Object {
    // SAFETY: the interpreter calls it with what the original takes.
    unsafe { call_repeat(N, object, count) }
}

unsafe fn call_repeat(slot: usize, object: Object, count: isize) -> Object {
    // SAFETY: the original has this slot's signature.
    unsafe {
        let original = std::mem::transmute::<usize, Repeat>(SLOTS.0[slot].load(Ordering::Relaxed));
        let result = original(object, count);
        changed(object, Effect::Whole, None);
        result
    }
}

macro_rules! table {
    ($function:ident, $type:ty, $($index:literal)*) => {
        [$($function::<$index> as $type as usize),*]
    };
}

macro_rules! sixty_four {
    ($function:ident, $type:ty) => {
        table!($function, $type, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63)
    };
}

macro_rules! thirty_two {
    ($function:ident, $type:ty) => {
        table!($function, $type, 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31)
    };
}

/// The function that stands in for a method with these flags.
fn substitute(flags: c_int, index: usize) -> Option<usize> {
    let tables: [usize; METHODS_MAX] = match flags & 0x8f {
        0x04 | 0x08 | 0x01 => sixty_four!(one, OneArgument),
        0x03 => sixty_four!(keywords, Keywords),
        0x80 => sixty_four!(fast, Fast),
        0x82 => sixty_four!(fast_keywords, FastKeywords),
        _ => return None,
    };
    tables.get(index).copied()
}

fn slot_substitute(signature: Signature, index: usize) -> Option<usize> {
    let table: [usize; SLOTS_MAX] = match signature {
        Signature::Assign => thirty_two!(assign, Assign),
        Signature::AssignIndex => thirty_two!(assign_index, AssignIndex),
        Signature::Binary => thirty_two!(binary, OneArgument),
        Signature::Repeat => thirty_two!(repeat, Repeat),
    };
    table.get(index).copied()
}

/// The writable parts of the process's memory when the hooks were installed.
struct Writable(Vec<(usize, usize)>);

impl Writable {
    fn read() -> Writable {
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap_or_default();
        let ranges = maps.lines().filter_map(|line| {
            let (range, rest) = line.split_once(' ')?;
            let (start, end) = range.split_once('-')?;
            if rest.as_bytes().get(1) != Some(&b'w') {
                return None;
            }
            Some((
                usize::from_str_radix(start, 16).ok()?,
                usize::from_str_radix(end, 16).ok()?,
            ))
        });
        Writable(ranges.collect())
    }

    fn contains(&self, address: usize) -> bool {
        self.0
            .iter()
            .any(|(start, end)| (*start..*end).contains(&address))
    }
}

impl Values {
    /// Begins to notice changes made by methods of the built-in containers. Idempotent.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held.
    pub(crate) unsafe fn install_hooks(&mut self) {
        // SAFETY: the caller's; a pending exception is kept.
        unsafe {
            let pending = PendingError::save(&self.symbols);
            self.learn_opcodes();
            if !self.hooks_wanted && self.symbols.negative_refcount.is_none() {
                self.hooks_wanted = true;
                self.hook_containers();
                let writable = Writable::read();
                self.watch_class_assignment(|address| writable.contains(address));
                if self.layout.minor >= 11 {
                    self.renew_append();
                }
            }
            drop(pending);
        }
    }

    /// Hooks the containers that exist and are not hooked: those of `collections` may not have been
    /// imported when the others were.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held and no exception is pending.
    pub(super) unsafe fn hook_containers(&mut self) {
        if !self.hooks_wanted {
            return;
        }
        let writable = Writable::read();
        // SAFETY: method definitions and slot tables are changed only where memory is writable, and
        // to functions of the same signature that call the originals.
        unsafe {
            let mut method = 0;
            for (name, methods) in METHOD_NAMES {
                let class = self
                    .container_type(name)
                    .filter(|class| !self.is_watched(*class));
                if let Some(class) = class {
                    for (index, (name, effect)) in (method..).zip(*methods) {
                        self.hook_method(&writable, class, name, *effect, index);
                    }
                    for (slot, (owner, table, place, signature)) in SLOT_PLACES.iter().enumerate() {
                        if owner == name {
                            self.hook_slot(&writable, class, (*table, *place), *signature, slot);
                        }
                    }
                    self.watched_types.push(class as usize);
                }
                method += methods.len();
            }
        }
    }

    /// Whether changes by methods of exactly this type are noticed.
    pub(super) fn is_watched(&self, class: Type) -> bool {
        self.watched_types.contains(&(class as usize))
    }

    unsafe fn container_type(&self, name: &CStr) -> Option<Type> {
        let symbols = &self.symbols;
        let found = match name.to_bytes() {
            b"list" => symbols.list,
            b"dict" => symbols.dict,
            b"set" => symbols.set,
            b"bytearray" => symbols.bytearray,
            _ => {
                let (Some(modules), Some(get)) = (symbols.modules, symbols.dict_get_string) else {
                    return None;
                };
                // SAFETY: the table of modules and module dictionaries have text keys.
                unsafe {
                    let module = get(modules(), c"_collections".as_ptr());
                    if module.is_null() || type_of(module) != symbols.module {
                        return None;
                    }
                    get(object_at(module, 16), name.as_ptr())
                }
            }
        };
        (!found.is_null()).then_some(found)
    }

    unsafe fn hook_method(
        &self,
        writable: &Writable,
        class: Type,
        name: &CStr,
        effect: Effect,
        index: usize,
    ) {
        const DEFINITION: usize = 40;
        const FUNCTION: usize = 8;
        const FLAGS: usize = 16;
        // SAFETY: a method descriptor points to its definition: name, function, flags, text.
        unsafe {
            let descriptor = classes::own(&self.symbols, class, name);
            if descriptor.is_null() || type_of(descriptor) != self.symbols.method_descriptor {
                return;
            }
            let definition = word(descriptor, DEFINITION) as *mut u8;
            if !writable.contains(definition as usize + FUNCTION) {
                return;
            }
            let flags = definition.add(FLAGS).cast::<c_int>().read();
            let Some(substitute) = substitute(flags, index) else {
                return;
            };
            let place = definition.add(FUNCTION).cast::<usize>();
            METHODS.0[index].store(*place, Ordering::Relaxed);
            let number = match effect {
                Effect::Tail => 1,
                Effect::Entry => 2,
                Effect::Item | Effect::Whole => 3,
            };
            EFFECTS.0[index].store(number, Ordering::Relaxed);
            *place = substitute;
        }
    }

    unsafe fn hook_slot(
        &self,
        writable: &Writable,
        class: Type,
        (table, place): (usize, usize),
        signature: Signature,
        index: usize,
    ) {
        const WRAPPED: usize = 48;
        // SAFETY: the tables of a type hold functions of fixed signatures or null; a slot wrapper
        // calls the function at its sixth word.
        unsafe {
            let table = word(class, table);
            let place = (table + place) as *mut usize;
            if table == 0 || !writable.contains(place as usize) || *place == 0 {
                return;
            }
            let Some(substitute) = slot_substitute(signature, index) else {
                return;
            };
            let original = *place;
            SLOTS.0[index].store(original, Ordering::Relaxed);
            *place = substitute;
            for name in [
                c"__setitem__",
                c"__delitem__",
                c"__iadd__",
                c"__imul__",
                c"__ior__",
                c"__iand__",
                c"__isub__",
                c"__ixor__",
            ] {
                let wrapper = classes::own(&self.symbols, class, name);
                if !wrapper.is_null() && type_of(wrapper) == self.symbols.wrapper_descriptor {
                    let wrapped = wrapper.cast::<u8>().add(WRAPPED).cast::<usize>();
                    if *wrapped == original {
                        *wrapped = substitute;
                    }
                }
            }
        }
    }

    /// Gives `list` a second, equal `append`, so that the interpreter calls it like any method.
    unsafe fn renew_append(&self) {
        const DEFINITION: usize = 40;
        let symbols = &self.symbols;
        let (Some(new), Some(set), Some(modified), Some(decrement)) = (
            symbols.descriptor_new_method,
            symbols.dict_set_string,
            symbols.type_modified,
            symbols.decrement,
        ) else {
            return;
        };
        // SAFETY: the definition is that of the method itself, the dictionary that of the type.
        unsafe {
            let append = classes::own(symbols, symbols.list, c"append");
            let dict = classes::dict_of(symbols, symbols.list);
            if append.is_null() || dict.is_null() || type_of(append) != symbols.method_descriptor {
                return;
            }
            let again = new(symbols.list, word(append, DEFINITION) as *mut c_void);
            if !again.is_null() {
                set(dict, c"append".as_ptr(), again);
                decrement(again);
                modified(symbols.list);
            }
        }
    }

    /// Whether a dict is as it was last recorded.
    unsafe fn is_current(&mut self, object: Object) -> bool {
        // SAFETY: the caller's.
        unsafe {
            if self.known_key(object).is_none() {
                return false;
            }
            let version = self.version_of(object, type_of(object));
            match self.known.get(&(object as usize)) {
                Some(known) => known.state.version.is_some() && known.state.version == version,
                None => false,
            }
        }
    }

    unsafe fn changed(
        &mut self,
        out: &mut Vec<u8>,
        object: Object,
        effect: Effect,
        entry: Option<Object>,
    ) {
        // SAFETY: the caller's.
        unsafe {
            if self.known_key(object).is_none() {
                self.touch_sibling(out, object);
                return;
            }
            match (effect, entry) {
                (Effect::Tail, _) => self.touch_tail(out, object),
                (Effect::Entry, Some(key))
                    if type_of(key) == self.symbols.int || type_of(key) == self.symbols.text =>
                {
                    self.touch_entry(out, object, key);
                }
                (Effect::Item, Some(key))
                    if type_of(key) == self.symbols.int && type_of(object) == self.symbols.list =>
                {
                    if let Some(index) = self.place(object, key) {
                        self.touch_item(out, object, index);
                    }
                }
                _ => self.rescan(out, object),
            }
            self.touch_sibling(out, object);
            self.tell_redacted(out);
        }
    }
}
