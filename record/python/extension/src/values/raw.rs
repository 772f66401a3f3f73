//! Reading Python objects straight from memory, by the layouts of CPython 3.9 to 3.14 on 64 bits.
//!
//! Nothing here runs code of the program, takes references or allocates Python objects.

use super::symbols::Symbols;

pub(super) use crate::api::PyObject;

/// A borrowed Python object.
pub(super) type Object = *mut PyObject;
/// A borrowed type object.
pub(super) type Type = *mut PyObject;

/// Offsets in type objects, the same in all versions.
pub(super) mod type_offset {
    pub(crate) const NAME: usize = 24;
    pub(crate) const BASIC_SIZE: usize = 32;
    pub(crate) const ITEM_SIZE: usize = 40;
    pub(crate) const DEALLOC: usize = 48;
    pub(crate) const AS_NUMBER: usize = 96;
    pub(crate) const AS_SEQUENCE: usize = 104;
    pub(crate) const AS_MAPPING: usize = 112;
    pub(crate) const REPR: usize = 88;
    pub(crate) const SET_ATTRIBUTE: usize = 152;
    pub(crate) const FLAGS: usize = 168;
    pub(crate) const MEMBERS: usize = 240;
    pub(crate) const BASE: usize = 256;
    pub(crate) const DICT: usize = 264;
    pub(crate) const DESCR_GET: usize = 272;
    pub(crate) const DESCR_SET: usize = 280;
    pub(crate) const DICT_OFFSET: usize = 288;
    pub(crate) const INIT: usize = 296;
    pub(crate) const NEW: usize = 312;
    pub(crate) const FREE: usize = 320;
    pub(crate) const MRO: usize = 344;
}

/// `tp_flags` bits.
pub(super) mod flag {
    pub(crate) const INLINE_VALUES: usize = 1 << 2;
    pub(crate) const MANAGED_DICT: usize = 1 << 4;
    pub(crate) const HEAP_TYPE: usize = 1 << 9;
    pub(crate) const INT: usize = 1 << 24;
    pub(crate) const LIST: usize = 1 << 25;
    pub(crate) const TUPLE: usize = 1 << 26;
    pub(crate) const BYTES: usize = 1 << 27;
    pub(crate) const TEXT: usize = 1 << 28;
    pub(crate) const DICT: usize = 1 << 29;
    pub(crate) const EXCEPTION: usize = 1 << 30;
    pub(crate) const TYPE: usize = 1 << 31;
}

/// The word at `offset` bytes behind `base`.
///
/// # Safety
///
/// Eight readable bytes must be there.
#[inline]
pub(super) unsafe fn word<T>(base: *const T, offset: usize) -> usize {
    // SAFETY: the caller promises readable memory; unaligned reads are allowed for.
    unsafe {
        base.cast::<u8>()
            .add(offset)
            .cast::<usize>()
            .read_unaligned()
    }
}

/// The object pointer at `offset` bytes behind `base`.
///
/// # Safety
///
/// Eight readable bytes must be there.
#[inline]
pub(super) unsafe fn object_at<T>(base: *const T, offset: usize) -> Object {
    // SAFETY: as the caller promises.
    unsafe { word(base, offset) as Object }
}

/// The type of `object`.
///
/// # Safety
///
/// `object` must be alive.
#[inline]
pub(super) unsafe fn type_of(object: Object) -> Type {
    // SAFETY: every object has its type at 8.
    unsafe { object_at(object, 8) }
}

/// `tp_flags` of a type.
///
/// # Safety
///
/// `class` must be a type object.
#[inline]
pub(super) unsafe fn flags_of(class: Type) -> usize {
    // SAFETY: as the caller promises.
    unsafe { word(class, type_offset::FLAGS) }
}

/// Whether a class is `base` or derived from it along the chain of first bases.
///
/// # Safety
///
/// `class` must be a type object or null.
pub(super) unsafe fn is_subtype(class: Type, base: Type) -> bool {
    if base.is_null() {
        return false;
    }
    let mut class = class;
    while !class.is_null() {
        if class == base {
            return true;
        }
        // SAFETY: `tp_base` is a type or null.
        class = unsafe { object_at(class, type_offset::BASE) };
    }
    false
}

/// `ob_size`.
///
/// # Safety
///
/// `object` must be a var-sized object.
#[inline]
pub(super) unsafe fn size_of(object: Object) -> usize {
    // SAFETY: as the caller promises.
    unsafe { word(object, 16) }
}

