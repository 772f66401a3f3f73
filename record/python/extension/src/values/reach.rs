//! After code that is not recorded had objects in its hands: they and all they refer to are compared
//! with memory.

use std::collections::{HashSet, VecDeque};
use std::hash::BuildHasherDefault;

use retrostep_record_python_wire::message::{self, put, tag};

use super::classes::Shape;
use super::content::State;
use super::raw::Object;
use super::shadow::{AddressHasher, Shadow, ShadowKind};
use super::{UNNUMBERED, Values, unavailable};

/// Most objects compared after one call into code that is not recorded.
const REACHED_MAX: usize = 10_000;

impl Values {
    /// Compares known objects and what they refer to with memory, after code that is not recorded
    /// may have changed any of them.
    ///
    /// What lies behind the limit is recorded as no longer known, never left as it was.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held.
    pub(super) unsafe fn rescan_reachable(&mut self, out: &mut Vec<u8>, roots: &[u64]) {
        let mut queue: VecDeque<u64> = roots.iter().copied().collect();
        let mut seen: HashSet<u64, BuildHasherDefault<AddressHasher>> =
            roots.iter().copied().collect();
        let mut with_arrays = false;
        let mut count = 0;
        while let Some(key) = queue.pop_front() {
            self.drain_deaths();
            let Some(address) = self.addresses.get(&key).copied() else {
                continue;
            };
            let object = address as Object;
            count += 1;
            // SAFETY: an object whose death was not noticed is alive.
            unsafe {
                if count > REACHED_MAX {
                    self.record_unknown(out, object);
                    continue;
                }
                self.rescan_if_mutable(out, object);
                if !with_arrays && self.is_buffer(object) {
                    with_arrays = true;
                    for array in self.arrays.clone() {
                        if let Some(known) = self.known.get(&array)
                            && seen.insert(known.key)
                        {
                            queue.push_back(known.key);
                        }
                    }
                }
            }
            let Some(known) = self.known.get(&address) else {
                continue;
            };
            let state = &known.state;
            let children = state
                .items
                .iter()
                .chain(state.entries.iter().map(|(_, value)| value))
                .chain(state.attributes.iter().map(|(_, value)| value));
            for child in children {
                if child.kind == ShadowKind::Object && seen.insert(child.payload) {
                    queue.push_back(child.payload);
                }
            }
        }
    }

    /// Compares every known object with memory, where no instruction says what it may change.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held.
    pub(super) unsafe fn rescan_known(&mut self, out: &mut Vec<u8>) {
        self.drain_deaths();
        let mutable = self.known.values().filter(|known| known.state.mutable);
        let mut keys: Vec<u64> = mutable.map(|known| known.key).collect();
        keys.sort_unstable();
        // Elements behind the limit cannot be compared and are taken as they were.
        let before = std::mem::replace(&mut self.lenient, true);
        for key in keys {
            self.drain_deaths();
            if let Some(address) = self.addresses.get(&key).copied() {
                // SAFETY: an object whose death was not noticed is alive.
                unsafe { self.rescan(out, address as Object) };
            }
        }
        self.lenient = before;
        self.tell_redacted(out);
    }

    unsafe fn rescan_if_mutable(&mut self, out: &mut Vec<u8>, object: Object) {
        if self
            .known
            .get(&(object as usize))
            .is_some_and(|known| known.state.mutable)
        {
            // SAFETY: the caller's.
            unsafe { self.rescan(out, object) };
        }
    }

    pub(super) fn is_buffer(&self, object: Object) -> bool {
        self.known
            .get(&(object as usize))
            .and_then(|known| self.classes.get(&(known.class as usize)))
            .is_some_and(|class| class.shape == Shape::Buffer)
    }

    /// Records that the contents of an object are no longer known.
    unsafe fn record_unknown(&mut self, out: &mut Vec<u8>, object: Object) {
        let Some(known) = self.known.get(&(object as usize)) else {
            return;
        };
        if !known.state.mutable || known.id == UNNUMBERED {
            return;
        }
        let (id, class) = (known.id, known.class);
        // SAFETY: the class is alive with its object.
        let type_id = unsafe { self.class(out, class) };
        let Some(known) = self.known.get_mut(&(object as usize)) else {
            return;
        };
        let state = &mut known.state;
        out.push(message::OBJECT_REPLACE);
        put::number(out, id);
        out.push(state.kind);
        put::number(out, type_id);
        put::number(out, state.len);
        out.extend_from_slice(&[0, 0]);
        put::number(out, state.attributes.len() as u64);
        for (name, shadow) in &mut state.attributes {
            put::number(out, *name);
            out.extend_from_slice(&[tag::UNAVAILABLE, unavailable::UNKNOWN]);
            *shadow = Shadow::UNKNOWN;
        }
        out.extend_from_slice(&[0, 0]);
        let mutable = state.mutable;
        let (kind, len) = (state.kind, state.len);
        let attributes = std::mem::take(&mut state.attributes);
        *state = State {
            kind,
            len,
            attributes,
            mutable,
            text: u64::MAX,
            ..State::default()
        };
        known.verified = 0;
    }
}
