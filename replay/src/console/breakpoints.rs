//! Breakpoints that are set in the console.

use super::location::{self, Location, short_path};
use super::{Console, ConsoleError, Context, Reply, Result};
use crate::history::place_of;
use crate::render;
use crate::{
    DataBreakpoint, Expression, FunctionBreakpoint, LineBreakpoint, Place, ResolvedBreakpoint,
    Template,
};

/// Most lines of a logpoint's past that are printed.
const MAX_LOGGED: usize = 1_000;

/// A breakpoint with the number it has here.
#[derive(Clone, Debug)]
pub(super) struct ConsoleBreakpoint {
    number: u32,
    /// How it was asked for, for the list.
    text: String,
    kind: BreakpointKind,
}

#[derive(Clone, Debug)]
enum BreakpointKind {
    Line(String, LineBreakpoint),
    Function(FunctionBreakpoint),
    Data(Place, String),
}

impl Console {
    pub(super) fn set_breakpoint(&mut self, ctx: &mut Context<'_>, rest: &str) -> Result<Reply> {
        if rest.is_empty() {
            return self.list_breakpoints();
        }
        let (place, condition) = match rest.split_once(" if ") {
            Some((place, condition)) => (place.trim(), Some(condition.trim().to_owned())),
            None => (rest, None),
        };
        if let Some(condition) = &condition {
            Expression::parse(condition)?;
        }
        let suffix = condition
            .as_ref()
            .map_or(String::new(), |condition| format!(" if {condition}"));
        let (kind, text) = match location::parse(ctx, place)? {
            Location::Line(_, path, line) => {
                let shown = short_path(ctx.timeline.recording(), &path);
                let breakpoint = LineBreakpoint {
                    line,
                    condition,
                    ..LineBreakpoint::default()
                };
                (
                    BreakpointKind::Line(path, breakpoint),
                    format!("{shown}:{line}{suffix}"),
                )
            }
            Location::Function(name) => {
                let text = format!("{name}(){suffix}");
                let breakpoint = FunctionBreakpoint {
                    name,
                    condition,
                    ..FunctionBreakpoint::default()
                };
                (BreakpointKind::Function(breakpoint), text)
            }
        };
        let (number, resolved) = self.add(ctx, kind, text)?;
        let Some(resolved) = resolved.filter(|resolved| resolved.verified) else {
            return Err(self.withdraw(ctx, number)?);
        };
        let text = self
            .breakpoints
            .iter()
            .find(|breakpoint| breakpoint.number == number)
            .map_or(String::new(), |breakpoint| breakpoint.text.clone());
        let moved = match resolved.line {
            Some(line) if !text.contains(&format!(":{line}")) && !text.contains("()") => {
                format!(" (line {line} is the next one with code)")
            }
            _ => String::new(),
        };
        Ok(Reply::text(format!("breakpoint {number} at {text}{moved}")))
    }

    pub(super) fn set_logpoint(&mut self, ctx: &mut Context<'_>, rest: &str) -> Result<Reply> {
        let Some((place, message)) = rest.split_once(char::is_whitespace) else {
            return Err(ConsoleError::Input(
                "a line and a message: log FILE:LINE total is {total}".to_owned(),
            ));
        };
        Template::parse(message)?;
        let Location::Line(_, path, line) = location::parse(ctx, place)? else {
            return Err(ConsoleError::Input("logpoints stand on lines".to_owned()));
        };
        let shown = short_path(ctx.timeline.recording(), &path);
        let breakpoint = LineBreakpoint {
            line,
            log_message: Some(message.trim().to_owned()),
            ..LineBreakpoint::default()
        };
        let text = format!("{shown}:{line} logs {:?}", message.trim());
        let (number, resolved) = self.add(ctx, BreakpointKind::Line(path, breakpoint), text)?;
        let Some(resolved) = resolved.filter(|resolved| resolved.verified) else {
            return Err(self.withdraw(ctx, number)?);
        };
        // All that it prints is printed now; it has nothing left to do.
        let past = ctx
            .timeline
            .log_history(resolved.id, MAX_LOGGED, ctx.cancel);
        self.breakpoints
            .retain(|breakpoint| breakpoint.number != number);
        self.apply(ctx)?;
        let past = past?;
        let mut out = Vec::new();
        for entry in &past.entries {
            let position = format!("{:>12}", render::count(entry.position.0));
            out.push(format!("{}  {}", self.palette.dim(&position), entry.text));
        }
        let shown = past.entries.len() as u64;
        out.push(if shown < past.total {
            format!(
                "the first {} of {} hits",
                render::count(shown),
                render::count(past.total)
            )
        } else {
            render::counted(past.total, "hit")
        });
        Ok(Reply::text(out.join("\n")))
    }

