//! The numbers of the instructions that matter here, per version.

use std::ffi::CStr;

use super::Values;
use super::operations::Operations;
use super::raw::{Int, type_of};
use crate::api::py;

/// An instruction that a version does not have.
const ABSENT: u16 = 256;

/// Instruction numbers of one version.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opcodes {
    pub(super) store_subscr: u16,
    pub(super) delete_subscr: u16,
    pub(super) store_attr: u16,
    pub(super) delete_attr: u16,
    pub(super) store_slice: u16,
    pub(super) binary_op: u16,
    pub(super) list_append: u16,
    pub(super) set_add: u16,
    pub(super) map_add: u16,
    pub(super) list_extend: u16,
    pub(super) dict_update: u16,
    pub(super) dict_merge: u16,
    pub(super) set_update: u16,
    pub(super) call: u16,
    pub(super) call_kw: u16,
    pub(super) call_function: u16,
    pub(super) call_function_kw: u16,
    pub(super) call_function_ex: u16,
    pub(super) call_method: u16,
    pub(super) delete_fast: u16,
    pub(super) extended_arg: u16,
    pub(super) return_value: u16,
    pub(super) return_const: u16,
    pub(super) reraise: u16,
    pub(super) raise_varargs: u16,
    pub(super) end_async_for: u16,
    pub(super) interpreter_exit: u16,
    pub(super) jump_forward: u16,
    pub(super) jump_backward: u16,
    pub(super) jump_backward_no_interrupt: u16,
    /// In-place operators, where each is an instruction of its own.
    pub(super) in_place: &'static [u16],
    /// Jumps forward, where the depth of the stack has to be computed.
    pub(super) forward: &'static [u16],
}

const NONE: Opcodes = Opcodes {
    store_subscr: ABSENT,
    delete_subscr: ABSENT,
    store_attr: ABSENT,
    delete_attr: ABSENT,
    store_slice: ABSENT,
    binary_op: ABSENT,
    list_append: ABSENT,
    set_add: ABSENT,
    map_add: ABSENT,
    list_extend: ABSENT,
    dict_update: ABSENT,
    dict_merge: ABSENT,
    set_update: ABSENT,
    call: ABSENT,
    call_kw: ABSENT,
    call_function: ABSENT,
    call_function_kw: ABSENT,
    call_function_ex: ABSENT,
    call_method: ABSENT,
    delete_fast: ABSENT,
    extended_arg: ABSENT,
    return_value: ABSENT,
    return_const: ABSENT,
    reraise: ABSENT,
    raise_varargs: ABSENT,
    end_async_for: ABSENT,
    interpreter_exit: ABSENT,
    jump_forward: ABSENT,
    jump_backward: ABSENT,
    jump_backward_no_interrupt: ABSENT,
    in_place: &[],
    forward: &[],
};

const V3_9: Opcodes = Opcodes {
    store_subscr: 60,
    delete_subscr: 61,
    store_attr: 95,
    delete_attr: 96,
    list_append: 145,
    set_add: 146,
    map_add: 147,
    list_extend: 162,
    dict_update: 165,
    dict_merge: 164,
    set_update: 163,
    call_function: 131,
    call_function_kw: 141,
    call_function_ex: 142,
    call_method: 161,
    delete_fast: 126,
    extended_arg: 144,
    return_value: 83,
    reraise: 48,
    raise_varargs: 130,
    end_async_for: 54,
    jump_forward: 110,
    in_place: &[17, 28, 29, 55, 56, 57, 59, 67, 75, 76, 77, 78, 79],
    ..NONE
};

const V3_10: Opcodes = Opcodes {
    store_subscr: 60,
    delete_subscr: 61,
    store_attr: 95,
    delete_attr: 96,
    list_append: 145,
    set_add: 146,
    map_add: 147,
    list_extend: 162,
    dict_update: 165,
    dict_merge: 164,
    set_update: 163,
    call_function: 131,
    call_function_kw: 141,
    call_function_ex: 142,
    call_method: 161,
    delete_fast: 126,
    extended_arg: 144,
    return_value: 83,
    reraise: 119,
    raise_varargs: 130,
    end_async_for: 54,
    jump_forward: 110,
    in_place: &[17, 28, 29, 55, 56, 57, 59, 67, 75, 76, 77, 78, 79],
    ..NONE
};

const V3_11: Opcodes = Opcodes {
    store_subscr: 60,
    delete_subscr: 61,
    store_attr: 95,
    delete_attr: 96,
    binary_op: 122,
    list_append: 145,
    set_add: 146,
    map_add: 147,
    list_extend: 162,
    dict_update: 165,
    dict_merge: 164,
    set_update: 163,
    call: 171,
    call_function_ex: 142,
    delete_fast: 126,
    extended_arg: 144,
    return_value: 83,
    reraise: 119,
    raise_varargs: 130,
    end_async_for: 54,
    jump_forward: 110,
    jump_backward: 140,
    jump_backward_no_interrupt: 134,
    ..NONE
};

