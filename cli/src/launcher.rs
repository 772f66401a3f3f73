//! Starting recordings for the debug adapter: as processes of this same program that report over a
//! socket, so that a recording survives whatever happens to the adapter.

use std::ffi::OsString;
use std::io::{Read as _, Write as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use retrostep_adapter::{
    Launcher, RecordConsole, RecordRequest, RecordTarget, Report, ReportSink, RunningRecording,
    Started, TerminalCommand,
};
use retrostep_sessions::Library;
use tempfile::TempDir;

use crate::report::{self, END, KILL};

/// A program that was asked to end gets so long.
const PATIENCE: Duration = Duration::from_secs(2);
/// How often the socket is looked at for the recording to connect.
const CONNECT_POLL: Duration = Duration::from_millis(5);

/// Starts `retrostep record` for the adapter.
#[derive(Debug)]
pub(crate) struct ProcessLauncher;

impl Launcher for ProcessLauncher {
    fn start(
        &self,
        request: &RecordRequest,
        console: RecordConsole,
        reports: ReportSink,
    ) -> anyhow::Result<Started> {
        let cwd = match &request.cwd {
            Some(cwd) => cwd.clone(),
            None => std::env::current_dir().context("cannot tell the current folder")?,
        };
        anyhow::ensure!(cwd.is_dir(), "there is no folder {}", cwd.display());
        if let Some(size) = &request.max_size {
            crate::text::parse_size(size)
                .map_err(|error| anyhow::anyhow!("\"maxSize\" is {size:?}: {error}"))?;
        }
        let meeting = Meeting::open()?;
        let program = std::env::current_exe().context("cannot find retrostep's own program")?;
        let arguments = arguments(request, console, &meeting.path);
        let link = Arc::new(Mutex::new(Link::default()));
        let (child, terminal_command) = match console {
            RecordConsole::Internal => {
                let mut command = Command::new(&program);
                command
                    .args(&arguments)
                    .current_dir(&cwd)
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::piped());
                // A pipe would hold back what the program prints until it ends.
                command.env("PYTHONUNBUFFERED", "1");
                for (name, value) in &request.env {
                    match value {
                        Some(value) => command.env(name, value),
                        None => command.env_remove(name),
                    };
                }
                let child = command
                    .spawn()
                    .with_context(|| format!("cannot start {}", program.display()))?;
                (Some(child), None)
            }
            RecordConsole::Terminal => {
                let args = std::iter::once(program.into_os_string())
                    .chain(arguments)
                    .map(|word| word.to_string_lossy().into_owned())
                    .collect();
                let command = TerminalCommand {
                    args,
                    cwd,
                    env: request.env.clone(),
                };
                (None, Some(command))
            }
        };
        thread::Builder::new()
            .name("recording".to_owned())
            .spawn({
                let link = Arc::clone(&link);
                move || follow(meeting, child, &link, &reports)
            })
            .context("cannot follow the recording")?;
        Ok(Started {
            recording: Box::new(Running { link }),
            terminal_command,
        })
    }

    fn find_recording(&self, name: &str, folder: Option<&Path>) -> anyhow::Result<PathBuf> {
        let here = std::env::current_dir().context("cannot tell the current folder")?;
        let folder = folder.map_or_else(|| here.clone(), |folder| here.join(folder));
        let in_folder = folder.join(name);
        if in_folder.is_file() {
            return Ok(in_folder);
        }
        let path = crate::open::find_in(&Library::find(&folder), name)?;
        Ok(here.join(path))
    }
}

/// The words of `retrostep record` for a request.
fn arguments(request: &RecordRequest, console: RecordConsole, socket: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec!["record".into(), "--report".into(), socket.into()];
    if console == RecordConsole::Internal {
        words.push("--capture-output".into());
    }
    let mut option = |name: &str, value: OsString| {
        let mut word = OsString::from(format!("--{name}="));
        word.push(value);
        words.push(word);
    };
    for glob in &request.include {
        option("include", glob.into());
    }
    for glob in &request.exclude {
        option("exclude", glob.into());
    }
    for name in &request.redact {
        option("redact", name.into());
    }
    let by_python = match &request.target {
        RecordTarget::Program(program) => program.extension().is_some_and(|end| end == "py"),
        RecordTarget::Module(_) => true,
    };
    if let Some(python) = request.python.as_ref().filter(|_| by_python) {
        option("python", python.into());
    }
    if let Some(size) = &request.max_size {
        option("max-size", size.into());
    }
    if let Some(out) = &request.out {
        option("out", out.into());
    }
    words.push("--".into());
    match &request.target {
        // What has not the name of a script is one all the same when an interpreter is given, and never
        // a program on PATH.
        RecordTarget::Program(program) if !by_python => {
            words.extend(request.python.as_ref().map(OsString::from));
            words.push(Path::new(".").join(program).into());
        }
        RecordTarget::Program(program) => words.push(program.into()),
        RecordTarget::Module(module) => words.extend(["-m".into(), module.into()]),
    }
    words.extend(request.args.iter().map(OsString::from));
    words
}

