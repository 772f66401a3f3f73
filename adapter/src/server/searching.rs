//! What is told of searches that take long.

use std::time::Duration;

use anyhow::Result;
use serde_json::json;

use super::Server;
use crate::position::grouped;

/// How long a search runs before its progress is shown.
const PATIENCE: Duration = Duration::from_secs(1);

/// Progress that a client shows.
#[derive(Debug)]
pub(super) struct Shown {
    pub(super) id: String,
    /// What the client was told last.
    message: Option<String>,
}

impl Server<'_> {
    /// Tells a client that shows progress how far the search is that runs.
    pub(super) fn show_search(&mut self) -> Result<()> {
        if !self.client.progress {
            return Ok(());
        }
        let Some(search) = self.pending.first_mut() else {
            return Ok(());
        };
        if !may_take_long(&search.command) || search.since.elapsed() < PATIENCE {
            return Ok(());
        }
        let reached = self.search_progress.reached();
        let message = reached.map(|reached| {
            format!(
                "{} %, event {}",
                reached.percent,
                grouped(reached.position.0)
            )
        });
        let (event, mut body) = match &mut search.progress {
            None => {
                let id = format!("search-{}", search.job);
                let body = json!({
                    "progressId": id, "title": title(&search.command), "cancellable": true,
                    "requestId": search.seq,
                });
                search.progress = Some(Shown {
                    id,
                    message: message.clone(),
                });
                ("progressStart", body)
            }
            Some(shown) if message.is_some() && shown.message != message => {
                shown.message.clone_from(&message);
                ("progressUpdate", json!({"progressId": shown.id}))
            }
            Some(_) => return Ok(()),
        };
        if let (Some(message), Some(reached), Some(members)) =
            (message, reached, body.as_object_mut())
        {
            members.insert("message".to_owned(), json!(message));
            members.insert("percentage".to_owned(), json!(reached.percent));
        }
        self.emit(event, body)
    }
}

fn title(command: &str) -> &'static str {
    match command {
        "reverseContinue" | "stepBack" | "retrostep/stepBackInto" | "retrostep/stepBackOut" => {
            "Searching backward"
        }
        _ => "Searching",
    }
}

/// Whether a request may look at much of the recording.
fn may_take_long(command: &str) -> bool {
    is_search(command)
        || matches!(
            command,
            "gotoTargets" | "retrostep/history" | "retrostep/hits" | "setBreakpoints"
        )
}

/// Whether a request moves, and so is ended by `pause`.
pub(super) fn is_search(command: &str) -> bool {
    matches!(
        command,
        "continue"
            | "reverseContinue"
            | "next"
            | "stepIn"
            | "stepOut"
            | "stepBack"
            | "goto"
            | "restartFrame"
            | "evaluate"
            | "retrostep/seek"
            | "retrostep/stepBackInto"
            | "retrostep/stepBackOut"
    )
}
