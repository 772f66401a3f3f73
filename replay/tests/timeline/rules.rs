//! Each rule on a small written example.

use retrostep_replay::{
    DataBreakpoint, ExceptionFilter, FunctionBreakpoint, LineBreakpoint, Place, StepKind, Stop,
    StopReason, Timeline,
};
use retrostep_trace::{
    CancellationToken, Direction, FrameId, ObjectId, Position, SourceId, ThreadEvent, ThreadId,
    Value,
};

use crate::program::{Choices, PATH, SHARED, ThreadBuilder, alone, line, merge, record};

const MAIN: ThreadId = ThreadId(0);
const FORWARD: Direction = Direction::Forward;
const BACKWARD: Direction = Direction::Backward;

fn timeline(events: &[ThreadEvent]) -> Timeline {
    Timeline::new(record(events), |_| None).unwrap()
}

/// A program whose main thread does what `body` says in a call of function 0.
fn program(body: impl FnOnce(&mut ThreadBuilder)) -> Timeline {
    let mut main = ThreadBuilder::new("main");
    main.see_shared();
    main.call(0);
    body(&mut main);
    main.give_back();
    main.events.push(retrostep_trace::Event::ThreadEnd);
    timeline(&alone(main))
}

fn step(timeline: &mut Timeline, kind: StepKind, direction: Direction) -> Stop {
    let thread = timeline.thread();
    let cancel = CancellationToken::new();
    timeline.step(kind, direction, thread, &cancel).unwrap()
}

fn resume(timeline: &mut Timeline, direction: Direction) -> Stop {
    timeline
        .resume(direction, &CancellationToken::new())
        .unwrap()
}

/// The line shown on top of the stack.
fn shown_line(timeline: &Timeline) -> u32 {
    let stack = timeline.stack(timeline.thread(), 0, 1).unwrap();
    stack.frames[0].line
}

/// The lines and descriptions that repeated moves give, up to the first end.
fn walk(timeline: &mut Timeline, mut next: impl FnMut(&mut Timeline) -> Stop) -> Vec<String> {
    let mut met = Vec::new();
    loop {
        let stop = next(timeline);
        let ends = matches!(stop.reason, StopReason::Start | StopReason::End);
        met.push(format!("{} {}", shown_line(timeline), stop.description));
        if ends {
            return met;
        }
    }
}

fn breakpoint(line: u32) -> LineBreakpoint {
    LineBreakpoint {
        line,
        ..LineBreakpoint::default()
    }
}

/// main: lines 1 to 3; line 2 calls function 1, which has lines 101 and 102.
fn calls(main: &mut ThreadBuilder) {
    main.line(1);
    main.line(2);
    main.call(1);
    main.line(101);
    main.line(102);
    main.give_back();
    main.line(3);
}

#[test]
fn step_over_stays_in_the_frame_and_both_ends_are_stops() {
    let mut timeline = program(calls);
    let forward = walk(&mut timeline, |timeline| {
        step(timeline, StepKind::Over, FORWARD)
    });
    assert_eq!(
        forward,
        [
            "1 Step",
            "2 Step",
            "3 Step",
            "3 End of thread",
            "3 End of recording"
        ]
    );
    let backward = walk(&mut timeline, |timeline| {
        step(timeline, StepKind::Over, BACKWARD)
    });
    assert_eq!(
        backward,
        [
            "3 Step back",
            "2 Step back",
            "1 Step back",
            "1 Start of recording"
        ]
    );
}

#[test]
fn step_into_enters_calls_in_both_directions() {
    let mut timeline = program(calls);
    let forward = walk(&mut timeline, |timeline| {
        step(timeline, StepKind::Into, FORWARD)
    });
    assert_eq!(
        forward,
        [
            "1 Step",
            "2 Step",
            "101 Step",
            "102 Step",
            "3 Step",
            "3 End of thread",
            "3 End of recording"
        ]
    );
    let backward = walk(&mut timeline, |timeline| {
        step(timeline, StepKind::Into, BACKWARD)
    });
    assert_eq!(
        backward,
        [
            "3 Step back",
            "102 Step back",
            "101 Step back",
            "2 Step back",
            "1 Step back",
            "1 Start of recording"
        ]
    );
}

