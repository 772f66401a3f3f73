//! Which exceptions left which functions.

use std::collections::HashMap;

use retrostep_trace::{
    CancellationToken, Direction, Event, FunctionId, Key, ObjectId, Position, Recording,
};

use super::MOST_CALLS;
use super::recorded::is_closing;
use crate::Result;
use crate::exception::{object_of, raise_of, type_name};

/// Exceptions of one type that left a function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftBy {
    /// The type's qualified name: `ValueError`.
    pub type_name: String,
    /// How many calls such an exception left.
    pub calls: u64,
    /// Where the last of them was raised; where it left the function if its raise is not known.
    pub last_raise: Position,
    /// Where the last of them left the function.
    pub last_unwind: Position,
}

/// The exceptions that left functions, by code object.
#[derive(Clone, Debug, Default)]
pub struct Departures {
    /// For each code object that an exception left, the types, the most frequent first.
    pub by_function: HashMap<FunctionId, Vec<LeftBy>>,
    /// Whether older ones were not looked at.
    pub more: bool,
}

impl Departures {
    /// Those of several code objects together, the most frequent first.
    #[must_use]
    pub fn of(&self, functions: &[FunctionId]) -> Vec<LeftBy> {
        let mut all: Vec<LeftBy> = Vec::new();
        for left in functions
            .iter()
            .filter_map(|id| self.by_function.get(id))
            .flatten()
        {
            match all
                .iter_mut()
                .find(|known| known.type_name == left.type_name)
            {
                Some(known) => {
                    known.calls += left.calls;
                    if known.last_unwind < left.last_unwind {
                        known.last_unwind = left.last_unwind;
                        known.last_raise = left.last_raise;
                    }
                }
                None => all.push(left.clone()),
            }
        }
        sort(&mut all);
        all
    }
}

/// The exceptions that left any function: asked once, it serves all functions of a recording.
///
/// That a generator or coroutine is closed before its end does not count.
///
/// Cost: looks at up to [`MOST_CALLS`] calls that an exception left, the newest.
///
/// # Errors
///
/// [`crate::Error::Trace`] if the recording cannot be read, or the search was cancelled.
pub fn departures(recording: &Recording, cancel: &CancellationToken) -> Result<Departures> {
    let mut out = Departures::default();
    let mut names: HashMap<ObjectId, String> = HashMap::new();
    let mut from = recording.end();
    let mut left = MOST_CALLS;
    while let Some(at) = recording.find(Key::Unwind, from, Direction::Backward, cancel)? {
        if left == 0 {
            out.more = true;
            break;
        }
        left -= 1;
        from = at;
        let Some(Event::Unwind { exception }) = recording.event(at)?.map(|it| it.event) else {
            continue;
        };
        let Some(frame) = recording.frame_of_event(at)? else {
            continue;
        };
        let Some(facts) = recording.frame(frame)? else {
            continue;
        };
        let known = object_of(&exception).and_then(|object| names.get(&object).cloned());
        let name = match known {
            Some(name) => name,
            None => type_name(recording, &exception, at)?,
        };
        if let Some(object) = object_of(&exception) {
            names.insert(object, name.clone());
        }
        if is_closing(recording.function(facts.function)?.kind, &name) {
            continue;
        }
        let types = out.by_function.entry(facts.function).or_default();
        match types.iter_mut().find(|known| known.type_name == name) {
            Some(known) => known.calls += 1,
            None => {
                let raised = raise_of(recording, &exception, at, cancel)?;
                types.push(LeftBy {
                    type_name: name,
                    calls: 1,
                    last_raise: raised.unwrap_or(at),
                    last_unwind: at,
                });
            }
        }
    }
    out.by_function.values_mut().for_each(|types| sort(types));
    Ok(out)
}

fn sort(types: &mut [LeftBy]) {
    types.sort_by_key(|left| std::cmp::Reverse((left.calls, left.last_unwind)));
}
