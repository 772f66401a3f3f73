//! Tests that cannot run here say so, and are counted.

use std::fs::OpenOptions;
use std::io::Write as _;

/// Notes that `test` was skipped because of `reason`.
///
/// `cargo xtask test` names the file that collects these lines and subtracts them from the passed ones.
#[expect(
    clippy::print_stderr,
    reason = "the reason is for whoever runs the test"
)]
pub fn skip(test: &str, reason: &str) {
    eprintln!("SKIPPED {test}: {reason}");
    if let Some(path) = std::env::var_os("RETROSTEP_TEST_SKIPS")
        && let Ok(mut file) = OpenOptions::new().append(true).create(true).open(path)
    {
        let _ = writeln!(file, "{test}: {reason}");
    }
}
