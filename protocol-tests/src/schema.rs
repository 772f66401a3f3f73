//! Checks messages against the official schema of the Debug Adapter Protocol.
//!
//! `schema/debugProtocol.json` is made from Microsoft's own types by `cargo xtask dap-types --schema`.

use std::sync::LazyLock;

use anyhow::{Result, bail};
use serde_json::Value;

static DEFINITIONS: LazyLock<Value> = LazyLock::new(|| {
    serde_json::from_str(include_str!("../schema/debugProtocol.json")).unwrap_or(Value::Null)
});

/// Fails if `message` is not what the protocol says it must be.
///
/// Messages of the prefix `retrostep/` are checked as a plain request, response or event.
pub fn check(message: &Value) -> Result<()> {
    let text = |name: &str| {
        message
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let definition = match text("type") {
        "request" => named(text("command"), "Request"),
        "response" if message.get("success") == Some(&Value::Bool(false)) => "ErrorResponse".into(),
        "response" => named(text("command"), "Response"),
        "event" => named(text("event"), "Event"),
        other => bail!("a message of type {other:?}: {message}"),
    };
    let full = format!("DebugProtocol.{definition}");
    let Some(schema) = DEFINITIONS["definitions"].get(&full) else {
        bail!("the protocol has no {definition}: {message}");
    };
    let mut errors = Vec::new();
    check_value(message, schema, "", &mut errors);
    if !errors.is_empty() {
        bail!("not a {definition}: {}\n  {message}", errors.join("; "));
    }
    Ok(())
}

/// All requests the protocol knows, as written in `command`.
pub fn commands() -> Vec<String> {
    let Some(definitions) = DEFINITIONS["definitions"].as_object() else {
        return Vec::new();
    };
    definitions
        .keys()
        .filter_map(|name| name.strip_prefix("DebugProtocol.")?.strip_suffix("Request"))
        .filter(|name| !name.is_empty())
        .map(|name| {
            let mut letters = name.chars();
            letters
                .next()
                .into_iter()
                .flat_map(char::to_lowercase)
                .chain(letters)
                .collect()
        })
        .collect()
}

fn named(name: &str, suffix: &str) -> String {
    let mut letters = name.chars();
    let pascal: String = letters
        .next()
        .into_iter()
        .flat_map(char::to_uppercase)
        .chain(letters)
        .collect();
    let full = format!("{pascal}{suffix}");
    let known = DEFINITIONS["definitions"]
        .get(format!("DebugProtocol.{full}"))
        .is_some();
    if !known && name.starts_with("retrostep/") {
        suffix.to_owned()
    } else {
        full
    }
}

/// Adds to `errors` what in `value` is not as `schema` says. `at` is where `value` stands.
///
/// Knows exactly the words that the generated schema uses; any other is an error of its own, so that
/// nothing passes because it was not understood.
fn check_value(value: &Value, schema: &Value, at: &str, errors: &mut Vec<String>) {
    let Some(words) = schema.as_object() else {
        return;
    };
    for (word, rule) in words {
        match word.as_str() {
            "$ref" => {
                let name = rule
                    .as_str()
                    .unwrap_or_default()
                    .trim_start_matches("#/definitions/");
                match DEFINITIONS["definitions"].get(name) {
                    Some(schema) => check_value(value, schema, at, errors),
                    None => errors.push(format!("the schema has no {name}")),
                }
            }
            "type" => {
                let types = rule
                    .as_array()
                    .map_or(std::slice::from_ref(rule), Vec::as_slice);
                if !types
                    .iter()
                    .any(|name| is_of_type(value, name.as_str().unwrap_or_default()))
                {
                    errors.push(format!("{value} at {at} is not of type {rule}"));
                }
            }
            "const" if value != rule => errors.push(format!("{value} at {at} is not {rule}")),
            "enum" if !rule.as_array().is_some_and(|all| all.contains(value)) => {
                errors.push(format!("{value} at {at} is none of {rule}"));
            }
            "anyOf" => check_any(value, rule, at, errors),
            "required" => {
                for name in rule
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(Value::as_str)
                {
                    if value.get(name).is_none() {
                        errors.push(format!("{at} has no {name}"));
                    }
                }
            }
            "properties" => {
                for (name, schema) in rule.as_object().into_iter().flatten() {
                    if let Some(property) = value.get(name) {
                        check_value(property, schema, &format!("{at}/{name}"), errors);
                    }
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    check_value(item, rule, &format!("{at}/{index}"), errors);
                }
            }
            "additionalProperties" => {
                let known = words.get("properties").and_then(Value::as_object);
                for (name, property) in value.as_object().into_iter().flatten() {
                    if known.is_none_or(|known| !known.contains_key(name)) {
                        check_additional(property, rule, &format!("{at}/{name}"), errors);
                    }
                }
            }
            "const" | "enum" | "description" | "$schema" | "definitions" | "deprecated" => {}
            other => errors.push(format!(
                "the schema says {other:?}, which is not understood"
            )),
        }
    }
}

fn check_any(value: &Value, choices: &Value, at: &str, errors: &mut Vec<String>) {
    let fits = choices.as_array().into_iter().flatten().any(|schema| {
        let mut found = Vec::new();
        check_value(value, schema, at, &mut found);
        found.is_empty()
    });
    if !fits {
        errors.push(format!("{value} at {at} is none of {choices}"));
    }
}

fn check_additional(value: &Value, rule: &Value, at: &str, errors: &mut Vec<String>) {
    match rule {
        Value::Bool(true) => {}
        Value::Bool(false) => errors.push(format!("{at} is not known")),
        schema => check_value(value, schema, at, errors),
    }
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "boolean" => value.is_boolean(),
        "number" => value.is_number(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::check;

    #[test]
    fn a_right_message_passes() {
        let event = json!({"seq": 1, "type": "event", "event": "stopped",
            "body": {"reason": "step", "threadId": 1, "allThreadsStopped": true}});
        check(&event).unwrap();
    }

    #[test]
    fn null_for_an_absent_field_is_refused() {
        let event = json!({"seq": 1, "type": "event", "event": "stopped",
            "body": {"reason": "step", "threadId": null}});
        assert!(check(&event).unwrap_err().to_string().contains("threadId"));
    }

    #[test]
    fn a_missing_field_is_refused() {
        let event = json!({"seq": 1, "type": "event", "event": "stopped", "body": {}});
        assert!(
            check(&event)
                .unwrap_err()
                .to_string()
                .contains("has no reason")
        );
    }

    #[test]
    fn an_unknown_event_is_refused() {
        assert!(check(&json!({"seq": 1, "type": "event", "event": "stoped"})).is_err());
    }
}
