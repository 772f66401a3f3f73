//! `workspace/executeCommand`: what the server tells for clients that have no command of their own.

use ls_types::{
    ExecuteCommandOptions, ExecuteCommandParams, ServerCapabilities, WorkDoneProgressOptions,
};
use retrostep_replay::calls;
use serde::Deserialize;
use serde_json::Value;

use super::WorkspaceRequest;
use crate::client::Client;
use crate::context::Context;
use crate::error::{RequestError, Result};
use crate::words;

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
    let entries = ctx.libraries.entries();
    let entry = entries
        .into_iter()
        .find(|entry| entry.path == argument.recording);
    let facts = match entry {
        Some(entry) => ctx.facts(entry)?,
        None => None,
    };
    let Some(facts) = facts else {
        return Err(RequestError::failed("the recording is not there any more"));
    };
    let named = |name: &str| *name == *argument.function;
    let function = facts
        .functions
        .iter()
        .find(|function| named(&function.qualified_name));
    let Some(function) = function else {
        return Err(RequestError::failed(format!(
            "{} did not run",
            argument.function
        )));
    };
    let recording = ctx.open(&facts)?;
    let page = calls::list(&recording, function.id, 0..MOST, &ctx.cancel)?;
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
    for facts in ctx.all_facts()? {
        let mut functions = facts.functions.iter();
        let called = functions.find(|it| *it.qualified_name == *argument.function);
        if let Some(called) = called.filter(|called| called.calls > 0) {
            let calls = retrostep_replay::render::counted(called.calls, "call");
            lines.push(format!("{}: {calls}", words::recording(&facts)));
        }
    }
    Ok(lines.join("\n"))
}
