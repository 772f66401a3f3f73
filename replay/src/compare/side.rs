//! One call of one of the recordings that are compared, at one of its steps.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use retrostep_trace::{
    CancellationToken, Change, Direction, Event, FrameId, Function, Key, ObjectId, ObjectKind,
    Position, Recording, Value, VariableKind,
};

use super::value::Moment;
use crate::{Place, Result, render};

/// One call of one of the recordings, at one of its steps.
pub(super) struct Side<'a> {
    pub(super) recording: &'a Recording,
    pub(super) cancel: &'a CancellationToken,
    function: Arc<Function>,
    frame: FrameId,
    /// The namespace that holds its variables, for bodies of modules and classes.
    namespace: Option<ObjectId>,
    pub(super) first_line: u32,
    /// The last step event that was compared, or the call.
    pub(super) at: Position,
    /// Its line, 1-based; 0 at the call.
    pub(super) line: u32,
    /// The return or unwind, or the end of the recording.
    pub(super) exit: Position,
    pub(super) ended: bool,
    /// For each slot its next write.
    writes: Vec<Option<Position>>,
    /// For each slot the object that it holds, if its contents can change.
    held: Vec<Option<ObjectId>>,
    /// The same for the names in the namespace.
    held_by_name: BTreeMap<String, ObjectId>,
}

/// Where a call goes on from a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To this line, at this step event.
    Line(u32, Position),
    Exit(Position),
}

impl Next {
    pub(super) fn position(self) -> Position {
        match self {
            Next::Line(_, at) | Next::Exit(at) => at,
        }
    }
}

