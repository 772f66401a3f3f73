//! The contents of an object at a position: the last full contents before it, and the changes since.

use std::sync::Arc;

use super::Recording;
use crate::content::{ObjectState, Resolve, Unresolved};
use crate::segment::{IndexKey, Posting, keys};
use crate::{Change, Content, Key, ObjectId, ObjectKind, Position, Result};

/// The changes of a block that lead from earlier contents to those asked for.
struct Part {
    block: u32,
    from: usize,
    to: usize,
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
        let list = self.list(IndexKey::new(keys::OBJECT, object.0, 0))?;
        let home = self.home_of_object(object);
        let Some((here, _)) = self.place_of(at) else {
            return Ok(None);
        };
        self.no_gap(home, &list, here)?;
        let Some(last) = self.last_before(Key::Object(object), at)? else {
            return Ok(None);
        };
        if let Some(content) = self.objects.get((object, last.0)) {
            let content: &Content = &content;
            return Ok(Some((Arc::new(content.clone()), last)));
        }
        let Some((start, parts)) = self.history(object, last, home, &list)? else {
            return Ok(None);
        };
        let mut state = ObjectState::new(start);
        let resolve = FirstContents(self);
        for part in parts.iter().rev() {
            let block = self.needed_block(part.block)?;
            let rows = block.rows_of_object(object);
            for (_, row) in rows.get(part.from..part.to).unwrap_or_default() {
                let Some(change) = block.change_at(*row) else {
                    continue;
                };
                state.apply(change, &resolve).map_err(|Unresolved| {
                    let offset = self.block_row(part.block).map_or(0, |row| row.chunk.offset);
                    self.file
                        .corrupt(offset, format!("a key of object {object} cannot be read"))
                })?;
            }
        }
        let content = state.content();
        let bytes = crate::codec::weight(&content) * 48 + 256;
        let content = self.objects.insert((object, last.0), content, bytes);
        Ok(Some((content, last)))
    }

    /// The last full contents up to the event at `last`, and the parts of blocks with the changes after
    /// them, newest first.
    fn history(
        &self,
        object: ObjectId,
        last: Position,
        home: Option<u32>,
        list: &[Posting],
    ) -> Result<Option<(Content, Vec<Part>)>> {
        let Some((here, index)) = self.place_of(last) else {
            return Ok(None);
        };
        let mut parts = Vec::new();
        for number in blocks_before(home, list, here) {
            if number < here
                && let Some((_, content)) = self.contents(number)?.get(object)
            {
                return Ok(Some(((**content).clone(), parts)));
            }
            let block = self.needed_block(number)?;
            let rows = block.rows_of_object(object);
            let to = if number == here {
                rows.partition_point(|(_, row)| *row as usize <= index)
            } else {
                rows.len()
            };
            for from in (0..to).rev() {
                let row = rows.get(from).map_or(u32::MAX, |(_, row)| *row);
                if let Some(Change::New(content) | Change::Replace(content)) = block.change_at(row)
                {
                    parts.push(Part {
                        block: number,
                        from: from + 1,
                        to,
                    });
                    return Ok(Some(((**content).clone(), parts)));
                }
            }
            parts.push(Part {
                block: number,
                from: 0,
                to,
            });
        }
        Ok(None)
    }

    /// # Errors
    ///
    /// [`crate::Error::Corrupt`] if a damaged block hides what last happened to the object.
    fn no_gap(&self, home: Option<u32>, list: &[Posting], here: u32) -> Result<()> {
        let last = blocks_before(home, list, here).next();
        if let Some(last) = last {
            self.needed_block(last)?;
        }
        self.nothing_missing(last.unwrap_or(0)..here)
    }

    /// An object's contents when it was first seen.
    fn first_content(&self, object: ObjectId) -> Result<Option<Arc<Content>>> {
        let list = self.list(IndexKey::new(keys::OBJECT, object.0, 0))?;
        let mut numbers: Vec<u32> = self.home_of_object(object).into_iter().collect();
        numbers.extend(list.iter().map(|posting| posting.block));
        numbers.sort_unstable();
        for number in numbers {
            let block = self.needed_block(number)?;
            for (_, row) in block.rows_of_object(object) {
                if let Some(Change::New(content)) = block.change_at(*row) {
                    return Ok(Some(Arc::new((**content).clone())));
                }
            }
        }
        Ok(None)
    }
}

/// The blocks up to `here` that may have changes of an object, newest first.
fn blocks_before(home: Option<u32>, list: &[Posting], here: u32) -> impl Iterator<Item = u32> + '_ {
    let end = list.partition_point(|posting| posting.block <= here);
    let listed = list.get(..end).unwrap_or_default();
    let listed = listed.iter().map(|posting| posting.block);
    let home = home.filter(|home| *home <= here && !listed.clone().any(|it| it == *home));
    let split = home.map_or(0, |home| {
        list.partition_point(|posting| posting.block < home)
    });
    let (early, late) = list.get(..end).unwrap_or_default().split_at(split.min(end));
    late.iter()
        .rev()
        .map(|posting| posting.block)
        .chain(home)
        .chain(early.iter().rev().map(|posting| posting.block))
}
