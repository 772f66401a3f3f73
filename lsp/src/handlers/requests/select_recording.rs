//! `retrostep/selectRecording`: whose values are shown.

use std::path::PathBuf;

use serde::Deserialize;

use super::ServerRequest;
use crate::error::{RequestError, Result};
use crate::server::Server;

pub(super) struct SelectRecording;

#[derive(Debug, Deserialize)]
pub(super) struct Params {
    /// The file, or its name in a library; none for the newest one.
    recording: Option<String>,
}

impl ServerRequest for SelectRecording {
    const METHOD: &'static str = "retrostep/selectRecording";
    type Params = Params;
    type Answer = ();

    fn answer(server: &mut Server<'_>, params: Params) -> Result<()> {
        let selected = match params.recording {
            None => None,
            Some(wanted) => Some(named(server, &wanted)?),
        };
        server.select(selected);
        Ok(())
    }
}

fn named(server: &Server<'_>, wanted: &str) -> Result<PathBuf> {
    let entries = server.libraries().entries();
    let path = PathBuf::from(wanted);
    let found = (entries.iter())
        .find(|entry| entry.path == path || entry.id == wanted)
        .or_else(|| entries.iter().find(|entry| entry.name == wanted));
    match found {
        Some(entry) => Ok(entry.path.clone()),
        None => Err(RequestError::failed(format!(
            "there is no recording \"{wanted}\" in the libraries of the workspace"
        ))),
    }
}
