//! Frames out.

use std::io::{self, Write};

/// Writes one frame and flushes.
///
/// # Errors
///
/// What the output says.
pub fn write_frame(output: &mut dyn Write, content: &[u8]) -> io::Result<()> {
    let mut frame = format!("Content-Length: {}\r\n\r\n", content.len()).into_bytes();
    frame.extend_from_slice(content);
    output.write_all(&frame)?;
    output.flush()
}
