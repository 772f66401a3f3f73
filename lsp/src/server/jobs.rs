//! Requests that the pool answers: handing them over, cancelling them, showing how far they are.

use std::panic::AssertUnwindSafe;
use std::time::{Duration, Instant};

use ls_types::{
    ProgressParams, ProgressParamsValue, ProgressToken, Uri, WorkDoneProgress,
    WorkDoneProgressBegin, WorkDoneProgressCreateParams, WorkDoneProgressEnd,
    WorkDoneProgressReport,
};
use retrostep_trace::CancellationToken;

use super::{Event, Server};
use crate::connection::Asked;
use crate::context::{Context, DocumentContext};
use crate::error::RequestError;
use crate::handlers::requests::{Answer, Late, Prepared};
use crate::message::RequestId;
use crate::progress::{Progress, Reached};

/// A request that takes longer is shown.
const PATIENCE: Duration = Duration::from_millis(200);
/// The shortest time between two reports of how far a request is.
const PAUSE: Duration = Duration::from_millis(100);

/// The requests that the pool has.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    running: Vec<Job>,
    last: u64,
}

#[derive(Debug)]
struct Job {
    number: u64,
    id: RequestId,
    cancel: CancellationToken,
    /// The document it is about, in the state it had.
    document: Option<(Uri, i32)>,
    late: Late,
    since: Instant,
    progress: Progress,
    token: ProgressToken,
    shown: Shown,
}

/// What the user sees of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    /// Nothing, so far: it has just begun. The client named a place to show it, or did not.
    Young { is_named: bool },
    /// The client was asked for a place.
    Asked,
    /// The client does not show it.
    Never,
    /// How far it was when that was last told.
    Since(Instant, Option<Reached>),
}

impl Jobs {
    /// When something is to be shown.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let deadlines = self.running.iter().filter_map(|job| match job.shown {
            Shown::Young { .. } => Some(job.since + PATIENCE),
            Shown::Since(told, _) => Some(told + PAUSE),
            Shown::Asked | Shown::Never => None,
        });
        deadlines.min()
    }
}

