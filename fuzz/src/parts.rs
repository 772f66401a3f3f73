//! A recording as its parts, uncompressed and without checksums, so that a change of a part still
//! reaches the code that decodes it. The bytes are those of `docs/format.md`.
//!
//! An input is a row of chunks: kind (u8), the five words as numbers, count of sections (u8), then each
//! section as its id (u8), its length as a number, and its bytes. A segment or chunk of pages, which has
//! no sections, is one section 0.

const MAGIC: &[u8; 8] = b"RSREC\r\n\x1a";
const END_MAGIC: &[u8; 8] = b"RSREC\r\nE";
const ID: [u8; 16] = *b"retrostep fuzzed";
const SEGMENT: u32 = 4;
const FOOTER: u32 = 5;
const PAGES: u32 = 6;

/// A chunk of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Chunk {
    pub kind: u8,
    pub words: [u64; 5],
    pub sections: Vec<(u8, Vec<u8>)>,
}

/// Reads the chunks of an input, as far as it goes.
pub fn chunks(mut input: &[u8]) -> Vec<Chunk> {
    std::iter::from_fn(|| chunk(&mut input)).collect()
}

fn chunk(input: &mut &[u8]) -> Option<Chunk> {
    let kind = byte(input)?;
    let mut words = [0; 5];
    for word in &mut words {
        *word = number(input)?;
    }
    let count = byte(input)? % 32;
    let mut sections = Vec::new();
    for _ in 0..count {
        let Some(id) = byte(input) else { break };
        let Some(len) = number(input) else { break };
        let len = usize::try_from(len).unwrap_or(usize::MAX).min(input.len());
        let (bytes, rest) = input.split_at(len);
        *input = rest;
        sections.push((id, bytes.to_vec()));
    }
    Some(Chunk {
        kind,
        words,
        sections,
    })
}

fn byte(input: &mut &[u8]) -> Option<u8> {
    let (first, rest) = input.split_first()?;
    *input = rest;
    Some(*first)
}

fn number(input: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..70).step_by(7) {
        let byte = byte(input)?;
        value |= u64::from(byte & 0x7f).checked_shl(shift).unwrap_or(0);
        if byte < 0x80 {
            break;
        }
    }
    Some(value)
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The input that [`chunks`] reads as these.
pub fn input(chunks: &[Chunk]) -> Vec<u8> {
    let mut out = Vec::new();
    for chunk in chunks {
        out.push(chunk.kind);
        for word in chunk.words {
            put(&mut out, word);
        }
        out.push(chunk.sections.len() as u8);
        for (id, bytes) in &chunk.sections {
            out.push(*id);
            put(&mut out, bytes.len() as u64);
            out.extend_from_slice(bytes);
        }
    }
    out
}

/// A recording with every checksum right.
pub fn file(chunks: &[Chunk]) -> Vec<u8> {
    let seed = crc32c::crc32c(&ID);
    let mut out = MAGIC.to_vec();
    out.extend_from_slice(&1u16.to_le_bytes());
    out.extend_from_slice(&0u16.to_le_bytes());
    out.extend_from_slice(&64u32.to_le_bytes());
    out.extend_from_slice(&[0; 16]);
    out.extend_from_slice(&ID);
    out.extend_from_slice(&1024u32.to_le_bytes());
    out.extend_from_slice(&[0; 8]);
    out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
    for (sequence, chunk) in chunks.iter().enumerate() {
        let start = out.len();
        let kind = u32::from(chunk.kind & 0x7f);
        let body = match kind {
            SEGMENT => segment(chunk),
            PAGES => pages(chunk),
            _ => sections(chunk),
        };
        let mut header = kind.to_le_bytes().to_vec();
        header.extend_from_slice(&u32::from(chunk.kind >> 7).to_le_bytes());
        header.extend_from_slice(&(body.len() as u64).to_le_bytes());
        header.extend_from_slice(&(sequence as u64).to_le_bytes());
        for word in chunk.words {
            header.extend_from_slice(&word.to_le_bytes());
        }
        header.extend_from_slice(&crc32c::crc32c_append(seed, &body).to_le_bytes());
        header.extend_from_slice(&crc32c::crc32c_append(seed, &header).to_le_bytes());
        out.extend_from_slice(&header);
        out.extend_from_slice(&body);
        out.resize(out.len().next_multiple_of(8), 0);
        if kind == FOOTER {
            let mut trailer = (start as u64).to_le_bytes().to_vec();
            trailer.extend_from_slice(&[0; 12]);
            trailer.extend_from_slice(&crc32c::crc32c_append(seed, &trailer).to_le_bytes());
            trailer.extend_from_slice(END_MAGIC);
            out.extend_from_slice(&trailer);
        }
    }
    out
}

