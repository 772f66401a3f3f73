//! One recording from the program's start to its end.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use retrostep_record_python_wire::{Config, Consumer, ENVIRONMENT, Mode, RingError, State, create};
use retrostep_trace::{Header, Summary};
use tempfile::TempDir;

use crate::child::{Program, Signals, is_running};
use crate::command::Launch;
use crate::drain::{CHUNK_BYTES, Drain, Sink};
use crate::job::{Ending, Job, Observer, Outcome, OutputMode, Progress, Recorded};
use crate::output::Outputs;
use crate::{Error, Result, embedded, scope};

const PRELOAD: &str = "LD_PRELOAD";
/// How often a reader of the growing file sees something more.
const FLUSH_EVERY: Duration = Duration::from_millis(250);
/// A kill of both processes loses at most what this many events are, or what came in this time.
const FLUSH_MANY: u64 = 4096;
const FLUSH_MANY_EVERY: Duration = Duration::from_millis(35);
/// An idle program is looked at so often at least; the ring takes twice as long to fill at least.
const LONGEST_PAUSE: Duration = Duration::from_millis(10);
/// Looking more often would find a few messages at a time, and cost more than it reads.
const SHORTEST_PAUSE: Duration = Duration::from_millis(2);
/// A process that outlives the command gets so long to stop recording.
const GRACE: Duration = Duration::from_millis(200);

/// Runs the program of `job` and records it.
///
/// Returns when the program has ended, whatever became of the recording: a full disk or a recorder that
/// cannot work with the interpreter leave the program alone and are told in the [`Outcome`].
///
/// # Errors
///
/// [`Error`], when the program was not started.
pub fn record(job: Job, observer: &mut dyn Observer) -> Result<Outcome> {
    let launch = Launch::resolve(&job.command, job.python.as_deref(), &job.working_directory)?;
    let recorder = embedded::unpack(embedded::cache_folder().as_deref())?;
    let preload = std::env::var_os(PRELOAD);
    let config = Config {
        mode: match job.mode {
            Mode::Automatic if launch.program.imports_package(&job.working_directory) => {
                Mode::Marked
            }
            mode => mode,
        },
        access: job.access,
        roots: scope::roots(&launch.program, &job.working_directory),
        include: scope::globs(&job.include, &job.working_directory),
        exclude: scope::globs(&job.exclude, &job.working_directory),
        redact: scope::redacted_names(&job.redact),
        max_string: job.limits.max_string,
        max_children: job.limits.max_children,
        depth: job.limits.depth,
        package_folder: recorder.package_folder.clone(),
        original_preload: preload
            .as_ref()
            .map(|preload| preload.to_string_lossy().into_owned()),
    };
    let reserved = Reserved::make(&job.recording)?;
    let ring = Ring::make(&config)?;
    let signals = Signals::take()?;
    let mut sink = Sink::new(
        job.recording.clone(),
        header(&job, &launch, &config),
        job.max_bytes,
    );
    let (sender, origin) = mpsc::channel();
    let look_up = job.origin;
    // Nobody takes the answer when the program is over first.
    let asked = thread::Builder::new().spawn(move || sender.send(look_up()).ok());
    if asked.is_ok() {
        sink.set_origin(origin);
    }

    let mut preloaded = recorder.extension.clone().into_os_string();
    if let Some(preload) = preload.filter(|preload| !preload.is_empty()) {
        preloaded.push(":");
        preloaded.push(preload);
    }
    let mut environment = job.environment.clone();
    environment.push((PRELOAD.into(), preloaded));
    environment.push((ENVIRONMENT.into(), ring.path.clone().into_os_string()));
    let begin = Instant::now();
    let captured = job.output == OutputMode::Captured;
    let mut program = Program::start(&launch.arguments, &environment, captured)?;
    let (stdout, stderr) = program.take_output();
    observer.started(program.id(), &job.recording);
    let mut session = Running {
        drain: Drain::new(ring.consumer, sink),
        folder: Some(ring.folder),
        signals,
        outputs: (job.output != OutputMode::Untouched).then(|| Outputs::new(stdout, stderr)),
        program,
        begin,
    };
    let ending = session.run(observer)?;
    let duration = begin.elapsed();
    let outcome = session.finish(ending, duration, &launch, &job.recording);
    drop(reserved);
    Ok(outcome)
}

/// A program that runs under the recorder.
struct Running {
    drain: Drain,
    /// The shared file's folder; it goes as soon as the recorder has opened the file.
    folder: Option<TempDir>,
    signals: Signals,
    outputs: Option<Outputs>,
    program: Program,
    begin: Instant,
}

