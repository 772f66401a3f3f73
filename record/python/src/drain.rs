//! From the ring to the recording.

use std::os::unix::fs::MetadataExt as _;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;
use std::time::Duration;

use retrostep_record_python_wire::Consumer;
use retrostep_record_python_wire::message::Cursor;
use retrostep_trace::{
    Call, Change, Event, Header, ObjectId, Position, Recording, Source, Summary, ThreadId, Value,
    Writer, WriterOptions,
};

use crate::decode::{Decoder, Follow, Malformed, Message, source_text};
use crate::job::Origin;
use crate::output::Outputs;

/// So many bytes are read before the program gets their room back.
pub(crate) const CHUNK_BYTES: usize = 256 << 10;
/// The program would wait, once the ring is full, for a slow look at a large repository.
const ORIGIN_PATIENCE: Duration = Duration::from_secs(1);
/// More different notes than these are not kept.
const MAX_NOTES: usize = 100;

/// Reads the recorder's messages and writes the recording.
#[derive(Debug)]
pub(crate) struct Drain {
    consumer: Consumer,
    decoder: Decoder,
    sink: Sink,
}

impl Drain {
    pub(crate) fn new(consumer: Consumer, sink: Sink) -> Drain {
        Drain {
            consumer,
            decoder: Decoder::default(),
            sink,
        }
    }

    pub(crate) fn consumer(&self) -> &Consumer {
        &self.consumer
    }

    pub(crate) fn sink(&mut self) -> &mut Sink {
        &mut self.sink
    }

    /// Takes about [`CHUNK_BYTES`] of what is there, and says how many.
    pub(crate) fn pump(&mut self, outputs: Option<&mut Outputs>) -> usize {
        let bytes = self.consumer.available();
        if bytes.is_empty() {
            return 0;
        }
        let read = if self.sink.is_stopped() {
            Some(bytes.len())
        } else {
            read(&mut self.decoder, &mut self.sink, bytes, outputs)
        };
        // After a message that makes no sense nothing that follows can be told apart.
        let len = read.unwrap_or(bytes.len());
        self.consumer.consume(len);
        if self.sink.is_stopped() {
            self.consumer.request_stop();
        }
        len
    }

    /// See [`Sink::flush`].
    pub(crate) fn flush(&mut self) {
        self.sink.flush();
        if self.sink.is_stopped() {
            self.consumer.request_stop();
        }
    }
}

/// Reads about a chunk of messages and returns their length, or `None` if the sink stopped.
fn read(
    decoder: &mut Decoder,
    sink: &mut Sink,
    bytes: &[u8],
    mut outputs: Option<&mut Outputs>,
) -> Option<usize> {
    let mut cursor = Cursor::new(bytes);
    while cursor.position() < CHUNK_BYTES {
        let mut follower = Follower {
            sink,
            outputs: outputs.as_deref_mut(),
        };
        if decoder.frequent(&mut cursor, &mut follower).is_none() {
            match decoder.next(&mut cursor) {
                Ok(Some(message)) => sink.take(message, outputs.as_deref_mut()),
                Ok(None) => break,
                Err(Malformed { kind }) => sink.stop(Stop::Malformed(kind)),
            }
        }
        if sink.is_stopped() {
            return None;
        }
    }
    Some(cursor.position())
}

/// Writes frequent events as they are read.
struct Follower<'a> {
    sink: &'a mut Sink,
    outputs: Option<&'a mut Outputs>,
}

impl Follower<'_> {
    /// Where to write. Who follows what the program prints is shown `event`, if that depends on it.
    #[inline(always)]
    fn writer(&mut self, event: impl FnOnce() -> Option<Event>) -> Option<(&mut Writer, ThreadId)> {
        if self.sink.writer.is_none() {
            self.sink.stop(Stop::Malformed(0));
        }
        let thread = self.sink.thread;
        let writer = self.sink.writer.as_mut()?;
        if let Some(outputs) = &mut self.outputs
            && let Some(event) = event()
        {
            outputs.see(thread, &event, writer.position());
        }
        Some((writer, thread))
    }
}

impl Follow for Follower<'_> {
    fn call(&mut self, call: Call) {
        if let Some((writer, thread)) = self.writer(|| Some(call.into())) {
            let pushed = writer.push_call(thread, call);
            self.sink.count(pushed);
        }
    }

    #[inline(always)]
    fn line(&mut self, line: u32) {
        if let Some((writer, thread)) = self.writer(|| Some(Event::Line { line })) {
            let pushed = writer.push_line(thread, line);
            self.sink.count(pushed);
        }
    }

    #[inline(always)]
    fn write(&mut self, slot: u32, value: Option<Value>) {
        if let Some((writer, thread)) = self.writer(|| None) {
            let pushed = writer.push_write(thread, slot, value);
            self.sink.count(pushed);
        }
    }

    fn leave(&mut self, value: Value) {
        let event = || {
            let value = value.clone();
            Some(Event::Return { value })
        };
        if let Some((writer, thread)) = self.writer(event) {
            let pushed = writer.push_return(thread, &value);
            self.sink.count(pushed);
        }
    }

    fn change(&mut self, object: ObjectId, change: Change) {
        if let Some((writer, thread)) = self.writer(|| None) {
            let pushed = writer.push_change(thread, object, change);
            self.sink.count(pushed);
        }
    }
}