#[test]
fn step_out_ends_after_the_call_or_at_the_line_that_made_it() {
    let mut timeline = program(calls);
    for _ in 0..4 {
        step(&mut timeline, StepKind::Into, FORWARD);
    }
    assert_eq!(shown_line(&timeline), 102);
    step(&mut timeline, StepKind::Out, FORWARD);
    assert_eq!(shown_line(&timeline), 3);
    step(&mut timeline, StepKind::Into, BACKWARD);
    assert_eq!(shown_line(&timeline), 102);
    step(&mut timeline, StepKind::Out, BACKWARD);
    assert_eq!(shown_line(&timeline), 2);
}

#[test]
fn step_back_from_a_first_line_goes_to_the_call() {
    let mut timeline = program(calls);
    for _ in 0..3 {
        step(&mut timeline, StepKind::Into, FORWARD);
    }
    assert_eq!(shown_line(&timeline), 101);
    let stop = step(&mut timeline, StepKind::Over, BACKWARD);
    assert_eq!(
        (shown_line(&timeline), stop.description.as_str()),
        (2, "Step back")
    );
}

/// main resumes a generator (lines 301 to 303, suspended after 301 and 302) in lines 1, 2 and 3.
fn generator(main: &mut ThreadBuilder) {
    main.line(1);
    let generator = main.call(3);
    main.line(301);
    main.suspend();
    main.line(2);
    main.resume(generator);
    main.line(302);
    main.suspend();
    main.line(3);
    main.resume(generator);
    main.line(303);
    main.give_back();
    main.line(4);
}

#[test]
fn step_over_a_yield_stays_in_the_generator() {
    let mut timeline = program(generator);
    step(&mut timeline, StepKind::Into, FORWARD);
    step(&mut timeline, StepKind::Into, FORWARD);
    let mut lines = vec![shown_line(&timeline)];
    for _ in 0..3 {
        step(&mut timeline, StepKind::Over, FORWARD);
        lines.push(shown_line(&timeline));
    }
    assert_eq!(lines, [301, 302, 303, 4]);
    step(&mut timeline, StepKind::Into, BACKWARD);
    let mut lines = vec![shown_line(&timeline)];
    for _ in 0..3 {
        step(&mut timeline, StepKind::Over, BACKWARD);
        lines.push(shown_line(&timeline));
    }
    assert_eq!(lines, [303, 302, 301, 1]);
}

#[test]
fn step_out_of_a_generator_goes_to_the_frame_that_resumed_it() {
    let mut timeline = program(generator);
    let in_generator = |timeline: &mut Timeline| {
        timeline.seek(Position::START).unwrap();
        while shown_line(timeline) != 302 {
            step(timeline, StepKind::Into, FORWARD);
        }
    };
    in_generator(&mut timeline);
    step(&mut timeline, StepKind::Out, FORWARD);
    assert_eq!(shown_line(&timeline), 3);
    in_generator(&mut timeline);
    step(&mut timeline, StepKind::Out, BACKWARD);
    assert_eq!(shown_line(&timeline), 2);
}

#[test]
fn a_breakpoint_met_while_stepping_over_stops_there() {
    let mut timeline = program(calls);
    let set = timeline
        .set_line_breakpoints(PATH, &[breakpoint(102)])
        .unwrap();
    step(&mut timeline, StepKind::Over, FORWARD);
    step(&mut timeline, StepKind::Over, FORWARD);
    assert_eq!(shown_line(&timeline), 2);
    let stop = step(&mut timeline, StepKind::Over, FORWARD);
    assert_eq!(
        (shown_line(&timeline), stop.breakpoints),
        (102, vec![set[0].id])
    );
    step(&mut timeline, StepKind::Out, FORWARD);
    let stop = step(&mut timeline, StepKind::Over, BACKWARD);
    assert_eq!(
        (shown_line(&timeline), stop.description.as_str()),
        (102, "Breakpoint")
    );
}

