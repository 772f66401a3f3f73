//! `textDocument/codeLens`: how often functions ran, what left them, and in how many recordings.

use std::collections::HashMap;

use ls_types::{CodeLens, CodeLensOptions, CodeLensParams, Command, ServerCapabilities, Uri};
use retrostep_replay::code::Owner;
use retrostep_replay::render;
use retrostep_replay::survey::FunctionFacts;
use retrostep_replay::syntax::Definition;
use serde_json::json;

use super::{DocumentRequest, Late};
use crate::client::Client;
use crate::context::{Covering, DocumentContext};
use crate::error::Result;
use crate::settings::Lenses;
use crate::to_proto;
use crate::view::View;

/// Most parts of a lens.
const MOST_PARTS: usize = 4;
/// Fewest lines of a function inside another one that has a lens.
const FEWEST_NESTED: u32 = 5;

pub(super) struct CodeLenses;

impl DocumentRequest for CodeLenses {
    const METHOD: &'static str = "textDocument/codeLens";
    const LATE: Late = Late::Wrong;
    type Params = CodeLensParams;
    type Answer = Vec<CodeLens>;

    fn document(params: &CodeLensParams) -> &Uri {
        &params.text_document.uri
    }

    fn advertise(capabilities: &mut ServerCapabilities, _client: &Client) {
        capabilities.code_lens_provider = Some(CodeLensOptions {
            resolve_provider: Some(false),
        });
    }

    fn answer(ctx: &DocumentContext, _params: CodeLensParams) -> Result<Vec<CodeLens>> {
        let density = ctx.workspace.settings.lenses;
        if density == Lenses::Off {
            return Ok(Vec::new());
        }
        let Some(view) = ctx.view()? else {
            return Ok(Vec::new());
        };
        let surveyed = view.survey(ctx)?;
        let covering = ctx.covering()?;
        let recordings = recordings(&covering);
        let mut lenses = Vec::new();
        for (index, definition) in view.code.syntax.definitions().iter().enumerate() {
            if !has_lens(&view, definition) {
                continue;
            }
            let functions = view.code.functions_of(Owner::Definition(index));
            let facts: Vec<&FunctionFacts> = functions
                .filter_map(|function| surveyed.survey.functions.get(&function.id))
                .collect();
            let has_failed = facts.iter().any(|facts| !facts.left_by.is_empty());
            let is_shown = density == Lenses::Functions || has_failed;
            let calls: u64 = facts.iter().map(|facts| facts.calls).sum();
            let Some(line) = line_of(&view, index, definition).filter(|_| calls > 0 && is_shown)
            else {
                continue;
            };
            let encoding = ctx.workspace.client.encoding;
            let range = to_proto::line_range(&ctx.document.text, line, encoding);
            let recordings = recordings.get(&*definition.qualified_name);
            let recordings = recordings.map_or(0, |(count, _)| *count);
            for command in parts(ctx, &view, definition, &facts, recordings, line)? {
                lenses.push(CodeLens {
                    range,
                    command: Some(command),
                    data: None,
                });
            }
        }
        Ok(lenses)
    }
}

/// Whether a definition is a function of some size.
fn has_lens(view: &View, definition: &Definition) -> bool {
    if definition.is_class || definition.body.start() == definition.head.end() {
        return false;
    }
    let definitions = view.code.syntax.definitions();
    let parent = definition.parent.and_then(|parent| definitions.get(parent));
    let is_nested = parent.is_some_and(|parent| !parent.is_class);
    let lines = definition.lines.end() - definition.lines.start() + 1;
    !is_nested || lines >= FEWEST_NESTED
}

/// The document's line of a recorded definition, however much of it changed.
fn line_of(view: &View, index: usize, definition: &Definition) -> Option<u32> {
    if let Some(line) = view.mapped.lines.to_buffer(*definition.head.start()) {
        return Some(line);
    }
    let there = view.mapped.lines.definition_to_buffer(index)?;
    let there = view.mapped.buffer.syntax().definitions().get(there)?;
    Some(*there.head.start())
}

/// `32 calls`, `75 loop passes`, `1 raised ValueError`, `2 recordings`: those that say something.
fn parts(
    ctx: &DocumentContext,
    view: &View,
    definition: &Definition,
    facts: &[&FunctionFacts],
    recordings: u64,
    line: u32,
) -> Result<Vec<Command>> {
    let sum = |part: fn(&FunctionFacts) -> u64| facts.iter().map(|facts| part(facts)).sum::<u64>();
    let calls = sum(|facts| facts.calls);
    let argument = json!({
        "uri": ctx.document.uri,
        "line": line - 1,
        "recording": view.facts.entry.path,
        "function": definition.qualified_name,
    });
    let command = |title: String, name: &str| Command {
        title,
        command: name.to_owned(),
        arguments: Some(vec![argument.clone()]),
    };
    let names = Names::of(&ctx.workspace.client);
    let mut parts = vec![command(render::counted(calls, "call"), names.calls)];
    let passes = sum(|facts| facts.passes);
    if passes > 0 {
        let title = match passes {
            1 => "1 loop pass".to_owned(),
            passes => format!("{} loop passes", render::count(passes)),
        };
        parts.push(command(title, names.calls));
    }
    let left = facts.iter().flat_map(|facts| &facts.left_by);
    if let Some(left) = left.max_by_key(|left| left.last) {
        let ty = view.recording.type_of(left.type_id)?;
        let name = ty.qualified_name.rsplit('.').next().unwrap_or_default();
        let title = format!("{} raised {name}", render::count(left.count));
        let mut raised = command(title, names.failure);
        if let Some([argument]) = raised.arguments.as_deref_mut()
            && let Some(argument) = argument.as_object_mut()
        {
            argument.insert("position".to_owned(), json!(left.last.0));
        }
        parts.push(raised);
    }
    if recordings > 1 {
        parts.push(command(
            render::counted(recordings, "recording"),
            names.recordings,
        ));
    }
    parts.truncate(MOST_PARTS);
    Ok(parts)
}

/// In how many recordings of the file functions were called, by their names; and in which one last.
fn recordings(covering: &[Covering]) -> HashMap<&str, (u64, usize)> {
    let mut recordings: HashMap<&str, (u64, usize)> = HashMap::new();
    for (number, covering) in (1..).zip(covering) {
        let functions = covering.facts.functions.iter();
        let called = functions.filter(|function| function.source == covering.source);
        for function in called {
            let (count, last) = recordings.entry(&function.qualified_name).or_default();
            // Several functions of a recording can have one name.
            if *last != number {
                (*count, *last) = (*count + 1, number);
            }
        }
    }
    recordings
}

/// The commands behind the parts: the client's own, or those that the server runs for any client.
struct Names {
    calls: &'static str,
    failure: &'static str,
    recordings: &'static str,
}

impl Names {
    fn of(client: &Client) -> Names {
        match client.commands {
            true => Names {
                calls: "retrostep.calls",
                failure: "retrostep.goTo",
                recordings: "retrostep.selectRecording",
            },
            false => Names {
                calls: super::execute_command::CALLS,
                failure: super::execute_command::CALLS,
                recordings: super::execute_command::RECORDINGS,
            },
        }
    }
}
