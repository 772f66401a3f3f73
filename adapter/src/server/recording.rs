//! A program that runs and is recorded.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use serde_json::{Value, json};

use super::{Event, Lifecycle, Origin, Server};
use crate::connection::Asked;
use crate::dap::types;
use crate::error::RequestError;
use crate::launch::Launch;
use crate::launcher::{OutputStream, RecordConsole, RecordTarget, Report, RunningRecording};
use crate::outcome::Opened;
use crate::position;
use crate::to_proto;
use crate::worker::Job;

/// From this many events on a program counts as running: one that cannot be read has fewer.
const EVENTS_OF_A_RUN: u64 = 100;
/// After this long a program counts as running that has some events.
const TIME_OF_A_RUN: Duration = Duration::from_secs(1);
/// From this many events on, output apart, code that is recorded has run.
const EVENTS_OF_CODE: u64 = 4;
/// How much of what the program wrote to standard error is kept, in bytes.
const MAX_TAIL_LEN: usize = 4 << 10;

/// A recording that runs.
pub(super) struct Recording {
    /// Which one: reports of earlier ones may still arrive.
    pub(super) run: u64,
    pub(super) running: Box<dyn RunningRecording>,
    /// The id of its progress.
    pub(super) progress: String,
    /// Whether the client wants no replay of it.
    pub(super) terminating: bool,
    name: String,
    started: Option<Instant>,
    events: u64,
    events_of_output: u64,
    /// What was written and not told yet: the beginning of a line.
    written: Option<Report>,
    tail: String,
}