#[test]
fn the_breakpoint_under_ones_feet_does_not_hit_again() {
    let mut timeline = program(|main| {
        for _ in 0..3 {
            main.line(1);
        }
    });
    timeline
        .set_line_breakpoints(PATH, &[breakpoint(1)])
        .unwrap();
    let mut positions = Vec::new();
    for _ in 0..4 {
        positions.push(resume(&mut timeline, FORWARD).position);
    }
    assert!(positions.is_sorted_by(|first, second| first < second));
    let mut backward = Vec::new();
    for _ in 0..4 {
        backward.push(resume(&mut timeline, BACKWARD).position);
    }
    assert_eq!(backward[..3], [positions[2], positions[1], positions[0]]);
    assert_eq!(backward[3], Position::START);
}

#[test]
fn hit_conditions_count_from_the_start_in_both_directions() {
    let mut timeline = program(|main| {
        for number in 0..6 {
            main.line(1);
            main.write(0, Value::Int(number));
        }
        main.line(2);
    });
    let cases = [
        (None, "== 2", vec![2]),
        (None, "% 2", vec![2, 4, 6]),
        (None, "> 4", vec![5, 6]),
        (None, "<= 2", vec![1, 2]),
        (Some("a > 1"), "", vec![4, 5, 6]),
        (Some("a > 1"), "2", vec![5]),
        (Some("a % 2 == 0"), ">= 2", vec![4, 6]),
    ];
    for (condition, hits, expected) in cases {
        let asked = LineBreakpoint {
            line: 1,
            condition: condition.map(str::to_owned),
            hit_condition: Some(hits.to_owned()),
            log_message: None,
        };
        timeline.set_line_breakpoints(PATH, &[asked]).unwrap();
        let cancel = CancellationToken::new();
        let all = timeline.hits(SourceId(0), 1, 0, 100, &cancel).unwrap().hits;
        let number = |stop: &Stop| {
            let hit = all.iter().find(|hit| hit.position == stop.position);
            hit.map(|hit| hit.number)
        };
        timeline.seek(Position::START).unwrap();
        let mut forward = Vec::new();
        while let Some(hit) = number(&resume(&mut timeline, FORWARD)) {
            forward.push(hit);
        }
        assert_eq!(forward, expected, "{condition:?} {hits}");
        let mut backward = Vec::new();
        while let Some(hit) = number(&resume(&mut timeline, BACKWARD)) {
            backward.push(hit);
        }
        backward.reverse();
        assert_eq!(backward, expected, "{condition:?} {hits}");
    }
}

#[test]
fn a_condition_that_cannot_be_evaluated_is_told_once_and_does_not_stop() {
    let mut timeline = program(|main| {
        main.line(1);
        main.line(1);
        main.line(2);
    });
    let asked = LineBreakpoint {
        condition: Some("nothing > 1".to_owned()),
        ..breakpoint(1)
    };
    let set = timeline.set_line_breakpoints(PATH, &[asked]).unwrap();
    assert!(set[0].verified);
    assert!(matches!(
        resume(&mut timeline, FORWARD).reason,
        StopReason::End
    ));
    assert!(matches!(
        resume(&mut timeline, BACKWARD).reason,
        StopReason::Start
    ));
    let messages = timeline.take_messages();
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert!(messages[0].contains("nothing > 1"), "{messages:?}");
    assert_eq!(timeline.take_messages(), Vec::<String>::new());
}

#[test]
fn what_cannot_be_understood_is_not_verified() {
    let mut timeline = program(calls);
    let asked = [
        LineBreakpoint {
            condition: Some("1 +".to_owned()),
            ..breakpoint(1)
        },
        LineBreakpoint {
            hit_condition: Some("often".to_owned()),
            ..breakpoint(1)
        },
        breakpoint(9999),
    ];
    let set = timeline.set_line_breakpoints(PATH, &asked).unwrap();
    for answer in &set {
        assert!(!answer.verified && answer.message.is_some(), "{answer:?}");
    }
    let set = timeline
        .set_line_breakpoints("/elsewhere/other.py", &[breakpoint(1)])
        .unwrap();
    assert!(!set[0].verified);
    let functions = [FunctionBreakpoint {
        name: "missing".to_owned(),
        ..FunctionBreakpoint::default()
    }];
    assert!(!timeline.set_function_breakpoints(&functions).unwrap()[0].verified);
    assert!(matches!(
        resume(&mut timeline, FORWARD).reason,
        StopReason::End
    ));
}

