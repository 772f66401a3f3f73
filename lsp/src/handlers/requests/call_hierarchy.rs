//! The call hierarchy of recorded calls: who called a function, and whom it called.

mod incoming;
mod outgoing;

use std::path::PathBuf;

use ls_types::{
    CallHierarchyItem, CallHierarchyPrepareParams, CallHierarchyServerCapability, Range,
    ServerCapabilities, SymbolKind, Uri,
};
use retrostep_replay::calls::{Edge, FunctionGroup, RecordedCall, group_of};
use retrostep_replay::code::Owner;
use retrostep_replay::render;
use retrostep_trace::{FunctionId, FunctionKind, Recording};
use serde::{Deserialize, Serialize};

use super::{DocumentRequest, Late};
use crate::client::Client;
use crate::context::{Context, DocumentContext};
use crate::error::{RequestError, Result};
use crate::pointed::Pointed;
use crate::recordings::RecordingFacts;
use crate::{to_proto, words};

pub(super) use incoming::Incoming;
pub(super) use outgoing::Outgoing;

pub(super) struct Prepare;

/// Which function of which recording an item is: what the client keeps of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Origin {
    recording: PathBuf,
    function: u32,
}

impl DocumentRequest for Prepare {
    const METHOD: &'static str = "textDocument/prepareCallHierarchy";
    const LATE: Late = Late::Wrong;
    type Params = CallHierarchyPrepareParams;
    type Answer = Option<Vec<CallHierarchyItem>>;

    fn document(params: &CallHierarchyPrepareParams) -> &Uri {
        &params.text_document_position_params.text_document.uri
    }

    fn advertise(capabilities: &mut ServerCapabilities, _client: &Client) {
        capabilities.call_hierarchy_provider = Some(CallHierarchyServerCapability::Simple(true));
    }

    fn answer(
        ctx: &DocumentContext,
        params: CallHierarchyPrepareParams,
    ) -> Result<Option<Vec<CallHierarchyItem>>> {
        let Some(view) = ctx.view()? else {
            return Ok(None);
        };
        let position = params.text_document_position_params.position;
        let pointed = Pointed::at(ctx, position);
        let named = pointed.and_then(|it| view.code.syntax.function_named(it.last_name()));
        // Else the function that the line is in.
        let owner = named.map(Owner::Definition).or_else(|| {
            let recorded = view.mapped.lines.to_recorded(position.line + 1)?;
            Some(view.code.owner_of_line(recorded))
        });
        let function = owner.and_then(|owner| view.code.functions_of(owner).next());
        let Some(function) = function else {
            return Ok(None);
        };
        let group = group_of(&view.recording, function.id)?;
        let calls = group.count(&view.recording, &ctx.workspace.cancel)?;
        let detail = format!(
            "{} in {}",
            render::counted(calls, "call"),
            words::recording(&view.facts)
        );
        let item = item(&ctx.workspace, &view.facts, &view.recording, &group, detail)?;
        Ok(item.map(|item| vec![item]))
    }
}

/// A function as the client shows it; `None` for code without a file.
fn item(
    ctx: &Context,
    facts: &RecordingFacts,
    recording: &Recording,
    group: &FunctionGroup,
    detail: String,
) -> Result<Option<CallHierarchyItem>> {
    let function = &group.function;
    let source = recording.source(function.source)?;
    let Some(location) = words::location(&source.path, function.first_line) else {
        return Ok(None);
    };
    let range = words::current_range(ctx, recording, function.source, function.first_line)?
        .unwrap_or(location.range);
    let name = match function.kind {
        FunctionKind::Module => source
            .path
            .rsplit('/')
            .next()
            .unwrap_or_default()
            .to_owned(),
        _ => function.name.to_string(),
    };
    let first = group.ids.first().copied().unwrap_or_default();
    let origin = Origin {
        recording: facts.entry.path.clone(),
        function: first.0,
    };
    Ok(Some(CallHierarchyItem {
        name,
        kind: match function.kind {
            FunctionKind::Module => SymbolKind::MODULE,
            FunctionKind::Class => SymbolKind::CLASS,
            _ => SymbolKind::FUNCTION,
        },
        tags: None,
        detail: Some(detail),
        uri: location.uri,
        range,
        selection_range: range,
        data: serde_json::to_value(origin).ok(),
    }))
}

/// What the edges of an item are found in.
struct Opened {
    facts: std::sync::Arc<RecordingFacts>,
    recording: std::sync::Arc<Recording>,
    function: FunctionId,
}

impl Opened {
    fn of(ctx: &Context, item: &CallHierarchyItem) -> Result<Opened> {
        let data = item.data.clone().unwrap_or_default();
        let origin: Origin = serde_json::from_value(data)
            .map_err(|error| RequestError::params(format!("no item of this server: {error}")))?;
        let facts = ctx.facts_of(&origin.recording)?;
        let function = FunctionId(origin.function);
        let recording = ctx.open(&facts)?;
        if origin.function >= recording.function_count() {
            return Err(RequestError::params(
                "there is no such function in the recording",
            ));
        }
        Ok(Opened {
            facts,
            recording,
            function,
        })
    }

    /// The other end of an edge.
    fn other(&self, ctx: &Context, edge: &Edge) -> Result<Option<CallHierarchyItem>> {
        let Some(function) = edge.function else {
            return Ok(None);
        };
        let group = group_of(&self.recording, function)?;
        let calls = render::counted(edge.calls, "call");
        let detail = format!("{calls}, newest {}", told(&edge.newest));
        item(ctx, &self.facts, &self.recording, &group, detail)
    }

    /// The lines of the calls, where they are now if their document is open.
    fn lines(&self, ctx: &Context, edge: &Edge) -> Result<Vec<Range>> {
        let mut ranges = Vec::new();
        for line in &edge.lines {
            let now = words::current_range(ctx, &self.recording, line.source, line.line)?;
            let start = ls_types::Position::new(to_proto::line(line.line), 0);
            ranges.push(now.unwrap_or(Range::new(start, start)));
        }
        Ok(ranges)
    }
}

/// `#32 (93.75, 6 items) → 112.5`
fn told(call: &RecordedCall) -> String {
    format!("#{} ({}) {}", call.number, call.arguments, call.outcome)
}
