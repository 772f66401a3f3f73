use std::path::Path;

use retrostep_record_python_wire::message::{self, put, tag};
use retrostep_record_python_wire::{Producer, create};
use retrostep_trace::{Completeness, Position};
use tempfile::TempDir;

use super::*;

/// A recorder without a Python: it sends what a test tells it to.
struct FakeRecorder {
    folder: TempDir,
    producer: Producer,
    drain: Drain,
}

impl FakeRecorder {
    fn new(max_bytes: Option<u64>) -> FakeRecorder {
        let folder = tempfile::tempdir().unwrap();
        let ring = folder.path().join("ring");
        create(&ring, b"").unwrap();
        let consumer = Consumer::open(&ring).unwrap();
        let producer = Producer::open(&ring).unwrap();
        assert!(producer.claim());
        let header = Header {
            working_directory: "/".to_owned(),
            scope: vec!["/work".to_owned()],
            ..Header::default()
        };
        let path = folder.path().join("a.retro");
        let drain = Drain::new(consumer, Sink::new(path, header, max_bytes));
        FakeRecorder {
            folder,
            producer,
            drain,
        }
    }

    fn path(&self) -> std::path::PathBuf {
        self.folder.path().join("a.retro")
    }

    fn send(&mut self, kind: u8, fill: impl FnOnce(&mut Vec<u8>)) {
        let mut bytes = vec![kind];
        fill(&mut bytes);
        while !self.producer.try_push(&bytes) {
            assert!(self.drain.pump(None) > 0);
        }
    }

    /// What every recording begins with: one function that is called, and an object.
    fn begin(&mut self, source: &Path) {
        self.send(message::STARTED, |out| {
            put::text(out, b"all good");
            put::text(out, b"3.12.1");
        });
        self.send(message::SOURCE, |out| {
            put::number(out, 0);
            put::text(out, source.to_string_lossy().as_bytes());
        });
        self.send(message::FUNCTION, |out| {
            put::number(out, 0);
            put::number(out, 0);
            put::number(out, 1);
            out.push(4);
            put::text(out, b"<module>");
            put::text(out, b"<module>");
            put::number(out, 1);
            put::text(out, b"x");
            out.push(1);
            put::number(out, 1);
            put::number(out, 1);
        });
        self.send(message::THREAD, |out| put::number(out, 0));
        self.send(message::THREAD_START, |out| put::text(out, b"MainThread"));
        self.send(message::CALL, |out| {
            [0, 0, 0, 0]
                .iter()
                .for_each(|field| put::number(out, *field));
        });
    }

    /// Lines that write numbers which hardly compress.
    fn lines(&mut self, count: u64) {
        for line in 0..count {
            self.send(message::LINE, |out| put::number(out, 1 + line % 50));
            self.send(message::WRITE, |out| {
                put::number(out, 0);
                put::int(out, scattered(line));
            });
        }
    }

    fn drain(&mut self) {
        while self.drain.pump(None) > 0 {}
    }

    fn finish(&mut self) -> Option<String> {
        self.drain();
        self.drain.sink().finish(Summary {
            exit_code: Some(3),
            ..Summary::default()
        })
    }
}

/// 0 for 0, then numbers without a pattern.
fn scattered(index: u64) -> i64 {
    let mixed = index.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 32)).cast_signed()
}

#[test]
fn a_recording_without_code_says_where_code_was_looked_for() {
    let mut recorder = FakeRecorder::new(None);
    recorder.send(message::STARTED, |out| {
        put::text(out, b"all good");
        put::text(out, b"3.12.1");
    });
    assert_eq!(recorder.finish(), None);
    let recording = Recording::open(&recorder.path()).unwrap();
    let notes = &recording.summary().unwrap().notes;
    assert_eq!(
        *notes,
        ["no code in /work ran, or none that it marks; --include takes other code too"]
    );
}

