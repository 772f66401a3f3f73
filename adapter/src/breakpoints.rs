//! What a client asked to stop at, kept from before a recording is open and from one to the next.

use std::collections::{BTreeMap, HashMap, HashSet};

use retrostep_replay::{
    BreakpointId, DataBreakpoint, ExceptionFilter, FunctionBreakpoint, LineBreakpoint,
    ResolvedBreakpoint, Timeline,
};

/// The breakpoints of a connection. Clients see numbers of the adapter, which outlive a timeline.
#[derive(Debug, Default)]
pub(crate) struct Breakpoints {
    lines: BTreeMap<String, Asked<LineBreakpoint>>,
    functions: Asked<FunctionBreakpoint>,
    data: Asked<DataBreakpoint>,
    filters: Vec<ExceptionFilter>,
    /// Data breakpoints' names, as they were told with their ids.
    pub(crate) data_names: HashMap<String, String>,
    numbers: HashMap<BreakpointId, i64>,
    printed: HashSet<i64>,
    /// The breakpoints that the client was told of as verified.
    verified: HashSet<i64>,
    last: i64,
}

/// Breakpoints that replace each other, with the client's number of each.
#[derive(Debug)]
struct Asked<T> {
    items: Vec<T>,
    numbers: Vec<i64>,
}

impl<T> Default for Asked<T> {
    fn default() -> Self {
        Asked {
            items: Vec::new(),
            numbers: Vec::new(),
        }
    }
}

/// A breakpoint with the client's number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Numbered {
    pub(crate) number: i64,
    /// What became of it; `None` while no recording is open.
    pub(crate) resolved: Option<ResolvedBreakpoint>,
}

impl Numbered {
    fn is_verified(&self) -> bool {
        self.resolved.as_ref().is_some_and(|one| one.verified)
    }
}

/// What a timeline shows that breakpoints are set in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// Another recording than the one before.
    Other,
    /// The same recording, which has grown.
    Longer,
}

/// A logpoint whose past has not been printed yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Unprinted {
    pub(crate) id: BreakpointId,
    pub(crate) number: i64,
}

impl Breakpoints {
    pub(crate) fn set_lines(
        &mut self,
        timeline: Option<&mut Timeline>,
        path: &str,
        items: Vec<LineBreakpoint>,
    ) -> retrostep_replay::Result<Vec<Numbered>> {
        let resolved = match timeline {
            Some(timeline) => Some(timeline.set_line_breakpoints(path, &items)?),
            None => None,
        };
        let old = self.lines.remove(path).unwrap_or_default();
        let asked = self.numbered(old, items, resolved.as_deref());
        let answer = answer(&asked.numbers, resolved);
        self.lines.insert(path.to_owned(), asked);
        self.remember_verified(&answer);
        Ok(answer)
    }

    pub(crate) fn set_functions(
        &mut self,
        timeline: Option<&mut Timeline>,
        items: Vec<FunctionBreakpoint>,
    ) -> retrostep_replay::Result<Vec<Numbered>> {
        let resolved = match timeline {
            Some(timeline) => Some(timeline.set_function_breakpoints(&items)?),
            None => None,
        };
        let old = std::mem::take(&mut self.functions);
        self.functions = self.numbered(old, items, resolved.as_deref());
        let answer = answer(&self.functions.numbers, resolved);
        self.remember_verified(&answer);
        Ok(answer)
    }

    pub(crate) fn set_data(
        &mut self,
        timeline: Option<&mut Timeline>,
        items: Vec<DataBreakpoint>,
    ) -> retrostep_replay::Result<Vec<Numbered>> {
        let resolved = match timeline {
            Some(timeline) => Some(timeline.set_data_breakpoints(&items)?),
            None => None,
        };
        let old = std::mem::take(&mut self.data);
        self.data = self.numbered(old, items, resolved.as_deref());
        let answer = answer(&self.data.numbers, resolved);
        self.remember_verified(&answer);
        Ok(answer)
    }

    pub(crate) fn set_filters(
        &mut self,
        timeline: Option<&mut Timeline>,
        filters: Vec<ExceptionFilter>,
    ) {
        if let Some(timeline) = timeline {
            timeline.set_exception_filters(&filters);
        }
        self.filters = filters;
    }