/// The layout of the running version: what differs between versions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Layout {
    /// The minor version: 9 for 3.9.
    pub(super) minor: u32,
    pub(super) tuple_items: usize,
    /// From a function to its code.
    pub(super) function_code: usize,
    /// Where a code object has the name of its file.
    pub(super) code_file_name: usize,
    text_compact: usize,
    text_ascii: usize,
    /// Whether an old pointer to UTF-16 or UCS-4 data can stand instead of canonical data.
    text_may_be_unready: bool,
}

/// An integer as read from memory.
pub(super) enum Int {
    /// It fits 64 bits.
    Small(i64),
    /// Two's complement, little endian, as short as possible but at least 9 bytes.
    Big(Vec<u8>),
}

/// Where a text's characters are.
#[derive(Clone, Copy)]
pub(super) struct Characters {
    pub(super) data: *const u8,
    /// Bytes a character takes: 1, 2 or 4.
    pub(super) width: usize,
    pub(super) len: usize,
    pub(super) ascii: bool,
}

impl Layout {
    pub(super) fn new(minor: u32) -> Layout {
        Layout {
            minor,
            tuple_items: if minor >= 14 { 32 } else { 24 },
            function_code: if minor >= 10 { 48 } else { 16 },
            code_file_name: if minor >= 11 { 112 } else { 104 },
            text_compact: if minor >= 12 { 56 } else { 72 },
            text_ascii: if minor >= 12 { 40 } else { 48 },
            text_may_be_unready: minor < 12,
        }
    }

    /// The items of a list.
    ///
    /// # Safety
    ///
    /// `list` must be a list and stay unchanged while the slice is used.
    pub(super) unsafe fn list_items<'a>(self, list: Object) -> &'a [Object] {
        // SAFETY: a list has its size at 16 and its items at 24.
        unsafe { slice(word(list, 24) as *const Object, size_of(list)) }
    }

    /// The items of a tuple.
    ///
    /// # Safety
    ///
    /// `tuple` must be a tuple and stay alive while the slice is used.
    pub(super) unsafe fn tuple_items<'a>(self, tuple: Object) -> &'a [Object] {
        // SAFETY: a tuple has its size at 16 and its items inline.
        unsafe {
            slice(
                tuple.cast::<u8>().add(self.tuple_items).cast(),
                size_of(tuple),
            )
        }
    }

    /// The members of a set in iteration order, at most `limit`.
    ///
    /// # Safety
    ///
    /// `set` must be a set or a frozenset.
    pub(super) unsafe fn set_items(self, set: Object, limit: usize) -> Vec<Object> {
        // SAFETY: a set has `used` at 24, `mask` at 32 and its table of (key, hash) at 40.
        unsafe {
            let used = word(set, 24);
            let slots = word(set, 32) + 1;
            let table = word(set, 40) as *const u8;
            let wanted = used.min(limit);
            let mut items = Vec::with_capacity(wanted);
            for slot in 0..slots {
                if items.len() >= wanted {
                    break;
                }
                let key = word(table, slot * 16);
                if key != 0 && word(table, slot * 16 + 8) as isize != -1 {
                    items.push(key as Object);
                }
            }
            items
        }
    }

    /// The items of a deque from `from` on, at most `limit`.
    ///
    /// # Safety
    ///
    /// `deque` must be a `collections.deque`.
    pub(super) unsafe fn deque_items(
        self,
        deque: Object,
        from: usize,
        limit: usize,
    ) -> Vec<Object> {
        const BLOCK: usize = 64;
        // SAFETY: a deque has its size at 16, its left block at 24 and the left index at 40; a block
        // is a link, 64 items and a link.
        unsafe {
            let len = size_of(deque);
            let mut block = word(deque, 24) as *const u8;
            let mut index = word(deque, 40);
            let wanted = len.saturating_sub(from).min(limit);
            let mut items = Vec::with_capacity(wanted);
            for position in 0..len {
                if items.len() >= wanted {
                    break;
                }
                if index == BLOCK {
                    block = word(block, 8 + BLOCK * 8) as *const u8;
                    index = 0;
                }
                if position >= from {
                    items.push(object_at(block, 8 + index * 8));
                }
                index += 1;
            }
            items
        }
    }

    /// The bytes of a bytes object.
    ///
    /// # Safety
    ///
    /// `bytes` must be a bytes object and stay alive while the slice is used.
    pub(super) unsafe fn bytes<'a>(self, bytes: Object) -> &'a [u8] {
        // SAFETY: bytes have their size at 16 and their data at 32.
        unsafe { slice(bytes.cast::<u8>().add(32), size_of(bytes)) }
    }

