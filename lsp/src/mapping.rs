//! Which line of a buffer a recorded line is.
//!
//! Truth comes first: a line that is not certainly the same one has no counterpart. Pure functions over
//! two texts; lines count from 1.
//!
//! - Only lines whose text is unchanged map, and all lines of a statement (or of a head) map to lines
//!   that follow each other, or none of them maps.
//! - Lines map only between definitions that correspond: those with the same name in the same place, or
//!   those that are equal as a whole but for their name, their place and their indentation.
//! - Of a definition that is equal as a whole every line maps, the one with its name included.
//! - Line endings and a byte order mark are no changes.

mod definitions;
mod text;

use imara_diff::{Algorithm, Diff, Token};
use std::collections::HashMap;
use std::ops::RangeInclusive;

use definitions::{Pair, Sameness};
pub(crate) use text::{Text, with_line_feeds};

/// Where the lines and definitions of a recorded text are in a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LineMap {
    /// By recorded line, from the first; 0 where there is none.
    to_buffer: Vec<u32>,
    /// By line of the buffer, likewise.
    to_recorded: Vec<u32>,
    /// By index of the recorded definition.
    definitions: Vec<Option<usize>>,
}

impl LineMap {
    /// Compares a recorded text with a buffer.
    ///
    /// Cost: in proportion to the text where they are equal; the difference is searched for only inside
    /// of definitions that changed, and in what stands outside of definitions.
    pub(crate) fn new(recorded: &Text, buffer: &Text) -> LineMap {
        let pairs = definitions::pairs(recorded, buffer);
        let mut map = LineMap {
            to_buffer: vec![0; recorded.line_count()],
            to_recorded: vec![0; buffer.line_count()],
            definitions: vec![None; recorded.syntax().definitions().len()],
        };
        for pair in &pairs {
            if let Pair::Definitions {
                recorded, buffer, ..
            } = *pair
                && let Some(place) = map.definitions.get_mut(recorded)
            {
                *place = Some(buffer);
            }
        }
        let recorded_lines = recorded.own_lines();
        let buffer_lines = buffer.own_lines();
        for pair in &pairs {
            let owners = match *pair {
                Pair::Texts => (0, 0),
                Pair::Definitions {
                    recorded, buffer, ..
                } => (recorded + 1, buffer + 1),
            };
            let (Some(from), Some(to)) = (recorded_lines.get(owners.0), buffer_lines.get(owners.1))
            else {
                continue;
            };
            match pair {
                Pair::Definitions {
                    sameness: Sameness::Whole,
                    recorded: definition,
                    ..
                } if equal_one_by_one(recorded, *definition, from, buffer, to) => {
                    for (from, to) in from.iter().zip(to) {
                        map.set(*from, *to);
                    }
                }
                _ => map.align(recorded, from, buffer, to),
            }
        }
        map.keep_whole_statements(recorded, buffer);
        map
    }

    /// The buffer's line that a recorded line is.
    pub(crate) fn to_buffer(&self, recorded: u32) -> Option<u32> {
        counterpart(&self.to_buffer, recorded)
    }

    /// The recorded line that a line of the buffer is.
    pub(crate) fn to_recorded(&self, buffer: u32) -> Option<u32> {
        counterpart(&self.to_recorded, buffer)
    }

    /// The buffer's definition that a recorded one is, changed or not; by index in their syntax.
    pub(crate) fn definition_to_buffer(&self, recorded: usize) -> Option<usize> {
        self.definitions.get(recorded).copied().flatten()
    }

    fn set(&mut self, recorded: u32, buffer: u32) {
        if let (Some(forth), Some(back)) = (
            place(&mut self.to_buffer, recorded),
            place(&mut self.to_recorded, buffer),
        ) {
            *forth = buffer;
            *back = recorded;
        }
    }

    fn unset(&mut self, recorded: u32) {
        if let Some(forth) = place(&mut self.to_buffer, recorded) {
            let buffer = std::mem::take(forth);
            if let Some(back) = place(&mut self.to_recorded, buffer) {
                *back = 0;
            }
        }
    }

