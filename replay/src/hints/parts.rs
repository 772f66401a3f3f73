//! How the parts of a hint are put together.

use std::sync::Arc;

use retrostep_trace::{Recording, Result, Value};

use super::{HintPart, len, phrase};
use crate::survey::Values;
use crate::{Snapshot, render};

/// A name with the last of the values that it was given.
pub(super) struct Last<'a> {
    pub(super) name: &'a str,
    pub(super) values: &'a Values,
    pub(super) last: &'a Value,
    /// In at most as many characters as were asked for.
    pub(super) text: String,
}

/// The names that have something to show.
pub(super) fn last_of<'a>(
    recording: &Recording,
    bound: &'a [(Arc<str>, Values)],
    limit: usize,
) -> Result<Vec<Last<'a>>> {
    let mut shown = Vec::new();
    for (name, values) in bound {
        if &**name != "_"
            && let Some(last) = &values.last
            && let Some(text) =
                phrase::value(Snapshot::new(recording, values.last_at), last, limit)?
        {
            shown.push(Last {
                name,
                values,
                last,
                text,
            });
        }
    }
    Ok(shown)
}

/// `low = 1, high = 8`: as many names as there is room for, from the first.
pub(super) fn named(shown: &[Last<'_>], mut room: usize) -> Vec<HintPart> {
    let mut parts = Vec::new();
    for Last {
        name,
        values,
        last,
        text,
    } in shown
    {
        let comma = if parts.is_empty() { "" } else { ", " };
        let text = format!("{comma}{name} = {text}");
        let Some(rest) = room.checked_sub(len(&text)) else {
            break;
        };
        room = rest;
        parts.push(HintPart::of(text, Some((*name).to_owned()), last, values));
    }
    parts
}

/// Adds a part: shortened if it is the first, after a comma and only if it fits if it is not.
pub(super) fn add(parts: &mut Vec<HintPart>, mut part: HintPart, max_len: usize) {
    let before = len_of(parts);
    if before == 0 {
        part.text = render::shortened(&part.text, max_len);
    } else if before + 2 + len(&part.text) <= max_len {
        part.text.insert_str(0, ", ");
    } else {
        return;
    }
    parts.push(part);
}

/// How many characters all parts have.
pub(super) fn len_of(parts: &[HintPart]) -> usize {
    parts.iter().map(|part| len(&part.text)).sum()
}
