//! What is said when a replay opens.

use std::path::Path;

use retrostep_replay::{console, render};
use retrostep_trace::{Completeness, Recording};

/// What was recorded, and what is missing of it.
pub(super) fn facts(recording: &Recording) -> String {
    let header = recording.header();
    let mut out = format!(
        "{}: {}\n{}, {}",
        header.name,
        header.command.join(" "),
        render::counted(recording.end().0, "event"),
        header.language
    );
    if let Some(summary) = recording.summary() {
        out.push_str(&format!(", {:.1} s", summary.duration_ns as f64 / 1e9));
        match (summary.exit_code, summary.signal) {
            (_, Some(signal)) => out.push_str(&format!(", ended by signal {signal}")),
            (Some(code), None) if code != 0 => out.push_str(&format!(", exit code {code}")),
            _ => {}
        }
        for note in &summary.notes {
            out.push('\n');
            out.push_str(note);
        }
    }
    match recording.completeness() {
        Completeness::Complete => {}
        Completeness::Damaged(what) => out.push_str(&format!("\nThe recording is damaged: {what}")),
        _ => out.push_str(&format!(
            "\nThe recording ends early: everything up to event {} is here.",
            render::count(recording.end().0)
        )),
    }
    out.push('\n');
    console::harmless(&out)
}

/// How to open the same recording in an editor.
pub(super) fn in_editors(path: &Path) -> String {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let quoted = serde_json::Value::from(path.display().to_string()).to_string();
    format!(
        "\nThe same in VS Code, in launch.json:\n  \
         {{ \"type\": \"retrostep\", \"request\": \"attach\", \"name\": \"Replay\", \"recording\": {quoted} }}\n\
         The same in Neovim, with nvim-dap:\n  \
         :lua require('dap').adapters.retrostep = {{ type = 'executable', command = 'retrostep', args = {{ 'dap' }} }}\n  \
         :lua require('dap').run({{ type = 'retrostep', request = 'attach', name = 'Replay', recording = {quoted} }})\n\
         `back` steps back, `rc` runs back, `why NAME` explains a value, `help` lists the rest."
    )
}
