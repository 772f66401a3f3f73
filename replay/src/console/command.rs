//! The commands: their names, their help, and what was probably meant by a misspelt one.

use super::{ConsoleError, ConsoleKind, Result};

macro_rules! commands {
    ($($variant:ident, $group:literal, [$($name:literal),+], $usage:literal, $help:literal;)+) => {
        /// Something that can be asked for by name.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub(super) enum Command {
            $($variant),+
        }

        const ENTRIES: &[Entry] = &[$(Entry {
            command: Command::$variant,
            group: $group,
            names: &[$($name),+],
            usage: $usage,
            help: $help,
        }),+];
    };
}

struct Entry {
    command: Command,
    group: &'static str,
    names: &'static [&'static str],
    usage: &'static str,
    help: &'static str,
}

commands! {
    Back, "Backward", ["back", "bk", "prev", "previous", "reverse-next", "rn"], "[COUNT]",
        "step over, back: to the line that ran before in this function, or to its caller";
    BackInto, "Backward", ["back-into", "bi", "reverse-step", "rs"], "[COUNT]",
        "step back into: to the line that ran before, in whatever function";
    BackOut, "Backward", ["back-out", "bo", "reverse-finish"], "[COUNT]",
        "step back out: to the line that called this function";
    ReverseContinue, "Backward", ["rc", "reverse-continue", "reverse"], "[COUNT]",
        "run back to the nearest earlier breakpoint, or to the start";
    Next, "Forward", ["next", "n"], "[COUNT]",
        "step over: to the next line of this function, or of its caller";
    Step, "Forward", ["step", "s", "into"], "[COUNT]",
        "step into: to the next line, in whatever function";
    Out, "Forward", ["out", "finish", "o"], "[COUNT]",
        "step out: to the caller, after this function has ended";
    Continue, "Forward", ["continue", "c", "cont"], "[COUNT]",
        "run to the next breakpoint, or to the end";
    Until, "Forward", ["until"], "[LINE | FILE:LINE]",
        "run until this line is reached; without one, until a later line of this function";
    Direction, "Forward", ["direction", "dir"], "backward | forward",
        "the direction in which next, step, out and continue go";
    Seek, "Jump", ["seek", "goto", "jump", "go"], "MOMENT",
        "go to an event (184266, -200, +5), a time (3.2s), start, end or exception";
    Start, "Jump", ["start"], "", "go to the start of the recording";
    End, "Jump", ["end"], "", "go to the end of the recording";
    Exception, "Jump", ["exception", "exc"], "", "go to where the program failed";
    Break, "Breakpoints", ["break", "b"], "FILE:LINE | LINE | FUNCTION [if CONDITION]",
        "stop at a line or at a function's calls, in both directions";
    Watch, "Breakpoints", ["watch"], "NAME",
        "stop where the value of a variable, attribute or element changes";
    Log, "Breakpoints", ["log", "logpoint"], "FILE:LINE MESSAGE",
        "print a message with {expressions} for every execution of a line";
    Breakpoints, "Breakpoints", ["breakpoints", "bl"], "", "the breakpoints set here";
    Delete, "Breakpoints", ["delete", "d", "clear"], "[NUMBER]",
        "remove a breakpoint, or all of them";
    Print, "Values", ["print", "p"], "EXPRESSION",
        "the value of an expression on recorded values";
    History, "Values", ["history", "hist"], "NAME [COUNT]",
        "every change of a variable, attribute, element or object";
    Why, "Values", ["why"], "NAME", "the chain of writes that led to the value";
    Hits, "Values", ["hits"], "FILE:LINE | LINE [COUNT]",
        "every execution of a line with its values";
    Locals, "Values", ["locals"], "", "the local variables";
    Globals, "Values", ["globals"], "", "the global variables";
    Where, "Place", ["where", "bt", "backtrace", "w"], "[COUNT]", "the stack";
    Up, "Place", ["up", "u"], "[COUNT]", "select the caller's frame";
    Down, "Place", ["down"], "[COUNT]", "select the called frame";
    Frame, "Place", ["frame", "f"], "[NUMBER]", "select a frame of the stack";
    List, "Place", ["list", "l"], "[LINE | FILE:LINE]", "the source around a line";
    Threads, "Place", ["threads"], "", "the threads of the program";
    Thread, "Place", ["thread", "t"], "NUMBER", "select a thread";
    Output, "Place", ["output"], "[COUNT]", "what the program had printed by now";
    Info, "Place", ["info", "i"], "", "what is recorded here";
    Help, "Other", ["help", "h", "?"], "[COMMAND]", "this text, or more about one command";
    Quit, "Other", ["quit", "q", "exit"], "", "end the replay";
}

