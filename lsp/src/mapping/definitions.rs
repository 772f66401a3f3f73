//! Which functions and classes of two texts correspond.

use std::collections::HashMap;
use std::hash::Hash;

use retrostep_replay::syntax::Definition;

use super::Text;

/// How much of two definitions is the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sameness {
    /// Their name and place.
    Name,
    /// All, but for the name, the place and the indentation.
    Whole,
}

/// What corresponds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pair {
    /// What stands outside of definitions.
    Texts,
    /// Two definitions, by index.
    Definitions {
        recorded: usize,
        buffer: usize,
        sameness: Sameness,
    },
}

/// All pairs; no definition is in two of them.
pub(super) fn pairs(recorded: &Text, buffer: &Text) -> Vec<Pair> {
    let mut pairing = Pairing {
        recorded: Side::new(recorded),
        buffer: Side::new(buffer),
        by_recorded: vec![None; recorded.syntax().definitions().len()],
        by_buffer: vec![None; buffer.syntax().definitions().len()],
    };
    pairing.pair_inside(None, None);
    pairing.pair_moved();
    let definitions = pairing.by_recorded.iter().enumerate();
    let definitions = definitions.filter_map(|(recorded, found)| {
        let (buffer, sameness) = (*found)?;
        Some(Pair::Definitions {
            recorded,
            buffer,
            sameness,
        })
    });
    std::iter::once(Pair::Texts).chain(definitions).collect()
}

struct Side<'a> {
    text: &'a Text,
    /// The definitions directly in each one, and in none.
    inside: HashMap<Option<usize>, Vec<usize>>,
}

struct Pairing<'a> {
    recorded: Side<'a>,
    buffer: Side<'a>,
    by_recorded: Vec<Option<(usize, Sameness)>>,
    by_buffer: Vec<Option<usize>>,
}

impl<'a> Side<'a> {
    fn new(text: &'a Text) -> Side<'a> {
        let mut inside: HashMap<Option<usize>, Vec<usize>> = HashMap::new();
        for (index, definition) in text.syntax().definitions().iter().enumerate() {
            inside.entry(definition.parent).or_default().push(index);
        }
        Side { text, inside }
    }

    fn definition(&self, index: usize) -> Option<&'a Definition> {
        self.text.syntax().definitions().get(index)
    }

    fn inside(&self, parent: Option<usize>) -> Vec<usize> {
        self.inside.get(&parent).cloned().unwrap_or_default()
    }

    fn shape(&self, index: usize) -> Option<String> {
        self.text.shape(self.definition(index)?)
    }

    /// The sort and the name, and the decorators with the head.
    fn head(&self, index: usize) -> Option<(bool, &'a str, String)> {
        let definition = self.definition(index)?;
        let lines = *definition.lines.start()..=*definition.head.end();
        let head = lines
            .map(|line| self.text.line(line).trim())
            .collect::<Vec<_>>();
        Some((definition.is_class, &definition.name, head.join("\n")))
    }
}

