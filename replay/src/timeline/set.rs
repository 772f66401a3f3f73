//! Setting breakpoints, and what logpoints print.

use retrostep_trace::{
    CancellationToken, Direction, FrameId, Function, FunctionId, Key, ObjectId, Position, SourceId,
    Value,
};

use super::Timeline;
use super::places::CodeLine;
use crate::breakpoint::{DataPoint, Gate, Messages, Occurrences};
use crate::{
    BreakpointId, DataBreakpoint, Error, ExceptionFilter, FunctionBreakpoint, LineBreakpoint,
    LogEntry, LogHistory, Place, ResolvedBreakpoint, Result, Snapshot, Template,
};

/// All that is set on a timeline.
#[derive(Debug, Default)]
pub(super) struct Breakpoints {
    last_id: u32,
    pub(super) lines: Vec<LinePoint>,
    pub(super) functions: Vec<FunctionPoint>,
    pub(super) data: Vec<DataPoint>,
    data_asked: Vec<DataBreakpoint>,
    pub(super) exceptions: Vec<ExceptionFilter>,
    pub(super) messages: Messages,
}

/// A line breakpoint or logpoint that can be hit.
#[derive(Debug)]
pub(super) struct LinePoint {
    pub(super) id: BreakpointId,
    asked: LineBreakpoint,
    sources: Vec<SourceId>,
    line: u32,
    pub(super) hits: Occurrences,
    pub(super) log: Option<Template>,
}

/// A function breakpoint that can be hit.
#[derive(Debug)]
pub(super) struct FunctionPoint {
    pub(super) id: BreakpointId,
    asked: FunctionBreakpoint,
    place: Option<(SourceId, u32)>,
    pub(super) calls: Occurrences,
}

impl Breakpoints {
    fn new_id(&mut self) -> BreakpointId {
        self.last_id += 1;
        BreakpointId(self.last_id)
    }

    fn refused(&mut self, message: String) -> ResolvedBreakpoint {
        ResolvedBreakpoint {
            id: self.new_id(),
            verified: false,
            line: None,
            source: None,
            message: Some(message),
        }
    }
}

