//! What every request must keep to. The rules are those of the vendors' references (Anthropic's Messages API, OpenAI's
//! chat completions), and those that keep prompt caches and signatures alive.

use crate::{
    http::{Heard, Said},
    reply::Wire,
};
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use std::collections::HashSet;

/// The newest version of Anthropic's API. It refuses some members that the one before took.
const NEWEST: &str = "2026-10-21";

/// The conversations so far, and what was against the rules.
#[derive(Default)]
pub(crate) struct Checks {
    conversations: Vec<Conversation>,
    violations: Vec<String>,
}

struct Conversation {
    wire: Wire,
    /// What stands before the messages, as it was written.
    front: Vec<Option<String>>,
    messages: Vec<String>,
    said: Said,
}

#[derive(Deserialize)]
struct Body<'a> {
    model: String,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(borrow, default)]
    system: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tools: Option<&'a RawValue>,
    #[serde(borrow)]
    messages: Vec<&'a RawValue>,
}

type Problems = Vec<String>;

impl Checks {
    pub(crate) fn violations(&self) -> &[String] {
        &self.violations
    }

    pub(crate) const fn conversations(&self) -> usize {
        self.conversations.len()
    }

    pub(crate) fn note(&mut self, violation: String) {
        self.violations.push(violation);
    }

    pub(crate) fn answered(&mut self, conversation: usize, said: Said) {
        self.conversations[conversation].said = said;
    }

