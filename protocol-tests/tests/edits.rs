//! After any edits every hint stands at the end of a line that is the recorded one, in the function of
//! that name.
//!
//! `RETROSTEP_EDITS=N` makes so many rounds of edits in each session.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result, ensure};
use libtest_mimic::{Arguments, Trial};
use protocol_tests::lsp_client::LspClient;
use protocol_tests::pythons::{Python, newest};
use protocol_tests::random_program;
use protocol_tests::skip::skip;
use protocol_tests::workspace::{Hint, Workspace, full_client, hints};
use serde_json::{Value, json};

const BINARY: &str = env!("CARGO_BIN_EXE_retrostep");
const ROUNDS: u64 = 30;
/// Edits between two states that are as recorded.
const EDITS_IN_A_ROUND: u64 = 8;

static EDITS: AtomicU64 = AtomicU64::new(0);
static HINTS: AtomicU64 = AtomicU64::new(0);

/// Lines that are no lines to everybody, characters of several units, and functions that look alike.
const PROGRAM: &str = "\
# Odd ends of lines in a comment: \u{2028} \u{85} \u{b} \u{c} and no end at all.
title = 'Za\u{301}hlung 🦀 für 家族'  # 👩‍👩‍👧 in a comment, too
totals = {}


class Cart:
    \"\"\"What is bought.\"\"\"

    def __init__(self, owner):
        self.owner = owner
        self.items = []

    def add(self, name, price):
        count = len(self.items)
        self.items.append((name, price))
        return count + 1

    def total(self):
        total = 0
        for name, price in self.items:
            if price > 5:
                total += price - 1
            else:
                total += price
        return total


def first(values):
    total = 0
    for value in values:
        total += value  # 🧮
    return total


def second(values):
    total = 0
    for value in values:
        total += value  # 🧮
    label = '🦀' * total
    return total + len(label)


def outer(n):
    def inner(m):
        half = m // 2
        return half

    result = inner(
        n * 3,
    )
    return result


def main():
    cart = Cart('Ä')
    for name, price in [('🍎', 4), ('🍰', 7)]:
        count = cart.add(name, price)
    bill = cart.total()
    a, b = first([1, 2]), second([3])
    deep = outer(b)
    totals['家'] = bill
    return a, b, deep, count


main()
";

/// What a column counts.
#[derive(Clone, Copy, Debug)]
enum Encoding {
    Utf8,
    Utf16,
    Utf32,
}

impl Encoding {
    fn name(self) -> &'static str {
        match self {
            Encoding::Utf8 => "utf-8",
            Encoding::Utf16 => "utf-16",
            Encoding::Utf32 => "utf-32",
        }
    }

    fn len(self, text: &str) -> u64 {
        match self {
            Encoding::Utf8 => text.len() as u64,
            Encoding::Utf16 => text.encode_utf16().count() as u64,
            Encoding::Utf32 => text.chars().count() as u64,
        }
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::from_args();
    let mut trials = Vec::new();
    if let Some(python) = newest() {
        for encoding in [Encoding::Utf8, Encoding::Utf16, Encoding::Utf32] {
            for end in ["\n", "\r\n"] {
                let name = format!("{}, lines end with {end:?}", encoding.name());
                let python = python.clone();
                let test = move || {
                    Session::new(&python, PROGRAM, encoding, end)
                        .and_then(|mut session| {
                            session.whole_functions()?;
                            session.rounds()?;
                            session.client.finish()
                        })
                        .map_err(|error| format!("{error:#}").into())
                };
                trials.push(Trial::test(name, test));
            }
        }
        for seed in 0..4 {
            let python = python.clone();
            let test = move || {
                let text = random_program::text(700 + seed);
                Session::new(&python, &text, Encoding::Utf16, "\n")
                    .and_then(|mut session| {
                        session.random.0 ^= seed << 20;
                        session.rounds()?;
                        session.client.finish()
                    })
                    .map_err(|error| format!("{error:#}").into())
            };
            trials.push(Trial::test(format!("random program {seed}"), test));
        }
    } else {
        skip("edits", "no Python from 3.9 to 3.14 was found");
    }
    let conclusion = libtest_mimic::run(&arguments, trials);
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (edits, hints) = (count(&EDITS), count(&HINTS));
    writeln!(std::io::stdout(), "{edits} edits, {hints} hints after them")?;
    conclusion.exit();
}