    /// The bytes of a bytearray.
    ///
    /// # Safety
    ///
    /// `bytearray` must be a bytearray and stay unchanged while the slice is used.
    pub(super) unsafe fn bytearray<'a>(self, bytearray: Object) -> &'a [u8] {
        // SAFETY: a bytearray has its size at 16 and the start of its data at 40.
        unsafe { slice(word(bytearray, 40) as *const u8, size_of(bytearray)) }
    }

    /// The value of an int.
    ///
    /// # Safety
    ///
    /// `int` must be an int or an instance of a subclass.
    #[inline]
    pub(super) unsafe fn int(self, int: Object) -> Int {
        // SAFETY: as below; one digit is there whenever the size is not 0.
        unsafe {
            // A bit that says nothing of the size marks what lives forever.
            let header = if self.minor >= 12 {
                word(int, 16) & !4
            } else {
                word(int, 16)
            };
            let digit = i64::from(int.cast::<u8>().add(24).cast::<u32>().read_unaligned());
            match header {
                8 if self.minor >= 12 => return Int::Small(digit),
                10 if self.minor >= 12 => return Int::Small(-digit),
                1 if self.minor < 12 => return Int::Small(digit),
                usize::MAX if self.minor < 12 => return Int::Small(-digit),
                _ => {}
            }
        }
        // SAFETY: the caller's.
        unsafe { self.long_int(int) }
    }

    unsafe fn long_int(self, int: Object) -> Int {
        // SAFETY: an int has its size or tag at 16 and 30-bit digits from 24 on.
        let (negative, digits): (bool, &[u32]) = unsafe {
            let header = word(int, 16);
            let (negative, count) = if self.minor >= 12 {
                (
                    header & 3 == 2,
                    if header & 3 == 1 { 0 } else { header >> 3 },
                )
            } else {
                let size = header as isize;
                (size < 0, size.unsigned_abs())
            };
            (negative, slice(int.cast::<u8>().add(24).cast(), count))
        };
        if digits.len() <= 2 {
            let mut value = 0_i64;
            for (index, digit) in digits.iter().enumerate() {
                value |= i64::from(*digit) << (30 * index);
            }
            return Int::Small(if negative { -value } else { value });
        }
        big(negative, digits)
    }

    /// Where the characters of a text are; `None` for a text without canonical data.
    ///
    /// # Safety
    ///
    /// `text` must be a str or an instance of a subclass.
    #[inline]
    pub(super) unsafe fn characters(self, text: Object) -> Option<Characters> {
        // SAFETY: a str has its length at 16, its state at 32, and its data behind the header, or
        // at a pointer behind the compact header when it is not compact.
        unsafe {
            let len = word(text, 16);
            let state = word(text, 32) as u32;
            let (kind, compact, ascii) = self.text_state(state);
            if !matches!(kind, 1 | 2 | 4) {
                return None;
            }
            if self.text_may_be_unready && state & (1 << 7) == 0 {
                return None;
            }
            let data = if !compact {
                word(text, self.text_compact) as *const u8
            } else if ascii {
                text.cast::<u8>().cast_const().add(self.text_ascii)
            } else {
                text.cast::<u8>().cast_const().add(self.text_compact)
            };
            (!data.is_null()).then_some(Characters {
                data,
                width: kind as usize,
                len,
                ascii,
            })
        }
    }

    fn text_state(self, state: u32) -> (u32, bool, bool) {
        (
            (state >> 2) & 7,
            state & (1 << 5) != 0,
            state & (1 << 6) != 0,
        )
    }

    /// The entries of a dict in the order of iteration, at most `limit`.
    ///
    /// # Safety
    ///
    /// `dict` must be a dict.
    pub(super) unsafe fn dict_entries(
        self,
        symbols: &Symbols,
        dict: Object,
        limit: usize,
    ) -> Vec<(Object, Object)> {
        let Some(next) = symbols.dict_next else {
            return Vec::new();
        };
        // SAFETY: `PyDict_Next` reads memory only; references are borrowed.
        unsafe {
            let mut entries = Vec::with_capacity(word(dict, 16).min(limit));
            let (mut position, mut key, mut value) =
                (0_isize, std::ptr::null_mut(), std::ptr::null_mut());
            while entries.len() < limit && next(dict, &mut position, &mut key, &mut value) != 0 {
                entries.push((key, value));
            }
            entries
        }
    }

