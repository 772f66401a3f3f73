//! Clients that come over the network.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use retrostep_adapter::{Launcher, listen};

use crate::launcher::FakeLauncher;

fn listening() -> SocketAddr {
    let (sender, ready) = channel();
    std::thread::spawn(move || {
        let launcher: Arc<dyn Launcher> = Arc::new(FakeLauncher::default());
        let address = "127.0.0.1:0".parse().unwrap();
        listen(address, &launcher, move |address| Ok(sender.send(address)?))
    });
    ready.recv_timeout(Duration::from_secs(20)).unwrap()
}

/// Everything that the adapter answers until it closes the connection.
fn talk(address: SocketAddr, bytes: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream.write_all(bytes.as_bytes()).unwrap();
    let mut answer = Vec::new();
    // A refused connection may be reset while bytes are under way.
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8(answer).unwrap()
}

fn frame(content: &str) -> String {
    format!("Content-Length: {}\r\n\r\n{content}", content.len())
}

#[test]
fn one_client_after_the_other_is_served() {
    let address = listening();
    let conversation = frame(r#"{"seq":1,"type":"request","command":"initialize"}"#)
        + &frame(r#"{"seq":2,"type":"request","command":"disconnect"}"#);
    let idle = TcpStream::connect(address).unwrap();
    for _ in 0..2 {
        let answer = talk(address, &conversation);
        assert!(answer.contains("supportsStepBack"), "{answer}");
        assert!(answer.contains(r#""command":"disconnect""#), "{answer}");
    }
    drop(idle);
}

#[test]
fn a_web_page_is_refused() {
    let address = listening();
    let initialize = frame(r#"{"seq":1,"type":"request","command":"initialize"}"#);
    for bytes in [
        format!("POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n{initialize}"),
        initialize.replace("\r\n\r\n", "\r\nOrigin: https://example.com\r\n\r\n"),
    ] {
        assert_eq!(talk(address, &bytes), "");
    }
}

#[test]
fn only_the_loopback_interface_is_listened_at() {
    let launcher: Arc<dyn Launcher> = Arc::new(FakeLauncher::default());
    let error = listen("0.0.0.0:0".parse().unwrap(), &launcher, |_| Ok(())).unwrap_err();
    assert!(error.to_string().contains("loopback"), "{error}");
}
