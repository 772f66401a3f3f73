//! The bytes of a recording, decompressed: what `docs/format.md` says of chunks and sections.

use anyhow::{Context as _, Result};

const SEGMENT: u32 = 4;

/// The bodies of all chunks: every section in full, segments as they stand.
pub fn decompressed(file: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut bodies = Vec::new();
    let mut at = 64;
    while let Some(header) = file.get(at..at + 72) {
        let kind = number(header, 0)?;
        let len = number(header, 8)? as usize;
        let body = file.get(at + 72..at + 72 + len);
        let body = body.context("a chunk reaches beyond the file")?;
        if kind == SEGMENT {
            bodies.push(body.to_vec());
        } else {
            sections(body, &mut bodies)?;
        }
        at += (72 + len).next_multiple_of(8);
    }
    Ok(bodies)
}

fn sections(body: &[u8], out: &mut Vec<Vec<u8>>) -> Result<()> {
    let count = number(body, 0)? as usize;
    let mut start = 4 + count * 12;
    for index in 0..count {
        let (raw, stored) = (
            number(body, 8 + index * 12)? as usize,
            number(body, 12 + index * 12)? as usize,
        );
        let bytes = body.get(start..start + stored);
        let bytes = bytes.context("a section reaches beyond its chunk")?;
        out.push(if raw == stored {
            bytes.to_vec()
        } else {
            zstd::bulk::decompress(bytes, raw).context("a section does not decompress")?
        });
        start += stored;
    }
    Ok(())
}

fn number(bytes: &[u8], at: usize) -> Result<u32> {
    let bytes = bytes.get(at..at + 4).context("a number is cut off")?;
    Ok(u32::from_le_bytes(bytes.try_into()?))
}
