//! Breakpoints of every sort, and where they can stand.

use retrostep_replay::{Expression, Filter, Place};

use super::{Reply, Result};
use crate::breakpoints::Numbered;
use crate::client::Client;
use crate::dap::types;
use crate::error::RequestError;
use crate::from_proto;
use crate::moves::After;
use crate::replaying::Replay;
use crate::worker::Worker;

/// How many children are read at once when one is looked for by its name.
const CHILDREN_AT_ONCE: u64 = 1_000;

pub(super) fn set_lines(
    worker: &mut Worker,
    arguments: &types::SetBreakpointsArguments,
) -> Result<Reply> {
    let client = worker.client;
    let timeline = worker.replay.as_ref().map(|replay| &replay.timeline);
    let path = from_proto::source_path(timeline, &arguments.source)
        .ok_or_else(|| RequestError::client("setBreakpoints: the source has no path"))?;
    let items = match (&arguments.breakpoints, &arguments.lines) {
        (Some(breakpoints), _) => breakpoints
            .iter()
            .map(|breakpoint| from_proto::line_breakpoint(&client, breakpoint))
            .collect(),
        (None, lines) => lines
            .iter()
            .flatten()
            .map(|line| {
                let breakpoint = types::SourceBreakpoint {
                    line: *line,
                    ..types::SourceBreakpoint::default()
                };
                from_proto::line_breakpoint(&client, &breakpoint)
            })
            .collect(),
    };
    let timeline = worker.replay.as_mut().map(|replay| &mut replay.timeline);
    let numbered = worker.breakpoints.set_lines(timeline, &path, items)?;
    let breakpoints = all_to_proto(worker, numbered)?;
    Ok(Reply::with(types::SetBreakpointsResponseBody { breakpoints })?.and_then(After::PrintLogs))
}

pub(super) fn set_functions(
    worker: &mut Worker,
    arguments: &types::SetFunctionBreakpointsArguments,
) -> Result<Reply> {
    let items = arguments
        .breakpoints
        .iter()
        .map(from_proto::function_breakpoint)
        .collect();
    let timeline = worker.replay.as_mut().map(|replay| &mut replay.timeline);
    let numbered = worker.breakpoints.set_functions(timeline, items)?;
    let breakpoints = all_to_proto(worker, numbered)?;
    Reply::with(types::SetFunctionBreakpointsResponseBody { breakpoints })
}

pub(super) fn set_data(
    worker: &mut Worker,
    arguments: &types::SetDataBreakpointsArguments,
) -> Result<Reply> {
    let mut items = Vec::new();
    let mut refused = Vec::new();
    for (index, breakpoint) in arguments.breakpoints.iter().enumerate() {
        let name = worker
            .breakpoints
            .data_names
            .get(&breakpoint.data_id)
            .cloned();
        match from_proto::data_breakpoint(breakpoint, name) {
            Ok(item) => items.push(item),
            Err(error) => refused.push((index, error.message)),
        }
    }
    let timeline = worker.replay.as_mut().map(|replay| &mut replay.timeline);
    let numbered = worker.breakpoints.set_data(timeline, items)?;
    let mut breakpoints = all_to_proto(worker, numbered)?;
    for (index, message) in refused {
        breakpoints.insert(
            index,
            types::Breakpoint {
                verified: false,
                message: Some(message),
                ..types::Breakpoint::default()
            },
        );
    }
    Reply::with(types::SetDataBreakpointsResponseBody { breakpoints })
}

pub(super) fn set_exceptions(
    worker: &mut Worker,
    arguments: &types::SetExceptionBreakpointsArguments,
) -> Result<Reply> {
    let filters = arguments
        .filters
        .iter()
        .map(|filter| from_proto::exception_filter(filter))
        .collect::<Result<_>>()?;
    let timeline = worker.replay.as_mut().map(|replay| &mut replay.timeline);
    worker.breakpoints.set_filters(timeline, filters);
    Ok(Reply::empty())
}

