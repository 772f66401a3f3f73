//! What is told of an expression that has a value.

use retrostep_replay::history::HistoryChange;
use retrostep_replay::hover::{self, About, ValuesSeen};
use retrostep_replay::render;
use serde_json::json;

use crate::context::DocumentContext;
use crate::error::{RequestError, Result};
use crate::pointed::Pointed;
use crate::view::View;
use crate::{markdown, words};

/// The text, if the expression has a value that is data.
pub(super) fn about(
    ctx: &DocumentContext,
    view: &View,
    pointed: &Pointed,
    line: u32,
) -> Result<Option<String>> {
    let workspace = &ctx.workspace;
    let cancel = &workspace.cancel;
    let (moment, which) = view.looked_at(cancel)?;
    let found = hover::about(&moment, which, line, &pointed.text, cancel);
    let Some(about) = found
        .map_err(RequestError::from)?
        .filter(|about| !about.is_code)
    else {
        return Ok(None);
    };
    let seen = match view.moment {
        None if pointed.is_name => {
            let surveyed = view.survey(ctx)?;
            let (code, survey) = (&surveyed.code, &surveyed.survey);
            hover::values_seen(&view.recording, code, survey, line, &pointed.text)?
        }
        _ => None,
    };
    Ok(Some(text(ctx, view, pointed, &about, seen.as_ref())?))
}

fn text(
    ctx: &DocumentContext,
    view: &View,
    pointed: &Pointed,
    about: &About,
    seen: Option<&ValuesSeen>,
) -> Result<String> {
    let recording = words::recording(&view.facts);
    let mut sections = Vec::new();
    let mut head = format!(
        "**{}** {}",
        markdown::code(&about.expression),
        markdown::plain(&about.type_name)
    );
    if let Some(items) = about.items {
        head.push_str(&format!(", {}", render::counted(items, "item")));
    }
    if let Some(seen) = seen {
        head.push_str(&format!(
            ", {} in {}",
            render::counted(seen.count, "value"),
            markdown::plain(&recording)
        ));
    }
    head.push_str(&format!("\n{}", markdown::block(&about.value)));
    sections.push(head);
    match seen.and_then(|seen| values(ctx, view, seen)) {
        Some(values) => sections.push(values),
        None => sections.extend(changes(ctx, view, about)?),
    }
    let (number, total) = about.call;
    let call = match total {
        0 => String::new(),
        _ => format!(
            ", call {} of {}",
            render::count(number),
            render::count(total)
        ),
    };
    let (at, end) = (
        render::count(about.at.0),
        render::count(view.recording.end().0),
    );
    let when = match view.moment {
        Some(_) => format!(
            "At event {at} of {end}{call}, {}",
            markdown::plain(&recording)
        ),
        None => format!(
            "Newest recording of this line{call}, {}",
            made(view, &recording, pointed)
        ),
    };
    sections.push(when + &links(ctx, view, pointed, about));
    Ok(sections.join("\n\n---\n"))
}

/// When and of what the recording was made, and what changed in the document since.
fn made(view: &View, recording: &str, pointed: &Pointed) -> String {
    let mut text = markdown::plain(recording);
    let commit: String = view.facts.git.0.chars().take(7).collect();
    if !commit.is_empty() {
        text.push_str(&format!(" at {}", markdown::code(&commit)));
    }
    let changed = (1..pointed.line).filter(|line| view.mapped.lines.to_recorded(*line).is_none());
    match changed.count() {
        0 => {}
        1 => text.push_str(", 1 line above it changed since"),
        count => text.push_str(&format!(", {count} lines above it changed since")),
    }
    text
}

