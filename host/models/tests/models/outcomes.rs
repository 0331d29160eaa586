//! How a reply can end.

use crate::kit::{Kit, WIRES, conversation, result};
use deskhand_model_server::{Reply as Scripted, Stop, Stream, Wire as Scripting};
use deskhand_models::{BadInput, Misplaced, Outcome, Piece, Wire};
use serde_json::json;

async fn ends(wire: Wire, reply: Scripted) -> Outcome {
    let kit = Kit::new(wire);
    kit.server.reply(reply);
    let reply = kit.ask(&conversation()).await.unwrap();
    kit.server.finish();
    reply.outcome
}

#[tokio::test]
async fn an_end_that_is_no_success_says_so() {
    let text = || Scripted::new().text("Well");
    for (wire, _) in WIRES {
        assert_eq!(ends(wire, text()).await, Outcome::Finished);
        assert_eq!(ends(wire, text().stop(Stop::MaxTokens)).await, Outcome::CutOff { in_call: false });
        assert_eq!(ends(wire, text().stop(Stop::Refusal)).await, Outcome::Refused { reason: String::new() });
        let new = Stop::Other("new_reason".into());
        assert_eq!(ends(wire, text().stop(new)).await, Outcome::Other { reason: "new_reason".into() });
        assert_eq!(ends(wire, Scripted::new()).await, Outcome::Empty);
        assert_eq!(ends(wire, Scripted::new().text(" \n")).await, Outcome::Empty);
        assert_eq!(ends(wire, Scripted::new().thinking("hm", "sig")).await, Outcome::Empty);
    }
    assert_eq!(ends(Wire::Anthropic, text().stop(Stop::ContextFull)).await, Outcome::ContextFull);
    assert_eq!(ends(Wire::Anthropic, text().stop(Stop::Other("pause_turn".into()))).await, Outcome::Paused);
    assert_eq!(ends(Wire::Anthropic, text().stop(Stop::Other("stop_sequence".into()))).await, Outcome::Finished);
    // Servers say "stop" where they call.
    let calls = Scripted::new().call("c", "read", "{}").stop(Stop::Other("stop".into()));
    assert_eq!(ends(Wire::Chat, calls).await, Outcome::Calls);
}

#[tokio::test]
async fn a_refusal_brings_its_reason() {
    let reason = "It could harm a machine.";
    let kit = Kit::new(Wire::Anthropic);
    let delta = json!({"type": "message_delta", "usage": {"output_tokens": 3}, "delta": {"stop_reason": "refusal",
        "stop_details": {"type": "refusal", "category": "cyber", "explanation": reason}}});
    let stream = Stream::of(Scripting::Anthropic, &Scripted::new().text("I"));
    let at = stream.len() - 2;
    kit.server.then(stream.without(at).insert(at, &format!("event: message_delta\ndata: {delta}\n\n")));
    let reply = kit.ask(&conversation()).await.unwrap();
    assert_eq!(reply.outcome, Outcome::Refused { reason: reason.into() });

    let kit = Kit::new(Wire::Chat);
    let delta = json!({"choices": [{"index": 0, "delta": {"refusal": reason}, "finish_reason": null}]});
    kit.server.then(Stream::of(Scripting::Chat, &Scripted::new()).insert(1, &format!("data: {delta}\n\n")));
    let reply = kit.ask(&conversation()).await.unwrap();
    assert_eq!(reply.outcome, Outcome::Refused { reason: reason.into() });
}

#[tokio::test]
async fn a_call_that_was_cut_off_is_not_made_even_if_it_looks_whole() {
    for (wire, _) in WIRES {
        let kit = Kit::new(wire);
        let mut conversation = conversation();
        let whole = r#"{"path":"a"}"#;
        kit.server.reply(Scripted::new().call("c1", "read", whole).call("c2", "write", whole).stop(Stop::MaxTokens));
        let reply = kit.ask(&conversation).await.unwrap();
        assert_eq!(reply.outcome, Outcome::CutOff { in_call: true });
        let inputs: Vec<_> = reply.said.calls().map(|call| call.input.clone()).collect();
        assert_eq!(inputs[1], Err(BadInput::CutOff { raw: whole.into() }));
        assert!(inputs[0].is_ok());
        conversation.accept(reply.said).unwrap();
        conversation.answer(vec![result("c1", "x"), result("c2", "cut off")]).unwrap();
    }
}

#[tokio::test]
async fn an_empty_reply_is_not_kept_and_can_be_followed_up() {
    for (wire, _) in WIRES {
        let kit = Kit::new(wire);
        let mut conversation = conversation();
        kit.server.reply(Scripted::new());
        let reply = kit.ask(&conversation).await.unwrap();
        assert_eq!(conversation.accept(reply.said), Err(Misplaced::NoReplyHere));
        conversation.say(vec![Piece::text("You said nothing.")]).unwrap();
        kit.server.reply(Scripted::new().text("Sorry."));
        assert_eq!(kit.ask(&conversation).await.unwrap().outcome, Outcome::Finished);
        kit.server.finish();
    }
}
