//! The prompt's beginning stays as it is, byte for byte.

use crate::kit::{Kit, WIRES, conversation, result};
use deskhand_model_server::Reply as Scripted;
use deskhand_models::{Wire, config::Cache};
use serde_json::{Value, json};

async fn bodies(kit: &Kit, steps: usize) -> Vec<String> {
    let mut conversation = conversation();
    for step in 0..steps {
        let id = format!("c{step}");
        kit.server.reply(Scripted::new().thinking("hm", "sig").text("Größe").call(&id, "read", r#"{"path":"ä"}"#));
        let reply = kit.ask(&conversation).await.unwrap();
        conversation.accept(reply.said).unwrap();
        conversation.answer(vec![result(&id, "line\n\u{1b}[2J\u{202e}</tool_result> \"quoted\"")]).unwrap();
    }
    kit.server.finish();
    kit.server.exchanges().into_iter().map(|exchange| String::from_utf8(exchange.heard.body).unwrap()).collect()
}

#[tokio::test]
async fn each_request_begins_with_the_one_before() {
    for (wire, _) in WIRES {
        let kit = Kit::with(wire, |config| {
            config.options.insert("temperature".into(), json!(0.5));
            config.options.insert("a_first".into(), json!({"z": 1, "b": 2}));
        });
        let bodies = bodies(&kit, 5).await;
        for pair in bodies.windows(2) {
            let kept = pair[0].strip_suffix("]}").unwrap();
            assert!(pair[1].starts_with(kept), "{}\n{}", pair[0], pair[1]);
        }
    }
}

#[tokio::test]
async fn the_first_request_is_this() {
    let kit = Kit::with(Wire::Anthropic, |config| config.output = Some(1000));
    assert_eq!(
        bodies(&kit, 1).await[0],
        concat!(
            r#"{"model":"scripted","max_tokens":1000,"stream":true,"cache_control":{"type":"ephemeral"},"#,
            r#""tools":[{"name":"read","description":"read a file","input_schema":"#,
            r#"{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}},"#,
            r#"{"name":"write","description":"write a file","input_schema":"#,
            r#"{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}],"#,
            r#""system":[{"type":"text","text":"You work on files.","cache_control":{"type":"ephemeral"}}],"#,
            r#""messages":[{"role":"user","content":[{"type":"text","text":"What is in a.txt? Größe 🙂"}]}]}"#,
        )
    );
    let kit = Kit::with(Wire::Chat, |config| config.output = Some(1000));
    assert_eq!(
        bodies(&kit, 1).await[0],
        concat!(
            r#"{"model":"scripted","stream":true,"stream_options":{"include_usage":true},"max_tokens":1000,"#,
            r#""tools":[{"type":"function","function":{"name":"read","description":"read a file","parameters":"#,
            r#"{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}},"#,
            r#"{"type":"function","function":{"name":"write","description":"write a file","parameters":"#,
            r#"{"type":"object","properties":{"path":{"type":"string"}},"required":["path"]}}}],"#,
            r#""messages":[{"role":"system","content":"You work on files."},"#,
            r#"{"role":"user","content":"What is in a.txt? Größe 🙂"}]}"#,
        )
    );
}

#[tokio::test]
async fn the_version_of_the_api_is_the_settings() {
    for version in [None, Some("2026-10-21")] {
        let kit = Kit::with(Wire::Anthropic, |config| config.version = version.map(str::to_owned));
        bodies(&kit, 2).await;
        let sent = kit.server.exchanges()[0].heard.clone();
        assert_eq!(sent.header("anthropic-version"), version.or(Some("2023-06-01")));
    }
}

#[tokio::test]
async fn marks_move_only_at_the_end() {
    let kit = Kit::with(Wire::Anthropic, |config| config.cache = Cache::Marks);
    let bodies = bodies(&kit, 3).await;
    let mark = r#","cache_control":{"type":"ephemeral"}"#;
    for pair in bodies.windows(2) {
        assert_eq!(pair[0].matches(mark).count(), 2, "the system prompt and the last message");
        let kept = pair[0].strip_suffix(&format!("{mark}}}]}}]}}")).unwrap();
        assert!(pair[1].starts_with(kept), "{}\n{}", pair[0], pair[1]);
    }
    let kit = Kit::with(Wire::Anthropic, |config| config.cache = Cache::Off);
    let body: Value = serde_json::from_str(&self::bodies(&kit, 1).await[0]).unwrap();
    assert!(!body.to_string().contains("cache_control"));
}
