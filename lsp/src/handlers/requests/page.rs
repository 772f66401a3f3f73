//! The page parameters of requests with long answers.

use std::ops::Range;

use serde::Deserialize;

/// Most rows of a page.
const MOST: u64 = 1_000;

/// Which rows are wanted.
#[derive(Debug, Deserialize)]
pub(super) struct Page {
    /// Rows that are left out, from the newest.
    #[serde(default)]
    start: u64,
    #[serde(default = "usual")]
    count: u64,
}

fn usual() -> u64 {
    100
}

impl Page {
    /// The rows, counted from the newest.
    pub(super) fn rows(&self) -> Range<u64> {
        self.start..self.start.saturating_add(self.count.min(MOST))
    }
}
