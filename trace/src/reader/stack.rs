//! Stacks, frames and locals at a position.
//!
//! A frame's state comes from the block of the position when the frame was touched there, else from
//! what was noted at the end of the last block that touched it. The caller of a frame was touched last
//! in the block in which it called or resumed that frame.

use std::cell::Cell;
use std::sync::Arc;

use super::Recording;
use crate::block::decode::DecodedBlock;
use crate::block::encode::Slot;
use crate::block::{Kind, Row};
use crate::segment::{IndexKey, keys};
use crate::walker::{Activation, FrameRecord, NONE};
use crate::{
    Event, Frame, FrameId, FrameState, FunctionId, Position, Result, TaskId, ThreadId, Written,
};

/// What the facts of a frame take in memory.
const FACTS_BYTES: usize = 160;

/// Where the walk down a stack stands.
enum Place {
    /// An activation of the position's block.
    Inside(u32),
    /// A frame, and the block at whose end its state is noted.
    Noted(FrameId, u32),
    Bottom,
}

/// The block and thread whose state is asked for.
struct Moment {
    block: Arc<DecodedBlock>,
    index: usize,
    top: Place,
    local: u32,
}

impl Recording {
    /// The state of `thread` at `at`: in its block, or at the end of the last block before that has
    /// events of the thread.
    fn moment(&self, thread: ThreadId, at: Position) -> Result<Option<Moment>> {
        let Some((number, index)) = self.place_of(at) else {
            return Ok(None);
        };
        let block = self.needed_block(number)?;
        if let Some(local) = block.local_thread(thread) {
            let current = block.current(local, index);
            return Ok(Some(Moment {
                index,
                top: if current == NONE {
                    Place::Bottom
                } else {
                    Place::Inside(current)
                },
                local,
                block,
            }));
        }
        let list = self.list(IndexKey::new(keys::THREAD, u64::from(thread.0), 0))?;
        let before = list.partition_point(|posting| posting.block < number);
        let posting = before.checked_sub(1).and_then(|at| list.get(at));
        self.nothing_missing(posting.map_or(0, |posting| posting.block)..number)?;
        let Some(posting) = posting else {
            return Ok(None);
        };
        let block = self.needed_block(posting.block)?;
        let Some(local) = block.local_thread(thread) else {
            return Ok(None);
        };
        let top = block.last_frames.get(local as usize).copied().flatten();
        Ok(Some(Moment {
            index: block.rows.len(),
            top: top.map_or(Place::Bottom, |frame| Place::Noted(frame, posting.block)),
            local,
            block,
        }))
    }

    pub(super) fn depth_at(&self, thread: ThreadId, at: Position) -> Result<u64> {
        let Some(moment) = self.moment(thread, at)? else {
            return Ok(0);
        };
        let depth = match moment.top {
            Place::Bottom => 0,
            Place::Inside(activation) => moment
                .block
                .activation(activation)
                .map_or(0, |activation| activation.depth),
            Place::Noted(frame, number) => self.noted(frame, number)?.0.depth,
        };
        Ok(u64::from(depth))
    }

    pub(super) fn stack_at(
        &self,
        thread: ThreadId,
        at: Position,
        skip: u64,
        limit: u64,
    ) -> Result<Vec<FrameState>> {
        let mut states = Vec::new();
        let Some(moment) = self.moment(thread, at)? else {
            return Ok(states);
        };
        let mut place = moment.top;
        let mut number = 0u64;
        let mut depth = u32::MAX;
        while number < skip.saturating_add(limit) {
            let (state, below, this_depth) = match place {
                Place::Bottom => break,
                Place::Inside(index) => {
                    let block = &moment.block;
                    let Some(activation) = block.activation(index) else {
                        break;
                    };
                    let state = || self.inside(block, activation, moment.index);
                    let below = self.below(block, activation);
                    ((number >= skip).then(state), below, activation.depth)
                }
                Place::Noted(frame, noted) => {
                    let (record, _) = self.noted(frame, noted)?;
                    let state = (number >= skip).then(|| self.state_of(&record));
                    let below = self.caller_place(record.caller, record.start);
                    (state, below, record.depth)
                }
            };
            // Depths of a sound file fall one by one; a damaged one must not lead in a circle.
            if this_depth >= depth {
                break;
            }
            depth = this_depth;
            states.extend(state);
            place = below;
            number += 1;
        }
        if skip == 0
            && let Some(first) = states.first_mut()
        {
            self.about_to_run(thread, at, first)?;
        }
        Ok(states)
    }

    /// The line that the thread's frame is about to run, if its line event is at the position.
    fn about_to_run(&self, thread: ThreadId, at: Position, state: &mut FrameState) -> Result<()> {
        let Some((number, index)) = self.place_of(at) else {
            return Ok(());
        };
        let Some(block) = self.block(number)? else {
            return Ok(());
        };
        if let Some(row) = block.rows.get(index)
            && let Some(meaning) = block.meaning(row)
            && meaning.kind == Kind::Line
            && block.local_thread(thread) == Some(row.thread)
        {
            state.line = meaning.b;
            state.line_position = at;
        }
        Ok(())
    }

