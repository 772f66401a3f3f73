//! Stepping a recording forward from the start and backward from the end shows exactly the lines and
//! locals that an independent `sys.settrace` run of the same program reports.
//!
//! `RETROSTEP_ORACLE_PROGRAMS=DIR` tries every script in another folder besides the samples,
//! `RETROSTEP_ORACLE_RANDOM=N` so many random programs on each Python, `RETROSTEP_ORACLE_SEED=N`
//! those from this seed on.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use libtest_mimic::{Arguments, Failed, Trial};
use protocol_tests::client::Client;
use protocol_tests::oracle::{Repeats, Step, Truth, align, difference, truth};
use protocol_tests::programs::{Program, folder_of_programs, samples};
use protocol_tests::pythons::{Python, found, missing};
use protocol_tests::random_program;
use protocol_tests::replay::{
    Sampling, Stop, go, open, position, seek, set_breakpoints, threads, walk,
};
use protocol_tests::run::{record_command, run};
use serde_json::json;

const BINARY: &str = env!("CARGO_BIN_EXE_retrostep");
const MOST_STOPS: usize = 200_000;
const MOST_VARIABLE_LOOKS: usize = 1_500;
const MOST_LINES_WITH_BREAKPOINTS: usize = 12;
const RANDOM_PROGRAMS_PER_PYTHON: u64 = 5;
const PROGRAMS_WITH_EVERYTHING: u64 = 20;

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let pythons = found();
    let mut programs = samples()?;
    if let Some(folder) = std::env::var_os("RETROSTEP_ORACLE_PROGRAMS") {
        programs.extend(folder_of_programs(Path::new(&folder))?);
    }
    let mut trials: Vec<Trial> = missing(&pythons)
        .into_iter()
        .map(|minor| {
            Trial::test(format!("python3.{minor} is not on this machine"), || Ok(()))
                .with_ignored_flag(true)
        })
        .collect();
    let random_programs =
        number_from("RETROSTEP_ORACLE_RANDOM")?.unwrap_or(RANDOM_PROGRAMS_PER_PYTHON);
    for python in &pythons {
        for program in &programs {
            let name = format!("{}::{}", python.name(), program.name);
            let absent = program.lowest_traced_minor() > python.minor;
            let (program, python) = (program.clone(), python.clone());
            trials.push(
                Trial::test(name, move || check(&program, &python).map_err(failed))
                    .with_ignored_flag(absent),
            );
        }
        let first = match number_from("RETROSTEP_ORACLE_SEED")? {
            Some(seed) => seed,
            None => u64::from(python.minor) * 1_000,
        };
        let name = format!("{}::every construct is run", python.name());
        let constructed = python.clone();
        trials.push(Trial::test(name, move || {
            every_construct_is_run(&constructed).map_err(failed)
        }));
        for seed in first..first + random_programs {
            let name = format!("{}::random_{seed}", python.name());
            let python = python.clone();
            trials.push(Trial::test(name, move || {
                check_random(seed, &python).map_err(failed)
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}

fn number_from(variable: &str) -> Result<Option<u64>> {
    let text = std::env::var(variable).ok();
    let number = text.map(|text| text.parse().context(variable.to_owned()));
    number.transpose()
}

/// The random programs do not only contain everything, they run it.
fn every_construct_is_run(python: &Python) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut run: BTreeSet<String> = BTreeSet::new();
    for seed in 0..PROGRAMS_WITH_EVERYTHING {
        let script = folder.path().join(format!("random_{seed}.py"));
        let text = random_program::text(seed);
        std::fs::write(&script, &text)?;
        let lines: Vec<&str> = text.lines().collect();
        for step in truth(&Program::of_script(&script), python)?
            .values()
            .flatten()
        {
            run.extend(
                lines
                    .get(step.line as usize - 1)
                    .map(|line| (*line).to_owned()),
            );
        }
    }
    for (name, marker) in random_program::CONSTRUCTS {
        ensure!(
            run.iter().any(|line| line.contains(marker)),
            "{name} never runs"
        );
    }
    Ok(())
}

fn failed(error: anyhow::Error) -> Failed {
    format!("{error:#}").into()
}

fn check_random(seed: u64, python: &Python) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let script = folder.path().join(format!("random_{seed}.py"));
    let text = random_program::text(seed);
    std::fs::write(&script, &text)?;
    check(&Program::of_script(&script), python)
        .with_context(|| format!("the program of seed {seed}:\n{text}"))
}

fn check(program: &Program, python: &Python) -> Result<()> {
    let truth = truth(program, python)?;
    let folder = tempfile::tempdir()?;
    let recording = record(program, python, folder.path())?;
    let mut client = open(BINARY.as_ref(), &recording)?;
    let walked = forward_and_backward(&mut client, &truth, repeats(python))?;
    reverse_continue(&mut client, &walked)?;
    client.finish()
}

fn repeats(python: &Python) -> Repeats {
    if python.minor >= 12 {
        Repeats::MayFold
    } else {
        Repeats::Kept
    }
}

fn record(program: &Program, python: &Python, folder: &Path) -> Result<PathBuf> {
    let recording = folder.join("program.retro");
    let mut command = record_command(BINARY.as_ref(), &recording, [&python.path, &program.script]);
    command
        .env("PYTHONHASHSEED", "0")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    if let Some(folder) = program.script.parent() {
        command.current_dir(folder);
    }
    let outcome = run(&mut command, Duration::from_secs(120))?;
    ensure!(
        recording.exists(),
        "nothing was recorded: {}",
        outcome.stderr
    );
    Ok(recording)
}

/// Walks every thread both ways; returns the stops of each in recording order.
fn forward_and_backward(
    client: &mut Client,
    truth: &Truth,
    repeats: Repeats,
) -> Result<BTreeMap<u64, Vec<Stop>>> {
    let (_, end) = position(client)?;
    let mut ids = thread_ids(client, truth, end)?;
    let mut walked = BTreeMap::new();
    for (name, steps) in truth {
        let thread = ids
            .remove(name)
            .with_context(|| format!("no thread {name} was recorded"))?;
        let sampling = Sampling {
            every: steps.len().div_ceil(MOST_VARIABLE_LOOKS),
        };
        seek(client, 0)?;
        let forward = walk(client, thread, "stepIn", sampling, MOST_STOPS)
            .with_context(|| format!("forward through {name}"))?;
        let matched =
            align(steps, &forward, repeats).with_context(|| format!("forward through {name}"))?;
        seek(client, end)?;
        let backward = walk(
            client,
            thread,
            "retrostep/stepBackInto",
            sampling,
            MOST_STOPS,
        )
        .with_context(|| format!("backward through {name}"))?;
        compare_backward(steps, &forward, &matched, &backward)
            .with_context(|| format!("backward through {name}"))?;
        walked.insert(thread, forward);
    }
    ensure!(ids.is_empty(), "threads that ran no line: {ids:?}");
    Ok(walked)
}

/// The ids of the threads that ran a line, by name. Threads come and go, so several moments are asked.
fn thread_ids(client: &mut Client, truth: &Truth, end: u64) -> Result<BTreeMap<String, u64>> {
    let mut ids = threads(client)?;
    for part in 1..=64 {
        if truth.keys().all(|name| ids.contains_key(name)) {
            break;
        }
        seek(client, end * part / 64)?;
        ids.extend(threads(client)?);
    }
    ids.retain(|name, _| truth.contains_key(name));
    Ok(ids)
}

fn compare_backward(
    steps: &[Step],
    forward: &[Stop],
    matched: &[usize],
    backward: &[Stop],
) -> Result<()> {
    let places = |stop: &Stop| (stop.position, stop.path.clone(), stop.line);
    for (index, stop) in backward.iter().enumerate() {
        let Some(mirror) = forward.len().checked_sub(index + 1) else {
            bail!("backward has more stops than forward: {stop:?}");
        };
        ensure!(
            places(&forward[mirror]) == places(stop),
            "stop {index} from the end is {stop:?},\n  forward it was {:?}",
            forward[mirror]
        );
        if let Some(difference) = difference(&steps[matched[mirror]], stop) {
            bail!("stop {index} from the end: {difference}\n  {stop:?}");
        }
    }
    ensure!(
        backward.len() == forward.len(),
        "backward has {} stops, forward {}",
        backward.len(),
        forward.len()
    );
    Ok(())
}

/// A breakpoint on an executed line meets its executions in reverse, whichever thread ran them.
fn reverse_continue(client: &mut Client, walked: &BTreeMap<u64, Vec<Stop>>) -> Result<()> {
    let mut executions: BTreeMap<(String, u64), BTreeSet<u64>> = BTreeMap::new();
    for stop in walked.values().flatten() {
        executions
            .entry((stop.path.clone(), stop.line))
            .or_default()
            .insert(stop.position);
    }
    let (_, end) = position(client)?;
    let stride = executions.len().div_ceil(MOST_LINES_WITH_BREAKPOINTS);
    for ((path, line), positions) in executions.iter().step_by(stride.max(1)) {
        let set = set_breakpoints(client, path, &[*line])?;
        ensure!(
            set == [*line],
            "the breakpoint on {path}:{line} stands on {set:?}"
        );
        seek(client, end)?;
        for wanted in positions.iter().rev().take(500) {
            let landing = go(client, "reverseContinue", &json!({"threadId": 1}))?;
            let (now, _) = position(client)?;
            ensure!(
                now == *wanted && landing.reason == "breakpoint",
                "reverseContinue to {path}:{line} stands at {now} ({landing:?}), not at {wanted}"
            );
        }
        if positions.len() <= 500 {
            let landing = go(client, "reverseContinue", &json!({"threadId": 1}))?;
            ensure!(
                landing.at_an_end(),
                "one more reverseContinue to {path}:{line}: {landing:?}, {:?}",
                position(client)?
            );
        }
        set_breakpoints(client, path, &[])?;
    }
    Ok(())
}
