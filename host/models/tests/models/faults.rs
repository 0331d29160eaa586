//! Servers that fail. Nothing here sleeps: waits are over as soon as they are begun, and silence lasts as long as the test says.

use crate::kit::{KEY, Kit, Seen, WIRES, conversation};
use deskhand_egress::{EgressError, Ended};
use deskhand_model_server::{Answer, HttpServer, Piece, Reply as Scripted, Step, Stream, error, gate};
use deskhand_models::{Failure, ModelError, Outcome, Reply, Usage, Wire};
use std::time::Duration;

fn done() -> Scripted {
    Scripted::new().text("Done.")
}

/// One failure, and then a reply.
async fn once(wire: Wire, failure: impl Into<Step>) -> (Kit, Reply) {
    let kit = Kit::new(wire);
    kit.server.then(failure);
    kit.server.reply(done());
    let reply = kit.ask(&conversation()).await.unwrap();
    assert_eq!((reply.outcome.clone(), reply.said.text().as_str(), reply.tries), (Outcome::Finished, "Done.", 2));
    assert_eq!(kit.text(), "Done.", "what the failed try said is void");
    kit.server.finish();
    (kit, reply)
}

async fn fails(wire: Wire, answer: impl Into<Step>) -> (Kit, Failure) {
    let kit = Kit::new(wire);
    kit.server.then(answer);
    let failure = kit.ask(&conversation()).await.unwrap_err();
    (kit, failure)
}

#[tokio::test]
async fn a_limit_is_waited_for_as_long_as_the_server_says() {
    for (wire, _) in WIRES {
        let limit = || error(429, "rate_limit_error", "slow down");
        let waits = async |answer| once(wire, answer).await.0.waits();
        assert_eq!(waits(limit().header("retry-after", "3")).await, [3000]);
        assert_eq!(waits(limit().header("retry-after", "Sun, 22 Nov 2026 12:00:09 GMT")).await, [9000]);
        assert_eq!(waits(limit().header("retry-after-ms", "1500")).await, [1500]);
        assert_eq!(waits(limit()).await, [250]);
    }
}

