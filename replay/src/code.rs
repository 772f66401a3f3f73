//! A recorded source: its text, its structure, and which recorded functions are which definitions.

use std::collections::HashMap;
use std::sync::Arc;

use retrostep_trace::{
    CancellationToken, Function, FunctionId, FunctionKind, Position, Recording, Result, SourceId,
};

use crate::calls::count_calls;
use crate::syntax::{StatementKind, Syntax};

/// A recorded source and the functions of it that ran.
#[derive(Debug)]
pub struct SourceCode {
    /// Which source of the recording.
    pub source: SourceId,
    /// The recorded text; empty if there is none.
    pub text: String,
    /// Its structure.
    pub syntax: Syntax,
    functions: Vec<CodeFunction>,
    /// Which of them a part of the text is, by index.
    by_owner: HashMap<Owner, Vec<usize>>,
    /// By line, from 0 on.
    plans: Vec<Plan>,
    /// Whether every line that runs has an event of its own.
    exact_lines: bool,
}

/// A recorded function with what it is in the text.
#[derive(Clone, Debug)]
pub struct CodeFunction {
    /// The function.
    pub id: FunctionId,
    /// Its facts.
    pub function: Arc<Function>,
    /// What it is in the text.
    pub owner: Owner,
}

/// What the statements of a line do, as far as events are read by it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// The names that they bind.
    pub(crate) targets: Vec<Arc<str>>,
    /// How many of them, from the first, are bound whenever the line is done.
    pub(crate) assigned: usize,
    /// The condition or loop that is decided, if the lines that run tell how.
    pub(crate) branch: Option<usize>,
    /// Whether it returns.
    pub(crate) returns: bool,
    /// The lines of its statement.
    pub(crate) lines: (u32, u32),
}

/// What a recorded function is in the text of its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Owner {
    /// The text itself: a module's top level.
    Module,
    /// A definition, by index into [`Syntax::definitions`].
    Definition(usize),
    /// A part of a line: a lambda or a comprehension.
    Part,
}

impl SourceCode {
    /// Reads a source of a recording.
    ///
    /// Cost: the reading of its text and of the facts of all functions.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Corrupt`] if there is no such source or it cannot be read.
    pub fn read(recording: &Recording, source: SourceId) -> Result<SourceCode> {
        let recorded = recording.source(source)?;
        let bytes = recorded.text.as_deref().unwrap_or_default();
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        if text.contains('\r') {
            // A line can end with a carriage return alone.
            text = text.replace("\r\n", "\n").replace('\r', "\n");
        }
        let syntax = Syntax::parse(&text);
        let mut functions = Vec::new();
        for id in (0..recording.function_count()).map(FunctionId) {
            let Ok(function) = recording.function(id) else {
                continue;
            };
            if function.source == source {
                let owner = owner(&syntax, &function);
                functions.push(CodeFunction {
                    id,
                    function,
                    owner,
                });
            }
        }
        let mut code = SourceCode {
            source,
            text,
            syntax,
            by_owner: HashMap::new(),
            functions,
            plans: Vec::new(),
            exact_lines: !recording.header().language.starts_with("Python 3.9"),
        };
        for (index, function) in code.functions.iter().enumerate() {
            code.by_owner.entry(function.owner).or_default().push(index);
        }
        code.plans = code.make_plans();
        Ok(code)
    }

    fn make_plans(&self) -> Vec<Plan> {
        let mut lines: Vec<u32> = Vec::new();
        for function in &self.functions {
            lines.extend(&function.function.lines);
        }
        lines.sort_unstable();
        let count = lines.last().map_or(0, |last| *last as usize + 1);
        let mut plans = vec![Plan::default(); count];
        lines.dedup();
        for &line in &lines {
            if let Some(plan) = plans.get_mut(line as usize) {
                *plan = self.make_plan(line, &lines);
            }
        }
        plans
    }

    fn make_plan(&self, line: u32, lines: &[u32]) -> Plan {
        let mut plan = Plan {
            branch: self.branch_at(lines, line),
            ..Plan::default()
        };
        let mut count = 0;
        for (_, statement) in self.syntax.statements_at(line) {
            count += 1;
            let names = statement.targets.iter();
            let names = names.filter_map(|range| self.text.get(range.clone()));
            plan.targets.extend(names.map(Arc::from));
            plan.assigned = statement.assigned;
            plan.returns |= statement.kind == StatementKind::Return;
            plan.lines = (*statement.lines.start(), *statement.lines.end());
        }
        if count > 1 {
            // Which of them are done is not to be seen.
            plan.assigned = 0;
        }
        plan
    }

