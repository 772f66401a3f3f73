//! The envelope of messages: what every request, response and event has.

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

/// A message of the client.
#[derive(Clone, Debug, PartialEq)]
pub enum Incoming {
    /// It asks for something.
    Request(Request),
    /// It answers a request of the adapter.
    Response(Response),
}

/// A request of the client. Its arguments are decoded by whoever handles the command.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
pub struct Request {
    /// The client's number of this message.
    pub seq: i64,
    /// What it asks for.
    #[serde(default)]
    pub command: String,
    /// With what.
    #[serde(default)]
    pub arguments: Value,
}

/// An answer of the client to a request of the adapter.
#[derive(Clone, Debug, PartialEq, Deserialize)]
pub struct Response {
    /// The number of the adapter's request.
    pub request_seq: i64,
    /// Whether the request succeeded.
    #[serde(default)]
    pub success: bool,
    /// Why not.
    #[serde(default)]
    pub message: Option<String>,
}

impl Incoming {
    /// Reads the content of a frame.
    ///
    /// # Errors
    ///
    /// It is no JSON, or neither a request nor a response.
    pub fn parse(content: &[u8]) -> Result<Incoming, serde_json::Error> {
        let message = with_whole_numbers(serde_json::from_slice(content)?);
        if message.get("type").and_then(Value::as_str) == Some("response") {
            serde_json::from_value(message).map(Incoming::Response)
        } else {
            serde_json::from_value(message).map(Incoming::Request)
        }
    }
}

impl Request {
    /// The decoded arguments; absent ones are taken as empty.
    ///
    /// # Errors
    ///
    /// They do not have the shape that the command needs.
    pub fn decode<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        let arguments = match &self.arguments {
            Value::Null => Value::Object(Map::new()),
            other => other.clone(),
        };
        serde_json::from_value(arguments)
    }
}

/// Numbers such as `1.0`, which some clients write for whole numbers, as whole numbers.
fn with_whole_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 9e15 => {
                Value::from(float as i64)
            }
            _ => Value::Number(number),
        },
        Value::Array(items) => items.into_iter().map(with_whole_numbers).collect(),
        Value::Object(members) => members
            .into_iter()
            .map(|(name, member)| (name, with_whole_numbers(member)))
            .collect(),
        other => other,
    }
}

/// A successful answer.
pub(crate) fn response(seq: i64, request_seq: i64, command: &str, body: Option<Value>) -> Value {
    let mut message = json!({
        "seq": seq, "type": "response", "request_seq": request_seq,
        "success": true, "command": command,
    });
    if let (Some(body), Some(members)) = (body, message.as_object_mut()) {
        members.insert("body".to_owned(), body);
    }
    message
}

/// An answer that says why there is none. `message` is the short word that clients know, if any.
pub(crate) fn error_response(
    seq: i64,
    request_seq: i64,
    command: &str,
    message: &str,
    error: Value,
) -> Value {
    json!({
        "seq": seq, "type": "response", "request_seq": request_seq,
        "success": false, "command": command, "message": message,
        "body": {"error": error},
    })
}

/// An event.
pub(crate) fn event(seq: i64, event: &str, body: Option<Value>) -> Value {
    let mut message = json!({"seq": seq, "type": "event", "event": event});
    if let (Some(body), Some(members)) = (body, message.as_object_mut()) {
        members.insert("body".to_owned(), body);
    }
    message
}

/// A request of the adapter.
pub(crate) fn request(seq: i64, command: &str, arguments: Value) -> Value {
    json!({"seq": seq, "type": "request", "command": command, "arguments": arguments})
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dap::types::{DisconnectArguments, StackTraceArguments};

    fn request(text: &str) -> Request {
        match Incoming::parse(text.as_bytes()).unwrap() {
            Incoming::Request(request) => request,
            Incoming::Response(response) => panic!("{response:?}"),
        }
    }

    #[test]
    fn absent_and_null_arguments_are_empty_ones() {
        for arguments in ["", r#","arguments":null"#, r#","arguments":{}"#] {
            let text = format!(r#"{{"seq":1,"type":"request","command":"disconnect"{arguments}}}"#);
            assert_eq!(
                request(&text).decode::<DisconnectArguments>().unwrap(),
                DisconnectArguments::default()
            );
        }
    }

    #[test]
    fn unknown_members_and_whole_floats_are_tolerated() {
        let request = request(
            r#"{"seq":2.0,"type":"request","command":"stackTrace","extra":1,
                "arguments":{"threadId":1.0,"unknown":{},"levels":20}}"#,
        );
        let arguments: StackTraceArguments = request.decode().unwrap();
        assert_eq!(request.seq, 2);
        assert_eq!(arguments.thread_id, 1);
        assert_eq!(arguments.levels, Some(20));
    }

    #[test]
    fn missing_arguments_are_named() {
        let request = request(r#"{"seq":1,"type":"request","command":"stackTrace"}"#);
        let error = request.decode::<StackTraceArguments>().unwrap_err();
        assert_eq!(error.to_string(), "missing field `threadId`");
    }
}
