//! The table of texts that one part of a file refers to by number.
//!
//! Every part has a table of its own, so that it is decodable alone and the writer's memory is bounded.

use std::sync::Arc;

use crate::Text;
use crate::hash::Map;
use crate::varint::{Decoded, Input, Malformed, put, put_bytes, put_signed};

/// Most texts of one table.
pub(crate) const LIMIT: usize = 1 << 20;
/// Longest text kept, in bytes.
pub(crate) const LONGEST: usize = 16 << 20;

/// A table that is being filled.
#[derive(Debug, Default)]
pub(crate) struct StringTable {
    numbers: Map<Text, u32>,
    out: Vec<u8>,
    /// Where texts of the table stand in memory, so that the same one again is found at once.
    recent: Vec<(usize, u64, u32)>,
}

/// Places of [`StringTable::recent`]: a power of two.
const RECENT: usize = 256;

impl StringTable {
    pub(crate) fn text(&mut self, text: &Text) -> u32 {
        let address = Arc::as_ptr(&text.kept).cast::<u8>() as usize;
        let place = (address >> 4) & (RECENT - 1);
        if let Some(recent) = self.recent.get(place)
            && (recent.0, recent.1) == (address, text.len)
        {
            return recent.2;
        }
        if let Some((known, &number)) = self.numbers.get_key_value(text) {
            if Arc::ptr_eq(&known.kept, &text.kept) {
                // The table keeps the text, so that no other one comes to stand there.
                self.recent.resize(RECENT, (0, 0, 0));
                if let Some(recent) = self.recent.get_mut(place) {
                    *recent = (address, text.len, number);
                }
            }
            return number;
        }
        let number = self.numbers.len() as u32;
        let kept = shortened(&text.kept);
        put_bytes(&mut self.out, kept);
        put_signed(
            &mut self.out,
            (text.len as i64).wrapping_sub(kept.len() as i64),
        );
        self.numbers.insert(text.clone(), number);
        number
    }

    pub(crate) fn name(&mut self, name: &Arc<str>) -> u32 {
        self.text(&Text {
            kept: Arc::<[u8]>::from(Arc::clone(name)),
            len: name.len() as u64,
        })
    }

    pub(crate) fn bytes(&mut self, bytes: &Arc<[u8]>) -> u32 {
        self.text(&Text {
            kept: Arc::clone(bytes),
            len: bytes.len() as u64,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.numbers.len()
    }

    pub(crate) fn len_bytes(&self) -> usize {
        self.out.len()
    }

    /// The table as bytes; it is empty afterwards.
    pub(crate) fn take(&mut self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.out.len() + 5);
        put(&mut out, self.numbers.len() as u64);
        out.append(&mut self.out);
        self.numbers.clear();
        self.recent.clear();
        out
    }
}

/// The longest beginning of `bytes` that is kept, cut between characters.
fn shortened(bytes: &[u8]) -> &[u8] {
    if bytes.len() <= LONGEST {
        return bytes;
    }
    let mut end = LONGEST;
    while end > 0 && bytes.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    bytes.get(..end).unwrap_or_default()
}

/// A table that was read.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    texts: Vec<Text>,
    names: Vec<Option<Arc<str>>>,
    len_bytes: usize,
}

impl Strings {
    pub(crate) fn decode(input: &mut Input<'_>) -> Decoded<Strings> {
        let count = input.count(2)?;
        if count > LIMIT {
            return Err(Malformed("a table has too many texts"));
        }
        let mut strings = Strings::default();
        for _ in 0..count {
            let kept: Arc<[u8]> = Arc::from(input.bytes()?);
            let len = (kept.len() as i64).wrapping_add(input.signed()?) as u64;
            strings.len_bytes += kept.len() + 64;
            strings.texts.push(Text { kept, len });
        }
        strings.names.resize(count, None);
        Ok(strings)
    }

    pub(crate) fn text(&self, number: u64) -> Decoded<Text> {
        usize::try_from(number)
            .ok()
            .and_then(|number| self.texts.get(number))
            .cloned()
            .ok_or(Malformed("a text is missing from its table"))
    }

    pub(crate) fn name(&mut self, number: u64) -> Decoded<Arc<str>> {
        let text = self.text(number)?;
        let slot = usize::try_from(number)
            .ok()
            .and_then(|number| self.names.get_mut(number))
            .ok_or(Malformed("a text is missing from its table"))?;
        if let Some(name) = slot {
            return Ok(Arc::clone(name));
        }
        let name: Arc<str> = std::str::from_utf8(&text.kept)
            .map_err(|_| Malformed("a name is not UTF-8"))?
            .into();
        *slot = Some(Arc::clone(&name));
        Ok(name)
    }

    pub(crate) fn len_bytes(&self) -> usize {
        self.len_bytes
    }
}
