//! Values without identity: numbers, text, bytes and the singletons, read from memory.

use retrostep_record_python_wire::message::{put, tag};

use super::raw::{self, Characters, Int, Object, word};
use super::shadow::{Shadow, ShadowKind, hash};
use super::{Values, raw::type_of};

impl Values {
    /// The shadow of a scalar; `None` for anything that has identity.
    ///
    /// # Safety
    ///
    /// `object` must be alive.
    #[inline]
    pub(super) unsafe fn scalar_shadow(&self, object: Object) -> Option<Shadow> {
        // SAFETY: the type decides how the object is read.
        unsafe {
            let class = type_of(object);
            let symbols = &self.symbols;
            if class == symbols.int {
                return Some(match self.layout.int(object) {
                    Int::Small(value) => Shadow::new(ShadowKind::Int, value as u64),
                    Int::Big(bytes) => Shadow::new(ShadowKind::BigInt, hash(0, &bytes)),
                });
            }
            if class == symbols.text {
                let payload = match self.layout.characters(object) {
                    Some(characters) => self.text_hash(characters),
                    None => object as u64,
                };
                return Some(Shadow::new(ShadowKind::Str, payload));
            }
            if class == symbols.float {
                return Some(Shadow::new(ShadowKind::Float, word(object, 16) as u64));
            }
            if let Some(tag) = self.singleton(object) {
                return Some(Shadow::new(ShadowKind::Singleton, u64::from(tag)));
            }
            if class == symbols.bytes {
                let bytes = self.layout.bytes(object);
                let kept = &bytes[..bytes.len().min(self.limits.string)];
                return Some(Shadow::new(
                    ShadowKind::Bytes,
                    hash(bytes.len() as u64, kept),
                ));
            }
            if class == symbols.complex {
                let parts = [
                    word(object, 16).to_le_bytes(),
                    word(object, 24).to_le_bytes(),
                ];
                return Some(Shadow::new(
                    ShadowKind::Complex,
                    hash(0, parts.as_flattened()),
                ));
            }
            None
        }
    }

    /// Appends a scalar and gives its shadow; `None`, and nothing appended, for anything else.
    ///
    /// # Safety
    ///
    /// `object` must be alive.
    pub(super) unsafe fn put_scalar(&self, value: &mut Vec<u8>, object: Object) -> Option<Shadow> {
        // SAFETY: the shadow's kind tells the type.
        unsafe {
            let shadow = self.scalar_shadow(object)?;
            match shadow.kind {
                ShadowKind::Singleton => value.push(shadow.payload as u8),
                ShadowKind::Int => put::int(value, shadow.payload as i64),
                ShadowKind::BigInt => {
                    if let Int::Big(bytes) = self.layout.int(object) {
                        value.push(tag::BIG_INT);
                        put::text(value, &bytes);
                    }
                }
                ShadowKind::Float => put::float(value, f64::from_bits(shadow.payload)),
                ShadowKind::Complex => {
                    value.push(tag::COMPLEX);
                    value.extend_from_slice(&word(object, 16).to_le_bytes());
                    value.extend_from_slice(&word(object, 24).to_le_bytes());
                }
                ShadowKind::Str => self.put_text(value, object),
                _ => {
                    let bytes = self.layout.bytes(object);
                    let kept = &bytes[..bytes.len().min(self.limits.string)];
                    put::string(value, tag::BYTES, bytes.len() as u64, kept);
                }
            }
            Some(shadow)
        }
    }

