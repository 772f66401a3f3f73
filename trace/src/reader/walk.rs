//! Going through events in order, each with the frame it belongs to.

use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use super::Recording;
use crate::block::Kind;
use crate::block::decode::DecodedBlock;
use crate::{
    CancellationToken, Change, FrameId, FunctionId, ObjectId, ObjectKind, Position, Result,
    ThreadId, Value,
};

/// An event that is gone through.
#[derive(Debug)]
pub struct Passing<'a> {
    /// Where it is.
    pub position: Position,
    /// Its thread.
    pub thread: ThreadId,
    /// The frame it belongs to, as [`Recording::frame_of_event`] tells.
    pub frame: Option<FrameId>,
    /// What that frame runs.
    pub function: Option<FunctionId>,
    /// The frame that called it or resumed it last.
    pub caller: Option<FrameId>,
    /// Nanoseconds from the start of the program, as [`Recording::time_ns`] tells.
    pub time_ns: u64,
    /// What happened.
    pub fact: Fact<'a>,
}

/// What happened, as far as it takes no reading.
#[derive(Debug)]
pub enum Fact<'a> {
    /// See [`crate::Event::Call`].
    Call,
    /// See [`crate::Event::Line`].
    Line(u32),
    /// See [`crate::Event::Return`].
    Return(&'a Value),
    /// See [`crate::Event::Yield`].
    Yield(&'a Value),
    /// See [`crate::Event::Resume`].
    Resume,
    /// See [`crate::Event::Raise`].
    Raise(&'a Value),
    /// See [`crate::Event::Unwind`].
    Unwind(&'a Value),
    /// See [`crate::Event::Write`].
    Write {
        /// The variable.
        slot: u32,
        /// Its value.
        value: Option<&'a Value>,
    },
    /// See [`crate::Event::Object`].
    Object(PassingChange<'a>),
    /// Anything else.
    Other,
}

/// A change of an object that is read when asked for.
#[derive(Debug)]
pub struct PassingChange<'a> {
    /// The object.
    pub object: ObjectId,
    /// Its kind, if this is its first sight.
    pub born: Option<ObjectKind>,
    block: &'a DecodedBlock,
    number: u32,
}

impl PassingChange<'_> {
    /// What happened to the object; `None` in a damaged block.
    #[must_use]
    pub fn change(&self) -> Option<Change> {
        self.block.changes.change(self.number).ok()
    }
}

impl Recording {
    /// Goes through the events in `range` in order, until `visitor` breaks off. Damaged blocks are
    /// passed over.
    ///
    /// `visitor` is told each event; `block` after each block the position that was reached.
    /// Cost: the decoding of the blocks in the range, which are not kept in memory.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Cancelled`], [`crate::Error::Io`].
    pub fn walk(
        &self,
        range: Range<Position>,
        visitor: &mut dyn FnMut(&Passing<'_>) -> ControlFlow<()>,
        block: &mut dyn FnMut(Position),
        cancel: &CancellationToken,
    ) -> Result<()> {
        let end = range.end.min(self.end());
        let mut at = range.start;
        while at < end {
            cancel.check()?;
            let Some((number, _)) = self.place_of(at) else {
                return Ok(());
            };
            let Some(row) = self.block_row(number) else {
                return Ok(());
            };
            let (first, next) = (row.place.first, Position(row.place.end()));
            let decoded = match self.known_block(number) {
                Some(known) => Some(known),
                None => self.passing_block(number)?,
            };
            if let Some(decoded) = decoded {
                let inside = index_in(first, at)..index_in(first, end.min(next));
                let start_ns = row.place.time_ns;
                if pass(&decoded, inside, start_ns, visitor).is_break() {
                    return Ok(());
                }
            }
            at = next;
            block(at.min(end));
        }
        Ok(())
    }

    /// A block that is not kept in memory.
    fn passing_block(&self, number: u32) -> Result<Option<Arc<DecodedBlock>>> {
        let Some(row) = self.block_row(number).filter(|_| !self.is_damaged(number)) else {
            return Ok(None);
        };
        let decoded = self.body(row)?;
        match decoded.and_then(|body| DecodedBlock::decode(&body, &row.place)) {
            Ok(block) => Ok(Some(Arc::new(block))),
            Err(malformed) => {
                self.note_damage(number, malformed);
                Ok(None)
            }
        }
    }
}

fn index_in(first: u64, at: Position) -> usize {
    usize::try_from(at.0.saturating_sub(first)).unwrap_or(usize::MAX)
}

fn pass(
    block: &DecodedBlock,
    inside: Range<usize>,
    start_ns: u64,
    visitor: &mut dyn FnMut(&Passing<'_>) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let mut clocks = block.clocks.iter().peekable();
    let mut time_ns = start_ns;
    let rows = block.rows.iter().enumerate().take(inside.end);
    for (index, row) in rows.skip(inside.start) {
        while let Some((_, clock)) = clocks.next_if(|clock| clock.0 as usize <= index) {
            time_ns = *clock;
        }
        let (Some(meaning), Some(thread)) = (
            block.meaning(row),
            block.walker.threads.get(row.thread as usize),
        ) else {
            continue;
        };
        let value = || block.value_of(row);
        let fact = match meaning.kind {
            Kind::Line => Some(Fact::Line(meaning.b)),
            Kind::Call => Some(Fact::Call),
            Kind::Resume => Some(Fact::Resume),
            Kind::Return => value().map(Fact::Return),
            Kind::Yield => value().map(Fact::Yield),
            Kind::Raise => value().map(Fact::Raise),
            Kind::Unwind => value().map(Fact::Unwind),
            Kind::Write => Some(Fact::Write {
                slot: meaning.b,
                value: value(),
            }),
            kind if kind.is_object() => block.changes.entry(row.payload).map(|entry| {
                let born = (kind == Kind::New)
                    .then(|| crate::codec::object_kind(u64::from(meaning.b)).ok());
                Fact::Object(PassingChange {
                    object: entry.object,
                    born: born.flatten(),
                    block,
                    number: row.payload,
                })
            }),
            _ => Some(Fact::Other),
        };
        let activation = block.activation(row.activation);
        visitor(&Passing {
            position: Position(block.first.saturating_add(index as u64)),
            thread: thread.thread,
            frame: activation.map(|activation| activation.frame),
            function: activation.map(|activation| activation.function),
            caller: activation.and_then(|activation| activation.caller_frame),
            time_ns,
            fact: fact.unwrap_or(Fact::Other),
        })?;
    }
    ControlFlow::Continue(())
}
