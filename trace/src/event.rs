//! What a recorder can say: one [`Event`] per recorded fact, in one total order over all threads.

use std::sync::Arc;

use crate::ids::{FrameId, FunctionId, ObjectId, TaskId, ThreadId};
use crate::value::{Content, Value};

/// One recorded fact.
///
/// "The thread's frame" is the innermost recorded frame of the thread the event belongs to: the last
/// one called or resumed there that has not returned, been left by an exception or suspended.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// A thread begins. The first event of every thread.
    ThreadStart {
        /// The thread's name in the program.
        name: Arc<str>,
    },
    /// A thread ends.
    ThreadEnd,
    /// An asynchronous task is seen for the first time.
    TaskStart {
        /// The task.
        task: TaskId,
        /// The task's name in the program.
        name: Arc<str>,
    },
    /// From here on the thread runs this task, or none.
    TaskSwitch {
        /// The task that runs now.
        task: Option<TaskId>,
    },
    /// A task is over.
    TaskEnd {
        /// The task.
        task: TaskId,
    },
    /// A function begins. Its arguments follow at once as [`Event::Write`]s, before its first line.
    Call {
        /// The new frame: always one more than the last one.
        frame: FrameId,
        /// What is called.
        function: FunctionId,
        /// The namespace object that holds its globals.
        globals: Option<ObjectId>,
        /// The namespace object that holds its locals, for module and class bodies.
        /// `None` for functions, whose locals are slots.
        locals: Option<ObjectId>,
    },
    /// The thread's frame is about to run this line: a step event.
    Line {
        /// 1-based.
        line: u32,
    },
    /// The thread's frame returns and is over.
    Return {
        /// What it returns.
        value: Value,
    },
    /// The thread's frame is suspended: it yields, or awaits something that does.
    Yield {
        /// What it hands out.
        value: Value,
    },
    /// A suspended frame goes on, called by the thread's frame.
    Resume {
        /// The frame that goes on.
        frame: FrameId,
    },
    /// An exception is first raised, or first enters recorded code, in the thread's frame.
    Raise {
        /// The exception, as a rule an object of kind [`crate::ObjectKind::Exception`].
        exception: Value,
    },
    /// The thread's frame is left by an exception and is over.
    Unwind {
        /// The exception that leaves.
        exception: Value,
    },
    /// A local of the thread's frame got a value; done by the frame's current line.
    ///
    /// For a variable of kind [`crate::VariableKind::Cell`] or [`crate::VariableKind::Free`] the value
    /// is the cell object; later changes of its content are [`Event::Object`] changes of the cell.
    Write {
        /// Index into [`crate::Function::variables`].
        slot: u32,
        /// The new value; `None` when the name was deleted.
        value: Option<Value>,
    },
    /// An object is first seen, or changed; done by the current line of the thread's frame.
    Object {
        /// The object.
        object: ObjectId,
        /// What happened to it.
        change: Change,
    },
    /// The program wrote to one of its standard streams.
    Output {
        /// Which.
        stream: Stream,
        /// What, as the bytes that reach the stream.
        bytes: Arc<[u8]>,
    },
    /// A named moment: a request, a test, a bookmark set by the program.
    Mark {
        /// What sort of moment: `request`, `test`, `user`.
        kind: Arc<str>,
        /// Its name.
        name: Arc<str>,
    },
    /// A call that left the process: HTTP, database, subprocess.
    External {
        /// What sort of call: `http`, `database`, `subprocess`.
        kind: Arc<str>,
        /// What was called.
        target: Arc<str>,
        /// How it ended.
        status: Arc<str>,
        /// How long it took, in nanoseconds.
        duration_ns: u64,
    },
}

/// The fields of [`Event::Call`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Call {
    /// The new frame: always one more than the last one.
    pub frame: FrameId,
    /// What is called.
    pub function: FunctionId,
    /// The namespace object that holds its globals.
    pub globals: Option<ObjectId>,
    /// The namespace object that holds its locals, for module and class bodies.
    pub locals: Option<ObjectId>,
}

impl From<Call> for Event {
    fn from(call: Call) -> Event {
        let Call {
            frame,
            function,
            globals,
            locals,
        } = call;
        Event::Call {
            frame,
            function,
            globals,
            locals,
        }
    }
}

/// What happened to an object.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// First sight: these are its contents now. The first change of every object.
    New(Box<Content>),
    /// Its contents are now these: after changes that are not described one by one.
    Replace(Box<Content>),
    /// `x[index] = value` of a sequence; the index is inside the length and not negative.
    SetItem {
        /// Which element.
        index: u64,
        /// Its new value.
        value: Value,
    },
    /// One element was added at the end of a sequence, or to a set.
    Append {
        /// The new element.
        value: Value,
    },
    /// The last element of a sequence was removed.
    Pop,
    /// `x[key] = value` of a mapping. An equal key keeps its place, a new one goes to the end.
    ///
    /// Of contents that a limit cut, an unknown key is taken for one of the entries left out; a
    /// recorder that adds a key to such a mapping says so with [`Change::Replace`].
    SetKey {
        /// The key.
        key: Value,
        /// Its new value.
        value: Value,
    },
    /// `del x[key]` of a mapping, or an element taken out of a set.
    DeleteKey {
        /// The key.
        key: Value,
    },
    /// `x.name = value`.
    SetAttribute {
        /// The attribute.
        name: Arc<str>,
        /// Its new value.
        value: Value,
    },
    /// `del x.name`.
    DeleteAttribute {
        /// The attribute.
        name: Arc<str>,
    },
    /// A closure cell got this value, or became empty.
    SetCell {
        /// The new value.
        value: Option<Value>,
    },
    /// Everything was removed from a container.
    Clear,
}

/// A standard stream of the recorded program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Stream {
    /// Standard output.
    Stdout = 1,
    /// Standard error.
    Stderr = 2,
}

/// An event with the thread it belongs to.
#[derive(Clone, Debug, PartialEq)]
pub struct ThreadEvent {
    /// The thread.
    pub thread: ThreadId,
    /// What happened.
    pub event: Event,
}
