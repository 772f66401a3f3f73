//! Where the replay stands, with texts ready to show.

use std::time::{Duration, UNIX_EPOCH};

use chrono::{DateTime, Local};
use retrostep_replay::{Stop, StopReason};
use retrostep_trace::{
    CancellationToken, Direction, Event, Key, Position, Recording, SourceId, ThreadId,
};
use serde::Serialize;

use crate::client::Client;
use crate::dap::types;
use crate::error::RequestError;
use crate::replaying::Replay;
use crate::to_proto;

/// The body of the `retrostep/position` event and of the answer to the request of that name.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct PositionBody {
    /// `recording` or `replaying`.
    pub(crate) state: &'static str,
    pub(crate) position: i64,
    pub(crate) end: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thread_id: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) thread: Option<String>,
    /// Nanoseconds since the program's start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time_ns: Option<i64>,
    /// The same for people: `3.87 s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) time: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mark: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) function: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) source: Option<types::Source>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) line: Option<i64>,
    /// As in the `stopped` event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) text: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) recording: Option<String>,
    /// For a status bar: `184,266 of 184,312 · raised ValueError`.
    pub(crate) status: String,
    /// For a status line: `◀ 184,266 of 184,312  ✗ ValueError  order 32`.
    pub(crate) status_line: String,
    pub(crate) tooltip: String,
}

/// Where `replay` stands.
pub(crate) fn of_replay(replay: &mut Replay, client: &Client) -> PositionBody {
    let position = replay.timeline.position();
    let end = replay.timeline.end();
    let thread = replay.timeline.thread();
    let recording = replay.timeline.recording().clone();
    // What cannot be read is left out: a client that stands in a damaged place is told so by the stop.
    let time_ns = recording.time_ns(position).ok();
    let mark = mark_before(&recording, position).unwrap_or_default();
    let (mut function, mut source, mut line) = (None, None, None);
    if let Ok(Some((name, id, at))) = innermost(replay, thread) {
        function = Some(name);
        source = replay.sources.get(&recording, id).ok();
        line = Some(client.line(at));
    }
    let thread_name = replay
        .timeline
        .threads()
        .unwrap_or_default()
        .into_iter()
        .find(|state| state.thread == thread)
        .map(|state| state.name.to_string());
    let stop = replay
        .last_stop
        .as_ref()
        .filter(|stop| stop.position == position);
    let name = replay.name();
    let time = time_ns.map(duration);
    let of = format!("{} of {}", grouped(position.0), grouped(end.0));
    let (said, marked) = (stop.map(said), mark.as_deref());
    let status = match said.as_ref().filter(|said| !said.is_empty()) {
        Some(said) => format!("{of} · {said}"),
        None => of.clone(),
    };
    let symbol = stop.and_then(symbol);
    let status_line = [Some(format!("◀ {of}")), symbol, marked.map(str::to_owned)]
        .into_iter()
        .flatten()
        .collect::<Vec<_>>()
        .join("  ");
    let facts: Vec<&str> = [Some(name.as_str()), time.as_deref(), marked]
        .into_iter()
        .flatten()
        .collect();
    PositionBody {
        state: "replaying",
        position: to_proto::whole(position.0),
        end: to_proto::whole(end.0),
        thread_id: Some(to_proto::thread_id(thread)),
        thread: thread_name,
        time_ns: time_ns.map(to_proto::whole),
        tooltip: format!(
            "{}\nValues come from {name} {}",
            facts.join(", "),
            started(recording.header().start_unix_ns)
        ),
        time,
        mark,
        function,
        source,
        line,
        reason: stop.map(|stop| to_proto::stop_reason(&stop.reason)),
        description: stop.map(|stop| stop.description.clone()),
        text: stop.and_then(|stop| stop.text.clone()),
        recording: Some(replay.path.to_string_lossy().into_owned()),
        status,
        status_line,
    }
}

/// The name of the last mark before a position.
fn mark_before(recording: &Recording, position: Position) -> Result<Option<String>, RequestError> {
    let cancel = CancellationToken::new();
    let found = recording.find(Key::Mark, position, Direction::Backward, &cancel)?;
    let event = match found {
        Some(at) => recording.event(at)?.map(|event| event.event),
        None => None,
    };
    Ok(match event {
        Some(Event::Mark { name, .. }) => Some(name.to_string()),
        _ => None,
    })
}

