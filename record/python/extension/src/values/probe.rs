//! The self-check of objects: one of each kind is made by the interpreter, and what is read of it from
//! memory must be what the interpreter's own functions say.
//!
//! Only reading is checked here; nothing is captured, hooked or kept.

use super::attributes::named_values;
use super::classes::{self, Class, WellKnown};
use super::raw::{self, Int, Layout, Object, object_at, type_of, type_offset, word};
use super::symbols::Symbols;
use crate::api::py;
use crate::layout::layout as interpreter_layout;
use crate::text::{bytes, text};

/// Makes `probes`, a list of (kind, object, what is expected of it).
pub(crate) const PROBES: &str = r"
__name__ = 'retrostep'
class Plain: pass
class Slotted: __slots__ = ('first', 'second')
class Text(str): pass
class Listed(list): pass
class Tupled(tuple): pass
def fill(target):
    target.first = 1.5
    target.second = 'text'
    return target
def keep(content):
    return lambda: content
fill(Plain())
shared = fill(Plain()).__dict__
asked = fill(Plain())
asked.__dict__
own = Plain()
own.__dict__ = {'first': 1.5, 'second': 'text'}
short = Plain()
short.second = 'text'
gaps = {n: str(n) for n in range(20)}
for n in range(5, 12): del gaps[n]
holes = set(range(3, 40))
for n in range(10, 20): holes.discard(n)
wide = '\u20ac\u0100'
cell = keep(gaps).__closure__[0]
both = [('first', 1.5), ('second', 'text')]
numbers = [0, 1, -1, 255, 2**30 - 1, 2**30, -2**30, 2**60 - 1, -2**60, 2**62, -2**63, 2**63, -2**100]
probes = [('int', n, n.to_bytes(20, 'little', signed=True)) for n in numbers]
probes += [('float', x, None) for x in (0.0, -0.0, 1.5, -1e300)]
probes += [('str', s, None) for s in ('', 'plain', 'caf\xe9', wide, 'a\U0001f600', '\ud800', Text('sub' + wide))]
probes += [('bytes', b, b) for b in (b'', b'\0\xff', b'more than eight')]
probes += [('bytearray', bytearray(b), b) for b in (b'a', b'more than eight')]
probes += [('list', x, tuple(x)) for x in ([], [1.5, 'text', None], list(range(300, 340)))]
probes += [('tuple', x, list(x)) for x in ((), (1.5, 'text', None))]
probes += [('set', x, list(x)) for x in (set(), {1.5, 'text'}, holes, frozenset((1, 2)))]
probes += [('dict', x, list(x.items())) for x in ({}, {'first': 1.5, 2: 'text'}, gaps, shared)]
probes += [('cell', cell, gaps)]
probes += [('function', fill, fill.__code__), ('code', fill.__code__, fill.__code__.co_filename)]
probes += [('instance', fill(kind()), both) for kind in (Plain, Slotted, Listed)]
probes += [('instance', fill(Tupled((1, 2, 3))), both), ('instance', asked, both), ('instance', own, both)]
probes += [('instance', short, both[1:]), ('instance', Plain(), []), ('instance', Slotted(), [])]
probes += [('type', kind, (kind.__flags__, kind.__basicsize__, kind.__itemsize__, kind.__dictoffset__, kind.__base__)) for kind in (int, list, Plain, Slotted, Text, Tupled)]
";

/// What of the objects is read differently, as sentences.
///
/// # Safety
///
/// `probes` is what [`PROBES`] made; the interpreter's lock is held and no exception is pending.
pub(crate) unsafe fn different(probes: Object) -> Vec<String> {
    let symbols = Symbols::new();
    let layout = Layout::new(u32::from(interpreter_layout().minor.0));
    let mut different = Vec::new();
    // SAFETY: the caller's; the list keeps what it holds.
    unsafe {
        for probe in elements(probes) {
            let part = |index| py::PyTuple_GetItem(probe, index);
            let (kind, object, expected) = (text(part(0)), part(1), part(2));
            let sentence = format!("{kind} objects are laid out differently");
            if !agrees(layout, &symbols, &kind, object, expected) && !different.contains(&sentence)
            {
                different.push(sentence);
            }
        }
        if !py::PyErr_Occurred().is_null() {
            py::PyErr_Clear();
        }
    }
    different
}

unsafe fn agrees(
    layout: Layout,
    symbols: &Symbols,
    kind: &str,
    object: Object,
    expected: Object,
) -> bool {
    // SAFETY: the caller's; the kind tells what the object is.
    unsafe {
        match kind {
            "int" => int(layout, object) == bytes(expected),
            "float" => word(object, 16) as u64 == py::PyFloat_AsDouble(object).to_bits(),
            "str" => characters(layout, object),
            "bytes" => layout.bytes(object) == bytes(expected),
            "bytearray" => layout.bytearray(object) == bytes(expected),
            "list" => layout.list_items(object) == elements(expected),
            "tuple" => {
                layout.tuple_items == interpreter_layout().tuple_items
                    && layout.tuple_items(object) == elements(expected)
            }
            "set" => layout.set_items(object, usize::MAX) == elements(expected),
            "dict" => dict(layout, symbols, object, expected),
            "cell" => object_at(object, 16) == expected,
            "function" => object_at(object, layout.function_code) == expected,
            "code" => object_at(object, layout.code_file_name) == expected,
            "instance" => attributes(layout, symbols, object) == pairs(expected),
            _ => class(object, expected),
        }
    }
}

