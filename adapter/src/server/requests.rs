//! Requests that the main loop answers itself, and handing on the others.

use anyhow::Result;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::time::Instant;

use retrostep_trace::CancellationToken;

use super::searching::is_search;
use super::{Flow, Lifecycle, Origin, Pending, Server, Starting};
use crate::capabilities::capabilities;
use crate::client::{Client, Introduction};
use crate::connection::Asked;
use crate::dap::message::{Request, Response};
use crate::dap::types;
use crate::error::RequestError;
use crate::handlers;
use crate::launch::{AttachArguments, LaunchArguments};
use crate::worker::Job;

/// The requests that the main loop answers itself.
#[cfg(test)]
pub(crate) const COMMANDS: &[&str] = &[
    "attach",
    "cancel",
    "configurationDone",
    "disconnect",
    "initialize",
    "launch",
    "pause",
    "restart",
    "terminate",
];

type Answer = Result<Option<Value>, RequestError>;

/// The arguments that a user wrote.
fn decoded<T: DeserializeOwned>(request: &Request) -> Result<T, RequestError> {
    request.decode().map_err(|error| {
        RequestError::user_arguments::<T>(&request.command, &request.arguments, &error)
    })
}

impl Server<'_> {
    /// Takes a request; its answer is written now or later, but once.
    pub(super) fn request(&mut self, request: &Request) -> Result<Flow> {
        let answer = match request.command.as_str() {
            "disconnect" => {
                self.cancel_all();
                self.answer_pending()?;
                self.answer(request, Ok(None))?;
                return Ok(Flow::End);
            }
            "initialize" => self.initialize(request)?,
            _ if self.lifecycle == Lifecycle::Created => Err(RequestError::client(format!(
                "{}: send initialize first",
                request.command
            ))),
            "cancel" => return self.cancel(request),
            "terminate" => return self.terminate(request),
            _ if self.lifecycle == Lifecycle::Terminated => Err(RequestError::client(format!(
                "{}: the replay was terminated",
                request.command
            ))),
            "launch" => match self.launch(request)? {
                Some(answer) => answer,
                None => return Ok(Flow::Continue),
            },
            "attach" => match self.attach(request) {
                Some(answer) => answer,
                None => return Ok(Flow::Continue),
            },
            "configurationDone" => {
                self.configured = true;
                self.answer(request, Ok(None))?;
                self.begin();
                return Ok(Flow::Continue);
            }
            "pause" => self.pause(),
            "restart" => self.restart(request)?,
            "threads" if matches!(self.lifecycle, Lifecycle::Recording | Lifecycle::Opening) => {
                Ok(Some(json!({"threads": [{"id": 1, "name": "MainThread"}]})))
            }
            command if handlers::COMMANDS.contains(&command) => {
                self.hand_on(request);
                return Ok(Flow::Continue);
            }
            other => Err(RequestError::client(format!("unknown request {other:?}"))),
        };
        self.answer(request, answer)?;
        Ok(Flow::Continue)
    }

    fn hand_on(&mut self, request: &Request) {
        self.last_job += 1;
        let cancel = CancellationToken::new();
        self.pending.push(Pending {
            job: self.last_job,
            seq: request.seq,
            command: request.command.clone(),
            cancel: cancel.clone(),
            since: Instant::now(),
            answered: false,
            progress: None,
        });
        self.post(Job::Request {
            job: self.last_job,
            request: request.clone(),
            cancel,
        });
    }

    fn initialize(&mut self, request: &Request) -> Result<Answer> {
        if self.lifecycle != Lifecycle::Created {
            return Ok(Err(RequestError::client("initialize was sent before")));
        }
        self.client = match request.decode::<Introduction>() {
            Ok(introduction) => Client::from(&introduction),
            Err(error) => return Ok(Err(RequestError::arguments(&request.command, &error))),
        };
        self.lifecycle = Lifecycle::Initialized;
        self.post(Job::Client(self.client));
        Ok(Ok(Some(serde_json::to_value(capabilities())?)))
    }

    /// Starts recording; the answer follows when it is clear that the program runs.
    fn launch(&mut self, request: &Request) -> Result<Option<Answer>> {
        if let Err(error) = self.may_start(&request.command) {
            return Ok(Some(Err(error)));
        }
        let launch = decoded::<LaunchArguments>(request).and_then(LaunchArguments::check);
        let launch = match launch {
            Ok(launch) => launch,
            Err(error) => return Ok(Some(Err(error))),
        };
        if let Err(error) = self.start_recording(&launch)? {
            return Ok(Some(Err(error)));
        }
        self.origin = Some(Origin::Launched(Box::new(launch)));
        self.starting = Some(Starting {
            seq: request.seq,
            command: "launch",
        });
        self.connection.event("initialized", None)?;
        Ok(None)
    }

    /// Opens a recording; the answer follows when it is open.
    fn attach(&mut self, request: &Request) -> Option<Answer> {
        if let Err(error) = self.may_start(&request.command) {
            return Some(Err(error));
        }
        let attach = decoded::<AttachArguments>(request).and_then(AttachArguments::check);
        let found = attach.and_then(|attach| {
            let folder = attach.folder.as_deref();
            let path = self.launcher.find_recording(&attach.recording, folder)?;
            Ok((path, attach.start_at))
        });
        let (path, start_at) = match found {
            Ok(found) => found,
            Err(error) => return Some(Err(error)),
        };
        self.starting = Some(Starting {
            seq: request.seq,
            command: "attach",
        });
        self.origin = Some(Origin::Attached(path.clone(), start_at));
        self.lifecycle = Lifecycle::Opening;
        self.post(Job::Open(path));
        None
    }

    fn may_start(&self, command: &str) -> Result<(), RequestError> {
        if self.lifecycle == Lifecycle::Initialized {
            Ok(())
        } else {
            Err(RequestError::client(format!(
                "{command}: a recording is open already"
            )))
        }
    }

    /// Goes to where the replay begins, once the recording is open and the client is ready.
    pub(super) fn begin(&mut self) {
        if !self.configured || self.begun || self.lifecycle != Lifecycle::Replaying {
            return;
        }
        let start_at = match &self.origin {
            Some(Origin::Launched(launch)) => launch.start_at,
            Some(Origin::Attached(_, start_at)) => *start_at,
            None => return,
        };
        self.begun = true;
        self.post(Job::Begin(start_at));
    }

    /// Ends the search that runs and those that wait, and what still goes on after an answer.
    fn pause(&mut self) -> Answer {
        if matches!(
            self.lifecycle,
            Lifecycle::Recording | Lifecycle::Opening | Lifecycle::Initialized
        ) {
            return Err(RequestError::user(
                "The program is still being recorded. It can be replayed when it ends.",
            ));
        }
        let ends = |one: &&Pending| one.answered || is_search(&one.command);
        for pending in self.pending.iter().filter(ends) {
            pending.cancel.cancel();
        }
        Ok(None)
    }

    /// Cancelling what is answered already does nothing.
    fn cancel(&mut self, request: &Request) -> Result<Flow> {
        let arguments: types::CancelArguments = match request.decode() {
            Ok(arguments) => arguments,
            Err(error) => {
                let error = RequestError::arguments(&request.command, &error);
                self.answer(request, Err(error))?;
                return Ok(Flow::Continue);
            }
        };
        for pending in &self.pending {
            if arguments.request_id == Some(pending.seq)
                || pending
                    .progress
                    .as_ref()
                    .is_some_and(|shown| arguments.progress_id.as_deref() == Some(&shown.id))
            {
                pending.cancel.cancel();
            }
        }
        let starts = self
            .starting
            .as_ref()
            .is_some_and(|starting| arguments.request_id == Some(starting.seq));
        if let Some(recording) = &mut self.recording
            && (starts || arguments.progress_id.as_deref() == Some(&recording.progress))
        {
            recording.running.stop();
        }
        self.answer(request, Ok(None))?;
        Ok(Flow::Continue)
    }

    /// Ends the program that is being recorded, or the replay.
    fn terminate(&mut self, request: &Request) -> Result<Flow> {
        self.cancel_all();
        if let Some(recording) = &mut self.recording {
            recording.terminating = true;
            recording.running.stop();
            self.answer(request, Ok(None))?;
        } else {
            self.answer(request, Ok(None))?;
            self.terminated()?;
        }
        Ok(Flow::Continue)
    }

    /// Tells the client once that there is nothing more to see.
    pub(super) fn terminated(&mut self) -> Result<()> {
        if self.lifecycle != Lifecycle::Terminated {
            self.lifecycle = Lifecycle::Terminated;
            self.post(Job::Close);
            self.connection.event("terminated", None)?;
        }
        Ok(())
    }

    /// Records again, or opens the recording again.
    fn restart(&mut self, request: &Request) -> Result<Answer> {
        let Some(mut origin) = self.origin.clone().filter(|_| self.starting.is_none()) else {
            return Ok(Err(RequestError::client(
                "restart: there is nothing to restart yet",
            )));
        };
        let arguments: types::RestartArguments = match request.decode() {
            Ok(arguments) => arguments,
            Err(error) => return Ok(Err(RequestError::arguments(&request.command, &error))),
        };
        if let (Origin::Launched(launch), Some(changed)) = (&mut origin, arguments.arguments) {
            let changed = serde_json::from_value::<LaunchArguments>(changed)
                .map_err(|error| RequestError::arguments(&request.command, &error))
                .and_then(LaunchArguments::check);
            match changed {
                Ok(changed) => **launch = changed,
                Err(error) => return Ok(Err(error)),
            }
        }
        self.cancel_all();
        self.begun = false;
        if self.lifecycle == Lifecycle::Replaying {
            self.emit(
                "continued",
                json!({"threadId": 1, "allThreadsContinued": true}),
            )?;
        }
        match &origin {
            Origin::Launched(launch) => {
                self.stop_recording()?;
                self.post(Job::Close);
                if let Err(error) = self.start_recording(launch)? {
                    return Ok(Err(error));
                }
            }
            Origin::Attached(path, _) => {
                self.lifecycle = Lifecycle::Opening;
                self.post(Job::Open(path.clone()));
            }
        }
        self.origin = Some(origin);
        Ok(Ok(None))
    }

    /// Answers everything that is not answered yet: the client leaves.
    fn answer_pending(&mut self) -> Result<()> {
        for pending in std::mem::take(&mut self.pending) {
            if !pending.answered {
                let cancelled = Err(RequestError::cancelled());
                self.connection
                    .answer(pending.seq, &pending.command, cancelled)?;
            }
        }
        self.answer_starting(Err(RequestError::cancelled()))
    }

    /// Answers `launch` or `attach`, unless that is done.
    pub(super) fn answer_starting(&mut self, answer: Answer) -> Result<()> {
        if let Some(starting) = self.starting.take() {
            self.connection
                .answer(starting.seq, starting.command, answer)?;
        }
        Ok(())
    }

    /// Takes the client's answer to a request of the adapter.
    pub(super) fn response(&mut self, response: &Response) -> Result<()> {
        let Some(Asked::RunInTerminal(run)) = self.connection.asked(response.request_seq) else {
            tracing::warn!(response.request_seq, "an answer to nothing");
            return Ok(());
        };
        if response.success || self.recording.as_ref().is_none_or(|one| one.run != run) {
            return Ok(());
        }
        self.stop_recording()?;
        let why = response.message.as_deref().unwrap_or("no reason given");
        self.failed(RequestError::user(format!(
            "the client could not open a terminal: {why}"
        )))
    }
}
