//! Finding out what a command line runs: a script, a module, a program text, or a program of its own.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::{Error, Result};

/// What a command line runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// A Python file, or a folder or archive with a `__main__.py`.
    Script(PathBuf),
    /// `-m module`.
    Module(String),
    /// `-c text`.
    Text,
    /// A program that is not known to be Python before it runs; its path.
    Tool(PathBuf),
}

impl Program {
    /// Whether the text of the program's first file, as far as it is known before it runs, imports the
    /// package that marks parts.
    pub(crate) fn imports_package(&self, folder: &Path) -> bool {
        let candidates = match self {
            Program::Script(path) => vec![path.clone(), path.join("__main__.py")],
            Program::Module(module) => {
                let path = folder.join(module.replace('.', "/"));
                vec![path.with_extension("py"), path.join("__main__.py")]
            }
            Program::Text | Program::Tool(_) => Vec::new(),
        };
        candidates
            .iter()
            .filter_map(|path| std::fs::read(folder.join(path)).ok())
            .any(|text| {
                text.split(|byte| *byte == b'\n').any(|line| {
                    let line = line.trim_ascii_start();
                    let rest = [&b"import retrostep"[..], b"from retrostep import"]
                        .iter()
                        .find_map(|words| line.strip_prefix(*words));
                    rest.is_some_and(|rest| {
                        rest.first()
                            .is_none_or(|next| !next.is_ascii_alphanumeric() && *next != b'_')
                    })
                })
            })
    }
}

/// A command line made ready to start.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Launch {
    /// The program to start and its arguments.
    pub arguments: Vec<OsString>,
    /// What it runs.
    pub program: Program,
    /// The interpreter, when the command line shows which it is.
    pub interpreter: Option<PathBuf>,
}

impl Launch {
    /// Finds out what `command` runs in `folder`.
    ///
    /// `app.py args`, `-m module args` and `-c text` run with `python`, else the Python of the active
    /// virtual environment, else `python3`. Anything else is a program of its own, on `PATH` or by its
    /// path, and starts Python itself.
    ///
    /// # Errors
    ///
    /// [`Error::NoProgram`], [`Error::NoScript`], [`Error::ProgramNotFound`], [`Error::NoPython`],
    /// [`Error::PythonNotUsed`].
    pub fn resolve(command: &[OsString], python: Option<&OsStr>, folder: &Path) -> Result<Launch> {
        let (first, rest) = command.split_first().ok_or(Error::NoProgram)?;
        if first.as_bytes().starts_with(b"-") || is_script(first, folder) {
            let interpreter = interpreter(python, folder)?;
            let program = python_program(command, folder).ok_or(Error::NoProgram)?;
            if let Program::Script(script) = &program
                && !script.exists()
            {
                return Err(Error::NoScript {
                    path: folder.join(script),
                });
            }
            let mut arguments = vec![interpreter.as_os_str().to_owned()];
            arguments.extend_from_slice(command);
            return Ok(Launch {
                arguments,
                program,
                interpreter: Some(interpreter),
            });
        }
        let name = first.to_string_lossy().into_owned();
        if python.is_some() {
            return Err(Error::PythonNotUsed { name });
        }
        let path = find_program(first, folder).ok_or(Error::ProgramNotFound { name })?;
        let is_python = is_python_name(first);
        let program = is_python
            .then(|| python_program(rest, folder))
            .flatten()
            .unwrap_or_else(|| Program::Tool(path.clone()));
        Ok(Launch {
            arguments: command.to_vec(),
            program,
            interpreter: is_python.then_some(path),
        })
    }

    /// A short name for people: `replay_orders` for a script or module of that name, otherwise the
    /// tool with the first words it was given.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.program {
            Program::Script(path) => stem_of_script(path),
            Program::Module(module) if !is_test_runner(module) => module
                .strip_suffix(".__main__")
                .unwrap_or(module)
                .rsplit('.')
                .next()
                .unwrap_or(module)
                .to_owned(),
            Program::Module(module) => {
                let after = self.arguments.iter().position(|word| *word == **module);
                words(module, self.arguments.get(after.map_or(0, |at| at + 1)..))
            }
            Program::Text => "python -c".to_owned(),
            Program::Tool(path) => words(
                &path.file_name().unwrap_or_default().to_string_lossy(),
                self.arguments.get(1..),
            ),
        }
    }
}

fn stem_of_script(path: &Path) -> String {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    if stem != "__main__" && !stem.is_empty() {
        return stem.into_owned();
    }
    let folder = path.canonicalize().ok();
    folder
        .as_deref()
        .and_then(|path| {
            if stem.is_empty() {
                Some(path)
            } else {
                path.parent()
            }
        })
        .and_then(Path::file_name)
        .map_or_else(
            || "program".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        )
}

fn is_test_runner(module: &str) -> bool {
    matches!(module, "pytest" | "unittest" | "nose2")
}

/// A tool's name with the arguments that are no options, at most 40 characters.
fn words(tool: &str, arguments: Option<&[OsString]>) -> String {
    let mut name = tool.to_owned();
    for argument in arguments.unwrap_or_default() {
        let argument = argument.to_string_lossy();
        if argument.starts_with('-') {
            continue;
        }
        if name.chars().count() + argument.chars().count() >= 40 {
            break;
        }
        name.push(' ');
        name.push_str(&argument);
    }
    name
}

