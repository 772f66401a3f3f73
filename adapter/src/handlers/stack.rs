//! Threads, stacks, scopes and variables.

use super::{Reply, Result};
use crate::dap::types;
use crate::error::RequestError;
use crate::from_proto;
use crate::to_proto;
use crate::worker::Worker;

pub(super) fn threads(worker: &mut Worker) -> Result<Reply> {
    let timeline = &worker.replay()?.timeline;
    let current = timeline.thread();
    let known = timeline.threads()?;
    if known.is_empty() {
        let id = to_proto::thread_id(current);
        let name = "MainThread".to_owned();
        let threads = vec![types::Thread { id, name }];
        return Reply::with(types::ThreadsResponseBody { threads });
    }
    let threads = known
        .into_iter()
        .filter(|state| state.alive || state.thread == current)
        .map(|state| types::Thread {
            id: to_proto::thread_id(state.thread),
            name: state.name.to_string(),
        })
        .collect();
    Reply::with(types::ThreadsResponseBody { threads })
}

pub(super) fn trace(worker: &mut Worker, arguments: types::StackTraceArguments) -> Result<Reply> {
    let client = worker.client;
    let replay = worker.replay()?;
    let thread = replay.known_thread(from_proto::thread(arguments.thread_id)?)?;
    let page = from_proto::page(arguments.start_frame, arguments.levels);
    let stack = replay
        .timeline
        .stack(thread, page.start, page.end.saturating_sub(page.start))?;
    let recording = replay.timeline.recording().clone();
    let mut stack_frames = Vec::with_capacity(stack.frames.len());
    for frame in &stack.frames {
        let function = recording.function(frame.function)?;
        stack_frames.push(types::StackFrame {
            id: replay.handles.frame(frame.frame),
            name: function.qualified_name.to_string(),
            source: Some(replay.sources.get(&recording, function.source)?),
            line: client.line(frame.line),
            column: client.first_column,
            module_id: Some(to_proto::module_id(function.source).into()),
            ..types::StackFrame::default()
        });
    }
    Reply::with(types::StackTraceResponseBody {
        stack_frames,
        total_frames: Some(to_proto::whole(stack.total)),
    })
}

pub(super) fn scopes(worker: &mut Worker, arguments: types::ScopesArguments) -> Result<Reply> {
    let replay = worker.replay()?;
    let frame = replay.frame(arguments.frame_id)?;
    let scopes = replay
        .snapshot()
        .scopes(frame)?
        .into_iter()
        .map(|scope| to_proto::scope(scope, frame, &mut replay.handles))
        .collect();
    Reply::with(types::ScopesResponseBody { scopes })
}

pub(super) fn variables(
    worker: &mut Worker,
    arguments: types::VariablesArguments,
) -> Result<Reply> {
    let client = worker.client;
    let replay = worker.replay()?;
    let container = replay.container(arguments.variables_reference)?;
    let variables = replay.snapshot().children(
        &container.node,
        container.evaluate_name.as_deref(),
        from_proto::filter(arguments.filter.as_deref()),
        from_proto::page(arguments.start, arguments.count),
    )?;
    let variables = variables
        .into_iter()
        .map(|variable| to_proto::variable(variable, container.frame, &client, &mut replay.handles))
        .collect();
    Reply::with(types::VariablesResponseBody { variables })
}

/// Always refused. A client may offer it, so that the user learns why.
pub(super) fn set_variable(_: types::SetVariableArguments) -> Result<Reply> {
    Err(RequestError::user(
        "A recording cannot be changed. Edit the code and record again.",
    ))
}
