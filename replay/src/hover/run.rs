//! Which execution of a line an expression on it is looked at in.

use retrostep_trace::{Direction, Event, Key, Position, Result};

use crate::code::{Owner, SourceCode};
use crate::hints::{Call, Moment};

/// Most executions by parts of the line that are passed over.
const MOST_TRIES: usize = 50;

/// Which execution of a line is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// The last one of the call that the moment shows.
    Shown,
    /// The newest one before the moment, in any call.
    Newest,
}

/// An execution of a line.
#[derive(Clone, Debug)]
pub struct Run {
    /// The call that ran it.
    pub call: Call,
    /// The line.
    pub line: u32,
    /// Before it.
    pub before: Position,
    /// After it, as far as it is shown.
    pub after: Position,
}

impl Run {
    /// The execution of a line that is looked at, if there is one.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Cancelled`], [`retrostep_trace::Error::Io`].
    pub fn of(moment: &Moment<'_>, which: Which, line: u32) -> Result<Option<Run>> {
        let owner = moment.code().owner_of_line(line);
        match which {
            Which::Shown => Run::shown(moment, owner, line),
            Which::Newest => Run::newest(moment, owner, line),
        }
    }

    /// The last execution of a line that a moment shows; where the call has not come to it, what holds at
    /// the moment or was left when the call ended.
    fn shown(moment: &Moment<'_>, owner: Owner, line: u32) -> Result<Option<Run>> {
        let Some(call) = moment.call(owner)? else {
            return Ok(None);
        };
        let now = call.exit.unwrap_or(call.until);
        let is_now = call.exit.is_none() && {
            let event = moment.recording().event(now)?.map(|event| event.event);
            matches!(event, Some(Event::Line { line: at }) if at == line)
                && moment.recording().frame_of_event(now)? == Some(call.frame)
        };
        let runs = call.call..call.until;
        let run = match is_now {
            true => None,
            false => moment.run_of(call.frame, line, runs, Direction::Backward)?,
        };
        let (before, after) = match run {
            Some(run) => (run, moment.end_of(&call, run)?.min(now)),
            None => (now, now),
        };
        Ok(Some(Run {
            call,
            line,
            before,
            after,
        }))
    }

    /// The newest execution of a line by a part of the text, before the moment.
    pub(crate) fn newest(moment: &Moment<'_>, owner: Owner, line: u32) -> Result<Option<Run>> {
        let recording = moment.recording();
        let code = moment.code();
        let last = moment.position();
        let mut end = last;
        for _ in 0..MOST_TRIES {
            let key = Key::Line(code.source, line);
            let Some(run) = moment.find(key, Position::START..end, Direction::Backward)? else {
                return Ok(None);
            };
            end = run;
            let Some(frame) = recording.frame_of_event(run)? else {
                continue;
            };
            let Some(facts) = recording.frame(frame)? else {
                continue;
            };
            let Some(function) = code.function(facts.function) else {
                continue;
            };
            if function.owner != owner {
                continue;
            }
            let all = run..last;
            let exit = moment.find(Key::FrameExit(frame), all, Direction::Forward)?;
            let call = Call {
                frame,
                function: facts.function,
                facts: function.function.clone(),
                call: facts.call,
                exit,
                until: exit.map_or(last, Position::next),
            };
            let after = moment.end_of(&call, run)?;
            let after = exit.map_or(after, |exit| after.min(exit));
            return Ok(Some(Run {
                call,
                line,
                before: run,
                after,
            }));
        }
        Ok(None)
    }

    /// Where an expression is looked at: after the line if the line assigns it, else before.
    #[must_use]
    pub fn seen(&self, code: &SourceCode, expression: &str) -> Position {
        let mut statements = code.syntax.statements_at(self.line);
        let assigns = statements.any(|(_, statement)| {
            let mut assigned = statement.targets.iter().chain(&statement.parts);
            assigned.any(|range| code.text.get(range.clone()) == Some(expression))
        });
        // A comprehension has its variable only once its line has begun.
        let in_part = code
            .function(self.call.function)
            .is_some_and(|it| it.owner == Owner::Part);
        if assigns || in_part {
            self.after
        } else {
            self.before
        }
    }
}
