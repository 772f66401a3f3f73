//! `initialized`: the client takes requests now.

use ls_types::InitializedParams;

use super::Told;
use crate::server::Server;

pub(super) struct Initialized;

impl Told for Initialized {
    const METHOD: &'static str = "initialized";
    type Params = InitializedParams;

    fn take(server: &mut Server<'_>, _params: InitializedParams) {
        server.begin();
    }
}
