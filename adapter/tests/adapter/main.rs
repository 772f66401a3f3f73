//! Conversations with the adapter, in this process, on recordings that the tests write.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test that meets the unexpected must fail and say why"
)]

mod client;
mod hostile;
mod launcher;
mod launches;
mod replays;
mod schema;
mod shop;
mod tcp;