#[test]
fn breakpoints_keep_their_numbers_and_move_to_code() {
    let mut timeline = program(calls);
    let first = timeline
        .set_line_breakpoints(PATH, &[breakpoint(50), breakpoint(102)])
        .unwrap();
    assert_eq!(first[0].line, Some(line(1, 0)));
    let second = timeline
        .set_line_breakpoints(PATH, &[breakpoint(102), breakpoint(50), breakpoint(1)])
        .unwrap();
    assert_eq!((second[0].id, second[1].id), (first[1].id, first[0].id));
    assert!(!first.iter().any(|answer| answer.id == second[2].id));
    timeline.set_line_breakpoints(PATH, &[]).unwrap();
    assert!(matches!(
        resume(&mut timeline, FORWARD).reason,
        StopReason::End
    ));
}

#[test]
fn paths_match_by_their_end_when_nothing_else_does() {
    let timeline = program(calls);
    let found = |path| timeline.sources_of_path(path).unwrap();
    assert_eq!(found(PATH), [SourceId(0)]);
    assert_eq!(found("/program/./sub/../main.py"), [SourceId(0)]);
    assert_eq!(found("program/main.py"), [SourceId(0)]);
    assert_eq!(found("main.py"), [SourceId(0)]);
    assert_eq!(found("/mounted/program/main.py"), [SourceId(0)]);
    assert_eq!(found("/other/main.py"), []);
    assert_eq!(found("/program/ain.py"), []);
    let linked = Timeline::new(timeline.recording().clone(), |path| {
        path.starts_with("/link").then(|| PATH.into())
    })
    .unwrap();
    assert_eq!(linked.sources_of_path("/link/x.py").unwrap(), [SourceId(0)]);
}

#[test]
fn function_breakpoints_stop_at_calls_and_not_at_resumes() {
    let mut timeline = program(generator);
    for name in ["f3", "Program.f3"] {
        let asked = [FunctionBreakpoint {
            name: name.to_owned(),
            ..FunctionBreakpoint::default()
        }];
        timeline.set_function_breakpoints(&asked).unwrap();
        timeline.seek(Position::START).unwrap();
        let met = walk(&mut timeline, |timeline| resume(timeline, FORWARD));
        assert_eq!(met, ["301 Function breakpoint", "4 End of recording"]);
        let met = walk(&mut timeline, |timeline| resume(timeline, BACKWARD));
        assert_eq!(met, ["301 Function breakpoint", "1 Start of recording"]);
    }
}

/// Line 1 binds the shared list to `b`; line 2 appends, calls function 1 with an argument, appends;
/// function 1 appends in line 101.
fn appends(main: &mut ThreadBuilder) {
    main.line(1);
    main.write(1, Value::Object(SHARED));
    main.line(2);
    main.append(1);
    main.call(1);
    main.write(0, Value::Int(5));
    main.line(101);
    main.append(2);
    main.line(102);
    main.give_back();
    main.append(3);
    main.line(3);
    main.write(1, Value::Object(SHARED));
    main.line(4);
}

fn watch(timeline: &mut Timeline, place: Place) {
    let asked = DataBreakpoint {
        place,
        condition: None,
        hit_condition: None,
        name: None,
    };
    let set = timeline.set_data_breakpoints(&[asked]).unwrap();
    assert!(set[0].verified, "{set:?}");
}