    /// A number that changes whenever the dict does, or `None` where there is none.
    ///
    /// # Safety
    ///
    /// `dict` must be a dict that is alive; the interpreter's lock is held and no exception is pending.
    #[inline]
    pub(super) unsafe fn dict_version(self, dict: Object) -> Option<u64> {
        // SAFETY: a dict has its version at 24.
        let version = unsafe { word(dict, 24) } as u64;
        match self.minor {
            ..=11 => Some(version),
            // The low bits say who watches the dict.
            12 => Some(version >> 8),
            // What changes an instance changes the values it shares with its dict, not the version.
            // SAFETY: a dict has its values at 40 when it keeps them elsewhere.
            13 => unsafe { word(dict, 40) == 0 }.then_some(version >> 8),
            // SAFETY: the caller's.
            _ => unsafe { super::watch::version(dict) },
        }
    }

    /// A number that changes at least whenever the dict does; cheaper than its version.
    ///
    /// # Safety
    ///
    /// `dict` must be a dict that is alive.
    #[inline]
    pub(super) unsafe fn dict_mark(self, dict: Object) -> u64 {
        if self.minor >= 14 {
            return super::watch::changes();
        }
        // SAFETY: a dict has its version at 24.
        unsafe { word(dict, 24) as u64 }
    }

    /// The keys of an ordered dict in its own order.
    ///
    /// # Safety
    ///
    /// `dict` must be a `collections.OrderedDict`.
    pub(super) unsafe fn ordered_keys(self, dict: Object, limit: usize) -> Vec<Object> {
        const FIRST_NODE: usize = 48;
        // SAFETY: the pointer to the first node stands behind the dict; a node is a key, a hash and
        // the next node.
        unsafe {
            let mut keys = Vec::new();
            let mut node = word(dict, FIRST_NODE) as *const u8;
            while !node.is_null() && keys.len() < limit {
                keys.push(object_at(node, 0));
                node = word(node, 16) as *const u8;
            }
            keys
        }
    }
}

/// A slice that may be empty with a null pointer.
unsafe fn slice<'a, T>(data: *const T, len: usize) -> &'a [T] {
    if len == 0 || data.is_null() {
        return &[];
    }
    // SAFETY: the callers read pointer and length from one object.
    unsafe { std::slice::from_raw_parts(data, len) }
}

fn big(negative: bool, digits: &[u32]) -> Int {
    let mut bytes = Vec::with_capacity(digits.len() * 4 + 1);
    let (mut buffer, mut bits) = (0_u64, 0_u32);
    for digit in digits {
        buffer |= u64::from(*digit) << bits;
        bits += 30;
        while bits >= 8 {
            bytes.push(buffer as u8);
            buffer >>= 8;
            bits -= 8;
        }
    }
    bytes.push(buffer as u8);
    bytes.push(0);
    if negative {
        let mut carry = true;
        for byte in &mut bytes {
            let (value, overflow) = (!*byte).overflowing_add(u8::from(carry));
            *byte = value;
            carry = overflow;
        }
    }
    let filler = if negative { 0xff } else { 0 };
    while bytes.len() > 1
        && bytes[bytes.len() - 1] == filler
        && (bytes[bytes.len() - 2] & 0x80 != 0) == negative
    {
        bytes.pop();
    }
    if bytes.len() <= 8 {
        let mut value = [filler; 8];
        value[..bytes.len()].copy_from_slice(&bytes);
        return Int::Small(i64::from_le_bytes(value));
    }
    Int::Big(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(negative: bool, digits: &[u32], expected: i64) {
        match big(negative, digits) {
            Int::Small(value) => assert_eq!(value, expected),
            Int::Big(bytes) => panic!("{bytes:?} instead of {expected}"),
        }
    }

    #[test]
    fn integers_of_three_digits_fit_when_they_do() {
        check(false, &[0, 0, 1], 1 << 60);
        check(true, &[0, 0, 1], -(1 << 60));
        check(false, &[0x3fff_ffff, 0x3fff_ffff, 7], i64::MAX);
        check(true, &[0, 0, 8], i64::MIN);
    }

    #[test]
    fn larger_integers_are_twos_complement() {
        let Int::Big(bytes) = big(false, &[0, 0, 8]) else {
            panic!("2**63 does not fit");
        };
        assert_eq!(bytes, [0, 0, 0, 0, 0, 0, 0, 0x80, 0]);
        let Int::Big(bytes) = big(true, &[1, 0, 8]) else {
            panic!("-2**63-1 does not fit");
        };
        assert_eq!(bytes, [255, 255, 255, 255, 255, 255, 255, 0x7f, 255]);
    }
}
