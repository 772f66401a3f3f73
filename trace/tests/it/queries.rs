//! Every question, answered by the recording and by a plain list of events.

use std::path::Path;

use retrostep_trace::{
    CancellationToken, Direction, FrameId, FunctionId, Key, ObjectId, Position, Recording,
    SourceId, Summary, ThreadId,
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

/// Asks `recording` and `model` the same random questions.
pub(crate) fn compare(recording: &Recording, model: &Model, dice: &mut Dice, questions: usize) {
    let cancel = CancellationToken::new();
    let end = model.events.len() as u64;
    assert_eq!(recording.end(), Position(end));
    assert_eq!(recording.threads().unwrap(), model.threads());
    let frames = model.frame_count();
    let objects = model.object_count();
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
    }
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
        let story = author.write(4000);
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
    let story = author.write(40_000);
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
