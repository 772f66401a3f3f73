//! Calls: which of the objects that a call is given may be changed by it.

use super::Values;
use super::bytecode::{CallForm, Stack};
use super::instruction::{ROOTS_MAX, Suspicion};
use super::raw::{self, Object, flag, object_at, type_of, type_offset, word};

impl Values {
    /// What a call that is about to happen may change.
    ///
    /// # Safety
    ///
    /// The stack has the callable and its arguments in this form.
    pub(super) unsafe fn suspect_call(
        &mut self,
        stack: Stack,
        form: CallForm,
        argument: usize,
    ) -> Option<Suspicion> {
        // SAFETY: the stack has the callable and its arguments.
        unsafe {
            let (callable, receiver, arguments) = match form {
                CallForm::Function => {
                    (stack.peek(argument + 1), std::ptr::null_mut(), 1..=argument)
                }
                CallForm::FunctionNames => (
                    stack.peek(argument + 2),
                    std::ptr::null_mut(),
                    2..=argument + 1,
                ),
                CallForm::Method => {
                    let method = stack.peek(argument + 2);
                    let below = stack.peek(argument + 1);
                    if method.is_null() {
                        (below, std::ptr::null_mut(), 1..=argument)
                    } else {
                        (method, below, 1..=argument)
                    }
                }
                CallForm::Callable => (
                    stack.peek(argument + 2),
                    stack.peek(argument + 1),
                    1..=argument,
                ),
                CallForm::CallableNames => (
                    stack.peek(argument + 3),
                    stack.peek(argument + 2),
                    2..=argument + 1,
                ),
                CallForm::Unpacked => return self.suspect_unpacked(stack, argument),
            };
            if callable.is_null() {
                return None;
            }
            if self.is_harmless(callable, receiver) {
                let receiver = if receiver.is_null() {
                    self.callee_objects(callable).first().copied()?
                } else {
                    receiver
                };
                let is_method = type_of(callable) == self.symbols.method_descriptor
                    || type_of(callable) == self.symbols.builtin;
                if is_method && !self.known.contains_key(&(receiver as usize)) {
                    return self.suspect_owner(receiver);
                }
                return None;
            }
            let mut objects = self.callee_objects(callable);
            objects.push(receiver);
            objects.extend(arguments.map(|distance| stack.peek(distance)));
            self.reachable(&objects)
        }
    }

    unsafe fn suspect_unpacked(&mut self, stack: Stack, argument: usize) -> Option<Suspicion> {
        // SAFETY: the stack has the callable, a tuple, and a dict when the argument says so.
        unsafe {
            let always = self.layout.minor >= 14;
            let keywords = if always || argument & 1 == 1 {
                stack.peek(1)
            } else {
                std::ptr::null_mut()
            };
            let tuple_at = if always || argument & 1 == 1 { 2 } else { 1 };
            let tuple = stack.peek(tuple_at);
            let callable_at = tuple_at + if self.layout.minor >= 13 { 2 } else { 1 };
            let callable = stack.peek(callable_at);
            if callable.is_null() || self.is_harmless(callable, std::ptr::null_mut()) {
                return None;
            }
            let mut objects = self.callee_objects(callable);
            if !tuple.is_null() && raw::flags_of(type_of(tuple)) & flag::TUPLE != 0 {
                objects.extend_from_slice(self.layout.tuple_items(tuple));
            } else {
                objects.push(tuple);
            }
            if !keywords.is_null() && type_of(keywords) == self.symbols.dict {
                let entries = self.layout.dict_entries(&self.symbols, keywords, ROOTS_MAX);
                objects.extend(entries.into_iter().map(|(_, value)| value));
            }
            self.reachable(&objects)
        }
    }

    /// What a callable itself brings along: the receiver of a bound method.
    unsafe fn callee_objects(&self, callable: Object) -> Vec<Object> {
        // SAFETY: bound methods and built-in methods have their receiver at 24.
        unsafe {
            let class = type_of(callable);
            if class == self.symbols.method
                || class == self.symbols.builtin
                || class == self.symbols.builtin_method
            {
                vec![object_at(callable, 24)]
            } else {
                vec![callable]
            }
        }
    }

