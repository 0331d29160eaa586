//! Through a proxy, as the environment says.

use crate::kit::Kit;
use deskhand_egress::{EgressError, Proxies, Reach, Request, SystemTimer};
use deskhand_model_server::{Answer, Heard, HttpServer};
use std::sync::{Arc, Mutex};

fn proxy(status: u16) -> (HttpServer, Arc<Mutex<Vec<Heard>>>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&log);
    let server = HttpServer::start(move |request| {
        heard.lock().unwrap().push(request.clone());
        Answer::new(status, "text/plain", "by the proxy")
    });
    (server, log)
}

fn kit(set: &[(&str, String)]) -> Kit {
    let proxies = Proxies::from_environment(|name| {
        set.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.clone())
    });
    Kit::with(proxies.unwrap(), Arc::new(SystemTimer::default()))
}

#[tokio::test]
async fn plain_requests_are_handed_to_the_proxy() {
    let (server, log) = proxy(200);
    let set = [("http_proxy", format!("http://me:pw@proxy.example:{}", server.address().port()))];
    // the proxy stands in a private network, and nobody has to allow it
    let kit = kit(&set).name("proxy.example", &["127.0.0.1"]).allow("far.example", Reach::Public);
    let mut answer = kit.outlet.send(Request::get("http://far.example/page").unwrap()).await.unwrap();
    assert_eq!(&answer.bytes().await.unwrap()[..], b"by the proxy");
    let heard = log.lock().unwrap()[0].clone();
    assert_eq!(heard.target, "http://far.example/page");
    assert_eq!(heard.header("proxy-authorization"), Some("Basic bWU6cHc="));
    assert_eq!(kit.gate.asked.lock().unwrap()[0].proxy, Some("proxy.example".to_owned()));
}

#[tokio::test]
async fn what_is_not_public_is_not_asked_of_a_proxy() {
    let (server, log) = proxy(200);
    let set = [("http_proxy", format!("http://proxy.example:{}", server.address().port()))];
    let kit = kit(&set)
        .name("proxy.example", &["127.0.0.1"])
        .allow("proxy.example", Reach::Public)
        .allow("10.0.0.1", Reach::Public);
    let refused = kit.outlet.send(Request::get("http://10.0.0.1/").unwrap()).await.unwrap_err();
    assert_eq!(refused, EgressError::NotPublic { host: "10.0.0.1".into(), address: "10.0.0.1".parse().unwrap() });
    let refused = kit.outlet.send(Request::get("http://proxy.example/").unwrap()).await.unwrap_err();
    assert!(matches!(refused, EgressError::Refused { .. }), "{refused:?}");
    assert_eq!(log.lock().unwrap().len(), 0);
}

#[tokio::test]
async fn a_tunnel_that_is_refused_is_the_proxys_doing() {
    let (server, log) = proxy(403);
    let set = [("https_proxy", format!("http://me:secretpw@127.0.0.1:{}", server.address().port()))];
    let kit = kit(&set).allow("far.example", Reach::Public);
    let refused = kit.outlet.send(Request::get("https://far.example/").unwrap()).await.unwrap_err();
    assert!(
        matches!(&refused, EgressError::Proxy { host, proxy, .. } if host == "far.example" && proxy == "127.0.0.1"),
        "{refused:?}"
    );
    assert!(!refused.to_string().contains("secretpw"));
    let heard = log.lock().unwrap()[0].clone();
    assert_eq!((heard.method.as_str(), heard.target.as_str()), ("CONNECT", "far.example:443"));
    assert_eq!(kit.traffic()[0].sent, 0);
}

#[tokio::test]
async fn this_machine_is_reached_without_one() {
    let (proxy, log) = proxy(200);
    let near = HttpServer::start(|_| Answer::new(200, "text/plain", "near"));
    let kit = kit(&[("ALL_PROXY", proxy.url())]).allow("127.0.0.1", Reach::Local);
    let mut answer = kit.outlet.send(Request::get(&near.url()).unwrap()).await.unwrap();
    assert_eq!(&answer.bytes().await.unwrap()[..], b"near");
    assert_eq!(log.lock().unwrap().len(), 0);
}
