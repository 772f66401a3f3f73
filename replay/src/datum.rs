//! Values that expressions work with: recorded ones, and those computed from them.
//!
//! A recorded object stays a reference, so that looking at one element of a large list never reads
//! the rest; only computed containers hold their elements.

use std::sync::Arc;

use num_bigint::BigInt;
use num_traits::{Signed as _, ToPrimitive as _};
use retrostep_trace::{ObjectId, Text, Unavailable, Value};

use crate::render::code_points;

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
    Type(TypeName),
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

/// The name of a type.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TypeName {
    /// The module that defines it: `builtins`, `shop.pricing`.
    pub module: Arc<str>,
    /// Its qualified name.
    pub qualified_name: Arc<str>,
}

impl TypeName {
    /// A type of the module `builtins`.
    pub(crate) fn builtin(name: &str) -> TypeName {
        TypeName {
            module: "builtins".into(),
            qualified_name: name.into(),
        }
    }

    /// As `repr` of the type writes it: with its module, unless that is `builtins`.
    pub(crate) fn display(&self) -> String {
        if &*self.module == "builtins" {
            self.qualified_name.to_string()
        } else {
            format!("{}.{}", self.module, self.qualified_name)
        }
    }
}

impl Datum {
    /// Complete text, encoded as recorded text is.
    pub(crate) fn text(kept: Vec<u8>) -> Datum {
        let len = code_points(&kept).count() as u64;
        Datum::Str(Text {
            kept: kept.into(),
            len,
        })
    }

    /// Complete text.
    pub(crate) fn str(text: &str) -> Datum {
        Datum::text(text.as_bytes().to_vec())
    }

    /// The recorded value that this is; `None` for computed containers.
    pub(crate) fn to_value(&self) -> Option<Value> {
        Some(match self {
            Datum::None => Value::None,
            Datum::Bool(value) => Value::Bool(*value),
            Datum::Int(value) => match value.to_i64() {
                Some(value) => Value::Int(value),
                None => {
                    let mut bytes = value.to_signed_bytes_le();
                    let sign = if value.is_negative() { 0xff } else { 0 };
                    bytes.resize(bytes.len().max(9), sign);
                    Value::BigInt(bytes.into())
                }
            },
            Datum::Float(value) => Value::Float(*value),
            Datum::Complex(real, imaginary) => Value::Complex(*real, *imaginary),
            Datum::Str(text) => Value::Str(text.clone()),
            Datum::Bytes(bytes) => Value::Bytes(bytes.clone()),
            Datum::Ellipsis => Value::Ellipsis,
            Datum::NotImplemented => Value::NotImplemented,
            Datum::Object(object) => Value::Object(*object),
            Datum::Unavailable(reason) => Value::Unavailable(*reason),
            _ => return None,
        })
    }

    /// An integer.
    pub(crate) fn int(value: impl Into<BigInt>) -> Datum {
        Datum::Int(Arc::new(value.into()))
    }
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