    /// Check a request; it belongs to the conversation that is handed back.
    pub(crate) fn request(&mut self, wire: Wire, heard: &Heard, fresh: bool) -> Result<usize, Problems> {
        let mut problems = headers(wire, heard);
        let body: Body<'_> = match serde_json::from_slice(&heard.body) {
            Ok(body) => body,
            Err(error) => return Err(vec![format!("the body cannot be read: {error}")]),
        };
        if body.model.is_empty() {
            problems.push("there is no model".to_owned());
        }
        if wire == Wire::Anthropic && body.max_tokens.is_none_or(|most| most == 0) {
            problems.push("there is no max_tokens".to_owned());
        }
        tools(wire, body.tools, &mut problems);
        let messages: Vec<Value> =
            body.messages.iter().map(|raw| serde_json::from_str(raw.get()).unwrap_or(Value::Null)).collect();
        match wire {
            Wire::Anthropic => anthropic(&messages, &mut problems),
            Wire::Chat => chat(&messages, &mut problems),
        }
        let whole: Value = serde_json::from_slice(&heard.body).unwrap_or(Value::Null);
        let gone = ["temperature", "top_p", "top_k"].into_iter().find(|name| whole.get(name).is_some());
        if let Some(gone) = gone.filter(|_| heard.header("anthropic-version") == Some(NEWEST)) {
            problems.push(format!("{gone} is gone since version {NEWEST}"));
        }
        if marks(&whole) > 4 {
            problems.push("there are more than four cache marks".to_owned());
        }
        let front = vec![body.system.map(|raw| raw.get().to_owned()), body.tools.map(|raw| raw.get().to_owned())];
        let raw: Vec<String> = body.messages.iter().map(|raw| unmarked(raw.get())).collect();
        let found = self.continues(wire, front, raw, &messages, fresh, &mut problems);
        if problems.is_empty() { Ok(found) } else { Err(problems) }
    }

    fn continues(
        &mut self,
        wire: Wire,
        front: Vec<Option<String>>,
        raw: Vec<String>,
        messages: &[Value],
        fresh: bool,
        problems: &mut Problems,
    ) -> usize {
        // What the model itself was told first names the conversation.
        let first = raw.iter().position(|raw| !raw.contains(r#""role":"system""#)).unwrap_or_default();
        let same = |other: &Conversation| {
            other.wire == wire
                && other.messages.get(first).map(|raw| first_text(raw)) == raw.get(first).map(|raw| first_text(raw))
        };
        let known = self.conversations.iter().position(same);
        let next = |said| Conversation { wire, front: front.clone(), messages: raw.clone(), said };
        let Some(at) = known else {
            self.conversations.push(next(Said::Nothing));
            return self.conversations.len() - 1;
        };
        let before = &self.conversations[at];
        if !fresh {
            if before.front != front {
                problems.push("the system prompt or the tools changed within a conversation".to_owned());
            }
            grown(before, &raw, messages, problems);
        }
        let said = self.conversations[at].said.clone();
        self.conversations[at] = next(said);
        at
    }
}

/// A message without its cache marks: they move on, and the cache does not depend on them. Within a text the quotes would
/// be escaped, so that only members are found.
fn unmarked(raw: &str) -> String {
    let mut rest = raw;
    let mut unmarked = String::new();
    while let Some((before, after)) = rest.split_once(r#","cache_control":{"#) {
        unmarked.push_str(before);
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    unmarked + rest
}

/// What standing instructions and notes of earlier work begin with, which many conversations share.
const STANDING: [&str; 2] = ["[deskhand: instructions from ", "[deskhand: memory"];

/// The first line of a message, after any of these: more may be added to it before it is answered.
fn first_text(raw: &str) -> String {
    let message: Value = serde_json::from_str(raw).unwrap_or(Value::Null);
    let text = match &message["content"] {
        Value::Array(parts) => {
            let shared = |text: &str| STANDING.iter().any(|standing| text.starts_with(standing));
            let own = |part: &&Value| part["text"].as_str().is_none_or(|text| !shared(text));
            parts.iter().find(own).or(parts.first()).and_then(|part| part["text"].as_str())
        }
        other => other.as_str(),
    };
    text.unwrap_or_default().lines().next().unwrap_or_default().to_owned()
}

/// What follows on the request before: the same again, or the same with what was said and an answer to it.
fn grown(before: &Conversation, raw: &[String], messages: &[Value], problems: &mut Problems) {
    let kept = before.messages.len();
    let same = before.messages.iter().zip(raw).take_while(|(one, other)| one == other).count();
    if raw.len() == kept {
        let extended = same + 1 == kept && extends(&before.messages[same], &messages[same]);
        if same < kept && !extended {
            problems.push(format!("message {same} is not what it was in the request before"));
        }
        return;
    }
    if same < kept {
        problems.push(format!("message {same} is not what it was in the request before"));
        return;
    }
    match &before.said {
        Said::Anything => {}
        Said::Nothing => {
            // a further message of the person (chat) is no answer to anything
            if messages[kept]["role"] == json!("assistant") {
                problems.push(format!("message {kept} claims an answer that was never given whole"));
            }
        }
        Said::This(said) => {
            let (said, message) = without_bad_ids(before.wire, said, messages, kept);
            returned(before.wire, &said, &message, kept, problems);
        }
    }
}

/// Ids that a client cannot use (of other letters, or there before) may come back as others, so they are not compared.
fn without_bad_ids(wire: Wire, said: &Value, messages: &[Value], at: usize) -> (Value, Value) {
    let (mut said, mut message) = (said.clone(), messages[at].clone());
    let calls = |value: &Value| -> Vec<String> {
        let list = match wire {
            Wire::Anthropic => value.as_array().or_else(|| value["content"].as_array()),
            Wire::Chat => value["tool_calls"].as_array(),
        };
        let ids = list.into_iter().flatten().filter_map(|call| call["id"].as_str().map(str::to_owned));
        ids.collect()
    };
    let mut seen: HashSet<String> = messages[..at].iter().flat_map(calls).collect();
    let bad: Vec<bool> = calls(&said).into_iter().map(|id| !is_name(&id) || !seen.insert(id)).collect();
    let forget = |list: Option<&mut Vec<Value>>| {
        let calls = list.into_iter().flatten().filter(|call| !call["id"].is_null());
        for (call, bad) in calls.zip(&bad) {
            if *bad {
                call["id"] = json!("");
            }
        }
    };
    match wire {
        Wire::Anthropic => {
            forget(said.as_array_mut());
            forget(message["content"].as_array_mut());
        }
        Wire::Chat => {
            forget(said["tool_calls"].as_array_mut());
            forget(message["tool_calls"].as_array_mut());
        }
    }
    (said, message)
}

fn extends(before: &str, after: &Value) -> bool {
    let before: Value = serde_json::from_str(before).unwrap_or(Value::Null);
    match (&before["content"], &after["content"]) {
        (Value::Array(before), Value::Array(after)) => after.starts_with(before),
        (Value::String(before), Value::String(after)) => after.starts_with(before.as_str()),
        _ => false,
    }
}

/// What the model said comes back unchanged and in order.
fn returned(wire: Wire, said: &Value, message: &Value, at: usize, problems: &mut Problems) {
    match wire {
        Wire::Anthropic => {
            // a blank text may be said, and may not be sent
            let blank = |block: &Value| {
                block["type"] == json!("text") && block["text"].as_str().is_some_and(|text| text.trim().is_empty())
            };
            let said =
                said.as_array().map(|said| said.iter().filter(|block| !blank(block)).cloned().collect::<Vec<_>>());
            let (Some(said), Some(back)) = (said, message["content"].as_array()) else {
                problems.push(format!("message {at} is not the answer that was given"));
                return;
            };
            if said.is_empty() {
                return;
            }
            let same = |(one, other): (&Value, &Value)| {
                let mut other = other.clone();
                if let Some(block) = other.as_object_mut() {
                    block.shift_remove("cache_control");
                }
                let free = one["type"] == json!("tool_use") && one["input"].is_null();
                if free { one["id"] == other["id"] && one["name"] == other["name"] } else { *one == other }
            };
            let unchanged = said.len() == back.len() && said.iter().zip(back).all(same);
            if !unchanged {
                problems.push(format!(
                    "message {at} does not bring back what was said, unchanged and in order: said {}, got {}",
                    Value::Array(said),
                    message["content"]
                ));
            }
        }
        Wire::Chat => {
            let text = message["content"].as_str().unwrap_or_default();
            let empty = Vec::new();
            let said_calls = said["tool_calls"].as_array().unwrap_or(&empty);
            let calls = message["tool_calls"].as_array().unwrap_or(&empty);
            let same = |(one, other): (&Value, &Value)| {
                let json = |call: &Value| {
                    call["function"]["arguments"]
                        .as_str()
                        .is_some_and(|text| serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object()))
                };
                one == other || (!json(one) && one["id"] == other["id"])
            };
            let all = said_calls.len() == calls.len() && said_calls.iter().zip(calls).all(same);
            if (said["content"] != json!("") || !calls.is_empty()) && (said["content"] != json!(text) || !all) {
                problems.push(format!("message {at} does not bring back what was said: said {said}, got {message}"));
            }
        }
    }
}

fn headers(wire: Wire, heard: &Heard) -> Problems {
    let mut problems = Vec::new();
    if heard.header("content-type").is_none_or(|kind| !kind.starts_with("application/json")) {
        problems.push("the content type is not application/json".to_owned());
    }
    let version = heard.header("anthropic-version");
    if wire == Wire::Anthropic && !matches!(version, Some("2023-06-01" | NEWEST)) {
        problems.push("there is no anthropic-version".to_owned());
    }
    problems
}

fn is_name(name: &str) -> bool {
    (1..=64).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

fn tools(wire: Wire, tools: Option<&RawValue>, problems: &mut Problems) {
    let tools: Value = tools.and_then(|tools| serde_json::from_str(tools.get()).ok()).unwrap_or(json!([]));
    let mut names = HashSet::new();
    for tool in tools.as_array().unwrap_or(&Vec::new()) {
        let (tool, schema) = match wire {
            Wire::Anthropic => (tool, &tool["input_schema"]),
            Wire::Chat => (&tool["function"], &tool["function"]["parameters"]),
        };
        let name = tool["name"].as_str().unwrap_or_default();
        if !is_name(name) || !names.insert(name.to_owned()) {
            problems.push(format!("the tool name {name:?} is not allowed or there twice"));
        }
        if schema["type"] != json!("object") {
            problems.push(format!("the schema of {name} is not of an object"));
        }
    }
}

fn marks(value: &Value) -> usize {
    match value {
        Value::Object(members) => {
            members.iter().map(|(name, member)| usize::from(name == "cache_control") + marks(member)).sum()
        }
        Value::Array(items) => items.iter().map(marks).sum(),
        _ => 0,
    }
}

fn anthropic(messages: &[Value], problems: &mut Problems) {
    let mut problem = |at: usize, what: &str| problems.push(format!("message {at}: {what}"));
    let mut open: Vec<String> = Vec::new();
    let mut known = HashSet::new();
    for (at, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if role != ["user", "assistant"][at % 2] {
            problem(at, "the roles do not alternate, beginning with the user");
        }
        let text = message["content"].as_str().map(|text| json!([{"type": "text", "text": text}]));
        let blocks = text.unwrap_or_else(|| message["content"].clone());
        let blocks = blocks.as_array().cloned().unwrap_or_default();
        if blocks.is_empty() {
            problem(at, "it has no content");
        }
        let mut answered = Vec::new();
        let mut other = false;
        for block in &blocks {
            match (role, block["type"].as_str().unwrap_or_default()) {
                (_, "text") if block["text"].as_str().is_none_or(str::is_empty) => problem(at, "a text is empty"),
                ("user", "tool_result") => {
                    if other {
                        problem(at, "a tool result stands after something else");
                    }
                    answered.push(block["tool_use_id"].as_str().unwrap_or_default().to_owned());
                }
                ("assistant", "tool_use") => {
                    let id = block["id"].as_str().unwrap_or_default();
                    if !is_name(id) || !known.insert(id.to_owned()) {
                        problem(at, &format!("the id {id:?} of a tool use is not allowed or there twice"));
                    }
                    if !is_name(block["name"].as_str().unwrap_or_default()) || !block["input"].is_object() {
                        problem(at, "a tool use has no allowed name or no object as its input");
                    }
                }
                ("assistant", "thinking") if block["signature"].as_str().is_none_or(str::is_empty) => {
                    problem(at, "a thinking block lost its signature");
                }
                ("assistant", "tool_result") | ("user", "tool_use" | "thinking" | "redacted_thinking") => {
                    problem(at, "a block is not of its role");
                }
                _ => other = true,
            }
        }
        each_once(&mut open, answered, at, &mut problem);
        if role == "assistant" {
            let ids = blocks.iter().filter(|block| block["type"] == json!("tool_use"));
            open = ids.map(|block| block["id"].as_str().unwrap_or_default().to_owned()).collect();
        }
    }
    if messages.last().is_none_or(|message| message["role"] != json!("user")) {
        problem(messages.len(), "the last message is not the user's");
    }
}

/// Each open call is answered once, and nothing else is.
fn each_once(open: &mut Vec<String>, mut answered: Vec<String>, at: usize, problem: &mut dyn FnMut(usize, &str)) {
    open.sort();
    answered.sort();
    if *open != answered {
        problem(at, &format!("the calls {open:?} are to be answered once each, and answered are {answered:?}"));
    }
    open.clear();
}

fn chat(messages: &[Value], problems: &mut Problems) {
    let mut problem = |at: usize, what: &str| problems.push(format!("message {at}: {what}"));
    let mut open: Vec<String> = Vec::new();
    let mut answered = Vec::new();
    let mut known = HashSet::new();
    let mut last = "";
    for (at, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if role == "tool" {
            answered.push(message["tool_call_id"].as_str().unwrap_or_default().to_owned());
            if message["content"].is_null() {
                problem(at, "a tool result has no content");
            }
        } else {
            each_once(&mut open, std::mem::take(&mut answered), at, &mut problem);
        }
        let follows = match role {
            "system" => at == 0,
            "user" => last != "user",
            "assistant" => matches!(last, "user" | "tool"),
            "tool" => matches!(last, "assistant" | "tool"),
            _ => false,
        };
        if !follows {
            problem(at, &format!("{role:?} does not follow on {last:?}"));
        }
        for call in message["tool_calls"].as_array().unwrap_or(&Vec::new()) {
            let id = call["id"].as_str().unwrap_or_default();
            if id.is_empty() || !known.insert(id.to_owned()) {
                problem(at, &format!("the id {id:?} of a tool call is empty or there twice"));
            }
            let arguments = call["function"]["arguments"].as_str().unwrap_or_default();
            if !serde_json::from_str::<Value>(arguments).is_ok_and(|value| value.is_object()) {
                problem(at, "the arguments of a call are not a JSON object");
            }
            open.push(id.to_owned());
        }
        let nothing = message["content"].as_str().is_none_or(str::is_empty) && message["content"].as_array().is_none();
        if matches!(role, "user" | "assistant") && nothing && open.is_empty() {
            problem(at, "it has no content");
        }
        last = role;
    }
    each_once(&mut open, answered, messages.len(), &mut problem);
    if !matches!(last, "user" | "tool") {
        problem(messages.len(), "the last message is not the user's or a tool's");
    }
}
