//! The replay in a terminal: reads commands, prints what the console answers.
//!
//! On a terminal there is line editing, history and completion; otherwise commands are read from
//! standard input, one per line, until it ends.

mod editing;
pub(crate) mod opening;
mod search;

use std::io::{self, BufRead as _, IsTerminal as _, Write as _};
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use retrostep_replay::Timeline;
use retrostep_replay::console::{Console, ConsoleKind, Palette};
use retrostep_trace::Recording;

use search::Searches;

/// Replays `recording` on standard input and output, from its uncaught exception or its end.
pub(crate) fn run(recording: &Path) -> anyhow::Result<()> {
    let on_terminal = io::stdin().is_terminal() && io::stdout().is_terminal();
    let mut replay = Replay::open(recording, palette())?;
    print(&opening::facts(replay.timeline.recording()))?;
    let stop = replay.timeline.seek_failure()?;
    print(&replay.console.view(&replay.timeline, Some(&stop))?)?;
    print(&opening::in_editors(recording))?;
    if on_terminal {
        editing::run(replay)
    } else {
        replay.read_lines()
    }
}

/// One replay with its console.
struct Replay {
    timeline: Timeline,
    console: Console,
}

/// Whether the replay goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Next {
    Another,
    Quit,
}

impl Replay {
    fn open(path: &Path, palette: Palette) -> anyhow::Result<Replay> {
        let recording: Arc<Recording> = Arc::new(crate::open::open(path)?);
        let timeline = Timeline::new(recording, |path| path.canonicalize().ok())
            .with_context(|| format!("cannot replay {}", path.display()))?;
        let console = Console::new(ConsoleKind::Terminal, palette);
        Ok(Replay { timeline, console })
    }

    /// Runs one line and prints its answer. Mistakes are answers too.
    fn run_line(&mut self, line: &str, searches: &Searches) -> anyhow::Result<Next> {
        let search = searches.begin();
        let answer = self
            .console
            .run(&mut self.timeline, None, line, search.token());
        drop(search);
        match answer {
            Ok(reply) => {
                if !reply.text.is_empty() {
                    print(&reply.text)?;
                }
                if reply.quit {
                    return Ok(Next::Quit);
                }
            }
            Err(error) => print(&error.to_string())?,
        }
        Ok(Next::Another)
    }

    fn read_lines(&mut self) -> anyhow::Result<()> {
        let searches = Searches::silent();
        for line in io::stdin().lock().lines() {
            let line = line.context("cannot read commands from standard input")?;
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            if self.run_line(line, &searches)? == Next::Quit {
                break;
            }
        }
        Ok(())
    }
}

/// Colours only on a terminal that wants them.
fn palette() -> Palette {
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let dumb = std::env::var_os("TERM").is_some_and(|term| term == "dumb");
    if io::stdout().is_terminal() && !refused && !dumb {
        Palette::Ansi
    } else {
        Palette::Plain
    }
}

fn print(text: &str) -> anyhow::Result<()> {
    let mut out = io::stdout().lock();
    writeln!(out, "{text}")?;
    out.flush()?;
    Ok(())
}
