//! Expressions, the console, and completing what is typed there.

use retrostep_replay::console::{Completion, ConsoleError};
use retrostep_replay::{Expression, Variable};
use retrostep_trace::{CancellationToken, FrameId};

use super::{Reply, Result};
use crate::dap::types;
use crate::error::RequestError;
use crate::moves::After;
use crate::to_proto;
use crate::utf16;
use crate::worker::Worker;

/// The most characters of a value that is copied.
const MAX_COPIED: usize = 1 << 20;

pub(super) fn evaluate(
    worker: &mut Worker,
    arguments: types::EvaluateArguments,
    cancel: &CancellationToken,
) -> Result<Reply> {
    let context = arguments.context.as_deref();
    if context == Some("repl") {
        return run_line(worker, &arguments, cancel);
    }
    let replay = worker.replay()?;
    let frame = replay.frame_or_innermost(arguments.frame_id)?;
    let expression = Expression::parse(&arguments.expression)?;
    let variable = replay.snapshot().evaluate(frame, &expression)?;
    let text = match context {
        Some("clipboard") => Some(replay.snapshot().text(&variable.value, MAX_COPIED)?),
        _ => None,
    };
    Reply::with(body(worker, variable, frame, text)?)
}

/// A line of the console: a command, or an expression.
fn run_line(
    worker: &mut Worker,
    arguments: &types::EvaluateArguments,
    cancel: &CancellationToken,
) -> Result<Reply> {
    let replay = worker
        .replay
        .as_mut()
        .ok_or_else(RequestError::not_stopped)?;
    let frame = match arguments.frame_id.filter(|number| *number != 0) {
        Some(number) => Some(replay.frame(number)?),
        None => None,
    };
    let done = worker
        .console
        .run(&mut replay.timeline, frame, &arguments.expression, cancel)?;
    let reply = match done.variable {
        Some(variable) => {
            let frame = replay.frame_or_innermost(arguments.frame_id)?;
            Reply::with(body(worker, variable, frame, None)?)?
        }
        None if done.quit => Reply::with(plain("the replay ends when the client stops it"))?,
        None => Reply::with(plain(&done.text))?,
    };
    Ok(match done.stop {
        Some(stop) => reply.and_then(After::Moved(stop)),
        None => reply,
    })
}

fn plain(text: &str) -> types::EvaluateResponseBody {
    types::EvaluateResponseBody {
        result: text.to_owned(),
        ..types::EvaluateResponseBody::default()
    }
}

/// A value as an answer; `text` instead of its own text if there is one.
fn body(
    worker: &mut Worker,
    variable: Variable,
    frame: Option<FrameId>,
    text: Option<String>,
) -> Result<types::EvaluateResponseBody> {
    let client = worker.client;
    let handles = &mut worker.replay()?.handles;
    Ok(types::EvaluateResponseBody {
        r#type: to_proto::type_name(&variable, &client),
        variables_reference: to_proto::reference(&variable, frame, handles),
        named_variables: to_proto::count(variable.named),
        indexed_variables: to_proto::count(variable.indexed),
        presentation_hint: Some(to_proto::presentation_hint(variable.hint)),
        result: text.unwrap_or(variable.text),
        ..types::EvaluateResponseBody::default()
    })
}

pub(super) fn completions(
    worker: &mut Worker,
    arguments: types::CompletionsArguments,
) -> Result<Reply> {
    let client = worker.client;
    let replay = worker
        .replay
        .as_mut()
        .ok_or_else(RequestError::not_stopped)?;
    let frame = replay.frame_or_innermost(arguments.frame_id)?;
    let line = arguments
        .line
        .map_or(0, |line| client.engine_line(line) - 1);
    let text = arguments.text.lines().nth(line as usize).unwrap_or("");
    let cursor = utf16::byte_offset(text, client.column_offset(arguments.column));
    let targets = worker
        .console
        .complete(&replay.timeline, frame, text, cursor)
        .into_iter()
        .map(|completion| {
            let replaced = text.get(completion.start..cursor).unwrap_or("");
            let before = text.get(..completion.start).unwrap_or("");
            types::CompletionItem {
                r#type: Some(completion_type(&completion)),
                label: completion.text,
                start: Some(client.first_column + utf16::len(before)),
                length: Some(utf16::len(replaced)),
                ..types::CompletionItem::default()
            }
        })
        .collect();
    Reply::with(types::CompletionsResponseBody { targets })
}

fn completion_type(completion: &Completion) -> types::CompletionItemType {
    match completion.kind {
        "command" => types::CompletionItemType::Keyword,
        "attribute" => types::CompletionItemType::Property,
        "function" => types::CompletionItemType::Function,
        "variable" => types::CompletionItemType::Variable,
        "file" => types::CompletionItemType::File,
        _ => types::CompletionItemType::Text,
    }
}

impl From<ConsoleError> for RequestError {
    fn from(error: ConsoleError) -> RequestError {
        match error {
            ConsoleError::Expression(error) => error.into(),
            ConsoleError::Replay(error) => error.into(),
            other => RequestError::client(other.to_string()),
        }
    }
}
