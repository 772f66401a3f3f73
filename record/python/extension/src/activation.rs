//! How recording begins: the constructor of the preloaded library, and the audit hook that waits for
//! the main program.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use retrostep_record_python_wire::{Access, Config, ENVIRONMENT, EXTENSION_NAME, Mode, Producer};

use crate::api::{self, AuditHook, PyObject, py, symbol};
use crate::layout::{self, layout};
use crate::{check, engine, module, output, recorder, settrace};

/// What the preloaded library needs when the main program begins.
struct Waiting {
    producer: Producer,
    config: Config,
}

static WAITING: Mutex<Option<Waiting>> = Mutex::new(None);
static PACKAGE_FOLDER: Mutex<Option<PathBuf>> = Mutex::new(None);
/// Whether this process has a recorder.
static IS_ACTIVE: AtomicBool = AtomicBool::new(false);

#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: extern "C" fn() = constructor;

/// Runs when the library is loaded, before the program's `main`.
extern "C" fn constructor() {
    let Some(ring) = std::env::var_os(ENVIRONMENT) else {
        return;
    };
    let get_version = symbol(c"Py_GetVersion");
    if get_version.is_null() {
        // A shell, `env` or the like on the way to Python.
        return;
    }
    let Ok(producer) = Producer::open(&PathBuf::from(ring)) else {
        return;
    };
    let config = Config::from_bytes(producer.config());
    restore_environment(&config);
    let add_hook = symbol(c"PySys_AddAuditHook");
    if add_hook.is_null() {
        if producer.claim() {
            producer.refuse(&format!(
                "Python {} cannot be recorded: this version of Retrostep records CPython 3.9 to 3.14",
                version_of(get_version)
            ));
        }
        return;
    }
    if let Ok(mut waiting) = WAITING.lock() {
        *waiting = Some(Waiting { producer, config });
    }
    set_up_debug_allocators();
    // SAFETY: the function may be called before the interpreter is initialised.
    unsafe {
        let add_hook = std::mem::transmute::<
            *mut c_void,
            unsafe extern "C" fn(AuditHook, *mut c_void) -> c_int,
        >(add_hook);
        add_hook(audit, null_mut());
    }
}

/// Switches the debugging allocators on at once if the interpreter is about to do so.
///
/// The interpreter keeps the audit hook in memory that it allocates now and gives back at its end; its
/// debugging allocators end the process when they are given memory that is not theirs.
fn set_up_debug_allocators() {
    let set_up = symbol(c"PyMem_SetupDebugHooks");
    if set_up.is_null() || !wants_debug_allocators() {
        return;
    }
    // SAFETY: the function takes nothing and may be called before the interpreter is initialised.
    unsafe {
        std::mem::transmute::<*mut c_void, unsafe extern "C" fn()>(set_up)();
    }
}

/// Whether `PYTHONMALLOC`, `PYTHONDEVMODE` or `-X dev` asks for the debugging allocators.
///
/// An answer that is wrongly yes costs speed only: what is allocated and freed by them agrees.
fn wants_debug_allocators() -> bool {
    let variable = |name: &str| std::env::var_os(name).unwrap_or_default();
    if variable("PYTHONMALLOC").to_string_lossy().contains("debug")
        || !variable("PYTHONDEVMODE").is_empty()
    {
        return true;
    }
    let command = std::fs::read("/proc/self/cmdline").unwrap_or_default();
    let mut before: &[u8] = b"";
    command.split(|byte| *byte == 0).any(|argument| {
        let is_option = |text: &[u8]| text.starts_with(b"-") && !text.starts_with(b"--");
        let joined = is_option(argument) && argument.ends_with(b"Xdev");
        let apart = argument == b"dev" && is_option(before) && before.ends_with(b"X");
        before = argument;
        joined || apart
    })
}

/// Gives the program the environment that it would have without the recorder.
fn restore_environment(config: &Config) {
    // SAFETY: runs before the program's first instruction; no other thread exists.
    unsafe {
        match &config.original_preload {
            Some(preload) => std::env::set_var("LD_PRELOAD", preload),
            None => std::env::remove_var("LD_PRELOAD"),
        }
        std::env::remove_var(ENVIRONMENT);
    }
}

fn version_of(get_version: *mut c_void) -> String {
    // SAFETY: `Py_GetVersion` answers a static text at any time.
    let text = unsafe {
        let get_version = std::mem::transmute::<*mut c_void, unsafe extern "C" fn() -> *const c_char>(
            get_version,
        );
        CStr::from_ptr(get_version()).to_string_lossy()
    };
    text.split_whitespace().next().unwrap_or("").to_owned()
}

unsafe extern "C" fn audit(
    event: *const c_char,
    arguments: *mut PyObject,
    _: *mut c_void,
) -> c_int {
    // SAFETY: the interpreter gives a text.
    let event = unsafe { CStr::from_ptr(event) }.to_bytes();
    match event {
        b"import" if IS_ACTIVE.load(Ordering::Relaxed) => {
            // SAFETY: called by the interpreter with its lock held and no exception pending.
            unsafe { on_import(arguments) };
        }
        b"sys.settrace" if recorder::is_enabled() && !layout().has_monitoring() => {
            // SAFETY: as above.
            unsafe { settrace::on_set_trace() };
        }
        b"cpython.run_file"
        | b"cpython.run_module"
        | b"cpython.run_command"
        | b"cpython.run_stdin" => {
            let waiting = WAITING.lock().ok().and_then(|mut waiting| waiting.take());
            if let Some(waiting) = waiting {
                let has_file = matches!(event, b"cpython.run_file" | b"cpython.run_module");
                // SAFETY: as above; the main program is about to run.
                unsafe { activate(waiting, has_file) };
            }
        }
        _ => {}
    }
    0
}