/// The socket on which the recording connects.
struct Meeting {
    listener: UnixListener,
    path: PathBuf,
    _folder: TempDir,
}

impl Meeting {
    fn open() -> anyhow::Result<Meeting> {
        let folder = tempfile::Builder::new()
            .prefix("retrostep-")
            .tempdir()
            .context("cannot make a folder for the recording's reports")?;
        let path = folder.path().join("report");
        let listener = UnixListener::bind(&path)
            .and_then(|listener| listener.set_nonblocking(true).map(|()| listener))
            .with_context(|| format!("cannot listen on {}", path.display()))?;
        Ok(Meeting {
            listener,
            path,
            _folder: folder,
        })
    }
}

/// What connects the adapter's side and the thread that follows the recording.
#[derive(Debug, Default)]
struct Link {
    socket: Option<UnixStream>,
    stop_since: Option<Instant>,
    over: bool,
}

fn locked(link: &Mutex<Link>) -> MutexGuard<'_, Link> {
    link.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Passes on everything the recording reports, and always a last report.
fn follow(meeting: Meeting, mut child: Option<Child>, link: &Mutex<Link>, reports: &ReportSink) {
    let mut last = false;
    let connected = connect(&meeting, child.as_mut(), link);
    if let Some(socket) = connected {
        // A broken connection is told below, as a recording without a last report.
        let _ = report::read(socket, |report| {
            last |= matches!(report, Report::Finished { .. } | Report::Failed { .. });
            reports(report);
        });
    }
    {
        let mut link = locked(link);
        link.over = true;
        link.socket = None;
    }
    let message = child.as_mut().and_then(what_it_said);
    if !last {
        reports(Report::Failed {
            message: message
                .unwrap_or_else(|| "the recording was ended before it began".to_owned()),
        });
    }
}

/// Waits for the recording; `None` if it ended, or was stopped, before it connected.
fn connect(
    meeting: &Meeting,
    mut child: Option<&mut Child>,
    link: &Mutex<Link>,
) -> Option<UnixStream> {
    loop {
        if let Ok((socket, _)) = meeting.listener.accept() {
            socket.set_nonblocking(false).ok()?;
            let mut link = locked(link);
            link.socket = socket.try_clone().ok();
            if link.stop_since.is_some() {
                ask(&link, END);
            }
            return Some(socket);
        }
        let ended = child
            .as_mut()
            .is_some_and(|child| !matches!(child.try_wait(), Ok(None)));
        let stopped = child.is_none() && locked(link).stop_since.is_some();
        if ended || stopped {
            return None;
        }
        thread::sleep(CONNECT_POLL);
    }
}

/// The last words of a recording that ended without a report.
fn what_it_said(child: &mut Child) -> Option<String> {
    let mut said = String::new();
    if let Some(stderr) = &mut child.stderr {
        stderr.take(64 << 10).read_to_string(&mut said).ok()?;
    }
    // The process is over: its socket and its standard error are closed.
    let _ = child.wait();
    let said = said.trim().trim_start_matches("retrostep: ").to_owned();
    (!said.is_empty()).then_some(said)
}

fn ask(link: &Link, word: &str) {
    if let Some(mut socket) = link.socket.as_ref() {
        // A recording that is over needs not be asked.
        let _ = writeln!(socket, "{word}");
    }
}

/// The adapter's hold on a recording.
struct Running {
    link: Arc<Mutex<Link>>,
}

impl RunningRecording for Running {
    fn stop(&mut self) {
        {
            let mut link = locked(&self.link);
            if link.over || link.stop_since.is_some() {
                return;
            }
            link.stop_since = Some(Instant::now());
            ask(&link, END);
        }
        let link = Arc::clone(&self.link);
        let insist = move || {
            thread::sleep(PATIENCE);
            let link = locked(&link);
            if !link.over {
                ask(&link, KILL);
            }
        };
        if thread::Builder::new().spawn(insist).is_err() {
            ask(&locked(&self.link), KILL);
        }
    }
}
