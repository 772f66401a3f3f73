//! Events in, events out.

use retrostep_trace::{Completeness, Position, Recording};

use crate::story::{Author, Dice, Story};

fn check(story: &Story, events_per_block: u32, flushes: Option<Dice>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    story.write(&path, events_per_block, flushes);
    let recording = Recording::open(&path).unwrap();
    assert_eq!(recording.completeness(), Completeness::Complete);
    assert_eq!(recording.end(), Position(story.events.len() as u64));
    assert_eq!(recording.header().command, ["a", "b c"]);
    assert_eq!(recording.summary().unwrap().exit_code, Some(-1));
    for (position, event) in story.events.iter().enumerate() {
        let read = recording.event(Position(position as u64)).unwrap();
        assert_eq!(read.as_ref(), Some(event), "event {position}");
    }
    assert_eq!(recording.event(recording.end()).unwrap(), None);
    assert_eq!(recording.function_count() as usize, story.functions.len());
    for (id, function) in story.functions.iter().enumerate() {
        let id = retrostep_trace::FunctionId(id as u32);
        assert_eq!(&recording.function(id).unwrap(), function);
    }
    for (id, source) in story.sources.iter().enumerate() {
        let id = retrostep_trace::SourceId(id as u32);
        assert_eq!(&recording.source(id).unwrap(), source);
    }
    for (id, ty) in story.types.iter().enumerate() {
        let id = retrostep_trace::TypeId(id as u32);
        assert_eq!(&recording.type_of(id).unwrap(), ty);
    }
}

#[test]
fn events_survive_in_blocks_of_every_size() {
    let story = Author::new(1).write(9000);
    for bits in 10..=14 {
        check(&story, 1 << bits, None);
        check(&story, 1 << bits, Some(Dice::new(bits)));
    }
}

#[test]
fn many_stories_survive() {
    for seed in 2..12 {
        let mut author = Author::new(seed);
        author.deep = seed % 3 == 0;
        author.most_objects = 1 << seed;
        check(&author.write(3000), 1 << 10, Some(Dice::new(seed)));
    }
}

#[test]
fn a_recording_without_events_is_one() {
    check(&Story::default(), 1 << 10, None);
}
