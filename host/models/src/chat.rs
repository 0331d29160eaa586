//! OpenAI's chat completions, as many servers speak them: requests, and the chunks of a streamed reply. Servers differ in
//! what they leave out and what they add, so little is demanded, and what is added is kept and sent back.

use crate::{
    anthropic::{arguments, sendable},
    block::{Block, quoted, raw},
    config::{End, ModelConfig, OutputField, Wire},
    content::{BadInput, Call, Part, Piece, Said, Tool},
    conversation::Turn,
    error::ModelError,
    failure::Complaint,
    reply::{Happening, Outcome},
    usage::Usage,
};
use serde::Deserialize;
use serde_json::Value;

/// Members of a message that hold reasoning, by server.
const REASONING: [&str; 3] = ["reasoning_content", "reasoning", "reasoning_details"];

/// A request up to its messages; the system prompt is the first of them.
pub(crate) fn front(config: &ModelConfig, system: &str, tools: &[Tool]) -> String {
    let mut body =
        format!(r#"{{"model":{},"stream":true,"stream_options":{{"include_usage":true}}"#, quoted(&config.model));
    if let Some(most) = config.output {
        let field = match config.output_field() {
            OutputField::MaxTokens => "max_tokens",
            OutputField::MaxCompletionTokens => "max_completion_tokens",
        };
        body.push_str(&format!(r#","{field}":{most}"#));
    }
    for (name, value) in &config.options {
        body.push_str(&format!(",{}:{value}", quoted(name)));
    }
    if !tools.is_empty() {
        let tools = tools.iter().map(|tool| {
            let (name, description) = (quoted(&tool.name), quoted(&tool.description));
            let function = format!(r#"{{"name":{name},"description":{description},"parameters":{}}}"#, tool.schema);
            format!(r#"{{"type":"function","function":{function}}}"#)
        });
        body.push_str(&format!(r#","tools":[{}]"#, tools.collect::<Vec<_>>().join(",")));
    }
    body.push_str(r#","messages":["#);
    if !system.trim().is_empty() {
        body.push_str(&format!(r#"{{"role":"system","content":{}}}"#, quoted(system)));
    }
    body
}

/// A turn as messages: the results each in one, then what else was said. Pictures of results come with the latter, since
/// results hold text only.
pub(crate) fn messages(turn: &Turn, forget_reasoning: bool) -> String {
    match turn {
        Turn::Said(said) if said.wire == Wire::Chat => match forget_reasoning {
            false => said.raw().to_owned(),
            true => without_reasoning(said.raw()),
        },
        Turn::Said(said) => said_elsewhere(said),
        Turn::Told { results, pieces } => {
            let mut messages = Vec::new();
            let mut pictures = Vec::new();
            for result in results {
                let texts: Vec<&str> = result.content.iter().filter_map(text_of).collect();
                let error = if result.failed { "error: " } else { "" };
                let content = quoted(&format!("{error}{}", texts.join("\n\n")));
                let id = quoted(&result.call);
                messages.push(format!(r#"{{"role":"tool","tool_call_id":{id},"content":{content}}}"#));
                pictures.extend(result.content.iter().filter(|piece| matches!(piece, Piece::Image { .. })));
            }
            let said: Vec<&Piece> =
                pictures.into_iter().chain(pieces.iter().filter(|piece| !piece.is_blank())).collect();
            let texts: Option<Vec<&str>> = said.iter().map(|piece| text_of(piece)).collect();
            match texts {
                _ if said.is_empty() => {}
                // servers that know only text want it so
                Some(texts) => {
                    messages.push(format!(r#"{{"role":"user","content":{}}}"#, quoted(&texts.join("\n\n"))));
                }
                None => {
                    let parts = said.into_iter().map(part).collect::<Vec<_>>().join(",");
                    messages.push(format!(r#"{{"role":"user","content":[{parts}]}}"#));
                }
            }
            messages.join(",")
        }
    }
}

fn text_of(piece: &Piece) -> Option<&str> {
    match piece {
        Piece::Text { text } => Some(text),
        Piece::Image { .. } => None,
    }
}

fn part(piece: &Piece) -> String {
    match piece {
        Piece::Text { text } => format!(r#"{{"type":"text","text":{}}}"#, quoted(text)),
        Piece::Image { media_type, data } => {
            let url = quoted(&format!("data:{media_type};base64,{data}"));
            format!(r#"{{"type":"image_url","image_url":{{"url":{url}}}}}"#)
        }
    }
}

fn without_reasoning(message: &str) -> String {
    match serde_json::from_str::<Block>(message) {
        Ok(mut block) => {
            REASONING.iter().for_each(|name| block.remove(name));
            block.json()
        }
        Err(_) => message.to_owned(),
    }
}

/// What a model of another wire said: its text and calls.
fn said_elsewhere(said: &Said) -> String {
    let calls = said.calls().map(|call| {
        let arguments = quoted(&sendable(&call.input));
        let function = format!(r#"{{"name":{},"arguments":{arguments}}}"#, quoted(&call.name));
        format!(r#"{{"id":{},"type":"function","function":{function}}}"#, quoted(&call.id))
    });
    let calls = calls.collect::<Vec<_>>().join(",");
    let calls = if calls.is_empty() { calls } else { format!(r#","tool_calls":[{calls}]"#) };
    format!(r#"{{"role":"assistant","content":{}{calls}}}"#, quoted(&said.text()))
}

#[derive(Deserialize)]
struct Chunk {
    #[serde(default)]
    choices: Vec<Choice>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice {
    #[serde(default)]
    index: u64,
    #[serde(default)]
    delta: Option<Block>,
    #[serde(default)]
    finish_reason: Option<String>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Counts {
    prompt_tokens: Option<u64>,
    completion_tokens: Option<u64>,
    prompt_tokens_details: Option<Value>,
    completion_tokens_details: Option<Value>,
    /// DeepSeek's name for what was read from the cache.
    prompt_cache_hit_tokens: Option<u64>,
}

/// A call that is being read.
#[derive(Default)]
struct Open {
    index: Option<u64>,
    id: String,
    name: String,
    arguments: String,
    /// What the server added to it, such as a signature.
    more: Block,
}

/// A reply that is being read.
#[derive(Default)]
pub(crate) struct Reading {
    content: String,
    calls: Vec<Open>,
    refusal: String,
    thinking: String,
    more: Block,
    finish: Option<String>,
    usage: Option<Usage>,
}

type Watch<'a> = &'a mut (dyn FnMut(Happening<'_>) + Send);

impl Reading {
    /// Read a chunk. Whether the reply is at its end.
    pub(crate) fn chunk(&mut self, data: &str, watch: Watch<'_>) -> Result<bool, ModelError> {
        if data.trim() == "[DONE]" {
            return match self.finish.is_some() {
                true => Ok(true),
                // it is an end of the stream, but not of a reply
                false => Err(ModelError::Truncated),
            };
        }
        let chunk: Chunk =
            serde_json::from_str(data).map_err(|error| ModelError::Unreadable { reason: error.to_string() })?;
        if let Some(error) = chunk.error {
            return Err(Complaint::of(&error, None).in_stream());
        }
        if let Some(counts) = chunk.usage {
            self.count(&counts);
        }
        for choice in chunk.choices.into_iter().filter(|choice| choice.index == 0) {
            if let Some(delta) = choice.delta {
                self.delta(delta, watch);
            }
            if let Some(finish) = choice.finish_reason {
                if finish == "error" {
                    let said = "the model behind the server failed".to_owned();
                    return Err(ModelError::ServerFault { status: None, said, retry_after: None });
                }
                self.finish = Some(finish);
            }
        }
        Ok(false)
    }

    /// Whether the end of the body is an end of the reply.
    pub(crate) fn may_end(&self, end: End) -> bool {
        end == End::FinishReason && self.finish.is_some()
    }

    fn count(&mut self, counts: &Counts) {
        let detail = |details: &Option<Value>, name: &str| details.as_ref().and_then(|details| details[name].as_u64());
        let prompt = counts.prompt_tokens.unwrap_or_default();
        let cached = detail(&counts.prompt_tokens_details, "cached_tokens").or(counts.prompt_cache_hit_tokens);
        let cache_read = cached.unwrap_or_default().min(prompt);
        self.usage = Some(Usage {
            input: prompt - cache_read,
            cache_read,
            cache_write: 0,
            output: counts.completion_tokens.unwrap_or_default(),
            thinking: detail(&counts.completion_tokens_details, "reasoning_tokens").unwrap_or_default(),
        });
    }

    fn delta(&mut self, delta: Block, watch: Watch<'_>) {
        for name in delta.names() {
            let json = delta.json_of(name);
            if json == "null" {
                continue;
            }
            match name {
                "role" => {}
                "content" => self.text(&json, watch),
                "refusal" => self.refusal.push_str(&delta.text(name).unwrap_or_default()),
                "tool_calls" => {
                    for call in serde_json::from_str::<Vec<Block>>(&json).unwrap_or_default() {
                        self.call(&call, watch);
                    }
                }
                other => {
                    if let Some(text) = delta.text(other).filter(|_| REASONING.contains(&other)) {
                        // some servers send the same under two names
                        if other != "reasoning" || !delta.names().any(|name| name == "reasoning_content") {
                            watch(Happening::Thinking(&text));
                            self.thinking.push_str(&text);
                        }
                    } else if !REASONING.contains(&other) {
                        watch(Happening::Unknown { what: &format!("delta {other}") });
                    }
                    self.more.add(other, &raw(json));
                }
            }
        }
    }

    /// The content: text, or (Mistral) a list of parts.
    fn text(&mut self, json: &str, watch: Watch<'_>) {
        let texts = match serde_json::from_str::<Value>(json) {
            Ok(Value::String(text)) => vec![text],
            Ok(Value::Array(parts)) => {
                parts.iter().filter_map(|part| part["text"].as_str().map(str::to_owned)).collect()
            }
            _ => Vec::new(),
        };
        for text in texts.iter().filter(|text| !text.is_empty()) {
            watch(Happening::Text(text));
            self.content.push_str(text);
        }
    }

    /// A piece of a call. It belongs to the call of its index; where servers give every call the same index or none, a new
    /// id begins a new call.
    fn call(&mut self, piece: &Block, watch: Watch<'_>) {
        let index = piece.json_of("index").parse().ok();
        let id = piece.text("id").unwrap_or_default();
        let same = |open: &Open| match index {
            Some(index) => open.index == Some(index) && (id.is_empty() || open.id.is_empty() || open.id == id),
            None => id.is_empty() || open.id == id,
        };
        let at = self.calls.iter().rposition(same);
        let fresh = at.is_none();
        if fresh {
            self.calls.push(Open { index, ..Open::default() });
        }
        let last = self.calls.len() - 1;
        let Some(open) = self.calls.get_mut(at.unwrap_or(last)) else { return };
        if open.id.is_empty() {
            open.id = id;
        }
        for name in piece.names() {
            match name {
                "index" | "id" | "type" => {}
                "function" => {
                    let Ok(function) = serde_json::from_str::<Block>(&piece.json_of(name)) else { continue };
                    // a name may come again with each piece
                    if let Some(more) = function.text("name").filter(|more| *more != open.name) {
                        open.name.push_str(&more);
                    }
                    // it is a string of JSON, and with some servers JSON itself
                    let more = match function.text("arguments") {
                        Some(text) => text,
                        None => Some(function.json_of("arguments")).filter(|json| json != "null").unwrap_or_default(),
                    };
                    if fresh {
                        watch(Happening::Call { name: &open.name });
                    }
                    if !more.is_empty() {
                        watch(Happening::Input(&more));
                        open.arguments.push_str(&more);
                    }
                }
                other => open.more.add(other, &raw(piece.json_of(other))),
            }
        }
    }

    /// What has been used so far, as far as the server said.
    pub(crate) const fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// The whole of it. `id` turns a call's id into one that can be used.
    pub(crate) fn whole(self, mut id: impl FnMut(&str) -> String) -> (Said, Outcome) {
        let finish = self.finish.unwrap_or_default();
        let cut = matches!(finish.as_str(), "length" | "content_filter");
        let mut parts = Vec::new();
        if !self.thinking.is_empty() {
            parts.push(Part::Thinking(self.thinking));
        }
        if !self.content.trim().is_empty() {
            parts.push(Part::Text(self.content.clone()));
        }
        let (mut calls, count, mut in_call) = (Vec::new(), self.calls.len(), false);
        for (at, open) in self.calls.into_iter().enumerate() {
            let mut input = arguments(&open.arguments);
            if cut && at + 1 == count {
                in_call = true;
                input = Err(BadInput::CutOff { raw: open.arguments.clone() });
            }
            let id = id(&open.id);
            let as_written = input.is_ok() && !open.arguments.trim().is_empty();
            let sent = if as_written { open.arguments } else { sendable(&input) };
            let function = format!(r#"{{"name":{},"arguments":{}}}"#, quoted(&open.name), quoted(&sent));
            let mut call: Block = Block::default();
            call.set_text("id", id.clone());
            call.set_text("type", "function".to_owned());
            call.set("function", raw(function));
            call.extend(open.more);
            calls.push(call.json());
            parts.push(Part::Call(Call { id, name: open.name, input }));
        }
        let mut message = Block::default();
        message.set_text("role", "assistant".to_owned());
        message.set_text("content", self.content);
        message.extend(self.more);
        if !calls.is_empty() {
            message.set("tool_calls", raw(format!("[{}]", calls.join(","))));
        }
        let said = Said { wire: Wire::Chat, raw: message.json().into(), parts };
        let outcome = match finish.as_str() {
            "length" => Outcome::CutOff { in_call },
            "content_filter" => Outcome::Refused { reason: self.refusal },
            _ if !self.refusal.is_empty() => Outcome::Refused { reason: self.refusal },
            _ if said.calls().next().is_some() => Outcome::Calls,
            _ if said.is_empty() => Outcome::Empty,
            "stop" => Outcome::Finished,
            other => Outcome::Other { reason: other.to_owned() },
        };
        (said, outcome)
    }
}
