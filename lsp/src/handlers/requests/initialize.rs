//! `initialize`: what both sides can do.

use ls_types::{InitializeParams, InitializeResult, ServerInfo};

use super::ServerRequest;
use crate::error::Result;
use crate::server::Server;

pub(super) struct Initialize;

impl ServerRequest for Initialize {
    const METHOD: &'static str = "initialize";
    type Params = InitializeParams;
    type Answer = InitializeResult;

    fn answer(server: &mut Server<'_>, params: InitializeParams) -> Result<InitializeResult> {
        server.introduce(&params);
        Ok(InitializeResult {
            capabilities: crate::capabilities::capabilities(server.client()),
            server_info: Some(ServerInfo {
                name: "retrostep".to_owned(),
                version: Some(env!("CARGO_PKG_VERSION").to_owned()),
            }),
            offset_encoding: None,
        })
    }
}
