//! `textDocument/references`: the writes and reads of a variable in the call that is shown.

use ls_types::{Location, OneOf, ReferenceParams, ServerCapabilities, Uri};

use super::{DocumentRequest, Late};
use crate::client::Client;
use crate::context::DocumentContext;
use crate::error::Result;
use crate::uses::uses_at;

pub(super) struct References;

impl DocumentRequest for References {
    const METHOD: &'static str = "textDocument/references";
    const LATE: Late = Late::Wrong;
    type Params = ReferenceParams;
    type Answer = Vec<Location>;

    fn document(params: &ReferenceParams) -> &Uri {
        &params.text_document_position.text_document.uri
    }

    fn advertise(capabilities: &mut ServerCapabilities, _client: &Client) {
        capabilities.references_provider = Some(OneOf::Left(true));
    }

    fn answer(ctx: &DocumentContext, params: ReferenceParams) -> Result<Vec<Location>> {
        let used = uses_at(ctx, params.text_document_position.position)?;
        Ok(used.into_iter().map(|used| used.location).collect())
    }
}
