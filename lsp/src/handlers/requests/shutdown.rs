//! `shutdown`: nothing more is wanted but `exit`.

use serde_json::Value;

use super::ServerRequest;
use crate::error::Result;
use crate::server::Server;

pub(super) struct Shutdown;

impl ServerRequest for Shutdown {
    const METHOD: &'static str = "shutdown";
    type Params = Value;
    type Answer = ();

    fn answer(server: &mut Server<'_>, _params: Value) -> Result<()> {
        server.shut_down();
        Ok(())
    }
}
