//! Telling a debug adapter what happens while a program is recorded.
//!
//! One JSON object a line goes out over a Unix socket; the words `end` and `kill`, a line each, come in.

use std::io::{self, Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use retrostep_adapter::{OutputStream, Report};
use retrostep_record_python::{Ending, Stream};
use retrostep_record_python::{Observer, Outcome, Output, Progress, Wish};

/// Asks the program to end.
pub(crate) const END: &str = "end";
/// Ends the program.
pub(crate) const KILL: &str = "kill";

/// A program that was asked to end by an adapter that is gone gets so long.
const PATIENCE: Duration = Duration::from_secs(2);

/// The reporting side of the socket.
#[derive(Debug)]
pub(crate) struct Reporter {
    socket: UnixStream,
    /// What came in, up to the last whole line.
    asked: Vec<u8>,
    /// Whether the adapter has closed its side: it ended, or it was killed.
    alone: bool,
    /// When the program was asked to end.
    end_since: Option<Instant>,
    /// Whether it was ended with force.
    killed: bool,
    /// The beginning of a character whose end is still to come, by stream.
    cut: [Vec<u8>; 2],
}

impl Reporter {
    pub(crate) fn connect(path: &Path) -> anyhow::Result<Reporter> {
        let socket = UnixStream::connect(path)
            .with_context(|| format!("cannot report to {}", path.display()))?;
        Ok(Reporter::new(socket))
    }

    fn new(socket: UnixStream) -> Reporter {
        Reporter {
            socket,
            asked: Vec::new(),
            alone: false,
            end_since: None,
            killed: false,
            cut: [Vec::new(), Vec::new()],
        }
    }

    /// The next thing the adapter asked for.
    ///
    /// Nobody could end a program whose adapter is gone, so it is ended: what it did is recorded.
    fn asked_for(&mut self) -> Option<Wish> {
        if !self.alone {
            let mut buf = [0_u8; 64];
            let _ = self.socket.set_nonblocking(true);
            let read = self.socket.read(&mut buf);
            let _ = self.socket.set_nonblocking(false);
            self.alone = matches!(read, Ok(0));
            self.asked
                .extend_from_slice(buf.get(..read.unwrap_or(0)).unwrap_or_default());
        }
        if let Some(end) = self.asked.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.asked.drain(..=end).collect();
            return match line.trim_ascii() {
                word if word == END.as_bytes() => Some(Wish::End),
                word if word == KILL.as_bytes() => Some(Wish::Kill),
                _ => None,
            };
        }
        match self.end_since {
            _ if !self.alone || self.killed => None,
            None => Some(Wish::End),
            Some(since) => (since.elapsed() >= PATIENCE).then_some(Wish::Kill),
        }
    }

    /// The last report: what came of the recording.
    pub(crate) fn finish(&mut self, result: &Result<Outcome, String>) {
        let report = match result {
            Err(message) => Report::Failed {
                message: message.clone(),
            },
            Ok(Outcome {
                recorded: None,
                problem,
                ..
            }) => Report::Failed {
                message: problem
                    .clone()
                    .unwrap_or_else(|| "nothing was recorded".to_owned()),
            },
            Ok(Outcome {
                recorded: Some(recorded),
                problem,
                ending,
            }) => {
                let mut notes = recorded.notes.clone();
                notes.extend(
                    problem
                        .clone()
                        .filter(|problem| !recorded.notes.contains(problem)),
                );
                let (exit_code, signal) = match *ending {
                    Ending::Code(code) => (Some(code), None),
                    Ending::Signal(signal) => (None, Some(signal)),
                };
                Report::Finished {
                    recording: recorded.path.clone(),
                    events: recorded.events,
                    exit_code,
                    signal,
                    notes,
                }
            }
        };
        self.send(&report);
    }

    fn send(&mut self, report: &Report) {
        let Ok(mut line) = serde_json::to_vec(report) else {
            return;
        };
        line.push(b'\n');
        // An adapter that is gone needs no reports.
        let _ = self.socket.write_all(&line);
    }
}

