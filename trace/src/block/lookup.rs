//! Finding things in a decoded block: the events of a frame or object, and the state between two events.

use std::sync::Arc;

use super::Kind;
use super::decode::{BlockPlace, DecodedBlock};
use crate::hash::Map;
use crate::segment::collect::BlockFacts;
use crate::walker::{Activation, NONE};
use crate::{Event, FrameId, TaskId, ThreadId, Value};

/// The events of each frame, by index into the block.
#[derive(Debug)]
pub(crate) struct Occurrences {
    frames: Map<FrameId, (u32, u32)>,
    frame_rows: Vec<u32>,
}

impl Occurrences {
    pub(crate) fn new(block: &DecodedBlock) -> Occurrences {
        let activations = &block.walker.activations;
        let mut numbers: Map<FrameId, u32> = Map::default();
        let mut frame_of = Vec::with_capacity(activations.len());
        for activation in activations {
            let next = numbers.len() as u32;
            frame_of.push(*numbers.entry(activation.frame).or_insert(next));
        }
        let mut ends = vec![0u32; numbers.len()];
        let frame_at = |activation: u32| frame_of.get(activation as usize).copied();
        for row in &block.rows {
            if let Some(count) =
                frame_at(row.activation).and_then(|frame| ends.get_mut(frame as usize))
            {
                *count += 1;
            }
        }
        let mut sum = 0;
        for end in &mut ends {
            let count = *end;
            *end = sum;
            sum += count;
        }
        let starts = ends.clone();
        let mut frame_rows = vec![0; sum as usize];
        for (index, row) in block.rows.iter().enumerate() {
            if let Some(end) =
                frame_at(row.activation).and_then(|frame| ends.get_mut(frame as usize))
            {
                if let Some(place) = frame_rows.get_mut(*end as usize) {
                    *place = index as u32;
                }
                *end += 1;
            }
        }
        let range = |number: u32| {
            let at = number as usize;
            Some((*starts.get(at)?, *ends.get(at)?))
        };
        Occurrences {
            frames: numbers
                .into_iter()
                .filter_map(|(frame, number)| Some((frame, range(number)?)))
                .collect(),
            frame_rows,
        }
    }
}

impl DecodedBlock {
    /// The events that belong to a frame, ascending.
    pub(crate) fn rows_of_frame(&self, frame: FrameId) -> &[u32] {
        let occurrences = self.occurrences();
        let (start, end) = occurrences.frames.get(&frame).copied().unwrap_or_default();
        occurrences
            .frame_rows
            .get(start as usize..end as usize)
            .unwrap_or_default()
    }

    pub(crate) fn kind_at(&self, index: u32) -> Option<Kind> {
        let row = self.rows.get(index as usize)?;
        self.meaning(row).map(|meaning| meaning.kind)
    }

    pub(crate) fn activation(&self, index: u32) -> Option<&Activation> {
        self.walker.activations.get(index as usize)
    }

    /// The index of a thread that has an event in this block.
    pub(crate) fn local_thread(&self, thread: ThreadId) -> Option<u32> {
        let index = self
            .walker
            .threads
            .iter()
            .position(|local| local.thread == thread)?;
        u32::try_from(index).ok()
    }

    /// The thread's last event before `index`.
    fn last_of_thread(&self, local: u32, index: usize) -> Option<&super::Row> {
        let before = self.rows.get(..index).unwrap_or(&self.rows);
        before.iter().rev().find(|row| row.thread == local)
    }

    /// The thread's innermost activation after the events before `index`.
    pub(crate) fn current(&self, local: u32, index: usize) -> u32 {
        let Some(row) = self.last_of_thread(local, index) else {
            let thread = self.walker.threads.get(local as usize);
            return thread.map_or(NONE, |thread| thread.first);
        };
        match self.meaning(row).map(|meaning| meaning.kind) {
            Some(Kind::Return | Kind::Unwind | Kind::Yield) => self
                .activation(row.activation)
                .map_or(NONE, |activation| activation.caller),
            _ => row.activation,
        }
    }

    /// The task the thread runs after the events before `index`.
    pub(crate) fn task(&self, local: u32, index: usize) -> Option<TaskId> {
        let before = self.rows.get(..index).unwrap_or(&self.rows);
        let mut switches = before.iter().rev().filter(|row| {
            row.thread == local
                && self
                    .meaning(row)
                    .is_some_and(|meaning| meaning.kind == Kind::TaskSwitch)
        });
        match switches.next() {
            Some(row) => match self.other(row.payload) {
                Some(Event::TaskSwitch { task }) => *task,
                _ => None,
            },
            None => self.tasks.get(local as usize)?.first,
        }
    }

    /// The frame's last line before `index` in this block: the line and its event.
    pub(crate) fn last_line(&self, frame: FrameId, index: usize) -> Option<(u32, u64)> {
        let rows = self.rows_of_frame(frame);
        let before = rows.partition_point(|row| (*row as usize) < index);
        let at = rows
            .get(..before)?
            .iter()
            .rev()
            .find(|row| self.kind_at(**row) == Some(Kind::Line))?;
        let meaning = self.meaning(self.rows.get(*at as usize)?)?;
        Some((meaning.b, self.first + u64::from(*at)))
    }

    /// The frame's last writes before `index` in this block, newest first: slot, position, value.
    pub(crate) fn writes(
        &self,
        frame: FrameId,
        index: usize,
    ) -> impl Iterator<Item = (u32, u64, Option<&Value>)> {
        let rows = self.rows_of_frame(frame);
        let before = rows.partition_point(|row| (*row as usize) < index);
        let rows = rows.get(..before).unwrap_or_default();
        rows.iter().rev().filter_map(|at| {
            let row = self.rows.get(*at as usize)?;
            let meaning = self.meaning(row)?;
            (meaning.kind == Kind::Write).then(|| {
                let position = self.first + u64::from(*at);
                (meaning.b, position, self.value_of(row))
            })
        })
    }

    /// The block as an index sees it.
    pub(crate) fn facts(&self, number: u32, place: &BlockPlace) -> BlockFacts<'_> {
        let mut facts = BlockFacts {
            number,
            first: self.first,
            first_frame: place.first_frame,
            first_object: place.first_object,
            next_object: place.first_object,
            rows: &self.rows,
            codes: self
                .codes
                .iter()
                .map(|code| (code.meaning, code.count))
                .collect(),
            walker: &self.walker,
            objects: Vec::with_capacity(self.changes.entries().len()),
            contents: Vec::new(),
            deltas: Vec::new(),
            names: Vec::new(),
            parts: self.changes.parts(place.first_object),
            tasks: Vec::new(),
            uncaught: &self.uncaught,
        };
        for (number, entry) in (0..).zip(self.changes.entries()) {
            let object = entry.object;
            facts.objects.push((object, self.changes.is_full(number)));
            if self.changes.kind(number) == Some(Kind::New) {
                facts.next_object = facts.next_object.max(object.0.saturating_add(1));
            }
        }
        for row in &self.rows {
            let kind = self.meaning(row).map(|meaning| meaning.kind);
            if !matches!(kind, Some(Kind::ThreadStart | Kind::TaskStart)) {
                continue;
            }
            match self.other(row.payload) {
                Some(Event::ThreadStart { name }) => {
                    facts.names.push((row.thread, Arc::clone(name)));
                }
                Some(Event::TaskStart { task, .. }) => facts.tasks.push(*task),
                _ => {}
            }
        }
        facts
    }
}
