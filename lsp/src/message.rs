//! The envelope: JSON-RPC messages as the language server protocol uses them.
//!
//! An envelope of its own, because a message that cannot be read must be answered and must not end
//! the conversation, and because messages have to keep the order in which they arrived.

use ls_types::NumberOrString;
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::error::{ErrorCode, RequestError};

/// The number or text that a request and its response share.
pub(crate) type RequestId = NumberOrString;

/// A message from the client.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Incoming {
    Request(Request),
    Notification(Notification),
    Response(Response),
}

/// Something that the client wants answered.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Request {
    pub(crate) id: RequestId,
    pub(crate) method: String,
    /// `null` if absent.
    pub(crate) params: Value,
}

/// Something that the client tells.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Notification {
    pub(crate) method: String,
    /// `null` if absent.
    pub(crate) params: Value,
}

/// The client's answer to a request of the server.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Response {
    pub(crate) id: RequestId,
    pub(crate) result: Result<Value, Value>,
}

/// A frame that is no message.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Malformed {
    /// The request it would have been, if that can be told.
    pub(crate) id: Option<RequestId>,
    pub(crate) error: RequestError,
}

impl Incoming {
    /// Reads the content of a frame.
    pub(crate) fn parse(content: &[u8]) -> Result<Incoming, Malformed> {
        let value: Value = serde_json::from_slice(content).map_err(|error| Malformed {
            id: None,
            error: RequestError::new(ErrorCode::ParseError, format!("no JSON: {error}")),
        })?;
        let Value::Object(mut message) = value else {
            return Err(invalid(None, "a message is a JSON object"));
        };
        let id = match message.remove("id") {
            None => None,
            Some(id) => match serde_json::from_value(id) {
                Ok(id) => Some(id),
                // A response to a message that could not be read has no number.
                Err(_) if message.contains_key("error") => None,
                Err(_) => return Err(invalid(None, "an id is a number or a text")),
            },
        };
        match message.remove("method") {
            Some(Value::String(method)) => {
                let params = message.remove("params").unwrap_or_default();
                Ok(match id {
                    Some(id) => Incoming::Request(Request { id, method, params }),
                    None => Incoming::Notification(Notification { method, params }),
                })
            }
            Some(_) => Err(invalid(id, "a method is a text")),
            None => response(id, message),
        }
    }
}

fn response(id: Option<RequestId>, mut message: Map<String, Value>) -> Result<Incoming, Malformed> {
    let result = match (message.remove("error"), message.remove("result")) {
        (Some(error), _) if !error.is_null() => Err(error),
        (_, Some(result)) => Ok(result),
        _ => return Err(invalid(id, "a message without a method")),
    };
    match id {
        Some(id) => Ok(Incoming::Response(Response { id, result })),
        None => Err(invalid(None, "a response without an id")),
    }
}

fn invalid(id: Option<RequestId>, what: &str) -> Malformed {
    Malformed {
        id,
        error: RequestError::new(ErrorCode::InvalidRequest, what),
    }
}

/// A response whose result is JSON text already.
pub(crate) fn response_text(id: &RequestId, result: &str) -> String {
    format!(
        r#"{{"jsonrpc":"2.0","id":{},"result":{result}}}"#,
        json!(id)
    )
}

/// A response that says why a request failed; without an id when the request could not be read.
pub(crate) fn error_text(id: Option<&RequestId>, error: &RequestError) -> String {
    let error = json!({"code": error.code.number(), "message": error.message});
    json!({"jsonrpc": "2.0", "id": id, "error": error}).to_string()
}

/// A notification.
pub(crate) fn notification_text(
    method: &str,
    params: impl Serialize,
) -> serde_json::Result<String> {
    let params = serde_json::to_value(params)?;
    Ok(json!({"jsonrpc": "2.0", "method": method, "params": params}).to_string())
}

/// A request to the client; without parameters if they are `null`.
pub(crate) fn request_text(
    id: i32,
    method: &str,
    params: impl Serialize,
) -> serde_json::Result<String> {
    let mut message = json!({"jsonrpc": "2.0", "id": id, "method": method});
    let params = serde_json::to_value(params)?;
    if let (Value::Object(message), false) = (&mut message, params.is_null()) {
        message.insert("params".to_owned(), params);
    }
    Ok(message.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(content: &str) -> (Option<RequestId>, ErrorCode) {
        let malformed = Incoming::parse(content.as_bytes()).unwrap_err();
        (malformed.id, malformed.error.code)
    }

    #[test]
    fn requests_notifications_and_responses_are_told_apart() {
        let parse = |text: &str| Incoming::parse(text.as_bytes()).unwrap();
        assert!(matches!(
            parse(r#"{"jsonrpc":"2.0","id":"a","method":"m","params":{}}"#),
            Incoming::Request(Request { id: RequestId::String(id), .. }) if id == "a"
        ));
        assert!(matches!(
            parse(r#"{"method":"m"}"#),
            Incoming::Notification(Notification {
                params: Value::Null,
                ..
            })
        ));
        assert!(matches!(
            parse(r#"{"id":3,"result":null}"#),
            Incoming::Response(Response { result: Ok(_), .. })
        ));
        assert!(matches!(
            parse(r#"{"id":3,"error":{"code":1,"message":"no"}}"#),
            Incoming::Response(Response { result: Err(_), .. })
        ));
    }

    #[test]
    fn what_is_no_message_says_why() {
        assert_eq!(error_of("{\"id\":"), (None, ErrorCode::ParseError));
        assert_eq!(error_of("\u{0}"), (None, ErrorCode::ParseError));
        assert_eq!(error_of("[]"), (None, ErrorCode::InvalidRequest));
        let one = Some(RequestId::Number(1));
        assert_eq!(
            error_of(r#"{"id":1}"#),
            (one.clone(), ErrorCode::InvalidRequest)
        );
        assert_eq!(
            error_of(r#"{"id":1,"method":3}"#),
            (one, ErrorCode::InvalidRequest)
        );
        assert_eq!(
            error_of(r#"{"id":{},"method":"m"}"#),
            (None, ErrorCode::InvalidRequest)
        );
    }

    #[test]
    fn absent_parameters_are_left_out() {
        let text = request_text(4, "workspace/codeLens/refresh", ()).unwrap();
        let message: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(
            message,
            json!({"jsonrpc": "2.0", "id": 4, "method": "workspace/codeLens/refresh"})
        );
    }
}
