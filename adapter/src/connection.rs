//! The adapter's side of the conversation: numbering messages and writing them.

use std::collections::HashMap;
use std::io::{self, Write};

use retrostep_framing::write_frame;
use serde::Serialize;
use serde_json::Value;

use crate::dap::message;
use crate::error::RequestError;

/// Writes messages and remembers what the adapter asked the client.
pub(crate) struct Connection<'a> {
    output: &'a mut dyn Write,
    last_seq: i64,
    asked: HashMap<i64, Asked>,
}

/// A request of the adapter that the client has not answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Asked {
    /// `runInTerminal` for the recording with this number.
    RunInTerminal(u64),
}

impl<'a> Connection<'a> {
    pub(crate) fn new(output: &'a mut dyn Write) -> Connection<'a> {
        Connection {
            output,
            last_seq: 0,
            asked: HashMap::new(),
        }
    }

    /// Answers a request.
    pub(crate) fn answer(
        &mut self,
        request_seq: i64,
        command: &str,
        answer: Result<Option<Value>, RequestError>,
    ) -> io::Result<()> {
        let seq = self.next_seq();
        let message = match answer {
            Ok(body) => message::response(seq, request_seq, command, body),
            Err(error) => {
                message::error_response(seq, request_seq, command, error.word(), error.to_message())
            }
        };
        self.write(&message)
    }

    /// Sends an event.
    pub(crate) fn event(&mut self, event: &str, body: Option<Value>) -> io::Result<()> {
        let seq = self.next_seq();
        self.write(&message::event(seq, event, body))
    }

    /// Asks the client for something.
    pub(crate) fn ask(
        &mut self,
        asked: Asked,
        command: &str,
        arguments: impl Serialize,
    ) -> io::Result<()> {
        let seq = self.next_seq();
        self.asked.insert(seq, asked);
        let arguments = serde_json::to_value(arguments)?;
        self.write(&message::request(seq, command, arguments))
    }

    /// What the client's answer is about, if the adapter asked.
    pub(crate) fn asked(&mut self, request_seq: i64) -> Option<Asked> {
        self.asked.remove(&request_seq)
    }

    fn next_seq(&mut self) -> i64 {
        self.last_seq += 1;
        self.last_seq
    }

    fn write(&mut self, message: &Value) -> io::Result<()> {
        write_frame(self.output, &serde_json::to_vec(message)?)
    }
}
