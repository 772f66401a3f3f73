//! `textDocument/documentHighlight`: the writes and reads of a variable that ran, in this document.

use ls_types::{DocumentHighlight, DocumentHighlightParams, OneOf, ServerCapabilities, Uri};

use super::{DocumentRequest, Late};
use crate::client::Client;
use crate::context::DocumentContext;
use crate::error::Result;
use crate::uses::uses_at;

pub(super) struct DocumentHighlights;

impl DocumentRequest for DocumentHighlights {
    const METHOD: &'static str = "textDocument/documentHighlight";
    const LATE: Late = Late::Wrong;
    type Params = DocumentHighlightParams;
    type Answer = Vec<DocumentHighlight>;

    fn document(params: &DocumentHighlightParams) -> &Uri {
        &params.text_document_position_params.text_document.uri
    }

    fn advertise(capabilities: &mut ServerCapabilities, _client: &Client) {
        capabilities.document_highlight_provider = Some(OneOf::Left(true));
    }

    fn answer(
        ctx: &DocumentContext,
        params: DocumentHighlightParams,
    ) -> Result<Vec<DocumentHighlight>> {
        let used = uses_at(ctx, params.text_document_position_params.position)?;
        let here = used.into_iter().filter(|used| used.is_here);
        Ok(here
            .map(|used| DocumentHighlight {
                range: used.location.range,
                kind: Some(used.kind),
            })
            .collect())
    }
}
