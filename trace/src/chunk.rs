//! The frame of the file: its header, the headers of its chunks, and its end mark.

use crate::varint::{Decoded, Malformed};

/// The first bytes of every recording. The line ends in it reveal damage by text conversion.
pub(crate) const MAGIC: [u8; 8] = *b"RSREC\r\n\x1a";
/// The last bytes of every complete recording.
pub(crate) const END_MAGIC: [u8; 8] = *b"RSREC\r\nE";
/// The format this build writes, and the only one it reads.
pub(crate) const VERSION: u16 = 1;
/// What this build adds that earlier readers of the version may ignore.
pub(crate) const MINOR: u16 = 2;
pub(crate) const FILE_HEADER_LEN: usize = 64;
pub(crate) const CHUNK_HEADER_LEN: usize = 72;
pub(crate) const TRAILER_LEN: usize = 32;
/// Longest body of a chunk.
pub(crate) const BODY_LIMIT: u64 = 256 << 20;

/// Sorts of chunks; stands in files.
pub(crate) mod kind {
    pub(crate) const MANIFEST: u32 = 1;
    pub(crate) const DEFINITIONS: u32 = 2;
    pub(crate) const BLOCK: u32 = 3;
    pub(crate) const SEGMENT: u32 = 4;
    pub(crate) const FOOTER: u32 = 5;
    pub(crate) const PAGES: u32 = 6;
}

/// The first 64 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FileHeader {
    pub(crate) major: u16,
    pub(crate) minor: u16,
    /// Features a reader must know, as bits. This build knows none.
    pub(crate) required: u64,
    pub(crate) optional: u64,
    /// Different for every recording; part of every checksum.
    pub(crate) id: [u8; 16],
    pub(crate) events_per_block: u32,
}

impl FileHeader {
    pub(crate) fn encode(&self) -> [u8; FILE_HEADER_LEN] {
        let mut out = Vec::with_capacity(FILE_HEADER_LEN);
        out.extend_from_slice(&MAGIC);
        out.extend_from_slice(&self.major.to_le_bytes());
        out.extend_from_slice(&self.minor.to_le_bytes());
        out.extend_from_slice(&(FILE_HEADER_LEN as u32).to_le_bytes());
        out.extend_from_slice(&self.required.to_le_bytes());
        out.extend_from_slice(&self.optional.to_le_bytes());
        out.extend_from_slice(&self.id);
        out.extend_from_slice(&self.events_per_block.to_le_bytes());
        out.resize(FILE_HEADER_LEN - 4, 0);
        out.extend_from_slice(&crc32c::crc32c(&out).to_le_bytes());
        let mut bytes = [0; FILE_HEADER_LEN];
        bytes.copy_from_slice(&out);
        bytes
    }

    /// The header, or `None` for bytes that are no recording's. Its version is not checked.
    pub(crate) fn decode(bytes: &[u8; FILE_HEADER_LEN]) -> Option<FileHeader> {
        if bytes.get(..8)? != MAGIC {
            return None;
        }
        let (covered, _) = bytes.split_at(FILE_HEADER_LEN - 4);
        let header = FileHeader {
            major: u16::from_le_bytes(field(bytes, 8)?),
            minor: u16::from_le_bytes(field(bytes, 10)?),
            required: u64::from_le_bytes(field(bytes, 16)?),
            optional: u64::from_le_bytes(field(bytes, 24)?),
            id: field(bytes, 32)?,
            events_per_block: u32::from_le_bytes(field(bytes, 48)?),
        };
        let crc = u32::from_le_bytes(field(bytes, FILE_HEADER_LEN - 4)?);
        (header.major != VERSION || crc == crc32c::crc32c(covered)).then_some(header)
    }

    /// What the checksums of this recording's chunks start from.
    pub(crate) fn seed(&self) -> u32 {
        crc32c::crc32c(&self.id)
    }
}

