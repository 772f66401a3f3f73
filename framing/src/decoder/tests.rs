use super::*;
use crate::write_frame;

/// Feeds `input` in pieces of `step` bytes and returns all frames.
fn frames(input: &[u8], step: usize) -> Result<Vec<String>> {
    let mut decoder = FrameDecoder::default();
    let mut frames = Vec::new();
    for piece in input.chunks(step) {
        decoder.push(piece);
        while let Some(frame) = decoder.next_frame()? {
            frames.push(String::from_utf8(frame).unwrap());
        }
    }
    assert!(decoder.is_between_frames(), "bytes are left over");
    Ok(frames)
}

#[test]
fn frames_are_found_wherever_the_bytes_are_cut() {
    let input = b"Content-Length: 2\r\n\r\n{}content-length:3\r\nContent-Type: x\r\n\r\n[1]\
                  CONTENT-LENGTH :  4 \n\nnullContent-Length: 0\r\n\r\n";
    for step in 1..=input.len() {
        assert_eq!(
            frames(input, step).unwrap(),
            ["{}", "[1]", "null", ""],
            "in pieces of {step} bytes"
        );
    }
}

#[test]
fn a_frame_that_was_written_is_read_back() {
    let mut written = Vec::new();
    write_frame(&mut written, "{\"ä\":1}".as_bytes()).unwrap();
    assert_eq!(frames(&written, 5).unwrap(), ["{\"ä\":1}"]);
}

#[test]
fn what_is_no_frame_is_refused() {
    let check = |input: &str, expected: FrameError| {
        for step in [1, input.len()] {
            assert_eq!(frames(input.as_bytes(), step), Err(expected.clone()));
        }
    };
    check("GET / HTTP/1.1\r\n", FrameError::Http);
    check("POST http://127.0.0.1/ HTTP/1.1\r\n", FrameError::Http);
    check(
        "Content-Length: 2\r\nOrigin: https://example.com\r\n\r\n{}",
        FrameError::Http,
    );
    check("hello\r\n", FrameError::Header("hello".into()));
    check("one two: 3\r\n", FrameError::Header("one two: 3".into()));
    check("Content-Type: x\r\n\r\n", FrameError::NoLength);
    check("Content-Length: -1\r\n", FrameError::Length("-1".into()));
    check("Content-Length: ten\r\n", FrameError::Length("ten".into()));
    check(
        "Content-Length: 999999999999\r\n",
        FrameError::TooLong(999_999_999_999),
    );
}

#[test]
fn headers_without_end_are_refused() {
    let mut decoder = FrameDecoder::default();
    decoder.push(&vec![b'a'; MAX_HEADER_LEN + 1]);
    assert_eq!(decoder.next_frame(), Err(FrameError::HeaderTooLong));
}
