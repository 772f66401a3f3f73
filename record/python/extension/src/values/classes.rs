//! What is known of each class of the program: its shape, and how to find its attributes.

use std::ffi::CStr;

use super::attributes::AttributeName;
use super::raw::{self, Layout, Object, Type, flag, type_of, type_offset, word};
use super::symbols::Symbols;

/// How instances of a class are captured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    List,
    Tuple,
    Dict,
    OrderedDict,
    Set,
    FrozenSet,
    Deque,
    ByteArray,
    Cell,
    Instance,
    Exception,
    Function,
    Method,
    Builtin,
    MethodDescriptor,
    Class,
    Module,
    Generator,
    Enum,
    /// An instance of a subclass of int, float, str, bytes or complex.
    Scalar,
    /// Its C-implemented repr is safe to call.
    Repr,
    Datetime,
    Time,
    Fraction,
    Uuid,
    Path,
    Range,
    Slice,
    Buffer,
    /// A single number of numpy.
    NumpyScalar,
    MappingProxy,
    Opaque,
}

impl Shape {
    /// Whether the recorded contents can ever change.
    pub(super) fn mutable(self) -> bool {
        matches!(
            self,
            Shape::List
                | Shape::Dict
                | Shape::OrderedDict
                | Shape::Set
                | Shape::Deque
                | Shape::ByteArray
                | Shape::Cell
                | Shape::Instance
                | Shape::Exception
                | Shape::Buffer
                | Shape::MappingProxy
        )
    }
}

/// How the death of an instance is noticed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Death {
    /// `tp_dealloc` of exact list, tuple and dict: recursion is bounded here.
    Guarded,
    /// `tp_dealloc` of another C type.
    Dealloc,
    /// `tp_free`.
    Free,
    /// Not at all: identity ends when the type at the address is another one.
    Unnoticed,
}

/// A class of the program.
#[derive(Debug)]
pub(super) struct Class {
    /// Its number in the recording.
    pub(super) id: u64,
    pub(super) shape: Shape,
    pub(super) death: Death,
    /// Offset of the pointer to the instance dictionary, if it has a plain one.
    pub(super) dict_offset: isize,
    pub(super) basic_size: usize,
    pub(super) item_size: usize,
    pub(super) attributes: Attributes,
    /// The places in a named tuple whose fields are on the redaction list.
    pub(super) hidden_items: Vec<usize>,
    /// Names and offsets of slots, base classes first.
    pub(super) slots: Vec<(Box<[u8]>, usize)>,
    /// What the slots' names are in the recording, once one of its instances was.
    pub(super) slot_names: Vec<AttributeName>,
    /// `ht_cached_keys`, where instances keep their values inline.
    pub(super) flags: usize,
    pub(super) module: Vec<u8>,
    pub(super) qualified_name: Vec<u8>,
}

/// Where instances keep attributes outside slots.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attributes {
    None,
    /// A pointer to a dict at `dict_offset`.
    Plain,
    /// 3.11: values at -32, dict at -24.
    Managed11,
    /// 3.12: one tagged word at -24.
    Managed12,
    /// 3.13 and later: dict at -24, values inline behind the object.
    Managed13,
    /// 3.13 and later: dict at -24 only.
    ManagedDict13,
}

/// The static types found in modules when they are first needed.
#[derive(Clone, Copy, Debug)]
pub(super) struct WellKnown {
    pub(super) subtype_dealloc: usize,
}

/// The dictionary of a type, borrowed or null.
///
/// # Safety
///
/// `class` must be a type object.
pub(super) unsafe fn dict_of(symbols: &Symbols, class: Type) -> Object {
    // SAFETY: heap types keep their dictionary at 264 in all versions; static ones may keep it per
    // interpreter, which the function knows. The reference it gives is dropped at once: the type
    // keeps its dictionary.
    unsafe {
        let dict = raw::object_at(class, type_offset::DICT);
        if !dict.is_null() {
            return dict;
        }
        match (symbols.type_get_dict, symbols.decrement) {
            (Some(get), Some(decrement)) => {
                let dict = get(class);
                if !dict.is_null() {
                    decrement(dict);
                }
                dict
            }
            _ => std::ptr::null_mut(),
        }
    }
}

/// An entry of a type's own dictionary, borrowed or null.
///
/// # Safety
///
/// `class` must be a type object, and no exception may be lost: none is pending or it is saved.
pub(super) unsafe fn own(symbols: &Symbols, class: Type, name: &CStr) -> Object {
    // SAFETY: the keys of a type's dictionary are exact text, so the look-up runs no program code.
    unsafe {
        let dict = dict_of(symbols, class);
        match symbols.dict_get_string {
            Some(get) if !dict.is_null() => get(dict, name.as_ptr()),
            _ => std::ptr::null_mut(),
        }
    }
}