/// A small generator of numbers; the same ones in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) % end.max(1) as u64) as usize
    }

    fn pick<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }
}

/// One change, in lines and characters from 0.
#[derive(Clone, Debug)]
struct Edit {
    from: (usize, usize),
    to: (usize, usize),
    text: String,
}

struct Session {
    _workspace: Workspace,
    client: LspClient,
    uri: String,
    encoding: Encoding,
    /// How lines end.
    end: &'static str,
    version: i32,
    recorded: Vec<String>,
    /// The functions that the recorded lines are in.
    places: Vec<Option<String>>,
    shown: BTreeMap<u64, Hint>,
    /// The lines of the buffer.
    lines: Vec<String>,
    /// Functions that got another name or indentation as a whole since the text was as recorded.
    renamed: BTreeMap<String, String>,
    indented: bool,
    done: Vec<Edit>,
    random: Numbers,
}

impl Session {
    fn new(
        python: &Python,
        program: &str,
        encoding: Encoding,
        end: &'static str,
    ) -> Result<Session> {
        let workspace = Workspace::new()?;
        let text = program.replace('\n', end);
        let script = workspace.write("edited.py", &text)?;
        let name = "edited-20260101-000000";
        workspace.record(BINARY.as_ref(), python, &script, name)?;
        let mut capabilities = full_client();
        capabilities["general"]["positionEncodings"] = json!([encoding.name()]);
        let mut client = workspace.serve(BINARY.as_ref(), &capabilities)?;
        let uri = client.open_text(&script, &text)?;
        let shown = hints(&mut client, &uri)?;
        ensure!(shown.len() > 15, "only {} hints: {shown:?}", shown.len());
        let recorded: Vec<String> = text.split(end).map(str::to_owned).collect();
        let places = (0..recorded.len())
            .map(|index| place(&recorded, index, &BTreeMap::new(), &By::Lines))
            .collect();
        Ok(Session {
            places,
            _workspace: workspace,
            client,
            uri,
            encoding,
            end,
            version: 1,
            lines: recorded.clone(),
            recorded,
            shown,
            renamed: BTreeMap::new(),
            indented: false,
            done: Vec::new(),
            random: Numbers(0x9e37_79b9_7f4a_7c15),
        })
    }

    /// Functions that are renamed, moved or indented as a whole keep what they show.
    fn whole_functions(&mut self) -> Result<()> {
        let find = |session: &Session, start: &str| {
            let line = session
                .lines
                .iter()
                .position(|line| line.starts_with(start));
            line.with_context(|| format!("no line {start:?}"))
        };
        // A comment above moves everything down.
        self.apply(vec![insert(0, "# \u{1f980} new", self.end)])?;
        let shown = self.check()?;
        ensure!(shown.len() == self.shown.len(), "{} hints", shown.len());
        self.reset()?;

        let line = find(self, "def second")?;
        self.rename(line, "renamed")?;
        let shown = self.check()?;
        for at in line..line + 6 {
            let number = at as u64 + 1;
            let (now, before) = (shown.get(&number), self.shown.get(&number));
            let text = |hint: Option<&Hint>| hint.map(|hint| hint.text.clone());
            ensure!(
                text(now) == text(before),
                "renamed: line {number} shows {now:?}, was {before:?}"
            );
        }
        self.reset()?;

        let line = find(self, "def outer")?;
        let last = line + 8;
        self.indent(line, last)?;
        let shown = self.check()?;
        for at in line..=last {
            let (now, before) = (
                shown.get(&(at as u64 + 2)),
                self.shown.get(&(at as u64 + 1)),
            );
            let text = |hint: Option<&Hint>| hint.map(|hint| hint.text.clone());
            ensure!(
                text(now) == text(before),
                "indented: line {at} shows {now:?}, was {before:?}"
            );
        }
        self.reset()
    }

