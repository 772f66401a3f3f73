//! The contents of objects as the writer knows them, so that it can note them in full now and then.
//!
//! When there are too many, those are forgotten that changed in few blocks, the longest untouched first.
//! Of one that changes after that the changes are remembered, and noted together now and then.

use std::sync::Arc;

use crate::block::deltas::{Delta, Log};
use crate::block::encode::Notes;
use crate::block::section::Packer;
use crate::content::{ObjectState, Resolve, Unresolved};
use crate::hash::Map;
use crate::pages::LONG;
use crate::pages::write::{LongList, PageBuilder, PageChunk};
use crate::{Change, Content, ObjectId, ObjectKind};

/// Values that an object counts at least.
const LEAST_WEIGHT: usize = 4;
/// Blocks with changes after which contents are noted even if they are longer than the changes.
const MOST_BLOCKS: u32 = 4;
/// Blocks with changes after which that is urgent.
const TOO_MANY_BLOCKS: u32 = 12;
/// Contents of this many values for each change are noted at once.
const VALUES_PER_CHANGE: usize = 4;
/// Contents are noted for such reasons up to this share of the events; urgent ones have a share of their
/// own of the same size.
const EVENTS_PER_VALUE: usize = 8;
/// Objects touched in this many blocks are all remembered alike.
const OFTEN: u8 = 4;
/// The most that is saved up of either share.
const MOST_CREDIT: usize = 1 << 18;

/// Of lists in pages so many elements are remembered as one value of other objects.
const SHARE_OF_LONG: usize = 3;
/// As many, where the user asked for long containers.
const SHARE_OF_WANTED: usize = 10;

/// Most changes of an object that are noted together.
const LONGEST_LOG: usize = 4096;

/// What is known of an object.
#[derive(Debug)]
enum Known {
    /// Its contents.
    Contents(Box<ObjectState>),
    /// Its contents, which are kept in pages.
    Long(Box<LongList>),
    /// Its changes since it was forgotten.
    Changes(Box<Log>),
}

#[derive(Debug)]
struct Tracked {
    known: Known,
    /// The position of the last change.
    position: u64,
    /// Changes since the contents last stood in the file in full.
    changes: u32,
    /// Blocks with such changes.
    blocks: u32,
    /// Blocks in which it was touched, at most [`OFTEN`].
    touched: u8,
    last_block: u32,
    weight: usize,
}

impl Tracked {
    fn new(known: Known, position: u64, block: u32) -> Tracked {
        Tracked {
            known,
            position,
            changes: 0,
            blocks: 0,
            touched: 0,
            last_block: block,
            weight: 0,
        }
    }
}

impl Tracked {
    /// Counts a change. Whether it is the first one in its block.
    fn touch(&mut self, position: u64, block: u32) -> bool {
        let is_first = self.changes == 0 || self.last_block != block;
        if is_first {
            self.blocks += 1;
            self.touched = OFTEN.min(self.touched + 1);
        }
        self.changes += 1;
        self.last_block = block;
        self.position = position;
        is_first
    }

    fn take_in(&mut self, change: Change, others: &impl Resolve, block: u32) {
        match &mut self.known {
            Known::Contents(state) => {
                if state.apply(&change, others).is_err() {
                    // What changed before in this block is in no log.
                    self.known = Known::Changes(Box::new(Log::new(block + 1)));
                }
            }
            Known::Long(list) => {
                if !list.apply(&change, others) {
                    self.known = Known::Changes(Box::new(Log::new(block + 1)));
                }
            }
            Known::Changes(log) if log.first_block > block => {}
            Known::Changes(log) => log.push(change),
        }
    }
}

impl Tracked {
    /// Keeps a list in pages from now on if it is long.
    fn become_long(&mut self) {
        if let Known::Contents(state) = &mut self.known
            && state.plain().is_some_and(|it| it.items.len() >= LONG)
        {
            let state = std::mem::replace(&mut **state, ObjectState::nothing());
            self.known = Known::Long(Box::new(LongList::new(state)));
        }
        if let Known::Long(_) = self.known {
            self.changes = 0;
            self.blocks = 0;
        }
    }

