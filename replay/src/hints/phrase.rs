//! Values and changes in few characters.

use retrostep_trace::{
    Change, Content, Event, ObjectId, ObjectKind, Part, Position, Recording, Result, Value,
};

use crate::{Datum, Snapshot, render};

/// The most characters of one value.
pub(crate) const VALUE_LEN: usize = 24;
/// The most characters of a text inside its quotes.
const TEXT_LEN: usize = 18;

/// A value in at most `limit` characters; `None` for what is code and no data: functions, classes,
/// modules.
pub(crate) fn value(snapshot: Snapshot<'_>, value: &Value, limit: usize) -> Result<Option<String>> {
    let limit = limit.clamp(4, VALUE_LEN);
    let whole = |limit| snapshot.text(&Datum::from(value), limit);
    Ok(Some(match value {
        Value::Str(text) => {
            let all = render::lossy(text);
            let count = all.chars().count();
            if count <= TEXT_LEN && count + 2 <= limit {
                whole(limit)?
            } else {
                // The cut stands inside the quotes.
                let inside = TEXT_LEN.min(limit.saturating_sub(3));
                let kept: String = all.chars().take(inside).collect();
                snapshot.text(&Datum::str(&format!("{kept}…")), render::LIMIT)?
            }
        }
        Value::Float(number) => float(*number, || whole(limit))?,
        Value::Object(object) => match snapshot.outline(*object)? {
            Some(content) => return object_text(snapshot, *object, &content, limit),
            None => "not recorded".to_owned(),
        },
        _ => whole(limit)?,
    }))
}

/// A float with at most six significant digits.
fn float(number: f64, whole: impl FnOnce() -> Result<String>) -> Result<String> {
    let rounded: Option<f64> = number
        .is_finite()
        .then(|| format!("{number:.5e}").parse().ok())
        .flatten();
    match rounded {
        Some(rounded) => Ok(render::float(rounded)),
        None => whole(),
    }
}

fn object_text(
    snapshot: Snapshot<'_>,
    object: ObjectId,
    content: &Content,
    limit: usize,
) -> Result<Option<String>> {
    let datum = Datum::Object(object);
    let whole = snapshot.text(&datum, limit + 1)?;
    let fits = whole.chars().count() <= limit;
    let ty = snapshot.recording.type_of(content.type_id)?;
    let is_named_tuple = content.kind == ObjectKind::Tuple && !ty.fields.is_empty();
    Ok(Some(match content.kind {
        ObjectKind::Function | ObjectKind::Class | ObjectKind::Module => return Ok(None),
        ObjectKind::Literal => {
            let text = decimal(&whole).unwrap_or(&whole);
            render::shortened(text, limit)
        }
        _ if fits => whole,
        kind if kind.is_collection() && !is_named_tuple => items(content.len),
        ObjectKind::ByteArray => render::counted(content.len, "byte"),
        ObjectKind::Instance | ObjectKind::Tuple => {
            let name = render::class_name(&ty);
            let full = snapshot.content(object)?;
            let first = full
                .as_deref()
                .and_then(|content| first_part(content, &ty.fields));
            let begun = match first {
                Some(first) => {
                    value(snapshot, first, limit)?.map(|first| format!("{name}({first}, …)"))
                }
                None => None,
            };
            let begun = begun.filter(|text| text.chars().count() <= limit);
            render::shortened(&begun.unwrap_or_else(|| format!("{name}(…)")), limit)
        }
        _ => render::shortened(&whole, limit),
    }))
}

/// The value that is shown first of an object.
fn first_part<'a>(content: &'a Content, fields: &[std::sync::Arc<str>]) -> Option<&'a Value> {
    if content.kind == ObjectKind::Tuple {
        return content.items.first();
    }
    let named = fields.first().and_then(|field| {
        let mut attributes = content.attributes.iter();
        attributes.find(|(name, _)| name == field)
    });
    let first = named.or_else(|| content.attributes.first());
    first.map(|(_, value)| value)
}

/// The digits of a decimal number.
pub(crate) fn decimal(text: &str) -> Option<&str> {
    text.strip_prefix("Decimal('")?.strip_suffix("')")
}

/// A number of items: `1 item`, `6 items`.
pub(crate) fn items(number: u64) -> String {
    render::counted(number, "item")
}

/// Two numbers of items: `5 → 6 items`.
fn lengths(old: u64, new: u64) -> String {
    format!("{} → {}", render::count(old), items(new))
}

/// The change that an event makes to its object: `5 → 6 items, + 'LOYAL20'`, `total 12.00 → 31.90`.
pub(crate) fn change(recording: &Recording, at: Position) -> Result<Option<String>> {
    let Some(Event::Object { object, change }) = recording.event(at)?.map(|event| event.event)
    else {
        return Ok(None);
    };
    let before = Snapshot::new(recording, at);
    let after = Snapshot::new(recording, at.next());
    let short = |snapshot, known: &Value| value(snapshot, known, VALUE_LEN);
    let pair = |name: String, part: Part<'_>, new: &Value| -> Result<Option<String>> {
        let old = recording.value_of_part(object, part, at)?;
        let Some(new) = short(after, new)? else {
            return Ok(None);
        };
        let old = old.map(|old| short(before, &old)).transpose()?.flatten();
        Ok(Some(match old {
            Some(old) => format!("{name} {old} → {new}"),
            None => format!("{name} = {new}"),
        }))
    };
    let count = lengths_at(recording, object, at, at.next())?;
    let with = |sign: &str, value: Option<String>| {
        let count = count.clone();
        match value {
            Some(value) => count.map(|count| format!("{count}, {sign} {value}")),
            None => count,
        }
    };
    Ok(match &change {
        Change::Append { value } => with("+", short(after, value)?),
        Change::SetItem { index, value } => pair(format!("[{index}]"), Part::Item(*index), value)?,
        Change::SetKey { key, value } => {
            let Some(name) = short(after, key)? else {
                return Ok(count);
            };
            match count {
                Some(_) => with("+", Some(name)),
                None => pair(format!("[{name}]"), Part::Entry(key), value)?,
            }
        }
        Change::DeleteKey { key } => with("-", short(before, key)?),
        Change::SetAttribute { name, value } => {
            let part = Part::Attribute(name);
            match recording.value_of_part(object, part, at)? {
                Some(_) => pair(name.to_string(), part, value)?,
                // A name that is new stands in the line.
                None => short(after, value)?.map(|value| format!("= {value}")),
            }
        }
        Change::DeleteAttribute { name } => Some(format!("- {name}")),
        Change::Pop => {
            let last = before
                .outline(object)?
                .and_then(|content| content.len.checked_sub(1));
            let last = match last {
                Some(last) => recording.value_of_part(object, Part::Item(last), at)?,
                None => None,
            };
            let last = last.map(|last| short(before, &last)).transpose()?;
            with("-", last.flatten())
        }
        Change::Clear | Change::New(_) | Change::Replace(_) => count.or(Some("changed".to_owned())),
        Change::SetCell { .. } => None,
    })
}

/// How an object grew or shrank between two positions; `None` if it has the same length or none.
pub(crate) fn lengths_at(
    recording: &Recording,
    object: ObjectId,
    before: Position,
    after: Position,
) -> Result<Option<String>> {
    let len = |at| -> Result<Option<u64>> {
        let content = Snapshot::new(recording, at).outline(object)?;
        Ok(content.map(|content| content.len))
    };
    Ok(match (len(before)?, len(after)?) {
        (Some(old), Some(new)) if old != new => Some(lengths(old, new)),
        _ => None,
    })
}