impl Pairing<'_> {
    /// Pairs what has the same name in two that correspond. Of several with one name (the functions of
    /// a property) those with the same head, if only one on either side has it, and all of them if
    /// nothing of them changed.
    fn pair_inside(&mut self, recorded: Option<usize>, buffer: Option<usize>) {
        let of_recorded = self.recorded.inside(recorded);
        let of_buffer = self.buffer.inside(buffer);
        let name = |side: &Side<'_>, index| {
            let definition = side.definition(index)?;
            Some((definition.is_class, definition.name.clone()))
        };
        let pairs = unique(
            of_recorded
                .iter()
                .map(|index| (name(&self.recorded, *index), *index)),
            of_buffer
                .iter()
                .map(|index| (name(&self.buffer, *index), *index)),
        );
        for (recorded, buffer) in pairs {
            self.pair(recorded, buffer);
        }
        let pairs = unique(
            (of_recorded.iter().filter(|index| self.is_free(**index)))
                .map(|index| (self.recorded.head(*index), *index)),
            (of_buffer
                .iter()
                .filter(|index| self.by_buffer.get(**index) == Some(&None)))
            .map(|index| (self.buffer.head(*index), *index)),
        );
        for (recorded, buffer) in pairs {
            self.pair(recorded, buffer);
        }
        self.pair_unchanged(&of_recorded, &of_buffer);
    }

    /// Pairs those of several with one name of which none changed, came or went, one by one.
    fn pair_unchanged(&mut self, of_recorded: &[usize], of_buffer: &[usize]) {
        let mut names: HashMap<&str, (Vec<usize>, Vec<usize>)> = HashMap::new();
        for index in of_recorded.iter().filter(|index| self.is_free(**index)) {
            if let Some(definition) = self.recorded.definition(*index) {
                names.entry(&definition.name).or_default().0.push(*index);
            }
        }
        for index in of_buffer {
            if self.by_buffer.get(*index) == Some(&None)
                && let Some(definition) = self.buffer.definition(*index)
                && let Some((_, buffer)) = names.get_mut(definition.name.as_str())
            {
                buffer.push(*index);
            }
        }
        for (recorded, buffer) in names.into_values() {
            let pairs = || recorded.iter().copied().zip(buffer.iter().copied());
            let is_same = |(from, to)| self.sameness(from, to) == Sameness::Whole;
            if recorded.len() == buffer.len() && pairs().all(is_same) {
                for (recorded, buffer) in pairs() {
                    self.pair(recorded, buffer);
                }
            }
        }
    }

    fn is_free(&self, recorded: usize) -> bool {
        self.by_recorded.get(recorded) == Some(&None)
    }

    fn pair(&mut self, recorded: usize, buffer: usize) {
        let sameness = self.sameness(recorded, buffer);
        if let (Some(forth), Some(back)) = (
            self.by_recorded.get_mut(recorded),
            self.by_buffer.get_mut(buffer),
        ) {
            *forth = Some((buffer, sameness));
            *back = Some(recorded);
        }
        if sameness == Sameness::Whole {
            self.pair_equal(recorded, buffer);
        } else {
            self.pair_inside(Some(recorded), Some(buffer));
        }
    }

    fn sameness(&self, recorded: usize, buffer: usize) -> Sameness {
        let (Some(from), Some(to)) = (
            self.recorded.definition(recorded),
            self.buffer.definition(buffer),
        ) else {
            return Sameness::Name;
        };
        if self.recorded.text.slice(&from.lines) == self.buffer.text.slice(&to.lines) {
            return Sameness::Whole;
        }
        let shape = self.recorded.text.shape(from);
        match shape.is_some() && shape == self.buffer.text.shape(to) {
            true => Sameness::Whole,
            false => Sameness::Name,
        }
    }

    /// Pairs what is in two that are equal as a whole: one by one.
    fn pair_equal(&mut self, recorded: usize, buffer: usize) {
        let of_recorded = self.recorded.inside(Some(recorded));
        let of_buffer = self.buffer.inside(Some(buffer));
        for (recorded, buffer) in of_recorded.into_iter().zip(of_buffer) {
            if let (Some(forth), Some(back)) = (
                self.by_recorded.get_mut(recorded),
                self.by_buffer.get_mut(buffer),
            ) {
                *forth = Some((buffer, Sameness::Whole));
                *back = Some(recorded);
            }
            self.pair_equal(recorded, buffer);
        }
    }

    /// Pairs what was moved or renamed as a whole: recorded ones whose name is gone with those that have
    /// their shape, if only one on either side has it. One that got a name which was another's counts as
    /// the renamed one: the other one is gone.
    fn pair_moved(&mut self) {
        let free: Vec<usize> = (0..self.by_recorded.len())
            .filter(|index| self.is_free(*index))
            .collect();
        if free.is_empty() {
            return;
        }
        let is_whole = |buffer: usize| {
            let recorded = self.by_buffer.get(buffer).copied().flatten();
            let pair = recorded.and_then(|index| self.by_recorded.get(index));
            matches!(pair, Some(Some((_, Sameness::Whole))))
        };
        let changed = (0..self.by_buffer.len()).filter(|index| !is_whole(*index));
        let pairs = unique(
            free.iter()
                .map(|index| (self.recorded.shape(*index), *index)),
            changed.map(|index| (self.buffer.shape(index), index)),
        );
        for (recorded, buffer) in pairs {
            // One around it may have been paired meanwhile.
            if self.is_free(recorded) {
                self.release(buffer);
                self.pair(recorded, buffer);
            }
        }
    }

    /// Undoes the pair of a definition and of those in it.
    fn release(&mut self, buffer: usize) {
        let taken = self.by_buffer.get_mut(buffer).and_then(Option::take);
        if let Some(pair) = taken.and_then(|recorded| self.by_recorded.get_mut(recorded)) {
            *pair = None;
        }
        for inner in self.buffer.inside(Some(buffer)) {
            self.release(inner);
        }
    }
}

/// Pairs what has the same key, where it is the only one with it on either side.
fn unique<K: Eq + Hash>(
    recorded: impl Iterator<Item = (Option<K>, usize)>,
    buffer: impl Iterator<Item = (Option<K>, usize)>,
) -> Vec<(usize, usize)> {
    #[derive(Default)]
    struct Found {
        recorded: Vec<usize>,
        buffer: Vec<usize>,
    }
    let mut found: HashMap<K, Found> = HashMap::new();
    for (key, index) in recorded {
        if let Some(key) = key {
            found.entry(key).or_default().recorded.push(index);
        }
    }
    for (key, index) in buffer {
        if let Some(found) = key.and_then(|key| found.get_mut(&key)) {
            found.buffer.push(index);
        }
    }
    let mut pairs: Vec<(usize, usize)> = found
        .into_values()
        .filter_map(|found| match (&found.recorded[..], &found.buffer[..]) {
            ([recorded], [buffer]) => Some((*recorded, *buffer)),
            _ => None,
        })
        .collect();
    // Outer ones before those in them, and no order that depends on hashes.
    pairs.sort_unstable();
    pairs
}
