//! Writing a recording as a stream, with memory that does not grow with its length.

use std::fs::File;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::block::decode::BlockPlace;
use crate::block::encode::{OpenBlock, ThreadTasks};
use crate::block::section::Packer;
use crate::chunk::{
    BODY_LIMIT, ChunkHeader, FILE_HEADER_LEN, FileHeader, MINOR, VERSION, kind, trailer,
};
use crate::definitions::{self, PendingDefinitions};
use crate::exceptions::Exceptions;
use crate::footer::{BlockRow, ChunkPlace, PagesRow, SegmentRow, Tables};
use crate::hash::Map;
use crate::live::Live;
use crate::objects::Objects;
use crate::pages::write::PageChunk;
use crate::segment::SegmentBuilder;
use crate::segment::collect::BlockFacts;
use crate::walker::NONE;
use crate::{
    Call, Change, Error, Event, Function, FunctionId, Header, ObjectId, Position, Result, Source,
    SourceId, Summary, ThreadId, Type, TypeId, Value,
};

/// Definitions are written apart from a block when they take more than this.
const DEFINITIONS_FULL: usize = 1 << 20;

/// How a recording is written.
#[derive(Clone, Copy, Debug)]
pub struct WriterOptions {
    /// Events in a full block: a power of two from 2^10 to 2^18.
    pub events_per_block: u32,
    /// About how many values of objects' contents the writer remembers. Of objects that it forgets,
    /// reading takes longer.
    pub remembered_values: usize,
}

impl Default for WriterOptions {
    fn default() -> Self {
        WriterOptions {
            events_per_block: 1 << 14,
            remembered_values: 200_000,
        }
    }
}

/// Writes one recording.
#[derive(Debug)]
pub struct Writer {
    path: PathBuf,
    file: File,
    failure: Option<(std::io::ErrorKind, String)>,
    seed: u32,
    events_per_block: u32,
    offset: u64,
    sequence: u64,
    packer: Packer,
    out: Vec<u8>,
    definitions: PendingDefinitions,
    tables: Tables,
    block: OpenBlock,
    live: Live,
    /// The open block's threads.
    threads: Map<ThreadId, u32>,
    /// The one of them that the last event belonged to.
    last_thread: Option<(ThreadId, u32)>,
    exceptions: Exceptions,
    objects: Objects,
    segment: SegmentBuilder,
    /// The source of each function.
    sources: Vec<SourceId>,
    time_ns: u64,
    block_time_ns: u64,
    first_object: u64,
    next_object: u64,
}

impl Writer {
    /// Starts a recording at `path`, replacing a file that is there.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Io`] if the file cannot be made.
    pub fn create(path: &Path, header: &Header, options: WriterOptions) -> Result<Writer> {
        let file_header = FileHeader {
            major: VERSION,
            minor: MINOR,
            required: 0,
            optional: 0,
            id: new_id(),
            events_per_block: options
                .events_per_block
                .next_power_of_two()
                .clamp(1 << 10, 1 << 18),
        };
        let file = File::create(path).map_err(|source| Error::Io {
            action: "create",
            path: path.to_owned(),
            source,
        })?;
        let mut writer = Writer {
            path: path.to_owned(),
            file,
            failure: None,
            seed: file_header.seed(),
            events_per_block: file_header.events_per_block,
            offset: FILE_HEADER_LEN as u64,
            sequence: 0,
            packer: Packer::new(),
            out: file_header.encode().to_vec(),
            definitions: PendingDefinitions::default(),
            tables: Tables::default(),
            block: OpenBlock::default(),
            live: Live::default(),
            threads: Map::default(),
            last_thread: None,
            exceptions: Exceptions::default(),
            objects: Objects::new(options.remembered_values, header.max_children),
            segment: SegmentBuilder::default(),
            sources: Vec::new(),
            time_ns: 0,
            block_time_ns: 0,
            first_object: 0,
            next_object: 0,
        };
        let body = writer.packer.pack(&[(1, &definitions::put_header(header))]);
        writer.add_chunk(kind::MANIFEST, [0; 5], &body);
        writer.write_out()?;
        Ok(writer)
    }

    /// Adds a source file; ids are given in order from 0.
    pub fn add_source(&mut self, source: Source) -> SourceId {
        let id = self.definitions.add_source(&source);
        self.limit_definitions();
        id
    }

    /// Adds a function; ids are given in order from 0.
    pub fn add_function(&mut self, function: Function) -> FunctionId {
        self.sources.push(function.source);
        let id = FunctionId(self.definitions.add_function(&function));
        self.limit_definitions();
        id
    }

