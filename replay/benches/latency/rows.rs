//! The questions, and how long each takes.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use retrostep_replay::{
    DataBreakpoint, ExceptionFilter, Expression, Filter, FunctionBreakpoint, LineBreakpoint, Place,
    Snapshot, StepKind, Timeline, history,
};
use retrostep_trace::{CancellationToken, Direction, Key, Position, Recording, SourceId, ThreadId};

use crate::program::{self, Dice};

type Failure = Box<dyn std::error::Error>;

/// A moment by the clock of this thread's work, which other work on the machine does not drive.
struct Moment(Duration);

impl Moment {
    fn now() -> Moment {
        let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        Moment(Duration::new(time.tv_sec as u64, time.tv_nsec as u32))
    }

    fn elapsed(&self) -> Duration {
        Moment::now().0.saturating_sub(self.0)
    }
}

struct Bench {
    recording: Arc<Recording>,
    dice: Dice,
    samples: u32,
    /// What the names of the rows contain that are wanted.
    only: String,
}

impl Bench {
    /// Times `ask` at random positions, with nothing decoded before each.
    fn cold(
        &mut self,
        name: &str,
        timeline: &mut Timeline,
        mut ask: impl FnMut(&mut Timeline) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if !name.contains(&self.only) {
            return Ok(());
        }
        let mut times = Vec::new();
        for _ in 0..self.samples {
            let at = Position(self.dice.below(self.recording.end().0));
            timeline.seek(at)?;
            self.recording.forget_blocks();
            let start = Moment::now();
            ask(timeline)?;
            times.push(start.elapsed());
        }
        report(name, times);
        Ok(())
    }
}

fn report(name: &str, mut times: Vec<Duration>) {
    times.sort_unstable();
    let at = |share: f64| {
        let index = (times.len() as f64 * share) as usize;
        let time = times.get(index.min(times.len().saturating_sub(1)));
        time.map_or(0.0, |time| time.as_secs_f64() * 1e3)
    };
    println!(
        "{name:40} p50 {:8.3}  p90 {:8.3}  p99 {:8.3}  max {:8.3} ms",
        at(0.5),
        at(0.9),
        at(0.99),
        at(1.0)
    );
}

fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("RssAnon"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kilobytes.unwrap_or(0.0) / 1e3
}

/// Prints a line for each question.
pub(crate) fn print(path: &Path, samples: u32, only: String) -> Result<(), Failure> {
    let mut times = Vec::new();
    for _ in 0..10 {
        let start = Moment::now();
        let recording = Recording::open(path)?;
        times.push(start.elapsed());
        drop(recording);
    }
    report("open", times);
    let start = Moment::now();
    let recording = Arc::new(Recording::open(path)?);
    let mut timeline = Timeline::new(Arc::clone(&recording), |_| None)?;
    let first = start.elapsed();
    report("open and stand at the start", vec![first]);
    println!(
        "{} events, {:.2} bytes each",
        recording.end(),
        recording.len_bytes() as f64 / recording.end().0 as f64
    );
    let mut bench = Bench {
        recording,
        dice: Dice(0xd1ce),
        samples,
        only,
    };
    looking(&mut bench, &mut timeline)?;
    moving(&mut bench, &mut timeline)?;
    breakpoints(&mut bench, &mut timeline)?;
    conditions(&mut bench, &mut timeline)?;
    println!("resident: {:.0} MB", resident_mb());
    Ok(())
}

