//! The proxy for programs in a sandbox: who they may speak to through it, and what it takes for a request.

use crate::kit::{Kit, Still};
use deskhand_egress::{Ended, Gateway, Proxies, Reach, SystemTimer, gateway::STREAMS};
use deskhand_model_server::{Answer, Heard, HttpServer};
use std::{
    os::unix::fs::PermissionsExt as _,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, UnixStream},
};

/// A gateway of a kit, which is open as long as this is held.
struct Open {
    kit: Kit,
    gateway: Gateway,
    _dir: tempfile::TempDir,
}

impl Open {
    fn of(kit: Kit, ports: &[u16]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o700)).unwrap();
        let gateway = Gateway::open(kit.outlet.clone(), dir.path(), "proxy", ports).unwrap();
        Self { kit, gateway, _dir: dir }
    }

    async fn connect(&self) -> UnixStream {
        UnixStream::connect(self.gateway.socket()).await.unwrap()
    }

    /// What comes back, to its end.
    async fn say(&self, bytes: impl AsRef<[u8]>) -> String {
        let mut stream = self.connect().await;
        stream.write_all(bytes.as_ref()).await.unwrap();
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    }

    async fn tunnel(&self, to: &str) -> String {
        let answer = self.say(format!("CONNECT {to} HTTP/1.1\r\nHost: {to}\r\n\r\n")).await;
        answer.lines().next().unwrap_or_default().to_owned() + " " + answer.lines().last().unwrap_or_default()
    }

    async fn get(&self, address: &str) -> String {
        let host = address.trim_start_matches("http://").split('/').next().unwrap();
        self.say(format!("GET {address} HTTP/1.1\r\nHost: {host}\r\n\r\n")).await
    }
}

/// A server that says back what it is told, in capitals, until nothing more comes.
async fn shouting() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut piece = [0; 4096];
                while let Ok(count @ 1..) = stream.read(&mut piece).await {
                    piece[..count].make_ascii_uppercase();
                    if stream.write_all(&piece[..count]).await.is_err() {
                        return;
                    }
                }
            });
        }
    });
    port
}

/// A server that says hello, and what it heard.
fn hello() -> (HttpServer, Arc<Mutex<Vec<Heard>>>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&log);
    let server = HttpServer::start(move |request| {
        heard.lock().unwrap().push(request.clone());
        Answer::new(200, "text/plain", "hello")
    });
    (server, log)
}

#[tokio::test]
async fn a_request_is_made_again_judged_and_recorded() {
    let (server, log) = hello();
    let port = server.address().port();
    let open = Open::of(Kit::new().allow("127.0.0.1", Reach::Local), &[]);
    let answer = open
        .say(format!(
            "POST http://127.0.0.1:{port}/a?key=secret HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: text/x\r\n\
             Transfer-Encoding: chunked\r\nProxy-Authorization: Basic x\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
        ))
        .await;
    assert!(answer.starts_with("HTTP/1.1 200 \r\n") && answer.ends_with("\r\n\r\n5\r\nhello\r\n0\r\n\r\n"), "{answer}");
    let heard = log.lock().unwrap().clone();
    assert_eq!((heard.len(), &heard[0].body[..]), (1, &b"abcde"[..]));
    assert_eq!((heard[0].header("content-type"), heard[0].header("proxy-authorization")), (Some("text/x"), None));
    let hops = open.kit.traffic();
    assert_eq!(
        (hops.len(), hops[0].method.as_str(), hops[0].path.as_str(), hops[0].status, hops[0].ended),
        (1, "POST", "/a", Some(200), Ended::Whole)
    );
}

