//! `inlayHint/resolve`: the exact values of a hint, their moment, and the lines that made them.

use ls_types::{
    Command, InlayHint, InlayHintLabel, InlayHintLabelPartTooltip, InlayHintTooltip, Location,
    MarkupContent, MarkupKind,
};
use retrostep_replay::hints::{Hint, HintValue};
use retrostep_replay::{Datum, Snapshot, render};
use retrostep_trace::{Position, ThreadId, Value};
use serde::{Deserialize, Serialize};

use super::WorkspaceRequest;
use crate::context::{Context, DocumentContext};
use crate::error::{RequestError, Result};
use crate::places::Place;
use crate::view::View;
use crate::words;

/// Most lines of a value.
const MOST_LINES: usize = 20;

pub(super) struct ResolveInlayHint;

/// Where a hint comes from: what the client keeps of it.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub(super) struct Origin {
    /// The recorded line, from 1.
    pub(super) line: u32,
    /// The number of its [`Place`].
    pub(super) place: u64,
}

impl WorkspaceRequest for ResolveInlayHint {
    const METHOD: &'static str = "inlayHint/resolve";
    type Params = InlayHint;
    type Answer = InlayHint;

    fn answer(ctx: &Context, hint: InlayHint) -> Result<InlayHint> {
        let data = hint.data.clone().unwrap_or_default();
        let Origin { line, place }: Origin = serde_json::from_value(data)
            .map_err(|error| RequestError::params(format!("no hint of this server: {error}")))?;
        let Some(place) = ctx.places.get(place) else {
            return Ok(hint);
        };
        let Some(document) = ctx.documents.get(&place.uri) else {
            return Ok(hint);
        };
        let ctx = DocumentContext {
            workspace: ctx.clone(),
            document: document.clone(),
        };
        let Some(mut view) = ctx.view()? else {
            return Ok(hint);
        };
        if view.facts.entry.path != place.recording {
            // Another recording is shown meanwhile, and the hint will be gone.
            return Ok(hint);
        }
        view.moment =
            (place.moment).map(|(position, thread)| (Position(position), ThreadId(thread)));
        match view.hints(&ctx, &[line])?.pop().flatten() {
            Some(known) => with_details(&ctx.workspace, &place, &view, &known, hint),
            None => Ok(hint),
        }
    }
}

/// Adds to a hint what is shown when it is pointed at.
pub(super) fn with_details(
    ctx: &Context,
    place: &Place,
    view: &View,
    hint: &Hint,
    mut shown: InlayHint,
) -> Result<InlayHint> {
    let moment = words::moment_of_step(view, hint)?;
    let InlayHintLabel::LabelParts(parts) = &mut shown.label else {
        return Ok(shown);
    };
    for (part, known) in parts.iter_mut().zip(&hint.parts) {
        let Some(value) = &known.value else {
            continue;
        };
        let text = tooltip(view, value, &moment)?;
        part.tooltip = Some(InlayHintLabelPartTooltip::MarkupContent(text));
        part.location = made_by(view, value)?;
        if ctx.client.commands
            && let Some(name) = &value.name
        {
            part.command = Some(Command {
                title: "Show Value History".to_owned(),
                command: "retrostep.history".to_owned(),
                arguments: Some(vec![serde_json::json!({
                    "uri": place.uri,
                    "line": hint.line,
                    "expression": name,
                    "recording": place.recording,
                    "position": value.at.0,
                })]),
            });
        }
    }
    shown.tooltip = Some(InlayHintTooltip::MarkupContent(MarkupContent {
        kind: MarkupKind::Markdown,
        value: moment,
    }));
    shown.data = None;
    Ok(shown)
}

fn tooltip(view: &View, value: &HintValue, moment: &str) -> Result<MarkupContent> {
    let snapshot = Snapshot::new(&view.recording, value.at);
    let lines = render::lines(snapshot, &Datum::from(&value.value), MOST_LINES)?;
    Ok(MarkupContent {
        kind: MarkupKind::Markdown,
        value: format!("```python\n{}\n```\n\n{moment}", lines.join("\n")),
    })
}

/// The line that made a value: of an object the one that changed it last, else none but its own.
fn made_by(view: &View, value: &HintValue) -> Result<Option<Location>> {
    let Value::Object(object) = &value.value else {
        return Ok(None);
    };
    let last = retrostep_replay::history::last_change_of(&view.recording, *object, value.at)?;
    let Some((source, line)) = last else {
        return Ok(None);
    };
    let source = view.recording.source(source)?;
    Ok(words::location(&source.path, line))
}
