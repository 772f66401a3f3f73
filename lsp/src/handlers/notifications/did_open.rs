//! `textDocument/didOpen`: a document is open.

use ls_types::DidOpenTextDocumentParams;

use super::Told;
use crate::server::Server;

pub(super) struct DidOpen;

impl Told for DidOpen {
    const METHOD: &'static str = "textDocument/didOpen";
    type Params = DidOpenTextDocumentParams;

    fn take(server: &mut Server<'_>, params: DidOpenTextDocumentParams) {
        let document = params.text_document;
        server.open(document.uri, document.version, &document.text);
    }
}