fn changes(ctx: &DocumentContext, view: &View, about: &About) -> Result<Option<String>> {
    if about.changes.is_empty() && about.created.is_none() {
        return Ok(None);
    }
    let at_least = if about.more_changes { "at least " } else { "" };
    let of = match about.one_object {
        true => format!(" to one {}", markdown::plain(&about.type_name)),
        false => String::new(),
    };
    let count = render::counted(about.change_count, "change");
    let mut text = format!("**How it came to be** {at_least}{count}{of}\n\n");
    if !about.changes.is_empty() {
        text.push_str("| | | |\n|---|---|---|\n");
    }
    for change in &about.changes {
        text.push_str(&row(ctx, view, change)?);
    }
    let mut rest = Vec::new();
    let earlier = about
        .change_count
        .saturating_sub(about.changes.len() as u64);
    if earlier > 0 {
        rest.push(format!(
            "{at_least}{}.",
            render::counted(earlier, "earlier change")
        ));
    }
    if let Some(created) = about.created.as_ref().filter(|created| created.line > 0) {
        let place = format!("line {}", created.line);
        let place = match created.source {
            Some(source) => {
                let path = view.recording.source(source)?.path.clone();
                let moment = moment(view, created.position.0);
                markdown::moment(&ctx.workspace, &place, &path, created.line, &moment)
            }
            None => place,
        };
        let function = markdown::code(&created.function_name);
        rest.push(format!("First seen in {function}, {place}."));
    }
    if !rest.is_empty() {
        text.push_str(&format!("\n{}", rest.join(" ")));
    }
    Ok(Some(text.trim_end().to_owned()))
}

fn row(ctx: &DocumentContext, view: &View, change: &HistoryChange) -> Result<String> {
    let what = markdown::code(&change.text);
    let place = match change.line {
        0 => markdown::plain(&change.function_name),
        line => format!("{}, line {line}", markdown::plain(&change.function_name)),
    };
    let place = match change.source {
        Some(source) if change.line > 0 => {
            let path = view.recording.source(source)?.path.clone();
            let moment = moment(view, change.position.0);
            markdown::moment(&ctx.workspace, &place, &path, change.line, &moment)
        }
        _ => place,
    };
    Ok(format!(
        "| {what} | {place} | {} |\n",
        words::time(change.time_ns)
    ))
}

fn values(ctx: &DocumentContext, view: &View, seen: &ValuesSeen) -> Option<String> {
    if seen.count < 2 || (seen.different.is_none() && seen.range.is_none()) {
        return None;
    }
    let mut text = "**Values seen**".to_owned();
    if let Some(different) = seen.different {
        text.push_str(&format!(" {} different", render::count(different)));
    }
    if let Some((low, high)) = &seen.range {
        let comma = if seen.different.is_some() { "," } else { "" };
        text.push_str(&format!("{comma} lowest {low}, highest {high}"));
    }
    text.push_str("\n\n");
    if let Some(series) = &seen.series {
        text.push_str(&format!("{}\n\n", markdown::code(series)));
    }
    if !seen.rows.is_empty() {
        text.push_str("| | | |\n|---|---|---|\n");
    }
    for row in &seen.rows {
        let times = match row.count {
            1 => "once".to_owned(),
            count => format!("{} times", render::count(count)),
        };
        let event = format!("event {}", render::count(row.at.0));
        let event = match ctx.workspace.client.command_links {
            true => markdown::command(&event, "retrostep.goTo", &moment(view, row.at.0)),
            false => event,
        };
        text.push_str(&format!(
            "| {} | {times} | {event} |\n",
            markdown::code(&row.text)
        ));
    }
    Some(text.trim_end().to_owned())
}

fn links(ctx: &DocumentContext, view: &View, pointed: &Pointed, about: &About) -> String {
    if !ctx.workspace.client.command_links {
        return String::new();
    }
    let mut argument = moment(view, about.at.0);
    if let Some(argument) = argument.as_object_mut() {
        argument.insert("expression".to_owned(), json!(about.expression));
        argument.insert("uri".to_owned(), json!(ctx.document.uri));
        argument.insert("line".to_owned(), json!(pointed.line - 1));
        argument.insert("frame".to_owned(), json!(about.frame.0));
    }
    let mut links = vec![
        ("$(history) History", "retrostep.history"),
        ("$(graph-line) Plot", "retrostep.plot"),
    ];
    match view.moment {
        Some(_) => links.extend([
            ("$(debug-step-back) Last change", "retrostep.lastChange"),
            (
                "$(debug-breakpoint-data) Stop on change",
                "retrostep.stopOnChange",
            ),
        ]),
        None => links.extend([
            ("$(play) Replay here", "retrostep.replayHere"),
            ("$(eye-closed) Hide values", "retrostep.hideValues"),
        ]),
    }
    let links: Vec<String> = (links.into_iter())
        .map(|(text, command)| markdown::command(text, command, &argument))
        .collect();
    format!("\n\n{}", links.join(" "))
}

fn moment(view: &View, position: u64) -> serde_json::Value {
    json!({"recording": view.facts.entry.path, "position": position})
}
