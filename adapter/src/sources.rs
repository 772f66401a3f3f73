//! Recorded sources as a client sees them.

use std::collections::HashMap;
use std::path::Path;

use retrostep_trace::{Recording, Result, SourceId};

use crate::dap::types;

/// The protocol's view of each source, made once.
#[derive(Debug, Default)]
pub(crate) struct Sources {
    made: HashMap<SourceId, types::Source>,
}

impl Sources {
    /// The source as a client sees it: a path when the file there still has the recorded text, else a
    /// reference by which the client asks for that text.
    pub(crate) fn get(&mut self, recording: &Recording, id: SourceId) -> Result<types::Source> {
        if let Some(source) = self.made.get(&id) {
            return Ok(source.clone());
        }
        let source = make(recording, id)?;
        self.made.insert(id, source.clone());
        Ok(source)
    }
}

fn make(recording: &Recording, id: SourceId) -> Result<types::Source> {
    let recorded = recording.source(id)?;
    let path = Path::new(&*recorded.path);
    let mut source = types::Source {
        name: Some(match path.file_name() {
            Some(name) => name.to_string_lossy().into_owned(),
            None => recorded.path.to_string(),
        }),
        ..types::Source::default()
    };
    if path.is_absolute() {
        source.path = Some(recorded.path.to_string());
    }
    if let Some(text) = &recorded.text {
        let on_disk = std::fs::read(path).ok();
        if on_disk.as_deref() != Some(&**text) {
            source.source_reference = Some(reference(id));
            source.origin = Some(match on_disk {
                Some(_) => "recorded text: the file changed since".to_owned(),
                None => "recorded text".to_owned(),
            });
        }
    }
    Ok(source)
}

/// The reference by which clients ask for the text of a source.
fn reference(id: SourceId) -> i64 {
    i64::from(id.0) + 1
}

/// The source that a reference stands for.
pub(crate) fn source_of_reference(recording: &Recording, reference: i64) -> Option<SourceId> {
    let id = u32::try_from(reference.checked_sub(1)?).ok()?;
    (id < recording.source_count()).then_some(SourceId(id))
}
