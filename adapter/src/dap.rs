//! The Debug Adapter Protocol's messages.

pub mod types;
