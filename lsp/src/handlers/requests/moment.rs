//! `retrostep/moment`: where a position of a recording is in the source, for going there.

use std::path::{Path, PathBuf};

use ls_types::Uri;
use retrostep_trace::Position;
use serde::{Deserialize, Serialize};

use super::WorkspaceRequest;
use crate::context::Context;
use crate::error::Result;
use crate::{to_proto, words};

pub(super) struct Moment;

#[derive(Debug, Deserialize)]
pub(super) struct Params {
    recording: PathBuf,
    position: u64,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Body {
    position: u64,
    /// After the last event.
    end: u64,
    /// Since the start.
    time: String,
    thread_id: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    function: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri: Option<Uri>,
    /// From 0, of the recorded text.
    #[serde(skip_serializing_if = "Option::is_none")]
    line: Option<u32>,
    /// The line where it is now, if its document is open; left out if the line changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    range: Option<ls_types::Range>,
}

impl WorkspaceRequest for Moment {
    const METHOD: &'static str = "retrostep/moment";
    type Params = Params;
    type Answer = Body;

    fn answer(ctx: &Context, params: Params) -> Result<Body> {
        let facts = ctx.facts_of(&params.recording)?;
        let recording = ctx.open(&facts)?;
        let end = recording.end();
        let at = Position(params.position).min(end);
        let thread = recording.thread_at(at)?;
        let mut body = Body {
            position: at.0,
            end: end.0,
            time: words::time(recording.time_ns(at)?),
            thread_id: thread.0,
            function: None,
            uri: None,
            line: None,
            range: None,
        };
        if let Some(frame) = recording.stack(thread, at, 0, 1)?.first() {
            let function = recording.function(frame.function)?;
            let source = recording.source(function.source)?;
            let path = Path::new(&*source.path);
            body.function = Some(function.qualified_name.to_string());
            body.uri = to_proto::uri(path).filter(|_| path.is_absolute());
            body.line = Some(to_proto::line(frame.line));
            body.range = words::current_range(ctx, &recording, function.source, frame.line)?;
        }
        Ok(body)
    }
}