impl Command {
    /// The command with this name.
    pub(super) fn named(word: &str) -> Option<Command> {
        let entry = ENTRIES.iter().find(|entry| entry.names.contains(&word));
        entry.map(|entry| entry.command)
    }

    /// Whether an empty line does it again.
    pub(super) fn repeats(self) -> bool {
        matches!(
            self,
            Command::Back
                | Command::BackInto
                | Command::BackOut
                | Command::ReverseContinue
                | Command::Next
                | Command::Step
                | Command::Out
                | Command::Continue
                | Command::Up
                | Command::Down
        )
    }

    /// Whether what follows it is an expression.
    pub(super) fn takes_expression(self) -> bool {
        matches!(
            self,
            Command::Print | Command::History | Command::Why | Command::Watch
        )
    }

    /// Whether what follows it is a line or a function.
    pub(super) fn takes_location(self) -> bool {
        matches!(
            self,
            Command::Break | Command::Log | Command::Hits | Command::Until | Command::List
        )
    }
}

/// The first names of all commands.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    ENTRIES
        .iter()
        .filter_map(|entry| entry.names.first().copied())
}

/// The first word and what follows it.
pub(super) fn split(line: &str) -> (&str, &str) {
    if let Some(rest) = line.strip_prefix('?') {
        return ("?", rest);
    }
    let word = |character: char| !(character.is_alphanumeric() || "_-".contains(character));
    let mut end = line.find(word).unwrap_or(line.len());
    if Command::named(line.get(..end).unwrap_or_default()).is_none() {
        // `n-1` is a difference, `back-into` a command.
        let name = |character: char| !(character.is_alphanumeric() || character == '_');
        end = line.find(name).unwrap_or(line.len());
    }
    line.split_at(end)
}

/// Whether what follows a word makes the line an expression: `next.value`, `c+1`, `start + 1`, `c == 2`.
pub(super) fn continues_expression(rest: &str) -> bool {
    let trimmed = rest.trim_start();
    let glued = rest.len() == trimmed.len();
    if glued && !trimmed.is_empty() {
        return true;
    }
    let operators = [
        "==", "!=", "<=", ">=", "**", "//", "<<", ">>", "=", "<", ">", "* ", "/ ", "% ", "& ",
        "| ", "^ ", "+ ", "- ", "in ", "not in ", "is ", "and ", "or ", "if ",
    ];
    operators
        .iter()
        .any(|operator| trimmed.starts_with(operator))
}

/// What to say about a word that is no command: `None` if it rather is an expression.
pub(super) fn misspelt(word: &str, rest: &str) -> Option<String> {
    if word.is_empty() || continues_expression(rest) {
        return None;
    }
    let is_word = word
        .chars()
        .all(|character| character.is_ascii_lowercase() || character == '-');
    if !is_word {
        return None;
    }
    let close = ENTRIES
        .iter()
        .flat_map(|entry| entry.names.iter())
        .filter(|name| name.len() > 2)
        .map(|name| (distance(word, name), *name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 5 && word.len() > 2)
        .min_by_key(|(distance, _)| *distance);
    match close {
        Some((_, name)) => Some(format!("no command {word:?}; did you mean {name:?}?")),
        None if rest
            .trim_start()
            .starts_with(|next: char| next.is_alphanumeric()) =>
        {
            Some(format!("no command {word:?}; `help` lists the commands"))
        }
        None => None,
    }
}

/// How many letters have to be changed, put in, left out or swapped with their neighbour.
fn distance(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=b.len()).collect()];
    for (i, x) in a.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |back: usize, j: usize| {
                let row = rows.len().checked_sub(back).and_then(|row| rows.get(row));
                row.and_then(|row| row.get(j))
                    .copied()
                    .unwrap_or(usize::MAX / 2)
            };
            let left = row.last().copied().unwrap_or(0) + 1;
            let mut best = left
                .min(at(1, j + 1) + 1)
                .min(at(1, j) + usize::from(x != y));
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(2, j - 1) + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows.last().and_then(|row| row.last()).copied().unwrap_or(0)
}

