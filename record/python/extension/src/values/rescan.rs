//! Later sights: recording what changed in an object since it was last recorded.
//!
//! Whoever suspects a change names the object; what is recorded is the difference between its
//! recorded state and the memory of the program.

use retrostep_record_python_wire::message::{self, put};

use super::classes::Shape;
use super::content::{Parts, State, kind};
use super::raw::{Object, flag, flags_of, type_of};
use super::shadow::Shadow;
use super::{UNNUMBERED, Values};

/// More changed elements than this are recorded as a replacement.
const CHANGES_MAX: usize = 64;
/// Comparisons that lead to each other go no deeper; the object is compared when it is next seen.
const NESTING_MAX: u32 = 32;

impl Values {
    /// Compares a known object with memory unless that was done since unrecorded code last ran.
    ///
    /// # Safety
    ///
    /// `object` is alive and known.
    pub(super) unsafe fn verify(&mut self, out: &mut Vec<u8>, object: Object) {
        let (epoch, nesting) = (self.epoch, self.nesting);
        if let Some(known) = self.known.get_mut(&(object as usize))
            && known.verified != epoch
            && nesting < NESTING_MAX
        {
            let (key, deep) = (known.key, known.verified < self.deep_epoch);
            known.verified = epoch;
            // SAFETY: the caller's.
            unsafe {
                if deep {
                    self.rescan_reachable(out, &[key]);
                } else if known.state.mutable {
                    // Nobody suspects this object: elements behind the limit, which cannot be
                    // compared, are taken as they were.
                    let before = std::mem::replace(&mut self.lenient, true);
                    self.nesting += 1;
                    self.rescan(out, object);
                    self.nesting -= 1;
                    self.lenient = before;
                }
            }
        }
    }

    /// Compares a known object with memory and records what changed.
    ///
    /// # Safety
    ///
    /// `object` is alive and known.
    pub(super) unsafe fn rescan(&mut self, out: &mut Vec<u8>, object: Object) {
        let address = object as usize;
        let epoch = self.epoch;
        let Some(known) = self.known.get_mut(&address) else {
            return;
        };
        known.verified = epoch;
        if known.id == UNNUMBERED {
            return;
        }
        if known.state.hidden {
            self.rescan_hidden(out, object);
            return;
        }
        // SAFETY: the object is alive and of the class its type pointer says.
        unsafe {
            let id = known.id;
            if known.class != type_of(object) {
                self.record_contents(out, object, self.limits.depth, None);
                return;
            }
            let as_kind = (known.state.kind == kind::NAMESPACE).then_some(kind::NAMESPACE);
            let class = known.class;
            let (version, bare) = (known.state.version, known.state.attributes.is_empty());
            if bare && version.is_some() && version == self.version_of(object, class) {
                return;
            }
            let Some(known) = self.known.get_mut(&address) else {
                return;
            };
            let mut state = std::mem::take(&mut known.state);
            let parts = match as_kind {
                Some(_) => {
                    let mut parts = Parts::default();
                    self.namespace_entries(&mut parts, object);
                    parts
                }
                None => self.parts(out, object),
            };
            let described = self.describe(out, id, &mut state, &parts);
            if described {
                state.version = self.version_of(object, class);
            }
            if let Some(known) = self.known.get_mut(&address) {
                known.state = state;
            }
            if !described {
                self.record_contents(out, object, self.limits.depth, as_kind);
            }
        }
    }

    /// Records the difference between `state` and `parts` as single changes, and brings `state` up to
    /// date; `false` when that is not possible and a replacement is needed.
    unsafe fn describe(
        &mut self,
        out: &mut Vec<u8>,
        id: u64,
        state: &mut State,
        parts: &Parts,
    ) -> bool {
        let lenient = self.lenient && matches!(parts.kind, kind::LIST | kind::DEQUE);
        if parts.kind != state.kind
            || parts.text_hash() != state.text
            || (state.beyond() && !lenient)
        {
            return false;
        }
        // SAFETY: the parts were just read from an object that is alive.
        unsafe {
            let done = match parts.kind {
                kind::CELL => self.describe_cell(out, id, state, parts),
                kind::DICT | kind::NAMESPACE => self.describe_entries(out, id, state, parts),
                kind::SET => self.describe_set(out, id, state, parts),
                _ => self.describe_items(out, id, state, parts),
            };
            done && self.describe_attributes(out, id, state, parts)
        }
    }

    unsafe fn describe_cell(
        &mut self,
        out: &mut Vec<u8>,
        id: u64,
        state: &mut State,
        parts: &Parts,
    ) -> bool {
        let content = parts.items.first().copied().unwrap_or(std::ptr::null_mut());
        let before = state.items.first().copied().unwrap_or(Shadow::UNBOUND);
        // SAFETY: the content is alive with its cell, or null.
        unsafe {
            if self.look(content) != before {
                let mut value = self.buffer();
                let shadow = self.put_value(out, &mut value, content, self.limits.depth);
                out.push(message::SET_CELL);
                put::number(out, id);
                out.extend_from_slice(&value);
                self.give_back(value);
                state.items = vec![shadow];
                state.len = parts.len;
            }
        }
        true
    }

