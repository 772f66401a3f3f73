//! What a line of code does to variables and objects, told before it runs.
//!
//! A line can only rebind the variables that its instructions bind: no other one is compared after it.
//! Most of its stores and calls act on what plain variables hold. For these the line is *quiet* while
//! its [`Guard`]s hold: its instructions need no events of their own, because each call is known to
//! report its changes itself and each [`Store`] is looked at when the line has run.
//!
//! Where a variable's content cannot be told from the instructions, or is none that a guard accepts,
//! the instruction is looked at when it is about to run, as in [`super::instruction`].

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};

use super::Values;
use super::bytecode::{Action, Instruction};
use super::operations::{Jump, Operation};
use super::raw::{self, Object, type_of};
use super::shadow::AddressMap;

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

/// Where an operand comes from.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Operand {
    Unknown,
    Null,
    /// A variable, and the instruction that read it.
    Local(u32, usize),
    Global(Object),
    Constant(Object),
    /// Exactly a text.
    Text,
    /// Exactly a text if the variable held one at that instruction.
    TextIf(u32, usize),
    Method(Receiver, Object),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Receiver {
    Unknown,
    Local(u32, usize),
    Text,
    TextIf(u32, usize),
}

/// Methods of `str` that give a `str`.
const TEXT_METHODS: [&[u8]; 16] = [
    b"strip",
    b"lstrip",
    b"rstrip",
    b"lower",
    b"upper",
    b"replace",
    b"title",
    b"capitalize",
    b"casefold",
    b"swapcase",
    b"zfill",
    b"ljust",
    b"rjust",
    b"center",
    b"removeprefix",
    b"removesuffix",
];

/// What is being found out of one line.
#[derive(Default)]
struct Draft {
    /// Variables bound, and where.
    bound: Vec<(u32, usize)>,
    sites: Vec<SiteDraft>,
    goes_back: bool,
    /// It can be entered without an event of its own.
    is_entered_unseen: bool,
}

struct SiteDraft {
    offset: u32,
    answer: Answer,
    guard: Option<(Guard, usize)>,
    store: Option<Store>,
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
        let mut walk = Walk {
            values: self,
            subject,
            stack: Vec::new(),
            drafts: BTreeMap::new(),
        };
        for (index, instruction) in subject.instructions.iter().enumerate() {
            if targets.contains(&index) {
                walk.stack.clear();
            }
            let line = lines.get(index).copied().unwrap_or(0);
            // SAFETY: the caller's.
            unsafe { walk.step(index, instruction, line) };
        }
        if self.layout.minor == 9 {
            self.merge_unseen(subject, &lines, &mut walk.drafts);
        }
        finish(subject, walk.drafts)
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

struct Walk<'a> {
    values: &'a Values,
    subject: &'a Subject<'a>,
    /// The operands known to be on top of the stack.
    stack: Vec<Operand>,
    drafts: BTreeMap<u32, Draft>,
}

