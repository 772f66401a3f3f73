//! Moving the timeline and telling the client where it stands.

use std::fmt::Write as _;

use retrostep_replay::{StepKind, Stop, StopReason, Timeline};
use retrostep_trace::{CancellationToken, Direction, FrameId, Position, ThreadId};
use serde_json::json;

use crate::breakpoints::Unprinted;
use crate::error::RequestError;
use crate::launch::StartAt;
use crate::position;
use crate::to_proto;
use crate::worker::Worker;

/// How many lines of a logpoint are printed.
const MAX_LOG_LINES: usize = 1_000;

/// What a request does after its answer.
#[derive(Clone, Debug)]
pub(crate) enum After {
    /// Nothing.
    Nothing,
    /// It moves.
    Move(Move, Announcement),
    /// The timeline was moved already, to this stop.
    Moved(Stop),
    /// It prints the whole past of the logpoints that are new.
    PrintLogs,
}

/// A move of the timeline.
#[derive(Clone, Debug)]
pub(crate) enum Move {
    Step(StepKind, Direction, ThreadId),
    Resume(Direction),
    Seek(Position),
    RestartFrame(FrameId),
}

/// Whether the client knows by itself that the program runs before it stops again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Announcement {
    /// The request is one of the protocol's that imply it.
    Implied,
    /// A `continued` event has to tell it.
    Needed,
}

/// Does what comes after an answer.
pub(crate) fn perform(
    worker: &mut Worker,
    after: After,
    cancel: &CancellationToken,
) -> Result<(), RequestError> {
    match after {
        After::Nothing => Ok(()),
        After::Move(to, announcement) => {
            let replay = worker.replay()?;
            let stop = apply(&mut replay.timeline, &to, cancel)?;
            tell(worker, stop, announcement)
        }
        After::Moved(stop) => tell(worker, stop, Announcement::Needed),
        After::PrintLogs => {
            print_logs(worker, cancel);
            Ok(())
        }
    }
}

fn apply(
    timeline: &mut Timeline,
    to: &Move,
    cancel: &CancellationToken,
) -> retrostep_replay::Result<Stop> {
    match *to {
        Move::Step(kind, direction, thread) => timeline.step(kind, direction, thread, cancel),
        Move::Resume(direction) => timeline.resume(direction, cancel),
        Move::Seek(position) => timeline.seek(position),
        Move::RestartFrame(frame) => timeline.restart_frame(frame),
    }
}

/// Goes to where the replay begins.
pub(crate) fn begin(worker: &mut Worker, start_at: StartAt) -> Result<(), RequestError> {
    let timeline = &mut worker.replay()?.timeline;
    let stop = match start_at {
        StartAt::Exception => timeline.seek_failure()?,
        StartAt::Entry => timeline.seek(Position::START)?,
        StartAt::End => timeline.seek(timeline.end())?,
        StartAt::Position(position) => timeline.seek(position)?,
    };
    tell(worker, stop, Announcement::Implied)?;
    print_logs(worker, &CancellationToken::new());
    Ok(())
}

/// Tells the client that a move ended nowhere, and where it still stands.
pub(crate) fn failed(worker: &mut Worker, error: &RequestError) -> Result<(), RequestError> {
    let timeline = &worker.replay()?.timeline;
    let stop = Stop {
        position: timeline.position(),
        thread: timeline.thread(),
        reason: StopReason::Cancelled,
        breakpoints: Vec::new(),
        description: "The recording could not be read".to_owned(),
        text: Some(error.message.clone()),
    };
    tell(worker, stop, Announcement::Implied)
}

/// Tells the client of a stop: `stopped`, then `retrostep/position`.
fn tell(worker: &mut Worker, stop: Stop, announcement: Announcement) -> Result<(), RequestError> {
    let hit = worker.breakpoints.numbers_of(&stop.breakpoints);
    let client = worker.client;
    let outbox = worker.outbox.clone();
    let publishing = worker.publishing.clone();
    let replay = worker.replay()?;
    replay.handles.expire();
    if let Some(damage) = replay.new_damage() {
        outbox.emit(
            "output",
            json!({"category": "important", "output": format!("{damage}\n")}),
        );
    }
    for message in replay.timeline.take_messages() {
        outbox.emit(
            "output",
            json!({"category": "console", "output": format!("{message}\n")}),
        );
    }
    let last_thread = replay.last_stop.as_ref().map(|stop| stop.thread);
    if let Some(last_thread) = last_thread
        && (announcement == Announcement::Needed || last_thread != stop.thread)
    {
        let thread_id = to_proto::thread_id(last_thread);
        outbox.emit(
            "continued",
            json!({"threadId": thread_id, "allThreadsContinued": true}),
        );
    }
    outbox.emit("stopped", to_proto::stopped(&stop, hit));
    replay.last_stop = Some(stop);
    publishing.tell(replay);
    outbox.emit("retrostep/position", position::of_replay(replay, &client));
    Ok(())
}

/// Prints every hit of the logpoints that are new, each with its position.
///
/// The timeline does not move: what goes wrong is told where the hits would stand.
fn print_logs(worker: &mut Worker, cancel: &CancellationToken) {
    if worker.replay.is_none() {
        return;
    }
    for logpoint in worker.breakpoints.take_unprinted() {
        if let Err(error) = print_log(worker, logpoint, cancel) {
            let why = match error.word {
                Some("cancelled") => "Search cancelled: not all hits of the logpoint are shown",
                _ => &error.message,
            };
            worker.outbox.emit(
                "output",
                json!({"category": "console", "output": format!("{why}\n")}),
            );
        }
    }
}

fn print_log(
    worker: &mut Worker,
    logpoint: Unprinted,
    cancel: &CancellationToken,
) -> Result<(), RequestError> {
    let client = worker.client;
    let outbox = worker.outbox.clone();
    let replay = worker.replay()?;
    let history = match replay
        .timeline
        .log_history(logpoint.id, MAX_LOG_LINES, cancel)
    {
        Ok(history) => history,
        Err(retrostep_replay::Error::NoSuchLogpoint { .. }) => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    for entry in &history.entries {
        let page = replay
            .recording()
            .stack(entry.thread, entry.position, 0, 1)?;
        let mut body = json!({
            "category": "console",
            "output": format!("{:>10}  {}\n", position::grouped(entry.position.0), entry.text),
            "data": {"position": to_proto::whole(entry.position.0)},
        });
        if let (Some(frame), Some(members)) = (page.first(), body.as_object_mut()) {
            let recording = replay.timeline.recording().clone();
            let function = recording.function(frame.function)?;
            let source = replay.sources.get(&recording, function.source)?;
            members.insert("source".to_owned(), json!(source));
            members.insert("line".to_owned(), json!(client.line(frame.line)));
        }
        outbox.emit("output", body);
    }
    let mut summary = match history.total {
        1 => "1 hit".to_owned(),
        total => format!("{} hits", position::grouped(total)),
    };
    if history.total > history.entries.len() as u64 {
        let shown = position::grouped(history.entries.len() as u64);
        let _ = write!(summary, ", the first {shown} shown");
    }
    outbox.emit(
        "output",
        json!({"category": "console", "output": format!("{summary} of the logpoint\n")}),
    );
    Ok(())
}
