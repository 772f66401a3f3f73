//! What a line of code does to variables and objects, told before it runs.
//!
//! A line can only rebind the variables that its instructions bind: no other one is compared after it.
//! Most of its stores and calls act on what plain variables hold. For these the line is *quiet* while
//! its [`Guard`]s hold: its instructions need no events of their own, because each call is known to
//! report its changes itself and each [`Store`] is looked at when the line has run.
//!
//! Where a variable's content cannot be told from the instructions, or is none that a guard accepts,
//! the instruction is looked at when it is about to run, as in [`super::instruction`].

mod walk;

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::Values;
use super::bytecode::{Action, Instruction};
use super::operations::{Jump, Operation};
use super::raw::Object;
use super::shadow::AddressMap;
use walk::{Draft, Walk};

/// What must hold when a line begins, so that its instructions need not be looked at.
#[derive(Debug)]
pub(super) enum Guard {
    /// The global of this name is a callable that reports its changes itself.
    Global(Object),
    /// The variable holds such a callable.
    Callable(u32),
    /// The method of this name of what the variable holds is such a callable.
    Method {
        slot: u32,
        name: Object,
        seen: Cell<(usize, u32)>,
    },
    /// The variable holds exactly a text.
    Text(u32),
    /// The variable holds a value that cannot change in place.
    Scalar(u32),
    /// The variable holds exactly a list or a dict.
    Container(u32),
}

impl Guard {
    fn slot(&self) -> Option<u32> {
        match self {
            Guard::Global(_) => None,
            Guard::Callable(slot)
            | Guard::Method { slot, .. }
            | Guard::Text(slot)
            | Guard::Scalar(slot)
            | Guard::Container(slot) => Some(*slot),
        }
    }
}

/// A store of a quiet line, looked at when the line has run.
#[derive(Clone, Debug)]
pub(super) enum Store {
    /// `container[key] = value`.
    Item { container: u32, key: Key },
    /// `object.name = value`.
    Attribute {
        object: u32,
        name: Object,
        /// The class that was met last, its version, and whether nothing but the attribute changes
        /// when it is assigned in its instances.
        seen: Cell<(usize, u32, bool)>,
    },
}

/// The key of a store.
#[derive(Clone, Copy, Debug)]
pub(super) enum Key {
    /// What a variable holds.
    Slot(u32),
    /// A constant of the code object, which keeps it.
    Constant(Object),
}

/// How an instruction of interest is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is looked at whenever it is about to run.
    Always,
    /// It is looked at unless its line is quiet.
    Guarded,
    /// It changes nothing that is not reported otherwise.
    Never,
}

/// What is known of one line.
#[derive(Debug, Default)]
pub(crate) struct LineFacts {
    /// The recorded variables that it may bind, by their place among them, ascending.
    pub(crate) bound: Box<[u32]>,
    pub(super) guards: Box<[Guard]>,
    pub(super) stores: Box<[Store]>,
    /// Whether any instruction of it is of interest.
    pub(crate) has_sites: bool,
    /// Whether some instruction of it is always looked at.
    pub(crate) has_loud_sites: bool,
    /// A guard failed once: its instructions are looked at from then on.
    pub(super) is_loud: Cell<bool>,
    /// The interpreter was told that some of its instructions are of no interest.
    pub(super) has_disabled: Cell<bool>,
    /// The namespaces for which the globals were found to be as they must, and their versions.
    pub(super) seen_globals: Cell<(usize, u64, u64)>,
}

/// The result of the analysis: facts by line, and the answer of each instruction of interest.
#[derive(Debug, Default)]
pub(super) struct Facts {
    first_line: u32,
    lines: Box<[Option<Box<LineFacts>>]>,
    pub(super) answers: AddressMap<u32, Answer>,
}

impl Facts {
    pub(super) fn of(&self, line: u32) -> Option<&LineFacts> {
        let index = line.checked_sub(self.first_line)?;
        self.lines.get(index as usize)?.as_deref()
    }
}

/// A code object as the analysis needs it.
pub(super) struct Subject<'a> {
    pub(super) instructions: &'a [Instruction],
    /// From where to where which line goes, in bytes; line 0 for none.
    pub(super) spans: &'a [(u32, u32, u32)],
    /// Where the recorded variables stand in the frame.
    pub(super) slots: &'a [u32],
    pub(super) names: &'a [Object],
    pub(super) constants: &'a [Object],
    /// Instructions of interest, by offset.
    pub(super) actions: &'a AddressMap<u32, Action>,
    /// Where exceptions are handled, by index.
    pub(super) handlers: &'a [usize],
}

impl Values {
    /// Finds out what each line does.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held; names and constants are alive.
    pub(super) unsafe fn facts(&self, subject: &Subject<'_>) -> Facts {
        let lines = line_of_each(subject);
        let targets = self.targets(subject);
        let mut walk = Walk::new(self, subject);
        for (index, instruction) in subject.instructions.iter().enumerate() {
            if targets.contains(&index) {
                walk.forget();
            }
            let line = lines.get(index).copied().unwrap_or(0);
            // SAFETY: the caller's.
            unsafe { walk.step(index, instruction, line) };
        }
        let mut drafts = walk.finish();
        if self.layout.minor == 9 {
            self.merge_unseen(subject, &lines, &mut drafts);
        }
        finish(subject, drafts)
    }

    /// Instructions that are reached otherwise than from the one before.
    fn targets(&self, subject: &Subject<'_>) -> BTreeSet<usize> {
        let jumps = (0..subject.instructions.len()).filter_map(|index| self.target(subject, index));
        jumps.chain(subject.handlers.iter().copied()).collect()
    }