#[test]
fn data_breakpoints_follow_the_object_that_a_name_shows() {
    let mut timeline = program(appends);
    watch(
        &mut timeline,
        Place::Local {
            frame: FrameId(0),
            slot: 1,
        },
    );
    let forward = walk(&mut timeline, |timeline| resume(timeline, FORWARD));
    let lines = |met: &[String]| -> Vec<u32> {
        let line = |text: &String| text.split(' ').next().unwrap().parse().unwrap();
        met.iter().map(line).collect()
    };
    assert_eq!(lines(&forward), [2, 101, 102, 3, 4], "{forward:?}");
    assert_eq!(forward[1], "101 b changed: 0 → 1 item");
    assert_eq!(forward[2], "102 b changed: 1 → 2 items");
    assert_eq!(forward[3], "3 b changed: 2 → 3 items");
    let backward = walk(&mut timeline, |timeline| resume(timeline, BACKWARD));
    assert_eq!(lines(&backward), [101, 2, 1, 1], "{backward:?}");
    assert_eq!(backward[0], "101 b changed: 1 → 2 items");
    assert_eq!(backward[1], "2 b changed: 0 → 3 items");
    assert_eq!(backward[2], "1 b = []");
}

#[test]
fn binding_an_argument_stops_at_the_callers_line_backward() {
    let mut timeline = program(appends);
    watch(
        &mut timeline,
        Place::Local {
            frame: FrameId(1),
            slot: 0,
        },
    );
    let stop = resume(&mut timeline, FORWARD);
    assert_eq!(shown_line(&timeline), 101);
    let StopReason::DataBreakpoint(change) = stop.reason else {
        panic!("{stop:?}");
    };
    assert!(change.old.is_none() && change.new.is_some());
    resume(&mut timeline, FORWARD);
    let stop = resume(&mut timeline, BACKWARD);
    assert_eq!(shown_line(&timeline), 2);
    let StopReason::DataBreakpoint(again) = stop.reason else {
        panic!("{stop:?}");
    };
    assert_eq!(again.write, change.write);
    assert!(again.old.is_none() && again.new.is_some());
}

/// Line 2 calls function 1, which raises in line 101; main catches it in line 3 and then lets
/// another one through.
fn failures(main: &mut ThreadBuilder) {
    main.line(2);
    main.call(1);
    main.line(101);
    let caught = main.raise();
    main.unwind(caught);
    main.line(3);
    main.line(4);
    main.call(1);
    main.line(102);
    let uncaught = main.raise();
    main.unwind(uncaught);
    main.unwind(uncaught);
}

fn failing() -> Timeline {
    let mut main = ThreadBuilder::new("main");
    main.see_shared();
    main.call(0);
    failures(&mut main);
    main.events.push(retrostep_trace::Event::ThreadEnd);
    timeline(&alone(main))
}

#[test]
fn exceptions_stop_where_they_are_raised() {
    let mut timeline = failing();
    let cases = [
        (
            vec![ExceptionFilter::Raised],
            vec!["101 Raised ValueError", "102 Raised ValueError"],
        ),
        (
            vec![ExceptionFilter::Uncaught],
            vec!["102 Raised ValueError"],
        ),
        (
            vec![ExceptionFilter::Left],
            vec![
                "101 ValueError left f1",
                "102 ValueError left f1",
                "4 ValueError left f0",
            ],
        ),
    ];
    for (filters, expected) in cases {
        timeline.set_exception_filters(&filters);
        timeline.seek(Position::START).unwrap();
        let mut forward = walk(&mut timeline, |timeline| resume(timeline, FORWARD));
        assert_eq!(forward.pop().unwrap(), "4 End of recording");
        assert_eq!(forward, expected);
        let mut backward = walk(&mut timeline, |timeline| resume(timeline, BACKWARD));
        assert_eq!(backward.pop().unwrap(), "2 Start of recording");
        backward.reverse();
        assert_eq!(backward, expected);
    }
}

#[test]
fn the_failure_is_the_uncaught_exception() {
    let mut timeline = failing();
    let stop = timeline.seek_failure().unwrap();
    assert_eq!(stop.description, "Raised ValueError");
    assert_eq!(stop.text.as_deref(), Some("below zero"));
    let info = timeline.exception_info().unwrap().unwrap();
    assert_eq!(
        (info.type_name.as_str(), info.module.as_str()),
        ("ValueError", "builtins")
    );
    assert_eq!(info.message.as_deref(), Some("below zero"));
    assert!(info.uncaught && info.raised == stop.position);
    assert_eq!(shown_line(&timeline), 102);
    // The line that raised has run up to the raise, so stepping back goes to its start.
    step(&mut timeline, StepKind::Over, BACKWARD);
    assert_eq!(shown_line(&timeline), 102);
    assert!(timeline.exception_info().unwrap().is_none());

    let mut fine = program(calls);
    assert!(matches!(
        fine.seek_failure().unwrap().reason,
        StopReason::End
    ));
}

