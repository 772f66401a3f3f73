//! A program with its recording.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use protocol_tests::pythons;
use protocol_tests::run::run;
use protocol_tests::skip::skip;
use retrostep_replay::calls::{RecordedCall, function_at, list};
use retrostep_replay::failures::{Failure, failures};
use retrostep_trace::{CancellationToken, FunctionId, Recording, SourceId};

/// A program with its recording.
pub(crate) struct Recorded {
    pub(crate) text: String,
    pub(crate) recording: Recording,
    pub(crate) source: SourceId,
}

/// `text`, recorded as `app.py` with each interpreter found; where there is none, the test's output says
/// so.
pub(crate) fn record(test: &str, text: &str) -> Vec<Recorded> {
    let found = pythons::found();
    if found.is_empty() {
        skip(test, "no Python from 3.9 to 3.14 was found");
    }
    let recorded = found.iter().map(|python| record_with(&python.path, text));
    recorded.collect()
}

fn record_with(python: &Path, text: &str) -> Recorded {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("app.py"), text).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_retrostep"));
    command
        .args(["record", "--out", "a.retro", "--python"])
        .arg(python)
        .arg("app.py")
        .current_dir(folder.path())
        .stdin(Stdio::null());
    run(&mut command, Duration::from_secs(60)).unwrap();
    let recording = Recording::open(&folder.path().join("a.retro")).unwrap();
    let mut sources = (0..recording.source_count()).map(SourceId);
    let is_app = |id: &SourceId| recording.source(*id).unwrap().path.ends_with("app.py");
    Recorded {
        text: text.to_owned(),
        source: sources.find(is_app).unwrap(),
        recording,
    }
}

impl Recorded {
    /// The line that ends in `# marker`, 1-based.
    pub(crate) fn line(&self, marker: &str) -> u32 {
        let marker = format!("# {marker}");
        let mut lines = self.text.lines();
        lines.position(|line| line.ends_with(&marker)).unwrap() as u32 + 1
    }

    pub(crate) fn function(&self, marker: &str) -> FunctionId {
        let line = self.line(marker);
        let found = function_at(&self.recording, self.source, line).unwrap();
        found.unwrap_or_else(|| panic!("no function at {marker}"))
    }

    pub(crate) fn failures(&self) -> Vec<Failure> {
        failures(&self.recording, 10, &CancellationToken::new()).unwrap()
    }

    /// `text | call 2 of 3 | function:line ...` of each failure; lines by their markers.
    pub(crate) fn told(&self) -> Vec<String> {
        let lines: Vec<&str> = self.text.lines().collect();
        let marker = |line: u32| {
            let text = lines[line as usize - 1];
            text.split_once("# ")
                .map_or(text.trim(), |(_, marker)| marker)
                .to_owned()
        };
        let told = |failure: &Failure| {
            let raised = failure.raised_in.as_ref().unwrap();
            let left = failure
                .left
                .iter()
                .map(|frame| format!("{}:{}", frame.function_name, marker(frame.line)));
            let left: Vec<String> = left.collect();
            format!(
                "{} | {} | {}",
                failure.text,
                raised.call_text(),
                left.join(" ")
            )
        };
        self.failures().iter().map(told).collect()
    }

    pub(crate) fn calls(&self, marker: &str) -> Vec<String> {
        let page = list(
            &self.recording,
            self.function(marker),
            0..100,
            &CancellationToken::new(),
        );
        let calls = page.unwrap().calls;
        let told =
            |call: &RecordedCall| format!("{} ({}) {}", call.number, call.arguments, call.outcome);
        calls.iter().map(told).collect()
    }
}
