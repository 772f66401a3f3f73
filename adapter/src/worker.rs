//! The thread that owns the open recording and answers what needs it, one job after the other.
//!
//! The main loop stays free meanwhile, so that `pause`, `cancel` and `disconnect` are answered while a
//! search runs; they reach the search through its [`CancellationToken`].

use std::panic::AssertUnwindSafe;
use std::path::PathBuf;
use std::sync::mpsc::Receiver;

use retrostep_replay::console::{Console, ConsoleKind, Palette};
use retrostep_trace::CancellationToken;

use crate::breakpoints::{Breakpoints, Reading};
use crate::client::Client;
use crate::dap::message::Request;
use crate::error::RequestError;
use crate::handlers;
use crate::launch::StartAt;
use crate::moves;
use crate::outcome::{Opened, Outbox, Outcome};
use crate::publishing::Publishing;
use crate::replaying::Replay;

/// Something for the worker to do.
#[derive(Debug)]
pub(crate) enum Job {
    /// Answer a request.
    Request {
        job: u64,
        request: Request,
        cancel: CancellationToken,
    },
    /// Remember what the client told of itself.
    Client(Client),
    /// Open a recording instead of the one that is open.
    Open(PathBuf),
    /// Go to where the replay begins, and tell the client.
    Begin(StartAt),
    /// Forget the recording that is open.
    Close,
}

/// The worker's state.
#[derive(Debug)]
pub(crate) struct Worker {
    pub(crate) client: Client,
    /// The client's console; it knows where plain steps and runs go.
    pub(crate) console: Console,
    pub(crate) breakpoints: Breakpoints,
    pub(crate) replay: Option<Replay>,
    pub(crate) outbox: Outbox,
    pub(crate) publishing: Publishing,
}

impl Worker {
    pub(crate) fn new(outbox: Outbox, publishing: Publishing) -> Worker {
        Worker {
            client: Client::default(),
            console: Console::new(ConsoleKind::Client, Palette::Plain),
            breakpoints: Breakpoints::default(),
            replay: None,
            outbox,
            publishing,
        }
    }

    /// Does all jobs until the main loop ends.
    pub(crate) fn run(mut self, jobs: &Receiver<Job>) {
        while let Ok(job) = jobs.recv() {
            match job {
                Job::Request {
                    job,
                    request,
                    cancel,
                } => self.answer(job, &request, &cancel),
                Job::Client(client) => self.client = client,
                Job::Open(path) => self.open(path),
                Job::Begin(start_at) => self.begin(start_at),
                Job::Close => self.replay = None,
            }
        }
    }

    /// The open recording.
    pub(crate) fn replay(&mut self) -> Result<&mut Replay, RequestError> {
        self.replay.as_mut().ok_or_else(RequestError::not_stopped)
    }

    /// Answers one request, exactly once whatever happens.
    fn answer(&mut self, job: u64, request: &Request, cancel: &CancellationToken) {
        if let Some(replay) = &self.replay {
            replay.timeline.progress().clear();
        }
        let handled = if cancel.is_cancelled() {
            Err(RequestError::cancelled())
        } else {
            guarded(|| {
                self.follow()?;
                handlers::handle(self, request, cancel)
            })
        };
        let (answer, after) = match handled {
            Ok(reply) => (Ok(reply.body), Some(reply.after)),
            Err(error) => (Err(error), None),
        };
        self.outbox.send(Outcome::Answered { job, answer });
        if let Some(after) = after
            && let Err(error) = guarded(|| moves::perform(self, after, cancel))
        {
            self.say_failed(&error);
        }
        self.outbox.send(Outcome::Done { job });
    }

    fn open(&mut self, path: PathBuf) {
        self.replay = None;
        let opened = guarded(|| {
            let mut replay = Replay::open(&path)?;
            let has_steps = replay.has_steps()?;
            let progress = replay.timeline.progress().clone();
            self.set_breakpoints(&mut replay, Reading::Other)?;
            self.replay = Some(replay);
            Ok(Opened {
                has_steps,
                progress,
            })
        });
        self.outbox.send(Outcome::Opened(opened));
    }

    /// Takes in what was added to a recording that is still being written.
    fn follow(&mut self) -> Result<(), RequestError> {
        let Some(mut replay) = self.replay.take() else {
            return Ok(());
        };
        let followed = replay.follow();
        let set = match followed {
            Ok(true) => self.set_breakpoints(&mut replay, Reading::Longer),
            Ok(false) => Ok(()),
            Err(error) => Err(error),
        };
        self.replay = Some(replay);
        set
    }

    /// Sets all breakpoints in a timeline that has none, and tells the client what became of them.
    fn set_breakpoints(
        &mut self,
        replay: &mut Replay,
        recording: Reading,
    ) -> Result<(), RequestError> {
        for answer in self.breakpoints.apply(&mut replay.timeline, recording)? {
            let breakpoint = handlers::breakpoints::to_proto(answer, Some(replay), &self.client)?;
            self.outbox.emit(
                "breakpoint",
                serde_json::json!({"reason": "changed", "breakpoint": breakpoint}),
            );
        }
        Ok(())
    }

    fn begin(&mut self, start_at: StartAt) {
        if let Some(missing) = self.replay.as_mut().and_then(Replay::missing) {
            self.outbox.emit(
                "output",
                serde_json::json!({"category": "important", "output": format!("{missing}\n")}),
            );
        }
        if let Err(error) = guarded(|| moves::begin(self, start_at)) {
            self.say_failed(&error);
        }
    }

    /// A move failed after its request was answered: the client is told where it stands.
    fn say_failed(&mut self, error: &RequestError) {
        if self.replay.is_none() {
            return;
        }
        if let Err(error) = guarded(|| moves::failed(self, error)) {
            tracing::error!(error.message, "a stop could not be told");
        }
    }
}

/// Runs `work`; a fault in it is an error of this one request, not the end of the connection.
fn guarded<T>(work: impl FnOnce() -> Result<T, RequestError>) -> Result<T, RequestError> {
    match std::panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(_) => {
            tracing::error!("a request failed unexpectedly");
            Err(RequestError::client(
                "Retrostep failed unexpectedly; its log says more",
            ))
        }
    }
}
