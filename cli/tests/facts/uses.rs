//! Writes and reads of a variable.

use retrostep_replay::Snapshot;
use retrostep_replay::uses::{Use, references};
use retrostep_trace::{CancellationToken, Direction, FrameId, Key};

use crate::program::record;

const USES: &str = "\
count = 0  # global

def bump(step):  # bump
    global count
    count += step  # bumped
    total = step  # total
    for n in range(3):  # for
        total += n  # added
    def inner():
        nonlocal total
        total = total * 2  # doubled
    inner()
    return total  # return

bump(1)
bump(2)
";

#[test]
fn uses_tell_writes_and_reads_of_a_variable() {
    for recorded in record("uses", USES) {
        let recording = &recorded.recording;
        let cancel = CancellationToken::new();
        let at_return = recording
            .find(
                Key::Line(recorded.source, recorded.line("return")),
                recording.end(),
                Direction::Backward,
                &cancel,
            )
            .unwrap()
            .unwrap();
        let frame: FrameId = recording.frame_of_event(at_return).unwrap().unwrap();
        let ask = |name: &str, lines: &[&str]| {
            let lines: Vec<u32> = lines.iter().map(|marker| recorded.line(marker)).collect();
            let snapshot = Snapshot::new(recording, at_return);
            references(snapshot, frame, name, &lines, &cancel).unwrap()
        };
        let told = |uses: &[Use]| -> Vec<(u32, u64)> {
            uses.iter().map(|it| (it.line, it.count)).collect()
        };
        let line = |marker| recorded.line(marker);
        let total = ask("total", &["added", "return", "global"]);
        // 2 + 0 is no other value than 2: whether it was written again is not recorded.
        let writes = told(&total.writes);
        assert_eq!(writes[0], (line("total"), 1));
        assert!(writes[1] == (line("added"), 2) || writes[1] == (line("added"), 3));
        assert_eq!(writes[2], (line("doubled"), 1));
        assert_eq!(
            told(&total.reads),
            [(line("added"), 3), (line("return"), 1)]
        );
        assert_eq!(total.reads[1].last, at_return);

        let step = ask("step", &["bumped", "total"]);
        assert_eq!(told(&step.writes), [(line("bump"), 1)]);
        assert!(step.writes[0].is_argument);
        let count = ask("count", &["bumped"]);
        assert_eq!(
            told(&count.writes),
            [(line("global"), 1), (line("bumped"), 2)]
        );
        assert_eq!(told(&count.reads), [(line("bumped"), 1)]);
        let snapshot = Snapshot::new(recording, at_return);
        assert!(references(snapshot, frame, "absent", &[], &cancel).is_err());
    }
}
