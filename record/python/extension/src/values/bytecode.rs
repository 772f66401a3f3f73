//! Which instructions of a code object may change objects, and where their operands stand.

use std::ffi::CStr;

use super::Values;
use super::facts::{Answer, Facts, LineFacts, Subject};
use super::opcodes::Opcodes;
use super::raw::{Object, object_at, word};
use super::shadow::AddressMap;
use crate::api::py;
use crate::layout::layout;

/// What an instruction does to objects.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// `container[key] = value`: value, container, key on the stack.
    StoreItem,
    /// `del container[key]`: container, key.
    DeleteItem,
    /// `object.name = value`: value, object.
    StoreAttribute,
    /// `del object.name`: object.
    DeleteAttribute,
    /// `container[start:stop] = value`: value, container, start, stop.
    StoreSlice,
    /// `left += right`: left, right.
    InPlace,
    /// The container so deep in the stack gets another element or update from the top.
    Element,
    /// A call; the variant says where the callable stands.
    Call(CallForm),
    /// An exception that was caught goes on, which no event tells up to 3.11.
    Reraise(Reraise),
}

/// How the operands of a call stand on the stack, from below.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum CallForm {
    /// Callable, arguments.
    Function,
    /// Callable, arguments, names.
    FunctionNames,
    /// Method or null, receiver or callable, arguments: up to 3.12.
    Method,
    /// Callable, receiver or null, arguments: from 3.13.
    Callable,
    /// As before, then names.
    CallableNames,
    /// Callable, (null from 3.13), argument tuple, keyword dict if the argument says so.
    Unpacked,
}

/// Where the exception stands that goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reraise {
    /// So deep in the stack, the top being 1.
    Operand(u8),
    /// It is the one being handled.
    Handled,
}

/// An instruction of interest.
#[derive(Clone, Copy, Debug)]
pub(super) struct Site {
    pub(super) action: Action,
    pub(super) answer: Answer,
    pub(super) argument: u32,
    /// How deep the stack is before it, where the frame does not say.
    pub(super) depth: u32,
}

/// Which instructions of one code object may change objects.
#[derive(Debug, Default)]
pub(crate) struct StoreMap {
    sites: AddressMap<u32, Site>,
    facts: Facts,
    reraises: bool,
}

impl StoreMap {
    /// Whether no instruction is of interest.
    pub(crate) fn is_empty(&self) -> bool {
        self.sites.is_empty()
    }

    /// What is known of a line; `None` where nothing is: it does nothing to variables and objects.
    #[inline]
    pub(crate) fn line(&self, line: u32) -> Option<&LineFacts> {
        self.facts.of(line)
    }

    /// Whether an exception that was caught may go on unseen.
    pub(crate) fn reraises(&self) -> bool {
        self.reraises
    }

    pub(super) fn site(&self, offset: i32) -> Option<Site> {
        self.sites.get(&u32::try_from(offset).ok()?).copied()
    }
}

/// One instruction with its whole argument.
#[derive(Debug)]
pub(super) struct Instruction {
    pub(super) offset: usize,
    pub(super) opcode: u16,
    pub(super) argument: u32,
}

fn instructions(code: &[u8], opcodes: &Opcodes) -> Vec<Instruction> {
    let mut found = Vec::with_capacity(code.len() / 2);
    let mut extended = 0_u32;
    for (index, pair) in code.chunks_exact(2).enumerate() {
        let (opcode, argument) = (u16::from(pair[0]), u32::from(pair[1]) | extended);
        extended = if opcode == opcodes.extended_arg {
            argument << 8
        } else {
            0
        };
        found.push(Instruction {
            offset: index * 2,
            opcode,
            argument,
        });
    }
    found
}

fn action(opcodes: &Opcodes, minor: u32, instruction: &Instruction) -> Option<Action> {
    let opcode = instruction.opcode;
    if opcode >= 256 {
        return None;
    }
    let simple = [
        (opcodes.store_subscr, Action::StoreItem),
        (opcodes.delete_subscr, Action::DeleteItem),
        (opcodes.store_attr, Action::StoreAttribute),
        (opcodes.delete_attr, Action::DeleteAttribute),
        (opcodes.store_slice, Action::StoreSlice),
        (opcodes.list_append, Action::Element),
        (opcodes.set_add, Action::Element),
        (opcodes.map_add, Action::Element),
        (opcodes.list_extend, Action::Element),
        (opcodes.dict_update, Action::Element),
        (opcodes.dict_merge, Action::Element),
        (opcodes.set_update, Action::Element),
        (opcodes.call_function, Action::Call(CallForm::Function)),
        (
            opcodes.call_function_kw,
            Action::Call(CallForm::FunctionNames),
        ),
        (opcodes.call_method, Action::Call(CallForm::Method)),
        (opcodes.call_kw, Action::Call(CallForm::CallableNames)),
        (opcodes.call_function_ex, Action::Call(CallForm::Unpacked)),
    ];
    if let Some((_, action)) = simple.iter().find(|(number, _)| *number == opcode) {
        return Some(*action);
    }
    if opcode == opcodes.call {
        return Some(Action::Call(if minor >= 13 {
            CallForm::Callable
        } else {
            CallForm::Method
        }));
    }
    if minor < 12 {
        let goes_on = opcode == opcodes.reraise || opcode == opcodes.end_async_for;
        if goes_on {
            // Up to 3.10 the type stands above the exception.
            let distance = if minor < 11 { 2 } else { 1 };
            return Some(Action::Reraise(Reraise::Operand(distance)));
        }
        if opcode == opcodes.raise_varargs && instruction.argument == 0 {
            return Some(Action::Reraise(Reraise::Handled));
        }
    }
    let in_place = opcodes.in_place.contains(&opcode)
        || (opcode == opcodes.binary_op && (13..=25).contains(&instruction.argument));
    in_place.then_some(Action::InPlace)
}

