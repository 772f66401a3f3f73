//! Requests: what the client wants answered.

mod call_hierarchy;
mod calls;
mod code_action;
mod code_lens;
mod compare;
mod document_highlight;
mod execute_command;
#[cfg(test)]
pub(crate) mod gated;
mod history;
mod hover;
mod initialize;
mod inlay_hint;
mod inlay_hint_resolve;
mod inline_value;
mod moment;
mod page;
mod recordings;
mod references;
mod select_recording;
mod semantic_tokens;
mod shutdown;
mod workspace_symbol;

use ls_types::{ProgressToken, ServerCapabilities, Uri};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::client::Client;
use crate::context::{Context, DocumentContext};
use crate::error::{RequestError, Result};
use crate::server::Server;

/// Everything that is answered.
pub(crate) const REQUESTS: &[Handler] = &[
    Handler::of_server::<initialize::Initialize>(),
    Handler::of_server::<select_recording::SelectRecording>(),
    Handler::of_server::<shutdown::Shutdown>(),
    Handler::of_document::<call_hierarchy::Prepare>(),
    Handler::of_document::<code_action::CodeActions>(),
    Handler::of_document::<code_lens::CodeLenses>(),
    Handler::of_document::<document_highlight::DocumentHighlights>(),
    Handler::of_document::<history::History>(),
    Handler::of_document::<hover::Hovers>(),
    Handler::of_document::<inlay_hint::InlayHints>(),
    Handler::of_document::<inline_value::InlineValues>(),
    Handler::of_document::<references::References>(),
    Handler::of_document::<semantic_tokens::DimmedLines>(),
    Handler::of_workspace::<call_hierarchy::Incoming>(),
    Handler::of_workspace::<call_hierarchy::Outgoing>(),
    Handler::of_workspace::<calls::Calls>(),
    Handler::of_workspace::<compare::Compare>(),
    Handler::of_workspace::<execute_command::ExecuteCommand>(),
    Handler::of_workspace::<inlay_hint_resolve::ResolveInlayHint>(),
    Handler::of_workspace::<moment::Moment>(),
    Handler::of_workspace::<recordings::Recordings>(),
    Handler::of_workspace::<workspace_symbol::WorkspaceSymbols>(),
    #[cfg(test)]
    Handler::of_workspace::<gated::Wait>(),
    #[cfg(test)]
    Handler::of_document::<gated::Text>(),
];

/// What an answer is worth when the document changed while it was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Late {
    /// As much as before: it names no place in the document, or one that the client moves along.
    Valid,
    /// Nothing: its places are elsewhere now. The client is told so, and asks again if it wants to.
    Wrong,
}

/// A request about an open document.
pub(crate) trait DocumentRequest {
    const METHOD: &'static str;
    /// What a late answer is worth.
    const LATE: Late;
    type Params: DeserializeOwned + Send + 'static;
    type Answer: Serialize;

    /// The document it is about.
    fn document(params: &Self::Params) -> &Uri;
    /// Says that this is answered.
    fn advertise(capabilities: &mut ServerCapabilities, client: &Client);
    /// Answers, on a thread of the pool.
    ///
    /// # Errors
    ///
    /// The request fails, and the conversation goes on. "Nothing" is an answer, not an error.
    fn answer(ctx: &DocumentContext, params: Self::Params) -> Result<Self::Answer>;
}

/// A request about the workspace.
pub(crate) trait WorkspaceRequest {
    const METHOD: &'static str;
    type Params: DeserializeOwned + Send + 'static;
    type Answer: Serialize;

    /// Says that this is answered; the product's own requests are not said.
    fn advertise(_capabilities: &mut ServerCapabilities, _client: &Client) {}
    /// Answers, on a thread of the pool.
    ///
    /// # Errors
    ///
    /// As [`DocumentRequest::answer`].
    fn answer(ctx: &Context, params: Self::Params) -> Result<Self::Answer>;
}

