//! What the model says, and what comes back to it.

use crate::kit::{KEY, Kit, Seen, WIRES, conversation, result, tools};
use deskhand_model_server::Reply as Scripted;
use deskhand_models::{
    BadInput, Call, Conversation, Misplaced, Money, Outcome, Part, Piece, Price, Said, ToolResult, Turn, Usage, Wire,
};
use serde_json::{Value, json};

#[tokio::test]
async fn a_task_of_many_calls_uses_one_connection() {
    for (wire, _) in WIRES {
        let price = "input = '3'\noutput = '15'\ncache_read = '0.3'";
        let kit = Kit::with(wire, |config| config.price = Some(toml::from_str::<Price>(price).unwrap()));
        let mut conversation = conversation();
        for step in 0..20 {
            let reply = Scripted::new().text("Reading.").call(&format!("c{step}"), "read", r#"{"path":"a.txt"}"#);
            kit.server.reply(reply.usage(100, 1000, 0, 20));
            let reply = kit.ask(&conversation).await.unwrap();
            assert_eq!(reply.outcome, Outcome::Calls);
            assert_eq!(reply.said.text(), "Reading.");
            let calls: Vec<Call> = reply.said.calls().cloned().collect();
            let call = Call { id: format!("c{step}"), name: "read".into(), input: Ok(json!({"path": "a.txt"})) };
            assert_eq!(calls, [call]);
            let usage = Usage { input: 100, cache_read: 1000, cache_write: 0, output: 20, thinking: 0 };
            assert_eq!((reply.usage, reply.spent, reply.tries), (Some(usage), usage, 1));
            assert_eq!(reply.cost, Some(Money(900)));
            assert_eq!(reply.request_id, Some(format!("req_{step}")));
            conversation.accept(reply.said).unwrap();
            conversation.answer(vec![result(&format!("c{step}"), "hello")]).unwrap();
        }
        kit.server.reply(Scripted::new().text("It says hello."));
        let reply = kit.ask(&conversation).await.unwrap();
        assert_eq!((reply.outcome, reply.said.text().as_str()), (Outcome::Finished, "It says hello."));
        kit.server.finish();
        assert_eq!((kit.server.connections(), kit.server.conversations()), (1, 1), "{wire:?}");
        let traffic = kit.kept.0.lock().unwrap().clone();
        assert_eq!(traffic.len(), 21);
        assert!(traffic.iter().all(|traffic| traffic.ended == deskhand_egress::Ended::Whole), "{traffic:?}");
        let sent = kit.server.exchanges();
        let key = if wire == Wire::Anthropic {
            ("x-api-key", KEY.to_owned())
        } else {
            ("authorization", format!("Bearer {KEY}"))
        };
        assert!(sent.iter().all(|exchange| exchange.heard.header(key.0) == Some(&key.1)));
    }
}

#[tokio::test]
async fn blocks_come_back_as_they_were_and_in_order() {
    let kit = Kit::new(Wire::Anthropic);
    let odd = json!({"type": "crystal_ball", "b": {"z": 1, "a": [1.50, null]}, "a": "ü"});
    let said = Scripted::new()
        .thinking("First ", "sig/one==")
        .text("Let me see.")
        .redacted("gAAAredacted")
        .thinking("then", "sig+two")
        .block(odd.clone())
        .text("\n\n")
        .call("c1", "read", r#"{ "path" : "a.txt", "n": 12345678901234567890123 }"#);
    kit.server.reply(said);
    kit.server.reply(Scripted::new().text("Done."));
    let mut conversation = conversation();
    let reply = kit.ask(&conversation).await.unwrap();
    let parts = reply.said.parts().to_vec();
    assert_eq!(
        parts[..5],
        [
            Part::Thinking("First ".into()),
            Part::Text("Let me see.".into()),
            Part::Other("redacted_thinking".into()),
            Part::Thinking("then".into()),
            Part::Other("crystal_ball".into()),
        ]
    );
    let id = reply.said.calls().next().unwrap().id.clone();
    // As the server wrote it, down to its numbers and white space.
    assert_eq!(
        reply.said.raw(),
        format!(
            concat!(
                r#"[{{"type":"thinking","thinking":"First ","signature":"sig/one=="}},"#,
                r#"{{"type":"text","text":"Let me see."}},"#,
                r#"{{"type":"redacted_thinking","data":"gAAAredacted"}},"#,
                r#"{{"type":"thinking","thinking":"then","signature":"sig+two"}},{},"#,
                r#"{{"type":"tool_use","id":"c1","name":"read","input":{{ "path" : "a.txt", "n": 12345678901234567890123 }}}}]"#
            ),
            odd
        )
    );
    conversation.accept(reply.said).unwrap();
    conversation.answer(vec![result(&id, "hello")]).unwrap();
    assert_eq!(kit.ask(&conversation).await.unwrap().outcome, Outcome::Finished);
    kit.server.finish();
}

#[tokio::test]
async fn reasoning_beside_the_text_comes_back_unless_it_is_to_be_forgotten() {
    for forget in [false, true] {
        let kit = Kit::with(Wire::Chat, |config| config.forget_reasoning = forget);
        let mut conversation = conversation();
        kit.server.reply(Scripted::new().thinking("hmm", "").call("c1", "read", r#"{"path":"b"}"#));
        let reply = kit.ask(&conversation).await.unwrap();
        assert_eq!(reply.said.parts()[0], Part::Thinking("hmm".into()));
        conversation.accept(reply.said).unwrap();
        conversation.answer(vec![result("c1", "x")]).unwrap();
        kit.server.reply(Scripted::new().text("Done."));
        kit.ask(&conversation).await.unwrap();
        kit.server.finish();
        let back = kit.server.exchanges()[1].json()["messages"][2]["reasoning_content"].clone();
        assert_eq!(back, if forget { Value::Null } else { json!("hmm") });
    }
}

#[tokio::test]
async fn several_calls_are_answered_in_whichever_order_and_with_pictures() {
    for (wire, _) in WIRES {
        let kit = Kit::new(wire);
        let mut conversation = conversation();
        kit.server.reply(Scripted::new().call("c1", "read", r#"{"path":"a"}"#).call("c2", "read", r#"{"path":"b"}"#));
        let reply = kit.ask(&conversation).await.unwrap();
        conversation.accept(reply.said).unwrap();
        assert_eq!(
            conversation.say(vec![Piece::text("wait")]),
            Err(Misplaced::Unanswered { calls: vec!["c1".into(), "c2".into()] })
        );
        assert_eq!(
            conversation.answer(vec![result("c2", "b")]),
            Err(Misplaced::Unanswered { calls: vec!["c1".into()] })
        );
        let twice = vec![result("c2", "b"), result("c1", "a"), result("c2", "b")];
        assert_eq!(conversation.answer(twice), Err(Misplaced::NoSuchCall { call: "c2".into() }));
        let unanswered = kit.ask(&conversation).await.unwrap_err();
        assert_eq!((unanswered.tries, kit.server.exchanges().len()), (0, 1), "{unanswered}");

        let picture = Piece::Image { media_type: "image/png".into(), data: "iVBORw0K".into() };
        let failed =
            ToolResult { call: "c2".into(), content: vec![Piece::text("no such file"), picture], failed: true };
        conversation.answer(vec![failed, result("c1", "")]).unwrap();
        conversation.say(vec![Piece::text("And hurry.")]).unwrap();
        kit.server.reply(Scripted::new().text("Done."));
        kit.ask(&conversation).await.unwrap();
        kit.server.finish();
        let messages = kit.server.exchanges()[1].json()["messages"].clone();
        let png = "iVBORw0K";
        match wire {
            Wire::Anthropic => assert_eq!(
                messages[2]["content"],
                json!([
                    {"type": "tool_result", "tool_use_id": "c1"},
                    {"type": "tool_result", "tool_use_id": "c2", "content": [
                        {"type": "text", "text": "no such file"},
                        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": png}},
                    ], "is_error": true},
                    {"type": "text", "text": "And hurry."},
                ])
            ),
            Wire::Chat => assert_eq!(
                messages.as_array().unwrap()[3..],
                [
                    json!({"role": "tool", "tool_call_id": "c1", "content": ""}),
                    json!({"role": "tool", "tool_call_id": "c2", "content": "error: no such file"}),
                    json!({"role": "user", "content": [
                        {"type": "image_url", "image_url": {"url": format!("data:image/png;base64,{png}")}},
                        {"type": "text", "text": "And hurry."},
                    ]}),
                ]
            ),
        }
    }
}

#[tokio::test]
async fn arguments_that_are_no_json_are_kept_and_answered() {
    for (wire, _) in WIRES {
        let kit = Kit::new(wire);
        let mut conversation = conversation();
        kit.server.reply(
            Scripted::new().call("c1", "read", r#"{"path": "a.t"#).call("c2", "read", "[1]").call("c3", "list", ""),
        );
        let reply = kit.ask(&conversation).await.unwrap();
        let inputs: Vec<_> = reply.said.calls().map(|call| call.input.clone()).collect();
        assert!(
            matches!(&inputs[0], Err(BadInput::NotJson { raw, reason }) if raw == r#"{"path": "a.t"# && reason.contains("EOF")),
            "{inputs:?}"
        );
        assert_eq!(inputs[1..], [Err(BadInput::NotObject { raw: "[1]".into() }), Ok(json!({}))]);
        conversation.accept(reply.said).unwrap();
        conversation.answer(vec![result("c1", "bad"), result("c2", "bad"), result("c3", "unknown tool")]).unwrap();
        kit.server.reply(Scripted::new().text("Sorry."));
        kit.ask(&conversation).await.unwrap();
        if wire == Wire::Anthropic {
            let back = kit.server.exchanges()[1].json()["messages"][1]["content"].clone();
            assert_eq!(back[0]["input"], json!({"INVALID_JSON": "{\"path\": \"a.t"}));
        }
        assert_eq!(kit.server.exchanges().len(), 2);
    }
}

#[tokio::test]
async fn ids_of_calls_are_made_unique() {
    for (wire, _) in WIRES {
        let kit = Kit::new(wire);
        let mut conversation = conversation();
        let call = |reply: Scripted, id: &str| reply.call(id, "read", "{}");
        let ids = async |conversation: &mut Conversation, reply: Scripted| {
            kit.server.reply(reply);
            let reply = kit.ask(conversation).await.unwrap();
            let ids: Vec<String> = reply.said.calls().map(|call| call.id.clone()).collect();
            conversation.accept(reply.said).unwrap();
            conversation.answer(ids.iter().map(|id| result(id, "x")).collect()).unwrap();
            ids
        };
        assert_eq!(ids(&mut conversation, call(call(Scripted::new(), "c"), "c")).await, ["c", "c_2"]);
        assert_eq!(
            ids(&mut conversation, call(call(Scripted::new(), "c"), "functions.x:0")).await,
            ["c_3", "functions_x_0"]
        );
        kit.server.reply(Scripted::new().text("Done."));
        kit.ask(&conversation).await.unwrap();
        kit.server.finish();
        let renamed: Vec<_> = kit.seen().into_iter().filter(|seen| matches!(seen, Seen::Renamed(..))).collect();
        let to = |from: &str, to: &str| Seen::Renamed(from.into(), to.into());
        assert_eq!(renamed, [to("c", "c_2"), to("c", "c_3"), to("functions.x:0", "functions_x_0")]);
    }
}

#[tokio::test]
async fn a_conversation_can_be_kept_and_taken_up_again_at_another_server() {
    let kit = Kit::new(Wire::Anthropic);
    let mut conversation = conversation();
    kit.server.reply(Scripted::new().thinking("hm", "sig").text("Reading.").call("c1", "read", r#"{"path":"a.txt"}"#));
    let reply = kit.ask(&conversation).await.unwrap();
    conversation.accept(reply.said).unwrap();
    conversation.answer(vec![result("c1", "hello")]).unwrap();
    let kept = serde_json::to_string(&conversation.turns().collect::<Vec<_>>()).unwrap();

    let turns: Vec<Turn> = serde_json::from_str(&kept).unwrap();
    let again = Conversation::resume("You work on files.", tools(), turns).unwrap();
    kit.server.reply(Scripted::new().text("Hello, it says."));
    assert_eq!(kit.ask(&again).await.unwrap().said.text(), "Hello, it says.");
    kit.server.finish();

    let other = Kit::new(Wire::Chat);
    other.server.reply(Scripted::new().text("Hello."));
    let mut again = again;
    let reply = other.ask(&again).await.unwrap();
    other.server.finish();
    let messages = other.server.exchanges()[0].json()["messages"].clone();
    assert_eq!(
        messages.as_array().unwrap()[2..],
        [
            json!({"role": "assistant", "content": "Reading.", "tool_calls": [
                {"id": "c1", "type": "function", "function": {"name": "read", "arguments": "{\"path\":\"a.txt\"}"}}]}),
            json!({"role": "tool", "tool_call_id": "c1", "content": "hello"}),
        ]
    );
    again.accept(reply.said).unwrap();
    again.say(vec![Piece::text("Thanks.")]).unwrap();
    let back = Kit::new(Wire::Anthropic);
    back.server.reply(Scripted::new().text("Welcome."));
    back.ask(&again).await.unwrap();
    back.server.finish();
}

#[test]
fn what_does_not_follow_is_refused() {
    let mut conversation = Conversation::new("", vec![]).unwrap();
    assert_eq!(conversation.say(vec![Piece::text(" \n")]), Err(Misplaced::NothingToAnswer));
    assert_eq!(conversation.answer(vec![result("c", "x")]), Err(Misplaced::NoSuchCall { call: "c".into() }));
    let broken = json!({"wire": "chat", "raw": "{", "parts": []});
    assert!(serde_json::from_value::<Said>(broken).is_err());
    let said: Said = serde_json::from_value(json!({"wire": "chat", "raw": "{}", "parts": [{"text": "a"}]})).unwrap();
    assert_eq!(conversation.accept(said.clone()), Err(Misplaced::NoReplyHere));
    conversation.say(vec![Piece::text("a")]).unwrap();
    conversation.say(vec![Piece::text("b")]).unwrap();
    assert_eq!(conversation.turns().len(), 1, "what is said before an answer is one turn");
    conversation.accept(said.clone()).unwrap();
    assert_eq!(conversation.accept(said), Err(Misplaced::NoReplyHere));
    for name in ["", "a b", "plugin.tool", &"x".repeat(65)] {
        let mut tools = tools();
        tools[0].name = name.to_owned();
        assert!(matches!(Conversation::new("", tools), Err(Misplaced::ToolName { .. })), "{name}");
    }
    let mut tools = tools();
    tools[1].name = "read".to_owned();
    assert!(matches!(Conversation::new("", tools), Err(Misplaced::ToolName { .. })));
}

#[tokio::test]
async fn a_server_lists_its_models() {
    for (wire, _) in WIRES {
        let kit = Kit::new(wire);
        assert_eq!(kit.client.offered().await.unwrap(), ["scripted"]);
        let kit = Kit::with(wire, |config| config.url.push_str("/elsewhere"));
        let failure = kit.client.offered().await.unwrap_err();
        assert_eq!(
            failure.to_string(),
            "scripted at 127.0.0.1 gave no reply: the server does not know the model or the address: no such path. Check \
             them with `deskhand model list`"
        );
    }
}
