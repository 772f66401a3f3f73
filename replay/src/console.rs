//! The command language of a replay, for the terminal and for a client's console.
//!
//! A [`Console`] reads one line, acts on a [`Timeline`] and answers with text. It prints nothing
//! itself and knows neither terminals nor protocols.

mod breakpoints;
mod command;
mod completion;
mod inspect;
mod location;
mod moment;
mod moves;
mod palette;
mod place_view;
mod story;

use retrostep_trace::{CancellationToken, Direction, FrameId, FrameState, Position};

use crate::{Expression, ExpressionError, Snapshot, Stop, Timeline, Variable};
use breakpoints::ConsoleBreakpoint;
use command::Command;

pub use completion::Completion;
pub use palette::{Palette, harmless};

/// Who types the commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ConsoleKind {
    /// A person at a terminal: every command is there and a command's name always means the command.
    Terminal,
    /// The console of a client that keeps breakpoints itself: commands for breakpoints are refused,
    /// and a name that the program has means the program's.
    Client,
}

/// The state of a conversation: direction, selected frame, breakpoints set here.
#[derive(Debug)]
pub struct Console {
    kind: ConsoleKind,
    palette: Palette,
    direction: Direction,
    /// The selected frame as a place on the stack, 0 the innermost; valid at `selected_at`.
    selected: u64,
    selected_at: Position,
    breakpoints: Vec<ConsoleBreakpoint>,
    next_number: u32,
    /// The line that an empty input repeats.
    last: String,
}

/// What a line did.
#[derive(Debug, Default)]
pub struct Reply {
    /// What to show; without a line end. May be empty.
    pub text: String,
    /// Where the timeline stopped, if the line moved it.
    pub stop: Option<Stop>,
    /// The value, if the line was an expression.
    pub variable: Option<Variable>,
    /// Whether the conversation is over.
    pub quit: bool,
}

/// Why a line was not done.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConsoleError {
    /// It is not understood; the text says what would be.
    #[error("{0}")]
    Input(String),
    /// An expression has no value.
    #[error(transparent)]
    Expression(#[from] ExpressionError),
    /// The recording could not be explored.
    #[error(transparent)]
    Replay(#[from] crate::Error),
}

impl From<retrostep_trace::Error> for ConsoleError {
    fn from(error: retrostep_trace::Error) -> ConsoleError {
        ConsoleError::Replay(crate::Error::Trace(error))
    }
}

type Result<T, E = ConsoleError> = std::result::Result<T, E>;

/// One line's surroundings: what every command needs.
struct Context<'a> {
    timeline: &'a mut Timeline,
    cancel: &'a CancellationToken,
    frame: Option<FrameId>,
}

impl Context<'_> {
    fn snapshot(&self) -> Snapshot<'_> {
        Snapshot::new(self.timeline.recording(), self.timeline.position())
    }
}

impl Reply {
    fn text(text: impl Into<String>) -> Reply {
        Reply {
            text: text.into(),
            ..Reply::default()
        }
    }
}

impl Console {
    /// A console that goes forward and has no breakpoints.
    #[must_use]
    pub fn new(kind: ConsoleKind, palette: Palette) -> Console {
        Console {
            kind,
            palette,
            direction: Direction::Forward,
            selected: 0,
            selected_at: Position::START,
            breakpoints: Vec::new(),
            next_number: 1,
            last: String::new(),
        }
    }

    /// The direction of `next`, `step`, `out` and `continue`; `direction backward` turns it round.
    #[must_use]
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// Sets [`Console::direction`].
    pub fn set_direction(&mut self, direction: Direction) {
        self.direction = direction;
    }

    /// Does what a line says. `frame` is the frame it is about; without one, the selected frame.
    ///
    /// A line that is no command is evaluated as an expression. At a terminal an empty line repeats
    /// the last move.
    ///
    /// # Errors
    ///
    /// [`ConsoleError`]; the timeline has then not moved.
    pub fn run(
        &mut self,
        timeline: &mut Timeline,
        frame: Option<FrameId>,
        line: &str,
        cancel: &CancellationToken,
    ) -> Result<Reply> {
        let mut line = line.trim().to_owned();
        if line.is_empty() {
            if self.kind == ConsoleKind::Client || self.last.is_empty() {
                return Ok(Reply::default());
            }
            line.clone_from(&self.last);
        }
        let frame = match frame {
            Some(frame) => Some(frame),
            None => self.selected_frame(timeline)?.map(|state| state.frame),
        };
        let mut ctx = Context {
            timeline,
            cancel,
            frame,
        };
        let read = match line.strip_prefix('!') {
            Some(expression) => (None, expression.to_owned()),
            None => self.read(&ctx, &line)?,
        };
        let (command, rest) = read;
        let Some(command) = command else {
            self.last.clear();
            return self.evaluate(&ctx, &rest);
        };
        let mut reply = self.dispatch(&mut ctx, command, rest.trim())?;
        if command.repeats() {
            self.last = line;
        } else {
            self.last.clear();
        }
        for message in ctx.timeline.take_messages() {
            reply.text = format!("{message}\n{}", reply.text);
        }
        reply.text = harmless(&reply.text);
        Ok(reply)
    }