/// The first entry of that name along the chain of bases.
///
/// # Safety
///
/// As [`own`].
pub(super) unsafe fn inherited(symbols: &Symbols, class: Type, name: &CStr) -> Object {
    let mut class = class;
    while !class.is_null() {
        // SAFETY: as the caller promises; `tp_base` is a type or null.
        unsafe {
            let found = own(symbols, class, name);
            if !found.is_null() {
                return found;
            }
            class = raw::object_at(class, type_offset::BASE);
        }
    }
    std::ptr::null_mut()
}

/// Calls a getter that a C type defines, without asking the object's own class. New reference or null.
///
/// # Safety
///
/// `class` is the C type that defines `name` as a getter, and `object` is an instance of it.
pub(super) unsafe fn getter(symbols: &Symbols, class: Type, name: &CStr, object: Object) -> Object {
    type Get = unsafe extern "C" fn(Object, Object, Object) -> Object;
    // SAFETY: descriptors in a static C type have `tp_descr_get`.
    unsafe {
        let descriptor = own(symbols, class, name);
        if descriptor.is_null() {
            return std::ptr::null_mut();
        }
        let get = word(type_of(descriptor), type_offset::DESCR_GET);
        if get == 0 {
            return std::ptr::null_mut();
        }
        let get = std::mem::transmute::<usize, Get>(get);
        get(descriptor, object, type_of(object))
    }
}

impl Class {
    /// Looks at a class. No code of the program runs.
    ///
    /// # Safety
    ///
    /// `class` must be a type object; no exception may be pending.
    pub(super) unsafe fn new(
        symbols: &Symbols,
        layout: Layout,
        known: WellKnown,
        class: Type,
        names: (Vec<u8>, Vec<u8>),
    ) -> Class {
        let (module, qualified_name) = names;
        // SAFETY: as the caller promises; the offsets are those of every type object.
        unsafe {
            let flags = raw::flags_of(class);
            let heap = flags & flag::HEAP_TYPE != 0;
            let dealloc = word(class, type_offset::DEALLOC);
            let python = heap && dealloc == known.subtype_dealloc;
            let shape = shape(symbols, class, flags, python, &module, &qualified_name);
            let death = if class == symbols.list || class == symbols.tuple || class == symbols.dict
            {
                Death::Guarded
            } else if class == symbols.frame || class == symbols.traceback || class == symbols.code
            {
                Death::Unnoticed
            } else if python
                || matches!(
                    shape,
                    Shape::Set
                        | Shape::FrozenSet
                        | Shape::Deque
                        | Shape::ByteArray
                        | Shape::Exception
                        | Shape::Class
                )
            {
                Death::Free
            } else {
                Death::Dealloc
            };
            let dict_offset = word(class, type_offset::DICT_OFFSET) as isize;
            let attributes = attributes(layout.minor, flags, dict_offset);
            Class {
                id: 0,
                shape,
                death,
                dict_offset,
                basic_size: word(class, type_offset::BASIC_SIZE),
                item_size: word(class, type_offset::ITEM_SIZE),
                attributes,
                hidden_items: Vec::new(),
                slots: slots(class),
                slot_names: Vec::new(),
                flags,
                module,
                qualified_name,
            }
        }
    }
}

fn attributes(minor: u32, flags: usize, dict_offset: isize) -> Attributes {
    let managed = flags & flag::MANAGED_DICT != 0;
    match minor {
        11 if managed => Attributes::Managed11,
        12 if managed => Attributes::Managed12,
        13.. if managed && flags & flag::INLINE_VALUES != 0 => Attributes::Managed13,
        13.. if managed => Attributes::ManagedDict13,
        _ if dict_offset != 0 => Attributes::Plain,
        _ => Attributes::None,
    }
}

/// Names and offsets of the slots of a Python class, base classes first.
///
/// # Safety
///
/// `class` must be a type object.
pub(super) unsafe fn slots(class: Type) -> Vec<(Box<[u8]>, usize)> {
    const OBJECT_EX: i32 = 16;
    let mut chain = Vec::new();
    let mut class = class;
    // SAFETY: bases are types; members end with a null name and are 40 bytes each.
    unsafe {
        while !class.is_null() {
            if raw::flags_of(class) & flag::HEAP_TYPE != 0 {
                chain.push(class);
            }
            class = raw::object_at(class, type_offset::BASE);
        }
        let mut found = Vec::new();
        for class in chain.into_iter().rev() {
            let mut member = word(class, type_offset::MEMBERS) as *const u8;
            while !member.is_null() && word(member, 0) != 0 {
                let kind = member.add(8).cast::<i32>().read_unaligned();
                if kind == OBJECT_EX {
                    let name = CStr::from_ptr(word(member, 0) as *const _).to_bytes();
                    found.push((name.into(), word(member, 16)));
                }
                member = member.add(40);
            }
        }
        found
    }
}

