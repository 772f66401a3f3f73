//! Finding and counting the events that match a key.

use super::Recording;
use crate::block::decode::DecodedBlock;
use crate::block::{Kind, Meaning};
use crate::segment::{IndexKey, keys};
use crate::{CancellationToken, Direction, FrameId, Key, Position, Result, SourceId};

/// A block that may hold matches; how many, if an index says so.
#[derive(Clone, Copy, Debug)]
pub(super) struct Candidate {
    pub(super) block: u32,
    pub(super) count: Option<u64>,
}

/// How the matches of a key are found inside one block.
struct Matching<'b> {
    block: &'b DecodedBlock,
    /// The events that come into question, or all.
    rows: Option<Rows<'b>>,
    /// For each code whether it matches.
    codes: Vec<bool>,
    more: More,
}

/// The events of a frame.
struct Rows<'b>(&'b [u32]);

/// What else must hold.
enum More {
    Nothing,
    Thread(u32),
    /// The event begins an activation of the frame that it belongs to.
    Begins,
    /// As `Begins`, and this frame made it begin.
    CalledBy(FrameId),
}

impl Rows<'_> {
    fn get(&self, at: usize) -> Option<usize> {
        self.0.get(at).map(|row| *row as usize)
    }

    /// How many come before `index`.
    fn before(&self, index: usize) -> usize {
        self.0.partition_point(|row| (*row as usize) < index)
    }
}

impl Matching<'_> {
    fn matches(&self, index: usize) -> bool {
        let Some(row) = self.block.rows.get(index) else {
            return false;
        };
        if !self.codes.get(row.code as usize).copied().unwrap_or(false) {
            return false;
        }
        match self.more {
            More::Nothing => true,
            More::Thread(thread) => row.thread == thread,
            More::Begins | More::CalledBy(_) => {
                let position = self.block.first + index as u64;
                self.block.activation(row.activation).is_some_and(|it| {
                    let caller = match self.more {
                        More::CalledBy(frame) => it.caller_frame == Some(frame),
                        _ => true,
                    };
                    it.start == position && caller
                })
            }
        }
    }

    /// The events that come into question from `from` to before `to`.
    fn indexes(&self, from: usize, to: usize) -> impl DoubleEndedIterator<Item = usize> {
        let (start, end) = match &self.rows {
            Some(rows) => (rows.before(from), rows.before(to)),
            None => (from, to),
        };
        (start..end).filter_map(move |at| {
            let index = match &self.rows {
                Some(rows) => rows.get(at)?,
                None => at,
            };
            self.matches(index).then_some(index)
        })
    }

    fn len(&self) -> usize {
        self.block.rows.len()
    }

    fn is_empty(&self) -> bool {
        self.rows.as_ref().is_some_and(|rows| rows.0.is_empty())
            || !self.codes.iter().any(|matches| *matches)
    }
}

impl Recording {
    pub(super) fn find_position(
        &self,
        key: Key,
        from: Position,
        direction: Direction,
        cancel: &CancellationToken,
    ) -> Result<Option<Position>> {
        match key {
            Key::Uncaught => return self.find_uncaught(from, direction),
            Key::Object(object) => return self.find_object(object, None, from, direction, cancel),
            _ => {}
        }
        let Some((home, index)) = self.place_of(from) else {
            return Ok(None);
        };
        let candidates = self.candidates(key)?;
        let in_order: &mut dyn Iterator<Item = &Candidate> = match direction {
            Direction::Forward => {
                let start = candidates.partition_point(|it| it.block < home);
                &mut candidates.iter().skip(start)
            }
            Direction::Backward => {
                let end = candidates.partition_point(|it| it.block <= home);
                &mut candidates.iter().take(end).rev()
            }
        };
        for candidate in in_order {
            cancel.check()?;
            let Some(block) = self.block(candidate.block)? else {
                continue;
            };
            let matching = self.matching(&block, key)?;
            let here = candidate.block == home;
            let found = match direction {
                Direction::Forward => {
                    let from = if here { index } else { 0 };
                    matching.indexes(from, matching.len()).next()
                }
                Direction::Backward => {
                    let to = if here { index } else { matching.len() };
                    matching.indexes(0, to).next_back()
                }
            };
            if let Some(index) = found {
                return Ok(Some(Position(block.first + index as u64)));
            }
        }
        Ok(None)
    }

