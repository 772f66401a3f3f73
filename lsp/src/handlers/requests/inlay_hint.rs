//! `textDocument/inlayHint`: what lines did, at their ends.

use std::sync::Arc;

use ls_types::{
    InlayHint, InlayHintLabel, InlayHintLabelPart, InlayHintOptions, InlayHintParams,
    InlayHintServerCapabilities, OneOf, Position, ServerCapabilities, Uri, WorkDoneProgressOptions,
};
use retrostep_replay::hints::Hint;
use serde::ser::SerializeStruct as _;
use serde::{Serialize, Serializer};

use super::inlay_hint_resolve::{Origin, with_details};
use super::{DocumentRequest, Late};
use crate::client::Client;
use crate::context::DocumentContext;
use crate::error::Result;
use crate::places::Place;
use crate::settings::Show;
use crate::to_proto;
use crate::view::View;

pub(super) struct InlayHints;

impl DocumentRequest for InlayHints {
    const METHOD: &'static str = "textDocument/inlayHint";
    const LATE: Late = Late::Wrong;
    type Params = InlayHintParams;
    type Answer = Vec<Shown>;

    fn document(params: &InlayHintParams) -> &Uri {
        &params.text_document.uri
    }

    fn advertise(capabilities: &mut ServerCapabilities, _client: &Client) {
        let options = InlayHintOptions {
            resolve_provider: Some(true),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        };
        capabilities.inlay_hint_provider =
            Some(OneOf::Right(InlayHintServerCapabilities::Options(options)));
    }

    fn answer(ctx: &DocumentContext, params: InlayHintParams) -> Result<Vec<Shown>> {
        if ctx.workspace.settings.show != Show::Hints {
            return Ok(Vec::new());
        }
        let Some(view) = ctx.view()? else {
            return Ok(Vec::new());
        };
        let (first, last) = (
            params.range.start.line + 1,
            params.range.end.line.saturating_add(1),
        );
        let last = last.min(u32::try_from(ctx.document.text.len_lines()).unwrap_or(u32::MAX));
        let lines: Vec<(u32, u32)> = (first..=last)
            .filter(|line| ctx.is_in_scope(&view, *line))
            .filter_map(|line| Some((line, view.mapped.lines.to_recorded(line)?)))
            .collect();
        let recorded: Vec<u32> = lines.iter().map(|(_, recorded)| *recorded).collect();
        let hints = view.hints(ctx, &recorded)?;
        let place = Arc::new(Place::of(ctx, &view));
        let number = ctx.workspace.places.keep(&place);
        let mut answer = Vec::new();
        for ((line, _), hint) in lines.into_iter().zip(hints) {
            if let Some(hint) = hint {
                answer.push(shown(ctx, &view, line, hint, (&place, number))?);
            }
        }
        Ok(answer)
    }
}

/// A hint, as it is sent.
pub(super) enum Shown {
    /// What is shown when it is pointed at will be asked for. There are thousands of these.
    Brief(Brief),
    Whole(Box<InlayHint>),
}

/// An [`InlayHint`] without details.
pub(super) struct Brief {
    position: Position,
    hint: Arc<Hint>,
    place: u64,
}

/// The label's parts.
struct Label<'a>(&'a Hint);

#[derive(Serialize)]
struct Part<'a> {
    value: &'a str,
}

impl Serialize for Shown {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        match self {
            Shown::Whole(hint) => hint.serialize(serializer),
            Shown::Brief(brief) => {
                let origin = Origin {
                    line: brief.hint.line,
                    place: brief.place,
                };
                let mut hint = serializer.serialize_struct("InlayHint", 4)?;
                hint.serialize_field("position", &brief.position)?;
                hint.serialize_field("label", &Label(&brief.hint))?;
                hint.serialize_field("paddingLeft", &true)?;
                hint.serialize_field("data", &origin)?;
                hint.end()
            }
        }
    }
}

impl Serialize for Label<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.parts.iter().map(|part| Part { value: &part.text }))
    }
}

fn shown(
    ctx: &DocumentContext,
    view: &View,
    line: u32,
    hint: Arc<Hint>,
    (place, number): (&Place, u64),
) -> Result<Shown> {
    let client = &ctx.workspace.client;
    let position = to_proto::end_of_line(&ctx.document.text, line, client.encoding);
    if client.resolves_hints {
        return Ok(Shown::Brief(Brief {
            position,
            hint,
            place: number,
        }));
    }
    // Who cannot ask for more is given all of it.
    let parts = hint.parts.iter().map(|part| InlayHintLabelPart {
        value: part.text.clone(),
        ..InlayHintLabelPart::default()
    });
    let shown = InlayHint {
        position,
        label: InlayHintLabel::LabelParts(parts.collect()),
        kind: None,
        text_edits: None,
        tooltip: None,
        padding_left: Some(true),
        padding_right: None,
        data: None,
    };
    let whole = with_details(&ctx.workspace, place, view, &hint, shown)?;
    Ok(Shown::Whole(Box::new(whole)))
}
