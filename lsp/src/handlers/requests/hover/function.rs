//! What is told of a function.

use retrostep_replay::code::{CodeFunction, Owner};
use retrostep_replay::render;
use serde_json::json;

use crate::context::DocumentContext;
use crate::error::Result;
use crate::pointed::Pointed;
use crate::view::View;
use crate::{markdown, words};

/// The text, if what is pointed at names one function of this source that ran.
pub(super) fn about(
    ctx: &DocumentContext,
    view: &View,
    pointed: &Pointed,
) -> Result<Option<String>> {
    let name = pointed.last_name();
    let Some(definition) = view.code.syntax.function_named(name) else {
        return Ok(None);
    };
    let owner = Owner::Definition(definition);
    let functions: Vec<&CodeFunction> = view.code.functions_of(owner).collect();
    if functions.is_empty() {
        return Ok(None);
    }
    let surveyed = view.survey(ctx)?;
    let facts = || {
        functions
            .iter()
            .filter_map(|it| surveyed.survey.functions.get(&it.id))
    };
    let calls: u64 = facts().map(|facts| facts.calls).sum();
    if calls == 0 {
        return Ok(None);
    }
    let recording = words::recording(&view.facts);
    let mut text = format!(
        "**{}** function, {} in {}\n",
        markdown::code(name),
        render::counted(calls, "call"),
        markdown::plain(&recording)
    );
    let ended: u64 = facts().map(|facts| facts.ended).sum();
    let total: u64 = facts().map(|facts| facts.total_ns).sum();
    if ended > 0 {
        text.push_str(&format!("\nabout {} in all", words::time(total)));
    }
    if let Some((slowest, at)) = facts().filter_map(|facts| facts.slowest).max() {
        let slowest = format!("slowest {}", words::time(slowest));
        let moment = json!({"recording": view.facts.entry.path, "position": at.0});
        let slowest = match ctx.workspace.client.command_links {
            true => markdown::command(&slowest, "retrostep.goTo", &moment),
            false => slowest,
        };
        text.push_str(&format!(", {slowest}\n"));
    }
    for left in facts().flat_map(|facts| &facts.left_by) {
        let ty = view.recording.type_of(left.type_id)?;
        let count = render::count(left.count);
        text.push_str(&format!(
            "\n{count} raised {}\n",
            markdown::code(&ty.qualified_name)
        ));
    }
    Ok(Some(text.trim_end().to_owned()))
}
