//! Telling which of the program's output was written where.
//!
//! The program's bytes arrive through pipes; the recorder tells separately what it saw being written,
//! with the position. Both are in the same order, but not at the same time, and the pipes carry
//! besides what child processes and C libraries write unseen.

use std::collections::{HashMap, VecDeque};
use std::io::Read;
use std::mem;
use std::os::fd::{AsRawFd, RawFd};
use std::path::PathBuf;
use std::process::{ChildStderr, ChildStdout};
use std::sync::Arc;
use std::time::{Duration, Instant};

use retrostep_trace::{Event, FrameId, Function, Position, Stream, ThreadId};

use crate::job::{Moment, Observer, Output};

/// Bytes that the recorder has not told of in this time were written unseen.
const UNSEEN_AFTER: Duration = Duration::from_millis(200);
/// So many announced writes are looked through for one that the pipe goes on with.
const LOOK_AHEAD: usize = 256;
/// So many bytes of an announced write are enough to recognise it.
const RECOGNISED_BYTES: usize = 64;

/// The streams of the program, and where its threads are.
#[derive(Debug)]
pub(crate) struct Outputs {
    pipes: Vec<Pipe>,
    /// What was announced for a stream that has no pipe.
    told: Vec<(Stream, Announced)>,
    places: Places,
}

impl Outputs {
    pub(crate) fn new(stdout: Option<ChildStdout>, stderr: Option<ChildStderr>) -> Outputs {
        let mut pipes = Vec::new();
        if let Some(stdout) = stdout {
            pipes.push(Pipe::new(Stream::Stdout, Box::new(stdout)));
        }
        if let Some(stderr) = stderr {
            pipes.push(Pipe::new(Stream::Stderr, Box::new(stderr)));
        }
        Outputs {
            pipes,
            told: Vec::new(),
            places: Places::default(),
        }
    }

    /// The descriptors to wait for.
    pub(crate) fn descriptors(&self) -> Vec<RawFd> {
        self.pipes
            .iter()
            .filter(|pipe| !pipe.closed)
            .map(|pipe| pipe.reader.as_raw_fd())
            .collect()
    }

    pub(crate) fn add_source(&mut self, path: &str) {
        self.places.sources.push(path.into());
    }

    pub(crate) fn add_function(&mut self, function: &Function) {
        self.places
            .functions
            .push((function.source.0, function.first_line));
    }

    /// Looks at an event before it is recorded at `position`.
    pub(crate) fn see(&mut self, thread: ThreadId, event: &Event, position: Position) {
        if let Event::Output { stream, bytes } = event {
            let moment = Moment {
                position: position.0,
                source: self.places.of(thread),
            };
            let announced = Announced {
                bytes: bytes.clone(),
                done: 0,
                moment,
            };
            match self.pipes.iter_mut().find(|pipe| pipe.stream == *stream) {
                Some(pipe) => pipe.matcher.announce(announced),
                None => self.told.push((*stream, announced)),
            }
        } else {
            self.places.see(thread, event);
        }
    }

    /// Reads what the program wrote and tells what is known of it; at the `end`, all of it.
    pub(crate) fn pass_on(&mut self, observer: &mut dyn Observer, end: bool) {
        for (stream, announced) in self.told.drain(..) {
            observer.output(Output {
                stream,
                bytes: announced.rest(),
                moment: Some(announced.moment.clone()),
            });
        }
        for pipe in &mut self.pipes {
            pipe.read();
            let stream = pipe.stream;
            pipe.matcher
                .settle(Instant::now(), end, &mut |bytes, moment| {
                    observer.output(Output {
                        stream,
                        bytes,
                        moment,
                    });
                });
        }
    }
}

trait Reader: Read + AsRawFd + std::fmt::Debug {}
impl<T: Read + AsRawFd + std::fmt::Debug> Reader for T {}

#[derive(Debug)]
struct Pipe {
    stream: Stream,
    reader: Box<dyn Reader>,
    closed: bool,
    matcher: Matcher,
}

