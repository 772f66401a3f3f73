//! Noticing when a known object dies, so that its address is never mistaken for it afterwards.
//!
//! Exact lists, tuples and dicts are freed by their `tp_dealloc` (some go to free lists), instances
//! of Python classes by `tp_free`, everything else by the `tp_dealloc` of its C type: whichever it
//! is, it is replaced by a function that notes the address and goes on to the original.
//! Nothing here holds a reference, and nothing here may touch [`super::Values`]: objects die at any
//! moment, also while a value is being recorded. The addresses wait in a list until the table of
//! objects is used next.

use std::cell::{Cell, UnsafeCell};
use std::ffi::{CStr, c_char, c_void};

use super::classes::Death;
use super::raw::{self, Object, Type, type_of, type_offset, word};
use super::shadow::AddressMap;
use super::symbols::Symbols;

type Destructor = unsafe extern "C" fn(Object);
type Free = unsafe extern "C" fn(*mut c_void);

/// Slots of the filter: a power of two.
const FILTER_SLOTS: usize = 1 << 18;
/// More deaths than this that nobody asks about mean that recording is off: nothing known counts.
const DEAD_MAX: usize = 1 << 18;
/// Nesting of destructors after which the next one waits, on versions whose own guard is bypassed.
const DEPTH_MAX: u32 = 40;

/// C types whose own destructor guards against deep recursion, and thereby may be kept waiting: it leaves
/// the garbage collector in a way that can be done twice. A replaced destructor bypasses its guard.
const NESTED: &[&CStr] = &[
    c"builtin_function_or_method",
    c"method-wrapper",
    c"set",
    c"frozenset",
];

struct Notices {
    /// How many known objects share a slot; a full slot stays full.
    filter: Box<[u8]>,
    dead: Vec<usize>,
    /// Deaths went unnoticed.
    overflowed: bool,
    /// The original destructors by type.
    destructors: AddressMap<usize, Destructor>,
    frees: AddressMap<usize, Free>,
    guarded: [Option<Destructor>; 3],
    /// The types of [`NESTED`] whose destructor is replaced.
    nested: Vec<usize>,
    untrack: Option<unsafe extern "C" fn(*mut c_void)>,
    /// Whether the interpreter's own guard against deep recursion works with a replaced destructor.
    guards_itself: bool,
}

struct UnderLock(UnsafeCell<Option<Notices>>);

// SAFETY: only used by threads that hold the interpreter lock.
unsafe impl Sync for UnderLock {}

static NOTICES: UnderLock = UnderLock(UnsafeCell::new(None));

thread_local! {
    static DEPTH: Cell<u32> = const { Cell::new(0) };
    static DEFERRED: UnsafeCell<Vec<(Object, Destructor)>> = const { UnsafeCell::new(Vec::new()) };
}

/// The notices, for the length of one short action without Python calls in it.
fn notices() -> Option<&'static mut Notices> {
    // SAFETY: under the interpreter lock, and no caller keeps the reference over a call that could
    // come back here.
    unsafe { (*NOTICES.0.get()).as_mut() }
}

fn slot(address: usize) -> usize {
    ((address >> 4) as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) as usize >> (64 - 18)
}

/// Begins to notice deaths.
pub(super) fn start(symbols: &Symbols, minor: u32) {
    if notices().is_some() {
        return;
    }
    // SAFETY: under the interpreter lock, before any destructor was replaced.
    unsafe {
        *NOTICES.0.get() = Some(Notices {
            filter: vec![0; FILTER_SLOTS].into_boxed_slice(),
            dead: Vec::new(),
            overflowed: false,
            destructors: AddressMap::default(),
            frees: AddressMap::default(),
            guarded: [None; 3],
            nested: Vec::new(),
            untrack: symbols.gc_untrack,
            guards_itself: minor >= 14,
        });
    }
}

/// From now on the death at this address is noticed.
pub(super) fn expect(address: usize) {
    if let Some(notices) = notices() {
        let count = &mut notices.filter[slot(address)];
        *count = count.saturating_add(1);
    }
}

/// The object that was expected at this address is gone and taken note of.
pub(super) fn settled(address: usize) {
    if let Some(notices) = notices() {
        let count = &mut notices.filter[slot(address)];
        if *count != u8::MAX && *count != 0 {
            *count -= 1;
        }
    }
}

/// The addresses whose objects died since the last call.
#[inline]
pub(super) fn take() -> Vec<usize> {
    match notices() {
        Some(notices) if !notices.dead.is_empty() => std::mem::take(&mut notices.dead),
        _ => Vec::new(),
    }
}

/// Whether deaths went unnoticed since the last call: everything known may be gone.
pub(super) fn take_overflow() -> bool {
    notices().is_some_and(|notices| {
        let overflowed = std::mem::take(&mut notices.overflowed);
        if overflowed {
            notices.filter.fill(0);
            notices.dead = Vec::new();
        }
        overflowed
    })
}

/// Whether there is anything to take.
#[inline]
pub(super) fn any() -> bool {
    notices().is_some_and(|notices| !notices.dead.is_empty())
}

/// Whether the object that was known at this address is among those that died.
pub(super) fn is_dead(address: usize) -> bool {
    notices().is_some_and(|notices| notices.dead.contains(&address))
}

/// Whether an object at this address may be known: a quick look without the table.
#[inline]
pub(super) fn maybe_known(address: usize) -> bool {
    notices().is_some_and(|notices| notices.filter[slot(address)] != 0)
}

/// A class is gone: its address may be another class's next.
pub(super) fn forget_class(class: usize) {
    if let Some(notices) = notices() {
        notices.destructors.remove(&class);
        notices.frees.remove(&class);
    }
}