    /// Where an instruction jumps to.
    fn target(&self, subject: &Subject<'_>, index: usize) -> Option<usize> {
        let instruction = subject.instructions.get(index)?;
        let Operation::Jump(jump) = self.operations.of(instruction.opcode) else {
            return None;
        };
        let minor = self.layout.minor;
        let argument = instruction.argument as usize;
        let distance = if minor == 9 { argument / 2 } else { argument };
        let caches = subject.instructions.get(index + 1..)?;
        let caches = caches
            .iter()
            .take_while(|instruction| minor >= 11 && instruction.opcode == 0)
            .count();
        let next = index + 1 + caches;
        match jump {
            Jump::ByVersion if minor < 11 => Some(distance),
            Jump::Backward => next.checked_sub(distance),
            Jump::Forward | Jump::Handler | Jump::ByVersion => Some(next + distance),
        }
    }

    /// Where 3.9 jumps into the middle of another line it reports no line: what that line does counts
    /// for the one that jumped as well.
    fn merge_unseen(
        &self,
        subject: &Subject<'_>,
        lines: &[u32],
        drafts: &mut BTreeMap<u32, Draft>,
    ) {
        for index in 0..subject.instructions.len() {
            let Some(target) = self.target(subject, index) else {
                continue;
            };
            let (Some(&from), Some(&to)) = (lines.get(index), lines.get(target)) else {
                continue;
            };
            let is_start = target == 0 || lines.get(target - 1) != Some(&to);
            if from == to || is_start || target <= index {
                continue;
            }
            let Some(entered) = drafts.get_mut(&to) else {
                continue;
            };
            entered.is_entered_unseen = true;
            let bound = entered.bound.clone();
            let has_sites = !entered.sites.is_empty();
            let handles = subject.instructions.get(index).is_some_and(|instruction| {
                self.operations.of(instruction.opcode) == Operation::Jump(Jump::Handler)
            });
            // An exception can come from any line.
            let source = drafts.entry(if handles { 0 } else { from }).or_default();
            source.bound.extend(bound);
            source.is_entered_unseen |= has_sites;
        }
    }
}

fn line_of_each(subject: &Subject<'_>) -> Vec<u32> {
    let mut spans = subject.spans.iter().peekable();
    subject
        .instructions
        .iter()
        .map(|instruction| {
            let offset = instruction.offset as u32;
            while spans.next_if(|(_, end, _)| *end <= offset).is_some() {}
            match spans.peek() {
                Some((start, _, line)) if *start <= offset => *line,
                _ => 0,
            }
        })
        .collect()
}

/// Settles which instructions a line's guards answer for.
fn finish(subject: &Subject<'_>, mut drafts: BTreeMap<u32, Draft>) -> Facts {
    // What belongs to no line runs within any.
    let unlined = drafts.remove(&0).unwrap_or_default();
    if !unlined.bound.is_empty() {
        for (_, _, line) in subject.spans.iter().filter(|(_, _, line)| *line > 0) {
            drafts.entry(*line).or_default();
        }
    }
    let unlined: Vec<u32> = unlined.bound.iter().map(|(slot, _)| *slot).collect();
    let first_line = drafts.keys().next().copied().unwrap_or(0);
    let last_line = drafts.keys().next_back().copied().unwrap_or(0);
    let count = if first_line == 0 {
        0
    } else {
        (last_line - first_line) as usize + 1
    };
    let mut facts = Facts {
        first_line,
        lines: (0..count).map(|_| None).collect(),
        answers: AddressMap::default(),
    };
    for (line, draft) in drafts {
        let is_rebound = |slot: u32, read: usize| {
            unlined.contains(&slot)
                || draft
                    .bound
                    .iter()
                    .any(|(bound, at)| *bound == slot && (*at <= read || draft.goes_back))
        };
        let is_bound = |slot: u32| {
            unlined.contains(&slot) || draft.bound.iter().any(|(bound, _)| *bound == slot)
        };
        let mut new = LineFacts::default();
        let (mut guards, mut stores) = (Vec::new(), Vec::new());
        let unsure = draft.is_entered_unseen;
        for site in draft.sites {
            let guard_holds = match &site.guard {
                Some((guard, read)) => guard.slot().is_none_or(|slot| !is_rebound(slot, *read)),
                None => true,
            };
            let store_stays = match &site.store {
                Some(Store::Item { container, key }) => {
                    !is_bound(*container) && !matches!(key, Key::Slot(slot) if is_bound(*slot))
                }
                Some(Store::Attribute { object, .. }) => !is_bound(*object),
                None => true,
            };
            let answer =
                if site.answer == Answer::Guarded && (unsure || !guard_holds || !store_stays) {
                    Answer::Always
                } else {
                    site.answer
                };
            if answer == Answer::Guarded {
                guards.extend(site.guard.map(|(guard, _)| guard));
                stores.extend(site.store);
            }
            new.has_sites |= answer != Answer::Never;
            new.has_loud_sites |= answer == Answer::Always;
            facts.answers.insert(site.offset, answer);
        }
        new.guards = guards.into();
        new.stores = stores.into();
        let bound: BTreeSet<u32> = draft
            .bound
            .iter()
            .map(|(slot, _)| *slot)
            .chain(unlined.iter().copied())
            .filter_map(|raw| subject.slots.iter().position(|slot| *slot == raw))
            .filter_map(|place| u32::try_from(place).ok())
            .collect();
        new.bound = bound.into_iter().collect();
        let index = line.checked_sub(first_line).map(|index| index as usize);
        if let Some(place) = index.and_then(|index| facts.lines.get_mut(index)) {
            *place = Some(Box::new(new));
        }
    }
    facts
}
