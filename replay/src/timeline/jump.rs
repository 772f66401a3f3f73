//! Jumps to known places.

use retrostep_trace::{CancellationToken, Direction, FrameId, Key, Position, SourceId, ThreadId};

use super::Timeline;
use super::places::CodeLine;
use crate::{Error, ExceptionFilter, Result, Stop, StopReason};

/// A recorded execution of a line that one can go to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GotoTarget {
    /// The step event.
    pub position: Position,
    /// Its thread.
    pub thread: ThreadId,
    /// The line, 1-based: the next one with code when the asked one has none.
    pub line: u32,
    /// `hit 5 of 42`.
    pub label: String,
}

/// The most targets that are offered.
const MOST_TARGETS: u64 = 100;

impl Timeline {
    /// Jumps to `to`. Positions beyond the end are clamped to the end.
    ///
    /// # Errors
    ///
    /// [`Error::Trace`] if the recording cannot be read.
    pub fn seek(&mut self, to: Position) -> Result<Stop> {
        let to = to.min(self.end());
        let stop = if to == Position::START {
            self.limit_stop(Direction::Backward)?
        } else if to == self.end() {
            self.limit_stop(Direction::Forward)?
        } else {
            let thread = self.recording.thread_at(to)?;
            self.plain_stop(to, thread, StopReason::Goto)
        };
        self.go(&stop);
        Ok(stop)
    }

    /// Jumps to the first step event at or after `time_ns` nanoseconds from the program's start.
    ///
    /// # Errors
    ///
    /// [`Error::Trace`] if the recording cannot be read.
    pub fn seek_time(&mut self, time_ns: u64) -> Result<Stop> {
        let to = self.position_of_time(time_ns)?;
        self.seek(to)
    }

    /// The first step event at or after `time_ns` nanoseconds from the program's start, or the end.
    ///
    /// # Errors
    ///
    /// [`Error::Trace`] if the recording cannot be read.
    pub fn position_of_time(&self, time_ns: u64) -> Result<Position> {
        let end = self.end();
        let (mut low, mut high) = (Position::START, end);
        while low < high {
            let middle = Position(low.0 + (high.0 - low.0) / 2);
            if self.recording.time_ns(middle)? < time_ns {
                low = middle.next();
            } else {
                high = middle;
            }
        }
        let cancel = CancellationToken::new();
        let step = self
            .recording
            .find(Key::Step, low, Direction::Forward, &cancel)?;
        Ok(step.unwrap_or(end))
    }

    /// Goes to the first line that `frame` ran.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchFrame`], [`Error::FrameWithoutLines`].
    pub fn restart_frame(&mut self, frame: FrameId) -> Result<Stop> {
        let Some(facts) = self.recording.frame(frame)? else {
            return Err(Error::NoSuchFrame { frame });
        };
        let first = self.recording.find(
            Key::FrameStep(frame),
            facts.call,
            Direction::Forward,
            &CancellationToken::new(),
        )?;
        match first {
            Some(first) => self.seek(first),
            None => Err(Error::FrameWithoutLines { frame }),
        }
    }

    /// Goes to where the program failed: the raise of the last uncaught exception, else the end.
    ///
    /// # Errors
    ///
    /// [`Error::Trace`] if the recording cannot be read.
    pub fn seek_failure(&mut self) -> Result<Stop> {
        match self.last_uncaught()? {
            Some(raise) => {
                let stop = self.exception_stop(raise, vec![ExceptionFilter::Uncaught])?;
                self.go(&stop);
                Ok(stop)
            }
            None => self.seek(self.end()),
        }
    }

    /// The executions of `line` nearest to now, at most 100, in recording order.
    ///
    /// A line without code stands for the next one that has code.
    ///
    /// # Errors
    ///
    /// [`Error::Trace`] if the recording cannot be read.
    pub fn goto_targets(
        &self,
        source: SourceId,
        line: u32,
        cancel: &CancellationToken,
    ) -> Result<Vec<GotoTarget>> {
        let CodeLine::At(line) = self.line_with_code(&[source], line)? else {
            return Ok(Vec::new());
        };
        let key = Key::Line(source, line);
        let total = self.recording.count(key, self.end(), cancel)?;
        let now = self.recording.count(key, self.position, cancel)?;
        let distance = |n: u64| -> Result<Option<u64>> {
            let position = self.recording.nth(key, n, cancel)?;
            Ok(position.map(|position| position.0.abs_diff(self.position.0)))
        };
        let (mut first, mut after) = (now, now);
        while after - first < MOST_TARGETS && (first > 0 || after < total) {
            let take_earlier = if first == 0 {
                false
            } else if after >= total {
                true
            } else {
                distance(first - 1)? < distance(after)?
            };
            if take_earlier {
                first -= 1;
            } else {
                after += 1;
            }
        }
        let mut targets = Vec::new();
        for n in first..after {
            let Some(position) = self.recording.nth(key, n, cancel)? else {
                break;
            };
            targets.push(GotoTarget {
                position,
                thread: self.recording.thread_at(position)?,
                line,
                label: format!("hit {} of {total}", n + 1),
            });
        }
        Ok(targets)
    }
}
