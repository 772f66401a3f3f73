//! The numbers by which a client refers to frames and to things with children.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use retrostep_replay::Node;
use retrostep_trace::FrameId;

/// Something with children, as a client sees it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Container {
    /// What has the children.
    pub(crate) node: Node,
    /// The expression that gives it, from which those of its children are made.
    pub(crate) evaluate_name: Option<String>,
    /// The frame that it is seen from.
    pub(crate) frame: Option<FrameId>,
}

/// Numbers that are valid until the timeline moves.
///
/// The same thing gets the same number again after a move, if it was asked for both before and after.
#[derive(Debug, Default)]
pub(crate) struct Handles {
    frames: HashSet<FrameId>,
    containers: Numbers<Container>,
}

impl Handles {
    /// The number of a frame: one more than the recording's own, by which the language server knows it too.
    pub(crate) fn frame(&mut self, frame: FrameId) -> i64 {
        self.frames.insert(frame);
        i64::try_from(frame.0).map_or(i64::MAX, |number| number.saturating_add(1))
    }

    /// The frame with this number, if it was given out since the last move.
    pub(crate) fn frame_of(&self, number: i64) -> Option<FrameId> {
        let frame = FrameId(u64::try_from(number.checked_sub(1)?).ok()?);
        self.frames.contains(&frame).then_some(frame)
    }

    /// The number of something with children.
    pub(crate) fn container(&mut self, container: Container) -> i64 {
        self.containers.number(container)
    }

    /// What has this number, if it was given out since the last move.
    pub(crate) fn container_of(&self, number: i64) -> Option<&Container> {
        self.containers.live.get(&number)
    }

    /// Makes all numbers invalid: the timeline moves.
    pub(crate) fn expire(&mut self) {
        self.frames.clear();
        self.containers.expire();
    }
}

#[derive(Debug)]
struct Numbers<T> {
    last: i64,
    live: HashMap<i64, T>,
    known: HashMap<T, i64>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Numbers {
            last: 0,
            live: HashMap::new(),
            known: HashMap::new(),
        }
    }
}

impl<T: Clone + Eq + Hash> Numbers<T> {
    fn number(&mut self, thing: T) -> i64 {
        let number = *self.known.entry(thing.clone()).or_insert_with(|| {
            self.last += 1;
            self.last
        });
        self.live.entry(number).or_insert(thing);
        number
    }

    /// Only what was live keeps its number, so that memory does not grow with the number of moves.
    fn expire(&mut self) {
        let live = std::mem::take(&mut self.live);
        self.known = live
            .into_iter()
            .map(|(number, thing)| (thing, number))
            .collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use retrostep_trace::ObjectId;

    fn container(object: u64) -> Container {
        Container {
            node: Node::Object(ObjectId(object)),
            evaluate_name: None,
            frame: None,
        }
    }

    #[test]
    fn a_number_dies_with_a_move_and_comes_back_for_the_same_thing() {
        let mut handles = Handles::default();
        let (first, second) = (
            handles.container(container(1)),
            handles.container(container(2)),
        );
        assert_ne!(first, second);
        assert_eq!(handles.container(container(1)), first);
        handles.expire();
        assert_eq!(handles.container_of(first), None);
        assert_eq!(handles.container(container(2)), second);
        assert_eq!(handles.container_of(second), Some(&container(2)));
        assert_eq!(handles.container_of(first), None);
        let third = handles.container(container(3));
        assert!(third != first && third != second);
    }

    #[test]
    fn frames_have_the_recordings_numbers_from_1_until_a_move() {
        let mut handles = Handles::default();
        assert_eq!(handles.frame(FrameId(0)), 1);
        assert_eq!(handles.frame(FrameId(7)), 8);
        assert_eq!(handles.frame_of(8), Some(FrameId(7)));
        for other in [0, -1, 7, i64::MIN] {
            assert_eq!(handles.frame_of(other), None, "{other}");
        }
        handles.expire();
        assert_eq!(handles.frame_of(8), None);
    }
}
