//! `textDocument/hover`: what an expression was, how that came to be, and what else it was.

mod function;
mod value;

use ls_types::{
    Hover, HoverContents, HoverParams, HoverProviderCapability, MarkupContent, MarkupKind,
    ServerCapabilities, Uri,
};

use super::{DocumentRequest, Late};
use crate::client::Client;
use crate::context::DocumentContext;
use crate::error::Result;
use crate::pointed::Pointed;
use crate::view::View;
use crate::{markdown, to_proto};

pub(super) struct Hovers;

impl DocumentRequest for Hovers {
    const METHOD: &'static str = "textDocument/hover";
    const LATE: Late = Late::Wrong;
    type Params = HoverParams;
    type Answer = Option<Hover>;

    fn document(params: &HoverParams) -> &Uri {
        &params.text_document_position_params.text_document.uri
    }

    fn advertise(capabilities: &mut ServerCapabilities, _client: &Client) {
        capabilities.hover_provider = Some(HoverProviderCapability::Simple(true));
    }

    fn answer(ctx: &DocumentContext, params: HoverParams) -> Result<Option<Hover>> {
        let position = params.text_document_position_params.position;
        let Some(pointed) = Pointed::at(ctx, position) else {
            return Ok(None);
        };
        let Some(view) = ctx.view()? else {
            return Ok(None);
        };
        let text = match pointed.recorded_line(&view) {
            Some(line) => match value::about(ctx, &view, &pointed, line)? {
                Some(text) => Some(text),
                None => function::about(ctx, &view, &pointed)?,
            },
            None => changed(ctx, &view, &pointed),
        };
        Ok(text.map(|text| {
            let encoding = ctx.workspace.client.encoding;
            Hover {
                range: Some(to_proto::range(&ctx.document.text, pointed.range, encoding)),
                contents: HoverContents::Markup(markup(&ctx.workspace.client, text)),
            }
        }))
    }
}

/// Markdown for who can show it; for others the same without its signs.
fn markup(client: &Client, text: String) -> MarkupContent {
    if client.markdown_hover {
        return MarkupContent {
            kind: MarkupKind::Markdown,
            value: text,
        };
    }
    let mut out = String::new();
    for line in text.lines() {
        let is_frame = line.starts_with("```") || line.starts_with("|---") || line == "| | | |";
        if is_frame || line == "---" {
            continue;
        }
        let mut line = match line.starts_with('|') {
            true => line.trim_matches(['|', ' ']).replace(" | ", "  "),
            false => line.to_owned(),
        };
        for sign in ["**", "`", "\\"] {
            line = line.replace(sign, "");
        }
        out.push_str(&without_links(&line));
        out.push('\n');
    }
    MarkupContent {
        kind: MarkupKind::PlainText,
        value: out.trim_end().to_owned(),
    }
}

fn without_links(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some((before, after)) = rest.split_once('[') {
        let link = after.split_once("](").and_then(|(text, after)| {
            let (_, after) = after.split_once(')')?;
            Some((text, after))
        });
        out.push_str(before);
        match link {
            Some((text, after)) => {
                out.push_str(text);
                rest = after;
            }
            None => {
                out.push('[');
                rest = after;
            }
        }
    }
    out + rest
}

/// What is told of a line that has another text than the recorded one; nothing of one that is new.
fn changed(ctx: &DocumentContext, view: &View, pointed: &Pointed) -> Option<String> {
    // The line above that is the same tells where this one was.
    let lines = &view.mapped.lines;
    let above = (1..pointed.line).rev().take(50);
    let (distance, before) = (1..)
        .zip(above)
        .find_map(|(distance, line)| Some((distance, lines.to_recorded(line)?)))?;
    let recorded = before + distance;
    let is_other = lines.to_buffer(recorded).is_none();
    let same_place = view.code.owner_of_line(recorded) == view.code.owner_of_line(before);
    let text = view.mapped.recorded.line(recorded).trim();
    if !is_other || !same_place || text.is_empty() {
        return None;
    }
    let sign = if ctx.workspace.client.command_links {
        "$(edit) "
    } else {
        ""
    };
    Some(format!(
        "{sign}**This line changed after the recording**\n\nRecorded text: {}",
        markdown::code(text)
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_cannot_show_markdown_gets_its_text() {
        let text = "**`due`** Decimal\n```python\n-18.75\n```\n---\n| | | |\n|---|---|---|\n\
                    | `1 → 2` | [f, line 3](file:///a) | |\n[1, 2]";
        let shown = markup(&Client::default(), text.to_owned());
        assert_eq!(shown.kind, MarkupKind::PlainText);
        assert_eq!(shown.value, "due Decimal\n-18.75\n1 → 2  f, line 3\n[1, 2]");
    }
}
