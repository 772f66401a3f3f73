//! How long questions take, at random positions of a long recording with nothing decoded beforehand.
//!
//! `cargo bench -p retrostep-replay --bench latency -- [--events N] [--samples N] [--block N] [--only TEXT] [FILE]`
//! makes FILE, a recording of a made-up program, unless it is there. `--only` names the
//! rows to print, `--block` says how many events a block has.

#![expect(clippy::print_stdout, reason = "a benchmark prints what it measured")]

mod program;
mod rows;

use std::path::PathBuf;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut events = 1_000_000;
    let mut samples = 200;
    let mut block = retrostep_trace::WriterOptions::default().events_per_block;
    let mut file = None;
    let mut only = String::new();
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--events" => events = arguments.next().unwrap_or_default().parse()?,
            "--samples" => samples = arguments.next().unwrap_or_default().parse()?,
            "--block" => block = arguments.next().unwrap_or_default().parse()?,
            "--only" => only = arguments.next().unwrap_or_default(),
            "--bench" => {}
            _ => file = Some(PathBuf::from(argument)),
        }
    }
    let folder = tempfile::tempdir()?;
    let file = file.unwrap_or_else(|| folder.path().join("made-up.retro"));
    if !file.exists() {
        let start = std::time::Instant::now();
        program::write(&file, events, block)?;
        let seconds = start.elapsed().as_secs_f64();
        println!(
            "written in {seconds:.1} s: {:.1} M events/s",
            events as f64 / seconds / 1e6
        );
    }
    rows::print(&file, samples, only)
}
