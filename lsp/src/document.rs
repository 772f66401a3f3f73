//! Open documents: their text, kept up with the client's changes.

mod parsing;

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use ls_types::{TextDocumentContentChangeEvent, Uri};
use ropey::Rope;

use crate::client::Encoding;
use crate::from_proto;
use crate::mapping::{LineMap, Text};
use parsing::Parsing;

/// A document that is open in the client. Clones are cheap and share what was computed.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) uri: Uri,
    /// Its file, symbolic links resolved; `None` if it is not of this machine's file system.
    pub(crate) path: Option<PathBuf>,
    /// The client's number for this text.
    pub(crate) version: i32,
    pub(crate) text: Rope,
    parsing: Parsing,
    /// Line maps from recorded texts, by these texts' hashes. They hold for this text only.
    maps: Arc<Mutex<HashMap<u64, Arc<LineMap>>>>,
}

impl Document {
    pub(crate) fn new(uri: Uri, version: i32, text: &str) -> Document {
        let path = from_proto::path(&uri).map(|path| resolved(&path));
        Document {
            uri,
            path,
            version,
            text: Rope::from_str(text),
            parsing: Parsing::default(),
            maps: Arc::default(),
        }
    }

    /// The text with its structure. Read when it is first asked for, from the last structure that was
    /// asked for if there is one; to be called where it may take some milliseconds.
    pub(crate) fn parsed(&self) -> Arc<Text> {
        self.parsing.parsed(&self.text)
    }

    /// How the lines of a recorded text map to this one's; computed once for each.
    pub(crate) fn line_map(&self, recorded: &Text) -> Arc<LineMap> {
        let maps = || self.maps.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(map) = maps().get(&recorded.hash()) {
            return map.clone();
        }
        let map = Arc::new(LineMap::new(recorded, &self.parsed()));
        maps().insert(recorded.hash(), map.clone());
        map
    }

    /// Makes the client's changes, in order. What reaches beyond the text is clamped to it.
    pub(crate) fn change(
        &mut self,
        version: i32,
        changes: &[TextDocumentContentChangeEvent],
        encoding: Encoding,
    ) {
        for change in changes {
            match change.range {
                None => {
                    self.text = Rope::from_str(&change.text);
                }
                Some(range) => {
                    let (start, end) = from_proto::char_range(&self.text, range, encoding);
                    replace(&mut self.text, start, end, &change.text);
                }
            }
        }
        self.version = version;
        self.parsing.changed();
        self.maps = Arc::default();
    }
}

/// Replaces the characters from `start` to `end`.
fn replace(text: &mut Rope, start: usize, end: usize, inserted: &str) {
    if start < end {
        text.remove(start..end);
    }
    if !inserted.is_empty() {
        text.insert(start, inserted);
    }
}

/// A path as recordings and documents are compared by: without symbolic links where it exists.
pub(crate) fn resolved(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_owned())
}

/// All open documents, by their addresses as the client writes them.
#[derive(Clone, Debug, Default)]
pub(crate) struct Documents(HashMap<Uri, Arc<Document>>);

impl Documents {
    pub(crate) fn get(&self, uri: &Uri) -> Option<&Arc<Document>> {
        self.0.get(uri)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Arc<Document>> {
        self.0.values()
    }

    /// Opens a document; one that was open is replaced.
    pub(crate) fn open(&mut self, document: Document) {
        let uri = document.uri.clone();
        if self.0.insert(uri, Arc::new(document)).is_some() {
            tracing::warn!("a document was opened that was open");
        }
    }

    /// Changes a document. Unknown ones and versions that are not later are logged; the text of the
    /// latter is changed nevertheless, since the client's changes build upon each other.
    pub(crate) fn change(
        &mut self,
        uri: &Uri,
        version: i32,
        changes: &[TextDocumentContentChangeEvent],
        encoding: Encoding,
    ) {
        let Some(document) = self.0.get_mut(uri) else {
            tracing::warn!(
                uri = uri.as_str(),
                "a document was changed that is not open"
            );
            return;
        };
        if version <= document.version {
            let known = document.version;
            tracing::warn!(uri = uri.as_str(), known, version, "a version out of order");
        }
        Arc::make_mut(document).change(version, changes, encoding);
    }

    pub(crate) fn close(&mut self, uri: &Uri) -> Option<Arc<Document>> {
        let closed = self.0.remove(uri);
        if closed.is_none() {
            tracing::warn!(uri = uri.as_str(), "a document was closed that is not open");
        }
        closed
    }
}

#[cfg(test)]
mod tests;