    /// Adds a type; ids are given in order from 0.
    pub fn add_type(&mut self, ty: Type) -> TypeId {
        self.exceptions.add_type(&ty);
        let id = self.definitions.add_type(&ty);
        self.limit_definitions();
        id
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
        let event = match event {
            Event::Line { line } => return self.push_line(thread, line),
            Event::Call {
                frame,
                function,
                globals,
                locals,
            } => {
                let call = Call {
                    frame,
                    function,
                    globals,
                    locals,
                };
                return self.push_call(thread, call);
            }
            Event::Write { slot, value } => return self.push_write(thread, slot, value),
            Event::Return { value } => return self.push_return(thread, &value),
            Event::Object { object, change } => return self.push_change(thread, object, change),
            event => event,
        };
        self.check()?;
        let position = self.position();
        let local = self.local_thread(thread);
        let activation = self.block.push(local, &event, &self.live);
        self.live.adopt(&self.block.walker);
        match event {
            Event::Unwind { exception } => {
                self.live.leave(activation);
                let threads = &self.block.walker.threads;
                let empty = threads
                    .get(local as usize)
                    .is_some_and(|thread| thread.current == NONE);
                if empty
                    && activation != NONE
                    && let Some(raise) = self.exceptions.left_thread(&exception)
                {
                    self.block.uncaught.push(raise);
                }
            }
            Event::Raise { exception } => self.exceptions.raise(exception, position.0),
            Event::TaskSwitch { task } => {
                if let Some(tasks) = self.block.tasks.get_mut(local as usize) {
                    tasks.last = task;
                }
            }
            _ => {}
        }
        self.limit_block()?;
        Ok(position)
    }

    /// Appends an [`Event::Call`]; see [`Writer::push`].
    ///
    /// # Errors
    ///
    /// As [`Writer::push`].
    pub fn push_call(&mut self, thread: ThreadId, call: Call) -> Result<Position> {
        self.check()?;
        let position = self.position();
        let local = self.local_thread(thread);
        self.block.call(local, &call);
        self.live.adopt(&self.block.walker);
        self.limit_block()?;
        Ok(position)
    }

    /// Appends an [`Event::Return`]; see [`Writer::push`].
    ///
    /// # Errors
    ///
    /// As [`Writer::push`].
    pub fn push_return(&mut self, thread: ThreadId, value: &Value) -> Result<Position> {
        self.check()?;
        let position = self.position();
        let local = self.local_thread(thread);
        let activation = self.block.leave(local, value, &self.live);
        self.live.adopt(&self.block.walker);
        self.live.leave(activation);
        self.limit_block()?;
        Ok(position)
    }

    /// Appends an [`Event::Object`]; see [`Writer::push`].
    ///
    /// # Errors
    ///
    /// As [`Writer::push`].
    pub fn push_change(
        &mut self,
        thread: ThreadId,
        object: ObjectId,
        change: Change,
    ) -> Result<Position> {
        self.check()?;
        let is_long = is_long(&change);
        if is_long {
            // No other position is in a block that takes long to read.
            self.write_block()?;
        }
        let position = self.position();
        let local = self.local_thread(thread);
        self.block.change(local, object, &change);
        if let Change::New(content) = &change {
            self.next_object = self.next_object.max(object.0.saturating_add(1));
            self.exceptions
                .first_sight(object, content.kind, content.type_id);
        }
        let block = self.tables.blocks.len() as u32;
        self.objects.apply(object, change, position.0, block);
        match is_long {
            true => self.write_block()?,
            false => self.limit_block()?,
        }
        Ok(position)
    }

    /// Appends an [`Event::Line`]; see [`Writer::push`].
    ///
    /// # Errors
    ///
    /// As [`Writer::push`].
    #[inline]
    pub fn push_line(&mut self, thread: ThreadId, line: u32) -> Result<Position> {
        self.check()?;
        let position = self.position();
        let local = self.local_thread(thread);
        self.block.line(local, line);
        self.limit_block()?;
        Ok(position)
    }

    /// Appends an [`Event::Write`]; see [`Writer::push`].
    ///
    /// # Errors
    ///
    /// As [`Writer::push`].
    // Where the kind of value is known, nothing of it is copied: a fifth of the writer's time.
    #[inline(always)]
    pub fn push_write(
        &mut self,
        thread: ThreadId,
        slot: u32,
        value: Option<Value>,
    ) -> Result<Position> {
        self.check()?;
        let position = self.position();
        let local = self.local_thread(thread);
        let activation = self.block.write(local, slot, &value);
        self.live.write(activation, slot, position.0, value);
        self.limit_block()?;
        Ok(position)
    }