    unsafe fn describe_items(
        &mut self,
        out: &mut Vec<u8>,
        id: u64,
        state: &mut State,
        parts: &Parts,
    ) -> bool {
        let (old, new) = (state.len, parts.len);
        let grown = new.saturating_sub(old);
        let shrunk = old.saturating_sub(new);
        if !matches!(parts.kind, kind::LIST | kind::DEQUE) {
            // SAFETY: the items are alive with their object.
            let shown = |now: Object| unsafe { self.look(now) };
            return old == new
                && parts.items.len() == state.items.len()
                && parts
                    .items
                    .iter()
                    .zip(&state.items)
                    .all(|(now, before)| *before == Shadow::REDACTED || shown(*now) == *before);
        }
        if new == 0 && old != 0 {
            out.push(message::CLEAR);
            put::number(out, id);
            state.items.clear();
            state.len = 0;
            state.beyond = false;
            return true;
        }
        let cut = state.items.len() as u64 != old || parts.items.len() as u64 != new;
        if grown > CHANGES_MAX as u64
            || shrunk > CHANGES_MAX as u64
            || (cut && (grown > 0 || shrunk > 0 || parts.items.len() != state.items.len()))
        {
            return false;
        }
        let common = state.items.len().min(parts.items.len());
        // SAFETY: the items are alive with their container.
        unsafe {
            let changed: Vec<usize> = (0..common)
                .filter(|index| self.look(parts.items[*index]) != state.items[*index])
                .take(CHANGES_MAX + 1)
                .collect();
            if changed.len() > CHANGES_MAX || (changed.len() > 4 && changed.len() * 2 > common) {
                return false;
            }
            for _ in 0..shrunk {
                out.push(message::POP);
                put::number(out, id);
            }
            state.items.truncate(parts.items.len());
            for index in changed {
                let shadow = self.put_item(out, id, index as u64, parts.items[index]);
                state.items[index] = shadow;
            }
            for item in parts.items.iter().skip(common) {
                let shadow = self.put_append(out, id, *item);
                state.items.push(shadow);
            }
            state.len = new;
        }
        true
    }

    unsafe fn describe_set(
        &mut self,
        out: &mut Vec<u8>,
        id: u64,
        state: &mut State,
        parts: &Parts,
    ) -> bool {
        // SAFETY: the members are alive with their set.
        unsafe {
            let now: Vec<Shadow> = parts.items.iter().map(|item| self.look(*item)).collect();
            if parts.len == state.len && now == state.items {
                return true;
            }
            if parts.len == 0 {
                out.push(message::CLEAR);
                put::number(out, id);
                state.items.clear();
                state.len = 0;
                return true;
            }
            // A new member can stand anywhere in the order of iteration.
            let added = state.items.len();
            if parts.len != state.len + 1
                || now.len() != added + 1
                || now[..added] != state.items[..]
            {
                return false;
            }
            let shadow = self.put_append(out, id, parts.items[added]);
            state.items.push(shadow);
            state.len = parts.len;
        }
        true
    }

    unsafe fn describe_entries(
        &mut self,
        out: &mut Vec<u8>,
        id: u64,
        state: &mut State,
        parts: &Parts,
    ) -> bool {
        if parts.len == 0 && state.len != 0 {
            out.push(message::CLEAR);
            put::number(out, id);
            state.entries.clear();
            state.len = 0;
            return true;
        }
        let cut =
            state.entries.len() as u64 != state.len || parts.entries.len() as u64 != parts.len;
        // SAFETY: keys and values are alive with their mapping.
        unsafe {
            let keys: Vec<Shadow> = parts
                .entries
                .iter()
                .map(|entry| self.look(entry.0))
                .collect();
            if cut {
                let same = parts.len == state.len
                    && keys.len() == state.entries.len()
                    && keys
                        .iter()
                        .zip(&state.entries)
                        .all(|(now, before)| *now == before.0);
                if !same {
                    return false;
                }
            }
            // What is left of the old entries must stand in the same order at the front.
            let mut left = Vec::with_capacity(keys.len());
            let mut gone = Vec::new();
            let mut position = 0;
            for (index, entry) in state.entries.iter().enumerate() {
                if keys.get(position) == Some(&entry.0) {
                    left.push(index);
                    position += 1;
                } else if !keys.contains(&entry.0) {
                    gone.push(index);
                } else {
                    return false;
                }
            }
            if gone.len() > CHANGES_MAX || keys.len() - position > CHANGES_MAX {
                return false;
            }
            // The dead keys' own values cannot be encoded again: only scalars and live objects can.
            if !gone.is_empty() {
                return false;
            }
            for (position, index) in left.iter().enumerate() {
                let (key, value) = parts.entries[position];
                if self.look_entry(key, value) != state.entries[*index].1 {
                    let shadow = self.put_entry(out, id, key, value);
                    state.entries[*index].1 = shadow.1;
                }
            }
            for (key, value) in parts.entries.iter().skip(position) {
                let entry = self.put_entry(out, id, *key, *value);
                state.entries.push(entry);
            }
            state.len = parts.len;
        }
        true
    }

