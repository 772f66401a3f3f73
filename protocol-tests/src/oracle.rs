//! The independent truth: what `sys.settrace` says about a program, in a run of its own.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

use crate::programs::{Program, checkout};
use crate::pythons::Python;
use crate::replay::Stop;
use crate::run::run;

/// One line that is about to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// The frame's number in this run.
    pub frame: u64,
    /// How many frames in scope are on the stack.
    pub depth: u64,
    /// The source file.
    pub path: String,
    /// The function's own name.
    pub function: String,
    /// The line, 1-based.
    pub line: u64,
    /// The caller's line.
    pub caller: Option<u64>,
    /// The locals before the line; `None` for values that are not plain.
    pub variables: BTreeMap<String, Option<String>>,
}

/// The steps of each thread, by the thread's name.
pub type Truth = BTreeMap<String, Vec<Step>>;

/// Runs `program` on `python` under `sys.settrace`.
pub fn truth(program: &Program, python: &Python) -> Result<Truth> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("steps.jsonl");
    let mut command = Command::new(&python.path);
    command
        .arg(checkout().join("protocol-tests/oracle/tracer.py"))
        .arg(&out)
        .arg(&program.scope)
        .arg(&program.script)
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null());
    if let Some(folder) = program.script.parent() {
        command.current_dir(folder);
    }
    let outcome = run(&mut command, Duration::from_secs(120))?;
    let text = std::fs::read_to_string(&out)
        .with_context(|| format!("no steps were written: {}", outcome.stderr))?;
    let mut truth = Truth::new();
    for line in text.lines() {
        let record: Value = serde_json::from_str(line)?;
        let (thread, step) = step(&record).with_context(|| line.to_owned())?;
        truth.entry(thread).or_default().push(step);
    }
    if truth.is_empty() {
        bail!(
            "the oracle saw no line of {}: {}",
            program.script.display(),
            outcome.stderr
        );
    }
    Ok(truth)
}

fn step(record: &Value) -> Option<(String, Step)> {
    let variables = record["v"].as_object()?;
    let step = Step {
        frame: record["f"].as_u64()?,
        depth: record["d"].as_u64()?,
        path: record["p"].as_str()?.to_owned(),
        function: record["n"].as_str()?.to_owned(),
        line: record["l"].as_u64()?,
        caller: record["c"].as_u64(),
        variables: variables
            .iter()
            .map(|(name, value)| (name.clone(), value.as_str().map(str::to_owned)))
            .collect(),
    };
    Some((record["t"].as_str()?.to_owned(), step))
}

/// Whether a step may be absent from a recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeats {
    /// Every step must be there.
    Kept,
    /// A step on the line that its frame is already on may be absent: from 3.12 on the interpreter
    /// reports one line event for a line that jumps to itself.
    MayFold,
}

/// Compares the stops of one thread, in recording order, with the truth.
///
/// Returns for each stop the index of its step, or what differs first.
pub fn align(steps: &[Step], stops: &[Stop], repeats: Repeats) -> Result<Vec<usize>> {
    let mut matched = Vec::with_capacity(stops.len());
    let mut last_line_of_frame = BTreeMap::new();
    let mut next_stop = 0;
    for (index, step) in steps.iter().enumerate() {
        let repeated = last_line_of_frame.insert(step.frame, step.line) == Some(step.line);
        let difference = match stops.get(next_stop) {
            None => Some("the recording ends here".to_owned()),
            Some(stop) => difference(step, stop),
        };
        match difference {
            None => {
                matched.push(index);
                next_stop += 1;
            }
            Some(_) if repeated && repeats == Repeats::MayFold => {}
            Some(difference) => bail!(report(steps, stops, index, next_stop, &difference)),
        }
    }
    if next_stop < stops.len() {
        bail!(report(
            steps,
            stops,
            steps.len(),
            next_stop,
            "the program ended here"
        ));
    }
    Ok(matched)
}

/// What differs between the truth and a stop, or `None`.
pub fn difference(step: &Step, stop: &Stop) -> Option<String> {
    let own_name = |name: &str| name.rsplit('.').next().unwrap_or_default().to_owned();
    if step.path != stop.path || step.line != stop.line {
        return Some("another line".to_owned());
    }
    if step.function != own_name(&stop.function) {
        return Some("another function".to_owned());
    }
    if stop.depth.is_some_and(|depth| depth != step.depth) {
        return Some(format!("depth {:?}, not {}", stop.depth, step.depth));
    }
    if stop.caller.is_some() && step.caller.is_some() && stop.caller != step.caller {
        return Some(format!(
            "called from line {:?}, not {:?}",
            stop.caller, step.caller
        ));
    }
    let shown = stop.variables.as_ref()?;
    for (name, wanted) in &step.variables {
        match (wanted, shown.get(name)) {
            (_, None) => return Some(format!("{name} is not shown, it is {wanted:?}")),
            (Some(wanted), Some(value)) if wanted != value => {
                return Some(format!(
                    "{name} is shown as {value}\n     and is          {wanted}"
                ));
            }
            _ => {}
        }
    }
    let extra = shown
        .iter()
        .find(|(name, _)| !step.variables.contains_key(*name));
    extra.map(|(name, value)| format!("{name} is shown as {value} and has no value"))
}

fn report(steps: &[Step], stops: &[Stop], step: usize, stop: usize, what: &str) -> String {
    let mut text = format!(
        "step {step} of {}, stop {stop} of {}: {what}\n",
        steps.len(),
        stops.len()
    );
    let _ = writeln!(text, "  the program ran:");
    for (index, step) in around(steps, step) {
        let _ = writeln!(
            text,
            "  {index:>6} frame {} depth {} {}:{} {} {:?}",
            step.frame,
            step.depth,
            file(&step.path),
            step.line,
            step.function,
            step.variables
        );
    }
    let _ = writeln!(text, "  the recording shows:");
    for (index, stop) in around(stops, stop) {
        let _ = writeln!(
            text,
            "  {index:>6} position {} depth {:?} {}:{} {} {:?}",
            stop.position,
            stop.depth,
            file(&stop.path),
            stop.line,
            stop.function,
            stop.variables
        );
    }
    text
}

fn around<T>(all: &[T], middle: usize) -> impl Iterator<Item = (usize, &T)> {
    all.iter()
        .enumerate()
        .skip(middle.saturating_sub(4))
        .take(7)
}

fn file(path: &str) -> String {
    Path::new(path)
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned()
}
