//! The independent truth about the values at the ends of lines: what `sys.settrace` says in a run of its
//! own.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde_json::Value;

use crate::programs::{Program, checkout};
use crate::pythons::Python;
use crate::run::run;

/// What stands at the ends of lines, by file and line; `None` if nothing does.
pub type Lines = BTreeMap<String, BTreeMap<u64, Option<String>>>;

/// What a run told.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Of the whole run.
    pub overall: Lines,
    /// The lines of each file that assign and never ran.
    pub silent: BTreeMap<String, Vec<u64>>,
    /// What lines assigned last, by file.
    pub names: BTreeMap<String, Vec<Assigned>>,
    /// The lines that ran on the main thread.
    pub steps: Vec<Ran>,
    /// What stood there before some of these steps, by the index of the step.
    pub moments: BTreeMap<usize, Lines>,
}

/// A name and what a line assigned to it last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Assigned {
    /// The line, 1-based.
    pub line: u64,
    /// Where the name stands in it, in bytes.
    pub column: u64,
    /// The name.
    pub name: String,
    /// The value in full.
    pub value: String,
}

/// A line that ran.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ran {
    /// The file.
    pub path: String,
    /// The line, 1-based.
    pub line: u64,
    /// The number of the frame.
    pub frame: u64,
    /// How many frames in scope are on the stack.
    pub depth: u64,
}

/// Runs `program` on `python` under the oracle; every `every`-th step of the main thread is a moment.
pub fn told(program: &Program, python: &Python, every: usize) -> Result<Told> {
    let folder = tempfile::tempdir()?;
    let out = folder.path().join("values.json");
    let mut command = Command::new(&python.path);
    command
        .arg(checkout().join("protocol-tests/oracle/values.py"))
        .arg(&out)
        .arg(&program.scope)
        .arg(every.to_string())
        .arg(&program.script)
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .stdin(Stdio::null());
    if let Some(folder) = program.script.parent() {
        command.current_dir(folder);
    }
    let outcome = run(&mut command, Duration::from_secs(120))?;
    let text = std::fs::read_to_string(&out)
        .with_context(|| format!("no values were written: {}", outcome.stderr))?;
    let all: Value = serde_json::from_str(&text)?;
    let mut told = Told {
        overall: lines(&all["overall"]),
        ..Told::default()
    };
    for (path, silent) in all["silent"].as_object().into_iter().flatten() {
        let silent = silent.as_array().into_iter().flatten();
        told.silent
            .insert(path.clone(), silent.filter_map(Value::as_u64).collect());
    }
    for (path, names) in all["names"].as_object().into_iter().flatten() {
        let names = names.as_array().into_iter().flatten();
        let names = names.map(|name| Assigned {
            line: name["line"].as_u64().unwrap_or_default(),
            column: name["column"].as_u64().unwrap_or_default(),
            name: name["name"].as_str().unwrap_or_default().to_owned(),
            value: name["value"].as_str().unwrap_or_default().to_owned(),
        });
        told.names.insert(path.clone(), names.collect());
    }
    for step in all["steps"].as_array().into_iter().flatten() {
        told.steps.push(Ran {
            path: step[0].as_str().unwrap_or_default().to_owned(),
            line: step[1].as_u64().unwrap_or_default(),
            frame: step[2].as_u64().unwrap_or_default(),
            depth: step[3].as_u64().unwrap_or_default(),
        });
    }
    for moment in all["moments"].as_array().into_iter().flatten() {
        let step = moment["step"].as_u64().context("a moment's step")?;
        told.moments
            .insert(usize::try_from(step)?, lines(&moment["lines"]));
    }
    Ok(told)
}

fn lines(told: &Value) -> Lines {
    let mut all = Lines::new();
    for (path, lines) in told.as_object().into_iter().flatten() {
        let lines = lines.as_object().into_iter().flatten();
        let lines = lines.filter_map(|(line, text)| {
            let line = line.parse().ok()?;
            Some((line, text.as_str().map(str::to_owned)))
        });
        all.insert(path.clone(), lines.collect());
    }
    all
}

/// Whether what is shown is what is told, with nothing or another part after it.
pub fn agrees(told: &str, shown: &str) -> bool {
    let Some(rest) = shown.strip_prefix(told) else {
        return false;
    };
    let is_passes = told.ends_with(" passes") || told.ends_with(" pass");
    rest.is_empty()
        || rest.starts_with(", ")
        || rest.starts_with(" · ")
        || (is_passes && rest.starts_with(" in "))
}

#[cfg(test)]
mod tests {
    use super::agrees;

    #[test]
    fn a_text_agrees_with_its_beginning_as_a_whole_part() {
        assert!(agrees("= 1", "= 1"));
        assert!(agrees("= 1", "= 1 · pass 3 of 6"));
        assert!(agrees("= 1", "= 1, ✗ ValueError"));
        assert!(agrees("75 passes", "75 passes in 32 calls"));
        assert!(!agrees("= 1", "= 12"));
        assert!(!agrees("= 1", "= 1 in 3"));
        assert!(!agrees("= 1", "= 2"));
    }
}
