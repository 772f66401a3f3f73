//! `workspace/didChangeWorkspaceFolders`: folders were added or removed.

use ls_types::DidChangeWorkspaceFoldersParams;

use super::Told;
use crate::server::Server;

pub(super) struct DidChangeWorkspaceFolders;

impl Told for DidChangeWorkspaceFolders {
    const METHOD: &'static str = "workspace/didChangeWorkspaceFolders";
    type Params = DidChangeWorkspaceFoldersParams;

    fn take(server: &mut Server<'_>, params: DidChangeWorkspaceFoldersParams) {
        let uris = |folders: Vec<ls_types::WorkspaceFolder>| -> Vec<ls_types::Uri> {
            folders.into_iter().map(|folder| folder.uri).collect()
        };
        server.folders_changed(&uris(params.event.added), &uris(params.event.removed));
    }
}