/// The items of a list or tuple as the interpreter tells of them.
unsafe fn elements(object: Object) -> Vec<Object> {
    // SAFETY: the caller's.
    unsafe {
        if (*object).ob_type == py::PyList_Type() {
            return (0..py::PyList_Size(object))
                .map(|index| py::PyList_GetItem(object, index))
                .collect();
        }
        (0..py::PyTuple_Size(object))
            .map(|index| py::PyTuple_GetItem(object, index))
            .collect()
    }
}

unsafe fn pairs(object: Object) -> Vec<(Object, Object)> {
    // SAFETY: the caller's: a list of pairs.
    unsafe {
        elements(object)
            .into_iter()
            .map(|pair| (py::PyTuple_GetItem(pair, 0), py::PyTuple_GetItem(pair, 1)))
            .collect()
    }
}

/// An int as 20 bytes, two's complement.
unsafe fn int(layout: Layout, object: Object) -> Vec<u8> {
    // SAFETY: the caller's.
    let mut found = match unsafe { layout.int(object) } {
        Int::Small(value) => value.to_le_bytes().to_vec(),
        Int::Big(bytes) => bytes,
    };
    let is_negative = found.last().is_some_and(|byte| byte & 0x80 != 0);
    found.resize(20, if is_negative { 0xff } else { 0 });
    found
}

unsafe fn characters(layout: Layout, object: Object) -> bool {
    // SAFETY: the caller's; a text has as many characters as it says.
    unsafe {
        let Some(found) = layout.characters(object) else {
            return false;
        };
        let len = py::PyUnicode_GetLength(object);
        usize::try_from(len) == Ok(found.len)
            && (0..len).zip(0_usize..).all(|(index, place)| {
                let character = match found.width {
                    1 => u32::from(*found.data.add(place)),
                    2 => u32::from(found.data.cast::<u16>().add(place).read_unaligned()),
                    _ => found.data.cast::<u32>().add(place).read_unaligned(),
                };
                character == py::PyUnicode_ReadChar(object, index)
                    && (!found.ascii || character < 0x80)
            })
    }
}

/// The entries and the version, which must change when an entry comes.
unsafe fn dict(layout: Layout, symbols: &Symbols, object: Object, expected: Object) -> bool {
    // SAFETY: the caller's; the dict is the probe's own.
    unsafe {
        let expected = pairs(expected);
        let agrees = word(object, 16) == expected.len()
            && layout.dict_entries(symbols, object, usize::MAX) == expected;
        let before = layout.dict_version(object);
        py::PyDict_SetItemString(object, c"another".as_ptr(), object_of(&expected, object));
        agrees && (before.is_none() || before != layout.dict_version(object))
    }
}

/// Any value for a new entry that does not make the dict refer to itself.
fn object_of(entries: &[(Object, Object)], dict: Object) -> Object {
    // SAFETY: the type of a live object is alive.
    entries
        .first()
        .map_or_else(|| unsafe { type_of(dict) }, |(_, value)| *value)
}

/// Slots, then the instance dictionary.
unsafe fn attributes(layout: Layout, symbols: &Symbols, object: Object) -> Vec<(Object, Object)> {
    const NOTHING: WellKnown = WellKnown { subtype_dealloc: 0 };
    // SAFETY: the caller's; a name that is interned is the same object everywhere.
    unsafe {
        let class = Class::new(
            symbols,
            layout,
            NOTHING,
            type_of(object),
            (Vec::new(), Vec::new()),
        );
        let slots = classes::slots(type_of(object)).into_iter();
        let mut found: Vec<(Object, Object)> = slots
            .filter_map(|(name, offset)| {
                let name = std::ffi::CString::new(name.into_vec()).ok()?;
                let name = py::PyUnicode_InternFromString(name.as_ptr());
                let value = object_at(object, offset);
                // The class keeps the name too.
                (!value.is_null()).then(|| (crate::ask::borrowed(name), value))
            })
            .collect();
        found.extend(named_values(layout, symbols, &class, object));
        found
    }
}

unsafe fn class(object: Object, expected: Object) -> bool {
    // Comes and goes with the look-up of attributes.
    const VALID_VERSION: i64 = 1 << 19;
    // SAFETY: the caller's: a class, and its numbers and base.
    unsafe {
        let expected = elements(expected);
        let &[flags, basic_size, item_size, dict_offset, base] = expected.as_slice() else {
            return false;
        };
        let same = |offset, number| word(object, offset) as i64 == py::PyLong_AsLong(number);
        (raw::flags_of(object) as i64 ^ py::PyLong_AsLong(flags)) & !VALID_VERSION == 0
            && same(type_offset::BASIC_SIZE, basic_size)
            && same(type_offset::ITEM_SIZE, item_size)
            && same(type_offset::DICT_OFFSET, dict_offset)
            && object_at(object, type_offset::BASE) == base
    }
}
