//! What events refer to by id: sources, functions, types, threads; and what a recording says of itself.

use std::sync::Arc;

use crate::ids::{Position, SourceId, TypeId};

/// A source file that ran, with its text at that time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Absolute path as bytes of UTF-8 where possible; for code without a file the name the language
    /// gives it (`<string>`).
    pub path: Arc<str>,
    /// The complete text, when it could be read.
    pub text: Option<Arc<[u8]>>,
}

/// One code object: a function, module body, class body, lambda or comprehension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Function {
    /// Its own name: `total_due`, `<module>`, `<lambda>`.
    pub name: Arc<str>,
    /// Its qualified name: `Cart.total`, `main.<locals>.inner`.
    pub qualified_name: Arc<str>,
    /// Where it is defined.
    pub source: SourceId,
    /// The line of its `def` (or of its first decorator), 1-based.
    pub first_line: u32,
    /// What sort of code it is.
    pub kind: FunctionKind,
    /// Its local variables; [`crate::Event::Write`] refers to them by index.
    pub variables: Vec<Variable>,
    /// The lines that have code, ascending, without repeats: where breakpoints can stand.
    pub lines: Vec<u32>,
}

/// What sort of code a [`Function`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum FunctionKind {
    /// An ordinary function, method, lambda or comprehension.
    Function = 0,
    /// A generator function or generator expression.
    Generator = 1,
    /// A coroutine function.
    Coroutine = 2,
    /// An asynchronous generator function.
    AsyncGenerator = 3,
    /// A module's top level.
    Module = 4,
    /// A class body.
    Class = 5,
}

/// A local variable of a [`Function`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: Arc<str>,
    /// How it is stored.
    pub kind: VariableKind,
}

/// How a local variable is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum VariableKind {
    /// A parameter.
    Argument = 0,
    /// A plain local.
    Local = 1,
    /// A local that inner functions see: its slot holds a cell.
    Cell = 2,
    /// A variable of an outer function: its slot holds a cell.
    Free = 3,
    /// A parameter that inner functions see: its slot holds a cell.
    CellArgument = 4,
}

impl VariableKind {
    /// Whether the slot holds a closure cell rather than the value itself.
    #[must_use]
    pub fn is_cell(self) -> bool {
        matches!(
            self,
            VariableKind::Cell | VariableKind::Free | VariableKind::CellArgument
        )
    }
}

/// A type of the recorded program.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Type {
    /// The module that defines it: `builtins`, `shop.pricing`.
    pub module: Arc<str>,
    /// Its qualified name: `Customer`, `Outer.Inner`.
    pub qualified_name: Arc<str>,
    /// Names of the fields in order, for named tuples and data classes.
    pub fields: Vec<Arc<str>>,
    /// Its direct base, when recorded.
    pub base: Option<TypeId>,
}

/// What a recording says of itself from its first byte on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Which recorder: `python`.
    pub recorder: String,
    /// The recorder's version.
    pub recorder_version: String,
    /// The recorded language and its version: `Python 3.12.1`.
    pub language: String,
    /// The recording's name for people.
    pub name: String,
    /// The command line.
    pub command: Vec<String>,
    /// The working directory.
    pub working_directory: String,
    /// Start time, nanoseconds since 1970-01-01 UTC.
    pub start_unix_ns: u64,
    /// The host's name.
    pub host: String,
    /// The git commit of the working directory, hexadecimal, or empty.
    pub git_commit: String,
    /// The git branch, or empty.
    pub git_branch: String,
    /// How many tracked files differed from the commit.
    pub git_changed_files: u32,
    /// Longest text kept, in characters.
    pub max_string: u64,
    /// Most children kept of one container.
    pub max_children: u64,
    /// Deepest nesting kept.
    pub depth: u64,
    /// Names whose values are redacted, the built-in ones included.
    pub redacted_names: Vec<String>,
    /// The folders whose code was recorded.
    pub scope: Vec<String>,
    /// What the recorder's self-check of the interpreter found.
    pub self_check: String,
}

/// How a recording ended: known only when it is complete.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Wall-clock duration in nanoseconds.
    pub duration_ns: u64,
    /// The program's exit code, when it exited by itself.
    pub exit_code: Option<i32>,
    /// The signal that ended the program.
    pub signal: Option<i32>,
    /// Why the recording ended before the program did, or what could not be recorded. Sentences.
    pub notes: Vec<String>,
    /// How many values were redacted.
    pub redacted: u64,
}

/// A recorded frame, as far as it is known at the end of what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// What it runs.
    pub function: crate::FunctionId,
    /// The thread it was called on.
    pub thread: crate::ThreadId,
    /// The recorded frame that called it, if any.
    pub caller: Option<crate::FrameId>,
    /// The position of its [`crate::Event::Call`].
    pub call: Position,
    /// The namespace object of its globals.
    pub globals: Option<crate::ObjectId>,
    /// The namespace object of its locals, for module and class bodies.
    pub locals: Option<crate::ObjectId>,
}