    fn rounds(&mut self) -> Result<()> {
        let rounds = match std::env::var("RETROSTEP_EDITS") {
            Ok(rounds) => rounds.parse().context("RETROSTEP_EDITS")?,
            Err(_) => ROUNDS,
        };
        for _ in 0..rounds {
            for _ in 0..EDITS_IN_A_ROUND {
                self.edit()?;
                if self.random.below(3) == 0 {
                    self.check()?;
                }
            }
            self.check()?;
            self.reset()?;
        }
        let shown = hints(&mut self.client, &self.uri)?;
        ensure!(
            shown == self.shown,
            "the recorded text shows something else now"
        );
        Ok(())
    }

    fn edit(&mut self) -> Result<()> {
        let line = self.random.below(self.lines.len());
        let other = self.random.below(self.lines.len());
        let definitions: Vec<usize> = (0..self.lines.len())
            .filter(|line| self.lines[*line].trim_start().starts_with("def "))
            .collect();
        let mut kind = self.random.below(12);
        if matches!(kind, 3 | 4 | 8) && definitions.contains(&line) {
            // Another name by a letter is another name.
            kind = 10;
        }
        match kind {
            0 | 1 => {
                let indent = self.lines[line].len() - self.lines[line].trim_start().len();
                let text = match self.random.below(3) {
                    0 => self.lines[other].clone(),
                    1 => format!("{}# 🦀 e\u{301}", &self.lines[line][..indent]),
                    _ => format!("{}total = 77", &self.lines[line][..indent]),
                };
                self.apply(vec![insert(line, &text, self.end)])
            }
            2 => self.apply(vec![remove(line)]),
            3 | 4 => {
                let chars = self.lines[line].chars().count();
                let from = self.random.below(chars + 1);
                let to = (from + self.random.below(4)).min(chars);
                let text = self
                    .random
                    .pick(&["", "x", "🦀", "e\u{301}", " ", "(", "'", ":", "1"]);
                let (from, to) = ((line, from), (line, to));
                self.apply(vec![Edit {
                    from,
                    to,
                    text: text.to_owned(),
                }])
            }
            5 => {
                let text = self.lines[line].clone();
                self.apply(vec![insert(line, &text, self.end)])
            }
            6 | 7 => {
                let text = self.lines[line].clone();
                let place = other.min(self.lines.len().saturating_sub(2));
                self.apply(vec![remove(line), insert(place, &text, self.end)])
            }
            8 => {
                let chars = self.lines[line].chars().count();
                let at = (line, self.random.below(chars + 1));
                let text = self.end.to_owned();
                self.apply(vec![Edit {
                    from: at,
                    to: at,
                    text,
                }])
            }
            9 => {
                if line + 1 >= self.lines.len() {
                    return Ok(());
                }
                let from = (line, self.lines[line].chars().count());
                self.apply(vec![Edit {
                    from,
                    to: (line + 1, 0),
                    text: String::new(),
                }])
            }
            10 => match definitions.get(self.random.below(definitions.len())) {
                Some(line) => {
                    let number = self.random.below(100);
                    self.rename(*line, &format!("renamed_{number}"))
                }
                None => Ok(()),
            },
            _ => match definitions.get(self.random.below(definitions.len())) {
                Some(line) => {
                    let indent = |line: &str| line.len() - line.trim_start().len();
                    let own = indent(&self.lines[*line]);
                    let rest = self.lines.iter().enumerate().skip(line + 1);
                    let end = rest
                        .take_while(|(_, line)| line.trim().is_empty() || indent(line) > own)
                        .last();
                    let last = end.map_or(*line, |(last, _)| last);
                    self.indent(*line, last)
                }
                None => Ok(()),
            },
        }
    }