pub(super) fn data_info(
    worker: &mut Worker,
    arguments: types::DataBreakpointInfoArguments,
) -> Result<Reply> {
    let replay = worker.replay()?;
    let named = match arguments.variables_reference.filter(|number| *number > 0) {
        Some(reference) => child_place(replay, reference, &arguments.name)?,
        None => expression_place(replay, arguments.frame_id, &arguments.name)?,
    };
    let id = named.as_ref().ok().and_then(|(place, _)| place.id());
    let body = match (named, id) {
        (Ok((_, name)), Some(id)) => {
            worker
                .breakpoints
                .data_names
                .insert(id.clone(), name.clone());
            types::DataBreakpointInfoResponseBody {
                data_id: Some(id),
                description: name,
                access_types: Some(vec![types::DataBreakpointAccessType::Write]),
                can_persist: Some(false),
            }
        }
        (Ok((_, name)), None) => types::DataBreakpointInfoResponseBody {
            description: format!("{name} cannot be watched"),
            ..types::DataBreakpointInfoResponseBody::default()
        },
        (Err(why), _) => types::DataBreakpointInfoResponseBody {
            description: why,
            ..types::DataBreakpointInfoResponseBody::default()
        },
    };
    Reply::with(body)
}

/// A place with its name, or why there is none.
type NamedPlace = std::result::Result<(Place, String), String>;

fn child_place(replay: &Replay, reference: i64, name: &str) -> Result<NamedPlace> {
    let container = replay.container(reference)?;
    let parent = container.evaluate_name.as_deref();
    for start in (0..).step_by(CHILDREN_AT_ONCE as usize) {
        let page = start..start + CHILDREN_AT_ONCE;
        let children = replay
            .snapshot()
            .children(&container.node, parent, Filter::All, page)?;
        if children.is_empty() {
            break;
        }
        if let Some(child) = children.into_iter().find(|child| child.name == name) {
            let shown = child.evaluate_name.unwrap_or(child.name);
            return Ok(match child.place {
                Some(place) => Ok((place, shown)),
                None => Err(format!("{shown} cannot be watched")),
            });
        }
    }
    Ok(Err(format!("there is no {name}")))
}

fn expression_place(replay: &Replay, frame: Option<i64>, text: &str) -> Result<NamedPlace> {
    let frame = replay.frame_or_innermost(frame)?;
    let place =
        Expression::parse(text).and_then(|expression| replay.snapshot().place(frame, &expression));
    Ok(match place {
        Ok(place) => Ok((place, text.to_owned())),
        Err(error) => Err(error.to_string()),
    })
}

pub(super) fn locations(
    worker: &mut Worker,
    arguments: types::BreakpointLocationsArguments,
) -> Result<Reply> {
    let client = worker.client;
    let timeline = &worker.replay()?.timeline;
    let first = client.engine_line(arguments.line);
    let last = client.engine_line(arguments.end_line.unwrap_or(arguments.line));
    let mut lines = Vec::new();
    for source in from_proto::sources(timeline, &arguments.source)? {
        lines.extend(timeline.breakpoint_lines(source, first, last)?);
    }
    lines.sort_unstable();
    lines.dedup();
    let breakpoints = lines
        .into_iter()
        .map(|line| types::BreakpointLocation {
            line: client.line(line),
            ..types::BreakpointLocation::default()
        })
        .collect();
    Reply::with(types::BreakpointLocationsResponseBody { breakpoints })
}

fn all_to_proto(worker: &mut Worker, numbered: Vec<Numbered>) -> Result<Vec<types::Breakpoint>> {
    let client = worker.client;
    numbered
        .into_iter()
        .map(|numbered| to_proto(numbered, worker.replay.as_mut(), &client))
        .collect()
}

/// A breakpoint as the client sees it.
pub(crate) fn to_proto(
    numbered: Numbered,
    replay: Option<&mut Replay>,
    client: &Client,
) -> Result<types::Breakpoint> {
    let mut breakpoint = types::Breakpoint {
        id: Some(numbered.number),
        ..types::Breakpoint::default()
    };
    match (numbered.resolved, replay) {
        (Some(resolved), Some(replay)) => {
            breakpoint.verified = resolved.verified;
            breakpoint.message = resolved.message;
            breakpoint.line = resolved.line.map(|line| client.line(line));
            if let Some(source) = resolved.source {
                let recording = replay.timeline.recording().clone();
                breakpoint.source = Some(replay.sources.get(&recording, source)?);
            }
            if !resolved.verified {
                breakpoint.reason = Some("failed".to_owned());
            }
        }
        _ => {
            breakpoint.message = Some("the program is still being recorded".to_owned());
            breakpoint.reason = Some("pending".to_owned());
        }
    }
    Ok(breakpoint)
}
