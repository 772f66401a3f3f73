//! Commands that look: values, scopes, threads, output, facts.

use retrostep_trace::{Completeness, Direction, Event, Key, Stream, ThreadId};

use super::place_view::is_data;
use super::{Console, ConsoleError, Context, Reply, Result, moves};
use crate::render;
use crate::{Expression, Filter, Snapshot};

/// Most variables of a scope that are printed.
const MAX_VARIABLES: u64 = 100;

/// Most events of output that are looked at.
const MAX_OUTPUT: usize = 10_000;

impl Console {
    pub(super) fn evaluate(&mut self, ctx: &Context<'_>, text: &str) -> Result<Reply> {
        if text.trim().is_empty() {
            return Err(ConsoleError::Input(
                "which expression? print codes[0]".to_owned(),
            ));
        }
        let expression = Expression::parse(text)?;
        let variable = ctx.snapshot().evaluate(ctx.frame, &expression)?;
        Ok(Reply {
            text: variable.text.clone(),
            variable: Some(variable),
            ..Reply::default()
        })
    }

    pub(super) fn scope(&mut self, ctx: &Context<'_>, name: &str) -> Result<Reply> {
        let Some(frame) = ctx.frame else {
            return Ok(Reply::text("nothing is on the stack"));
        };
        let snapshot = ctx.snapshot();
        let mut out = Vec::new();
        for scope in snapshot.scopes(frame)? {
            let wanted = scope.name == name || (name == "Locals" && scope.name == "Closure");
            if !wanted {
                continue;
            }
            let page = 0..MAX_VARIABLES;
            for variable in snapshot.children(&scope.node, None, Filter::Named, page)? {
                if name == "Globals" && !is_data(&variable) {
                    continue;
                }
                let value = self.palette.value(&variable.text);
                out.push(format!("{} = {value}", variable.name));
            }
            if scope.named > MAX_VARIABLES {
                out.push(format!(
                    "{} more",
                    render::count(scope.named - MAX_VARIABLES)
                ));
            }
        }
        if out.is_empty() {
            out.push("no variables".to_owned());
        }
        Ok(Reply::text(out.join("\n")))
    }

    pub(super) fn threads(&mut self, ctx: &Context<'_>) -> Result<Reply> {
        let mut out = Vec::new();
        for state in ctx.timeline.threads()? {
            let current = state.thread == ctx.timeline.thread();
            let marker = if current { "▶" } else { " " };
            let mut line = format!("{marker} {:<3} {}", state.thread, state.name);
            if state.alive {
                let page = ctx.timeline.stack(state.thread, 0, 1)?;
                if let Some(frame) = page.frames.first() {
                    let function = ctx.timeline.recording().function(frame.function)?;
                    line.push_str(&format!("  in {}, line {}", function.name, frame.line));
                }
            } else {
                line.push_str("  not running");
            }
            out.push(line);
        }
        Ok(Reply::text(out.join("\n")))
    }

    pub(super) fn select_thread(&mut self, ctx: &mut Context<'_>, rest: &str) -> Result<Reply> {
        if rest.is_empty() {
            return self.threads(ctx);
        }
        let known = ctx.timeline.threads()?;
        let number: u32 = rest
            .parse()
            .map_err(|_| ConsoleError::Input(format!("{rest:?} is no number; see `threads`")))?;
        if !known.iter().any(|state| state.thread == ThreadId(number)) {
            return Err(ConsoleError::Input(format!(
                "no thread {number}; see `threads`"
            )));
        }
        ctx.timeline.select_thread(ThreadId(number));
        self.selected = 0;
        self.selected_at = ctx.timeline.position();
        self.view(ctx.timeline, None).map(Reply::text)
    }

    /// The last lines that the program had printed.
    pub(super) fn output(&mut self, ctx: &Context<'_>, rest: &str) -> Result<Reply> {
        let wanted = if rest.is_empty() {
            20
        } else {
            moves::count(rest)?
        };
        let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
        let recording = ctx.timeline.recording();
        let mut pieces = Vec::new();
        let mut ends = 0;
        let mut at = ctx.timeline.position();
        while ends <= wanted && pieces.len() < MAX_OUTPUT {
            let found = recording.find(Key::Output, at, Direction::Backward, ctx.cancel)?;
            let Some(found) = found else { break };
            at = found;
            if let Some(Event::Output { stream, bytes }) =
                recording.event(found)?.map(|event| event.event)
            {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                ends += text.matches('\n').count();
                pieces.push((stream, text));
            }
        }
        if pieces.is_empty() {
            return Ok(Reply::text("nothing was printed yet"));
        }
        let mut out = String::new();
        for (stream, text) in pieces.iter().rev() {
            match stream {
                Stream::Stdout => out.push_str(text),
                Stream::Stderr => out.push_str(&self.palette.error(text)),
            }
        }
        let lines: Vec<&str> = out.trim_end_matches('\n').split('\n').collect();
        let skip = lines.len().saturating_sub(wanted);
        let shown: Vec<&str> = lines.into_iter().skip(skip).collect();
        Ok(Reply::text(shown.join("\n")))
    }

    pub(super) fn info(&mut self, ctx: &Context<'_>) -> Result<Reply> {
        let recording = ctx.timeline.recording();
        let header = recording.header();
        let mut out = vec![
            format!("recording   {}", header.name),
            format!("command     {}", header.command.join(" ")),
            format!("folder      {}", header.working_directory),
            format!("language    {}", header.language),
            format!("events      {}", render::count(recording.end().0)),
            format!("size        {} bytes", render::count(recording.len_bytes())),
        ];
        if !header.git_commit.is_empty() {
            let short: String = header.git_commit.chars().take(7).collect();
            let changed = match header.git_changed_files {
                0 => String::new(),
                files => format!(", {} changed", render::counted(files.into(), "file")),
            };
            out.push(format!(
                "commit      {short} on {}{changed}",
                header.git_branch
            ));
        }
        match recording.completeness() {
            Completeness::Complete => {}
            Completeness::Damaged(what) => out.push(format!("damaged     {what}")),
            _ => out.push(format!(
                "unfinished  the recording ends early; everything up to event {} is here",
                render::count(recording.end().0)
            )),
        }
        if let Some(summary) = recording.summary() {
            out.push(format!(
                "time        {:.1} s",
                summary.duration_ns as f64 / 1e9
            ));
            match (summary.exit_code, summary.signal) {
                (_, Some(signal)) => out.push(format!("ended       by signal {signal}")),
                (Some(code), None) => out.push(format!("ended       with exit code {code}")),
                (None, None) => {}
            }
            if summary.redacted > 0 {
                let redacted = render::counted(summary.redacted, "value");
                out.push(format!("redacted    {redacted}"));
            }
            for note in &summary.notes {
                out.push(format!("note        {note}"));
            }
        }
        let snapshot = Snapshot::new(recording, ctx.timeline.position());
        let now_ns = recording.time_ns(snapshot.position)?;
        out.push(format!(
            "here        event {} of {}, {:.3} s",
            render::count(snapshot.position.0),
            render::count(recording.end().0),
            now_ns as f64 / 1e9
        ));
        Ok(Reply::text(out.join("\n")))
    }
}
