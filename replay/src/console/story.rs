//! Commands that tell how values came to be: history, why, hits.

use super::location::{self, Location, short_path};
use super::{Console, ConsoleError, Context, Reply, Result, moves};
use crate::expression::SourceLines;
use crate::history::{Order, history};
use crate::render;
use crate::why::why;
use crate::{Expression, Snapshot};

/// How many changes or hits are shown when no number is given.
const SHOWN: u64 = 20;

/// Longest text of a source line.
const LINE_LIMIT: usize = 60;

impl Console {
    pub(super) fn history(&mut self, ctx: &Context<'_>, rest: &str) -> Result<Reply> {
        let (text, count) = with_count(rest)?;
        if text.is_empty() {
            return Err(ConsoleError::Input("of what? history codes".to_owned()));
        }
        let expression = Expression::parse(text)?;
        let found = history(
            ctx.snapshot(),
            ctx.frame,
            &expression,
            0..count,
            Order::Newest,
            ctx.cancel,
        )?;
        let recording = ctx.timeline.recording();
        if found.changes.is_empty() {
            return Ok(Reply::text(format!("{} never changes", found.name)));
        }
        let more = if found.more { "at least " } else { "" };
        let total = render::counted(found.total, "change");
        let mut out = vec![self.palette.strong(&format!(
            "history of {}: {more}{total}, newest first",
            found.name
        ))];
        let now = ctx.timeline.position();
        let mut told_now = false;
        for change in &found.changes {
            if !told_now && change.written < now {
                if out.len() > 1 {
                    out.push(self.palette.present("         now  ──────"));
                }
                told_now = true;
            }
            let place = match change.source {
                Some(source) => {
                    let path = recording.source(source)?.path.clone();
                    format!(
                        "{}  {}:{}",
                        change.function_name,
                        short_path(recording, &path),
                        change.line
                    )
                }
                None => String::new(),
            };
            let position = format!("{:>12}", render::count(change.position.0));
            out.push(format!(
                "{}  {}  {}",
                self.palette.dim(&position),
                self.palette.value(&change.text),
                self.palette.dim(&place)
            ));
        }
        let left = found.total.saturating_sub(found.changes.len() as u64);
        if left > 0 {
            out.push(format!(
                "              {} earlier; `history {} {}` shows more",
                render::count(left),
                found.name,
                found.total
            ));
        }
        Ok(Reply::text(out.join("\n")))
    }

    pub(super) fn why(&mut self, ctx: &Context<'_>, rest: &str) -> Result<Reply> {
        if rest.is_empty() {
            return Err(ConsoleError::Input("of what? why due".to_owned()));
        }
        let expression = Expression::parse(rest)?;
        let found = why(ctx.snapshot(), ctx.frame, &expression, ctx.cancel)?;
        if found.links.is_empty() {
            return Ok(Reply::text(format!(
                "{} was there before the recording began",
                found.name
            )));
        }
        let recording = ctx.timeline.recording();
        let mut out = Vec::new();
        for link in &found.links {
            let indent = "  ".repeat(usize::try_from(link.depth).unwrap_or(0));
            let place = match link.source {
                Some(source) => {
                    let path = recording.source(source)?.path.clone();
                    format!("{}:{}", short_path(recording, &path), link.line)
                }
                None => String::new(),
            };
            let text = render::shortened(&link.text, 70);
            out.push(format!(
                "{indent}{} {}",
                self.palette.strong(&link.name),
                self.palette.value(&text)
            ));
            let line = render::shortened(&link.line_text, LINE_LIMIT);
            out.push(self.palette.dim(&format!(
                "{indent}    {place} in {}, event {}:  {line}",
                link.function_name,
                render::count(link.position.0)
            )));
        }
        if found.more {
            out.push("there is more: ask `why` of a name further back".to_owned());
        }
        Ok(Reply::text(out.join("\n")))
    }

    /// The executions of a line with the values of its names.
    pub(super) fn hits(&mut self, ctx: &Context<'_>, rest: &str) -> Result<Reply> {
        let (text, count) = with_count(rest)?;
        let Location::Line(source, path, line) = location::parse(ctx, text)? else {
            return Err(ConsoleError::Input(
                "hits takes a line: hits FILE:LINE".to_owned(),
            ));
        };
        let hits = ctx.timeline.hits(source, line, 0, count, ctx.cancel)?;
        let recording = ctx.timeline.recording();
        let shown = short_path(recording, &path);
        if hits.total == 0 {
            return Ok(Reply::text(format!("{shown}:{line} never runs")));
        }
        let recorded = recording.source(source)?;
        let lines = SourceLines::new(recorded.text.as_deref().unwrap_or_default());
        let names = lines.statement(line).names();
        let mut out = vec![self.palette.strong(&format!(
            "{shown}:{line} runs {}",
            if hits.total == 1 {
                "once".to_owned()
            } else {
                format!("{} times", render::count(hits.total))
            }
        ))];
        for hit in &hits.hits {
            let snapshot = Snapshot::new(recording, hit.position);
            let mut values = Vec::new();
            for name in &names {
                let Ok(Some(value)) = snapshot.lookup(Some(hit.frame), name) else {
                    continue;
                };
                let variable = snapshot.variable(name.clone(), value, None)?;
                if super::place_view::is_data(&variable) {
                    values.push(format!("{name}={}", snapshot.text(&variable.value, 30)?));
                }
            }
            let position = format!("{:>12}", render::count(hit.position.0));
            out.push(format!(
                "{}  {}",
                self.palette.dim(&position),
                values.join(", ")
            ));
        }
        let left = hits.total.saturating_sub(hits.hits.len() as u64);
        if left > 0 {
            out.push(format!(
                "              {} more; `hits {text} {}` shows them",
                render::count(left),
                hits.total
            ));
        }
        Ok(Reply::text(out.join("\n")))
    }
}

/// `NAME 50`: the name and how many to show.
fn with_count(rest: &str) -> Result<(&str, u64)> {
    if let Some((text, count)) = rest.rsplit_once(char::is_whitespace) {
        let is_count = count.bytes().all(|byte| byte.is_ascii_digit());
        let ends_operand = text.trim_end().ends_with(|last: char| {
            last.is_alphanumeric() || matches!(last, '_' | ']' | ')' | '"' | '\'')
        });
        if is_count && ends_operand {
            return Ok((text.trim(), moves::count(count)?));
        }
    }
    Ok((rest.trim(), SHOWN))
}
