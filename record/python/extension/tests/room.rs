//! What happens when the host does not keep up, has enough, or is gone.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a failing test panics, and says what it could not test"
)]

mod support;

use retrostep_record_python_wire::Config;
use support::{Drain, Run, folder, pythons, record_draining};

/// Writes more than a ring holds.
const PROGRAM: &str = "\
def fill():
    for i in range(30000):
        text = str(i) * 300
    return i
print(fill())
";

fn run(drain: Drain) -> Vec<Run> {
    pythons()
        .iter()
        .map(|python| {
            let folder = folder();
            std::fs::write(folder.join("main.py"), PROGRAM).unwrap();
            let script = folder.join("main.py").to_string_lossy().into_owned();
            let run = record_draining(python, &folder, &[script], "", Config::default(), drain);
            std::fs::remove_dir_all(folder).unwrap();
            assert_eq!(
                (run.stdout.as_str(), run.code),
                ("29999\n", Some(0)),
                "{}",
                run.stderr
            );
            run
        })
        .collect()
}

#[test]
fn a_full_ring_is_waited_for_and_nothing_is_lost() {
    for run in run(Drain::WhenFull) {
        assert!(run.stalls > 0);
        let lines = run.events.iter().filter(|event| *event == "line 3").count();
        assert_eq!(lines, 30_000);
        assert_eq!(run.events.last().map(String::as_str), Some("return None"));
    }
}

#[test]
fn a_host_that_has_enough_lets_the_program_go_on() {
    for run in run(Drain::StopWhenFull) {
        let lines = run.events.iter().filter(|event| *event == "line 3").count();
        assert!(lines > 1000 && lines < 30_000, "{lines}");
    }
}

#[test]
fn a_host_that_is_gone_is_not_waited_for() {
    run(Drain::Never);
}
