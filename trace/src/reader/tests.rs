//! Hostile files: their checksums are right, their contents are not.

mod pages;

use std::path::Path;

use super::Recording;
use crate::block::section::{Packer, unpack};
use crate::chunk::{CHUNK_HEADER_LEN, ChunkHeader, FILE_HEADER_LEN, FileHeader, kind, trailer};
use crate::{
    CancellationToken, Change, Content, Direction, Event, FrameId, Function, FunctionId,
    FunctionKind, Header, Key, ObjectId, ObjectKind, Position, Source, SourceId, Summary, TaskId,
    Text, ThreadId, Type, TypeId, Value, Variable, VariableKind, Writer, WriterOptions,
};

/// A file with a bit of everything, in several short blocks and two indexes.
fn sample(path: &Path) {
    let options = WriterOptions {
        events_per_block: 1 << 10,
        ..WriterOptions::default()
    };
    let mut writer = Writer::create(path, &Header::default(), options).unwrap();
    writer.add_source(Source {
        path: "a.py".into(),
        text: Some(b"x".as_slice().into()),
    });
    writer.add_function(Function {
        name: "f".into(),
        qualified_name: "f".into(),
        source: SourceId(0),
        first_line: 1,
        kind: FunctionKind::Generator,
        variables: vec![
            Variable {
                name: "x".into(),
                kind: VariableKind::Local,
            };
            3
        ],
        lines: vec![1, 2, 3],
    });
    writer.add_type(Type {
        module: "builtins".into(),
        qualified_name: "list".into(),
        fields: Vec::new(),
        base: None,
    });
    let text = |text: &str| Text {
        kept: text.as_bytes().into(),
        len: text.len() as u64,
    };
    let mut frames = 0;
    for round in 0..70u64 {
        let mut say = |thread: u32, event: Event| writer.push(ThreadId(thread), event).unwrap();
        if round == 0 {
            for thread in 0..2 {
                let name = "t".into();
                say(thread, Event::ThreadStart { name });
            }
            for (object, kind) in [(0, ObjectKind::List), (1, ObjectKind::Dict)] {
                let mut content = Content::new(kind, TypeId(0));
                content.text = Some(text("text"));
                let change = Change::New(Box::new(content));
                let object = ObjectId(object);
                say(0, Event::Object { object, change });
            }
        }
        for thread in 0..2 {
            let call = |frame| Event::Call {
                frame: FrameId(frame),
                function: FunctionId(0),
                globals: Some(ObjectId(1)),
                locals: None,
            };
            say(thread, call(frames));
            say(thread, Event::Line { line: 2 });
            for (slot, value) in [
                Value::Int(round as i64),
                Value::Str(text("abc")),
                Value::Float(0.5),
            ]
            .into_iter()
            .enumerate()
            {
                let value = Some(value);
                let slot = slot as u32;
                say(thread, Event::Write { slot, value });
            }
            frames += 1;
        }
        let value = Value::Int(round as i64);
        let changes = [
            Change::Append {
                value: value.clone(),
            },
            Change::SetItem {
                index: 0,
                value: value.clone(),
            },
            Change::SetKey {
                key: value.clone(),
                value: value.clone(),
            },
        ];
        for (object, change) in [0, 0, 1].into_iter().zip(changes) {
            let object = ObjectId(object);
            say(0, Event::Object { object, change });
        }
        say(1, Event::Yield { value: Value::None });
        let frame = FrameId(frames - 1);
        say(0, Event::Resume { frame });
        say(0, Event::Return { value });
        match round % 5 {
            0 => {
                let task = TaskId(round as u32);
                let name = "n".into();
                say(0, Event::TaskStart { task, name });
                say(0, Event::TaskSwitch { task: Some(task) });
            }
            1 => {
                let exception = Value::Object(ObjectId(0));
                say(
                    1,
                    Event::Raise {
                        exception: exception.clone(),
                    },
                );
                say(1, Event::Unwind { exception });
            }
            _ => {}
        }
        writer.clock(round * 10);
        writer.flush().unwrap();
    }
    writer.finish(&Summary::default()).unwrap();
}

/// The chunks of a file, and its header.
fn chunks(bytes: &[u8]) -> (FileHeader, Vec<(ChunkHeader, Vec<u8>)>) {
    let header = FileHeader::decode(bytes[..FILE_HEADER_LEN].try_into().unwrap()).unwrap();
    let seed = header.seed();
    let mut chunks = Vec::new();
    let mut offset = FILE_HEADER_LEN;
    while let Ok(chunk) = ChunkHeader::decode(&bytes[offset..], seed) {
        let body = offset + CHUNK_HEADER_LEN;
        chunks.push((chunk, bytes[body..body + chunk.body_len as usize].to_vec()));
        offset += chunk.total_len() as usize;
    }
    (header, chunks)
}

/// The file of such chunks, with right checksums and lengths.
fn file(header: &FileHeader, chunks: &[(ChunkHeader, Vec<u8>)]) -> Vec<u8> {
    let seed = header.seed();
    let mut out = header.encode().to_vec();
    let mut footer = None;
    for (chunk, body) in chunks {
        if chunk.kind == kind::FOOTER {
            footer = Some(out.len() as u64);
        }
        let new = ChunkHeader::new(chunk.kind, chunk.sequence, chunk.words, body, seed);
        let start = out.len();
        out.extend_from_slice(&new.encode(seed));
        out.extend_from_slice(body);
        out.resize(start + new.total_len() as usize, 0);
    }
    if let Some(footer) = footer {
        out.extend_from_slice(&trailer(footer, seed));
    }
    out
}

