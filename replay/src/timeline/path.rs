//! Which recorded source a client's path names.

use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

use retrostep_trace::SourceId;

use super::Timeline;
use crate::Result;

impl Timeline {
    /// The recorded sources that `path` names: the same path, else the same real path, else the only
    /// one that ends with it or that it ends with (whole components). Empty when there is none.
    ///
    /// Several sources have the same path when the file changed while the program ran.
    ///
    /// # Errors
    ///
    /// [`crate::Error::Trace`] if the recording cannot be read.
    pub fn sources_of_path(&self, path: &str) -> Result<Vec<SourceId>> {
        let mut sources = Vec::new();
        for id in (0..self.recording.source_count()).map(SourceId) {
            if let Ok(source) = self.recording.source(id) {
                sources.push((id, source.path.clone()));
            }
        }
        let asked = without_dots(Path::new(path));
        let same = |matches: &dyn Fn(&Path) -> bool| -> Vec<(SourceId, Arc<str>)> {
            let sources = sources.iter();
            sources
                .filter(|(_, path)| matches(Path::new(&**path)))
                .cloned()
                .collect()
        };
        let mut found = same(&|recorded| recorded == Path::new(path));
        if found.is_empty() {
            found = same(&|recorded| without_dots(recorded) == asked);
        }
        if found.is_empty()
            && let Some(real) = (self.resolver)(&asked)
        {
            found = same(&|recorded| {
                recorded == real || (self.resolver)(recorded).is_some_and(|path| path == real)
            });
        }
        if found.is_empty() {
            found = same(&|recorded| recorded.ends_with(&asked));
        }
        if found.is_empty() {
            found = same(&|recorded| recorded.is_absolute() && shares_end(recorded, &asked));
        }
        let one_path = found.windows(2).all(|pair| match pair {
            [first, second] => first.1 == second.1,
            _ => true,
        });
        if !one_path {
            found.clear();
        }
        Ok(found.into_iter().map(|(id, _)| id).collect())
    }
}

/// A path without `.` and `..`, by its text alone.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if plain.file_name().is_some() => {
                plain.pop();
            }
            other => plain.push(other),
        }
    }
    plain
}

/// Whether two paths of different places end alike: the file's name and its folder's.
fn shares_end(first: &Path, second: &Path) -> bool {
    let ends = first.components().rev().zip(second.components().rev());
    let alike = ends
        .take_while(|(first, second)| first == second && matches!(first, Component::Normal(_)))
        .count();
    alike >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_taken_out_by_text() {
        let cases = [
            ("/a/./b/../c.py", "/a/c.py"),
            ("../c.py", "../c.py"),
            ("/a/b.py", "/a/b.py"),
        ];
        for (path, expected) in cases {
            assert_eq!(without_dots(Path::new(path)), Path::new(expected));
        }
    }

    #[test]
    fn ends_are_whole_components() {
        assert!(shares_end(
            Path::new("/x/shop/a.py"),
            Path::new("/y/shop/a.py")
        ));
        assert!(!shares_end(
            Path::new("/x/shop/a.py"),
            Path::new("/y/myshop/a.py")
        ));
        assert!(!shares_end(Path::new("/a.py"), Path::new("/y/a.py")));
    }
}
