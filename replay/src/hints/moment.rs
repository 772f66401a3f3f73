//! Hints of the calls that a moment shows.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ops::{ControlFlow, Range};
use std::sync::Arc;

use retrostep_trace::{
    CancellationToken, Direction, Event, FrameId, Function, FunctionId, Key, Position, Recording,
    Result, ThreadId, Value, VariableKind,
};

use super::overall::{changed_text, passes_text};
use super::phrase::{self, VALUE_LEN};
use super::{Hint, HintPart, HintValue, len, parts};
use crate::code::{Owner, SourceCode};
use crate::survey::{Collector, LineFacts, Reading, Scope, Values};
use crate::syntax::{Definition, Statement, StatementKind};
use crate::{Place, Snapshot, render};

/// Most frames of a stack that are looked through.
const MOST_FRAMES: u64 = 2_000;
/// Most calls that are looked at for one that has ended.
const MOST_CALLS: usize = 50;
/// Most executions of a line in other frames that are passed over.
const MOST_TRIES: usize = 200;
/// Longest execution of a line, in events, that is gone through.
const MOST_EVENTS: u64 = 100_000;

/// A source at a moment: of each function the call on the stack, else the latest one that ended before.
pub struct Moment<'a> {
    pub(super) recording: &'a Recording,
    pub(super) code: &'a SourceCode,
    pub(super) cancel: &'a CancellationToken,
    position: Position,
    calls: RefCell<HashMap<Owner, Option<Call>>>,
    pub(super) loops: RefCell<HashMap<(FrameId, usize), Option<super::loops::Instance>>>,
}

impl std::fmt::Debug for Moment<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Moment")
            .field("position", &self.position)
            .finish_non_exhaustive()
    }
}

/// A call, as far as a moment shows it.
#[derive(Clone, Debug)]
pub struct Call {
    /// Its frame.
    pub frame: FrameId,
    /// What it runs.
    pub function: FunctionId,
    /// The facts of that.
    pub facts: Arc<Function>,
    /// Where it was called.
    pub call: Position,
    /// Its return or unwind, if that is before the moment.
    pub exit: Option<Position>,
    /// Events from here on are not shown: the moment, or what follows the exit.
    pub until: Position,
}

