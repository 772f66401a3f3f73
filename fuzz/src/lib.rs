//! What the fuzz targets share: a limit on memory, recordings put together from parts, and everything
//! that can be asked of one.
//!
//! `fuzz_targets/` holds the targets, `corpus/` the inputs each starts from, which the example `seeds`
//! makes. `cargo xtask fuzz` builds and runs them on a stable compiler; so does `cargo fuzz`.

pub mod adapter;
pub mod memory;
pub mod parts;
pub mod questions;
pub mod sample;
