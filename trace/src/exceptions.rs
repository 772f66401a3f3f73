//! Which raises turn out to be uncaught: their exception leaves the outermost frame of its thread.

use std::collections::VecDeque;

use crate::hash::Map;
use crate::{ObjectId, ObjectKind, Type, TypeId, Value};

/// Exceptions that end things as a matter of course.
const EXPECTED: [&str; 5] = [
    "GeneratorExit",
    "StopIteration",
    "StopAsyncIteration",
    "SystemExit",
    "CancelledError",
];
/// How many of the newest raises and exceptions are remembered.
const REMEMBERED: usize = 4096;

/// The newest exceptions and raises.
#[derive(Debug, Default)]
pub(crate) struct Exceptions {
    /// For each type: its base, and whether its own name is one of [`EXPECTED`].
    types: Vec<(Option<TypeId>, bool)>,
    objects: Map<ObjectId, TypeId>,
    oldest: VecDeque<ObjectId>,
    raises: VecDeque<Raise>,
}

#[derive(Debug)]
struct Raise {
    exception: Value,
    position: u64,
    uncaught: bool,
}

impl Exceptions {
    pub(crate) fn add_type(&mut self, ty: &Type) {
        let expected = EXPECTED.contains(&&*ty.qualified_name);
        self.types.push((ty.base, expected));
    }

    pub(crate) fn first_sight(&mut self, object: ObjectId, kind: ObjectKind, type_id: TypeId) {
        if kind != ObjectKind::Exception {
            return;
        }
        self.objects.insert(object, type_id);
        self.oldest.push_back(object);
        if self.oldest.len() > REMEMBERED
            && let Some(object) = self.oldest.pop_front()
        {
            self.objects.remove(&object);
        }
    }

    pub(crate) fn raise(&mut self, exception: Value, position: u64) {
        self.raises.push_back(Raise {
            exception,
            position,
            uncaught: false,
        });
        if self.raises.len() > REMEMBERED {
            self.raises.pop_front();
        }
    }

    /// Takes in that `exception` left the outermost frame of its thread. Returns where it was raised,
    /// the first time and unless it is an expected one.
    pub(crate) fn left_thread(&mut self, exception: &Value) -> Option<u64> {
        if let Value::Object(object) = exception
            && let Some(type_id) = self.objects.get(object)
            && self.is_expected(*type_id)
        {
            return None;
        }
        let raise = self
            .raises
            .iter_mut()
            .rev()
            .find(|raise| raise.exception == *exception)?;
        (!std::mem::replace(&mut raise.uncaught, true)).then_some(raise.position)
    }

    fn is_expected(&self, type_id: TypeId) -> bool {
        let mut next = Some(type_id);
        // A chain of bases is short; the limit is for one that runs in a circle.
        for _ in 0..256 {
            let Some(&(base, expected)) =
                next.and_then(|type_id| self.types.get(type_id.0 as usize))
            else {
                return false;
            };
            if expected {
                return true;
            }
            next = base;
        }
        false
    }
}
