//! The bytes of a recording, decompressed: what `docs/format.md` says of chunks and sections.

use anyhow::{Context as _, Result};

const SEGMENT: u32 = 4;
const PAGES: u32 = 6;

/// The bodies of all chunks: every section, head and group of pages in full, segments as they stand.
pub fn decompressed(file: &[u8]) -> Result<Vec<Vec<u8>>> {
    let mut bodies = Vec::new();
    let mut at = 64;
    while let Some(header) = file.get(at..at + 72) {
        let kind = number(header, 0)?;
        let len = number(header, 8)? as usize;
        let body = file.get(at + 72..at + 72 + len);
        let body = body.context("a chunk reaches beyond the file")?;
        match kind {
            SEGMENT => bodies.push(body.to_vec()),
            PAGES => pages(body, &mut bodies)?,
            _ => sections(body, &mut bodies)?,
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
        out.push(whole(body, start, raw, stored)?);
        start += stored;
    }
    Ok(())
}

fn pages(body: &[u8], out: &mut Vec<Vec<u8>>) -> Result<()> {
    let lists = number(body, 0)? as usize;
    for row in (8..8 + lists * 24).step_by(24) {
        let start = 8 + lists * 24 + number(body, row + 8)? as usize;
        let stored = number(body, row + 16)? as usize;
        let head = whole(body, start, number(body, row + 12)? as usize, stored)?;
        let mut rest = head.as_slice();
        for _ in 0..varint(&mut rest)? * 5 {
            varint(&mut rest)?;
        }
        for _ in 0..varint(&mut rest)? {
            varint(&mut rest)?;
        }
        let mut start = start + stored;
        for _ in 0..varint(&mut rest)? {
            varint(&mut rest)?;
            let (raw, stored) = (varint(&mut rest)?, varint(&mut rest)?);
            rest = rest.get(4..).context("a checksum is cut off")?;
            out.push(whole(body, start, raw, stored)?);
            start += stored;
        }
        out.push(head);
    }
    Ok(())
}

fn whole(body: &[u8], start: usize, raw: usize, stored: usize) -> Result<Vec<u8>> {
    let bytes = body.get(start..start + stored);
    let bytes = bytes.context("a part reaches beyond its chunk")?;
    if raw == stored {
        return Ok(bytes.to_vec());
    }
    zstd::bulk::decompress(bytes, raw).context("a part does not decompress")
}

fn varint(bytes: &mut &[u8]) -> Result<usize> {
    let mut value = 0;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first().context("a number is cut off")?;
        *bytes = rest;
        value |= usize::from(byte & 0x7f) << shift;
        if *byte < 0x80 {
            return Ok(value);
        }
    }
    anyhow::bail!("a number is too long")
}

fn number(bytes: &[u8], at: usize) -> Result<u32> {
    let bytes = bytes.get(at..at + 4).context("a number is cut off")?;
    Ok(u32::from_le_bytes(bytes.try_into()?))
}