    #[inline]
    fn limit_block(&mut self) -> Result<()> {
        if self.block.is_full(self.events_per_block) || self.live.is_full() {
            self.write_block()?;
        }
        Ok(())
    }

    /// Notes that the next event happens `elapsed_ns` nanoseconds after the start.
    /// Never goes backward; call it as often as the clock is known.
    pub fn clock(&mut self, elapsed_ns: u64) {
        if elapsed_ns > self.time_ns {
            self.time_ns = elapsed_ns;
            self.block.clock(elapsed_ns);
        }
    }

    /// The position of the next event.
    #[must_use]
    pub fn position(&self) -> Position {
        Position(self.block.first + self.block.rows.len() as u64)
    }

    /// How many bytes the file holds now, the open block not counted.
    #[must_use]
    pub fn bytes_written(&self) -> u64 {
        self.offset
    }

    /// Writes the open block, so that a reader of the growing file sees all events pushed so far.
    ///
    /// # Errors
    ///
    /// As [`Writer::push`].
    pub fn flush(&mut self) -> Result<()> {
        self.check()?;
        self.write_block()
    }

    /// Completes the recording.
    ///
    /// # Errors
    ///
    /// As [`Writer::push`].
    pub fn finish(mut self, summary: &Summary) -> Result<()> {
        self.flush()?;
        self.add_pages();
        self.add_segment();
        let offset = self.offset;
        let body = self.tables.encode(summary, &mut self.packer);
        self.add_chunk(kind::FOOTER, [0; 5], &body);
        self.out.extend_from_slice(&trailer(offset, self.seed));
        self.write_out()?;
        self.file.flush().map_err(|error| self.fail(error))
    }

    #[inline]
    fn local_thread(&mut self, thread: ThreadId) -> u32 {
        match self.last_thread {
            Some((last, local)) if last == thread => local,
            _ => {
                let local = self.find_thread(thread);
                self.last_thread = Some((thread, local));
                local
            }
        }
    }

    fn find_thread(&mut self, thread: ThreadId) -> u32 {
        if let Some(&local) = self.threads.get(&thread) {
            return local;
        }
        let local = self.block.walker.add_thread(thread, &self.live);
        self.live.adopt(&self.block.walker);
        let task = self.live.task(thread);
        self.block.tasks.push(ThreadTasks {
            first: task,
            last: task,
        });
        self.threads.insert(thread, local);
        local
    }

    /// Writes pending definitions and the open block, and opens the next one.
    fn write_block(&mut self) -> Result<()> {
        self.add_definitions();
        if !self.block.rows.is_empty() {
            let number = self.tables.blocks.len() as u32;
            self.live.close(&self.block, number);
            let records = self.live.records(&self.block.walker);
            let end = self.block.first + self.block.rows.len() as u64;
            let notes = self.objects.close_block(self.block.rows.len(), end, number);
            let parts = self.block.parts(self.first_object);
            let body = self.block.seal(&mut self.packer, &records, &notes);
            let place = BlockPlace {
                first: self.block.first,
                events: self.block.rows.len() as u32,
                first_frame: self.block.first_frame,
                first_object: self.first_object,
                time_ns: self.block_time_ns,
            };
            let chunk = self.add_chunk(kind::BLOCK, place.words(), &body);
            self.tables.blocks.push(BlockRow { chunk, place });
            let noted = notes.contents.iter().map(|(object, ..)| *object);
            let deltas = notes.deltas.iter().map(|delta| (delta.object, delta.span));
            let facts = BlockFacts {
                number,
                first: place.first,
                first_frame: place.first_frame,
                first_object: place.first_object,
                next_object: self.next_object,
                rows: &self.block.rows,
                codes: self
                    .block
                    .codes
                    .iter()
                    .map(|code| (code.meaning, code.count))
                    .collect(),
                walker: &self.block.walker,
                objects: std::mem::take(&mut self.block.objects),
                contents: noted.collect(),
                deltas: deltas.collect(),
                names: std::mem::take(&mut self.block.names),
                parts,
                tasks: std::mem::take(&mut self.block.started),
                uncaught: &self.block.uncaught,
            };
            let sources = &self.sources;
            self.segment
                .add(&facts, |function| sources.get(function.0 as usize).copied());
            if self.objects.pages.is_full(number) {
                self.add_pages();
            }
            if self.segment.is_full() {
                self.add_segment();
            }
            self.threads.clear();
            self.last_thread = None;
            self.block_time_ns = self.time_ns;
            self.first_object = self.next_object;
            let next_frame = self.block.next_frame;
            self.block.start(place.end(), next_frame);
        }
        self.write_out()
    }

