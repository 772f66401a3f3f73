//! Lists that are kept in pages: read whole and in parts, at any position, they are what a plain list is.

use std::path::Path;
use std::sync::Arc;

use retrostep_trace::{
    CancellationToken, Change, Content, Direction, Event, Excerpt, ObjectId, ObjectKind, Part,
    Position, Recording, Summary, Text, ThreadId, Type, TypeId, Value, Writer,
};

use crate::story::{Dice, Story};

const THREAD: ThreadId = ThreadId(0);

/// What a list was at some position.
struct Moment {
    at: Position,
    object: ObjectId,
    content: Arc<Content>,
    last: Position,
}

/// Lists that change at random.
struct Lists {
    dice: Dice,
    contents: Vec<Content>,
    last: Vec<Position>,
    moments: Vec<Moment>,
    /// How long the lists are about.
    len: u64,
    /// One change in so many is of another kind than those of single elements.
    rare: u64,
}

impl Lists {
    fn new(seed: u64, len: u64, rare: u64) -> Lists {
        Lists {
            dice: Dice::new(seed),
            contents: Vec::new(),
            last: Vec::new(),
            moments: Vec::new(),
            len,
            rare,
        }
    }

    fn value(&mut self) -> Value {
        match self.dice.below(8) {
            0 => Value::Float(self.dice.below(1000) as f64 / 8.0),
            1 => {
                let text = format!("text {}", self.dice.below(40));
                Value::Str(Text {
                    len: text.len() as u64,
                    kept: text.into_bytes().into(),
                })
            }
            2 => Value::None,
            3 => Value::Object(ObjectId(self.dice.below(3))),
            _ => Value::Int(self.dice.next() as i64 >> self.dice.below(64)),
        }
    }

    fn content(&mut self, kind: ObjectKind, len: u64) -> Content {
        let items: Vec<Value> = (0..len).map(|_| self.value()).collect();
        Content {
            len,
            items,
            ..Content::new(kind, TypeId(0))
        }
    }

    fn create(&mut self, writer: &mut Writer) {
        let number = self.contents.len() as u64;
        let kind = [ObjectKind::List, ObjectKind::Deque][number as usize % 2];
        let len = [self.len, 0, self.len / 9][number as usize % 3];
        let content = self.content(kind, len);
        self.contents.push(content.clone());
        self.last.push(Position(0));
        self.push(writer, number as usize, Change::New(Box::new(content)));
    }

    fn push(&mut self, writer: &mut Writer, number: usize, change: Change) {
        let object = ObjectId(number as u64);
        let event = Event::Object { object, change };
        self.last[number] = writer.push(THREAD, event).unwrap();
    }

    /// Changes a list.
    fn change(&mut self, writer: &mut Writer) {
        let number = self.dice.below(self.contents.len() as u64) as usize;
        let value = self.value();
        let len = self.contents[number].items.len() as u64;
        if self.dice.one_in(self.rare) {
            return self.change_much(writer, number);
        }
        let content = &mut self.contents[number];
        let change = match self.dice.below(10) {
            0..5 if len > 0 => {
                // Some parts of a list change more often than others.
                let within = [len, len / 2, 10][self.dice.below(3) as usize].clamp(1, len);
                let index = self.dice.below(within);
                content.items[index as usize] = value.clone();
                Change::SetItem { index, value }
            }
            5 if len > 0 => {
                content.items.pop();
                content.len -= 1;
                Change::Pop
            }
            6 if len > self.len => {
                content.items.pop();
                content.len -= 1;
                Change::Pop
            }
            7 => Change::SetItem {
                // Outside: nothing changes.
                index: len + self.dice.below(500),
                value,
            },
            _ => {
                content.items.push(value.clone());
                content.len += 1;
                Change::Append { value }
            }
        };
        self.push(writer, number, change);
    }

    fn change_much(&mut self, writer: &mut Writer, number: usize) {
        let kind = self.contents[number].kind;
        let change = match self.dice.below(5) {
            0 => {
                self.contents[number].items.clear();
                self.contents[number].len = 0;
                Change::Clear
            }
            1 => {
                let name: Arc<str> = "note".into();
                let value = Value::Bool(true);
                let attributes = &mut self.contents[number].attributes;
                attributes.clear();
                attributes.push((Arc::clone(&name), value.clone()));
                Change::SetAttribute { name, value }
            }
            2 => {
                let len = self.dice.below(100);
                self.contents[number] = self.content(kind, len);
                Change::Replace(Box::new(self.contents[number].clone()))
            }
            3 => {
                // A limit left out what comes then.
                let len = self.len + self.dice.below(100);
                let mut content = self.content(kind, len);
                content.len += 7;
                self.push(writer, number, Change::Replace(Box::new(content)));
                self.contents[number] = self.content(kind, len);
                Change::Replace(Box::new(self.contents[number].clone()))
            }
            _ => {
                let content = &mut self.contents[number];
                content.items.reverse();
                Change::Replace(Box::new(content.clone()))
            }
        };
        self.push(writer, number, change);
    }