impl Values {
    /// Analyses a code object.
    ///
    /// # Safety
    ///
    /// The interpreter's lock is held and `code` is a code object that is alive.
    pub(crate) unsafe fn code_info(
        &mut self,
        code: Object,
        spans: &[(u32, u32, u32)],
        slots: &[u32],
    ) -> StoreMap {
        let minor = self.layout.minor;
        let mut map = StoreMap::default();
        // SAFETY: the caller's.
        unsafe { self.note_recorded(code) };
        if layout().asks() {
            // Operands cannot be read: every known object is compared at every event.
            return map;
        }
        // SAFETY: the bytes stay alive until the reference is given back.
        unsafe {
            let (bytes, owned) = self.instructions_of(code);
            if bytes.is_null() {
                return map;
            }
            let all = instructions(self.layout.bytes(bytes), &self.opcodes);
            let depths = if matches!(minor, 12 | 13) {
                let table = object_at(code, 40);
                let table = if table.is_null() {
                    &[][..]
                } else {
                    self.layout.bytes(table)
                };
                self.depths(&all, table)
            } else {
                Vec::new()
            };
            let actions: AddressMap<u32, Action> = all
                .iter()
                .filter_map(|instruction| {
                    let offset = u32::try_from(instruction.offset).ok()?;
                    Some((offset, action(&self.opcodes, minor, instruction)?))
                })
                .collect();
            let table = if minor >= 11 {
                object_at(code, 40)
            } else {
                std::ptr::null_mut()
            };
            let handlers: Vec<usize> = if table.is_null() {
                Vec::new()
            } else {
                let all = handlers(self.layout.bytes(table));
                all.into_iter().map(|(target, _)| target).collect()
            };
            let names = self.tuple_of(code, c"co_names");
            let constants = self.tuple_of(code, c"co_consts");
            map.facts = self.facts(&Subject {
                instructions: &all,
                spans,
                slots,
                names: &names,
                constants: &constants,
                actions: &actions,
                handlers: &handlers,
            });
            for (index, instruction) in all.iter().enumerate() {
                let Ok(offset) = u32::try_from(instruction.offset) else {
                    continue;
                };
                let Some(action) = actions.get(&offset).copied() else {
                    continue;
                };
                let answer = map.facts.answers.get(&offset).copied();
                let depth = match depths.get(index) {
                    Some(Some(depth)) => *depth,
                    Some(None) => continue,
                    None => 0,
                };
                map.sites.insert(
                    offset,
                    Site {
                        action,
                        answer: answer.unwrap_or(Answer::Always),
                        argument: instruction.argument,
                        depth,
                    },
                );
                map.reraises |= matches!(action, Action::Reraise(_));
            }
            map.facts.answers = AddressMap::default();
            if owned && let Some(decrement) = self.symbols.decrement {
                decrement(bytes);
            }
        }
        map
    }

    /// A tuple that a code object keeps, borrowed.
    unsafe fn tuple_of(&self, code: Object, name: &CStr) -> Vec<Object> {
        // SAFETY: the code object keeps its tuples and what is in them.
        unsafe {
            let tuple = py::PyObject_GetAttrString(code, name.as_ptr());
            if tuple.is_null() {
                py::PyErr_Clear();
                return Vec::new();
            }
            let items = self.layout.tuple_items(tuple).to_vec();
            py::Py_DecRef(tuple);
            items
        }
    }

    /// The instructions without specialisation, and whether the reference is ours.
    unsafe fn instructions_of(&self, code: Object) -> (Object, bool) {
        const CODE_BYTES: usize = 48;
        // SAFETY: up to 3.10 a code object keeps its bytes at 48.
        unsafe {
            match self.symbols.code_get_code {
                Some(get) => (get(code), true),
                None if self.layout.minor <= 10 => (object_at(code, CODE_BYTES), false),
                None => (std::ptr::null_mut(), false),
            }
        }
    }

