//! `retrostep/cursor`: where the user is, for hints that are shown only there.

use ls_types::TextDocumentPositionParams;

use super::Told;
use crate::server::Server;

pub(super) struct CursorMoved;

impl Told for CursorMoved {
    const METHOD: &'static str = "retrostep/cursor";
    type Params = TextDocumentPositionParams;

    fn take(server: &mut Server<'_>, params: TextDocumentPositionParams) {
        let line = params.position.line.saturating_add(1);
        server.look_up_cursor(&params.text_document.uri, line);
    }
}