/// Replaces the destructor of a class, once.
///
/// # Safety
///
/// `class` must be a type object.
pub(super) unsafe fn watch(symbols: &Symbols, class: Type, death: Death) {
    let Some(notices) = notices() else {
        return;
    };
    let at = |offset: usize| class.cast::<u8>().wrapping_add(offset).cast::<usize>();
    // SAFETY: the slots of a type object hold functions of these types or null, and are writable.
    unsafe {
        match death {
            Death::Unnoticed => {}
            Death::Guarded => {
                let (index, hook) = if class == symbols.list {
                    (0, on_guarded::<0> as Destructor)
                } else if class == symbols.tuple {
                    (1, on_guarded::<1> as Destructor)
                } else {
                    (2, on_guarded::<2> as Destructor)
                };
                let current = at(type_offset::DEALLOC);
                if notices.guarded[index].is_none() && *current != 0 {
                    notices.guarded[index] =
                        Some(std::mem::transmute::<usize, Destructor>(*current));
                    *current = hook as usize;
                }
            }
            Death::Dealloc => {
                let current = at(type_offset::DEALLOC);
                if *current != 0 && *current != on_dealloc as *const () as usize {
                    let original = std::mem::transmute::<usize, Destructor>(*current);
                    notices.destructors.insert(class as usize, original);
                    let name = word(class, type_offset::NAME) as *const c_char;
                    if NESTED.contains(&CStr::from_ptr(name)) {
                        notices.nested.push(class as usize);
                    }
                    *current = on_dealloc as *const () as usize;
                }
            }
            Death::Free => {
                let current = at(type_offset::FREE);
                if *current != 0 && *current != on_free as *const () as usize {
                    let original = std::mem::transmute::<usize, Free>(*current);
                    notices.frees.insert(class as usize, original);
                    *current = on_free as *const () as usize;
                }
            }
        }
    }
}

/// Whether instances of the class are freed through [`watch`]'s function.
///
/// # Safety
///
/// `class` must be a type object.
pub(super) unsafe fn frees_watched(class: Type) -> bool {
    // SAFETY: every type object has this slot.
    unsafe { word(class, type_offset::FREE) == on_free as *const () as usize }
}

#[inline]
fn note(address: usize) {
    if let Some(notices) = notices()
        && notices.filter[slot(address)] != 0
    {
        if notices.dead.len() >= DEAD_MAX {
            notices.overflowed = true;
            notices.dead = Vec::new();
        }
        notices.dead.push(address);
    }
}

unsafe fn original<T: Copy>(
    pick: impl Fn(&Notices) -> &AddressMap<usize, T>,
    class: Type,
) -> Option<T> {
    let notices = notices()?;
    let map = pick(notices);
    let mut class = class;
    while !class.is_null() {
        if let Some(found) = map.get(&(class as usize)) {
            return Some(*found);
        }
        // SAFETY: `tp_base` is a type or null.
        class = unsafe { raw::object_at(class, type_offset::BASE) };
    }
    None
}

unsafe extern "C" fn on_dealloc(object: Object) {
    note(object as usize);
    // SAFETY: the object's type, or the base whose destructor this is, is in the map.
    unsafe {
        let class = type_of(object);
        let Some(destroy) = original(|notices| &notices.destructors, class) else {
            return;
        };
        match notices() {
            Some(notices) if notices.nested.contains(&(class as usize)) => {
                destroy_nested(object, destroy, notices.untrack, notices.guards_itself);
            }
            _ => destroy(object),
        }
    }
}

unsafe extern "C" fn on_free(memory: *mut c_void) {
    note(memory as usize);
    // SAFETY: the memory still begins with the object's header: the original frees it.
    unsafe {
        if let Some(free) = original(|notices| &notices.frees, type_of(memory.cast())) {
            free(memory);
        }
    }
}

unsafe extern "C" fn on_guarded<const KIND: usize>(object: Object) {
    note(object as usize);
    let Some(state) = notices() else {
        return;
    };
    let Some(destroy) = state.guarded[KIND] else {
        return;
    };
    let (untrack, guards_itself) = (state.untrack, state.guards_itself);
    // SAFETY: the object is dying and of this type or a subclass of it; only an exact one may wait,
    // because a subclass's destructor goes on after this call. A waiting object leaves the garbage
    // collector first, which the original destructor also does and which can be done twice.
    unsafe {
        let exact =
            word(type_of(object), type_offset::DEALLOC) == on_guarded::<KIND> as *const () as usize;
        destroy_nested(object, destroy, untrack, guards_itself || !exact);
    }
}

/// Goes on to the original destructor, or lets the object wait when too many are nested already.
unsafe fn destroy_nested(
    object: Object,
    destroy: Destructor,
    untrack: Option<unsafe extern "C" fn(*mut c_void)>,
    at_once: bool,
) {
    // SAFETY: the caller's: the object may wait unless it is destroyed at once.
    unsafe {
        if at_once {
            destroy(object);
            return;
        }
        let depth = DEPTH.get();
        if depth >= DEPTH_MAX
            && let Some(untrack) = untrack
        {
            untrack(object.cast());
            if DEFERRED
                .try_with(|deferred| (*deferred.get()).push((object, destroy)))
                .is_ok()
            {
                return;
            }
        }
        DEPTH.set(depth + 1);
        destroy(object);
        if depth == 0 {
            while let Ok(Some((object, destroy))) =
                DEFERRED.try_with(|deferred| (*deferred.get()).pop())
            {
                destroy(object);
            }
        }
        DEPTH.set(depth);
    }
}
