//! Who may be spoken to.

use crate::kit::Kit;
use deskhand_egress::{Ask, EgressError, Ended, Reach, Request, Traffic};
use deskhand_model_server::{Answer, HttpServer};
use std::io::{Read as _, Write as _};

fn hello() -> HttpServer {
    HttpServer::start(|_| Answer::new(200, "text/plain", "hello"))
}

#[tokio::test]
async fn what_is_not_allowed_is_not_sent() {
    let server = hello();
    let kit = Kit::new();
    let refused = kit.outlet.send(Request::get(&server.url()).unwrap()).await.unwrap_err();
    assert_eq!(refused.to_string(), "nothing was sent to 127.0.0.1: 127.0.0.1 is not allowed");
    assert_eq!((server.connections(), kit.traffic()), (0, vec![]));
}

#[tokio::test]
async fn an_answer_is_read_judged_and_recorded() {
    let server = hello();
    let kit = Kit::new().allow("127.0.0.1", Reach::Local);
    let request = Request::post(&format!("{}/a/b?key=geheim", server.url()), "body").unwrap();
    let mut answer = kit.outlet.send(request).await.unwrap();
    assert_eq!((answer.status(), answer.header("content-type")), (200, Some("text/plain")));
    assert_eq!(&answer.bytes().await.unwrap()[..], b"hello");
    let port = server.address().port();
    let asked = kit.gate.asked.lock().unwrap().clone();
    let bytes = asked[0].bytes;
    assert_eq!(
        asked,
        [Ask {
            method: "POST".into(),
            scheme: "http".into(),
            host: "127.0.0.1".into(),
            port,
            bytes,
            credential: false,
            redirected_from: None,
            proxy: None,
        }]
    );
    assert!((4 + 31..100).contains(&bytes), "{bytes}");
    let received = kit.traffic()[0].received;
    assert!((5 + 17..120).contains(&received), "{received}");
    assert_eq!(
        kit.traffic(),
        [Traffic {
            method: "POST".into(),
            scheme: "http".into(),
            host: "127.0.0.1".into(),
            port,
            path: "/a/b".into(),
            status: Some(200),
            sent: bytes,
            received,
            ended: Ended::Whole,
        }]
    );
}

#[tokio::test]
async fn a_public_host_that_leads_home_is_refused() {
    let server = hello();
    let port = server.address().port();
    let kit = Kit::new()
        .allow("rebound.example", Reach::Public)
        .allow("metadata.example", Reach::Public)
        .allow("nowhere.example", Reach::Local)
        .allow("127.0.0.1", Reach::Public)
        .allow("::1", Reach::Public)
        .name("rebound.example", &["127.0.0.1"])
        .name("metadata.example", &["169.254.169.254", "fd00::1"])
        .name("nowhere.example", &["0.0.0.0"]);
    let refused = async |host: &str| {
        let request = Request::get(&format!("http://{host}:{port}/")).unwrap();
        kit.outlet.send(request).await.unwrap_err()
    };
    let not_public =
        |host: &str, address: &str| EgressError::NotPublic { host: host.into(), address: address.parse().unwrap() };
    assert_eq!(refused("rebound.example").await, not_public("rebound.example", "127.0.0.1"));
    assert_eq!(refused("REBOUND.example.").await, not_public("rebound.example", "127.0.0.1"));
    assert_eq!(refused("metadata.example").await, not_public("metadata.example", "fd00::1"));
    assert_eq!(refused("127.1").await, not_public("127.0.0.1", "127.0.0.1"));
    assert_eq!(refused("[::1]").await, not_public("::1", "::1"));
    assert_eq!(
        refused("nowhere.example").await,
        EgressError::Nowhere { host: "nowhere.example".into(), address: "0.0.0.0".parse().unwrap() }
    );
    assert_eq!(server.connections(), 0);
    assert!(
        kit.traffic().iter().all(|traffic| traffic.sent == 0 && traffic.ended == Ended::Unanswered),
        "{:?}",
        kit.traffic()
    );
}

/// The address that is connected to is one that was checked: of several, those that may not be are left out, and a
/// connection that a local grant opened serves no request that may only go to the internet.
#[tokio::test]
async fn a_connection_to_a_local_host_is_not_used_for_a_public_one() {
    let server = hello();
    let address = format!("http://model.example:{}/", server.address().port());
    let kit = Kit::new().allow("model.example", Reach::Local).name("model.example", &["0.0.0.0", "127.0.0.1"]);
    for _ in 0..3 {
        let mut answer = kit.outlet.send(Request::get(&address).unwrap()).await.unwrap();
        assert_eq!(&answer.bytes().await.unwrap()[..], b"hello");
    }
    assert_eq!(server.connections(), 1, "one connection serves one request after another");
    let kit = kit.allow("model.example", Reach::Public);
    let refused = kit.outlet.send(Request::get(&address).unwrap()).await.unwrap_err();
    assert!(matches!(refused, EgressError::NotPublic { .. }), "{refused:?}");
    assert_eq!(server.connections(), 1);
}

#[tokio::test]
async fn who_is_not_there_is_told_apart() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let kit = Kit::new().allow("127.0.0.1", Reach::Local).allow("unknown.example", Reach::Public);
    let gone = kit.outlet.send(Request::get(&format!("http://127.0.0.1:{port}/")).unwrap()).await.unwrap_err();
    assert_eq!(gone, EgressError::NotListening { host: "127.0.0.1".into() });
    let unknown = kit.outlet.send(Request::get("http://unknown.example/").unwrap()).await.unwrap_err();
    assert_eq!(unknown, EgressError::NotFound { host: "unknown.example".into(), reason: "no such name".into() });
}

#[tokio::test]
async fn a_server_that_speaks_no_tls_is_not_trusted() {
    let server = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("https://{}/", server.local_addr().unwrap());
    std::thread::spawn(move || {
        let (mut stream, _) = server.accept().unwrap();
        stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n").unwrap();
        let _ = stream.read_to_end(&mut Vec::new());
    });
    let kit = Kit::new().allow("127.0.0.1", Reach::Local);
    let refused = kit.outlet.send(Request::get(&address).unwrap()).await.unwrap_err();
    assert!(matches!(refused, EgressError::Tls { .. }), "{refused:?}");
}
