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

/// How to open the same recording in an editor, for the end of a sentence that names the editor.
#[derive(Debug)]
pub(crate) struct InEditors {
    pub(crate) vs_code: String,
    pub(crate) neovim: String,
}

impl InEditors {
    pub(crate) fn of(path: &Path) -> InEditors {
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let quoted = serde_json::Value::from(path.display().to_string()).to_string();
        InEditors {
            vs_code: format!(
                "{{ \"type\": \"retrostep\", \"request\": \"attach\", \"name\": \"Replay\", \"recording\": {quoted} }}"
            ),
            neovim: format!(
                ":lua require('dap').run({{ type = 'retrostep', request = 'attach', name = 'Replay', recording = {quoted} }})"
            ),
        }
    }
}

/// How to go on: in an editor, or here.
pub(super) fn in_editors(path: &Path) -> String {
    let InEditors { vs_code, neovim } = InEditors::of(path);
    format!(
        "\nThe same in VS Code, in launch.json:\n  {vs_code}\n\
         The same in Neovim, with nvim-dap:\n  {neovim}\n\
         `back` steps back, `rc` runs back, `why NAME` explains a value, `help` lists the rest."
    )
}