    pub(super) fn count_before(
        &self,
        key: Key,
        to: Position,
        cancel: &CancellationToken,
    ) -> Result<u64> {
        if key == Key::Uncaught {
            let positions = self.uncaught()?;
            return Ok(positions.partition_point(|position| *position < to.0) as u64);
        }
        if let Key::Object(object) = key {
            return self.count_object(object, to);
        }
        let Some((home, index)) = self.place_of(to) else {
            return Ok(0);
        };
        let mut sum = 0;
        let damage = self.blocks.damage();
        for candidate in self.candidates(key)? {
            if candidate.block > home {
                break;
            }
            cancel.check()?;
            let matches = match candidate.count {
                Some(_) if damage.contains_key(&candidate.block) => 0,
                Some(count) if candidate.block < home => count,
                _ => match self.block(candidate.block)? {
                    None => 0,
                    Some(block) => {
                        let matching = self.matching(&block, key)?;
                        let to = if candidate.block == home {
                            index
                        } else {
                            matching.len()
                        };
                        matching.indexes(0, to).count() as u64
                    }
                },
            };
            sum = matches.saturating_add(sum);
        }
        Ok(sum)
    }

    pub(super) fn nth_position(
        &self,
        key: Key,
        n: u64,
        cancel: &CancellationToken,
    ) -> Result<Option<Position>> {
        if key == Key::Uncaught {
            let at = usize::try_from(n).unwrap_or(usize::MAX);
            return Ok(self.uncaught()?.get(at).copied().map(Position));
        }
        if let Key::Object(object) = key {
            return self.nth_object(object, n);
        }
        let damage = self.blocks.damage();
        let mut left = n;
        for candidate in self.candidates(key)? {
            cancel.check()?;
            if let Some(count) = candidate.count
                && count <= left
                && !damage.contains_key(&candidate.block)
            {
                left -= count;
                continue;
            }
            let Some(block) = self.block(candidate.block)? else {
                continue;
            };
            let matching = self.matching(&block, key)?;
            let mut seen = 0;
            for index in matching.indexes(0, matching.len()) {
                if seen == left {
                    return Ok(Some(Position(block.first + index as u64)));
                }
                seen += 1;
            }
            left -= seen;
        }
        Ok(None)
    }

    fn find_uncaught(&self, from: Position, direction: Direction) -> Result<Option<Position>> {
        let positions = self.uncaught()?;
        let before = positions.partition_point(|position| *position < from.0);
        let found = match direction {
            Direction::Forward => positions.get(before),
            Direction::Backward => before.checked_sub(1).and_then(|at| positions.get(at)),
        };
        Ok(found.copied().map(Position))
    }

    /// The blocks that may hold matches of a key, ascending.
    pub(super) fn candidates(&self, key: Key) -> Result<Vec<Candidate>> {
        let index_key = match key {
            Key::Thread(thread) => IndexKey::new(keys::THREAD, u64::from(thread.0), 0),
            Key::ThreadStep(thread) => IndexKey::new(keys::THREAD_STEP, u64::from(thread.0), 0),
            Key::Step => IndexKey::new(keys::STEP, 0, 0),
            Key::Line(source, line) => IndexKey::new(keys::LINE, u64::from(source.0), line),
            Key::Call(function) => IndexKey::new(keys::CALL, u64::from(function.0), 0),
            Key::VariableWrite(function, slot) => {
                IndexKey::new(keys::VARIABLE, u64::from(function.0), slot)
            }
            Key::Raise | Key::Uncaught => IndexKey::new(keys::RAISE, 0, 0),
            Key::Unwind => IndexKey::new(keys::UNWIND, 0, 0),
            Key::Output => IndexKey::new(keys::OUTPUT, 0, 0),
            Key::Mark => IndexKey::new(keys::MARK, 0, 0),
            Key::External => IndexKey::new(keys::EXTERNAL, 0, 0),
            Key::Object(_) => return Ok(Vec::new()),
            Key::FrameStep(frame)
            | Key::FrameExit(frame)
            | Key::FrameYield(frame)
            | Key::FrameResume(frame)
            | Key::CallFrom(frame)
            | Key::Write(frame, _) => {
                let touches = self.touches(frame)?;
                let counts = touches.iter().map(|touch| {
                    let count = match key {
                        Key::FrameStep(_) => touch.steps,
                        Key::FrameExit(_) => touch.exits,
                        Key::FrameYield(_) => touch.yields,
                        Key::FrameResume(_) => touch.resumes,
                        Key::CallFrom(_) => touch.calls,
                        Key::Write(_, slot) => {
                            let mut writes = touch.writes.iter();
                            writes
                                .find(|write| write.0 == slot)
                                .map_or(0, |write| write.1)
                        }
                        _ => 0,
                    };
                    (touch.block, count)
                });
                return Ok(with_home(counts, self.home_of_frame(frame)));
            }
        };
        let list = self.list(index_key)?;
        let counts = list.iter().map(|posting| (posting.block, posting.count));
        Ok(with_home(counts, None))
    }

