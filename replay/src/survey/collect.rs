//! The walk that gathers a survey.

use std::sync::Arc;

use retrostep_trace::hash::Map;
use retrostep_trace::{
    Change, Fact, FrameId, FunctionId, FunctionKind, ObjectId, ObjectKind, Passing, PassingChange,
    Position, Recording, Result, TypeId, Value, VariableKind,
};

use super::frame::Frame;
use super::memory::{Memory, text_of};
use super::values::Reading;
use super::{Changed, FunctionFacts, LeftBy, LineFacts, Survey, Values};
use crate::code::{CodeFunction, Owner, Plan, SourceCode};

/// Whose events are gathered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Those of every frame of the source.
    All,
    /// Those of one frame, of which this line is running when the walk begins.
    Frame(FrameId, FunctionId, u32),
}

/// Gathers what events tell.
pub(crate) struct Collector<'a> {
    recording: &'a Recording,
    code: &'a SourceCode,
    scope: Scope,
    survey: Survey,
    /// From `first_line` on.
    lines: Vec<LineFacts>,
    first_line: u32,
    executed: Vec<bool>,
    frames: Map<FrameId, Frame>,
    memory: Memory,
    /// The names of the cells that frames of the source have.
    cells: Map<ObjectId, Arc<str>>,
    /// The types of exceptions, which leave several frames as a rule.
    exceptions: Map<ObjectId, TypeId>,
    /// Looking an object up failed; told at the end.
    failure: Option<retrostep_trace::Error>,
}

