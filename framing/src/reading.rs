//! Frames in, until the input ends.

use std::io::{self, Read};
use std::ops::ControlFlow;

use crate::{FrameDecoder, FrameError};

/// How many bytes are read at once.
const PIECE_LEN: usize = 64 << 10;

/// Why an input ended that should have gone on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InputError {
    /// The bytes are no frames.
    #[error(transparent)]
    Frame(#[from] FrameError),
    /// The input ended before a frame was complete.
    #[error("the input ends inside a message")]
    Cut,
    /// The operating system refused.
    #[error("read from the client: {0}")]
    Io(io::Error),
}

/// Reads frames until the input ends between two of them, or `take` has enough.
///
/// # Errors
///
/// [`InputError`]; frames before it were taken.
pub fn read_frames(
    mut input: impl Read,
    mut take: impl FnMut(Vec<u8>) -> ControlFlow<()>,
) -> Result<(), InputError> {
    let mut decoder = FrameDecoder::default();
    let mut buf = vec![0; PIECE_LEN];
    loop {
        while let Some(frame) = decoder.next_frame()? {
            if take(frame).is_break() {
                return Ok(());
            }
        }
        match input.read(&mut buf) {
            Ok(0) if decoder.is_between_frames() => return Ok(()),
            Ok(0) => return Err(InputError::Cut),
            Ok(len) => decoder.push(buf.get(..len).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(InputError::Io(error)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(input: &[u8], most: usize) -> (Vec<String>, Option<String>) {
        let mut frames = Vec::new();
        let result = read_frames(input, |frame| {
            frames.push(String::from_utf8(frame).unwrap());
            if frames.len() == most {
                ControlFlow::Break(())
            } else {
                ControlFlow::Continue(())
            }
        });
        (frames, result.err().map(|error| error.to_string()))
    }

    #[test]
    fn an_input_ends_between_frames_or_is_cut() {
        let input = b"Content-Length: 2\r\n\r\n{}Content-Length: 1\r\n\r\n1";
        let two = vec!["{}".to_owned(), "1".to_owned()];
        assert_eq!(read(input, 9), (two.clone(), None));
        assert_eq!(read(input, 1), (two[..1].to_vec(), None));
        let cut = Some("the input ends inside a message".to_owned());
        assert_eq!(read(&input[..input.len() - 1], 9), (two[..1].to_vec(), cut));
    }

    #[test]
    fn what_is_no_frame_ends_the_input() {
        let (frames, error) = read(b"Content-Length: 1\r\n\r\n1GET / HTTP/1.1\r\n", 9);
        assert_eq!(frames, ["1"]);
        assert_eq!(error.unwrap(), "the client speaks HTTP, not this protocol");
    }
}
