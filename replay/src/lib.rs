//! The Retrostep timeline: moving, searching, stacks, values, expressions and history over a recording.
//!
//! A [`Snapshot`] is what can be seen at one position; nothing here knows a protocol, starts a process
//! or reads a file other than an opened [`retrostep_trace::Recording`].

#![deny(missing_docs)]

mod datum;
pub mod expression;
pub mod history;
mod place;
pub mod render;
mod snapshot;

pub use datum::{Datum, Dictionary};
pub use expression::{Expression, ExpressionError, Template};
pub use place::{Place, PlaceChange};
pub use snapshot::{Filter, Hint, Node, Scope, ScopeKind, Snapshot, Variable};