    fn inside(&self, block: &DecodedBlock, activation: &Activation, index: usize) -> FrameState {
        let (line, line_position) = block
            .last_line(activation.frame, index)
            .unwrap_or((activation.line, activation.line_position));
        FrameState {
            frame: activation.frame,
            function: activation.function,
            line: self.line_or_first(line, activation.function),
            line_position: Position(line_position),
            call: Position(activation.call),
            activation: Position(activation.start),
        }
    }

    fn state_of(&self, record: &FrameRecord) -> FrameState {
        FrameState {
            frame: record.frame,
            function: record.function,
            line: self.line_or_first(record.line, record.function),
            line_position: Position(record.line_position),
            call: Position(record.call),
            activation: Position(record.start),
        }
    }

    /// Before its first line a frame is at its function's first line.
    fn line_or_first(&self, line: u32, function: FunctionId) -> u32 {
        if line > 0 {
            return line;
        }
        self.function(function)
            .map_or(0, |function| function.first_line)
    }

    fn below(&self, block: &DecodedBlock, activation: &Activation) -> Place {
        if activation.caller != NONE {
            return Place::Inside(activation.caller);
        }
        if activation.start >= block.first {
            return Place::Bottom;
        }
        self.caller_place(activation.caller_frame, activation.start)
    }

    /// Where a caller's state is noted: at the end of the block in which the callee began to run.
    fn caller_place(&self, caller: Option<FrameId>, start: u64) -> Place {
        match (caller, self.place_of(Position(start))) {
            (Some(frame), Some((number, _))) => Place::Noted(frame, number),
            _ => Place::Bottom,
        }
    }

    fn noted(&self, frame: FrameId, number: u32) -> Result<(FrameRecord, Vec<Slot>)> {
        let records = self.records(number)?;
        records.get(frame).cloned().ok_or_else(|| {
            let offset = self.block_row(number).map_or(0, |row| row.chunk.offset);
            self.file.corrupt(
                offset,
                format!("frame {frame} is missing at the block's end"),
            )
        })
    }

    pub(super) fn frame_facts(&self, frame: FrameId) -> Result<Option<Frame>> {
        if let Some(facts) = self.frames.get(frame) {
            return Ok(Some((*facts).clone()));
        }
        let home = self.home_of_frame(frame);
        let facts = match home.and_then(|home| self.known_block(home)) {
            Some(block) => facts_in(&block, frame).filter(|facts| facts.call.0 >= block.first),
            None => self.noted_facts(frame)?,
        };
        let facts = match facts {
            Some(facts) => Some(facts),
            None => self.facts_of_call(frame)?,
        };
        Ok(facts.map(|facts| (*self.frames.insert(frame, facts, FACTS_BYTES)).clone()))
    }

    /// The facts of a frame that was alive at the end of the block in which it was called.
    fn noted_facts(&self, frame: FrameId) -> Result<Option<Frame>> {
        let Some(home) = self.home_of_frame(frame) else {
            return Ok(None);
        };
        let Ok(records) = self.records(home) else {
            return Ok(None);
        };
        let record = records.get(frame).map(|(record, _)| record);
        // After a resume the record's caller is the one who resumed.
        let called = record.filter(|record| {
            let inside = self.place_of(Position(record.call)).map(|place| place.0) == Some(home);
            record.start == record.call && inside
        });
        Ok(called.map(|record| Frame {
            function: record.function,
            thread: record.thread,
            caller: record.caller,
            call: Position(record.call),
            globals: record.globals,
            locals: record.locals,
        }))
    }

    fn facts_of_call(&self, frame: FrameId) -> Result<Option<Frame>> {
        let cancel = crate::CancellationToken::new();
        let mut numbers: Vec<u32> = self.home_of_frame(frame).into_iter().collect();
        numbers.extend(self.touches(frame)?.iter().map(|touch| touch.block));
        for number in numbers {
            cancel.check()?;
            let Some(block) = self.block(number)? else {
                continue;
            };
            let facts = facts_in(&block, frame);
            if facts.is_some() {
                return Ok(facts);
            }
        }
        Ok(None)
    }

    pub(super) fn owner_of_event(&self, at: Position) -> Result<Option<FrameId>> {
        let Some((number, index)) = self.place_of(at) else {
            return Ok(None);
        };
        let Some(block) = self.block(number)? else {
            return Ok(None);
        };
        let activation = block.rows.get(index).map(|row: &Row| row.activation);
        Ok(activation
            .and_then(|activation| block.activation(activation))
            .map(|activation| activation.frame))
    }

    pub(super) fn running_thread(&self, at: Position) -> Result<ThreadId> {
        let Some((number, index)) = self.place_of(at) else {
            return Ok(ThreadId(0));
        };
        let block = self.needed_block(number)?;
        let row = block.rows.get(index).or(block.rows.last());
        let local = row.and_then(|row| block.walker.threads.get(row.thread as usize));
        Ok(local.map_or(ThreadId(0), |local| local.thread))
    }