/// The help text: of one command, or of all.
pub(super) fn help(topic: &str, kind: ConsoleKind) -> Result<String> {
    if !topic.is_empty() {
        let word = split(topic).0;
        let Some(entry) = ENTRIES.iter().find(|entry| entry.names.contains(&word)) else {
            let message = misspelt(word, "x");
            return Err(ConsoleError::Input(message.unwrap_or_else(|| {
                format!("no command {topic:?}; `help` lists the commands")
            })));
        };
        let mut text = format!("{} {}", entry.names.first().unwrap_or(&""), entry.usage);
        text.truncate(text.trim_end().len());
        text.push_str("\n    ");
        text.push_str(entry.help);
        if entry.names.len() > 1 {
            let others = entry.names.get(1..).unwrap_or_default();
            text.push_str("\n    also: ");
            text.push_str(&others.join(", "));
        }
        return Ok(text);
    }
    let mut text = String::new();
    let mut group = "";
    for entry in ENTRIES {
        if kind == ConsoleKind::Client
            && (entry.group == "Breakpoints" || entry.command == Command::Quit)
        {
            continue;
        }
        if entry.group != group {
            group = entry.group;
            text.push_str(&format!("{group}\n"));
        }
        let short = entry.names.iter().skip(1).find(|name| name.len() <= 2);
        let short = short.map_or(String::new(), |name| format!(", {name}"));
        let head = format!(
            "{}{short} {}",
            entry.names.first().unwrap_or(&""),
            entry.usage
        );
        let head = head.trim_end();
        if head.chars().count() > 26 {
            text.push_str(&format!("  {head}\n  {:26}  {}\n", "", entry.help));
        } else {
            text.push_str(&format!("  {head:26}  {}\n", entry.help));
        }
    }
    text.push_str("Any other line is an expression: cart[0].price, len(codes) > 3");
    if kind == ConsoleKind::Terminal {
        text.push_str("\nAn empty line repeats the last move. Ctrl-C stops a search.");
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique() {
        let mut names: Vec<&str> = ENTRIES
            .iter()
            .flat_map(|entry| entry.names)
            .copied()
            .collect();
        let len = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), len);
    }

    #[test]
    fn commands_are_told_from_expressions() {
        assert_eq!(split("back-into 3"), ("back-into", " 3"));
        assert_eq!(split("n-1"), ("n", "-1"));
        assert_eq!(split("? why"), ("?", " why"));
        assert!(continues_expression(".x"));
        assert!(continues_expression("+1"));
        assert!(continues_expression("-1"));
        assert!(continues_expression("'{x}'"));
        assert!(!continues_expression(""));
        assert!(continues_expression(" == 3"));
        assert!(!continues_expression(" 3"));
        assert!(!continues_expression(" -200"));
    }

    #[test]
    fn misspelt_commands_are_recognised() {
        let message = misspelt("bakc", "").unwrap();
        assert_eq!(message, "no command \"bakc\"; did you mean \"back\"?");
        assert_eq!(
            misspelt("continu", "").unwrap(),
            "no command \"continu\"; did you mean \"continue\"?"
        );
        assert!(misspelt("subtotal", "").is_none());
        assert!(misspelt("xyzzy", " now").unwrap().contains("help"));
    }
}
