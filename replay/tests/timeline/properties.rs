//! Properties of every move, over generated programs.

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use retrostep_replay::{
    DataBreakpoint, ExceptionFilter, FunctionBreakpoint, HitCondition, LineBreakpoint, Place,
    ResolvedBreakpoint, StepKind, Stop, StopReason, Timeline,
};
use retrostep_trace::{
    CancellationToken, Direction, FrameId, Position, Recording, ThreadEvent, ThreadId,
};

use crate::program::{
    Choices, FUNCTIONS, GLOBALS, LINES, PATH, SHARED, generate, line, record, record_in_blocks,
    text, write,
};
use crate::reference::{DataHit, Halt, Reference, Watched, numbered, position};

const KINDS: [StepKind; 3] = [StepKind::Over, StepKind::Into, StepKind::Out];
const DIRECTIONS: [Direction; 2] = [Direction::Forward, Direction::Backward];

fn timeline(events: &[ThreadEvent]) -> Timeline {
    Timeline::new(record(events), |_| None).unwrap()
}

fn reached(stop: &Stop) -> Halt {
    let at = stop.position.0 as usize;
    match stop.reason {
        StopReason::Start => Halt::Start,
        StopReason::End => Halt::End,
        StopReason::StartOfThread => Halt::ThreadStart(at),
        StopReason::EndOfThread => Halt::ThreadEnd(at),
        _ => Halt::Step(at),
    }
}

fn place_of(end: Halt, length: usize) -> usize {
    match end {
        Halt::Step(at) | Halt::ThreadStart(at) | Halt::ThreadEnd(at) => at,
        Halt::Start => 0,
        Halt::End => length,
    }
}

/// What is set in a generated test, by brute force: where it stops in each direction.
#[derive(Debug, Default)]
struct Expected {
    forward: BTreeSet<usize>,
    backward: BTreeSet<usize>,
}

impl Expected {
    fn add(&mut self, hits: &[usize]) {
        self.forward.extend(hits);
        self.backward.extend(hits);
    }

    fn add_data(&mut self, hits: &[DataHit]) {
        self.forward.extend(hits.iter().map(|hit| hit.after));
        self.backward.extend(hits.iter().map(|hit| hit.before));
    }

    fn next(&self, at: usize, direction: Direction) -> Option<usize> {
        match direction {
            Direction::Forward => self.forward.range(at + 1..).next().copied(),
            Direction::Backward => self.backward.range(..at).next_back().copied(),
        }
    }
}

/// A hit condition, or none, with its text.
fn hit_condition(choices: &mut Choices<'_>) -> (Option<String>, Option<HitCondition>) {
    let number = 1 + choices.below(4);
    let sign = ["", "", "==", ">", ">=", "<", "<=", "%"][choices.below(8)];
    let text = match choices.below(2) {
        0 => return (None, None),
        _ => format!("{sign} {number}"),
    };
    let parsed = HitCondition::parse(&text).unwrap();
    (Some(text), Some(parsed))
}

