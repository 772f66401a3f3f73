//! Recorded sources and modules.

use retrostep_trace::SourceId;

use super::{Reply, Result};
use crate::dap::types;
use crate::error::RequestError;
use crate::from_proto;
use crate::to_proto;
use crate::worker::Worker;

pub(super) fn text(worker: &mut Worker, arguments: types::SourceArguments) -> Result<Reply> {
    let timeline = &worker.replay()?.timeline;
    let mut source = arguments.source.unwrap_or_default();
    if arguments.source_reference > 0 {
        source.source_reference = Some(arguments.source_reference);
    }
    let asked = || {
        let path = source.path.as_deref().or(source.name.as_deref());
        path.unwrap_or("this source").to_owned()
    };
    let id = *from_proto::sources(timeline, &source)?
        .first()
        .ok_or_else(|| RequestError::user(format!("{} did not run in this recording", asked())))?;
    let recorded = timeline.recording().source(id)?;
    let text = recorded.text.as_ref().ok_or_else(|| {
        RequestError::user(format!("the text of {} was not recorded", recorded.path))
    })?;
    Reply::with(types::SourceResponseBody {
        content: String::from_utf8_lossy(text).into_owned(),
        mime_type: Some("text/x-python".to_owned()),
    })
}

pub(super) fn loaded(worker: &mut Worker) -> Result<Reply> {
    let replay = worker.replay()?;
    let recording = replay.timeline.recording().clone();
    let sources = (0..recording.source_count())
        .map(|id| replay.sources.get(&recording, SourceId(id)))
        .collect::<retrostep_trace::Result<_>>()?;
    Reply::with(types::LoadedSourcesResponseBody { sources })
}

/// One module a source.
pub(super) fn modules(worker: &mut Worker, arguments: types::ModulesArguments) -> Result<Reply> {
    let replay = worker.replay()?;
    let recording = replay.timeline.recording().clone();
    let page = from_proto::page(arguments.start_module, arguments.module_count);
    let mut modules = Vec::new();
    for id in 0..recording.source_count() {
        if !page.contains(&u64::from(id)) {
            continue;
        }
        let source = replay.sources.get(&recording, SourceId(id))?;
        let name = source.name.unwrap_or_default();
        modules.push(types::Module {
            id: to_proto::module_id(SourceId(id)).into(),
            name: name.strip_suffix(".py").unwrap_or(&name).to_owned(),
            path: source.path,
            is_user_code: Some(true),
            ..types::Module::default()
        });
    }
    Reply::with(types::ModulesResponseBody {
        modules,
        total_modules: Some(i64::from(recording.source_count())),
    })
}