    pub(super) fn task_of(
        &self,
        thread: ThreadId,
        at: Position,
    ) -> Result<Option<(TaskId, Arc<str>)>> {
        let Some(moment) = self.moment(thread, at)? else {
            return Ok(None);
        };
        let Some(task) = moment.block.task(moment.local, moment.index) else {
            return Ok(None);
        };
        let list = self.list(IndexKey::new(keys::TASK_START, u64::from(task.0), 0))?;
        if let Some(posting) = list.first()
            && let Some(block) = self.block(posting.block)?
        {
            let name = block.others().find_map(|event| match event {
                Event::TaskStart { task: id, name } if *id == task => Some(Arc::clone(name)),
                _ => None,
            });
            if let Some(name) = name {
                return Ok(Some((task, name)));
            }
        }
        Ok(Some((task, Arc::from(""))))
    }

    /// The last writes of a frame's locals before `at`, by slot below `slots`.
    pub(super) fn locals_at(
        &self,
        frame: FrameId,
        slots: std::ops::Range<u32>,
        at: Position,
    ) -> Result<Vec<Option<Written>>> {
        let mut locals: Vec<Option<Option<Written>>> = vec![None; slots.len()];
        let open = Cell::new(slots.len());
        let mut set = |slot: u32, written: Option<Written>| {
            let index = slot.checked_sub(slots.start).map(|index| index as usize);
            if let Some(local) = index.and_then(|index| locals.get_mut(index))
                && local.is_none()
            {
                *local = Some(written);
                open.set(open.get() - 1);
            }
        };
        let Some((number, index)) = self.place_of(at) else {
            return Ok(vec![None; slots.len()]);
        };
        let mut next = Some((number, index));
        if self.find_touch(frame, number)?.is_none() {
            next = self
                .touched_before(frame, number)?
                .map(|number| (number, usize::MAX));
        }
        // The position's block, or the one in which the frame was over; then the one before it.
        if let Some((number, index)) = next
            && !(index == usize::MAX && self.take_noted(frame, number, &mut set)?)
        {
            let block = self.needed_block(number)?;
            for (slot, position, value) in block.writes(frame, index) {
                if open.get() == 0 {
                    break;
                }
                set(
                    slot,
                    Some(Written {
                        position: Position(position),
                        value: value.cloned(),
                    }),
                );
            }
            let activations = &block.walker.activations;
            let entry = activations
                .iter()
                .find(|activation| activation.frame == frame)
                .and_then(|activation| activation.entry);
            if let Some(before) = entry
                && open.get() > 0
                && before < number
                && !self.take_noted(frame, before, &mut set)?
            {
                let offset = self.block_row(before).map_or(0, |row| row.chunk.offset);
                return Err(self.file.corrupt(
                    offset,
                    format!("frame {frame} is missing at the block's end"),
                ));
            }
        }
        Ok(locals.into_iter().map(Option::flatten).collect())
    }

    /// Takes the locals noted at a block's end; returns whether the frame was alive there.
    fn take_noted(
        &self,
        frame: FrameId,
        number: u32,
        set: &mut impl FnMut(u32, Option<Written>),
    ) -> Result<bool> {
        let records = self.records(number)?;
        let Some((_, slots)) = records.get(frame) else {
            return Ok(false);
        };
        for slot in slots {
            let position = Position(slot.position);
            let value = slot.value.clone();
            set(slot.slot, Some(Written { position, value }));
        }
        Ok(true)
    }

    /// The block, if the frame was touched in it.
    fn find_touch(&self, frame: FrameId, number: u32) -> Result<Option<u32>> {
        let block = self.needed_block(number)?;
        let touched = block.walker.latest(frame).is_some();
        Ok(touched.then_some(number))
    }

    /// The last block before `number` that touched the frame.
    fn touched_before(&self, frame: FrameId, number: u32) -> Result<Option<u32>> {
        let home = self.home_of_frame(frame).filter(|home| *home < number);
        let Some(home) = home else {
            return Ok(None);
        };
        let touches = self.touches(frame)?;
        let before = touches.partition_point(|touch| touch.block < number);
        let last = before.checked_sub(1).and_then(|at| touches.get(at));
        let last = last.map_or(home, |touch| touch.block.max(home));
        self.nothing_missing(last..number)?;
        Ok(Some(last))
    }
}

/// The facts of a frame that was the innermost one in a block.
fn facts_in(block: &DecodedBlock, frame: FrameId) -> Option<Frame> {
    let mut activations = block.walker.activations.iter();
    let activation = activations.find(|it| it.frame == frame)?;
    let inside = activation.call >= block.first;
    Some(Frame {
        function: activation.function,
        thread: activation.thread,
        // Of a frame whose call is lost, the caller is not known.
        caller: activation.caller_frame.filter(|_| inside),
        call: Position(activation.call),
        globals: activation.globals,
        locals: activation.locals,
    })
}
