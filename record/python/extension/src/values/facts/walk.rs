//! The walk over the instructions of a code object, with what is known of the operand stack.

use std::cell::Cell;
use std::collections::BTreeMap;

use super::{Answer, Guard, Key, Store, Subject};
use crate::values::Values;
use crate::values::bytecode::{Action, Instruction};
use crate::values::operations::{Jump, Operation};
use crate::values::raw::{Object, type_of};

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
pub(super) struct Draft {
    /// Variables bound, and where.
    pub(super) bound: Vec<(u32, usize)>,
    pub(super) sites: Vec<SiteDraft>,
    pub(super) goes_back: bool,
    /// It can be entered without an event of its own.
    pub(super) is_entered_unseen: bool,
}

pub(super) struct SiteDraft {
    pub(super) offset: u32,
    pub(super) answer: Answer,
    pub(super) guard: Option<(Guard, usize)>,
    pub(super) store: Option<Store>,
}

pub(super) struct Walk<'a> {
    values: &'a Values,
    subject: &'a Subject<'a>,
    /// The operands known to be on top of the stack.
    stack: Vec<Operand>,
    drafts: BTreeMap<u32, Draft>,
}

impl<'a> Walk<'a> {
    pub(super) fn new(values: &'a Values, subject: &'a Subject<'a>) -> Walk<'a> {
        Walk {
            values,
            subject,
            stack: Vec::new(),
            drafts: BTreeMap::new(),
        }
    }

    /// Something else may have come here: nothing is known of the stack.
    pub(super) fn forget(&mut self) {
        self.stack.clear();
    }

    /// What was found, by line.
    pub(super) fn finish(self) -> BTreeMap<u32, Draft> {
        self.drafts
    }

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
    pub(super) unsafe fn step(&mut self, index: usize, instruction: &Instruction, line: u32) {
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