#[tokio::test]
async fn a_tunnel_is_judged_connected_counted_and_recorded() {
    let port = shouting().await;
    let kit = Kit::new().allow("shop.example", Reach::Local).name("shop.example", &["127.0.0.1"]);
    let open = Open::of(kit, &[port]);
    let mut stream = open.connect().await;
    // what follows the request at once belongs to the tunnel
    let first = format!("CONNECT shop.example:{port} HTTP/1.1\r\nHost: shop.example\r\n\r\nearly ");
    stream.write_all(first.as_bytes()).await.unwrap();
    stream.write_all(b"late").await.unwrap();
    stream.shutdown().await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(answer, "HTTP/1.1 200 Connection established\r\n\r\nEARLY LATE");
    let hops = open.kit.traffic();
    let hop = &hops[0];
    assert_eq!(
        (hop.method.as_str(), hop.host.as_str(), hop.port, hop.sent, hop.received, hop.ended),
        ("CONNECT", "shop.example", port, 10, 10, Ended::Whole)
    );
    assert_eq!(open.kit.gate.asked.lock().unwrap()[0].method, "CONNECT");
}

#[tokio::test]
async fn only_what_was_granted_is_reached() {
    let (server, _) = hello();
    let port = server.address().port();
    let kit = Kit::new()
        .allow("rebound.example", Reach::Public)
        .allow("metadata.example", Reach::Public)
        .allow("169.254.169.254", Reach::Public)
        .allow("10.0.0.1", Reach::Public)
        .allow("127.0.0.1", Reach::Public)
        .allow("::1", Reach::Public)
        .allow("nowhere.example", Reach::Local)
        .name("rebound.example", &["127.0.0.1"])
        .name("metadata.example", &["169.254.169.254", "fd00::1"])
        .name("nowhere.example", &["0.0.0.0"]);
    let open = Open::of(kit, &[port, 443]);
    for host in [
        "other.example",
        "rebound.example",
        "REBOUND.example.",
        "metadata.example",
        "169.254.169.254",
        "10.0.0.1",
        "127.0.0.1",
        "127.1",
        "0x7f000001",
        "2130706433",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "nowhere.example",
        "localhost",
    ] {
        let tunnel = open.tunnel(&format!("{host}:{port}")).await;
        assert!(tunnel.starts_with("HTTP/1.1 403 Forbidden Deskhand: nothing was sent to "), "{host}: {tunnel}");
        let plain = open.get(&format!("http://{host}:{port}/")).await;
        assert!(plain.starts_with("HTTP/1.1 403 Forbidden\r\n"), "{host}: {plain}");
    }
    assert_eq!(server.connections(), 0);
    assert!(open.kit.traffic().iter().all(|hop| hop.sent == 0), "{:?}", open.kit.traffic());
}

/// A name that leads elsewhere at each look is connected to where it led when it was judged.
#[tokio::test]
async fn a_name_cannot_be_turned_between_the_judging_and_the_connecting() {
    let port = shouting().await;
    let kit = Kit::new().allow("turning.example", Reach::Public).name("turning.example", &["192.0.2.1", "127.0.0.1"]);
    let open = Open::of(kit, &[port]);
    assert!(open.tunnel(&format!("turning.example:{port}")).await.starts_with("HTTP/1.1 403"));
    open.kit.names.0.lock().unwrap().insert("turning.example".to_owned(), vec!["127.0.0.1".parse().unwrap()]);
    assert!(open.tunnel(&format!("turning.example:{port}")).await.starts_with("HTTP/1.1 403"));
}