    /// Puts the index of the blocks since the last one behind them.
    fn add_segment(&mut self) {
        let blocks = self.segment.blocks;
        if blocks == 0 {
            return;
        }
        let first_block = self.segment.first_block;
        let body = self.segment.encode();
        let words = [u64::from(first_block), u64::from(blocks), 0, 0, 0];
        let chunk = self.add_chunk(kind::SEGMENT, words, &body);
        self.tables.segments.push(SegmentRow {
            chunk,
            first_block,
            blocks,
        });
        self.segment = SegmentBuilder::new(first_block + blocks);
    }

    /// Writes what became of long lists in the blocks since the last such chunk.
    fn add_pages(&mut self) {
        let Some(PageChunk {
            first_block,
            blocks,
            body,
        }) = self.objects.take_pages(&mut self.packer)
        else {
            return;
        };
        if body.len() as u64 > BODY_LIMIT {
            // A reader takes the events alone, and so it must from here on.
            self.objects.forget_pages();
            return;
        }
        let words = [u64::from(first_block), u64::from(blocks), 0, 0, 0];
        let chunk = self.add_chunk(kind::PAGES, words, &body);
        self.tables.pages.push(PagesRow {
            chunk,
            first_block,
            blocks,
        });
    }

    /// Keeps what waits to be written small; an error shows at the next event.
    fn limit_definitions(&mut self) {
        if self.definitions.len_bytes() >= DEFINITIONS_FULL && self.failure.is_none() {
            self.add_definitions();
            let _ = self.write_out();
        }
    }

    fn add_definitions(&mut self) {
        if self.definitions.range.is_empty() {
            return;
        }
        let (range, raw) = self.definitions.take();
        let body = self.packer.pack(&[(1, &raw)]);
        let chunk = self.add_chunk(kind::DEFINITIONS, range.words(), &body);
        self.tables.definitions.push((chunk, range));
    }

    fn add_chunk(&mut self, kind: u32, words: [u64; 5], body: &[u8]) -> ChunkPlace {
        let header = ChunkHeader::new(kind, self.sequence, words, body, self.seed);
        let place = ChunkPlace {
            offset: self.offset,
            body_len: header.body_len,
            sequence: self.sequence,
        };
        let start = self.out.len();
        self.out.extend_from_slice(&header.encode(self.seed));
        self.out.extend_from_slice(body);
        self.out.resize(start + header.total_len() as usize, 0);
        self.offset += header.total_len();
        self.sequence += 1;
        place
    }

    fn write_out(&mut self) -> Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        let result = self.file.write_all(&self.out);
        let len = self.out.len() as u64;
        self.out.clear();
        result.map_err(|error| {
            let whole = self.offset.saturating_sub(len);
            // A reader copes with a torn chunk too, so that failing here changes nothing.
            let _ = self.file.set_len(whole);
            self.offset = whole;
            self.fail(error)
        })
    }

    fn fail(&mut self, error: std::io::Error) -> Error {
        self.failure = Some((error.kind(), error.to_string()));
        Error::Io {
            action: "write",
            path: self.path.clone(),
            source: error,
        }
    }

    #[inline]
    fn check(&self) -> Result<()> {
        match &self.failure {
            None => Ok(()),
            Some((kind, message)) => Err(self.failed(*kind, message)),
        }
    }

    #[cold]
    fn failed(&self, kind: std::io::ErrorKind, message: &str) -> Error {
        Error::Io {
            action: "write",
            path: self.path.clone(),
            source: std::io::Error::new(kind, message),
        }
    }
}

/// Contents of so many values have a block of their own.
const VALUES_OF_BLOCK: usize = 1 << 15;

fn is_long(change: &Change) -> bool {
    match change {
        Change::New(content) | Change::Replace(content) => {
            crate::codec::weight(content) >= VALUES_OF_BLOCK
        }
        _ => false,
    }
}

/// Sixteen bytes that no other recording has.
fn new_id() -> [u8; 16] {
    let mut id = [0; 16];
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_nanos());
    for half in id.as_chunks_mut::<8>().0 {
        let mut hasher = RandomState::new().build_hasher();
        hasher.write_u128(now);
        hasher.write_u32(std::process::id());
        *half = hasher.finish().to_le_bytes();
    }
    id
}
