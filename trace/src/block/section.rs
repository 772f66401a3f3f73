//! Sections of a chunk's body: a small directory, then each section plain or compressed.

use crate::varint::{Decoded, Malformed};

/// Longest section before compression.
const RAW_LIMIT: usize = 64 << 20;
/// Compression is refused when it claims more than this many bytes for one.
const RATIO_LIMIT: usize = 1 << 15;
/// Sections up to this length are stored plain.
const PLAIN: usize = 48;
/// Most sections of one body.
const COUNT_LIMIT: u32 = 32;
const ROW: usize = 12;

/// Compresses with one context that is used again and again.
pub(crate) struct Packer(Option<zstd::bulk::Compressor<'static>>);

impl std::fmt::Debug for Packer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Packer")
    }
}

impl Packer {
    pub(crate) fn new() -> Packer {
        Packer(zstd::bulk::Compressor::new(1).ok())
    }

    /// Puts sections together as a body. Empty sections are left out.
    pub(crate) fn pack(&mut self, sections: &[(u32, &[u8])]) -> Vec<u8> {
        let mut directory = Vec::new();
        let mut data = Vec::new();
        let mut count = 0u32;
        for (id, raw) in sections {
            if raw.is_empty() {
                continue;
            }
            let compressed = self.compress(raw);
            let stored = compressed.as_deref().unwrap_or(raw);
            directory.extend_from_slice(&id.to_le_bytes());
            directory.extend_from_slice(&(raw.len() as u32).to_le_bytes());
            directory.extend_from_slice(&(stored.len() as u32).to_le_bytes());
            data.extend_from_slice(stored);
            count += 1;
        }
        let mut body = Vec::with_capacity(4 + directory.len() + data.len());
        body.extend_from_slice(&count.to_le_bytes());
        body.extend_from_slice(&directory);
        body.extend_from_slice(&data);
        body
    }

    /// The bytes compressed, if that makes them shorter and a reader accepts it.
    pub(crate) fn compress(&mut self, raw: &[u8]) -> Option<Vec<u8>> {
        if raw.len() <= PLAIN {
            return None;
        }
        let compressed = self.0.as_mut()?.compress(raw).ok()?;
        (compressed.len() < raw.len() && raw.len() / RATIO_LIMIT < compressed.len())
            .then_some(compressed)
    }
}

/// Finds a section of a body and unpacks it; `None` if the body has no such section.
pub(crate) fn unpack(body: &[u8], wanted: u32) -> Decoded<Option<Vec<u8>>> {
    const SHORT: Malformed = Malformed("a section directory is cut off");
    let number = |at: usize| -> Decoded<u32> {
        let bytes = body.get(at..at + 4).ok_or(SHORT)?;
        Ok(u32::from_le_bytes(bytes.try_into().map_err(|_| SHORT)?))
    };
    let count = number(0)?;
    if count > COUNT_LIMIT {
        return Err(Malformed("a body has too many sections"));
    }
    let mut start = 4 + count as usize * ROW;
    for index in 0..count as usize {
        let row = 4 + index * ROW;
        let (id, raw, stored) = (number(row)?, number(row + 4)?, number(row + 8)?);
        let end = start + stored as usize;
        if id == wanted {
            let bytes = body
                .get(start..end)
                .ok_or(Malformed("a section reaches beyond its body"))?;
            return decompress(bytes, raw as usize).map(Some);
        }
        start = end;
    }
    Ok(None)
}

/// Bytes that are stored plain or compressed, of which there are `raw`.
pub(crate) fn decompress(bytes: &[u8], raw: usize) -> Decoded<Vec<u8>> {
    if raw == bytes.len() {
        return Ok(bytes.to_vec());
    }
    if raw > RAW_LIMIT || raw / RATIO_LIMIT >= bytes.len() {
        return Err(Malformed("a section claims to be too long"));
    }
    thread_local! {
        static DECOMPRESSOR: std::cell::RefCell<Option<zstd::bulk::Decompressor<'static>>> =
            std::cell::RefCell::new(zstd::bulk::Decompressor::new().ok());
    }
    let unpacked = DECOMPRESSOR.with_borrow_mut(|decompressor| {
        decompressor
            .as_mut()
            .and_then(|decompressor| decompressor.decompress(bytes, raw).ok())
    });
    match unpacked {
        Some(unpacked) if unpacked.len() == raw => Ok(unpacked),
        _ => Err(Malformed("a section does not decompress")),
    }
}
