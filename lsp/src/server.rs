//! The main loop of one conversation: one thread, one queue of events, one state.
//!
//! What needs a recording or a text's structure is handed to the pool; everything else, and above all
//! what cancels a request, is done at once, in the order of arrival.

mod diagnostics;
mod jobs;
mod workspace;

use std::io::{Read, Write};
use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use ls_types::{Diagnostic, Uri};
use retrostep_framing::read_frames;

use crate::client::Client;
use crate::connection::{Asked, Connection};
use crate::cursor::Cursor;
use crate::document::Documents;
use crate::error::{ErrorCode, RequestError};
use crate::handlers::requests::How;
use crate::handlers::{notifications, requests};
use crate::libraries::{Libraries, LibraryChange, Watcher};
use crate::message::{Incoming, Malformed, Notification, Request, Response};
use crate::places::Places;
use crate::pool::Pool;
use crate::recordings::Recordings;
use crate::refreshing::Refresher;
use crate::settings::Settings;
use crate::surveys::Surveys;
use diagnostics::Publishing;
use jobs::Jobs;
pub(crate) use jobs::guarded;
use workspace::Workspace;

/// How often recordings are looked for that nobody asks for any more.
const FORGET: Duration = Duration::from_secs(1);

/// Everything that can happen to a conversation.
#[derive(Debug)]
pub(crate) enum Event {
    /// The client sent a message.
    Message(Incoming),
    /// A frame is no message.
    Malformed(Malformed),
    /// Nothing more comes from the client; with a reason if that is an error.
    Ended(Option<String>),
    /// A request was answered by the pool.
    Done {
        job: u64,
        answer: Result<String, RequestError>,
    },
    /// What is to be published about a document was found out.
    Diagnosed {
        uri: Uri,
        version: i32,
        diagnostics: Result<Vec<Diagnostic>, RequestError>,
    },
    /// A library changed.
    Library(LibraryChange),
    /// Where the user is was found out.
    Cursor(Cursor),
    /// Something the user asked for.
    Told(String),
    /// Something the user has to know, once.
    Warning(String),
}

/// How far the conversation is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lifecycle {
    /// Before `initialize`.
    Created,
    /// After `initialize`.
    Initialized,
    /// After `shutdown`.
    ShutDown,
}

/// Whether the conversation goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    Continue,
    End,
}

/// The state of a conversation.
pub(crate) struct Server<'a> {
    connection: Connection<'a>,
    events: Sender<Event>,
    pool: Pool,
    watcher: Watcher,
    lifecycle: Lifecycle,
    client: Arc<Client>,
    settings: Settings,
    documents: Documents,
    workspace: Workspace,
    libraries: Libraries,
    recordings: Arc<Recordings>,
    surveys: Arc<Surveys>,
    places: Arc<Places>,
    /// The recording whose values the user chose.
    selected: Option<PathBuf>,
    cursor: Option<Cursor>,
    refresher: Refresher,
    jobs: Jobs,
    publishing: Publishing,
}

/// Speaks with one client until it leaves.
///
/// # Errors
///
/// The client's bytes are no frames, it cannot be written to, or it says `exit` without `shutdown`.
pub fn run(input: impl Read + Send + 'static, mut output: impl Write + Send) -> Result<()> {
    let (events, queue) = channel();
    let reader = events.clone();
    std::thread::Builder::new()
        .name("client".to_owned())
        .spawn(move || read(input, &reader))
        .context("start the thread that reads")?;
    let mut server = Server {
        connection: Connection::new(&mut output),
        pool: Pool::start()?,
        watcher: Watcher::start(events.clone())?,
        lifecycle: Lifecycle::Created,
        client: Arc::default(),
        settings: Settings::default(),
        documents: Documents::default(),
        workspace: Workspace::default(),
        libraries: Libraries::default(),
        recordings: Arc::new(Recordings::new(events.clone())),
        surveys: Arc::default(),
        places: Arc::default(),
        selected: None,
        cursor: None,
        refresher: Refresher::default(),
        jobs: Jobs::default(),
        publishing: Publishing::default(),
        events,
    };
    let result = server.serve(&queue);
    server.cancel_all();
    result
}

/// Reads messages until the input ends.
fn read(input: impl Read, events: &Sender<Event>) {
    let ended = read_frames(input, |frame| {
        let event = match Incoming::parse(&frame) {
            Ok(message) => Event::Message(message),
            Err(malformed) => Event::Malformed(malformed),
        };
        match events.send(event) {
            Ok(()) => ControlFlow::Continue(()),
            Err(_) => ControlFlow::Break(()),
        }
    });
    let reason = ended.err().map(|error| error.to_string());
    let _ = events.send(Event::Ended(reason));
}