    fn rename(&mut self, line: usize, name: &str) -> Result<()> {
        let text = self.lines[line].clone();
        let Some(at) = text.find("def ") else {
            return Ok(());
        };
        let old = text[at + 4..]
            .split('(')
            .next()
            .unwrap_or_default()
            .to_owned();
        let from = text[..at + 4].chars().count();
        let to = from + old.chars().count();
        // What it was called when it was recorded.
        let recorded = self.renamed.get(&old).cloned().unwrap_or(old);
        self.renamed.insert(name.to_owned(), recorded);
        let (from, to) = ((line, from), (line, to));
        self.apply(vec![Edit {
            from,
            to,
            text: name.to_owned(),
        }])
    }

    /// Puts lines under a condition.
    fn indent(&mut self, first: usize, last: usize) -> Result<()> {
        self.indented = true;
        let own = &self.lines[first];
        let before = own[..own.len() - own.trim_start().len()].to_owned();
        let mut text = format!("{before}if totals is not None:");
        for line in &self.lines[first..=last] {
            text.push_str(self.end);
            if !line.trim().is_empty() {
                text.push_str("    ");
            }
            text.push_str(line);
        }
        let to = (last, self.lines[last].chars().count());
        self.apply(vec![Edit {
            from: (first, 0),
            to,
            text,
        }])
    }

    /// Tells the server of changes that follow each other, and does them here.
    fn apply(&mut self, edits: Vec<Edit>) -> Result<()> {
        let mut changes = Vec::new();
        for mut edit in edits {
            let last = self.lines.len() - 1;
            // The last line has no end that could be taken away with it.
            if edit.to.0 > last {
                edit.to = (last, self.lines[last].chars().count());
            }
            edit.from.0 = edit.from.0.min(last);
            changes.push(json!({
                "range": {"start": self.position(edit.from), "end": self.position(edit.to)},
                "text": edit.text,
            }));
            let head = prefix(&self.lines[edit.from.0], edit.from.1);
            let tail = &self.lines[edit.to.0][prefix(&self.lines[edit.to.0], edit.to.1).len()..];
            let text = format!("{head}{}{tail}", edit.text);
            let lines = text.split(self.end).map(str::to_owned);
            self.lines
                .splice(edit.from.0..=edit.to.0, lines.collect::<Vec<_>>());
            self.done.push(edit);
        }
        EDITS.fetch_add(changes.len() as u64, Ordering::Relaxed);
        self.change(&Value::Array(changes))
    }

    fn change(&mut self, changes: &Value) -> Result<()> {
        self.version += 1;
        let document = json!({"uri": self.uri, "version": self.version});
        let params = json!({"textDocument": document, "contentChanges": changes});
        self.client.notify("textDocument/didChange", &params)
    }

    /// The text becomes the recorded one.
    fn reset(&mut self) -> Result<()> {
        self.lines = self.recorded.clone();
        self.renamed.clear();
        self.indented = false;
        self.done.clear();
        let text = self.lines.join(self.end);
        self.change(&json!([{"text": text}]))
    }

    fn position(&self, (line, character): (usize, usize)) -> Value {
        let before = prefix(&self.lines[line], character);
        json!({"line": line, "character": self.encoding.len(before)})
    }

    /// Asks for all hints; each must be one of a recorded line that the buffer's line is.
    fn check(&mut self) -> Result<BTreeMap<u64, Hint>> {
        let shown = hints(&mut self.client, &self.uri)?;
        let inside = in_brackets(&self.lines);
        let ways = [By::Lines, By::Statements(inside), By::Definitions];
        for (number, hint) in &shown {
            HINTS.fetch_add(1, Ordering::Relaxed);
            let index = *number as usize - 1;
            let Some(line) = self.lines.get(index) else {
                return Err(self.wrong(*number, hint, "there is no such line"));
            };
            if hint.character != self.encoding.len(line) {
                return Err(self.wrong(*number, hint, "it does not stand at the line's end"));
            }
            let around = ways
                .each_ref()
                .map(|by| place(&self.lines, index, &self.renamed, by));
            let is_source = |(recorded, told): (&u64, &Hint)| {
                let recorded = *recorded as usize - 1;
                told.text == hint.text
                    && self.is_same(&self.recorded[recorded], line)
                    && around.contains(&self.places[recorded])
            };
            if !self.shown.iter().any(is_source) {
                let what = format!("no recorded line in {around:?} is this one and shows that");
                return Err(self.wrong(*number, hint, &what));
            }
        }
        Ok(shown)
    }

