//! Hints of a whole recording.

use retrostep_trace::{Event, Position, Recording, Result, Value};

use super::phrase::{self, VALUE_LEN};
use super::{Hint, HintPart, HintValue, len, parts};
use crate::code::{Owner, SourceCode};
use crate::survey::{Changed, LineFacts, Survey, Values};
use crate::syntax::{Statement, StatementKind};
use crate::{Snapshot, render};

/// What is told of a line when no moment is looked at, in at most `max_len` characters.
///
/// # Errors
///
/// [`retrostep_trace::Error::Io`].
pub fn overall(
    recording: &Recording,
    code: &SourceCode,
    survey: &Survey,
    line: u32,
    max_len: usize,
) -> Result<Option<Hint>> {
    let teller = Teller { recording, max_len };
    let statements: Vec<&Statement> = code.syntax.statements_at(line).map(|(_, it)| it).collect();
    if let [head] = statements.as_slice()
        && head.kind == StatementKind::Definition
    {
        return Ok(calls_of(code, survey, line, head));
    }
    let Some(facts) = survey.lines.get(&line) else {
        return Ok(None);
    };
    let in_loop = (statements.first()).is_some_and(|statement| statement.enclosing_loop.is_some());
    let head = statements.first().map(|statement| statement.kind);
    let parts = teller.line(facts, head, in_loop)?;
    Ok((!parts.is_empty()).then_some(Hint {
        line,
        parts,
        step: facts.last_run,
        frame: None,
    }))
}

/// `32 calls`, on the line of the name.
fn calls_of(code: &SourceCode, survey: &Survey, line: u32, head: &Statement) -> Option<Hint> {
    let (index, definition) = code.syntax.function_of(head)?;
    if *definition.head.start() != line {
        return None;
    }
    let functions = code.functions_of(Owner::Definition(index));
    let facts: Vec<_> = functions
        .filter_map(|function| survey.functions.get(&function.id))
        .collect();
    let calls: u64 = facts.iter().map(|facts| facts.calls).sum();
    let last = facts.iter().map(|facts| facts.last_call).max()?;
    (calls > 0).then(|| Hint {
        line,
        parts: vec![HintPart::plain(render::counted(calls, "call"))],
        step: last,
        frame: None,
    })
}

struct Teller<'a> {
    recording: &'a Recording,
    max_len: usize,
}

impl Teller<'_> {
    fn line(
        &self,
        facts: &LineFacts,
        head: Option<StatementKind>,
        in_loop: bool,
    ) -> Result<Vec<HintPart>> {
        let mut parts = Vec::new();
        let passes = facts.held;
        match head {
            Some(StatementKind::For | StatementKind::While) => {
                if facts.loop_calls > 0 {
                    let passes = passes_text(passes);
                    parts.push(HintPart::plain(match facts.loop_calls {
                        1 => passes,
                        calls => format!("{passes} in {}", render::counted(calls, "call")),
                    }));
                }
                return Ok(parts);
            }
            Some(StatementKind::If) => {
                if facts.held + facts.failed > 0 {
                    parts.push(HintPart::plain(decisions(facts)));
                }
            }
            Some(StatementKind::Import) => {}
            _ => {
                if let Some(values) = &facts.returned {
                    parts = self.values("returns ", values, false)?;
                } else if let Some(values) = &facts.yielded {
                    parts = self.values("yields ", values, in_loop)?;
                }
            }
        }
        if parts.is_empty() {
            parts = self.bound(&facts.bound, in_loop)?;
        }
        if let Some(changed) = &facts.changed
            && let Some(part) = self.changed(changed)?
        {
            parts::add(&mut parts, part, self.max_len);
        }
        if facts.raises > 0
            && let Some(name) = self.exception(facts.last_raise)?
        {
            let before = parts::len_of(&parts);
            let text = match before {
                0 => format!("✗ {name}"),
                _ => format!(", ✗ {name}"),
            };
            if before + len(&text) <= self.max_len {
                parts.push(HintPart::plain(text));
            }
        }
        Ok(parts)
    }

    /// The type of the exception that is raised at a position.
    fn exception(&self, at: Position) -> Result<Option<String>> {
        let Some(Event::Raise {
            exception: Value::Object(object),
        }) = self.recording.event(at)?.map(|event| event.event)
        else {
            return Ok(None);
        };
        let content = Snapshot::new(self.recording, at).outline(object)?;
        content
            .map(|content| {
                let ty = self.recording.type_of(content.type_id)?;
                Ok(render::class_name(&ty).to_owned())
            })
            .transpose()
    }

    fn bound(
        &self,
        bound: &[(std::sync::Arc<str>, Values)],
        in_loop: bool,
    ) -> Result<Vec<HintPart>> {
        let shown = parts::last_of(self.recording, bound, VALUE_LEN)?;
        let several = match shown.as_slice() {
            [] => return Ok(Vec::new()),
            [one] => return self.values("= ", one.values, in_loop),
            [first, ..] => first.values.count,
        };
        let suffix = match several {
            1 => String::new(),
            count => format!(" · last of {}", render::count(count)),
        };
        let mut parts = parts::named(&shown, self.max_len.saturating_sub(len(&suffix)));
        if !parts.is_empty() && !suffix.is_empty() {
            parts.push(HintPart::plain(suffix));
        }
        Ok(parts)
    }

    /// A series of values of one name, of what was returned, of what was yielded.
    fn values(&self, before: &str, values: &Values, in_loop: bool) -> Result<Vec<HintPart>> {
        let Some(last) = &values.last else {
            return Ok(Vec::new());
        };
        let count = render::count(values.count);
        let different = values.different.as_ref().map(|different| different.len());
        if in_loop && values.count > 1 && different != Some(1) {
            if let Some((lowest, highest)) = &values.range
                && let Some(low) = self.value(&lowest.value, lowest.at, VALUE_LEN)?
                && let Some(high) = self.value(&highest.value, highest.at, VALUE_LEN)?
            {
                let text = format!("{before}{low} to {high} · {count} times");
                if len(&text) <= self.max_len {
                    return Ok(vec![HintPart::of(text, None, last, values)]);
                }
            } else if let Some(different) = different {
                let start = format!("{} different, last ", render::count(different as u64));
                let room = self.max_len.saturating_sub(len(&start));
                if let Some(last_text) = self.value(last, values.last_at, room)? {
                    return Ok(vec![HintPart::of(
                        format!("{start}{last_text}"),
                        None,
                        last,
                        values,
                    )]);
                }
            }
        }
        let suffix = match (values.count, different) {
            (1, _) => String::new(),
            (_, Some(1)) => format!(" · all {count}"),
            _ => format!(" · last of {count}"),
        };
        let room = self.max_len.saturating_sub(len(before) + len(&suffix));
        let Some(text) = self.value(last, values.last_at, room)? else {
            return Ok(Vec::new());
        };
        let text = render::shortened(&format!("{before}{text}{suffix}"), self.max_len);
        Ok(vec![HintPart::of(text, None, last, values)])
    }

    fn value(&self, value: &Value, at: Position, limit: usize) -> Result<Option<String>> {
        phrase::value(Snapshot::new(self.recording, at), value, limit)
    }

    /// What a line changed in place.
    fn changed(&self, changed: &Changed) -> Result<Option<HintPart>> {
        changed_text(self.recording, changed, true)
    }
}

