//! The one way to a network: a socket of the proxy, which answers at a port in the sandbox.

use crate::kit::{run, script};
use deskhand_confine::{Confined, PROXY_PORT};
use std::path::Path;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::UnixListener,
};

/// A proxy that says what it heard.
fn echo(at: &Path) {
    let listener = UnixListener::bind(at).unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut heard = vec![0; 4096];
                let count = stream.read(&mut heard).await.unwrap_or(0);
                let first = String::from_utf8_lossy(&heard[..count]).lines().next().unwrap_or_default().to_owned();
                let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", first.len());
                let _ = stream.write_all((head + &first).as_bytes()).await;
            });
        }
    });
}

#[tokio::test]
async fn programs_reach_the_proxy_and_nothing_else() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("proxy");
    echo(&socket);
    let text = "env | grep -i proxy | sort; curl -sS http://example.com/a; echo; \
                curl -sS --noproxy '*' -m 5 http://192.0.2.1/ 2>&1 | cut -c1-40; cat /proc/net/route | wc -l";
    let said = run(Confined { network: Some(socket), ..script(text) }).await;
    let proxy = format!("http://127.0.0.1:{PROXY_PORT}");
    assert_eq!(
        said.out,
        format!(
            "HTTPS_PROXY={proxy}\nHTTP_PROXY={proxy}\nNODE_USE_ENV_PROXY=1\nhttp_proxy={proxy}\nhttps_proxy={proxy}\n\
             GET http://example.com/a HTTP/1.1\ncurl: (7) Failed to connect to 192.0.2.1\n1"
        ),
        "{}",
        said.err
    );
}

#[tokio::test]
async fn a_status_and_a_signal_come_through_beside_the_proxy() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("proxy");
    echo(&socket);
    let with = |text: &str| Confined { network: Some(socket.clone()), ..script(text) };
    assert_eq!(run(with("exit 9")).await.ended, deskhand_confine::Ended::Exited(9));
    assert_eq!(run(with("kill -9 $$")).await.ended, deskhand_confine::Ended::Exited(137));
}

#[tokio::test]
async fn a_thousand_connections_are_carried() {
    let dir = tempfile::tempdir().unwrap();
    let socket = dir.path().join("proxy");
    echo(&socket);
    let python = format!(
        "import socket\nopen = [socket.create_connection(('127.0.0.1', {PROXY_PORT})) for n in range(1000)]\n\
         for one in open: one.sendall(b'GET / HTTP/1.1\\r\\n\\r\\n')\n\
         print(sum(one.recv(100).startswith(b'HTTP/1.1 200') for one in open))"
    );
    let mut confined = Confined::new("python3");
    confined.arguments = vec!["-c".into(), python.into()];
    confined.network = Some(socket);
    let said = run(confined).await;
    assert_eq!(said.out, "1000", "{}", said.err);
}
