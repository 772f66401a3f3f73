//! A repository of its own with programs, their recordings, and the language server that shows them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::lsp_client::LspClient;
use crate::programs::checkout;
use crate::pythons::Python;
use crate::run::{record_command, run};

/// A folder that counts as a repository, so that its library is its own.
#[derive(Debug)]
pub struct Workspace {
    folder: TempDir,
    path: PathBuf,
}

/// What a client can do that shows everything.
pub fn full_client() -> Value {
    json!({
        "general": {"positionEncodings": ["utf-16"]},
        "window": {"workDoneProgress": true},
        "workspace": {
            "configuration": true,
            "inlayHint": {"refreshSupport": true},
            "inlineValue": {"refreshSupport": true},
            "codeLens": {"refreshSupport": true},
            "semanticTokens": {"refreshSupport": true},
            "didChangeConfiguration": {"dynamicRegistration": true},
        },
        "textDocument": {
            "inlayHint": {"dynamicRegistration": false},
            "hover": {"contentFormat": ["markdown", "plaintext"]},
            "publishDiagnostics": {"relatedInformation": true},
        },
    })
}

impl Workspace {
    /// An empty one.
    pub fn new() -> Result<Workspace> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().canonicalize()?;
        std::fs::create_dir(path.join(".git"))?;
        Ok(Workspace { folder, path })
    }

    /// One with the samples in it.
    pub fn with_samples() -> Result<Workspace> {
        let workspace = Workspace::new()?;
        copy(&checkout().join("samples/python"), workspace.path())?;
        Ok(workspace)
    }

    /// The folder, without symbolic links.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder of the library's recordings.
    pub fn recordings(&self) -> PathBuf {
        self.path.join(".retrostep/recordings")
    }

    /// Writes a file; returns its path.
    pub fn write(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.path.join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// Records a script into the library under the name `name`, in the script's folder.
    pub fn record(
        &self,
        binary: &Path,
        python: &Python,
        script: &Path,
        name: &str,
    ) -> Result<PathBuf> {
        std::fs::create_dir_all(self.recordings())?;
        let recording = self.recordings().join(format!("{name}.retro"));
        let mut command = record_command(binary, &recording, [&python.path, script]);
        command
            .env("PYTHONHASHSEED", "0")
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .current_dir(script.parent().unwrap_or(self.folder.path()));
        let outcome = run(&mut command, Duration::from_secs(120))?;
        ensure!(
            recording.exists(),
            "nothing was recorded: {}",
            outcome.stderr
        );
        Ok(recording)
    }

    /// Starts the language server for this folder.
    pub fn serve(&self, binary: &Path, capabilities: &Value) -> Result<LspClient> {
        let mut client = LspClient::start(binary, &self.path)?;
        let options = json!({"retrostep": {"values": {"scope": "file"}}});
        client.initialize(&self.path, capabilities, &options)?;
        Ok(client)
    }
}

/// The hints of a whole document: where they stand and what they say.
///
/// # Errors
///
/// A line has more than one.
pub fn hints(client: &mut LspClient, uri: &str) -> Result<BTreeMap<u64, Hint>> {
    let everything = json!({
        "start": {"line": 0, "character": 0},
        "end": {"line": 1_000_000, "character": 0},
    });
    let params = json!({"textDocument": {"uri": uri}, "range": everything});
    let answer = client.request("textDocument/inlayHint", &params)?;
    let mut hints = BTreeMap::new();
    for hint in answer.as_array().map_or(&[][..], Vec::as_slice) {
        let position = &hint["position"];
        let line = position["line"].as_u64().context("a line")? + 1;
        let shown = Hint {
            character: position["character"].as_u64().context("a character")?,
            text: label(&hint["label"]),
        };
        if hints.insert(line, shown).is_some() {
            return Err(client.failure(&format!("two hints on line {line}")));
        }
    }
    Ok(hints)
}

/// A hint at the end of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// Where it stands in its line, as the conversation counts.
    pub character: u64,
    /// All of its text.
    pub text: String,
}

/// The text of a label, or of all of its parts.
fn label(label: &Value) -> String {
    match label {
        Value::String(text) => text.clone(),
        parts => (parts.as_array().into_iter().flatten())
            .filter_map(|part| part["value"].as_str())
            .collect(),
    }
}

/// The Markdown or text of a hover; empty if there is none.
pub fn hover(client: &mut LspClient, uri: &str, line: u64, character: u64) -> Result<String> {
    let params = json!({
        "textDocument": {"uri": uri},
        "position": {"line": line - 1, "character": character},
    });
    let answer = client.request("textDocument/hover", &params)?;
    let contents = &answer["contents"];
    let text = contents["value"].as_str().or(contents.as_str());
    Ok(text.unwrap_or_default().to_owned())
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    for entry in std::fs::read_dir(from)? {
        let from = entry?.path();
        let Some(name) = from.file_name() else {
            continue;
        };
        let to = to.join(name);
        if from.is_file() {
            std::fs::copy(&from, &to)?;
        } else if name != "__pycache__" && !name.to_string_lossy().starts_with('.') {
            std::fs::create_dir_all(&to)?;
            copy(&from, &to)?;
        }
    }
    Ok(())
}