/// Sets some breakpoints of every sort.
fn try_set_up(
    timeline: &mut Timeline,
    reference: &Reference<'_>,
    choices: &mut Choices<'_>,
) -> retrostep_replay::Result<(Expected, Vec<ResolvedBreakpoint>)> {
    let mut expected = Expected::default();
    let mut lines = Vec::new();
    for _ in 0..choices.below(4) {
        let at = line(
            choices.below(FUNCTIONS as usize) as u32,
            choices.below(LINES as usize / 2) as u32,
        );
        let (hit_condition, parsed) = hit_condition(choices);
        let condition = (choices.below(3) == 1).then(|| choices.below(3) as i64);
        let mut hits = reference.line_hits(at);
        hits.retain(|&hit| condition.is_none_or(|number| reference.first_local_is(number, hit)));
        expected.add(&numbered(&hits, parsed));
        lines.push(LineBreakpoint {
            line: at,
            condition: condition.map(|number| format!("a == {number}")),
            hit_condition,
            ..LineBreakpoint::default()
        });
    }
    let mut set = timeline.set_line_breakpoints(PATH, &lines)?;

    let mut functions = Vec::new();
    for _ in 0..choices.below(3) {
        let function = choices.below(FUNCTIONS as usize) as u32;
        let (hit_condition, parsed) = hit_condition(choices);
        expected.add(&numbered(&reference.function_hits(function), parsed));
        functions.push(FunctionBreakpoint {
            name: format!("f{function}"),
            hit_condition,
            ..FunctionBreakpoint::default()
        });
    }
    set.extend(timeline.set_function_breakpoints(&functions)?);

    let filters = [
        (ExceptionFilter::Raised, reference.raises()),
        (ExceptionFilter::Uncaught, reference.uncaught()),
        (ExceptionFilter::Left, reference.unwinds()),
    ];
    let mut chosen = Vec::new();
    for (filter, stops) in filters {
        if choices.below(3) == 1 {
            expected.add(&stops);
            chosen.push(filter);
        }
    }
    timeline.set_exception_filters(&chosen);

    let mut data = Vec::new();
    for watched in watched(reference, choices) {
        let (hit_condition, parsed) = hit_condition(choices);
        let hits: Vec<DataHit> = (reference.data_hits(watched).into_iter().zip(1..))
            .filter(|&(_, number)| parsed.is_none_or(|parsed| parsed.holds(number)))
            .map(|(hit, _)| hit)
            .collect();
        expected.add_data(&hits);
        data.push(DataBreakpoint {
            place: place(watched),
            condition: None,
            hit_condition,
            name: None,
        });
    }
    set.extend(timeline.set_data_breakpoints(&data)?);
    Ok((expected, set))
}

/// As [`try_set_up`], where all must succeed.
fn set_up(
    timeline: &mut Timeline,
    reference: &Reference<'_>,
    choices: &mut Choices<'_>,
) -> Expected {
    let (expected, set) = try_set_up(timeline, reference, choices).unwrap();
    assert!(set.iter().all(|breakpoint| breakpoint.verified), "{set:?}");
    expected
}

fn watched(reference: &Reference<'_>, choices: &mut Choices<'_>) -> Vec<Watched> {
    let frames: BTreeSet<FrameId> = (0..reference.end())
        .filter_map(|at| reference.frame_of(at))
        .collect();
    let mut watched = Vec::new();
    if choices.below(3) == 1 {
        watched.push(Watched::Global);
    }
    for _ in 0..choices.below(3) {
        let index = choices.below(frames.len());
        let frame = frames.iter().nth(index).copied().unwrap();
        watched.push(Watched::Local(frame, choices.below(2) as u32));
    }
    watched
}

fn place(watched: Watched) -> Place {
    match watched {
        Watched::Local(frame, slot) => Place::Local { frame, slot },
        Watched::Global => Place::Entry {
            object: GLOBALS,
            key: text("g"),
        },
    }
}

