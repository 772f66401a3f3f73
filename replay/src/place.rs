//! Places that hold values: what a data breakpoint watches and whose history can be told.
//!
//! A change of a place is a change of what it shows: rebinding to an equal value is none; binding an
//! argument, deleting, and changing the object in place are.

use std::sync::Arc;

use retrostep_trace::{
    CancellationToken, Direction, FrameId, ObjectId, Position, Recording, Result, ThreadId, Value,
};

use crate::Datum;

/// Something that holds a value over time.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Place {
    /// A local of one frame. A variable in a closure cell is the cell's content.
    Local {
        /// The frame.
        frame: FrameId,
        /// Index into [`retrostep_trace::Function::variables`].
        slot: u32,
    },
    /// An attribute of an object.
    Attribute {
        /// The object.
        object: ObjectId,
        /// The attribute's name.
        name: Arc<str>,
    },
    /// An element of a sequence.
    Item {
        /// The sequence.
        object: ObjectId,
        /// Its index, from 0.
        index: u64,
    },
    /// An entry of a mapping, or a global of a namespace.
    Entry {
        /// The mapping or namespace.
        object: ObjectId,
        /// The key; scalars and text only.
        key: Value,
    },
    /// An object itself: its contents, whatever refers to it.
    Object {
        /// The object.
        object: ObjectId,
    },
}

/// One change of what a place shows.
#[derive(Clone, Debug)]
pub struct PlaceChange {
    /// The event that made the change: the new value holds from the next position on.
    pub position: Position,
    /// The step event of the line that did it; for an argument, the call.
    pub step: Position,
    /// The thread that did it.
    pub thread: ThreadId,
    /// What the place held before the change; `None` if it had no value.
    pub old: Option<Datum>,
    /// What it holds after; `None` if it was deleted.
    pub new: Option<Datum>,
    /// What happened, ready to show: `4 → 5 items, + 'LOYAL20'`.
    pub text: String,
}

impl Place {
    /// The nearest change of this place strictly after (forward: at or after; backward: before)
    /// `from`.
    ///
    /// Forward it is the first change event at a position not less than `from`; backward the last one
    /// at a position less than `from`, as [`Recording::find`].
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Cancelled`], [`retrostep_trace::Error::Io`].
    pub fn find_change(
        &self,
        recording: &Recording,
        from: Position,
        direction: Direction,
        cancel: &CancellationToken,
    ) -> Result<Option<PlaceChange>> {
        let _ = (recording, from, direction, cancel);
        unimplemented!()
    }

    /// What the place holds at `at`; `None` if it has no value then.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Io`].
    pub fn value(&self, recording: &Recording, at: Position) -> Result<Option<Datum>> {
        let _ = (recording, at);
        unimplemented!()
    }
}
