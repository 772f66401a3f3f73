//! The protocol's values as the engine's.

use retrostep_replay::{
    DataBreakpoint, ExceptionFilter, Filter, FunctionBreakpoint, LineBreakpoint,
};
use retrostep_replay::{Place, Timeline};
use retrostep_trace::{SourceId, ThreadId};

use crate::client::Client;
use crate::dap::types;
use crate::error::RequestError;
use crate::sources::source_of_reference;

/// The recorded sources that a client's source means.
pub(crate) fn sources(
    timeline: &Timeline,
    source: &types::Source,
) -> Result<Vec<SourceId>, RequestError> {
    if let Some(reference) = source.source_reference.filter(|reference| *reference > 0) {
        return Ok(source_of_reference(timeline.recording(), reference)
            .into_iter()
            .collect());
    }
    match source.path.as_deref().or(source.name.as_deref()) {
        Some(path) => Ok(timeline.sources_of_path(path)?),
        None => Ok(Vec::new()),
    }
}

/// The path by which the engine knows a client's source.
pub(crate) fn source_path(timeline: Option<&Timeline>, source: &types::Source) -> Option<String> {
    let reference = source.source_reference.filter(|reference| *reference > 0);
    if let (Some(timeline), Some(reference)) = (timeline, reference)
        && let Some(id) = source_of_reference(timeline.recording(), reference)
        && let Ok(recorded) = timeline.recording().source(id)
    {
        return Some(recorded.path.to_string());
    }
    source.path.clone().or_else(|| source.name.clone())
}

/// A thread of the recording.
pub(crate) fn thread(id: i64) -> Result<ThreadId, RequestError> {
    id.checked_sub(1)
        .and_then(|id| u32::try_from(id).ok())
        .map(ThreadId)
        .ok_or_else(|| RequestError::client(format!("there is no thread {id}")))
}

pub(crate) fn line_breakpoint(
    client: &Client,
    breakpoint: &types::SourceBreakpoint,
) -> LineBreakpoint {
    LineBreakpoint {
        line: client.engine_line(breakpoint.line),
        condition: written(breakpoint.condition.as_deref()),
        hit_condition: written(breakpoint.hit_condition.as_deref()),
        log_message: written(breakpoint.log_message.as_deref()),
    }
}

pub(crate) fn function_breakpoint(breakpoint: &types::FunctionBreakpoint) -> FunctionBreakpoint {
    FunctionBreakpoint {
        name: breakpoint.name.clone(),
        condition: written(breakpoint.condition.as_deref()),
        hit_condition: written(breakpoint.hit_condition.as_deref()),
    }
}

/// A data breakpoint; `name` is what it was called when the client asked for it.
pub(crate) fn data_breakpoint(
    breakpoint: &types::DataBreakpoint,
    name: Option<String>,
) -> Result<DataBreakpoint, RequestError> {
    Ok(DataBreakpoint {
        place: Place::parse(&breakpoint.data_id)?,
        condition: written(breakpoint.condition.as_deref()),
        hit_condition: written(breakpoint.hit_condition.as_deref()),
        name,
    })
}

pub(crate) fn exception_filter(name: &str) -> Result<ExceptionFilter, RequestError> {
    match name {
        "uncaught" => Ok(ExceptionFilter::Uncaught),
        "raised" => Ok(ExceptionFilter::Raised),
        "left" => Ok(ExceptionFilter::Left),
        _ => Err(RequestError::client(format!(
            "there is no exception filter {name:?}: use uncaught, raised or left"
        ))),
    }
}

pub(crate) fn filter(filter: Option<&str>) -> Filter {
    match filter {
        Some("indexed") => Filter::Indexed,
        Some("named") => Filter::Named,
        _ => Filter::All,
    }
}

/// A page that a client asks for: without a count, everything from the start on.
pub(crate) fn page(start: Option<i64>, count: Option<i64>) -> std::ops::Range<u64> {
    let natural = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let start = natural(start).unwrap_or(0);
    match natural(count).filter(|count| *count > 0) {
        Some(count) => start..start.saturating_add(count),
        None => start..u64::MAX,
    }
}

/// A text that says something: clients send empty texts for absent ones.
fn written(text: Option<&str>) -> Option<String> {
    text.filter(|text| !text.trim().is_empty())
        .map(str::to_owned)
}
