//! Every question, answered by the recording and by a plain list of events.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;

use std::sync::Arc;

use retrostep_trace::{
    CancellationToken, Change, Direction, Event, Fact, FrameId, FunctionId, Key, LineMoment,
    LineScan, LineVisitor, ObjectId, Part, Passing, Position, Recording, Seen, SourceId, Summary,
    Text, ThreadId, Value,
};

use crate::oracle::Model;
use crate::story::{Author, Dice, Story};

fn model(story: &Story) -> Model {
    Model::new(
        story.events.clone(),
        story.functions.clone(),
        story.types.clone(),
    )
}

/// A key that occurs, as a rule.
fn key(dice: &mut Dice, frames: u64, objects: u64) -> Key {
    let frame = FrameId(dice.below(frames + 1));
    let slot = dice.below(5) as u32;
    let thread = ThreadId(dice.below(5) as u32);
    let function = FunctionId(dice.below(9) as u32);
    match dice.below(19) {
        0 => Key::Thread(thread),
        1 => Key::ThreadStep(thread),
        2 => Key::Step,
        3 => Key::FrameStep(frame),
        4 => Key::FrameExit(frame),
        5 => Key::FrameYield(frame),
        6 => Key::FrameResume(frame),
        7 => Key::Line(SourceId(dice.below(4) as u32), dice.below(14) as u32),
        8 => Key::Call(function),
        9 => Key::CallFrom(frame),
        10 => Key::Raise,
        11 => Key::Uncaught,
        12 => Key::Unwind,
        13 => Key::Write(frame, slot),
        14 => Key::VariableWrite(function, slot),
        15 => Key::Object(ObjectId(dice.below(objects + 1))),
        16 => Key::Output,
        17 => Key::Mark,
        _ => Key::External,
    }
}

/// Goes through a range of events and compares each with the list.
fn compare_walk(recording: &Recording, model: &Model, range: std::ops::Range<Position>) {
    let mut next = range.start.0;
    let mut see = |passing: &Passing<'_>| {
        let at = passing.position;
        assert_eq!(at, Position(next));
        next += 1;
        let event = &model.events[at.0 as usize];
        assert_eq!(passing.thread, event.thread);
        let (frame, function) = (passing.frame, passing.function);
        assert_eq!(frame, recording.frame_of_event(at).unwrap(), "{at}");
        let facts = frame.and_then(|frame| recording.frame(frame).unwrap());
        assert_eq!(function, facts.map(|facts| facts.function), "{at}");
        assert_eq!(passing.time_ns, recording.time_ns(at).unwrap(), "{at}");
        let same = match (&passing.fact, &event.event) {
            (Fact::Call, Event::Call { .. }) | (Fact::Resume, Event::Resume { .. }) => true,
            (Fact::Line(line), Event::Line { line: known }) => line == known,
            (Fact::Return(value), Event::Return { value: known })
            | (Fact::Yield(value), Event::Yield { value: known })
            | (Fact::Raise(value), Event::Raise { exception: known })
            | (Fact::Unwind(value), Event::Unwind { exception: known }) => *value == known,
            (
                Fact::Write { slot, value },
                Event::Write {
                    slot: of,
                    value: known,
                },
            ) => slot == of && *value == known.as_ref(),
            (Fact::Object(passing), Event::Object { object, change }) => {
                let born = match change {
                    Change::New(content) => Some(content.kind),
                    _ => None,
                };
                let same = passing.change().as_ref() == Some(change);
                passing.object == *object && passing.born == born && same
            }
            (Fact::Other, event) => !matches!(event, Event::Line { .. } | Event::Call { .. }),
            _ => false,
        };
        assert!(same, "{at}: {passing:?} is no {event:?}");
        ControlFlow::Continue(())
    };
    let cancel = CancellationToken::new();
    (recording.walk(range.clone(), &mut see, &mut |_| {}, &cancel)).unwrap();
    assert_eq!(next, range.end.0.max(range.start.0), "{range:?}");
}

