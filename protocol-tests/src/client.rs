//! A DAP client that speaks raw JSON to `retrostep dap`, keeps every message and checks each one
//! against the official schema.

use std::collections::{BTreeSet, VecDeque};
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use serde_json::{Value, json};

use crate::schema;
use crate::transcript::Transcript;

/// How long any single wait may take.
pub const LIMIT: Duration = Duration::from_secs(60);

/// A running adapter and everything it said.
#[derive(Debug)]
pub struct Client {
    child: Child,
    stdin: Option<ChildStdin>,
    incoming: Receiver<Result<Value>>,
    events: VecDeque<Value>,
    /// Requests of the adapter that nobody looked at yet.
    requests: Vec<Value>,
    /// Responses to requests that were sent but not waited for yet.
    responses: Vec<Value>,
    waited_for: BTreeSet<u64>,
    ignored: BTreeSet<&'static str>,
    transcript: Transcript,
    sequence: u64,
    /// How long a wait may take before it is a failure.
    pub limit: Duration,
}

/// What a request was answered with.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// The body of a success.
    Success(Value),
    /// The whole response of a refusal.
    Refusal(Value),
}

impl Client {
    /// Starts `binary dap` in the folder `dir`.
    pub fn start(binary: &Path, dir: &Path) -> Result<Client> {
        let mut child = Command::new(binary)
            .arg("dap")
            .current_dir(dir)
            // The user's own library is none of a test's business.
            .env(
                "XDG_DATA_HOME",
                std::env::temp_dir().join("retrostep-tests"),
            )
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .with_context(|| format!("start {}", binary.display()))?;
        let stdout = child.stdout.take().context("the adapter's stdout")?;
        let stdin = child.stdin.take();
        let (sender, incoming) = channel();
        thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            loop {
                match read_message(&mut reader) {
                    Ok(Some(message)) => {
                        if sender.send(Ok(message)).is_err() {
                            return;
                        }
                    }
                    Ok(None) => return,
                    Err(error) => {
                        let _ = sender.send(Err(error));
                        return;
                    }
                }
            }
        });
        Ok(Client {
            child,
            stdin,
            incoming,
            events: VecDeque::new(),
            requests: Vec::new(),
            responses: Vec::new(),
            waited_for: BTreeSet::new(),
            ignored: BTreeSet::new(),
            transcript: Transcript::default(),
            sequence: 0,
            limit: LIMIT,
        })
    }

    /// The process id of the adapter.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Events of these names need not be looked at.
    pub fn ignore(&mut self, names: &[&'static str]) {
        self.ignored.extend(names);
    }

    /// Sends a request as it is written, right or wrong; it has the number `sequence`.
    pub fn send_text(&mut self, sequence: u64, text: &str) -> Result<()> {
        self.waited_for.insert(sequence);
        self.send_raw(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes())
    }

    /// A response to `sequence` may come, for a request sent in raw bytes.
    pub fn expect(&mut self, sequence: u64) {
        self.waited_for.insert(sequence);
    }

    /// Sends bytes as they are.
    pub fn send_raw(&mut self, bytes: &[u8]) -> Result<()> {
        let text = String::from_utf8_lossy(bytes);
        self.transcript.sent(&format!("(raw) {text}"));
        let stdin = self.stdin.as_mut().context("stdin is closed")?;
        stdin.write_all(bytes)?;
        stdin.flush()?;
        Ok(())
    }

    /// Sends a request without waiting for its response; returns its sequence number.
    pub fn send(&mut self, command: &str, arguments: &Value) -> Result<u64> {
        self.sequence += 1;
        let mut message = json!({"seq": self.sequence, "type": "request", "command": command});
        if !arguments.is_null() {
            message["arguments"] = arguments.clone();
        }
        schema::check(&message)?;
        let text = message.to_string();
        self.transcript.sent(&text);
        let stdin = self.stdin.as_mut().context("stdin is closed")?;
        write!(stdin, "Content-Length: {}\r\n\r\n{text}", text.len())?;
        stdin.flush()?;
        self.waited_for.insert(self.sequence);
        Ok(self.sequence)
    }

    /// Waits for the response to the request `sequence`.
    pub fn response(&mut self, sequence: u64) -> Result<Answer> {
        let deadline = Instant::now() + self.limit;
        let is_it = |response: &Value| response["request_seq"] == sequence;
        let response = loop {
            if let Some(found) = self.responses.iter().position(is_it) {
                break self.responses.swap_remove(found);
            }
            let message = self.receive(deadline, "a response")?;
            self.keep(message)?;
        };
        Ok(if response["success"] == true {
            Answer::Success(response.get("body").cloned().unwrap_or(Value::Null))
        } else {
            Answer::Refusal(response)
        })
    }

    /// Sends a request that must succeed; returns the body of its response.
    pub fn request(&mut self, command: &str, arguments: &Value) -> Result<Value> {
        let sequence = self.send(command, arguments)?;
        match self.response(sequence)? {
            Answer::Success(body) => Ok(body),
            Answer::Refusal(response) => {
                Err(self.failure(&format!("{command} was refused: {}", response["message"])))
            }
        }
    }

    /// Sends a request that must be refused; returns what it says to the user.
    pub fn refused(&mut self, command: &str, arguments: &Value) -> Result<String> {
        let sequence = self.send(command, arguments)?;
        match self.response(sequence)? {
            Answer::Success(body) => {
                Err(self.failure(&format!("{command} was not refused but answered {body}")))
            }
            Answer::Refusal(response) => {
                let format = response["body"]["error"]["format"].as_str();
                Ok(format
                    .or(response["message"].as_str())
                    .unwrap_or_default()
                    .to_owned())
            }
        }
    }

    /// Waits for the event `name` and returns its body; earlier events of other names are kept.
    pub fn event(&mut self, name: &str) -> Result<Value> {
        let deadline = Instant::now() + self.limit;
        loop {
            if let Some(found) = self.events.iter().position(|event| event["event"] == name) {
                let event = self.events.remove(found).unwrap_or_default();
                return Ok(event.get("body").cloned().unwrap_or(Value::Null));
            }
            let message = self.receive(deadline, name)?;
            self.keep(message)?;
        }
    }

    /// Waits for a request of the adapter.
    pub fn reverse_request(&mut self, command: &str) -> Result<Value> {
        let deadline = Instant::now() + self.limit;
        loop {
            let is_it = |request: &Value| request["command"] == command;
            if let Some(found) = self.requests.iter().position(is_it) {
                return Ok(self.requests.remove(found));
            }
            let message = self.receive(deadline, command)?;
            self.keep(message)?;
        }
    }

    /// Answers a request of the adapter.
    pub fn answer(&mut self, request: &Value, body: &Value) -> Result<()> {
        self.sequence += 1;
        let message = json!({
            "seq": self.sequence, "type": "response", "request_seq": request["seq"],
            "success": true, "command": request["command"], "body": body,
        });
        schema::check(&message)?;
        let text = message.to_string();
        self.send_raw(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes())
    }

    /// Takes all events of `name` that have come so far.
    pub fn take_events(&mut self, name: &str) -> Vec<Value> {
        let (taken, kept) = self
            .events
            .drain(..)
            .partition(|event| event["event"] == name);
        self.events = kept;
        taken
            .into_iter()
            .map(|event: Value| event["body"].clone())
            .collect()
    }

    /// Ends the conversation: `disconnect`, the adapter's exit, and no message left unseen.
    pub fn finish(mut self) -> Result<()> {
        self.request("disconnect", &Value::Null)?;
        self.stdin = None;
        let deadline = Instant::now() + self.limit;
        loop {
            match self
                .incoming
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(Ok(message)) => {
                    self.note(&message)?;
                    self.events.push_back(message);
                }
                Ok(Err(error)) => return Err(error),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(self.failure("the adapter did not end after disconnect"));
                }
            }
        }
        let status = self.child.wait()?;
        if !status.success() {
            return Err(self.failure(&format!("the adapter ended with {status}")));
        }
        let unseen: Vec<String> = self
            .events
            .iter()
            .chain(&self.responses)
            .chain(&self.requests)
            .filter(|event| {
                let name = event["event"].as_str().unwrap_or_default();
                !matches!(name, "terminated" | "exited") && !self.ignored.contains(name)
            })
            .map(ToString::to_string)
            .collect();
        if !unseen.is_empty() {
            return Err(self.failure(&format!("messages nobody looked at: {}", unseen.join("\n"))));
        }
        Ok(())
    }

    /// An error with the end of the conversation in it.
    pub fn failure(&self, what: &str) -> anyhow::Error {
        self.transcript.failure(what)
    }

    fn receive(&mut self, deadline: Instant, what: &str) -> Result<Value> {
        let wait = deadline.saturating_duration_since(Instant::now());
        match self.incoming.recv_timeout(wait) {
            Ok(Ok(message)) => {
                self.note(&message)?;
                Ok(message)
            }
            Ok(Err(error)) => {
                Err(self.failure(&format!("unreadable bytes from the adapter: {error:#}")))
            }
            Err(RecvTimeoutError::Timeout) => {
                Err(self.failure(&format!("no {what} within {:?}", self.limit)))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.child.wait()?;
                Err(self.failure(&format!(
                    "the adapter ended ({status}) while waiting for {what}"
                )))
            }
        }
    }

    /// Keeps an event, or the one response to a request, until it is asked for.
    fn keep(&mut self, message: Value) -> Result<()> {
        let answered = message["request_seq"].as_u64();
        match message["type"].as_str() {
            Some("event") => self.events.push_back(message),
            Some("request") => self.requests.push(message),
            Some("response") if answered.is_some_and(|seq| self.waited_for.remove(&seq)) => {
                self.responses.push(message);
            }
            _ => return Err(self.failure(&format!("an unexpected message: {message}"))),
        }
        Ok(())
    }

    fn note(&mut self, message: &Value) -> Result<()> {
        self.transcript.received(message);
        schema::check(message).map_err(|error| self.failure(&format!("{error:#}")))
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub(crate) fn read_message(reader: &mut impl BufRead) -> Result<Option<Value>> {
    let mut len_bytes = None;
    loop {
        let mut header = String::new();
        if reader.read_line(&mut header)? == 0 {
            return match len_bytes {
                None => Ok(None),
                Some(_) => bail!("the stream ends inside a header"),
            };
        }
        let header = header
            .strip_suffix("\r\n")
            .context("a header line ends in CR LF")?;
        if header.is_empty() {
            break;
        }
        let (name, value) = header
            .split_once(": ")
            .with_context(|| format!("header {header:?}"))?;
        if name == "Content-Length" {
            len_bytes = Some(
                value
                    .parse::<usize>()
                    .with_context(|| format!("length {value:?}"))?,
            );
        }
    }
    let mut body = vec![0; len_bytes.context("a message without Content-Length")?];
    reader.read_exact(&mut body)?;
    Ok(Some(serde_json::from_slice(&body)?))
}
