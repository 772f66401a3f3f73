//! What a block adds to an index. The writer and, for blocks that have no segment yet, the reader use
//! the same code.

use std::sync::Arc;

use super::parts::Parts;
use super::{FrameTouch, IndexKey, SegmentBuilder, ThreadSpan, keys};
use crate::block::{Kind, Meaning, Row};
use crate::hash::Map;
use crate::varint::put;
use crate::walker::Walker;
use crate::{FrameId, FunctionId, ObjectId, SourceId, TaskId};

/// Tallies of events by frame and code beyond so many are not kept.
const TALLY_MAX: usize = 1 << 18;

/// A block, open or decoded, as an index sees it.
pub(crate) struct BlockFacts<'a> {
    pub(crate) number: u32,
    pub(crate) first: u64,
    pub(crate) first_frame: u64,
    pub(crate) first_object: u64,
    pub(crate) rows: &'a [Row],
    pub(crate) codes: Vec<(Meaning, u32)>,
    pub(crate) walker: &'a Walker,
    /// The objects of object events in order, and whether the event says all their contents.
    pub(crate) objects: Vec<(ObjectId, bool)>,
    /// Objects whose full contents stand at the block's end.
    pub(crate) contents: Vec<ObjectId>,
    /// Objects whose changes are noted at the block's end, and how many blocks they reach back.
    pub(crate) deltas: Vec<(ObjectId, u32)>,
    pub(crate) names: Vec<(u32, Arc<str>)>,
    pub(crate) parts: Parts,
    pub(crate) tasks: Vec<TaskId>,
    pub(crate) uncaught: &'a [u64],
    /// One more than the largest object first seen in the block or before.
    pub(crate) next_object: u64,
}

impl SegmentBuilder {
    /// Adds a block; blocks are added in order.
    pub(crate) fn add(
        &mut self,
        facts: &BlockFacts<'_>,
        source_of: impl Fn(FunctionId) -> Option<SourceId>,
    ) {
        let mut counts: Map<IndexKey, u64> = Map::default();
        let mut count = |key: IndexKey, by: u64| *counts.entry(key).or_default() += by;
        for (meaning, times) in &facts.codes {
            if let Some(key) = key_of(meaning, &source_of) {
                count(key, u64::from(*times));
            }
            if meaning.kind == Kind::Line {
                count(IndexKey::new(keys::STEP, 0, 0), u64::from(*times));
            }
        }
        for task in &facts.tasks {
            count(IndexKey::new(keys::TASK_START, u64::from(task.0), 0), 1);
        }
        self.threads_and_frames(facts, &mut count);
        let mut objects: Map<ObjectId, (u64, bool)> = Map::default();
        for (object, full) in &facts.objects {
            if object.0 < facts.first_object || object.0 >= facts.next_object {
                let entry = objects.entry(*object).or_default();
                entry.0 += 1;
                entry.1 |= full;
            }
        }
        for object in &facts.contents {
            // Only objects that changed in the block are noted at its end.
            if let Some(entry) = objects.get_mut(object) {
                entry.1 = true;
            }
        }
        for (object, (times, full)) in objects {
            let key = IndexKey::new(keys::OBJECT, object.0, 0);
            count(key, times << 1 | u64::from(full));
        }
        let depths = facts.walker.activations.iter().map(|it| it.depth);
        if let Some(depth) = depths.max() {
            count(IndexKey::new(keys::DEPTH, 0, 0), u64::from(depth));
        }
        for (key, times) in facts.parts.listed() {
            count(key, times);
        }
        for (object, span) in &facts.deltas {
            let key = IndexKey::new(keys::DELTA, object.0, 0);
            count(key, u64::from(*span));
        }
        for (key, count) in counts {
            let list = self.list(key, facts.number);
            put(list, count);
        }
        self.uncaught.extend_from_slice(facts.uncaught);
        self.blocks += 1;
    }

