//! What a half-typed line can become: commands, names, attributes, files and lines.

use retrostep_trace::{FrameId, FunctionId, SourceId};

use super::command::{self, Command};
use super::location::short_path;
use super::{Console, ConsoleKind};
use crate::expression::{builtin_names, is_keyword};
use crate::{Expression, Filter, Snapshot, Timeline};

/// Most completions of one word.
const MAX_COMPLETIONS: usize = 200;

/// A way to go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Completion {
    /// What replaces the text from `start` up to the cursor.
    pub text: String,
    /// Where the replaced text starts, in bytes.
    pub start: usize,
    /// What it is: `command`, `variable`, `attribute`, `function`, `line`.
    pub kind: &'static str,
}

impl Console {
    /// Ways to go on from `line` with the cursor at byte `cursor`. Errors give none.
    #[must_use]
    pub fn complete(
        &mut self,
        timeline: &Timeline,
        frame: Option<FrameId>,
        line: &str,
        cursor: usize,
    ) -> Vec<Completion> {
        let Some(line) = line.get(..cursor.min(line.len())) else {
            return Vec::new();
        };
        let frame = frame.or_else(|| {
            let selected = self.selected_frame(timeline).ok().flatten();
            selected.map(|state| state.frame)
        });
        let snapshot = Snapshot::new(timeline.recording(), timeline.position());
        let trimmed = line.trim_start();
        let (word, rest) = command::split(trimmed);
        let mut found = Vec::new();
        let is_first = |character: char| character.is_alphanumeric() || "_-".contains(character);
        if trimmed.chars().all(is_first) {
            let start = line.len() - trimmed.len();
            for name in command::names() {
                if name.starts_with(trimmed) && self.offers(name) {
                    found.push(Completion {
                        text: name.to_owned(),
                        start,
                        kind: "command",
                    });
                }
            }
        }
        let command = Command::named(word).filter(|_| rest.starts_with(char::is_whitespace));
        match command {
            Some(Command::Help) => {
                let start = line.len() - rest.trim_start().len();
                let typed = line.get(start..).unwrap_or_default();
                found.extend(
                    command::names()
                        .filter(|name| name.starts_with(typed))
                        .map(|name| Completion {
                            text: name.to_owned(),
                            start,
                            kind: "command",
                        }),
                );
            }
            Some(Command::Direction) => {
                found.extend(fixed(line, &["backward", "forward"]));
            }
            Some(Command::Seek) => {
                found.extend(fixed(line, &["start", "end", "exception"]));
            }
            Some(command) if command.takes_location() && !rest.contains(" if ") => {
                found.extend(locations(timeline, line));
            }
            Some(command) if !command.takes_expression() && !rest.contains(" if ") => {}
            // Half of `back-into` is no difference.
            _ if trimmed.ends_with('-') && !found.is_empty() => {}
            _ => found.extend(names(snapshot, frame, line)),
        }
        found.truncate(MAX_COMPLETIONS);
        found
    }

    fn offers(&self, name: &str) -> bool {
        self.kind == ConsoleKind::Terminal
            || !matches!(
                Command::named(name),
                Some(
                    Command::Break
                        | Command::Log
                        | Command::Watch
                        | Command::Delete
                        | Command::Breakpoints
                        | Command::Quit
                )
            )
    }
}

