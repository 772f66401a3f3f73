//! Failures, calls, uses and differences of recordings built event by event: what real programs rarely
//! give, such as unfinished and damaged files and functions compiled twice.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that meets the unexpected must fail and say why"
)]

mod build;
mod calls;
mod compare;
mod failures;
mod uses;
