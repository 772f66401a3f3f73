//! Which attributes and entries change in a block, so that a search for one passes over the blocks that
//! only change others.
//!
//! Names are listed whatever object they are names of: a program has few of them. Of a mapping with many
//! keys, which the program's data are, only that it changes is listed.

use super::{IndexKey, keys};
use crate::ObjectId;
use crate::block::{Kind, Meaning};
use crate::hash::Map;
use crate::strings::shortened;

/// Most names that are listed of a block.
const MOST_NAMES: usize = 256;
/// A mapping has many keys if it changes at least so often, and each key fewer times on average.
const WIDE: usize = 16;

/// The blocks of which all names are listed.
pub(crate) const LISTED: IndexKey = IndexKey {
    kind: keys::PART,
    a: 0,
    b: 0,
};

/// Changes of any object's attribute or entry of this name.
pub(crate) fn named(name: &[u8]) -> IndexKey {
    IndexKey::new(keys::PART, 1, crc32c::crc32c(shortened(name)))
}

/// The changes of an object, or of others with the same last bits, which no name is listed of.
pub(crate) fn unnamed(object: ObjectId) -> IndexKey {
    IndexKey::new(keys::PART, 2, object.0 as u32)
}

/// What a block adds to an index.
#[derive(Debug, Default)]
pub(crate) struct Parts {
    /// How often texts of the block's table name what changes.
    texts: Map<u64, u64>,
    listed: Map<IndexKey, u64>,
}

impl Parts {
    /// Takes in the object events of a block: the object and the code of each. Objects below
    /// `first_object` were seen before.
    pub(crate) fn of(
        codes: &[Meaning],
        first_object: u64,
        changes: impl Iterator<Item = (ObjectId, u32)>,
    ) -> Parts {
        let mut parts = Parts::default();
        let mut entries: Vec<(ObjectId, u64)> = Vec::new();
        for (object, code) in changes {
            let Some(meaning) = codes.get(code as usize) else {
                continue;
            };
            match (meaning.kind, meaning.part_name()) {
                (Kind::SetKey | Kind::DeleteKey, Some(text)) => entries.push((object, text)),
                (_, Some(text)) => *parts.texts.entry(text).or_default() += 1,
                (Kind::New, _) if object.0 >= first_object => {}
                (Kind::New | Kind::Replace | Kind::Clear, _) => {
                    *parts.listed.entry(unnamed(object)).or_default() += 1;
                }
                _ => {}
            }
        }
        entries.sort_unstable();
        for of_object in entries.chunk_by(|one, other| one.0 == other.0) {
            let keys = || of_object.chunk_by(|one, other| one == other);
            let is_wide = of_object.len() >= WIDE && keys().count() * WIDE > of_object.len();
            for of_key in keys() {
                let Some((object, text)) = of_key.first() else {
                    continue;
                };
                let count = match is_wide {
                    true => parts.listed.entry(unnamed(*object)).or_default(),
                    false => parts.texts.entry(*text).or_default(),
                };
                *count += of_key.len() as u64;
            }
        }
        parts
    }

    /// Looks up the names among the block's texts.
    pub(crate) fn name<'t>(&mut self, texts: impl Iterator<Item = (u64, &'t [u8])>) {
        if self.texts.len() > MOST_NAMES {
            return;
        }
        for (number, text) in texts {
            if let Some(count) = self.texts.get(&number) {
                *self.listed.entry(named(text)).or_default() += count;
            }
        }
    }

    /// The keys with their counts.
    pub(super) fn listed(&self) -> impl Iterator<Item = (IndexKey, u64)> {
        let few = self.texts.len() <= MOST_NAMES;
        let marker = few.then_some((LISTED, self.texts.len() as u64));
        let listed = self.listed.iter().map(|(key, count)| (*key, *count));
        marker.into_iter().chain(listed)
    }
}
