//! `$/cancelRequest`: an answer is not wanted any more.

use ls_types::CancelParams;

use super::Told;
use crate::server::Server;

pub(super) struct CancelRequest;

impl Told for CancelRequest {
    const METHOD: &'static str = "$/cancelRequest";
    type Params = CancelParams;

    fn take(server: &mut Server<'_>, params: CancelParams) {
        server.cancel(&params.id);
    }
}
