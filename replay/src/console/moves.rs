//! Commands that move.

use retrostep_trace::{Direction, Key};

use super::command::Command;
use super::location::{self, Location};
use super::{Console, ConsoleError, Context, Reply, Result, moment};
use crate::{StepKind, Stop, StopReason};

/// Most steps that one command makes.
const MAX_COUNT: u64 = 1_000_000;

impl Console {
    pub(super) fn step(
        &mut self,
        ctx: &mut Context<'_>,
        command: Command,
        rest: &str,
    ) -> Result<Reply> {
        let count = count(rest)?;
        let (kind, direction) = match command {
            Command::Next => (Some(StepKind::Over), self.direction),
            Command::Step => (Some(StepKind::Into), self.direction),
            Command::Out => (Some(StepKind::Out), self.direction),
            Command::Continue => (None, self.direction),
            Command::Back => (Some(StepKind::Over), Direction::Backward),
            Command::BackInto => (Some(StepKind::Into), Direction::Backward),
            Command::BackOut => (Some(StepKind::Out), Direction::Backward),
            _ => (None, Direction::Backward),
        };
        let mut stop = None;
        for _ in 0..count {
            let thread = ctx.timeline.thread();
            let moved = match kind {
                Some(kind) => ctx.timeline.step(kind, direction, thread, ctx.cancel)?,
                None => ctx.timeline.resume(direction, ctx.cancel)?,
            };
            let done = matches!(
                moved.reason,
                StopReason::Start | StopReason::End | StopReason::Cancelled
            ) || (kind.is_some() && !matches!(moved.reason, StopReason::Step));
            stop = Some(moved);
            if done {
                break;
            }
        }
        match stop {
            Some(stop) => self.arrived(ctx, stop),
            None => Ok(Reply::default()),
        }
    }

    /// The answer to a move: where it ended.
    pub(super) fn arrived(&mut self, ctx: &mut Context<'_>, stop: Stop) -> Result<Reply> {
        self.selected = 0;
        self.selected_at = ctx.timeline.position();
        let text = self.view(ctx.timeline, Some(&stop))?;
        Ok(Reply {
            text,
            stop: Some(stop),
            ..Reply::default()
        })
    }

    pub(super) fn seek(&mut self, ctx: &mut Context<'_>, rest: &str) -> Result<Reply> {
        let stop = moment::seek(ctx, rest)?;
        self.arrived(ctx, stop)
    }

    /// Runs until a line is reached: the next execution in the direction.
    pub(super) fn until(&mut self, ctx: &mut Context<'_>, rest: &str) -> Result<Reply> {
        let position = ctx.timeline.position();
        let recording = ctx.timeline.recording().clone();
        let target = if rest.is_empty() {
            self.later_line(ctx)?
        } else {
            let Location::Line(source, _, line) = location::parse(ctx, rest)? else {
                return Err(ConsoleError::Input(
                    "until takes a line; `break` stops at functions".to_owned(),
                ));
            };
            let from = match self.direction {
                Direction::Forward => position.next(),
                Direction::Backward => position,
            };
            recording.find(Key::Line(source, line), from, self.direction, ctx.cancel)?
        };
        let Some(target) = target else {
            return Err(ConsoleError::Input(
                "that line does not run again in this direction".to_owned(),
            ));
        };
        let stop = ctx.timeline.seek(target)?;
        self.arrived(ctx, stop)
    }

    /// The next step of the selected frame on a later line: out of a loop.
    fn later_line(&self, ctx: &Context<'_>) -> Result<Option<retrostep_trace::Position>> {
        let recording = ctx.timeline.recording();
        let Some(frame) = ctx.frame else {
            return Ok(None);
        };
        let page = ctx
            .timeline
            .stack(ctx.timeline.thread(), self.selected, 1)?;
        let line = page.frames.first().map_or(0, |state| state.line);
        let mut at = ctx.timeline.position();
        loop {
            let from = match self.direction {
                Direction::Forward => at.next(),
                Direction::Backward => at,
            };
            let found = recording.find(Key::FrameStep(frame), from, self.direction, ctx.cancel)?;
            let Some(found) = found else { return Ok(None) };
            let event = recording.event(found)?.map(|event| event.event);
            if let Some(retrostep_trace::Event::Line { line: reached }) = event
                && reached > line
            {
                return Ok(Some(found));
            }
            at = found;
        }
    }

    pub(super) fn turn(&mut self, rest: &str) -> Result<Reply> {
        self.direction = match rest {
            "backward" | "back" | "b" => Direction::Backward,
            "forward" | "f" => Direction::Forward,
            "" => self.direction,
            other => {
                return Err(ConsoleError::Input(format!(
                    "no direction {other:?}: backward or forward"
                )));
            }
        };
        Ok(Reply::text(match self.direction {
            Direction::Backward => {
                "backward: next, step, out and continue go back until `direction forward`"
            }
            Direction::Forward => "forward: next, step, out and continue go forward",
        }))
    }
}

/// A count that is left out is one.
pub(super) fn count(text: &str) -> Result<u64> {
    if text.is_empty() {
        return Ok(1);
    }
    match text.parse::<u64>() {
        Ok(count @ 1..=MAX_COUNT) => Ok(count),
        _ => Err(ConsoleError::Input(format!(
            "{text:?} is no number from 1 to 1,000,000"
        ))),
    }
}