impl Server<'_> {
    /// Starts recording. The outer error is the connection's.
    pub(super) fn start_recording(&mut self, launch: &Launch) -> Result<Result<(), RequestError>> {
        if launch.console == RecordConsole::Terminal && !self.client.terminals {
            return Ok(Err(RequestError::user(
                "this client cannot open a terminal: use \"console\": \"internalConsole\"",
            )));
        }
        self.runs += 1;
        let run = self.runs;
        let events = self.events.clone();
        let reports = Arc::new(move |report| {
            let _ = events.send(Event::Report { run, report });
        });
        let started = match self.launcher.start(&launch.record, launch.console, reports) {
            Ok(started) => started,
            Err(error) => return Ok(Err(error.into())),
        };
        let name = name_of(&launch.record.target);
        let progress = format!("recording-{run}");
        self.recording = Some(Recording {
            run,
            running: started.recording,
            progress: progress.clone(),
            terminating: false,
            name: name.clone(),
            started: None,
            events: 0,
            events_of_output: 0,
            written: None,
            tail: String::new(),
        });
        self.lifecycle = Lifecycle::Recording;
        if self.client.progress {
            let title = format!("Recording {name}");
            self.emit(
                "progressStart",
                json!({"progressId": progress, "title": title, "cancellable": true}),
            )?;
        }
        if let Some(command) = started.terminal_command {
            let arguments = types::RunInTerminalRequestArguments {
                kind: Some(
                    if launch.external {
                        "external"
                    } else {
                        "integrated"
                    }
                    .to_owned(),
                ),
                title: Some(format!("Recording {name}")),
                cwd: command.cwd.to_string_lossy().into_owned(),
                args: command.args,
                env: (!command.env.is_empty()).then_some(command.env),
                ..types::RunInTerminalRequestArguments::default()
            };
            self.connection
                .ask(Asked::RunInTerminal(run), "runInTerminal", arguments)?;
        }
        Ok(Ok(()))
    }

    /// Ends the recording that runs, if one does; what it still tells is not listened to.
    pub(super) fn stop_recording(&mut self) -> Result<()> {
        self.end_progress()?;
        if let Some(mut recording) = self.recording.take() {
            recording.running.stop();
        }
        Ok(())
    }

    /// Takes what a recording tells.
    pub(super) fn report(&mut self, run: u64, report: Report) -> Result<()> {
        if self.recording.as_ref().is_none_or(|one| one.run != run) {
            return Ok(());
        }
        if !matches!(report, Report::Output { .. }) {
            self.tell_written()?;
        }
        let Some(recording) = self.recording.as_mut() else {
            return Ok(());
        };
        match report {
            Report::Started { pid, .. } => {
                recording.started = Some(Instant::now());
                let name = recording.name.clone();
                self.emit(
                    "process",
                    json!({
                        "name": name, "systemProcessId": pid,
                        "isLocalProcess": true, "startMethod": "launch",
                    }),
                )
            }
            Report::Progress {
                events, elapsed_ms, ..
            } => self.progress(events, elapsed_ms),
            Report::Output { .. } => self.output(report),
            Report::Finished {
                recording,
                notes,
                exit_code,
                signal,
                events,
            } => {
                let name = self.end_progress()?;
                for note in notes {
                    self.say("console", &note)?;
                }
                if self.take_ended() {
                    self.answer_starting(Err(RequestError::cancelled()))?;
                    return self.terminated();
                }
                let ended = match (exit_code, signal) {
                    (Some(code), _) => format!("ended with exit code {code}"),
                    (None, Some(signal)) => format!("was ended by signal {signal}"),
                    (None, None) => "ended".to_owned(),
                };
                let events = position::grouped(events);
                self.say(
                    "console",
                    &format!("{name} {ended}; {events} events recorded"),
                )?;
                self.lifecycle = Lifecycle::Opening;
                self.post(Job::Open(recording));
                Ok(())
            }
            Report::Failed { message } => {
                self.end_progress()?;
                if self.take_ended() {
                    self.answer_starting(Err(RequestError::cancelled()))?;
                    return self.terminated();
                }
                self.failed(RequestError::user(message))
            }
        }
    }

    /// Forgets the recording that ran, but for its last words. Returns whether no replay is wanted.
    fn take_ended(&mut self) -> bool {
        let Some(recording) = self.recording.take() else {
            return false;
        };
        self.last_words = recording.tail;
        recording.terminating
    }

    fn progress(&mut self, events: u64, elapsed_ms: u64) -> Result<()> {
        if let Some(recording) = &mut self.recording {
            recording.events = events;
        }
        if events >= EVENTS_OF_A_RUN {
            self.answer_starting(Ok(None))?;
        }
        let body = position::of_recording(events, elapsed_ms);
        if self.client.progress
            && let Some(recording) = &self.recording
        {
            let message = format!(
                "{} events, {} s",
                position::rounded(events),
                elapsed_ms / 1_000
            );
            let progress_id = recording.progress.clone();
            self.emit(
                "progressUpdate",
                json!({"progressId": progress_id, "message": message}),
            )?;
        }
        self.emit("retrostep/position", body)
    }

    fn end_progress(&mut self) -> Result<String> {
        let Some(recording) = &self.recording else {
            return Ok(String::new());
        };
        let name = recording.name.clone();
        if self.client.progress {
            let progress_id = recording.progress.clone();
            self.emit("progressEnd", json!({"progressId": progress_id}))?;
        }
        Ok(name)
    }

    /// Takes what the program wrote. What one line writes in pieces is told as one.
    fn output(&mut self, report: Report) -> Result<()> {
        let Some(recording) = &mut self.recording else {
            return Ok(());
        };
        let Report::Output {
            stream,
            text,
            position,
            ..
        } = &report
        else {
            return Ok(());
        };
        recording.events_of_output += u64::from(position.is_some());
        if *stream == OutputStream::Stderr {
            recording.tail.push_str(text);
            let excess = recording.tail.len().saturating_sub(MAX_TAIL_LEN);
            let cut = recording.tail.ceil_char_boundary(excess);
            recording.tail.drain(..cut);
        }
        let ends_line = text.ends_with('\n');
        match recording
            .written
            .as_mut()
            .map(|written| join(written, &report))
        {
            Some(true) => {}
            _ => {
                self.tell_written()?;
                if let Some(recording) = &mut self.recording {
                    recording.written = Some(report);
                }
            }
        }
        if ends_line {
            self.tell_written()?;
        }
        Ok(())
    }

    /// Tells the client what was written and held back for the rest of its line.
    pub(super) fn tell_written(&mut self) -> Result<()> {
        let written = self.recording.as_mut().and_then(|one| one.written.take());
        match written.and_then(|report| to_proto::output(&report, &self.client)) {
            Some(body) => self.emit("output", body),
            None => Ok(()),
        }
    }

    /// Answers a launch whose program has run for a while.
    pub(super) fn settle_launch(&mut self) -> Result<()> {
        let runs = self.recording.as_ref().is_some_and(|recording| {
            let of_code = recording.events.saturating_sub(recording.events_of_output);
            let started = recording.started;
            of_code >= EVENTS_OF_CODE && started.is_some_and(|at| at.elapsed() > TIME_OF_A_RUN)
        });
        if runs {
            self.answer_starting(Ok(None))?;
        }
        Ok(())
    }

    /// Takes the result of opening a recording.
    pub(super) fn opened(&mut self, opened: Result<Opened, RequestError>) -> Result<()> {
        if self.lifecycle != Lifecycle::Opening {
            return Ok(());
        }
        let launched = matches!(self.origin, Some(Origin::Launched(_)));
        match opened {
            Ok(Opened {
                has_steps: false, ..
            }) if launched => {
                let error = self.nothing_recorded();
                self.failed(error)
            }
            Ok(opened) => {
                self.search_progress = opened.progress;
                self.lifecycle = Lifecycle::Replaying;
                if !launched && self.starting.is_some() {
                    self.connection.event("initialized", None)?;
                }
                self.answer_starting(Ok(None))?;
                self.begin();
                Ok(())
            }
            Err(error) => self.failed(error),
        }
    }

    /// Why a program that ended left nothing to replay: it could not be read, or it was not in scope.
    fn nothing_recorded(&self) -> RequestError {
        let last = self
            .last_words
            .lines()
            .rev()
            .map(str::trim)
            .find(|line| !line.is_empty());
        let at = self
            .last_words
            .lines()
            .rev()
            .find(|line| line.trim_start().starts_with("File \""))
            .map(|line| format!(" ({})", line.trim()))
            .unwrap_or_default();
        match last {
            Some(last) => RequestError::user(format!(
                "nothing was recorded: {last}{at}. Correct the program and record again"
            )),
            None => RequestError::user(
                "nothing was recorded: no code of the program's folder ran. \
                 Name the code with \"include\"",
            ),
        }
    }

    /// There will be no replay: the launch or attach fails, or the session ends if it was answered.
    pub(super) fn failed(&mut self, error: RequestError) -> Result<()> {
        if self.starting.is_some() {
            self.lifecycle = Lifecycle::Initialized;
            let answer: Result<Option<Value>, _> = Err(error);
            return self.answer_starting(answer);
        }
        self.say("important", &error.message)?;
        self.terminated()
    }
}

/// Adds `more` to what was written before, if the same line wrote both to the same stream.
fn join(written: &mut Report, more: &Report) -> bool {
    let (
        Report::Output {
            stream,
            text,
            source,
            line,
            ..
        },
        Report::Output {
            stream: more_stream,
            text: more_text,
            source: more_source,
            line: more_line,
            ..
        },
    ) = (written, more)
    else {
        return false;
    };
    let same = stream == more_stream && source == more_source && line == more_line;
    if same {
        text.push_str(more_text);
    }
    same
}

fn name_of(target: &RecordTarget) -> String {
    match target {
        RecordTarget::Module(module) => module.clone(),
        RecordTarget::Program(path) => path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned())
            .unwrap_or_default(),
    }
}
