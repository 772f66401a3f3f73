//! What each request means: parse, ask the engine, convert.

pub(crate) mod breakpoints;
mod evaluate;
mod exceptions;
mod extensions;
mod moving;
mod sources;
mod stack;

use retrostep_trace::CancellationToken;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::dap::message::Request;
use crate::error::RequestError;
use crate::moves::{After, Announcement, Move};
use crate::worker::Worker;

/// The requests that the worker answers.
pub(crate) const COMMANDS: &[&str] = &[
    "breakpointLocations",
    "completions",
    "continue",
    "dataBreakpointInfo",
    "evaluate",
    "exceptionInfo",
    "goto",
    "gotoTargets",
    "loadedSources",
    "modules",
    "next",
    "restartFrame",
    "retrostep/history",
    "retrostep/hits",
    "retrostep/overview",
    "retrostep/position",
    "retrostep/seek",
    "retrostep/stepBackInto",
    "retrostep/stepBackOut",
    "reverseContinue",
    "scopes",
    "setBreakpoints",
    "setDataBreakpoints",
    "setExceptionBreakpoints",
    "setFunctionBreakpoints",
    "setVariable",
    "source",
    "stackTrace",
    "stepBack",
    "stepIn",
    "stepOut",
    "threads",
    "variables",
];

/// An answer, and what comes after it.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) body: Option<Value>,
    pub(crate) after: After,
}

impl Reply {
    /// An answer without a body.
    fn empty() -> Reply {
        Reply {
            body: None,
            after: After::Nothing,
        }
    }

    /// An answer with a body.
    fn with(body: impl Serialize) -> Result<Reply, RequestError> {
        let body = serde_json::to_value(body).map_err(|error| {
            RequestError::client(format!("the answer cannot be written: {error}"))
        })?;
        Ok(Reply {
            body: Some(body),
            after: After::Nothing,
        })
    }

    /// An answer without a body, and then a move.
    fn moving(to: Move, announcement: Announcement) -> Reply {
        Reply {
            body: None,
            after: After::Move(to, announcement),
        }
    }

    fn and_then(mut self, after: After) -> Reply {
        self.after = after;
        self
    }
}

type Result<T, E = RequestError> = std::result::Result<T, E>;

/// Answers one of [`COMMANDS`].
pub(crate) fn handle(
    worker: &mut Worker,
    request: &Request,
    cancel: &CancellationToken,
) -> Result<Reply> {
    match request.command.as_str() {
        "breakpointLocations" => breakpoints::locations(worker, decoded(request)?),
        "completions" => evaluate::completions(worker, decoded(request)?),
        "continue" => moving::resume(worker, decoded(request)?),
        "dataBreakpointInfo" => breakpoints::data_info(worker, decoded(request)?),
        "evaluate" => evaluate::evaluate(worker, decoded(request)?, cancel),
        "exceptionInfo" => exceptions::info(worker, decoded(request)?),
        "goto" => moving::goto(worker, decoded(request)?),
        "gotoTargets" => moving::goto_targets(worker, decoded(request)?, cancel),
        "loadedSources" => sources::loaded(worker),
        "modules" => sources::modules(worker, decoded(request)?),
        "next" => moving::next(worker, decoded(request)?),
        "restartFrame" => moving::restart_frame(worker, decoded(request)?),
        "retrostep/history" => extensions::history(worker, decoded(request)?, cancel),
        "retrostep/hits" => extensions::hits(worker, decoded(request)?, cancel),
        "retrostep/overview" => extensions::overview(worker, decoded(request)?, cancel),
        "retrostep/position" => extensions::position(worker),
        "retrostep/seek" => moving::seek(worker, &decoded(request)?),
        "retrostep/stepBackInto" => moving::step_back_into(worker, decoded(request)?),
        "retrostep/stepBackOut" => moving::step_back_out(worker, decoded(request)?),
        "reverseContinue" => moving::reverse_continue(worker, decoded(request)?),
        "scopes" => stack::scopes(worker, decoded(request)?),
        "setBreakpoints" => breakpoints::set_lines(worker, &decoded(request)?),
        "setDataBreakpoints" => breakpoints::set_data(worker, &decoded(request)?),
        "setExceptionBreakpoints" => breakpoints::set_exceptions(worker, &decoded(request)?),
        "setFunctionBreakpoints" => breakpoints::set_functions(worker, &decoded(request)?),
        "setVariable" => stack::set_variable(decoded(request)?),
        "source" => sources::text(worker, decoded(request)?),
        "stackTrace" => stack::trace(worker, decoded(request)?),
        "stepBack" => moving::step_back(worker, decoded(request)?),
        "stepIn" => moving::step_in(worker, decoded(request)?),
        "stepOut" => moving::step_out(worker, decoded(request)?),
        "threads" => stack::threads(worker),
        "variables" => stack::variables(worker, decoded(request)?),
        other => Err(RequestError::client(format!("unknown request {other:?}"))),
    }
}

fn decoded<T: DeserializeOwned>(request: &Request) -> Result<T> {
    request
        .decode()
        .map_err(|error| RequestError::arguments(&request.command, &error))
}