    /// Maps the lines that a shortest difference leaves as they are.
    fn align(&mut self, recorded: &Text, from: &[u32], buffer: &Text, to: &[u32]) {
        let same = |from: &u32, to: &u32| recorded.line(*from) == buffer.line(*to);
        let prefix = (from.iter().zip(to))
            .take_while(|(from, to)| same(from, to))
            .count();
        let (front, from) = from.split_at(prefix);
        let (front_to, to) = to.split_at(prefix);
        let suffix = (from.iter().rev().zip(to.iter().rev()))
            .take_while(|(from, to)| same(from, to))
            .count();
        let (from, back) = from.split_at(from.len() - suffix);
        let (to, back_to) = to.split_at(to.len() - suffix);
        let edges = front.iter().zip(front_to).chain(back.iter().zip(back_to));
        for (from, to) in edges {
            self.set(*from, *to);
        }
        if from.is_empty() || to.is_empty() {
            return;
        }
        let mut tokens: HashMap<&str, u32> = HashMap::new();
        let before: Vec<Token> = from
            .iter()
            .map(|line| token(&mut tokens, recorded, *line))
            .collect();
        let after: Vec<Token> = to
            .iter()
            .map(|line| token(&mut tokens, buffer, *line))
            .collect();
        let mut diff = Diff::default();
        let count = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
        diff.compute_with(Algorithm::Histogram, &before, &after, count);
        let kept = |lines: &[u32], is_changed: &dyn Fn(u32) -> bool| -> Vec<u32> {
            let numbered = (0_u32..).zip(lines);
            let kept = numbered.filter(|(index, _)| !is_changed(*index));
            kept.map(|(_, line)| *line).collect()
        };
        let kept_from = kept(from, &|index| diff.is_removed(index));
        let kept_to = kept(to, &|index| diff.is_added(index));
        for (from, to) in kept_from.iter().zip(&kept_to) {
            self.set(*from, *to);
        }
    }

    /// Takes away the lines of statements of which not all lines map, or not to lines in sequence.
    fn keep_whole_statements(&mut self, recorded: &Text, buffer: &Text) {
        let of_recorded = recorded.long_statements();
        let of_buffer = buffer.long_statements();
        // A line that two statements share may undo the other one.
        loop {
            let mut undone = Vec::new();
            for lines in &of_recorded {
                if !follow(&self.to_buffer, lines) {
                    undone.extend(lines.clone().filter(|line| self.to_buffer(*line).is_some()));
                }
            }
            for lines in &of_buffer {
                if !follow(&self.to_recorded, lines) {
                    undone.extend(lines.clone().filter_map(|line| self.to_recorded(line)));
                }
            }
            if undone.is_empty() {
                return;
            }
            for line in undone {
                self.unset(line);
            }
        }
    }
}

/// Whether the lines of a definition are those of another one but for their indentation; its name's line
/// does not count.
fn equal_one_by_one(
    recorded: &Text,
    definition: usize,
    from: &[u32],
    buffer: &Text,
    to: &[u32],
) -> bool {
    let definition = recorded.syntax().definitions().get(definition);
    let head = definition.map(|definition| definition.head.clone());
    let is_head = |line: &u32| head.as_ref().is_some_and(|head| head.contains(line));
    from.len() == to.len()
        && (from.iter().zip(to)).all(|(from, to)| {
            is_head(from) || recorded.line(*from).trim() == buffer.line(*to).trim()
        })
}

/// Whether lines have counterparts in sequence, or none at all.
fn follow(counterparts: &[u32], lines: &RangeInclusive<u32>) -> bool {
    let first = counterpart(counterparts, *lines.start());
    let mut expected = first;
    for line in lines.clone() {
        if counterpart(counterparts, line) != expected {
            return false;
        }
        expected = expected.map(|line| line + 1);
    }
    true
}

fn counterpart(counterparts: &[u32], line: u32) -> Option<u32> {
    let index = usize::try_from(line.checked_sub(1)?).ok()?;
    counterparts.get(index).copied().filter(|line| *line > 0)
}

fn place(counterparts: &mut [u32], line: u32) -> Option<&mut u32> {
    let index = usize::try_from(line.checked_sub(1)?).ok()?;
    counterparts.get_mut(index)
}

fn token<'a>(tokens: &mut HashMap<&'a str, u32>, text: &'a Text, line: u32) -> Token {
    let next = u32::try_from(tokens.len()).unwrap_or(u32::MAX);
    Token(*tokens.entry(text.line(line)).or_insert(next))
}

#[cfg(test)]
mod tests;
