//! The custom requests that only look. `docs/protocol-extensions.md` describes them.

use std::collections::BTreeMap;

use retrostep_replay::history::{HistoryChange, Order, history as find_history};
use retrostep_replay::{Expression, Filter, Node, ScopeKind, Snapshot};
use retrostep_trace::{CancellationToken, FrameId, Position};
use serde::{Deserialize, Serialize};

use super::{Reply, Result};
use crate::client::Client;
use crate::dap::types;
use crate::error::RequestError;
use crate::from_proto;
use crate::position;
use crate::replaying::Replay;
use crate::to_proto;
use crate::worker::Worker;

/// The length of a page that no count was given for.
const DEFAULT_PAGE: i64 = 100;

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HistoryArguments {
    #[serde(alias = "name")]
    expression: String,
    frame_id: Option<i64>,
    #[serde(default)]
    newest: bool,
    start: Option<i64>,
    count: Option<i64>,
}

#[derive(Debug, Deserialize)]
pub(super) struct HitsArguments {
    source: types::Source,
    line: i64,
    start: Option<i64>,
    count: Option<i64>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct HistoryBody {
    name: String,
    writes: Vec<WriteBody>,
    total: i64,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    more: bool,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WriteBody {
    position: i64,
    thread_id: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    source: Option<types::Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<i64>,
    function: String,
    time: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    old: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    new: Option<String>,
    text: String,
}

#[derive(Debug, Serialize)]
struct HitsBody {
    hits: Vec<HitBody>,
    total: i64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct HitBody {
    position: i64,
    thread_id: i64,
    number: i64,
    values: BTreeMap<String, String>,
}

/// The most columns of an overview.
const MOST_COLUMNS: u32 = 10_000;

#[derive(Debug, Deserialize)]
pub(super) struct OverviewArguments {
    from: Option<i64>,
    to: Option<i64>,
    buckets: i64,
}

#[derive(Debug, Serialize)]
struct OverviewBody {
    from: i64,
    to: i64,
    exact: bool,
    depths: Vec<u32>,
    exceptions: Vec<u64>,
    output: Vec<u64>,
    marks: Vec<u64>,
    hits: Vec<u64>,
}

/// A part of the recording in columns.
pub(super) fn overview(
    worker: &mut Worker,
    arguments: OverviewArguments,
    cancel: &CancellationToken,
) -> Result<Reply> {
    let timeline = &worker.replay()?.timeline;
    let position = |number: i64| Position(u64::try_from(number).unwrap_or(0));
    let from = arguments.from.map_or(Position::START, position);
    let to = arguments.to.map_or(timeline.end(), position);
    let buckets = match u32::try_from(arguments.buckets) {
        Ok(buckets) if (1..=MOST_COLUMNS).contains(&buckets) => buckets,
        _ => {
            let message = format!("buckets: a number from 1 to {MOST_COLUMNS} is expected");
            return Err(RequestError::client(message));
        }
    };
    let found = timeline.overview(from..to, buckets, cancel)?;
    Reply::with(OverviewBody {
        from: to_proto::whole(found.from.0),
        to: to_proto::whole(found.to.0),
        exact: found.exact,
        depths: found.depths,
        exceptions: found.exceptions,
        output: found.output,
        marks: found.marks,
        hits: found.hits,
    })
}

pub(super) fn position(worker: &mut Worker) -> Result<Reply> {
    let client = worker.client;
    let replay = worker.replay()?;
    Reply::with(position::of_replay(replay, &client))
}

/// Pages count from the oldest or the newest write on, and are told in recording order.
pub(super) fn history(
    worker: &mut Worker,
    arguments: HistoryArguments,
    cancel: &CancellationToken,
) -> Result<Reply> {
    let client = worker.client;
    let replay = worker.replay()?;
    let frame = replay.frame_or_innermost(arguments.frame_id)?;
    let expression = Expression::parse(&arguments.expression)?;
    let page = from_proto::page(arguments.start, arguments.count.or(Some(DEFAULT_PAGE)));
    let order = match arguments.newest {
        true => Order::Newest,
        false => Order::Oldest,
    };
    let snapshot = replay.snapshot();
    let mut found = find_history(snapshot, frame, &expression, page, order, cancel)?;
    if arguments.newest {
        found.changes.reverse();
    }
    let mut writes = Vec::with_capacity(found.changes.len());
    for change in found.changes {
        writes.push(write_body(change, replay, &client)?);
    }
    Reply::with(HistoryBody {
        name: found.name,
        writes,
        total: to_proto::whole(found.total),
        more: found.more,
    })
}

fn write_body(change: HistoryChange, replay: &mut Replay, client: &Client) -> Result<WriteBody> {
    let recording = replay.timeline.recording().clone();
    Ok(WriteBody {
        position: to_proto::whole(change.position.0),
        thread_id: to_proto::thread_id(change.thread),
        line: change.source.map(|_| client.line(change.line)),
        source: match change.source {
            Some(source) => Some(replay.sources.get(&recording, source)?),
            None => None,
        },
        function: change.function_name.to_string(),
        time: position::duration(change.time_ns),
        old: change.old_text,
        new: change.new_text,
        text: change.text,
    })
}

/// Every execution of a line, with the locals as they were before it ran.
pub(super) fn hits(
    worker: &mut Worker,
    arguments: HitsArguments,
    cancel: &CancellationToken,
) -> Result<Reply> {
    let client = worker.client;
    let replay = worker.replay()?;
    let line = client.engine_line(arguments.line);
    let page = from_proto::page(arguments.start, arguments.count.or(Some(DEFAULT_PAGE)));
    let mut skip = page.start;
    let mut limit = page.end.saturating_sub(page.start);
    let mut body = HitsBody {
        hits: Vec::new(),
        total: 0,
    };
    for source in from_proto::sources(&replay.timeline, &arguments.source)? {
        let found = replay.timeline.hits(source, line, skip, limit, cancel)?;
        for hit in &found.hits {
            let at = Snapshot::new(replay.recording(), hit.position);
            body.hits.push(HitBody {
                position: to_proto::whole(hit.position.0),
                thread_id: to_proto::thread_id(hit.thread),
                number: to_proto::whole(hit.number),
                values: locals(at, hit.frame)?,
            });
        }
        limit = limit.saturating_sub(found.hits.len() as u64);
        skip = skip.saturating_sub(found.total);
        body.total = body.total.saturating_add(to_proto::whole(found.total));
    }
    Reply::with(body)
}

fn locals(snapshot: Snapshot<'_>, frame: FrameId) -> Result<BTreeMap<String, String>> {
    let scope = Node::Scope(frame, ScopeKind::Locals);
    let page = from_proto::page(None, Some(DEFAULT_PAGE));
    Ok(snapshot
        .children(&scope, None, Filter::All, page)?
        .into_iter()
        .map(|variable| (variable.name, variable.text))
        .collect())
}
