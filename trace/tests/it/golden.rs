//! A recording that an earlier build wrote still reads to the same events.

use std::path::Path;

use retrostep_trace::{Completeness, Position, Recording};

use crate::oracle::Model;
use crate::queries;
use crate::story::{Author, Dice};

/// The story in `samples/format/v1.retro`. To make such a file for a later format, write this story with
/// `story.write(path, 1 << 10, None)` and keep the earlier files: every version that is read has one.
#[test]
fn format_1_reads_to_the_same_events() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples/format/v1.retro");
    let story = Author::new(2026).write(3000);
    if std::env::var_os("RETROSTEP_WRITE_GOLDEN").is_some() {
        story.write(&path, 1 << 10, None);
    }
    let recording = Recording::open(&path).unwrap();
    assert_eq!(recording.completeness(), Completeness::Complete);
    for (position, event) in story.events.iter().enumerate() {
        let read = recording.event(Position(position as u64)).unwrap();
        assert_eq!(read.as_ref(), Some(event), "event {position}");
    }
    let model = Model::new(story.events, story.functions, story.types);
    queries::compare(&recording, &model, &mut Dice::new(1), 20);
}