#[tokio::test]
async fn a_tunnel_leads_to_granted_ports_alone() {
    let port = shouting().await;
    let open = Open::of(Kit::new().allow("127.0.0.1", Reach::Local), &[443]);
    let refused = open.tunnel(&format!("127.0.0.1:{port}")).await;
    let expected = format!(
        "HTTP/1.1 403 Forbidden Deskhand: nothing was sent to 127.0.0.1: a tunnel to port {port} was not allowed"
    );
    assert_eq!(refused, expected);
    assert_eq!(open.kit.gate.asked.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn what_may_be_sent_is_counted_while_it_is_sent() {
    let port = shouting().await;
    let open = Open::of(Kit::new().allow("127.0.0.1", Reach::Local), &[port]);
    *open.kit.kept.left.lock().unwrap() = Some(10_000);
    let mut stream = open.connect().await;
    stream.write_all(format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    let mut answer = Vec::new();
    let (mut read, mut write) = stream.into_split();
    let flood = tokio::spawn(async move { while write.write_all(&[b'x'; 1000]).await.is_ok() {} });
    read.read_to_end(&mut answer).await.ok();
    flood.await.unwrap();
    let hops = open.kit.traffic();
    assert_eq!(hops[0].ended, Ended::Broken);
    assert!(hops[0].sent <= 10_000 && answer.len() < 11_000, "{hops:?} {}", answer.len());
}

/// The reading of single requests is tested beside it; here, that nothing of these reaches a server.
#[tokio::test]
async fn smuggled_requests_reach_nobody() {
    let (server, log) = hello();
    let port = server.address().port();
    let open = Open::of(Kit::new().allow("127.0.0.1", Reach::Local), &[port]);
    let to = format!("http://127.0.0.1:{port}/");
    let inner = format!("GET {to}smuggled HTTP/1.1\r\nHost: a\r\n\r\n");
    for framing in [
        "Content-Length: 4\r\nContent-Length: 0\r\n\r\n",
        "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n0\r\n\r\n",
        "Transfer-Encoding:\n chunked\r\n\r\n0\r\n\r\n",
        "X: y\nTransfer-Encoding: chunked\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3;ext=1\r\nabc\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
        "Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n",
        "Transfer-Encoding: chunked\r\n\r\n0\r\nTrailer: x\r\n\r\n",
        "Content-Length: 99999999999\r\n\r\n",
    ] {
        let answer = open.say(format!("POST {to} HTTP/1.1\r\nHost: a\r\n{framing}{inner}")).await;
        assert!(answer.starts_with("HTTP/1.1 4"), "{framing:?}: {answer}");
    }
    assert_eq!(server.connections(), 0);
    // what comes after a whole request is not another one
    let answer = open.say(format!("POST {to} HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab{inner}")).await;
    assert_eq!((answer.matches("HTTP/1.1").count(), log.lock().unwrap().len()), (1, 1), "{answer}");
    let large = format!("GET {to} HTTP/1.1\r\nHost: a\r\nX: {}\r\n\r\n", "x".repeat(40_000));
    assert!(open.say(large).await.starts_with("HTTP/1.1 413"));
    assert!(open.say("\u{16}\u{3}\u{1}\n").await.starts_with("HTTP/1.1 400"));
    assert_eq!(log.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_thousand_streams_are_bounded() {
    let port = shouting().await;
    let open = Open::of(Kit::new().allow("127.0.0.1", Reach::Local), &[port]);
    let mut streams = Vec::new();
    for _ in 0..1000 {
        let mut stream = open.connect().await;
        // one that is told to come again may be told so before it has asked
        let _ = stream.write_all(format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await;
        streams.push(stream);
    }
    let (mut served, mut busy) = (0, 0);
    for stream in &mut streams {
        let mut word = [0; 12];
        stream.read_exact(&mut word).await.unwrap();
        match &word {
            b"HTTP/1.1 200" => served += 1,
            b"HTTP/1.1 503" => busy += 1,
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((served, busy), (STREAMS, 1000 - STREAMS));
    drop(streams);
    // and then there is room again
    for _ in 0..100 {
        if open.tunnel_opens(port).await {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("no stream was given back");
}

impl Open {
    async fn tunnel_opens(&self, port: u16) -> bool {
        let mut stream = self.connect().await;
        stream.write_all(format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
        let mut word = [0; 12];
        stream.read_exact(&mut word).await.is_ok() && &word == b"HTTP/1.1 200"
    }
}

/// A reader that does not read holds up who writes to it, and nothing gathers here; and one that does nothing is let go of.
#[tokio::test]
async fn a_slow_reader_holds_up_its_own_stream_alone() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let (count, mut counted) = tokio::sync::watch::channel(0_usize);
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        while stream.write_all(&[b'x'; 4096]).await.is_ok() {
            count.send_modify(|count| *count += 4096);
        }
    });
    let timer = Arc::new(Still::new());
    let kit = Kit::with(Proxies::none(), Arc::clone(&timer) as _).allow("127.0.0.1", Reach::Local);
    let open = Open::of(kit, &[port]);
    let mut stream = open.connect().await;
    stream.write_all(format!("CONNECT 127.0.0.1:{port} HTTP/1.1\r\nHost: x\r\n\r\n").as_bytes()).await.unwrap();
    // until the server can write no more, which is what the buffers of the system hold
    while tokio::time::timeout(Duration::from_millis(300), counted.changed()).await.is_ok() {}
    assert!(*counted.borrow() < 16 << 20, "{}", *counted.borrow());
    timer.pass(Duration::from_secs(601));
    counted.changed().await.unwrap_err();
    assert_eq!(open.kit.traffic()[0].ended, Ended::Broken);
    let mut rest = Vec::new();
    stream.read_to_end(&mut rest).await.unwrap();
}

#[tokio::test]
async fn a_request_that_does_not_come_is_not_waited_for() {
    let timer = Arc::new(Still::new());
    let open = Open::of(Kit::with(Proxies::none(), Arc::clone(&timer) as _), &[443]);
    let mut stream = open.connect().await;
    stream.write_all(b"GET http://a.example/ HTTP/1.1\r\nHost:").await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    timer.pass(Duration::from_secs(16));
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
}

#[tokio::test]
async fn only_its_owner_can_use_it() {
    let kit = Kit::new();
    let dir = tempfile::tempdir().unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    let refused = Gateway::open(kit.outlet.clone(), dir.path(), "proxy", &[]).unwrap_err();
    assert!(refused.to_string().contains("others may enter"), "{refused}");
    // a path longer than an address of a socket
    let long: PathBuf = dir.path().join("d".repeat(120));
    std::fs::create_dir(&long).unwrap();
    std::fs::set_permissions(&long, std::fs::Permissions::from_mode(0o700)).unwrap();
    let gateway = Gateway::open(kit.outlet.clone(), &long, "proxy", &[]).unwrap();
    let mode = std::fs::metadata(gateway.socket()).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    drop(gateway);
    assert_eq!(std::fs::read_dir(&long).unwrap().count(), 0);
}

/// Behind the environment's proxy, names are looked up there: what cannot be looked at here is only what no public server is
/// called.
#[tokio::test]
async fn the_environments_own_proxy_is_used() {
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = upstream.local_addr().unwrap().port();
    let (heard, mut hears) = tokio::sync::mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = upstream.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") {
                head.push(stream.read_u8().await.unwrap());
            }
            heard.send(String::from_utf8(head).unwrap()).unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\nfrom the other side").await.unwrap();
        }
    });
    let proxies =
        Proxies::from_environment(|name| (name == "HTTPS_PROXY").then(|| format!("http://me:secret@127.0.0.1:{port}")));
    let kit = Kit::with(proxies.unwrap(), Arc::new(SystemTimer::default()))
        .allow("pypi.example", Reach::Public)
        .allow("router.local", Reach::Public)
        .allow("nas", Reach::Public)
        .allow("10.0.0.1", Reach::Public);
    let open = Open::of(kit, &[443]);
    let answer = open.say("CONNECT pypi.example:443 HTTP/1.1\r\nHost: x\r\n\r\n").await;
    assert_eq!(answer, "HTTP/1.1 200 Connection established\r\n\r\nfrom the other side");
    assert_eq!(
        hears.recv().await.unwrap(),
        "CONNECT pypi.example:443 HTTP/1.1\r\nHost: pypi.example:443\r\nProxy-Authorization: Basic bWU6c2VjcmV0\r\n\r\n"
    );
    assert_eq!(open.kit.gate.asked.lock().unwrap()[0].proxy.as_deref(), Some("127.0.0.1"));
    for host in ["router.local", "nas", "10.0.0.1"] {
        assert!(open.tunnel(&format!("{host}:443")).await.starts_with("HTTP/1.1 403"), "{host}");
    }
    assert!(hears.try_recv().is_err());
}
