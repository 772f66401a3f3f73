//! Changes of one attribute, entry or element of an object, without a look at those of its others.

use std::ops::Range;
use std::sync::Arc;

use super::Recording;
use super::pages::Untouched;
use super::search::Span;
use crate::segment::{Posting, parts};
use crate::{
    CancellationToken, Change, Content, Direction, FrameId, ObjectId, Position, Result, Value,
};

/// What of an object is looked at.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Part<'a> {
    /// Everything.
    Whole,
    /// The attribute of this name.
    Attribute(&'a str),
    /// The entry of this key.
    Entry(&'a Value),
    /// The element with this index, from 0.
    Item(u64),
}

impl Part<'_> {
    /// The bytes of the text that changes of the part are listed by, if they are.
    fn name(&self) -> Option<&[u8]> {
        match self {
            Part::Attribute(name) => Some(name.as_bytes()),
            Part::Entry(Value::Str(key)) => Some(&key.kept),
            _ => None,
        }
    }
}

/// Which blocks an index names for a part.
struct Listed {
    /// The blocks that the other lists are complete for.
    complete: Arc<Vec<Posting>>,
    named: Arc<Vec<Posting>>,
    unnamed: Arc<Vec<Posting>>,
}

/// What an index says of a part in a block.
enum Says {
    /// One of this name changes, of whatever object.
    Changes,
    /// None of this name changes.
    Same,
    Nothing,
}

impl Listed {
    /// What is known of a block other than the one in which the object was first seen.
    fn says(&self, block: u32) -> Says {
        let has = |list: &[Posting]| list.binary_search_by_key(&block, |it| it.block).is_ok();
        if has(&self.named) {
            Says::Changes
        } else if has(&self.unnamed) || !has(&self.complete) {
            Says::Nothing
        } else {
            Says::Same
        }
    }
}

impl Recording {
    /// The nearest event in `range`, seen from its start or its end, that can change a part of an object.
    ///
    /// It may name an event that leaves the part as it is, but passes none that changes it.
    /// An object's first sight is among them.
    ///
    /// Cost: index lookups and the decoding of at most a few blocks, however far the answer is; of
    /// entries whose key is no text, and of elements of lists that are not kept in pages, of all blocks
    /// between that change the object.
    ///
    /// # Errors
    ///
    /// As [`Recording::find`].
    pub fn find_change(
        &self,
        object: ObjectId,
        part: Part<'_>,
        range: Range<Position>,
        direction: Direction,
        cancel: &CancellationToken,
    ) -> Result<Option<Position>> {
        cancel.check()?;
        self.find_part(object, part, &range, direction, cancel)
    }

    pub(super) fn find_part(
        &self,
        object: ObjectId,
        part: Part<'_>,
        range: &Range<Position>,
        direction: Direction,
        cancel: &CancellationToken,
    ) -> Result<Option<Position>> {
        let Some(span) = self.span(range) else {
            return Ok(None);
        };
        let home = self.home_of_object(object);
        let list = self.list(super::objects::object_key(object))?;
        let blocks = BlocksOf::new(home, &list, &span);
        let mut listed = None;
        let mut untouched = match part {
            Part::Item(index) if self.has_pages() => Some((
                Untouched::new(object, index),
                self.blocks_of_object(object)?,
            )),
            _ => None,
        };
        for at in blocks.numbers(direction) {
            let Some(number) = blocks.get(at) else {
                continue;
            };
            let (from, to) = span.inside(number, usize::MAX);
            if from >= to {
                continue;
            }
            cancel.check()?;
            if let Some((untouched, changed)) = &mut untouched
                && self.is_untouched(untouched, changed, number)?
            {
                continue;
            }
            let mut is_likely = part == Part::Whole;
            if let Some(name) = part.name()
                && Some(number) != home
            {
                let listed = match &listed {
                    Some(listed) => listed,
                    None => listed.insert(self.listed(object, name)?),
                };
                match listed.says(number) {
                    Says::Changes => is_likely = true,
                    Says::Nothing => {}
                    Says::Same => continue,
                }
            }
            let changes = match is_likely {
                // All of the block will be wanted.
                true => self.block(number)?.map(|block| Arc::clone(&block.changes)),
                false => self.changes_of_block(number)?,
            };
            let Some(changes) = changes else {
                continue;
            };
            let numbers = changes.of_object(object);
            let (from, to) = (changes.before(numbers, from), changes.before(numbers, to));
            let inside = numbers.get(from..to).unwrap_or_default();
            let found = match (part, direction) {
                (Part::Whole, Direction::Forward) => inside.first(),
                (Part::Whole, Direction::Backward) => inside.last(),
                (part, direction) => {
                    let codes = changes.codes_concerning(part);
                    let concerns = |number: &&u32| changes.concerns(**number, part, &codes);
                    match direction {
                        Direction::Forward => inside.iter().find(concerns),
                        Direction::Backward => inside.iter().rfind(concerns),
                    }
                }
            };
            if let Some(number) = found {
                return Ok(Some(Position(changes.position(*number))));
            }
        }
        Ok(None)
    }

