//! The program's threads: which one runs, what each has on its stack.

mod names;

use std::ffi::c_void;

use retrostep_record_python_wire::message::{self, put};

use crate::api::py;
use crate::codes::CodeInfo;
use crate::frame::RawFrame;
use crate::recorder::Recorder;
use crate::stack::At;
use crate::values::Shadow;

/// A recorded frame that runs.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Active {
    pub(crate) frame: RawFrame,
    pub(crate) id: u64,
    pub(crate) info: &'static CodeInfo,
    pub(crate) at: At,
    /// Where its shadows begin in [`Thread::shadows`].
    pub(crate) base: usize,
}

/// One thread of the program.
#[derive(Debug)]
pub(crate) struct Thread {
    state: *mut c_void,
    unique: u64,
    number: u64,
    /// Recorded frames, outermost first.
    pub(crate) stack: Vec<Active>,
    /// What every slot of every frame on the stack showed last.
    pub(crate) shadows: Vec<Shadow>,
    /// The exceptions seen in frames on the stack, with the frame: the last sight last.
    pub(crate) exceptions: Vec<(u64, Box<[u8]>)>,
    /// The frame in which the thread's last event saw an exception.
    pub(crate) raised_last: Option<u64>,
    /// The frame at the bottom of the running task, and the task.
    pub(crate) task: Option<(u64, u64)>,
}

/// All threads that were seen.
#[derive(Debug, Default)]
pub(crate) struct Threads {
    /// Those that were not seen to end.
    all: Vec<Thread>,
    current: usize,
    next: u64,
}

impl Threads {
    /// The thread of the last event.
    #[inline]
    pub(crate) fn current(&mut self) -> Option<&mut Thread> {
        self.all.get_mut(self.current)
    }

    /// How many threads were seen and not seen to end.
    pub(crate) fn len(&self) -> usize {
        self.all.len()
    }

    /// Whether nothing recorded runs on a thread.
    pub(crate) fn is_idle(&self, index: usize) -> bool {
        self.all
            .get(index)
            .is_none_or(|thread| thread.stack.is_empty())
    }

    /// The address of the state that the last event belonged to.
    #[inline]
    fn is_current(&self, state: *mut c_void) -> bool {
        match self.all.get(self.current) {
            Some(thread) if thread.state == state => {
                // Where nothing recorded runs, the thread may be another one at the same address.
                // SAFETY: `state` is the running thread's.
                !thread.stack.is_empty()
                    || thread.unique == unsafe { py::PyThreadState_GetID(state) }
            }
            _ => false,
        }
    }
}

impl Recorder {
    /// Makes what follows belong to the thread that runs.
    #[inline]
    pub(crate) fn switch_thread(&mut self) {
        // SAFETY: the interpreter's lock is held.
        let state = unsafe { py::PyThreadState_Get() };
        if !self.threads.is_current(state) {
            self.switch_to(state);
        }
    }

    #[cold]
    fn switch_to(&mut self, state: *mut c_void) {
        self.end_threads();
        // SAFETY: `state` is the running thread's.
        let unique = unsafe { py::PyThreadState_GetID(state) };
        let known = self
            .threads
            .all
            .iter()
            .position(|thread| thread.unique == unique);
        if let Some(index) = known {
            self.continue_thread(index);
            return;
        }
        let number = self.threads.next;
        self.threads.next += 1;
        self.threads.all.push(Thread {
            state,
            unique,
            number,
            stack: Vec::new(),
            shadows: Vec::new(),
            exceptions: Vec::new(),
            raised_last: None,
            task: None,
        });
        self.continue_thread(self.threads.all.len() - 1);
        // SAFETY: the interpreter's lock is held and no exception is pending in a callback.
        let name = unsafe { names::of_running_thread(number) };
        self.out.push(message::THREAD_START);
        put::text(&mut self.out, name.as_bytes());
    }

    /// Makes what follows belong to a thread that was seen before.
    pub(crate) fn continue_thread(&mut self, index: usize) {
        self.threads.current = index;
        self.name_thread(index);
    }

    fn name_thread(&mut self, index: usize) {
        if let Some(thread) = self.threads.all.get(index) {
            self.out.push(message::THREAD);
            put::number(&mut self.out, thread.number);
        }
    }

    /// Says of threads that no longer exist that they ended.
    fn end_threads(&mut self) {
        let mut alive = Vec::new();
        // SAFETY: the interpreter's lock is held; the list is the interpreter's own.
        unsafe {
            let mut state = py::PyInterpreterState_ThreadHead(py::PyInterpreterState_Get());
            while !state.is_null() {
                alive.push(py::PyThreadState_GetID(state));
                state = py::PyThreadState_Next(state);
            }
        }
        let Recorder { threads, out, .. } = self;
        threads.all.retain(|thread| {
            let lives = !thread.stack.is_empty() || alive.contains(&thread.unique);
            if !lives {
                out.push(message::THREAD);
                put::number(out, thread.number);
                out.push(message::THREAD_END);
            }
            lives
        });
        // What follows belongs to no thread until one is named.
        threads.current = usize::MAX;
    }
}
