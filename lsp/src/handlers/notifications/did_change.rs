//! `textDocument/didChange`: an open document has another text.

use ls_types::DidChangeTextDocumentParams;

use super::Told;
use crate::server::Server;

pub(super) struct DidChange;

impl Told for DidChange {
    const METHOD: &'static str = "textDocument/didChange";
    type Params = DidChangeTextDocumentParams;

    fn take(server: &mut Server<'_>, params: DidChangeTextDocumentParams) {
        let document = params.text_document;
        server.change(&document.uri, document.version, &params.content_changes);
    }
}
