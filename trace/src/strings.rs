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

    /// All texts by number.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u64, &[u8])> {
        let numbers = self.numbers.iter();
        numbers.map(|(text, number)| (u64::from(*number), &*text.kept))
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
pub(crate) fn shortened(bytes: &[u8]) -> &[u8] {
    if bytes.len() <= LONGEST {
        return bytes;
    }
    let mut end = LONGEST;
    while end > 0 && bytes.get(end).is_some_and(|byte| byte & 0xc0 == 0x80) {
        end -= 1;
    }
    bytes.get(..end).unwrap_or_default()
}

/// A table that was read. Texts are made when they are asked for.
#[derive(Debug, Default)]
pub(crate) struct Strings {
    bytes: Vec<u8>,
    /// Where the kept bytes stand, and the true length.
    entries: Vec<(std::ops::Range<u32>, u64)>,
    texts: Vec<Option<Text>>,
    names: Vec<Option<Arc<str>>>,
}

const MISSING: Malformed = Malformed("a text is missing from its table");

impl Strings {
    pub(crate) fn decode(input: &mut Input<'_>) -> Decoded<Strings> {
        let whole = *input;
        let count = input.count(2)?;
        if count > LIMIT {
            return Err(Malformed("a table has too many texts"));
        }
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            let kept = input.bytes()?;
            let end = (whole.remaining() - input.remaining()) as u32;
            let len = (kept.len() as i64).wrapping_add(input.signed()?) as u64;
            entries.push((end - kept.len() as u32..end, len));
        }
        let bytes = { whole }
            .take(whole.remaining() - input.remaining())?
            .to_vec();
        Ok(Strings {
            bytes,
            entries,
            ..Strings::default()
        })
    }

    fn kept(&self, at: usize) -> Decoded<(&[u8], u64)> {
        let (range, len) = self.entries.get(at).ok_or(MISSING)?;
        let range = range.start as usize..range.end as usize;
        Ok((self.bytes.get(range).ok_or(MISSING)?, *len))
    }

    /// What was kept of all texts, by number.
    pub(crate) fn all(&self) -> impl Iterator<Item = (u64, &[u8])> {
        (0..).zip(&self.entries).filter_map(|(number, (range, _))| {
            let range = range.start as usize..range.end as usize;
            Some((number, self.bytes.get(range)?))
        })
    }

    /// What was kept of a text, and its true length.
    pub(crate) fn kept_and_len(&self, number: u64) -> Option<(&[u8], u64)> {
        self.kept(usize::try_from(number).ok()?).ok()
    }

    /// Whether what was kept of a text is `name`; if so, whether that is all of it.
    pub(crate) fn is(&self, number: u64, name: &str) -> Option<bool> {
        let at = usize::try_from(number).unwrap_or(usize::MAX);
        let (kept, len) = self.kept(at).ok()?;
        (kept == name.as_bytes()).then(|| len == name.chars().count() as u64)
    }

    pub(crate) fn text(&mut self, number: u64) -> Decoded<Text> {
        let at = usize::try_from(number).map_err(|_| MISSING)?;
        if let Some(Some(text)) = self.texts.get(at) {
            return Ok(text.clone());
        }
        let (kept, len) = self.kept(at)?;
        let kept = Arc::from(kept);
        let text = Text { kept, len };
        if self.texts.is_empty() {
            self.texts.resize(self.entries.len(), None);
        }
        if let Some(slot) = self.texts.get_mut(at) {
            *slot = Some(text.clone());
        }
        Ok(text)
    }

    pub(crate) fn name(&mut self, number: u64) -> Decoded<Arc<str>> {
        let at = usize::try_from(number).map_err(|_| MISSING)?;
        if let Some(Some(name)) = self.names.get(at) {
            return Ok(Arc::clone(name));
        }
        let (kept, _) = self.kept(at)?;
        let name: Arc<str> = std::str::from_utf8(kept)
            .map_err(|_| Malformed("a name is not UTF-8"))?
            .into();
        if self.names.is_empty() {
            self.names.resize(self.entries.len(), None);
        }
        if let Some(slot) = self.names.get_mut(at) {
            *slot = Some(Arc::clone(&name));
        }
        Ok(name)
    }

    /// About how much memory it takes when every text was asked for.
    pub(crate) fn len_bytes(&self) -> usize {
        self.bytes.len() * 2 + self.entries.len() * 96
    }
}
