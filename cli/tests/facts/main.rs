//! What is told of really recorded programs: failures, calls, uses of variables, differences.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that meets the unexpected must fail and say why"
)]

mod calls;
mod compare;
mod failures;
mod program;
mod uses;
