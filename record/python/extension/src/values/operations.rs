//! What each instruction does to the operand stack and to variables, as far as it matters for telling
//! where the operands of others come from. An instruction that is not named here may do anything.

use std::ffi::CStr;

/// An instruction that a version does not have.
const X: u16 = 256;

/// What one instruction does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Operation {
    /// Anything: nothing is known of the stack afterwards.
    Unknown,
    /// Binds or deletes the variable of its argument.
    Bind,
    /// Binds two variables, one of each half of its argument.
    BindTwo,
    /// Binds a variable and pushes another.
    BindLoad,
    /// Pushes a variable and unbinds it.
    LoadClear,
    /// Pushes a variable.
    Load,
    /// Pushes two variables.
    LoadTwo,
    LoadConstant,
    LoadGlobal,
    /// Pushes something.
    LoadOther,
    PushNull,
    LoadMethod,
    LoadAttribute,
    /// Replaces so many by something.
    Replace(u8),
    /// A binary operator, in place or not.
    Operator,
    /// A binary operator in place.
    InPlace,
    /// Makes one of as many as the argument says.
    Build,
    BuildPairs,
    BuildKeyed,
    Format,
    Copy,
    Swap,
    Duplicate(u8),
    Rotate(u8),
    Nothing,
    Pop(u8),
    StoreItem,
    StoreAttribute,
    /// From 3.11; its form is that of the version.
    Call,
    CallNames,
    CallFunction,
    CallFunctionNames,
    CallMethod,
    Jump(Jump),
}

/// How a jump says where it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Jump {
    /// So far behind the next instruction.
    Forward,
    /// As [`Jump::Forward`], whenever an exception happens from here on.
    Handler,
    /// So far before the next instruction.
    Backward,
    /// To an instruction's place up to 3.10, forward since.
    ByVersion,
}

/// The operations of one version, by number.
#[derive(Clone, Copy)]
pub(super) struct Operations([Operation; 256]);

impl std::fmt::Debug for Operations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Operations").finish_non_exhaustive()
    }
}

impl Operations {
    /// Those of a version that has a table here; of another, none is known.
    pub(super) fn new(minor: u32) -> Operations {
        let column = minor
            .checked_sub(9)
            .and_then(|column| usize::try_from(column).ok());
        Operations::with(|_, numbers| column.and_then(|column| numbers.get(column).copied()))
    }

    /// Those whose numbers `find` gives.
    pub(super) fn learned(find: impl Fn(&CStr) -> Option<u16>) -> Operations {
        Operations::with(|name, _| find(name))
    }

    fn with(number: impl Fn(&CStr, &[u16; 5]) -> Option<u16>) -> Operations {
        let mut all = [Operation::Unknown; 256];
        for (name, operation, numbers) in &ROWS {
            let place = number(name, numbers).and_then(|number| all.get_mut(usize::from(number)));
            if let Some(place) = place {
                *place = *operation;
            }
        }
        Operations(all)
    }

    pub(super) fn of(&self, opcode: u16) -> Operation {
        let found = self.0.get(usize::from(opcode));
        found.copied().unwrap_or(Operation::Unknown)
    }
}

