//! Cut and damaged files: what is intact is shown, nothing wrong is, and a sentence says what is missing.

use std::path::Path;

use retrostep_trace::{
    CancellationToken, Completeness, Direction, Error, Key, Position, Recording, Writer,
};

use crate::story::{Author, Dice, Story};

/// Opens a file and checks that every event it shows is the right one; returns how many it shows.
fn shown(path: &Path, story: &Story) -> Option<(usize, Completeness)> {
    let recording = match Recording::open(path) {
        Ok(recording) => recording,
        Err(Error::NotARecording { .. } | Error::NotBegun { .. } | Error::Version { .. }) => {
            return None;
        }
        Err(error) => panic!("{error}"),
    };
    let mut shown = 0;
    for position in 0..recording.end().0 {
        if let Some(event) = recording.event(Position(position)).unwrap() {
            assert_eq!(event, story.events[position as usize], "event {position}");
            shown += 1;
        }
    }
    assert!(recording.end().0 as usize <= story.events.len());
    Some((shown, recording.completeness()))
}

#[test]
fn a_file_cut_at_any_byte_shows_its_whole_blocks() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    let story = Author::new(3).write(240);
    let mut writer = story.begin(&path, 1 << 10);
    let mut ends = Vec::new();
    for (index, event) in story.events.iter().enumerate() {
        writer.push(event.thread, event.event.clone()).unwrap();
        if index % 80 == 79 {
            writer.flush().unwrap();
            ends.push((writer.bytes_written() as usize, index + 1));
        }
    }
    writer.finish(&Default::default()).unwrap();
    let bytes = std::fs::read(&path).unwrap();
    for len in 0..bytes.len() {
        std::fs::write(&path, &bytes[..len]).unwrap();
        let whole = ends.iter().filter(|end| end.0 <= len);
        let expected = whole.map(|end| end.1).max().unwrap_or(0);
        match shown(&path, &story) {
            None => assert!(len < 64),
            Some((shown, completeness)) => {
                assert_eq!(shown, expected, "cut at {len}");
                // The last 32 bytes only say where the footer stands.
                if len < bytes.len() - 32 {
                    assert_ne!(completeness, Completeness::Complete, "cut at {len}");
                }
            }
        }
    }
}

#[test]
fn a_damaged_byte_hides_what_it_hit_and_nothing_else_changes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    let story = Author::new(4).write(2500);
    story.write(&path, 1 << 10, Some(Dice::new(4)));
    let bytes = std::fs::read(&path).unwrap();
    let mut dice = Dice::new(44);
    let mut complete = 0;
    for _ in 0..200 {
        let mut damaged = bytes.clone();
        for _ in 0..=dice.below(3) {
            let at = dice.below(bytes.len() as u64) as usize;
            damaged[at] ^= 1 << dice.below(8);
        }
        std::fs::write(&path, &damaged).unwrap();
        if let Some((shown, completeness)) = shown(&path, &story) {
            if shown < story.events.len() {
                assert_ne!(completeness, Completeness::Complete);
            } else {
                complete += 1;
            }
        }
    }
    // Definitions, indexes and padding are a part of the file, but not all of it.
    assert!(complete > 0 && complete < 170, "{complete}");
}

#[test]
fn verify_sees_damage_of_any_byte() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    let story = Author::new(5).write(300);
    story.write(&path, 1 << 10, None);
    let mut bytes = std::fs::read(&path).unwrap();
    let cancel = CancellationToken::new();
    let is_sound = |bytes: &[u8]| {
        std::fs::write(&path, bytes).unwrap();
        Recording::open(&path).is_ok_and(|recording| {
            let report = recording.verify(&mut |_| {}, &cancel).unwrap();
            recording.completeness() == Completeness::Complete && report.damage.is_empty()
        })
    };
    assert!(is_sound(&bytes));
    for at in 0..bytes.len() {
        let bit = 1 << (at % 8);
        bytes[at] ^= bit;
        assert!(!is_sound(&bytes), "byte {at} of {}", bytes.len());
        bytes[at] ^= bit;
    }
}

#[test]
fn a_damaged_block_is_a_gap_that_searches_skip() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    let story = Author::new(6).write(6000);
    let mut starts = Vec::new();
    let mut writer: Writer = story.begin(&path, 1 << 10);
    for (index, event) in story.events.iter().enumerate() {
        if index % 1024 == 0 {
            starts.push(writer.bytes_written() as usize);
        }
        writer.push(event.thread, event.event.clone()).unwrap();
    }
    writer.finish(&Default::default()).unwrap();
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[starts[2] + 200] ^= 1;
    std::fs::write(&path, &bytes).unwrap();
    let recording = Recording::open(&path).unwrap();
    assert_eq!(recording.completeness(), Completeness::Complete);
    assert_eq!(recording.event(Position(2100)).unwrap(), None);
    let Completeness::Damaged(sentence) = recording.completeness() else {
        panic!("the damage was not noticed");
    };
    assert!(
        sentence.starts_with("events 2048 to 3071 cannot be read: "),
        "{sentence}"
    );
    let cancel = CancellationToken::new();
    let found = recording.find(Key::Step, Position(2048), Direction::Forward, &cancel);
    assert!(found.unwrap().unwrap() >= Position(3072));
    let found = recording.find(Key::Step, Position(3072), Direction::Backward, &cancel);
    assert!(found.unwrap().unwrap() < Position(2048));
    let all = recording
        .count(Key::Step, recording.end(), &cancel)
        .unwrap();
    assert!(recording.nth(Key::Step, all, &cancel).unwrap().is_none());
    assert!(
        recording
            .nth(Key::Step, all - 1, &cancel)
            .unwrap()
            .is_some()
    );
    let report = recording.verify(&mut |_| {}, &cancel).unwrap();
    assert_eq!((report.damage.len(), report.events), (1, 6000 - 1024));
}

#[test]
fn other_files_and_later_formats_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.retro");
    std::fs::write(&path, b"import sys\n".repeat(20)).unwrap();
    assert!(matches!(
        Recording::open(&path),
        Err(Error::NotARecording { .. })
    ));
    std::fs::write(&path, b"").unwrap();
    assert!(matches!(
        Recording::open(&path),
        Err(Error::NotBegun { .. })
    ));
    assert!(matches!(
        Recording::open(&folder.path().join("absent")),
        Err(Error::Io { .. })
    ));
    Story::default().write(&path, 1 << 10, None);
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[8] = 9;
    std::fs::write(&path, &bytes).unwrap();
    assert!(matches!(
        Recording::open(&path),
        Err(Error::Version { found: 9, .. })
    ));
}