impl Server<'_> {
    /// Hands a request to the pool.
    pub(super) fn post(&mut self, id: RequestId, prepared: Prepared) {
        let document = match &prepared.document {
            None => None,
            Some(uri) => match self.documents.get(uri) {
                Some(document) => Some(document.clone()),
                None => {
                    let error = format!("{} is not open", uri.as_str());
                    self.connection
                        .answer(&id, &Err(RequestError::params(error)));
                    return;
                }
            },
        };
        self.jobs.last += 1;
        let number = self.jobs.last;
        let ctx = self.context();
        self.jobs.running.push(Job {
            number,
            id,
            cancel: ctx.cancel.clone(),
            document: (document.as_ref()).map(|document| (document.uri.clone(), document.version)),
            late: prepared.late,
            since: Instant::now(),
            progress: ctx.progress.clone(),
            shown: Shown::Young {
                is_named: prepared.progress_token.is_some(),
            },
            token: (prepared.progress_token)
                .unwrap_or_else(|| ProgressToken::String(format!("retrostep/{number}"))),
        });
        let events = self.events.clone();
        self.pool.post(Box::new(move || {
            let answer = match (ctx.cancel.is_cancelled(), prepared.answer, document) {
                (true, ..) => Err(RequestError::cancelled()),
                (false, Answer::OfWorkspace(answer), _) => guarded(|| answer(&ctx)),
                (false, Answer::OfDocument(answer), Some(document)) => guarded(|| {
                    answer(&DocumentContext {
                        workspace: ctx,
                        document,
                    })
                }),
                (false, Answer::OfDocument(_), None) => Err(RequestError::internal()),
            };
            let _ = events.send(Event::Done {
                job: number,
                answer,
            });
        }));
    }

    /// What a handler is given.
    pub(super) fn context(&self) -> Context {
        Context {
            client: self.client.clone(),
            settings: self.settings,
            documents: self.documents.clone(),
            libraries: self.libraries.clone(),
            recordings: self.recordings.clone(),
            surveys: self.surveys.clone(),
            places: self.places.clone(),
            selected: self.selected.clone(),
            cursor: self.cursor.clone(),
            events: self.events.clone(),
            cancel: CancellationToken::new(),
            progress: Progress::default(),
        }
    }

    /// The pool answered a request. One that was cancelled was answered already.
    pub(super) fn done(&mut self, number: u64, answer: Result<String, RequestError>) {
        let jobs = &mut self.jobs.running;
        let Some(at) = jobs.iter().position(|job| job.number == number) else {
            return;
        };
        let job = jobs.remove(at);
        self.end_progress(&job);
        let is_late = (job.document.as_ref()).is_some_and(|(uri, version)| {
            let now = self.documents.get(uri);
            now.is_none_or(|document| document.version != *version)
        });
        let answer = match answer {
            Ok(_) if is_late && job.late == Late::Wrong => Err(RequestError::content_modified()),
            answer => answer,
        };
        self.connection.answer(&job.id, &answer);
    }

    /// Answers a request as cancelled, at once, if it is not answered yet.
    pub(crate) fn cancel(&mut self, id: &RequestId) {
        self.cancel_where(|job| job.id == *id);
    }

    /// As [`Server::cancel`] for what the user sees the progress of.
    pub(crate) fn cancel_progress(&mut self, token: &ProgressToken) {
        self.cancel_where(|job| job.token == *token);
    }

    /// Cancels every request that runs.
    pub(super) fn cancel_all(&mut self) {
        self.cancel_where(|_| true);
    }

    fn cancel_where(&mut self, is_meant: impl Fn(&Job) -> bool) {
        let cancelled: Vec<Job> = self
            .jobs
            .running
            .extract_if(.., |job| is_meant(job))
            .collect();
        for job in cancelled {
            job.cancel.cancel();
            self.end_progress(&job);
            (self.connection).answer(&job.id, &Err(RequestError::cancelled()));
        }
    }

    /// Shows how far the requests are that take long.
    pub(super) fn show_progress(&mut self) {
        let now = Instant::now();
        for at in 0..self.jobs.running.len() {
            let Some(job) = self.jobs.running.get_mut(at) else {
                continue;
            };
            let reached = job.progress.reached();
            let tell = match job.shown {
                Shown::Young { .. } if now < job.since + PATIENCE => continue,
                Shown::Young { is_named: true } => {
                    job.shown = Shown::Since(now, reached);
                    begin(reached)
                }
                Shown::Young { is_named: false } if self.client.progress => {
                    job.shown = Shown::Asked;
                    let params = WorkDoneProgressCreateParams {
                        token: job.token.clone(),
                    };
                    let asked = Asked::Progress(job.number);
                    (self.connection).ask(asked, "window/workDoneProgress/create", params);
                    continue;
                }
                Shown::Young { is_named: false } => {
                    job.shown = Shown::Never;
                    continue;
                }
                Shown::Since(told, before) if now >= told + PAUSE => {
                    job.shown = Shown::Since(now, reached);
                    match reached {
                        Some(reached) if before != Some(reached) => report(reached),
                        _ => continue,
                    }
                }
                Shown::Since(..) | Shown::Asked | Shown::Never => continue,
            };
            let token = job.token.clone();
            self.tell(token, tell);
        }
    }

    /// The client made a place to show the progress of a job, or did not.
    pub(super) fn progress_granted(&mut self, number: u64, is_granted: bool) {
        let mut jobs = self.jobs.running.iter_mut();
        let Some(job) = jobs.find(|job| job.number == number) else {
            return;
        };
        if !is_granted {
            job.shown = Shown::Never;
            return;
        }
        let reached = job.progress.reached();
        job.shown = Shown::Since(Instant::now(), reached);
        let token = job.token.clone();
        self.tell(token, begin(reached));
    }

    fn end_progress(&mut self, job: &Job) {
        if let Shown::Since(..) = job.shown {
            let end = WorkDoneProgress::End(WorkDoneProgressEnd::default());
            self.tell(job.token.clone(), end);
        }
    }

    fn tell(&mut self, token: ProgressToken, progress: WorkDoneProgress) {
        let value = ProgressParamsValue::WorkDone(progress);
        (self.connection).notify("$/progress", ProgressParams { token, value });
    }
}

fn begin(reached: Option<Reached>) -> WorkDoneProgress {
    WorkDoneProgress::Begin(WorkDoneProgressBegin {
        title: "Reading recordings".to_owned(),
        cancellable: Some(true),
        message: reached.map(message),
        percentage: reached.map(Reached::percentage),
    })
}

fn report(reached: Reached) -> WorkDoneProgress {
    WorkDoneProgress::Report(WorkDoneProgressReport {
        cancellable: Some(true),
        message: Some(message(reached)),
        percentage: Some(reached.percentage()),
    })
}

fn message(reached: Reached) -> String {
    format!("{} of {}", reached.done, reached.of)
}

/// Runs `work`; a fault in it is an error of this one request, not the end of the conversation.
pub(crate) fn guarded<T>(
    work: impl FnOnce() -> Result<T, RequestError>,
) -> Result<T, RequestError> {
    match std::panic::catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result,
        Err(_) => {
            tracing::error!("a request failed unexpectedly");
            Err(RequestError::internal())
        }
    }
}