/// Some of the positions that a move can end at, both ends, and some positions between.
fn standing_places(reference: &Reference<'_>, choices: &mut Choices<'_>) -> Vec<usize> {
    const MOST: usize = 8;
    let end = reference.end();
    let stride = end.div_ceil(MOST).max(1);
    let offset = choices.below(stride);
    let mut places: Vec<usize> = (offset..end).step_by(stride).collect();
    places.extend([0, end]);
    let steps: Vec<usize> = reference.steps().collect();
    let stride = steps.len().div_ceil(MOST).max(1);
    places.extend(steps.iter().skip(choices.below(stride)).step_by(stride));
    places
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_step_ends_where_the_plain_event_list_says(
        bytes in vec(any::<u8>(), 0..200),
        places in vec(any::<u8>(), 2),
    ) {
        let events = generate(&bytes);
        let reference = Reference::new(&events);
        let mut timeline = timeline(&events);
        let cancel = CancellationToken::new();
        for at in standing_places(&reference, &mut Choices::new(&places)) {
            timeline.seek(position(at)).unwrap();
            for thread in reference.threads() {
                for kind in KINDS {
                    for direction in DIRECTIONS {
                        let stop = timeline.find_step(kind, direction, thread, &cancel).unwrap();
                        let expected = reference.step(kind, direction, thread, at);
                        prop_assert_eq!(
                            reached(&stop), expected,
                            "{:?} {:?} of {:?} from {} in {:#?}", kind, direction, thread, at, numbered_events(&events)
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn every_move_stops_at_the_nearest_breakpoint(
        bytes in vec(any::<u8>(), 0..200),
        setting in vec(any::<u8>(), 0..40),
        places in vec(any::<u8>(), 2),
    ) {
        let events = generate(&bytes);
        let reference = Reference::new(&events);
        let mut timeline = timeline(&events);
        let expected = set_up(&mut timeline, &reference, &mut Choices::new(&setting));
        let cancel = CancellationToken::new();
        for at in standing_places(&reference, &mut Choices::new(&places)) {
            timeline.seek(position(at)).unwrap();
            for direction in DIRECTIONS {
                let next = expected.next(at, direction);
                let stop = timeline.find_resume(direction, &cancel).unwrap();
                let end = match direction {
                    Direction::Forward => events.len(),
                    Direction::Backward => 0,
                };
                prop_assert_eq!(
                    stop.position, position(next.unwrap_or(end)),
                    "resume {:?} from {} of {:?} in {:#?}", direction, at, expected, numbered_events(&events)
                );
                for thread in reference.threads() {
                    for kind in KINDS {
                        let target = place_of(reference.step(kind, direction, thread, at), events.len());
                        let expected = match next {
                            Some(next) if direction == Direction::Forward => next.min(target),
                            Some(next) => next.max(target),
                            None => target,
                        };
                        let stop = timeline.find_step(kind, direction, thread, &cancel).unwrap();
                        prop_assert_eq!(stop.position, position(expected));
                    }
                }
            }
        }
    }

    #[test]
    fn a_data_breakpoint_stops_where_it_does_when_all_changes_are_known(
        bytes in vec(any::<u8>(), 0..200),
        setting in vec(any::<u8>(), 0..20),
        block in 1usize..40,
    ) {
        let events = generate(&bytes);
        let reference = Reference::new(&events);
        let recording = record_in_blocks(&events, block);
        let choices = &mut Choices::new(&setting);
        let mut places: Vec<Place> = watched(&reference, choices).into_iter().map(place).collect();
        places.push(Place::Object { object: SHARED });
        let condition = (choices.below(3) == 1).then(|| "a == 1".to_owned());
        // To number the changes all of them have to be known.
        let timelines = [None, Some(">= 1".to_owned())].map(|hit_condition| {
            let mut timeline = Timeline::new(Arc::clone(&recording), |_| None).unwrap();
            let points: Vec<DataBreakpoint> = (places.iter().cloned())
                .map(|place| DataBreakpoint {
                    place,
                    condition: condition.clone(),
                    hit_condition: hit_condition.clone(),
                    name: None,
                })
                .collect();
            timeline.set_data_breakpoints(&points).unwrap();
            timeline
        });
        let cancel = CancellationToken::new();
        let [mut nearest, mut all] = timelines;
        for at in 0..=events.len() {
            nearest.seek(position(at)).unwrap();
            all.seek(position(at)).unwrap();
            for direction in DIRECTIONS {
                let found = nearest.find_resume(direction, &cancel).unwrap();
                let expected = all.find_resume(direction, &cancel).unwrap();
                prop_assert_eq!(
                    format!("{found:?}"), format!("{expected:?}"),
                    "{:?} from {} of {:?} in blocks of {} in {:#?}",
                    direction, at, places, block, numbered_events(&events)
                );
            }
        }
    }

    #[test]
    fn stops_met_backward_are_those_met_forward_reversed(
        bytes in vec(any::<u8>(), 0..200),
        setting in vec(any::<u8>(), 0..40),
    ) {
        let events = generate(&bytes);
        let reference = Reference::new(&events);
        let mut timeline = timeline(&events);
        let expected = set_up(&mut timeline, &reference, &mut Choices::new(&setting));
        timeline.seek(Position::START).unwrap();
        let forward = all_stops(&mut timeline, Direction::Forward);
        let mut backward = all_stops(&mut timeline, Direction::Backward);
        backward.reverse();
        prop_assert_eq!(&forward, &expected.forward.iter().copied().collect::<Vec<_>>());
        prop_assert_eq!(&backward, &expected.backward.iter().copied().collect::<Vec<_>>());
        timeline.set_data_breakpoints(&[]).unwrap();
        timeline.seek(Position::START).unwrap();
        let forward = all_stops(&mut timeline, Direction::Forward);
        let mut backward = all_stops(&mut timeline, Direction::Backward);
        backward.reverse();
        prop_assert_eq!(forward, backward);
    }

    #[test]
    fn steps_undo_each_other(bytes in vec(any::<u8>(), 0..200)) {
        let events = generate(&bytes);
        let reference = Reference::new(&events);
        let mut timeline = timeline(&events);
        let cancel = CancellationToken::new();
        for at in reference.steps().collect::<Vec<_>>() {
            let thread = events[at].thread;
            for direction in DIRECTIONS {
                for kind in [StepKind::Into, StepKind::Over] {
                    timeline.seek(position(at)).unwrap();
                    let there = timeline.step(kind, direction, thread, &cancel).unwrap();
                    let Halt::Step(reached) = reached(&there) else { continue };
                    if kind == StepKind::Over && reference.frame_of(reached) != reference.frame_of(at) {
                        continue;
                    }
                    let back = timeline.step(kind, direction.reversed(), there.thread, &cancel).unwrap();
                    prop_assert_eq!(back.position, position(at), "{:?} {:?}", kind, direction);
                }
            }
        }
    }

    #[test]
    fn a_stack_does_not_depend_on_the_way_there(bytes in vec(any::<u8>(), 0..200)) {
        let events = generate(&bytes);
        let reference = Reference::new(&events);
        let mut timeline = timeline(&events);
        let cancel = CancellationToken::new();
        let thread = timeline.thread();
        loop {
            let stop = timeline.step(StepKind::Into, Direction::Forward, thread, &cancel).unwrap();
            if !matches!(stop.reason, StopReason::Step) {
                break;
            }
            let stepped = stacks(&timeline, &reference);
            let at = timeline.position();
            timeline.seek(timeline.end()).unwrap();
            timeline.seek(at).unwrap();
            prop_assert_eq!(&stepped, &stacks(&timeline, &reference));
            for (thread, stack) in stepped {
                let plain = reference.stack(thread, at.0 as usize).iter().rev();
                if !stack.is_empty() && plain.len() > 0 {
                    prop_assert!(stack.iter().eq(plain));
                }
            }
        }
    }

    #[test]
    fn a_damaged_recording_can_be_walked_through(
        bytes in vec(any::<u8>(), 0..200),
        setting in vec(any::<u8>(), 0..40),
        damage in vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        kept in any::<prop::sample::Index>(),
        cut in any::<bool>(),
    ) {
        let events = generate(&bytes);
        let reference = Reference::new(&events);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("damaged.retro");
        write(&events, &path);
        let mut file = std::fs::read(&path).unwrap();
        for (index, byte) in damage {
            let index = index.index(file.len());
            file[index] = byte;
        }
        if cut {
            file.truncate(kept.index(file.len()));
        }
        std::fs::write(&path, &file).unwrap();
        let Ok(recording) = Recording::open(&path) else { return Ok(()) };
        let Ok(mut timeline) = Timeline::new(Arc::new(recording), |_| None) else { return Ok(()) };
        let _ = try_set_up(&mut timeline, &reference, &mut Choices::new(&setting));
        let cancel = CancellationToken::new();
        for direction in DIRECTIONS {
            for _ in 0..events.len() + 2 {
                let before = timeline.position();
                let Ok(stop) = timeline.resume(direction, &cancel) else { break };
                prop_assert!(timeline.position() <= timeline.end());
                prop_assert_eq!(stop.position, timeline.position());
                let _ = timeline.stack(stop.thread, 0, 10);
                let _ = timeline.exception_info();
                if timeline.position() == before {
                    break;
                }
                for kind in KINDS {
                    let _ = timeline.find_step(kind, direction, stop.thread, &cancel);
                    let _ = timeline.find_step(kind, direction.reversed(), stop.thread, &cancel);
                }
            }
        }
    }

    #[test]
    fn a_cancelled_search_stands_where_it_stood(bytes in vec(any::<u8>(), 0..200)) {
        let events = generate(&bytes);
        let mut timeline = timeline(&events);
        timeline.seek(position(events.len() / 2)).unwrap();
        let (at, thread) = (timeline.position(), timeline.thread());
        timeline.set_exception_filters(&[ExceptionFilter::Raised]);
        let cancel = CancellationToken::new();
        cancel.cancel();
        for direction in DIRECTIONS {
            let stop = timeline.resume(direction, &cancel).unwrap();
            prop_assert!(matches!(stop.reason, StopReason::Cancelled));
            prop_assert_eq!(&stop.description, "Search cancelled");
            prop_assert_eq!((stop.position, timeline.position()), (at, at));
            prop_assert_eq!(timeline.thread(), thread);
        }
    }
}

/// The generator makes every sort of event, and often enough for the properties to mean something.
#[test]
fn generated_programs_have_every_sort_of_event() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut counts = std::collections::BTreeMap::<String, usize>::new();
    for _ in 0..100 {
        let tree = vec(any::<u8>(), 0..200).new_tree(&mut runner).unwrap();
        for event in generate(&tree.current()) {
            let name = format!("{:?}", event.event);
            let end = name.find([' ', '(']).unwrap_or(name.len());
            *counts.entry(name[..end].to_owned()).or_default() += 1;
        }
    }
    for name in [
        "Call",
        "Line",
        "Object",
        "Raise",
        "Resume",
        "Return",
        "ThreadStart",
        "Unwind",
        "Write",
        "Yield",
    ] {
        assert!(
            counts.get(name).is_some_and(|&count| count >= 50),
            "{name}: {counts:?}"
        );
    }
}

fn stacks(timeline: &Timeline, reference: &Reference<'_>) -> Vec<(ThreadId, Vec<FrameId>)> {
    let stack = |thread| {
        let page = timeline.stack(thread, 0, 1000).unwrap();
        assert_eq!(page.total, page.frames.len() as u64);
        page.frames.iter().map(|frame| frame.frame).collect()
    };
    let threads = reference.threads().into_iter();
    threads.map(|thread| (thread, stack(thread))).collect()
}

fn all_stops(timeline: &mut Timeline, direction: Direction) -> Vec<usize> {
    let cancel = CancellationToken::new();
    let mut stops = Vec::new();
    loop {
        let before = timeline.position();
        let stop = timeline.resume(direction, &cancel).unwrap();
        if matches!(stop.reason, StopReason::Start | StopReason::End) {
            return stops;
        }
        assert_ne!(stop.position, before, "{stop:?}");
        stops.push(stop.position.0 as usize);
    }
}

/// Events as failed properties print them.
fn numbered_events(events: &[ThreadEvent]) -> Vec<String> {
    let describe =
        |(at, event): (usize, &ThreadEvent)| format!("{at}: {} {:?}", event.thread, event.event);
    events.iter().enumerate().map(describe).collect()
}
