//! What the language server shows at the ends of lines and in hovers is what an independent
//! `sys.settrace` run of the same program says, over the whole run and at moments of a replay.
//!
//! `RETROSTEP_VALUES_RANDOM=N` tries so many random programs on each Python, `RETROSTEP_VALUES_SEED=N`
//! those from this seed on.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use libtest_mimic::{Arguments, Failed, Trial};
use protocol_tests::client::Client;
use protocol_tests::lsp_client::LspClient;
use protocol_tests::programs::{Program, checkout, folder_of_programs};
use protocol_tests::pythons::{Python, found, missing};
use protocol_tests::random_program;
use protocol_tests::replay::{go, look, open, seek, threads};
use protocol_tests::values::{Assigned, Ran, Told, agrees, told};
use protocol_tests::workspace::{Hint, Workspace, full_client, hints, hover};
use serde_json::json;

const BINARY: &str = env!("CARGO_BIN_EXE_retrostep");
const RANDOM_PROGRAMS_PER_PYTHON: u64 = 4;
/// Every so many steps of a program are a moment that can be compared.
const EVERY: usize = 7;
const MOST_MOMENTS: usize = 10;
/// Programs that run more lines are followed so far.
const MOST_STEPS: usize = 1_500;
const MOST_HOVERS: usize = 40;
const MOST_MISTAKES: usize = 12;
/// How long a difference may last: what changed a moment ago may still be on its way.
const SETTLED: Duration = Duration::from_millis(1_500);
const REFRESH: &str = "workspace/inlayHint/refresh";

static OVERALL: AtomicU64 = AtomicU64::new(0);
static SILENT: AtomicU64 = AtomicU64::new(0);
static HOVERS: AtomicU64 = AtomicU64::new(0);
static MOMENTS: AtomicU64 = AtomicU64::new(0);
static AT_MOMENTS: AtomicU64 = AtomicU64::new(0);

/// One server for all programs of an interpreter; started when needed, and again after a failure.
type Shared = Arc<Mutex<Option<Stage>>>;

struct Stage {
    workspace: Workspace,
    client: LspClient,
}

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let pythons = found();
    let mut trials: Vec<Trial> = missing(&pythons)
        .into_iter()
        .map(|minor| {
            Trial::test(format!("python3.{minor} is not on this machine"), || Ok(()))
                .with_ignored_flag(true)
        })
        .collect();
    let samples = checkout().join("samples/python");
    let mut scripts: Vec<PathBuf> = (folder_of_programs(&samples)?.into_iter())
        .map(|program| PathBuf::from(program.script.file_name().unwrap_or_default()))
        .collect();
    scripts.push("shop/replay_orders.py".into());
    let random_programs =
        number_from("RETROSTEP_VALUES_RANDOM")?.unwrap_or(RANDOM_PROGRAMS_PER_PYTHON);
    let mut stages = Vec::new();
    for python in &pythons {
        let stage = Shared::default();
        for script in &scripts {
            let sample = Program::of_script(&samples.join(script));
            let name = format!("{}::{}", python.name(), sample.name);
            let is_absent = sample.lowest_traced_minor() > python.minor;
            let (stage, script, python) = (stage.clone(), script.clone(), python.clone());
            let test = move || {
                on(&stage, |stage| {
                    let script = stage.workspace.path().join(&script);
                    check(stage, &Program::of_script(&script), &python)
                })
            };
            trials.push(Trial::test(name, test).with_ignored_flag(is_absent));
        }
        let first = match number_from("RETROSTEP_VALUES_SEED")? {
            Some(seed) => seed,
            None => u64::from(python.minor) * 1_000 + 500,
        };
        for seed in first..first + random_programs {
            let name = format!("{}::random_{seed}", python.name());
            let (stage, python) = (stage.clone(), python.clone());
            let test = move || {
                on(&stage, |stage| {
                    let text = random_program::text(seed);
                    let script = (stage.workspace).write(&format!("random_{seed}.py"), &text)?;
                    check(stage, &Program::of_script(&script), &python)
                })
            };
            trials.push(Trial::test(name, test));
        }
        stages.push(stage);
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    for stage in stages {
        let stage = stage.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(stage) = stage {
            stage.client.finish()?;
        }
    }
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    writeln!(
        std::io::stdout(),
        "compared: {} hints of whole runs, {} lines without one, {} hovers, {} hints at {} moments",
        count(&OVERALL),
        count(&SILENT),
        count(&HOVERS),
        count(&AT_MOMENTS),
        count(&MOMENTS),
    )?;
    conclusion.exit();
}

fn number_from(variable: &str) -> Result<Option<u64>> {
    let text = std::env::var(variable).ok();
    let number = text.map(|text| text.parse().context(variable.to_owned()));
    number.transpose()
}