/// What was changed in place, over several executions or in one.
pub(super) fn changed_text(
    recording: &Recording,
    changed: &Changed,
    overall: bool,
) -> Result<Option<HintPart>> {
    let value = Some(HintValue {
        name: None,
        value: Value::Object(changed.object),
        at: changed.last.next(),
    });
    let part = |text| {
        Some(HintPart {
            text,
            value: value.clone(),
        })
    };
    if changed.count == 1 {
        return Ok(phrase::change(recording, changed.last)?.and_then(part));
    }
    let objects = changed.objects.len() as u64;
    let times = match overall {
        true => format!(" · {} times", render::count(changed.count)),
        false => String::new(),
    };
    if objects == 1 && !changed.more_objects {
        let (first, after) = (changed.first, changed.last.next());
        if let Some(name) = &changed.attribute {
            let old = recording.value_of_part(
                changed.object,
                retrostep_trace::Part::Attribute(name),
                first,
            )?;
            let new = recording.value_of_part(
                changed.object,
                retrostep_trace::Part::Attribute(name),
                after,
            )?;
            let short = |value: Option<Value>, at| -> Result<Option<String>> {
                match value {
                    Some(value) => phrase::value(Snapshot::new(recording, at), &value, VALUE_LEN),
                    None => Ok(None),
                }
            };
            return Ok(match (short(old, first)?, short(new, after)?) {
                (Some(old), Some(new)) => part(format!("{name} {old} → {new}{times}")),
                (None, Some(new)) => part(format!("= {new}{times}")),
                _ => None,
            });
        }
        let lengths = phrase::lengths_at(recording, changed.object, first, after)?;
        return Ok(match lengths {
            Some(lengths) => part(format!("{lengths}{times}")),
            None => part(render::counted(changed.count, "change")),
        });
    }
    if overall
        && changed.count == objects
        && !changed.more_objects
        && let Some(name) = &changed.attribute
    {
        // Each object's attribute was set once, as a constructor does: it is the value that counts.
        let after = changed.last.next();
        let attribute = retrostep_trace::Part::Attribute(name);
        if let Some(new) = recording.value_of_part(changed.object, attribute, after)?
            && let Some(text) = phrase::value(Snapshot::new(recording, after), &new, VALUE_LEN)?
        {
            return Ok(Some(HintPart {
                text: format!("= {text} · last of {}", render::count(objects)),
                value: Some(HintValue {
                    name: None,
                    value: new,
                    at: after,
                }),
            }));
        }
    }
    let more = if changed.more_objects { "over " } else { "" };
    let objects = render::counted(objects, "object");
    let text = format!(
        "{} to {more}{objects}",
        render::counted(changed.count, "change")
    );
    Ok(Some(HintPart::plain(text)))
}

pub(super) fn passes_text(passes: u64) -> String {
    match passes {
        1 => "1 pass".to_owned(),
        passes => format!("{} passes", render::count(passes)),
    }
}

/// `false 31×, true 1×`: what came more often first.
fn decisions(facts: &LineFacts) -> String {
    let one = |held: bool, count: u64| format!("{held} {}×", render::count(count));
    match (facts.held, facts.failed) {
        (1, 0) => "true".to_owned(),
        (0, 1) => "false".to_owned(),
        (held, 0) => one(true, held),
        (0, failed) => one(false, failed),
        (held, failed) if held >= failed => format!("{}, {}", one(true, held), one(false, failed)),
        (held, failed) => format!("{}, {}", one(false, failed), one(true, held)),
    }
}
