//! What the client told of itself: where it counts from, and what it understands.

use serde::Deserialize;

/// What is read of the arguments of `initialize`. The protocol asks for an `adapterID`, which says
/// nothing here: clients written by hand may leave it out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Introduction {
    lines_start_at1: Option<bool>,
    columns_start_at1: Option<bool>,
    supports_variable_type: Option<bool>,
    supports_run_in_terminal_request: Option<bool>,
    supports_progress_reporting: Option<bool>,
}

/// The client's side of `initialize`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Client {
    /// Its first line: 0 or 1.
    pub(crate) first_line: i64,
    /// Its first column: 0 or 1.
    pub(crate) first_column: i64,
    /// Whether variables carry their type.
    pub(crate) variable_types: bool,
    /// Whether it runs commands in terminals.
    pub(crate) terminals: bool,
    /// Whether it shows progress.
    pub(crate) progress: bool,
}

impl Default for Client {
    fn default() -> Self {
        Client {
            first_line: 1,
            first_column: 1,
            variable_types: false,
            terminals: false,
            progress: false,
        }
    }
}

impl From<&Introduction> for Client {
    fn from(introduction: &Introduction) -> Client {
        let first = |starts_at_1: Option<bool>| i64::from(starts_at_1.unwrap_or(true));
        let supports = |capability: Option<bool>| capability.unwrap_or(false);
        Client {
            first_line: first(introduction.lines_start_at1),
            first_column: first(introduction.columns_start_at1),
            variable_types: supports(introduction.supports_variable_type),
            terminals: supports(introduction.supports_run_in_terminal_request),
            progress: supports(introduction.supports_progress_reporting),
        }
    }
}

impl Client {
    /// The client's number of a line of the engine, which counts from 1.
    pub(crate) fn line(&self, line: u32) -> i64 {
        i64::from(line) - 1 + self.first_line
    }

    /// The engine's number of a line of the client; lines before the first are the first.
    pub(crate) fn engine_line(&self, line: i64) -> u32 {
        let from_one = line.saturating_sub(self.first_line).saturating_add(1);
        u32::try_from(from_one.max(1)).unwrap_or(u32::MAX)
    }

    /// How many UTF-16 code units stand before a column of the client.
    pub(crate) fn column_offset(&self, column: i64) -> usize {
        usize::try_from(column.saturating_sub(self.first_column)).unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_count_from_where_the_client_counts() {
        let zero = Client {
            first_line: 0,
            first_column: 0,
            ..Client::default()
        };
        let one = Client::default();
        assert_eq!((zero.line(1), one.line(1)), (0, 1));
        assert_eq!((zero.engine_line(4), one.engine_line(5)), (5, 5));
        assert_eq!((zero.engine_line(-9), one.engine_line(i64::MIN)), (1, 1));
        assert_eq!(one.engine_line(i64::MAX), u32::MAX);
        assert_eq!((zero.column_offset(3), one.column_offset(4)), (3, 3));
    }
}
