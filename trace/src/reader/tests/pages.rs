//! Chunks of pages: hostile ones, and what stands beside them.

use super::*;
use crate::Part;
use crate::block::section::decompress;

const LEN: u64 = 40_000;

/// A list that is kept in pages, with few changes in some blocks.
fn long_list(path: &Path) {
    let mut writer = Writer::create(path, &Header::default(), WriterOptions::default()).unwrap();
    writer.add_type(Type {
        module: "builtins".into(),
        qualified_name: "list".into(),
        fields: Vec::new(),
        base: None,
    });
    let mut say = |event: Option<Event>| match event {
        Some(event) => writer.push(ThreadId(0), event).map(|_| ()).unwrap(),
        None => writer.flush().unwrap(),
    };
    let object = ObjectId(0);
    say(Some(Event::ThreadStart { name: "t".into() }));
    let mut content = Content::new(ObjectKind::List, TypeId(0));
    content.items = (0..LEN as i64).map(Value::Int).collect();
    content.len = LEN;
    let change = Change::New(Box::new(content));
    say(Some(Event::Object { object, change }));
    for round in 0..180 {
        let index = round * 37 % 600;
        let value = Value::Str(Text {
            kept: (*b"a text").into(),
            len: 6,
        });
        let changes = [
            Change::SetItem { index, value },
            Change::Pop,
            Change::Append {
                value: Value::Int(round as i64),
            },
        ];
        for change in changes {
            say(Some(Event::Object { object, change }));
        }
        say(None);
    }
    writer.finish(&Summary::default()).unwrap();
}

#[test]
fn a_long_content_is_alone_in_its_block() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    long_list(&path);
    let recording = Recording::open(&path).unwrap();
    let (number, index) = recording.place_of(Position(1)).unwrap();
    assert_eq!(index, 0);
    assert_eq!(recording.block_row(number).unwrap().place.events, 1);
    let found = recording.excerpt(ObjectId(0), 10..20, recording.end());
    let (excerpt, _) = found.unwrap().unwrap();
    assert_eq!((excerpt.first, excerpt.content.items.len()), (10, 10));
    assert!(recording.layout.tables.pages.len() > 1);
}

/// One list of a chunk: its object, its head and its groups, unpacked.
type List = ([u8; 8], Vec<u8>, Vec<u8>);

fn lists(body: &[u8]) -> Vec<List> {
    let number = |at: usize| u32::from_le_bytes(body[at..at + 4].try_into().unwrap()) as usize;
    let rows = number(0);
    let data = 8 + rows * 24;
    let start = |row: usize| data + number(8 + row * 24 + 8);
    (0..rows)
        .map(|row| {
            let at = 8 + row * 24;
            let head = &body[start(row)..start(row) + number(at + 16)];
            let end = if row + 1 < rows {
                start(row + 1)
            } else {
                body.len()
            };
            (
                body[at..at + 8].try_into().unwrap(),
                decompress(head, number(at + 12)).unwrap(),
                body[start(row) + head.len()..end].to_vec(),
            )
        })
        .collect()
}

/// A body with these lists, in which the checksums of directory and heads are right.
fn body(lists: &[List]) -> Vec<u8> {
    let (mut rows, mut data) = (Vec::new(), Vec::new());
    for (object, head, groups) in lists {
        rows.extend_from_slice(object);
        for number in [data.len(), head.len(), head.len()] {
            rows.extend_from_slice(&(number as u32).to_le_bytes());
        }
        rows.extend_from_slice(&crc32c::crc32c(head).to_le_bytes());
        data.extend_from_slice(head);
        data.extend_from_slice(groups);
    }
    let mut body = (lists.len() as u32).to_le_bytes().to_vec();
    body.extend_from_slice(&crc32c::crc32c(&rows).to_le_bytes());
    body.append(&mut rows);
    body.append(&mut data);
    body
}

#[test]
fn hostile_pages_are_survived() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    long_list(&path);
    let (header, whole) = chunks(&std::fs::read(&path).unwrap());
    let mut dice = Dice(3);
    for round in 0..300 {
        let mut damaged = whole.clone();
        if round % 2 > 0 {
            damaged.pop();
        }
        let candidates: Vec<usize> = (0..damaged.len())
            .filter(|at| damaged[*at].0.kind == kind::PAGES)
            .collect();
        let at = candidates[dice.below(candidates.len())];
        let bytes = &mut damaged[at].1;
        let mut parts = lists(bytes);
        for _ in 0..=dice.below(3) {
            damage(&mut parts[0].1, &mut dice);
        }
        *bytes = body(&parts);
        if dice.below(8) == 0 {
            damage(bytes, &mut dice);
        }
        std::fs::write(&path, file(&header, &damaged)).unwrap();
        let Ok(recording) = Recording::open(&path) else {
            continue;
        };
        let cancel = CancellationToken::new();
        for _ in 0..3 {
            let object = ObjectId(dice.below(2) as u64);
            let at = Position(dice.below(recording.end().0 as usize + 1) as u64);
            let start = dice.below(LEN as usize + 300) as u64;
            let _ = recording.excerpt(object, start..start + 600, at);
            for direction in [Direction::Forward, Direction::Backward] {
                let range = match direction {
                    Direction::Forward => at..recording.end(),
                    Direction::Backward => Position::START..at,
                };
                let part = Part::Item(start % 600);
                let _ = recording.find_change(object, part, range, direction, &cancel);
            }
        }
    }
}

/// Values of pages that are damaged, but whose checksums are right.
#[test]
fn any_bytes_of_a_page_are_survived() {
    let mut dice = Dice(5);
    let mut page = vec![0, 1, 3, b'a', b'b', b'c', 0];
    for place in 0..40 {
        page.extend_from_slice(&[place % 3, 4, place, 3, 9, 1, 7, 0]);
    }
    for _ in 0..20_000 {
        let mut damaged = page.clone();
        for _ in 0..=dice.below(3) {
            damage(&mut damaged, &mut dice);
        }
        let mut out = vec![None; 100];
        let _ = crate::pages::read_page(&damaged, 5, 40, 20..120, &mut out);
        let _ = crate::pages::blocks_of_element(&damaged, 5, 7);
    }
}
