//! The Retrostep timeline: moving, searching, stacks, values, expressions and history over a recording.
//!
//! A [`Timeline`] moves through a [`retrostep_trace::Recording`] and tells why it stopped; a
//! [`Snapshot`] is what can be seen at one position. Nothing here knows a protocol, starts a process
//! or reads a file other than an opened recording.

#![deny(missing_docs)]

mod breakpoint;
pub mod calls;
pub mod code;
pub mod compare;
pub mod console;
mod datum;
mod error;
pub mod exception;
pub mod expression;
pub mod failures;
pub mod hints;
pub mod history;
pub mod hover;
mod place;
mod place_id;
mod progress;
pub mod render;
mod snapshot;
mod stop;
pub mod survey;
pub mod syntax;
mod timeline;
pub mod uses;
pub mod why;

pub use breakpoint::{
    BreakpointId, DataBreakpoint, ExceptionFilter, FunctionBreakpoint, HitCondition,
    LineBreakpoint, LogEntry, LogHistory, ResolvedBreakpoint,
};
pub use datum::{Datum, Dictionary, TypeName};
pub use error::{Error, Result};
pub use expression::{Expression, ExpressionError, Template};
pub use place::{Place, PlaceChange};
pub use progress::{Progress, Reached};
pub use snapshot::{Filter, Hint, Node, Scope, ScopeKind, Snapshot, Variable};
pub use stop::{DataChange, ExceptionStop, Stop, StopReason};
pub use timeline::{
    ExceptionInfo, GotoTarget, LineHit, LineHits, Overview, PathResolver, StackPage, StepKind,
    ThreadState, Timeline,
};