impl Observer for Reporter {
    fn started(&mut self, process_id: u32, recording: &Path) {
        self.send(&Report::Started {
            recording: recording.to_owned(),
            pid: process_id,
        });
    }

    fn progress(&mut self, progress: Progress) {
        self.send(&Report::Progress {
            events: progress.events,
            bytes: progress.bytes,
            elapsed_ms: u64::try_from(progress.elapsed.as_millis()).unwrap_or(u64::MAX),
        });
    }

    fn output(&mut self, output: Output<'_>) {
        let (stream, cut) = match output.stream {
            Stream::Stdout => (OutputStream::Stdout, &mut self.cut[0]),
            Stream::Stderr => (OutputStream::Stderr, &mut self.cut[1]),
        };
        cut.extend_from_slice(output.bytes);
        let text = take_text(cut);
        if text.is_empty() {
            return;
        }
        let (position, source) = match output.moment {
            Some(moment) => (Some(moment.position), moment.source),
            None => (None, None),
        };
        let (source, line) = match source {
            Some((source, line)) => (Some(source.to_string_lossy().into_owned()), Some(line)),
            None => (None, None),
        };
        self.send(&Report::Output {
            stream,
            text,
            position,
            source,
            line,
        });
    }

    fn wish(&mut self) -> Option<Wish> {
        let wish = self.asked_for()?;
        match wish {
            Wish::End => self.end_since = self.end_since.or_else(|| Some(Instant::now())),
            Wish::Kill => self.killed = true,
        }
        Some(wish)
    }
}

/// Takes the whole characters out of `bytes`; the beginning of one more stays.
fn take_text(bytes: &mut Vec<u8>) -> String {
    let whole = match std::str::from_utf8(bytes) {
        Ok(_) => bytes.len(),
        Err(error) if error.error_len().is_none() => error.valid_up_to(),
        Err(_) => bytes.len(),
    };
    let rest = bytes.split_off(whole);
    let text = String::from_utf8_lossy(bytes).into_owned();
    *bytes = rest;
    text
}

/// Reads reports, one a line, until the socket closes.
pub(crate) fn read(socket: impl io::Read, mut take: impl FnMut(Report)) -> io::Result<()> {
    use io::BufRead as _;
    for line in io::BufReader::new(socket).lines() {
        if let Ok(report) = serde_json::from_str(&line?) {
            take(report);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn characters_cut_by_a_pipe_are_put_together() {
        let mut bytes = "aé".as_bytes()[..2].to_vec();
        assert_eq!(take_text(&mut bytes), "a");
        bytes.extend_from_slice(&"é".as_bytes()[1..]);
        bytes.extend_from_slice(b"\xff!");
        assert_eq!(take_text(&mut bytes), "é\u{fffd}!");
        assert!(bytes.is_empty());
    }

    #[test]
    fn wishes_are_read_when_a_whole_line_is_there() {
        let (socket, mut adapter) = UnixStream::pair().unwrap();
        let mut reporter = Reporter::new(socket);
        assert_eq!(reporter.wish(), None);
        adapter.write_all(b"en").unwrap();
        assert_eq!(reporter.wish(), None);
        adapter.write_all(b"d\nkill\n").unwrap();
        assert_eq!(reporter.wish(), Some(Wish::End));
        assert_eq!(reporter.wish(), Some(Wish::Kill));
        drop(adapter);
        assert_eq!(reporter.wish(), None);
        reporter.finish(&Err("no".to_owned()));
    }

    #[test]
    fn a_program_whose_adapter_is_gone_is_ended() {
        let (socket, adapter) = UnixStream::pair().unwrap();
        let mut reporter = Reporter::new(socket);
        assert_eq!(reporter.wish(), None);
        drop(adapter);
        assert_eq!(reporter.wish(), Some(Wish::End));
        assert_eq!(reporter.wish(), None);
        reporter.end_since = Instant::now().checked_sub(PATIENCE);
        assert_eq!(reporter.wish(), Some(Wish::Kill));
        assert_eq!(reporter.wish(), None);
    }
}