/// Why nothing more is written, while the program goes on.
#[derive(Debug)]
enum Stop {
    /// The file reached the size the user allowed.
    MaxBytes,
    /// The recorder sent something that cannot be right.
    Malformed(u8),
    /// The file is not there any more.
    Removed,
    /// The file cannot be written.
    Write(retrostep_trace::Error),
}

/// Where decoded messages go.
#[derive(Debug)]
pub(crate) struct Sink {
    path: PathBuf,
    working_directory: PathBuf,
    max_bytes: Option<u64>,
    /// All of the header that is known before the recorder starts.
    header: Header,
    origin: Option<Receiver<Origin>>,
    writer: Option<Writer>,
    inode: Option<u64>,
    thread: ThreadId,
    flushed: u64,
    events: u64,
    stop: Option<Stop>,
    notes: Vec<String>,
    redacted: u64,
    /// Whether any code was recorded.
    has_code: bool,
}

impl Sink {
    pub(crate) fn new(path: PathBuf, header: Header, max_bytes: Option<u64>) -> Sink {
        Sink {
            path,
            working_directory: PathBuf::from(&header.working_directory),
            max_bytes,
            header,
            origin: None,
            writer: None,
            inode: None,
            thread: ThreadId(0),
            flushed: 0,
            events: 0,
            stop: None,
            notes: Vec::new(),
            redacted: 0,
            has_code: false,
        }
    }

    /// The header waits for what comes from there, but not for long.
    pub(crate) fn set_origin(&mut self, origin: Receiver<Origin>) {
        self.origin = Some(origin);
    }

    /// Whether a recording exists.
    pub(crate) fn has_started(&self) -> bool {
        self.inode.is_some()
    }

    pub(crate) fn events(&self) -> u64 {
        self.events
    }

    /// How many events a reader of the growing file does not see yet, at most.
    pub(crate) fn unflushed(&self) -> u64 {
        self.events.saturating_sub(self.flushed)
    }

    pub(crate) fn bytes(&self) -> u64 {
        match &self.writer {
            Some(writer) => writer.bytes_written(),
            None => self.path.metadata().map_or(0, |facts| facts.len()),
        }
    }

    pub(crate) fn notes(&self) -> &[String] {
        &self.notes
    }

    fn is_stopped(&self) -> bool {
        self.stop.is_some()
    }

    fn stop(&mut self, stop: Stop) {
        self.stop.get_or_insert(stop);
    }

    fn take(&mut self, message: Message, outputs: Option<&mut Outputs>) {
        let Some(writer) = &mut self.writer else {
            return match message {
                Message::Started {
                    self_check,
                    version,
                } => self.start(self_check, &version),
                Message::Note(note) => self.note(note),
                Message::Thread(thread) => self.thread = thread,
                Message::Clock(_) | Message::Redacted(_) | Message::Nothing => {}
                _ => self.stop(Stop::Malformed(0)),
            };
        };
        match message {
            Message::Event(event) => self.event(event, outputs),
            Message::Clock(elapsed_ns) => writer.clock(elapsed_ns),
            Message::Thread(thread) => self.thread = thread,
            Message::Source(path) => {
                let text = source_text(&path, &self.working_directory);
                if let Some(outputs) = outputs {
                    outputs.add_source(&path);
                }
                writer.add_source(Source { path, text });
            }
            Message::Function(function) => {
                if let Some(outputs) = outputs {
                    outputs.add_function(&function);
                }
                writer.add_function(function);
                self.has_code = true;
            }
            Message::Type(ty) => {
                writer.add_type(ty);
            }
            Message::Note(note) => self.note(note),
            Message::Redacted(count) => self.redacted = self.redacted.saturating_add(count),
            Message::Started { .. } => self.stop(Stop::Malformed(0)),
            Message::Nothing => {}
        }
    }

    fn event(&mut self, event: Event, outputs: Option<&mut Outputs>) {
        let Some(writer) = &mut self.writer else {
            return self.stop(Stop::Malformed(0));
        };
        if let Some(outputs) = outputs {
            outputs.see(self.thread, &event, writer.position());
        }
        let pushed = writer.push(self.thread, event);
        self.count(pushed);
    }