#[test]
fn the_exception_that_leaves_a_frame_is_known_by_its_raise() {
    let mut timeline = failing();
    timeline.set_exception_filters(&[ExceptionFilter::Left]);
    let left = resume(&mut timeline, FORWARD);
    let info = timeline.exception_info().unwrap().unwrap();
    assert!(info.raised < left.position && !info.uncaught);
}

#[test]
fn the_end_shows_the_outermost_frame_and_steps_back_into_it() {
    let mut timeline = failing();
    let stop = timeline.seek(Position(u64::MAX)).unwrap();
    assert_eq!((stop.position, stop.thread), (timeline.end(), MAIN));
    let stack = timeline.stack(MAIN, 0, 10).unwrap();
    assert_eq!((stack.total, stack.frames[0].line), (1, 4));
    step(&mut timeline, StepKind::Over, BACKWARD);
    assert_eq!(shown_line(&timeline), 4);
    timeline.seek(timeline.end()).unwrap();
    step(&mut timeline, StepKind::Into, BACKWARD);
    assert_eq!(shown_line(&timeline), 102);
}

#[test]
fn the_start_shows_the_first_line_and_steps_to_it() {
    let mut timeline = program(calls);
    assert_eq!(timeline.position(), Position::START);
    let stack = timeline.stack(MAIN, 0, 10).unwrap();
    assert_eq!((stack.total, stack.frames[0].line), (1, 1));
    step(&mut timeline, StepKind::Over, FORWARD);
    assert_eq!(shown_line(&timeline), 1);
    let stop = step(&mut timeline, StepKind::Over, BACKWARD);
    assert_eq!((stop.position, shown_line(&timeline)), (Position::START, 1));
}

/// Main runs lines 1 to 3; while it is in line 1 a second thread runs lines 101 and 102.
fn two_threads() -> Timeline {
    let mut main = ThreadBuilder::new("main");
    main.see_shared();
    main.call(0);
    (1..4).for_each(|number| main.line(number));
    main.give_back();
    let mut worker = ThreadBuilder::new("worker");
    worker.call(1);
    worker.line(101);
    worker.line(102);
    worker.give_back();
    // Five events of main, all eight that may follow of the worker, and the rest of main.
    timeline(&merge(vec![main, worker], &mut Choices::new(&[1, 7])))
}

#[test]
fn a_step_concerns_one_thread_and_a_breakpoint_any() {
    let mut timeline = two_threads();
    let lines: Vec<u32> = (0..3)
        .map(|_| {
            step(&mut timeline, StepKind::Into, FORWARD);
            shown_line(&timeline)
        })
        .collect();
    assert_eq!(lines, [1, 2, 3]);
    timeline
        .set_line_breakpoints(PATH, &[breakpoint(102)])
        .unwrap();
    let cancel = CancellationToken::new();
    let first_of = |line| {
        timeline
            .hits(SourceId(0), line, 0, 1, &cancel)
            .unwrap()
            .hits[0]
            .position
    };
    let (one, two) = (first_of(1), first_of(2));
    for (from, direction) in [(two, BACKWARD), (one, FORWARD)] {
        timeline.seek(from).unwrap();
        let stop = step(&mut timeline, StepKind::Over, direction);
        assert_eq!((stop.thread, shown_line(&timeline)), (ThreadId(1), 102));
    }
}

