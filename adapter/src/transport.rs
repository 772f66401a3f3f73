//! Where clients come from: standard input and output, or the loopback interface.

use std::io::{BufWriter, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;

use anyhow::{Context as _, Result, ensure};

use crate::launcher::Launcher;
use crate::server::run;

/// Speaks with one client over standard input and output.
///
/// # Errors
///
/// As [`run`].
pub fn serve_stdio(launcher: Arc<dyn Launcher>) -> Result<()> {
    let mut output = BufWriter::new(std::io::stdout());
    run(std::io::stdin(), &mut output, launcher)
}

/// Listens at `address` and speaks with every client that comes, each on a thread of its own.
///
/// `ready` is told the address once clients can connect, which names the port if `address` left it
/// open. Only this machine's loopback interface is served: not another address, not a peer from
/// elsewhere, and nothing that speaks HTTP, so that no web page can reach the adapter.
///
/// # Errors
///
/// The address is not of the loopback interface, or cannot be listened at.
pub fn listen(
    address: SocketAddr,
    launcher: &Arc<dyn Launcher>,
    ready: impl FnOnce(SocketAddr) -> Result<()>,
) -> Result<()> {
    ensure!(
        is_loopback(address.ip()),
        "{address} is not an address of the loopback interface: use 127.0.0.1:PORT"
    );
    let listener = TcpListener::bind(address).with_context(|| format!("listen at {address}"))?;
    ready(listener.local_addr().context("ask for the port")?)?;
    loop {
        let (stream, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a client could not connect");
                continue;
            }
        };
        if !is_loopback(peer.ip()) {
            tracing::warn!(%peer, "a client from another machine was refused");
            continue;
        }
        let launcher = launcher.clone();
        let spawned = std::thread::Builder::new()
            .name(format!("client {peer}"))
            .spawn(move || {
                if let Err(error) = serve_stream(&stream, launcher) {
                    tracing::warn!(%peer, "the connection ended: {error:#}");
                }
            });
        if let Err(error) = spawned {
            tracing::warn!(%error, "a client could not be served");
        }
    }
}

fn is_loopback(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

fn serve_stream(stream: &TcpStream, launcher: Arc<dyn Launcher>) -> Result<()> {
    stream.set_nodelay(true).context("set up the connection")?;
    let input: Box<dyn Read + Send> =
        Box::new(stream.try_clone().context("set up the connection")?);
    let mut output = BufWriter::new(stream);
    let result = run(input, &mut output, launcher);
    output.flush().ok();
    // The thread that reads still waits for the client.
    stream.shutdown(std::net::Shutdown::Both).ok();
    result
}