    fn threads_and_frames(
        &mut self,
        facts: &BlockFacts<'_>,
        count: &mut impl FnMut(IndexKey, u64),
    ) {
        let mut threads = vec![(u64::MAX, 0, 0u64, 0u64, false); facts.walker.threads.len()];
        let mut touches: Vec<(FrameId, FrameTouch)> = Vec::new();
        let mut touch_of: Map<FrameId, usize> = Map::default();
        let mut of_activation = Vec::with_capacity(facts.walker.activations.len());
        for activation in &facts.walker.activations {
            let earlier = activation.entry.is_some() || activation.frame.0 < facts.first_frame;
            let known = touch_of.get(&activation.frame).copied();
            if earlier && known.is_none() {
                touch_of.insert(activation.frame, touches.len());
                of_activation.push(touches.len());
                touches.push((activation.frame, FrameTouch::default()));
            } else {
                of_activation.push(known.unwrap_or(usize::MAX));
            }
        }
        let touch_at = |activation: u32| of_activation.get(activation as usize).copied();
        if let [thread] = threads.as_mut_slice() {
            // All events are its own.
            let sum = |kind: Kind| -> u64 {
                let codes = facts
                    .codes
                    .iter()
                    .filter(|(meaning, _)| meaning.kind == kind);
                codes.map(|(_, count)| u64::from(*count)).sum()
            };
            let events = facts.rows.len() as u64;
            let last = facts.first + events.saturating_sub(1);
            let ended = sum(Kind::ThreadEnd) > 0;
            *thread = (facts.first, last, events, sum(Kind::Line), ended);
        } else {
            for (position, row) in (facts.first..).zip(facts.rows) {
                let meaning = facts.codes.get(row.code as usize);
                let kind = meaning.map(|(meaning, _)| meaning.kind);
                if let Some(thread) = threads.get_mut(row.thread as usize) {
                    thread.0 = thread.0.min(position);
                    thread.1 = position;
                    thread.2 += 1;
                    thread.3 += u64::from(kind == Some(Kind::Line));
                    thread.4 |= kind == Some(Kind::ThreadEnd);
                }
            }
        }
        let starts_frame: Vec<bool> = facts
            .codes
            .iter()
            .map(|(meaning, _)| matches!(meaning.kind, Kind::Call | Kind::Resume))
            .collect();
        // Most rows are only counted, by touch and code.
        let codes = facts.codes.len();
        let mut times = vec![0_u32; touches.len().saturating_mul(codes).min(TALLY_MAX)];
        let rows = if touches.is_empty() { &[] } else { facts.rows };
        for (position, row) in (facts.first..).zip(rows) {
            let is_start = starts_frame.get(row.code as usize).copied() == Some(true);
            let touch = touch_at(row.activation).filter(|touch| *touch != usize::MAX);
            if touch.is_none() && !is_start {
                continue;
            }
            let (Some((meaning, _)), Some(activation)) = (
                facts.codes.get(row.code as usize),
                facts.walker.activations.get(row.activation as usize),
            ) else {
                continue;
            };
            if !is_start
                && let Some(touch) = touch
                && let Some(times) = times.get_mut(touch * codes + row.code as usize)
            {
                *times += 1;
                continue;
            }
            let starts = activation.start == position;
            if is_start
                && starts
                && let Some(touch) = touch_at(activation.caller)
                && let Some((_, touch)) = touches.get_mut(touch)
            {
                touch.calls += 1;
            }
            if let Some(touch) = touch
                && let Some((_, touch)) = touches.get_mut(touch)
            {
                touch.add(meaning, 1, starts);
            }
        }
        for (index, (_, touch)) in touches.iter_mut().enumerate() {
            let times = times.get(index * codes..).unwrap_or_default();
            for (&times, (meaning, _)) in times.iter().zip(&facts.codes) {
                if times > 0 {
                    touch.add(meaning, u64::from(times), false);
                }
            }
        }
        let names: Map<u32, &Arc<str>> = facts.names.iter().map(|it| (it.0, &it.1)).collect();
        for (thread, (first, last, events, steps, ended)) in threads.into_iter().enumerate() {
            let Some(local) = facts.walker.threads.get(thread) else {
                continue;
            };
            let id = local.thread.0;
            count(IndexKey::new(keys::THREAD, u64::from(id), 0), events);
            if steps > 0 {
                count(IndexKey::new(keys::THREAD_STEP, u64::from(id), 0), steps);
            }
            let span = ThreadSpan {
                first,
                last,
                ended,
                name: names.get(&(thread as u32)).map(|name| Arc::clone(name)),
            };
            self.add_thread(id, span);
        }
        for (frame, touch) in touches {
            let list = self.list(IndexKey::new(keys::FRAME, frame.0, 0), facts.number);
            touch.put(list);
        }
    }
}

impl FrameTouch {
    /// Counts so many events of a code. Of a resume it matters whether a part of the frame's life
    /// `starts` with it.
    fn add(&mut self, meaning: &Meaning, times: u64, starts: bool) {
        match meaning.kind {
            Kind::Line => self.steps += times,
            Kind::Return | Kind::Unwind => self.exits += times,
            Kind::Yield => self.yields += times,
            Kind::Resume if starts => self.resumes += times,
            Kind::Write => match self
                .writes
                .binary_search_by_key(&meaning.b, |write| write.0)
            {
                Ok(index) => {
                    if let Some(write) = self.writes.get_mut(index) {
                        write.1 += times;
                    }
                }
                Err(index) => self.writes.insert(index, (meaning.b, times)),
            },
            _ => {}
        }
    }
}

/// The key that counts all events of a code.
fn key_of(
    meaning: &Meaning,
    source_of: &impl Fn(FunctionId) -> Option<SourceId>,
) -> Option<IndexKey> {
    Some(match meaning.kind {
        Kind::Line => {
            let source = source_of(meaning.function()?)?;
            IndexKey::new(keys::LINE, u64::from(source.0), meaning.b)
        }
        Kind::Call => IndexKey::new(keys::CALL, meaning.a, 0),
        Kind::Write => {
            let function = meaning.function()?;
            IndexKey::new(keys::VARIABLE, u64::from(function.0), meaning.b)
        }
        Kind::Raise => IndexKey::new(keys::RAISE, 0, 0),
        Kind::Unwind => IndexKey::new(keys::UNWIND, 0, 0),
        Kind::Output => IndexKey::new(keys::OUTPUT, 0, 0),
        Kind::Mark => IndexKey::new(keys::MARK, 0, 0),
        Kind::External => IndexKey::new(keys::EXTERNAL, 0, 0),
        _ => return None,
    })
}
