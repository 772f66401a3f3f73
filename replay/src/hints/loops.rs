//! Which pass of a loop an execution belongs to.
//!
//! Passes are counted by the runs of the loop's head, with the index, so that a loop of a million passes
//! costs no more than one of ten.

use std::ops::Range;

use retrostep_trace::{Direction, FunctionKind, Key, Position, Result};

use super::moment::{Call, Moment};
use crate::syntax::StatementKind;

/// Most lines outside of a loop that are looked at for where it begins and ends.
const MOST_LINES: usize = 400;
/// Most runs of a head of which each one's frame is looked at.
const MOST_RUNS: u64 = 200;

/// One time that a loop was run, from its first pass to its end.
#[derive(Clone, Debug)]
pub(super) struct Instance {
    /// The head's line.
    line: u32,
    head: usize,
    /// The last step of the frame before the loop, or its call.
    pub(super) begin: Position,
    /// The first step of the frame after the loop, or what ended the frame; `None` if the recording ends
    /// in the loop.
    pub(super) end: Option<Position>,
}

impl Moment<'_> {
    /// The run of a loop that an execution belongs to; `None` if it cannot be told.
    pub(super) fn instance(
        &self,
        call: &Call,
        head: usize,
        run: Position,
    ) -> Result<Option<Instance>> {
        let key = (call.frame, head);
        if let Some(known) = self.loops.borrow().get(&key) {
            let holds = known.as_ref().is_none_or(|instance| {
                instance.begin < run && instance.end.is_none_or(|end| run < end)
            });
            if holds {
                return Ok(known.clone());
            }
        }
        let found = self.find_instance(call, head, run)?;
        self.loops.borrow_mut().insert(key, found.clone());
        Ok(found)
    }

    fn find_instance(&self, call: &Call, head: usize, run: Position) -> Result<Option<Instance>> {
        let Some(statement) = self.code.syntax.statements().get(head) else {
            return Ok(None);
        };
        let Some(body) = &statement.body else {
            return Ok(None);
        };
        let line = *statement.lines.start();
        let is_counted = matches!(statement.kind, StatementKind::For | StatementKind::While);
        // A head over several lines runs its first line more than once in a pass.
        if !is_counted || *statement.lines.end() != line {
            return Ok(None);
        }
        let inside = line..=*body.end();
        let lines = || (call.facts.lines.iter()).filter(|line| !inside.contains(line));
        if lines().count() > MOST_LINES {
            return Ok(None);
        }
        let mut begin = call.call;
        let exit = Key::FrameExit(call.frame);
        let all = run.next()..self.recording.end();
        let exit = self.find(exit, all.clone(), Direction::Forward)?;
        let mut end = exit;
        for &line in lines() {
            let before = begin.next()..run;
            if let Some(at) = self.run_of(call.frame, line, before, Direction::Backward)? {
                begin = at;
            }
            let after = run.next()..end.unwrap_or(all.end);
            if let Some(at) = self.run_of(call.frame, line, after, Direction::Forward)? {
                end = Some(at);
            }
        }
        Ok(Some(Instance {
            line,
            head,
            begin,
            end,
        }))
    }

    /// How often the head ran in an instance before `until`; `None` if other frames may have run it
    /// meanwhile, too often to look.
    pub(super) fn runs_until(
        &self,
        call: &Call,
        instance: &Instance,
        until: Position,
    ) -> Result<Option<u64>> {
        let key = Key::Line(self.code.source, instance.line);
        let before = self.recording.count(key, instance.begin, self.cancel)?;
        let all = self
            .recording
            .count(key, until, self.cancel)?
            .saturating_sub(before);
        let range = instance.begin..until;
        if self.is_alone(call, &range)? {
            return Ok(Some(all));
        }
        if all > MOST_RUNS {
            return Ok(None);
        }
        let mut own = 0;
        for number in before..before + all {
            let Some(run) = self.recording.nth(key, number, self.cancel)? else {
                return Ok(None);
            };
            own += u64::from(self.recording.frame_of_event(run)? == Some(call.frame));
        }
        Ok(Some(own))
    }

    /// Whether no other frame of the same function can have run in a range.
    fn is_alone(&self, call: &Call, range: &Range<Position>) -> Result<bool> {
        if call.facts.kind != FunctionKind::Function && call.facts.kind != FunctionKind::Module {
            return Ok(false);
        }
        let called = self.find(Key::Call(call.function), range.clone(), Direction::Forward)?;
        Ok(called.is_none_or(|at| at == call.call) && self.recording.threads()?.len() == 1)
    }

    /// How many passes an instance has in all; `None` if it does not end, or cannot be told.
    pub(super) fn passes(&self, call: &Call, instance: &Instance) -> Result<Option<u64>> {
        let Some(end) = instance.end else {
            return Ok(None);
        };
        let Some(runs) = self.runs_until(call, instance, end)? else {
            return Ok(None);
        };
        let all = instance.begin..end;
        let last = self.run_of(call.frame, instance.line, all, Direction::Backward)?;
        let Some(last) = last else {
            return Ok(None);
        };
        // The last run of the head found nothing more, unless the body follows it.
        let next = self.find(
            Key::FrameStep(call.frame),
            last.next()..end,
            Direction::Forward,
        )?;
        let statement = self.code.syntax.statements().get(instance.head);
        let is_pass = next.is_some() && statement.is_some_and(|it| it.body.is_some());
        Ok(Some(if is_pass {
            runs
        } else {
            runs.saturating_sub(1)
        }))
    }
}
