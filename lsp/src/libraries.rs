//! The libraries of the workspace: which recordings they hold, and where a replay stands.
//!
//! Names and files only; what is inside a recording is [`crate::recordings`]'s.

mod watching;

use std::path::Path;
use std::sync::Arc;

use retrostep_sessions::{Entry, Library, ReplayPosition};

pub(crate) use watching::{LibraryChange, Watcher};

/// What a library held when it was last looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LibraryState {
    pub(crate) library: Library,
    /// The ones last written first.
    pub(crate) entries: Vec<Entry>,
    /// Where the open replay stands.
    pub(crate) position: Option<ReplayPosition>,
}

impl LibraryState {
    /// Looks at a library. One that cannot be listed is empty.
    pub(crate) fn read(library: &Library) -> LibraryState {
        let entries = library.recordings().unwrap_or_else(|error| {
            tracing::warn!(%error, "a library cannot be listed");
            Vec::new()
        });
        LibraryState {
            entries,
            position: library.position(),
            library: library.clone(),
        }
    }

    pub(crate) fn folder(&self) -> &Path {
        self.library.folder()
    }
}

/// All libraries that are watched, as they were at one moment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Libraries(Vec<Arc<LibraryState>>);

impl Libraries {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<LibraryState>> {
        self.0.iter()
    }

    pub(crate) fn contains(&self, library: &Library) -> bool {
        (self.0.iter()).any(|state| state.folder() == library.folder())
    }

    pub(crate) fn add(&mut self, state: LibraryState) {
        self.0.push(Arc::new(state));
    }

    /// Takes in what a library holds now; one that is not watched any more is not taken.
    pub(crate) fn update(&mut self, state: Arc<LibraryState>) {
        let known = self
            .0
            .iter_mut()
            .find(|known| known.folder() == state.folder());
        if let Some(known) = known {
            *known = state;
        }
    }

    /// Forgets the libraries that are not among `wanted`.
    pub(crate) fn retain(&mut self, wanted: &[Library]) {
        (self.0).retain(|state| {
            wanted
                .iter()
                .any(|library| library.folder() == state.folder())
        });
    }

    /// The libraries themselves.
    pub(crate) fn watched(&self) -> Vec<Library> {
        self.0.iter().map(|state| state.library.clone()).collect()
    }

    /// The recordings of all libraries, the ones last written first.
    pub(crate) fn entries(&self) -> Vec<&Entry> {
        let mut entries: Vec<&Entry> = (self.0.iter()).flat_map(|state| &state.entries).collect();
        entries.sort_by(|a, b| b.modified.cmp(&a.modified).then(b.id.cmp(&a.id)));
        entries
    }

    /// Where a replay stands, if one is open.
    pub(crate) fn position(&self) -> Option<&ReplayPosition> {
        self.0.iter().find_map(|state| state.position.as_ref())
    }
}
