//! Assignments to `__class__` and `__bases__`: the interpreter allows them only between classes whose
//! instances are freed by the same function, so both must be watched for deaths or neither.

use std::ffi::{c_int, c_void};
use std::sync::atomic::{AtomicUsize, Ordering};

use super::Values;
use super::classes::{self, Death};
use super::deaths;
use super::raw::{self, Object, Type, flag, object_at, type_of, type_offset, word};
use super::symbols::Symbols;

type Setter = unsafe extern "C" fn(Object, Object, *mut c_void) -> c_int;

static SET_CLASS: AtomicUsize = AtomicUsize::new(0);
static SET_BASES: AtomicUsize = AtomicUsize::new(0);

/// Watches the second class if the first one is watched.
unsafe fn equalise(symbols: &Symbols, one: Type, other: Type) {
    // SAFETY: both are types.
    unsafe {
        let free = |class| word(class, type_offset::FREE);
        if one == other || free(one) == free(other) {
            return;
        }
        for (watched, unwatched) in [(one, other), (other, one)] {
            if deaths::frees_watched(watched)
                && !deaths::frees_watched(unwatched)
                // Modules are the only instances of a class of C that may get another one.
                && (raw::flags_of(unwatched) & flag::HEAP_TYPE != 0 || unwatched == symbols.module)
            {
                deaths::watch(symbols, unwatched, Death::Free);
            }
        }
    }
}

unsafe extern "C" fn set_class(object: Object, value: Object, closure: *mut c_void) -> c_int {
    // SAFETY: called by the interpreter under its lock, with what the program assigns.
    unsafe {
        let original = std::mem::transmute::<usize, Setter>(SET_CLASS.load(Ordering::Relaxed));
        if !value.is_null() && raw::flags_of(type_of(value)) & flag::TYPE != 0 {
            equalise(&Symbols::new(), type_of(object), value);
        }
        original(object, value, closure)
    }
}

unsafe extern "C" fn set_bases(class: Object, value: Object, closure: *mut c_void) -> c_int {
    // SAFETY: as above; the new bases are a tuple or the original refuses.
    unsafe {
        let original = std::mem::transmute::<usize, Setter>(SET_BASES.load(Ordering::Relaxed));
        if !value.is_null() && raw::flags_of(type_of(value)) & flag::TUPLE != 0 {
            let layout = crate::layout::layout().tuple_items;
            let symbols = Symbols::new();
            let base = object_at(class, type_offset::BASE);
            for index in 0..raw::size_of(value) {
                let other = object_at(value, layout + index * 8);
                if !base.is_null() && raw::flags_of(type_of(other)) & flag::TYPE != 0 {
                    equalise(&symbols, base, other);
                }
            }
        }
        original(class, value, closure)
    }
}

impl Values {
    /// Makes assignments to `__class__` and `__bases__` work as without a recorder.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held.
    pub(super) unsafe fn watch_class_assignment(&self, is_writable: impl Fn(usize) -> bool) {
        const DEFINITION: usize = 40;
        const SET: usize = 16;
        let symbols = &self.symbols;
        for (class, name, saved, substitute) in [
            (
                symbols.object,
                c"__class__",
                &SET_CLASS,
                set_class as Setter,
            ),
            (symbols.class, c"__bases__", &SET_BASES, set_bases as Setter),
        ] {
            // SAFETY: a getter's definition is name, get, set, text; it is changed where memory is
            // writable, to a function that calls the original.
            unsafe {
                let descriptor = classes::own(symbols, class, name);
                if descriptor.is_null() {
                    continue;
                }
                let place = word(descriptor, DEFINITION) + SET;
                if is_writable(place) && *(place as *const usize) != 0 {
                    saved.store(*(place as *const usize), Ordering::Relaxed);
                    *(place as *mut usize) = substitute as usize;
                }
            }
        }
    }
}