    fn listed(&self, object: ObjectId, name: &[u8]) -> Result<Listed> {
        Ok(Listed {
            complete: self.list(parts::LISTED)?,
            named: self.list(parts::named(name))?,
            unnamed: self.list(parts::unnamed(object))?,
        })
    }
}

/// The blocks of a span with events of an object, ascending, as a list with one block put into it.
struct BlocksOf<'l> {
    listed: &'l [Posting],
    /// The block of the first sight, which is not listed, and where it stands in the list.
    home: Option<(usize, u32)>,
}

impl<'l> BlocksOf<'l> {
    fn new(home: Option<u32>, list: &'l [Posting], span: &Span) -> BlocksOf<'l> {
        let start = list.partition_point(|it| it.block < span.first.0);
        let end = list.partition_point(|it| it.block <= span.last.0);
        let listed = list.get(start..end).unwrap_or_default();
        let home = home.filter(|home| (span.first.0..=span.last.0).contains(home));
        let home = home.and_then(|home| {
            let found = listed.binary_search_by_key(&home, |it| it.block);
            found.err().map(|at| (at, home))
        });
        BlocksOf { listed, home }
    }

    fn len(&self) -> usize {
        self.listed.len() + usize::from(self.home.is_some())
    }

    fn numbers(&self, direction: Direction) -> impl Iterator<Item = usize> + use<> {
        let len = self.len();
        (0..len).map(move |at| match direction {
            Direction::Forward => at,
            Direction::Backward => len - 1 - at,
        })
    }

    fn get(&self, at: usize) -> Option<u32> {
        let of = |at: usize| self.listed.get(at).map(|it| it.block);
        match self.home {
            Some((place, home)) if at == place => Some(home),
            Some((place, _)) if at > place => of(at - 1),
            _ => of(at),
        }
    }
}

impl Recording {
    /// What a part of an object holds at `at`; `None` if it has no value then. The whole has none.
    ///
    /// # Errors
    ///
    /// As [`Recording::object`].
    pub fn value_of_part(
        &self,
        object: ObjectId,
        part: Part<'_>,
        at: Position,
    ) -> Result<Option<Value>> {
        if let Part::Item(index) = part {
            let found = self.excerpt(object, index..index.saturating_add(1), at)?;
            return Ok(found.and_then(|(excerpt, _)| excerpt.item(index).cloned()));
        }
        let mut at = at;
        if part.name().is_some()
            && let Some((number, index)) = self.place_of(at)
            && let Some(row) = self.block_row(number)
            && let Some(changes) = self.changes_of_block(number)?
        {
            let codes = changes.codes_concerning(part);
            let numbers = changes.of_object(object);
            let before = numbers.get(..changes.before(numbers, index));
            let mut newest = before.unwrap_or_default().iter().rev();
            match newest.find(|number| changes.concerns(**number, part, &codes)) {
                // The part is what it was when the block began, the object too unless others changed.
                None => at = Position(row.place.first),
                Some(event) => match self.readable(number, changes.change(*event))? {
                    Change::SetKey { value, .. } | Change::SetAttribute { value, .. } => {
                        return Ok(Some(value));
                    }
                    Change::DeleteKey { .. } | Change::DeleteAttribute { .. } => return Ok(None),
                    Change::New(content) | Change::Replace(content) => {
                        return Ok(part.of(&content).cloned());
                    }
                    _ => {}
                },
            }
        }
        let content = self.object_at(object, at)?;
        Ok(content.and_then(|(content, _)| part.of(&content).cloned()))
    }
}

impl Part<'_> {
    pub(super) fn of<'c>(&self, content: &'c Content) -> Option<&'c Value> {
        match self {
            Part::Whole => None,
            Part::Attribute(name) => {
                let mut attributes = content.attributes.iter();
                attributes.find_map(|(known, value)| (**known == **name).then_some(value))
            }
            Part::Item(index) => usize::try_from(*index)
                .ok()
                .and_then(|index| content.items.get(index))
                .or_else(|| content.sparse.get(index)),
            Part::Entry(key) => {
                let mut entries = content.entries.iter();
                entries.find_map(|(known, value)| (known == *key).then_some(value))
            }
        }
    }
}

impl Recording {
    /// The frames that were called before `at` and resume at or after it, by number.
    ///
    /// Cost: in proportion to the frames that were there at `at` and ran in later blocks, and to the
    /// segments after it.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`], [`crate::Error::Corrupt`].
    pub fn resumed_after(&self, at: Position) -> Result<Vec<FrameId>> {
        let Some((number, _)) = self.place_of(at) else {
            return Ok(Vec::new());
        };
        let mut frames = Vec::new();
        if let Some(block) = self.block(number)? {
            let resumed = block.walker.activations.iter();
            let resumed = resumed.filter(|it| it.start >= at.0 && it.call < at.0);
            frames.extend(resumed.map(|it| it.frame));
        }
        let next = self.block_row(number + 1);
        if let Some(next) = next {
            let called = next.place.first_frame;
            self.resumed_in_later_blocks(number, called, &mut frames)?;
        }
        frames.sort_unstable();
        frames.dedup();
        Ok(frames)
    }
}
