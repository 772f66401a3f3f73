//! An LSP client that speaks raw JSON to `retrostep lsp`, keeps every message and has each one checked
//! against the protocol's types.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::client::{LIMIT, read_message};
use crate::skip::skip;
use crate::transcript::Transcript;

/// A running language server and everything it said.
#[derive(Debug)]
pub struct LspClient {
    child: Child,
    stdin: Option<ChildStdin>,
    incoming: Receiver<Result<Value>>,
    validator: Option<Validator>,
    /// Notifications and requests of the server that nobody looked at yet.
    waiting: VecDeque<Value>,
    responses: HashMap<u64, Value>,
    methods: HashMap<u64, String>,
    transcript: Transcript,
    last_id: u64,
    /// How long a wait may take before it is a failure.
    pub limit: Duration,
}

impl LspClient {
    /// Starts `binary lsp` in the folder `dir`.
    pub fn start(binary: &Path, dir: &Path) -> Result<LspClient> {
        let mut child = Command::new(binary)
            .arg("lsp")
            .current_dir(dir)
            // The user's own library is none of a test's business.
            .env("XDG_DATA_HOME", dir.join("data"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .with_context(|| format!("start {}", binary.display()))?;
        let stdout = child.stdout.take().context("the server's stdout")?;
        let stdin = child.stdin.take();
        let (sender, incoming) = channel();
        thread::spawn(move || {
            let mut reader = BufReader::new(stdout);
            while let Some(message) = read_message(&mut reader).transpose() {
                let is_last = message.is_err();
                if sender.send(message).is_err() || is_last {
                    return;
                }
            }
        });
        Ok(LspClient {
            child,
            stdin,
            incoming,
            validator: Validator::start()?,
            waiting: VecDeque::new(),
            responses: HashMap::new(),
            methods: HashMap::new(),
            transcript: Transcript::default(),
            last_id: 0,
            limit: LIMIT,
        })
    }

    /// The process id of the server.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Says `initialize` and `initialized` with these capabilities and options for one folder; returns
    /// the answer.
    pub fn initialize(
        &mut self,
        folder: &Path,
        capabilities: &Value,
        options: &Value,
    ) -> Result<Value> {
        let params = json!({
            "processId": std::process::id(),
            "rootUri": uri(folder),
            "capabilities": capabilities,
            "initializationOptions": options,
            "workspaceFolders": [{"uri": uri(folder), "name": "folder"}],
        });
        let answer = self.request("initialize", &params)?;
        self.notify("initialized", &json!({}))?;
        Ok(answer)
    }

    /// Opens a document with the text of its file; returns its URI.
    pub fn open(&mut self, path: &Path) -> Result<String> {
        let text = std::fs::read_to_string(path)?;
        self.open_text(path, &text)
    }

    /// Opens a document with another text than that of its file; returns its URI.
    pub fn open_text(&mut self, path: &Path, text: &str) -> Result<String> {
        let uri = uri(path);
        let document = json!({"uri": uri, "languageId": "python", "version": 1, "text": text});
        self.notify("textDocument/didOpen", &json!({"textDocument": document}))?;
        Ok(uri)
    }

    /// Sends a request without waiting for its response; returns its id.
    pub fn send(&mut self, method: &str, params: &Value) -> Result<u64> {
        self.last_id += 1;
        let mut message = json!({"jsonrpc": "2.0", "id": self.last_id, "method": method});
        if !params.is_null() {
            message["params"] = params.clone();
        }
        self.methods.insert(self.last_id, method.to_owned());
        self.validate(method, "request", &message)?;
        self.send_message(&message)?;
        Ok(self.last_id)
    }

    /// Sends a notification.
    pub fn notify(&mut self, method: &str, params: &Value) -> Result<()> {
        let mut message = json!({"jsonrpc": "2.0", "method": method});
        if !params.is_null() {
            message["params"] = params.clone();
        }
        self.validate(method, "notification", &message)?;
        self.send_message(&message)
    }

    /// Waits for the response to a request: its result, or its error.
    pub fn response(&mut self, id: u64) -> Result<std::result::Result<Value, Value>> {
        let deadline = Instant::now() + self.limit;
        loop {
            if let Some(mut response) = self.responses.remove(&id) {
                return Ok(match response.get_mut("error") {
                    Some(error) => Err(error.take()),
                    None => Ok(response["result"].take()),
                });
            }
            self.receive(deadline, "a response")?;
        }
    }

    /// Sends a request that must succeed; returns its result.
    pub fn request(&mut self, method: &str, params: &Value) -> Result<Value> {
        let id = self.send(method, params)?;
        match self.response(id)? {
            Ok(result) => Ok(result),
            Err(error) => Err(self.failure(&format!("{method} failed: {error}"))),
        }
    }

    /// Waits for a notification or request of the server and returns its parameters.
    pub fn wait_for(&mut self, method: &str) -> Result<Value> {
        let deadline = Instant::now() + self.limit;
        loop {
            let is_it = |message: &Value| message["method"] == method;
            if let Some(found) = self.waiting.iter().position(is_it) {
                let message = self.waiting.remove(found).unwrap_or_default();
                return Ok(message["params"].clone());
            }
            self.receive(deadline, method)?;
        }
    }

    /// Takes the parameters of all notifications and requests of this method that have come so far.
    pub fn taken(&mut self, method: &str) -> Vec<Value> {
        while let Ok(message) = self.incoming.try_recv() {
            if let Ok(message) = message {
                let _ = self.keep(message);
            }
        }
        let (taken, kept) = (self.waiting.drain(..)).partition(|it: &Value| it["method"] == method);
        self.waiting = kept;
        let taken: VecDeque<Value> = taken;
        taken.into_iter().map(|it| it["params"].clone()).collect()
    }

    /// Ends the conversation as a client should.
    pub fn finish(mut self) -> Result<()> {
        self.request("shutdown", &Value::Null)?;
        self.notify("exit", &Value::Null)?;
        self.stdin = None;
        let deadline = Instant::now() + self.limit;
        while let Ok(message) =
            (self.incoming).recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            self.keep(message?)?;
        }
        let status = self.child.wait()?;
        if !status.success() {
            return Err(self.failure(&format!("the server ended with {status}")));
        }
        Ok(())
    }

    /// An error with the end of the conversation in it.
    pub fn failure(&self, what: &str) -> anyhow::Error {
        self.transcript.failure(what)
    }

    fn send_message(&mut self, message: &Value) -> Result<()> {
        let text = message.to_string();
        self.transcript.sent(&text);
        let stdin = self.stdin.as_mut().context("stdin is closed")?;
        write!(stdin, "Content-Length: {}\r\n\r\n{text}", text.len())?;
        stdin.flush()?;
        Ok(())
    }

    fn receive(&mut self, deadline: Instant, what: &str) -> Result<()> {
        let wait = deadline.saturating_duration_since(Instant::now());
        match self.incoming.recv_timeout(wait) {
            Ok(Ok(message)) => self.keep(message),
            Ok(Err(error)) => {
                Err(self.failure(&format!("unreadable bytes from the server: {error:#}")))
            }
            Err(RecvTimeoutError::Timeout) => {
                Err(self.failure(&format!("no {what} within {:?}", self.limit)))
            }
            Err(RecvTimeoutError::Disconnected) => {
                let status = self.child.wait()?;
                Err(self.failure(&format!(
                    "the server ended ({status}) while waiting for {what}"
                )))
            }
        }
    }

    /// Keeps a message until it is asked for; requests of the server are answered at once.
    fn keep(&mut self, message: Value) -> Result<()> {
        self.transcript.received(&message);
        let method = message["method"].as_str().map(str::to_owned);
        match (method, message.get("id")) {
            (Some(method), None) => {
                self.validate(&method, "notification", &message)?;
                self.waiting.push_back(message);
            }
            (Some(method), Some(id)) => {
                self.validate(&method, "request", &message)?;
                let result = match method.as_str() {
                    "workspace/configuration" => json!([{}]),
                    _ => Value::Null,
                };
                let answer = json!({"jsonrpc": "2.0", "id": id, "result": result});
                self.validate(&method, "response", &answer)?;
                self.send_message(&answer)?;
                self.waiting.push_back(message);
            }
            (None, Some(id)) => {
                let known = id
                    .as_u64()
                    .and_then(|id| Some((id, self.methods.remove(&id)?)));
                let Some((id, method)) = known else {
                    return Err(self.failure(&format!("an answer to nothing: {message}")));
                };
                self.validate(&method, "response", &message)?;
                self.responses.insert(id, message);
            }
            (None, None) => return Err(self.failure(&format!("no message: {message}"))),
        }
        Ok(())
    }

    fn validate(&mut self, method: &str, kind: &str, message: &Value) -> Result<()> {
        let Some(validator) = &mut self.validator else {
            return Ok(());
        };
        let wrong = validator.check(method, kind, message)?;
        if wrong.is_empty() {
            return Ok(());
        }
        Err(self.failure(&format!("a wrong {kind} {method}: {wrong}\n{message}")))
    }
}

impl Drop for LspClient {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The URI of a file.
pub fn uri(path: &Path) -> String {
    let mut uri = "file://".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'/' | b'-' | b'.' | b'_' | b'~' => {
                uri.push(char::from(*byte));
            }
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri
}

/// The folder of the Python packages that check messages and drive servers, if they are installed.
pub fn python_packages() -> Option<PathBuf> {
    let cache = PathBuf::from(std::env::var_os("RETROSTEP_TEST_CACHE")?);
    let folder = cache.join("lsp-python");
    folder.join("lsprotocol").is_dir().then_some(folder)
}

/// A process that knows the protocol's types.
#[derive(Debug)]
struct Validator {
    child: Child,
    stdin: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Validator {
    fn start() -> Result<Option<Validator>> {
        let Some(packages) = python_packages() else {
            skip(
                "the check of messages of the language server",
                "the Python package lsprotocol is not installed",
            );
            return Ok(None);
        };
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("lsp/validate.py");
        let mut child = Command::new("python3")
            .arg(script)
            .env("PYTHONPATH", packages)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("start the check of messages")?;
        let stdin = child.stdin.take().context("its stdin")?;
        let answers = BufReader::new(child.stdout.take().context("its stdout")?);
        Ok(Some(Validator {
            child,
            stdin,
            answers,
        }))
    }

    /// What is wrong with a message; nothing if it is right.
    fn check(&mut self, method: &str, kind: &str, message: &Value) -> Result<String> {
        let told = json!({"method": method, "kind": kind, "message": message});
        writeln!(self.stdin, "{told}")?;
        let mut answer = String::new();
        let read = self.answers.read_line(&mut answer)?;
        anyhow::ensure!(read > 0, "the check of messages ended");
        Ok(answer.trim().to_owned())
    }
}

impl Drop for Validator {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
