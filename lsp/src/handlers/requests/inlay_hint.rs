//! `textDocument/inlayHint`: what lines did, at their ends.

use ls_types::{
    InlayHint, InlayHintLabel, InlayHintLabelPart, InlayHintOptions, InlayHintParams,
    InlayHintServerCapabilities, OneOf, ServerCapabilities, Uri, WorkDoneProgressOptions,
};
use retrostep_replay::hints::Hint;

use super::inlay_hint_resolve::{Origin, with_details};
use super::{DocumentRequest, Late};
use crate::client::Client;
use crate::context::DocumentContext;
use crate::error::Result;
use crate::settings::Show;
use crate::to_proto;
use crate::view::View;

pub(super) struct InlayHints;

impl DocumentRequest for InlayHints {
    const METHOD: &'static str = "textDocument/inlayHint";
    const LATE: Late = Late::Wrong;
    type Params = InlayHintParams;
    type Answer = Vec<InlayHint>;

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

    fn answer(ctx: &DocumentContext, params: InlayHintParams) -> Result<Vec<InlayHint>> {
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
        let mut answer = Vec::new();
        for ((line, _), hint) in lines.into_iter().zip(hints) {
            if let Some(hint) = hint {
                answer.push(shown(ctx, &view, line, &hint)?);
            }
        }
        Ok(answer)
    }
}

fn shown(ctx: &DocumentContext, view: &View, line: u32, hint: &Hint) -> Result<InlayHint> {
    let client = &ctx.workspace.client;
    let parts = hint.parts.iter().map(|part| InlayHintLabelPart {
        value: part.text.clone(),
        ..InlayHintLabelPart::default()
    });
    let shown = InlayHint {
        position: to_proto::end_of_line(&ctx.document.text, line, client.encoding),
        label: InlayHintLabel::LabelParts(parts.collect()),
        kind: None,
        text_edits: None,
        tooltip: None,
        padding_left: Some(true),
        padding_right: None,
        data: None,
    };
    let origin = Origin::of(ctx, view, hint.line);
    match client.resolves_hints {
        true => Ok(InlayHint {
            data: serde_json::to_value(&origin).ok(),
            ..shown
        }),
        // Who cannot ask for more is given all of it.
        false => with_details(&ctx.workspace, &origin, view, hint, shown),
    }
}
