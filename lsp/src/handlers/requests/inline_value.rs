//! `textDocument/inlineValue`: values where the client's own debugger would show them.

use ls_types::{InlineValue, InlineValueParams, InlineValueText, OneOf, ServerCapabilities, Uri};
use retrostep_trace::FrameId;

use super::{DocumentRequest, Late};
use crate::client::Client;
use crate::context::DocumentContext;
use crate::error::Result;
use crate::settings::Show;
use crate::to_proto;

/// Most frames of a stack in which the selected one is looked for.
const MOST_FRAMES: u64 = 2_000;

pub(super) struct InlineValues;

impl DocumentRequest for InlineValues {
    const METHOD: &'static str = "textDocument/inlineValue";
    const LATE: Late = Late::Wrong;
    type Params = InlineValueParams;
    type Answer = Vec<InlineValue>;

    fn document(params: &InlineValueParams) -> &Uri {
        &params.text_document.uri
    }

    fn advertise(capabilities: &mut ServerCapabilities, client: &Client) {
        if client.inline_values {
            capabilities.inline_value_provider = Some(OneOf::Left(true));
        }
    }

    fn answer(ctx: &DocumentContext, params: InlineValueParams) -> Result<Vec<InlineValue>> {
        // A value is shown once: as a hint, or here.
        let is_hint = ctx.workspace.client.inlay_hints;
        let is_here = match ctx.workspace.settings.show {
            Show::Hints => !is_hint,
            Show::Debugger => true,
            Show::Off => false,
        };
        let Some(view) = ctx.view()?.filter(|view| is_here && view.moment.is_some()) else {
            return Ok(Vec::new());
        };
        let Some((position, thread)) = view.moment else {
            return Ok(Vec::new());
        };
        // The debug adapter numbers frames as the recording does, from 1.
        let number = u64::try_from(i64::from(params.context.frame_id) - 1);
        let stack = view.recording.stack(thread, position, 0, MOST_FRAMES)?;
        let selected = number.ok().and_then(|number| {
            let mut frames = stack.iter();
            frames.find(|state| state.frame == FrameId(number))
        });
        let Some(selected) = selected.and_then(|state| view.code.function(state.function)) else {
            return Ok(Vec::new());
        };
        let lines: Vec<(u32, u32)> = (params.range.start.line + 1..=params.range.end.line + 1)
            .filter_map(|line| Some((line, view.mapped.lines.to_recorded(line)?)))
            .filter(|(_, recorded)| view.code.owner_of_line(*recorded) == selected.owner)
            .collect();
        let recorded: Vec<u32> = lines.iter().map(|(_, recorded)| *recorded).collect();
        let hints = view.hints(ctx, &recorded)?;
        let encoding = ctx.workspace.client.encoding;
        let shown = lines
            .into_iter()
            .zip(hints)
            .filter_map(|((line, _), hint)| {
                Some(InlineValue::Text(InlineValueText {
                    range: to_proto::line_range(&ctx.document.text, line, encoding),
                    text: hint?.text(),
                }))
            });
        Ok(shown.collect())
    }
}
