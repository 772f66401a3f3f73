//! `workspace/symbol`: the recordings by name.

use ls_types::{
    Location, OneOf, ServerCapabilities, SymbolKind, WorkspaceSymbol, WorkspaceSymbolParams,
};

use super::WorkspaceRequest;
use crate::client::Client;
use crate::context::Context;
use crate::error::Result;
use crate::recordings::RecordingFacts;
use crate::to_proto;

pub(super) struct WorkspaceSymbols;

/// How many are answered: a list for people.
const MOST: usize = 100;

impl WorkspaceRequest for WorkspaceSymbols {
    const METHOD: &'static str = "workspace/symbol";
    type Params = WorkspaceSymbolParams;
    type Answer = Vec<WorkspaceSymbol>;

    fn advertise(capabilities: &mut ServerCapabilities, _client: &Client) {
        capabilities.workspace_symbol_provider = Some(OneOf::Left(true));
    }

    fn answer(ctx: &Context, params: WorkspaceSymbolParams) -> Result<Vec<WorkspaceSymbol>> {
        let mut symbols = Vec::new();
        // The names are known without looking into the recordings.
        let entries = ctx.libraries.entries();
        let matching = entries
            .iter()
            .filter(|entry| matches(&entry.id, &params.query));
        for entry in matching.take(MOST) {
            let facts = ctx.facts(entry)?;
            let script = facts.as_ref().and_then(|facts| facts.main_script());
            let Some(uri) = to_proto::uri(script.unwrap_or(&entry.path)) else {
                continue;
            };
            symbols.push(WorkspaceSymbol {
                name: entry.name.clone(),
                kind: SymbolKind::FILE,
                tags: None,
                container_name: facts.as_deref().map(container),
                location: OneOf::Left(Location::new(uri, ls_types::Range::default())),
                data: None,
            });
        }
        Ok(symbols)
    }
}

/// What stands beside the name: `recorded 2026-11-21 14:32`.
fn container(facts: &RecordingFacts) -> String {
    format!("recorded {}", super::recordings::date(facts.started))
}

/// Whether the letters of `query` stand in `name` in this order, whatever their case.
fn matches(name: &str, query: &str) -> bool {
    let mut letters = name.chars().flat_map(char::to_lowercase);
    (query.chars().filter(|letter| !letter.is_whitespace()))
        .flat_map(char::to_lowercase)
        .all(|wanted| letters.any(|letter| letter == wanted))
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn letters_are_found_in_their_order() {
        assert!(matches("replay_orders-20261121-143200", ""));
        assert!(matches("replay_orders-20261121-143200", "RepOrd 1432"));
        assert!(!matches("replay_orders", "ordersr"));
    }
}