    fn note(&mut self, at: Position) {
        for (number, content) in self.contents.iter().enumerate() {
            self.moments.push(Moment {
                at,
                object: ObjectId(number as u64),
                content: Arc::new(content.clone()),
                last: self.last[number],
            });
        }
    }

    /// Writes a recording of so many events.
    fn write(&mut self, path: &Path, events: u64, remembered_values: usize, flushes: u64) {
        let story = Story {
            types: vec![Arc::new(Type {
                module: "m".into(),
                qualified_name: "list".into(),
                fields: Vec::new(),
                base: None,
            })],
            remembered_values: Some(remembered_values),
            ..Story::default()
        };
        let mut writer = story.begin(path, 1 << 10);
        let name = "main".into();
        writer.push(THREAD, Event::ThreadStart { name }).unwrap();
        for _ in 0..3 {
            self.create(&mut writer);
        }
        while writer.position().0 < events {
            self.change(&mut writer);
            if self.dice.one_in(events / 40) {
                self.note(writer.position());
            }
            if flushes > 0 && self.dice.one_in(flushes) {
                writer.flush().unwrap();
            }
        }
        self.note(writer.position());
        writer.finish(&Summary::default()).unwrap();
    }

    /// Compares what a recording says with what was. Returns how many answers were errors, and how many
    /// were parts of a list.
    fn compare(&mut self, recording: &Recording) -> (u64, u64) {
        let (mut errors, mut parts) = (0, 0);
        let mut moments: Vec<usize> = (0..self.moments.len()).collect();
        for at in (1..moments.len()).rev() {
            moments.swap(at, self.dice.below(at as u64 + 1) as usize);
        }
        for at in moments {
            let moment = &self.moments[at];
            if moment.at > recording.end() {
                continue;
            }
            let len = moment.content.len;
            for _ in 0..3 {
                let start = self.dice.below(len + 10);
                let range = start..start + self.dice.below(700);
                match recording.excerpt(moment.object, range.clone(), moment.at) {
                    Ok(found) => {
                        let (excerpt, last) = found.unwrap();
                        assert_eq!(last, moment.last);
                        parts += u64::from(excerpt.first > 0);
                        check(&excerpt, &moment.content, range, moment.at);
                    }
                    Err(_) => errors += 1,
                }
            }
            match recording.object(moment.object, moment.at) {
                Ok(found) => {
                    let (content, last) = found.unwrap();
                    assert_eq!(last, moment.last);
                    assert!(content == moment.content, "whole at {}", moment.at);
                }
                Err(_) => errors += 1,
            }
        }
        (errors, parts)
    }
}

fn check(excerpt: &Excerpt, content: &Content, range: std::ops::Range<u64>, at: Position) {
    let shape = Content {
        items: Vec::new(),
        ..(*excerpt.content).clone()
    };
    let expected = Content {
        items: Vec::new(),
        ..content.clone()
    };
    assert_eq!(shape, expected);
    for index in range {
        let item = content.items.get(index as usize);
        assert_eq!(excerpt.item(index), item, "element {index} at {at}");
    }
}

fn recorded(lists: &mut Lists, events: u64, remembered_values: usize, flushes: u64) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    lists.write(&path, events, remembered_values, flushes);
    let recording = Recording::open(&path).unwrap();
    let (errors, parts) = lists.compare(&recording);
    assert_eq!(errors, 0);
    assert!(parts > 10, "{parts} answers were parts of a list");
    std::fs::read(&path).unwrap()
}

#[test]
fn long_lists_read_in_parts_are_what_they_are_as_a_whole() {
    recorded(&mut Lists::new(1, 6000, u64::MAX), 900_000, 400_000, 0);
    for seed in 2..5 {
        let mut lists = Lists::new(seed, 5000, 3000);
        recorded(&mut lists, 200_000, 400_000, 0);
    }
}

