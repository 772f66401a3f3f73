//! Whether two values show the same: what makes a write no change.

use retrostep_trace::{
    Change, Content, Event, ObjectId, ObjectKind, Position, Recording, Result, Value,
};

/// Most parts of two values that are compared; beyond it they count as different.
const MAX_PARTS: u32 = 2_000;

/// Deepest nesting that is compared.
const MAX_DEPTH: u32 = 12;

/// Whether two values, each at its own position, show the same.
pub(super) fn shows_the_same(
    recording: &Recording,
    old: (&Value, Position),
    new: (&Value, Position),
) -> Result<bool> {
    let mut comparison = Comparison {
        recording,
        old: old.1,
        new: new.1,
        parts: 0,
    };
    comparison.values(old.0, new.0, 0)
}

struct Comparison<'a> {
    recording: &'a Recording,
    old: Position,
    new: Position,
    parts: u32,
}

impl Comparison<'_> {
    fn values(&mut self, old: &Value, new: &Value, depth: u32) -> Result<bool> {
        self.parts += 1;
        if self.parts > MAX_PARTS || depth > MAX_DEPTH {
            return Ok(old == new && depth > 0);
        }
        match (old, new) {
            (Value::Float(old), Value::Float(new)) => Ok(old.to_bits() == new.to_bits()),
            (Value::Complex(a, b), Value::Complex(c, d)) => {
                Ok(a.to_bits() == c.to_bits() && b.to_bits() == d.to_bits())
            }
            (Value::Object(before), Value::Object(after)) => {
                if before == after && depth > 0 {
                    // What is inside the same element has its own history.
                    return Ok(true);
                }
                if before == after
                    && let Some((old, new)) = self.changed_element(*before)?
                {
                    return self.values(&old, &new, depth + 1);
                }
                let old = self.recording.object(*before, self.old)?;
                let new = self.recording.object(*after, self.new)?;
                match (old, new) {
                    (Some((old, _)), Some((new, _))) => self.contents(&old, &new, depth),
                    // First sight is no change of what was there all along.
                    (None, _) => Ok(before == after),
                    _ => Ok(false),
                }
            }
            _ => Ok(old == new),
        }
    }

    /// The element before and after, where all that happened is that a list got another one in its place.
    fn changed_element(&self, object: ObjectId) -> Result<Option<(Value, Value)>> {
        if self.new != self.old.next() {
            return Ok(None);
        }
        let event = self.recording.event(self.old)?.map(|event| event.event);
        let Some(Event::Object {
            object: changed,
            change: Change::SetItem { index, value },
        }) = event
        else {
            return Ok(None);
        };
        let range = index..index.saturating_add(1);
        let old = self.recording.excerpt(object, range, self.old)?;
        let item = old.and_then(|(old, _)| match old.content.kind {
            ObjectKind::List | ObjectKind::Deque => old.item(index).cloned(),
            _ => None,
        });
        Ok(item.filter(|_| changed == object).map(|item| (item, value)))
    }

    fn contents(&mut self, old: &Content, new: &Content, depth: u32) -> Result<bool> {
        let same_shape = old.kind == new.kind
            && old.type_id == new.type_id
            && old.len == new.len
            && old.items.len() == new.items.len()
            && old.entries.len() == new.entries.len()
            && old.attributes.len() == new.attributes.len()
            && old.attributes_omitted == new.attributes_omitted
            && old.text == new.text
            && old.sparse.len() == new.sparse.len();
        if !same_shape {
            return Ok(false);
        }
        for (old, new) in old.items.iter().zip(&new.items) {
            if !self.values(old, new, depth + 1)? {
                return Ok(false);
            }
        }
        for ((old_index, old), (new_index, new)) in old.sparse.iter().zip(&new.sparse) {
            if old_index != new_index || !self.values(old, new, depth + 1)? {
                return Ok(false);
            }
        }
        for ((old_key, old), (new_key, new)) in old.entries.iter().zip(&new.entries) {
            if !self.values(old_key, new_key, depth + 1)? || !self.values(old, new, depth + 1)? {
                return Ok(false);
            }
        }
        for ((old_name, old), (new_name, new)) in old.attributes.iter().zip(&new.attributes) {
            if old_name != new_name || !self.values(old, new, depth + 1)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}
