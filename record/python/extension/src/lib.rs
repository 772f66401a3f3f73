//! The native part that runs inside the recorded Python process.
//!
//! One shared library for CPython 3.9 to 3.14, preloaded into whatever the user starts. In a process
//! that is no Python it does nothing.

mod activation;
mod api;
mod ask;
mod check;
mod clock;
mod codes;
mod collector;
mod engine;
mod exceptions;
mod frame;
mod layout;
mod methods;
mod module;
mod monitoring;
mod output;
mod pieces;
mod recorder;
mod scope;
mod settrace;
mod stack;
mod starts;
mod tasks;
mod text;
mod threads;
mod values;
