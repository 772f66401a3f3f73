//! The contents of an object at a position: the last full contents before it, and the changes since.

use std::ops::Range;
use std::sync::Arc;

use super::{Excerpt, Recording};
use crate::block::Kind;
use crate::block::changes::Changes;
use crate::content::{ObjectState, Resolve, Unresolved};
use crate::segment::{IndexKey, Posting, keys};
use crate::varint::Decoded;
use crate::{Change, Content, ObjectId, ObjectKind, Position, Result};

/// How many earlier versions of an object are looked for in memory.
const VERSIONS: usize = 32;

/// Changes that lead from earlier contents to those asked for.
enum Stretch {
    /// Events of a block.
    Events {
        block: u32,
        changes: Arc<Changes>,
        range: Range<usize>,
    },
    /// What was noted of several blocks.
    Delta(u32, Arc<[Change]>),
}

struct FirstContents<'r>(&'r Recording);

impl Resolve for FirstContents<'_> {
    fn first_content(&self, object: ObjectId) -> Result<Option<Arc<Content>>, Unresolved> {
        let content = self.0.first_content(object).map_err(|_| Unresolved)?;
        let fixed = |content: &Arc<Content>| {
            matches!(content.kind, ObjectKind::Tuple | ObjectKind::FrozenSet)
        };
        Ok(content.filter(fixed))
    }
}

impl Recording {
    pub(super) fn object_at(
        &self,
        object: ObjectId,
        at: Position,
    ) -> Result<Option<(Arc<Content>, Position)>> {
        let found = self.excerpt_at(object, 0..u64::MAX, at)?;
        Ok(found.map(|(excerpt, last)| (excerpt.content, last)))
    }

    pub(super) fn excerpt_at(
        &self,
        object: ObjectId,
        range: Range<u64>,
        at: Position,
    ) -> Result<Option<(Excerpt, Position)>> {
        if let Some(found) = self.long_list_at(object, range, at)? {
            return Ok(Some(found));
        }
        let whole = self.whole_object_at(object, at)?;
        Ok(whole.map(|(content, last)| (Excerpt { content, first: 0 }, last)))
    }

    /// The contents of an object from what blocks say of it.
    fn whole_object_at(
        &self,
        object: ObjectId,
        at: Position,
    ) -> Result<Option<(Arc<Content>, Position)>> {
        let list = self.list(object_key(object))?;
        let home = self.home_of_object(object);
        let Some((here, index)) = self.place_of(at) else {
            return Ok(None);
        };
        let newest = blocks_before(home, &list, here).next();
        self.nothing_missing(newest.map_or(0, |(number, _)| number)..here)?;
        let mut parts: Vec<Stretch> = Vec::new();
        let mut last = None;
        let mut start = None;
        // The changes of blocks from here on are known.
        let mut open_below = u32::MAX;
        let mut deltas: Option<Arc<Vec<Posting>>> = None;
        for (number, noted) in blocks_before(home, &list, here) {
            if number >= open_below {
                continue;
            }
            if number < here
                && noted
                && let Some((position, content)) = self.contents(number)?.get(object)
            {
                let Some(last) = last else {
                    return Ok(Some((Arc::clone(content), Position(*position))));
                };
                start = Some((Arc::clone(content), last));
                break;
            }
            if number < here && !noted && Some(number) != home {
                let deltas = match &deltas {
                    Some(deltas) => deltas,
                    None => {
                        let list = self.list(IndexKey::new(keys::DELTA, object.0, 0))?;
                        deltas.insert(list)
                    }
                };
                if deltas.binary_search_by_key(&number, |it| it.block).is_ok()
                    && let Some(delta) = self.deltas(number)?.get(object)
                {
                    last.get_or_insert(Position(delta.position));
                    parts.push(Stretch::Delta(number, Arc::clone(&delta.changes)));
                    open_below = number.saturating_sub(delta.span);
                    continue;
                }
            }
            let changes = self.changes(number)?;
            let numbers = changes.of_object(object);
            let end = match number == here {
                true => changes.before(numbers, index),
                false => numbers.len(),
            };
            let Some(newest) = end.checked_sub(1).and_then(|at| numbers.get(at)) else {
                continue;
            };
            let last = *last.get_or_insert(Position(changes.position(*newest)));
            if let Some((from, content)) = self.known_version(&changes, numbers, end) {
                if from == end && parts.is_empty() {
                    return Ok(Some((content, last)));
                }
                start = Some((content, last));
                parts.push(Stretch::Events {
                    block: number,
                    range: from..end,
                    changes,
                });
                break;
            }
            let full = (0..end).rev().find(|at| {
                let number = numbers.get(*at).copied().unwrap_or(u32::MAX);
                changes.is_full(number)
            });
            if let Some(full) = full
                && let Some(event) = numbers.get(full)
            {
                let read = self.readable(number, changes.change(*event))?;
                if let Change::New(content) | Change::Replace(content) = read {
                    start = Some((Arc::new(*content), last));
                }
            }
            parts.push(Stretch::Events {
                block: number,
                range: full.map_or(0, |full| full + 1)..end,
                changes,
            });
            if full.is_some() {
                break;
            }
        }
        let Some((content, last)) = start else {
            return Ok(None);
        };
        let content = self.with_changes(object, content, &parts)?;
        let bytes = crate::codec::weight(&content) * 48 + 256;
        let content = self.objects.insert((object, last.0), content, bytes);
        Ok(Some((content, last)))
    }

