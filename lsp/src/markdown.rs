//! Markdown that shows texts as they are.

use std::path::Path;

use serde_json::Value;

use crate::context::Context;
use crate::to_proto;

/// A text as code inside a line; in a table too.
pub(crate) fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ").replace('|', "\\|");
    let mut fence = "`".to_owned();
    while text.contains(&fence) {
        fence.push('`');
    }
    let padding = if text.starts_with('`') || text.ends_with('`') {
        " "
    } else {
        ""
    };
    format!("{fence}{padding}{text}{padding}{fence}")
}

/// Lines of a program, or of a value.
pub(crate) fn block(lines: &[String]) -> String {
    let mut fence = "```".to_owned();
    while lines.iter().any(|line| line.contains(&fence)) {
        fence.push('`');
    }
    format!("{fence}python\n{}\n{fence}", lines.join("\n"))
}

/// A text in which nothing is taken for Markdown.
pub(crate) fn plain(text: &str) -> String {
    let mut out = String::new();
    for letter in text.chars() {
        if matches!(
            letter,
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '|' | '#' | '$'
        ) {
            out.push('\\');
        }
        out.push(letter);
    }
    out
}

/// A link that runs a command, for clients that know it.
pub(crate) fn command(text: &str, command: &str, argument: &Value) -> String {
    let argument = percent(&Value::Array(vec![argument.clone()]).to_string());
    format!("[{text}](command:{command}?{argument})")
}

/// A link to a moment at a line of a file; for clients without commands to the line.
pub(crate) fn moment(ctx: &Context, text: &str, path: &str, line: u32, moment: &Value) -> String {
    if ctx.client.command_links {
        return command(text, "retrostep.goTo", moment);
    }
    let path = Path::new(path);
    match to_proto::uri(path).filter(|_| path.is_absolute()) {
        Some(uri) => format!("[{text}]({}#L{line})", uri.as_str()),
        None => text.to_owned(),
    }
}

fn percent(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stay_what_they_are() {
        assert_eq!(code("a | b"), "`a \\| b`");
        assert_eq!(code("`x`"), "`` `x` ``");
        assert_eq!(plain("a_b [c]"), "a\\_b \\[c\\]");
        assert!(block(&["'```'".to_owned()]).starts_with("````python\n"));
        let link = command(
            "History",
            "retrostep.history",
            &serde_json::json!({"a b": 1}),
        );
        assert_eq!(
            link,
            "[History](command:retrostep.history?%5B%7B%22a%20b%22%3A1%7D%5D)"
        );
    }
}