    /// Tells a command from an expression: the command with what follows its name, or no command.
    fn read(&self, ctx: &Context<'_>, line: &str) -> Result<(Option<Command>, String)> {
        let (word, rest) = command::split(line);
        let Some(command) = Command::named(word) else {
            if let Some(message) = command::misspelt(word, rest) {
                // A word that is no command and no name is a command that was misspelt.
                let expression = Expression::parse(line);
                let known = match &expression {
                    Ok(expression) => ctx.snapshot().evaluate(ctx.frame, expression).is_ok(),
                    Err(_) => false,
                };
                if !known {
                    return Err(ConsoleError::Input(message));
                }
            }
            return Ok((None, line.to_owned()));
        };
        if word != "?" && command::continues_expression(rest) {
            return Ok((None, line.to_owned()));
        }
        if self.kind == ConsoleKind::Client {
            let is_name = matches!(ctx.snapshot().lookup(ctx.frame, word), Ok(Some(_)) | Err(_));
            if is_name && (rest.trim().is_empty() || Expression::parse(line).is_ok()) {
                return Ok((None, line.to_owned()));
            }
        }
        Ok((Some(command), rest.to_owned()))
    }

    fn dispatch(&mut self, ctx: &mut Context<'_>, command: Command, rest: &str) -> Result<Reply> {
        match command {
            Command::Next
            | Command::Step
            | Command::Out
            | Command::Continue
            | Command::Back
            | Command::BackInto
            | Command::BackOut
            | Command::ReverseContinue => self.step(ctx, command, rest),
            Command::Until => self.until(ctx, rest),
            Command::Seek => self.seek(ctx, rest),
            Command::Start => self.seek(ctx, "start"),
            Command::End => self.seek(ctx, "end"),
            Command::Exception => self.seek(ctx, "exception"),
            Command::Direction => self.turn(rest),
            Command::Break
            | Command::Log
            | Command::Watch
            | Command::Delete
            | Command::Breakpoints
                if self.kind == ConsoleKind::Client =>
            {
                Err(ConsoleError::Input(
                    "breakpoints are set in the editor, not in its console".to_owned(),
                ))
            }
            Command::Break => self.set_breakpoint(ctx, rest),
            Command::Log => self.set_logpoint(ctx, rest),
            Command::Watch => self.set_watch(ctx, rest),
            Command::Delete => self.delete(ctx, rest),
            Command::Breakpoints => self.list_breakpoints(),
            Command::Print => self.evaluate(ctx, rest),
            Command::History => self.history(ctx, rest),
            Command::Why => self.why(ctx, rest),
            Command::Hits => self.hits(ctx, rest),
            Command::Where => self.stack(ctx, rest),
            Command::Up => self.select(ctx, 1, rest),
            Command::Down => self.select(ctx, -1, rest),
            Command::Frame => self.select_number(ctx, rest),
            Command::Locals => self.scope(ctx, "Locals"),
            Command::Globals => self.scope(ctx, "Globals"),
            Command::Threads => self.threads(ctx),
            Command::Thread => self.select_thread(ctx, rest),
            Command::List => self.list(ctx, rest),
            Command::Output => self.output(ctx, rest),
            Command::Info => self.info(ctx),
            Command::Help => Ok(Reply::text(command::help(rest, self.kind)?)),
            Command::Quit => Ok(Reply {
                quit: true,
                ..Reply::default()
            }),
        }
    }

    /// The selected frame: the innermost one after every move.
    fn selected_frame(&mut self, timeline: &Timeline) -> Result<Option<FrameState>> {
        if self.selected_at != timeline.position() {
            self.selected = 0;
            self.selected_at = timeline.position();
        }
        let page = timeline.stack(timeline.thread(), self.selected, 1)?;
        Ok(page.frames.into_iter().next())
    }
}
