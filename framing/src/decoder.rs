//! Cutting bytes into frames.
//!
//! Header names are read in any case and other headers are passed over. What cannot be an editor, a
//! web browser above all, is refused before a byte of content is looked at.

/// The longest content that is accepted, in bytes.
const MAX_CONTENT_LEN: usize = 16 << 20;
/// The longest header block that is accepted, in bytes.
const MAX_HEADER_LEN: usize = 8 << 10;

/// Why no further frame can be read. The connection is over.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// A web browser, or something like it.
    #[error("the client speaks HTTP, not this protocol")]
    Http,
    /// A line that cannot be a header; its beginning.
    #[error("a header line without a name: {0:?}")]
    Header(String),
    /// Headers that do not end.
    #[error("the headers are longer than {MAX_HEADER_LEN} bytes")]
    HeaderTooLong,
    /// Nothing says how long the content is.
    #[error("headers without Content-Length")]
    NoLength,
    /// The length is no number; its beginning.
    #[error("the Content-Length {0:?} is no number of bytes")]
    Length(String),
    /// The content would be longer than any message is.
    #[error("a message of {0} bytes is longer than {MAX_CONTENT_LEN} bytes")]
    TooLong(usize),
}

/// The result of this crate's fallible functions.
pub type Result<T, E = FrameError> = std::result::Result<T, E>;

/// Cuts a stream of bytes into frames, however the bytes arrive.
#[derive(Debug, Default)]
pub struct FrameDecoder {
    buf: Vec<u8>,
    content_len: Option<usize>,
}

impl FrameDecoder {
    /// Takes in bytes that arrived.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buf.extend_from_slice(bytes);
    }

    /// The content of the next frame, or `None` if more bytes are needed.
    ///
    /// # Errors
    ///
    /// [`FrameError`]; where the next frame begins is then unknown for good.
    pub fn next_frame(&mut self) -> Result<Option<Vec<u8>>> {
        let len = match self.content_len {
            Some(len) => len,
            None => match self.take_headers()? {
                Some(len) => *self.content_len.insert(len),
                None => return Ok(None),
            },
        };
        if self.buf.len() < len {
            return Ok(None);
        }
        self.content_len = None;
        let rest = self.buf.split_off(len);
        Ok(Some(std::mem::replace(&mut self.buf, rest)))
    }

    /// Whether the stream may end here without cutting a frame.
    #[must_use]
    pub fn is_between_frames(&self) -> bool {
        self.buf.is_empty() && self.content_len.is_none()
    }

    /// Reads complete header lines up to the empty one and returns the length they announce.
    fn take_headers(&mut self) -> Result<Option<usize>> {
        let mut len = None;
        let mut start = 0;
        while let Some(line_len) = self.line_len(start) {
            let end = start + line_len;
            let line = self.buf.get(start..end).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            start = end + 1;
            if line.is_empty() {
                self.buf.drain(..start);
                return len.ok_or(FrameError::NoLength).map(Some);
            }
            if let Some(announced) = header(line)? {
                len = Some(announced);
            }
        }
        if self.buf.len() > MAX_HEADER_LEN {
            return Err(FrameError::HeaderTooLong);
        }
        Ok(None)
    }

    fn line_len(&self, start: usize) -> Option<usize> {
        self.buf
            .get(start..)
            .and_then(|rest| rest.iter().position(|byte| *byte == b'\n'))
    }
}

/// Reads one header line; returns the length if it is the one that announces it.
fn header(line: &[u8]) -> Result<Option<usize>> {
    let text = String::from_utf8_lossy(line);
    if text.contains(" HTTP/") {
        return Err(FrameError::Http);
    }
    let Some((name, value)) = text.split_once(':') else {
        return Err(FrameError::Header(shortened(&text)));
    };
    let name = name.trim().to_ascii_lowercase();
    if name.is_empty() || name.contains(char::is_whitespace) {
        return Err(FrameError::Header(shortened(&text)));
    }
    match name.as_str() {
        "content-length" => {
            let value = value.trim();
            let len = value
                .parse()
                .map_err(|_| FrameError::Length(shortened(value)))?;
            if len > MAX_CONTENT_LEN {
                return Err(FrameError::TooLong(len));
            }
            Ok(Some(len))
        }
        "origin" | "host" => Err(FrameError::Http),
        _ => Ok(None),
    }
}

fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests;