fn is_script(word: &OsStr, folder: &Path) -> bool {
    let path = folder.join(word);
    let ends_like_python = path
        .extension()
        .is_some_and(|end| end == "py" || end == "pyw" || end == "pyz");
    ends_like_python || (path.is_dir() && path.join("__main__.py").is_file())
}

fn is_python_name(word: &OsStr) -> bool {
    Path::new(word).file_name().is_some_and(|name| {
        let name = name.to_string_lossy();
        let Some(rest) = name.strip_prefix("python") else {
            return name == "pypy" || name == "pypy3";
        };
        rest.chars()
            .all(|c| c.is_ascii_digit() || c == '.' || c == 'd' || c == 't')
    })
}

/// What Python's own command line runs.
fn python_program(arguments: &[OsString], folder: &Path) -> Option<Program> {
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        let text = word.to_string_lossy();
        if text == "-" {
            return None;
        }
        let Some(options) = text.strip_prefix('-') else {
            return Some(Program::Script(folder.join(word)));
        };
        if options.starts_with('-') {
            if text == "--check-hash-based-pycs" {
                words.next();
            }
            continue;
        }
        // Options can be joined, as in `-Im module`; the ones that take a value end the word.
        for (at, option) in options.char_indices() {
            let joined = options.get(at + option.len_utf8()..).unwrap_or_default();
            let mut value = || {
                if joined.is_empty() {
                    words.next().map(|word| word.to_string_lossy().into_owned())
                } else {
                    Some(joined.to_owned())
                }
            };
            match option {
                'm' => return value().map(Program::Module),
                'c' => return value().map(|_| Program::Text),
                'W' | 'X' => {
                    value();
                    break;
                }
                _ => {}
            }
        }
    }
    None
}

fn interpreter(python: Option<&OsStr>, folder: &Path) -> Result<PathBuf> {
    if let Some(python) = python {
        return match find_program(python, folder) {
            Some(_) if !python.as_bytes().contains(&b'/') => Ok(PathBuf::from(python)),
            Some(path) => Ok(path),
            None => Err(Error::ProgramNotFound {
                name: python.to_string_lossy().into_owned(),
            }),
        };
    }
    if let Some(environment) = std::env::var_os("VIRTUAL_ENV") {
        let python = PathBuf::from(environment).join("bin/python");
        if is_executable(&python) {
            return Ok(python);
        }
    }
    ["python3", "python"]
        .into_iter()
        .find(|name| find_program(OsStr::new(name), folder).is_some())
        .map(PathBuf::from)
        .ok_or(Error::NoPython)
}

/// The program that `word` starts: by its path, or the first of that name on `PATH`.
fn find_program(word: &OsStr, folder: &Path) -> Option<PathBuf> {
    if word.as_bytes().contains(&b'/') {
        let path = folder.join(word);
        return is_executable(&path).then_some(path);
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|entry| folder.join(entry).join(word))
        .find(|candidate| is_executable(candidate))
}

fn is_executable(path: &Path) -> bool {
    path.metadata()
        .is_ok_and(|facts| facts.is_file() && facts.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    fn check(line: &str, program: &Program, name: &str) {
        let launch = Launch::resolve(&command(line), None, Path::new("/")).unwrap();
        assert_eq!(&launch.program, program, "{line}");
        assert_eq!(launch.name(), name, "{line}");
    }

    #[test]
    fn command_lines_show_what_they_run() {
        let module = |name: &str| Program::Module(name.into());
        check(
            "-m shop.replay_orders x",
            &module("shop.replay_orders"),
            "replay_orders",
        );
        check("-Im shop.__main__", &module("shop.__main__"), "shop");
        check("-c pass", &Program::Text, "python -c");
        check("-W error -X dev -mshop", &module("shop"), "shop");
        check(
            "python3 -m pytest -x tests/a.py",
            &module("pytest"),
            "pytest tests/a.py",
        );
        check(
            "python3 -u /tmp/a.py",
            &Program::Script("/tmp/a.py".into()),
            "a",
        );
        let sh = find_program(OsStr::new("sh"), Path::new("/")).unwrap();
        check("sh -x run", &Program::Tool(sh), "sh run");
    }

    #[test]
    fn what_cannot_run_is_named() {
        let resolve = |line: &str, python: Option<&str>| {
            Launch::resolve(&command(line), python.map(OsStr::new), Path::new("/"))
                .unwrap_err()
                .to_string()
        };
        assert_eq!(resolve("", None), "no program was given");
        assert_eq!(
            resolve("nowhere/a.py", None),
            "there is no file /nowhere/a.py"
        );
        assert_eq!(
            resolve("no-such-tool", None),
            "there is no program \"no-such-tool\" on PATH"
        );
        assert_eq!(
            resolve("./no-such-tool", None),
            "there is no program \"./no-such-tool\""
        );
        assert_eq!(
            resolve("a.py", Some("no-such-python")),
            "there is no program \"no-such-python\" on PATH"
        );
        assert!(resolve("sh run", Some("python3")).starts_with("--python is for a script"));
    }
}