#[test]
fn a_threads_ends_are_stops() {
    let mut timeline = two_threads();
    timeline
        .set_line_breakpoints(PATH, &[breakpoint(101)])
        .unwrap();
    resume(&mut timeline, FORWARD);
    let stop = step(&mut timeline, StepKind::Over, BACKWARD);
    assert_eq!(stop.description, "Start of thread");
    assert_eq!((stop.thread, shown_line(&timeline)), (ThreadId(1), 101));
    let states = timeline.threads().unwrap();
    assert_eq!(states.len(), 2);
    assert!(states[1].alive);
    resume(&mut timeline, FORWARD);
    step(&mut timeline, StepKind::Over, FORWARD);
    let stop = step(&mut timeline, StepKind::Over, FORWARD);
    assert_eq!(stop.description, "End of thread");
    assert_eq!(stop.thread, ThreadId(1));
}

#[test]
fn jumps_go_to_executions_of_a_line() {
    let mut timeline = program(|main| {
        for _ in 0..150 {
            main.line(1);
            main.line(2);
        }
    });
    let cancel = CancellationToken::new();
    let targets = timeline.goto_targets(SourceId(0), 1, &cancel).unwrap();
    assert_eq!(targets.len(), 100);
    assert_eq!(targets[0].label, "hit 1 of 150");
    timeline.seek(targets[75].position).unwrap();
    let targets = timeline.goto_targets(SourceId(0), 1, &cancel).unwrap();
    assert_eq!(targets.len(), 100);
    assert!(targets[0].position < timeline.position());
    assert!(targets[99].position > timeline.position());
    let near = |at: Position| at.0.abs_diff(timeline.position().0);
    assert!(near(targets[0].position).abs_diff(near(targets[99].position)) <= 2);
    assert!(targets.is_sorted_by_key(|target| target.position));

    let page = timeline.hits(SourceId(0), 2, 148, 10, &cancel).unwrap();
    assert_eq!(
        (page.total, page.hits.len(), page.hits[1].number),
        (150, 2, 150)
    );
    let stop = timeline.restart_frame(FrameId(0)).unwrap();
    assert_eq!((shown_line(&timeline), stop.position), (1, Position(4)));
    assert!(timeline.restart_frame(FrameId(77)).is_err());
    assert_eq!(
        timeline.breakpoint_lines(SourceId(0), 3, 5).unwrap(),
        [3, 4, 5]
    );
}

#[test]
fn a_logpoint_tells_its_whole_past_and_never_stops() {
    let mut timeline = program(|main| {
        for number in 0..5 {
            main.line(1);
            main.write(0, Value::Int(number));
        }
        main.line(2);
    });
    let asked = [
        LineBreakpoint {
            log_message: Some("a is {a}".to_owned()),
            condition: Some("a >= 1".to_owned()),
            ..breakpoint(1)
        },
        LineBreakpoint {
            log_message: Some("now".to_owned()),
            hit_condition: Some("% 2".to_owned()),
            ..breakpoint(1)
        },
    ];
    let set = timeline.set_line_breakpoints(PATH, &asked).unwrap();
    let cancel = CancellationToken::new();
    let log = timeline.log_history(set[0].id, 2, &cancel).unwrap();
    let texts: Vec<&str> = log.entries.iter().map(|entry| &*entry.text).collect();
    assert_eq!((texts, log.total), (vec!["a is 1", "a is 2"], 3));
    let log = timeline.log_history(set[1].id, 100, &cancel).unwrap();
    assert_eq!((log.entries.len(), log.total), (2, 2));
    assert!(matches!(
        resume(&mut timeline, FORWARD).reason,
        StopReason::End
    ));
    let unknown = timeline.log_history(retrostep_replay::BreakpointId(99), 1, &cancel);
    assert!(unknown.is_err());
}

#[test]
fn a_place_that_the_recording_does_not_have_is_not_verified() {
    let mut timeline = program(calls);
    let places = [
        Place::Local {
            frame: FrameId(99),
            slot: 0,
        },
        Place::Local {
            frame: FrameId(0),
            slot: 99,
        },
        Place::Item {
            object: ObjectId(99),
            index: 0,
        },
    ];
    for place in places {
        let asked = DataBreakpoint {
            place,
            condition: None,
            hit_condition: None,
            name: None,
        };
        let set = timeline.set_data_breakpoints(&[asked]).unwrap();
        assert!(!set[0].verified && set[0].message.is_some(), "{set:?}");
    }
}