    /// The newest version that is in memory among the last ones made by a block's changes before `end`.
    fn known_version(
        &self,
        changes: &Changes,
        numbers: &[u32],
        end: usize,
    ) -> Option<(usize, Arc<Content>)> {
        let newest = numbers.get(..end)?.iter().enumerate().rev();
        newest.take(VERSIONS).find_map(|(at, number)| {
            let object = changes.entry(*number)?.object;
            let content = self.objects.get((object, changes.position(*number)))?;
            Some((at + 1, content))
        })
    }

    /// Applies the parts, the oldest of which comes last.
    fn with_changes(
        &self,
        object: ObjectId,
        content: Arc<Content>,
        parts: &[Stretch],
    ) -> Result<Content> {
        let mut state = ObjectState::new(Arc::unwrap_or_clone(content));
        let resolve = FirstContents(self);
        let unresolved = |block: u32| {
            let offset = self.block_row(block).map_or(0, |row| row.chunk.offset);
            self.file
                .corrupt(offset, format!("a key of object {object} cannot be read"))
        };
        for part in parts.iter().rev() {
            match part {
                Stretch::Events {
                    block,
                    changes,
                    range,
                } => {
                    let numbers = changes.of_object(object);
                    for number in numbers.get(range.clone()).unwrap_or_default() {
                        let change = self.readable(*block, changes.change(*number))?;
                        let applied = state.apply(&change, &resolve);
                        applied.map_err(|Unresolved| unresolved(*block))?;
                    }
                }
                Stretch::Delta(block, changes) => {
                    for change in &**changes {
                        let applied = state.apply(change, &resolve);
                        applied.map_err(|Unresolved| unresolved(*block))?;
                    }
                }
            }
        }
        Ok(state.into_content())
    }

    /// What was read of a block that the answer depends on.
    pub(super) fn readable<T>(&self, number: u32, read: Decoded<T>) -> Result<T> {
        read.map_err(|malformed| {
            let offset = self.block_row(number).map_or(0, |row| row.chunk.offset);
            self.file
                .corrupt(offset, self.sentence(number, malformed.0))
        })
    }

    /// An object's contents when it was first seen.
    fn first_content(&self, object: ObjectId) -> Result<Option<Arc<Content>>> {
        let home = self.home_of_object(object);
        if let Some(home) = home
            && let Some(content) = self.first_content_in(object, home)?
        {
            return Ok(Some(content));
        }
        // A number that does not follow the order of first sights.
        let list = self.list(object_key(object))?;
        for posting in list.iter().filter(|posting| Some(posting.block) != home) {
            if let Some(content) = self.first_content_in(object, posting.block)? {
                return Ok(Some(content));
            }
        }
        Ok(None)
    }

