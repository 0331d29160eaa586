//! Each hop is judged, and credentials stay behind.

use crate::kit::Kit;
use deskhand_egress::{EgressError, Reach, Redirects, Request, Secret};
use deskhand_model_server::{Answer, Heard, HttpServer};
use std::sync::{Arc, Mutex};

type Log = Arc<Mutex<Vec<Heard>>>;

/// A server that remembers, and answers `/STATUS/REST` with a redirect to `to` + REST.
fn server(to: &'static str) -> (HttpServer, Log) {
    let log = Log::default();
    let heard = Arc::clone(&log);
    let server = HttpServer::start(move |request| {
        heard.lock().unwrap().push(request.clone());
        let mut words = request.target.splitn(3, '/').skip(1);
        let status = words.next().and_then(|status| status.parse::<u16>().ok());
        match status {
            Some(status) => {
                let place = format!("{to}/{}", words.next().unwrap_or_default());
                Answer::new(status, "text/plain", "moved").header("location", &place)
            }
            None => Answer::new(200, "text/plain", "here"),
        }
    });
    (server, log)
}

fn seen(heard: &Heard) -> (String, String, Vec<String>, String) {
    let kept = ["authorization", "x-api-key", "x-more", "accept", "content-type"];
    let headers = heard.headers.iter().filter(|(name, _)| kept.contains(&name.as_str()));
    let headers = headers.map(|(name, value)| format!("{name}: {value}")).collect();
    (heard.method.clone(), heard.target.clone(), headers, String::from_utf8(heard.body.clone()).unwrap())
}

fn request(address: &str) -> Request {
    let request = Request::post(address, "prompt").unwrap().redirects(Redirects::Follow(5));
    let request = request.header("accept", "text/plain").unwrap().header("x-more", "also secret").unwrap();
    request.credential("authorization", "Bearer ", &Secret::new("sk-12345")).unwrap()
}

#[tokio::test]
async fn at_the_same_host_all_goes_along() {
    let (server, log) = server("");
    let kit = Kit::new().allow("127.0.0.1", Reach::Local);
    let mut answer = kit.outlet.send(request(&format!("{}/308/end", server.url()))).await.unwrap();
    assert_eq!(&answer.bytes().await.unwrap()[..], b"here");
    assert_eq!(answer.url().path(), "/end");
    let all =
        vec!["accept: text/plain".to_owned(), "x-more: also secret".into(), "authorization: Bearer sk-12345".into()];
    let expected = |target: &str| ("POST".to_owned(), target.to_owned(), all.clone(), "prompt".to_owned());
    assert_eq!(log.lock().unwrap().iter().map(seen).collect::<Vec<_>>(), [expected("/308/end"), expected("/end")]);
    assert_eq!(server.connections(), 1);
    let asked = kit.gate.asked.lock().unwrap().clone();
    let asked: Vec<_> = asked.into_iter().map(|ask| (ask.credential, ask.redirected_from)).collect();
    assert_eq!(asked, [(true, None), (true, Some("127.0.0.1".to_owned()))]);
}

#[tokio::test]
async fn at_another_host_credentials_stay_behind_for_good() {
    // the other port is another origin; from there it goes back to the first
    let (back, back_log) = server("");
    let home = Arc::new(Mutex::new(String::new()));
    let to = Arc::clone(&home);
    let other = HttpServer::start(move |_| {
        Answer::new(307, "text/plain", "").header("location", &format!("{}/end", to.lock().unwrap()))
    });
    let other_url = format!("http://other.example:{}/x", other.address().port());
    let first = HttpServer::start(move |_| Answer::new(302, "text/plain", "").header("location", &other_url));
    *home.lock().unwrap() = back.url();
    let kit = Kit::new()
        .allow("127.0.0.1", Reach::Local)
        .allow("other.example", Reach::Local)
        .name("other.example", &["127.0.0.1"]);
    let mut answer = kit.outlet.send(request(&first.url())).await.unwrap();
    assert_eq!(&answer.bytes().await.unwrap()[..], b"here");
    let got = back_log.lock().unwrap().iter().map(seen).collect::<Vec<_>>();
    assert_eq!(got, [("GET".to_owned(), "/end".to_owned(), vec!["accept: text/plain".to_owned()], String::new())]);
    let asked = kit.gate.asked.lock().unwrap().clone();
    let asked: Vec<_> = asked.into_iter().map(|ask| (ask.host, ask.credential, ask.redirected_from)).collect();
    assert_eq!(
        asked,
        [
            ("127.0.0.1".to_owned(), true, None),
            ("other.example".to_owned(), false, Some("127.0.0.1".to_owned())),
            ("127.0.0.1".to_owned(), false, Some("other.example".to_owned())),
        ]
    );
}

#[tokio::test]
async fn a_host_that_was_not_allowed_is_not_reached_by_a_redirect() {
    let (server, log) = server("http://evil.example");
    let kit = Kit::new().allow("127.0.0.1", Reach::Local);
    let refused = kit.outlet.send(request(&format!("{}/307/steal", server.url()))).await.unwrap_err();
    assert_eq!(
        refused,
        EgressError::Refused { host: "evil.example".into(), reason: "evil.example is not allowed".into() }
    );
    assert_eq!((log.lock().unwrap().len(), kit.traffic().len()), (1, 1));
}

#[tokio::test]
async fn a_redirect_that_cannot_be_followed_says_why() {
    let kit = Kit::new().allow("127.0.0.1", Reach::Local);
    let send = async |path: &str, to: &'static str, how: Redirects| {
        let (server, log) = server(to);
        let sent = kit.outlet.send(request(&format!("{}{path}", server.url())).redirects(how)).await;
        let refused = match sent {
            Ok(answer) => format!("{}", answer.status()),
            Err(EgressError::Redirect { to, reason, .. }) => format!("{to}: {reason}"),
            Err(other) => panic!("{other:?}"),
        };
        (refused, log.lock().unwrap().len())
    };
    assert_eq!(
        send("/302/end", "https://new.example:444", Redirects::SameRequest(3)).await,
        (
            "https://new.example:444: the request would arrive there as another one. Use the new address itself".into(),
            1
        )
    );
    assert_eq!(
        send("/307/x", "file://", Redirects::Follow(3)).await,
        ("file://: only http and https can be used".into(), 1)
    );
    assert_eq!(
        send("/307/x", "http://me:pw@there.example", Redirects::Follow(3)).await,
        ("http://there.example: it has a name or password in it, which belong into the settings".into(), 1)
    );
    let (refused, heard) = send("/307/307/307/end", "", Redirects::Follow(2)).await;
    assert!(refused.ends_with(": there were too many redirects"), "{refused}");
    assert_eq!(heard, 3);
    assert_eq!(send("/307/x", "http://there.example", Redirects::Return).await, ("307".into(), 1));
}
