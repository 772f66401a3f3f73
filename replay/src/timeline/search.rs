//! The nearest stop that a breakpoint or filter asks for.

use retrostep_trace::{CancellationToken, Direction, Event, Key, Position, ThreadId};

use super::Timeline;
use crate::breakpoint::{DataStop, Search, find_first_line};
use crate::exception::ExceptionFacts;
use crate::{BreakpointId, ExceptionFilter, ExceptionStop, Result, Stop, StopReason};

/// Something that can stop a move.
#[derive(Clone, Copy)]
enum Source<'a> {
    Line(&'a super::set::LinePoint),
    Function(&'a super::set::FunctionPoint),
    Data(&'a crate::breakpoint::DataPoint),
    Exception(ExceptionFilter),
}

impl Timeline {
    /// The nearest stop strictly beyond the current position, `limit` included.
    pub(super) fn nearest(
        &self,
        search: Search<'_>,
        direction: Direction,
        limit: Position,
    ) -> Result<Option<Stop>> {
        let from = match direction {
            Direction::Forward if self.position >= limit => return Ok(None),
            Direction::Backward if self.position <= limit => return Ok(None),
            Direction::Forward => self.position.next(),
            Direction::Backward => self.position,
        };
        let mut nearest = limit;
        let mut met = Vec::new();
        for source in self.stop_sources() {
            search.cancel.check()?;
            if let Some(at) = find(source, search, from, direction, nearest)? {
                if at != nearest {
                    met.clear();
                    nearest = at;
                }
                met.push(source);
            }
        }
        if met.is_empty() {
            return Ok(None);
        }
        self.stop_of(search, nearest, direction, &met).map(Some)
    }

    fn stop_sources(&self) -> impl Iterator<Item = Source<'_>> {
        let set = &self.breakpoints;
        let lines = set.lines.iter().filter(|point| point.log.is_none());
        lines
            .map(Source::Line)
            .chain(set.functions.iter().map(Source::Function))
            .chain(set.data.iter().map(Source::Data))
            .chain(set.exceptions.iter().copied().map(Source::Exception))
    }

    fn stop_of(
        &self,
        search: Search<'_>,
        at: Position,
        direction: Direction,
        met: &[Source<'_>],
    ) -> Result<Stop> {
        let mut breakpoints: Vec<BreakpointId> = Vec::new();
        let mut filters: Vec<ExceptionFilter> = Vec::new();
        let mut change: Option<DataStop> = None;
        let mut function = false;
        for source in met {
            match source {
                Source::Line(point) => breakpoints.push(point.id),
                Source::Function(point) => {
                    function = true;
                    breakpoints.push(point.id);
                }
                Source::Data(point) => {
                    breakpoints.push(point.id);
                    if change.is_none() {
                        change = point.stop_at(search, at, direction)?;
                    }
                }
                Source::Exception(filter) => filters.push(*filter),
            }
        }
        breakpoints.sort_unstable();
        filters.sort_unstable();
        let mut stop = if !filters.is_empty() {
            self.exception_stop(at, filters)?
        } else if let Some(change) = change {
            Stop {
                position: at,
                thread: change.thread,
                description: change.description,
                text: Some(change.text),
                reason: StopReason::DataBreakpoint(change.change),
                breakpoints: Vec::new(),
            }
        } else {
            Stop {
                position: at,
                thread: self.recording.thread_at(at)?,
                reason: if function {
                    StopReason::FunctionBreakpoint
                } else {
                    StopReason::Breakpoint
                },
                breakpoints: Vec::new(),
                description: if function {
                    "Function breakpoint".to_owned()
                } else {
                    "Breakpoint".to_owned()
                },
                text: None,
            }
        };
        stop.breakpoints = breakpoints;
        Ok(stop)
    }

    /// The stop at a raise or an unwind.
    pub(super) fn exception_stop(
        &self,
        at: Position,
        filters: Vec<ExceptionFilter>,
    ) -> Result<Stop> {
        let thread: ThreadId = self.recording.thread_at(at)?;
        let event = self.recording.event(at)?.map(|found| found.event);
        let (exception, left) = match event {
            Some(Event::Raise { exception }) => (exception, None),
            Some(Event::Unwind { exception }) => (exception, self.function_at(thread, at)?),
            _ => return Ok(self.plain_stop(at, thread, StopReason::Goto)),
        };
        let facts = ExceptionFacts::of(&self.recording, &exception, at)?;
        let description = match left {
            Some(function) => format!("{} left {function}", facts.type_name),
            None => format!("Raised {}", facts.type_name),
        };
        Ok(Stop {
            position: at,
            thread,
            reason: StopReason::Exception(ExceptionStop { filters, exception }),
            breakpoints: Vec::new(),
            description,
            text: facts.message.filter(|message| !message.is_empty()),
        })
    }

    /// The last uncaught exception's raise.
    pub(super) fn last_uncaught(&self) -> Result<Option<Position>> {
        let cancel = CancellationToken::new();
        let end = self.end();
        Ok(self
            .recording
            .find(Key::Uncaught, end, Direction::Backward, &cancel)?)
    }
}

fn find(
    source: Source<'_>,
    search: Search<'_>,
    from: Position,
    direction: Direction,
    limit: Position,
) -> Result<Option<Position>> {
    match source {
        Source::Line(point) => point.hits.find(search, from, direction, limit),
        Source::Function(point) => find_first_line(&point.calls, search, from, direction, limit),
        Source::Data(point) => point.find(search, from, direction, limit),
        Source::Exception(filter) => {
            let key = match filter {
                ExceptionFilter::Raised => Key::Raise,
                ExceptionFilter::Uncaught => Key::Uncaught,
                ExceptionFilter::Left => Key::Unwind,
            };
            let found = search.recording.find(key, from, direction, search.cancel)?;
            Ok(found.filter(|&at| crate::breakpoint::within(at, direction, limit)))
        }
    }
}