/// Asks `recording` and `model` the same random questions.
pub(crate) fn compare(recording: &Recording, model: &Model, dice: &mut Dice, questions: usize) {
    let cancel = CancellationToken::new();
    let end = model.events.len() as u64;
    assert_eq!(recording.end(), Position(end));
    assert_eq!(recording.threads().unwrap(), model.threads());
    let frames = model.frame_count();
    let objects = model.object_count();
    let from = Position(dice.below(end + 1));
    compare_walk(recording, model, from..Position(dice.below(end + 1)));
    for question in 0..questions {
        let at = Position(match dice.below(12) {
            0 => dice.below(3),
            1 => end - dice.below(3).min(end),
            _ => dice.below(end + 1),
        });
        let context = format!("question {question} at {at}");
        for _ in 0..3 {
            let key = key(dice, frames, objects);
            for direction in [Direction::Forward, Direction::Backward] {
                assert_eq!(
                    recording.find(key, at, direction, &cancel).unwrap(),
                    model.find(key, at, direction),
                    "{context}: {direction:?} {key:?}"
                );
            }
            let count = model.count(key, at);
            assert_eq!(
                recording.count(key, at, &cancel).unwrap(),
                count,
                "{context}: count {key:?}"
            );
            let n = dice.below(count + 3);
            assert_eq!(
                recording.nth(key, n, &cancel).unwrap(),
                model.nth(key, n),
                "{context}: {n}th {key:?}"
            );
        }
        assert_eq!(
            recording.thread_at(at).unwrap(),
            model.thread_at(at),
            "{context}"
        );
        assert_eq!(
            recording.event(at).unwrap().as_ref(),
            model.events.get(at.0 as usize),
            "{context}"
        );
        assert_eq!(
            recording.frame_of_event(at).unwrap(),
            model.frames.get(at.0 as usize).and_then(|frames| frames.0),
            "{context}"
        );
        let thread = ThreadId(dice.below(5) as u32);
        let depth = model.stack_depth(thread, at);
        assert_eq!(
            recording.stack_depth(thread, at).unwrap(),
            depth,
            "{context}"
        );
        let (skip, limit) = match dice.below(3) {
            0 => (dice.below(depth + 2), dice.below(6)),
            _ => (0, 1000),
        };
        let stack = recording.stack(thread, at, skip, limit).unwrap();
        assert_eq!(
            stack,
            model.stack(thread, at, skip, limit),
            "{context}: stack"
        );
        assert_eq!(
            recording.task_at(thread, at).unwrap(),
            model.task_at(thread, at),
            "{context}: task"
        );
        let frame = match stack.first() {
            Some(state) if dice.one_in(2) => state.frame,
            _ => FrameId(dice.below(frames + 1)),
        };
        assert_eq!(
            recording.frame(frame).unwrap(),
            model.frame(frame),
            "{context}"
        );
        let locals = model.locals(frame, at);
        assert_eq!(
            recording.locals(frame, at).unwrap(),
            locals,
            "{context}: locals of {frame}"
        );
        if !locals.is_empty() {
            let slot = dice.below(locals.len() as u64) as u32;
            assert_eq!(
                recording.local(frame, slot, at).unwrap(),
                locals[slot as usize],
                "{context}"
            );
        }
        let object = ObjectId(match dice.below(2) {
            0 => dice.below(8),
            _ => dice.below(objects + 1),
        });
        let read = recording.object(object, at).unwrap();
        assert_eq!(
            read.map(|(content, position)| ((*content).clone(), position)),
            model.object(object, at),
            "{context}: object {object}"
        );
        let (first, second) = (dice.below(end + 1), dice.below(end + 1));
        let range = Position(first.min(second))..Position(first.max(second));
        compare_range(recording, model, dice, &range);
        compare_part(recording, model, dice, (object, at), &range);
        let resumed: BTreeSet<FrameId> = (at.0 as usize..model.events.len())
            .filter_map(|index| match model.events[index].event {
                Event::Resume { frame } => Some(frame),
                _ => None,
            })
            .filter(|frame| model.frame(*frame).is_some_and(|it| it.call < at))
            .collect();
        let found = recording.resumed_after(at).unwrap();
        assert!(
            resumed.iter().all(|frame| found.contains(frame)),
            "{context}: {resumed:?} but {found:?}"
        );
    }
}

