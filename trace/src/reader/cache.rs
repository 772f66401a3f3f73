//! Things that were read, kept until they take too much memory.

use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

use crate::hash::Map;

/// A cache that is limited in bytes; what was not used for longest goes first.
#[derive(Debug)]
pub(crate) struct Cache<K, V> {
    limit_bytes: usize,
    state: Mutex<State<K, V>>,
}

#[derive(Debug)]
struct State<K, V> {
    entries: Map<K, Entry<V>>,
    bytes: usize,
    uses: u64,
}

#[derive(Debug)]
struct Entry<V> {
    value: Arc<V>,
    bytes: usize,
    used: u64,
}

impl<K: Copy + Eq + Hash, V> Cache<K, V> {
    pub(crate) fn new(limit_bytes: usize) -> Cache<K, V> {
        Cache {
            limit_bytes,
            state: Mutex::new(State {
                entries: Map::default(),
                bytes: 0,
                uses: 0,
            }),
        }
    }

    pub(crate) fn get(&self, key: K) -> Option<Arc<V>> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.uses += 1;
        let uses = state.uses;
        let entry = state.entries.get_mut(&key)?;
        entry.used = uses;
        Some(Arc::clone(&entry.value))
    }

    /// Keeps a value and returns it.
    pub(crate) fn insert(&self, key: K, value: V, bytes: usize) -> Arc<V> {
        let value = Arc::new(value);
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.uses += 1;
        let entry = Entry {
            value: Arc::clone(&value),
            bytes,
            used: state.uses,
        };
        state.bytes += bytes;
        if let Some(before) = state.entries.insert(key, entry) {
            state.bytes -= before.bytes;
        }
        if state.bytes > self.limit_bytes {
            state.shrink(self.limit_bytes / 4 * 3);
        }
        value
    }

    pub(crate) fn clear(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.entries.clear();
        state.bytes = 0;
    }
}

impl<K: Copy + Eq + Hash, V> State<K, V> {
    /// Drops entries, the longest unused first, but never the newest.
    fn shrink(&mut self, limit_bytes: usize) {
        let mut ages: Vec<(u64, K)> = self
            .entries
            .iter()
            .map(|(key, entry)| (entry.used, *key))
            .collect();
        ages.sort_unstable_by_key(|(used, _)| *used);
        ages.pop();
        for (_, key) in ages {
            if self.bytes <= limit_bytes {
                break;
            }
            if let Some(entry) = self.entries.remove(&key) {
                self.bytes -= entry.bytes;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longest_unused_go_first_and_the_newest_stays() {
        let cache: Cache<u32, u32> = Cache::new(100);
        for key in 0..4 {
            cache.insert(key, key, 25);
        }
        assert_eq!(cache.get(0).as_deref(), Some(&0));
        cache.insert(4, 4, 25);
        assert_eq!(cache.get(1), None);
        assert_eq!(cache.get(0).as_deref(), Some(&0));
        cache.insert(5, 5, 1000);
        assert_eq!(cache.get(5).as_deref(), Some(&5));
        assert_eq!(cache.get(0), None);
    }
}