fn looking(bench: &mut Bench, timeline: &mut Timeline) -> Result<(), Failure> {
    let recording = Arc::clone(&bench.recording);
    let mut dice = Dice(0x5eec);
    let end = recording.end().0;
    bench.cold("seek", timeline, |timeline| {
        timeline.seek(Position(dice.below(end)))?;
        Ok(())
    })?;
    bench.cold("stack page", timeline, |timeline| {
        timeline.stack(timeline.thread(), 0, 20)?;
        Ok(())
    })?;
    for (number, name) in ["locals", "globals"].into_iter().enumerate() {
        bench.cold(name, timeline, |timeline| {
            let stack = timeline.stack(timeline.thread(), 0, 1)?;
            let snapshot = Snapshot::new(timeline.recording(), timeline.position());
            if let Some(top) = stack.frames.first()
                && let Some(scope) = snapshot.scopes(top.frame)?.get(number)
            {
                snapshot.children(&scope.node, None, Filter::All, 0..100)?;
            }
            Ok(())
        })?;
    }
    for (name, text) in [
        ("evaluate a global", "total"),
        ("evaluate a word of a dict", "words['word_7']"),
        ("evaluate the length of a list", "len(log)"),
    ] {
        let expression = Expression::parse(text)?;
        bench.cold(name, timeline, |timeline| {
            let stack = timeline.stack(timeline.thread(), 0, 1)?;
            let snapshot = Snapshot::new(timeline.recording(), timeline.position());
            let _ = snapshot.evaluate(stack.frames.first().map(|top| top.frame), &expression);
            Ok(())
        })?;
    }
    let cancel = CancellationToken::new();
    for (name, text) in [
        ("history page of a global", "total"),
        ("history page of a local", "x"),
        ("history page of an attribute", "account.balance"),
        ("history page of an entry", "words['word_7']"),
    ] {
        let samples = std::mem::replace(&mut bench.samples, 20);
        let expression = Expression::parse(text)?;
        bench.cold(name, timeline, |timeline| {
            let stack = timeline.stack(timeline.thread(), 0, 1)?;
            let snapshot = Snapshot::new(timeline.recording(), timeline.position());
            let frame = stack.frames.first().map(|top| top.frame);
            let order = history::Order::Newest;
            let _ = history::history(snapshot, frame, &expression, 0..100, order, &cancel);
            Ok(())
        })?;
        bench.samples = samples;
    }
    Ok(())
}

fn moving(bench: &mut Bench, timeline: &mut Timeline) -> Result<(), Failure> {
    let cancel = CancellationToken::new();
    for direction in [Direction::Forward, Direction::Backward] {
        for kind in [StepKind::Over, StepKind::Into, StepKind::Out] {
            let name = format!("step {kind:?} {direction:?}");
            bench.cold(&name, timeline, |timeline| {
                timeline.step(kind, direction, timeline.thread(), &cancel)?;
                Ok(())
            })?;
        }
    }
    let end = bench.recording.end().0;
    let mut dice = Dice(0x0ef1);
    bench.cold("overview of 2,000 columns", timeline, |timeline| {
        let (first, second) = (dice.below(end), dice.below(end));
        let range = Position(first.min(second))..Position(first.max(second));
        timeline.overview(range, 2000, &cancel)?;
        Ok(())
    })?;
    bench.cold("overview of all", timeline, |timeline| {
        timeline.overview(Position::START..Position(end), 2000, &cancel)?;
        Ok(())
    })?;
    bench.cold("overview of 500,000 events", timeline, |timeline| {
        let from = timeline.position();
        timeline.overview(from..Position(from.0 + 500_000), 2000, &cancel)?;
        Ok(())
    })?;
    let mut times = Vec::new();
    timeline.seek(Position(bench.recording.end().0 / 2))?;
    for _ in 0..5000 {
        let start = Moment::now();
        timeline.step(StepKind::Over, Direction::Backward, ThreadId(0), &cancel)?;
        timeline.stack(ThreadId(0), 0, 20)?;
        times.push(start.elapsed());
    }
    report("step back and stack, decoded", times);
    Ok(())
}

