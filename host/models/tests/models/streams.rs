//! Streams as servers and the boxes between send them.

use crate::kit::{Kit, Seen, WIRES, conversation, result};
use deskhand_model_server::{Reply as Scripted, Stream, Wire as ScriptedWire};
use deskhand_models::{Outcome, Usage, Wire, config::End};
use serde_json::json;

/// A reply with characters of two to four bytes, and escapes in its arguments.
fn said() -> Scripted {
    let input = "{\"path\":\"\\u00e4\\n\\ud83d\\ude42 größer 🙂.txt\"}";
    Scripted::new().text("Größe 🙂 – \"ja\"\n").call("c1", "read", input)
}

async fn reads(wire: Wire, change: impl Fn(Stream) -> Stream, scripted: ScriptedWire) -> Vec<Seen> {
    let kit = Kit::new(wire);
    let mut conversation = conversation();
    kit.server.then(change(Stream::of(scripted, &said())));
    let reply = kit.ask(&conversation).await.unwrap();
    assert_eq!((reply.outcome, reply.tries), (Outcome::Calls, 1));
    assert_eq!(reply.said.text(), "Größe 🙂 – \"ja\"\n");
    assert_eq!(reply.said.calls().next().unwrap().input, Ok(json!({"path": "ä\n🙂 größer 🙂.txt"})));
    assert_eq!(reply.usage, Some(Usage { input: 100, output: 20, ..Usage::default() }));
    conversation.accept(reply.said).unwrap();
    conversation.answer(vec![result("c1", "x")]).unwrap();
    kit.server.reply(Scripted::new().text("Done."));
    kit.ask(&conversation).await.unwrap();
    kit.server.finish();
    assert_eq!(kit.server.connections(), 1);
    kit.seen()
}

#[tokio::test]
async fn the_borders_of_pieces_do_not_matter() {
    for (wire, scripted) in WIRES {
        for size in [1, 3, 7, 1 << 20] {
            reads(wire, |stream| stream.cut_every(size), scripted).await;
        }
        reads(wire, |stream| stream.crlf().cut_every(5), scripted).await;
    }
}

#[tokio::test]
async fn what_is_not_known_is_passed_over_and_told() {
    for (wire, scripted) in WIRES {
        let add = |stream: Stream| {
            let stream = stream.insert(1, ": keep-alive\n\n").insert(3, ":\n\n: OPENROUTER PROCESSING\n\n");
            match scripted {
                ScriptedWire::Anthropic => stream
                    .insert(2, "event: ping\ndata: {\"type\": \"ping\"}\n\n")
                    .insert(3, "event: weather\ndata: {\"type\": \"weather\", \"sun\": true}\n\n"),
                ScriptedWire::Chat => stream.insert(2, "event: weather\ndata: {\"sun\": true}\n\nid: 7\nretry: 10\n\n"),
            }
        };
        let seen = reads(wire, add, scripted).await;
        let unknown: Vec<_> = seen.into_iter().filter(|seen| matches!(seen, Seen::Unknown(_))).collect();
        let expected = if wire == Wire::Anthropic { vec![Seen::Unknown("event weather".into())] } else { vec![] };
        assert_eq!(unknown, expected);
    }
}

