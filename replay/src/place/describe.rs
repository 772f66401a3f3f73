//! What a change did, in a few words: `4 → 5 items, + 'LOYAL20'`, `total: 12.0 → 31.9`.

use retrostep_trace::{Change, Content, Event, Excerpt, ObjectKind, Recording, Result, Value};

use super::RawChange;
use crate::{Datum, Snapshot, render};

/// Longest text of one value in a description.
const VALUE_LIMIT: usize = 40;

/// The text of a change.
pub(super) fn text(recording: &Recording, change: &RawChange) -> Result<String> {
    let before = Snapshot::new(recording, change.position);
    let after = Snapshot::new(recording, change.position.next());
    let shown =
        |snapshot: &Snapshot<'_>, value: &Value| snapshot.text(&Datum::from(value), VALUE_LIMIT);
    match (&change.old, &change.new) {
        (Some(Value::Object(old)), Some(Value::Object(new))) if old == new => {
            let event = recording.event(change.position)?.map(|event| event.event);
            let Some(Event::Object { object, change }) = event else {
                return Ok("changed".to_owned());
            };
            if object != *old {
                return Ok("changed".to_owned());
            }
            let len = before.outline(*old)?.map_or(0, |content| content.len);
            let needed = match &change {
                Change::SetItem { index, .. } => *index..index.saturating_add(1),
                Change::Pop => len.saturating_sub(1)..len,
                Change::New(_) | Change::Replace(_) => 0..u64::MAX,
                _ => 0..0,
            };
            let old = before.excerpt(*old, needed.clone())?;
            let (Some(old), Some(new)) = (old, after.excerpt(*new, needed)?) else {
                return Ok("changed".to_owned());
            };
            in_place(before, after, &change, &old, &new)
        }
        (Some(old), Some(new)) => {
            let (old, new) = (shown(&before, old)?, shown(&after, new)?);
            if old == new {
                return Ok(format!("{new}, another object"));
            }
            Ok(format!("{old} → {new}"))
        }
        (None, Some(new)) => Ok(format!("= {}", shown(&after, new)?)),
        (Some(old), None) => Ok(format!("{} deleted", shown(&before, old)?)),
        (None, None) => Ok("changed".to_owned()),
    }
}

fn in_place(
    before: Snapshot<'_>,
    after: Snapshot<'_>,
    change: &Change,
    old_part: &Excerpt,
    new_part: &Excerpt,
) -> Result<String> {
    let (old, new) = (&*old_part.content, &*new_part.content);
    let shown =
        |snapshot: &Snapshot<'_>, value: &Value| snapshot.text(&Datum::from(value), VALUE_LIMIT);
    let lengths = if new.len == 1 {
        format!("{} → 1 item", render::count(old.len))
    } else {
        format!(
            "{} → {} items",
            render::count(old.len),
            render::count(new.len)
        )
    };
    let pair = |name: String, old: Option<&Value>, value: &Value| -> Result<String> {
        let new = shown(&after, value)?;
        Ok(match old {
            Some(old) => format!("{name}: {} → {new}", shown(&before, old)?),
            None => format!("+ {name} = {new}"),
        })
    };
    Ok(match change {
        Change::Append { value } => format!("{lengths}, + {}", shown(&after, value)?),
        Change::Pop => match old.len.checked_sub(1).and_then(|last| old_part.item(last)) {
            Some(value) => format!("{lengths}, - {}", shown(&before, value)?),
            None => lengths,
        },
        Change::SetItem { index, value } => {
            let known = old_part.item(*index);
            match known {
                Some(_) => pair(format!("[{index}]"), known, value)?,
                None => format!("[{index}] = {}", shown(&after, value)?),
            }
        }
        Change::SetKey { key, value } => {
            let name = shown(&after, key)?;
            let known = old.entries.iter().find(|(candidate, _)| candidate == key);
            match known {
                Some((_, known)) => pair(format!("[{name}]"), Some(known), value)?,
                None => format!("{lengths}, + {name}: {}", shown(&after, value)?),
            }
        }
        Change::DeleteKey { key } => format!("{lengths}, - {}", shown(&before, key)?),
        Change::SetAttribute { name, value } => {
            let known = old.attributes.iter().find(|(known, _)| known == name);
            pair(name.to_string(), known.map(|(_, value)| value), value)?
        }
        Change::DeleteAttribute { name } => format!("- {name}"),
        Change::SetCell { value } => match value {
            Some(value) => format!("= {}", shown(&after, value)?),
            None => "deleted".to_owned(),
        },
        Change::Clear => lengths,
        Change::New(_) | Change::Replace(_) => replaced(before, after, old, new, lengths)?,
    })
}

/// A change that was seen as a whole: the one part that differs, or the lengths.
fn replaced(
    before: Snapshot<'_>,
    after: Snapshot<'_>,
    old: &Content,
    new: &Content,
    lengths: String,
) -> Result<String> {
    let shown =
        |snapshot: &Snapshot<'_>, value: &Value| snapshot.text(&Datum::from(value), VALUE_LIMIT);
    if old.len != new.len {
        let complete = |content: &Content| content.items.len() as u64 == content.len;
        let ordered = matches!(new.kind, ObjectKind::List | ObjectKind::Deque);
        if ordered && complete(old) && complete(new) {
            if let Some((last, rest)) = new.items.split_last()
                && rest == old.items.as_slice()
            {
                return Ok(format!("{lengths}, + {}", shown(&after, last)?));
            }
            if let Some((last, rest)) = old.items.split_last()
                && rest == new.items.as_slice()
            {
                return Ok(format!("{lengths}, - {}", shown(&before, last)?));
            }
        }
        return Ok(lengths);
    }
    let mut changed = Vec::new();
    for (index, (old, new)) in old.items.iter().zip(&new.items).enumerate() {
        if old != new {
            changed.push((format!("[{index}]"), old, new));
        }
    }
    for ((old_name, old), (new_name, new)) in old.attributes.iter().zip(&new.attributes) {
        if old_name == new_name && old != new {
            changed.push((new_name.to_string(), old, new));
        }
    }
    for ((key, old), (new_key, new)) in old.entries.iter().zip(&new.entries) {
        if key == new_key && old != new {
            changed.push((format!("[{}]", shown(&after, key)?), old, new));
        }
    }
    match changed.as_slice() {
        [(name, old, new)] => Ok(format!(
            "{name}: {} → {}",
            shown(&before, old)?,
            shown(&after, new)?
        )),
        [] => Ok("changed".to_owned()),
        many => Ok(format!(
            "{} changed",
            render::counted(many.len() as u64, "element")
        )),
    }
}
