//! A client that speaks with the adapter in this process, keeps everything it received, and fails if a
//! message was not looked at or does not follow the protocol.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, PipeReader, PipeWriter, Read, Write, pipe};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use retrostep_adapter::{Launcher, run};
use serde_json::{Value, json};

use crate::schema;

const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) struct Client {
    input: Option<PipeWriter>,
    received: Receiver<Value>,
    inbox: VecDeque<Value>,
    transcript: Vec<String>,
    seq: i64,
    last_seq_received: i64,
    adapter: Option<JoinHandle<anyhow::Result<()>>>,
}

impl Client {
    /// A client that has sent nothing yet.
    pub(crate) fn new(launcher: Arc<dyn Launcher>) -> Client {
        let (adapter_input, input) = pipe().unwrap();
        let (output, mut adapter_output) = pipe().unwrap();
        let adapter = std::thread::spawn(move || run(adapter_input, &mut adapter_output, launcher));
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
            seq: 0,
            last_seq_received: 0,
            adapter: Some(adapter),
        }
    }

    /// Sends bytes as they are.
    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).unwrap();
    }

    /// Sends a request and returns its number.
    pub(crate) fn send(&mut self, command: &str, arguments: Value) -> i64 {
        self.seq += 1;
        let mut message = json!({"seq": self.seq, "type": "request", "command": command});
        if !arguments.is_null() {
            message["arguments"] = arguments;
        }
        self.send_message(&message);
        self.seq
    }

    pub(crate) fn send_message(&mut self, message: &Value) {
        self.transcript.push(format!("→ {message}"));
        let text = message.to_string();
        self.send_bytes(format!("Content-Length: {}\r\n\r\n{text}", text.len()).as_bytes());
    }

    /// Waits for the first message that `wanted` accepts and takes it out of the inbox.
    pub(crate) fn wait(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + PATIENCE;
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
        schema::check(&message);
        let seq = message["seq"].as_i64().unwrap();
        assert_eq!(
            seq,
            self.last_seq_received + 1,
            "sequence numbers have a gap"
        );
        self.last_seq_received = seq;
        self.inbox.push_back(message);
    }

    /// Waits for the answer to a request.
    pub(crate) fn answer(&mut self, seq: i64) -> Value {
        self.wait(&format!("answer to {seq}"), |message| {
            message["type"] == "response" && message["request_seq"] == seq
        })
    }

    /// Sends a request and returns the body of its successful answer.
    pub(crate) fn request(&mut self, command: &str, arguments: Value) -> Value {
        let seq = self.send(command, arguments);
        let answer = self.answer(seq);
        assert_eq!(answer["success"], true, "{command}: {answer}");
        assert_eq!(answer["command"], command);
        answer["body"].clone()
    }

    /// Sends a request and returns the text of the error that it is answered with.
    pub(crate) fn refused(&mut self, command: &str, arguments: Value) -> String {
        let seq = self.send(command, arguments);
        let answer = self.answer(seq);
        assert_eq!(answer["success"], false, "{command}: {answer}");
        answer["body"]["error"]["format"].as_str().unwrap().into()
    }

    /// Waits for an event and returns its body.
    pub(crate) fn event(&mut self, event: &str) -> Value {
        let message = self.wait(&format!("event {event}"), |message| {
            message["type"] == "event" && message["event"] == event
        });
        message["body"].clone()
    }

    /// Waits for `stopped` and the position that follows it; returns both bodies.
    pub(crate) fn stopped(&mut self) -> (Value, Value) {
        let stopped = self.event("stopped");
        assert_eq!(stopped["allThreadsStopped"], true);
        assert!(stopped["threadId"].is_i64());
        let position = self.event("retrostep/position");
        assert_eq!(position["state"], "replaying");
        assert_eq!(position["threadId"], stopped["threadId"]);
        (stopped, position)
    }

    /// Sends a request that moves; returns the bodies of `stopped` and of the position.
    pub(crate) fn moves(&mut self, command: &str, arguments: Value) -> (Value, Value) {
        self.request(command, arguments);
        self.stopped()
    }

    pub(crate) fn initialize(&mut self) -> Value {
        let arguments = json!({
            "adapterID": "retrostep", "linesStartAt1": true, "columnsStartAt1": true,
            "supportsVariableType": true, "supportsProgressReporting": true,
            "supportsRunInTerminalRequest": true,
        });
        self.request("initialize", arguments)
    }

    /// Says goodbye and checks that nothing is left over.
    pub(crate) fn finish(mut self) {
        self.request("disconnect", Value::Null);
        self.end().unwrap();
    }

    /// Says goodbye without having looked at everything.
    pub(crate) fn finish_quietly(mut self) {
        self.request("disconnect", Value::Null);
        self.inbox.clear();
        let adapter = self.adapter.take().unwrap();
        adapter.join().unwrap().unwrap();
    }

    /// Waits for the adapter to end, and checks that every message was looked at.
    pub(crate) fn end(mut self) -> anyhow::Result<()> {
        self.input = None;
        let adapter = self.adapter.take().unwrap();
        let deadline = Instant::now() + PATIENCE;
        while !adapter.is_finished() {
            assert!(Instant::now() < deadline, "the adapter does not end");
            if let Ok(message) = self.received.recv_timeout(Duration::from_millis(10)) {
                self.take_in(message);
            }
        }
        let result = adapter.join().unwrap();
        while let Ok(message) = self.received.recv_timeout(PATIENCE) {
            self.take_in(message);
        }
        assert!(
            self.inbox.is_empty(),
            "not looked at: {:#?}\n{}",
            self.inbox,
            self.transcript.join("\n")
        );
        result
    }
}

fn read_message(output: &mut BufReader<PipeReader>) -> Option<Value> {
    let mut len = None;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim_end().split_once(": ") {
            Some((name, value)) => {
                assert_eq!(name, "Content-Length");
                len = Some(value.parse().unwrap());
            }
            None => break,
        }
    }
    let mut content = vec![0; len.unwrap()];
    output.read_exact(&mut content).ok()?;
    Some(serde_json::from_slice(&content).unwrap())
}
