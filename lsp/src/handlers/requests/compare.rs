//! `retrostep/compare`: what differed first in a function between two recordings.

use std::path::PathBuf;

use ls_types::Uri;
use retrostep_replay::compare::compare;
use retrostep_trace::FunctionId;
use serde::{Deserialize, Serialize};

use super::WorkspaceRequest;
use crate::context::{Context, Covering};
use crate::error::{RequestError, Result};
use crate::{from_proto, words};

pub(super) struct Compare;

/// Which function of which file; of the two newest recordings that it ran in, if none are named.
#[derive(Debug, Deserialize)]
pub(super) struct Params {
    uri: Uri,
    function: String,
    #[serde(default)]
    recordings: Vec<PathBuf>,
}

/// What was found.
#[derive(Debug, Serialize)]
pub(super) struct Body {
    /// Ready to show.
    text: String,
    recordings: [PathBuf; 2],
    /// Where to go in each; left out where there is no difference.
    #[serde(skip_serializing_if = "Option::is_none")]
    positions: Option<[Option<u64>; 2]>,
    /// From 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<[u32; 2]>,
}

impl WorkspaceRequest for Compare {
    const METHOD: &'static str = "retrostep/compare";
    type Params = Params;
    type Answer = Body;

    fn answer(ctx: &Context, params: Params) -> Result<Body> {
        compared(ctx, &params)
    }
}

/// The difference in words.
pub(super) fn told(ctx: &Context, uri: &Uri, function: &str) -> Result<String> {
    let params = Params {
        uri: uri.clone(),
        function: function.to_owned(),
        recordings: Vec::new(),
    };
    Ok(compared(ctx, &params)?.text)
}

fn compared(ctx: &Context, params: &Params) -> Result<Body> {
    let path = from_proto::file(&params.uri)?;
    let mut found: Vec<(Covering, FunctionId)> = Vec::new();
    for covering in ctx.covering(&path)? {
        let is_meant =
            params.recordings.is_empty() || params.recordings.contains(&covering.facts.entry.path);
        let called = covering.function(&params.function);
        if let Some(id) = called.filter(|_| is_meant).map(|function| function.id) {
            found.push((covering, id));
        }
    }
    let [(newer, newer_id), (older, older_id), ..] = found.as_slice() else {
        let text = format!("{} did not run in two recordings", params.function);
        return Err(RequestError::failed(text));
    };
    // The older one first, as time runs.
    let (a, b) = (ctx.open(&older.facts)?, ctx.open(&newer.facts)?);
    let comparison = compare(&a, *older_id, &b, *newer_id, &ctx.cancel)?;
    let (one, other) = (
        words::recording(&older.facts),
        words::recording(&newer.facts),
    );
    let difference = comparison.difference.as_ref();
    let text = match difference {
        Some(difference) => format!("{} ({one}, {other})", difference.text),
        None if comparison.more => {
            format!("no difference found in what was compared ({one}, {other})")
        }
        None => format!("no difference ({one}, {other})"),
    };
    Ok(Body {
        text,
        recordings: [
            older.facts.entry.path.clone(),
            newer.facts.entry.path.clone(),
        ],
        positions: difference.map(|it| it.positions.map(|at| at.map(|at| at.0))),
        lines: difference.map(|it| it.lines.map(|line| line.saturating_sub(1))),
    })
}
