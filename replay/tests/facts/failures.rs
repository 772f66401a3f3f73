//! Exceptions that ended a thread.

use retrostep_replay::failures::failures;
use retrostep_trace::{FrameId, Recording};

use crate::build::{Builder, F, F_AGAIN, none};

#[test]
fn a_failure_of_an_unfinished_recording_is_told() {
    let mut builder = Builder::new();
    builder.whole_call(F, 1, 1, 1);
    builder.call(F);
    builder.write(0, 2);
    builder.line(2);
    let raise = builder.raise();
    builder.unwind();
    builder.unwind();
    builder.writer.flush().unwrap();
    let recording = Recording::open(&builder.path()).unwrap();
    let found = failures(&recording, 9, &none()).unwrap();
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].position, found[0].text.as_str()),
        (raise, "ValueError")
    );
    let left: Vec<(String, u32, String)> = found[0]
        .left
        .iter()
        .map(|frame| {
            (
                frame.function_name.to_string(),
                frame.line,
                frame.call_text(),
            )
        })
        .collect();
    assert_eq!(
        left,
        [
            ("f".to_owned(), 2, "call 2 of 2".to_owned()),
            ("<module>".to_owned(), 8, "call 1 of 1".to_owned()),
        ]
    );
    assert!(!found[0].more);
    assert_eq!(failures(&recording, 0, &none()).unwrap(), []);
}

#[test]
fn an_exception_that_was_kept_and_raised_again_tells_the_frames_it_left() {
    let mut builder = Builder::new();
    builder.call(F);
    builder.line(2);
    let raise = builder.raise();
    builder.give_back(0);
    builder.call(F_AGAIN);
    builder.line(3);
    builder.unwind();
    builder.unwind();
    let recording = builder.finish();
    let found = failures(&recording, 9, &none()).unwrap();
    assert_eq!(found[0].position, raise);
    let raised_in = found[0].raised_in.as_ref().unwrap();
    assert_eq!((raised_in.frame, raised_in.line), (FrameId(1), 2));
    let left: Vec<(FrameId, u32)> = found[0]
        .left
        .iter()
        .map(|frame| (frame.frame, frame.line))
        .collect();
    assert_eq!(left, [(FrameId(2), 3), (FrameId(0), 8)]);
}
