//! What git says of a working folder.

use std::path::Path;

use git2::{Repository, StatusOptions};

/// What git says of a working folder; all empty outside a repository.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GitFacts {
    /// The commit that is checked out, hexadecimal; empty before the first one.
    pub commit: String,
    /// The branch that is checked out; empty when none is.
    pub branch: String,
    /// How many tracked files differ from the commit.
    pub changed_files: u32,
}

/// Asks git about the repository that `folder` is in. What git cannot say stays empty.
///
/// Cost: compares the time stamps of all tracked files.
#[must_use]
pub fn git_facts(folder: &Path) -> GitFacts {
    let mut facts = GitFacts::default();
    let Ok(repository) = Repository::discover(folder) else {
        return facts;
    };
    if let Ok(head) = repository.head() {
        if let Ok(commit) = head.peel_to_commit() {
            facts.commit = commit.id().to_string();
        }
        if head.is_branch() {
            facts.branch = String::from_utf8_lossy(head.shorthand_bytes()).into_owned();
        }
    }
    let mut options = StatusOptions::new();
    options
        .include_untracked(false)
        .include_ignored(false)
        .exclude_submodules(true);
    if let Ok(changed) = repository.statuses(Some(&mut options)) {
        facts.changed_files = u32::try_from(changed.len()).unwrap_or(u32::MAX);
    }
    facts
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn commit_branch_and_changed_files_are_told() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(git_facts(folder.path()), GitFacts::default());
        let mut options = git2::RepositoryInitOptions::new();
        options.initial_head("trunk");
        let repository = Repository::init_opts(folder.path(), &options).unwrap();
        fs::write(folder.path().join("a.py"), "a = 1\n").unwrap();
        let mut index = repository.index().unwrap();
        index.add_path(Path::new("a.py")).unwrap();
        index.write().unwrap();
        let tree = repository.find_tree(index.write_tree().unwrap()).unwrap();
        let author = git2::Signature::now("Someone", "someone@example.com").unwrap();
        let commit = repository
            .commit(Some("HEAD"), &author, &author, "first", &tree, &[])
            .unwrap();
        fs::create_dir(folder.path().join("sub")).unwrap();
        let facts = git_facts(&folder.path().join("sub"));
        assert_eq!(facts.commit, commit.to_string());
        assert_eq!(facts.branch, "trunk");
        assert_eq!(facts.changed_files, 0);
        fs::write(folder.path().join("a.py"), "a = 22\n").unwrap();
        fs::write(folder.path().join("untracked.py"), "").unwrap();
        assert_eq!(git_facts(folder.path()).changed_files, 1);
    }
}
