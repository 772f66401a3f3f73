//! Single changes whose place is known: recorded without comparing the whole container.

use retrostep_record_python_wire::message::{self, put};

use super::UNNUMBERED;
use super::Values;
use super::raw::{Object, flag, flags_of, type_of, word};
use super::shadow::{Shadow, ShadowKind};

impl Values {
    /// Records an element of a list if it changed.
    ///
    /// # Safety
    ///
    /// `object` is alive and known.
    pub(super) unsafe fn touch_item(&mut self, out: &mut Vec<u8>, object: Object, index: usize) {
        let address = object as usize;
        // SAFETY: the type tells the layout.
        unsafe {
            let Some(known) = self.known.get(&address) else {
                return;
            };
            let (id, state) = (known.id, &known.state);
            let items = if type_of(object) == self.symbols.list {
                self.layout.list_items(object)
            } else {
                self.rescan(out, object);
                return;
            };
            if id == UNNUMBERED || items.len() as u64 != state.len {
                self.rescan(out, object);
                return;
            }
            let Some(item) = items.get(index).copied() else {
                return;
            };
            let before = state.items.get(index).copied();
            if before == Some(self.look(item)) {
                return;
            }
            let shadow = self.put_item(out, id, index as u64, item);
            if let Some(known) = self.known.get_mut(&address) {
                match known.state.items.get_mut(index) {
                    Some(place) => *place = shadow,
                    None => known.state.beyond = true,
                }
            }
        }
    }

    /// Records elements that were added at the end of a list, or removed there.
    ///
    /// # Safety
    ///
    /// `object` is alive and known, and nothing but its end changed since it was last recorded.
    pub(super) unsafe fn touch_tail(&mut self, out: &mut Vec<u8>, object: Object) {
        let address = object as usize;
        // SAFETY: the type tells the layout.
        unsafe {
            let Some(known) = self.known.get(&address) else {
                return;
            };
            let (id, len) = (known.id, known.state.len);
            if id == UNNUMBERED || type_of(object) != self.symbols.list {
                self.rescan(out, object);
                return;
            }
            let items = self.layout.list_items(object);
            let now = items.len() as u64;
            if now == len + 1
                && let Some(item) = items.last().copied()
            {
                let shadow = self.put_append(out, id, item);
                let limit = self.limits.children;
                if let Some(known) = self.known.get_mut(&address) {
                    let state = &mut known.state;
                    if state.items.len() as u64 == len && state.items.len() < limit {
                        state.items.push(shadow);
                    } else {
                        state.beyond = true;
                    }
                    state.len = now;
                }
            } else if now + 1 == len {
                out.push(message::POP);
                put::number(out, id);
                if let Some(known) = self.known.get_mut(&address) {
                    known.state.len = now;
                    known.state.items.truncate(items.len());
                }
            } else {
                self.rescan(out, object);
            }
        }
    }

    /// Records an entry of a dict, whose key is an exact int or text, if it changed.
    ///
    /// # Safety
    ///
    /// `object` is alive and known, `entry` is alive.
    pub(super) unsafe fn touch_entry(&mut self, out: &mut Vec<u8>, object: Object, entry: Object) {
        let address = object as usize;
        // SAFETY: hashing and comparing exact scalars runs no code of the program; a dict with other
        // keys is compared as a whole.
        unsafe {
            let Some(known) = self.known.get(&address) else {
                return;
            };
            let (id, len) = (known.id, known.state.len);
            let complete = known.state.entries.len() as u64 == len;
            let objects = known
                .state
                .entries
                .iter()
                .any(|(key, _)| matches!(key.kind, ShadowKind::Object | ShadowKind::TooDeep));
            let plain = !objects
                && flags_of(type_of(object)) & flag::DICT != 0
                && known.state.attributes.is_empty()
                && self.shape_of(type_of(object)) == Some(super::classes::Shape::Dict);
            let (Some(find), Some(hash)) =
                (self.symbols.dict_get_known_hash, self.symbols.object_hash)
            else {
                self.rescan(out, object);
                return;
            };
            if id == UNNUMBERED || !plain {
                self.rescan(out, object);
                return;
            }
            let now = word(object, 16) as u64;
            let key = self.look(entry);
            let position = known
                .state
                .entries
                .iter()
                .position(|(known, _)| *known == key);
            let value = find(object, entry, hash(entry));
            match (position, value.is_null()) {
                (Some(position), false) if now == len => {
                    let hidden = self.hides_key(entry);
                    let shadow = if hidden {
                        Shadow::REDACTED
                    } else {
                        self.look(value)
                    };
                    if self.known[&address].state.entries[position].1 != shadow {
                        let (_, shadow) = self.put_entry(out, id, entry, value);
                        if let Some(known) = self.known.get_mut(&address) {
                            known.state.entries[position].1 = shadow;
                        }
                    }
                }
                (Some(position), true) if now + 1 == len => {
                    let mut bytes = self.buffer();
                    self.put_value(out, &mut bytes, entry, 1);
                    out.push(message::DELETE_KEY);
                    put::number(out, id);
                    out.extend_from_slice(&bytes);
                    self.give_back(bytes);
                    if let Some(known) = self.known.get_mut(&address) {
                        known.state.entries.remove(position);
                        known.state.len = now;
                    }
                }
                (None, false) if now == len + 1 => {
                    let entry = self.put_entry(out, id, entry, value);
                    let limit = self.limits.children;
                    if let Some(known) = self.known.get_mut(&address) {
                        let state = &mut known.state;
                        if complete && state.entries.len() < limit {
                            state.entries.push(entry);
                        } else {
                            state.beyond_keys.insert(entry.0);
                        }
                        state.len = now;
                    }
                }
                (None, false) if now == len && !complete => {
                    if self.known[&address].state.beyond_keys.contains(&key) {
                        self.put_entry(out, id, entry, value);
                    }
                }
                (None, true) if now == len => {}
                _ => {
                    self.rescan(out, object);
                    return;
                }
            }
            let version = self.layout.dict_version(object);
            if let Some(known) = self.known.get_mut(&address) {
                known.state.version = version;
            }
        }
    }
}
