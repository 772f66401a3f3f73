//! Everything that can be asked of a recording, asked at moments spread over it.

use std::collections::BTreeSet;

use retrostep_trace::{
    CancellationToken, Direction, Event, FrameId, FunctionId, Key, LineMoment, LineScan,
    LineVisitor, ObjectId, Part, Position, Recording, SourceId, ThreadId, TypeId,
};

/// The most moments that are looked at.
const MOMENTS: u64 = 8;
/// The most threads, frames or objects that are asked for at a moment.
const FEW: usize = 4;

/// Asks; errors are answers, panics are not.
pub fn ask(recording: &Recording) {
    let cancel = CancellationToken::new();
    let _ = recording.completeness();
    let _ = recording.summary();
    let end = recording.end().0;
    definitions(recording);
    let threads: Vec<ThreadId> = recording
        .threads()
        .map(|threads| threads.iter().map(|thread| thread.thread).collect())
        .unwrap_or_default();
    let stride = (end / MOMENTS).max(1);
    let moments = (0..MOMENTS).map(|moment| moment.saturating_mul(stride));
    for at in moments.filter(|at| *at <= end).chain([end]).map(Position) {
        moment(recording, at, &threads, &cancel);
    }
    views(recording, &cancel);
    let _ = recording.verify(&mut |_| {}, &cancel);
    let _ = recording.completeness();
}

/// What goes through a recording as a whole.
fn views(recording: &Recording, cancel: &CancellationToken) {
    let end = recording.end();
    let keys = [
        Key::Line(SourceId(0), 2),
        Key::Call(FunctionId(1)),
        Key::Raise,
    ];
    for range in [Position(0)..end, Position(end.0 / 3)..Position(end.0 / 2)] {
        let _ = recording.overview(range.clone(), 100, &keys, cancel);
        for direction in [Direction::Forward, Direction::Backward] {
            let scan = LineScan {
                source: SourceId(0),
                line: 2,
                names: &["n".into(), "total".into(), "__name__".into()],
                parts: &[(0, Part::Attribute("total")), (1, Part::Item(0))],
                range: range.clone(),
                direction,
            };
            let _ = recording.scan_line(&scan, &mut Everything, cancel);
        }
    }
}

/// Goes on to the end.
struct Everything;

impl LineVisitor for Everything {
    fn moment(&mut self, _: &LineMoment<'_>) -> bool {
        true
    }

    fn block(&mut self, _: Position) -> bool {
        true
    }
}

fn definitions(recording: &Recording) {
    for id in 0..recording.source_count().min(16) {
        let _ = recording.source(SourceId(id));
    }
    for id in 0..recording.function_count().min(16) {
        let _ = recording.function(FunctionId(id));
    }
    for id in 0..recording.type_count().min(16) {
        let _ = recording.type_of(TypeId(id));
    }
}

fn moment(recording: &Recording, at: Position, threads: &[ThreadId], cancel: &CancellationToken) {
    let mut keys = vec![
        Key::Step,
        Key::Raise,
        Key::Uncaught,
        Key::Unwind,
        Key::Output,
        Key::Mark,
        Key::External,
        Key::Line(SourceId(0), 2),
        Key::Call(FunctionId(1)),
        Key::VariableWrite(FunctionId(1), 0),
    ];
    let mut frames = BTreeSet::new();
    let mut objects = BTreeSet::new();
    match recording.event(at) {
        Ok(Some(event)) => note(&event.event, &mut objects),
        Ok(None) | Err(_) => {}
    }
    frames.extend(recording.frame_of_event(at).ok().flatten());
    let _ = recording.thread_at(at);
    let _ = recording.time_ns(at);
    for &thread in threads.iter().take(FEW) {
        keys.extend([Key::Thread(thread), Key::ThreadStep(thread)]);
        let _ = recording.task_at(thread, at);
        let _ = recording.stack_depth(thread, at);
        if let Ok(stack) = recording.stack(thread, at, 0, 50) {
            frames.extend(stack.iter().map(|state| state.frame).take(FEW));
        }
    }
    for &frame in frames.iter().take(FEW) {
        look_at_frame(recording, frame, at, &mut objects, &mut keys);
    }
    for &object in objects.iter().take(FEW).chain([&ObjectId(0)]) {
        let _ = recording.excerpt(object, 200..600, at);
        for direction in [Direction::Forward, Direction::Backward] {
            let range = match direction {
                Direction::Forward => at..recording.end(),
                Direction::Backward => Position::START..at,
            };
            let _ = recording.find_change(object, Part::Item(4000), range, direction, cancel);
        }
        keys.push(Key::Object(object));
        if let Ok(Some((content, _))) = recording.object(object, at) {
            let _ = recording.type_of(content.type_id);
        }
    }
    for key in keys {
        for direction in [Direction::Forward, Direction::Backward] {
            if let Ok(Some(found)) = recording.find(key, at, direction, cancel) {
                assert!(found < recording.end(), "{key:?} found at the end");
                match direction {
                    Direction::Forward => assert!(found >= at, "{key:?} found behind"),
                    Direction::Backward => assert!(found < at, "{key:?} found ahead"),
                }
            }
        }
        if let Ok(count) = recording.count(key, at, cancel) {
            let _ = recording.nth(key, count / 2, cancel);
        }
    }
}

fn look_at_frame(
    recording: &Recording,
    frame: FrameId,
    at: Position,
    objects: &mut BTreeSet<ObjectId>,
    keys: &mut Vec<Key>,
) {
    keys.extend([
        Key::FrameStep(frame),
        Key::FrameExit(frame),
        Key::FrameYield(frame),
        Key::FrameResume(frame),
        Key::CallFrom(frame),
        Key::Write(frame, 0),
    ]);
    if let Ok(Some(facts)) = recording.frame(frame) {
        objects.extend(facts.globals);
        let _ = recording.function(facts.function);
    }
    let _ = recording.local(frame, 0, at);
    for written in recording
        .locals(frame, at)
        .unwrap_or_default()
        .into_iter()
        .flatten()
    {
        if let Some(retrostep_trace::Value::Object(object)) = written.value {
            objects.insert(object);
        }
    }
}

fn note(event: &Event, objects: &mut BTreeSet<ObjectId>) {
    if let Event::Object { object, .. } = event {
        objects.insert(*object);
    }
}
