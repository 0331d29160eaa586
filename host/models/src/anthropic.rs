//! Anthropic Messages: requests, and the events of a streamed reply. The versions 2023-06-01 and 2026-10-21 of the API are
//! alike in all that is used here.

use crate::{
    block::{Block, quoted, raw},
    config::{Cache, ModelConfig, Wire},
    content::{BadInput, Call, Part, Piece, Said, Tool, ToolResult},
    conversation::Turn,
    error::ModelError,
    failure::Complaint,
    reply::{Happening, Outcome},
    usage::Usage,
};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::collections::BTreeMap;

/// What a reply may be long where the settings say nothing.
const OUTPUT: u64 = 16_384;

const MARK: &str = r#""cache_control":{"type":"ephemeral"}"#;

/// A request up to its messages.
pub(crate) fn front(config: &ModelConfig, system: &str, tools: &[Tool]) -> String {
    let mut body = format!(
        r#"{{"model":{},"max_tokens":{},"stream":true"#,
        quoted(&config.model),
        config.output.unwrap_or(OUTPUT)
    );
    for (name, value) in &config.options {
        body.push_str(&format!(",{}:{value}", quoted(name)));
    }
    if config.cache == Cache::Automatic {
        body.push(',');
        body.push_str(MARK);
    }
    if !tools.is_empty() {
        let tools = tools.iter().map(|tool| {
            let (name, description) = (quoted(&tool.name), quoted(&tool.description));
            format!(r#"{{"name":{name},"description":{description},"input_schema":{}}}"#, tool.schema)
        });
        body.push_str(&format!(r#","tools":[{}]"#, tools.collect::<Vec<_>>().join(",")));
    }
    if !system.trim().is_empty() {
        // What stands before this mark is cached by itself, for other conversations with the same beginning.
        let mark = if config.cache == Cache::Off { String::new() } else { format!(",{MARK}") };
        body.push_str(&format!(r#","system":[{{"type":"text","text":{}{mark}}}]"#, quoted(system)));
    }
    body.push_str(r#","messages":["#);
    body
}

/// A turn as a message.
pub(crate) fn message(turn: &Turn, marked: bool) -> String {
    match turn {
        Turn::Said(said) if said.wire == Wire::Anthropic => {
            format!(r#"{{"role":"assistant","content":{}}}"#, said.raw())
        }
        Turn::Said(said) => format!(r#"{{"role":"assistant","content":[{}]}}"#, said_elsewhere(said)),
        Turn::Told { results, pieces } => {
            let results = results.iter().map(result);
            let pieces = pieces.iter().filter(|piece| !piece.is_blank()).map(piece);
            let mut blocks: Vec<String> = results.chain(pieces).collect();
            if marked && let Some(last) = blocks.last_mut() {
                last.truncate(last.len() - 1);
                last.push_str(&format!(",{MARK}}}"));
            }
            format!(r#"{{"role":"user","content":[{}]}}"#, blocks.join(","))
        }
    }
}

fn piece(piece: &Piece) -> String {
    match piece {
        Piece::Text { text } => format!(r#"{{"type":"text","text":{}}}"#, quoted(text)),
        Piece::Image { media_type, data } => format!(
            r#"{{"type":"image","source":{{"type":"base64","media_type":{},"data":{}}}}}"#,
            quoted(media_type),
            quoted(data)
        ),
    }
}

fn result(result: &ToolResult) -> String {
    let content: Vec<String> = result.content.iter().filter(|piece| !piece.is_blank()).map(piece).collect();
    let mut block = format!(r#"{{"type":"tool_result","tool_use_id":{}"#, quoted(&result.call));
    if !content.is_empty() {
        block.push_str(&format!(r#","content":[{}]"#, content.join(",")));
    }
    if result.failed {
        block.push_str(r#","is_error":true"#);
    }
    block.push('}');
    block
}

/// What a model of another wire said: its text and calls.
fn said_elsewhere(said: &Said) -> String {
    let blocks = said.parts.iter().filter_map(|part| match part {
        Part::Text(text) if text.trim().is_empty() => None,
        Part::Text(text) => Some(format!(r#"{{"type":"text","text":{}}}"#, quoted(text))),
        Part::Call(call) => Some(format!(
            r#"{{"type":"tool_use","id":{},"name":{},"input":{}}}"#,
            quoted(&call.id),
            quoted(&call.name),
            sendable(&call.input)
        )),
        Part::Thinking(_) | Part::Other(_) => None,
    });
    blocks.collect::<Vec<_>>().join(",")
}

/// Arguments as they can be sent back: what is no object goes into one, as the vendor recommends for streamed input.
pub(crate) fn sendable(input: &Result<Value, BadInput>) -> String {
    match input {
        Ok(input) => input.to_string(),
        Err(BadInput::NotJson { raw, .. } | BadInput::NotObject { raw } | BadInput::CutOff { raw }) => {
            format!(r#"{{"INVALID_JSON":{}}}"#, quoted(raw))
        }
    }
}

/// Arguments as the model wrote them.
pub(crate) fn arguments(written: &str) -> Result<Value, BadInput> {
    if written.trim().is_empty() {
        return Ok(Value::Object(serde_json::Map::new()));
    }
    match serde_json::from_str::<Value>(written) {
        Ok(input) if input.is_object() => Ok(input),
        Ok(_) => Err(BadInput::NotObject { raw: written.to_owned() }),
        Err(error) => Err(BadInput::NotJson { raw: written.to_owned(), reason: error.to_string() }),
    }
}

#[derive(Deserialize)]
struct Tagged {
    #[serde(default, rename = "type")]
    kind: String,
}

#[derive(Deserialize)]
struct MessageStart {
    message: StartedMessage,
}

#[derive(Deserialize)]
struct StartedMessage {
    #[serde(default)]
    usage: Option<WireUsage>,
}

#[derive(Deserialize)]
struct BlockStart {
    index: u64,
    content_block: Block,
}

#[derive(Deserialize)]
struct BlockDelta<'a> {
    index: u64,
    #[serde(borrow)]
    delta: &'a RawValue,
}

#[derive(Deserialize)]
struct MessageDelta {
    #[serde(default)]
    delta: StopDelta,
    #[serde(default)]
    usage: Option<WireUsage>,
}

#[derive(Default, Deserialize)]
struct StopDelta {
    #[serde(default)]
    stop_reason: Option<String>,
    #[serde(default)]
    stop_details: Option<Value>,
}

/// Counts are cumulative; one that is left out stays what it was.
#[derive(Default, Deserialize)]
#[serde(default)]
struct WireUsage {
    input_tokens: Option<u64>,
    cache_read_input_tokens: Option<u64>,
    cache_creation_input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    output_tokens_details: Option<Value>,
}

struct Open {
    block: Block,
    kind: String,
    /// The arguments of a call, as they come.
    input: String,
}

/// A reply that is being read.
#[derive(Default)]
pub(crate) struct Reading {
    open: BTreeMap<u64, Open>,
    started: bool,
    stop: Option<String>,
    details: Option<Value>,
    usage: Option<Usage>,
}

fn parsed<'a, T: Deserialize<'a>>(data: &'a str) -> Result<T, ModelError> {
    serde_json::from_str(data).map_err(|error| ModelError::Unreadable { reason: error.to_string() })
}

impl Reading {
    /// Read an event. Whether the reply is at its end.
    pub(crate) fn event(
        &mut self,
        data: &str,
        watch: &mut (dyn FnMut(Happening<'_>) + Send),
    ) -> Result<bool, ModelError> {
        let kind = parsed::<Tagged>(data)?.kind;
        match kind.as_str() {
            "message_start" => {
                self.started = true;
                self.count(parsed::<MessageStart>(data)?.message.usage);
            }
            "content_block_start" => self.block_start(parsed(data)?, watch),
            "content_block_delta" => self.block_delta(&parsed(data)?, watch)?,
            "content_block_stop" | "ping" => {}
            "message_delta" => {
                let message: MessageDelta = parsed(data)?;
                self.stop = message.delta.stop_reason.or_else(|| self.stop.take());
                self.details = message.delta.stop_details.or_else(|| self.details.take());
                self.count(message.usage);
            }
            "message_stop" => {
                return match self.started {
                    true => Ok(true),
                    false => Err(ModelError::Unreadable { reason: "it ends without having begun".to_owned() }),
                };
            }
            "error" => return Err(Complaint::of(&parsed(data)?, None).in_stream()),
            other => watch(Happening::Unknown { what: &format!("event {other}") }),
        }
        Ok(false)
    }

    fn count(&mut self, usage: Option<WireUsage>) {
        let Some(counts) = usage else { return };
        let usage = self.usage.get_or_insert_default();
        let set = |to: &mut u64, count: Option<u64>| *to = count.unwrap_or(*to);
        set(&mut usage.input, counts.input_tokens);
        set(&mut usage.cache_read, counts.cache_read_input_tokens);
        set(&mut usage.cache_write, counts.cache_creation_input_tokens);
        set(&mut usage.output, counts.output_tokens);
        let thinking = counts.output_tokens_details.and_then(|details| details["thinking_tokens"].as_u64());
        set(&mut usage.thinking, thinking);
    }

    fn block_start(&mut self, start: BlockStart, watch: &mut (dyn FnMut(Happening<'_>) + Send)) {
        let BlockStart { index, content_block: block } = start;
        let kind = block.text("type").unwrap_or_default();
        match kind.as_str() {
            "text" => {
                if let Some(text) = block.text("text").filter(|text| !text.is_empty()) {
                    watch(Happening::Text(&text));
                }
            }
            "tool_use" => watch(Happening::Call { name: &block.text("name").unwrap_or_default() }),
            "thinking" | "redacted_thinking" => {}
            other => watch(Happening::Unknown { what: &format!("block {other}") }),
        }
        self.open.insert(index, Open { block, kind, input: String::new() });
    }

    fn block_delta(
        &mut self,
        delta: &BlockDelta<'_>,
        watch: &mut (dyn FnMut(Happening<'_>) + Send),
    ) -> Result<(), ModelError> {
        let Some(open) = self.open.get_mut(&delta.index) else {
            return Err(ModelError::Unreadable {
                reason: format!("block {} goes on without having begun", delta.index),
            });
        };
        let delta: Block = parsed(delta.delta.get())?;
        let kind = delta.text("type").unwrap_or_default();
        match kind.as_str() {
            "text_delta" => {
                watch(Happening::Text(&delta.text("text").unwrap_or_default()));
                open.block.add("text", &raw(delta.json_of("text")));
            }
            "thinking_delta" => {
                watch(Happening::Thinking(&delta.text("thinking").unwrap_or_default()));
                open.block.add("thinking", &raw(delta.json_of("thinking")));
            }
            // it comes whole, and takes the place of what the start held
            "signature_delta" => open.block.set("signature", raw(delta.json_of("signature"))),
            "input_json_delta" => {
                let more = delta.text("partial_json").unwrap_or_default();
                if open.kind == "tool_use" {
                    watch(Happening::Input(&more));
                }
                open.input.push_str(&more);
            }
            "citations_delta" => open.block.push("citations", &raw(delta.json_of("citation"))),
            other => {
                watch(Happening::Unknown { what: &format!("delta {other}") });
                for name in delta.names().filter(|name| *name != "type") {
                    open.block.add(name, &raw(delta.json_of(name)));
                }
            }
        }
        Ok(())
    }

    /// What has been used so far, as far as the server said.
    pub(crate) const fn usage(&self) -> Option<Usage> {
        self.usage
    }

    /// The whole of it. `id` turns a call's id into one that can be used.
    pub(crate) fn whole(self, mut id: impl FnMut(&str) -> String) -> (Said, Outcome) {
        let stop = self.stop.unwrap_or_default();
        let cut = stop == "max_tokens" || stop == "model_context_window_exceeded" || stop == "refusal";
        let last = self.open.keys().next_back().copied();
        let (mut parts, mut blocks, mut in_call) = (Vec::new(), Vec::new(), false);
        for (index, open) in self.open {
            let Open { mut block, kind, input } = open;
            match kind.as_str() {
                "text" => {
                    let text = block.text("text").unwrap_or_default();
                    // a blank text may come, and may not be sent
                    if text.trim().is_empty() {
                        continue;
                    }
                    parts.push(Part::Text(text));
                }
                "thinking" => parts.push(Part::Thinking(block.text("thinking").unwrap_or_default())),
                "tool_use" => {
                    let mut arguments = match input.is_empty() {
                        true => arguments(&block.json_of("input")),
                        false => arguments(&input),
                    };
                    if cut && last == Some(index) {
                        in_call = true;
                        arguments = Err(BadInput::CutOff { raw: input.clone() });
                    }
                    let id = id(&block.text("id").unwrap_or_default());
                    block.set_text("id", id.clone());
                    // as it was written, where it is what can be sent
                    let sent = if arguments.is_ok() && !input.trim().is_empty() { input } else { sendable(&arguments) };
                    block.set("input", raw(sent));
                    parts.push(Part::Call(Call { id, name: block.text("name").unwrap_or_default(), input: arguments }));
                }
                other => {
                    if !input.is_empty() {
                        block.set("input", raw(sendable_raw(input)));
                    }
                    parts.push(Part::Other(other.to_owned()));
                }
            }
            blocks.push(block.json());
        }
        let said = Said { wire: Wire::Anthropic, raw: format!("[{}]", blocks.join(",")).into(), parts };
        let outcome = match stop.as_str() {
            "max_tokens" => Outcome::CutOff { in_call },
            "model_context_window_exceeded" => Outcome::ContextFull,
            "refusal" => {
                let reason = self.details.as_ref().and_then(|details| details["explanation"].as_str());
                Outcome::Refused { reason: reason.unwrap_or_default().to_owned() }
            }
            "pause_turn" => Outcome::Paused,
            _ if said.calls().next().is_some() => Outcome::Calls,
            _ if said.is_empty() => Outcome::Empty,
            "end_turn" | "stop_sequence" => Outcome::Finished,
            other => Outcome::Other { reason: other.to_owned() },
        };
        (said, outcome)
    }
}

fn sendable_raw(input: String) -> String {
    if serde_json::from_str::<&RawValue>(&input).is_ok() {
        input
    } else {
        format!(r#"{{"INVALID_JSON":{}}}"#, quoted(&input))
    }
}
