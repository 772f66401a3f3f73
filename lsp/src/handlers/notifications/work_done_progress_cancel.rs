//! `window/workDoneProgress/cancel`: the user cancels what takes long.

use ls_types::WorkDoneProgressCancelParams;

use super::Told;
use crate::server::Server;

pub(super) struct WorkDoneProgressCancel;

impl Told for WorkDoneProgressCancel {
    const METHOD: &'static str = "window/workDoneProgress/cancel";
    type Params = WorkDoneProgressCancelParams;

    fn take(server: &mut Server<'_>, params: WorkDoneProgressCancelParams) {
        server.cancel_progress(&params.token);
    }
}