/// A request that changes the conversation.
pub(crate) trait ServerRequest {
    const METHOD: &'static str;
    type Params: DeserializeOwned;
    type Answer: Serialize;

    /// Answers at once, in the main loop.
    ///
    /// # Errors
    ///
    /// As [`DocumentRequest::answer`].
    fn answer(server: &mut Server<'_>, params: Self::Params) -> Result<Self::Answer>;
}

/// How a method is answered.
#[derive(Clone, Copy)]
pub(crate) struct Handler {
    pub(crate) method: &'static str,
    pub(crate) advertise: fn(&mut ServerCapabilities, &Client),
    pub(crate) how: How,
}

/// Who answers.
#[derive(Clone, Copy)]
pub(crate) enum How {
    /// The main loop.
    Server(fn(&mut Server<'_>, Value) -> Result<String>),
    /// The pool.
    Pool(fn(Value) -> Result<Prepared>),
}

/// A request whose parameters were understood.
pub(crate) struct Prepared {
    /// The document that has to be open.
    pub(crate) document: Option<Uri>,
    pub(crate) late: Late,
    /// Where the client wants to see the progress.
    pub(crate) progress_token: Option<ProgressToken>,
    pub(crate) answer: Answer,
}

/// Makes an answer from what a handler is given, as JSON text.
type Making<C> = Box<dyn FnOnce(&C) -> Result<String> + Send>;

/// Makes the answer.
pub(crate) enum Answer {
    OfDocument(Making<DocumentContext>),
    OfWorkspace(Making<Context>),
}

impl Handler {
    /// For the table.
    pub(crate) const fn of_document<R: DocumentRequest>() -> Handler {
        Handler {
            method: R::METHOD,
            advertise: R::advertise,
            how: How::Pool(|params| {
                let progress_token = progress_token(&params);
                let params: R::Params = decoded(R::METHOD, params)?;
                Ok(Prepared {
                    document: Some(R::document(&params).clone()),
                    late: R::LATE,
                    progress_token,
                    answer: Answer::OfDocument(Box::new(|ctx| encoded(R::answer(ctx, params)?))),
                })
            }),
        }
    }

    const fn of_workspace<R: WorkspaceRequest>() -> Handler {
        Handler {
            method: R::METHOD,
            advertise: R::advertise,
            how: How::Pool(|params| {
                let progress_token = progress_token(&params);
                let params: R::Params = decoded(R::METHOD, params)?;
                Ok(Prepared {
                    document: None,
                    late: Late::Valid,
                    progress_token,
                    answer: Answer::OfWorkspace(Box::new(|ctx| encoded(R::answer(ctx, params)?))),
                })
            }),
        }
    }

    const fn of_server<R: ServerRequest>() -> Handler {
        Handler {
            method: R::METHOD,
            advertise: |_, _| {},
            how: How::Server(|server, params| {
                let params: R::Params = decoded(R::METHOD, params)?;
                encoded(R::answer(server, params)?)
            }),
        }
    }
}

/// The handler of a method.
pub(crate) fn handler(method: &str) -> Option<&'static Handler> {
    REQUESTS.iter().find(|handler| handler.method == method)
}

/// Absent parameters are the same as empty ones.
pub(super) fn decoded<T: DeserializeOwned>(method: &str, params: Value) -> Result<T> {
    let params = match params {
        Value::Null => Value::Object(serde_json::Map::new()),
        params => params,
    };
    serde_json::from_value(params)
        .map_err(|error| RequestError::params(format!("{method}: {error}")))
}

fn encoded(answer: impl Serialize) -> Result<String> {
    serde_json::to_string(&answer).map_err(|error| {
        tracing::error!(%error, "an answer cannot be written");
        RequestError::internal()
    })
}

fn progress_token(params: &Value) -> Option<ProgressToken> {
    let token = params.get("workDoneToken")?;
    serde_json::from_value(token.clone()).ok()
}
