//! The methods of built-in values that change nothing and need no code of the program.

use super::ExpressionError;
use super::builtins::Arguments;
use super::compare::{Shape, is_complete};
use super::evaluate::{Evaluator, Outcome, raised, would_run};
use super::number;
use crate::Datum;
use crate::render;

const TEXT: &[&str] = &[
    "count",
    "endswith",
    "find",
    "isalpha",
    "isdigit",
    "isspace",
    "join",
    "lower",
    "lstrip",
    "removeprefix",
    "removesuffix",
    "replace",
    "rfind",
    "rstrip",
    "split",
    "splitlines",
    "startswith",
    "strip",
    "upper",
];

/// Whether a value has a method that can be worked out.
pub(super) fn exists(evaluator: &Evaluator<'_>, value: &Datum, name: &str) -> Outcome<bool> {
    if evaluator.may_be_overridden(value)? {
        return Ok(false);
    }
    Ok(match value {
        Datum::Str(_) => TEXT.contains(&name),
        Datum::Float(_) => name == "is_integer",
        Datum::Int(_) | Datum::Bool(_) => name == "bit_length",
        _ => match evaluator.shape(value)? {
            Some(Shape::List | Shape::Tuple) => matches!(name, "count" | "index"),
            Some(Shape::Deque) => name == "count",
            Some(Shape::Dict) => matches!(name, "get" | "items" | "keys" | "values"),
            Some(Shape::Set) => matches!(name, "isdisjoint" | "issubset" | "issuperset"),
            _ => false,
        },
    })
}