impl Pipe {
    fn new(stream: Stream, reader: Box<dyn Reader>) -> Pipe {
        // SAFETY: changes a flag of a descriptor that this process alone reads from.
        unsafe {
            let fd = reader.as_raw_fd();
            let flags = libc::fcntl(fd, libc::F_GETFL);
            libc::fcntl(fd, libc::F_SETFL, flags | libc::O_NONBLOCK);
        }
        Pipe {
            stream,
            reader,
            closed: false,
            matcher: Matcher::default(),
        }
    }

    fn read(&mut self) {
        let mut buf = [0_u8; 16 << 10];
        while !self.closed {
            match self.reader.read(&mut buf) {
                Ok(0) => self.closed = true,
                Ok(count) => self.matcher.arrive(buf.get(..count).unwrap_or_default()),
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return,
                Err(_) => self.closed = true,
            }
        }
    }
}

/// Brings the bytes of one stream together with what was announced of them.
#[derive(Debug, Default)]
struct Matcher {
    announced: VecDeque<Announced>,
    arrived: Vec<u8>,
    waiting_since: Option<Instant>,
}

#[derive(Debug)]
struct Announced {
    bytes: Arc<[u8]>,
    /// How many of them have arrived.
    done: usize,
    moment: Moment,
}

impl Announced {
    fn rest(&self) -> &[u8] {
        self.bytes.get(self.done..).unwrap_or_default()
    }
}

impl Matcher {
    fn announce(&mut self, announced: Announced) {
        if !announced.rest().is_empty() {
            self.announced.push_back(announced);
        }
    }

    fn arrive(&mut self, bytes: &[u8]) {
        self.arrived.extend_from_slice(bytes);
    }

    /// Hands out what is settled, in the order of arrival.
    fn settle(&mut self, now: Instant, end: bool, out: &mut dyn FnMut(&[u8], Option<Moment>)) {
        let arrived = mem::take(&mut self.arrived);
        let mut done = 0;
        let since = *self.waiting_since.get_or_insert(now);
        let overdue = end || now.duration_since(since) >= UNSEEN_AFTER;
        loop {
            let rest = arrived.get(done..).unwrap_or_default();
            if rest.is_empty() {
                break;
            }
            let (len, moment) = match self.announced.front_mut() {
                Some(front) if rest.starts_with(front.rest()) => {
                    let len = front.rest().len();
                    let moment = front.moment.clone();
                    self.announced.pop_front();
                    (len, Some(moment))
                }
                Some(front) if front.rest().starts_with(rest) => {
                    front.done += rest.len();
                    (rest.len(), Some(front.moment.clone()))
                }
                Some(_) => {
                    if self.skip_to(rest) {
                        continue;
                    }
                    match self.unseen_before(rest) {
                        Some(len) => (len, None),
                        None if overdue => (line_len(rest), None),
                        None => break,
                    }
                }
                None if overdue => (rest.len(), None),
                None => break,
            };
            out(rest.get(..len).unwrap_or_default(), moment);
            done += len;
        }
        self.arrived = arrived;
        self.arrived.drain(..done);
        if done > 0 || self.arrived.is_empty() {
            self.waiting_since = None;
        }
    }

    /// Forgets announced writes that never came, when a later one goes on as `rest` does.
    fn skip_to(&mut self, rest: &[u8]) -> bool {
        let later = (1..self.announced.len().min(LOOK_AHEAD)).find(|at| {
            self.announced
                .get(*at)
                .is_some_and(|later| later.rest().len() > 1 && rest.starts_with(later.rest()))
        });
        if let Some(later) = later {
            self.announced.drain(..later);
        }
        later.is_some()
    }

    /// How many bytes of `rest` come before the next announced write.
    fn unseen_before(&self, rest: &[u8]) -> Option<usize> {
        let next = self.announced.front()?.rest();
        let next = next.get(..next.len().min(RECOGNISED_BYTES))?;
        rest.windows(next.len()).position(|window| window == next)
    }
}

fn line_len(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .position(|byte| *byte == b'\n')
        .map_or(bytes.len(), |at| at + 1)
}

