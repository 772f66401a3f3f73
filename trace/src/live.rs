//! The frames that are alive, as the writer knows them, with the last write of each of their locals.

use crate::block::encode::{OpenBlock, Slot};
use crate::hash::Map;
use crate::walker::{FrameRecord, NONE, Outside, Walker};
use crate::{FrameId, TaskId, ThreadId, Value};

/// So many empty lists are kept.
const SPARE_MAX: usize = 64;

/// Live frames at the last block's end, and the locals of the open block's activations.
#[derive(Debug, Default)]
pub(crate) struct Live {
    frames: Map<FrameId, (FrameRecord, Vec<Slot>)>,
    threads: Map<ThreadId, ThreadState>,
    /// The locals of the open block's activations, by index; those of a frame stand at its newest one.
    slots: Vec<Vec<Slot>>,
    /// How many locals the open block's activations brought with them or got.
    open_slots: usize,
    /// Lists of frames that are over, kept for their memory.
    spare: Vec<Vec<Slot>>,
}

#[derive(Clone, Copy, Debug)]
struct ThreadState {
    top: Option<FrameId>,
    task: Option<TaskId>,
}

impl Outside for Live {
    fn frame(&self, frame: FrameId) -> Option<&FrameRecord> {
        self.frames.get(&frame).map(|(record, _)| record)
    }

    fn top(&self, thread: ThreadId) -> Option<FrameId> {
        self.threads.get(&thread).and_then(|state| state.top)
    }
}

impl Live {
    /// The task a thread ran at the last block's end.
    pub(crate) fn task(&self, thread: ThreadId) -> Option<TaskId> {
        self.threads.get(&thread).and_then(|state| state.task)
    }

    /// Gives the walk's new activations their locals.
    #[inline]
    pub(crate) fn adopt(&mut self, walker: &Walker) {
        if self.slots.len() < walker.activations.len() {
            self.adopt_new(walker);
        }
    }

    fn adopt_new(&mut self, walker: &Walker) {
        while let Some(activation) = walker.activations.get(self.slots.len()) {
            let slots = if activation.entry.is_some() {
                let live = self.frames.get_mut(&activation.frame);
                live.map(|(_, slots)| std::mem::take(slots))
            } else {
                let previous = self.slots.get_mut(activation.previous as usize);
                previous.map(std::mem::take)
            };
            let slots = slots.or_else(|| self.spare.pop()).unwrap_or_default();
            self.open_slots += slots.len();
            self.slots.push(slots);
        }
    }

    #[inline(always)]
    pub(crate) fn write(
        &mut self,
        activation: u32,
        slot: u32,
        position: u64,
        value: Option<Value>,
    ) {
        let Some(slots) = self.slots.get(activation as usize) else {
            return;
        };
        // Where all locals before it have a value, its index is its number.
        let mut index = slot as usize;
        if slots.get(index).is_none_or(|place| place.slot != slot) {
            index = self.open_slot(activation, slot);
        }
        let slots = self.slots.get_mut(activation as usize);
        if let Some(place) = slots.and_then(|slots| slots.get_mut(index)) {
            place.position = position;
            place.value = value;
        }
    }

    /// Where a local stands, which may not have been there.
    fn open_slot(&mut self, activation: u32, slot: u32) -> usize {
        let Some(slots) = self.slots.get_mut(activation as usize) else {
            return 0;
        };
        let found = match slots.last() {
            Some(last) if last.slot >= slot => slots.binary_search_by_key(&slot, |slot| slot.slot),
            _ => Err(slots.len()),
        };
        found.unwrap_or_else(|index| {
            let empty = Slot {
                slot,
                position: 0,
                value: None,
            };
            slots.insert(index, empty);
            self.open_slots += 1;
            index
        })
    }

    /// Whether the open block would note more locals at its end than a reader accepts.
    pub(crate) fn is_full(&self) -> bool {
        self.open_slots >= crate::codec::VALUE_LIMIT as usize / 2
    }

    /// Forgets the locals of a frame that is over.
    pub(crate) fn leave(&mut self, activation: u32) {
        if let Some(slots) = self.slots.get_mut(activation as usize) {
            let mut slots = std::mem::take(slots);
            if slots.capacity() > 0 && self.spare.len() < SPARE_MAX {
                slots.clear();
                self.spare.push(slots);
            }
        }
    }

    /// Takes over the frames and threads of a block that is full.
    pub(crate) fn close(&mut self, block: &OpenBlock, number: u32) {
        let walker = &block.walker;
        self.open_slots = 0;
        for (index, slots) in self.slots.drain(..).enumerate() {
            let Some(activation) = walker.activations.get(index) else {
                continue;
            };
            if walker.latest(activation.frame) != Some(index as u32) {
                continue;
            }
            if activation.ended {
                self.frames.remove(&activation.frame);
                continue;
            }
            let record = FrameRecord {
                frame: activation.frame,
                function: activation.function,
                thread: activation.thread,
                caller: activation.caller_frame,
                depth: activation.depth,
                call: activation.call,
                start: activation.start,
                line: activation.last_line,
                line_position: activation.last_line_position,
                globals: activation.globals,
                locals: activation.locals,
                block: number,
            };
            self.frames.insert(activation.frame, (record, slots));
        }
        for (thread, tasks) in walker.threads.iter().zip(&block.tasks) {
            let top = walker.activations.get(thread.current as usize);
            let state = ThreadState {
                top: top.map(|activation| activation.frame),
                task: tasks.last,
            };
            if state.top.is_none() && state.task.is_none() {
                self.threads.remove(&thread.thread);
            } else {
                self.threads.insert(thread.thread, state);
            }
        }
    }

    /// The frames a block touched that are still alive, in the order in which it met them; to be asked
    /// after [`Live::close`].
    pub(crate) fn records(&self, walker: &Walker) -> Vec<(FrameRecord, &[Slot])> {
        walker
            .activations
            .iter()
            .filter(|activation| activation.previous == NONE)
            .filter_map(|activation| {
                let (record, slots) = self.frames.get(&activation.frame)?;
                Some((record.clone(), slots.as_slice()))
            })
            .collect()
    }
}
