//! Exceptions that nothing caught: where they were raised, and the calls they left.

use ls_types::{
    Diagnostic, DiagnosticRelatedInformation, DiagnosticSeverity, Location, NumberOrString,
};
use retrostep_replay::failures::{Failure, FailureFrame, failures};
use serde_json::json;

use crate::context::DocumentContext;
use crate::error::Result;
use crate::settings;
use crate::view::View;
use crate::{to_proto, words};

/// Most diagnostics of a file.
const MOST: usize = 10;

pub(super) fn uncaught(ctx: &DocumentContext) -> Result<Vec<Diagnostic>> {
    if ctx.workspace.settings.diagnostics == settings::Diagnostics::Off {
        return Ok(Vec::new());
    }
    let Some(view) = ctx.view()? else {
        return Ok(Vec::new());
    };
    let mut all: Vec<Diagnostic> = Vec::new();
    for failure in failures(&view.recording, MOST, &ctx.workspace.cancel)? {
        let raised = failure.raised_in.as_ref();
        if let Some(frame) = raised.filter(|frame| frame.source == view.source) {
            let text = format!(
                "{} ({}, {})",
                failure.text,
                words::recording(&view.facts),
                frame.call_text()
            );
            let shown = diagnostic(ctx, &view, &failure, frame, DiagnosticSeverity::ERROR, text)?;
            all.extend(shown.filter(|shown| !is_told(&all, shown)));
        }
        for frame in &failure.left {
            let is_raise = raised.is_some_and(|raised| raised.frame == frame.frame);
            if is_raise || frame.source != view.source {
                continue;
            }
            let text = format!("{} left {} here", failure.type_name, frame.function_name);
            let severity = DiagnosticSeverity::INFORMATION;
            let shown = diagnostic(ctx, &view, &failure, frame, severity, text)?;
            all.extend(shown.filter(|shown| !is_told(&all, shown)));
        }
    }
    all.truncate(MOST);
    Ok(all)
}

/// Whether the line has the same message from a newer exception.
fn is_told(all: &[Diagnostic], shown: &Diagnostic) -> bool {
    let mut all = all.iter();
    all.any(|known| known.range == shown.range && known.severity == shown.severity)
}

/// What is said at the line of a frame; nothing if the line changed.
fn diagnostic(
    ctx: &DocumentContext,
    view: &View,
    failure: &Failure,
    frame: &FailureFrame,
    severity: DiagnosticSeverity,
    message: String,
) -> Result<Option<Diagnostic>> {
    let Some(line) = view.mapped.lines.to_buffer(frame.line) else {
        return Ok(None);
    };
    let client = &ctx.workspace.client;
    let related = match severity == DiagnosticSeverity::ERROR && client.related_information {
        true => Some(related(view, failure)?),
        false => None,
    };
    Ok(Some(Diagnostic {
        range: to_proto::line_range(&ctx.document.text, line, client.encoding),
        severity: Some(severity),
        code: Some(NumberOrString::String("raised".to_owned())),
        source: Some("Retrostep".to_owned()),
        message,
        related_information: related,
        data: Some(json!({
            "recording": view.facts.entry.path,
            "position": failure.position.0,
        })),
        ..Diagnostic::default()
    }))
}

/// One entry for each call that was left.
fn related(view: &View, failure: &Failure) -> Result<Vec<DiagnosticRelatedInformation>> {
    let mut all = Vec::new();
    let mut callers = failure.left.iter().skip(1);
    for frame in &failure.left {
        let path = view.recording.source(frame.source)?.path.clone();
        let Some(location) = words::location(&path, frame.line) else {
            continue;
        };
        let message = match callers.next() {
            Some(caller) => {
                let caller_path = view.recording.source(caller.source)?.path.clone();
                let file = std::path::Path::new(&*caller_path).file_name();
                let file = file.unwrap_or_default().to_string_lossy().into_owned();
                format!(
                    "left {} called from {file}:{}",
                    frame.function_name, caller.line
                )
            }
            None => format!("left {}", frame.function_name),
        };
        all.push(DiagnosticRelatedInformation {
            location: Location {
                range: location.range,
                uri: location.uri,
            },
            message,
        });
    }
    Ok(all)
}
