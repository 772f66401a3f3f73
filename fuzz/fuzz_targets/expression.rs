//! Expressions, log messages, hit conditions and lines of the console, on recorded values.

#![no_main]

use std::sync::{Arc, LazyLock};

use libfuzzer_sys::fuzz_target;
use retrostep_fuzz::{adapter, memory, sample};
use retrostep_replay::console::{Console, ConsoleKind, Palette};
use retrostep_replay::history::{Order, history};
use retrostep_replay::why::why;
use retrostep_replay::{Expression, Filter, HitCondition, Snapshot, Template, Timeline};
use retrostep_trace::{CancellationToken, Recording};

/// What an expression may take, however short it is.
const BYTES: usize = 256 << 20;

static RECORDING: LazyLock<Arc<Recording>> =
    LazyLock::new(|| Arc::new(Recording::open(&adapter::recording()).expect("a recording")));

fuzz_target!(|text: &str| {
    let recording = Arc::clone(&RECORDING);
    memory::within(BYTES, || {
        expression(&recording, text);
        let _ = HitCondition::parse(text);
        console(recording, text);
    });
});

fn expression(recording: &Recording, text: &str) {
    let cancel = CancellationToken::new();
    let expression = Expression::parse(text);
    let template = Template::parse(text);
    for at in sample::moments(recording.end()) {
        let snapshot = Snapshot::new(recording, at);
        for frame in sample::FRAMES.map(Some).into_iter().chain([None]) {
            if let Ok(template) = &template {
                let _ = snapshot.fill(frame, template);
            }
            let Ok(expression) = &expression else {
                continue;
            };
            let _ = snapshot.holds(frame, expression);
            for order in [Order::Oldest, Order::Newest] {
                let _ = history(snapshot, frame, expression, 0..10, order, &cancel);
            }
            let _ = why(snapshot, frame, expression, &cancel);
            if let Ok(variable) = snapshot.evaluate(frame, expression) {
                assert!(variable.text.chars().count() <= 100, "{}", variable.text);
                if let Some(node) = &variable.node {
                    let name = variable.evaluate_name.as_deref();
                    let _ = snapshot.children(node, name, Filter::All, 0..20);
                }
            }
        }
    }
}

fn console(recording: Arc<Recording>, text: &str) {
    let cancel = CancellationToken::new();
    let Ok(mut timeline) = Timeline::new(recording, |_| None) else {
        return;
    };
    let mut console = Console::new(ConsoleKind::Terminal, Palette::Plain);
    let _ = timeline.seek(sample::moments(timeline.end())[2]);
    for line in text.lines().take(8) {
        let _ = console.complete(&timeline, None, line, line.len());
        let _ = console.run(&mut timeline, None, line, &cancel);
    }
}