/// Makes the `retrostep` package importable at the moment it is asked for.
unsafe fn on_import(arguments: *mut PyObject) {
    // SAFETY: the caller's: the arguments of the audit event are a tuple that begins with the name.
    unsafe {
        let name = py::PyTuple_GetItem(arguments, 0);
        if name.is_null() || (*name).ob_type != py::PyUnicode_Type() {
            py::PyErr_Clear();
            return;
        }
        if py::PyUnicode_CompareWithASCIIString(name, c"_retrostep".as_ptr()) == 0 {
            module::provide();
        } else if py::PyUnicode_CompareWithASCIIString(name, c"retrostep".as_ptr()) == 0 {
            let folder = PACKAGE_FOLDER.lock().ok().and_then(|mut f| f.take());
            if let Some(folder) = folder.filter(|folder| !folder.as_os_str().is_empty()) {
                add_to_path(&folder.to_string_lossy());
            }
        }
    }
}

unsafe fn add_to_path(folder: &str) {
    // SAFETY: the caller's; the list takes its own reference.
    unsafe {
        let path = py::PySys_GetObject(c"path".as_ptr());
        if path.is_null() || (*path).ob_type != py::PyList_Type() {
            return;
        }
        let text = py::PyUnicode_FromStringAndSize(folder.as_ptr().cast(), folder.len() as isize);
        if text.is_null() {
            py::PyErr_Clear();
            return;
        }
        py::PyList_Append(path, text);
        py::Py_DecRef(text);
    }
}

/// Begins to record, or says why that cannot be.
unsafe fn activate(waiting: Waiting, has_file: bool) {
    let Waiting { producer, config } = waiting;
    if !producer.claim() {
        return;
    }
    let version = version_of(symbol(c"Py_GetVersion"));
    if let Err(layout::Unsupported(reason)) = layout::choose(&version) {
        producer.refuse(&reason);
        return;
    }
    if let Err(missing) = api::load() {
        producer.refuse(&format!(
            "Python {version} cannot be recorded: the interpreter does not export {missing}"
        ));
        return;
    }
    // SAFETY: called by the interpreter with its lock held and no exception pending.
    unsafe {
        let is_unpacked = |folder: &&Path| folder.join(EXTENSION_NAME).exists();
        let unpacked = config.package_folder.parent().filter(is_unpacked);
        let check::Findings { frames, objects } = check::run_once(unpacked, &version);
        if !objects.is_empty() {
            producer.refuse(&format!(
                "Python {version} cannot be recorded: this build differs from the one of that version ({})",
                objects.join("; ")
            ));
            return;
        }
        let slow = match config.access {
            _ if !frames.is_empty() => Some(frames.join("; ")),
            Access::Asked => Some("asked for".to_owned()),
            Access::Direct => None,
        };
        if slow.is_some() {
            layout::ask();
        }
        let mode = config.mode;
        if let Ok(mut folder) = PACKAGE_FOLDER.lock() {
            *folder = Some(config.package_folder.clone());
        }
        recorder::install(producer, &config);
        IS_ACTIVE.store(true, Ordering::Relaxed);
        libc::pthread_atfork(None, None, Some(after_fork));
        recorder::reach(|recorder| {
            leave_out_interpreter(&mut |folder| recorder.codes.scope.leave_out(folder));
            if !has_file {
                recorder.codes.record_main_namespace(main_namespace());
            }
            match &slow {
                None => recorder.started("every layout agrees", &version),
                Some(why) => {
                    recorder.started(&format!("frames are read the slow way: {why}"), &version);
                    recorder.note(&format!(
                        "some exceptions that leave a function, and elements beyond the limits, since frames are read the slow way ({why})"
                    ));
                }
            }
            recorder.switch_thread();
            recorder.values.install_hooks();
        });
        output::install();
        if let Err(reason) = engine::prepare() {
            recorder::reach(|recorder| {
                recorder.note(&format!("nothing was recorded: {reason}"));
                recorder.deliver();
            });
            return;
        }
        if mode == Mode::Marked {
            recorder::reach(|recorder| recorder.deliver());
        } else {
            engine::start();
        }
    }
}

/// In a forked child nothing is recorded.
unsafe extern "C" fn after_fork() {
    recorder::finish();
}

unsafe fn main_namespace() -> *mut PyObject {
    // SAFETY: the caller's.
    unsafe {
        let modules = py::PyImport_GetModuleDict();
        if modules.is_null() {
            return null_mut();
        }
        let main = py::PyDict_GetItemString(modules, c"__main__".as_ptr());
        if main.is_null() || (*main).ob_type != py::PyModule_Type() {
            return null_mut();
        }
        py::PyModule_GetDict(main)
    }
}

/// Names the folders of the interpreter's own library.
unsafe fn leave_out_interpreter(leave_out: &mut dyn FnMut(&str)) {
    for name in [c"base_prefix", c"base_exec_prefix", c"prefix"] {
        // SAFETY: the caller's.
        let prefix = unsafe { crate::text::text(py::PySys_GetObject(name.as_ptr())) };
        if prefix.is_empty() {
            continue;
        }
        for library in ["lib", "lib64"] {
            leave_out(&format!("{prefix}/{library}/python3.{}", layout().minor.0));
        }
    }
    leave_out("/usr/lib/python3");
}