impl Running {
    /// Records until the program has ended and everything it left in the ring is written.
    fn run(&mut self, observer: &mut dyn Observer) -> Result<Ending> {
        let mut pause = SHORTEST_PAUSE;
        let mut ticked = Instant::now();
        let mut flushed = ticked;
        let ending = loop {
            let moved = self.drain.pump(self.outputs.as_mut());
            self.signals.pass_on(&self.program);
            if let Some(wish) = observer.wish() {
                self.program.grant(wish);
            }
            self.pass_output_on(observer, false);
            if let Some(ending) = self.program.ended()? {
                break ending;
            }
            if ticked.elapsed() >= FLUSH_EVERY {
                ticked = Instant::now();
                flushed = ticked;
                self.tick(observer);
            } else if flushed.elapsed() >= FLUSH_MANY_EVERY
                && self.drain.sink().unflushed() >= FLUSH_MANY
            {
                flushed = Instant::now();
                self.drain.flush();
            }
            if moved >= CHUNK_BYTES {
                continue;
            }
            if moved > 0 {
                pause = SHORTEST_PAUSE;
            }
            let descriptors = match &self.outputs {
                Some(outputs) => outputs.descriptors(),
                None => Vec::new(),
            };
            self.signals.wait(&descriptors, pause);
            pause = (pause * 2).min(LONGEST_PAUSE);
        };
        self.drain_to_the_end();
        self.pass_output_on(observer, true);
        Ok(ending)
    }

    fn pass_output_on(&mut self, observer: &mut dyn Observer, end: bool) {
        if let Some(outputs) = &mut self.outputs {
            outputs.pass_on(observer, end);
        }
    }

    fn tick(&mut self, observer: &mut dyn Observer) {
        self.drain.flush();
        if self.folder.is_some() && self.drain.consumer().state() != State::Unclaimed {
            self.folder = None;
        }
        if self.drain.sink().has_started() {
            let sink = self.drain.sink();
            observer.progress(Progress {
                events: sink.events(),
                bytes: sink.bytes(),
                elapsed: self.begin.elapsed(),
            });
        }
    }

    /// Takes what is left in the ring. A process that still records is asked to stop, and not waited for.
    fn drain_to_the_end(&mut self) {
        let recorder = self.drain.consumer().producer_pid();
        let outlives = recorder != 0 && recorder != self.program.id() && is_running(recorder);
        if outlives {
            self.drain.consumer().request_stop();
        }
        let end = Instant::now() + GRACE;
        while self.drain.pump(self.outputs.as_mut()) > 0 {
            if outlives && Instant::now() > end {
                break;
            }
        }
    }

    fn finish(
        mut self,
        ending: Ending,
        duration: Duration,
        launch: &Launch,
        recording: &Path,
    ) -> Outcome {
        let state = self.drain.consumer().state();
        let reason = self.drain.consumer().reason();
        let sink = self.drain.sink();
        let (exit_code, signal) = match ending {
            Ending::Code(code) => (Some(code), None),
            Ending::Signal(signal) => (None, Some(signal)),
        };
        let problem = sink.finish(Summary {
            duration_ns: u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX),
            exit_code,
            signal,
            notes: Vec::new(),
            redacted: 0,
        });
        let recorded = (sink.has_started() && recording.exists()).then(|| Recorded {
            path: recording.to_owned(),
            events: sink.events(),
            bytes: sink.bytes(),
            duration,
            notes: sink.notes().to_vec(),
        });
        let problem = problem.or_else(|| match (&recorded, state) {
            (Some(_), _) => None,
            (None, State::Refused) => Some(format!("nothing was recorded: {reason}")),
            (None, State::Recording) => Some(
                "nothing was recorded: the program ended before the recorder had started".into(),
            ),
            (None, State::Unclaimed) => Some(unclaimed(launch)),
        });
        Outcome {
            ending,
            recorded,
            problem,
        }
    }
}

/// The recording's place, taken before the program starts so that a folder that cannot be written is
/// told in time.
struct Reserved<'a> {
    path: &'a Path,
    made: bool,
    /// Locked for as long as the recording is written; see [`is_being_written`].
    _file: File,
}

impl Reserved<'_> {
    fn make(path: &Path) -> Result<Reserved<'_>> {
        let made = path.metadata().is_ok_and(|facts| facts.len() == 0) || !path.exists();
        let failed = |source| Error::Output {
            path: path.to_owned(),
            source,
        };
        let file = File::options()
            .append(true)
            .create(true)
            .open(path)
            .map_err(failed)?;
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => {
                return Err(failed(io::Error::other(
                    "another recording is written to it",
                )));
            }
            // A file system without locks only cannot tell that the recording is being written.
            Ok(()) | Err(TryLockError::Error(_)) => {}
        }
        Ok(Reserved {
            path,
            made,
            _file: file,
        })
    }
}

