//! Which code is recorded: decided once per file.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use retrostep_record_python_wire::Config;

/// Decides by path what is recorded.
#[derive(Debug)]
pub(crate) struct Scope {
    roots: Vec<String>,
    include: Vec<String>,
    exclude: Vec<String>,
    /// Folders of the interpreter itself.
    interpreter: Vec<String>,
    working_directory: PathBuf,
    /// Whether a folder is that of a virtual environment.
    environments: HashMap<PathBuf, bool>,
}

impl Scope {
    /// The scope that `config` describes.
    pub(crate) fn new(config: &Config) -> Scope {
        Scope {
            roots: config.roots.clone(),
            include: config.include.clone(),
            exclude: config.exclude.clone(),
            interpreter: Vec::new(),
            working_directory: std::env::current_dir().unwrap_or_default(),
            environments: HashMap::new(),
        }
    }

    /// Leaves out the code below this folder of the interpreter.
    pub(crate) fn leave_out(&mut self, folder: &str) {
        let folder = folder.trim_end_matches('/');
        if !folder.is_empty() {
            self.interpreter.push(folder.to_owned());
        }
    }

    /// The absolute path of a file that code names.
    pub(crate) fn absolute(&self, name: &str) -> String {
        if name.starts_with('/') {
            return name.to_owned();
        }
        let name = name.strip_prefix("./").unwrap_or(name);
        self.working_directory
            .join(name)
            .to_string_lossy()
            .into_owned()
    }

    /// Whether the code of the file at this absolute path is recorded.
    pub(crate) fn contains(&mut self, path: &str) -> bool {
        if self.decide(path) {
            return true;
        }
        match std::fs::canonicalize(path) {
            Ok(real) if real.as_os_str() != path => self.decide(&real.to_string_lossy()),
            _ => false,
        }
    }

    fn decide(&mut self, path: &str) -> bool {
        if matches_any(&self.exclude, path) {
            return false;
        }
        if matches_any(&self.include, path) {
            return true;
        }
        let Some(root) = self
            .roots
            .iter()
            .find(|root| is_below(path, root))
            .map(|root| root.len())
        else {
            return false;
        };
        if path.contains("/site-packages/") || path.contains("/dist-packages/") {
            return false;
        }
        if self
            .interpreter
            .iter()
            .any(|folder| folder.len() >= root && is_below(path, folder))
        {
            return false;
        }
        !self.is_in_environment(Path::new(path), root)
    }

    /// Whether a folder between the root and the file is a virtual environment.
    fn is_in_environment(&mut self, path: &Path, root: usize) -> bool {
        for folder in path.ancestors().skip(1) {
            if folder.as_os_str().len() <= root {
                break;
            }
            let found = self
                .environments
                .entry(folder.to_path_buf())
                .or_insert_with(|| folder.join("pyvenv.cfg").is_file());
            if *found {
                return true;
            }
        }
        false
    }
}

fn is_below(path: &str, folder: &str) -> bool {
    path.strip_prefix(folder)
        .is_some_and(|rest| rest.starts_with('/') || folder.is_empty())
}

fn matches_any(globs: &[String], path: &str) -> bool {
    globs.iter().any(|glob| {
        matches(glob.as_bytes(), path.as_bytes())
            || path
                .match_indices('/')
                .any(|(at, _)| at > 0 && matches(glob.as_bytes(), &path.as_bytes()[..at]))
    })
}

/// Whether a glob matches a whole path: `*` and `?` stay within a folder, `**` does not.
fn matches(glob: &[u8], path: &[u8]) -> bool {
    match glob {
        [] => path.is_empty(),
        [b'*', b'*', b'/', rest @ ..] => {
            matches(rest, path)
                || path
                    .iter()
                    .enumerate()
                    .any(|(at, byte)| *byte == b'/' && matches(rest, &path[at + 1..]))
        }
        [b'*', b'*', rest @ ..] => (0..=path.len()).any(|at| matches(rest, &path[at..])),
        [b'*', rest @ ..] => {
            let end = path
                .iter()
                .position(|byte| *byte == b'/')
                .unwrap_or(path.len());
            (0..=end).any(|at| matches(rest, &path[at..]))
        }
        [b'?', rest @ ..] => match path {
            [byte, tail @ ..] if *byte != b'/' => matches(rest, tail),
            _ => false,
        },
        [first, rest @ ..] => match path {
            [byte, tail @ ..] if byte == first => matches(rest, tail),
            _ => false,
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scope() -> Scope {
        let mut scope = Scope::new(&Config {
            roots: vec!["/work/app".into()],
            include: vec!["/opt/lib/python3.12/site-packages/shop/**".into()],
            exclude: vec!["/work/app/**/generated_*.py".into(), "/work/app/old".into()],
            ..Config::default()
        });
        scope.leave_out("/work/app/python/lib/python3.12");
        scope
    }

    #[test]
    fn roots_globs_and_the_interpreters_own_folders() {
        let mut scope = scope();
        for (path, expected) in [
            ("/work/app/main.py", true),
            ("/work/app/a/b.py", true),
            ("/work/application/main.py", false),
            ("/work/app/a/generated_1.py", false),
            ("/work/app/old/x.py", false),
            ("/work/app/older/x.py", true),
            ("/work/app/env/lib/python3.12/site-packages/x.py", false),
            ("/work/app/python/lib/python3.12/json/decoder.py", false),
            ("/opt/lib/python3.12/site-packages/shop/a/b.py", true),
            ("/opt/lib/python3.12/site-packages/other.py", false),
        ] {
            assert_eq!(scope.decide(path), expected, "{path}");
        }
    }
}
