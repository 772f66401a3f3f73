//! Values that expressions work with: recorded ones, and those computed from them.
//!
//! A recorded object stays a reference, so that looking at one element of a large list never reads
//! the rest; only computed containers hold their elements.

use std::sync::Arc;

use num_bigint::BigInt;
use retrostep_trace::{ObjectId, Text, Unavailable, Value};

/// A value: recorded, or computed from recorded ones.
///
/// Equality between data is not Python's: see [`crate::Snapshot::evaluate`] for comparing values.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Datum {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer of any size.
    Int(Arc<BigInt>),
    /// A float.
    Float(f64),
    /// A complex number: real and imaginary part.
    Complex(f64, f64),
    /// Text, possibly shortened by the recorder.
    Str(Text),
    /// Bytes, possibly shortened by the recorder.
    Bytes(Text),
    /// `Ellipsis`.
    Ellipsis,
    /// `NotImplemented`.
    NotImplemented,
    /// A recorded object.
    Object(ObjectId),
    /// A computed list.
    List(Arc<[Datum]>),
    /// A computed tuple.
    Tuple(Arc<[Datum]>),
    /// A computed set, in order of first insertion.
    Set(Arc<[Datum]>),
    /// A computed frozenset, in order of first insertion.
    FrozenSet(Arc<[Datum]>),
    /// A computed dictionary.
    Dict(Arc<Dictionary>),
    /// A computed range: start, stop and step.
    Range(Arc<[BigInt; 3]>),
    /// A type, by its name.
    Type(Arc<str>),
    /// A built-in function or method, by its name.
    Builtin(Arc<str>),
    /// There was a value, but it was not recorded.
    Unavailable(Unavailable),
}

/// A computed dictionary's entries, in order of first insertion, without equal keys.
#[derive(Clone, Debug, Default)]
pub struct Dictionary {
    /// Keys with their values.
    pub entries: Vec<(Datum, Datum)>,
}

impl From<&Value> for Datum {
    fn from(value: &Value) -> Datum {
        match value {
            Value::None => Datum::None,
            Value::Bool(value) => Datum::Bool(*value),
            Value::Int(value) => Datum::Int(Arc::new(BigInt::from(*value))),
            Value::BigInt(bytes) => Datum::Int(Arc::new(BigInt::from_signed_bytes_le(bytes))),
            Value::Float(value) => Datum::Float(*value),
            Value::Complex(real, imaginary) => Datum::Complex(*real, *imaginary),
            Value::Str(text) => Datum::Str(text.clone()),
            Value::Bytes(bytes) => Datum::Bytes(bytes.clone()),
            Value::Ellipsis => Datum::Ellipsis,
            Value::NotImplemented => Datum::NotImplemented,
            Value::Object(object) => Datum::Object(*object),
            Value::Unavailable(reason) => Datum::Unavailable(*reason),
        }
    }
}