impl Evaluator<'_> {
    /// Calls a method that [`exists`].
    pub(super) fn method(
        &mut self,
        value: &Datum,
        name: &str,
        arguments: Arguments,
        what: &str,
    ) -> Outcome {
        if !arguments.keywords.is_empty() {
            return would_run(what);
        }
        let arguments = arguments.positional;
        if let Datum::Str(text) = value {
            if !is_complete(text, false) {
                return super::sequence::not_in_full(text.kept.len() as u64, text.len);
            }
            let Ok(text) = std::str::from_utf8(&text.kept) else {
                return would_run(what);
            };
            return self.text_method(text, name, &arguments, what);
        }
        match (name, arguments.as_slice()) {
            ("is_integer", []) => match value {
                Datum::Float(value) => Ok(Datum::Bool(value.is_finite() && value.fract() == 0.0)),
                _ => would_run(what),
            },
            ("bit_length", []) => match number::integer(value) {
                Some(value) => Ok(Datum::int(value.bits())),
                None => would_run(what),
            },
            ("count", [wanted]) => {
                let mut count = 0;
                for item in self.elements(value)? {
                    count += u64::from(self.same_or_equal(&item, wanted, 1)?);
                }
                Ok(Datum::int(count))
            }
            ("index", [wanted]) => {
                let items = self.elements(value)?;
                match self.position(&items, wanted)? {
                    Some(index) => Ok(Datum::int(index)),
                    None => {
                        let text = render::value(self.snapshot, wanted, render::LIMIT)?;
                        let type_name = self.type_name(value)?;
                        raised("ValueError", format!("{text} is not in {type_name}"))
                    }
                }
            }
            ("get", [key, default @ ..]) => {
                let (entries, complete) = self.recorded_entries(value)?;
                match (self.find_entry(&entries, key)?, complete) {
                    (Some(found), _) => Ok(found),
                    (None, true) => Ok(default.first().cloned().unwrap_or(Datum::None)),
                    (None, false) => Err(ExpressionError::NotRecorded(
                        "it is not among the recorded entries; the others were not recorded"
                            .to_owned(),
                    )),
                }
            }
            ("keys", []) => Ok(Datum::List(self.elements(value)?.into())),
            ("values", []) => {
                let entries = self.mapping_entries(value)?;
                Ok(Datum::List(
                    entries.into_iter().map(|(_, value)| value).collect(),
                ))
            }
            ("items", []) => {
                let entries = self.mapping_entries(value)?;
                let pairs = entries
                    .into_iter()
                    .map(|(key, value)| Datum::Tuple([key, value].into()));
                Ok(Datum::List(pairs.collect()))
            }
            ("issubset" | "issuperset" | "isdisjoint", [other]) => {
                let items = self.elements(value)?;
                let others = self.elements(other)?;
                Ok(Datum::Bool(match name {
                    "issubset" => self.all_in(&items, &others)?,
                    "issuperset" => self.all_in(&others, &items)?,
                    _ => {
                        let mut disjoint = true;
                        for item in &items {
                            disjoint = disjoint && self.position(&others, item)?.is_none();
                        }
                        disjoint
                    }
                }))
            }
            _ => would_run(what),
        }
    }

    fn text_method(&mut self, text: &str, name: &str, arguments: &[Datum], what: &str) -> Outcome {
        self.spend(text.len() as u64)?;
        let mut others = Vec::new();
        if name == "join" {
            let [items] = arguments else {
                return would_run(what);
            };
            let mut parts = Vec::new();
            for item in self.elements(items)? {
                match complete_text(&item) {
                    Some(part) => parts.push(part),
                    None => {
                        let type_name = self.type_name(&item)?;
                        return raised(
                            "TypeError",
                            format!(
                                "sequence item {}: expected str instance, {type_name} found",
                                parts.len()
                            ),
                        );
                    }
                }
            }
            return Ok(Datum::str(&parts.join(text)));
        }
        for argument in arguments {
            match complete_text(argument) {
                Some(other) => others.push(other),
                None => return would_run(what),
            }
        }
        let others: Vec<&str> = others.iter().map(String::as_str).collect();
        let list = |parts: Vec<&str>| Ok(Datum::List(parts.into_iter().map(Datum::str).collect()));
        let place = |byte: Option<usize>| {
            let before = byte.and_then(|byte| text.get(..byte));
            Ok(match before {
                Some(before) => Datum::int(before.chars().count()),
                None => Datum::int(-1),
            })
        };
        match (name, others.as_slice()) {
            ("startswith", [part]) => Ok(Datum::Bool(text.starts_with(part))),
            ("endswith", [part]) => Ok(Datum::Bool(text.ends_with(part))),
            ("find", [part]) => place(text.find(part)),
            ("rfind", [part]) => place(text.rfind(part)),
            ("count", [""]) => Ok(Datum::int(text.chars().count() + 1)),
            ("count", [part]) => Ok(Datum::int(text.matches(part).count())),
            ("replace", [from, to]) => {
                let longest = (text.len() + 1).saturating_mul(to.len() + 1);
                self.spend(longest as u64)?;
                Ok(Datum::str(&text.replace(from, to)))
            }
            ("removeprefix", [part]) => Ok(Datum::str(text.strip_prefix(part).unwrap_or(text))),
            ("removesuffix", [part]) => Ok(Datum::str(text.strip_suffix(part).unwrap_or(text))),
            ("split", []) => list(
                text.split(is_space)
                    .filter(|part| !part.is_empty())
                    .collect(),
            ),
            ("split", [""]) => raised("ValueError", "empty separator"),
            ("split", [part]) => list(text.split(part).collect()),
            ("strip", []) => Ok(Datum::str(text.trim_matches(is_space))),
            ("lstrip", []) => Ok(Datum::str(text.trim_start_matches(is_space))),
            ("rstrip", []) => Ok(Datum::str(text.trim_end_matches(is_space))),
            ("strip", [set]) => Ok(Datum::str(text.trim_matches(|c| set.contains(c)))),
            ("lstrip", [set]) => Ok(Datum::str(text.trim_start_matches(|c| set.contains(c)))),
            ("rstrip", [set]) => Ok(Datum::str(text.trim_end_matches(|c| set.contains(c)))),
            // Outside ASCII the answers depend on Python's Unicode version.
            _ if !text.is_ascii() => would_run(what),
            ("lower", []) => Ok(Datum::str(&text.to_ascii_lowercase())),
            ("upper", []) => Ok(Datum::str(&text.to_ascii_uppercase())),
            ("isalpha", []) => Ok(all(text, |c| c.is_ascii_alphabetic())),
            ("isdigit", []) => Ok(all(text, |c| c.is_ascii_digit())),
            ("isspace", []) => Ok(all(text, is_space)),
            ("splitlines", []) => list(lines(text)),
            _ => would_run(what),
        }
    }
}

fn complete_text(value: &Datum) -> Option<String> {
    match value {
        Datum::Str(text) if is_complete(text, false) => String::from_utf8(text.kept.to_vec()).ok(),
        _ => None,
    }
}

fn all(text: &str, holds: impl Fn(char) -> bool) -> Datum {
    Datum::Bool(!text.is_empty() && text.chars().all(holds))
}

/// Python's white space.
fn is_space(character: char) -> bool {
    character.is_whitespace() || ('\u{1c}'..='\u{1f}').contains(&character)
}

/// Lines of ASCII text as `str.splitlines` sees them.
fn lines(text: &str) -> Vec<&str> {
    let ends = ['\n', '\r', '\u{b}', '\u{c}', '\u{1c}', '\u{1d}', '\u{1e}'];
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let Some(end) = rest.find(ends) else {
            out.push(rest);
            break;
        };
        let (line, behind) = rest.split_at(end);
        out.push(line);
        let skip = if behind.starts_with("\r\n") { 2 } else { 1 };
        rest = behind.get(skip..).unwrap_or_default();
    }
    out
}