    /// Appends a scalar that an instance of a subclass holds, as its base class would be.
    ///
    /// # Safety
    ///
    /// `object` must be an instance of a subclass of int, float, complex, str or bytes.
    pub(super) unsafe fn put_base_scalar(&self, value: &mut Vec<u8>, object: Object) -> bool {
        // SAFETY: the flags of the type tell what it is; subclasses begin with their base's layout.
        unsafe {
            let flags = raw::flags_of(type_of(object));
            if flags & raw::flag::INT != 0 {
                match self.layout.int(object) {
                    Int::Small(small) => put::int(value, small),
                    Int::Big(bytes) => {
                        value.push(tag::BIG_INT);
                        put::text(value, &bytes);
                    }
                }
            } else if flags & raw::flag::TEXT != 0 {
                self.put_text(value, object);
            } else if flags & raw::flag::BYTES != 0 {
                let bytes = self.layout.bytes(object);
                let kept = &bytes[..bytes.len().min(self.limits.string)];
                put::string(value, tag::BYTES, bytes.len() as u64, kept);
            } else if raw::is_subtype(type_of(object), self.symbols.float) {
                put::float(value, f64::from_bits(word(object, 16) as u64));
            } else if raw::is_subtype(type_of(object), self.symbols.complex) {
                value.push(tag::COMPLEX);
                value.extend_from_slice(&word(object, 16).to_le_bytes());
                value.extend_from_slice(&word(object, 24).to_le_bytes());
            } else {
                return false;
            }
            true
        }
    }

    fn singleton(&self, object: Object) -> Option<u8> {
        let symbols = &self.symbols;
        for (singleton, tag) in [
            (symbols.none, tag::NONE),
            (symbols.yes, tag::TRUE),
            (symbols.no, tag::FALSE),
            (symbols.ellipsis, tag::ELLIPSIS),
            (symbols.not_implemented, tag::NOT_IMPLEMENTED),
        ] {
            if object == singleton {
                return Some(tag);
            }
        }
        None
    }

    unsafe fn text_hash(&self, characters: Characters) -> u64 {
        let kept = characters.len.min(self.limits.string) * characters.width;
        // SAFETY: the text has at least that many bytes.
        let bytes = unsafe { std::slice::from_raw_parts(characters.data, kept) };
        hash(
            (characters.len as u64) << 3 | characters.width as u64,
            bytes,
        )
    }

    unsafe fn put_text(&self, value: &mut Vec<u8>, object: Object) {
        // SAFETY: the caller knows that it is a text.
        unsafe {
            match self.layout.characters(object) {
                Some(characters) if characters.ascii => {
                    let kept = characters.len.min(self.limits.string);
                    let bytes = std::slice::from_raw_parts(characters.data, kept);
                    put::string(value, tag::STR, characters.len as u64, bytes);
                }
                Some(characters) => {
                    let mut kept = Vec::new();
                    utf8(&mut kept, characters, self.limits.string);
                    put::string(value, tag::STR, characters.len as u64, &kept);
                }
                None => value.extend_from_slice(&[tag::UNAVAILABLE, 4]),
            }
        }
    }

    /// A text as UTF-8 with lone surrogates as three bytes each, whole.
    ///
    /// # Safety
    ///
    /// `object` must be a str or an instance of a subclass.
    pub(super) unsafe fn text_bytes(&self, object: Object) -> Option<Vec<u8>> {
        // SAFETY: the caller's.
        unsafe {
            let characters = self.layout.characters(object)?;
            let mut bytes = Vec::with_capacity(characters.len);
            utf8(&mut bytes, characters, usize::MAX);
            Some(bytes)
        }
    }
}

/// Appends the first `limit` characters as UTF-8, lone surrogates as three bytes each.
unsafe fn utf8(out: &mut Vec<u8>, characters: Characters, limit: usize) {
    for index in 0..characters.len.min(limit) {
        // SAFETY: the index is inside the text and the width is its own.
        let code = unsafe {
            match characters.width {
                1 => u32::from(*characters.data.add(index)),
                2 => u32::from(characters.data.cast::<u16>().add(index).read_unaligned()),
                _ => characters.data.cast::<u32>().add(index).read_unaligned(),
            }
        };
        match code {
            0..=0x7f => out.push(code as u8),
            0x80..=0x7ff => out.extend_from_slice(&[0xc0 | (code >> 6) as u8, tail(code)]),
            0x800..=0xffff => {
                out.extend_from_slice(&[0xe0 | (code >> 12) as u8, tail(code >> 6), tail(code)]);
            }
            _ => out.extend_from_slice(&[
                0xf0 | (code >> 18) as u8,
                tail(code >> 12),
                tail(code >> 6),
                tail(code),
            ]),
        }
    }
}

fn tail(code: u32) -> u8 {
    0x80 | (code & 0x3f) as u8
}
