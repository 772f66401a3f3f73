//! Checks messages against the official schema.

use serde_json::Value;

/// Fails unless `message` is what the protocol says about its kind.
pub(crate) fn check(message: &Value) {
    if let Err(error) = protocol_tests::schema::check(message) {
        panic!("{error:#}");
    }
    no_null(message, "");
}

/// Absent members are left out; `null` is written only where the protocol asks for it.
fn no_null(value: &Value, path: &str) {
    match value {
        Value::Null => assert!(
            path.ends_with("/dataId") || path.contains("/env/"),
            "null at {path}"
        ),
        Value::Array(items) => {
            for item in items {
                no_null(item, path);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                no_null(member, &format!("{path}/{name}"));
            }
        }
        _ => {}
    }
}
