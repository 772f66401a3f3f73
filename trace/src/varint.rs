//! Numbers as bytes: LEB128 of at most ten bytes in its shortest form, and a checked reader.

/// Bytes that cannot be what the format says they are, with the rule they break.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed(pub(crate) &'static str);

pub(crate) type Decoded<T> = Result<T, Malformed>;

pub(crate) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

pub(crate) fn put_signed(out: &mut Vec<u8>, number: i64) {
    put(out, ((number << 1) ^ (number >> 63)) as u64);
}

/// `None` as 0, a number as one more than itself. `u64::MAX` cannot be told from `None`.
pub(crate) fn put_optional(out: &mut Vec<u8>, number: Option<u64>) {
    put(out, number.map_or(0, |number| number.wrapping_add(1)));
}

pub(crate) fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// The part of a buffer that is not yet read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Input<'a> {
        Input(bytes)
    }

    pub(crate) fn remaining(&self) -> usize {
        self.0.len()
    }

    #[inline]
    pub(crate) fn byte(&mut self) -> Decoded<u8> {
        let (&first, rest) = self.0.split_first().ok_or(Malformed("bytes are missing"))?;
        self.0 = rest;
        Ok(first)
    }

    pub(crate) fn take(&mut self, len: usize) -> Decoded<&'a [u8]> {
        let (taken, rest) = self
            .0
            .split_at_checked(len)
            .ok_or(Malformed("bytes are missing"))?;
        self.0 = rest;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Decoded<[u8; N]> {
        let (taken, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(Malformed("bytes are missing"))?;
        self.0 = rest;
        Ok(*taken)
    }

    #[inline]
    pub(crate) fn number(&mut self) -> Decoded<u64> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        self.long_number(first)
    }

    fn long_number(&mut self, first: u8) -> Decoded<u64> {
        let mut number = u64::from(first & 0x7f);
        let mut shift = 7;
        loop {
            let byte = self.byte()?;
            if shift == 63 && byte > 1 {
                return Err(Malformed("a number has more than 64 bits"));
            }
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                if byte == 0 {
                    return Err(Malformed("a number is not in its shortest form"));
                }
                return Ok(number);
            }
            shift += 7;
        }
    }

    #[inline]
    pub(crate) fn signed(&mut self) -> Decoded<i64> {
        let number = self.number()?;
        Ok((number >> 1) as i64 ^ -((number & 1) as i64))
    }

    pub(crate) fn number32(&mut self) -> Decoded<u32> {
        u32::try_from(self.number()?).map_err(|_| Malformed("a number has more than 32 bits"))
    }

    pub(crate) fn optional(&mut self) -> Decoded<Option<u64>> {
        Ok(self.number()?.checked_sub(1))
    }

    /// A count of things that take at least `least` bytes each in what remains.
    pub(crate) fn count(&mut self, least: usize) -> Decoded<usize> {
        let count = self.number()?;
        let limit = self.remaining() / least.max(1);
        match usize::try_from(count) {
            Ok(count) if count <= limit => Ok(count),
            _ => Err(Malformed("a count is larger than the bytes that hold it")),
        }
    }

    pub(crate) fn bytes(&mut self) -> Decoded<&'a [u8]> {
        let len = self.count(1)?;
        self.take(len)
    }

    pub(crate) fn text(&mut self) -> Decoded<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed("a name is not UTF-8"))
    }

    /// # Errors
    ///
    /// If something is left: every structure is read to its last byte.
    pub(crate) fn end(&self) -> Decoded<()> {
        if self.0.is_empty() {
            Ok(())
        } else {
            Err(Malformed("bytes are left over"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_survive_and_odd_forms_are_refused() {
        for number in [0, 1, 127, 128, 300, u64::from(u32::MAX), u64::MAX] {
            let mut out = Vec::new();
            put(&mut out, number);
            put_signed(&mut out, number as i64);
            let mut input = Input::new(&out);
            assert_eq!(input.number(), Ok(number));
            assert_eq!(input.signed(), Ok(number as i64));
            assert_eq!(input.end(), Ok(()));
        }
        assert!(Input::new(&[0x80, 0]).number().is_err());
        assert!(Input::new(&[0xff; 11]).number().is_err());
        assert!(Input::new(&[0x80]).number().is_err());
        assert!(
            Input::new(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2])
                .number()
                .is_err()
        );
    }
}
