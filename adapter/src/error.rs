//! Why a request fails: what the client is told, and whether it shows that to the user.

use retrostep_replay::{Error, ExpressionError};
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// A request that failed. The connection goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestError {
    /// What happened and what to do, as a sentence.
    pub(crate) message: String,
    /// The word that clients know for it, if there is one.
    pub(crate) word: Option<&'static str>,
    /// Whether the client should show the sentence to the user by itself.
    pub(crate) audience: Audience,
}

/// Who is told of an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Audience {
    /// The user, at once.
    User,
    /// The client, which shows it where it asked.
    Client,
}

impl RequestError {
    /// An error for the user.
    pub(crate) fn user(message: impl Into<String>) -> RequestError {
        RequestError {
            message: message.into(),
            word: None,
            audience: Audience::User,
        }
    }

    /// An error that is shown where it was asked, or nowhere.
    pub(crate) fn client(message: impl Into<String>) -> RequestError {
        RequestError {
            audience: Audience::Client,
            ..RequestError::user(message)
        }
    }

    /// The request was cancelled.
    pub(crate) fn cancelled() -> RequestError {
        RequestError {
            word: Some("cancelled"),
            ..RequestError::client("cancelled")
        }
    }

    /// The request makes sense only while the program stands still.
    pub(crate) fn not_stopped() -> RequestError {
        RequestError {
            word: Some("notStopped"),
            ..RequestError::client("there is no replay yet")
        }
    }

    /// The arguments do not have the shape that the command needs.
    pub(crate) fn arguments(command: &str, error: &serde_json::Error) -> RequestError {
        RequestError::client(format!("{command}: {error}"))
    }

    /// As [`RequestError::arguments`] for what a user wrote, all of whose members may be absent: the
    /// first member that alone is refused is the one that is wrong.
    pub(crate) fn user_arguments<T: DeserializeOwned>(
        command: &str,
        arguments: &Value,
        error: &serde_json::Error,
    ) -> RequestError {
        let members = arguments.as_object().into_iter().flatten();
        let wrong = members.map(|(name, value)| {
            let alone = serde_json::from_value::<T>(json!({name: value}));
            alone.err().map(|error| (name, error))
        });
        RequestError::user(match wrong.flatten().next() {
            Some((name, error)) => format!("{command}: {name:?}: {error}"),
            None => format!("{command}: {error}"),
        })
    }

    /// The short form that an error response carries besides the sentence.
    pub(crate) fn word(&self) -> &str {
        self.word.unwrap_or(&self.message)
    }

    /// The protocol's `Message`.
    pub(crate) fn to_message(&self) -> Value {
        json!({
            "id": 1,
            "format": self.message,
            "showUser": self.audience == Audience::User,
        })
    }
}

impl From<retrostep_trace::Error> for RequestError {
    fn from(error: retrostep_trace::Error) -> RequestError {
        match error {
            retrostep_trace::Error::Cancelled => RequestError::cancelled(),
            retrostep_trace::Error::Version {
                found,
                oldest,
                newest,
                ..
            } if found > newest => RequestError::user(format!(
                "This recording was made by a newer Retrostep (format {found}, this one reads {}).",
                formats(oldest, newest)
            )),
            other => RequestError::user(other.to_string()),
        }
    }
}

fn formats(oldest: u16, newest: u16) -> String {
    if oldest == newest {
        newest.to_string()
    } else {
        format!("{oldest} to {newest}")
    }
}

impl From<Error> for RequestError {
    fn from(error: Error) -> RequestError {
        match error {
            Error::Trace(error) => error.into(),
            other => RequestError::client(other.to_string()),
        }
    }
}

impl From<ExpressionError> for RequestError {
    fn from(error: ExpressionError) -> RequestError {
        match error {
            ExpressionError::Recording(error) => error.into(),
            other => RequestError::client(other.to_string()),
        }
    }
}

impl From<anyhow::Error> for RequestError {
    fn from(error: anyhow::Error) -> RequestError {
        RequestError::user(format!("{error:#}"))
    }
}