    /// Whether a call changes nothing that would not be seen otherwise: recorded code reports its own
    /// changes, container methods are watched, and some built-in functions change nothing.
    pub(super) unsafe fn is_harmless(&self, callable: Object, receiver: Object) -> bool {
        // SAFETY: the type tells the layout.
        unsafe {
            let symbols = &self.symbols;
            let class = type_of(callable);
            if class == symbols.function {
                return self.is_recorded(object_at(callable, self.layout.function_code));
            }
            if class == symbols.method {
                return self.is_harmless(object_at(callable, 16), object_at(callable, 24));
            }
            if class == symbols.method_descriptor {
                return self.watches_methods_of(object_at(callable, 16), callable, receiver);
            }
            if class == symbols.builtin || class == symbols.builtin_method {
                let definition = word(callable, 16) as *const u8;
                let owner = object_at(callable, 24);
                let name = std::ffi::CStr::from_ptr(word(definition, 0) as *const _).to_bytes();
                if owner.is_null() {
                    return false;
                }
                if type_of(owner) == symbols.module {
                    return is_pure(name) && self.is_builtins_module(owner);
                }
                return name != b"sort" && self.is_watched(type_of(owner));
            }
            if raw::flags_of(class) & flag::TYPE != 0 {
                let makes_error = raw::flags_of(callable) & (flag::EXCEPTION | flag::HEAP_TYPE);
                return makes_error == flag::EXCEPTION
                    || self.makes_instances_only(callable)
                    || [
                        symbols.int,
                        symbols.text,
                        symbols.float,
                        symbols.list,
                        symbols.tuple,
                        symbols.dict,
                        symbols.set,
                        symbols.frozenset,
                        symbols.bytes,
                        symbols.range,
                        symbols.class,
                        symbols.super_object,
                        symbols.object,
                        symbols.boolean,
                        symbols.enumerate,
                        symbols.zip,
                        symbols.reversed,
                        symbols.map,
                        symbols.filter,
                    ]
                    .contains(&callable);
            }
            false
        }
    }

    /// Whether calling a class of the program does nothing but make an instance and initialise it with
    /// recorded code, or with what `dataclasses` wrote for it.
    unsafe fn makes_instances_only(&self, class: Object) -> bool {
        // SAFETY: a class is a type; what stands in its dictionaries is alive with it.
        unsafe {
            let object = self.symbols.object;
            let slot = |class, offset| word(class, offset);
            if type_of(class) != self.symbols.class
                || raw::flags_of(class) & flag::HEAP_TYPE == 0
                || slot(class, type_offset::NEW) != slot(object, type_offset::NEW)
            {
                return false;
            }
            if slot(class, type_offset::INIT) == slot(object, type_offset::INIT) {
                return true;
            }
            let init = self.class_attribute(class, b"__init__");
            if init.is_null() || type_of(init) != self.symbols.function {
                return false;
            }
            if self.is_harmless(init, std::ptr::null_mut()) {
                return true;
            }
            let after = self.class_attribute(class, b"__post_init__");
            self.is_written_for_data(init, class)
                && (after.is_null() || self.is_harmless(after, std::ptr::null_mut()))
        }
    }

    /// Whether a function is the initialiser that `dataclasses` writes: it assigns its arguments.
    unsafe fn is_written_for_data(&self, function: Object, class: Object) -> bool {
        // SAFETY: as above; the attributes of code objects run no code of the program.
        unsafe {
            if self
                .class_attribute(class, b"__dataclass_fields__")
                .is_null()
            {
                return false;
            }
            let code = object_at(function, self.layout.function_code);
            crate::ask::name(code, c"co_filename") == "<string>"
        }
    }

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
                return bytes != b"sort" && raw::flags_of(class) & flag::HEAP_TYPE == 0;
            }
            if raw::flags_of(class) & flag::HEAP_TYPE == 0 {
                return false;
            }
            let found = self.class_attribute(class, &bytes);
            if found.is_null() || type_of(found) != symbols.function {
                return false;
            }
            self.is_harmless(found, object) && !self.has_own_attribute(object, &bytes)
        }
    }

    unsafe fn watches_methods_of(&self, class: Object, method: Object, receiver: Object) -> bool {
        // SAFETY: a method descriptor has its definition behind three words.
        unsafe {
            let definition = word(method, 40) as *const u8;
            let name = std::ffi::CStr::from_ptr(word(definition, 0) as *const _).to_bytes();
            let scalar = [
                self.symbols.text,
                self.symbols.bytes,
                self.symbols.int,
                self.symbols.float,
                self.symbols.tuple,
                self.symbols.frozenset,
            ];
            let _ = receiver;
            (name != b"sort" && self.is_watched(class)) || scalar.contains(&class)
        }
    }

    unsafe fn is_builtins_module(&self, module: Object) -> bool {
        // SAFETY: the table of modules has text keys.
        unsafe {
            match (self.symbols.modules, self.symbols.dict_get_string) {
                (Some(modules), Some(get)) => get(modules(), c"builtins".as_ptr()) == module,
                _ => false,
            }
        }
    }
}

/// Functions of `builtins` that change none of their arguments by themselves.
fn is_pure(name: &[u8]) -> bool {
    matches!(
        name,
        b"len"
            | b"isinstance"
            | b"issubclass"
            | b"print"
            | b"abs"
            | b"all"
            | b"any"
            | b"ascii"
            | b"bin"
            | b"callable"
            | b"chr"
            | b"dir"
            | b"divmod"
            | b"format"
            | b"getattr"
            | b"hasattr"
            | b"hash"
            | b"hex"
            | b"id"
            | b"iter"
            | b"max"
            | b"min"
            | b"oct"
            | b"ord"
            | b"pow"
            | b"repr"
            | b"round"
            | b"sorted"
            | b"sum"
            | b"globals"
            | b"locals"
    )
}
