//! Conversations with handlers that wait for the test: what runs, is late, is cancelled, or fails.

#![allow(
    clippy::panic,
    reason = "a test that meets the unexpected must fail and say why"
)]

mod burst;
#[allow(dead_code, reason = "the tests outside the crate need more of it")]
#[path = "../tests/lsp/client.rs"]
mod client;
mod recordings;
mod running;
#[allow(dead_code, reason = "the tests outside the crate need more of it")]
#[path = "../tests/lsp/shop.rs"]
mod shop;