impl Server<'_> {
    fn serve(&mut self, queue: &Receiver<Event>) -> Result<()> {
        loop {
            let event = match self.deadline() {
                Some(deadline) => {
                    queue.recv_timeout(deadline.saturating_duration_since(Instant::now()))
                }
                None => queue.recv().map_err(RecvTimeoutError::from),
            };
            match event {
                Ok(event) => {
                    if self.take(event)? == Flow::End {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.tick();
            self.connection.check().context("write to the client")?;
        }
    }

    fn take(&mut self, event: Event) -> Result<Flow> {
        match event {
            Event::Message(Incoming::Request(request)) => self.request(request),
            Event::Message(Incoming::Notification(notification)) => {
                return self.notification(notification);
            }
            Event::Message(Incoming::Response(response)) => self.response(response),
            Event::Malformed(malformed) => {
                tracing::warn!(error = %malformed.error, "a message was not understood");
                (self.connection).refuse(malformed.id.as_ref(), &malformed.error);
            }
            Event::Ended(None) => return Ok(Flow::End),
            Event::Ended(Some(reason)) => return Err(anyhow::anyhow!(reason)),
            Event::Done { job, answer } => self.done(job, answer),
            Event::Diagnosed {
                uri,
                version,
                diagnostics,
            } => self.diagnosed(uri, version, diagnostics),
            Event::Library(change) => self.library_changed(&change),
            Event::Cursor(cursor) => self.cursor_moved(cursor),
            Event::Told(text) => self.show(ls_types::MessageType::INFO, text),
            Event::Warning(text) => self.show(ls_types::MessageType::WARNING, text),
        }
        Ok(Flow::Continue)
    }

    fn request(&mut self, request: Request) {
        let Request { id, method, params } = request;
        if let Err(error) = self.admit(&method) {
            self.connection.answer(&id, &Err(error));
            return;
        }
        match requests::handler(&method).map(|handler| handler.how) {
            Some(How::Server(answer)) => {
                let answer = guarded(|| answer(self, params));
                self.connection.answer(&id, &answer);
            }
            Some(How::Pool(prepare)) => match prepare(params) {
                Ok(prepared) => self.post(id, prepared),
                Err(error) => self.connection.answer(&id, &Err(error)),
            },
            None => {
                let error = format!("there is no method {method:?}");
                let error = RequestError::new(ErrorCode::MethodNotFound, error);
                self.connection.answer(&id, &Err(error));
            }
        }
    }

    /// Whether a request can be made now.
    fn admit(&self, method: &str) -> Result<(), RequestError> {
        match (self.lifecycle, method) {
            (Lifecycle::Created, "initialize") => Ok(()),
            (Lifecycle::Created, _) => Err(RequestError::new(
                ErrorCode::ServerNotInitialized,
                format!("{method} came before initialize"),
            )),
            (Lifecycle::Initialized, "initialize") => Err(RequestError::new(
                ErrorCode::InvalidRequest,
                "initialize came a second time",
            )),
            (Lifecycle::Initialized, _) => Ok(()),
            (Lifecycle::ShutDown, _) => Err(RequestError::new(
                ErrorCode::InvalidRequest,
                format!("{method} came after shutdown"),
            )),
        }
    }

    fn notification(&mut self, notification: Notification) -> Result<Flow> {
        let Notification { method, params } = notification;
        if method == "exit" {
            anyhow::ensure!(
                self.lifecycle == Lifecycle::ShutDown,
                "the client left without shutdown"
            );
            return Ok(Flow::End);
        }
        if self.lifecycle != Lifecycle::Initialized {
            tracing::warn!(
                method,
                "a notification came before initialize or after shutdown"
            );
            return Ok(Flow::Continue);
        }
        if let Some(handler) = notifications::handler(&method)
            && let Err(error) = guarded(|| (handler.take)(self, params))
        {
            tracing::warn!(%error, method, "a notification was not understood");
        }
        Ok(Flow::Continue)
    }

    fn response(&mut self, response: Response) {
        let Some(asked) = self.connection.asked(&response.id) else {
            tracing::warn!(id = ?response.id, "an answer to what was not asked");
            return;
        };
        if let Err(error) = &response.result {
            tracing::warn!(%error, ?asked, "the client refused");
        }
        match asked {
            Asked::Refresh(refresh) => {
                if self.refresher.answered(refresh) {
                    self.connection
                        .ask(Asked::Refresh(refresh), refresh.method(), ());
                }
            }
            Asked::Configuration => {
                if let Ok(sections) = &response.result {
                    self.take_settings(sections.get(0).unwrap_or_default());
                }
            }
            Asked::Progress(job) => self.progress_granted(job, response.result.is_ok()),
            Asked::Registration => {}
        }
    }

    /// When time alone brings something about.
    fn deadline(&self) -> Option<Instant> {
        let forget = (self.recordings.is_any_awake()).then(|| Instant::now() + FORGET);
        [self.jobs.deadline(), self.publishing.deadline(), forget]
            .into_iter()
            .flatten()
            .min()
    }

    fn tick(&mut self) {
        self.show_progress();
        self.diagnose_due();
        self.recordings.forget_idle();
    }

    fn show(&mut self, typ: ls_types::MessageType, text: String) {
        let params = ls_types::ShowMessageParams { typ, message: text };
        self.connection.notify("window/showMessage", params);
    }

    /// What the client told of itself.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The libraries of the workspace.
    pub(crate) fn libraries(&self) -> &Libraries {
        &self.libraries
    }

    /// Nothing more is answered.
    pub(crate) fn shut_down(&mut self) {
        self.cancel_all();
        self.lifecycle = Lifecycle::ShutDown;
    }
}
