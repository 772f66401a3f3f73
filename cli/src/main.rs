//! `retrostep`: record a program, then step backward through it.

mod args;
mod dap;
mod facts;
mod info;
mod launcher;
mod list;
mod manage;
mod open;
mod record;
mod report;
mod terminal;
mod text;
mod verify;

use std::io::{self, IsTerminal as _, Write as _};
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use tracing_subscriber::EnvFilter;

use args::{Arguments, Command};

/// What went wrong is told; the command did not do what it was asked.
const FAILED: u8 = 1;

fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal())
        .with_env_filter(
            EnvFilter::try_from_env("RETROSTEP_LOG").unwrap_or_else(|_| EnvFilter::new("warn")),
        )
        .init();
    match run(Arguments::parse()) {
        Ok(code) => code,
        Err(error) if is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => {
            // Standard error may be closed; there is nobody left to tell then.
            let _ = writeln!(io::stderr(), "retrostep: {}", text::with_causes(&error));
            ExitCode::from(FAILED)
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<ExitCode> {
    match arguments.command {
        Command::Record(options) => return Ok(record::run(*options)),
        Command::Replay { recording } => terminal::run(&open::find(&recording)?)?,
        Command::List(options) => list::run(&options)?,
        Command::Info(options) => info::run(&options)?,
        Command::Rename { recording, name } => manage::rename(&recording, &name)?,
        Command::Delete(options) => manage::delete(&options)?,
        Command::Verify(options) => return verify::run(&options),
        Command::Dap { listen } => dap::run(listen)?,
        Command::Lsp => retrostep_lsp::serve_stdio()?,
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Arguments::command(), "retrostep", &mut script);
            io::stdout().write_all(&script)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Whoever read the answer has stopped reading, as `head` does.
fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error
        .downcast_ref::<io::Error>()
        .is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
}