/// What is found in a range is the first or last match in it.
fn compare_range(
    recording: &Recording,
    model: &Model,
    dice: &mut Dice,
    range: &std::ops::Range<Position>,
) {
    let cancel = CancellationToken::new();
    let key = key(dice, model.frame_count(), model.object_count());
    let inside = |position: &Position| range.contains(position);
    for (direction, from) in [
        (Direction::Forward, range.start),
        (Direction::Backward, range.end),
    ] {
        assert_eq!(
            recording
                .find_between(key, range.clone(), direction, &cancel)
                .unwrap(),
            model.find(key, from, direction).filter(inside),
            "{direction:?} {key:?} in {range:?}"
        );
    }
}

/// What the list of events says of a part of an object.
fn part_of(model: &Model, object: ObjectId, part: Part<'_>, at: Position) -> Option<Value> {
    let (content, _) = model.object(object, at)?;
    match part {
        Part::Attribute(name) => {
            let mut attributes = content.attributes.into_iter();
            attributes
                .find(|(known, _)| **known == *name)
                .map(|it| it.1)
        }
        Part::Entry(key) => {
            let mut entries = content.entries.into_iter();
            entries.find(|(known, _)| known == key).map(|it| it.1)
        }
        Part::Item(index) => {
            let item = content.items.get(index as usize);
            item.or_else(|| content.sparse.get(&index)).cloned()
        }
        _ => None,
    }
}

/// A part of an object holds what its contents say, and no change of it is passed over.
fn compare_part(
    recording: &Recording,
    model: &Model,
    dice: &mut Dice,
    (object, at): (ObjectId, Position),
    range: &std::ops::Range<Position>,
) {
    let Some((content, _)) = model.object(object, range.end.max(at)) else {
        return;
    };
    let mut parts = vec![Part::Item(dice.below(4))];
    let attributes = content.attributes.iter();
    parts.extend(attributes.map(|(name, _)| Part::Attribute(name)));
    parts.extend(content.entries.iter().map(|(key, _)| Part::Entry(key)));
    let part = parts.swap_remove(dice.below(parts.len() as u64) as usize);
    let value = |at| format!("{:?}", part_of(model, object, part, at));
    let read = recording.value_of_part(object, part, at).unwrap();
    assert_eq!(
        format!("{read:?}"),
        value(at),
        "{part:?} of {object} at {at}"
    );
    let cancel = CancellationToken::new();
    for direction in [Direction::Forward, Direction::Backward] {
        let found = recording
            .find_change(object, part, range.clone(), direction, &cancel)
            .unwrap();
        let passed = match (found, direction) {
            (Some(found), Direction::Forward) => range.start..found,
            (Some(found), Direction::Backward) => found.next()..range.end,
            (None, _) => range.clone(),
        };
        let key = Key::Object(object);
        assert!(found.is_none_or(|found| model.matches(key, found.0 as usize)));
        for position in (passed.start.0..passed.end.0).map(Position) {
            if model.matches(key, position.0 as usize) {
                assert_eq!(
                    value(position),
                    value(position.next()),
                    "{part:?} of {object} at {position}, {direction:?} in {range:?}"
                );
            }
        }
    }
}

