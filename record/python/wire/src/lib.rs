//! What the Python extension and the recording host share: a ring in a shared file, the messages in
//! it, and the configuration the host gives.
//!
//! The host creates the shared file and names it in the environment variable [`ENVIRONMENT`].
//! The first supported Python process that starts its program claims it and becomes the only
//! producer; the host is the only consumer. A message becomes visible only as a whole, so a program
//! that is killed at any instruction leaves only whole messages.
//! This crate knows neither Python nor the recording format, and depends on nothing but `libc`.

#![deny(missing_docs)]

mod config;
pub mod message;
mod ring;

pub use config::{Access, Config, Mode};
pub use ring::{
    CONFIG_MAX_BYTES, Consumer, PUSH_MAX_BYTES, Producer, RING_BYTES, RingError, State, create,
};

/// The name of the unpacked extension.
pub const EXTENSION_NAME: &str = "retrostep_recorder.so";

/// Names the shared file in the environment of the recorded program.
pub const ENVIRONMENT: &str = "RETROSTEP_RING";

/// Changes with every change of the ring, the configuration or the messages.
pub const WIRE_VERSION: u32 = 2;
