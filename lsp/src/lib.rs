//! The language server: the Language Server Protocol in, `replay` and `sessions` calls, the protocol out.
//!
//! It shows what was recorded beside the source, with or without a replay running. What a value, a
//! history or a count is, is decided in `retrostep_replay`; here documents are kept, recordings are
//! found, and recorded lines are brought together with the lines of a buffer that was edited since.

mod capabilities;
mod client;
mod connection;
mod context;
mod cursor;
mod document;
mod error;
mod from_proto;
mod handlers;
mod libraries;
mod mapping;
mod markdown;
mod message;
mod places;
mod pointed;
mod pool;
mod progress;
mod recordings;
mod refreshing;
mod server;
mod settings;
mod surveys;
mod to_proto;
mod uses;
mod view;
mod words;

// The client that the tests outside the crate share with those inside knows it by its name.
#[cfg(test)]
extern crate self as retrostep_lsp;
#[cfg(test)]
mod tests;

use std::io::BufWriter;

pub use server::run;

/// Speaks with one client over standard input and output.
///
/// # Errors
///
/// As [`run`].
pub fn serve_stdio() -> anyhow::Result<()> {
    run(std::io::stdin(), BufWriter::new(std::io::stdout()))
}
