//! The debug adapter: the Debug Adapter Protocol in, `replay` calls, the protocol out.
//!
//! What a debugger does is decided in `retrostep_replay`; the adapter parses, calls and converts.

mod breakpoints;
mod capabilities;
mod client;
mod connection;
pub mod dap;
mod error;
mod from_proto;
mod handlers;
mod handles;
mod launch;
mod launcher;
mod moves;
mod outcome;
mod position;
mod publishing;
mod replaying;
mod server;
mod sources;
mod to_proto;
mod transport;
mod utf16;
mod worker;

pub use launcher::{
    Launcher, OutputStream, RecordConsole, RecordRequest, RecordTarget, Report, ReportSink,
    RunningRecording, Started, TerminalCommand,
};
pub use server::run;
pub use transport::{listen, serve_stdio};
