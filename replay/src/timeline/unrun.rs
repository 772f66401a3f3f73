//! Functions of a source that never ran, known only by the source's text.
//!
//! A recording knows the lines of functions that ran. A breakpoint in one that did not must not move to
//! whatever code comes after it. The text is read by its indentation alone: that is enough for code
//! that the interpreter accepted, and where it errs a breakpoint is only refused.

use std::sync::Arc;

use retrostep_trace::{Function, FunctionKind};

/// The name of the function around `line`, if none of the `functions` that ran is that one.
pub(crate) fn unrun_function(functions: &[Arc<Function>], text: &str, line: u32) -> Option<String> {
    let (name, definition) = function_around(text, line)?;
    (!ran(functions, definition)).then(|| name.to_owned())
}

/// Whether `line` begins a `def` of a function that never ran.
pub(crate) fn is_unrun_definition(functions: &[Arc<Function>], text: &str, line: u32) -> bool {
    let index = usize::try_from(line.saturating_sub(1)).unwrap_or(usize::MAX);
    let code = text.lines().nth(index).unwrap_or_default().trim_start();
    let code = code.strip_prefix("async ").unwrap_or(code).trim_start();
    code.starts_with("def ") && !ran(functions, line)
}

/// Whether the function whose `def` stands at line `definition` ran.
fn ran(functions: &[Arc<Function>], definition: u32) -> bool {
    functions.iter().any(|function| {
        let is_body = matches!(function.kind, FunctionKind::Module | FunctionKind::Class);
        // A decorated function is defined by its first decorator.
        let decorated = function.first_line < definition
            && function
                .lines
                .first()
                .is_some_and(|&code| code > definition);
        !is_body && (function.first_line == definition || decorated)
    })
}

/// The name of the function around `line` and the line of its `def`, by the text's indentation; both
/// lines 1-based. `None` at the top level, in class bodies and on blank lines.
fn function_around(text: &str, line: u32) -> Option<(&str, u32)> {
    let index = usize::try_from(line.checked_sub(1)?).ok()?;
    let before: Vec<&str> = text.lines().take(index.checked_add(1)?).collect();
    let (asked, before) = before.split_last()?;
    let mut indentation = indentation_of(asked)?;
    for (index, text) in before.iter().enumerate().rev() {
        let Some(outer) = indentation_of(text) else {
            continue;
        };
        if outer >= indentation {
            continue;
        }
        indentation = outer;
        let code = text.trim_start();
        let code = code.strip_prefix("async ").unwrap_or(code).trim_start();
        if let Some(rest) = code.strip_prefix("def ") {
            let name = rest.split('(').next().unwrap_or(rest).trim();
            return Some((name, u32::try_from(index).ok()? + 1));
        }
        if code.starts_with("class ") {
            return None;
        }
    }
    None
}

/// How far a line is indented, in characters; `None` for a blank line, a comment, or the end of a
/// statement in brackets.
fn indentation_of(line: &str) -> Option<usize> {
    let code = line.trim_start();
    let tells = !code.is_empty() && !code.starts_with(['#', ')', ']', '}']);
    tells.then(|| line.len() - code.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
import os

def outer(
    first,
):
    def inner():
        return 1

    # a note
    if first:
        return inner
    return 2

class Cart:
    total = 0

    async def add(self):
        self.total += 1

print(outer(1))
";

    #[test]
    fn the_function_around_a_line_is_found_by_indentation() {
        let cases = [
            (1, None),
            (3, None),
            (7, Some(("inner", 6))),
            (8, None),
            (11, Some(("outer", 3))),
            (12, Some(("outer", 3))),
            (15, None),
            (18, Some(("add", 17))),
            (20, None),
            (0, None),
            (99, None),
        ];
        for (line, expected) in cases {
            assert_eq!(function_around(TEXT, line), expected, "line {line}");
        }
    }
}
