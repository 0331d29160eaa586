//! The server notices what is against the protocol. Each request here is wrong in one way.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use deskhand_model_server::{ModelServer, Piece, Reply, Step, Stream, Wire};
use serde_json::{Value, json};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
};

fn post(server: &ModelServer, path: &str, body: &str) -> String {
    let mut stream = TcpStream::connect(server.url().strip_prefix("http://").unwrap()).unwrap();
    let length = body.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\nanthropic-version: 2023-06-01\r\n\
         content-length: {length}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let read = stream.read(&mut piece).unwrap_or(0);
        answer.extend_from_slice(&piece[..read]);
        if read == 0 || answer.ends_with(b"\r\n0\r\n\r\n") {
            return String::from_utf8_lossy(&answer).into_owned();
        }
    }
}

fn anthropic(messages: &Value) -> String {
    json!({"model": "m", "max_tokens": 9, "stream": true, "messages": messages}).to_string()
}

fn chat(messages: &Value) -> String {
    json!({"model": "m", "stream": true, "messages": messages}).to_string()
}

fn path(wire: Wire) -> &'static str {
    if wire == Wire::Anthropic { "/v1/messages" } else { "/v1/chat/completions" }
}

/// What the server says against a single request.
fn against(wire: Wire, messages: &Value) -> Vec<String> {
    let server = ModelServer::start();
    server.reply(Reply::new().text("x"));
    let body = if wire == Wire::Anthropic { anthropic(messages) } else { chat(messages) };
    post(&server, path(wire), &body);
    server.violations()
}

#[test]
fn roles_calls_and_results_must_fit() {
    let use_ = |id: &str| json!({"type": "tool_use", "id": id, "name": "read", "input": {}});
    let result = |id: &str| json!({"type": "tool_result", "tool_use_id": id, "content": "x"});
    let user = |content: Value| json!({"role": "user", "content": content});
    let model = |content: Value| json!({"role": "assistant", "content": content});
    let good =
        json!([user(json!("a")), model(json!([use_("c1"), use_("c2")])), user(json!([result("c2"), result("c1")]))]);
    assert_eq!(against(Wire::Anthropic, &good), Vec::<String>::new());
    for (messages, what) in [
        (json!([user(json!("a")), user(json!("b"))]), "the roles do not alternate"),
        (json!([user(json!("a")), model(json!("b"))]), "the last message is not the user's"),
        (json!([user(json!("a")), model(json!([use_("c1")])), user(json!("b"))]), "answered once each"),
        (
            json!([user(json!("a")), model(json!([use_("c")])), user(json!([result("c"), result("c")]))]),
            "answered once each",
        ),
        (json!([user(json!([result("c1")]))]), "answered once each"),
        (
            json!([user(json!("a")), model(json!([use_("c"), use_("c")])), user(json!([result("c"), result("c")]))]),
            "there twice",
        ),
        (
            json!([user(json!("a")), model(json!([{"type": "thinking", "thinking": "x"}])), user(json!("b"))]),
            "lost its signature",
        ),
        (json!([user(json!([{"type": "text", "text": ""}]))]), "a text is empty"),
        (
            json!([
                user(json!("a")),
                model(json!([use_("c1")])),
                user(json!([{"type": "text", "text": "x"}, result("c1")]))
            ]),
            "after something else",
        ),
    ] {
        let found = against(Wire::Anthropic, &messages);
        assert!(found.len() == 1 && found[0].contains(what), "{what}: {found:?}");
    }
    let call = |id: &str, arguments: &str| {
        json!({"role": "assistant", "content": null, "tool_calls": [
            {"id": id, "type": "function", "function": {"name": "read", "arguments": arguments}}]})
    };
    let tool = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "x"});
    assert_eq!(against(Wire::Chat, &json!([user(json!("a")), call("c", "{}"), tool("c")])), Vec::<String>::new());
    for (messages, what) in [
        (json!([user(json!("a")), call("c", "{}"), user(json!("b"))]), "answered once each"),
        (json!([user(json!("a")), call("c", "{}"), tool("c"), tool("c")]), "answered once each"),
        (json!([user(json!("a")), call("c", "{"), tool("c")]), "not a JSON object"),
        (json!([user(json!("a")), user(json!("b"))]), "does not follow on"),
        (json!([user(json!("a")), {"role": "system", "content": "x"}, user(json!("b"))]), "does not follow on"),
    ] {
        let found = against(Wire::Chat, &messages);
        assert!(!found.is_empty() && found[0].contains(what), "{what}: {found:?}");
    }
}

