//! Where everything stands in a file: from its footer, or by hopping from chunk to chunk.

use crate::block::decode::BlockPlace;
use crate::block::section::unpack;
use crate::chunk::{
    ChunkHeader, FILE_HEADER_LEN, FileHeader, TRAILER_LEN, VERSION, footer_offset, kind,
};
use crate::definitions::{self, DefinitionRange};
use crate::footer::{BlockRow, ChunkPlace, PagesRow, SegmentRow, Tables};
use crate::reader::file::RecordingFile;
use crate::varint::{Decoded, Malformed};
use crate::{Completeness, Error, Header, Result};

/// What is known of a file.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) header: Header,
    pub(crate) tables: Tables,
    pub(crate) completeness: Completeness,
    /// How long the file was when it was last looked at.
    pub(crate) len_bytes: u64,
    /// Where hopping goes on, when the file is not complete.
    next_offset: u64,
    next_sequence: u64,
}

impl Layout {
    /// Reads the layout and gives `file` the seed of its checksums.
    pub(crate) fn read(file: &mut RecordingFile) -> Result<Layout> {
        let mut bytes = [0; FILE_HEADER_LEN];
        let len = file.read_at(&mut bytes, 0)?;
        let not_a_recording = || Error::NotARecording {
            path: file.path.clone(),
        };
        if len == 0 {
            return Err(Error::NotBegun {
                path: file.path.clone(),
            });
        }
        if len < FILE_HEADER_LEN {
            return Err(not_a_recording());
        }
        let file_header = FileHeader::decode(&bytes).ok_or_else(not_a_recording)?;
        if file_header.major != VERSION || file_header.required != 0 {
            return Err(Error::Version {
                path: file.path.clone(),
                found: file_header
                    .major
                    .max(VERSION + u16::from(file_header.major == VERSION)),
                oldest: VERSION,
                newest: VERSION,
            });
        }
        file.seed = file_header.seed();
        let mut layout = Layout {
            header: Header::default(),
            tables: Tables::default(),
            completeness: Completeness::Unfinished,
            len_bytes: file.len()?,
            next_offset: FILE_HEADER_LEN as u64,
            next_sequence: 0,
        };
        let manifest = layout.read_manifest(file)?;
        match layout.read_footer(file)? {
            Some(tables) => {
                layout.tables = tables;
                layout.completeness = Completeness::Complete;
            }
            None => {
                layout.hop(file)?;
            }
        }
        if let Err(malformed) = manifest
            && layout.completeness == Completeness::Complete
        {
            layout.completeness = Completeness::Damaged(format!(
                "what the recording says of itself is missing: {}",
                malformed.0
            ));
        }
        Ok(layout)
    }

    fn read_manifest(&mut self, file: &RecordingFile) -> Result<Decoded<()>> {
        let header = match file.chunk_header(self.next_offset)? {
            Ok(header) => header,
            Err(malformed) => return Ok(Err(malformed)),
        };
        let place = ChunkPlace {
            offset: self.next_offset,
            body_len: header.body_len,
            sequence: 0,
        };
        let read = file.chunk(kind::MANIFEST, &place)?.and_then(|(_, body)| {
            let section = unpack(&body, 1)?.unwrap_or_default();
            definitions::header(&section)
        });
        Ok(read.map(|header| self.header = header))
    }

    /// Where the trailer says that the footer stands.
    pub(crate) fn read_trailer(&self, file: &RecordingFile) -> Result<Option<u64>> {
        let mut bytes = [0; TRAILER_LEN];
        let Some(start) = self.len_bytes.checked_sub(TRAILER_LEN as u64) else {
            return Ok(None);
        };
        if file.read_at(&mut bytes, start)? < TRAILER_LEN {
            return Ok(None);
        }
        Ok(footer_offset(&bytes, file.seed))
    }

    /// The tables of a complete file.
    fn read_footer(&self, file: &RecordingFile) -> Result<Option<Tables>> {
        let Some(offset) = self.read_trailer(file)? else {
            return Ok(None);
        };
        let Ok(header) = file.chunk_header(offset)? else {
            return Ok(None);
        };
        let place = ChunkPlace {
            offset,
            body_len: header.body_len,
            sequence: header.sequence,
        };
        let tables = file
            .chunk(kind::FOOTER, &place)?
            .and_then(|(_, body)| Tables::decode(&body, offset));
        Ok(tables.ok())
    }