    /// Sets everything that was asked for in a timeline that has nothing yet, and says what became of
    /// it. The numbers stay. Data breakpoints belong to one recording: they are dropped for another.
    pub(crate) fn apply(
        &mut self,
        timeline: &mut Timeline,
        recording: Reading,
    ) -> retrostep_replay::Result<Vec<Numbered>> {
        self.numbers.clear();
        if recording == Reading::Other {
            self.printed.clear();
            self.verified.clear();
            self.data = Asked::default();
        }
        let mut answers = Vec::new();
        for (path, asked) in &self.lines {
            let resolved = timeline.set_line_breakpoints(path, &asked.items)?;
            answers.extend(answer(&asked.numbers, Some(resolved)));
        }
        let resolved = timeline.set_function_breakpoints(&self.functions.items)?;
        answers.extend(answer(&self.functions.numbers, Some(resolved)));
        let resolved = timeline.set_data_breakpoints(&self.data.items)?;
        answers.extend(answer(&self.data.numbers, Some(resolved)));
        timeline.set_exception_filters(&self.filters);
        for answer in &answers {
            if let Some(resolved) = &answer.resolved {
                self.numbers.insert(resolved.id, answer.number);
            }
        }
        if recording == Reading::Longer {
            answers
                .retain(|answer| answer.is_verified() && !self.verified.contains(&answer.number));
        }
        self.remember_verified(&answers);
        Ok(answers)
    }

    fn remember_verified(&mut self, answers: &[Numbered]) {
        let verified = answers.iter().filter(|answer| answer.is_verified());
        self.verified.extend(verified.map(|answer| answer.number));
    }

    /// The client's numbers of breakpoints that were hit.
    pub(crate) fn numbers_of(&self, hit: &[BreakpointId]) -> Vec<i64> {
        hit.iter()
            .filter_map(|id| self.numbers.get(id).copied())
            .collect()
    }

    /// The logpoints whose past was not printed yet, which is then taken as printed.
    pub(crate) fn take_unprinted(&mut self) -> Vec<Unprinted> {
        let ids: HashMap<i64, BreakpointId> = self
            .numbers
            .iter()
            .map(|(id, number)| (*number, *id))
            .collect();
        let logpoints: Vec<i64> = self
            .lines
            .values()
            .flat_map(|asked| asked.items.iter().zip(&asked.numbers))
            .filter(|(item, _)| item.log_message.is_some())
            .map(|(_, number)| *number)
            .collect();
        self.printed.retain(|number| logpoints.contains(number));
        logpoints
            .into_iter()
            .filter(|number| self.printed.insert(*number))
            .filter_map(|number| {
                let id = *ids.get(&number)?;
                Some(Unprinted { id, number })
            })
            .collect()
    }

    /// Gives each item a number: the one that its breakpoint of the engine has, else the one that an
    /// equal item had, else a new one.
    fn numbered<T: PartialEq>(
        &mut self,
        old: Asked<T>,
        items: Vec<T>,
        resolved: Option<&[ResolvedBreakpoint]>,
    ) -> Asked<T> {
        let mut old: Vec<(T, i64)> = old.items.into_iter().zip(old.numbers).collect();
        let mut numbers = Vec::with_capacity(items.len());
        for (index, item) in items.iter().enumerate() {
            let same = old.iter().position(|(other, _)| other == item);
            let kept = same.map(|same| old.swap_remove(same).1);
            let id = resolved
                .and_then(|resolved| resolved.get(index))
                .map(|resolved| resolved.id);
            let known = id.and_then(|id| self.numbers.get(&id).copied());
            let number = known.or(kept).unwrap_or_else(|| {
                self.last += 1;
                self.last
            });
            if let Some(id) = id {
                self.numbers.insert(id, number);
            }
            numbers.push(number);
        }
        Asked { items, numbers }
    }
}

fn answer(numbers: &[i64], resolved: Option<Vec<ResolvedBreakpoint>>) -> Vec<Numbered> {
    let mut resolved = resolved.into_iter().flatten();
    numbers
        .iter()
        .map(|number| Numbered {
            number: *number,
            resolved: resolved.next(),
        })
        .collect()
}
