//! What names mean in a frame: locals, closure cells, class bodies, globals.

use std::sync::Arc;

use retrostep_trace::{
    CancellationToken, Content, Direction, Event, FrameId, Function, FunctionKind, Key, ObjectId,
    ObjectKind, Position, Result, Text, Value, VariableKind,
};

use super::{ScopeKind, Snapshot};
use crate::expression::{Evaluator, Kind, Node, namespace_entry};
use crate::{Datum, Expression, ExpressionError, Place, render};

/// Most calls of one line whose results are shown.
const MAX_RETURNS: usize = 20;

/// A name with its value and what holds it.
pub(super) struct Named {
    pub(super) name: String,
    pub(super) value: Datum,
    pub(super) place: Option<Place>,
    /// The moment of the value, where that is not the snapshot's.
    pub(super) at: Option<Position>,
}

/// What a local variable's slot holds.
enum Slot {
    Value(Datum),
    Unbound,
}

impl Snapshot<'_> {
    /// The names of one scope that have a value.
    pub(super) fn names_in(&self, frame: FrameId, scope: ScopeKind) -> Result<Vec<Named>> {
        let Some(facts) = self.recording.frame(frame)? else {
            return Ok(Vec::new());
        };
        let function = self.recording.function(facts.function)?;
        match scope {
            ScopeKind::Locals => {
                let mut names = self.slots(frame, &function, |kind| kind != VariableKind::Free)?;
                if let Some(namespace) = facts.locals {
                    names.extend(self.namespace(namespace)?);
                }
                Ok(names)
            }
            ScopeKind::Closure => self.slots(frame, &function, |kind| kind == VariableKind::Free),
            ScopeKind::Globals => match facts.globals {
                Some(namespace) => self.namespace(namespace),
                None => Ok(Vec::new()),
            },
            ScopeKind::ReturnValue => self.returned(frame),
        }
    }

    fn slots(
        &self,
        frame: FrameId,
        function: &Function,
        wanted: impl Fn(VariableKind) -> bool,
    ) -> Result<Vec<Named>> {
        let written = self.recording.locals(frame, self.position)?;
        let mut names = Vec::new();
        for (index, variable) in function.variables.iter().enumerate() {
            // Names with a dot are the compiler's own.
            if !wanted(variable.kind) || variable.name.starts_with('.') {
                continue;
            }
            let value = written.get(index).and_then(Option::as_ref);
            let value = value.and_then(|written| written.value.as_ref());
            if let Slot::Value(value) = self.slot_value(value, variable.kind)? {
                names.push(Named {
                    name: variable.name.to_string(),
                    value,
                    place: u32::try_from(index)
                        .ok()
                        .map(|slot| Place::Local { frame, slot }),
                    at: None,
                });
            }
        }
        Ok(names)
    }

    fn slot_value(&self, value: Option<&Value>, kind: VariableKind) -> Result<Slot> {
        let Some(value) = value else {
            return Ok(Slot::Unbound);
        };
        let cell = match value {
            Value::Object(object) if kind.is_cell() => self.content(*object)?,
            _ => None,
        };
        Ok(match cell {
            Some(cell) if cell.kind == ObjectKind::Cell => match cell.items.first() {
                Some(value) => Slot::Value(Datum::from(value)),
                None => Slot::Unbound,
            },
            _ => Slot::Value(Datum::from(value)),
        })
    }

    fn namespace(&self, namespace: ObjectId) -> Result<Vec<Named>> {
        let Some(content) = self.content(namespace)? else {
            return Ok(Vec::new());
        };
        let entries = content.entries.iter().map(|(key, value)| Named {
            name: match key {
                Value::Str(text) => render::lossy(text),
                _ => String::new(),
            },
            value: Datum::from(value),
            place: Some(Place::Entry {
                object: namespace,
                key: key.clone(),
            }),
            at: None,
        });
        let mut names: Vec<Named> = entries
            .filter(|named| named.name != "__builtins__")
            .collect();
        // What the program defined comes before the module's own names.
        names.sort_by_key(|named| named.name.starts_with("__") && named.name.ends_with("__"));
        Ok(names)
    }

    /// What the frame returns, when nothing of it runs after this line; and what the calls made by the
    /// line before returned.
    fn returned(&self, frame: FrameId) -> Result<Vec<Named>> {
        let none = CancellationToken::new();
        let (recording, at) = (self.recording, self.position);
        if recording.frame_of_event(at)? != Some(frame) {
            return Ok(Vec::new());
        }
        let mut names = Vec::new();
        let before = recording.find(Key::FrameStep(frame), at, Direction::Backward, &none)?;
        let mut from = before;
        while let Some(position) = from.filter(|_| names.len() < MAX_RETURNS) {
            let call = recording.find(
                Key::CallFrom(frame),
                position.next(),
                Direction::Forward,
                &none,
            )?;
            let Some(call) = call.filter(|call| *call < at) else {
                break;
            };
            from = Some(call);
            let Some(Event::Call {
                frame, function, ..
            }) = recording.event(call)?.map(|event| event.event)
            else {
                continue;
            };
            let exit = recording.find(Key::FrameExit(frame), call, Direction::Forward, &none)?;
            let Some(exit) = exit.filter(|exit| *exit < at) else {
                continue;
            };
            if let Some(Event::Return { value }) = recording.event(exit)?.map(|event| event.event) {
                let function = recording.function(function)?;
                names.push(Named {
                    name: format!("{}()", function.name),
                    value: Datum::from(&value),
                    place: None,
                    at: Some(exit),
                });
            }
        }
        let next = recording.find(Key::FrameStep(frame), at.next(), Direction::Forward, &none)?;
        if next.is_none() {
            let exit = recording.find(Key::FrameExit(frame), at, Direction::Forward, &none)?;
            if let Some(exit) = exit
                && let Some(Event::Return { value }) =
                    recording.event(exit)?.map(|event| event.event)
            {
                names.push(Named {
                    name: "return".to_owned(),
                    value: Datum::from(&value),
                    place: None,
                    at: Some(exit),
                });
            }
        }
        Ok(names)
    }

    /// What a name means in a frame; `None` if nothing recorded defines it.
    pub(crate) fn lookup(
        &self,
        frame: Option<FrameId>,
        name: &str,
    ) -> Result<Option<Datum>, ExpressionError> {
        let Some(frame) = frame else {
            return Ok(None);
        };
        let Some(facts) = self.recording.frame(frame)? else {
            return Ok(None);
        };
        let function = self.recording.function(facts.function)?;
        let mut unbound = false;
        for (slot, kind) in slots_of(&function, name) {
            let written = self.recording.local(frame, slot, self.position)?;
            let value = written.and_then(|written| written.value);
            match self.slot_value(value.as_ref(), kind)? {
                Slot::Value(value) => return Ok(Some(value)),
                Slot::Unbound => unbound = true,
            }
        }
        if unbound && !matches!(function.kind, FunctionKind::Module | FunctionKind::Class) {
            return Err(ExpressionError::Raised {
                kind: "UnboundLocalError",
                message: format!(
                    "cannot access local variable '{name}' where it is not associated with a value"
                ),
            });
        }
        for namespace in [facts.locals, facts.globals].into_iter().flatten() {
            let Some(content) = self.content(namespace)? else {
                continue;
            };
            if let Some(value) = namespace_entry(&content, name) {
                return Ok(Some(Datum::from(value)));
            }
        }
        Ok(None)
    }

    /// Every name that can be used in a frame.
    pub(crate) fn visible_names(&self, frame: FrameId) -> Result<Vec<String>> {
        let mut names = Vec::new();
        for scope in [ScopeKind::Locals, ScopeKind::Closure, ScopeKind::Globals] {
            for named in self.names_in(frame, scope)? {
                if !names.contains(&named.name) {
                    names.push(named.name);
                }
            }
        }
        Ok(names)
    }
}

