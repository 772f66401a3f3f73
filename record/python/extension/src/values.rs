//! Encoding values: the recorder's view of what names, attributes and elements hold.

use retrostep_record_python_wire::Config;
use retrostep_record_python_wire::message::tag;

use crate::api::PyObject;
use crate::frame::RawFrame;

/// What a slot showed last, as far as needed to decide whether it still shows it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Shadow {
    object: usize,
}

impl Shadow {
    /// The address it was made from, 0 for an unbound slot.
    #[inline]
    pub(crate) fn address(&self) -> usize {
        self.object
    }
}

/// Whether an instruction is of interest again when it runs next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interest {
    /// Call again each time it is about to run.
    Always,
    /// It never changes an object.
    Never,
}

/// Which instructions of one code object may change objects.
#[derive(Debug, Default)]
pub(crate) struct StoreMap {}

impl StoreMap {
    /// Whether any instruction is of interest.
    pub(crate) fn is_empty(&self) -> bool {
        true
    }

    /// Whether any instruction of this line is of interest.
    pub(crate) fn has_line(&self, _line: u32) -> bool {
        false
    }
}

/// Identities, first sights and changes of the program's objects.
#[derive(Debug)]
pub(crate) struct Values {}

impl Values {
    pub(crate) fn new(_config: &Config) -> Values {
        Values {}
    }

    pub(crate) unsafe fn encode(
        &mut self,
        _out: &mut Vec<u8>,
        value: &mut Vec<u8>,
        _object: *mut PyObject,
    ) {
        value.push(tag::NONE);
    }

    pub(crate) unsafe fn encode_named(
        &mut self,
        out: &mut Vec<u8>,
        value: &mut Vec<u8>,
        redacted: bool,
        object: *mut PyObject,
    ) {
        if redacted {
            value.extend_from_slice(&[tag::UNAVAILABLE, 3]);
        } else {
            // SAFETY: the caller's.
            unsafe { self.encode(out, value, object) };
        }
    }

    pub(crate) fn is_redacted(&mut self, _name: &str) -> bool {
        false
    }

    pub(crate) unsafe fn namespace(&mut self, _out: &mut Vec<u8>, _dict: *mut PyObject) -> u64 {
        0
    }

    pub(crate) unsafe fn refresh_namespace(&mut self, _out: &mut Vec<u8>, _dict: *mut PyObject) {}

    pub(crate) unsafe fn cell(
        &mut self,
        _out: &mut Vec<u8>,
        _cell: *mut PyObject,
        _redacted: bool,
    ) -> u64 {
        0
    }

    pub(crate) unsafe fn same(&self, shadow: &Shadow, object: *mut PyObject) -> bool {
        shadow.object == object as usize
    }

    pub(crate) unsafe fn shadow(&mut self, object: *mut PyObject) -> Shadow {
        Shadow {
            object: object as usize,
        }
    }

    pub(crate) unsafe fn code_info(&mut self, _code: *mut PyObject) -> StoreMap {
        StoreMap::default()
    }

    pub(crate) unsafe fn on_instruction(
        &mut self,
        _out: &mut Vec<u8>,
        _frame: RawFrame,
        _code: *mut PyObject,
        _offset: i32,
        _map: &StoreMap,
    ) -> Interest {
        Interest::Never
    }

    pub(crate) unsafe fn settle(&mut self, _out: &mut Vec<u8>) {}

    pub(crate) unsafe fn install_hooks(&mut self) {}

    pub(crate) unsafe fn remove_hooks(&mut self) {}
}
