//! A value over several lines.

use retrostep_trace::Result;

use super::shortened;
use crate::{Datum, Filter, Snapshot};

/// The most characters of a line.
const WIDTH: usize = 80;

/// A value as text of at most `most` lines: in one where that fits, else an element on each.
///
/// # Errors
///
/// [`retrostep_trace::Error::Io`].
pub fn lines(snapshot: Snapshot<'_>, value: &Datum, most: usize) -> Result<Vec<String>> {
    let whole = snapshot.text(value, WIDTH * most.max(1))?;
    if whole.chars().count() <= WIDTH {
        return Ok(vec![whole]);
    }
    let shown = snapshot.variable(String::new(), value.clone(), None)?;
    let open = whole.find(['[', '(', '{']);
    let (Some(node), Some(open)) = (&shown.node, open) else {
        // Long text in pieces.
        let characters: Vec<char> = whole.chars().collect();
        let pieces = characters.chunks(WIDTH).map(|piece| piece.iter().collect());
        return Ok(pieces.collect());
    };
    let head = whole.get(..=open).unwrap_or_default();
    let (close, pairs) = match (head, shown.named > 0) {
        (head, _) if head.ends_with('[') => ("]", None),
        (head, true) if head.ends_with('{') => ("}", Some(": ")),
        (head, false) if head.ends_with('{') => ("}", None),
        (_, true) => (")", Some("=")),
        (_, false) => (")", None),
    };
    let room = most.saturating_sub(3).max(1) as u64;
    let children = snapshot.children(node, None, Filter::All, 0..room)?;
    let mut out = vec![head.to_owned()];
    for child in &children {
        let text = match pairs {
            Some(between) => format!("{}{between}{}", child.name, child.text),
            None => child.text.clone(),
        };
        out.push(format!("    {},", shortened(&text, WIDTH)));
    }
    let all = shown.indexed + shown.named;
    let left = all.saturating_sub(children.len() as u64);
    if left > 0 {
        out.push(format!("    … {} more", super::count(left)));
    }
    out.push(close.to_owned());
    Ok(out)
}