impl<'a> Side<'a> {
    /// The call whose event is at `call`; `None` if it cannot be read.
    pub(super) fn new(
        recording: &'a Recording,
        call: Position,
        first_line: u32,
        cancel: &'a CancellationToken,
    ) -> Result<Option<Side<'a>>> {
        let Some(Event::Call {
            frame,
            function,
            locals,
            ..
        }) = recording.event(call)?.map(|found| found.event)
        else {
            return Ok(None);
        };
        let function = recording.function(function)?;
        let exit = recording.find(Key::FrameExit(frame), call, Direction::Forward, cancel)?;
        let mut side = Side {
            recording,
            cancel,
            frame,
            namespace: locals,
            first_line,
            at: call,
            line: 0,
            exit: exit.unwrap_or(recording.end()),
            ended: exit.is_some(),
            writes: vec![None; function.variables.len()],
            held: vec![None; function.variables.len()],
            held_by_name: BTreeMap::new(),
            function,
        };
        for slot in 0..side.writes.len() {
            side.find_write(slot, call)?;
        }
        Ok(Some(side))
    }

    fn find_write(&mut self, slot: usize, from: Position) -> Result<()> {
        let number = u32::try_from(slot).unwrap_or(u32::MAX);
        let key = Key::Write(self.frame, number);
        let range = from..self.exit;
        let found = self
            .recording
            .find_between(key, range, Direction::Forward, self.cancel)?;
        if let Some(place) = self.writes.get_mut(slot) {
            *place = found;
        }
        Ok(())
    }

    pub(super) fn next(&self) -> Result<Next> {
        let key = Key::FrameStep(self.frame);
        let range = self.at.next()..self.exit;
        let step = self
            .recording
            .find_between(key, range, Direction::Forward, self.cancel)?;
        let Some(step) = step else {
            return Ok(Next::Exit(self.exit));
        };
        match self.recording.event(step)?.map(|found| found.event) {
            Some(Event::Line { line }) => Ok(Next::Line(line, step)),
            _ => Ok(Next::Exit(self.exit)),
        }
    }

    pub(super) fn relative(&self, line: u32) -> u32 {
        line.saturating_sub(self.first_line)
    }

    /// The names whose values may have changed from the last step to `to`.
    pub(super) fn changed(&mut self, to: Position) -> Result<BTreeSet<String>> {
        let mut names = BTreeSet::new();
        for slot in 0..self.writes.len() {
            let mut last = None;
            while let Some(at) = self
                .writes
                .get(slot)
                .copied()
                .flatten()
                .filter(|at| *at < to)
            {
                last = Some(at);
                self.find_write(slot, at.next())?;
            }
            if let Some(at) = last {
                let held = self.held_after(at)?;
                if let Some(place) = self.held.get_mut(slot) {
                    *place = held;
                }
            }
            let Some(variable) = self.function.variables.get(slot) else {
                continue;
            };
            let name = variable.name.to_string();
            if variable.name.starts_with('.') {
                continue;
            }
            if last.is_some() || self.is_touched(slot, variable.kind, to)? {
                names.insert(name);
            }
        }
        if let Some(namespace) = self.namespace {
            self.changed_entries(namespace, to, &mut names)?;
        }
        Ok(names)
    }

    /// The object that the write at `at` puts into its slot, if its contents can change.
    fn held_after(&self, at: Position) -> Result<Option<ObjectId>> {
        match self.recording.event(at)?.map(|found| found.event) {
            Some(Event::Write {
                value: Some(value), ..
            }) => self.changeable(&value, at),
            _ => Ok(None),
        }
    }

    /// The object that a value written at `at` is, if its contents can change.
    fn changeable(&self, value: &Value, at: Position) -> Result<Option<ObjectId>> {
        let Value::Object(object) = *value else {
            return Ok(None);
        };
        let content = self.recording.excerpt(object, 0..0, at.next())?;
        let changes = content.is_none_or(|(excerpt, _)| {
            !matches!(
                excerpt.content.kind,
                ObjectKind::Tuple
                    | ObjectKind::FrozenSet
                    | ObjectKind::Function
                    | ObjectKind::Module
                    | ObjectKind::Generator
                    | ObjectKind::Enum
                    | ObjectKind::Literal
                    | ObjectKind::Opaque
            )
        });
        Ok(changes.then_some(object))
    }

    /// Whether the object that a slot holds changed in place, or the closure cell that it is kept in.
    fn is_touched(&self, slot: usize, kind: VariableKind, to: Position) -> Result<bool> {
        let Some(object) = self.held.get(slot).copied().flatten() else {
            return Ok(false);
        };
        if self.changes(object, to)? {
            return Ok(true);
        }
        if !kind.is_cell() {
            return Ok(false);
        }
        let frame = self.frame;
        let slot = u32::try_from(slot).unwrap_or(u32::MAX);
        match (Place::Local { frame, slot }).raw_value(self.recording, to)? {
            Some(Value::Object(held)) => self.changes(held, to),
            _ => Ok(false),
        }
    }

    fn changes(&self, object: ObjectId, to: Position) -> Result<bool> {
        let (key, range) = (Key::Object(object), self.at..to);
        let found = self
            .recording
            .find_between(key, range, Direction::Forward, self.cancel)?;
        Ok(found.is_some())
    }

    fn changed_entries(
        &mut self,
        namespace: ObjectId,
        to: Position,
        names: &mut BTreeSet<String>,
    ) -> Result<()> {
        for (name, object) in &self.held_by_name {
            if self.changes(*object, to)? {
                names.insert(name.clone());
            }
        }
        let key = Key::Object(namespace);
        let mut range = self.at..to;
        while let Some(at) =
            self.recording
                .find_between(key, range.clone(), Direction::Forward, self.cancel)?
        {
            range.start = at.next();
            let Some(Event::Object { change, .. }) = self.recording.event(at)?.map(|it| it.event)
            else {
                continue;
            };
            let (Value::Str(key), value) = (match change {
                Change::SetKey { key, value } => (key, Some(value)),
                Change::DeleteKey { key } => (key, None),
                _ => continue,
            }) else {
                continue;
            };
            let name = render::lossy(&key);
            // What a module is called and where it lies differs by itself.
            if name.starts_with("__") {
                continue;
            }
            let held = match value {
                Some(value) => self.changeable(&value, at)?,
                None => None,
            };
            match held {
                Some(held) => self.held_by_name.insert(name.clone(), held),
                None => self.held_by_name.remove(&name),
            };
            names.insert(name);
        }
        Ok(())
    }

    /// What a name holds at `at`.
    pub(super) fn value(&self, name: &str, at: Position) -> Result<Option<Value>> {
        if let Some(object) = self.namespace {
            let key = Value::Str(retrostep_trace::Text {
                kept: name.as_bytes().into(),
                len: name.chars().count() as u64,
            });
            return Ok((Place::Entry { object, key }).raw_value(self.recording, at)?);
        }
        let mut variables = (0u32..).zip(&self.function.variables);
        let slot = variables.find(|(_, variable)| &*variable.name == name);
        let Some((slot, _)) = slot else {
            return Ok(None);
        };
        let frame = self.frame;
        Ok((Place::Local { frame, slot }).raw_value(self.recording, at)?)
    }

    pub(super) fn has_name(&self, name: &str) -> bool {
        self.namespace.is_some() || self.function.variables.iter().any(|it| &*it.name == name)
    }

    pub(super) fn is_argument(&self, name: &str) -> bool {
        let mut variables = self.function.variables.iter();
        variables.any(|it| {
            &*it.name == name
                && matches!(it.kind, VariableKind::Argument | VariableKind::CellArgument)
        })
    }

    /// What was yielded from the last step to `to`.
    pub(super) fn yielded(&self, to: Position) -> Result<Option<(Position, Value)>> {
        let key = Key::FrameYield(self.frame);
        let range = self.at..to;
        let found = self
            .recording
            .find_between(key, range, Direction::Forward, self.cancel)?;
        let Some(at) = found else { return Ok(None) };
        match self.recording.event(at)?.map(|found| found.event) {
            Some(Event::Yield { value }) => Ok(Some((at, value))),
            _ => Ok(None),
        }
    }

    pub(super) fn moment(&self, at: Position) -> Moment<'a> {
        Moment {
            recording: self.recording,
            at,
        }
    }
}
