//! SIGKILL at random moments: the program, the recorder, or both.
//!
//! The program prints a counter and the time. What it printed before the kill is what the recording has
//! to hold, but for at most 50 ms or one block. Time in which the recorder was ready to run and the
//! machine ran something else does not count.
//! `RETROSTEP_KILLS=200` sets how many moments are tried.

use std::io::{BufRead as _, BufReader, Read as _};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};

use super::{counter_at_end, info, kill, python, python_child, start_script};

/// Prints a counter and the clock for ever.
const COUNTER: &str = "\
import time
def count():
    number = 0
    while True:
        number += 1
        print(number, time.time(), flush=True)

count()
";
const MOMENTS: u64 = 21;
/// A kill comes at most so long after the first number.
const LATEST_MS: u64 = 900;
/// What may be missing: so much time,
const MISSING_MS: f64 = 50.0;
/// or a block.
const BLOCK_EVENTS: u64 = 1 << 15;

/// So long before the kill the recorder is watched.
const WATCHED: Duration = Duration::from_millis(200);

/// Who is killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Victim {
    Program,
    Recorder,
    Both,
}

struct Survived {
    victim: Victim,
    /// What was printed before the kill, as far as it concerns the recording.
    printed: u64,
    shown: u64,
    missing_ms: f64,
    /// How long the recorder was kept from running shortly before.
    waited_ms: f64,
    missing_events: u64,
}

#[test]
fn a_recording_holds_what_was_printed_before_a_kill() -> Result<()> {
    let Some(python) = python("kills") else {
        return Ok(());
    };
    let moments = match std::env::var("RETROSTEP_KILLS") {
        Ok(number) => number.parse().context("RETROSTEP_KILLS is a number")?,
        Err(_) => MOMENTS,
    };
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut all = Vec::new();
    for moment in 0..moments {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let delay = Duration::from_millis((state >> 33) % LATEST_MS);
        let victim = match moment % 3 {
            0 => Victim::Program,
            1 => Victim::Recorder,
            _ => Victim::Both,
        };
        let survived = killed(&python, victim, delay)
            .with_context(|| format!("{victim:?} killed after {delay:?}"))?;
        ensure!(
            survived.missing_ms <= MISSING_MS + survived.waited_ms
                || survived.missing_events <= BLOCK_EVENTS,
            "{victim:?} killed after {delay:?}: printed {}, the recording ends at {}; {:.0} ms and \
             about {} events are missing, the recorder waited {:.0} ms",
            survived.printed,
            survived.shown,
            survived.missing_ms,
            survived.missing_events,
            survived.waited_ms
        );
        all.push(survived);
    }
    report(&all);
    Ok(())
}

fn killed(python: &Path, victim: Victim, delay: Duration) -> Result<Survived> {
    let folder = tempfile::tempdir()?;
    let (mut recorder, recording) = start_script(python, folder.path(), COUNTER, Stdio::piped())?;
    let mut reader = BufReader::new(recorder.stdout.take().context("stdout")?);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let program = python_child(recorder.id())?;
    // Reading goes on, so that the program is never kept waiting.
    let rest = std::thread::spawn(move || {
        let mut rest = String::new();
        reader.read_to_string(&mut rest).map(|_| rest)
    });
    let watched = delay.min(WATCHED);
    std::thread::park_timeout(delay - watched);
    let waited_earlier = waited_ms(recorder.id());
    std::thread::park_timeout(watched);
    let waited_ms = waited_ms(recorder.id()) - waited_earlier;
    let before = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs_f64();
    match victim {
        Victim::Program => kill(program),
        Victim::Recorder => recorder.kill()?,
        Victim::Both => {
            recorder.kill()?;
            kill(program);
        }
    }
    recorder.wait()?;
    kill(program);
    let rest = rest.join().ok().context("the reader ended")??;
    let mut lines: Vec<(u64, f64)> = first.lines().chain(rest.lines()).filter_map(line).collect();
    if victim != Victim::Program {
        // What the program did without its recorder is not recorded.
        lines.retain(|(_, time)| *time <= before);
    }
    let (printed, last_time) = lines.last().copied().unwrap_or((0, before));
    let facts = info(&recording)?;
    let complete = facts["complete"] == true;
    ensure!(complete == (victim == Victim::Program), "{facts}");
    let events = facts["events"].as_u64().context("events")?;
    let shown = if events == 0 {
        0
    } else {
        counter_at_end(&recording)?
    };
    if victim == Victim::Program {
        ensure!(
            shown == printed || shown == printed + 1,
            "printed {printed}, the recording ends at {shown}"
        );
    }
    let shown_time = lines.iter().rev().find(|(number, _)| *number <= shown);
    let missing_ms = match shown_time.or(lines.first()) {
        Some((_, time)) => (last_time - time).max(0.0) * 1e3,
        None => 0.0,
    };
    // As many to a number as in the part that is there.
    let missing_events = printed.saturating_sub(shown) * events.div_ceil(shown.max(1)).min(10);
    Ok(Survived {
        victim,
        printed,
        shown,
        missing_ms,
        waited_ms,
        missing_events,
    })
}

/// How long a process was ready to run and did not, as far as the system tells.
fn waited_ms(pid: u32) -> f64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/schedstat")).unwrap_or_default();
    let waited_ns = text.split(' ').nth(1).and_then(|ns| ns.parse::<f64>().ok());
    waited_ns.unwrap_or(0.0) / 1e6
}

fn line(line: &str) -> Option<(u64, f64)> {
    let (number, time) = line.split_once(' ')?;
    // A line that the kill cut off has fewer digits of its time.
    Some((number.parse().ok()?, time.parse().ok()?))
}

#[expect(
    clippy::print_stderr,
    reason = "the figures are for whoever runs the test"
)]
fn report(all: &[Survived]) {
    for victim in [Victim::Program, Victim::Recorder, Victim::Both] {
        let of = || all.iter().filter(|survived| survived.victim == victim);
        let worst_ms = of().map(|s| s.missing_ms).fold(0.0, f64::max);
        let waited_ms = of().map(|s| s.waited_ms).fold(0.0, f64::max);
        let worst_events = of().map(|s| s.missing_events).max().unwrap_or(0);
        eprintln!(
            "{victim:?} killed at {} random moments: every file opens; at most {worst_ms:.0} ms \
             and {worst_events} events before the kill are missing; the recorder waited up to \
             {waited_ms:.0} ms for a processor",
            of().count()
        );
    }
}
