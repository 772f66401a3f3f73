//! The server's side of the conversation: writing messages, and what the server asked the client.

use std::collections::HashMap;
use std::io::{self, Write};

use retrostep_framing::write_frame;
use serde::Serialize;

use crate::error::RequestError;
use crate::message::{self, RequestId};
use crate::refreshing::Refresh;

/// Writes messages and remembers what the server asked the client. What cannot be written is told by
/// [`Connection::check`], which the main loop asks after every event.
pub(crate) struct Connection<'a> {
    output: &'a mut dyn Write,
    last_id: i32,
    asked: HashMap<i32, Asked>,
    /// Why nothing more can be written.
    failed: Option<io::Error>,
}

/// A request of the server that the client has not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// That it asks again for what it shows.
    Refresh(Refresh),
    /// Its settings.
    Configuration,
    /// A place to show the progress of the job with this number.
    Progress(u64),
    /// That it tells of changed settings.
    Registration,
}

impl<'a> Connection<'a> {
    pub(crate) fn new(output: &'a mut dyn Write) -> Connection<'a> {
        Connection {
            output,
            last_id: 0,
            asked: HashMap::new(),
            failed: None,
        }
    }

    /// Answers a request; a result is JSON text.
    pub(crate) fn answer(&mut self, id: &RequestId, answer: &Result<String, RequestError>) {
        match answer {
            Ok(result) => self.write(Ok(message::response_text(id, result))),
            Err(error) => self.refuse(Some(id), error),
        }
    }

    /// Answers what could not be read.
    pub(crate) fn refuse(&mut self, id: Option<&RequestId>, error: &RequestError) {
        self.write(Ok(message::error_text(id, error)));
    }

    /// Tells the client something.
    pub(crate) fn notify(&mut self, method: &str, params: impl Serialize) {
        self.write(message::notification_text(method, params));
    }

    /// Asks the client for something.
    pub(crate) fn ask(&mut self, asked: Asked, method: &str, params: impl Serialize) {
        self.last_id = self.last_id.wrapping_add(1);
        self.asked.insert(self.last_id, asked);
        self.write(message::request_text(self.last_id, method, params));
    }

    /// What a response of the client is about, if the server asked.
    pub(crate) fn asked(&mut self, id: &RequestId) -> Option<Asked> {
        match id {
            RequestId::Number(id) => self.asked.remove(id),
            RequestId::String(_) => None,
        }
    }

    /// # Errors
    ///
    /// The first reason why something could not be written; told once.
    pub(crate) fn check(&mut self) -> io::Result<()> {
        match self.failed.take() {
            Some(error) => Err(error),
            None => Ok(()),
        }
    }

    fn write(&mut self, message: serde_json::Result<String>) {
        let written = message
            .map_err(io::Error::from)
            .and_then(|message| write_frame(self.output, message.as_bytes()));
        if let Err(error) = written {
            self.failed.get_or_insert(error);
        }
    }
}
