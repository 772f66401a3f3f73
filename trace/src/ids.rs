//! Identities inside a recording.
//!
//! Every id is a newtype, so that a frame is never mistaken for a thread.

use std::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident($inner:ty)) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub $inner);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

id! {
    /// A place in the total order of events: the state after all earlier events.
    ///
    /// Position 0 is the start; the position equal to the number of events is the end.
    /// The event *at* position `p` is the one that is about to happen.
    Position(u64)
}
id! {
    /// A thread of the recorded program, numbered in order of first appearance; 0 is the main thread.
    ThreadId(u32)
}
id! {
    /// An asynchronous task, numbered in order of first appearance from 0.
    TaskId(u32)
}
id! {
    /// One activation of one function, numbered in order of its call from 0.
    ///
    /// Never reused: recursion, generators and coroutines each have their own.
    FrameId(u64)
}
id! {
    /// A source file, numbered in the order of [`crate::Writer::add_source`] from 0.
    SourceId(u32)
}
id! {
    /// A function, module body, class body or comprehension: one code object. Numbered from 0.
    FunctionId(u32)
}
id! {
    /// A type of the recorded program, numbered from 0.
    TypeId(u32)
}
id! {
    /// A recorded heap value with identity, numbered in order of first sight from 0.
    ///
    /// Never reused, even when the recorded program reuses the address.
    ObjectId(u64)
}

impl Position {
    /// The start of every recording.
    pub const START: Position = Position(0);

    /// The position one event later. Saturates at the largest number.
    #[must_use]
    pub fn next(self) -> Position {
        Position(self.0.saturating_add(1))
    }

    /// The position one event earlier, or `None` at the start.
    #[must_use]
    pub fn previous(self) -> Option<Position> {
        self.0.checked_sub(1).map(Position)
    }
}

/// A direction of a move or a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Toward the end of the recording.
    Forward,
    /// Toward the start of the recording.
    Backward,
}

impl Direction {
    /// The other direction.
    #[must_use]
    pub fn reversed(self) -> Direction {
        match self {
            Direction::Forward => Direction::Backward,
            Direction::Backward => Direction::Forward,
        }
    }
}
