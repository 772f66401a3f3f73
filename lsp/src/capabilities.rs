//! What the server says it can do.

use ls_types::{
    OneOf, ServerCapabilities, TextDocumentSyncCapability, TextDocumentSyncKind,
    TextDocumentSyncOptions, WorkspaceFoldersServerCapabilities, WorkspaceServerCapabilities,
};

use crate::client::Client;
use crate::handlers::requests::REQUESTS;

/// The capabilities: those of the handlers in the tables, and of the documents.
pub(crate) fn capabilities(client: &Client) -> ServerCapabilities {
    let mut capabilities = ServerCapabilities {
        position_encoding: Some(client.encoding.kind()),
        text_document_sync: Some(TextDocumentSyncCapability::Options(
            TextDocumentSyncOptions {
                open_close: Some(true),
                change: Some(TextDocumentSyncKind::INCREMENTAL),
                ..TextDocumentSyncOptions::default()
            },
        )),
        workspace: Some(WorkspaceServerCapabilities {
            workspace_folders: Some(WorkspaceFoldersServerCapabilities {
                supported: Some(true),
                change_notifications: Some(OneOf::Left(true)),
            }),
            file_operations: None,
        }),
        ..ServerCapabilities::default()
    };
    for handler in REQUESTS {
        (handler.advertise)(&mut capabilities, client);
    }
    capabilities
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::handlers::notifications::NOTIFICATIONS;

    /// What each capability of the protocol promises to answer.
    const PROMISES: &[(&str, &[&str])] = &[
        (
            "callHierarchyProvider",
            &[
                "textDocument/prepareCallHierarchy",
                "callHierarchy/incomingCalls",
                "callHierarchy/outgoingCalls",
            ],
        ),
        ("codeActionProvider", &["textDocument/codeAction"]),
        ("codeLensProvider", &["textDocument/codeLens"]),
        ("completionProvider", &["textDocument/completion"]),
        ("declarationProvider", &["textDocument/declaration"]),
        ("definitionProvider", &["textDocument/definition"]),
        ("diagnosticProvider", &["textDocument/diagnostic"]),
        (
            "documentHighlightProvider",
            &["textDocument/documentHighlight"],
        ),
        ("documentSymbolProvider", &["textDocument/documentSymbol"]),
        ("executeCommandProvider", &["workspace/executeCommand"]),
        ("hoverProvider", &["textDocument/hover"]),
        ("inlayHintProvider", &["textDocument/inlayHint"]),
        ("inlineValueProvider", &["textDocument/inlineValue"]),
        ("referencesProvider", &["textDocument/references"]),
        (
            "semanticTokensProvider",
            &["textDocument/semanticTokens/full"],
        ),
        (
            "textDocumentSync",
            &[
                "textDocument/didOpen",
                "textDocument/didChange",
                "textDocument/didClose",
            ],
        ),
        ("workspace", &["workspace/didChangeWorkspaceFolders"]),
        ("workspaceSymbolProvider", &["workspace/symbol"]),
    ];

    #[test]
    fn what_is_advertised_is_what_is_answered() {
        // Of what is only for clients that can take it, all.
        let client = Client {
            inline_values: true,
            ..Client::default()
        };
        let capabilities = serde_json::to_value(capabilities(&client)).unwrap();
        let advertised: BTreeSet<&str> = (capabilities.as_object().unwrap().keys())
            .map(String::as_str)
            .filter(|name| *name != "positionEncoding")
            .collect();
        let answered: BTreeSet<&str> = (REQUESTS.iter().map(|handler| handler.method))
            .chain(NOTIFICATIONS.iter().map(|handler| handler.method))
            .collect();
        let promised: BTreeSet<&str> = (PROMISES.iter())
            .filter(|(_, methods)| methods.iter().all(|method| answered.contains(method)))
            .map(|(capability, _)| *capability)
            .collect();
        assert_eq!(advertised, promised);
    }

    #[test]
    fn a_method_is_answered_once() {
        let methods: Vec<&str> = REQUESTS.iter().map(|handler| handler.method).collect();
        assert_eq!(methods.len(), BTreeSet::from_iter(&methods).len());
    }
}
