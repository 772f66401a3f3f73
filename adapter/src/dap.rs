//! The Debug Adapter Protocol's messages.

pub mod message;
pub mod types;
