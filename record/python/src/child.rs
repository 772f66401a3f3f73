//! The recorded program as a process: starting it, its signals, waiting for it.
//!
//! The program stays in this process's group and keeps its terminal, so that keys, job control and
//! reading from the keyboard work as they do without a recorder. Signals meant for the program reach
//! it: what the terminal sends goes to the whole group by itself, and what somebody sends to this
//! process is passed on.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;
use std::{mem, ptr};

use crate::job::{Ending, Wish};
use crate::{Error, Result};

/// Signals that are passed on when another process sent them to this one.
const PASSED_ON: [libc::c_int; 6] = [
    libc::SIGTERM,
    libc::SIGHUP,
    libc::SIGINT,
    libc::SIGQUIT,
    libc::SIGUSR1,
    libc::SIGUSR2,
];
/// Signals that only have to be survived: a write beyond the file size limit returns an error then.
const SURVIVED: [libc::c_int; 1] = [libc::SIGXFSZ];

/// The descriptor to which the signal handler writes, or -1.
static WAKE: AtomicI32 = AtomicI32::new(-1);

/// Takes this process's signals until it is dropped.
#[derive(Debug)]
pub(crate) struct Signals {
    receiver: UnixStream,
    _sender: UnixStream,
    before: Vec<(libc::c_int, libc::sigaction)>,
}

impl Signals {
    /// Installs the handlers. A handler, and not "ignore": the program must not inherit it.
    pub(crate) fn take() -> Result<Signals> {
        let system = |source| Error::System {
            action: "handle signals",
            source,
        };
        let (receiver, sender) = UnixStream::pair().map_err(system)?;
        receiver.set_nonblocking(true).map_err(system)?;
        sender.set_nonblocking(true).map_err(system)?;
        WAKE.store(sender.as_raw_fd(), Ordering::Release);
        let mut signals = Signals {
            receiver,
            _sender: sender,
            before: Vec::new(),
        };
        for signal in PASSED_ON.into_iter().chain(SURVIVED).chain([libc::SIGCHLD]) {
            signals.handle(signal).map_err(system)?;
        }
        Ok(signals)
    }

    fn handle(&mut self, signal: libc::c_int) -> io::Result<()> {
        // SAFETY: both structures are fully initialised before use, and the handler is
        // async-signal-safe.
        unsafe {
            let mut before: libc::sigaction = mem::zeroed();
            if libc::sigaction(signal, ptr::null(), &mut before) != 0 {
                return Err(io::Error::last_os_error());
            }
            // What was ignored stays so, for this process and the program: `nohup` relies on it.
            if before.sa_sigaction == libc::SIG_IGN && signal != libc::SIGCHLD {
                return Ok(());
            }
            let mut action: libc::sigaction = mem::zeroed();
            action.sa_sigaction = on_signal as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO | libc::SA_RESTART;
            if libc::sigaction(signal, &action, ptr::null_mut()) != 0 {
                return Err(io::Error::last_os_error());
            }
            self.before.push((signal, before));
        }
        Ok(())
    }

    /// Waits until a signal arrives, one of `others` can be read, or the time is over.
    pub(crate) fn wait(&self, others: &[libc::c_int], time: Duration) {
        let mut waits: Vec<libc::pollfd> = others
            .iter()
            .copied()
            .chain([self.receiver.as_raw_fd()])
            .map(|fd| libc::pollfd {
                fd,
                events: libc::POLLIN,
                revents: 0,
            })
            .collect();
        let time = libc::timespec {
            tv_sec: time.as_secs() as libc::time_t,
            tv_nsec: libc::c_long::from(time.subsec_nanos() as i32),
        };
        // SAFETY: `waits` holds so many entries; an interrupted wait is as good as one that is over.
        unsafe {
            libc::ppoll(
                waits.as_mut_ptr(),
                waits.len() as libc::nfds_t,
                &time,
                ptr::null(),
            );
        }
    }

    /// Passes on to the program what arrived since the last call.
    pub(crate) fn pass_on(&self, program: &Program) {
        let mut received = [0_u8; 64];
        while let Ok(count) = (&self.receiver).read(&mut received) {
            let Some(received) = received.get(..count).filter(|bytes| !bytes.is_empty()) else {
                return;
            };
            for signal in received.iter().filter(|signal| **signal != 0) {
                program.signal(libc::c_int::from(*signal));
            }
        }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        for (signal, before) in &self.before {
            // SAFETY: gives back what `sigaction` returned.
            unsafe {
                libc::sigaction(*signal, before, ptr::null_mut());
            }
        }
        WAKE.store(-1, Ordering::Release);
    }
}

