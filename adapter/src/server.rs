//! The main loop of one connection: one thread, one queue of events, one state.
//!
//! What needs the recording is handed to the worker; everything else, and above all what stops a
//! search, is answered at once.

mod recording;
pub(crate) mod requests;
mod searching;

use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use retrostep_framing::read_frames;
use retrostep_replay::Progress;
use retrostep_trace::CancellationToken;
use serde_json::{Value, json};

use crate::client::Client;
use crate::connection::Connection;
use crate::dap::message::{Incoming, Request};
use crate::error::RequestError;
use crate::launch::StartAt;
use crate::launcher::{Launcher, Report};
use crate::outcome::{Outbox, Outcome};
use crate::publishing::Publisher;
use crate::worker::{Job, Worker};
use recording::Recording;

/// How often the main loop looks at the clock while something runs.
const TICK: Duration = Duration::from_millis(100);
/// How long the end of a recorded program is waited for when the client leaves.
const FAREWELL: Duration = Duration::from_secs(2);

/// Everything that can happen to a connection.
#[derive(Debug)]
pub(crate) enum Event {
    /// The client sent a message.
    Message(Incoming),
    /// A frame is no message.
    Malformed(String),
    /// Nothing more comes from the client; with a reason if that is an error.
    Ended(Option<String>),
    /// The worker did something.
    Worker(Outcome),
    /// A recording told something.
    Report { run: u64, report: Report },
}

/// How far the conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lifecycle {
    /// Before `initialize`.
    Created,
    /// After `initialize`.
    Initialized,
    /// The program runs and is recorded.
    Recording,
    /// The recording is being opened.
    Opening,
    /// The recording is open.
    Replaying,
    /// `terminated` was sent.
    Terminated,
}

/// A request that the worker has.
#[derive(Debug)]
struct Pending {
    job: u64,
    seq: i64,
    command: String,
    cancel: CancellationToken,
    since: Instant,
    answered: bool,
    /// The progress that is shown for it.
    progress: Option<searching::Shown>,
}

/// How a recording came to be replayed: what `restart` repeats.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Origin {
    Launched(Box<crate::launch::Launch>),
    Attached(std::path::PathBuf, StartAt),
}

/// A `launch` or `attach` that is not answered yet.
#[derive(Debug)]
struct Starting {
    seq: i64,
    command: &'static str,
}

struct Server<'a> {
    connection: Connection<'a>,
    launcher: Arc<dyn Launcher>,
    events: Sender<Event>,
    jobs: Sender<Job>,
    client: Client,
    lifecycle: Lifecycle,
    configured: bool,
    begun: bool,
    starting: Option<Starting>,
    origin: Option<Origin>,
    recording: Option<Recording>,
    /// How far searches in the open recording are.
    search_progress: Progress,
    /// The end of what the last recorded program wrote to standard error.
    last_words: String,
    runs: u64,
    pending: Vec<Pending>,
    last_job: u64,
}

/// Speaks with one client until it leaves.
///
/// # Errors
///
/// The client's bytes are no protocol, or it cannot be written to.
pub fn run(
    input: impl Read + Send + 'static,
    output: &mut dyn Write,
    launcher: Arc<dyn Launcher>,
) -> Result<()> {
    let (events, queue) = channel();
    let (jobs, work) = channel();
    let reader = events.clone();
    std::thread::Builder::new()
        .name("client".to_owned())
        .spawn(move || read(input, &reader))
        .context("start the thread that reads")?;
    // Dropped last, so that nothing is told after the end.
    let publisher = Publisher::start()?;
    let worker = Worker::new(Outbox(events.clone()), publisher.publishing());
    std::thread::Builder::new()
        .name("worker".to_owned())
        .spawn(move || worker.run(&work))
        .context("start the worker")?;
    let mut server = Server {
        connection: Connection::new(output),
        launcher,
        events,
        jobs,
        client: Client::default(),
        lifecycle: Lifecycle::Created,
        configured: false,
        begun: false,
        starting: None,
        origin: None,
        recording: None,
        search_progress: Progress::default(),
        last_words: String::new(),
        runs: 0,
        pending: Vec::new(),
        last_job: 0,
    };
    server.serve(&queue)
}