fn breakpoints(bench: &mut Bench, timeline: &mut Timeline) -> Result<(), Failure> {
    let cancel = CancellationToken::new();
    let back = |timeline: &mut Timeline| -> Result<(), Failure> {
        timeline.resume(Direction::Backward, &cancel)?;
        Ok(())
    };
    let line = |line| LineBreakpoint {
        line,
        condition: None,
        hit_condition: None,
        log_message: None,
    };
    timeline.set_line_breakpoints(program::PATH, &[line(program::HOT)])?;
    bench.cold("back to a hot line", timeline, back)?;
    timeline.set_line_breakpoints(program::PATH, &[line(program::ONCE)])?;
    bench.cold("back to a line that ran once", timeline, back)?;
    let never: Vec<_> = program::NEVER.map(line).collect();
    timeline.set_line_breakpoints(program::PATH, &never)?;
    bench.cold("back over 20 lines that never ran", timeline, back)?;
    timeline.set_line_breakpoints(program::PATH, &[])?;
    for name in ["fib", "rows", "never", "<module>"] {
        let point = FunctionBreakpoint {
            name: name.to_owned(),
            condition: None,
            hit_condition: None,
        };
        timeline.set_function_breakpoints(&[point])?;
        bench.cold(&format!("back to function {name}"), timeline, back)?;
    }
    timeline.set_function_breakpoints(&[])?;
    for filter in [
        ExceptionFilter::Raised,
        ExceptionFilter::Uncaught,
        ExceptionFilter::Left,
    ] {
        timeline.set_exception_filters(&[filter]);
        bench.cold(&format!("back to exception {filter:?}"), timeline, back)?;
    }
    timeline.set_exception_filters(&[]);
    let samples = std::mem::replace(&mut bench.samples, 20);
    for text in [
        "total",
        "name_7",
        "account.balance",
        "words['word_7']",
        "log",
    ] {
        timeline.set_data_breakpoints(&[])?;
        timeline.seek(Position(bench.recording.end().0 / 2))?;
        timeline.set_line_breakpoints(program::PATH, &[line(45)])?;
        timeline.resume(Direction::Backward, &cancel)?;
        timeline.set_line_breakpoints(program::PATH, &[])?;
        let place = place_of(timeline, text)?;
        let point = DataBreakpoint {
            place,
            name: None,
            condition: None,
            hit_condition: None,
        };
        if !format!("back to data {text}").contains(&bench.only) {
            continue;
        }
        let start = Moment::now();
        timeline.set_data_breakpoints(&[point])?;
        timeline.resume(Direction::Backward, &cancel)?;
        report(&format!("first back to data {text}"), vec![start.elapsed()]);
        bench.cold(&format!("back to data {text}"), timeline, back)?;
    }
    bench.samples = samples;
    timeline.set_data_breakpoints(&[])?;
    Ok(())
}

fn place_of(timeline: &Timeline, text: &str) -> Result<Place, Failure> {
    let stack = timeline.stack(timeline.thread(), 0, 1)?;
    let snapshot = Snapshot::new(timeline.recording(), timeline.position());
    let frame = stack.frames.first().map(|top| top.frame);
    Ok(snapshot.place(frame, &Expression::parse(text)?)?)
}

fn conditions(bench: &mut Bench, timeline: &mut Timeline) -> Result<(), Failure> {
    let cancel = CancellationToken::new();
    for text in [
        "i == -1",
        "x > 50 and name == 'a'",
        "total == -1",
        "account.balance == -1",
        "len(items) > 100",
        "words['word_7'] == -1",
    ] {
        let point = LineBreakpoint {
            line: program::TRIED,
            condition: Some(text.to_owned()),
            hit_condition: None,
            log_message: None,
        };
        timeline.set_line_breakpoints(program::PATH, &[point])?;
        let to = bench.recording.end().0;
        let from = to.saturating_sub(2_000_000);
        if !format!("condition {text}").contains(&bench.only) {
            continue;
        }
        timeline.seek(Position(from))?;
        let start = Moment::now();
        timeline.resume(Direction::Forward, &cancel)?;
        let seconds = start.elapsed().as_secs_f64();
        let key = Key::Line(SourceId(0), program::TRIED);
        let hits = bench.recording.count(key, bench.recording.end(), &cancel)?
            - bench.recording.count(key, Position(from), &cancel)?;
        println!(
            "condition {text:30} {:10.0} hits/s ({hits} hits)",
            hits as f64 / seconds
        );
    }
    timeline.set_line_breakpoints(program::PATH, &[])?;
    Ok(())
}
