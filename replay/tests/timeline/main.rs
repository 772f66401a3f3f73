//! The rules of moving through time: on written examples, and as properties of generated programs
//! against a reference that looks at every event.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test that meets the unexpected must fail"
)]

mod program;
mod properties;
mod reference;
mod rules;