/// Where each thread is.
#[derive(Debug, Default)]
struct Places {
    sources: Vec<Arc<str>>,
    /// Source and first line of each function.
    functions: Vec<(u32, u32)>,
    stacks: HashMap<ThreadId, Vec<Place>>,
    suspended: HashMap<FrameId, Place>,
}

#[derive(Clone, Copy, Debug)]
struct Place {
    frame: FrameId,
    source: u32,
    line: u32,
}

impl Places {
    fn see(&mut self, thread: ThreadId, event: &Event) {
        let stack = self.stacks.entry(thread).or_default();
        match event {
            Event::Call {
                frame, function, ..
            } => {
                let function = usize::try_from(function.0).unwrap_or(usize::MAX);
                let (source, line) = self.functions.get(function).copied().unwrap_or_default();
                stack.push(Place {
                    frame: *frame,
                    source,
                    line,
                });
            }
            Event::Line { line } => {
                if let Some(place) = stack.last_mut() {
                    place.line = *line;
                }
            }
            Event::Return { .. } | Event::Unwind { .. } => {
                stack.pop();
            }
            Event::Yield { .. } => {
                if let Some(place) = stack.pop() {
                    self.suspended.insert(place.frame, place);
                }
            }
            Event::Resume { frame } => {
                if let Some(place) = self.suspended.remove(frame) {
                    stack.push(place);
                }
            }
            Event::ThreadEnd => {
                self.stacks.remove(&thread);
            }
            _ => {}
        }
    }

    fn of(&self, thread: ThreadId) -> Option<(PathBuf, u32)> {
        let place = self.stacks.get(&thread)?.last()?;
        let source = self.sources.get(usize::try_from(place.source).ok()?)?;
        Some((PathBuf::from(&**source), place.line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write(text: &str, position: u64) -> Announced {
        Announced {
            bytes: text.as_bytes().into(),
            done: 0,
            moment: Moment {
                position,
                source: None,
            },
        }
    }

    fn settled(matcher: &mut Matcher, end: bool) -> Vec<(String, Option<u64>)> {
        let mut out = Vec::new();
        matcher.settle(Instant::now(), end, &mut |bytes, moment| {
            let text = String::from_utf8_lossy(bytes).into_owned();
            out.push((text, moment.map(|moment| moment.position)));
        });
        out
    }

    fn seen(text: &str, position: u64) -> (String, Option<u64>) {
        (text.into(), Some(position))
    }

    #[test]
    fn announced_writes_are_recognised_however_the_pipe_cuts_them() {
        let mut matcher = Matcher::default();
        matcher.announce(write("one\n", 5));
        matcher.announce(write("two\n", 9));
        matcher.arrive(b"on");
        assert_eq!(settled(&mut matcher, false), [seen("on", 5)]);
        matcher.arrive(b"e\ntwo\n");
        assert_eq!(
            settled(&mut matcher, false),
            [seen("e\n", 5), seen("two\n", 9)]
        );
    }

    #[test]
    fn bytes_that_come_before_their_announcement_wait_for_it() {
        let mut matcher = Matcher::default();
        matcher.arrive(b"late\n");
        assert_eq!(settled(&mut matcher, false), []);
        matcher.announce(write("late\n", 1));
        assert_eq!(settled(&mut matcher, false), [seen("late\n", 1)]);
    }

    #[test]
    fn what_a_child_process_wrote_between_has_no_position() {
        let mut matcher = Matcher::default();
        matcher.announce(write("after\n", 3));
        matcher.arrive(b"from a child\nafter\nend");
        assert_eq!(
            settled(&mut matcher, false),
            [("from a child\n".into(), None), seen("after\n", 3)]
        );
        assert_eq!(settled(&mut matcher, false), []);
        assert_eq!(settled(&mut matcher, true), [("end".into(), None)]);
    }

    #[test]
    fn an_announced_write_that_never_comes_does_not_hold_the_others() {
        let mut matcher = Matcher::default();
        matcher.announce(write("lost\n", 3));
        matcher.announce(write("kept\n", 4));
        matcher.arrive(b"kept\n");
        assert_eq!(settled(&mut matcher, false), [seen("kept\n", 4)]);
    }
}