/// What precedes every chunk's body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ChunkHeader {
    pub(crate) kind: u32,
    /// Bit 0: a reader that does not know the kind may skip the chunk.
    pub(crate) flags: u32,
    pub(crate) body_len: u64,
    /// One more than the chunk before.
    pub(crate) sequence: u64,
    /// Depends on the kind.
    pub(crate) words: [u64; 5],
    pub(crate) body_crc: u32,
}

impl ChunkHeader {
    /// A header for `body`.
    pub(crate) fn new(kind: u32, sequence: u64, words: [u64; 5], body: &[u8], seed: u32) -> Self {
        ChunkHeader {
            kind,
            flags: u32::from(kind == kind::PAGES),
            body_len: body.len() as u64,
            sequence,
            words,
            body_crc: crc32c::crc32c_append(seed, body),
        }
    }

    pub(crate) fn encode(&self, seed: u32) -> Vec<u8> {
        let mut out = Vec::with_capacity(CHUNK_HEADER_LEN);
        out.extend_from_slice(&self.kind.to_le_bytes());
        out.extend_from_slice(&self.flags.to_le_bytes());
        out.extend_from_slice(&self.body_len.to_le_bytes());
        out.extend_from_slice(&self.sequence.to_le_bytes());
        for word in self.words {
            out.extend_from_slice(&word.to_le_bytes());
        }
        out.extend_from_slice(&self.body_crc.to_le_bytes());
        out.extend_from_slice(&crc32c::crc32c_append(seed, &out).to_le_bytes());
        out
    }

    pub(crate) fn decode(bytes: &[u8], seed: u32) -> Decoded<ChunkHeader> {
        const SHORT: Malformed = Malformed("a chunk's header is cut off");
        let covered = bytes.get(..CHUNK_HEADER_LEN - 4).ok_or(SHORT)?;
        let crc = u32::from_le_bytes(field(bytes, CHUNK_HEADER_LEN - 4).ok_or(SHORT)?);
        if crc != crc32c::crc32c_append(seed, covered) {
            return Err(Malformed("a chunk's header has a wrong checksum"));
        }
        let word = |at| field(bytes, at).map(u64::from_le_bytes).ok_or(SHORT);
        let header = ChunkHeader {
            kind: u32::from_le_bytes(field(bytes, 0).ok_or(SHORT)?),
            flags: u32::from_le_bytes(field(bytes, 4).ok_or(SHORT)?),
            body_len: word(8)?,
            sequence: word(16)?,
            words: [word(24)?, word(32)?, word(40)?, word(48)?, word(56)?],
            body_crc: u32::from_le_bytes(field(bytes, 64).ok_or(SHORT)?),
        };
        if header.body_len > BODY_LIMIT {
            return Err(Malformed("a chunk claims to be too long"));
        }
        Ok(header)
    }

    pub(crate) fn may_be_skipped(&self) -> bool {
        self.flags & 1 != 0
    }

    /// How many bytes the chunk takes, its padding to a multiple of eight included.
    pub(crate) fn total_len(&self) -> u64 {
        (CHUNK_HEADER_LEN as u64 + self.body_len).next_multiple_of(8)
    }
}

/// The last 32 bytes: where the footer chunk stands.
pub(crate) fn trailer(footer: u64, seed: u32) -> [u8; TRAILER_LEN] {
    let mut bytes = [0; TRAILER_LEN];
    let mut out = Vec::with_capacity(TRAILER_LEN);
    out.extend_from_slice(&footer.to_le_bytes());
    out.extend_from_slice(&[0; 12]);
    out.extend_from_slice(&crc32c::crc32c_append(seed, &out).to_le_bytes());
    out.extend_from_slice(&END_MAGIC);
    bytes.copy_from_slice(&out);
    bytes
}

/// Where the footer chunk stands, if these are the last bytes of a complete recording.
pub(crate) fn footer_offset(bytes: &[u8; TRAILER_LEN], seed: u32) -> Option<u64> {
    let offset = u64::from_le_bytes(field(bytes, 0)?);
    (*bytes == trailer(offset, seed)).then_some(offset)
}

pub(crate) fn field<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at.checked_add(N)?)?.try_into().ok()
}