#[tokio::test]
async fn a_server_that_fails_once_is_asked_again() {
    for (wire, _) in WIRES {
        let page = || Answer::new(502, "text/html", "<html><h1>502 Bad Gateway</h1></html>");
        for answer in
            [error(500, "api_error", "oops"), error(529, "overloaded_error", "busy"), error(503, "x", "y"), page()]
        {
            let (kit, _) = once(wire, answer).await;
            assert_eq!((kit.waits(), kit.server.connections()), (vec![250], 1));
        }
        let (kit, _) = once(wire, page()).await;
        assert_eq!(
            kit.seen()[0],
            Seen::Retrying(Duration::from_millis(250), "the server failed: 502 Bad Gateway".into())
        );
        for piece in [Piece::Reset, Piece::HangUp] {
            once(wire, Answer::instead(piece)).await;
        }
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_never_a_reply() {
    for (wire, scripted) in WIRES {
        let stream = || Stream::of(scripted, &Scripted::new().text("Half of it").call("c", "read", r#"{"path":"x"}"#));
        let all = stream().len();
        // after every event but the last: a clean end, a broken connection, a reset
        for at in 1..all {
            once(wire, stream().ends_at(at)).await;
            once(wire, stream().then(at, Piece::HangUp)).await;
        }
        once(wire, stream().then(2, Piece::Reset)).await;
        once(wire, stream().ends_at(0)).await;
        let (kit, reply) = once(wire, stream().ends_at(all - 1)).await;
        assert!(
            kit.seen().contains(&Seen::Retrying(Duration::from_millis(250), "the reply ended in the middle".into()))
        );
        // what the broken try used is counted
        let both = Usage { input: 200, output: 40, ..Usage::default() };
        assert_eq!((reply.spent, reply.usage), (both, Some(Usage { input: 100, output: 20, ..Usage::default() })));
    }
}

#[tokio::test]
async fn an_end_without_a_reply_is_no_end() {
    let (kit, _) = once(Wire::Chat, Stream::raw([b"data: [DONE]\n\n".to_vec()])).await;
    assert_eq!(kit.waits(), [250]);
    let stop = "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n";
    once(Wire::Anthropic, Stream::raw([stop.as_bytes().to_vec()])).await;
}

#[tokio::test]
async fn what_breaks_after_the_end_of_a_reply_does_not_matter() {
    for (wire, scripted) in WIRES {
        let kit = Kit::new(wire);
        let stream = Stream::of(scripted, &done());
        let all = stream.len();
        kit.server.then(stream.then(all, Piece::Reset));
        let reply = kit.ask(&conversation()).await.unwrap();
        assert_eq!((reply.said.text().as_str(), reply.tries), ("Done.", 1));
    }
}

/// A server that says all of it and keeps the body open is waited for only briefly.
#[tokio::test]
async fn an_end_that_never_comes_is_not_waited_for() {
    for (wire, scripted) in WIRES {
        let kit = Kit::new(wire);
        let stream = Stream::of(scripted, &done());
        let all = stream.len();
        let (held, mut opener) = gate();
        kit.server.then(stream.then(all, Piece::Gate(held)));
        let conversation = conversation();
        let reply = tokio::select! {
            reply = kit.ask(&conversation) => reply,
            () = async {
                opener.reached().await;
                kit.time_goes_on(|| kit.text() == "Done.", || false).await;
            } => panic!("time goes on until there is a reply"),
        };
        assert_eq!(reply.unwrap().said.text(), "Done.");
    }
}

#[tokio::test]
async fn a_stall_has_an_end() {
    for (wire, scripted) in WIRES {
        let kit = Kit::with(wire, |config| config.silence = Some(40));
        let (held, mut opener) = gate();
        kit.server.then(Stream::of(scripted, &Scripted::new().text("Half")).then(2, Piece::Gate(held)));
        kit.server.reply(done());
        let conversation = conversation();
        let (reply, ()) = tokio::join!(kit.ask(&conversation), async {
            opener.reached().await;
            kit.time_goes_on(|| !kit.seen().is_empty(), || kit.waits() == [250]).await;
        });
        assert_eq!(reply.unwrap().tries, 2);
        let stalled = Seen::Retrying(Duration::from_millis(250), "127.0.0.1 sent nothing for 40 s".into());
        assert!(kit.seen().contains(&stalled), "{:?}", kit.seen());
    }
}

#[tokio::test]
async fn an_error_in_the_stream_is_one_of_the_server() {
    let event = |text: &str| format!("event: error\ndata: {text}\n\n");
    for (wire, scripted) in WIRES {
        let stream = |error: &str| {
            let stream = Stream::of(scripted, &Scripted::new().text("Half")).insert(2, &event(error));
            stream.ends_at(3)
        };
        let overloaded = r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        let (kit, _) = once(wire, stream(overloaded)).await;
        assert!(
            kit.seen()
                .contains(&Seen::Retrying(Duration::from_millis(250), "the server is overloaded: Overloaded".into()))
        );
        once(wire, stream(r#"{"type":"error","error":{"type":"brand_new_error","message":"?"}}"#)).await;
        let (_, failure) =
            fails(wire, stream(r#"{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"#)).await;
        assert_eq!(failure.error, ModelError::BadRequest { status: None, said: "no".into() });
    }
    // chat completions also say it within a chunk
    let chunk = "data: {\"error\":{\"message\":\"Overloaded\",\"code\":503},\"choices\":[]}\n\n";
    let stream = Stream::of(deskhand_model_server::Wire::Chat, &done()).insert(1, chunk).ends_at(2);
    once(Wire::Chat, stream).await;
}

#[tokio::test]
async fn an_event_that_cannot_be_read_is_not_passed_over() {
    for (wire, scripted) in WIRES {
        for broken in ["data: {\"type\": \"content_bl\n\n", "data: \u{1}\n\n"] {
            let (kit, _) = once(wire, Stream::of(scripted, &Scripted::new().text("Half")).insert(2, broken)).await;
            assert_eq!(kit.waits(), [250]);
        }
    }
}

#[tokio::test]
async fn a_server_that_always_fails_is_given_up_in_bounded_time() {
    for (wire, _) in WIRES {
        let kit = Kit::new(wire);
        for _ in 0..8 {
            kit.server.fail(500, "api_error", "oops");
        }
        let failure = kit.ask(&conversation()).await.unwrap_err();
        kit.server.finish();
        assert_eq!(kit.waits(), [250, 500, 1000, 2000, 4000, 8000, 15_000]);
        assert_eq!(
            failure.to_string(),
            "scripted at 127.0.0.1 gave no reply: the server failed: oops. It was tried 8 times in 30 s (request req_7)"
        );
        assert_eq!(kit.server.connections(), 1);

        let kit = Kit::new(wire);
        for _ in 0..4 {
            kit.server.then(error(429, "rate_limit_error", "slow").header("retry-after", "50"));
        }
        let failure = kit.ask(&conversation()).await.unwrap_err();
        assert_eq!((kit.waits(), failure.tries), (vec![50_000; 3], 4), "three minutes are not exceeded");
        assert!(
            failure.to_string().contains("It was tried 4 times in 150 s. The server asks to wait 50 s"),
            "{failure}"
        );
        kit.server.finish();
    }
}

#[tokio::test]
async fn nobody_waits_an_hour() {
    let (kit, failure) =
        fails(Wire::Anthropic, error(429, "rate_limit_error", "slow").header("retry-after", "3600")).await;
    assert_eq!((kit.waits(), failure.tries), (vec![], 1));
    assert_eq!(
        failure.to_string(),
        "scripted at 127.0.0.1 gave no reply: the server takes no more requests for now: slow. The server asks to wait \
         3600 s (request req_0)"
    );
}

#[tokio::test]
async fn what_another_try_cannot_mend_is_not_tried_again() {
    for (wire, _) in WIRES {
        let said = || "x".to_owned();
        for (status, kind, expected) in [
            (400, "invalid_request_error", ModelError::BadRequest { status: Some(400), said: said() }),
            (401, "authentication_error", ModelError::BadKey { said: said() }),
            (403, "permission_error", ModelError::Forbidden { said: said() }),
            (404, "not_found_error", ModelError::NotFound { said: said() }),
            (413, "request_too_large", ModelError::TooLong { said: said() }),
            (400, "context_length_exceeded", ModelError::TooLong { said: said() }),
            (429, "insufficient_quota", ModelError::NoCredit { said: said() }),
        ] {
            let (kit, failure) = fails(wire, error(status, kind, "x")).await;
            assert_eq!((failure.error, failure.tries, kit.waits()), (expected, 1, vec![]));
            assert_eq!(failure.request_id, Some("req_0".into()));
        }
        let long = error(400, "invalid_request_error", "prompt is too long: 210000 tokens > 200000 maximum");
        let (_, failure) = fails(wire, long).await;
        assert!(matches!(failure.error, ModelError::TooLong { .. }), "{failure}");
        let (_, failure) = fails(wire, Answer::new(200, "text/html", "<h1>Log in to the hotel</h1>")).await;
        assert_eq!(
            failure.error,
            ModelError::NotAStream { kind: "text/html".into(), said: "<h1>Log in to the hotel</h1>".into() }
        );
    }
}

#[tokio::test]
async fn the_key_is_in_no_message() {
    for (wire, scripted) in WIRES {
        let echo = format!("Incorrect API key provided: {KEY}.\u{1b}[31m");
        let (kit, failure) = fails(wire, error(401, "authentication_error", &echo)).await;
        assert_eq!(failure.error, ModelError::BadKey { said: "Incorrect API key provided: [key]. [31m".into() });
        let shown = format!("{failure:?} {failure} {:?} {:?}", kit.client, kit.kept.0.lock().unwrap());
        assert!(!shown.contains(KEY), "{shown}");
        let event = format!(
            "event: error\ndata: {{\"error\":{{\"type\":\"authentication_error\",\"message\":\"{KEY}\"}}}}\n\n"
        );
        let (_, failure) = fails(wire, Stream::of(scripted, &done()).insert(1, &event).ends_at(2)).await;
        assert_eq!(failure.error, ModelError::BadKey { said: "[key]".into() });
    }
    let kit = Kit::with(Wire::Chat, |config| config.key = Some("other".into()));
    let failure = kit.ask(&conversation()).await.unwrap_err();
    assert_eq!(
        failure.to_string(),
        "scripted at 127.0.0.1 gave no reply: the key other could not be read: it is not stored"
    );
    let kit = Kit::with(Wire::Chat, |config| config.key = None);
    kit.server.reply(done());
    kit.ask(&conversation()).await.unwrap();
    assert_eq!(kit.server.exchanges()[0].heard.header("authorization"), None);
}

#[tokio::test]
async fn a_redirect_takes_neither_key_nor_prompt_to_a_host_that_was_not_allowed() {
    for (wire, _) in WIRES {
        let moved = Answer::new(307, "text/plain", "").header("location", "http://evil.example/v1/messages");
        let (kit, failure) = fails(wire, moved).await;
        assert_eq!(
            failure.error,
            ModelError::Egress(EgressError::Refused {
                host: "evil.example".into(),
                reason: "it is not allowed".into()
            })
        );
        assert_eq!((failure.tries, kit.kept.0.lock().unwrap().len()), (1, 1));

        // another port is another server: it may get the prompt, since its host is allowed, and never the key
        let other = HttpServer::start(|heard| {
            assert!(heard.header("x-api-key").is_none() && heard.header("authorization").is_none());
            error(500, "api_error", "x")
        });
        let moved = || Answer::new(308, "text/plain", "").header("location", &other.url());
        let kit = Kit::new(wire);
        (0..8).for_each(|_| kit.server.then(moved()));
        let failure = kit.ask(&conversation()).await.unwrap_err();
        assert!(matches!(failure.error, ModelError::ServerFault { status: Some(500), .. }), "{failure}");
    }
}

#[tokio::test]
async fn a_reply_that_nobody_waits_for_is_broken_off() {
    for (wire, scripted) in WIRES {
        let kit = Kit::new(wire);
        let (held, mut opener) = gate();
        kit.server.then(Stream::of(scripted, &Scripted::new().text("Half")).then(2, Piece::Gate(held)));
        let conversation = conversation();
        {
            let asking = kit.ask(&conversation);
            tokio::pin!(asking);
            tokio::select! {
                _ = &mut asking => panic!("it is gated"),
                () = async { opener.reached().await; while kit.seen().is_empty() { tokio::task::yield_now().await; } } => {}
            }
        }
        let traffic = kit.kept.0.lock().unwrap().clone();
        assert_eq!((traffic.len(), traffic[0].ended), (1, Ended::Dropped));
        // the same conversation can be asked again
        kit.server.reply(done());
        assert_eq!(kit.ask(&conversation).await.unwrap().said.text(), "Done.");
        kit.server.finish();
    }
}

/// A server, or a box between, closes connections that rest. That costs at most another try.
#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_opened_again() {
    for (wire, scripted) in WIRES {
        let kit = Kit::new(wire);
        for _ in 0..5 {
            let stream = Stream::of(scripted, &done());
            let all = stream.len();
            kit.server.then(stream.then(all, Piece::Close));
            assert_eq!(kit.ask(&conversation()).await.unwrap().said.text(), "Done.");
        }
        kit.server.finish();
        assert!(kit.server.connections() >= 5);
    }
}