/// What the server says against a second request that follows on a reply.
fn after(reply: impl Into<Step>, body: &Value) -> Vec<String> {
    let server = ModelServer::start();
    server.then(reply);
    server.reply(Reply::new().text("x"));
    post(&server, path(Wire::Anthropic), &anthropic(&json!([{"role": "user", "content": "a"}])));
    post(&server, path(Wire::Anthropic), &body.to_string());
    server.violations()
}

#[test]
fn what_was_said_must_come_back_unchanged() {
    let reply = || Reply::new().thinking("hm", "sig").text("Well").redacted("r");
    let blocks = json!([
        {"type": "thinking", "thinking": "hm", "signature": "sig"},
        {"type": "text", "text": "Well"},
        {"type": "redacted_thinking", "data": "r"},
    ]);
    let body = |content: &Value| {
        json!({"model": "m", "max_tokens": 9, "stream": true, "messages": [
            {"role": "user", "content": "a"}, {"role": "assistant", "content": content}, {"role": "user", "content": "b"}]})
    };
    assert_eq!(after(reply(), &body(&blocks)), Vec::<String>::new());
    let mut changed = blocks.clone();
    changed[0]["signature"] = json!("gis");
    let mut swapped = blocks.clone();
    swapped.as_array_mut().unwrap().swap(0, 1);
    let mut fewer = blocks.clone();
    fewer.as_array_mut().unwrap().pop();
    for content in [changed, swapped, fewer] {
        let found = after(reply(), &body(&content));
        assert!(found.len() == 1 && found[0].contains("does not bring back what was said"), "{found:?}");
    }
    let half = Stream::of(Wire::Anthropic, &reply()).then(6, Piece::HangUp);
    let found = after(half, &body(&blocks));
    assert!(found.len() == 1 && found[0].contains("never given whole"), "{found:?}");
}

#[test]
fn the_beginning_must_stay_byte_for_byte() {
    let rest =
        json!([{"role": "assistant", "content": [{"type": "text", "text": "Well"}]}, {"role": "user", "content": "b"}]);
    let reply = || Reply::new().text("Well");
    let with = |first: Value, system: Option<&str>| {
        let mut messages = vec![first];
        messages.extend(rest.as_array().unwrap().clone());
        let mut body = json!({"model": "m", "max_tokens": 9, "stream": true, "messages": messages});
        if let Some(system) = system {
            body["system"] = json!(system);
        }
        body
    };
    let same = json!({"role": "user", "content": "a"});
    assert_eq!(after(reply(), &with(same.clone(), None)), Vec::<String>::new());
    // the same words, spelled otherwise
    let found = after(reply(), &with(json!({"content": "a", "role": "user"}), None));
    assert!(found.len() == 1 && found[0].contains("message 0 is not what it was"), "{found:?}");
    let found = after(reply(), &with(same.clone(), Some("new")));
    assert!(found.len() == 1 && found[0].contains("system prompt or the tools changed"), "{found:?}");

    // unless the script says that the conversation may begin anew
    let server = ModelServer::start();
    server.reply(reply());
    server.then(Step::from(reply()).fresh());
    post(&server, path(Wire::Anthropic), &anthropic(&json!([{"role": "user", "content": "a\nlong"}])));
    post(&server, path(Wire::Anthropic), &anthropic(&json!([{"role": "user", "content": "a\nshort"}])));
    server.finish();
    assert_eq!(server.conversations(), 1);
}

#[test]
fn a_script_that_is_over_is_said() {
    let server = ModelServer::start();
    let answer = post(&server, path(Wire::Chat), &chat(&json!([{"role": "user", "content": "a"}])));
    assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("the script is over"), "{answer}");
    assert_eq!(server.violations(), ["request 0: the script has no answer for it"]);
}
