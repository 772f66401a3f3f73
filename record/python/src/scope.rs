//! Which code is recorded, and which names are redacted.

use std::path::{Path, PathBuf};

use crate::command::Program;

/// Names whose values are never recorded; a user's own are added to these.
pub const REDACTED_NAMES: &[&str] = &[
    "password",
    "passwd",
    "secret",
    "token",
    "authorization",
    "api_key",
    "cookie",
];

/// The folders whose code is recorded: the repository that the program is in, else the program's
/// folder. A tool, a module and a program text count as being in the working directory.
///
/// Both the path as given and the one without symbolic links are named: the interpreter shows either.
pub(crate) fn roots(program: &Program, working_directory: &Path) -> Vec<String> {
    let folder = match program {
        Program::Script(path) if path.is_dir() => path.as_path(),
        Program::Script(path) if is_installed(path) => working_directory,
        Program::Script(path) => path.parent().unwrap_or(working_directory),
        Program::Module(_) | Program::Text | Program::Tool(_) => working_directory,
    };
    let folder = working_directory.join(folder);
    let mut roots = Vec::new();
    let real = folder.canonicalize();
    for folder in [Some(tidy(&folder)), real.ok()].into_iter().flatten() {
        let root = repository(&folder).unwrap_or(folder);
        let text = root.to_string_lossy().trim_end_matches('/').to_owned();
        if !roots.contains(&text) {
            roots.push(text);
        }
    }
    roots
}

/// Globs as the user wrote them, made absolute; a folder stands for everything in it.
pub(crate) fn globs(patterns: &[String], working_directory: &Path) -> Vec<String> {
    patterns
        .iter()
        .map(|pattern| {
            if pattern.starts_with("**") {
                return format!("/{pattern}");
            }
            let path = tidy(&working_directory.join(pattern));
            let text = path.to_string_lossy();
            if path.is_dir() {
                format!("{}/**", text.trim_end_matches('/'))
            } else {
                text.into_owned()
            }
        })
        .collect()
}

/// All names that are redacted, lower case, each once.
pub(crate) fn redacted_names(added: &[String]) -> Vec<String> {
    let mut names: Vec<String> = REDACTED_NAMES
        .iter()
        .map(|name| (*name).to_owned())
        .collect();
    for name in added {
        let name = name.trim().to_lowercase();
        if !name.is_empty() && !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// A console script of an environment, as `venv/bin/pytest`: its code is not the user's program.
fn is_installed(script: &Path) -> bool {
    script
        .parent()
        .is_some_and(|folder| folder.join("python").exists() || folder.join("python3").exists())
}

fn repository(folder: &Path) -> Option<PathBuf> {
    folder
        .ancestors()
        .find(|folder| folder.join(".git").exists())
        .map(Path::to_owned)
}

/// Without `.` and `..`, by the letters alone: symbolic links stay.
fn tidy(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut tidy = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                tidy.pop();
            }
            other => tidy.push(other),
        }
    }
    tidy
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn the_repository_of_the_program_is_recorded() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        fs::create_dir_all(root.join("project/.git")).unwrap();
        fs::create_dir_all(root.join("project/app")).unwrap();
        fs::create_dir_all(root.join("loose")).unwrap();
        let text = |path: &str| root.join(path).to_string_lossy().into_owned();
        let script = |path: &str| Program::Script(root.join(path));
        assert_eq!(roots(&script("project/app/a.py"), &root), [text("project")]);
        assert_eq!(roots(&script("loose/a.py"), &root), [text("loose")]);
        assert_eq!(
            roots(&Program::Text, &root.join("project/app")),
            [text("project")]
        );
        assert_eq!(roots(&Program::Text, Path::new("/")), [String::new()]);
        std::os::unix::fs::symlink(root.join("loose"), root.join("link")).unwrap();
        assert_eq!(
            roots(&script("link/a.py"), &root),
            [text("link"), text("loose")]
        );
    }

    #[test]
    fn globs_become_absolute() {
        let patterns = ["lib/*.py", "./../x/y.py", "/a/*", "**/requests/**", "tmp"];
        let patterns: Vec<String> = patterns.iter().map(|p| (*p).to_owned()).collect();
        assert_eq!(
            globs(&patterns, Path::new("/")),
            ["/lib/*.py", "/x/y.py", "/a/*", "/**/requests/**", "/tmp/**"]
        );
    }

    #[test]
    fn the_users_names_are_added_to_the_built_in_ones() {
        let names = redacted_names(&["IBAN".into(), " pin ".into(), "Token".into(), String::new()]);
        assert_eq!(names.len(), REDACTED_NAMES.len() + 2);
        assert_eq!(&names[REDACTED_NAMES.len()..], ["iban", "pin"]);
    }
}
