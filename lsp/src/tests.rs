//! Conversations with handlers that wait for the test: what runs, is late, is cancelled, or fails.

#![allow(
    clippy::panic,
    reason = "a test that meets the unexpected must fail and say why"
)]

mod burst;
#[path = "../tests/lsp/client.rs"]
mod client;
mod running;