/// Whatever a scan is sure of is what the list of events says.
fn compare_scan(recording: &Recording, model: &Model, dice: &mut Dice) -> [u64; 3] {
    type Names<'m> = (Vec<Arc<str>>, &'m [(usize, Part<'m>)]);
    struct Found<'m>(&'m Model, Key, Names<'m>, Vec<Position>, [u64; 3]);
    impl LineVisitor for Found<'_> {
        fn moment(&mut self, moment: &LineMoment<'_>) -> bool {
            let at = moment.position;
            assert!(
                self.0.matches(self.1, at.0 as usize),
                "{:?} at {at}",
                self.1
            );
            let (frame, _) = self.0.frames[at.0 as usize];
            assert_eq!(moment.frame, frame);
            for ((name, part), seen) in self.2.1.iter().zip(moment.parts) {
                let Seen::Value(value) = seen else {
                    assert_eq!(*seen, Seen::Unknown);
                    continue;
                };
                self.4[2] += 1;
                let held = frame.and_then(|frame| self.0.name(frame, &self.2.0[*name], at));
                let Some(Value::Object(object)) = held else {
                    panic!("{part:?} of {held:?} at {at}");
                };
                let expected = part_of(self.0, object, *part, at);
                assert_eq!(
                    format!("{:?}", Some(value)),
                    format!("{:?}", expected.as_ref()),
                    "{part:?} of {object} at {at}"
                );
            }
            for (name, seen) in self.2.0.iter().zip(moment.seen) {
                let expected = frame.and_then(|frame| self.0.name(frame, name, at));
                match seen {
                    Seen::Unknown => self.4[1] += 1,
                    Seen::Absent | Seen::Unbound => assert_eq!(expected, None, "{name} at {at}"),
                    Seen::Value(value) => {
                        self.4[0] += 1;
                        assert_eq!(expected.as_ref(), Some(*value), "{name} at {at}");
                    }
                }
            }
            self.3.push(at);
            true
        }

        fn block(&mut self, _: Position) -> bool {
            true
        }
    }
    let end = model.events.len() as u64;
    let (source, line) = (SourceId(dice.below(3) as u32), 1 + dice.below(12) as u32);
    let key = Key::Line(source, line);
    let names = ["v0", "v1", "v2", "a", "ab", ""].map(Arc::from).to_vec();
    let (first, second) = (dice.below(end + 1), dice.below(end + 1));
    let range = Position(first.min(second))..Position(first.max(second));
    let text = Value::Str(Text {
        kept: b"ab"[..].into(),
        len: 2,
    });
    let parts = [
        (0, Part::Attribute("a")),
        (1, Part::Attribute("a")),
        (1, Part::Attribute("b")),
        (0, Part::Item(0)),
        (1, Part::Item(0)),
        (2, Part::Item(0)),
        (1, Part::Item(1)),
        (1, Part::Entry(&text)),
    ];
    let looked = (names.clone(), &parts[..]);
    let mut found = Found(model, key, looked, Vec::new(), [0; 3]);
    for direction in [Direction::Forward, Direction::Backward] {
        let scan = LineScan {
            source,
            line,
            names: &names,
            parts: &parts,
            range: range.clone(),
            direction,
        };
        found.3.clear();
        recording
            .scan_line(&scan, &mut found, &CancellationToken::new())
            .unwrap();
        found.3.sort_unstable();
        let expected: Vec<Position> = (range.start.0..range.end.0)
            .filter(|at| model.matches(key, *at as usize))
            .map(Position)
            .collect();
        assert_eq!(found.3, expected, "{key:?} in {range:?}");
    }
    found.4
}

/// The columns of an overview say what the list of events says; those that are not exact, in sum.
fn compare_overview(recording: &Recording, model: &Model, dice: &mut Dice) {
    let end = model.events.len() as u64;
    let (first, second) = (dice.below(end + 1), dice.below(end + 1));
    let (from, to) = (first.min(second), first.max(second));
    let keys = [
        Key::Raise,
        Key::Output,
        Key::Line(SourceId(0), 3),
        Key::Call(FunctionId(2)),
    ];
    let wanted = 1 + dice.below(50) as u32;
    let overview = recording
        .overview(
            Position(from)..Position(to),
            wanted,
            &keys,
            &CancellationToken::new(),
        )
        .unwrap();
    let columns = u64::from(wanted).min(to - from);
    assert_eq!(overview.depths.len() as u64, columns);
    for (key, counts) in keys.iter().zip(&overview.counts) {
        let matching = (from..to).filter(|at| model.matches(*key, *at as usize));
        if overview.exact {
            let mut expected = vec![0; columns as usize];
            matching.for_each(|at| expected[((at - from) * columns / (to - from)) as usize] += 1);
            assert_eq!(*counts, expected, "{key:?} from {from} to {to}");
        } else {
            // The blocks at both ends are shared out by their events.
            let difference = counts.iter().sum::<u64>().abs_diff(matching.count() as u64);
            assert!(difference <= 2 * 1024, "{key:?} from {from} to {to}");
        }
    }
    if overview.exact && (1..2000).contains(&(to - from)) && from > 0 {
        let deepest = (from + 1..=to).map(|at| {
            let thread = model.thread_at(Position(at - 1));
            model.stack_depth(thread, Position(at))
        });
        let found = overview.depths.iter().max().copied().unwrap_or(0);
        assert_eq!(Some(u64::from(found)), deepest.max());
    }
}

#[test]
fn scans_and_overviews_say_what_a_list_of_events_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    let mut counts = [0; 3];
    for seed in 40..46 {
        let mut author = Author::new(seed);
        author.deep = seed % 3 == 0;
        let story = author.write(4000);
        let mut dice = Dice::new(seed);
        story.write(&path, 1 << 10, Some(Dice::new(seed)));
        let recording = Recording::open(&path).unwrap();
        let model = model(&story);
        for _ in 0..8 {
            let found = compare_scan(&recording, &model, &mut dice);
            counts
                .iter_mut()
                .zip(found)
                .for_each(|(sum, it)| *sum += it);
        }
        compare_overview(&recording, &model, &mut dice);
    }
    let [sure, unsure, parts] = counts;
    assert!(sure > unsure / 4, "{sure} of {unsure}");
    assert!(parts > 20, "{parts}");
}

