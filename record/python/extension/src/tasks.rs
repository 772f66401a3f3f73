//! Asynchronous tasks: which one runs on a thread, told when its outermost recorded coroutine goes on
//! or stops.

use std::collections::HashMap;
use std::ffi::CStr;

use retrostep_record_python_wire::message::{self, put};

use crate::api::{PyObject, py};
use crate::collector;
use crate::recorder::Recorder;
use crate::text::text;

/// The tasks that were seen and are not over, by address and name.
#[derive(Debug, Default)]
pub(crate) struct Tasks {
    known: HashMap<(usize, String), u64>,
    /// The frame that each task ran first.
    roots: HashMap<u64, u64>,
    next: u64,
}

impl Recorder {
    /// Called before a coroutine goes on: says which task runs from here on, unless that is known.
    pub(crate) unsafe fn enter_task(&mut self) -> Option<u64> {
        if self.threads.current()?.task.is_some() {
            return None;
        }
        // SAFETY: the interpreter's lock is held and no exception is pending.
        let (address, name) = collector::pause(|| unsafe { running_task() })?;
        let key = (address, name);
        let task = match self.tasks.known.get(&key) {
            Some(task) => *task,
            None => {
                let task = self.tasks.next;
                self.tasks.next += 1;
                self.out.push(message::TASK_START);
                put::number(&mut self.out, task);
                put::text(&mut self.out, key.1.as_bytes());
                self.tasks.known.insert(key, task);
                task
            }
        };
        self.out.push(message::TASK_SWITCH);
        put::number(&mut self.out, task + 1);
        Some(task)
    }

    /// Notes that a task runs in this frame.
    pub(crate) fn stand_task(&mut self, task: u64) {
        if let Some(thread) = self.threads.current()
            && let Some(active) = thread.stack.last()
        {
            thread.task = Some((active.id, task));
            self.tasks.roots.entry(task).or_insert(active.id);
        }
    }

    /// Called after a frame left the stack; `over` when it will not go on.
    #[inline]
    pub(crate) fn leave_task(&mut self, frame: u64, over: bool) {
        let Some(thread) = self.threads.current() else {
            return;
        };
        let Some((bottom, task)) = thread.task else {
            return;
        };
        if bottom != frame {
            return;
        }
        thread.task = None;
        if over && self.tasks.roots.get(&task) == Some(&frame) {
            self.tasks.roots.remove(&task);
            self.tasks.known.retain(|_, known| *known != task);
            self.out.push(message::TASK_END);
            put::number(&mut self.out, task);
        }
        self.out.extend_from_slice(&[message::TASK_SWITCH, 0]);
    }
}

/// The address and name of the task that runs on this thread.
unsafe fn running_task() -> Option<(usize, String)> {
    // SAFETY: the caller's. Only C functions of the interpreter's own module are called.
    unsafe {
        let modules = py::PyImport_GetModuleDict();
        if modules.is_null() {
            return None;
        }
        let module = py::PyDict_GetItemString(modules, c"_asyncio".as_ptr());
        if module.is_null() || (*module).ob_type != py::PyModule_Type() {
            return None;
        }
        let namespace = py::PyModule_GetDict(module);
        let event_loop = call(builtin(namespace, c"_get_running_loop")?)?;
        let task = if event_loop == py::_Py_NoneStruct() {
            None
        } else if let Some(current) = builtin(namespace, c"current_task") {
            call(current)
        } else {
            task_of_loop(namespace, event_loop)
        };
        py::Py_DecRef(event_loop);
        let task = task?;
        let name = (task != py::_Py_NoneStruct()).then(|| name_of(namespace, task));
        py::Py_DecRef(task);
        Some((task as usize, name?))
    }
}

/// A function of a module that is written in C.
unsafe fn builtin(namespace: *mut PyObject, name: &CStr) -> Option<*mut PyObject> {
    // SAFETY: the caller's.
    unsafe {
        let function = py::PyDict_GetItemString(namespace, name.as_ptr());
        (!function.is_null() && (*function).ob_type == py::PyCFunction_Type()).then_some(function)
    }
}

unsafe fn call(function: *mut PyObject) -> Option<*mut PyObject> {
    // SAFETY: the caller's.
    unsafe {
        let result = py::PyObject_CallNoArgs(function);
        if result.is_null() {
            py::PyErr_Clear();
            return None;
        }
        Some(result)
    }
}

/// Up to 3.11 the running tasks stand in a dictionary by loop. A new reference.
unsafe fn task_of_loop(
    namespace: *mut PyObject,
    event_loop: *mut PyObject,
) -> Option<*mut PyObject> {
    // SAFETY: the caller's; loops are compared by identity, so no code of theirs runs.
    unsafe {
        let tasks = py::PyDict_GetItemString(namespace, c"_current_tasks".as_ptr());
        if tasks.is_null() || (*tasks).ob_type != py::PyDict_Type() {
            return None;
        }
        let mut position = 0;
        let mut key = std::ptr::null_mut();
        let mut task = std::ptr::null_mut();
        while py::PyDict_Next(tasks, &mut position, &mut key, &mut task) != 0 {
            if key == event_loop {
                py::Py_IncRef(task);
                return Some(task);
            }
        }
        None
    }
}

unsafe fn name_of(namespace: *mut PyObject, task: *mut PyObject) -> String {
    // SAFETY: the caller's; the method is the interpreter's own.
    unsafe {
        let class = py::PyDict_GetItemString(namespace, c"Task".as_ptr());
        if class.is_null() || py::PyType_IsSubtype((*task).ob_type, class) == 0 {
            return "task".to_owned();
        }
        let method = py::PyObject_GetAttrString(class, c"get_name".as_ptr());
        if method.is_null() {
            py::PyErr_Clear();
            return "task".to_owned();
        }
        let arguments = py::PyTuple_New(1);
        py::Py_IncRef(task);
        py::PyTuple_SetItem(arguments, 0, task);
        let name = py::PyObject_CallObject(method, arguments);
        py::Py_DecRef(arguments);
        py::Py_DecRef(method);
        if name.is_null() {
            py::PyErr_Clear();
            return "task".to_owned();
        }
        let result = text(name);
        py::Py_DecRef(name);
        result
    }
}
