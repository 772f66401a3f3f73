//! The adapter with a client in this process that starts no program.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use retrostep_adapter::{Launcher, RecordConsole, RecordRequest, ReportSink, Started, run};
use serde_json::Value;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// Records nothing and finds nothing.
#[derive(Debug)]
pub struct NoLauncher;

impl Launcher for NoLauncher {
    fn start(&self, _: &RecordRequest, _: RecordConsole, _: ReportSink) -> anyhow::Result<Started> {
        anyhow::bail!("nothing is started here")
    }

    fn find_recording(&self, name: &str, _: Option<&Path>) -> anyhow::Result<PathBuf> {
        let path = PathBuf::from(name);
        // Nothing of this machine but what the targets made.
        anyhow::ensure!(path.starts_with(std::env::temp_dir()), "there is no {name}");
        Ok(path)
    }
}

/// Bytes that arrive a few at a time.
#[derive(Debug)]
pub struct Pieces {
    bytes: io::Cursor<Vec<u8>>,
    most: usize,
}

impl Pieces {
    pub fn new(bytes: &[u8], most: usize) -> Pieces {
        Pieces {
            bytes: io::Cursor::new(bytes.to_vec()),
            most: most.max(1),
        }
    }
}

impl Read for Pieces {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        let most = self.most.min(buf.len());
        self.bytes.read(&mut buf[..most])
    }
}

/// What the adapter wrote, cut into messages; bytes that are no frame are a panic.
pub fn messages(mut output: &[u8]) -> Vec<Value> {
    let mut messages = Vec::new();
    while !output.is_empty() {
        let end = output
            .windows(4)
            .position(|four| four == b"\r\n\r\n")
            .expect("headers end");
        let header = std::str::from_utf8(&output[..end]).expect("headers are text");
        let len: usize = header
            .strip_prefix("Content-Length: ")
            .and_then(|len| len.parse().ok())
            .expect(header);
        let content = &output[end + 4..end + 4 + len];
        messages.push(serde_json::from_slice(content).expect("content is JSON"));
        output = &output[end + 4 + len..];
    }
    messages
}

struct Sent(Receiver<Vec<u8>>, io::Cursor<Vec<u8>>);

impl Read for Sent {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        loop {
            let len = self.1.read(buf)?;
            if len > 0 {
                return Ok(len);
            }
            match self.0.recv() {
                Ok(bytes) => self.1 = io::Cursor::new(bytes),
                Err(_) => return Ok(0),
            }
        }
    }
}

/// Hands on every whole message as soon as it is there.
struct Received(Sender<Value>, Vec<u8>);

impl Write for Received {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.1.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        for message in messages(&std::mem::take(&mut self.1)) {
            let _ = self.0.send(message);
        }
        Ok(())
    }
}

/// A client that waits for each answer.
#[derive(Debug)]
pub struct Client {
    sender: Option<Sender<Vec<u8>>>,
    received: Receiver<Value>,
    adapter: Option<std::thread::JoinHandle<anyhow::Result<()>>>,
    seq: i64,
}

impl Client {
    pub fn start() -> Client {
        let (sender, input) = channel();
        let (messages, received) = channel();
        let adapter = std::thread::spawn(move || {
            let mut output = Received(messages, Vec::new());
            let input = Sent(input, io::Cursor::default());
            run(input, &mut output, Arc::new(NoLauncher))
        });
        Client {
            sender: Some(sender),
            received,
            adapter: Some(adapter),
            seq: 0,
        }
    }

    /// Sends a request without waiting; returns its number.
    pub fn send(&mut self, command: &str, arguments: Option<Value>) -> i64 {
        self.seq += 1;
        let mut message =
            serde_json::json!({"seq": self.seq, "type": "request", "command": command});
        if let Some(arguments) = arguments {
            message["arguments"] = arguments;
        }
        let text = message.to_string();
        let frame = format!("Content-Length: {}\r\n\r\n{text}", text.len());
        if let Some(sender) = &self.sender {
            let _ = sender.send(frame.into_bytes());
        }
        self.seq
    }

    /// Waits for the answer of a request; `None` when the adapter has ended.
    pub fn answer(&mut self, seq: i64) -> Option<Value> {
        loop {
            match self.received.recv_timeout(PATIENCE) {
                Ok(message) if message["request_seq"] == seq => return Some(message),
                Ok(_) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return None,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    panic!("request {seq} is not answered")
                }
            }
        }
    }

    /// Waits for an event; `false` when the adapter has ended.
    pub fn event(&mut self, name: &str) -> bool {
        loop {
            match self.received.recv_timeout(PATIENCE) {
                Ok(message) if message["event"] == name => return true,
                Ok(_) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => return false,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => panic!("no event {name}"),
            }
        }
    }

    /// Leaves; the adapter has to end.
    pub fn leave(mut self) {
        self.send("disconnect", None);
        self.sender = None;
        loop {
            match self.received.recv_timeout(PATIENCE) {
                Ok(_) => {}
                Err(std::sync::mpsc::RecvTimeoutError::Disconnected) => break,
                Err(std::sync::mpsc::RecvTimeoutError::Timeout) => {
                    panic!("the adapter does not end")
                }
            }
        }
        if let Some(adapter) = self.adapter.take() {
            let _ = adapter.join().expect("the adapter does not panic");
        }
    }
}

/// The recording that conversations are about, made once for the process.
pub fn recording() -> PathBuf {
    static MADE: Mutex<Option<(tempfile::TempDir, PathBuf)>> = Mutex::new(None);
    let mut made = MADE.lock().expect("not poisoned");
    let (_, path) = made.get_or_insert_with(|| {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("app.retro");
        crate::sample::write(&path, 3);
        (folder, path)
    });
    path.clone()
}

/// Bytes that clients send, well formed and not.
pub fn frames() -> Vec<(&'static str, Vec<u8>)> {
    let frame = |content: &str| format!("Content-Length: {}\r\n\r\n{content}", content.len());
    let initialize = r#"{"seq":1,"type":"request","command":"initialize","arguments":{"adapterID":"retrostep"}}"#;
    let disconnect = r#"{"seq":2,"type":"request","command":"disconnect"}"#;
    let two = frame(initialize) + &frame(disconnect);
    let other_case = two.replace("Content-Length", "content-length");
    let other_header = two.replace("Content-Length", "Content-Type: x\r\nContent-Length");
    vec![
        ("two", two.into_bytes()),
        ("other-case", other_case.into_bytes()),
        ("other-header", other_header.into_bytes()),
        ("response", frame(r#"{"seq":1,"type":"response","request_seq":4,"success":true,"command":"runInTerminal"}"#).into_bytes()),
        ("announced", b"Content-Length: 16000000\r\n\r\n{".to_vec()),
        ("http", b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".to_vec()),
        ("no-json", frame("{\"seq\":").into_bytes()),
    ]
}
