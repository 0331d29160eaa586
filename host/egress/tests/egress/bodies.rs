//! Answers that are late, large or broken.

use crate::kit::{Kept, Kit, Still};
use deskhand_egress::{
    Ask, CONNECT, Egress, EgressError, Ended, Found, Judge, Judged, Judgement, Limits, Lookup, Parts, Proxies, Reach,
    Request, SystemLookup, SystemTimer,
};
use deskhand_model_server::{Answer, HttpServer, Piece, gate};
use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

const SECOND: Duration = Duration::from_secs(1);
const LIMITS: Limits = Limits { silence: Duration::from_secs(30), total: Some(Duration::from_secs(100)), body: 10 };

fn server(pieces: Vec<Piece>) -> HttpServer {
    let pieces = Mutex::new(Some(pieces));
    HttpServer::start(move |_| Answer::pieces(200, "text/plain", pieces.lock().unwrap().take().unwrap_or_default()))
}

fn bytes(text: &str) -> Piece {
    Piece::Bytes(text.as_bytes().to_vec())
}

#[tokio::test]
async fn silence_has_an_end() {
    let timer = Arc::new(Still::new());
    let kit = Kit::with(Proxies::none(), Arc::clone(&timer) as _).allow("127.0.0.1", Reach::Local);
    let server = server(vec![bytes("one"), Piece::Stall]);
    let mut answer = kit.outlet.send(Request::get(&server.url()).unwrap().limits(LIMITS)).await.unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "one");
    let (silent, ()) = tokio::join!(answer.chunk(), async { timer.pass(30 * SECOND) });
    assert_eq!(silent.unwrap_err(), EgressError::Silent { host: "127.0.0.1".into(), after: 30 * SECOND });
    let traffic = kit.traffic();
    assert_eq!((traffic.len(), traffic[0].ended), (1, Ended::Broken));
}

#[tokio::test]
async fn a_server_that_never_answers_is_given_up() {
    let timer = Arc::new(Still::new());
    let kit = Kit::with(Proxies::none(), Arc::clone(&timer) as _).allow("127.0.0.1", Reach::Local);
    let (held, mut opener) = gate();
    let held = Mutex::new(Some(held));
    let server = HttpServer::start(move |_| Answer::instead(Piece::Gate(held.lock().unwrap().take().unwrap())));
    let sending = kit.outlet.send(Request::get(&server.url()).unwrap().limits(LIMITS));
    let (silent, ()) = tokio::join!(sending, async {
        opener.reached().await;
        timer.pass(30 * SECOND);
    });
    assert_eq!(silent.unwrap_err(), EgressError::Silent { host: "127.0.0.1".into(), after: 30 * SECOND });
    assert_eq!(kit.traffic()[0].ended, Ended::Unanswered);
}

#[tokio::test]
async fn a_drip_has_an_end_as_well() {
    let timer = Arc::new(Still::new());
    let kit = Kit::with(Proxies::none(), Arc::clone(&timer) as _).allow("127.0.0.1", Reach::Local);
    let server = server(vec![bytes("a"), Piece::Stall]);
    let mut answer = kit.outlet.send(Request::get(&server.url()).unwrap().limits(LIMITS)).await.unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "a");
    timer.pass(99 * SECOND);
    let (late, ()) = tokio::join!(answer.chunk(), async { timer.pass(SECOND) });
    assert_eq!(late.unwrap_err(), EgressError::Late { host: "127.0.0.1".into(), after: 100 * SECOND });
}

