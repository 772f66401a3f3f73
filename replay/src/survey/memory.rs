//! What is remembered of objects on the way through a recording: what later events need of them.

use std::sync::Arc;

use retrostep_trace::hash::Map;
use retrostep_trace::{
    Change, Content, ObjectId, ObjectKind, PassingChange, Position, Recording, Result, TypeId,
    Value,
};

use super::values::Reading;

/// Most texts of objects that are remembered.
const MOST_LITERALS: usize = 1 << 16;

/// An object whose text says all of it.
struct Literal {
    type_id: TypeId,
    text: Arc<str>,
}

/// What names hold; nothing if they lost their values.
pub(super) type Names = Map<Arc<str>, Option<Value>>;

/// The state of what was met.
#[derive(Default)]
pub(super) struct Memory {
    literals: Map<ObjectId, Literal>,
    /// What the names hold, of each namespace.
    namespaces: Map<ObjectId, Names>,
    /// What the cells hold.
    cells: Map<ObjectId, Option<Value>>,
    /// The names that the present event gave other values, if it wrote a namespace anew.
    replaced: Names,
}

impl Memory {
    /// Takes an object for a namespace whose beginning is not a part of the walk.
    pub(super) fn expect_namespace(&mut self, object: ObjectId) {
        self.namespaces.entry(object).or_default();
    }

    pub(super) fn is_namespace(&self, object: ObjectId) -> bool {
        self.namespaces.contains_key(&object)
    }

    /// What a name of a namespace holds, if that is known.
    pub(super) fn in_namespace(&self, namespace: ObjectId, name: &str) -> Option<Option<Value>> {
        self.namespaces.get(&namespace)?.get(name).cloned()
    }

    /// What a cell holds, if that is known.
    pub(super) fn in_cell(&self, cell: ObjectId) -> Option<Option<Value>> {
        self.cells.get(&cell).cloned()
    }

    /// The names that the event noted last gave other values, if it wrote a namespace anew.
    pub(super) fn take_replaced(&mut self) -> Names {
        std::mem::take(&mut self.replaced)
    }

    /// Remembers what later events need of an object.
    pub(super) fn note(
        &mut self,
        recording: &Recording,
        change: &PassingChange<'_>,
        at: Position,
        is_whole_walk: bool,
    ) -> Result<()> {
        match change.born {
            Some(ObjectKind::Namespace) => {
                let names = match change.change() {
                    Some(Change::New(content)) => names_of(&content),
                    _ => Names::default(),
                };
                self.namespaces.insert(change.object, names);
            }
            Some(ObjectKind::Cell) => {
                if let Some(Change::New(content)) = change.change() {
                    let value = content.items.first().cloned();
                    self.cells.insert(change.object, value);
                }
            }
            Some(ObjectKind::Literal) => {
                if let Some(Change::New(content)) = change.change()
                    && let Some(literal) = literal(&content)
                {
                    if self.literals.len() >= MOST_LITERALS {
                        self.literals.clear();
                    }
                    self.literals.insert(change.object, literal);
                }
            }
            Some(_) => {}
            None if self.namespaces.contains_key(&change.object) => {
                return self.note_names(recording, change, at, is_whole_walk);
            }
            None => {
                if let Some(held) = self.cells.get_mut(&change.object)
                    && let Some(Change::SetCell { value }) = change.change()
                {
                    *held = value;
                }
            }
        }
        Ok(())
    }

    /// Remembers what the names of a namespace hold from now on.
    fn note_names(
        &mut self,
        recording: &Recording,
        change: &PassingChange<'_>,
        at: Position,
        is_whole_walk: bool,
    ) -> Result<()> {
        let Some(names) = self.namespaces.get_mut(&change.object) else {
            return Ok(());
        };
        match change.change() {
            Some(Change::SetKey { key, value }) => {
                if let Some(name) = text_of(&key) {
                    names.insert(name, Some(value));
                }
            }
            Some(Change::DeleteKey { key }) => {
                if let Some(name) = text_of(&key) {
                    names.insert(name, None);
                }
            }
            Some(Change::Replace(content)) => {
                let mut before = std::mem::replace(names, names_of(&content));
                if !is_whole_walk && let Some((known, _)) = recording.object(change.object, at)? {
                    before = names_of(&known);
                }
                let is_whole = content.entries.len() as u64 == content.len;
                let new = names
                    .iter()
                    .filter(|(name, value)| before.get(*name) != Some(*value));
                let mut replaced: Names = new
                    .map(|(name, value)| (name.clone(), value.clone()))
                    .collect();
                for (name, value) in before {
                    if is_whole && value.is_some() && !names.contains_key(&name) {
                        replaced.insert(name, None);
                    }
                }
                self.replaced = replaced;
            }
            Some(Change::Clear) => names.clear(),
            _ => {}
        }
        Ok(())
    }

    /// What a value is, as far as it can be told without the contents of containers.
    pub(super) fn read(&self, value: &Value) -> Reading {
        let Value::Object(object) = value else {
            return Reading::of_scalar(value);
        };
        match self.literals.get(object) {
            Some(literal) => Reading::of_literal(literal.type_id.0, &literal.text),
            None => Reading::unknown(),
        }
    }
}

/// What the names of a namespace hold.
fn names_of(content: &Content) -> Names {
    let entries = content.entries.iter();
    let names = entries.filter_map(|(key, value)| Some((text_of(key)?, Some(value.clone()))));
    names.collect()
}

pub(super) fn text_of(key: &Value) -> Option<Arc<str>> {
    let Value::Str(text) = key else {
        return None;
    };
    std::str::from_utf8(&text.kept).ok().map(Arc::from)
}

/// An object whose text says all of it.
fn literal(content: &Content) -> Option<Literal> {
    let text = content.text.as_ref()?;
    let kept = std::str::from_utf8(&text.kept).ok()?;
    let is_whole = kept.chars().count() as u64 == text.len;
    (is_whole && content.attributes.is_empty()).then(|| Literal {
        type_id: content.type_id,
        text: kept.into(),
    })
}