impl<'a> Collector<'a> {
    pub(crate) fn new(
        recording: &'a Recording,
        code: &'a SourceCode,
        scope: Scope,
    ) -> Collector<'a> {
        let (first_line, count) = match scope {
            Scope::All => (0, code.line_count()),
            Scope::Frame(_, _, line) => (line, 1),
        };
        let mut collector = Collector {
            recording,
            code,
            scope,
            survey: Survey::default(),
            lines: vec![LineFacts::default(); count],
            first_line,
            executed: vec![false; count],
            frames: Map::default(),
            memory: Memory::default(),
            cells: Map::default(),
            exceptions: Map::default(),
            failure: None,
        };
        if let Scope::Frame(frame, function, line) = scope {
            let mut functions = code.functions().iter();
            let function = functions.position(|known| known.id == function);
            if let Some(function) = function {
                let mut open = Frame::new(function, Position::START, 0);
                open.line = line;
                open.pending = code.plan(line).and_then(|plan| plan.branch);
                collector.frames.insert(frame, open);
            }
        }
        collector
    }

    /// Takes in what was before the walk: the namespaces and cells of the frame.
    pub(crate) fn know(&mut self, frame: FrameId, at: Position) -> Result<()> {
        let Some(facts) = self.recording.frame(frame)? else {
            return Ok(());
        };
        for namespace in [facts.globals, facts.locals].into_iter().flatten() {
            self.memory.expect_namespace(namespace);
        }
        let Some(function) = self.code.function(facts.function) else {
            return Ok(());
        };
        let variables = &function.function.variables;
        if !variables.iter().any(|variable| variable.kind.is_cell()) {
            return Ok(());
        }
        let locals = self.recording.locals(frame, at)?;
        for (variable, written) in variables.iter().zip(locals) {
            if variable.kind.is_cell()
                && let Some(Value::Object(cell)) = written.and_then(|written| written.value)
            {
                self.cells.insert(cell, variable.name.clone());
            }
        }
        Ok(())
    }

    /// What was gathered.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Io`] if an object could not be read.
    pub(crate) fn finish(mut self) -> Result<Survey> {
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let executed = (self.first_line..).zip(&self.executed);
        self.survey.executed = executed
            .filter(|(_, ran)| **ran)
            .map(|(line, _)| line)
            .collect();
        for (line, facts) in (self.first_line..).zip(&mut self.lines) {
            self.code.sort_targets(line, &mut facts.bound);
        }
        let lines = (self.first_line..).zip(self.lines);
        let touched = |facts: &LineFacts| {
            facts.runs > 0
                || !facts.bound.is_empty()
                || facts.changed.is_some()
                || facts.returned.is_some()
                || facts.yielded.is_some()
                || facts.held + facts.failed + facts.raises + facts.interrupted > 0
        };
        self.survey.lines = lines.filter(|(_, facts)| touched(facts)).collect();
        Ok(self.survey)
    }

    /// Takes in an event.
    pub(crate) fn take(&mut self, passing: &Passing<'_>) {
        if let Fact::Object(change) = &passing.fact {
            // A walk that begins in the middle does not know what was there before.
            let is_whole = self.scope == Scope::All;
            let noted = (self.memory).note(self.recording, change, passing.position, is_whole);
            if let Err(error) = noted {
                self.failure = Some(error);
            }
        }
        let (Some(frame), Some(function)) = (passing.frame, passing.function) else {
            return;
        };
        // An exception that comes out of a call may keep the caller's condition from being decided.
        if let Fact::Unwind(exception) = passing.fact
            && !self.is_closed(passing, exception)
            && let Some(caller) = passing.caller
            && let Some(caller) = self.frames.get_mut(&caller)
        {
            caller.uncertain = true;
            if !caller.interrupted {
                caller.interrupted = true;
                let line = caller.line;
                self.interrupt(line);
            }
        }
        if matches!(self.scope, Scope::Frame(only, ..) if only != frame) {
            return;
        }
        match &passing.fact {
            Fact::Call => self.call(passing, frame, function),
            Fact::Line(line) => self.line(passing, frame, *line),
            Fact::Write { slot, value } => self.write(passing, frame, *slot, *value),
            Fact::Object(change) => self.object(passing, frame, change),
            Fact::Return(value) => self.end(passing, frame, Some(value)),
            Fact::Unwind(exception) => {
                self.left(passing, frame, exception);
                self.end(passing, frame, None);
            }
            Fact::Yield(value) => self.yielded(passing, frame, value),
            Fact::Raise(_) => self.raised(passing, frame),
            Fact::Resume | Fact::Other => {}
        }
    }

    fn function(&self, frame: FrameId) -> Option<&'a CodeFunction> {
        let open = self.frames.get(&frame)?;
        self.code.functions().get(open.function)
    }

    fn call(&mut self, passing: &Passing<'_>, frame: FrameId, function: FunctionId) {
        let functions = self.code.functions();
        let Ok(index) = functions.binary_search_by_key(&function, |known| known.id) else {
            return;
        };
        let facts = self.survey.functions.entry(function).or_default();
        facts.calls += 1;
        facts.last_call = passing.position;
        self.frames
            .insert(frame, Frame::new(index, passing.position, passing.time_ns));
    }

    fn interrupt(&mut self, line: u32) {
        if let Some(facts) = self.facts_of(line) {
            facts.interrupted += 1;
        }
    }

    /// Whether a frame only ends because nobody wants more of a generator: nothing of that comes up in
    /// the frame whose line let go of it.
    fn is_closed(&mut self, passing: &Passing<'_>, exception: &Value) -> bool {
        let kind = passing.function.map(|id| self.recording.function(id));
        let pauses = kind.is_some_and(|facts| {
            facts.is_ok_and(|facts| {
                matches!(
                    facts.kind,
                    FunctionKind::Generator | FunctionKind::AsyncGenerator
                )
            })
        });
        if !pauses {
            return false;
        }
        let ty = self.type_of(exception, passing.position);
        let is_exit = ty.is_some_and(|ty| {
            (self.recording.type_of(ty)).is_ok_and(|ty| &*ty.qualified_name == "GeneratorExit")
        });
        let caller = passing.caller.and_then(|caller| self.frames.get(&caller));
        // One that is thrown by hand comes back.
        is_exit && caller.is_some_and(|caller| !self.code.line(caller.line).contains("throw"))
    }

    /// What a name of a frame holds that the line did not change.
    fn held(&mut self, frame: FrameId, name: &Arc<str>) -> Option<Option<Value>> {
        let function = &self.function(frame)?.function;
        let open = self.frames.get(&frame)?;
        if let Some((_, cell)) = open.cells.iter().find(|(known, _)| known == name) {
            return self.memory.in_cell(*cell);
        }
        if function.variables.iter().any(|known| known.name == *name) {
            let held = open.held.iter().find(|(known, _)| known == name);
            return held.map(|(_, value)| value.clone());
        }
        // What other functions see may have been changed by them.
        if open.namespaces.is_none() {
            let found = match self.recording.frame(frame) {
                Ok(Some(facts)) => [facts.locals, facts.globals]
                    .into_iter()
                    .flatten()
                    .collect(),
                Ok(None) => Vec::new(),
                Err(error) => {
                    self.failure = Some(error);
                    Vec::new()
                }
            };
            self.frames.get_mut(&frame)?.namespaces = Some(found);
        }
        let namespaces = self.frames.get(&frame)?.namespaces.iter().flatten();
        let mut found =
            namespaces.filter_map(|namespace| self.memory.in_namespace(*namespace, name));
        found.next()
    }

    /// The line that a frame runs is done: what it assigned without an event was there before.
    fn done(&mut self, frame: FrameId, next: Option<u32>, at: Position) {
        let Some(open) = self.frames.get(&frame) else {
            return;
        };
        let Some(plan) = self.code.plan(open.line).filter(|plan| plan.assigned > 0) else {
            return;
        };
        let goes_on = |next| next != open.line && (plan.lines.0..=plan.lines.1).contains(&next);
        if open.interrupted || next.is_some_and(goes_on) {
            return;
        }
        let names = plan.targets.iter().take(plan.assigned);
        let again: Vec<&Arc<str>> = names.filter(|name| !open.bound.contains(name)).collect();
        for name in again {
            if let Some(value) = self.held(frame, name) {
                self.bind_on_line(frame, name, value.as_ref(), at);
            }
        }
    }

    fn line(&mut self, passing: &Passing<'_>, frame: FrameId, line: u32) {
        self.done(frame, Some(line), passing.position);
        let Some(open) = self.frames.get_mut(&frame) else {
            return;
        };
        let Some(function) = self.code.functions().get(open.function) else {
            return;
        };
        let decided = open.decide(self.code, line);
        open.line = line;
        open.born.clear();
        open.bound.clear();
        open.interrupted = false;
        let is_owner = function.owner != Owner::Part;
        if open.pending.is_none() && is_owner {
            open.pending = self.code.plan(line).and_then(|plan| plan.branch);
            open.uncertain = false;
        }
        if let Some((head, held)) = decided {
            self.decided(frame, head, held);
        }
        let index = line.wrapping_sub(self.first_line) as usize;
        if let Some(executed) = self.executed.get_mut(index) {
            *executed = true;
        }
        if let Some(facts) = self.line_facts(frame) {
            facts.runs += 1;
            facts.last_run = passing.position;
        }
    }

    /// A condition or loop came out one way.
    fn decided(&mut self, frame: FrameId, head: usize, held: bool) {
        let statements = self.code.syntax.statements();
        let Some(statement) = statements.get(head) else {
            return;
        };
        let Some(open) = self.frames.get_mut(&frame) else {
            return;
        };
        let is_first = statement.kind.is_loop() && !open.loops.contains(&head);
        if is_first {
            open.loops.push(head);
        }
        let function = open.function;
        if let Some(facts) = self.facts_of(*statement.lines.start()) {
            facts.loop_calls += u64::from(is_first);
            facts.held_last = held;
            if held {
                facts.held += 1;
            } else {
                facts.failed += 1;
            }
        }
        if held
            && statement.kind.is_loop()
            && let Some(function) = self.code.functions().get(function)
        {
            self.survey.functions.entry(function.id).or_default().passes += 1;
        }
    }

    fn write(&mut self, passing: &Passing<'_>, frame: FrameId, slot: u32, value: Option<&Value>) {
        let Some(function) = self.function(frame) else {
            return;
        };
        let variables = &function.function.variables;
        let Some(variable) = variables.get(slot as usize) else {
            return;
        };
        if variable.kind.is_cell() {
            if let Some(Value::Object(cell)) = value {
                self.cells.insert(*cell, variable.name.clone());
                if let Some(open) = self.frames.get_mut(&frame) {
                    open.cells.retain(|(known, _)| *known != variable.name);
                    open.cells.push((variable.name.clone(), *cell));
                }
                let argument = variable.kind == VariableKind::CellArgument;
                if argument && self.scope == Scope::All {
                    self.argument_in_cell(passing, frame, *cell, &variable.name);
                }
            }
            return;
        }
        self.bind(passing, frame, &variable.name, value);
    }

    /// What an argument is that inner functions see.
    fn argument_in_cell(
        &mut self,
        passing: &Passing<'_>,
        frame: FrameId,
        cell: ObjectId,
        name: &Arc<str>,
    ) {
        match self.recording.object(cell, passing.position) {
            Ok(Some((content, _))) if content.kind == ObjectKind::Cell => {
                let value = content.items.first().cloned();
                self.bind(passing, frame, name, value.as_ref());
            }
            Ok(_) => {}
            Err(error) => self.failure = Some(error),
        }
    }

    /// A name gets a value, or loses it.
    fn bind(
        &mut self,
        passing: &Passing<'_>,
        frame: FrameId,
        name: &Arc<str>,
        value: Option<&Value>,
    ) {
        let Some(function) = self.function(frame) else {
            return;
        };
        let at = passing.position.next();
        let reading = match value {
            Some(value) => self.memory.read(value),
            None => Reading::unknown(),
        };
        let id = function.id;
        if self.scope == Scope::All {
            let variables = &mut self.survey.variables;
            let values = variables
                .entry((id, name.clone()))
                .or_insert_with(Values::new);
            values.add(value, at, || reading);
        }
        let Some(open) = self.frames.get_mut(&frame) else {
            return;
        };
        open.bound.push(name.clone());
        match open.held.iter_mut().find(|(known, _)| known == name) {
            Some((_, held)) => *held = value.cloned(),
            None => open.held.push((name.clone(), value.cloned())),
        }
        self.bind_on_line(frame, name, value, at);
    }

    /// The line that a frame runs gives a name a value, which may be the one it had.
    fn bind_on_line(
        &mut self,
        frame: FrameId,
        name: &Arc<str>,
        value: Option<&Value>,
        at: Position,
    ) {
        let line = self.frames.get(&frame).map_or(0, |open| open.line);
        let is_target = |plan: &Plan| plan.targets.contains(name);
        if line == 0 || !self.code.plan(line).is_some_and(is_target) {
            return;
        }
        let reading = match value {
            Some(value) => self.memory.read(value),
            None => Reading::unknown(),
        };
        let Some(facts) = self.line_facts(frame) else {
            return;
        };
        let known = facts.bound.iter().position(|(known, _)| known == name);
        let known = known.unwrap_or_else(|| {
            facts.bound.push((name.clone(), Values::new()));
            facts.bound.len() - 1
        });
        if let Some((_, values)) = facts.bound.get_mut(known) {
            values.add(value, at, || reading);
        }
    }

    fn object(&mut self, passing: &Passing<'_>, frame: FrameId, change: &PassingChange<'_>) {
        let Some(open) = self.frames.get_mut(&frame) else {
            return;
        };
        if change.born.is_some() {
            open.born.push(change.object);
            return;
        }
        let line = open.line;
        if self.memory.is_namespace(change.object) {
            for (name, value) in self.memory.take_replaced() {
                self.bind(passing, frame, &name, value.as_ref());
            }
            match change.change() {
                Some(Change::SetKey { key, value }) => {
                    if let Some(name) = text_of(&key) {
                        self.bind(passing, frame, &name, Some(&value));
                    }
                }
                Some(Change::DeleteKey { key }) => {
                    if let Some(name) = text_of(&key) {
                        self.bind(passing, frame, &name, None);
                    }
                }
                _ => {}
            }
            return;
        }
        if let Some(name) = self.cells.get(&change.object).cloned() {
            if let Some(Change::SetCell { value }) = change.change() {
                self.bind(passing, frame, &name, value.as_ref());
            }
            return;
        }
        if line == 0 || open.born.contains(&change.object) {
            return;
        }
        let attribute = match change.change() {
            Some(Change::SetAttribute { name, .. }) => Some(name),
            Some(Change::SetCell { .. }) | None => return,
            Some(_) => None,
        };
        let Some(facts) = self.line_facts(frame) else {
            return;
        };
        let new = || Changed::new(change.object, attribute.clone());
        let changed = facts.changed.get_or_insert_with(new);
        changed.add(change.object, attribute.as_ref(), passing.position);
    }

    fn yielded(&mut self, passing: &Passing<'_>, frame: FrameId, value: &Value) {
        let is_value = self.function(frame).is_some_and(|function| {
            matches!(
                function.function.kind,
                FunctionKind::Generator | FunctionKind::AsyncGenerator
            )
        });
        if !is_value {
            return;
        }
        let reading = self.memory.read(value);
        if let Some(facts) = self.line_facts(frame) {
            let values = facts.yielded.get_or_insert_with(Values::new);
            values.add(Some(value), passing.position, || reading);
        }
    }

    fn raised(&mut self, passing: &Passing<'_>, frame: FrameId) {
        if let Some(open) = self.frames.get_mut(&frame) {
            open.uncertain = true;
            if !open.interrupted {
                open.interrupted = true;
                let line = open.line;
                self.interrupt(line);
            }
        }
        if let Some(facts) = self.line_facts(frame) {
            facts.raises += 1;
            facts.last_raise = passing.position;
        }
    }

    /// An exception leaves a frame.
    fn left(&mut self, passing: &Passing<'_>, frame: FrameId, exception: &Value) {
        if self.scope != Scope::All {
            return;
        }
        let Some(function) = self.function(frame) else {
            return;
        };
        let Some(type_id) = self.type_of(exception, passing.position) else {
            return;
        };
        let is_closing = self
            .recording
            .type_of(type_id)
            .is_ok_and(|ty| crate::calls::is_closing(function.function.kind, &ty.qualified_name));
        if is_closing {
            return;
        }
        let facts = self.survey.functions.entry(function.id).or_default();
        let known = facts
            .left_by
            .iter_mut()
            .find(|left| left.type_id == type_id);
        match known {
            Some(left) => {
                left.count += 1;
                left.last = passing.position;
            }
            None => facts.left_by.push(LeftBy {
                type_id,
                count: 1,
                last: passing.position,
            }),
        }
    }

    fn type_of(&mut self, exception: &Value, at: Position) -> Option<TypeId> {
        let Value::Object(object) = exception else {
            return None;
        };
        if let Some(known) = self.exceptions.get(object) {
            return Some(*known);
        }
        match self.recording.excerpt(*object, 0..0, at) {
            Ok(found) => {
                let type_id = found?.0.content.type_id;
                self.exceptions.insert(*object, type_id);
                Some(type_id)
            }
            Err(error) => {
                self.failure = Some(error);
                None
            }
        }
    }

    /// A frame is over.
    fn end(&mut self, passing: &Passing<'_>, frame: FrameId, returned: Option<&Value>) {
        let Some(function) = self.function(frame) else {
            return;
        };
        if let Some(value) = returned {
            self.done(frame, None, passing.position);
            let line = self.frames.get(&frame).map_or(0, |open| open.line);
            let is_return = self.code.plan(line).is_some_and(|plan| plan.returns);
            let reading = self.memory.read(value);
            if is_return && let Some(facts) = self.line_facts(frame) {
                let values = facts.returned.get_or_insert_with(Values::new);
                values.add(Some(value), passing.position, || reading);
            }
        }
        let undecided = self.frames.get(&frame).and_then(|open| {
            let is_certain = returned.is_some() && !open.uncertain;
            open.pending.filter(|_| is_certain)
        });
        if let Some(head) = undecided {
            self.decided(frame, head, false);
        }
        if let Some(open) = self.frames.remove(&frame) {
            self.time(passing, function.id, &open);
        }
    }

    fn time(&mut self, passing: &Passing<'_>, function: FunctionId, open: &Frame) {
        if self.scope != Scope::All {
            return;
        }
        let facts: &mut FunctionFacts = self.survey.functions.entry(function).or_default();
        let took = passing.time_ns.saturating_sub(open.call_ns);
        facts.ended += 1;
        facts.total_ns = facts.total_ns.saturating_add(took);
        if facts.slowest.is_none_or(|(slowest, _)| took > slowest) {
            facts.slowest = Some((took, open.call));
        }
    }

    /// The facts of the line that a frame runs, if the line is a part of the frame's function by itself.
    fn line_facts(&mut self, frame: FrameId) -> Option<&mut LineFacts> {
        let open = self.frames.get(&frame)?;
        let function = self.code.functions().get(open.function)?;
        if function.owner == Owner::Part || open.line == 0 {
            return None;
        }
        self.facts_of(open.line)
    }

    fn facts_of(&mut self, line: u32) -> Option<&mut LineFacts> {
        let index = line.checked_sub(self.first_line)?;
        self.lines.get_mut(index as usize)
    }
}
