//! Instances and their dictionaries: two objects of the program with one content.
//!
//! `vars(o)[name] = value` changes the instance, `o.name = value` the dictionary, if the program has
//! asked for it. Whoever changes one has the other looked at too.

use super::Values;
use super::classes::Death;
use super::deaths;
use super::raw::{Object, object_at, type_of};

/// More known objects than this are not searched for the owner of a dictionary.
const SEARCHED_MAX: usize = 20_000;

impl Values {
    /// Takes note of which dictionary belongs to an instance.
    ///
    /// # Safety
    ///
    /// `object` is alive and known.
    pub(super) unsafe fn note_dictionary(&mut self, object: Object) {
        // SAFETY: the caller's.
        unsafe {
            let dict = self.instance_dict(object);
            if dict.is_null() || type_of(dict) != self.symbols.dict {
                return;
            }
            let Some(known) = self.known.get(&(object as usize)) else {
                return;
            };
            let address = dict as usize;
            if self.siblings.insert(address, known.key).is_none() {
                deaths::watch(&self.symbols, self.symbols.dict, Death::Guarded);
                deaths::expect(address);
            }
        }
    }

    /// Looks at the other one of an instance and its dictionary after one of them was looked at.
    ///
    /// # Safety
    ///
    /// `object` is alive.
    pub(super) unsafe fn touch_sibling(&mut self, out: &mut Vec<u8>, object: Object) {
        // SAFETY: objects whose death was not noticed are alive.
        unsafe {
            if type_of(object) == self.symbols.dict {
                if let Some(key) = self.siblings.get(&(object as usize))
                    && let Some(owner) = self.addresses.get(key).copied()
                {
                    self.rescan(out, owner as Object);
                }
                return;
            }
            let dict = self.instance_dict(object);
            if !dict.is_null() && self.known.contains_key(&(dict as usize)) {
                self.rescan(out, dict);
            }
        }
    }

    /// The key of the known instance that a dictionary belongs to. The dictionary may have come into
    /// being after the instance was last looked at, so the instances are searched.
    ///
    /// # Safety
    ///
    /// `dict` is alive.
    pub(super) unsafe fn owner_of(&mut self, dict: Object) -> Option<u64> {
        self.drain_deaths();
        if let Some(key) = self.siblings.get(&(dict as usize)) {
            return Some(*key);
        }
        // A dictionary that has one holder belongs to it or to nobody.
        // SAFETY: the caller's; every object begins with its count of references.
        if unsafe { object_at(dict, 0) as usize } as u32 <= 1 || self.known.len() > SEARCHED_MAX {
            return None;
        }
        let owner = self.known.keys().copied().find(|address| {
            // SAFETY: objects whose death was not noticed are alive.
            unsafe { self.instance_dict(*address as Object) == dict }
        })?;
        // SAFETY: as above.
        unsafe { self.note_dictionary(owner as Object) };
        self.siblings.get(&(dict as usize)).copied()
    }
}