/// Unpacks a body's sections, lets `change` damage them, and packs them again.
fn repack(body: &[u8], sections: u32, change: impl FnOnce(&mut Vec<(u32, Vec<u8>)>)) -> Vec<u8> {
    let mut parts: Vec<(u32, Vec<u8>)> = (1..=sections)
        .filter_map(|id| Some((id, unpack(body, id).unwrap()?)))
        .collect();
    change(&mut parts);
    let parts: Vec<(u32, &[u8])> = parts.iter().map(|part| (part.0, &*part.1)).collect();
    Packer::new().pack(&parts)
}

/// A chain of numbers that looks random.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        ((self.0 >> 33) as usize) % limit.max(1)
    }
}

fn damage(bytes: &mut Vec<u8>, dice: &mut Dice) {
    if bytes.is_empty() {
        return;
    }
    let at = dice.below(bytes.len());
    match dice.below(6) {
        0 => bytes[at] ^= 1 << dice.below(8),
        1 => bytes[at] = dice.below(256) as u8,
        2 => bytes.truncate(at),
        3 => bytes.insert(at, dice.below(256) as u8),
        4 => {
            let long = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1];
            let len = 1 + dice.below(10);
            bytes.splice(at..at + 1, long[10 - len..].iter().copied());
        }
        _ => {
            bytes.remove(at);
        }
    }
}

/// Asks everything there is to ask; only that every question ends matters.
fn ask(path: &Path, dice: &mut Dice) {
    let Ok(mut recording) = Recording::open(path) else {
        return;
    };
    let cancel = CancellationToken::new();
    let end = recording.end().0;
    let _ = recording.refresh();
    let _ = recording.threads();
    for round in 0..3 {
        let at = Position(if round == 0 {
            end
        } else {
            dice.below(end as usize + 1) as u64
        });
        let frame = FrameId(dice.below(40) as u64);
        let thread = ThreadId(dice.below(3) as u32);
        let object = ObjectId(dice.below(3) as u64);
        let _ = recording.event(at);
        let _ = recording.stack(thread, at, 0, 50);
        let _ = recording.stack_depth(thread, at);
        let _ = recording.task_at(thread, at);
        let _ = recording.thread_at(at);
        let _ = recording.time_ns(at);
        let _ = recording.frame(frame);
        let _ = recording.locals(frame, at);
        let _ = recording.object(object, at);
        for key in [
            Key::Line(SourceId(0), 2),
            Key::FrameStep(frame),
            Key::CallFrom(frame),
            Key::Object(object),
            Key::Uncaught,
            Key::ThreadStep(thread),
        ] {
            let _ = recording.find(key, at, Direction::Backward, &cancel);
            let _ = recording.find(key, at, Direction::Forward, &cancel);
            let _ = recording.count(key, at, &cancel);
            let _ = recording.nth(key, dice.below(50) as u64, &cancel);
        }
    }
    let _ = recording.completeness();
    if dice.below(10) == 0 {
        let _ = recording.verify(&mut |_| {}, &cancel);
    }
}

#[test]
fn a_hostile_file_with_right_checksums_is_survived() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    sample(&path);
    let (header, whole) = chunks(&std::fs::read(&path).unwrap());
    let mut dice = Dice(7);
    for round in 0..700 {
        let mut damaged = whole.clone();
        if round % 3 > 0 {
            // Without its footer a file is read chunk by chunk.
            damaged.pop();
        }
        let wanted = [kind::BLOCK, kind::DEFINITIONS, kind::FOOTER, kind::SEGMENT][round % 7 % 4];
        let candidates: Vec<usize> = (0..damaged.len())
            .filter(|at| damaged[*at].0.kind == wanted)
            .collect();
        let Some(&at) = candidates.get(dice.below(candidates.len())) else {
            continue;
        };
        let (chunk, body) = &mut damaged[at];
        match chunk.kind {
            kind::SEGMENT => hostile_index(body, &mut dice),
            _ if dice.below(8) == 0 => damage(body, &mut dice),
            _ => {
                *body = repack(body, 6, |parts| {
                    let part = dice.below(parts.len());
                    for _ in 0..=dice.below(3) {
                        damage(&mut parts[part].1, &mut dice);
                    }
                });
            }
        }
        if dice.below(12) == 0 {
            let word = dice.below(5);
            chunk.words[word] = chunk.words[word]
                .wrapping_add(dice.below(3) as u64)
                .wrapping_sub(1);
        }
        std::fs::write(&path, file(&header, &damaged)).unwrap();
        ask(&path, &mut dice);
    }
}

/// Damages an index and makes the checksums of its directory and groups right again.
fn hostile_index(body: &mut Vec<u8>, dice: &mut Dice) {
    let groups = u32::from_le_bytes(body[..4].try_into().unwrap()) as usize;
    let start = 8 + groups * 24;
    let mut tail = body.split_off(start);
    let before = tail.len();
    damage(&mut tail, dice);
    tail.resize(before, 0);
    if dice.below(4) == 0 {
        let at = 8 + dice.below(groups * 24);
        body[at] ^= 1 << dice.below(8);
    }
    let offset = |body: &[u8], group: usize| {
        let at = 8 + group * 24 + 16;
        u32::from_le_bytes(body[at..at + 4].try_into().unwrap()) as usize
    };
    for group in 0..groups {
        let from = offset(body, group);
        let to = if group + 1 < groups {
            offset(body, group + 1)
        } else {
            before
        };
        if let Some(bytes) = tail.get(from..to) {
            let crc = crc32c::crc32c(bytes).to_le_bytes();
            body[8 + group * 24 + 20..][..4].copy_from_slice(&crc);
        }
    }
    let crc = crc32c::crc32c(&body[8..start]).to_le_bytes();
    body[4..8].copy_from_slice(&crc);
    body.append(&mut tail);
}