    fn first_content_in(&self, object: ObjectId, number: u32) -> Result<Option<Arc<Content>>> {
        let changes = self.changes(number)?;
        let numbers = changes.of_object(object).iter().copied();
        let mut first = numbers.filter(|number| changes.kind(*number) == Some(Kind::New));
        let Some(event) = first.next() else {
            return Ok(None);
        };
        let position = changes.position(event);
        if let Some(content) = self.objects.get((object, position)) {
            return Ok(Some(content));
        }
        let change = self.readable(number, changes.change(event))?;
        let Change::New(content) = change else {
            return Ok(None);
        };
        let bytes = crate::codec::weight(&content) * 48 + 256;
        Ok(Some(self.objects.insert(
            (object, position),
            *content,
            bytes,
        )))
    }

    /// How many events of an object there are before `to`.
    pub(super) fn count_object(&self, object: ObjectId, to: Position) -> Result<u64> {
        let Some((here, index)) = self.place_of(to) else {
            return Ok(0);
        };
        let damage = self.blocks.damage();
        let mut sum = 0;
        for (number, count) in self.blocks_of_object(object)? {
            if number > here {
                break;
            }
            sum += match count {
                Some(_) if damage.contains_key(&number) => 0,
                Some(count) if number < here => count,
                _ => match self.changes_of_block(number)? {
                    None => 0,
                    Some(changes) => {
                        let numbers = changes.of_object(object);
                        match number == here {
                            true => changes.before(numbers, index) as u64,
                            false => numbers.len() as u64,
                        }
                    }
                },
            };
        }
        Ok(sum)
    }

    /// The `n`th event of an object, from 0.
    pub(super) fn nth_object(&self, object: ObjectId, n: u64) -> Result<Option<Position>> {
        let damage = self.blocks.damage();
        let mut left = n;
        for (number, count) in self.blocks_of_object(object)? {
            if let Some(count) = count
                && count <= left
                && !damage.contains_key(&number)
            {
                left -= count;
                continue;
            }
            let Some(changes) = self.changes_of_block(number)? else {
                continue;
            };
            let numbers = changes.of_object(object);
            let at = usize::try_from(left).unwrap_or(usize::MAX);
            if let Some(number) = numbers.get(at) {
                return Ok(Some(Position(changes.position(*number))));
            }
            left -= numbers.len() as u64;
        }
        Ok(None)
    }

    /// The blocks with events of an object, ascending; how many, if the index says so.
    pub(super) fn blocks_of_object(&self, object: ObjectId) -> Result<Vec<(u32, Option<u64>)>> {
        let list = self.list(object_key(object))?;
        let listed = list.iter().filter(|posting| posting.count > 1);
        let mut blocks: Vec<_> = listed
            .map(|posting| (posting.block, Some(posting.count >> 1)))
            .collect();
        if let Some(home) = self.home_of_object(object) {
            let at = blocks.partition_point(|it| it.0 < home);
            if blocks.get(at).is_none_or(|it| it.0 != home) {
                blocks.insert(at, (home, None));
            }
        }
        Ok(blocks)
    }
}

pub(super) fn object_key(object: ObjectId) -> IndexKey {
    IndexKey::new(keys::OBJECT, object.0, 0)
}

/// The blocks up to `here` that may have changes of an object, newest first, and whether all its
/// contents stand in them.
pub(super) fn blocks_before(
    home: Option<u32>,
    list: &[Posting],
    here: u32,
) -> impl Iterator<Item = (u32, bool)> + '_ {
    let end = list.partition_point(|posting| posting.block <= here);
    let listed = list.get(..end).unwrap_or_default();
    let is_listed = |home: &u32| {
        let found = listed.binary_search_by_key(home, |posting| posting.block);
        found.is_ok()
    };
    let home = home.filter(|home| *home <= here && !is_listed(home));
    let split = home.map_or(0, |home| {
        listed.partition_point(|posting| posting.block < home)
    });
    let (early, late) = listed.split_at(split);
    let of = |posting: &Posting| (posting.block, posting.count & 1 != 0);
    late.iter()
        .rev()
        .map(of)
        .chain(home.map(|home| (home, false)))
        .chain(early.iter().rev().map(of))
}
