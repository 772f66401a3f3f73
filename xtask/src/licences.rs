//! `cargo xtask licences`: every dependency may be used on terms that fit this project's own.

use std::process::Command;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

/// SPDX names of licences that ask for nothing, or for nothing but their notice.
const ALLOWED: &[&str] = &[
    "0BSD",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CC0-1.0",
    "ISC",
    "MIT",
    "MIT-0",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Checks the licences of all packages that a build for this platform uses.
pub(crate) fn run() -> Result<()> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let answer = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--filter-platform", env!("TARGET")])
        .current_dir(crate::setup::checkout())
        .output()
        .context("run cargo metadata")?;
    if !answer.status.success() {
        bail!(
            "cargo metadata: {}",
            String::from_utf8_lossy(&answer.stderr)
        );
    }
    let metadata: Value = serde_json::from_slice(&answer.stdout)?;
    let packages = metadata["packages"].as_array().context("the packages")?;
    let refused: Vec<String> = packages
        .iter()
        .filter(|package| !package["license"].as_str().is_some_and(is_allowed))
        .map(|package| {
            format!(
                "{} {}: {}",
                package["name"].as_str().unwrap_or("?"),
                package["version"].as_str().unwrap_or("?"),
                package["license"].as_str().unwrap_or("no licence")
            )
        })
        .collect();
    if !refused.is_empty() {
        bail!("licences that are not on the list:\n{}", refused.join("\n"));
    }
    crate::setup::say(&format!("{} packages checked", packages.len()))
}

/// Whether an SPDX expression (or the old form with a slash) can be met with the allowed licences.
fn is_allowed(expression: &str) -> bool {
    let text = expression.trim();
    // `OR` binds weaker than `AND`, so that it is looked for first.
    for (word, enough) in [("OR", true), ("/", true), ("AND", false)] {
        let parts = split(text, word);
        if parts.len() > 1 {
            let met = parts.iter().filter(|part| is_allowed(part)).count();
            return met == parts.len() || enough && met > 0;
        }
    }
    match text
        .strip_prefix('(')
        .and_then(|text| text.strip_suffix(')'))
    {
        Some(inner) => is_allowed(inner),
        None => ALLOWED.contains(&text),
    }
}

/// Cuts at a word that stands outside brackets.
fn split<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let mut parts = Vec::new();
    let (mut depth, mut begin) = (0_i32, 0);
    for (at, character) in text.char_indices() {
        match character {
            '(' => depth += 1,
            ')' => depth -= 1,
            _ => {}
        }
        let rest = text.get(at..).unwrap_or_default();
        let is_word = word == "/" || text.get(..at).unwrap_or_default().ends_with(' ');
        if depth == 0
            && is_word
            && at >= begin
            && let Some(after) = rest.strip_prefix(word)
            && (word == "/" || after.starts_with(' '))
        {
            parts.push(text.get(begin..at).unwrap_or_default());
            begin = at + word.len();
        }
    }
    parts.push(text.get(begin..).unwrap_or_default());
    parts
}

#[cfg(test)]
mod tests {
    use super::is_allowed;

    #[test]
    fn expressions_are_met_by_any_alternative_and_by_all_that_are_joined() {
        for (expression, allowed) in [
            ("MIT", true),
            ("GPL-3.0", false),
            ("MIT OR GPL-3.0", true),
            ("MIT/Apache-2.0", true),
            ("Apache-2.0 / MIT", true),
            ("MIT AND GPL-3.0", false),
            ("(MIT OR GPL-3.0) AND Unicode-3.0", true),
            ("(MIT AND GPL-3.0) OR LGPL-2.1", false),
            ("Apache-2.0 WITH LLVM-exception OR GPL-2.0", true),
            ("", false),
        ] {
            assert_eq!(is_allowed(expression), allowed, "{expression}");
        }
    }
}
