//! A client that keeps what it receives and fails if a message was not looked at.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long any single wait may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// A client and the server it speaks with.
pub(crate) struct Client {
    input: Option<PipeWriter>,
    received: Receiver<Value>,
    inbox: VecDeque<Value>,
    transcript: Vec<String>,
    id: i64,
    server: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Client {
    /// Starts a server; nothing was said so far.
    pub(crate) fn start() -> Client {
        let (server_input, input) = std::io::pipe().unwrap();
        let (output, server_output) = std::io::pipe().unwrap();
        let server = std::thread::spawn(move || retrostep_lsp::run(server_input, server_output));
        let (sender, received) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Some(message) = read_message(&mut output) {
                if sender.send(message).is_err() {
                    break;
                }
            }
        });
        Client {
            input: Some(input),
            received,
            inbox: VecDeque::new(),
            transcript: Vec::new(),
            id: 0,
            server: Some(server),
        }
    }

    /// Starts a server and introduces itself; returns the answer too.
    pub(crate) fn introduced(params: Value) -> (Client, Value) {
        let mut client = Client::start();
        let answer = client.request("initialize", params);
        client.notify("initialized", json!({}));
        (client, answer)
    }

    /// As [`Client::introduced`] for a workspace, by a client that can everything.
    pub(crate) fn of_workspace(folder: &std::path::Path) -> Client {
        let (client, _) = Client::introduced(json!({
            "capabilities": capabilities(),
            "workspaceFolders": [{"uri": uri(folder), "name": "workspace"}],
        }));
        client
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub(crate) fn send_text(&mut self, text: &str) {
        self.transcript.push(format!("→ {text}"));
        self.send_bytes(frame(text).as_bytes());
    }

    /// Sends a request and returns its number.
    pub(crate) fn send(&mut self, method: &str, params: Value) -> i64 {
        self.id += 1;
        let mut message = json!({"jsonrpc": "2.0", "id": self.id, "method": method});
        if !params.is_null() {
            message["params"] = params;
        }
        self.send_text(&message.to_string());
        self.id
    }

    pub(crate) fn notify(&mut self, method: &str, params: Value) {
        let mut message = json!({"jsonrpc": "2.0", "method": method});
        if !params.is_null() {
            message["params"] = params;
        }
        self.send_text(&message.to_string());
    }

    /// Answers a request of the server.
    pub(crate) fn answer_to(&mut self, request: &Value, result: Value) {
        let message = json!({"jsonrpc": "2.0", "id": request["id"], "result": result});
        self.send_text(&message.to_string());
    }

    /// Waits for the first message that `wanted` accepts and takes it out of the inbox.
    pub(crate) fn wait(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.wait_for(what, PATIENCE, wanted)
    }

    pub(crate) fn wait_for(
        &mut self,
        what: &str,
        patience: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let deadline = Instant::now() + patience;
        loop {
            if let Some(at) = self.inbox.iter().position(&wanted) {
                return self.inbox.remove(at).unwrap();
            }
            let left = deadline.saturating_duration_since(Instant::now());
            match self.received.recv_timeout(left) {
                Ok(message) => self.take_in(message),
                Err(error) => panic!("no {what}: {error}\n{}", self.transcript.join("\n")),
            }
        }
    }

    fn take_in(&mut self, message: Value) {
        self.transcript.push(format!("← {message}"));
        assert_eq!(message["jsonrpc"], "2.0");
        self.inbox.push_back(message);
    }

    /// The whole answer to a request.
    pub(crate) fn response(&mut self, id: i64) -> Value {
        self.wait(&format!("answer to {id}"), |message| {
            message["id"] == id && message.get("method").is_none()
        })
    }

    /// The result of a request that succeeds.
    pub(crate) fn result(&mut self, id: i64) -> Value {
        let response = self.response(id);
        assert!(response.get("error").is_none(), "{response}");
        response["result"].clone()
    }

    pub(crate) fn request(&mut self, method: &str, params: Value) -> Value {
        let id = self.send(method, params);
        self.result(id)
    }

    /// The number of the error that a request is answered with.
    pub(crate) fn refused(&mut self, method: &str, params: Value) -> i64 {
        let id = self.send(method, params);
        self.error(id)
    }

    pub(crate) fn error(&mut self, id: i64) -> i64 {
        let response = self.response(id);
        assert!(response.get("result").is_none(), "{response}");
        assert!(response["error"]["message"].is_string(), "{response}");
        response["error"]["code"].as_i64().unwrap()
    }

    /// A request or notification of the server.
    pub(crate) fn told(&mut self, method: &str) -> Value {
        self.told_within(method, PATIENCE)
    }

    pub(crate) fn told_within(&mut self, method: &str, patience: Duration) -> Value {
        self.wait_for(method, patience, |message| message["method"] == method)
    }

    /// Everything that has come and was not looked at.
    pub(crate) fn unseen(&mut self) -> Vec<Value> {
        while let Ok(message) = self.received.try_recv() {
            self.take_in(message);
        }
        self.inbox.drain(..).collect()
    }

    /// Opens a document.
    pub(crate) fn open(&mut self, uri: &str, text: &str) {
        self.notify(
            "textDocument/didOpen",
            json!({"textDocument":
                {"uri": uri, "languageId": "python", "version": 1, "text": text}}),
        );
    }

    /// Says goodbye; nothing may be left that was not looked at.
    pub(crate) fn leave(mut self) {
        self.request("shutdown", Value::Null);
        self.notify("exit", Value::Null);
        let (unseen, ended) = self.ended();
        ended.unwrap();
        assert!(unseen.is_empty(), "not looked at: {unseen:#?}");
    }

    /// Waits for the server to end, and returns what was not looked at.
    pub(crate) fn ended(mut self) -> (Vec<Value>, anyhow::Result<()>) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.received.recv_timeout(left) {
                Ok(message) => self.take_in(message),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    panic!("the server does not end\n{}", self.transcript.join("\n"))
                }
            }
        }
        let ended = self.server.take().unwrap().join().unwrap();
        (self.inbox.into_iter().collect(), ended)
    }

    /// Sends no more.
    pub(crate) fn hang_up(&mut self) {
        self.input = None;
    }
}

/// What a client says that can everything.
pub(crate) fn capabilities() -> Value {
    let refresh = json!({"refreshSupport": true});
    json!({
        "workspace": {
            "inlayHint": refresh, "inlineValue": refresh, "codeLens": refresh,
            "semanticTokens": refresh, "workspaceFolders": true,
        },
        "window": {"workDoneProgress": true},
        "textDocument": {"inlayHint": {}},
    })
}

pub(crate) fn frame(text: &str) -> String {
    format!("Content-Length: {}\r\n\r\n{text}", text.len())
}

pub(crate) fn uri(path: &std::path::Path) -> String {
    format!("file://{}", path.display())
}

fn read_message(output: &mut BufReader<PipeReader>) -> Option<Value> {
    let mut len = None;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => {
                len = line
                    .strip_prefix("Content-Length: ")
                    .map(str::to_owned)
                    .or(len)
            }
        }
    }
    let mut content = vec![0; len?.parse().ok()?];
    output.read_exact(&mut content).ok()?;
    Some(serde_json::from_slice(&content).unwrap())
}