/// Where an element changed by the events themselves.
fn changes_of_element(recording: &Recording, object: ObjectId, index: usize) -> Vec<Position> {
    let mut items: Vec<Value> = Vec::new();
    let mut found = Vec::new();
    for at in (0..recording.end().0).map(Position) {
        let event = recording.event(at).unwrap().map(|event| event.event);
        let Some(Event::Object {
            object: changed,
            change,
        }) = event
        else {
            continue;
        };
        if changed != object {
            continue;
        }
        let before = items.get(index).cloned();
        match change {
            Change::New(content) | Change::Replace(content) => items = content.items,
            Change::SetItem { index, value } if (index as usize) < items.len() => {
                items[index as usize] = value;
            }
            Change::Append { value } => items.push(value),
            Change::Pop => {
                items.pop();
            }
            Change::Clear => items.clear(),
            _ => {}
        }
        if items.get(index) != before.as_ref() {
            found.push(at);
        }
    }
    found
}

#[test]
fn every_change_of_an_element_is_found_in_both_directions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    let mut lists = Lists::new(12, 5000, 30_000);
    lists.write(&path, 150_000, 400_000, 3000);
    let recording = Recording::open(&path).unwrap();
    let cancel = CancellationToken::new();
    let mut looked_at = 0;
    for (object, index) in [(0, 3), (0, 300), (0, 2000), (0, 4700), (0, 5100), (1, 40)] {
        let object = ObjectId(object);
        let walk = |direction| {
            let mut found = Vec::new();
            let mut range = Position::START..recording.end();
            while let Some(next) = recording
                .find_change(object, Part::Item(index), range.clone(), direction, &cancel)
                .unwrap()
            {
                found.push(next);
                match direction {
                    Direction::Forward => range.start = next.next(),
                    Direction::Backward => range.end = next,
                }
            }
            found
        };
        let forward = walk(Direction::Forward);
        let mut backward = walk(Direction::Backward);
        backward.reverse();
        assert_eq!(forward, backward);
        for change in changes_of_element(&recording, object, index as usize) {
            let is_found = forward.binary_search(&change).is_ok();
            assert!(is_found, "the change of {object} at {change} is not found");
        }
        looked_at += forward.len() as u64;
    }
    assert!(looked_at < 150_000, "{looked_at} events");
}

/// The lists in `samples/format/v1.2-pages.retro`; as in the test of the other files there,
/// `RETROSTEP_WRITE_GOLDEN` makes it.
#[test]
fn pages_of_format_1_2_are_read() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/format/v1.2-pages.retro");
    let folder = tempfile::tempdir().unwrap();
    let again = folder.path().join("a.retro");
    let mut lists = Lists::new(2026, 4100, 3000);
    let is_wanted = std::env::var_os("RETROSTEP_WRITE_GOLDEN").is_some();
    let path = if is_wanted { &golden } else { &again };
    lists.write(path, 6000, 400_000, 0);
    let recording = Recording::open(&golden).unwrap();
    let (errors, parts) = lists.compare(&recording);
    assert_eq!(errors, 0);
    assert!(parts > 10, "{parts} answers were parts of a list");
}

#[test]
fn long_lists_may_be_forgotten_by_the_writer() {
    for seed in 5..8 {
        let mut lists = Lists::new(seed, 5000, 3000);
        recorded(&mut lists, 100_000, 2400, 300);
    }
}

#[test]
fn long_lists_of_a_file_that_is_cut_off_are_read() {
    let mut lists = Lists::new(9, 5000, 5000);
    let bytes = recorded(&mut lists, 200_000, 400_000, 2000);
    for eighth in 1..8 {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &bytes[..bytes.len() / 8 * eighth]).unwrap();
        let recording = Recording::open(file.path()).unwrap();
        assert_eq!(lists.compare(&recording).0, 0);
    }
}

#[test]
fn damage_never_makes_long_lists_wrong() {
    let mut lists = Lists::new(10, 5000, 20_000);
    let bytes = recorded(&mut lists, 60_000, 400_000, 0);
    let mut dice = Dice::new(11);
    for _ in 0..25 {
        let mut damaged = bytes.clone();
        let at = 64 + dice.below(bytes.len() as u64 - 64) as usize;
        damaged[at] ^= 1 << dice.below(8);
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), &damaged).unwrap();
        let recording = Recording::open(file.path()).unwrap();
        lists.compare(&recording);
    }
}