#[tokio::test]
async fn unknown_deltas_are_taken_up_and_sent_back() {
    let kit = Kit::new(Wire::Anthropic);
    let event = |text: &str| format!("event: x\ndata: {text}\n\n");
    let delta = |delta: &str| event(&format!(r#"{{"type":"content_block_delta","index":0,"delta":{delta}}}"#));
    let stream = Stream::of(ScriptedWire::Anthropic, &Scripted::new())
        .insert(1, &event(r#"{"type":"content_block_start","index":0,"content_block":{"type":"text","text":"a","extra":{"k":1}}}"#))
        .insert(2, &delta(r#"{"type":"citations_delta","citation":{"url":"u"}}"#))
        .insert(3, &delta(r#"{"type":"aura_delta","aura":"vio"}"#))
        .insert(4, &delta(r#"{"type":"aura_delta","aura":"let","text":7}"#))
        .insert(5, &delta(r#"{"type":"text_delta","text":"b"}"#))
        .insert(6, &event(r#"{"type":"content_block_stop","index":0}"#));
    kit.server.then(stream);
    let reply = kit.ask(&conversation()).await.unwrap();
    // what the new delta put in the place of the text is the newest text there is
    assert_eq!(
        reply.said.raw(),
        r#"[{"type":"text","text":"b","extra":{"k":1},"citations":[{"url":"u"}],"aura":"violet"}]"#
    );
    let unknown = Seen::Unknown("delta aura_delta".into());
    assert_eq!(kit.seen().into_iter().filter(|seen| *seen == unknown).count(), 2);
}

#[tokio::test]
async fn what_servers_add_to_calls_comes_back() {
    let kit = Kit::new(Wire::Chat);
    let chunk = |delta: &str, finish: &str| {
        format!("data: {{\"choices\":[{{\"index\":0,\"delta\":{delta},\"finish_reason\":{finish}}}]}}\n\n").into_bytes()
    };
    // one index for all calls, arguments as JSON, a name that comes twice, a signature, and null for what is not there
    let stream = Stream::raw([
        chunk(r#"{"role":"assistant","content":null,"reasoning_details":[{"type":"r","data":1}]}"#, "null"),
        chunk(r#"{"reasoning_details":[{"type":"r","data":2}]}"#, "null"),
        chunk(
            r#"{"tool_calls":[{"index":0,"id":"a","function":{"name":"read","arguments":{"path":"x"}},"extra_content":{"google":{"thought_signature":"s=="}}}]}"#,
            "null",
        ),
        chunk(r#"{"tool_calls":[{"index":0,"id":"b","function":{"name":"read","arguments":"{\"pa"}}]}"#, "null"),
        chunk(r#"{"tool_calls":[{"index":0,"id":"b","function":{"name":"read","arguments":"th\":\"y\"}"}}]}"#, "null"),
        chunk("{}", "\"stop\""),
        b"data: [DONE]\n\n".to_vec(),
    ]);
    kit.server.then(stream);
    let reply = kit.ask(&conversation()).await.unwrap();
    assert_eq!((reply.outcome, reply.usage), (Outcome::Calls, None));
    let calls: Vec<_> =
        reply.said.calls().map(|call| (call.id.clone(), call.name.clone(), call.input.clone())).collect();
    assert_eq!(
        calls,
        [
            ("a".to_owned(), "read".to_owned(), Ok(json!({"path": "x"}))),
            ("b".to_owned(), "read".to_owned(), Ok(json!({"path": "y"}))),
        ]
    );
    assert_eq!(
        reply.said.raw(),
        concat!(
            r#"{"role":"assistant","content":"","reasoning_details":[{"type":"r","data":1},{"type":"r","data":2}],"#,
            r#""tool_calls":[{"id":"a","type":"function","function":{"name":"read","arguments":"{\"path\":\"x\"}"},"#,
            r#""extra_content":{"google":{"thought_signature":"s=="}}},"#,
            r#"{"id":"b","type":"function","function":{"name":"read","arguments":"{\"path\":\"y\"}"}}]}"#
        )
    );
}

#[tokio::test]
async fn text_is_shown_as_it_comes() {
    for (wire, scripted) in WIRES {
        let kit = Kit::new(wire);
        // the text comes in two halves; the gate stands between them
        let second = if wire == Wire::Anthropic { 3 } else { 2 };
        let (stream, mut opener) = Stream::of(scripted, &Scripted::new().text("onetwo")).gated(second);
        kit.server.then(stream);
        let conversation = conversation();
        let (reply, ()) = tokio::join!(kit.ask(&conversation), async {
            opener.reached().await;
            while kit.text() != "one" {
                tokio::task::yield_now().await;
            }
            opener.open();
        });
        assert_eq!((reply.unwrap().said.text().as_str(), kit.text().as_str()), ("onetwo", "onetwo"));
    }
}

#[tokio::test]
async fn a_finish_reason_ends_a_reply_only_where_the_settings_say_so() {
    let stream = || {
        let stream = Stream::of(ScriptedWire::Chat, &Scripted::new().text("Done."));
        let done = stream.len() - 1;
        stream.without(done)
    };
    let kit = Kit::with(Wire::Chat, |config| config.end = End::FinishReason);
    kit.server.then(stream());
    assert_eq!(kit.ask(&conversation()).await.unwrap().said.text(), "Done.");
    let kit = Kit::new(Wire::Chat);
    kit.server.then(stream());
    kit.server.reply(Scripted::new().text("Done again."));
    let reply = kit.ask(&conversation()).await.unwrap();
    assert_eq!((reply.said.text().as_str(), reply.tries), ("Done again.", 2));
}