    pub(super) fn set_watch(&mut self, ctx: &mut Context<'_>, rest: &str) -> Result<Reply> {
        if rest.is_empty() {
            return Err(ConsoleError::Input(
                "what? a variable, an attribute or an element: watch cart.total".to_owned(),
            ));
        }
        let expression = Expression::parse(rest)?;
        let place = place_of(ctx.snapshot(), ctx.frame, &expression)?;
        let kind = BreakpointKind::Data(place, rest.to_owned());
        let (number, resolved) = self.add(ctx, kind, format!("changes of {rest}"))?;
        if resolved.is_none_or(|resolved| !resolved.verified) {
            return Err(self.withdraw(ctx, number)?);
        }
        Ok(Reply::text(format!(
            "breakpoint {number} on changes of {rest}"
        )))
    }

    pub(super) fn delete(&mut self, ctx: &mut Context<'_>, rest: &str) -> Result<Reply> {
        let before = self.breakpoints.len();
        if rest.is_empty() {
            self.breakpoints.clear();
        } else {
            let number: u32 = rest.parse().map_err(|_| {
                ConsoleError::Input(format!("{rest:?} is no number; see `breakpoints`"))
            })?;
            self.breakpoints
                .retain(|breakpoint| breakpoint.number != number);
            if self.breakpoints.len() == before {
                return Err(ConsoleError::Input(format!(
                    "no breakpoint {number}; see `breakpoints`"
                )));
            }
        }
        self.apply(ctx)?;
        let gone = before - self.breakpoints.len();
        Ok(Reply::text(format!(
            "{} removed",
            render::counted(gone as u64, "breakpoint")
        )))
    }

    pub(super) fn list_breakpoints(&self) -> Result<Reply> {
        if self.breakpoints.is_empty() {
            return Ok(Reply::text("no breakpoints; `break FILE:LINE` sets one"));
        }
        let lines = self
            .breakpoints
            .iter()
            .map(|breakpoint| format!("{:>3}  {}", breakpoint.number, breakpoint.text));
        Ok(Reply::text(lines.collect::<Vec<_>>().join("\n")))
    }

    fn add(
        &mut self,
        ctx: &mut Context<'_>,
        kind: BreakpointKind,
        text: String,
    ) -> Result<(u32, Option<ResolvedBreakpoint>)> {
        let number = self.next_number;
        self.next_number += 1;
        self.breakpoints
            .push(ConsoleBreakpoint { number, text, kind });
        let resolved = self.apply(ctx)?;
        let found = resolved.into_iter().find(|(own, _)| *own == number);
        Ok((number, found.map(|(_, resolved)| resolved)))
    }

    /// Takes back a breakpoint that can never be hit, and says why.
    fn withdraw(&mut self, ctx: &mut Context<'_>, number: u32) -> Result<ConsoleError> {
        let resolved = self.apply(ctx)?;
        let message = resolved
            .into_iter()
            .find(|(own, _)| *own == number)
            .and_then(|(_, resolved)| resolved.message);
        self.breakpoints
            .retain(|breakpoint| breakpoint.number != number);
        self.apply(ctx)?;
        let message = message.unwrap_or_else(|| "no line there has code".to_owned());
        Ok(ConsoleError::Input(message))
    }

    /// Gives the timeline all breakpoints of this console, and what became of each.
    fn apply(&self, ctx: &mut Context<'_>) -> Result<Vec<(u32, ResolvedBreakpoint)>> {
        let mut resolved = Vec::new();
        let mut take = |numbers: Vec<u32>, found: Vec<ResolvedBreakpoint>| {
            resolved.extend(numbers.into_iter().zip(found));
        };
        let recording = ctx.timeline.recording().clone();
        for id in 0..recording.source_count() {
            let source = recording.source(retrostep_trace::SourceId(id))?;
            let mut numbers = Vec::new();
            let mut lines = Vec::new();
            for breakpoint in &self.breakpoints {
                if let BreakpointKind::Line(path, line) = &breakpoint.kind
                    && **path == *source.path
                {
                    numbers.push(breakpoint.number);
                    lines.push(line.clone());
                }
            }
            take(
                numbers,
                ctx.timeline.set_line_breakpoints(&source.path, &lines)?,
            );
        }
        let mut numbers = Vec::new();
        let mut functions = Vec::new();
        let mut data_numbers = Vec::new();
        let mut data = Vec::new();
        for breakpoint in &self.breakpoints {
            match &breakpoint.kind {
                BreakpointKind::Function(function) => {
                    numbers.push(breakpoint.number);
                    functions.push(function.clone());
                }
                BreakpointKind::Data(place, name) => {
                    data_numbers.push(breakpoint.number);
                    data.push(DataBreakpoint {
                        place: place.clone(),
                        condition: None,
                        hit_condition: None,
                        name: Some(name.clone()),
                    });
                }
                BreakpointKind::Line(..) => {}
            }
        }
        take(numbers, ctx.timeline.set_function_breakpoints(&functions)?);
        take(data_numbers, ctx.timeline.set_data_breakpoints(&data)?);
        Ok(resolved)
    }
}