const V3_12: Opcodes = Opcodes {
    store_subscr: 60,
    delete_subscr: 61,
    store_attr: 95,
    delete_attr: 96,
    store_slice: 27,
    binary_op: 122,
    list_append: 145,
    set_add: 146,
    map_add: 147,
    list_extend: 162,
    dict_update: 165,
    dict_merge: 164,
    set_update: 163,
    call: 171,
    call_function_ex: 142,
    delete_fast: 126,
    extended_arg: 144,
    return_value: 83,
    return_const: 121,
    reraise: 119,
    raise_varargs: 130,
    interpreter_exit: 3,
    jump_forward: 110,
    jump_backward: 140,
    jump_backward_no_interrupt: 134,
    forward: &[93, 110, 114, 115, 123, 128, 129],
    ..NONE
};

const V3_13: Opcodes = Opcodes {
    store_subscr: 39,
    delete_subscr: 9,
    store_attr: 108,
    delete_attr: 63,
    store_slice: 38,
    binary_op: 45,
    list_append: 80,
    set_add: 105,
    map_add: 95,
    list_extend: 81,
    dict_update: 69,
    dict_merge: 68,
    set_update: 107,
    call: 53,
    call_kw: 57,
    call_function_ex: 54,
    delete_fast: 65,
    extended_arg: 71,
    return_value: 36,
    return_const: 103,
    reraise: 102,
    raise_varargs: 101,
    interpreter_exit: 22,
    jump_forward: 79,
    jump_backward: 77,
    jump_backward_no_interrupt: 78,
    forward: &[72, 79, 97, 98, 99, 100, 104],
    ..NONE
};

impl Opcodes {
    /// The numbers of this version.
    pub(super) fn new(minor: u32) -> Opcodes {
        match minor {
            9 => V3_9,
            10 => V3_10,
            11 => V3_11,
            12 => V3_12,
            13 => V3_13,
            _ => NONE,
        }
    }
}

impl Values {
    /// Asks the standard library for the numbers of a version that has no table here.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held and no exception is pending.
    pub(super) unsafe fn learn_opcodes(&mut self) {
        const TABLED: u32 = 13;
        const MODULE: &CStr = c"_opcode_metadata";
        if self.layout.minor <= TABLED || self.opcodes.store_attr != ABSENT {
            return;
        }
        // SAFETY: the module holds tables only; it leaves no trace in the program's list of modules.
        unsafe {
            let modules = py::PyImport_GetModuleDict();
            let was_there = !py::PyDict_GetItemString(modules, MODULE.as_ptr()).is_null();
            let module = py::PyImport_ImportModule(MODULE.as_ptr());
            if module.is_null() {
                py::PyErr_Clear();
                return;
            }
            let map = py::PyDict_GetItemString(py::PyModule_GetDict(module), c"opmap".as_ptr());
            if !map.is_null() && type_of(map) == self.symbols.dict {
                let find = |name: &CStr| {
                    let number = py::PyDict_GetItemString(map, name.as_ptr());
                    if number.is_null() || type_of(number) != self.symbols.int {
                        return None;
                    }
                    match self.layout.int(number) {
                        Int::Small(number) => u16::try_from(number).ok().filter(|n| *n < ABSENT),
                        Int::Big(_) => None,
                    }
                };
                self.opcodes = self.opcodes.with(find);
                self.operations = Operations::learned(find);
            }
            py::Py_DecRef(module);
            if !was_there {
                py::PyDict_DelItemString(modules, MODULE.as_ptr());
            }
        }
    }
}

impl Opcodes {
    /// The numbers that `find` gives, for versions that keep the depth of the stack in the frame.
    fn with(mut self, find: impl Fn(&CStr) -> Option<u16>) -> Opcodes {
        for (place, name) in [
            (&mut self.store_subscr, c"STORE_SUBSCR"),
            (&mut self.delete_subscr, c"DELETE_SUBSCR"),
            (&mut self.store_attr, c"STORE_ATTR"),
            (&mut self.delete_attr, c"DELETE_ATTR"),
            (&mut self.store_slice, c"STORE_SLICE"),
            (&mut self.binary_op, c"BINARY_OP"),
            (&mut self.list_append, c"LIST_APPEND"),
            (&mut self.set_add, c"SET_ADD"),
            (&mut self.map_add, c"MAP_ADD"),
            (&mut self.list_extend, c"LIST_EXTEND"),
            (&mut self.dict_update, c"DICT_UPDATE"),
            (&mut self.dict_merge, c"DICT_MERGE"),
            (&mut self.set_update, c"SET_UPDATE"),
            (&mut self.call, c"CALL"),
            (&mut self.call_kw, c"CALL_KW"),
            (&mut self.call_function_ex, c"CALL_FUNCTION_EX"),
            (&mut self.delete_fast, c"DELETE_FAST"),
            (&mut self.extended_arg, c"EXTENDED_ARG"),
        ] {
            *place = find(name).unwrap_or(ABSENT);
        }
        self
    }
}
