//! The vendors' own SDKs work with the scripted server, and do nothing that it holds to be against the protocol. Were the
//! server wrong about a wire, they would stumble.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use deskhand_model_server::{ModelServer, Reply, Step, Stream, Wire, error};
use serde_json::{Value, json};
use std::{path::Path, process::Command};

fn run(program: &str, server: &ModelServer) -> Value {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sdks");
    let made = Command::new(folder.join("prepare.sh")).output().unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let place = String::from_utf8(made.stdout).unwrap();
    let python = Path::new(place.trim()).join("bin/python");
    let mut command = Command::new(python);
    command.arg(folder.join(program)).arg(server.url());
    for variable in ["http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"] {
        command.env_remove(variable);
    }
    let ran = command.output().unwrap();
    assert!(ran.status.success(), "{}\n{:#?}", String::from_utf8_lossy(&ran.stderr), server.violations());
    serde_json::from_slice(&ran.stdout).unwrap()
}

/// Tool calls, a limit that is waited for, a stream in odd pieces, a request that is not streamed, and an error.
fn script(wire: Wire) -> ModelServer {
    let server = ModelServer::start();
    let calls = Reply::new()
        .thinking("Let me see.", "signature==")
        .redacted("redacted==")
        .text("Reading.")
        .call("c1", "read", r#"{"path":"a.txt"}"#)
        .call("c2", "read", r#"{"path":"größer 🙂.txt"}"#);
    server.reply(calls);
    server.then(error(429, "rate_limit_error", "slow down").header("retry-after", "0.01"));
    let more = Stream::of(wire, &Reply::new().call("c3", "read", r#"{"path":"b.txt"}"#));
    server.then(more.cut_every(7));
    server.reply(Reply::new().text("It says hello. 🙂").usage(7, 90, 0, 5));
    server.then(Step::from(Reply::new().text("Yes.")).only_for("At once"));
    server.then(Step::from(error(400, "invalid_request_error", "prompt is too long")).only_for("Too long"));
    server
}

fn expected(stop: &str, usage: [u64; 3]) -> Value {
    json!({
        "text": "It says hello. 🙂",
        "asked": [["read", {"path": "a.txt"}], ["read", {"path": "größer 🙂.txt"}], ["read", {"path": "b.txt"}]],
        "stop": stop,
        "usage": usage,
        "whole": "Yes.",
        "refused": [400, "prompt is too long", "req_5"],
    })
}

#[test]
fn anthropic_s_sdk_works_with_it() {
    let server = script(Wire::Anthropic);
    assert_eq!(run("anthropic_task.py", &server), expected("end_turn", [7, 90, 5]));
    server.finish();
    assert_eq!((server.exchanges().len(), server.conversations()), (6, 3));
}

#[test]
fn openai_s_sdk_works_with_it() {
    let server = script(Wire::Chat);
    assert_eq!(run("openai_task.py", &server), expected("stop", [97, 90, 5]));
    server.finish();
    assert_eq!((server.exchanges().len(), server.conversations()), (6, 3));
}
