//! Asking the client to ask again for what it shows.
//!
//! Of each kind one request at most is unanswered: what changes meanwhile is asked for after the answer.

use crate::client::Refreshes;

/// What a client shows and can be asked to ask for again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refresh {
    InlayHints,
    InlineValues,
    CodeLenses,
    SemanticTokens,
}

/// What follows the replay's position.
pub(crate) const OF_POSITION: &[Refresh] = &[Refresh::InlayHints, Refresh::InlineValues];
/// Everything.
pub(crate) const ALL: &[Refresh] = &[
    Refresh::InlayHints,
    Refresh::InlineValues,
    Refresh::CodeLenses,
    Refresh::SemanticTokens,
];

impl Refresh {
    pub(crate) fn method(self) -> &'static str {
        match self {
            Refresh::InlayHints => "workspace/inlayHint/refresh",
            Refresh::InlineValues => "workspace/inlineValue/refresh",
            Refresh::CodeLenses => "workspace/codeLens/refresh",
            Refresh::SemanticTokens => "workspace/semanticTokens/refresh",
        }
    }

    fn is_supported(self, by: &Refreshes) -> bool {
        match self {
            Refresh::InlayHints => by.inlay_hints,
            Refresh::InlineValues => by.inline_values,
            Refresh::CodeLenses => by.code_lenses,
            Refresh::SemanticTokens => by.semantic_tokens,
        }
    }
}

/// The requests that are unanswered.
#[derive(Debug, Default)]
pub(crate) struct Refresher(Vec<Outstanding>);

#[derive(Debug)]
struct Outstanding {
    refresh: Refresh,
    /// Something changed since it was sent.
    again: bool,
}

impl Refresher {
    /// What to send when `wanted` changed.
    pub(crate) fn due(&mut self, wanted: &[Refresh], supported: &Refreshes) -> Vec<Refresh> {
        let mut due = Vec::new();
        for refresh in wanted
            .iter()
            .filter(|refresh| refresh.is_supported(supported))
        {
            match self.0.iter_mut().find(|sent| sent.refresh == *refresh) {
                Some(sent) => sent.again = true,
                None => {
                    self.0.push(Outstanding {
                        refresh: *refresh,
                        again: false,
                    });
                    due.push(*refresh);
                }
            }
        }
        due
    }

    /// A request was answered; whether to send it once more.
    pub(crate) fn answered(&mut self, refresh: Refresh) -> bool {
        let Some(at) = self.0.iter().position(|sent| sent.refresh == refresh) else {
            return false;
        };
        let again = self.0.get(at).is_some_and(|sent| sent.again);
        match self.0.get_mut(at) {
            Some(sent) if again => sent.again = false,
            _ => drop(self.0.remove(at)),
        }
        again
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_request_of_a_kind_is_unanswered_at_most() {
        let supported = Refreshes {
            inlay_hints: true,
            code_lenses: true,
            ..Refreshes::default()
        };
        let mut refresher = Refresher::default();
        let due = refresher.due(OF_POSITION, &supported);
        assert_eq!(due, [Refresh::InlayHints]);
        assert!(refresher.due(OF_POSITION, &supported).is_empty());
        assert_eq!(refresher.due(ALL, &supported), [Refresh::CodeLenses]);
        assert!(refresher.answered(Refresh::InlayHints));
        assert!(!refresher.answered(Refresh::InlayHints));
        assert!(!refresher.answered(Refresh::CodeLenses));
        assert!(!refresher.answered(Refresh::SemanticTokens));
        assert_eq!(refresher.due(ALL, &supported).len(), 2);
    }
}