/// A name that is never found, in time that tokio lets pass as soon as nothing else happens.
#[tokio::test(start_paused = true)]
async fn connecting_has_an_end() {
    struct Never;
    impl Lookup for Never {
        fn lookup(&self, _: &str) -> Found {
            Box::pin(std::future::pending())
        }
    }
    let kit = Kit::new().allow("slow.example", Reach::Public);
    let timer = Arc::new(SystemTimer::default());
    let egress =
        Egress::new(Parts { proxies: Proxies::none(), lookup: Arc::new(Never), timer, user_agent: "test".into() });
    let outlet = egress.outlet(Arc::clone(&kit.gate) as _, Arc::clone(&kit.kept) as _);
    let slow = outlet.send(Request::get("http://slow.example/").unwrap()).await.unwrap_err();
    assert_eq!(slow, EgressError::SlowConnect { host: "slow.example".into(), after: CONNECT });
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_cut() {
    let kit = Kit::new().allow("127.0.0.1", Reach::Local);
    let server = server(vec![bytes("12345"), bytes("67890"), bytes("x")]);
    let mut answer = kit.outlet.send(Request::get(&server.url()).unwrap().limits(LIMITS)).await.unwrap();
    assert_eq!(answer.bytes().await.unwrap_err(), EgressError::TooLarge { host: "127.0.0.1".into(), limit: 10 });
    assert_eq!(kit.traffic()[0].ended, Ended::Broken);
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_an_error() {
    let kit = Kit::new().allow("127.0.0.1", Reach::Local);
    for (piece, ended) in [(Piece::Reset, Ended::Broken), (Piece::HangUp, Ended::Broken)] {
        let server = server(vec![bytes("part"), piece]);
        let broken = match kit.outlet.send(Request::get(&server.url()).unwrap()).await {
            Ok(mut answer) => answer.bytes().await.unwrap_err(),
            // the reset may overtake the head
            Err(broken) => broken,
        };
        assert!(matches!(broken, EgressError::Broken { .. }), "{broken:?}");
        assert!([ended, Ended::Unanswered].contains(&kit.traffic().last().unwrap().ended));
    }
    for piece in [Piece::Reset, Piece::HangUp] {
        let piece = Mutex::new(Some(piece));
        let server = HttpServer::start(move |_| Answer::instead(piece.lock().unwrap().take().unwrap()));
        let broken = kit.outlet.send(Request::get(&server.url()).unwrap()).await.unwrap_err();
        assert!(matches!(broken, EgressError::Broken { .. }), "{broken:?}");
    }
}

#[tokio::test]
async fn a_request_that_nobody_waits_for_is_recorded() {
    let kit = Kit::new().allow("127.0.0.1", Reach::Local);
    let server = server(vec![bytes("a"), Piece::Stall]);
    let mut answer = kit.outlet.send(Request::get(&server.url()).unwrap()).await.unwrap();
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "a");
    drop(answer);
    let traffic = kit.traffic();
    assert_eq!((traffic.len(), traffic[0].ended, traffic[0].status), (1, Ended::Dropped, Some(200)));
}

/// Waiting for the person is nobody's lateness.
#[tokio::test]
async fn deadlines_stand_still_while_the_judge_thinks() {
    struct Slow(Arc<Still>);
    impl Judge for Slow {
        fn judge<'a>(&'a self, _: &'a Ask) -> Judged<'a> {
            self.0.pass(500 * SECOND);
            Box::pin(async { Judgement::Allowed(Reach::Local) })
        }
    }
    let timer = Arc::new(Still::new());
    let (proxies, lookup, user_agent) = (Proxies::none(), Arc::new(SystemLookup), "test".to_owned());
    let egress = Egress::new(Parts { proxies, lookup, timer: Arc::clone(&timer) as _, user_agent });
    let kept = Arc::new(Kept::default());
    let outlet = egress.outlet(Arc::new(Slow(Arc::clone(&timer))), Arc::clone(&kept) as _);
    let server = server(vec![bytes("a"), Piece::Stall]);
    let mut answer = outlet.send(Request::get(&server.url()).unwrap().limits(LIMITS)).await.unwrap();
    timer.pass(99 * SECOND);
    assert_eq!(answer.chunk().await.unwrap().unwrap(), "a");
    let (late, ()) = tokio::join!(answer.chunk(), async { timer.pass(SECOND) });
    assert_eq!(late.unwrap_err(), EgressError::Late { host: "127.0.0.1".into(), after: 100 * SECOND });
}