#[test]
fn an_overview_of_many_blocks_is_near() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    let story = Author::new(51).write(30_000);
    story.write(&path, 1 << 10, None);
    let recording = Recording::open(&path).unwrap();
    let model = model(&story);
    let all = Position(0)..recording.end();
    let none = CancellationToken::new();
    let keys = [Key::Call(FunctionId(2)), Key::Mark];
    let overview = recording.overview(all, 200, &keys, &none).unwrap();
    assert!(!overview.exact);
    for (key, counts) in keys.iter().zip(&overview.counts) {
        assert_eq!(
            counts.iter().sum::<u64>(),
            model.count(*key, recording.end())
        );
    }
    assert!(overview.depths.iter().all(|depth| *depth > 0));
}

fn check(story: &Story, path: &Path, dice: &mut Dice, questions: usize) {
    let model = model(story);
    let recording = Recording::open(path).unwrap();
    compare(&recording, &model, dice, questions);
}

#[test]
fn every_question_is_answered_as_a_list_of_events_answers_it() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    for seed in 1..13 {
        let mut author = Author::new(seed);
        author.deep = seed % 4 == 0;
        author.most_objects = [3, 20, 200, 2000][seed as usize % 4];
        let mut story = author.write(4000);
        story.remembered_values = (seed % 3 == 0).then_some(40);
        let mut dice = Dice::new(seed);
        story.write(&path, 1 << 10, Some(Dice::new(seed)));
        check(&story, &path, &mut dice, 60);
    }
}

#[test]
fn a_long_recording_has_several_segments() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    let mut author = Author::new(77);
    author.most_objects = 60;
    let mut story = author.write(40_000);
    story.remembered_values = Some(100);
    let mut dice = Dice::new(5);
    story.write(&path, 1 << 10, Some(Dice::new(9)));
    check(&story, &path, &mut dice, 15);
}

#[test]
fn a_growing_recording_is_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    let story = Author::new(8).write(9000);
    let mut dice = Dice::new(3);
    let mut writer = story.begin(&path, 1 << 10);
    writer.flush().unwrap();
    let mut recording = Recording::open(&path).unwrap();
    assert!(!recording.refresh().unwrap());
    for part in 1..=3 {
        for event in &story.events[(part - 1) * 3000..part * 3000] {
            writer.push(event.thread, event.event.clone()).unwrap();
        }
        writer.flush().unwrap();
        assert!(recording.refresh().unwrap());
        let mut sofar = Story {
            events: story.events[..part * 3000].to_vec(),
            ..Story::default()
        };
        sofar.functions.clone_from(&story.functions);
        sofar.types.clone_from(&story.types);
        compare(&recording, &model(&sofar), &mut dice, 60);
        assert!(!recording.refresh().unwrap());
    }
    writer.finish(&Summary::default()).unwrap();
    assert!(recording.refresh().unwrap());
    assert!(recording.summary().is_some());
    compare(&recording, &model(&story), &mut dice, 60);
}