    unsafe fn describe_attributes(
        &mut self,
        out: &mut Vec<u8>,
        id: u64,
        state: &mut State,
        parts: &Parts,
    ) -> bool {
        // SAFETY: attribute values are alive with their object.
        unsafe {
            let gone: Vec<u64> = state
                .attributes
                .iter()
                .map(|(name, _)| *name)
                .filter(|name| !parts.attributes.iter().any(|now| now.name == *name))
                .collect();
            for name in gone {
                out.push(message::DELETE_ATTRIBUTE);
                put::number(out, id);
                put::number(out, name);
                state.attributes.retain(|(known, _)| *known != name);
            }
            for (index, attribute) in parts.attributes.iter().enumerate() {
                let before = match state.attributes.get(index) {
                    Some((name, _)) if *name == attribute.name => Some(index),
                    _ => state
                        .attributes
                        .iter()
                        .position(|(name, _)| *name == attribute.name),
                };
                let now = if attribute.redacted {
                    Shadow::REDACTED
                } else {
                    self.look(attribute.value)
                };
                if before.is_some_and(|index| state.attributes[index].1 == now) {
                    continue;
                }
                let mut value = self.buffer();
                let shadow = if attribute.redacted {
                    self.put_redacted(&mut value);
                    Shadow::REDACTED
                } else {
                    self.put_value(out, &mut value, attribute.value, self.limits.depth)
                };
                out.push(message::SET_ATTRIBUTE);
                put::number(out, id);
                put::number(out, attribute.name);
                out.extend_from_slice(&value);
                self.give_back(value);
                match before {
                    Some(index) => state.attributes[index].1 = shadow,
                    None => state.attributes.push((attribute.name, shadow)),
                }
            }
        }
        true
    }

    unsafe fn look_entry(&mut self, key: Object, value: Object) -> Shadow {
        // SAFETY: both are alive with their mapping.
        unsafe {
            if self.hides_key(key) {
                Shadow::REDACTED
            } else {
                self.look(value)
            }
        }
    }

    pub(super) unsafe fn put_entry(
        &mut self,
        out: &mut Vec<u8>,
        id: u64,
        key: Object,
        value: Object,
    ) -> (Shadow, Shadow) {
        let depth = self.limits.depth;
        let mut bytes = self.buffer();
        // SAFETY: both are alive with their mapping.
        let shadows = unsafe {
            let key_shadow = self.put_value(out, &mut bytes, key, depth);
            let shadow = if self.hides_key(key) {
                self.put_redacted(&mut bytes);
                Shadow::REDACTED
            } else {
                self.put_value(out, &mut bytes, value, depth)
            };
            (key_shadow, shadow)
        };
        out.push(message::SET_KEY);
        put::number(out, id);
        out.extend_from_slice(&bytes);
        self.give_back(bytes);
        shadows
    }

    pub(super) unsafe fn put_item(
        &mut self,
        out: &mut Vec<u8>,
        id: u64,
        index: u64,
        item: Object,
    ) -> Shadow {
        let mut bytes = self.buffer();
        // SAFETY: the item is alive with its container.
        let shadow = unsafe { self.put_value(out, &mut bytes, item, self.limits.depth) };
        out.push(message::SET_ITEM);
        put::number(out, id);
        put::number(out, index);
        out.extend_from_slice(&bytes);
        self.give_back(bytes);
        shadow
    }

    pub(super) unsafe fn put_append(&mut self, out: &mut Vec<u8>, id: u64, item: Object) -> Shadow {
        let mut bytes = self.buffer();
        // SAFETY: the item is alive with its container.
        let shadow = unsafe { self.put_value(out, &mut bytes, item, self.limits.depth) };
        out.push(message::APPEND);
        put::number(out, id);
        out.extend_from_slice(&bytes);
        self.give_back(bytes);
        shadow
    }

    /// A number that changes with every change of a dict.
    pub(super) unsafe fn version_of(&self, object: Object, class: Object) -> Option<u64> {
        // SAFETY: the flag says that it is a dict.
        unsafe {
            // An ordered dict can change its order without changing as a dict.
            if flags_of(class) & flag::DICT == 0 || self.shape_of(class) == Some(Shape::OrderedDict)
            {
                return None;
            }
            self.layout.dict_version(object)
        }
    }

    /// What has to be remembered of an object after its contents were recorded.
    pub(super) unsafe fn after_capture(&mut self, object: Object) {
        // SAFETY: the object is alive.
        unsafe {
            self.note_dictionary(object);
            if type_of(object) == self.symbols.dict {
                self.owner_of(object);
            }
        }
        if self.is_buffer(object) && !self.arrays.contains(&(object as usize)) {
            let known = &self.known;
            self.arrays.retain(|array| known.contains_key(array));
            self.arrays.push(object as usize);
        }
    }
}