    /// The depth of the operand stack before every instruction; `None` where it is never reached.
    fn depths(&self, all: &[Instruction], exceptions: &[u8]) -> Vec<Option<u32>> {
        let opcodes = &self.opcodes;
        let mut depths: Vec<Option<u32>> = vec![None; all.len()];
        let Some(effect) = self.symbols.stack_effect else {
            return depths;
        };
        let mut work = vec![(0_usize, 0_u32)];
        for (target, depth) in handlers(exceptions) {
            work.push((target, depth));
        }
        while let Some((index, depth)) = work.pop() {
            let (Some(instruction), Some(place)) = (all.get(index), depths.get_mut(index)) else {
                continue;
            };
            if place.is_some() {
                continue;
            }
            *place = Some(depth);
            let opcode = instruction.opcode;
            if opcode == 0 {
                work.push((index + 1, depth));
                continue;
            }
            let after = |jump: i32| {
                let argument = i32::try_from(instruction.argument).unwrap_or(0);
                // SAFETY: computes a number from numbers.
                let change = unsafe { effect(i32::from(opcode), argument, jump) };
                depth.checked_add_signed(change)
            };
            let mut next = index + 1;
            while all
                .get(next)
                .is_some_and(|instruction| instruction.opcode == 0)
            {
                next += 1;
            }
            let distance = instruction.argument as usize;
            let back =
                opcode == opcodes.jump_backward || opcode == opcodes.jump_backward_no_interrupt;
            let target = if back {
                next.checked_sub(distance)
            } else if opcodes.forward.contains(&opcode) {
                Some(next + distance)
            } else {
                None
            };
            if let (Some(target), Some(depth)) = (target, after(1)) {
                work.push((target, depth));
            }
            let ends = back
                || [
                    opcodes.jump_forward,
                    opcodes.return_value,
                    opcodes.return_const,
                    opcodes.reraise,
                    opcodes.raise_varargs,
                    opcodes.interpreter_exit,
                ]
                .contains(&opcode);
            if !ends && let Some(depth) = after(0) {
                work.push((index + 1, depth));
            }
        }
        depths
    }
}

/// Where exceptions continue (as an index of instructions) and how deep the stack is there.
fn handlers(table: &[u8]) -> Vec<(usize, u32)> {
    let mut found = Vec::new();
    let mut bytes = table.iter().copied();
    let mut number = || -> Option<usize> {
        let mut byte = bytes.next()?;
        let mut value = usize::from(byte & 0x3f);
        while byte & 0x40 != 0 {
            byte = bytes.next()?;
            value = (value << 6) | usize::from(byte & 0x3f);
        }
        Some(value)
    };
    while let (Some(_), Some(_), Some(target), Some(depth)) =
        (number(), number(), number(), number())
    {
        let pushed = 1 + (depth & 1);
        found.push((target, (depth >> 1) as u32 + pushed as u32));
    }
    found
}

/// The operands of an instruction that is about to run, the top of the stack last.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stack {
    top: *const usize,
    tagged: bool,
}

impl Stack {
    /// The stack of a frame at `site`.
    ///
    /// # Safety
    ///
    /// The frame is about to run this instruction.
    pub(super) unsafe fn new(
        frame: crate::frame::RawFrame,
        code: Object,
        site: Site,
    ) -> Option<Stack> {
        const STACK_POINTER: usize = 72;
        const VALUE_STACK: usize = 64;
        let layout = layout();
        // SAFETY: the offsets are those of the version that runs.
        let top = unsafe {
            let slots = frame.0.add(layout.frame_slots);
            match layout.minor.0 {
                9 => word(frame.0, STACK_POINTER) as *const usize,
                10 => {
                    let depth = frame
                        .0
                        .add(layout.frame_stack_top)
                        .cast::<i32>()
                        .read_unaligned();
                    let base = word(frame.0, VALUE_STACK) as *const usize;
                    base.offset(depth as isize)
                }
                11 => {
                    let depth = frame
                        .0
                        .add(layout.frame_stack_top)
                        .cast::<i32>()
                        .read_unaligned();
                    slots.cast::<usize>().cast_const().offset(depth as isize)
                }
                12 | 13 => {
                    let count = code
                        .cast::<u8>()
                        .add(layout.code_slots)
                        .cast::<i32>()
                        .read_unaligned();
                    slots
                        .cast::<usize>()
                        .cast_const()
                        .offset(count as isize + site.depth as isize)
                }
                _ => word(frame.0, layout.frame_stack_top) as *const usize,
            }
        };
        (!top.is_null()).then_some(Stack {
            top,
            tagged: layout.tagged,
        })
    }

    /// The entry so far below the top, the top being 1; null for none.
    ///
    /// # Safety
    ///
    /// The stack has that many entries.
    pub(super) unsafe fn peek(self, distance: usize) -> Object {
        // SAFETY: the caller's.
        let entry = unsafe { *self.top.sub(distance) };
        if !self.tagged {
            return entry as Object;
        }
        if entry & 3 == 3 {
            std::ptr::null_mut()
        } else {
            (entry & !3) as Object
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exception_table_is_read() {
        // start 2, length 3, target 10, depth 1 with the last instruction pushed
        assert_eq!(handlers(&[0x80 | 2, 3, 10, 3]), [(10, 3)]);
        // a target of two bytes
        assert_eq!(handlers(&[0x80, 1, 0x40 | 1, 2, 0]), [(66, 1)]);
        assert_eq!(handlers(&[0x80, 1]), []);
    }
}