/// Wakes the waiting thread; the byte is the signal to pass on, or 0.
extern "C" fn on_signal(signal: libc::c_int, info: *mut libc::siginfo_t, _: *mut libc::c_void) {
    // SAFETY: the kernel passes a valid `info` to a handler with SA_SIGINFO; `write` and reading
    // `errno` are async-signal-safe.
    unsafe {
        let errno = *libc::__errno_location();
        // What the kernel sends for a terminal reaches the whole group, the program included.
        let from_a_process = !info.is_null() && (*info).si_code <= 0;
        let byte = if from_a_process && PASSED_ON.contains(&signal) {
            signal as u8
        } else {
            0
        };
        let wake = WAKE.load(Ordering::Acquire);
        if wake >= 0 {
            libc::write(wake, ptr::from_ref(&byte).cast(), 1);
        }
        *libc::__errno_location() = errno;
    }
}

/// The program while it runs.
#[derive(Debug)]
pub(crate) struct Program {
    child: Child,
    ended: Option<ExitStatus>,
}

impl Program {
    /// Starts `arguments` with `environment` added; with `capture` its output comes through pipes.
    pub(crate) fn start(
        arguments: &[OsString],
        environment: &[(OsString, OsString)],
        capture: bool,
    ) -> Result<Program> {
        let (name, arguments) = arguments.split_first().ok_or(Error::NoProgram)?;
        let mut command = Command::new(name);
        command
            .args(arguments)
            .envs(environment.iter().map(|(name, value)| (name, value)));
        if capture {
            command
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::piped());
        }
        let child = command.spawn().map_err(|source| Error::Start {
            name: name.to_string_lossy().into_owned(),
            source,
        })?;
        Ok(Program { child, ended: None })
    }

    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// The reading ends of its output, when they were captured. The second call gets none.
    pub(crate) fn take_output(
        &mut self,
    ) -> (
        Option<std::process::ChildStdout>,
        Option<std::process::ChildStderr>,
    ) {
        (self.child.stdout.take(), self.child.stderr.take())
    }

    /// How it ended, if it has.
    pub(crate) fn ended(&mut self) -> Result<Option<Ending>> {
        if self.ended.is_none() {
            self.ended = self.child.try_wait().map_err(|source| Error::System {
                action: "wait for the program",
                source,
            })?;
        }
        Ok(self.ended.map(|status| match status.signal() {
            Some(signal) => Ending::Signal(signal),
            None => Ending::Code(status.code().unwrap_or(1)),
        }))
    }

    /// Does what the observer wants.
    pub(crate) fn grant(&self, wish: Wish) {
        self.signal(match wish {
            Wish::End => libc::SIGTERM,
            Wish::Kill => libc::SIGKILL,
        });
    }

    fn signal(&self, signal: libc::c_int) {
        if self.ended.is_none() {
            // SAFETY: the child was not waited for, so the number is still its own.
            unsafe {
                libc::kill(self.child.id() as libc::pid_t, signal);
            }
        }
    }
}

/// Ends this process by `signal`, as the recorded program ended, without leaving a core file.
///
/// Returns the exit code that stands for it when the signal does not end this process.
#[must_use]
pub fn die_by(signal: i32) -> u8 {
    // SAFETY: the limit is initialised; the default action of a signal is async-signal-safe to ask for.
    unsafe {
        let none = libc::rlimit {
            rlim_cur: 0,
            rlim_max: 0,
        };
        libc::setrlimit(libc::RLIMIT_CORE, &none);
        libc::signal(signal, libc::SIG_DFL);
        let mut set: libc::sigset_t = mem::zeroed();
        libc::sigemptyset(&mut set);
        libc::sigaddset(&mut set, signal);
        libc::sigprocmask(libc::SIG_UNBLOCK, &set, ptr::null_mut());
        libc::raise(signal);
    }
    u8::try_from(128_i32.saturating_add(signal)).unwrap_or(u8::MAX)
}

/// Whether a process of this number runs.
pub(crate) fn is_running(process_id: u32) -> bool {
    let Ok(process_id) = libc::pid_t::try_from(process_id) else {
        return false;
    };
    // SAFETY: signal 0 only asks.
    process_id > 0 && unsafe { libc::kill(process_id, 0) } == 0
}
