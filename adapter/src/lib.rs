//! The debug adapter: the Debug Adapter Protocol in, `replay` calls, the protocol out.
//!
//! What a debugger does is decided in `retrostep_replay`; the adapter parses, calls and converts.

pub mod dap;
mod launcher;

pub use launcher::{
    Launcher, OutputStream, RecordConsole, RecordRequest, RecordTarget, Report, ReportSink,
    RunningRecording, Started, TerminalCommand,
};
