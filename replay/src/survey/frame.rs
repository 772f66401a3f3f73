//! A frame while its events are gathered.

use std::sync::Arc;

use retrostep_trace::{ObjectId, Position, Value};

use crate::code::SourceCode;

/// A frame on the way.
pub(super) struct Frame {
    pub(super) function: usize,
    /// The line that runs; 0 before the first.
    pub(super) line: u32,
    pub(super) call: Position,
    pub(super) call_ns: u64,
    /// A condition or loop that is being decided.
    pub(super) pending: Option<usize>,
    /// An exception may have kept it from being decided.
    pub(super) uncertain: bool,
    /// Loops that were run in this frame.
    pub(super) loops: Vec<usize>,
    /// What its own names hold, as far as they were bound.
    pub(super) held: Vec<(Arc<str>, Option<Value>)>,
    /// Its names that inner functions see, or outer ones have.
    pub(super) cells: Vec<(Arc<str>, ObjectId)>,
    /// Where its other names are, once it was looked up.
    pub(super) namespaces: Option<Vec<ObjectId>>,
    /// The names that the line bound that runs.
    pub(super) bound: Vec<Arc<str>>,
    /// An exception came up while the line runs.
    pub(super) interrupted: bool,
    /// Objects first seen while the line runs: what is done to them is a part of making them.
    pub(super) born: Vec<ObjectId>,
}

impl Frame {
    pub(super) fn new(function: usize, call: Position, call_ns: u64) -> Frame {
        Frame {
            function,
            line: 0,
            call,
            call_ns,
            pending: None,
            uncertain: false,
            loops: Vec::new(),
            held: Vec::new(),
            cells: Vec::new(),
            namespaces: None,
            bound: Vec::new(),
            interrupted: false,
            born: Vec::new(),
        }
    }

    /// What became of the condition or loop that was being decided, now that `line` is about to run.
    pub(super) fn decide(&mut self, code: &SourceCode, line: u32) -> Option<(usize, bool)> {
        let head = self.pending?;
        let statement = code.syntax.statements().get(head)?;
        if statement.lines.contains(&line) {
            return None;
        }
        self.pending = None;
        let body = statement.body.as_ref()?;
        (!self.uncertain).then_some((head, body.contains(&line)))
    }
}
