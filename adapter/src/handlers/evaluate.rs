//! Expressions, the console, and completing what is typed there.

use retrostep_replay::Expression;
use retrostep_trace::CancellationToken;

use super::{Reply, Result};
use crate::dap::types;
use crate::error::RequestError;
use crate::to_proto;
use crate::worker::Worker;

/// The most characters of a value that is copied.
const MAX_COPIED: usize = 1 << 20;

pub(super) fn evaluate(
    worker: &mut Worker,
    arguments: types::EvaluateArguments,
    cancel: &CancellationToken,
) -> Result<Reply> {
    let _ = cancel;
    let client = worker.client;
    let replay = worker.replay()?;
    let frame = replay.frame_or_innermost(arguments.frame_id)?;
    let expression = Expression::parse(&arguments.expression)?;
    let variable = replay.snapshot().evaluate(frame, &expression)?;
    let result = if arguments.context.as_deref() == Some("clipboard") {
        replay.snapshot().text(&variable.value, MAX_COPIED)?
    } else {
        variable.text.clone()
    };
    Reply::with(types::EvaluateResponseBody {
        result,
        r#type: to_proto::type_name(&variable, &client),
        variables_reference: to_proto::reference(&variable, frame, &mut replay.handles),
        named_variables: to_proto::count(variable.named),
        indexed_variables: to_proto::count(variable.indexed),
        presentation_hint: Some(to_proto::presentation_hint(variable.hint)),
        ..types::EvaluateResponseBody::default()
    })
}

pub(super) fn completions(
    worker: &mut Worker,
    arguments: types::CompletionsArguments,
) -> Result<Reply> {
    let _ = (worker.replay()?, arguments);
    Err(RequestError::client("no completions"))
}