    fn matching<'b>(&self, block: &'b DecodedBlock, key: Key) -> Result<Matching<'b>> {
        let mut more = More::Nothing;
        let rows = match key {
            Key::Thread(thread) | Key::ThreadStep(thread) => {
                more = More::Thread(block.local_thread(thread).unwrap_or(u32::MAX));
                None
            }
            Key::FrameStep(frame)
            | Key::FrameExit(frame)
            | Key::FrameYield(frame)
            | Key::Write(frame, _) => Some(Rows(block.rows_of_frame(frame))),
            Key::FrameResume(frame) => {
                more = More::Begins;
                Some(Rows(block.rows_of_frame(frame)))
            }
            Key::CallFrom(frame) => {
                more = More::CalledBy(frame);
                None
            }
            _ => None,
        };
        let codes = block.codes.iter();
        let codes = codes.map(|code| self.code_matches(&code.meaning, key));
        let codes = codes.collect::<Result<Vec<bool>>>()?;
        let matching = Matching {
            block,
            rows,
            codes,
            more,
        };
        if matching.is_empty() {
            return Ok(Matching {
                rows: Some(Rows(&[])),
                ..matching
            });
        }
        Ok(matching)
    }

    pub(super) fn code_matches(&self, meaning: &Meaning, key: Key) -> Result<bool> {
        let kind = meaning.kind;
        Ok(match key {
            Key::Thread(_) => true,
            Key::ThreadStep(_) | Key::Step | Key::FrameStep(_) => kind == Kind::Line,
            Key::FrameExit(_) => matches!(kind, Kind::Return | Kind::Unwind),
            Key::FrameYield(_) => kind == Kind::Yield,
            Key::FrameResume(_) => kind == Kind::Resume,
            Key::Line(source, line) => {
                kind == Kind::Line && meaning.b == line && self.source_of(meaning)? == Some(source)
            }
            Key::Call(function) => kind == Kind::Call && meaning.a == u64::from(function.0),
            Key::CallFrom(_) => matches!(kind, Kind::Call | Kind::Resume),
            Key::Raise | Key::Uncaught => kind == Kind::Raise,
            Key::Unwind => kind == Kind::Unwind,
            Key::Write(_, slot) => kind == Kind::Write && meaning.b == slot,
            Key::VariableWrite(function, slot) => {
                kind == Kind::Write && meaning.b == slot && meaning.function() == Some(function)
            }
            Key::Object(_) => kind.is_object(),
            Key::Output => kind == Kind::Output,
            Key::Mark => kind == Kind::Mark,
            Key::External => kind == Kind::External,
        })
    }

    fn source_of(&self, meaning: &Meaning) -> Result<Option<SourceId>> {
        let function = meaning.function();
        let function = function.map(|function| self.function(function));
        Ok(function.transpose()?.map(|function| function.source))
    }
}

/// Blocks with matches, and the block where the thing itself began, which no index lists.
fn with_home(counts: impl Iterator<Item = (u32, u64)>, home: Option<u32>) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = counts
        .filter(|(_, count)| *count > 0)
        .map(|(block, count)| Candidate {
            block,
            count: Some(count),
        })
        .collect();
    if let Some(block) = home {
        let at = candidates.partition_point(|it| it.block < block);
        if candidates.get(at).is_none_or(|it| it.block != block) {
            candidates.insert(at, Candidate { block, count: None });
        }
    }
    candidates
}
