//! `retrostep verify`: reads and checks all of a recording.

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use retrostep_replay::render;
use retrostep_trace::{CancellationToken, Completeness};
use serde_json::json;

use crate::FAILED;
use crate::args::VerifyOptions;

/// Shorter work than this needs no progress.
const QUIET_FOR: Duration = Duration::from_secs(1);
const PROGRESS_EVERY: Duration = Duration::from_millis(100);

pub(crate) fn run(options: &VerifyOptions) -> anyhow::Result<ExitCode> {
    let path = crate::open::find(&options.recording)?;
    let recording = crate::open::open(&path)?;
    let mut progress = Progress::new(recording.end().0);
    let report = recording.verify(
        &mut |events| progress.show(events),
        &CancellationToken::new(),
    );
    progress.clear();
    let report = report?;
    let mut damage = report.damage;
    if let Completeness::Damaged(what) = recording.completeness()
        && !damage.contains(&what)
    {
        damage.push(what);
    }
    let complete = recording.completeness() == Completeness::Complete;
    let mut answer = String::new();
    if options.json {
        let facts = json!({
            "path": crate::facts::absolute(&path),
            "complete": complete,
            "intact": damage.is_empty(),
            "blocks": report.blocks,
            "events": report.events,
            "damage": damage,
        });
        answer = format!("{facts:#}\n");
    } else {
        let read = format!(
            "{} in {}",
            render::counted(report.events, "event"),
            render::counted(report.blocks, "block")
        );
        let shown = crate::open::shown(&path);
        match (damage.is_empty(), complete) {
            (true, true) => answer = format!("{shown} is intact: {read}\n"),
            (true, false) => {
                answer = format!("{shown} ends early; what is there is intact: {read}\n");
            }
            (false, _) => {
                answer.push_str(&format!("{shown} is damaged; intact: {read}\n"));
                damage
                    .iter()
                    .for_each(|what| answer.push_str(&format!("  {what}\n")));
            }
        }
    }
    io::stdout().write_all(answer.as_bytes())?;
    Ok(if damage.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// A line on the terminal that says how far it is.
struct Progress {
    end: u64,
    begin: Instant,
    shown: Option<Instant>,
    on_terminal: bool,
}

impl Progress {
    fn new(end: u64) -> Progress {
        Progress {
            end,
            begin: Instant::now(),
            shown: None,
            on_terminal: io::stderr().is_terminal(),
        }
    }

    fn show(&mut self, events: u64) {
        let due = match self.shown {
            None => self.begin.elapsed() >= QUIET_FOR,
            Some(last) => last.elapsed() >= PROGRESS_EVERY,
        };
        if !self.on_terminal || !due {
            return;
        }
        self.shown = Some(Instant::now());
        let percent = u128::from(events) * 100 / u128::from(self.end.max(1));
        // A terminal that cannot be written to shows no progress.
        let _ = write!(
            io::stderr(),
            "\rVerifying: {percent} %, event {}\x1b[K",
            render::count(events)
        );
    }

    fn clear(&self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
