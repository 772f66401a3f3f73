//! `textDocument/didClose`: a document is not open any more.

use ls_types::DidCloseTextDocumentParams;

use super::Told;
use crate::server::Server;

pub(super) struct DidClose;

impl Told for DidClose {
    const METHOD: &'static str = "textDocument/didClose";
    type Params = DidCloseTextDocumentParams;

    fn take(server: &mut Server<'_>, params: DidCloseTextDocumentParams) {
        server.close(&params.text_document.uri);
    }
}
