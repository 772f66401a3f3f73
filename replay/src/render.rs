//! Values as text, as Python's `repr` writes them.

/// The most characters of a shown value, the `…` included.
pub const LIMIT: usize = 100;
