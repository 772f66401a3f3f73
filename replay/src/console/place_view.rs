//! What is shown after a move: the position, the function, the lines around, the values of the line.

use std::sync::Arc;

use retrostep_trace::{FrameId, FrameState, Recording, SourceId};

use super::location::short_path;
use super::palette::harmless;
use super::{Console, Context, Reply, Result, location, moves};
use crate::expression::SourceLines;
use crate::render;
use crate::{Datum, Expression, Hint, ScopeKind, Snapshot, Stop, Timeline, Variable};

/// Lines shown before and after the present one.
const AROUND: u32 = 4;

/// Lines shown before and after by `list`.
const LISTED: u32 = 8;

/// Most values of a line that are shown.
const MAX_VALUES: usize = 8;

impl Console {
    /// Where the timeline stands: the position line, the function, the lines around with a marker,
    /// and the values of the line's names. `stop` says why it stands there.
    ///
    /// # Errors
    ///
    /// [`crate::ConsoleError::Replay`] if the recording cannot be read.
    pub fn view(&mut self, timeline: &Timeline, stop: Option<&Stop>) -> Result<String> {
        let text = self.unchecked_view(timeline, stop)?;
        Ok(harmless(&text))
    }

    fn unchecked_view(&mut self, timeline: &Timeline, stop: Option<&Stop>) -> Result<String> {
        let recording = timeline.recording();
        let mut out = self.position_line(timeline, stop)?;
        let Some(state) = self.selected_frame(timeline)? else {
            return Ok(out);
        };
        let function = recording.function(state.function)?;
        let source = recording.source(function.source)?;
        out.push('\n');
        out.push_str(&format!(
            "{}:{} in {}",
            short_path(recording, &source.path),
            state.line,
            self.palette.strong(&function.name)
        ));
        let lines = SourceLines::new(source.text.as_deref().unwrap_or_default());
        if source.text.is_some() {
            out.push('\n');
            out.push_str(&self.source_lines(&lines, state.line, state.line, AROUND));
        } else {
            out.push_str("\n  (the source was not recorded)");
        }
        let snapshot = Snapshot::new(recording, timeline.position());
        let values = line_values(snapshot, &lines, &state)?;
        for (label, value) in values {
            out.push_str(&format!("\n    {label} {}", self.palette.value(&value)));
        }
        if let Some(stop) = stop.and_then(|stop| stop.text.as_deref()) {
            out.push('\n');
            out.push_str(&self.palette.error(&render::shortened(stop, 200)));
        }
        Ok(out)
    }

    /// `184,266 of 184,312 · raised ValueError · Thread-1`.
    fn position_line(&self, timeline: &Timeline, stop: Option<&Stop>) -> Result<String> {
        let mut out = self.palette.strong(&format!(
            "{} of {}",
            render::count(timeline.position().0),
            render::count(timeline.end().0)
        ));
        if let Some(stop) = stop {
            out.push_str(" · ");
            let text = uncapitalised(&stop.description);
            if matches!(stop.reason, crate::StopReason::Exception(_)) {
                out.push_str(&self.palette.error(&text));
            } else {
                out.push_str(&text);
            }
        }
        let threads = timeline.threads()?;
        if threads.len() > 1 {
            let current = threads
                .iter()
                .find(|state| state.thread == timeline.thread());
            if let Some(state) = current {
                out.push_str(" · ");
                out.push_str(&state.name);
            }
        }
        let task = timeline
            .recording()
            .task_at(timeline.thread(), timeline.position())?;
        if let Some((_, name)) = task {
            out.push_str(" · ");
            out.push_str(&name);
        }
        Ok(out)
    }

    fn source_lines(&self, lines: &SourceLines, center: u32, present: u32, around: u32) -> String {
        let first = center.saturating_sub(around).max(1);
        let last = center.saturating_add(around).min(lines.count());
        let mut out = Vec::new();
        for line in first..=last {
            let text = lines.raw_line(line);
            let shown = if line == present {
                self.palette.present(&format!("▶ {line:4}  {text}"))
            } else {
                format!("  {}  {text}", self.palette.dim(&format!("{line:4}")))
            };
            out.push(shown.trim_end().to_owned());
        }
        out.join("\n")
    }

    pub(super) fn list(&mut self, ctx: &Context<'_>, rest: &str) -> Result<Reply> {
        let recording = ctx.timeline.recording();
        let present = self.selected_frame(ctx.timeline)?;
        let here = match &present {
            Some(state) => Some((recording.function(state.function)?.source, state.line)),
            None => None,
        };
        let (source, center) = match (rest, here) {
            ("", Some(here)) => here,
            ("", None) => return Ok(Reply::text("there is no source here")),
            _ => match location::parse(ctx, rest)? {
                location::Location::Line(source, _, line) => (source, line),
                location::Location::Function(name) => function_line(recording, &name)?,
            },
        };
        let present = here.filter(|(shown, _)| *shown == source);
        let recorded = recording.source(source)?;
        let Some(text) = &recorded.text else {
            return Ok(Reply::text("the source was not recorded"));
        };
        let lines = SourceLines::new(text);
        let mut out = short_path(recording, &recorded.path);
        out.push('\n');
        out.push_str(&self.source_lines(
            &lines,
            center,
            present.map_or(0, |(_, line)| line),
            LISTED,
        ));
        Ok(Reply::text(out))
    }

