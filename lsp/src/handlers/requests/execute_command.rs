//! `workspace/executeCommand`: what the server tells for clients that have no command of their own.

use ls_types::{
    ExecuteCommandOptions, ExecuteCommandParams, ServerCapabilities, WorkDoneProgressOptions,
};
use retrostep_replay::calls::list;
use retrostep_replay::render;
use serde::Deserialize;
use serde_json::Value;

use super::{WorkspaceRequest, calls};
use crate::client::Client;
use crate::context::Context;
use crate::error::{RequestError, Result};
use crate::{from_proto, words};

/// Tells the newest calls of a function.
pub(super) const CALLS: &str = "retrostep.server.calls";
/// Tells the recordings that a function ran in.
pub(super) const RECORDINGS: &str = "retrostep.server.recordings";
/// Tells what differed first in a function between the two newest recordings that it ran in.
pub(super) const COMPARE: &str = "retrostep.server.compare";

/// How many are told.
const MOST: u64 = 10;

pub(super) struct ExecuteCommand;

/// The function that is meant.
#[derive(Debug, Deserialize)]
struct Argument {
    recording: std::path::PathBuf,
    function: String,
    uri: ls_types::Uri,
}

impl WorkspaceRequest for ExecuteCommand {
    const METHOD: &'static str = "workspace/executeCommand";
    type Params = ExecuteCommandParams;
    type Answer = Value;

    fn advertise(capabilities: &mut ServerCapabilities, _client: &Client) {
        capabilities.execute_command_provider = Some(ExecuteCommandOptions {
            commands: [CALLS, RECORDINGS, COMPARE].map(str::to_owned).to_vec(),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        });
    }

    fn answer(ctx: &Context, params: ExecuteCommandParams) -> Result<Value> {
        let argument = params.arguments.into_iter().next().unwrap_or_default();
        let argument: Argument = serde_json::from_value(argument)
            .map_err(|error| RequestError::params(error.to_string()))?;
        let text = match params.command.as_str() {
            CALLS => told_calls(ctx, &argument)?,
            RECORDINGS => recordings(ctx, &argument)?,
            COMPARE => super::compare::told(ctx, &argument.uri, &argument.function)?,
            other => return Err(RequestError::params(format!("there is no command {other}"))),
        };
        ctx.tell(text.clone());
        Ok(Value::String(text))
    }
}

fn told_calls(ctx: &Context, argument: &Argument) -> Result<String> {
    let facts = ctx.facts_of(&argument.recording)?;
    let function = calls::called(&facts, Some(&argument.uri), &argument.function)?;
    let recording = ctx.open(&facts)?;
    let page = list(&recording, function.id, 0..MOST, &ctx.cancel)?;
    let mut lines = vec![format!(
        "{} in {}",
        argument.function,
        words::recording(&facts)
    )];
    for call in &page.calls {
        let arguments = &call.arguments;
        lines.push(format!("#{} ({arguments}) {}", call.number, call.outcome));
    }
    if page.total > MOST {
        lines.push(format!("{} earlier", page.total - MOST));
    }
    Ok(lines.join("\n"))
}

fn recordings(ctx: &Context, argument: &Argument) -> Result<String> {
    let mut lines = Vec::new();
    for covering in ctx.covering(&from_proto::file(&argument.uri)?)? {
        if let Some(called) = covering.function(&argument.function) {
            let calls = render::counted(called.calls, "call");
            lines.push(format!("{}: {calls}", words::recording(&covering.facts)));
        }
    }
    Ok(lines.join("\n"))
}
