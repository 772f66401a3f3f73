//! What is known of the exception where the replay stands.

use std::fmt::Write as _;

use retrostep_trace::ThreadId;

use super::{Reply, Result};
use crate::dap::types;
use crate::error::RequestError;
use crate::from_proto;
use crate::replaying::Replay;
use crate::worker::Worker;

/// The most frames of an exception's stack as text.
const MAX_FRAMES: u64 = 50;

pub(super) fn info(worker: &mut Worker, arguments: types::ExceptionInfoArguments) -> Result<Reply> {
    let replay = worker.replay()?;
    let thread = replay.known_thread(from_proto::thread(arguments.thread_id)?)?;
    let info = replay
        .timeline
        .exception_info()?
        .filter(|_| replay.timeline.thread() == thread)
        .ok_or_else(|| RequestError::client("no exception is raised here"))?;
    let full_name = match info.module.as_str() {
        "builtins" | "" => info.type_name.clone(),
        module => format!("{module}.{}", info.type_name),
    };
    let stack_trace = stack_text(replay, thread)?;
    Reply::with(types::ExceptionInfoResponseBody {
        exception_id: full_name.clone(),
        description: info.message.clone(),
        break_mode: if info.uncaught {
            types::ExceptionBreakMode::Unhandled
        } else {
            types::ExceptionBreakMode::Always
        },
        details: Some(types::ExceptionDetails {
            message: info.message,
            type_name: Some(info.type_name),
            full_type_name: Some(full_name),
            stack_trace: Some(stack_trace),
            ..types::ExceptionDetails::default()
        }),
    })
}

/// The stack in the order and form of a traceback: the outermost frame first.
fn stack_text(replay: &Replay, thread: ThreadId) -> Result<String> {
    let stack = replay.timeline.stack(thread, 0, MAX_FRAMES)?;
    let recording = replay.recording();
    let mut text = String::new();
    for frame in stack.frames.iter().rev() {
        let function = recording.function(frame.function)?;
        let source = recording.source(function.source)?;
        let _ = writeln!(
            text,
            "  File \"{}\", line {}, in {}",
            source.path, frame.line, function.name
        );
    }
    Ok(text)
}
