//! Line editing with history and completion.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use anyhow::Context as _;
use rustyline::completion::{Completer, Pair};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{CompletionType, Config, Editor, Helper};

use super::search::Searches;
use super::{Next, Replay};

const PROMPT: &str = "(retrostep) ";

/// Most lines that are remembered between replays.
const MAX_HISTORY: usize = 1_000;

/// Reads commands until `quit` or Ctrl-D.
pub(super) fn run(replay: Replay) -> anyhow::Result<()> {
    let searches = Searches::interactive()?;
    let replay = Rc::new(RefCell::new(replay));
    let config = Config::builder()
        .completion_type(CompletionType::List)
        .max_history_size(MAX_HISTORY)
        .context("cannot set up line editing")?
        .build();
    let mut editor: Editor<Completions, FileHistory> =
        Editor::with_config(config).context("cannot set up line editing")?;
    editor.set_helper(Some(Completions {
        replay: Rc::clone(&replay),
    }));
    let history = history_file();
    if let Some(history) = &history {
        // The first replay has no history yet.
        let _ = editor.load_history(history);
    }
    loop {
        match editor.readline(PROMPT) {
            Ok(line) => {
                if !line.trim().is_empty() {
                    // A line that cannot be remembered can still be run.
                    let _ = editor.add_history_entry(line.as_str());
                }
                if replay.borrow_mut().run_line(&line, &searches)? == Next::Quit {
                    break;
                }
            }
            Err(ReadlineError::Interrupted) => {}
            Err(ReadlineError::Eof) => break,
            Err(error) => return Err(error).context("cannot read the terminal"),
        }
    }
    if let Some(history) = &history {
        // Losing the history of commands is no reason to fail.
        let _ = editor.save_history(history);
    }
    Ok(())
}

/// Where lines are remembered: `retrostep/commands` in the user's state folder.
fn history_file() -> Option<PathBuf> {
    let folder = match std::env::var_os("XDG_STATE_HOME") {
        Some(folder) if !folder.is_empty() => PathBuf::from(folder),
        _ => PathBuf::from(std::env::var_os("HOME")?).join(".local/state"),
    };
    let folder = folder.join("retrostep");
    std::fs::create_dir_all(&folder).ok()?;
    Some(folder.join("commands"))
}

/// Completes with what the console offers.
struct Completions {
    replay: Rc<RefCell<Replay>>,
}

impl Completer for Completions {
    type Candidate = Pair;

    fn complete(
        &self,
        line: &str,
        cursor: usize,
        _: &rustyline::Context<'_>,
    ) -> rustyline::Result<(usize, Vec<Pair>)> {
        let Ok(mut replay) = self.replay.try_borrow_mut() else {
            return Ok((cursor, Vec::new()));
        };
        let Replay { timeline, console } = &mut *replay;
        let mut found = console.complete(timeline, None, line, cursor);
        // Only ways that replace the same part of the line can stand side by side.
        let start = found.first().map_or(cursor, |first| first.start);
        found.retain(|completion| completion.start == start);
        let pairs = found.into_iter().map(|completion| Pair {
            display: completion.text.clone(),
            replacement: completion.text,
        });
        Ok((start, pairs.collect()))
    }
}

impl Hinter for Completions {
    type Hint = String;
}

impl Highlighter for Completions {}

impl Validator for Completions {}

impl Helper for Completions {}
