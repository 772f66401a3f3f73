//! Writes and reads of a variable.

use retrostep_replay::Snapshot;
use retrostep_replay::uses::references;

use crate::build::{Builder, F, none};

#[test]
fn uses_count_only_the_frame_that_is_asked() {
    let mut builder = Builder::new();
    builder.whole_call(F, 1, 1, 1);
    let frame = builder.call(F);
    builder.write(0, 2);
    builder.line(2);
    builder.write(1, 2);
    builder.line(2);
    builder.write(1, 3);
    let last = builder.line(3);
    builder.give_back(3);
    let recording = builder.finish();
    let snapshot = Snapshot::new(&recording, last);
    let ask = |name, lines: &[u32]| references(snapshot, frame, name, lines, &none()).unwrap();
    let found = ask("m", &[3, 7]);
    let writes: Vec<(u32, u64)> = found.writes.iter().map(|it| (it.line, it.count)).collect();
    assert_eq!(writes, [(2, 2)]);
    let reads: Vec<_> = found
        .reads
        .iter()
        .map(|it| (it.line, it.count, it.last))
        .collect();
    assert_eq!(reads, [(3, 1, last)]);
    let found = ask("n", &[2]);
    assert_eq!(
        (found.writes[0].line, found.writes[0].is_argument),
        (1, true)
    );
    assert_eq!(found.reads[0].count, 2);
    assert!(!found.more_reads && !found.more_writes);
}
