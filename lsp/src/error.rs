//! Why a request fails. The conversation goes on.

use std::fmt;

/// The protocol's numbers for what can go wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ErrorCode {
    /// The content of a frame is no JSON.
    ParseError,
    /// It is JSON but no message, or one that cannot come now.
    InvalidRequest,
    /// There is no such method.
    MethodNotFound,
    /// The parameters do not have the shape that the method needs.
    InvalidParams,
    /// Our fault.
    InternalError,
    /// A request before `initialize`.
    ServerNotInitialized,
    /// Right, but it cannot be done.
    RequestFailed,
    /// The document changed, and the answer would be about places that are elsewhere now.
    ContentModified,
    /// The client does not want the answer any more.
    RequestCancelled,
}

impl ErrorCode {
    pub(crate) fn number(self) -> i64 {
        match self {
            ErrorCode::ParseError => -32700,
            ErrorCode::InvalidRequest => -32600,
            ErrorCode::MethodNotFound => -32601,
            ErrorCode::InvalidParams => -32602,
            ErrorCode::InternalError => -32603,
            ErrorCode::ServerNotInitialized => -32002,
            ErrorCode::RequestFailed => -32803,
            ErrorCode::ContentModified => -32801,
            ErrorCode::RequestCancelled => -32800,
        }
    }
}

/// A request that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestError {
    pub(crate) code: ErrorCode,
    pub(crate) message: String,
}

/// The result of what a handler does.
pub(crate) type Result<T, E = RequestError> = std::result::Result<T, E>;

impl RequestError {
    pub(crate) fn new(code: ErrorCode, message: impl Into<String>) -> RequestError {
        RequestError {
            code,
            message: message.into(),
        }
    }

    /// It is right, but it cannot be done; the sentence says why.
    pub(crate) fn failed(message: impl Into<String>) -> RequestError {
        RequestError::new(ErrorCode::RequestFailed, message)
    }

    /// What was sent is not what the method takes.
    pub(crate) fn params(message: impl Into<String>) -> RequestError {
        RequestError::new(ErrorCode::InvalidParams, message)
    }

    pub(crate) fn cancelled() -> RequestError {
        RequestError::new(ErrorCode::RequestCancelled, "cancelled")
    }

    pub(crate) fn content_modified() -> RequestError {
        RequestError::new(
            ErrorCode::ContentModified,
            "the document changed while the request ran",
        )
    }

    pub(crate) fn internal() -> RequestError {
        RequestError::new(
            ErrorCode::InternalError,
            "Retrostep failed unexpectedly; its log says more",
        )
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<retrostep_trace::Error> for RequestError {
    fn from(error: retrostep_trace::Error) -> RequestError {
        match error {
            retrostep_trace::Error::Cancelled => RequestError::cancelled(),
            other => RequestError::failed(other.to_string()),
        }
    }
}

impl From<retrostep_replay::ExpressionError> for RequestError {
    fn from(error: retrostep_replay::ExpressionError) -> RequestError {
        match error {
            retrostep_replay::ExpressionError::Recording(error) => error.into(),
            other => RequestError::failed(other.to_string()),
        }
    }
}

impl From<retrostep_replay::Error> for RequestError {
    fn from(error: retrostep_replay::Error) -> RequestError {
        match error {
            retrostep_replay::Error::Trace(error) => error.into(),
            other => RequestError::failed(other.to_string()),
        }
    }
}
