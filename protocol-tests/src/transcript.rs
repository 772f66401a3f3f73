//! What was said in a conversation, for the message of a test that fails.

use anyhow::anyhow;

/// How many messages an error shows, from the last.
const SHOWN: usize = 24;
/// How many characters of each.
const MOST_CHARS: usize = 1500;

/// All messages of a conversation, in their order.
#[derive(Debug, Default)]
pub(crate) struct Transcript(Vec<String>);

impl Transcript {
    /// A message that was sent.
    pub(crate) fn sent(&mut self, message: &str) {
        self.0.push(format!("-> {message}"));
    }

    /// A message that came.
    pub(crate) fn received(&mut self, message: &serde_json::Value) {
        self.0.push(format!("<- {message}"));
    }

    /// An error with the end of the conversation in it.
    pub(crate) fn failure(&self, what: &str) -> anyhow::Error {
        let skip = self.0.len().saturating_sub(SHOWN);
        let mut text = format!("{what}\nlast messages ({skip} earlier left out):\n");
        for line in self.0.iter().skip(skip) {
            let cut: String = line.chars().take(MOST_CHARS).collect();
            text.push_str("  ");
            text.push_str(&cut);
            text.push('\n');
        }
        anyhow!(text)
    }
}