    /// One more than the last line that has code.
    pub(crate) fn line_count(&self) -> usize {
        self.plans.len()
    }

    /// What the statements of a line do.
    pub(crate) fn plan(&self, line: u32) -> Option<&Plan> {
        self.plans.get(line as usize)
    }

    /// Brings the names that a line binds into the order in which they stand in it.
    pub(crate) fn sort_targets<T>(&self, line: u32, bound: &mut [(Arc<str>, T)]) {
        if bound.len() > 1
            && let Some(plan) = self.plan(line)
        {
            bound.sort_by_key(|(name, _)| plan.targets.iter().position(|known| known == name));
        }
    }

    /// The recorded functions, in the order of their ids.
    #[must_use]
    pub fn functions(&self) -> &[CodeFunction] {
        &self.functions
    }

    /// The recorded function with this id, if it is of this source.
    #[must_use]
    pub fn function(&self, id: FunctionId) -> Option<&CodeFunction> {
        let found = self.functions.binary_search_by_key(&id, |known| known.id);
        found.ok().and_then(|index| self.functions.get(index))
    }

    /// The recorded functions that are this part of the text: several where the code was made again.
    pub fn functions_of(&self, owner: Owner) -> impl Iterator<Item = &CodeFunction> {
        let found = self.by_owner.get(&owner).into_iter().flatten();
        found.filter_map(|index| self.functions.get(*index))
    }

    /// Which call of how many of `function` the one at `call` is, from 1: of all code objects of the same
    /// name and line, as the code may have been made again.
    ///
    /// # Errors
    ///
    /// [`retrostep_trace::Error::Cancelled`], [`retrostep_trace::Error::Io`].
    pub fn call_number(
        &self,
        recording: &Recording,
        function: &Function,
        call: Position,
        cancel: &CancellationToken,
    ) -> Result<(u64, u64)> {
        let alike = self.functions.iter().filter(|known| {
            let known = &known.function;
            known.first_line == function.first_line
                && known.qualified_name == function.qualified_name
        });
        let ids: Vec<FunctionId> = alike.map(|known| known.id).collect();
        let before = count_calls(recording, &ids, call, cancel)?;
        let total = count_calls(recording, &ids, recording.end(), cancel)?;
        Ok((before + 1, total))
    }

    /// What a line belongs to: the innermost definition whose statements it is among. The head of a
    /// definition belongs to what is around it.
    #[must_use]
    pub fn owner_of_line(&self, line: u32) -> Owner {
        let statement = self.syntax.statements_at(line).last();
        let definition = match statement {
            Some((_, statement)) => statement.definition,
            None => self.syntax.definition_at(line),
        };
        definition.map_or(Owner::Module, Owner::Definition)
    }

    /// The head of a loop or condition that a line is in, if it can be seen from the lines that ran what
    /// became of it. `lines` are those that have code.
    fn branch_at(&self, lines: &[u32], line: u32) -> Option<usize> {
        let mut found = None;
        for (index, statement) in self.syntax.statements_at(line) {
            let Some(body) = &statement.body else {
                return None;
            };
            let first = *body.start();
            let has_code = lines.binary_search(&first).is_ok();
            let is_jump = || {
                let mut inside = self.syntax.statements_at(first);
                inside.any(|(_, statement)| statement.kind == StatementKind::Jump)
            };
            let is_branch = matches!(
                statement.kind,
                StatementKind::If | StatementKind::For | StatementKind::While
            );
            if !is_branch || !has_code || (!self.exact_lines && is_jump()) {
                return None;
            }
            found = Some(index);
        }
        found
    }

    /// The text of a line, without its end.
    #[must_use]
    pub fn line(&self, line: u32) -> &str {
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
        self.text.lines().nth(index).unwrap_or_default()
    }
}

fn owner(syntax: &Syntax, function: &Function) -> Owner {
    if function.kind == FunctionKind::Module {
        return Owner::Module;
    }
    let mut definitions = syntax.definitions().iter();
    let found = definitions.position(|definition| {
        *definition.lines.start() == function.first_line
            && definition.name == *function.name
            && definition.is_class == (function.kind == FunctionKind::Class)
    });
    found.map_or(Owner::Part, Owner::Definition)
}