/// The slots that a name has: as a rule one.
fn slots_of<'f>(
    function: &'f Arc<Function>,
    name: &'f str,
) -> impl Iterator<Item = (u32, VariableKind)> + 'f {
    function
        .variables
        .iter()
        .enumerate()
        .filter(move |(_, variable)| &*variable.name == name)
        .filter_map(|(slot, variable)| Some((u32::try_from(slot).ok()?, variable.kind)))
}

/// See [`Snapshot::place`].
pub(super) fn place(
    snapshot: Snapshot<'_>,
    frame: Option<FrameId>,
    expression: &Expression,
) -> Result<Place, ExpressionError> {
    let mut evaluator = Evaluator::new(snapshot, frame, expression.text());
    let refused = || {
        ExpressionError::Refused(format!(
            "{} is no variable, attribute or element whose value can change",
            expression.text()
        ))
    };
    match &expression.node().kind {
        Kind::Name(name) => {
            name_place(snapshot, frame, name)?.ok_or_else(|| ExpressionError::Raised {
                kind: "NameError",
                message: format!("name '{name}' is not defined"),
            })
        }
        Kind::Attribute(object, name) => {
            let Datum::Object(object) = evaluator.evaluate(object)? else {
                return Err(refused());
            };
            Ok(Place::Attribute {
                object,
                name: name.as_str().into(),
            })
        }
        Kind::Subscript(container, index) => {
            let Datum::Object(object) = evaluator.evaluate(container)? else {
                return Err(refused());
            };
            let content = snapshot.outline(object)?.ok_or_else(refused)?;
            element_place(&mut evaluator, object, &content, index)?.ok_or_else(refused)
        }
        _ => Err(refused()),
    }
}