impl Drop for Reserved<'_> {
    fn drop(&mut self) {
        // Nothing was recorded: what was only reserved goes.
        if self.made && self.path.metadata().is_ok_and(|facts| facts.len() == 0) {
            // An empty file that cannot be removed is harmless.
            let _ = fs::remove_file(self.path);
        }
    }
}

/// Whether a program that still runs is recorded into the file at `path`.
#[must_use]
pub fn is_being_written(path: &Path) -> bool {
    File::open(path)
        .is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// The memory shared with the program.
struct Ring {
    consumer: Consumer,
    path: PathBuf,
    folder: TempDir,
}

impl Ring {
    fn make(config: &Config) -> Result<Ring> {
        let place = Path::new("/dev/shm");
        let in_memory = place
            .is_dir()
            .then(|| Ring::make_in(place, config).ok())
            .flatten();
        match in_memory {
            Some(ring) => Ok(ring),
            None => {
                let place = std::env::temp_dir();
                Ring::make_in(&place, config).map_err(|source| Error::Share {
                    path: place,
                    source: explained(source),
                })
            }
        }
    }

    fn make_in(place: &Path, config: &Config) -> io::Result<Ring> {
        let folder = tempfile::Builder::new()
            .prefix("retrostep-")
            .tempdir_in(place)?;
        let path = folder.path().join("ring");
        create(&path, &config.to_bytes())?;
        let consumer = Consumer::open(&path).map_err(|error| match error {
            RingError::Io(error) => error,
            RingError::Foreign => io::Error::other(error),
        })?;
        Ok(Ring {
            consumer,
            path,
            folder,
        })
    }
}

fn explained(error: io::Error) -> io::Error {
    if error.raw_os_error() == Some(libc::EFBIG) {
        return io::Error::other("the file size limit (ulimit -f) is below the 5 MB it needs");
    }
    error
}

fn header(job: &Job, launch: &Launch, config: &Config) -> Header {
    let start = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    Header {
        recorder: "python".to_owned(),
        recorder_version: env!("CARGO_PKG_VERSION").to_owned(),
        language: "Python".to_owned(),
        name: job.name.clone(),
        command: launch
            .arguments
            .iter()
            .map(|word| word.to_string_lossy().into_owned())
            .collect(),
        working_directory: job.working_directory.to_string_lossy().into_owned(),
        start_unix_ns: u64::try_from(start.as_nanos()).unwrap_or(u64::MAX),
        host: host.trim_end().to_owned(),
        max_string: config.max_string,
        max_children: config.max_children,
        depth: config.depth,
        redacted_names: config.redact.clone(),
        scope: config
            .roots
            .iter()
            .map(|root| {
                if root.is_empty() {
                    "/".to_owned()
                } else {
                    root.clone()
                }
            })
            .collect(),
        ..Header::default()
    }
}

/// Why no process took the ring, as far as it can be found out afterwards.
fn unclaimed(launch: &Launch) -> String {
    let command = launch
        .arguments
        .iter()
        .map(|word| word.to_string_lossy())
        .collect::<Vec<_>>()
        .join(" ");
    let Some(interpreter) = &launch.interpreter else {
        return format!("nothing was recorded: no Python program ran in \"{command}\"");
    };
    let interpreter_name = interpreter.display();
    match version(interpreter) {
        None => format!("nothing was recorded: {interpreter_name} did not start"),
        Some((name, _, _)) if name != "cpython" => format!(
            "nothing was recorded: {interpreter_name} is {name}; the recorder needs CPython 3.9 to 3.14"
        ),
        Some((_, (3, 9..=14), version)) => format!(
            "nothing was recorded: {interpreter_name} ({version}) ended before it ran a program, or cannot be recorded because it is statically linked or runs with other rights"
        ),
        Some((_, _, version)) => format!(
            "nothing was recorded: {interpreter_name} is Python {version}; the recorder needs CPython 3.9 to 3.14"
        ),
    }
}

/// What an interpreter says of itself: implementation, version, version in full.
fn version(interpreter: &Path) -> Option<(String, (u32, u32), String)> {
    const PROGRAM: &str = "import sys, platform; print(platform.python_implementation().lower(), \
                           sys.version_info[0], sys.version_info[1], platform.python_version())";
    let output = Command::new(interpreter)
        .args(["-E", "-c", PROGRAM])
        .stdin(Stdio::null())
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&output.stdout).replace(['(', ')', ',', '\''], " ");
    let mut words = text.split_whitespace();
    let name = words.next()?.to_owned();
    let major = words.next()?.parse().ok()?;
    let minor = words.next()?.parse().ok()?;
    Some((name, (major, minor), words.next()?.to_owned()))
}
