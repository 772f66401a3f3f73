//! What the protocol tests share: a client that speaks raw JSON to the real binary, the official
//! schema, the interpreters of this machine, and the oracle that says what a recording must show.
//!
//! Nothing here knows a type of the product's crates. The tests themselves stand in `tests/` and are
//! test targets of the `cli` package, so that Cargo builds the binary they drive.

pub mod client;
pub mod lsp_client;
pub mod oracle;
pub mod programs;
pub mod pythons;
pub mod random_program;
pub mod raw;
pub mod replay;
pub mod run;
pub mod schema;
pub mod skip;
mod transcript;
pub mod values;
pub mod workspace;
