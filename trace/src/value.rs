//! Recorded values: what a name, an attribute or an element held.
//!
//! A value is a scalar, or a reference to an object whose contents over time are recorded as
//! [`crate::Change`]s. Values are data only; how they are shown is decided by `replay`.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::ids::{ObjectId, TypeId};

/// One recorded value.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `None`.
    None,
    /// `True` or `False`.
    Bool(bool),
    /// An integer that fits 64 bits.
    Int(i64),
    /// A larger integer: two's complement, little endian, at least 9 bytes.
    BigInt(Arc<[u8]>),
    /// A float, exact. NaN payloads are kept.
    Float(f64),
    /// A complex number: real and imaginary part.
    Complex(f64, f64),
    /// Text, possibly shortened.
    Str(Text),
    /// Bytes, possibly shortened.
    Bytes(Text),
    /// `Ellipsis`.
    Ellipsis,
    /// `NotImplemented`.
    NotImplemented,
    /// A reference to an object. Its contents at a position come from the object's changes.
    Object(ObjectId),
    /// There is a value, but it was not recorded.
    Unavailable(Unavailable),
}

/// Why a value that existed was not recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Unavailable {
    /// Nested deeper than the recording's depth limit.
    TooDeep,
    /// Beyond the recording's limit of children, or text too long to keep at all.
    TooLarge,
    /// Its name is on the redaction list.
    Redacted,
    /// The compiler removed it.
    OptimisedOut,
    /// The recorder could not read it safely.
    Unreadable,
    /// It may have changed where the recorder could not see it.
    Unknown,
}

/// The kept beginning of a text or of bytes, with the true length.
///
/// For text, `kept` is UTF-8 in which lone surrogates are encoded as three bytes each
/// (Python's `surrogatepass`), cut between characters.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Text {
    /// The recorded bytes.
    pub kept: Arc<[u8]>,
    /// The true length: characters (code points) of text, bytes of bytes.
    pub len: u64,
}

/// The contents of an object at one moment.
#[derive(Clone, Debug, PartialEq)]
pub struct Content {
    /// What shape the contents have.
    pub kind: ObjectKind,
    /// The object's exact type.
    pub type_id: TypeId,
    /// The true number of elements or entries; 0 for objects that have only attributes.
    pub len: u64,
    /// Elements of sequences and sets, from index 0. Shorter than `len` when a limit cut it.
    pub items: Vec<Value>,
    /// Recorded elements beyond `items`, by index (a write behind the limit).
    pub sparse: BTreeMap<u64, Value>,
    /// Entries of mappings in iteration order. Fewer than `len` when a limit cut it.
    pub entries: Vec<(Value, Value)>,
    /// Attributes in definition order: instance dictionary and slots.
    pub attributes: Vec<(Arc<str>, Value)>,
    /// How many attributes a limit left out.
    pub attributes_omitted: u64,
    /// The text of an object that is shown as text: a number's digits, a path, a date,
    /// a function's qualified name. Exactly what the language's own `repr` puts inside or as the whole;
    /// see [`ObjectKind`].
    pub text: Option<Text>,
}

impl Content {
    /// Contents of the given kind and type with nothing in them.
    #[must_use]
    pub fn new(kind: ObjectKind, type_id: TypeId) -> Content {
        Content {
            kind,
            type_id,
            len: 0,
            items: Vec::new(),
            sparse: BTreeMap::new(),
            entries: Vec::new(),
            attributes: Vec::new(),
            attributes_omitted: 0,
            text: None,
        }
    }
}

/// The shape of an object's contents.
///
/// Subclasses of the built-in containers keep the container's kind and have attributes besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum ObjectKind {
    /// `list`: `items`.
    List = 0,
    /// `tuple`, named tuples included (their field names stand in [`crate::Type::fields`]): `items`.
    Tuple = 1,
    /// `dict`: `entries`.
    Dict = 2,
    /// `set`: `items` in iteration order.
    Set = 3,
    /// `frozenset`: `items` in iteration order.
    FrozenSet = 4,
    /// `collections.deque`: `items`.
    Deque = 5,
    /// `bytearray`: `text` holds the kept bytes, `len` the true length.
    ByteArray = 6,
    /// A closure cell: `items` holds its value, or nothing when it is empty.
    Cell = 7,
    /// A namespace (module globals, a class body while it runs): `entries` with text keys.
    Namespace = 8,
    /// An instance of a class: `attributes`.
    Instance = 9,
    /// An exception: `items` are its `args`, `attributes` the rest, `text` what `str()` of a plain
    /// built-in exception gives.
    Exception = 10,
    /// A function or method: `text` is its qualified name.
    Function = 11,
    /// A class: `text` is its qualified name.
    Class = 12,
    /// A module: `text` is its name.
    Module = 13,
    /// A generator, coroutine or asynchronous generator: `text` is its qualified name.
    Generator = 14,
    /// An enumeration member: `text` is its name, `items` holds its value.
    Enum = 15,
    /// Something whose `text` is its complete `repr` (a Decimal, a date, a path, a range, a compiled
    /// pattern): produced without running the program's code.
    Literal = 16,
    /// An array: `items` are the elements in row order, `text` describes shape and element type
    /// (`(2, 3) float64`).
    Array = 17,
    /// Anything else: only its type is known.
    Opaque = 18,
}

impl ObjectKind {
    /// Whether it is made of elements or entries that the program put there: `list`, `tuple` with named
    /// tuples, `dict`, `set`, `frozenset`, `deque`.
    #[must_use]
    pub fn is_collection(self) -> bool {
        matches!(
            self,
            ObjectKind::List
                | ObjectKind::Tuple
                | ObjectKind::Dict
                | ObjectKind::Set
                | ObjectKind::FrozenSet
                | ObjectKind::Deque
        )
    }
}