impl<'a> Moment<'a> {
    /// The source as `thread` shows it at `position`.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Io`].
    pub fn new(
        recording: &'a Recording,
        code: &'a SourceCode,
        position: Position,
        thread: ThreadId,
        cancel: &'a CancellationToken,
    ) -> Result<Moment<'a>> {
        let mut calls = HashMap::new();
        for state in recording.stack(thread, position, 0, MOST_FRAMES)? {
            let Some(function) = code.function(state.function) else {
                continue;
            };
            let facts = &function.function;
            calls.entry(function.owner).or_insert_with(|| {
                Some(Call {
                    frame: state.frame,
                    function: state.function,
                    facts: facts.clone(),
                    call: state.call,
                    exit: None,
                    until: position,
                })
            });
        }
        Ok(Moment {
            recording,
            code,
            cancel,
            position,
            calls: RefCell::new(calls),
            loops: RefCell::default(),
        })
    }

    /// The recording.
    #[must_use]
    pub fn recording(&self) -> &'a Recording {
        self.recording
    }

    /// The moment's position.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// The source.
    #[must_use]
    pub fn code(&self) -> &'a SourceCode {
        self.code
    }

    /// The call that is shown of a part of the text, if there is one.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Cancelled`], [`retrostep_trace::Error::Io`].
    pub fn call(&self, owner: Owner) -> Result<Option<Call>> {
        if let Some(known) = self.calls.borrow().get(&owner) {
            return Ok(known.clone());
        }
        let found = self.latest_ended(owner)?;
        self.calls.borrow_mut().insert(owner, found.clone());
        Ok(found)
    }

    fn latest_ended(&self, owner: Owner) -> Result<Option<Call>> {
        if owner == Owner::Part {
            return Ok(None);
        }
        let mut latest: Option<Call> = None;
        for function in self.code.functions_of(owner) {
            let mut before = self.position;
            for _ in 0..MOST_CALLS {
                let from = latest.as_ref().map_or(Position::START, |call| call.call);
                let key = Key::Call(function.id);
                let Some(call) = self.find(key, from..before, Direction::Backward)? else {
                    break;
                };
                before = call;
                let Some(frame) = self.recording.frame_of_event(call)? else {
                    continue;
                };
                let exit = Key::FrameExit(frame);
                let Some(exit) = self.find(exit, call..self.position, Direction::Forward)? else {
                    continue;
                };
                latest = Some(Call {
                    frame,
                    function: function.id,
                    facts: function.function.clone(),
                    call,
                    exit: Some(exit),
                    until: exit.next(),
                });
                break;
            }
        }
        Ok(latest)
    }

    pub(crate) fn find(
        &self,
        key: Key,
        range: Range<Position>,
        direction: Direction,
    ) -> Result<Option<Position>> {
        if range.start >= range.end {
            return Ok(None);
        }
        (self.recording).find_between(key, range, direction, self.cancel)
    }

    /// The last, or first, execution of a line by a frame in a range; none if too many other frames run it.
    pub(crate) fn run_of(
        &self,
        frame: FrameId,
        line: u32,
        mut range: Range<Position>,
        direction: Direction,
    ) -> Result<Option<Position>> {
        let key = Key::Line(self.code.source, line);
        for _ in 0..MOST_TRIES {
            let Some(run) = self.find(key, range.clone(), direction)? else {
                return Ok(None);
            };
            if self.recording.frame_of_event(run)? == Some(frame) {
                return Ok(Some(run));
            }
            // Another frame runs it: the frame itself goes on at its own nearest step.
            match direction {
                Direction::Backward => range.end = run,
                Direction::Forward => range.start = run.next(),
            }
            let own = self.find(Key::FrameStep(frame), range.clone(), direction)?;
            let Some(own) = own else {
                return Ok(None);
            };
            match direction {
                Direction::Backward => range.end = own.next(),
                Direction::Forward => range.start = own,
            }
        }
        Ok(None)
    }

    /// What is told of a line, in at most `max_len` characters.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Cancelled`], [`retrostep_trace::Error::Io`].
    pub fn hint(&self, line: u32, max_len: usize) -> Result<Option<Hint>> {
        let statements = || self.code.syntax.statements_at(line).map(|(_, it)| it);
        let Some(first) = statements().next() else {
            return Ok(None);
        };
        if first.kind == StatementKind::Definition {
            return self.head(first, line, max_len);
        }
        let Some(call) = self.call(self.code.owner_of_line(line))? else {
            return Ok(None);
        };
        let runs = call.call..call.until;
        let run = self.run_of(call.frame, line, runs, Direction::Backward)?;
        let Some(run) = run else {
            return Ok(None);
        };
        let facts = self.execution(&call, line, run)?;
        let parts = self.parts(&call, first, run, &facts, max_len)?;
        Ok((!parts.is_empty()).then_some(Hint {
            line,
            parts,
            step: run,
            frame: Some(call.frame),
        }))
    }

    /// Where an execution of a line ends, as far as it is shown: at the frame's next step, or after the
    /// frame's last event.
    pub(crate) fn end_of(&self, call: &Call, run: Position) -> Result<Position> {
        let rest = run.next()..call.until;
        let next = self.find(Key::FrameStep(call.frame), rest, Direction::Forward)?;
        Ok(next.unwrap_or(call.until))
    }

    /// What one execution of a line did.
    fn execution(&self, call: &Call, line: u32, run: Position) -> Result<LineFacts> {
        let end = self.end_of(call, run)?;
        if end.0 - run.0 > MOST_EVENTS {
            return self.long_execution(call, line, run, end);
        }
        let scope = Scope::Frame(call.frame, call.function, line);
        let mut collector = Collector::new(self.recording, self.code, scope);
        collector.know(call.frame, run)?;
        // The next step decides a condition.
        let events = run.next()..end.next().min(call.until);
        let mut take = |passing: &retrostep_trace::Passing<'_>| {
            collector.take(passing);
            ControlFlow::Continue(())
        };
        (self.recording).walk(events, &mut take, &mut |_| {}, self.cancel)?;
        let mut survey = collector.finish()?;
        let mut facts = survey.lines.remove(&line).unwrap_or_default();
        self.add_rebound(call, line, end, &mut facts)?;
        Ok(facts)
    }

    /// Adds the names that the line assigned what they held before, which makes no event.
    fn add_rebound(
        &self,
        call: &Call,
        line: u32,
        end: Position,
        facts: &mut LineFacts,
    ) -> Result<()> {
        let Some(plan) = self.code.plan(line).filter(|_| facts.interrupted == 0) else {
            return Ok(());
        };
        let next = match self.recording.event(end)?.map(|event| event.event) {
            // Another event than a step of the frame: the line still runs, or was the frame's last.
            Some(Event::Line { line })
                if self.recording.frame_of_event(end)? == Some(call.frame) =>
            {
                Some(line)
            }
            _ if call.exit.is_some_and(|exit| exit < end) => None,
            _ => return Ok(()),
        };
        let inside = |next| next != line && (plan.lines.0..=plan.lines.1).contains(&next);
        if next.is_some_and(inside) {
            return Ok(());
        }
        for name in plan.targets.iter().take(plan.assigned) {
            if facts.bound.iter().any(|(known, _)| known == name) {
                continue;
            }
            let at = end.min(call.exit.unwrap_or(end));
            let Some(value) = self.variable(call, name, at)? else {
                continue;
            };
            let mut values = Values::new();
            values.add(Some(&value), at, Reading::unknown);
            facts.bound.push((name.clone(), values));
        }
        self.code.sort_targets(line, &mut facts.bound);
        Ok(())
    }

    /// What a name of the call's own holds at a position.
    fn variable(&self, call: &Call, name: &str, at: Position) -> Result<Option<Value>> {
        let slot = (call.facts.variables.iter()).position(|variable| &*variable.name == name);
        if let Some(slot) = slot.and_then(|slot| u32::try_from(slot).ok()) {
            let place = Place::Local {
                frame: call.frame,
                slot,
            };
            return place.raw_value(self.recording, at);
        }
        let Some(facts) = self.recording.frame(call.frame)? else {
            return Ok(None);
        };
        let key = Value::Str(retrostep_trace::Text {
            kept: name.as_bytes().into(),
            len: name.chars().count() as u64,
        });
        match facts.locals.or(facts.globals) {
            Some(object) => Place::Entry { object, key }.raw_value(self.recording, at),
            None => Ok(None),
        }
    }

    /// What one execution assigned that made so many calls that they are not gone through.
    fn long_execution(
        &self,
        call: &Call,
        line: u32,
        run: Position,
        end: Position,
    ) -> Result<LineFacts> {
        let mut facts = LineFacts::default();
        for (_, statement) in self.code.syntax.statements_at(line) {
            for target in &statement.targets {
                let name = self.code.text.get(target.clone()).unwrap_or_default();
                let slot = (call.facts.variables.iter())
                    .position(|variable| &*variable.name == name && !variable.kind.is_cell());
                let Some(slot) = slot.and_then(|slot| u32::try_from(slot).ok()) else {
                    continue;
                };
                let written = self.recording.local(call.frame, slot, end)?;
                if let Some(written) = written.filter(|written| written.position > run) {
                    let mut values = Values::new();
                    values.add(
                        written.value.as_ref(),
                        written.position.next(),
                        Reading::unknown,
                    );
                    facts.bound.push((name.into(), values));
                }
            }
        }
        Ok(facts)
    }

    fn parts(
        &self,
        call: &Call,
        statement: &Statement,
        run: Position,
        facts: &LineFacts,
        max_len: usize,
    ) -> Result<Vec<HintPart>> {
        match statement.kind {
            StatementKind::For | StatementKind::While => {
                let told = self.loop_head(call, statement, run, facts)?;
                return Ok(told.map(HintPart::plain).into_iter().collect());
            }
            StatementKind::If if facts.held + facts.failed > 0 => {
                return Ok(vec![HintPart::plain(facts.held_last.to_string())]);
            }
            StatementKind::Import => return Ok(Vec::new()),
            _ => {}
        }
        for (before, values) in [("returns ", &facts.returned), ("yields ", &facts.yielded)] {
            if let Some(values) = values
                && let Some(last) = &values.last
            {
                let room = max_len.saturating_sub(len(before));
                let shown = self.value(last, values.last_at, room)?;
                return Ok((shown.into_iter())
                    .map(|text| HintPart::of(format!("{before}{text}"), None, last, values))
                    .collect());
            }
        }
        let mut parts = self.bound(call, facts, run, max_len)?;
        if let Some(changed) = &facts.changed
            && let Some(part) = changed_text(self.recording, changed, false)?
        {
            parts::add(&mut parts, part, max_len);
        }
        let used = parts::len_of(&parts);
        if used > 0
            && let Some(head) = statement.enclosing_loop
            && let Some(pass) = self.pass_at(call, head, run)?
        {
            let text = format!(" · {pass}");
            if used + len(&text) <= max_len {
                parts.push(HintPart::plain(text));
            }
        }
        Ok(parts)
    }

    fn bound(
        &self,
        call: &Call,
        facts: &LineFacts,
        run: Position,
        max_len: usize,
    ) -> Result<Vec<HintPart>> {
        let room = VALUE_LEN.min(max_len.saturating_sub(2));
        let shown = parts::last_of(self.recording, &facts.bound, room)?;
        if let [one] = shown.as_slice() {
            let mut text = format!("= {}", one.text);
            const SAME: &str = ", same object";
            if len(&text) + len(SAME) <= max_len && self.is_known(call, run, one.last)? {
                text.push_str(SAME);
            }
            return Ok(vec![HintPart::of(text, None, one.last, one.values)]);
        }
        Ok(parts::named(&shown, max_len))
    }

    /// Whether a variable of the call referred to this object before the line ran, and the object is one
    /// that can change.
    fn is_known(&self, call: &Call, run: Position, value: &Value) -> Result<bool> {
        use retrostep_trace::ObjectKind;
        let Value::Object(object) = value else {
            return Ok(false);
        };
        let content = Snapshot::new(self.recording, run).outline(*object)?;
        let can_change = content.is_some_and(|content| {
            matches!(
                content.kind,
                ObjectKind::List
                    | ObjectKind::Dict
                    | ObjectKind::Set
                    | ObjectKind::Deque
                    | ObjectKind::ByteArray
                    | ObjectKind::Instance
            )
        });
        if !can_change {
            return Ok(false);
        }
        let locals = self.recording.locals(call.frame, run)?;
        let mut held = locals.iter().flatten();
        Ok(held.any(|written| written.value.as_ref() == Some(value)))
    }

    fn value(&self, value: &Value, at: Position, limit: usize) -> Result<Option<String>> {
        phrase::value(Snapshot::new(self.recording, at), value, limit)
    }

    /// The hint of a function's head: which call is shown, and with which arguments.
    fn head(&self, statement: &Statement, line: u32, max_len: usize) -> Result<Option<Hint>> {
        let Some((index, definition)) = self.code.syntax.function_of(statement) else {
            return Ok(None);
        };
        if *definition.head.start() != line {
            return Ok(None);
        }
        let owner = Owner::Definition(index);
        let Some(call) = self.call(owner)? else {
            return Ok(None);
        };
        let (number, total) = self.number_of(&call)?;
        let (number, total) = (render::count(number), render::count(total));
        let mut parts = vec![HintPart::plain(format!("call {number} of {total}"))];
        let mut used = parts::len_of(&parts);
        for argument in self.arguments(&call, definition)? {
            let before = if parts.len() == 1 { " · " } else { ", " };
            let text = format!("{before}{}", argument.text);
            if used + len(&text) <= max_len {
                used += len(&text);
                parts.push(HintPart { text, ..argument });
            }
        }
        Ok(Some(Hint {
            line,
            parts,
            step: call.call,
            frame: Some(call.frame),
        }))
    }

    /// Which call of how many of the function it is, from 1.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Cancelled`], [`retrostep_trace::Error::Io`].
    pub fn number_of(&self, call: &Call) -> Result<(u64, u64)> {
        (self.code).call_number(self.recording, &call.facts, call.call, self.cancel)
    }

    /// The arguments with which a call began, those with default values first.
    fn arguments(&self, call: &Call, definition: &Definition) -> Result<Vec<HintPart>> {
        let until = call.until;
        let first = self.find(
            Key::FrameStep(call.frame),
            call.call..until,
            Direction::Forward,
        )?;
        let at = first.unwrap_or(until);
        let mut parts = Vec::new();
        for has_default in [true, false] {
            for parameter in &definition.parameters {
                if parameter.has_default != has_default {
                    continue;
                }
                let slot = call.facts.variables.iter().position(|variable| {
                    *variable.name == *parameter.name
                        && matches!(
                            variable.kind,
                            VariableKind::Argument | VariableKind::CellArgument
                        )
                });
                let is_self = matches!(parameter.name.as_str(), "self" | "cls");
                let Some(slot) = slot
                    .filter(|_| !is_self)
                    .and_then(|slot| u32::try_from(slot).ok())
                else {
                    continue;
                };
                let place = Place::Local {
                    frame: call.frame,
                    slot,
                };
                let Some(value) = place.raw_value(self.recording, at)? else {
                    continue;
                };
                let name = &parameter.name;
                if let Some(text) = self.value(&value, at, VALUE_LEN)? {
                    parts.push(HintPart {
                        text: format!("{name}: {text}"),
                        value: Some(HintValue {
                            name: Some(name.clone()),
                            value,
                            at,
                        }),
                    });
                }
            }
        }
        Ok(parts)
    }

    /// `6 passes` of a loop that is over, `pass 3` of one that goes on.
    fn loop_head(
        &self,
        call: &Call,
        statement: &Statement,
        run: Position,
        facts: &LineFacts,
    ) -> Result<Option<String>> {
        let statements = self.code.syntax.statements();
        let Some(head) = statements.iter().position(|known| known == statement) else {
            return Ok(None);
        };
        let Some(instance) = self.instance(call, head, run)? else {
            return Ok(None);
        };
        let Some(number) = self.runs_until(call, &instance, run.next())? else {
            return Ok(None);
        };
        let is_over = instance.end.is_some_and(|end| end < call.until);
        Ok(match (facts.held > 0, facts.failed > 0) {
            (_, true) => Some(passes_text(number - 1)),
            (true, _) if is_over => Some(passes_text(number)),
            (true, _) => Some(format!("pass {}", render::count(number))),
            _ => None,
        })
    }

    /// `pass 3 of 6`: which pass of the loop with this head an execution in its body belongs to.
    fn pass_at(&self, call: &Call, head: usize, run: Position) -> Result<Option<String>> {
        let Some(instance) = self.instance(call, head, run)? else {
            return Ok(None);
        };
        let Some(number) = self.runs_until(call, &instance, run)? else {
            return Ok(None);
        };
        if number == 0 {
            return Ok(None);
        }
        let number = render::count(number);
        Ok(Some(match self.passes(call, &instance)? {
            Some(passes) => format!("pass {number} of {}", render::count(passes)),
            None => format!("pass {number}"),
        }))
    }
}