    fn is_same(&self, recorded: &str, line: &str) -> bool {
        if recorded == line {
            return true;
        }
        let (mut a, mut b) = (recorded.to_owned(), line.to_owned());
        if self.indented {
            (a, b) = (a.trim_start().to_owned(), b.trim_start().to_owned());
        }
        let names = self
            .renamed
            .iter()
            .map(|(new, old)| (format!("def {new}("), format!("def {old}(")));
        a == b
            || names
                .into_iter()
                .any(|(new, old)| b.replace(&new, &old) == a)
    }

    fn wrong(&self, line: u64, hint: &Hint, what: &str) -> anyhow::Error {
        let index = line as usize - 1;
        let around: Vec<String> = (index.saturating_sub(6)..(index + 5).min(self.lines.len()))
            .map(|line| format!("{:>5} {:?}", line + 1, self.lines[line]))
            .collect();
        let edits: Vec<String> = self.done.iter().map(|edit| format!("{edit:?}")).collect();
        anyhow::anyhow!(
            "line {line} shows {hint:?}: {what}\n{}\nafter the edits\n{}",
            around.join("\n"),
            edits.join("\n")
        )
    }
}

fn insert(line: usize, text: &str, end: &str) -> Edit {
    Edit {
        from: (line, 0),
        to: (line, 0),
        text: format!("{text}{end}"),
    }
}

fn remove(line: usize) -> Edit {
    Edit {
        from: (line, 0),
        to: (line + 1, 0),
        text: String::new(),
    }
}

fn prefix(line: &str, chars: usize) -> &str {
    let end = line
        .char_indices()
        .nth(chars)
        .map_or(line.len(), |(at, _)| at);
    &line[..end]
}

/// What decides in which function a line is.
#[derive(Clone, Debug, PartialEq, Eq)]
enum By {
    /// Every line that is indented less than what follows it.
    Lines,
    /// As lines, but not those that are said here: a bracket goes on in them.
    Statements(Vec<bool>),
    /// Definitions alone: what is half-typed or moved may stand anywhere.
    Definitions,
}

/// Which lines begin inside of brackets.
fn in_brackets(lines: &[String]) -> Vec<bool> {
    let mut open = 0;
    let inside = lines.iter().map(|line| {
        let count = |of: &[char]| line.matches(of).count() as i64;
        let is_inside = open > 0;
        open += count(&['(', '[', '{']) - count(&[')', ']', '}']);
        is_inside
    });
    inside.collect()
}

/// The name of the function or class that a line is in; its own on the line of a definition.
fn place(
    lines: &[String],
    index: usize,
    renamed: &BTreeMap<String, String>,
    by: &By,
) -> Option<String> {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let own = indent(&lines[index]);
    // The line itself may be the first one.
    let mut least = own + 1;
    for (at, line) in lines[..=index].iter().enumerate().rev() {
        let text = line.trim_start();
        let is_inside = matches!(by, By::Statements(inside) if at < index && inside[at]);
        if text.is_empty() || text.starts_with('#') || indent(line) >= least || is_inside {
            continue;
        }
        let mut name = (["def ", "class "].iter()).find_map(|word| text.strip_prefix(word));
        if *by == By::Definitions {
            // One that was joined to the line before is found, too.
            name = name.or(text.rsplit_once(" def ").map(|(_, name)| name));
            // So is one that was split.
            let next = lines
                .iter()
                .skip(at + 1)
                .find(|line| !line.trim().is_empty());
            if text.trim_end() == "def" {
                name = next.map(|line| line.trim());
            }
        }
        if let Some(name) = name {
            let name = name.split(['(', ':']).next().unwrap_or_default().trim();
            return Some(renamed.get(name).cloned().unwrap_or(name.to_owned()));
        }
        least = least.min(own);
        if *by != By::Definitions {
            least = indent(line);
        }
    }
    None
}
