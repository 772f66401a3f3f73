//! The contents of objects as the writer knows them, so that it can note them in full now and then.
//!
//! Objects that were not touched for long are forgotten when there are too many. One that changes
//! after that is only described by its changes until it is replaced.

use std::sync::Arc;

use crate::content::{ObjectState, Resolve, Unresolved};
use crate::hash::Map;
use crate::{Change, Content, ObjectId, ObjectKind};

/// About how many values are kept in memory.
const MOST_VALUES: usize = 400_000;
/// Values that an object counts at least.
const LEAST_WEIGHT: usize = 4;
/// Blocks with changes after which the contents are noted even if they are longer than the changes.
const MOST_BLOCKS: u32 = 8;
/// Contents are noted for that reason up to this share of the values that events bring.
const EVENTS_PER_VALUE: usize = 8;

#[derive(Debug)]
struct Tracked {
    state: ObjectState,
    /// The position of the last change.
    position: u64,
    /// Changes since the contents last stood in the file in full.
    changes: u32,
    /// Blocks with such changes.
    blocks: u32,
    last_block: u32,
    weight: usize,
}

/// The objects that are remembered.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    known: Map<ObjectId, Tracked>,
    touched: Vec<ObjectId>,
    weight: usize,
    credit: usize,
}

struct Known<'a>(&'a Map<ObjectId, Tracked>);

impl Resolve for Known<'_> {
    fn first_content(&self, object: ObjectId) -> Result<Option<Arc<Content>>, Unresolved> {
        let content = self.0.get(&object).ok_or(Unresolved)?.state.fixed();
        let fixed = matches!(content.kind, ObjectKind::Tuple | ObjectKind::FrozenSet);
        Ok(fixed.then(|| Arc::new(content.clone())))
    }
}

/// Where no object is asked for.
struct Nobody;

impl Resolve for Nobody {
    fn first_content(&self, _: ObjectId) -> Result<Option<Arc<Content>>, Unresolved> {
        Err(Unresolved)
    }
}

impl Objects {
    /// Takes in a change that happens in block number `block`.
    pub(crate) fn apply(&mut self, object: ObjectId, change: Change, position: u64, block: u32) {
        let change = match change {
            Change::New(content) | Change::Replace(content) => {
                let state = ObjectState::new(*content);
                let weight = state.weight().max(LEAST_WEIGHT);
                self.weight += weight;
                let tracked = Tracked {
                    state,
                    position,
                    changes: 0,
                    blocks: 0,
                    last_block: block,
                    weight,
                };
                if let Some(before) = self.known.insert(object, tracked) {
                    self.weight -= before.weight;
                }
                return;
            }
            change => change,
        };
        let Some(tracked) = self.known.get_mut(&object) else {
            return;
        };
        let weight = tracked.weight;
        let applied = if matches!(change, Change::SetKey { .. } | Change::DeleteKey { .. }) {
            // Keys are compared by what they hold, so other objects are asked.
            let empty = Content::new(tracked.state.fixed().kind, tracked.state.fixed().type_id);
            let mut state = std::mem::replace(&mut tracked.state, ObjectState::new(empty));
            let applied = state.apply(&change, &Known(&self.known));
            if let Some(tracked) = self.known.get_mut(&object) {
                tracked.state = state;
            }
            applied
        } else {
            tracked.state.apply(&change, &Nobody)
        };
        if applied.is_err() {
            self.forget(object);
            return;
        }
        let Some(tracked) = self.known.get_mut(&object) else {
            return;
        };
        if tracked.changes == 0 || tracked.last_block != block {
            tracked.blocks += 1;
            self.touched.push(object);
        }
        tracked.changes += 1;
        tracked.last_block = block;
        tracked.position = position;
        tracked.weight = tracked.state.weight().max(LEAST_WEIGHT);
        self.weight = self.weight - weight + tracked.weight;
    }

    fn forget(&mut self, object: ObjectId) {
        if let Some(tracked) = self.known.remove(&object) {
            self.weight -= tracked.weight;
        }
    }

    /// The contents to note at the end of a block of `events` events, in the order of their ids.
    pub(crate) fn close_block(&mut self, events: usize) -> Vec<(ObjectId, u64, Content)> {
        self.credit = (self.credit + events / EVENTS_PER_VALUE).min(1 << 18);
        let mut contents = Vec::new();
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        for object in touched {
            let Some(tracked) = self.known.get_mut(&object) else {
                continue;
            };
            let weight = tracked.weight;
            let many = tracked.changes as usize >= weight.max(64);
            if !many {
                if tracked.blocks < MOST_BLOCKS || self.credit < weight {
                    continue;
                }
                self.credit -= weight;
            }
            contents.push((object, tracked.position, tracked.state.content()));
            tracked.changes = 0;
            tracked.blocks = 0;
        }
        self.shrink();
        contents
    }

    /// Forgets the objects that were not touched for longest.
    fn shrink(&mut self) {
        if self.weight <= MOST_VALUES {
            return;
        }
        let mut ages: Vec<(u32, ObjectId)> = self
            .known
            .iter()
            .map(|(object, tracked)| (tracked.last_block, *object))
            .collect();
        ages.sort_unstable();
        for (_, object) in ages {
            if self.weight <= MOST_VALUES * 3 / 4 {
                break;
            }
            self.forget(object);
        }
    }
}