fn sections(chunk: &Chunk) -> Vec<u8> {
    let mut out = (chunk.sections.len() as u32).to_le_bytes().to_vec();
    for (id, bytes) in &chunk.sections {
        let len = (bytes.len() as u32).to_le_bytes();
        out.extend_from_slice(&u32::from(*id).to_le_bytes());
        out.extend_from_slice(&len);
        out.extend_from_slice(&len);
    }
    for (_, bytes) in &chunk.sections {
        out.extend_from_slice(bytes);
    }
    out
}

/// The body of a segment, its own checksums made right.
fn segment(chunk: &Chunk) -> Vec<u8> {
    let mut body: Vec<u8> = chunk
        .sections
        .iter()
        .flat_map(|(_, bytes)| bytes.clone())
        .collect();
    let groups = read_u32(&body, 0) as usize;
    let Some(directory) = groups.checked_mul(24).filter(|len| 8 + len <= body.len()) else {
        return body;
    };
    let data = 8 + directory;
    for group in 0..groups {
        let row = 8 + group * 24;
        let start = data.saturating_add(read_u32(&body, row + 16) as usize);
        let end = if group + 1 < groups {
            data.saturating_add(read_u32(&body, row + 24 + 16) as usize)
        } else {
            body.len()
        };
        let sum = body.get(start..end).map(crc32c::crc32c);
        if let (Some(sum), Some(place)) = (sum, body.get_mut(row + 20..row + 24)) {
            place.copy_from_slice(&sum.to_le_bytes());
        }
    }
    let sum = crc32c::crc32c(&body[8..data]);
    body[4..8].copy_from_slice(&sum.to_le_bytes());
    body
}

/// The body of a chunk of pages, the checksums of its directory and of the heads of lists made right.
fn pages(chunk: &Chunk) -> Vec<u8> {
    let mut body: Vec<u8> = chunk
        .sections
        .iter()
        .flat_map(|(_, bytes)| bytes.clone())
        .collect();
    let lists = read_u32(&body, 0) as usize;
    let Some(directory) = lists.checked_mul(24).filter(|len| 8 + len <= body.len()) else {
        return body;
    };
    for row in (8..8 + directory).step_by(24) {
        let start = (8 + directory).saturating_add(read_u32(&body, row + 8) as usize);
        let end = start.saturating_add(read_u32(&body, row + 16) as usize);
        let sum = body.get(start..end).map(crc32c::crc32c);
        if let (Some(sum), Some(place)) = (sum, body.get_mut(row + 20..row + 24)) {
            place.copy_from_slice(&sum.to_le_bytes());
        }
    }
    let sum = crc32c::crc32c(&body[8..8 + directory]);
    body[4..8].copy_from_slice(&sum.to_le_bytes());
    body
}

fn read_u32(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    four.map_or(0, u32::from_le_bytes)
}

fn read_u64(bytes: &[u8], at: usize) -> u64 {
    let eight = bytes
        .get(at..at + 8)
        .and_then(|eight| eight.try_into().ok());
    eight.map_or(0, u64::from_le_bytes)
}

/// Takes an intact recording apart.
pub fn taken_apart(file: &[u8]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut at = 64;
    while at + 72 <= file.len() {
        let kind = read_u32(file, at);
        let len = read_u64(file, at + 8) as usize;
        let mut words = [0; 5];
        for (index, word) in words.iter_mut().enumerate() {
            *word = read_u64(file, at + 24 + index * 8);
        }
        let Some(body) = file.get(at + 72..at + 72 + len) else {
            break;
        };
        chunks.push(Chunk {
            kind: kind as u8,
            words,
            sections: match kind {
                SEGMENT | PAGES => vec![(0, body.to_vec())],
                _ => unpacked(body),
            },
        });
        at += (72 + len).next_multiple_of(8);
    }
    chunks
}

fn unpacked(body: &[u8]) -> Vec<(u8, Vec<u8>)> {
    let count = read_u32(body, 0) as usize;
    let mut start = 4 + count * 12;
    let mut sections = Vec::new();
    for row in (4..4 + count * 12).step_by(12) {
        let (raw, stored) = (read_u32(body, row + 4), read_u32(body, row + 8) as usize);
        let bytes = &body[start..start + stored];
        let bytes = if raw as usize == stored {
            bytes.to_vec()
        } else {
            zstd::bulk::decompress(bytes, raw as usize).unwrap_or_default()
        };
        sections.push((read_u32(body, row) as u8, bytes));
        start += stored;
    }
    sections
}
