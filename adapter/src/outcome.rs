//! What the worker tells the main loop.

use retrostep_replay::Progress;
use serde::Serialize;
use serde_json::Value;

use crate::error::RequestError;
use crate::server::Event;

/// Something the worker did.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// The answer to a job's request.
    Answered {
        job: u64,
        answer: Result<Option<Value>, RequestError>,
    },
    /// An event for the client.
    Emitted { event: &'static str, body: Value },
    /// A job is over; nothing more comes of it.
    Done { job: u64 },
    /// A recording was opened, or could not be.
    Opened(Result<Opened, RequestError>),
}

/// What is known of a recording that was opened.
#[derive(Clone, Debug)]
pub(crate) struct Opened {
    /// Whether at least one line ran.
    pub(crate) has_steps: bool,
    /// How far its searches are.
    pub(crate) progress: Progress,
}

/// The worker's way to the main loop.
#[derive(Clone, Debug)]
pub(crate) struct Outbox(pub(crate) std::sync::mpsc::Sender<Event>);

impl Outbox {
    /// Sends something; when the main loop has ended, nobody is interested any more.
    pub(crate) fn send(&self, outcome: Outcome) {
        let _ = self.0.send(Event::Worker(outcome));
    }

    /// Sends an event for the client.
    pub(crate) fn emit(&self, event: &'static str, body: impl Serialize) {
        match serde_json::to_value(body) {
            Ok(body) => self.send(Outcome::Emitted { event, body }),
            Err(error) => tracing::error!(%error, event, "an event cannot be written"),
        }
    }
}
