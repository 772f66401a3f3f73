//! Versions of dicts where the interpreter itself keeps none: from 3.14 on.
//!
//! Whoever asks for the version of a dict has it watched from then on. Each change of a watched dict
//! gives it a number that no dict had before.

use std::cell::UnsafeCell;
use std::ffi::c_int;

use super::raw::{Object, word};
use super::shadow::AddressMap;
use super::symbols::Symbols;
use crate::api::py;

pub(super) type Callback = unsafe extern "C" fn(c_int, Object, Object, Object) -> c_int;
pub(super) type Watch = unsafe extern "C" fn(c_int, Object) -> c_int;

/// Where a dict tells who watches it, one bit for each watcher.
const WATCHERS: usize = 24;
/// The event of a dict that is freed.
const FREED: c_int = 5;

struct Watcher {
    id: c_int,
    watch: Watch,
    changes: u64,
    /// Of watched dicts that changed since they are watched.
    versions: AddressMap<usize, u64>,
}

struct UnderLock(UnsafeCell<Option<Watcher>>);

// SAFETY: only used by threads that hold the interpreter lock.
unsafe impl Sync for UnderLock {}

static WATCHER: UnderLock = UnderLock(UnsafeCell::new(None));

/// The watcher, for the length of one short action without Python calls in it.
fn watcher() -> Option<&'static mut Watcher> {
    // SAFETY: under the interpreter lock, and no caller keeps the reference over a call that could
    // come back here.
    unsafe { (*WATCHER.0.get()).as_mut() }
}

/// Makes the watcher where there are no versions.
pub(super) fn start(symbols: &Symbols, minor: u32) {
    if minor < 14 || watcher().is_some() {
        return;
    }
    let (Some(add), Some(watch)) = (symbols.dict_add_watcher, symbols.dict_watch) else {
        return;
    };
    // SAFETY: under the interpreter lock with no exception pending.
    unsafe {
        let id = add(on_event);
        if id < 0 {
            // All of the interpreter's watchers are taken: dicts are compared.
            py::PyErr_Clear();
            return;
        }
        *WATCHER.0.get() = Some(Watcher {
            id,
            watch,
            changes: 0,
            versions: AddressMap::default(),
        });
    }
}

/// The version of a dict, watched from now on; `None` where it cannot be watched.
///
/// # Safety
///
/// `dict` is a dict that is alive; the interpreter's lock is held and no exception is pending.
#[inline]
pub(super) unsafe fn version(dict: Object) -> Option<u64> {
    let watcher = watcher()?;
    // SAFETY: the caller's; watching runs nothing.
    unsafe {
        if word(dict, WATCHERS) & (1 << watcher.id) != 0 {
            let version = watcher.versions.get(&(dict as usize));
            return Some(version.copied().unwrap_or(0));
        }
        if (watcher.watch)(watcher.id, dict) != 0 {
            py::PyErr_Clear();
            return None;
        }
    }
    Some(0)
}

/// How often any watched dict changed.
#[inline]
pub(super) fn changes() -> u64 {
    // A dict that is not watched yet counts as changed each time.
    watcher().map_or(u64::MAX, |watcher| watcher.changes)
}

unsafe extern "C" fn on_event(event: c_int, dict: Object, _: Object, _: Object) -> c_int {
    if let Some(watcher) = watcher() {
        if event == FREED {
            watcher.versions.remove(&(dict as usize));
        } else {
            watcher.changes += 1;
            watcher.versions.insert(dict as usize, watcher.changes);
        }
    }
    0
}