impl Walk<'_> {
    fn push(&mut self, operand: Operand) {
        self.stack.push(operand);
    }

    fn pop(&mut self) -> Operand {
        self.stack.pop().unwrap_or(Operand::Unknown)
    }

    fn drop_top(&mut self, count: usize) {
        for _ in 0..count {
            self.pop();
        }
    }

    /// The operand so far from the top, the top being 1.
    fn peek(&self, distance: usize) -> Operand {
        let index = self.stack.len().checked_sub(distance);
        let operand = index.and_then(|index| self.stack.get(index));
        operand.copied().unwrap_or(Operand::Unknown)
    }

    /// Makes the top of the stack at least so deep.
    fn fill(&mut self, depth: usize) {
        while self.stack.len() < depth {
            self.stack.insert(0, Operand::Unknown);
        }
    }

    fn bind(&mut self, line: u32, slot: u32, index: usize) {
        self.drafts
            .entry(line)
            .or_default()
            .bound
            .push((slot, index));
    }

    fn name(&self, index: u32) -> Option<Object> {
        self.subject.names.get(index as usize).copied()
    }

    /// # Safety
    ///
    /// Names and constants are alive.
    unsafe fn step(&mut self, index: usize, instruction: &Instruction, line: u32) {
        let minor = self.values.layout.minor;
        let argument = instruction.argument;
        let operation = self.values.operations.of(instruction.opcode);
        let offset = u32::try_from(instruction.offset).unwrap_or(u32::MAX);
        if let Some(action) = self.subject.actions.get(&offset).copied()
            && !matches!(action, Action::Reraise(_))
        {
            // SAFETY: the caller's.
            let site = unsafe { self.site(offset, action, operation, argument) };
            self.drafts.entry(line).or_default().sites.push(site);
        }
        match operation {
            Operation::Unknown => self.stack.clear(),
            Operation::Bind => {
                self.bind(line, argument, index);
                if instruction.opcode != self.values.opcodes.delete_fast {
                    self.pop();
                }
            }
            Operation::BindTwo => {
                self.bind(line, argument >> 4, index);
                self.bind(line, argument & 15, index);
                self.drop_top(2);
            }
            Operation::BindLoad => {
                self.bind(line, argument >> 4, index);
                self.pop();
                self.push(Operand::Local(argument & 15, index));
            }
            Operation::LoadClear => {
                self.bind(line, argument, index);
                self.push(Operand::Unknown);
            }
            Operation::Load => self.push(Operand::Local(argument, index)),
            Operation::LoadTwo => {
                self.push(Operand::Local(argument >> 4, index));
                self.push(Operand::Local(argument & 15, index));
            }
            Operation::LoadConstant => {
                let constant = self.subject.constants.get(argument as usize).copied();
                // SAFETY: the caller's.
                let is_text = constant.is_some_and(|constant| unsafe {
                    type_of(constant) == self.values.symbols.text
                });
                self.push(match constant {
                    Some(_) if is_text => Operand::Text,
                    Some(constant) => Operand::Constant(constant),
                    None => Operand::Unknown,
                });
            }
            Operation::LoadGlobal => {
                let name = self.name(if minor >= 11 { argument >> 1 } else { argument });
                let global = name.map_or(Operand::Unknown, Operand::Global);
                let with_null = minor >= 11 && argument & 1 == 1;
                if with_null && minor < 13 {
                    self.push(Operand::Null);
                }
                self.push(global);
                if with_null && minor >= 13 {
                    self.push(Operand::Null);
                }
            }
            Operation::LoadOther => self.push(Operand::Unknown),
            Operation::PushNull => self.push(Operand::Null),
            Operation::LoadMethod => self.load_method(argument),
            Operation::LoadAttribute if minor >= 12 && argument & 1 == 1 => {
                self.load_method(argument >> 1);
            }
            Operation::LoadAttribute | Operation::Replace(1) => {
                self.pop();
                self.push(Operand::Unknown);
            }
            Operation::Replace(count) => {
                self.drop_top(usize::from(count));
                self.push(Operand::Unknown);
            }
            Operation::Operator | Operation::InPlace => {
                self.drop_top(2);
                self.push(Operand::Unknown);
            }
            Operation::Build => {
                self.drop_top(argument as usize);
                self.push(Operand::Unknown);
            }
            Operation::BuildPairs => {
                self.drop_top(2 * argument as usize);
                self.push(Operand::Unknown);
            }
            Operation::BuildKeyed => {
                self.drop_top(argument as usize + 1);
                self.push(Operand::Unknown);
            }
            Operation::Format => {
                self.drop_top(if argument & 4 == 4 { 2 } else { 1 });
                self.push(Operand::Unknown);
            }
            Operation::Copy => {
                let operand = self.peek(argument as usize);
                self.push(operand);
            }
            Operation::Swap => {
                self.fill(argument as usize);
                let top = self.stack.len();
                if let Some(other) = top.checked_sub(argument as usize)
                    && top > 0
                {
                    self.stack.swap(top - 1, other);
                }
            }
            Operation::Duplicate(count) => {
                let count = usize::from(count);
                for _ in 0..count {
                    let operand = self.peek(count);
                    self.push(operand);
                }
            }
            Operation::Rotate(count) => {
                let count = usize::from(count);
                self.fill(count);
                let top = self.pop();
                let at = self.stack.len() + 1 - count;
                self.stack.insert(at, top);
            }
            Operation::Nothing => {}
            Operation::Pop(count) => self.drop_top(usize::from(count)),
            Operation::StoreItem => self.drop_top(3),
            Operation::StoreAttribute => self.drop_top(2),
            Operation::Call | Operation::CallMethod => self.call(argument as usize + 2, argument),
            Operation::CallNames => self.call(argument as usize + 3, argument + 1),
            Operation::CallFunction => self.call(argument as usize + 1, argument),
            Operation::CallFunctionNames => self.call(argument as usize + 2, argument + 1),
            Operation::Jump(jump) => {
                self.stack.clear();
                if jump == Jump::Backward || minor < 11 {
                    let back = self.values.target(self.subject, index);
                    if back.is_some_and(|back| back <= index) {
                        self.drafts.entry(line).or_default().goes_back = true;
                    }
                }
            }
        }
    }

    fn load_method(&mut self, name: u32) {
        let receiver = match self.pop() {
            Operand::Local(slot, index) => Receiver::Local(slot, index),
            Operand::Text => Receiver::Text,
            Operand::TextIf(slot, index) => Receiver::TextIf(slot, index),
            _ => Receiver::Unknown,
        };
        let method = match self.name(name) {
            Some(name) => Operand::Method(receiver, name),
            None => Operand::Unknown,
        };
        self.push(method);
        self.push(Operand::Unknown);
    }

    /// Takes a call's operands off and puts its result there.
    fn call(&mut self, count: usize, arguments: u32) {
        let result = match self.callee(arguments as usize) {
            Operand::Method(receiver, name) => {
                // SAFETY: names are texts that the code keeps.
                let name = unsafe { self.values.text_bytes(name) }.unwrap_or_default();
                let is_text = TEXT_METHODS.contains(&name.as_slice());
                match receiver {
                    Receiver::Text if is_text || name == b"join" => Operand::Text,
                    Receiver::Local(slot, index) | Receiver::TextIf(slot, index) if is_text => {
                        Operand::TextIf(slot, index)
                    }
                    _ => Operand::Unknown,
                }
            }
            _ => Operand::Unknown,
        };
        self.drop_top(count);
        self.push(result);
    }

    /// What is called with so many operands above it.
    fn callee(&self, above: usize) -> Operand {
        let (deep, near) = (self.peek(above + 2), self.peek(above + 1));
        if self.values.layout.minor < 11 {
            // Of `CALL_METHOD` the method, of `CALL_FUNCTION` what stands right below the arguments.
            return match (deep, near) {
                (Operand::Method(..), Operand::Unknown) => deep,
                _ => near,
            };
        }
        match (deep, near) {
            (Operand::Method(..), _) | (_, Operand::Null) => deep,
            (Operand::Null, _) => near,
            _ => Operand::Unknown,
        }
    }

    /// How an instruction of interest is answered.
    ///
    /// # Safety
    ///
    /// Names and constants are alive.
    unsafe fn site(
        &self,
        offset: u32,
        action: Action,
        operation: Operation,
        argument: u32,
    ) -> SiteDraft {
        let mut site = SiteDraft {
            offset,
            answer: Answer::Always,
            guard: None,
            store: None,
        };
        match action {
            Action::InPlace => match self.peek(2) {
                Operand::Local(slot, index) => site.guard = Some((Guard::Scalar(slot), index)),
                Operand::Text | Operand::Constant(_) => site.answer = Answer::Never,
                Operand::TextIf(slot, index) => site.guard = Some((Guard::Text(slot), index)),
                _ => {}
            },
            Action::StoreItem => {
                let key = match self.peek(1) {
                    Operand::Local(slot, _) => Some(Key::Slot(slot)),
                    Operand::Constant(constant) => {
                        // SAFETY: the caller's.
                        let class = unsafe { type_of(constant) };
                        (class == self.values.symbols.int).then_some(Key::Constant(constant))
                    }
                    _ => None,
                };
                if let (Operand::Local(container, index), Some(key)) = (self.peek(2), key) {
                    site.guard = Some((Guard::Container(container), index));
                    site.store = Some(Store::Item { container, key });
                }
            }
            Action::StoreAttribute => {
                if let (Operand::Local(object, _), Some(name)) = (self.peek(1), self.name(argument))
                {
                    let seen = Cell::new((0, 0, false));
                    site.answer = Answer::Guarded;
                    site.store = Some(Store::Attribute { object, name, seen });
                }
            }
            Action::Call(_) => {
                let names = matches!(
                    operation,
                    Operation::CallNames | Operation::CallFunctionNames
                );
                let callee = match operation {
                    Operation::Call
                    | Operation::CallNames
                    | Operation::CallFunction
                    | Operation::CallFunctionNames
                    | Operation::CallMethod => self.callee(argument as usize + usize::from(names)),
                    _ => Operand::Unknown,
                };
                match callee {
                    Operand::Global(name) => site.guard = Some((Guard::Global(name), 0)),
                    Operand::Local(slot, index) => {
                        site.guard = Some((Guard::Callable(slot), index));
                    }
                    Operand::Method(Receiver::Local(slot, index), name) => {
                        let seen = Cell::new((0, 0));
                        site.guard = Some((Guard::Method { slot, name, seen }, index));
                    }
                    Operand::Method(Receiver::Text, _) => site.answer = Answer::Never,
                    Operand::Method(Receiver::TextIf(slot, index), _) => {
                        site.guard = Some((Guard::Text(slot), index));
                    }
                    _ => {}
                }
            }
            _ => {}
        }
        if site.guard.is_some() {
            site.answer = Answer::Guarded;
        }
        site
    }
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

impl Values {
    /// Whether a method of an object reports its changes itself.
    ///
    /// # Safety
    ///
    /// Both are alive, and `name` is a text.
    pub(super) unsafe fn method_is_harmless(&self, object: Object, name: Object) -> bool {
        // SAFETY: the caller's.
        unsafe {
            let symbols = &self.symbols;
            let class = type_of(object);
            let bytes = self.text_bytes(name).unwrap_or_default();
            let immutable = [
                symbols.text,
                symbols.bytes,
                symbols.int,
                symbols.float,
                symbols.tuple,
                symbols.frozenset,
            ];
            if immutable.contains(&class) {
                return true;
            }
            if self.is_watched(class) {
                return bytes != b"sort" && raw::flags_of(class) & raw::flag::HEAP_TYPE == 0;
            }
            if raw::flags_of(class) & raw::flag::HEAP_TYPE == 0 {
                return false;
            }
            let found = self.class_attribute(class, &bytes);
            if found.is_null() || type_of(found) != symbols.function {
                return false;
            }
            self.is_harmless(found, object) && !self.has_own_attribute(object, &bytes)
        }
    }
}
