//! Writing a recording as a stream, with memory that does not grow with its length.

use std::path::Path;

use crate::{
    Event, Function, FunctionId, Header, Position, Result, Source, SourceId, Summary, ThreadId,
    Type, TypeId,
};

/// How a recording is written.
#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    /// Events in a full block: a power of two from 2^10 to 2^18.
    pub events_per_block: u32,
}

impl Default for WriterOptions {
    fn default() -> Self {
        WriterOptions {
            events_per_block: 1 << 15,
        }
    }
}

/// Writes one recording.
#[derive(Debug)]
pub struct Writer {}

impl Writer {
    /// Starts a recording at `path`, replacing a file that is there.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`] if the file cannot be made.
    pub fn create(path: &Path, header: &Header, options: WriterOptions) -> Result<Writer> {
        let _ = (path, header, options);
        unimplemented!()
    }

    /// Adds a source file; ids are given in order from 0.
    pub fn add_source(&mut self, source: Source) -> SourceId {
        let _ = source;
        unimplemented!()
    }

    /// Adds a function; ids are given in order from 0.
    pub fn add_function(&mut self, function: Function) -> FunctionId {
        let _ = function;
        unimplemented!()
    }

    /// Adds a type; ids are given in order from 0.
    pub fn add_type(&mut self, ty: Type) -> TypeId {
        let _ = ty;
        unimplemented!()
    }

    /// Appends an event and returns its position.
    ///
    /// The writer tracks each thread's stack of frames from these events.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`] if a full block cannot be written; the recording stays readable up to
    /// the block before, and later calls return the same error.
    pub fn push(&mut self, thread: ThreadId, event: Event) -> Result<Position> {
        let _ = (thread, event);
        unimplemented!()
    }

    /// Notes that the next event happens `elapsed_ns` nanoseconds after the start.
    /// Never goes backward; call it as often as the clock is known.
    pub fn clock(&mut self, elapsed_ns: u64) {
        let _ = elapsed_ns;
    }

    /// The position of the next event.
    #[must_use]
    pub fn position(&self) -> Position {
        unimplemented!()
    }

    /// How many bytes the file holds now, the open block not counted.
    #[must_use]
    pub fn bytes_written(&self) -> u64 {
        unimplemented!()
    }

    /// Writes the open block, so that a reader of the growing file sees all events pushed so far.
    ///
    /// # Errors
    ///
    /// As [`Writer::push`].
    pub fn flush(&mut self) -> Result<()> {
        unimplemented!()
    }

    /// Completes the recording.
    ///
    /// # Errors
    ///
    /// As [`Writer::push`].
    pub fn finish(self, summary: &Summary) -> Result<()> {
        let _ = summary;
        unimplemented!()
    }
}
