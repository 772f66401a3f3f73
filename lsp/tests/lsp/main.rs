//! Conversations with the language server, in this process, on recordings that the tests write.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that meets the unexpected must fail and say why"
)]

mod client;
mod documents;
mod hostile;
mod libraries;
mod lifecycle;
mod shop;
mod symbols;
