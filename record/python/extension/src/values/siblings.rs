//! Instances and their dictionaries: two objects of the program with one content.
//!
//! `vars(o)[name] = value` changes the instance, `o.name = value` the dictionary, if the program has
//! asked for it. Whoever changes one has the other looked at too.

use super::Values;
use super::classes::Death;
use super::deaths;
use super::raw::{Object, type_of, word};

/// More known objects than this are searched for the owner only of what looks like an instance's
/// dictionary.
const SEARCHED_MAX: usize = 1_000;

impl Values {
    /// Takes note of which dictionary belongs to an instance.
    ///
    /// # Safety
    ///
    /// `object` is alive and known.
    pub(super) unsafe fn note_dictionary(&mut self, object: Object) {
        // SAFETY: the caller's.
        unsafe {
            let dict = self.instance_dict(object, type_of(object));
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
            let dict = self.instance_dict(object, type_of(object));
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
        const KEPT_OUTSIDE: usize = 40;
        self.drain_deaths();
        if let Some(key) = self.siblings.get(&(dict as usize)) {
            return Some(*key);
        }
        // SAFETY: the caller's; every object begins with its count of references, and a dict that
        // shares its keys, as instances' dictionaries do, keeps its values elsewhere.
        let (holders, shares) = unsafe { (word(dict, 0) as u32, word(dict, KEPT_OUTSIDE) != 0) };
        // A dictionary that has one holder belongs to it or to nobody.
        if holders <= 1 || (!shares && self.known.len() > SEARCHED_MAX) {
            return None;
        }
        let owner = self.known.iter().find_map(|(address, known)| {
            // SAFETY: objects whose death was not noticed are alive.
            let found = unsafe { self.instance_dict(*address as Object, known.class) };
            (found == dict).then_some(*address)
        })?;
        // SAFETY: as above.
        unsafe { self.note_dictionary(owner as Object) };
        self.siblings.get(&(dict as usize)).copied()
    }
}