    /// Counts an event that was written, or stops.
    #[inline]
    fn count(&mut self, pushed: retrostep_trace::Result<Position>) {
        if let Err(error) = pushed {
            return self.stop(Stop::Write(error));
        }
        self.events += 1;
        if self.events.is_multiple_of(1024)
            && let (Some(max), Some(writer)) = (self.max_bytes, &self.writer)
            && writer.bytes_written() >= max
        {
            self.stop(Stop::MaxBytes);
        }
    }

    fn start(&mut self, self_check: String, version: &str) {
        let asked = self.origin.take();
        let origin = asked.map(|origin| origin.recv_timeout(ORIGIN_PATIENCE));
        if matches!(origin, Some(Err(_))) {
            self.note("git did not say in time which commit this is".to_owned());
        }
        let origin = origin.and_then(Result::ok).unwrap_or_default();
        self.header.git_commit = origin.commit;
        self.header.git_branch = origin.branch;
        self.header.git_changed_files = origin.changed_files;
        self.header.self_check = self_check;
        self.header.language = format!("Python {version}");
        match Writer::create(&self.path, &self.header, WriterOptions::default()) {
            Ok(writer) => {
                self.inode = self.path.metadata().ok().map(|facts| facts.ino());
                self.writer = Some(writer);
            }
            Err(error) => self.stop(Stop::Write(error)),
        }
    }

    fn note(&mut self, note: String) {
        if self.notes.len() < MAX_NOTES && !self.notes.contains(&note) {
            self.notes.push(note);
        }
    }

    /// Lets readers of the growing file see all events so far.
    fn flush(&mut self) {
        let Some(writer) = &mut self.writer else {
            return;
        };
        if self.stop.is_some() || self.flushed == self.events {
            return;
        }
        self.flushed = self.events;
        if let Err(error) = writer.flush() {
            return self.stop(Stop::Write(error));
        }
        if let Some(max) = self.max_bytes
            && writer.bytes_written() >= max
        {
            return self.stop(Stop::MaxBytes);
        }
        let inode = self.path.metadata().ok().map(|facts| facts.ino());
        if inode != self.inode {
            self.stop(Stop::Removed);
        }
    }

    /// Completes the recording, and returns a sentence if it ends before the program did.
    pub(crate) fn finish(&mut self, mut summary: Summary) -> Option<String> {
        let removed =
            self.has_started() && self.path.metadata().ok().map(|facts| facts.ino()) != self.inode;
        if removed {
            self.stop(Stop::Removed);
        }
        let writer = self.writer.take();
        if !matches!(self.stop, Some(Stop::Write(_)))
            && let Some(writer) = writer
        {
            let problem = self.stop.as_ref().map(|stop| self.sentence(stop));
            self.notes.extend(problem.clone());
            if !self.has_code && self.stop.is_none() {
                self.notes.push(format!(
                    "no code in {} ran, or none that it marks; --include takes other code too",
                    self.header.scope.join(", ")
                ));
            }
            summary.notes.clone_from(&self.notes);
            summary.redacted = self.redacted;
            match writer.finish(&summary) {
                Ok(()) => return problem,
                Err(error) => self.stop = Some(Stop::Write(error)),
            }
        }
        // What was still to be written is not there: only the file knows how much is.
        self.events = Recording::open(&self.path).map_or(0, |kept| kept.end().0);
        self.stop.as_ref().map(|stop| self.sentence(stop))
    }

    fn sentence(&self, stop: &Stop) -> String {
        let events = crate::job::grouped(self.events);
        match stop {
            Stop::MaxBytes => format!(
                "the recording stopped at {events} events: it reached the size limit; what was recorded is kept"
            ),
            Stop::Malformed(kind) => format!(
                "the recording stopped at {events} events: the recorder sent something unreadable (kind {kind}); what was recorded is kept"
            ),
            Stop::Removed => format!(
                "the recording was lost: {} was removed while the program ran",
                self.path.display()
            ),
            Stop::Write(error) => {
                let cause = cause(error);
                if self.has_started() {
                    format!(
                        "the recording stopped at {events} events: {cause}; what was recorded is kept"
                    )
                } else {
                    format!("nothing was recorded: {cause}")
                }
            }
        }
    }
}

fn cause(error: &retrostep_trace::Error) -> String {
    if let retrostep_trace::Error::Io { source, .. } = error {
        match source.raw_os_error() {
            Some(libc::ENOSPC) => return "the disk is full".to_owned(),
            Some(libc::EDQUOT) => return "the disk quota is used up".to_owned(),
            Some(libc::EFBIG) => return "the file size limit (ulimit -f) is reached".to_owned(),
            _ => {}
        }
    }
    error.to_string()
}

#[cfg(test)]
mod tests;
