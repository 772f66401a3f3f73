//! Which methods and slots of the built-in containers change them.

use std::ffi::CStr;

use super::super::raw::type_offset;

/// What a method may have done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// Something at the end of a list, when called without an argument that says otherwise.
    Tail,
    /// Something with the entry that the first argument names.
    Entry,
    /// Something with the element whose number the first argument is.
    Item,
    /// Anything.
    Whole,
}

/// Methods by type, with what they may have done.
pub(super) const METHOD_NAMES: &[(&CStr, &[(&CStr, Effect)])] = &[
    (
        c"list",
        &[
            (c"append", Effect::Tail),
            (c"pop", Effect::Tail),
            (c"extend", Effect::Whole),
            (c"insert", Effect::Whole),
            (c"remove", Effect::Whole),
            (c"clear", Effect::Whole),
            (c"sort", Effect::Whole),
            (c"reverse", Effect::Whole),
        ],
    ),
    (
        c"dict",
        &[
            (c"setdefault", Effect::Entry),
            (c"pop", Effect::Entry),
            (c"popitem", Effect::Whole),
            (c"update", Effect::Whole),
            (c"clear", Effect::Whole),
        ],
    ),
    (
        c"set",
        &[
            (c"add", Effect::Whole),
            (c"remove", Effect::Whole),
            (c"discard", Effect::Whole),
            (c"pop", Effect::Whole),
            (c"clear", Effect::Whole),
            (c"update", Effect::Whole),
            (c"difference_update", Effect::Whole),
            (c"intersection_update", Effect::Whole),
            (c"symmetric_difference_update", Effect::Whole),
        ],
    ),
    (
        c"bytearray",
        &[
            (c"append", Effect::Whole),
            (c"extend", Effect::Whole),
            (c"insert", Effect::Whole),
            (c"pop", Effect::Whole),
            (c"remove", Effect::Whole),
            (c"clear", Effect::Whole),
            (c"reverse", Effect::Whole),
        ],
    ),
    (
        c"deque",
        &[
            (c"append", Effect::Whole),
            (c"appendleft", Effect::Whole),
            (c"clear", Effect::Whole),
            (c"extend", Effect::Whole),
            (c"extendleft", Effect::Whole),
            (c"insert", Effect::Whole),
            (c"pop", Effect::Whole),
            (c"popleft", Effect::Whole),
            (c"remove", Effect::Whole),
            (c"reverse", Effect::Whole),
            (c"rotate", Effect::Whole),
        ],
    ),
    (c"defaultdict", &[(c"__missing__", Effect::Entry)]),
];

/// Slots that change a container: the table's place in the type, the slot's place in the table, its
/// signature, and the methods that call it.
pub(super) const SLOT_PLACES: &[(&CStr, usize, usize, Signature)] = &[
    (c"list", type_offset::AS_MAPPING, 16, Signature::Assign),
    (
        c"list",
        type_offset::AS_SEQUENCE,
        40,
        Signature::AssignIndex,
    ),
    (c"list", type_offset::AS_SEQUENCE, 64, Signature::Binary),
    (c"list", type_offset::AS_SEQUENCE, 72, Signature::Repeat),
    (c"dict", type_offset::AS_MAPPING, 16, Signature::Assign),
    (c"dict", type_offset::AS_NUMBER, 224, Signature::Binary),
    (c"set", type_offset::AS_NUMBER, 160, Signature::Binary),
    (c"set", type_offset::AS_NUMBER, 208, Signature::Binary),
    (c"set", type_offset::AS_NUMBER, 216, Signature::Binary),
    (c"set", type_offset::AS_NUMBER, 224, Signature::Binary),
    (c"bytearray", type_offset::AS_MAPPING, 16, Signature::Assign),
    (
        c"bytearray",
        type_offset::AS_SEQUENCE,
        40,
        Signature::AssignIndex,
    ),
    (
        c"bytearray",
        type_offset::AS_SEQUENCE,
        64,
        Signature::Binary,
    ),
    (
        c"bytearray",
        type_offset::AS_SEQUENCE,
        72,
        Signature::Repeat,
    ),
    (
        c"deque",
        type_offset::AS_SEQUENCE,
        40,
        Signature::AssignIndex,
    ),
    (c"deque", type_offset::AS_SEQUENCE, 64, Signature::Binary),
    (c"deque", type_offset::AS_SEQUENCE, 72, Signature::Repeat),
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Signature {
    Assign,
    AssignIndex,
    Binary,
    Repeat,
}