    /// Goes on from chunk to chunk. Returns whether there was something new.
    ///
    /// A chunk that is cut off is "not yet" there; one that breaks a rule ends the recording.
    pub(crate) fn hop(&mut self, file: &RecordingFile) -> Result<bool> {
        let before = (self.tables.blocks.len(), self.completeness.clone());
        self.len_bytes = file.len()?;
        let stopped = loop {
            let left = self.len_bytes.saturating_sub(self.next_offset);
            if left < crate::chunk::CHUNK_HEADER_LEN as u64 {
                break None;
            }
            let header = match file.chunk_header(self.next_offset)? {
                Ok(header) => header,
                Err(malformed) => break Some(malformed),
            };
            if header.sequence != self.next_sequence {
                break Some(Malformed("a chunk is out of order"));
            }
            if header.total_len() > left {
                break None;
            }
            match self.add(file, &header) {
                Err(error) => return Err(error),
                Ok(Err(malformed)) => break Some(malformed),
                Ok(Ok(true)) => {
                    self.completeness = Completeness::Complete;
                    return Ok(true);
                }
                Ok(Ok(false)) => {}
            }
            self.next_offset += header.total_len();
            self.next_sequence += 1;
        };
        self.completeness = match stopped {
            Some(malformed) => Completeness::Damaged(format!(
                "nothing after event {} can be read, {} bytes are lost: {}",
                self.tables.end(),
                self.len_bytes.saturating_sub(self.next_offset),
                malformed.0
            )),
            None => Completeness::Unfinished,
        };
        self.drop_torn_block(file)?;
        Ok(before != (self.tables.blocks.len(), self.completeness.clone()))
    }

    /// Takes in a chunk; returns whether it was the footer.
    fn add(&mut self, file: &RecordingFile, header: &ChunkHeader) -> Result<Decoded<bool>> {
        let chunk = ChunkPlace {
            offset: self.next_offset,
            body_len: header.body_len,
            sequence: header.sequence,
        };
        let added = match header.kind {
            kind::MANIFEST => Ok(()),
            kind::DEFINITIONS => self
                .tables
                .add_definitions(chunk, DefinitionRange::from_words(&header.words)),
            kind::BLOCK => BlockPlace::from_words(&header.words)
                .and_then(|place| self.tables.add_block(BlockRow { chunk, place })),
            kind::SEGMENT => {
                let [first_block, blocks, ..] =
                    header.words.map(|word| u32::try_from(word).unwrap_or(0));
                self.tables.add_segment(SegmentRow {
                    chunk,
                    first_block,
                    blocks,
                })
            }
            kind::PAGES => {
                let [first_block, blocks, ..] =
                    header.words.map(|word| u32::try_from(word).unwrap_or(0));
                self.tables.add_pages(PagesRow {
                    chunk,
                    first_block,
                    blocks,
                })
            }
            kind::FOOTER => {
                let tables = file
                    .chunk(kind::FOOTER, &chunk)?
                    .and_then(|(_, body)| Tables::decode(&body, chunk.offset));
                return Ok(tables.map(|tables| {
                    self.tables = tables;
                    true
                }));
            }
            _ if header.may_be_skipped() => Ok(()),
            _ => Err(Malformed("a chunk has an unknown kind")),
        };
        Ok(added.map(|()| false))
    }

    /// After a power cut the last block may have a header and a length, but not its bytes.
    fn drop_torn_block(&mut self, file: &RecordingFile) -> Result<()> {
        let Some(last) = self.tables.blocks.last().copied() else {
            return Ok(());
        };
        if last.chunk.offset + crate::chunk::CHUNK_HEADER_LEN as u64 + last.chunk.body_len
            < self.next_offset.saturating_sub(7)
        {
            return Ok(());
        }
        if let Err(malformed) = file.chunk(kind::BLOCK, &last.chunk)? {
            self.tables.blocks.pop();
            self.next_offset = last.chunk.offset;
            self.next_sequence = last.chunk.sequence;
            self.completeness = Completeness::Damaged(format!(
                "the last block, events {} to {}, cannot be read: {}",
                last.place.first,
                last.place.end() - 1,
                malformed.0
            ));
        }
        Ok(())
    }
}