/// Runs a test on the interpreter's stage; a failure ends that stage.
fn on(stage: &Shared, test: impl FnOnce(&mut Stage) -> Result<()>) -> Result<(), Failed> {
    let mut shared = stage.lock().unwrap_or_else(PoisonError::into_inner);
    let run = || -> Result<()> {
        let mut stage = match shared.take() {
            Some(stage) => stage,
            None => Stage::new()?,
        };
        test(&mut stage)?;
        *shared = Some(stage);
        Ok(())
    };
    run().map_err(|error| format!("{error:#}").into())
}

impl Stage {
    fn new() -> Result<Stage> {
        let workspace = Workspace::with_samples()?;
        let client = workspace.serve(BINARY.as_ref(), &full_client())?;
        Ok(Stage { workspace, client })
    }
}

fn check(stage: &mut Stage, program: &Program, python: &Python) -> Result<()> {
    let told = told(program, python, EVERY)?;
    let recording = (stage.workspace).record(
        BINARY.as_ref(),
        python,
        &program.script,
        &format!("{}-20260101-000000", program.name),
    )?;
    let mut documents = BTreeMap::new();
    for path in told.overall.keys().chain(told.silent.keys()) {
        if !documents.contains_key(path) {
            documents.insert(path.clone(), stage.client.open(Path::new(path))?);
        }
    }
    settled(&mut stage.client, |client| {
        whole_run(client, &documents, &told)
    })?;
    hovers(&mut stage.client, &documents, &told)?;
    moments(&mut stage.client, &recording, &documents, &told)?;
    for uri in documents.values() {
        let document = json!({"textDocument": {"uri": uri}});
        stage.client.notify("textDocument/didClose", &document)?;
    }
    Ok(())
}

/// What differs between what is told and what is shown, in words.
#[derive(Debug, Default)]
struct Compared {
    mistakes: Vec<String>,
    /// How many lines were compared, and how many must have nothing.
    told: u64,
    silent: u64,
}

impl Compared {
    fn mistake(&mut self, path: &str, line: u64, told: &str, shown: Option<&Hint>) {
        let text = std::fs::read_to_string(path).unwrap_or_default();
        let index = usize::try_from(line.saturating_sub(1)).unwrap_or_default();
        let code = text.lines().nth(index).unwrap_or_default();
        let shown = shown.map_or("nothing", |hint| &hint.text);
        let file = Path::new(path).file_name().unwrap_or_default();
        self.mistakes.push(format!(
            "{}:{line} {}\n     told: {told}\n    shown: {shown}",
            file.display(),
            code.trim()
        ));
    }
}

/// Compares until there is no difference, as long as the server says that something changed.
fn settled(
    client: &mut LspClient,
    compare: impl Fn(&mut LspClient) -> Result<Compared>,
) -> Result<Compared> {
    loop {
        let compared = compare(client)?;
        if compared.mistakes.is_empty() {
            return Ok(compared);
        }
        let limit = std::mem::replace(&mut client.limit, SETTLED);
        let refreshed = client.wait_for(REFRESH);
        client.limit = limit;
        if refreshed.is_err() {
            let shown = compared.mistakes.iter().take(MOST_MISTAKES);
            let shown: Vec<&str> = shown.map(String::as_str).collect();
            bail!(
                "{} of {} lines are wrong:\n{}",
                compared.mistakes.len(),
                compared.told + compared.silent,
                shown.join("\n")
            );
        }
    }
}

fn whole_run(
    client: &mut LspClient,
    documents: &BTreeMap<String, String>,
    told: &Told,
) -> Result<Compared> {
    let mut compared = Compared::default();
    for (path, uri) in documents {
        let shown = hints(client, uri)?;
        for (line, text) in told.overall.get(path).into_iter().flatten() {
            let Some(text) = text else {
                continue;
            };
            compared.told += 1;
            let hint = shown.get(line);
            if !hint.is_some_and(|hint| agrees(text, &hint.text)) {
                compared.mistake(path, *line, text, hint);
            }
        }
        for line in told.silent.get(path).into_iter().flatten() {
            compared.silent += 1;
            if let Some(hint) = shown.get(line) {
                compared.mistake(path, *line, "nothing, it never ran", Some(hint));
            }
        }
    }
    OVERALL.fetch_add(compared.told, Ordering::Relaxed);
    SILENT.fetch_add(compared.silent, Ordering::Relaxed);
    Ok(compared)
}

/// A name that a line assigns is hovered with what it was assigned last.
fn hovers(client: &mut LspClient, documents: &BTreeMap<String, String>, told: &Told) -> Result<()> {
    let all: Vec<(&String, &Assigned)> = (told.names.iter())
        .flat_map(|(path, names)| names.iter().map(move |name| (path, name)))
        .collect();
    let stride = all.len().div_ceil(MOST_HOVERS).max(1);
    let mut wrong = Vec::new();
    for (path, name) in all.into_iter().step_by(stride) {
        let Some(uri) = documents.get(path) else {
            continue;
        };
        let text = hover(client, uri, name.line, name.column)?;
        HOVERS.fetch_add(1, Ordering::Relaxed);
        if !text.contains(&name.value) {
            wrong.push(format!("{name:?} is hovered as\n{text}"));
        }
    }
    if !wrong.is_empty() {
        let count = wrong.len();
        wrong.truncate(MOST_MISTAKES);
        bail!("{count} hovers are wrong:\n{}", wrong.join("\n"));
    }
    Ok(())
}

