//! Notifications: what the client tells. Each is taken in by the main loop, in the order of arrival.

mod cancel_request;
mod cursor;
mod did_change;
mod did_change_configuration;
mod did_change_workspace_folders;
mod did_close;
mod did_open;
mod initialized;
mod work_done_progress_cancel;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::error::Result;
use crate::handlers::requests::decoded;
use crate::server::Server;

/// Everything that is taken in; the rest is passed over. `exit` ends the main loop and stands there.
pub(crate) const NOTIFICATIONS: &[Handler] = &[
    Handler::of::<cancel_request::CancelRequest>(),
    Handler::of::<cursor::CursorMoved>(),
    Handler::of::<did_change::DidChange>(),
    Handler::of::<did_change_configuration::DidChangeConfiguration>(),
    Handler::of::<did_change_workspace_folders::DidChangeWorkspaceFolders>(),
    Handler::of::<did_close::DidClose>(),
    Handler::of::<did_open::DidOpen>(),
    Handler::of::<initialized::Initialized>(),
    Handler::of::<work_done_progress_cancel::WorkDoneProgressCancel>(),
];

/// Something that the client tells.
pub(crate) trait Told {
    const METHOD: &'static str;
    type Params: DeserializeOwned;

    /// Takes it in.
    fn take(server: &mut Server<'_>, params: Self::Params);
}

/// How a notification is taken in.
#[derive(Clone, Copy)]
pub(crate) struct Handler {
    pub(crate) method: &'static str,
    /// Fails if the parameters cannot be understood.
    pub(crate) take: fn(&mut Server<'_>, Value) -> Result<()>,
}

impl Handler {
    const fn of<N: Told>() -> Handler {
        Handler {
            method: N::METHOD,
            take: |server, params| {
                N::take(server, decoded(N::METHOD, params)?);
                Ok(())
            },
        }
    }
}

/// The handler of a method.
pub(crate) fn handler(method: &str) -> Option<&'static Handler> {
    NOTIFICATIONS
        .iter()
        .find(|handler| handler.method == method)
}
