//! The recording cannot go on; the program does, with its own output and exit code, and the user is told.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use protocol_tests::run::{Outcome, record_command, run};
use protocol_tests::skip::skip;

use super::{BINARY, LIMIT, info, python, retrostep};

/// Fills a recording with what does not compress, and ends with an exit code of its own.
const MUCH: &str = "\
import hashlib
kept = []
for number in range(40000):
    kept.append(hashlib.sha256(b'%d' % number).hexdigest())
print(len(kept))
raise SystemExit(7)
";
const ENOUGH_BYTES: u64 = 8 << 10;

#[test]
fn a_full_disk_ends_the_recording_and_not_the_program() -> Result<()> {
    let Some(python) = python("a_full_disk") else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let disk = folder.path().join("disk");
    std::fs::create_dir(&disk)?;
    let mounted = Command::new("mount")
        .args(["-t", "tmpfs", "-o", "size=256k", "tmpfs"])
        .arg(&disk)
        .stderr(Stdio::null())
        .status();
    if !mounted.is_ok_and(|status| status.success()) {
        skip("a_full_disk", "mounting a small tmpfs needs root");
        return Ok(());
    }
    let result = on_full_disk(&python, folder.path(), &disk);
    let _ = Command::new("umount").arg(&disk).status();
    result
}

fn on_full_disk(python: &Path, folder: &Path, disk: &Path) -> Result<()> {
    let script = folder.join("much.py");
    std::fs::write(&script, MUCH)?;
    let recording = disk.join("much.retro");
    let mut command = record_command(BINARY.as_ref(), &recording, [python, &script]);
    undisturbed(&run(&mut command, LIMIT)?, "the disk is full")?;
    opens(&recording)
}

#[test]
fn a_file_size_limit_ends_the_recording_and_not_the_program() -> Result<()> {
    let Some(python) = python("a_file_size_limit") else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("much.py");
    // More than fits below the limit, which the memory shared with the program has to pass.
    let more = MUCH.replace("40000", "400000").replace("sha256", "sha512");
    std::fs::write(&script, more)?;
    let recording = folder.path().join("much.retro");
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "ulimit -f 40000; exec \"$@\"", "sh", BINARY])
        .args(["record", "--quiet", "--out"])
        .arg(&recording)
        .arg("--")
        .args([python, script])
        .stdin(Stdio::null());
    let outcome = run(&mut limited, LIMIT)?;
    ensure!(outcome.stdout == "400000\n", "disturbed: {outcome:?}");
    ensure!(outcome.status.code() == Some(7), "exit code: {outcome:?}");
    ensure!(
        outcome.stderr.contains("the file size limit"),
        "nobody says why: {}",
        outcome.stderr
    );
    opens(&recording)
}

#[test]
fn a_removed_folder_ends_the_recording_and_not_the_program() -> Result<()> {
    let Some(python) = python("a_removed_folder") else {
        return Ok(());
    };
    let folder = tempfile::tempdir()?;
    let script = folder.path().join("much.py");
    // Waits for the removal where something is recorded already.
    let text = MUCH.replace("print(len(kept))", "print(len(kept), flush=True); input()");
    std::fs::write(&script, text)?;
    let place = folder.path().join("place");
    let kept = folder.path().join("kept.retro");
    std::fs::create_dir(&place)?;
    let recording = place.join("much.retro");
    let mut child = record_command(BINARY.as_ref(), &recording, [python, script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()?;
    let mut stdout = BufReader::new(child.stdout.take().context("stdout")?);
    let mut line = String::new();
    stdout.read_line(&mut line)?;
    ensure!(line == "40000\n", "disturbed: {line:?}");
    // A second name keeps what was written.
    std::fs::hard_link(&recording, &kept)?;
    ensure!(
        kept.metadata()?.len() > ENOUGH_BYTES,
        "nothing is written yet"
    );
    std::fs::remove_dir_all(&place)?;
    drop(child.stdin.take());
    let mut stderr = String::new();
    child
        .stderr
        .take()
        .context("stderr")?
        .read_to_string(&mut stderr)?;
    let status = child.wait()?;
    // `input` without input raises, as it does unrecorded.
    ensure!(
        stderr.contains("EOFError"),
        "the program's own error: {stderr}"
    );
    ensure!(status.code() == Some(1), "exit code: {status}");
    ensure!(
        stderr.contains("was removed while the program ran"),
        "nobody says that it is lost: {stderr}"
    );
    ensure!(!place.exists(), "the folder came back");
    opens(&kept)
}

fn undisturbed(outcome: &Outcome, told: &str) -> Result<()> {
    ensure!(outcome.stdout == "40000\n", "disturbed: {outcome:?}");
    ensure!(outcome.status.code() == Some(7), "exit code: {outcome:?}");
    ensure!(
        outcome.stderr.contains(told),
        "nobody says {told:?}: {}",
        outcome.stderr
    );
    Ok(())
}

/// What was written before the end is there, and is said not to be all.
fn opens(recording: &Path) -> Result<()> {
    let facts = info(recording)?;
    ensure!(
        facts["complete"] == false || facts["notes"].to_string().len() > 4,
        "nothing says that something is missing: {facts}"
    );
    ensure!(
        facts["events"]
            .as_u64()
            .is_some_and(|events| events > 1_000),
        "what was written is lost: {facts}"
    );
    let verified = retrostep(&["verify"], recording)?;
    ensure!(
        verified.stdout.contains("events") && !verified.stderr.contains("panicked"),
        "verify: {verified:?}"
    );
    ensure!(
        super::counter(recording, "number")? > 100,
        "the last value of the loop is not shown"
    );
    Ok(())
}
