//! What a value was when it was last recorded, small enough to compare at every line.
//!
//! A shadow holds no reference: scalars are compared by value, objects by the number under which
//! they are recorded. Equal shadows mean that recording the value again would say the same.

/// The last recorded state of one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Shadow {
    pub(super) kind: ShadowKind,
    pub(super) payload: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub(super) enum ShadowKind {
    /// No value.
    Unbound,
    /// One of the singletons; the payload is its tag.
    Singleton,
    Int,
    /// The payload is a hash of the digits.
    BigInt,
    Float,
    Complex,
    /// The payload is a hash of the length and the kept characters.
    Str,
    Bytes,
    /// The payload is the object's key in the table of objects.
    Object,
    /// Deeper than the limit; the payload is the address.
    TooDeep,
    Redacted,
    Unknown,
}

impl Default for Shadow {
    fn default() -> Shadow {
        Shadow::UNBOUND
    }
}

impl Shadow {
    /// A name without a value.
    pub(crate) const UNBOUND: Shadow = Shadow {
        kind: ShadowKind::Unbound,
        payload: 0,
    };
    /// A value that was not recorded because of its name.
    pub(crate) const REDACTED: Shadow = Shadow {
        kind: ShadowKind::Redacted,
        payload: 0,
    };
    /// Equal to no value that is read from the program.
    pub(crate) const UNKNOWN: Shadow = Shadow {
        kind: ShadowKind::Unknown,
        payload: 0,
    };

    /// Whether recording a value would say the same as when this shadow was made.
    #[inline]
    pub(crate) fn says_the_same(self, now: Shadow) -> bool {
        self == now && self.kind != ShadowKind::Unknown
    }

    pub(super) fn new(kind: ShadowKind, payload: u64) -> Shadow {
        Shadow { kind, payload }
    }
}

/// A quick hash of bytes; `seed` separates what must not be confused.
pub(super) fn hash(seed: u64, bytes: &[u8]) -> u64 {
    const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut state = seed ^ (bytes.len() as u64).wrapping_mul(MULTIPLIER);
    let mut mix = |value: u64| {
        let product = u128::from(state ^ value) * u128::from(MULTIPLIER | 1);
        state = (product as u64) ^ ((product >> 64) as u64) ^ state.rotate_left(29);
    };
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let mut word = [0; 8];
        word.copy_from_slice(chunk);
        mix(u64::from_le_bytes(word));
    }
    let rest = chunks.remainder();
    let mut word = [0; 8];
    word[..rest.len()].copy_from_slice(rest);
    mix(u64::from_le_bytes(word));
    mix(0x2545_f491_4f6c_dd1d);
    state
}

/// A hasher for addresses and ids.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct AddressHasher(u64);

impl std::hash::Hasher for AddressHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = hash(self.0, bytes);
    }

    fn write_u64(&mut self, value: u64) {
        let product = u128::from(value ^ self.0) * 0x9e37_79b9_7f4a_7c15;
        self.0 = (product as u64) ^ ((product >> 64) as u64);
    }

    fn write_usize(&mut self, value: usize) {
        self.write_u64(value as u64);
    }
}

/// A map from addresses or ids.
pub(super) type AddressMap<K, V> =
    std::collections::HashMap<K, V, std::hash::BuildHasherDefault<AddressHasher>>;
