//! `workspace/didChangeConfiguration`: the user chose something else.

use ls_types::DidChangeConfigurationParams;

use super::Told;
use crate::server::Server;

pub(super) struct DidChangeConfiguration;

impl Told for DidChangeConfiguration {
    const METHOD: &'static str = "workspace/didChangeConfiguration";
    type Params = DidChangeConfigurationParams;

    fn take(server: &mut Server<'_>, params: DidChangeConfigurationParams) {
        server.settings_changed(&params.settings);
    }
}