fn fixed(line: &str, words: &[&'static str]) -> Vec<Completion> {
    let start = line.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let typed = line.get(start..).unwrap_or_default();
    let fitting = words.iter().filter(|word| word.starts_with(typed));
    fitting
        .map(|word| Completion {
            text: (*word).to_owned(),
            start,
            kind: "moment",
        })
        .collect()
}

/// Names, and behind a dot attributes of what stands before it.
fn names(snapshot: Snapshot<'_>, frame: Option<FrameId>, line: &str) -> Vec<Completion> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_';
    let start = line
        .char_indices()
        .rev()
        .take_while(|(_, character)| is_part(*character))
        .last()
        .map_or(line.len(), |(at, _)| at);
    let (before, typed) = line.split_at(start);
    if let Some(before) = before.strip_suffix('.') {
        return attributes(snapshot, frame, before, typed, start);
    }
    let in_quotes = |quote: char| before.matches(quote).count() % 2 == 1;
    if typed.starts_with(|first: char| first.is_ascii_digit()) || in_quotes('"') || in_quotes('\'')
    {
        return Vec::new();
    }
    let mut out = Vec::new();
    let visible = frame.map(|frame| snapshot.visible_names(frame));
    let visible = visible.and_then(Result::ok).unwrap_or_default();
    for name in visible {
        if name.starts_with(typed) && (!name.starts_with("__") || typed.starts_with('_')) {
            out.push(Completion {
                text: name,
                start,
                kind: "variable",
            });
        }
    }
    if !typed.is_empty() {
        for name in builtin_names().filter(|name| name.starts_with(typed) && !is_keyword(name)) {
            out.push(Completion {
                text: name.to_owned(),
                start,
                kind: "function",
            });
        }
    }
    out
}

fn attributes(
    snapshot: Snapshot<'_>,
    frame: Option<FrameId>,
    before: &str,
    typed: &str,
    start: usize,
) -> Vec<Completion> {
    // The expression before the dot is the longest end of the text that is one.
    let object = before
        .char_indices()
        .filter_map(|(at, _)| Expression::parse(before.get(at..)?).ok())
        .find(|expression| expression.is_primary());
    let variable = object.and_then(|object| snapshot.evaluate(frame, &object).ok());
    let Some(node) = variable.and_then(|variable| variable.node) else {
        return Vec::new();
    };
    let children = snapshot.children(&node, None, Filter::Named, 0..MAX_COMPLETIONS as u64);
    let children = children.unwrap_or_default().into_iter();
    let is_name = |name: &str| {
        name.starts_with(|first: char| first.is_alphabetic() || first == '_')
            && name
                .chars()
                .all(|part| part.is_alphanumeric() || part == '_')
    };
    children
        .filter(|child| child.name.starts_with(typed) && is_name(&child.name))
        .map(|child| Completion {
            text: child.name,
            start,
            kind: "attribute",
        })
        .collect()
}

/// Files with a colon, functions, and behind `FILE:` the lines that have code.
fn locations(timeline: &Timeline, line: &str) -> Vec<Completion> {
    let recording = timeline.recording();
    let start = line.rfind(char::is_whitespace).map_or(0, |at| at + 1);
    let typed = line.get(start..).unwrap_or_default();
    let mut out = Vec::new();
    if let Some((file, number)) = typed.rsplit_once(':') {
        let source = timeline.sources_of_path(file).ok();
        let Some(source) = source.and_then(|found| found.first().copied()) else {
            return out;
        };
        let lines = timeline.breakpoint_lines(source, 1, u32::MAX);
        for found in lines.unwrap_or_default() {
            let text = found.to_string();
            if text.starts_with(number) {
                out.push(Completion {
                    text: format!("{file}:{text}"),
                    start,
                    kind: "line",
                });
            }
        }
        return out;
    }
    for id in 0..recording.source_count() {
        let Ok(source) = recording.source(SourceId(id)) else {
            continue;
        };
        let path = short_path(recording, &source.path);
        let name = path.rsplit('/').next().unwrap_or(&path);
        for candidate in [path.as_str(), name] {
            let text = format!("{candidate}:");
            let known = out.iter().any(|known: &Completion| known.text == text);
            if candidate.starts_with(typed) && !known {
                out.push(Completion {
                    text,
                    start,
                    kind: "file",
                });
                break;
            }
        }
    }
    for id in 0..recording.function_count() {
        let Ok(function) = recording.function(FunctionId(id)) else {
            continue;
        };
        let known = out.iter().any(|known| *known.text == *function.name);
        if function.name.starts_with(typed) && !function.name.starts_with('<') && !known {
            out.push(Completion {
                text: function.name.to_string(),
                start,
                kind: "function",
            });
        }
    }
    out
}