#[test]
fn what_the_recorder_sends_is_in_the_recording() {
    let mut recorder = FakeRecorder::new(None);
    let source = recorder.folder.path().join("a.py");
    std::fs::write(&source, "x = 1\n").unwrap();
    recorder.begin(&source);
    recorder.lines(1);
    recorder.send(message::NOTE, |out| put::text(out, b"no colours"));
    recorder.send(message::NOTE, |out| put::text(out, b"no colours"));
    recorder.send(message::REDACTED, |out| put::number(out, 2));
    recorder.send(message::RETURN, |out| out.push(tag::NONE));
    recorder.send(message::REDACTED, |out| put::number(out, 3));
    assert_eq!(recorder.finish(), None);
    let recording = Recording::open(&recorder.path()).unwrap();
    assert_eq!(recording.completeness(), Completeness::Complete);
    assert_eq!(recording.header().language, "Python 3.12.1");
    assert_eq!(recording.header().self_check, "all good");
    assert_eq!(recording.end(), Position(5));
    let summary = recording.summary().unwrap();
    assert_eq!(summary.exit_code, Some(3));
    assert_eq!(summary.redacted, 5);
    assert_eq!(summary.notes, ["no colours"]);
    let source = recording.source(retrostep_trace::SourceId(0)).unwrap();
    assert_eq!(source.text.as_deref(), Some(&b"x = 1\n"[..]));
    let written = recording.event(Position(3)).unwrap().unwrap();
    assert_eq!(
        written.event,
        Event::Write {
            slot: 0,
            value: Some(retrostep_trace::Value::Int(0)),
        }
    );
}

#[test]
fn more_than_the_ring_holds_passes_through_it() {
    let mut recorder = FakeRecorder::new(None);
    recorder.begin(Path::new("<string>"));
    let text = vec![b'x'; 1 << 18];
    for _ in 0..160 {
        recorder.send(message::OUTPUT, |out| {
            out.push(1);
            put::text(out, &text);
        });
    }
    assert!(recorder.drain.consumer().stalls() > 0);
    assert_eq!(recorder.finish(), None);
    let recording = Recording::open(&recorder.path()).unwrap();
    assert_eq!(recording.end(), Position(162));
    let last = recording.event(Position(161)).unwrap().unwrap();
    assert_eq!(
        last.event,
        Event::Output {
            stream: retrostep_trace::Stream::Stdout,
            bytes: text.into(),
        }
    );
}

#[test]
fn a_reader_follows_what_was_flushed() {
    let mut recorder = FakeRecorder::new(None);
    recorder.begin(Path::new("<string>"));
    recorder.lines(10);
    recorder.drain();
    recorder.drain.flush();
    let recording = Recording::open(&recorder.path()).unwrap();
    assert_eq!(recording.completeness(), Completeness::Unfinished);
    assert_eq!(recording.end(), Position(22));
}

#[test]
fn a_message_that_makes_no_sense_ends_the_recording_with_a_note() {
    let mut recorder = FakeRecorder::new(None);
    recorder.begin(Path::new("<string>"));
    recorder.lines(3);
    recorder.send(99, |_| {});
    recorder.lines(3);
    let problem = recorder.finish().unwrap();
    assert!(
        problem.starts_with("the recording stopped at 8 events: "),
        "{problem}"
    );
    assert!(recorder.producer.stop_requested());
    let recording = Recording::open(&recorder.path()).unwrap();
    assert_eq!(recording.completeness(), Completeness::Complete);
    assert_eq!(recording.end(), Position(8));
    assert_eq!(recording.summary().unwrap().notes, [problem]);
}

#[test]
fn at_the_size_limit_the_recording_ends_and_the_ring_stays_empty() {
    let mut recorder = FakeRecorder::new(Some(100_000));
    recorder.begin(Path::new("<string>"));
    recorder.lines(100_000);
    recorder.drain();
    assert!(recorder.producer.stop_requested());
    recorder.lines(100);
    let problem = recorder.finish().unwrap();
    assert!(problem.contains("it reached the size limit"), "{problem}");
    let recording = Recording::open(&recorder.path()).unwrap();
    assert_eq!(recording.completeness(), Completeness::Complete);
    let len = recording.len_bytes();
    assert!((50_000..1_000_000).contains(&len), "{len}");
}

#[test]
fn a_recording_that_was_removed_is_told() {
    let mut recorder = FakeRecorder::new(None);
    recorder.begin(Path::new("<string>"));
    recorder.drain();
    std::fs::remove_file(recorder.path()).unwrap();
    recorder.lines(3);
    recorder.drain();
    recorder.drain.flush();
    assert!(recorder.producer.stop_requested());
    let problem = recorder.finish().unwrap();
    assert!(problem.starts_with("the recording was lost: "), "{problem}");
    assert!(!recorder.path().exists());
}
