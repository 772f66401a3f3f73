//! The native part that runs inside the recorded Python process.
//!
//! One shared library for CPython 3.9 to 3.14, preloaded into whatever the user starts. In a process
//! that is no Python it does nothing.

#![allow(dead_code, reason = "the parts land one by one")]

mod api;
mod frame;
mod layout;
mod recorder;
mod values;