    pub(super) fn stack(&mut self, ctx: &Context<'_>, rest: &str) -> Result<Reply> {
        let limit = if rest.is_empty() {
            20
        } else {
            moves::count(rest)?
        };
        let page = ctx.timeline.stack(ctx.timeline.thread(), 0, limit)?;
        if page.frames.is_empty() {
            return Ok(Reply::text("nothing is on the stack"));
        }
        let selected = self.selected_frame(ctx.timeline)?.map(|state| state.frame);
        let mut out = Vec::new();
        for (number, state) in page.frames.iter().enumerate() {
            out.push(self.frame_line(ctx, number as u64, state, selected)?);
        }
        let missing = page.total.saturating_sub(page.frames.len() as u64);
        if missing > 0 {
            out.push(format!("    {} more", render::count(missing)));
        }
        Ok(Reply::text(out.join("\n")))
    }

    fn frame_line(
        &self,
        ctx: &Context<'_>,
        number: u64,
        state: &FrameState,
        selected: Option<FrameId>,
    ) -> Result<String> {
        let recording = ctx.timeline.recording();
        let function = recording.function(state.function)?;
        let source = recording.source(function.source)?;
        let marker = if selected == Some(state.frame) {
            "▶"
        } else {
            " "
        };
        Ok(format!(
            "{marker} #{number:<2} {}{}  {}:{}",
            self.palette.strong(&function.name),
            arguments(ctx.snapshot(), state)?,
            short_path(recording, &source.path),
            state.line
        ))
    }

    pub(super) fn select(&mut self, ctx: &mut Context<'_>, step: i8, rest: &str) -> Result<Reply> {
        let count = moves::count(rest)?;
        let total = ctx.timeline.stack(ctx.timeline.thread(), 0, 1)?.total;
        self.selected_frame(ctx.timeline)?;
        let number = if step > 0 {
            self.selected.saturating_add(count)
        } else {
            self.selected.saturating_sub(count)
        };
        self.select_frame(ctx.timeline, number.min(total.saturating_sub(1)))
    }

    pub(super) fn select_number(&mut self, ctx: &mut Context<'_>, rest: &str) -> Result<Reply> {
        if rest.is_empty() {
            return self.view(ctx.timeline, None).map(Reply::text);
        }
        let number = rest.trim_start_matches('#').parse();
        let number = number.map_err(|_| {
            super::ConsoleError::Input(format!("{rest:?} is no number of a frame; see `where`"))
        })?;
        let total = ctx.timeline.stack(ctx.timeline.thread(), 0, 1)?.total;
        if number >= total {
            return Err(super::ConsoleError::Input(format!(
                "no frame {number}; the stack has {}",
                render::counted(total, "frame")
            )));
        }
        self.select_frame(ctx.timeline, number)
    }

    fn select_frame(&mut self, timeline: &Timeline, number: u64) -> Result<Reply> {
        self.selected = number;
        self.selected_at = timeline.position();
        self.view(timeline, None).map(Reply::text)
    }
}

fn function_line(recording: &Arc<Recording>, name: &str) -> Result<(SourceId, u32)> {
    for id in 0..recording.function_count() {
        let function = recording.function(retrostep_trace::FunctionId(id))?;
        if &*function.name == name || function.qualified_name.ends_with(name) {
            return Ok((function.source, function.first_line));
        }
    }
    Err(super::ConsoleError::Input(format!("no function {name:?}")))
}

/// The arguments of a call as they are now: `(cart=[…], customer=Customer(…))`.
fn arguments(snapshot: Snapshot<'_>, state: &FrameState) -> Result<String> {
    let function = snapshot.recording.function(state.function)?;
    let mut out = Vec::new();
    for (slot, variable) in function.variables.iter().enumerate() {
        let is_argument = matches!(
            variable.kind,
            retrostep_trace::VariableKind::Argument | retrostep_trace::VariableKind::CellArgument
        );
        let Some(slot) = u32::try_from(slot).ok().filter(|_| is_argument) else {
            continue;
        };
        let place = crate::Place::Local {
            frame: state.frame,
            slot,
        };
        if let Some(value) = place.value(snapshot.recording, snapshot.position)? {
            out.push(format!("{}={}", variable.name, snapshot.text(&value, 24)?));
        }
    }
    if out.is_empty() && &*function.name == "<module>" {
        return Ok(String::new());
    }
    Ok(format!("({})", out.join(", ")))
}

/// The values of the names on the line, functions, classes and modules left out; and what the line
/// and the calls before it return. Each with a label: `due =`, `returns`.
fn line_values(
    snapshot: Snapshot<'_>,
    lines: &SourceLines,
    state: &FrameState,
) -> Result<Vec<(String, String)>> {
    let statement = lines.statement(state.line);
    let mut out = Vec::new();
    if statement.defines {
        return Ok(out);
    }
    for name in statement.names() {
        let Ok(expression) = Expression::parse(&name) else {
            continue;
        };
        if !matches!(snapshot.lookup(Some(state.frame), &name), Ok(Some(_))) {
            continue;
        }
        let Ok(variable) = snapshot.evaluate(Some(state.frame), &expression) else {
            continue;
        };
        if is_data(&variable) {
            out.push((format!("{name} ="), variable.text));
        }
        if out.len() >= MAX_VALUES {
            break;
        }
    }
    let returned = snapshot.children(
        &crate::Node::Scope(state.frame, ScopeKind::ReturnValue),
        None,
        crate::Filter::Named,
        0..4,
    )?;
    for variable in returned {
        let verb = if variable.name == "return" {
            "returns".to_owned()
        } else {
            format!("{} returned", variable.name)
        };
        if !matches!(variable.value, Datum::None) {
            out.push((verb, variable.text));
        }
    }
    Ok(out)
}

pub(super) fn is_data(variable: &Variable) -> bool {
    matches!(
        variable.hint,
        Hint::Data | Hint::Missing | Hint::ReturnValue
    )
}

fn uncapitalised(text: &str) -> String {
    let mut characters = text.chars();
    match characters.next() {
        Some(first) => first.to_lowercase().chain(characters).collect(),
        None => String::new(),
    }
}