unsafe fn shape(
    symbols: &Symbols,
    class: Type,
    flags: usize,
    python: bool,
    module: &[u8],
    name: &[u8],
) -> Shape {
    let is = |base: Type| {
        // SAFETY: both are types or null.
        unsafe { raw::is_subtype(class, base) }
    };
    if flags & flag::TYPE != 0 {
        return Shape::Class;
    }
    if flags & flag::EXCEPTION != 0 {
        return Shape::Exception;
    }
    // SAFETY: the metaclass of a class is a type; the look-up is by text in its dictionary.
    let member = !unsafe { inherited(symbols, class, c"_member_map_") }.is_null();
    if member && python {
        return Shape::Enum;
    }
    if flags & flag::LIST != 0 {
        return Shape::List;
    }
    if flags & flag::TUPLE != 0 {
        return Shape::Tuple;
    }
    if flags & flag::DICT != 0 {
        return if is(symbols.ordered_dict) {
            Shape::OrderedDict
        } else {
            Shape::Dict
        };
    }
    if flags & (flag::INT | flag::TEXT | flag::BYTES) != 0
        || is(symbols.float)
        || is(symbols.complex)
    {
        return Shape::Scalar;
    }
    for (base, shape) in [
        (symbols.set, Shape::Set),
        (symbols.frozenset, Shape::FrozenSet),
        (symbols.bytearray, Shape::ByteArray),
        (symbols.cell, Shape::Cell),
        (symbols.function, Shape::Function),
        (symbols.method, Shape::Method),
        (symbols.builtin, Shape::Builtin),
        (symbols.method_descriptor, Shape::MethodDescriptor),
        (symbols.wrapper_descriptor, Shape::MethodDescriptor),
        (symbols.module, Shape::Module),
        (symbols.generator, Shape::Generator),
        (symbols.coroutine, Shape::Generator),
        (symbols.async_generator, Shape::Generator),
        (symbols.range, Shape::Range),
        (symbols.slice, Shape::Slice),
        (symbols.memoryview, Shape::Buffer),
        (symbols.mapping_proxy, Shape::MappingProxy),
    ] {
        if is(base) {
            return shape;
        }
    }
    if !python {
        return match (module, name) {
            (b"collections", b"deque") => Shape::Deque,
            (b"datetime", b"date" | b"timedelta") => Shape::Repr,
            (b"datetime", b"datetime") => Shape::Datetime,
            (b"datetime", b"time") => Shape::Time,
            (b"decimal", b"Decimal") => Shape::Repr,
            (b"re", b"Pattern" | b"Match") => Shape::Repr,
            (b"array", b"array") | (b"numpy", b"ndarray") => Shape::Buffer,
            (
                b"numpy",
                b"bool" | b"bool_" | b"int8" | b"int16" | b"int32" | b"int64" | b"longlong"
                | b"uint8" | b"uint16" | b"uint32" | b"uint64" | b"ulonglong" | b"float16"
                | b"float32" | b"float64" | b"complex64" | b"complex128",
            ) => Shape::NumpyScalar,
            (b"types", b"SimpleNamespace") => Shape::Instance,
            _ => Shape::Opaque,
        };
    }
    // SAFETY: the base of a class is a type or null, and the name of a type is text with an end.
    unsafe {
        let mut base = raw::object_at(class, type_offset::BASE);
        while !base.is_null() {
            match CStr::from_ptr(word(base, 24) as *const _).to_bytes() {
                b"collections.deque" => return Shape::Deque,
                b"numpy.ndarray" | b"array.array" => return Shape::Buffer,
                _ => base = raw::object_at(base, type_offset::BASE),
            }
        }
    }
    match (module, name) {
        (b"fractions", b"Fraction") => Shape::Fraction,
        (b"uuid", b"UUID") => Shape::Uuid,
        (
            b"pathlib" | b"pathlib._local",
            b"PosixPath" | b"PurePosixPath" | b"Path" | b"PurePath",
        ) => Shape::Path,
        _ => Shape::Instance,
    }
}
