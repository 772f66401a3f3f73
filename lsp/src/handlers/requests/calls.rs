//! `retrostep/calls`: the calls of a function, for a list.

use std::path::PathBuf;

use ls_types::Uri;
use retrostep_replay::calls;
use serde::{Deserialize, Serialize};

use super::WorkspaceRequest;
use super::page::Page;
use crate::context::Context;
use crate::error::{RequestError, Result};
use crate::recordings::{FunctionFacts, RecordingFacts};
use crate::{from_proto, words};

pub(super) struct Calls;

#[derive(Debug, Deserialize)]
pub(super) struct Params {
    recording: PathBuf,
    /// Its file; the first one that has such a function, if none is named.
    uri: Option<Uri>,
    /// Its qualified name.
    function: String,
    #[serde(flatten)]
    page: Page,
}

#[derive(Debug, Serialize)]
pub(super) struct Body {
    /// The newest first.
    calls: Vec<Row>,
    total: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Row {
    label: String,
    description: String,
    number: u64,
    /// Its first step.
    position: u64,
    /// Where it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    exit: Option<u64>,
    raised: bool,
}

/// The function of a recording that is meant by its qualified name, and by its file if that is named.
///
/// # Errors
///
/// It did not run.
pub(super) fn called<'a>(
    facts: &'a RecordingFacts,
    uri: Option<&Uri>,
    qualified_name: &str,
) -> Result<&'a FunctionFacts> {
    let found = match uri {
        Some(uri) => {
            let source = facts.source(&from_proto::file(uri)?);
            source.and_then(|source| facts.function(source, qualified_name))
        }
        None => {
            let mut functions = facts.functions.iter();
            functions.find(|it| *it.qualified_name == *qualified_name)
        }
    };
    found.ok_or_else(|| RequestError::failed(format!("{qualified_name} did not run")))
}

impl WorkspaceRequest for Calls {
    const METHOD: &'static str = "retrostep/calls";
    type Params = Params;
    type Answer = Body;

    fn answer(ctx: &Context, params: Params) -> Result<Body> {
        let facts = ctx.facts_of(&params.recording)?;
        let function = called(&facts, params.uri.as_ref(), &params.function)?;
        let recording = ctx.open(&facts)?;
        let page = calls::list(&recording, function.id, params.page.rows(), &ctx.cancel)?;
        let rows = page.calls.into_iter().map(|call| Row {
            label: format!("#{} {}", call.number, call.arguments),
            description: match call.duration_ns {
                Some(took) if took > 0 => format!("{}, {}", call.outcome, words::time(took)),
                _ => call.outcome.to_string(),
            },
            number: call.number,
            position: call.position.0,
            exit: call.exit.map(|exit| exit.0),
            raised: call.outcome.is_raised(),
        });
        Ok(Body {
            calls: rows.collect(),
            total: page.total,
        })
    }
}
