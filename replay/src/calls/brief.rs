//! Values in a few characters, for lists of calls.

use retrostep_trace::{ObjectKind, Position, Recording, Result};

use crate::{Datum, Snapshot, render};

/// Most characters of one value.
const VALUE_LIMIT: usize = 24;

/// Most characters of a text inside its quotes.
const TEXT_LIMIT: usize = 18;

/// A value in at most 24 characters: whole where it fits, containers else as `6 items`, text cut inside
/// its quotes.
pub(super) fn value(recording: &Recording, datum: &Datum, at: Position) -> Result<String> {
    let snapshot = Snapshot::new(recording, at);
    let whole = snapshot.text(datum, VALUE_LIMIT + 1)?;
    if whole.chars().count() <= VALUE_LIMIT {
        return Ok(whole);
    }
    match datum {
        Datum::Str(_) | Datum::Bytes(_) => Ok(cut_text(&whole)),
        Datum::Object(object) => {
            let content = snapshot.outline(*object)?;
            let items = content.filter(|content| {
                matches!(
                    content.kind,
                    ObjectKind::List
                        | ObjectKind::Tuple
                        | ObjectKind::Dict
                        | ObjectKind::Set
                        | ObjectKind::FrozenSet
                        | ObjectKind::Deque
                )
            });
            match items {
                Some(content) => Ok(render::counted(content.len, "item")),
                None => snapshot.text(datum, VALUE_LIMIT),
            }
        }
        _ => snapshot.text(datum, VALUE_LIMIT),
    }
}

/// `'a long text'` as `'a long…'`.
fn cut_text(whole: &str) -> String {
    let Some(open) = whole.find(['\'', '"']) else {
        return render::shortened(whole, VALUE_LIMIT);
    };
    let (prefix, quoted) = whole.split_at(open);
    let mut characters = quoted.chars();
    let Some(quote) = characters.next() else {
        return whole.to_owned();
    };
    let kept: String = characters.take(TEXT_LIMIT).collect();
    format!("{prefix}{quote}{kept}…{quote}")
}