/// The function, source and line of a thread's innermost frame.
fn innermost(
    replay: &Replay,
    thread: ThreadId,
) -> Result<Option<(String, SourceId, u32)>, RequestError> {
    let page = replay.timeline.stack(thread, 0, 1)?;
    let Some(frame) = page.frames.first() else {
        return Ok(None);
    };
    let code = replay.recording().function(frame.function)?;
    Ok(Some((
        code.qualified_name.to_string(),
        code.source,
        frame.line,
    )))
}

/// How far a recording that runs is.
pub(crate) fn of_recording(events: u64, elapsed_ms: u64) -> PositionBody {
    let status = format!("Recording {} events", rounded(events));
    PositionBody {
        state: "recording",
        position: to_proto::whole(events),
        end: to_proto::whole(events),
        thread_id: None,
        thread: None,
        time_ns: Some(to_proto::whole(elapsed_ms.saturating_mul(1_000_000))),
        time: Some(duration(elapsed_ms.saturating_mul(1_000_000))),
        mark: None,
        function: None,
        source: None,
        line: None,
        reason: None,
        description: None,
        text: None,
        recording: None,
        status_line: format!("● {status}"),
        tooltip: status.clone(),
        status,
    }
}

/// What a status bar says of a stop: its description as the continuation of a sentence.
fn said(stop: &Stop) -> String {
    match stop.reason {
        StopReason::Step | StopReason::Goto => String::new(),
        StopReason::DataBreakpoint(_) => stop.description.clone(),
        _ => {
            let mut characters = stop.description.chars();
            let first = characters.next().map(|first| first.to_lowercase());
            first.into_iter().flatten().chain(characters).collect()
        }
    }
}

/// What a status line says of a stop.
fn symbol(stop: &Stop) -> Option<String> {
    match stop.reason {
        StopReason::Exception(_) => {
            let name = stop.description.rsplit(' ').next().unwrap_or_default();
            Some(format!("✗ {name}"))
        }
        _ => Some(said(stop)).filter(|said| !said.is_empty()),
    }
}

/// When a recording was made, in local time: `14:32` today, else with its day.
fn started(unix_ns: u64) -> String {
    let at = DateTime::<Local>::from(UNIX_EPOCH + Duration::from_nanos(unix_ns));
    let form = match at.date_naive() == Local::now().date_naive() {
        true => "%H:%M",
        false => "%-d %b %Y, %H:%M",
    };
    at.format(form).to_string()
}

/// A number with its digits in groups of three: `184,266`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A number in at most three digits: `2.1M`.
pub(crate) fn rounded(number: u64) -> String {
    const UNITS: [(u64, &str); 3] = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    match UNITS.iter().find(|(unit, _)| number >= *unit) {
        Some((unit, letter)) if number < unit * 10 => {
            format!("{}.{}{letter}", number / unit, number % unit * 10 / unit)
        }
        Some((unit, letter)) => format!("{}{letter}", number / unit),
        None => number.to_string(),
    }
}

/// A duration for people: `820 ms`, `3.87 s`, `2:05 min`.
pub(crate) fn duration(ns: u64) -> String {
    let ms = ns / 1_000_000;
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{:02} s", ms / 1_000, ms % 1_000 / 10),
        _ => format!("{}:{:02} min", ms / 60_000, ms % 60_000 / 1_000),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_for_people() {
        let grouped: Vec<String> = [0, 999, 1_000, 184_266, 71_300_000].map(grouped).into();
        assert_eq!(grouped, ["0", "999", "1,000", "184,266", "71,300,000"]);
        let rounded: Vec<String> = [999, 1_000, 2_190_000, 21_900_000, 1_000_000_000]
            .map(rounded)
            .into();
        assert_eq!(rounded, ["999", "1.0k", "2.1M", "21M", "1.0G"]);
        let durations: Vec<String> = [0, 820_000_000, 3_879_000_000, 125_000_000_000]
            .map(duration)
            .into();
        assert_eq!(durations, ["0 ms", "820 ms", "3.87 s", "2:05 min"]);
    }
}