impl Timeline {
    /// Replaces all line breakpoints of the source that `path` names. Answers in the order asked.
    ///
    /// # Errors
    ///
    /// [`Error::Trace`] if the recording cannot be read.
    pub fn set_line_breakpoints(
        &mut self,
        path: &str,
        breakpoints: &[LineBreakpoint],
    ) -> Result<Vec<ResolvedBreakpoint>> {
        let sources = self.sources_of_path(path)?;
        if sources.is_empty() {
            let message = format!("{path} did not run in this recording");
            let refused = breakpoints
                .iter()
                .map(|_| self.breakpoints.refused(message.clone()));
            return Ok(refused.collect());
        }
        let all = std::mem::take(&mut self.breakpoints.lines);
        let (mut earlier, others): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|point| point.sources == sources);
        self.breakpoints.lines = others;
        let mut answers = Vec::new();
        for asked in breakpoints {
            let same = earlier.iter().position(|point| point.asked == *asked);
            let made = match same {
                Some(index) => Ok(earlier.swap_remove(index)),
                None => self.line_point(&sources, asked)?,
            };
            answers.push(match made {
                Ok(point) => {
                    let answer = ResolvedBreakpoint {
                        id: point.id,
                        verified: true,
                        line: Some(point.line),
                        source: sources.first().copied(),
                        message: None,
                    };
                    self.breakpoints.lines.push(point);
                    answer
                }
                Err(message) => self.breakpoints.refused(message),
            });
        }
        Ok(answers)
    }

    /// The breakpoint, or why there can be none.
    fn line_point(
        &mut self,
        sources: &[SourceId],
        asked: &LineBreakpoint,
    ) -> Result<std::result::Result<LinePoint, String>> {
        let line = match self.line_with_code(sources, asked.line)? {
            CodeLine::At(line) => line,
            CodeLine::NeverRan(name) => {
                return Ok(Err(format!("{name} never ran in this recording")));
            }
            CodeLine::Nowhere => {
                return Ok(Err(format!(
                    "no line from {} on has code that ran in this recording",
                    asked.line
                )));
            }
        };
        let gate = match Gate::parse(asked.condition.as_deref(), asked.hit_condition.as_deref()) {
            Ok(gate) => gate,
            Err(message) => return Ok(Err(message)),
        };
        let message = asked.log_message.as_deref();
        let log = match message
            .filter(|text| !text.is_empty())
            .map(Template::parse)
            .transpose()
        {
            Ok(log) => log,
            Err(error) => return Ok(Err(format!("log message: {error}"))),
        };
        let keys = sources.iter().map(|&source| Key::Line(source, line));
        Ok(Ok(LinePoint {
            id: self.breakpoints.new_id(),
            asked: asked.clone(),
            sources: sources.to_vec(),
            line,
            hits: Occurrences::new(keys.collect(), gate),
            log,
        }))
    }

    /// Replaces all function breakpoints. Answers in the order asked.
    ///
    /// # Errors
    ///
    /// [`Error::Trace`] if the recording cannot be read.
    pub fn set_function_breakpoints(
        &mut self,
        breakpoints: &[FunctionBreakpoint],
    ) -> Result<Vec<ResolvedBreakpoint>> {
        let mut earlier = std::mem::take(&mut self.breakpoints.functions);
        let mut answers = Vec::new();
        for asked in breakpoints {
            let same = earlier.iter().position(|point| point.asked == *asked);
            let made = match same {
                Some(index) => Ok(earlier.swap_remove(index)),
                None => self.function_point(asked),
            };
            answers.push(match made {
                Ok(point) => {
                    let answer = ResolvedBreakpoint {
                        id: point.id,
                        verified: true,
                        line: point.place.map(|(_, line)| line),
                        source: point.place.map(|(source, _)| source),
                        message: None,
                    };
                    self.breakpoints.functions.push(point);
                    answer
                }
                Err(message) => self.breakpoints.refused(message),
            });
        }
        Ok(answers)
    }

    fn function_point(
        &mut self,
        asked: &FunctionBreakpoint,
    ) -> std::result::Result<FunctionPoint, String> {
        let gate = Gate::parse(asked.condition.as_deref(), asked.hit_condition.as_deref())?;
        let mut keys = Vec::new();
        let mut place = None;
        for id in (0..self.recording.function_count()).map(FunctionId) {
            let Ok(function) = self.recording.function(id) else {
                continue;
            };
            if is_named(&function, asked.name.trim()) {
                keys.push(Key::Call(id));
                place = place.or(Some((function.source, function.first_line)));
            }
        }
        if keys.is_empty() {
            return Err(format!(
                "no function {} ran in this recording",
                asked.name.trim()
            ));
        }
        Ok(FunctionPoint {
            id: self.breakpoints.new_id(),
            asked: asked.clone(),
            place,
            calls: Occurrences::new(keys, gate),
        })
    }

    /// Replaces all data breakpoints. Answers in the order asked.
    ///
    /// # Errors
    ///
    /// [`Error::Trace`] if the recording cannot be read.
    pub fn set_data_breakpoints(
        &mut self,
        breakpoints: &[DataBreakpoint],
    ) -> Result<Vec<ResolvedBreakpoint>> {
        let earlier = std::mem::take(&mut self.breakpoints.data);
        let asked_earlier = std::mem::take(&mut self.breakpoints.data_asked);
        let mut earlier: Vec<_> = asked_earlier.into_iter().zip(earlier).collect();
        let mut answers = Vec::new();
        for asked in breakpoints {
            let same = earlier.iter().position(|(earlier, _)| earlier == asked);
            let made = match same {
                Some(index) => Ok(earlier.swap_remove(index).1),
                None => self.data_point(asked)?,
            };
            answers.push(match made {
                Ok(point) => {
                    let answer = ResolvedBreakpoint {
                        id: point.id,
                        verified: true,
                        line: None,
                        source: None,
                        message: None,
                    };
                    self.breakpoints.data.push(point);
                    self.breakpoints.data_asked.push(asked.clone());
                    answer
                }
                Err(message) => self.breakpoints.refused(message),
            });
        }
        Ok(answers)
    }

    fn data_point(
        &mut self,
        asked: &DataBreakpoint,
    ) -> Result<std::result::Result<DataPoint, String>> {
        let gate = match Gate::parse(asked.condition.as_deref(), asked.hit_condition.as_deref()) {
            Ok(gate) => gate,
            Err(message) => return Ok(Err(message)),
        };
        let Some(name) = self.place_name(&asked.place)? else {
            return Ok(Err("this recording has no such value".to_owned()));
        };
        let name = asked.name.clone().unwrap_or(name);
        let id = self.breakpoints.new_id();
        Ok(Ok(DataPoint::new(id, asked.place.clone(), name, gate)))
    }

    /// A name for people, or `None` when the recording has no such place.
    fn place_name(&self, place: &Place) -> Result<Option<String>> {
        let known = |object: ObjectId| -> Result<bool> {
            Ok(self.recording.object(object, self.end())?.is_some())
        };
        Ok(match place {
            Place::Local { frame, slot } => {
                let Some(facts) = self.recording.frame(*frame)? else {
                    return Ok(None);
                };
                let function = self.recording.function(facts.function)?;
                let slot = usize::try_from(*slot).unwrap_or(usize::MAX);
                let variable = function.variables.get(slot);
                variable.map(|variable| variable.name.to_string())
            }
            Place::Attribute { object, name } => known(*object)?.then(|| name.to_string()),
            Place::Item { object, index } => known(*object)?.then(|| format!("[{index}]")),
            Place::Entry { object, key } => {
                if !known(*object)? {
                    return Ok(None);
                }
                Some(match key {
                    Value::Str(text) => String::from_utf8_lossy(&text.kept).into_owned(),
                    key => {
                        let snapshot = Snapshot::new(&self.recording, self.position);
                        let limit = crate::render::LIMIT;
                        format!("[{}]", snapshot.text(&crate::Datum::from(key), limit)?)
                    }
                })
            }
            Place::Object { object } => known(*object)?.then(|| "object".to_owned()),
        })
    }

    /// Replaces the exception filters.
    pub fn set_exception_filters(&mut self, filters: &[ExceptionFilter]) {
        self.breakpoints.exceptions = filters.to_vec();
        self.breakpoints.exceptions.sort_unstable();
        self.breakpoints.exceptions.dedup();
    }

    /// What a logpoint prints over the whole recording: the first `limit` hits, and how many there are.
    ///
    /// # Errors
    ///
    /// [`Error::NoSuchLogpoint`]; [`Error::Trace`] when cancelled.
    pub fn log_history(
        &self,
        logpoint: BreakpointId,
        limit: usize,
        cancel: &CancellationToken,
    ) -> Result<LogHistory> {
        let points = &self.breakpoints.lines;
        let point = points.iter().find(|point| point.id == logpoint);
        let Some((point, template)) = point.and_then(|point| Some((point, point.log.as_ref()?)))
        else {
            return Err(Error::NoSuchLogpoint { id: logpoint });
        };
        let search = self.search(cancel);
        self.progress.begin(Position::START, self.end());
        let mut entries = Vec::new();
        let mut from = Position::START;
        while entries.len() < limit {
            let hit = point
                .hits
                .find(search, from, Direction::Forward, self.end())?;
            let Some(position) = hit else { break };
            self.progress.reach(position);
            let frame: Option<FrameId> = self.recording.frame_of_event(position)?;
            entries.push(LogEntry {
                position,
                thread: self.recording.thread_at(position)?,
                text: Snapshot::new(&self.recording, position)
                    .fill(frame, template)
                    .into(),
            });
            from = position.next();
        }
        Ok(LogHistory {
            entries,
            total: point.hits.total(search)?,
        })
    }

    /// What users must be told since the last call: conditions that could not be evaluated, each once.
    pub fn take_messages(&mut self) -> Vec<String> {
        self.breakpoints.messages.take()
    }
}

/// Whether a function breakpoint's name means this function.
fn is_named(function: &Function, name: &str) -> bool {
    if name.is_empty() {
        return false;
    }
    let qualified = function.qualified_name.replace("<locals>.", "");
    let end = qualified.strip_suffix(name);
    *function.name == *name
        || *function.qualified_name == *name
        || end.is_some_and(|before| before.is_empty() || before.ends_with('.'))
}
