//! Which lines of a function are the same in two recordings.

use retrostep_trace::{Function, Recording};

use super::{Difference, DifferenceKind};
use crate::expression::SourceLines;

/// Which lines of a function are the same in two recordings: those before the first line whose text
/// differs and those after the last; between them, where both have as many lines, those of equal text.
///
/// Lines are counted from the function's first, from 0.
#[derive(Debug)]
pub(super) struct SharedLines {
    /// The function's first line in each recording, 1-based.
    pub(super) first: [u32; 2],
    /// The first line whose text differs; `None` if none does.
    differs: Option<u32>,
    /// For each line of the one recording that of the other.
    pairs: Vec<Option<u32>>,
}

impl SharedLines {
    pub(super) fn of(a: (&Recording, &Function), b: (&Recording, &Function)) -> SharedLines {
        let first = [a.1.first_line, b.1.first_line];
        match (text_of(a.0, a.1), text_of(b.0, b.1)) {
            (Some(a), Some(b)) => SharedLines::pair(first, &a, &b),
            // Without the text the lines that have code say what can be known.
            _ => SharedLines::pair(first, &code_lines(a.1), &code_lines(b.1)),
        }
    }

    fn pair<T: PartialEq>(first: [u32; 2], a: &[T], b: &[T]) -> SharedLines {
        let equal = |(a, b): &(&T, &T)| a == b;
        let before = a.iter().zip(b).take_while(equal).count();
        let is_same = before == a.len() && before == b.len();
        let after = a.iter().rev().zip(b.iter().rev()).take_while(equal);
        let after = after.count().min(a.len().min(b.len()) - before);
        let pair = |index: usize| {
            let is_after = index >= a.len() - after;
            let other = if is_after {
                index + b.len() - a.len()
            } else {
                index
            };
            let as_long = a.len() == b.len() && a.get(index) == b.get(index);
            let is_shared = index < before || is_after || as_long;
            u32::try_from(other).ok().filter(|_| is_shared)
        };
        SharedLines {
            first,
            differs: u32::try_from(before).ok().filter(|_| !is_same),
            pairs: (0..a.len()).map(pair).collect(),
        }
    }

    /// Whether a line of each recording are the same line; `None` if the text of one of them is in its
    /// recording only.
    pub(super) fn is_same_line(&self, [a, b]: [u32; 2]) -> Option<bool> {
        let index = usize::try_from(a).unwrap_or(usize::MAX);
        let pair = self.pairs.get(index).copied().flatten()?;
        self.pairs.contains(&Some(b)).then_some(pair == b)
    }

    /// The difference that the texts themselves are.
    pub(super) fn difference(&self) -> Option<Difference> {
        let differs = self.differs?;
        Some(Difference {
            kind: DifferenceKind::Text,
            call: 0,
            positions: [None, None],
            lines: self.first.map(|first| first.saturating_add(differs)),
            text: self.sentence(),
        })
    }

    /// `the function's text differs at line 16`.
    pub(super) fn sentence(&self) -> String {
        let [a, b] = self
            .first
            .map(|first| first.saturating_add(self.differs.unwrap_or(0)));
        if a == b {
            format!("the function's text differs at line {a}")
        } else {
            format!("the function's text differs at line {a}, in the other line {b}")
        }
    }
}

/// The lines of a function, without the indentation that all of it has.
fn text_of(recording: &Recording, function: &Function) -> Option<Vec<String>> {
    let source = recording.source(function.source).ok()?;
    let lines = SourceLines::new(source.text.as_deref()?);
    let last_code = function.lines.last().copied().unwrap_or(0);
    let indentation = |line| {
        let text = lines.raw_line(line);
        let code = text.trim_start();
        (!code.is_empty()).then(|| text.len() - code.len())
    };
    let outer = indentation(function.first_line).unwrap_or(0);
    let mut last = last_code.max(function.first_line);
    // What a statement has after its last line with code belongs to it.
    while last < lines.count() && indentation(last + 1).is_some_and(|it| it > outer) {
        last += 1;
    }
    let text = |line| {
        let text = lines.raw_line(line);
        text.get(outer..).unwrap_or_default().trim_end().to_owned()
    };
    Some((function.first_line..=last).map(text).collect())
}

/// The lines with code, counted from the function's first.
fn code_lines(function: &Function) -> Vec<Option<()>> {
    let last = function.lines.last().copied().unwrap_or(0);
    (function.first_line..=last)
        .map(|line| function.lines.binary_search(&line).ok().map(|_| ()))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_around_a_change_are_the_same() {
        let check = |a: &str, b: &str, differs: Option<u32>, pairs: &str| {
            let lines = |text: &str| text.chars().collect::<Vec<char>>();
            let found = SharedLines::pair([1, 1], &lines(a), &lines(b));
            let told: String = found
                .pairs
                .iter()
                .map(|pair| pair.map_or("-".to_owned(), |line| line.to_string()))
                .collect();
            assert_eq!((found.differs, told.as_str()), (differs, pairs), "{a} {b}");
        };
        check("abc", "abc", None, "012");
        check("abc", "axc", Some(1), "0-2");
        check("abcde", "axcye", Some(1), "0-2-4");
        check("abc", "abxc", Some(2), "013");
        check("abxc", "abc", Some(2), "01-2");
        check("aab", "aaab", Some(2), "013");
        check("a", "", Some(0), "-");
        check("", "", None, "");
        check("ab", "xab", Some(0), "12");
    }

    #[test]
    fn a_line_of_one_text_only_is_no_other_line() {
        let found = SharedLines::pair([1, 1], &['a', 'b', 'c'], &['a', 'x', 'b', 'c']);
        assert_eq!(found.is_same_line([1, 2]), Some(true));
        assert_eq!(found.is_same_line([1, 3]), Some(false));
        assert_eq!(found.is_same_line([1, 1]), None);
        assert_eq!(found.is_same_line([9, 2]), None);
    }
}
