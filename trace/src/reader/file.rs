//! Reading at an offset, without a shared cursor and without mapping the file.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use crate::chunk::{CHUNK_HEADER_LEN, ChunkHeader};
use crate::footer::ChunkPlace;
use crate::varint::Malformed;
use crate::{Error, Result};

/// An opened recording file.
#[derive(Debug)]
pub(crate) struct RecordingFile {
    pub(crate) path: PathBuf,
    file: File,
    pub(crate) seed: u32,
}

impl RecordingFile {
    pub(crate) fn open(path: &Path) -> Result<RecordingFile> {
        let file = File::open(path).map_err(|source| Error::Io {
            action: "open",
            path: path.to_owned(),
            source,
        })?;
        Ok(RecordingFile {
            path: path.to_owned(),
            file,
            seed: 0,
        })
    }

    pub(crate) fn len(&self) -> Result<u64> {
        let metadata = self.file.metadata().map_err(|error| self.io(error))?;
        Ok(metadata.len())
    }

    /// Fills `buf` from `offset` on, as far as the file reaches; returns how much that was.
    pub(crate) fn read_at(&self, buf: &mut [u8], offset: u64) -> Result<usize> {
        let mut done = 0;
        while let Some(rest) = buf.get_mut(done..)
            && !rest.is_empty()
        {
            match read_some(&self.file, rest, offset.saturating_add(done as u64)) {
                Ok(0) => break,
                Ok(len) => done += len,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.io(error)),
            }
        }
        Ok(done)
    }

    /// The header of the chunk at `offset`, or why there is none.
    pub(crate) fn chunk_header(&self, offset: u64) -> Result<Result<ChunkHeader, Malformed>> {
        let mut bytes = [0; CHUNK_HEADER_LEN];
        let len = self.read_at(&mut bytes, offset)?;
        Ok(ChunkHeader::decode(
            bytes.get(..len).unwrap_or_default(),
            self.seed,
        ))
    }

    /// The header and body of a chunk, both checked, and its padding; or the rule that is broken.
    pub(crate) fn chunk(
        &self,
        kind: u32,
        place: &ChunkPlace,
    ) -> Result<Result<(ChunkHeader, Vec<u8>), Malformed>> {
        let len = self.len()?.saturating_sub(place.offset);
        let end = place.body_len + CHUNK_HEADER_LEN as u64;
        let whole = end.next_multiple_of(8);
        if whole > len {
            return Ok(Err(Malformed("the file is cut off inside it")));
        }
        let mut bytes = vec![0; whole as usize];
        let len = self.read_at(&mut bytes, place.offset)?;
        if len != bytes.len() {
            return Ok(Err(Malformed("the file is cut off inside it")));
        }
        let header = match ChunkHeader::decode(&bytes, self.seed) {
            Ok(header) => header,
            Err(malformed) => return Ok(Err(malformed)),
        };
        if header.kind != kind
            || header.body_len != place.body_len
            || header.sequence != place.sequence
        {
            return Ok(Err(Malformed("another chunk stands in its place")));
        }
        if bytes.drain(end as usize..).any(|byte| byte != 0) {
            return Ok(Err(Malformed("its padding is not zero")));
        }
        bytes.drain(..CHUNK_HEADER_LEN);
        if crc32c::crc32c_append(self.seed, &bytes) != header.body_crc {
            return Ok(Err(Malformed("its checksum is wrong")));
        }
        Ok(Ok((header, bytes)))
    }

    pub(crate) fn corrupt(&self, offset: u64, what: impl Into<String>) -> Error {
        Error::Corrupt {
            path: self.path.clone(),
            offset,
            what: what.into(),
        }
    }

    fn io(&self, source: io::Error) -> Error {
        Error::Io {
            action: "read",
            path: self.path.clone(),
            source,
        }
    }
}

#[cfg(unix)]
fn read_some(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::unix::fs::FileExt::read_at(file, buf, offset)
}

#[cfg(windows)]
fn read_some(file: &File, buf: &mut [u8], offset: u64) -> io::Result<usize> {
    std::os::windows::fs::FileExt::seek_read(file, buf, offset)
}
