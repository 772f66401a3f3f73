//! `retrostep dap`: the debug adapter.

use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;

use retrostep_adapter::Launcher;

use crate::launcher::ProcessLauncher;

pub(crate) fn run(listen: Option<SocketAddr>) -> anyhow::Result<()> {
    let launcher: Arc<dyn Launcher> = Arc::new(ProcessLauncher);
    match listen {
        None => retrostep_adapter::serve_stdio(launcher),
        Some(address) => retrostep_adapter::listen(address, &launcher, |address| {
            let mut stdout = io::stdout();
            writeln!(stdout, "listening at {address}")?;
            stdout.flush()?;
            Ok(())
        }),
    }
}
