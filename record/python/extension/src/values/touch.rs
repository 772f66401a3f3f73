//! Single changes whose place is known: recorded without comparing the whole container.

use retrostep_record_python_wire::message::{self, put};

use super::attributes::named_value;
use super::classes::Shape;
use super::content::{kind, text_hash};
use super::raw::{Object, flag, flags_of, type_of, word};
use super::shadow::{Shadow, ShadowKind};
use super::{UNNUMBERED, Values};

impl Values {
    /// Keeps an object from being compared while a change of it is recorded: the new element may
    /// refer back to it. Gives when it was last compared, to be put back.
    fn hold(&mut self, address: usize) -> u64 {
        let epoch = self.epoch;
        match self.known.get_mut(&address) {
            Some(known) => std::mem::replace(&mut known.verified, epoch),
            None => epoch,
        }
    }

    /// Records an element of a list or a byte of a bytearray if it changed.
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
            if type_of(object) == self.symbols.bytearray {
                self.touch_byte(out, object, index);
                return;
            }
            let (id, state) = (known.id, &known.state);
            if type_of(object) != self.symbols.list || id == UNNUMBERED {
                self.rescan(out, object);
                return;
            }
            let items = self.layout.list_items(object);
            if items.len() as u64 != state.len {
                self.rescan(out, object);
                return;
            }
            let Some(item) = items.get(index).copied() else {
                return;
            };
            if state.items.get(index).copied() == Some(self.look(item)) {
                return;
            }
            let compared = self.hold(address);
            let shadow = self.put_item(out, id, index as u64, item);
            if let Some(known) = self.known.get_mut(&address) {
                known.verified = compared;
                match known.state.items.get_mut(index) {
                    Some(place) => *place = shadow,
                    None => known.state.beyond = true,
                }
            }
        }
    }

    unsafe fn touch_byte(&mut self, out: &mut Vec<u8>, object: Object, index: usize) {
        // SAFETY: the caller knows that it is a bytearray that is alive.
        unsafe {
            let bytes = self.layout.bytearray(object);
            let kept = &bytes[..bytes.len().min(self.limits.string)];
            let Some(known) = self.known.get_mut(&(object as usize)) else {
                return;
            };
            if known.id == UNNUMBERED || known.state.len != bytes.len() as u64 {
                self.rescan(out, object);
                return;
            }
            let Some(byte) = kept.get(index) else {
                return;
            };
            out.push(message::SET_ITEM);
            put::number(out, known.id);
            put::number(out, index as u64);
            put::int(out, i64::from(*byte));
            known.state.text = text_hash(kept, &[]);
        }
    }

    /// Records an element that was added at the end of a list, or removed there.
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
                let compared = self.hold(address);
                let shadow = self.put_append(out, id, item);
                let limit = self.limits.children;
                if let Some(known) = self.known.get_mut(&address) {
                    known.verified = compared;
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
            } else if now != len {
                self.rescan(out, object);
            }
        }
    }

    /// Records an entry of a dict, whose key is an exact int or text, if it changed.
    ///
    /// # Safety
    ///
    /// `object` is alive and known, `entry` is alive, and no other entry changed since the dict was
    /// last recorded.
    pub(super) unsafe fn touch_entry(&mut self, out: &mut Vec<u8>, object: Object, entry: Object) {
        let address = object as usize;
        // SAFETY: hashing and comparing exact scalars runs no code of the program; a dict with other
        // keys is compared as a whole.
        unsafe {
            let Some(known) = self.known.get(&address) else {
                return;
            };
            let (Some(find), Some(hash)) =
                (self.symbols.dict_get_known_hash, self.symbols.object_hash)
            else {
                self.rescan(out, object);
                return;
            };
            let (id, state) = (known.id, &known.state);
            let plain = flags_of(type_of(object)) & flag::DICT != 0
                && self.shape_of(type_of(object)) == Some(Shape::Dict)
                && state.attributes.is_empty()
                && !state
                    .entries
                    .iter()
                    .any(|(key, _)| matches!(key.kind, ShadowKind::Object | ShadowKind::TooDeep));
            if id == UNNUMBERED || !plain {
                self.rescan(out, object);
                return;
            }
            let (len, now) = (state.len, word(object, 16) as u64);
            let recorded = (state.entries.len() + state.beyond_keys.len()) as u64;
            let key = self.look(entry);
            let position = state.entries.iter().position(|(known, _)| *known == key);
            let beyond = state.beyond_keys.contains(&key);
            let value = find(object, entry, hash(entry));
            let compared = self.hold(address);
            match (position, value.is_null()) {
                (Some(position), false) if now == len => {
                    let shadow = if self.hides_key(entry) {
                        Shadow::REDACTED
                    } else {
                        self.look(value)
                    };
                    if self.entry_shadow(address, position) != Some(shadow) {
                        let (_, shadow) = self.put_entry(out, id, entry, value);
                        if let Some(known) = self.known.get_mut(&address)
                            && let Some(place) = known.state.entries.get_mut(position)
                        {
                            place.1 = shadow;
                        }
                    }
                }
                (_, true) if now + 1 == len && (position.is_some() || beyond) => {
                    let mut bytes = self.buffer();
                    self.put_value(out, &mut bytes, entry, 1);
                    out.push(message::DELETE_KEY);
                    put::number(out, id);
                    out.extend_from_slice(&bytes);
                    self.give_back(bytes);
                    if let Some(known) = self.known.get_mut(&address) {
                        match position {
                            Some(position) => {
                                known.state.entries.remove(position);
                            }
                            None => {
                                known.state.beyond_keys.remove(&key);
                            }
                        }
                        known.state.len = now;
                    }
                }
                // A new entry of a mapping all of whose entries are recorded.
                (None, false) if now == len + 1 && recorded == len => {
                    let entry = self.put_entry(out, id, entry, value);
                    let limit = self.limits.children;
                    if let Some(known) = self.known.get_mut(&address) {
                        let state = &mut known.state;
                        if state.beyond_keys.is_empty() && state.entries.len() < limit {
                            state.entries.push(entry);
                        } else {
                            state.beyond_keys.insert(entry.0);
                        }
                        state.len = now;
                    }
                }
                // An entry that is recorded behind the limit, or was left out and is recorded now.
                (None, false) if now == len && (beyond || recorded < len) => {
                    let entry = self.put_entry(out, id, entry, value);
                    if let Some(known) = self.known.get_mut(&address) {
                        known.state.beyond_keys.insert(entry.0);
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
                known.verified = compared;
                known.state.version = version;
            }
        }
    }

    /// Records an attribute of an instance if it changed. False when it has to be looked at as a whole:
    /// the attribute is new, gone, or not kept where attributes of instances are.
    ///
    /// # Safety
    ///
    /// `object` is alive and known, and `name` is a text.
    pub(super) unsafe fn touch_attribute(
        &mut self,
        out: &mut Vec<u8>,
        object: Object,
        name: Object,
    ) -> bool {
        let address = object as usize;
        // SAFETY: the class says where its instances keep attributes.
        unsafe {
            let class = type_of(object);
            let Some(known) = self.known.get(&address) else {
                return false;
            };
            let (id, state) = (known.id, &known.state);
            if id == UNNUMBERED || known.class != class || state.kind != kind::INSTANCE {
                return false;
            }
            let Some(info) = self.classes.get(&(class as usize)) else {
                return false;
            };
            let Some(value) = named_value(&self.symbols, info, object, name) else {
                return false;
            };
            let bytes = self.text_bytes(name).unwrap_or_default();
            let (Some(number), false) = (
                self.names.get(bytes.as_slice()).copied(),
                self.redaction.hides(&bytes),
            ) else {
                return false;
            };
            let place = state
                .attributes
                .iter()
                .position(|(known, _)| *known == number);
            let Some((place, (_, before))) =
                place.and_then(|place| Some((place, state.attributes.get(place)?)))
            else {
                return false;
            };
            if before.says_the_same(self.look(value)) {
                return true;
            }
            let compared = self.hold(address);
            let mut encoded = self.buffer();
            let shadow = self.put_value(out, &mut encoded, value, self.limits.depth);
            out.push(message::SET_ATTRIBUTE);
            put::number(out, id);
            put::number(out, number);
            out.extend_from_slice(&encoded);
            self.give_back(encoded);
            if let Some(known) = self.known.get_mut(&address) {
                known.verified = compared;
                if let Some(attribute) = known.state.attributes.get_mut(place) {
                    attribute.1 = shadow;
                }
            }
        }
        true
    }

    fn entry_shadow(&self, address: usize, position: usize) -> Option<Shadow> {
        let entry = self.known.get(&address)?.state.entries.get(position)?;
        Some(entry.1)
    }
}
