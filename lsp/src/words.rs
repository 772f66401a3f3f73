//! Words that several answers share.

use std::path::Path;
use std::time::SystemTime;

use ls_types::{Location, Position, Range};
use retrostep_replay::hints::Hint;
use retrostep_replay::render;
use retrostep_sessions::words::moment;
use retrostep_trace::{CancellationToken, FrameId, Recording, SourceId};

use crate::context::Context;
use crate::error::Result;
use crate::recordings::RecordingFacts;
use crate::to_proto;
use crate::view::View;

/// A recording, as people tell it from others: `replay_orders 14:32`.
pub(crate) fn recording(facts: &RecordingFacts) -> String {
    format!(
        "{} {}",
        facts.name,
        moment(facts.started, SystemTime::now())
    )
}

/// `event 184,251, call 32 of 32, replay_orders 14:32`
pub(crate) fn moment_of_step(view: &View, hint: &Hint) -> Result<String> {
    let step = hint.step;
    let frame = match hint.frame {
        Some(frame) => Some(frame),
        None => view.recording.frame_of_event(step)?,
    };
    let call = match frame {
        Some(frame) => call_number(view, frame)?,
        None => None,
    };
    let event = render::count(step.0);
    let recording = recording(&view.facts);
    Ok(match call {
        Some((number, total)) => {
            let (number, total) = (render::count(number), render::count(total));
            format!("event {event}, call {number} of {total}, {recording}")
        }
        None => format!("event {event}, {recording}"),
    })
}

/// Which call of how many of its function a frame is, from 1; `None` for what is no function.
fn call_number(view: &View, frame: FrameId) -> Result<Option<(u64, u64)>> {
    let Some(facts) = view.recording.frame(frame)? else {
        return Ok(None);
    };
    let function = view.recording.function(facts.function)?;
    use retrostep_trace::FunctionKind::{Class, Module};
    if matches!(function.kind, Module | Class) {
        return Ok(None);
    }
    let cancel = CancellationToken::new();
    let (recording, code) = (&view.recording, &view.code);
    let number = code.call_number(recording, &function, facts.call, &cancel)?;
    Ok(Some(number))
}

/// A line of a file, from 1.
pub(crate) fn location(path: &str, line: u32) -> Option<Location> {
    let path = Path::new(path);
    let uri = to_proto::uri(path.is_absolute().then_some(path)?)?;
    let start = Position::new(to_proto::line(line), 0);
    Some(Location::new(uri, Range::new(start, start)))
}

/// Where a recorded line is now, if its document is open; `None` if it is not, or the line changed.
pub(crate) fn current_range(
    ctx: &Context,
    recording: &Recording,
    source: SourceId,
    line: u32,
) -> Result<Option<Range>> {
    let recorded = recording.source(source)?;
    let path = crate::document::resolved(Path::new(&*recorded.path));
    let document = ctx
        .documents
        .iter()
        .find(|document| document.path.as_ref() == Some(&path));
    let (Some(document), Some(text)) = (document, ctx.recordings.text(recording, source)?) else {
        return Ok(None);
    };
    let now = document.line_map(&text).to_buffer(line);
    Ok(now.map(|now| to_proto::line_range(&document.text, now, ctx.client.encoding)))
}

/// How long something took, or when it was: `51 ms`, `3.87 s`.
pub(crate) fn time(ns: u64) -> String {
    let seconds = ns as f64 / 1e9;
    match ns {
        0..1_000 => format!("{ns} ns"),
        1_000..1_000_000 => format!("{:.0} µs", ns as f64 / 1e3),
        1_000_000..10_000_000 => format!("{:.1} ms", ns as f64 / 1e6),
        10_000_000..1_000_000_000 => format!("{:.0} ms", ns as f64 / 1e6),
        1_000_000_000..60_000_000_000 => format!("{seconds:.2} s"),
        _ => format!("{:.0} s", seconds),
    }
}
