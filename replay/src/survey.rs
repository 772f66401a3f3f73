//! What happened on each line of a source, in a whole recording or in a part of it.
//!
//! One walk over the events gathers what would take a search for each line; what was gathered is small
//! and answers any number of questions. Texts are not made here: a survey keeps values and positions.

mod collect;
mod frame;
mod memory;
mod values;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::Arc;

use retrostep_trace::hash::Map;
use retrostep_trace::{
    CancellationToken, FunctionId, ObjectId, Position, Recording, Result, TypeId,
};

use crate::code::SourceCode;
pub(crate) use collect::{Collector, Scope};
pub(crate) use values::Reading;
pub use values::{Extreme, Key, MOST_DIFFERENT, Seen, Values};

/// What happened on the lines and in the functions of a source.
#[derive(Debug, Default)]
pub struct Survey {
    /// The lines that ran, ascending, those of lambdas and comprehensions too.
    pub executed: Vec<u32>,
    /// By line.
    pub lines: BTreeMap<u32, LineFacts>,
    /// By function.
    pub functions: Map<FunctionId, FunctionFacts>,
    /// What the variables of functions got, arguments included; by function and name.
    pub variables: Map<(FunctionId, Arc<str>), Values>,
}

/// What happened on a line, in the functions that the line is a part of by itself: not in lambdas and
/// comprehensions on it.
#[derive(Clone, Debug, Default)]
pub struct LineFacts {
    /// How often it was about to run.
    pub runs: u64,
    /// The last time.
    pub last_run: Position,
    /// Of a condition: how often it held.
    pub held: u64,
    /// Of a condition: how often it did not.
    pub failed: u64,
    /// Whether it held the last time.
    pub held_last: bool,
    /// Of a loop: in how many calls it was run.
    pub loop_calls: u64,
    /// The names that it bound, with their values, in the order in which they were first bound.
    pub bound: Vec<(Arc<str>, Values)>,
    /// How it changed objects in place.
    pub changed: Option<Changed>,
    /// What it returned.
    pub returned: Option<Values>,
    /// What it yielded.
    pub yielded: Option<Values>,
    /// How often an exception was first raised on it.
    pub raises: u64,
    /// Where the last one was.
    pub last_raise: Position,
    /// How often an exception came up while it ran, in it or in what it called.
    pub interrupted: u64,
}

/// Changes of objects in place.
#[derive(Clone, Debug)]
pub struct Changed {
    /// How many.
    pub count: u64,
    /// The first one.
    pub first: Position,
    /// The last one.
    pub last: Position,
    /// The object of the last one.
    pub object: ObjectId,
    /// Different objects that were changed, at most [`MOST_OBJECTS`].
    pub objects: Vec<ObjectId>,
    /// Whether there are more objects than are kept.
    pub more_objects: bool,
    /// The attribute, if each change set this attribute.
    pub attribute: Option<Arc<str>>,
}

impl Changed {
    /// None so far.
    fn new(object: ObjectId, attribute: Option<Arc<str>>) -> Changed {
        Changed {
            count: 0,
            first: Position::START,
            last: Position::START,
            object,
            objects: Vec::new(),
            more_objects: false,
            attribute,
        }
    }

    /// Takes in a change, of an attribute if it set one.
    fn add(&mut self, object: ObjectId, attribute: Option<&Arc<str>>, at: Position) {
        if self.count == 0 {
            self.first = at;
        }
        self.count += 1;
        self.last = at;
        self.object = object;
        if self.attribute.as_ref() != attribute {
            self.attribute = None;
        }
        // The newest is the likeliest.
        if !self.objects.iter().rev().any(|known| *known == object) {
            if self.objects.len() < MOST_OBJECTS {
                self.objects.push(object);
            } else {
                self.more_objects = true;
            }
        }
    }
}

/// Most objects that a line changes which are told apart.
pub const MOST_OBJECTS: usize = 1_000;

/// What happened to a function.
#[derive(Clone, Debug, Default)]
pub struct FunctionFacts {
    /// How often it was called.
    pub calls: u64,
    /// The last call.
    pub last_call: Position,
    /// How long its calls took that ended, in nanoseconds; those of callees and of waiting included.
    pub total_ns: u64,
    /// How many ended.
    pub ended: u64,
    /// The longest call: its time and where it is.
    pub slowest: Option<(u64, Position)>,
    /// Passes of the loops in it.
    pub passes: u64,
    /// The exceptions that left it, by type, in the order of their first occurrence.
    pub left_by: Vec<LeftBy>,
}

/// Calls that were left by exceptions of one type.
#[derive(Clone, Debug)]
pub struct LeftBy {
    /// The exceptions' type.
    pub type_id: TypeId,
    /// How many calls.
    pub count: u64,
    /// The last event in which one left.
    pub last: Position,
}

impl Survey {
    /// Gathers what happened in `range`.
    ///
    /// `progress` is told the positions that were reached.
    /// Cost: the decoding of all blocks in the range, 0.1 to 0.2 µs for each event.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Cancelled`], [`retrostep_trace::Error::Io`].
    pub fn take(
        recording: &Recording,
        code: &SourceCode,
        range: Range<Position>,
        progress: &mut dyn FnMut(Position),
        cancel: &CancellationToken,
    ) -> Result<Survey> {
        let mut collector = Collector::new(recording, code, Scope::All);
        recording.walk(
            range,
            &mut |passing| {
                collector.take(passing);
                std::ops::ControlFlow::Continue(())
            },
            progress,
            cancel,
        )?;
        collector.finish()
    }

    /// The values of a variable of several functions that are the same part of the text, the newest.
    #[must_use]
    pub fn variable(&self, functions: &[FunctionId], name: &str) -> Option<&Values> {
        let found = functions.iter().filter_map(|function| {
            let key = (*function, Arc::from(name));
            self.variables.get(&key)
        });
        found.max_by_key(|values| values.last_at)
    }
}
