//! `retrostep record`: runs a program under the recorder, and says what came of it.

use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use retrostep_record_python::{
    Access, Ending, Job, Launch, Limits, Mode, Observer, Origin, Outcome, OutputMode, Recorded,
};
use retrostep_replay::render;
use retrostep_sessions::Library;
use retrostep_sessions::words;

use crate::args::RecordOptions;
use crate::report::Reporter;
use crate::terminal::opening::InEditors;
use crate::text;

/// The program was not started.
const NOT_STARTED: u8 = 2;

/// Records, and returns the program's own exit code.
pub(crate) fn run(options: RecordOptions) -> ExitCode {
    let mut reporter = match options.report.as_deref().map(Reporter::connect).transpose() {
        Ok(reporter) => reporter,
        Err(error) => return not_started(&text::with_causes(&error)),
    };
    let quiet = options.quiet || options.report.is_some();
    let replay = options.replay;
    let mut new_library = None;
    let result = prepare(options, reporter.is_some(), &mut new_library)
        .and_then(|job| {
            let observer: &mut dyn Observer = match &mut reporter {
                Some(reporter) => reporter,
                None => &mut Unobserved,
            };
            Ok(retrostep_record_python::record(job, observer)?)
        })
        .map_err(|error| text::with_causes(&error));
    if let Some(reporter) = &mut reporter {
        reporter.finish(&result);
    }
    let outcome = match result {
        Ok(outcome) => outcome,
        Err(message) => return not_started(&message),
    };
    if !quiet {
        tell(&outcome, new_library.as_ref(), replay);
    } else if reporter.is_none()
        && let Some(problem) = &outcome.problem
    {
        say(&format!("retrostep: {problem}"));
    }
    if replay
        && let Some(recorded) = &outcome.recorded
        && let Err(error) = crate::terminal::run(&recorded.path)
    {
        say(&format!("retrostep: {}", text::with_causes(&error)));
    }
    match outcome.ending {
        Ending::Code(code) => ExitCode::from(code as u8),
        Ending::Signal(signal) => ExitCode::from(retrostep_record_python::die_by(signal)),
    }
}

/// Nobody is told anything.
struct Unobserved;

impl Observer for Unobserved {}

fn not_started(message: &str) -> ExitCode {
    say(&format!("retrostep: {message}"));
    ExitCode::from(NOT_STARTED)
}

fn prepare(
    options: RecordOptions,
    reported: bool,
    new_library: &mut Option<Library>,
) -> anyhow::Result<Job> {
    if let Some(word) = options.command.first().map(|word| word.to_string_lossy())
        && word.starts_with("--")
    {
        anyhow::bail!("there is no option \"{word}\"; \"retrostep record --help\" lists them");
    }
    let folder = std::env::current_dir().context("cannot tell the current folder")?;
    let launch = Launch::resolve(&options.command, options.python.as_deref(), &folder)?;
    let name = options.name.unwrap_or_else(|| launch.name());
    let recording = match options.out {
        Some(out) => folder.join(out),
        None => {
            let library = Library::find(&folder);
            let is_new = library.create()?;
            let recording = library.reserve(&name)?;
            *new_library = is_new.then_some(library);
            recording
        }
    };
    Ok(Job {
        command: options.command,
        python: options.python,
        origin: Box::new({
            let folder = folder.clone();
            move || origin(&folder)
        }),
        working_directory: folder,
        environment: Vec::new(),
        recording,
        name,
        mode: match (options.marked, options.all) {
            (true, _) => Mode::Marked,
            (_, true) => Mode::Whole,
            _ => Mode::Automatic,
        },
        access: if options.slow_frames {
            Access::Asked
        } else {
            Access::Direct
        },
        limits: Limits {
            max_string: options.max_string,
            max_children: options.max_children,
            depth: options.depth,
        },
        max_bytes: options.max_size,
        include: options.include,
        exclude: options.exclude,
        redact: options.redact,
        output: match (reported, options.capture_output) {
            (_, true) => OutputMode::Captured,
            (true, false) => OutputMode::Told,
            (false, false) => OutputMode::Untouched,
        },
    })
}

fn origin(folder: &Path) -> Origin {
    let facts = retrostep_sessions::git_facts(folder);
    Origin {
        commit: facts.commit,
        branch: facts.branch,
        changed_files: facts.changed_files,
    }
}

/// The summary after the run, on standard error: the program's own output stays as it is.
fn tell(outcome: &Outcome, new_library: Option<&Library>, replay: bool) {
    let mut lines = Vec::new();
    if let Some(problem) = &outcome.problem {
        lines.push(format!("retrostep: {problem}"));
    }
    if let Some(recorded) = &outcome.recorded {
        lines.push(format!(
            "recorded {}, {}, {}: {}",
            render::counted(recorded.events, "event"),
            words::duration(recorded.duration),
            words::size(recorded.bytes),
            crate::open::shown(&recorded.path)
        ));
        let new_notes = recorded
            .notes
            .iter()
            .filter(|note| outcome.problem.as_ref() != Some(note));
        lines.extend(new_notes.map(|note| format!("  not recorded: {note}")));
        lines.extend(how_to_open(recorded, replay));
        if let Some(library) = new_library {
            let ignored = if library.is_in_repository() {
                ", which Git ignores"
            } else {
                ""
            };
            lines.push(format!(
                "Recordings are kept in {}{ignored}. They can contain data of your program.",
                crate::open::shown(library.folder())
            ));
        }
    }
    say(&lines.join("\n"));
}

fn how_to_open(recorded: &Recorded, replay: bool) -> Vec<String> {
    if replay {
        // The replay says it when it opens.
        return Vec::new();
    }
    let editors = InEditors::of(&recorded.path);
    vec![
        format!(
            "  here        retrostep replay {}",
            callable_name(&recorded.path)
        ),
        format!("  in VS Code  launch.json: {}", editors.vs_code),
        format!("  in Neovim   {}", editors.neovim),
    ]
}

/// What to call the recording on a command line: its id in the library, else its file.
fn callable_name(path: &Path) -> String {
    let library = std::env::current_dir().map(|folder| Library::find(&folder));
    let in_library =
        library.is_ok_and(|library| path.parent() == Some(&library.recordings_folder()));
    let name = if in_library {
        path.file_stem().map(PathBuf::from)
    } else {
        None
    };
    let name = name.map_or_else(
        || crate::open::shown(path),
        |name| name.display().to_string(),
    );
    if name.contains(' ') {
        format!("'{name}'")
    } else {
        name
    }
}

fn say(text: &str) {
    if !text.is_empty() {
        // Standard error may be closed; there is nobody to tell then.
        let _ = writeln!(io::stderr(), "{text}");
    }
}
