//! `textDocument/codeAction`: what can be done with what was recorded of a line.

use ls_types::{
    CodeAction, CodeActionKind, CodeActionOptions, CodeActionOrCommand, CodeActionParams,
    CodeActionProviderCapability, Command, Diagnostic, ServerCapabilities, Uri,
    WorkDoneProgressOptions,
};
use retrostep_replay::code::Owner;
use retrostep_trace::{CancellationToken, Direction, Key};
use serde_json::{Value, json};

use super::{DocumentRequest, Late};
use crate::client::Client;
use crate::context::{Covering, DocumentContext};
use crate::error::Result;
use crate::pointed::Pointed;
use crate::view::View;

/// The kind of actions that change nothing in the document.
const KIND: CodeActionKind = CodeActionKind::new("retrostep");

pub(super) struct CodeActions;

impl DocumentRequest for CodeActions {
    const METHOD: &'static str = "textDocument/codeAction";
    const LATE: Late = Late::Wrong;
    type Params = CodeActionParams;
    type Answer = Vec<CodeActionOrCommand>;

    fn document(params: &CodeActionParams) -> &Uri {
        &params.text_document.uri
    }

    fn advertise(capabilities: &mut ServerCapabilities, _client: &Client) {
        let options = CodeActionOptions {
            code_action_kinds: Some(vec![KIND, CodeActionKind::QUICKFIX]),
            resolve_provider: Some(false),
            work_done_progress_options: WorkDoneProgressOptions::default(),
        };
        capabilities.code_action_provider = Some(CodeActionProviderCapability::Options(options));
    }

    fn answer(ctx: &DocumentContext, params: CodeActionParams) -> Result<Vec<CodeActionOrCommand>> {
        let wanted = |kind: &CodeActionKind| {
            let is_wanted = |only: &CodeActionKind| {
                let (kind, only) = (kind.as_str(), only.as_str());
                only.is_empty() || kind == only || kind.starts_with(&format!("{only}."))
            };
            params
                .context
                .only
                .as_ref()
                .is_none_or(|only| only.iter().any(is_wanted))
        };
        let Some(view) = ctx.view()? else {
            return Ok(Vec::new());
        };
        let mut actions = Vec::new();
        if wanted(&CodeActionKind::QUICKFIX) && ctx.workspace.client.commands {
            for diagnostic in &params.context.diagnostics {
                actions.extend(of_exception(diagnostic));
            }
        }
        if wanted(&KIND) {
            actions.extend(of_line(ctx, &view, params.range.start)?);
        }
        Ok((actions.into_iter())
            .map(CodeActionOrCommand::CodeAction)
            .collect())
    }
}

/// What can be done with an exception that is shown.
fn of_exception(diagnostic: &Diagnostic) -> Option<CodeAction> {
    let is_ours = diagnostic.source.as_deref() == Some("Retrostep");
    let moment = diagnostic.data.clone().filter(|_| is_ours)?;
    let mut action = action("Replay at this exception", "retrostep.goTo", moment);
    action.kind = Some(CodeActionKind::QUICKFIX);
    action.diagnostics = Some(vec![diagnostic.clone()]);
    Some(action)
}

fn of_line(
    ctx: &DocumentContext,
    view: &View,
    position: ls_types::Position,
) -> Result<Vec<CodeAction>> {
    let Some(recorded) = view.mapped.lines.to_recorded(position.line + 1) else {
        return Ok(Vec::new());
    };
    let mut actions = Vec::new();
    let key = Key::Line(view.source, recorded);
    let none = CancellationToken::new();
    let (recording, backward) = (&view.recording, Direction::Backward);
    let last = recording.find(key, recording.end(), backward, &none)?;
    let place = |extra: Value| {
        let mut place = json!({
            "uri": ctx.document.uri,
            "line": position.line,
            "recording": view.facts.entry.path,
        });
        if let (Some(place), Value::Object(extra)) = (place.as_object_mut(), extra) {
            place.extend(extra);
        }
        place
    };
    if ctx.workspace.client.commands {
        if let Some(last) = last {
            let there = place(json!({"position": last.0}));
            actions.push(action("Replay from here", "retrostep.replayHere", there));
        }
        if let Some((now, _)) = view.moment
            && let Some(before) = recording.find(key, now, backward, &none)?
        {
            let there = place(json!({"position": before.0}));
            actions.push(action("Run backward to this line", "retrostep.goTo", there));
        }
        if let Some(pointed) =
            Pointed::at(ctx, position).filter(|it| it.recorded_line(view).is_some())
        {
            let about = place(json!({"expression": pointed.text}));
            let shown: String = pointed.text.chars().take(40).collect();
            let title = format!("Show value history of {shown}");
            actions.push(action(&title, "retrostep.history", about.clone()));
            if view.moment.is_some() {
                let title = format!("Stop when {shown} changes");
                actions.push(action(&title, "retrostep.stopOnChange", about));
            }
        }
    }
    actions.extend(comparison(ctx, view, recorded, &place)?);
    Ok(actions)
}

/// Comparing the function of a line, if it ran in two recordings.
fn comparison(
    ctx: &DocumentContext,
    view: &View,
    recorded: u32,
    place: &dyn Fn(Value) -> Value,
) -> Result<Option<CodeAction>> {
    let statement = view.code.syntax.statements_at(recorded).next();
    let definition = match view.code.owner_of_line(recorded) {
        Owner::Definition(index) => view.code.syntax.definitions().get(index),
        _ => statement
            .and_then(|(_, statement)| view.code.syntax.function_of(statement))
            .map(|(_, definition)| definition),
    };
    let Some(definition) = definition else {
        return Ok(None);
    };
    let covering = ctx.covering()?;
    let ran = |covering: &&Covering| covering.function(&definition.qualified_name).is_some();
    if covering.iter().filter(ran).count() < 2 {
        return Ok(None);
    }
    let title = format!("Compare two recordings on {}", definition.name);
    let command = match ctx.workspace.client.commands {
        true => "retrostep.compare",
        false => super::execute_command::COMPARE,
    };
    let about = place(json!({"function": definition.qualified_name}));
    Ok(Some(action(&title, command, about)))
}

fn action(title: &str, command: &str, argument: Value) -> CodeAction {
    CodeAction {
        title: title.to_owned(),
        kind: Some(KIND),
        command: Some(Command {
            title: title.to_owned(),
            command: command.to_owned(),
            arguments: Some(vec![argument]),
        }),
        ..CodeAction::default()
    }
}