/// Names, what they do, and their numbers from 3.9 to 3.13.
const ROWS: [(&CStr, Operation, [u16; 5]); 123] = [
    (c"STORE_FAST", Operation::Bind, [125, 125, 125, 125, 110]),
    (c"DELETE_FAST", Operation::Bind, [126, 126, 126, 126, 65]),
    (c"STORE_FAST_MAYBE_NULL", Operation::Bind, [X, X, X, X, X]),
    (
        c"STORE_FAST_STORE_FAST",
        Operation::BindTwo,
        [X, X, X, X, 112],
    ),
    (
        c"STORE_FAST_LOAD_FAST",
        Operation::BindLoad,
        [X, X, X, X, 111],
    ),
    (
        c"LOAD_FAST_AND_CLEAR",
        Operation::LoadClear,
        [X, X, X, 143, 86],
    ),
    (c"LOAD_FAST", Operation::Load, [124, 124, 124, 124, 85]),
    (c"LOAD_FAST_CHECK", Operation::Load, [X, X, X, 127, 87]),
    (c"LOAD_FAST_BORROW", Operation::Load, [X, X, X, X, X]),
    (c"LOAD_FAST_LOAD_FAST", Operation::LoadTwo, [X, X, X, X, 88]),
    (
        c"LOAD_FAST_BORROW_LOAD_FAST_BORROW",
        Operation::LoadTwo,
        [X, X, X, X, X],
    ),
    (
        c"LOAD_CONST",
        Operation::LoadConstant,
        [100, 100, 100, 100, 83],
    ),
    (
        c"LOAD_GLOBAL",
        Operation::LoadGlobal,
        [116, 116, 116, 116, 91],
    ),
    (c"LOAD_SMALL_INT", Operation::LoadOther, [X, X, X, X, X]),
    (c"LOAD_NAME", Operation::LoadOther, [101, 101, 101, 101, 92]),
    (
        c"LOAD_DEREF",
        Operation::LoadOther,
        [136, 136, 137, 137, 84],
    ),
    (
        c"LOAD_CLOSURE",
        Operation::LoadOther,
        [135, 135, 136, 136, X],
    ),
    (c"PUSH_NULL", Operation::PushNull, [X, X, 2, 2, 34]),
    (c"LOAD_METHOD", Operation::LoadMethod, [160, 160, 160, X, X]),
    (
        c"LOAD_ATTR",
        Operation::LoadAttribute,
        [106, 106, 106, 106, 82],
    ),
    (c"UNARY_POSITIVE", Operation::Replace(1), [10, 10, 10, X, X]),
    (
        c"UNARY_NEGATIVE",
        Operation::Replace(1),
        [11, 11, 11, 11, 42],
    ),
    (c"UNARY_NOT", Operation::Replace(1), [12, 12, 12, 12, 43]),
    (c"UNARY_INVERT", Operation::Replace(1), [15, 15, 15, 15, 41]),
    (c"GET_ITER", Operation::Replace(1), [68, 68, 68, 68, 19]),
    (c"TO_BOOL", Operation::Replace(1), [X, X, X, X, 40]),
    (
        c"CALL_INTRINSIC_1",
        Operation::Replace(1),
        [X, X, X, 173, 55],
    ),
    (c"CONVERT_VALUE", Operation::Replace(1), [X, X, X, X, 60]),
    (c"FORMAT_SIMPLE", Operation::Replace(1), [X, X, X, X, 14]),
    (
        c"COMPARE_OP",
        Operation::Replace(2),
        [107, 107, 107, 107, 58],
    ),
    (
        c"CONTAINS_OP",
        Operation::Replace(2),
        [118, 118, 118, 118, 59],
    ),
    (c"IS_OP", Operation::Replace(2), [117, 117, 117, 117, 76]),
    (c"BINARY_SUBSCR", Operation::Replace(2), [25, 25, 25, 25, 5]),
    (c"FORMAT_WITH_SPEC", Operation::Replace(2), [X, X, X, X, 15]),
    (c"BINARY_POWER", Operation::Replace(2), [19, 19, X, X, X]),
    (c"BINARY_MULTIPLY", Operation::Replace(2), [20, 20, X, X, X]),
    (c"BINARY_MODULO", Operation::Replace(2), [22, 22, X, X, X]),
    (c"BINARY_ADD", Operation::Replace(2), [23, 23, X, X, X]),
    (c"BINARY_SUBTRACT", Operation::Replace(2), [24, 24, X, X, X]),
    (
        c"BINARY_FLOOR_DIVIDE",
        Operation::Replace(2),
        [26, 26, X, X, X],
    ),
    (
        c"BINARY_TRUE_DIVIDE",
        Operation::Replace(2),
        [27, 27, X, X, X],
    ),
    (c"BINARY_LSHIFT", Operation::Replace(2), [62, 62, X, X, X]),
    (c"BINARY_RSHIFT", Operation::Replace(2), [63, 63, X, X, X]),
    (c"BINARY_AND", Operation::Replace(2), [64, 64, X, X, X]),
    (c"BINARY_XOR", Operation::Replace(2), [65, 65, X, X, X]),
    (c"BINARY_OR", Operation::Replace(2), [66, 66, X, X, X]),
    (
        c"BINARY_MATRIX_MULTIPLY",
        Operation::Replace(2),
        [16, 16, X, X, X],
    ),
    (c"BINARY_SLICE", Operation::Replace(3), [X, X, X, 26, 4]),
    (c"BINARY_OP", Operation::Operator, [X, X, 122, 122, 45]),
    (c"INPLACE_POWER", Operation::InPlace, [67, 67, X, X, X]),
    (c"INPLACE_MULTIPLY", Operation::InPlace, [57, 57, X, X, X]),
    (c"INPLACE_MODULO", Operation::InPlace, [59, 59, X, X, X]),
    (c"INPLACE_ADD", Operation::InPlace, [55, 55, X, X, X]),
    (c"INPLACE_SUBTRACT", Operation::InPlace, [56, 56, X, X, X]),
    (
        c"INPLACE_FLOOR_DIVIDE",
        Operation::InPlace,
        [28, 28, X, X, X],
    ),
    (
        c"INPLACE_TRUE_DIVIDE",
        Operation::InPlace,
        [29, 29, X, X, X],
    ),
    (c"INPLACE_LSHIFT", Operation::InPlace, [75, 75, X, X, X]),
    (c"INPLACE_RSHIFT", Operation::InPlace, [76, 76, X, X, X]),
    (c"INPLACE_AND", Operation::InPlace, [77, 77, X, X, X]),
    (c"INPLACE_XOR", Operation::InPlace, [78, 78, X, X, X]),
    (c"INPLACE_OR", Operation::InPlace, [79, 79, X, X, X]),
    (
        c"INPLACE_MATRIX_MULTIPLY",
        Operation::InPlace,
        [17, 17, X, X, X],
    ),
    (c"BUILD_LIST", Operation::Build, [103, 103, 103, 103, 47]),
    (c"BUILD_TUPLE", Operation::Build, [102, 102, 102, 102, 52]),
    (c"BUILD_SET", Operation::Build, [104, 104, 104, 104, 49]),
    (c"BUILD_STRING", Operation::Build, [157, 157, 157, 157, 51]),
    (c"BUILD_SLICE", Operation::Build, [133, 133, 133, 133, 50]),
    (
        c"BUILD_MAP",
        Operation::BuildPairs,
        [105, 105, 105, 105, 48],
    ),
    (
        c"BUILD_CONST_KEY_MAP",
        Operation::BuildKeyed,
        [156, 156, 156, 156, 46],
    ),
    (c"FORMAT_VALUE", Operation::Format, [155, 155, 155, 155, X]),
    (c"COPY", Operation::Copy, [X, X, 120, 120, 61]),
    (c"SWAP", Operation::Swap, [X, X, 99, 99, 115]),
    (c"DUP_TOP", Operation::Duplicate(1), [4, 4, X, X, X]),
    (c"DUP_TOP_TWO", Operation::Duplicate(2), [5, 5, X, X, X]),
    (c"ROT_TWO", Operation::Rotate(2), [2, 2, X, X, X]),
    (c"ROT_THREE", Operation::Rotate(3), [3, 3, X, X, X]),
    (c"NOP", Operation::Nothing, [9, 9, 9, 9, 30]),
    (c"CACHE", Operation::Nothing, [X, X, 0, 0, 0]),
    (c"RESUME", Operation::Nothing, [X, X, 151, 151, 149]),
    (
        c"EXTENDED_ARG",
        Operation::Nothing,
        [144, 144, 144, 144, 71],
    ),
    (c"MAKE_CELL", Operation::Nothing, [X, X, 135, 135, 94]),
    (c"COPY_FREE_VARS", Operation::Nothing, [X, X, 149, 149, 62]),
    (c"PRECALL", Operation::Nothing, [X, X, 166, X, X]),
    (c"KW_NAMES", Operation::Nothing, [X, X, 172, 172, X]),
    (c"NOT_TAKEN", Operation::Nothing, [X, X, X, X, X]),
    (c"DELETE_GLOBAL", Operation::Nothing, [98, 98, 98, 98, 66]),
    (c"DELETE_NAME", Operation::Nothing, [91, 91, 91, 91, 67]),
    (
        c"DELETE_DEREF",
        Operation::Nothing,
        [138, 138, 139, 139, 64],
    ),
    (c"POP_TOP", Operation::Pop(1), [1, 1, 1, 1, 32]),
    (c"STORE_GLOBAL", Operation::Pop(1), [97, 97, 97, 97, 113]),
    (c"STORE_NAME", Operation::Pop(1), [90, 90, 90, 90, 114]),
    (c"STORE_DEREF", Operation::Pop(1), [137, 137, 138, 138, 109]),
    (c"STORE_SUBSCR", Operation::StoreItem, [60, 60, 60, 60, 39]),
    (
        c"STORE_ATTR",
        Operation::StoreAttribute,
        [95, 95, 95, 95, 108],
    ),
    (c"CALL", Operation::Call, [X, X, 171, 171, 53]),
    (c"CALL_KW", Operation::CallNames, [X, X, X, X, 57]),
    (
        c"CALL_FUNCTION",
        Operation::CallFunction,
        [131, 131, X, X, X],
    ),
    (
        c"CALL_FUNCTION_KW",
        Operation::CallFunctionNames,
        [141, 141, X, X, X],
    ),
    (c"CALL_METHOD", Operation::CallMethod, [161, 161, X, X, X]),
    (
        c"JUMP_FORWARD",
        Operation::Jump(Jump::Forward),
        [110, 110, 110, 110, 79],
    ),
    (
        c"FOR_ITER",
        Operation::Jump(Jump::Forward),
        [93, 93, 93, 93, 72],
    ),
    (
        c"SEND",
        Operation::Jump(Jump::Forward),
        [X, X, 123, 123, 104],
    ),
    (
        c"SETUP_FINALLY",
        Operation::Jump(Jump::Handler),
        [122, 122, X, X, X],
    ),
    (
        c"SETUP_WITH",
        Operation::Jump(Jump::Handler),
        [143, 143, X, X, X],
    ),
    (
        c"SETUP_ASYNC_WITH",
        Operation::Jump(Jump::Handler),
        [154, 154, X, X, X],
    ),
    (
        c"POP_JUMP_FORWARD_IF_FALSE",
        Operation::Jump(Jump::Forward),
        [X, X, 114, X, X],
    ),
    (
        c"POP_JUMP_FORWARD_IF_TRUE",
        Operation::Jump(Jump::Forward),
        [X, X, 115, X, X],
    ),
    (
        c"POP_JUMP_FORWARD_IF_NONE",
        Operation::Jump(Jump::Forward),
        [X, X, 129, X, X],
    ),
    (
        c"POP_JUMP_FORWARD_IF_NOT_NONE",
        Operation::Jump(Jump::Forward),
        [X, X, 128, X, X],
    ),
    (
        c"POP_JUMP_IF_NONE",
        Operation::Jump(Jump::Forward),
        [X, X, X, 129, 98],
    ),
    (
        c"POP_JUMP_IF_NOT_NONE",
        Operation::Jump(Jump::Forward),
        [X, X, X, 128, 99],
    ),
    (
        c"JUMP_BACKWARD",
        Operation::Jump(Jump::Backward),
        [X, X, 140, 140, 77],
    ),
    (
        c"JUMP_BACKWARD_NO_INTERRUPT",
        Operation::Jump(Jump::Backward),
        [X, X, 134, 134, 78],
    ),
    (
        c"POP_JUMP_BACKWARD_IF_FALSE",
        Operation::Jump(Jump::Backward),
        [X, X, 175, X, X],
    ),
    (
        c"POP_JUMP_BACKWARD_IF_TRUE",
        Operation::Jump(Jump::Backward),
        [X, X, 176, X, X],
    ),
    (
        c"POP_JUMP_BACKWARD_IF_NONE",
        Operation::Jump(Jump::Backward),
        [X, X, 174, X, X],
    ),
    (
        c"POP_JUMP_BACKWARD_IF_NOT_NONE",
        Operation::Jump(Jump::Backward),
        [X, X, 173, X, X],
    ),
    (
        c"JUMP_ABSOLUTE",
        Operation::Jump(Jump::ByVersion),
        [113, 113, X, X, X],
    ),
    (
        c"JUMP_IF_FALSE_OR_POP",
        Operation::Jump(Jump::ByVersion),
        [111, 111, 111, X, X],
    ),
    (
        c"JUMP_IF_TRUE_OR_POP",
        Operation::Jump(Jump::ByVersion),
        [112, 112, 112, X, X],
    ),
    (
        c"POP_JUMP_IF_FALSE",
        Operation::Jump(Jump::ByVersion),
        [114, 114, X, 114, 97],
    ),
    (
        c"POP_JUMP_IF_TRUE",
        Operation::Jump(Jump::ByVersion),
        [115, 115, X, 115, 100],
    ),
    (
        c"JUMP_IF_NOT_EXC_MATCH",
        Operation::Jump(Jump::ByVersion),
        [121, 121, X, X, X],
    ),
];