fn name_place(
    snapshot: Snapshot<'_>,
    frame: Option<FrameId>,
    name: &str,
) -> Result<Option<Place>, ExpressionError> {
    let Some(frame) = frame else {
        return Ok(None);
    };
    let Some(facts) = snapshot.recording.frame(frame)? else {
        return Ok(None);
    };
    let function = snapshot.recording.function(facts.function)?;
    if facts.locals.is_none()
        && let Some((slot, _)) = slots_of(&function, name).next()
    {
        return Ok(Some(Place::Local { frame, slot }));
    }
    let namespaces = [facts.locals, facts.globals];
    for object in namespaces.into_iter().flatten() {
        let content = snapshot.content(object)?;
        if content.is_some_and(|content| namespace_entry(&content, name).is_some()) {
            return Ok(Some(Place::Entry {
                object,
                key: text_key(name),
            }));
        }
    }
    if let Some((slot, _)) = slots_of(&function, name).next() {
        return Ok(Some(Place::Local { frame, slot }));
    }
    Ok(None)
}

fn element_place(
    evaluator: &mut Evaluator<'_>,
    object: ObjectId,
    content: &Content,
    index: &Node,
) -> Result<Option<Place>, ExpressionError> {
    let index = evaluator.evaluate(index)?;
    if matches!(content.kind, ObjectKind::Dict | ObjectKind::Namespace) {
        let recorded = evaluator.recorded_key(content, &index)?;
        let key = recorded.or_else(|| index.to_value());
        return Ok(key.map(|key| Place::Entry { object, key }));
    }
    let Some(Value::Int(index)) = index.to_value() else {
        return Ok(None);
    };
    let index = if index < 0 {
        content.len.checked_sub(index.unsigned_abs())
    } else {
        Some(index.unsigned_abs())
    };
    let inside = index.filter(|index| *index < content.len);
    if inside.is_none() {
        return Err(ExpressionError::Raised {
            kind: "IndexError",
            message: "index out of range".to_owned(),
        });
    }
    Ok(inside.map(|index| Place::Item { object, index }))
}

fn text_key(name: &str) -> Value {
    Value::Str(Text {
        kept: name.as_bytes().into(),
        len: name.chars().count() as u64,
    })
}
