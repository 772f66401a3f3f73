//! The Retrostep recording format: types, writer, reader and indexes.
//!
//! A recording is one `*.retro` file, written as a stream and readable up to its last flushed block.
//! [`Writer`] makes one, [`Recording`] answers questions about one.
//! This crate knows nothing of processes, interpreters or protocols; `docs/format.md` describes the bytes.

#![deny(missing_docs)]

mod block;
mod cancel;
mod chunk;
mod codec;
mod content;
mod definitions;
mod error;
mod event;
mod exceptions;
mod footer;
pub mod hash;
mod ids;
mod live;
mod objects;
mod pages;
mod reader;
mod segment;
mod strings;
mod table;
mod value;
mod varint;
mod walker;
mod writer;

pub use cancel::CancellationToken;
pub use error::{Error, Result};
pub use event::{Call, Change, Event, Stream, ThreadEvent};
pub use ids::{
    Direction, FrameId, FunctionId, ObjectId, Position, SourceId, TaskId, ThreadId, TypeId,
};
pub use reader::{
    Completeness, Excerpt, Fact, FrameState, Key, LineMoment, LineScan, LineVisitor, MOST_NAMES,
    Overview, Part, Passing, PassingChange, Recording, Seen, ThreadInfo, VerifyReport, Written,
};
pub use table::{
    Frame, Function, FunctionKind, Header, Source, Summary, Type, Variable, VariableKind,
};
pub use value::{Content, ObjectKind, Text, Unavailable, Value};
pub use writer::{Writer, WriterOptions};
