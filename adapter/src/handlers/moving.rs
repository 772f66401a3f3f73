//! Steps, runs and jumps.

use retrostep_replay::StepKind;
use retrostep_trace::{CancellationToken, Direction, Position};
use serde::Deserialize;

use super::{Reply, Result};
use crate::dap::types;
use crate::error::RequestError;
use crate::from_proto;
use crate::moves::{Announcement, Move};
use crate::to_proto;
use crate::worker::Worker;

/// The arguments of `retrostep/seek`.
#[derive(Debug, Deserialize)]
pub(super) struct SeekArguments {
    position: u64,
}

fn step(
    worker: &mut Worker,
    kind: StepKind,
    direction: Direction,
    thread: i64,
    announcement: Announcement,
) -> Result<Reply> {
    let thread = worker.replay()?.known_thread(from_proto::thread(thread)?)?;
    Ok(Reply::moving(
        Move::Step(kind, direction, thread),
        announcement,
    ))
}

pub(super) fn next(worker: &mut Worker, arguments: types::NextArguments) -> Result<Reply> {
    let direction = worker.console.direction();
    step(
        worker,
        StepKind::Over,
        direction,
        arguments.thread_id,
        Announcement::Implied,
    )
}

pub(super) fn step_in(worker: &mut Worker, arguments: types::StepInArguments) -> Result<Reply> {
    let direction = worker.console.direction();
    step(
        worker,
        StepKind::Into,
        direction,
        arguments.thread_id,
        Announcement::Implied,
    )
}

pub(super) fn step_out(worker: &mut Worker, arguments: types::StepOutArguments) -> Result<Reply> {
    let direction = worker.console.direction();
    step(
        worker,
        StepKind::Out,
        direction,
        arguments.thread_id,
        Announcement::Implied,
    )
}

pub(super) fn step_back(worker: &mut Worker, arguments: types::StepBackArguments) -> Result<Reply> {
    step(
        worker,
        StepKind::Over,
        Direction::Backward,
        arguments.thread_id,
        Announcement::Implied,
    )
}

pub(super) fn step_back_into(
    worker: &mut Worker,
    arguments: types::StepBackArguments,
) -> Result<Reply> {
    step(
        worker,
        StepKind::Into,
        Direction::Backward,
        arguments.thread_id,
        Announcement::Needed,
    )
}

pub(super) fn step_back_out(
    worker: &mut Worker,
    arguments: types::StepBackArguments,
) -> Result<Reply> {
    step(
        worker,
        StepKind::Out,
        Direction::Backward,
        arguments.thread_id,
        Announcement::Needed,
    )
}

pub(super) fn resume(worker: &mut Worker, arguments: types::ContinueArguments) -> Result<Reply> {
    from_proto::thread(arguments.thread_id)?;
    worker.replay()?;
    let mut reply = Reply::with(types::ContinueResponseBody {
        all_threads_continued: Some(true),
    })?;
    reply.after = crate::moves::After::Move(
        Move::Resume(worker.console.direction()),
        Announcement::Implied,
    );
    Ok(reply)
}

pub(super) fn reverse_continue(
    worker: &mut Worker,
    arguments: types::ReverseContinueArguments,
) -> Result<Reply> {
    from_proto::thread(arguments.thread_id)?;
    worker.replay()?;
    Ok(Reply::moving(
        Move::Resume(Direction::Backward),
        Announcement::Implied,
    ))
}

/// A target's number is its position: nothing has to be kept.
pub(super) fn goto_targets(
    worker: &mut Worker,
    arguments: types::GotoTargetsArguments,
    cancel: &CancellationToken,
) -> Result<Reply> {
    let client = worker.client;
    let timeline = &worker.replay()?.timeline;
    let line = client.engine_line(arguments.line);
    let mut targets = Vec::new();
    for source in from_proto::sources(timeline, &arguments.source)? {
        for target in timeline.goto_targets(source, line, cancel)? {
            targets.push(types::GotoTarget {
                id: to_proto::whole(target.position.0),
                label: target.label,
                line: client.line(target.line),
                ..types::GotoTarget::default()
            });
        }
    }
    Reply::with(types::GotoTargetsResponseBody { targets })
}

pub(super) fn goto(worker: &mut Worker, arguments: types::GotoArguments) -> Result<Reply> {
    let end = worker.replay()?.timeline.end();
    let position = u64::try_from(arguments.target_id)
        .ok()
        .map(Position)
        .filter(|position| *position <= end)
        .ok_or_else(|| {
            RequestError::client(format!("there is no target {}", arguments.target_id))
        })?;
    Ok(Reply::moving(Move::Seek(position), Announcement::Needed))
}

pub(super) fn seek(worker: &mut Worker, arguments: &SeekArguments) -> Result<Reply> {
    worker.replay()?;
    Ok(Reply::moving(
        Move::Seek(Position(arguments.position)),
        Announcement::Needed,
    ))
}

pub(super) fn restart_frame(
    worker: &mut Worker,
    arguments: types::RestartFrameArguments,
) -> Result<Reply> {
    let frame = worker.replay()?.frame(arguments.frame_id)?;
    Ok(Reply::moving(
        Move::RestartFrame(frame),
        Announcement::Needed,
    ))
}
