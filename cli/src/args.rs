//! The command line's words, and their help.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use clap_complete::Shell;

use crate::text::parse_size;

/// Debug in hindsight: record a program once, then step backward through it.
#[derive(Debug, Parser)]
#[command(
    name = "retrostep",
    version,
    propagate_version = true,
    disable_help_subcommand = true,
    after_help = "Examples:\n  \
        retrostep record app.py --port 80   record a run\n  \
        retrostep replay                    step through the newest recording\n  \
        retrostep list                      what was recorded here\n\n\
        Exit codes: 0 done, 1 not done (the reason is on standard error), 2 wrong usage.\n\
        \"retrostep record\" exits as the recorded program does, and with 2 if it could not start it."
)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Record(Box<RecordOptions>),
    /// Step through a recording in this terminal
    #[command(after_help = "Examples:\n  \
        retrostep replay                 the newest recording\n  \
        retrostep replay orders          the newest one of that name\n  \
        echo 'why total' | retrostep replay orders")]
    Replay {
        /// A recording's name, how it begins, its file, or "last"
        #[arg(default_value = "last")]
        recording: String,
    },
    List(ListOptions),
    Info(InfoOptions),
    /// Give a recording another name
    #[command(after_help = "Example:\n  retrostep rename last negative-total")]
    Rename {
        /// A recording's name, how it begins, its file, or "last"
        recording: String,
        /// The new name
        name: String,
    },
    Delete(DeleteOptions),
    Verify(VerifyOptions),
    /// Serve the Debug Adapter Protocol to an editor
    #[command(after_help = "Examples:\n  \
        retrostep dap                            over standard input and output\n  \
        retrostep dap --listen 127.0.0.1:4711    for every client that connects\n\n\
        Logs go to standard error; RETROSTEP_LOG=debug shows more.")]
    Dap {
        /// Listen at this address of the loopback interface; port 0 takes a free one and prints it
        #[arg(long, value_name = "ADDRESS")]
        listen: Option<SocketAddr>,
    },
    /// Serve the Language Server Protocol to an editor: recorded values in the source
    #[command(after_help = "Example:\n  \
        retrostep lsp    over standard input and output\n\n\
        Logs go to standard error; RETROSTEP_LOG=debug shows more.")]
    Lsp,
    /// Print completions for a shell
    #[command(after_help = "Example:\n  \
        retrostep completions bash > ~/.local/share/bash-completion/completions/retrostep")]
    Completions {
        /// The shell
        shell: Shell,
    },
}

/// Run a program and record it
///
/// COMMAND is a script (`app.py args`), `-m module args`, `-c text`, or any command line that ends in
/// Python (`python -m pytest -x`, `./venv/bin/gunicorn app`, `pytest tests/`).
/// The program behaves as without the recorder: same output, same exit code.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  \
    retrostep record app.py --port 80\n  \
    retrostep record --replay -m shop.replay_orders\n  \
    retrostep record --name flaky -- pytest -x tests/\n  \
    retrostep record --max-size 2GB --exclude 'vendor/**' python server.py\n\n\
    Exit code: that of COMMAND; 2 if it could not be started.")]
pub(crate) struct RecordOptions {
    /// Write the recording to this file instead of the library
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,
    /// The recording's name; the program's by default
    #[arg(long, short)]
    pub(crate) name: Option<String>,
    /// Keep at most so many characters of a text
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub(crate) max_string: u64,
    /// Keep at most so many elements of a container
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub(crate) max_children: u64,
    /// Keep nested values so deep when they are first seen
    #[arg(long, value_name = "N", default_value_t = 8)]
    pub(crate) depth: u64,
    /// Stop recording, and let the program go on, when the file has this size (500MB, 2GB)
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub(crate) max_size: Option<u64>,
    /// Record this code too: a glob or a folder (may be repeated)
    #[arg(long, value_name = "GLOB")]
    pub(crate) include: Vec<String>,
    /// Do not record this code: a glob or a folder (may be repeated)
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Never record values of these names, besides password, secret, token and the like
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub(crate) redact: Vec<String>,
    /// Record only what the program marks with `retrostep.record(...)`; the default for a program
    /// that imports the package `retrostep`
    #[arg(long)]
    pub(crate) marked: bool,
    /// Record all of the program, also when it marks parts
    #[arg(long, conflicts_with = "marked")]
    pub(crate) all: bool,
    /// Run a script, -m or -c with this Python
    #[arg(long, value_name = "PYTHON")]
    pub(crate) python: Option<OsString>,
    /// Step through the recording afterwards
    #[arg(long)]
    pub(crate) replay: bool,
    /// Say nothing about the recording, unless something is missing in it
    #[arg(long, short)]
    pub(crate) quiet: bool,
    /// Read frames as on an interpreter that lays them out in an unknown way
    #[arg(long, hide = true)]
    pub(crate) slow_frames: bool,
    /// Tell what happens to whoever listens on this socket
    #[arg(long, value_name = "SOCKET", hide = true)]
    pub(crate) report: Option<PathBuf>,
    /// Take the program's output away and only report it
    #[arg(long, hide = true, requires = "report")]
    pub(crate) capture_output: bool,
    /// The program and its arguments
    #[arg(
        value_name = "COMMAND",
        required = true,
        trailing_var_arg = true,
        allow_hyphen_values = true
    )]
    pub(crate) command: Vec<OsString>,
}

/// List the recordings of this workspace, the newest first
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  retrostep list\n  retrostep list --json | jq '.[0].path'")]
pub(crate) struct ListOptions {
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Say what a recording holds
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  retrostep info\n  retrostep info orders --json")]
pub(crate) struct InfoOptions {
    /// A recording's name, how it begins, its file, or "last"
    #[arg(default_value = "last")]
    pub(crate) recording: String,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

/// Delete recordings
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  retrostep delete orders-20261121-143200")]
pub(crate) struct DeleteOptions {
    /// Recordings' names, how they begin, or their files
    #[arg(required = true)]
    pub(crate) recordings: Vec<String>,
    /// Do not ask
    #[arg(long, short)]
    pub(crate) yes: bool,
}

/// Read and check every block of a recording
#[derive(Args, Debug)]
#[command(after_help = "Example:\n  retrostep verify mailed.retro\n\n\
    Exit code: 0 if everything in the file is intact, 1 if something is damaged.")]
pub(crate) struct VerifyOptions {
    /// A recording's name, how it begins, its file, or "last"
    #[arg(default_value = "last")]
    pub(crate) recording: String,
    /// Write JSON
    #[arg(long)]
    pub(crate) json: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(line: &str) -> RecordOptions {
        let arguments = Arguments::parse_from(line.split_whitespace());
        match arguments.command {
            Command::Record(options) => *options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn options_end_where_the_command_begins() {
        let options = record("retrostep record --quiet -m pytest --quiet -x");
        assert!(options.quiet);
        assert_eq!(options.command, ["-m", "pytest", "--quiet", "-x"]);
        let options = record("retrostep record --redact a,b -- app.py --name x");
        assert_eq!(options.redact, ["a", "b"]);
        assert_eq!(options.name, None);
        assert_eq!(options.command, ["app.py", "--name", "x"]);
        let options = record("retrostep record --max-size 2KB -c pass");
        assert_eq!(options.max_size, Some(2_000));
        assert_eq!(options.command, ["-c", "pass"]);
    }

    #[test]
    fn the_command_line_is_consistent() {
        use clap::CommandFactory as _;
        Arguments::command().debug_assert();
    }
}
