//! Functions as people see them: by line, and with all code objects that were made of one definition.

use std::collections::HashMap;
use std::sync::Arc;

use retrostep_trace::{CancellationToken, Function, FunctionId, FunctionKind, Recording, SourceId};

use super::count_calls;
use crate::Result;
use crate::timeline::unrun;

/// A function with all its code objects: the same definition can be compiled more than once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FunctionGroup {
    /// The function; of the first code object.
    pub function: Arc<Function>,
    /// Its code objects, ascending; at least one.
    pub ids: Vec<FunctionId>,
}

impl FunctionGroup {
    /// How many calls of the function the recording has; exact.
    ///
    /// Cost: index lookups.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read, or the search was cancelled.
    pub fn count(&self, recording: &Recording, cancel: &CancellationToken) -> Result<u64> {
        Ok(count_calls(recording, &self.ids, recording.end(), cancel)?)
    }
}

/// All functions of a source that ran, by their first line.
///
/// Cost: reads the definitions of all functions.
#[must_use]
pub fn functions_in(recording: &Recording, source: SourceId) -> Vec<FunctionGroup> {
    let mut groups: Vec<FunctionGroup> = Vec::new();
    let mut places: HashMap<(Arc<str>, u32), usize> = HashMap::new();
    for (id, function) in functions_of(recording, source) {
        let key = (function.qualified_name.clone(), function.first_line);
        let place = *places.entry(key).or_insert(groups.len());
        match groups.get_mut(place) {
            Some(group) => group.ids.push(id),
            None => groups.push(FunctionGroup {
                function,
                ids: vec![id],
            }),
        }
    }
    groups.sort_by_key(|group| group.function.first_line);
    groups
}

/// The innermost function whose code covers `line`, 1-based: from its `def`, or its first decorator, to
/// its last line with code. Among functions of the very same lines one with a name of its own wins over
/// a lambda or comprehension.
///
/// `None` if no function there ran: a function that never ran is in no recording, and the code around it
/// is not an answer.
///
/// Cost: reads the definitions of all functions.
///
/// # Errors
///
/// [`crate::Error::Trace`] if the recording cannot be read.
pub fn function_at(
    recording: &Recording,
    source: SourceId,
    line: u32,
) -> Result<Option<FunctionId>> {
    let functions = functions_of(recording, source);
    let text = recording
        .source(source)
        .ok()
        .and_then(|source| source.text.clone());
    if let Some(text) = text
        .as_deref()
        .and_then(|text| std::str::from_utf8(text).ok())
    {
        let all: Vec<Arc<Function>> = functions.iter().map(|(_, it)| it.clone()).collect();
        if unrun::is_unrun_definition(&all, text, line)
            || (!has_code(&all, line) && unrun::unrun_function(&all, text, line).is_some())
        {
            return Ok(None);
        }
    }
    let around = functions
        .iter()
        .filter(|(_, function)| (first_line(function)..=last_line(function)).contains(&line));
    let innermost = around.min_by_key(|(id, function)| {
        let lines = last_line(function).saturating_sub(first_line(function));
        (lines, function.name.starts_with('<'), *id)
    });
    Ok(innermost.map(|(id, _)| *id))
}

/// The function of `id` with all its code objects: those of the same source, qualified name and first
/// line.
///
/// Cost: reads the definitions of all functions.
///
/// # Errors
///
/// [`crate::Error::Trace`] if the recording cannot be read, or has no such function.
pub fn group_of(recording: &Recording, id: FunctionId) -> Result<FunctionGroup> {
    let function = recording.function(id)?;
    let mut ids: Vec<FunctionId> = functions_of(recording, function.source)
        .into_iter()
        .filter(|(_, other)| is_same(&function, other))
        .map(|(id, _)| id)
        .collect();
    if ids.is_empty() {
        ids.push(id);
    }
    Ok(FunctionGroup { function, ids })
}

/// Whether two code objects of one source are one function.
pub(super) fn is_same(one: &Function, other: &Function) -> bool {
    one.source == other.source
        && one.first_line == other.first_line
        && one.qualified_name == other.qualified_name
}

/// The readable functions of a source.
fn functions_of(recording: &Recording, source: SourceId) -> Vec<(FunctionId, Arc<Function>)> {
    let ids = (0..recording.function_count()).map(FunctionId);
    ids.filter_map(|id| Some((id, recording.function(id).ok()?)))
        .filter(|(_, function)| function.source == source)
        .collect()
}

/// Whether a function other than a module's or class's body has code at `line`.
fn has_code(functions: &[Arc<Function>], line: u32) -> bool {
    functions.iter().any(|function| {
        let is_body = matches!(function.kind, FunctionKind::Module | FunctionKind::Class);
        !is_body && function.lines.binary_search(&line).is_ok()
    })
}

/// A module begins with the file, whatever its first line with code is.
fn first_line(function: &Function) -> u32 {
    match function.kind {
        FunctionKind::Module => 1,
        _ => function.first_line,
    }
}

fn last_line(function: &Function) -> u32 {
    let last = function.lines.last().copied().unwrap_or(0);
    last.max(function.first_line)
}