/// A real replay goes to moments of the main thread, and the server shows what was true there.
fn moments(
    client: &mut LspClient,
    recording: &Path,
    documents: &BTreeMap<String, String>,
    told: &Told,
) -> Result<()> {
    let mut replay = open(BINARY.as_ref(), recording)?;
    let positions = positions(&mut replay, &told.steps)?;
    let mut comparable: Vec<(usize, u64)> = (positions.into_iter())
        .filter(|(step, _)| told.moments.contains_key(step))
        .collect();
    let stride = comparable.len().div_ceil(MOST_MOMENTS).max(1);
    comparable = comparable.into_iter().step_by(stride).collect();
    // Forward and backward, far and near.
    comparable.sort_by_key(|(step, _)| (step / EVERY * 5) % 13);
    // At the start nothing has run: when nothing is shown, the server has seen where the replay stands.
    // A position that it has seen before is no news, and brings no request.
    let mut stands = 0;
    seek(&mut replay, stands)?;
    settled(client, |client| {
        let mut compared = Compared::default();
        for uri in documents.values() {
            let shown = hints(client, uri)?.into_values();
            let mistakes = shown.map(|hint| format!("shown at the start: {hint:?}"));
            compared.mistakes.extend(mistakes);
        }
        Ok(compared)
    })?;
    for (step, position) in comparable {
        client.taken(REFRESH);
        if position != std::mem::replace(&mut stands, position) {
            seek(&mut replay, position)?;
            client
                .wait_for(REFRESH)
                .with_context(|| format!("the replay went to {position}"))?;
        }
        let moment = &told.moments[&step];
        let Ran { path, line, .. } = &told.steps[step];
        let compared = settled(client, |client| {
            let mut compared = Compared::default();
            for (path, uri) in documents {
                let shown = hints(client, uri)?;
                for (line, text) in moment.get(path).into_iter().flatten() {
                    compared.told += 1;
                    let hint = shown.get(line);
                    match (text, hint) {
                        (Some(text), Some(hint)) if agrees(text, &hint.text) => {}
                        (Some(text), _) => compared.mistake(path, *line, text, hint),
                        (None, Some(hint)) if is_value(&hint.text) => {
                            compared.mistake(path, *line, "no value", Some(hint));
                        }
                        (None, _) => {}
                    }
                }
            }
            Ok(compared)
        })
        .with_context(|| format!("at position {position}, step {step}, {path}:{line}"))?;
        MOMENTS.fetch_add(1, Ordering::Relaxed);
        AT_MOMENTS.fetch_add(compared.told, Ordering::Relaxed);
    }
    client.taken(REFRESH);
    replay.finish()?;
    // Without a replay the whole run is shown again.
    client.wait_for(REFRESH).context("the replay was closed")?;
    settled(client, |client| whole_run(client, documents, told))?;
    Ok(())
}

fn is_value(text: &str) -> bool {
    text.starts_with("= ") || text.starts_with("returns ")
}

/// The positions of the steps of the main thread, of those that can be told.
///
/// A recording may leave out that a frame runs a line again without another one in between: which of the
/// repetitions is recorded cannot be told then.
fn positions(replay: &mut Client, steps: &[Ran]) -> Result<BTreeMap<usize, u64>> {
    let mut is_again = vec![false; steps.len()];
    let mut is_repeated = vec![false; steps.len()];
    let mut latest: BTreeMap<u64, usize> = BTreeMap::new();
    for (index, step) in steps.iter().enumerate() {
        if let Some(before) = latest.insert(step.frame, index)
            && steps[before] == *step
        {
            is_again[index] = true;
            is_repeated[index] = true;
            is_repeated[before] = true;
        }
    }
    seek(replay, 0)?;
    let ids = threads(replay)?;
    let thread = *ids.get("MainThread").context("no main thread")?;
    let mut found = BTreeMap::new();
    let mut next = 0;
    while next < steps.len() && found.len() < MOST_STEPS {
        let landing = go(replay, "stepIn", &json!({"threadId": thread}))?;
        if landing.at_an_end() {
            break;
        }
        let stop = look(replay, thread, false)?;
        let place = (&stop.path, stop.line, stop.depth);
        let is_it = |step: &Ran| place == (&step.path, step.line, Some(step.depth));
        let at = (next..steps.len()).find(|index| is_it(&steps[*index]));
        let Some(at) = at.filter(|at| is_again[next..*at].iter().all(|again| *again)) else {
            bail!(
                "the replay stands at {stop:?}, the program ran {:?}",
                steps.get(next.saturating_sub(3)..(next + 4).min(steps.len()))
            );
        };
        if !is_repeated[at] {
            found.insert(at, stop.position);
        }
        next = at + 1;
    }
    Ok(found)
}
