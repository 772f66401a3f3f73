//! `retrostep/history`: the writes of what an expression in a document names.

use ls_types::{TextDocumentPositionParams, Uri};
use retrostep_replay::Expression;
use retrostep_replay::history::{Order, history};
use retrostep_replay::hover::Run;
use serde::{Deserialize, Serialize};

use super::page::Page;
use super::{DocumentRequest, Late};
use crate::client::Client;
use crate::context::DocumentContext;
use crate::error::{RequestError, Result};
use crate::pointed::Pointed;
use crate::to_proto;

pub(super) struct History;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Params {
    #[serde(flatten)]
    place: TextDocumentPositionParams,
    /// Instead of the one at the position.
    expression: Option<String>,
    #[serde(flatten)]
    page: Page,
}

#[derive(Debug, Serialize)]
pub(super) struct Body {
    name: String,
    /// The newest first.
    writes: Vec<Write>,
    total: u64,
    /// There are at least so many.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more: bool,
    recording: std::path::PathBuf,
}

#[derive(Debug, Serialize)]
struct Write {
    position: u64,
    text: String,
    function: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<Uri>,
    /// From 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<String>,
}

impl DocumentRequest for History {
    const METHOD: &'static str = "retrostep/history";
    const LATE: Late = Late::Valid;
    type Params = Params;
    type Answer = Body;

    fn document(params: &Params) -> &Uri {
        &params.place.text_document.uri
    }

    fn advertise(_capabilities: &mut ls_types::ServerCapabilities, _client: &Client) {}

    fn answer(ctx: &DocumentContext, params: Params) -> Result<Body> {
        let nothing = |what: &str| RequestError::failed(what.to_owned());
        let view = ctx.view()?;
        let view = view.ok_or_else(|| nothing("this file is in no recording"))?;
        let line = view
            .mapped
            .lines
            .to_recorded(params.place.position.line + 1);
        let line = line.ok_or_else(|| nothing("this line changed after the recording"))?;
        let text = match params.expression {
            Some(expression) => expression,
            None => Pointed::at(ctx, params.place.position)
                .map(|pointed| pointed.text)
                .ok_or_else(|| nothing("there is no expression here"))?,
        };
        let expression = Expression::parse(&text)?;
        let cancel = &ctx.workspace.cancel;
        let (moment, which) = view.looked_at(cancel)?;
        let run = Run::of(&moment, which, line)?;
        let run = run.ok_or_else(|| nothing("this line did not run"))?;
        let snapshot =
            retrostep_replay::Snapshot::new(&view.recording, run.seen(&view.code, &text));
        let page = params.page.rows();
        let frame = Some(run.call.frame);
        let found = history(snapshot, frame, &expression, page, Order::Newest, cancel)?;
        let mut writes = Vec::new();
        for change in found.changes {
            let path = match change.source {
                Some(source) => Some(view.recording.source(source)?.path.clone()),
                None => None,
            };
            let uri = path.and_then(|path| to_proto::uri(std::path::Path::new(&*path)));
            writes.push(Write {
                position: change.position.0,
                text: change.text,
                function: change.function_name.to_string(),
                uri,
                line: (change.line > 0).then(|| to_proto::line(change.line)),
                time: crate::words::time(change.time_ns),
                old: change.old_text,
                new: change.new_text,
            });
        }
        Ok(Body {
            name: found.name,
            writes,
            total: found.total,
            more: found.more,
            recording: view.facts.entry.path.clone(),
        })
    }
}
