//! Searches that run: Ctrl-C stops them, and one that takes long says that it goes on.

use std::io::{self, Write as _};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use retrostep_trace::CancellationToken;

/// How long a search runs before it is told.
const QUIET: Duration = Duration::from_secs(1);

/// Hands out the tokens of searches; Ctrl-C cancels the one that runs.
#[derive(Debug)]
pub(super) struct Searches {
    current: Arc<Mutex<Option<CancellationToken>>>,
    shown: bool,
}

/// One search. Dropping it ends it.
#[derive(Debug)]
pub(super) struct Search {
    token: CancellationToken,
    current: Arc<Mutex<Option<CancellationToken>>>,
    progress: Option<(Sender<()>, JoinHandle<()>)>,
}

impl Searches {
    /// Searches that Ctrl-C stops and that show how long they run.
    pub(super) fn interactive() -> anyhow::Result<Searches> {
        let current = Arc::new(Mutex::new(None::<CancellationToken>));
        let running = Arc::clone(&current);
        ctrlc::set_handler(move || {
            let running = running.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(token) = running.as_ref() {
                token.cancel();
            }
        })?;
        Ok(Searches {
            current,
            shown: true,
        })
    }

    /// Searches without a terminal: Ctrl-C ends the whole program.
    pub(super) fn silent() -> Searches {
        Searches {
            current: Arc::default(),
            shown: false,
        }
    }

    /// Begins a search.
    pub(super) fn begin(&self) -> Search {
        let token = CancellationToken::new();
        let mut current = self.current.lock().unwrap_or_else(PoisonError::into_inner);
        *current = Some(token.clone());
        let progress = self.shown.then(|| {
            let (done, wait) = mpsc::channel();
            let token = token.clone();
            let shown = std::thread::spawn(move || show_progress(&wait, &token));
            (done, shown)
        });
        Search {
            token,
            current: Arc::clone(&self.current),
            progress,
        }
    }
}

impl Search {
    pub(super) fn token(&self) -> &CancellationToken {
        &self.token
    }
}

impl Drop for Search {
    fn drop(&mut self) {
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = None;
        if let Some((done, shown)) = self.progress.take() {
            drop(done);
            // The thread only prints; if it failed there is nothing left to say.
            let _ = shown.join();
        }
    }
}

/// Says every half second that the search goes on, until it is done; then clears the line.
fn show_progress(done: &mpsc::Receiver<()>, token: &CancellationToken) {
    let begun = Instant::now();
    let mut wait = QUIET;
    let mut written = false;
    while done.recv_timeout(wait) == Err(RecvTimeoutError::Timeout) {
        let seconds = begun.elapsed().as_secs();
        let text = if token.is_cancelled() {
            "Stopping".to_owned()
        } else {
            format!("Searching, {seconds} s; Ctrl-C stops")
        };
        let mut err = io::stderr().lock();
        // Nobody is told when the terminal is gone.
        let _ = write!(err, "\r\x1b[K{text}");
        let _ = err.flush();
        written = true;
        wait = Duration::from_millis(500);
    }
    if written {
        let mut err = io::stderr().lock();
        let _ = write!(err, "\r\x1b[K");
        let _ = err.flush();
    }
}
