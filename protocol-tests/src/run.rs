//! Running programs, recorded and not, with a limit on every wait.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};

/// How a program ended and what it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// How it ended.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
}

/// Runs `command` to its end, with standard input closed unless it was set, at most `limit` long.
pub fn run(command: &mut Command, limit: Duration) -> Result<Outcome> {
    let folder = tempfile::tempdir()?;
    let (out, err) = (folder.path().join("out"), folder.path().join("err"));
    let what = format!("{command:?}");
    let mut child = command
        .stdout(Stdio::from(File::create(&out)?))
        .stderr(Stdio::from(File::create(&err)?))
        .spawn()
        .with_context(|| format!("start {what}"))?;
    let deadline = Instant::now() + limit;
    let status = loop {
        if let Some(status) = child.try_wait()? {
            break status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            bail!(
                "{what} did not end within {limit:?}\nstdout: {}\nstderr: {}",
                text(&out)?,
                text(&err)?
            );
        }
        std::thread::park_timeout(Duration::from_millis(2));
    };
    Ok(Outcome {
        status,
        stdout: text(&out)?,
        stderr: text(&err)?,
    })
}

/// As [`run`], of a program that must end well.
pub fn succeed(command: &mut Command, limit: Duration) -> Result<Outcome> {
    let outcome = run(command, limit)?;
    let Outcome {
        status,
        stdout,
        stderr,
    } = &outcome;
    ensure!(
        status.success(),
        "{command:?} ended with {status}\n{stdout}\n{stderr}"
    );
    Ok(outcome)
}

/// A `retrostep record --quiet --out FILE -- COMMAND…`, ready to run.
pub fn record_command<I, S>(binary: &Path, recording: &Path, command: I) -> Command
where
    I: IntoIterator<Item = S>,
    S: AsRef<OsStr>,
{
    let mut record = Command::new(binary);
    record
        .args(["record", "--quiet", "--out"])
        .arg(recording)
        .arg("--")
        .args(command);
    record.stdin(Stdio::null());
    record
}

fn text(path: &Path) -> Result<String> {
    let mut bytes = Vec::new();
    File::open(path)?.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
