//! `retrostep/recordings`: rows for a side panel, ready to show.

use std::time::SystemTime;

use chrono::{DateTime, Local};
use retrostep_replay::render;
use retrostep_sessions::{Entry, is_being_written, words};
use serde::Serialize;
use serde_json::Value;

use super::WorkspaceRequest;
use crate::context::{Context, is_same_file};
use crate::error::Result;
use crate::recordings::{Ending, RecordingFacts};
use crate::to_proto;

pub(super) struct Recordings;

#[derive(Debug, Serialize)]
pub(super) struct Body {
    recordings: Vec<Row>,
}

/// One recording.
#[derive(Debug, Serialize)]
struct Row {
    path: String,
    id: String,
    label: String,
    description: String,
    /// Markdown.
    tooltip: String,
    result: Kind,
    /// Whether the user chose its values.
    selected: bool,
    /// Whether it is being replayed.
    open: bool,
    exceptions: Vec<Exception>,
}

/// What became of the recorded run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
enum Kind {
    Passed,
    Failed,
    Cut,
    Running,
    Unreadable,
}

#[derive(Debug, Serialize)]
struct Exception {
    label: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    description: Option<String>,
    position: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<String>,
    /// From 0, as everywhere in the protocol.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
}

impl WorkspaceRequest for Recordings {
    const METHOD: &'static str = "retrostep/recordings";
    type Params = Value;
    type Answer = Body;

    fn answer(ctx: &Context, _params: Value) -> Result<Body> {
        let now = SystemTime::now();
        let entries = ctx.libraries.entries();
        let mut rows = Vec::new();
        for (index, entry) in entries.iter().enumerate() {
            ctx.progress.report(index, entries.len());
            let row = match ctx.facts(entry)? {
                Some(facts) => (facts.started, row(ctx, &facts, now)),
                None => (entry.modified, unreadable(ctx, entry)),
            };
            rows.push(row);
        }
        rows.sort_by_key(|(started, _)| std::cmp::Reverse(*started));
        let recordings = rows.into_iter().map(|(_, row)| row).collect();
        Ok(Body { recordings })
    }
}

fn row(ctx: &Context, facts: &RecordingFacts, now: SystemTime) -> Row {
    let (result, word) = result(facts);
    let open = (ctx.libraries.position())
        .is_some_and(|position| is_same_file(&position.recording, &facts.entry.path));
    let when = match result {
        Kind::Running => format!("{} events", short_count(facts.events)),
        _ => words::moment(facts.started, now),
    };
    let open_word = if open { ", open" } else { "" };
    Row {
        description: format!("{word}, {when}{open_word}"),
        tooltip: tooltip(facts),
        result,
        open,
        exceptions: exceptions(facts),
        ..unread_row(ctx, &facts.entry, facts.name.clone())
    }
}

fn unreadable(ctx: &Context, entry: &Entry) -> Row {
    let file = entry.path.file_name().unwrap_or_default().to_string_lossy();
    unread_row(ctx, entry, file.into_owned())
}

fn unread_row(ctx: &Context, entry: &Entry, label: String) -> Row {
    Row {
        path: entry.path.display().to_string(),
        id: entry.id.clone(),
        label,
        description: "unreadable".to_owned(),
        tooltip: String::new(),
        result: Kind::Unreadable,
        selected: ctx.selected.as_ref() == Some(&entry.path),
        open: false,
        exceptions: Vec::new(),
    }
}

/// What became of the run, and a word for it.
fn result(facts: &RecordingFacts) -> (Kind, String) {
    match &facts.ending {
        Ending::Unfinished if is_being_written(&facts.entry.path) => {
            (Kind::Running, "recording".to_owned())
        }
        Ending::Unfinished => (Kind::Cut, "stopped early".to_owned()),
        Ending::Damaged(_) => (Kind::Cut, "damaged".to_owned()),
        Ending::Signal(signal) => (Kind::Failed, format!("killed by signal {signal}")),
        Ending::Exit(Some(0)) => (Kind::Passed, "passed".to_owned()),
        Ending::Exit(Some(code)) => match &facts.exception {
            Some(exception) if *code == 1 => (Kind::Failed, exception.facts.type_name.clone()),
            _ => (Kind::Failed, format!("exit {code}")),
        },
        Ending::Exit(None) => (Kind::Passed, "ended".to_owned()),
    }
}

fn exceptions(facts: &RecordingFacts) -> Vec<Exception> {
    let exception = facts.exception.as_ref().map(|exception| {
        let place = exception.place.as_ref();
        Exception {
            label: exception.facts.text(),
            description: place.map(|(path, line)| place_text(path, *line)),
            position: exception.position.0,
            uri: place
                .and_then(|(path, _)| to_proto::uri(path))
                .map(|uri| uri.as_str().to_owned()),
            line: place.map(|(_, line)| to_proto::line(*line)),
        }
    });
    exception.into_iter().collect()
}

/// `pricing.py:26`
fn place_text(path: &std::path::Path, line: u32) -> String {
    let file = path.file_name().unwrap_or_default().to_string_lossy();
    format!("{file}:{line}")
}

/// At most eight lines.
fn tooltip(facts: &RecordingFacts) -> String {
    let mut lines = vec![format!("**{}**, `{}`", facts.name, facts.command.join(" "))];
    lines.push(format!(
        "{} events, {}, {}, {}",
        render::count(facts.events),
        words::duration(facts.duration),
        words::size(facts.entry.len_bytes),
        facts.language
    ));
    let (commit, branch, changed) = &facts.git;
    if !commit.is_empty() {
        let short: String = commit.chars().take(7).collect();
        let mut line = format!("commit {short}");
        if !branch.is_empty() {
            line.push_str(&format!(" on {branch}"));
        }
        match changed {
            0 => {}
            1 => line.push_str(", 1 file changed"),
            many => line.push_str(&format!(", {many} files changed")),
        }
        lines.push(line);
    }
    if let Some(exception) = &facts.exception {
        lines.push(match &exception.place {
            Some((path, line)) => {
                let place = place_text(path, *line);
                format!("Ended by {} at {place}", exception.facts.type_name)
            }
            None => format!("Ended by {}", exception.facts.type_name),
        });
    }
    if facts.redacted > 0 {
        lines.push(format!(
            "Redacted: {} values",
            render::count(facts.redacted)
        ));
    }
    if let Ending::Damaged(what) = &facts.ending {
        lines.push(what.clone());
    }
    lines.push(format!("Recorded {}", full_date(facts.started)));
    lines.extend(facts.notes.iter().cloned());
    lines.truncate(8);
    lines.join("  \n")
}

fn local(time: SystemTime) -> DateTime<Local> {
    DateTime::<Local>::from(time)
}

/// `2026-11-21 14:32`
pub(super) fn date(time: SystemTime) -> String {
    local(time).format("%Y-%m-%d %H:%M").to_string()
}

fn full_date(time: SystemTime) -> String {
    local(time).format("%Y-%m-%d %H:%M:%S %:z").to_string()
}

/// `2.1M`
fn short_count(number: u64) -> String {
    match number {
        0..10_000 => render::count(number),
        10_000..1_000_000 => format!("{}k", number / 1_000),
        _ => format!("{:.1}M", number as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_grow_are_short() {
        assert_eq!(short_count(9_999), "9,999");
        assert_eq!(short_count(12_345), "12k");
        assert_eq!(short_count(2_130_000), "2.1M");
    }
}