/// Reads messages until the input ends.
fn read(input: impl Read, events: &Sender<Event>) {
    let ended = read_frames(input, |frame| {
        let event = match Incoming::parse(&frame) {
            Ok(message) => Event::Message(message),
            Err(error) => Event::Malformed(error.to_string()),
        };
        match events.send(event) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    let reason = ended.err().map(|error| error.to_string());
    let _ = events.send(Event::Ended(reason));
}

/// Whether the conversation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Continue,
    End,
}

impl Server<'_> {
    fn serve(&mut self, queue: &Receiver<Event>) -> Result<()> {
        loop {
            let event = match queue.recv_timeout(TICK) {
                Ok(event) => event,
                Err(RecvTimeoutError::Timeout) => {
                    self.tick()?;
                    continue;
                }
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            };
            match event {
                Event::Message(Incoming::Request(request)) => {
                    if self.request(&request)? == Flow::End {
                        self.leave(queue);
                        return Ok(());
                    }
                }
                Event::Message(Incoming::Response(response)) => self.response(&response)?,
                Event::Malformed(why) => tracing::warn!(why, "a message was not understood"),
                Event::Ended(reason) => {
                    self.cancel_all();
                    self.leave(queue);
                    return match reason {
                        Some(reason) => Err(anyhow::anyhow!(reason)),
                        None => Ok(()),
                    };
                }
                Event::Worker(outcome) => self.outcome(outcome)?,
                Event::Report { run, report } => self.report(run, report)?,
            }
        }
    }

    /// Ends a program that is still being recorded, and waits a moment for it.
    fn leave(&mut self, queue: &Receiver<Event>) {
        let Some(recording) = &mut self.recording else {
            return;
        };
        recording.running.stop();
        let run = recording.run;
        let deadline = Instant::now() + FAREWELL;
        while let Ok(event) = queue.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            if let Event::Report { run: told, report } = event
                && told == run
                && matches!(report, Report::Finished { .. } | Report::Failed { .. })
            {
                return;
            }
        }
    }

    fn answer(
        &mut self,
        request: &Request,
        answer: Result<Option<Value>, RequestError>,
    ) -> Result<()> {
        self.connection
            .answer(request.seq, &request.command, answer)
            .context("write to the client")
    }

    fn emit(&mut self, event: &str, body: impl serde::Serialize) -> Result<()> {
        let body = serde_json::to_value(body)?;
        self.connection
            .event(event, Some(body))
            .context("write to the client")
    }

    /// Shows a line of the adapter's own in the client's console.
    fn say(&mut self, category: &str, text: &str) -> Result<()> {
        self.emit(
            "output",
            json!({"category": category, "output": format!("{text}\n")}),
        )
    }

    /// Hands a job to the worker.
    fn post(&self, job: Job) {
        if self.jobs.send(job).is_err() {
            tracing::error!("the worker has ended");
        }
    }

    fn outcome(&mut self, outcome: Outcome) -> Result<()> {
        match outcome {
            Outcome::Answered { job, answer } => {
                let Some(pending) = self.pending.iter_mut().find(|pending| pending.job == job)
                else {
                    return Ok(());
                };
                pending.answered = true;
                let (seq, command) = (pending.seq, pending.command.clone());
                self.connection
                    .answer(seq, &command, answer)
                    .context("write to the client")
            }
            Outcome::Emitted { event, body } => {
                if self.lifecycle == Lifecycle::Terminated {
                    return Ok(());
                }
                self.connection
                    .event(event, Some(body))
                    .context("write to the client")
            }
            Outcome::Done { job } => {
                let at = self.pending.iter().position(|pending| pending.job == job);
                match at.and_then(|at| self.pending.remove(at).progress) {
                    Some(shown) => self.emit("progressEnd", json!({"progressId": shown.id})),
                    None => Ok(()),
                }
            }
            Outcome::Opened(opened) => self.opened(opened),
        }
    }

    /// Cancels everything that the worker has.
    fn cancel_all(&mut self) {
        for pending in &self.pending {
            pending.cancel.cancel();
        }
    }

    /// What time alone brings about: progress of a long search, and a launch that takes long enough to
    /// count as successful.
    fn tick(&mut self) -> Result<()> {
        self.tell_written()?;
        self.settle_launch()?;
        self.show_search()
    }
}