    /// Keeps a list in pages no longer: its contents are to be noted.
    fn become_short(&mut self) {
        if let Known::Long(list) = &mut self.known {
            let list = std::mem::replace(&mut **list, LongList::new(ObjectState::nothing()));
            self.known = Known::Contents(Box::new(list.into_state()));
            self.changes = u32::MAX;
        }
    }
}

impl Known {
    fn weight(&self, share_of_long: usize) -> usize {
        let weight = match self {
            Known::Contents(state) => state.weight(),
            Known::Long(list) => list.len() / share_of_long,
            Known::Changes(log) => log.changes.len() * 2,
        };
        weight.max(LEAST_WEIGHT)
    }
}

/// The objects that are remembered.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    known: Map<ObjectId, Tracked>,
    touched: Vec<ObjectId>,
    weight: usize,
    /// About how many values are kept in memory.
    most_values: usize,
    share_of_long: usize,
    /// How many values may be noted that are not worth it by the number of changes.
    credit: usize,
    urgent_credit: usize,
    /// What waits to be written of long lists.
    pub(crate) pages: PageBuilder,
}

struct Others<'a>(&'a Map<ObjectId, Tracked>);

impl Resolve for Others<'_> {
    fn first_content(&self, object: ObjectId) -> Result<Option<Arc<Content>>, Unresolved> {
        let Known::Contents(state) = &self.0.get(&object).ok_or(Unresolved)?.known else {
            return Err(Unresolved);
        };
        let content = state.fixed();
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
    /// Remembers about `most_values` values of objects of which a recorder keeps `max_children` children.
    pub(crate) fn new(most_values: usize, max_children: u64) -> Objects {
        let is_wanted = max_children >= LONG as u64;
        Objects {
            most_values,
            share_of_long: if is_wanted {
                SHARE_OF_WANTED
            } else {
                SHARE_OF_LONG
            },
            ..Objects::default()
        }
    }

    /// Takes in a change that happens in block number `block`.
    pub(crate) fn apply(&mut self, object: ObjectId, change: Change, position: u64, block: u32) {
        let change = match change {
            Change::New(content) | Change::Replace(content) => {
                if content.items.len() >= LONG {
                    self.touched.push(object);
                }
                let state = Box::new(ObjectState::new(*content));
                let tracked = Tracked::new(Known::Contents(state), position, block);
                self.remember(object, tracked);
                return;
            }
            change => change,
        };
        if matches!(change, Change::SetKey { .. } | Change::DeleteKey { .. })
            && let Some(mut tracked) = self.known.remove(&object)
        {
            // Keys are compared by what they hold, so other objects are asked.
            self.weight -= tracked.weight;
            if tracked.touch(position, block) {
                self.touched.push(object);
            }
            tracked.take_in(change, &Others(&self.known), block);
            self.remember(object, tracked);
            return;
        }
        let tracked = self.known.entry(object).or_insert_with(|| {
            let log = Box::new(Log::new(block));
            Tracked::new(Known::Changes(log), position, block)
        });
        if tracked.touch(position, block) {
            self.touched.push(object);
        }
        let before = tracked.weight;
        tracked.take_in(change, &Nobody, block);
        tracked.weight = tracked.known.weight(self.share_of_long);
        self.weight = self.weight - before + tracked.weight;
    }

    fn remember(&mut self, object: ObjectId, mut tracked: Tracked) {
        tracked.weight = tracked.known.weight(self.share_of_long);
        self.weight += tracked.weight;
        if let Some(before) = self.known.insert(object, tracked) {
            self.weight -= before.weight;
        }
    }

    fn forget(&mut self, object: ObjectId) {
        if let Some(tracked) = self.known.remove(&object) {
            self.weight -= tracked.weight;
        }
    }

    /// What waits to be written of long lists.
    pub(crate) fn take_pages(&mut self, packer: &mut Packer) -> Option<PageChunk> {
        let known = &self.known;
        let is_long = |tracked: &Tracked| matches!(tracked.known, Known::Long(_));
        self.pages
            .take(packer, |object| known.get(&object).is_some_and(is_long))
    }

    /// Keeps no list in pages any more: a chunk of them is not written.
    pub(crate) fn forget_pages(&mut self) {
        self.pages.lose_chunk();
        self.known
            .retain(|_, tracked| !matches!(tracked.known, Known::Long(_)));
        self.weight = self.known.values().map(|tracked| tracked.weight).sum();
    }

    /// What to note at `end`, the end of block number `block` of `events` events, in the order of the
    /// objects.
    pub(crate) fn close_block(&mut self, events: usize, end: u64, block: u32) -> Notes {
        self.pages.count(events);
        let share = events / EVENTS_PER_VALUE;
        self.credit = (self.credit + share).min(MOST_CREDIT);
        self.urgent_credit = (self.urgent_credit + share).min(MOST_CREDIT);
        let mut touched = std::mem::take(&mut self.touched);
        touched.sort_unstable();
        touched.dedup();
        // Those that waited longest go first.
        let waited = |object: &ObjectId| self.known.get(object).map(|tracked| tracked.blocks);
        touched.sort_by_key(|object| std::cmp::Reverse(waited(object)));
        let mut notes = Notes::default();
        for object in touched {
            let Some(tracked) = self.known.get_mut(&object) else {
                continue;
            };
            if matches!(&tracked.known, Known::Changes(log) if log.first_block > block) {
                continue;
            }
            tracked.become_long();
            if let Known::Long(list) = &mut tracked.known {
                let since = end - tracked.position;
                if !self.pages.add(object, list, block, since) {
                    tracked.become_short();
                }
                let weight = tracked.known.weight(self.share_of_long);
                self.weight = self.weight - tracked.weight + weight;
                tracked.weight = weight;
            }
            if let Known::Long(_) = tracked.known {
                continue;
            }
            let weight = tracked.weight;
            let changes = tracked.changes as usize;
            if changes < weight.max(64) {
                let wanted = tracked.blocks >= MOST_BLOCKS || changes * VALUES_PER_CHANGE >= weight;
                if wanted && self.credit >= weight {
                    self.credit -= weight;
                } else if tracked.blocks >= TOO_MANY_BLOCKS && self.urgent_credit >= weight {
                    self.urgent_credit -= weight;
                } else {
                    continue;
                }
            }
            tracked.changes = 0;
            tracked.blocks = 0;
            match &mut tracked.known {
                Known::Contents(state) => {
                    let content = state.content();
                    notes.contents.push((object, tracked.position, content));
                }
                Known::Long(_) => {}
                Known::Changes(log) => {
                    notes.deltas.push(Delta {
                        object,
                        position: tracked.position,
                        span: block - log.first_block,
                        changes: log.changes.as_slice().into(),
                    });
                    if log.changes.len() >= LONGEST_LOG {
                        self.weight -= tracked.weight;
                        self.known.remove(&object);
                    }
                }
            }
        }
        notes.contents.sort_unstable_by_key(|(object, ..)| *object);
        notes.deltas.sort_unstable_by_key(|delta| delta.object);
        self.shrink();
        notes
    }

    /// Forgets the objects that are the least likely to change in many more blocks.
    fn shrink(&mut self) {
        if self.weight <= self.most_values {
            return;
        }
        let value = |tracked: &Tracked| {
            // A module's names change as long as it runs, and there are few modules.
            let touched = match &tracked.known {
                Known::Contents(state) if state.fixed().kind == ObjectKind::Namespace => OFTEN,
                _ => tracked.touched,
            };
            (touched, tracked.last_block)
        };
        let mut values: Vec<((u8, u32), ObjectId)> = self
            .known
            .iter()
            .map(|(object, tracked)| (value(tracked), *object))
            .collect();
        values.sort_unstable();
        for (_, object) in values {
            if self.weight <= self.most_values / 4 * 3 {
                break;
            }
            self.forget(object);
        }
    }
}
