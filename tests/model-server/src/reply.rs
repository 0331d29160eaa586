//! What the model says, and its wire form as a row of events.

use crate::{
    gate::{Opener, gate},
    http::{Answer, Piece, Said},
};
use serde_json::{Value, json};

/// The two wires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wire {
    /// Anthropic Messages.
    Anthropic,
    /// OpenAI's chat completions.
    Chat,
}

/// Why the model stops.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is done, or calls tools: whichever the content says.
    Natural,
    /// It reached the limit of its output.
    MaxTokens,
    /// It declines.
    Refusal,
    /// The context is full.
    ContextFull,
    /// Another reason, as the wire spells it.
    Other(String),
}

#[derive(Clone, Debug)]
enum Part {
    Text(String),
    Thinking(String, String),
    Redacted(String),
    Call {
        id: String,
        name: String,
        input: String,
    },
    /// A whole block that only Anthropic's wire has.
    Block(Value),
}

/// What the model says, on either wire.
#[derive(Clone, Debug)]
pub struct Reply {
    parts: Vec<Part>,
    stop: Stop,
    usage: [u64; 4],
}

impl Default for Reply {
    fn default() -> Self {
        Self::new()
    }
}

impl Reply {
    /// Nothing yet.
    pub const fn new() -> Self {
        Self { parts: Vec::new(), stop: Stop::Natural, usage: [100, 0, 0, 20] }
    }

    fn with(mut self, part: Part) -> Self {
        self.parts.push(part);
        self
    }

    /// Text.
    pub fn text(self, text: &str) -> Self {
        self.with(Part::Text(text.to_owned()))
    }

    /// Thinking with its signature. Chat completions have no signature; there it is `reasoning_content`.
    pub fn thinking(self, text: &str, signature: &str) -> Self {
        self.with(Part::Thinking(text.to_owned(), signature.to_owned()))
    }

    /// Thinking that only the vendor can read (Anthropic).
    pub fn redacted(self, data: &str) -> Self {
        self.with(Part::Redacted(data.to_owned()))
    }

    /// A tool call. `input` is JSON, or not.
    pub fn call(self, id: &str, name: &str, input: &str) -> Self {
        self.with(Part::Call { id: id.to_owned(), name: name.to_owned(), input: input.to_owned() })
    }

    /// A block of any kind (Anthropic).
    pub fn block(self, block: Value) -> Self {
        self.with(Part::Block(block))
    }

    /// It stops for this reason.
    pub fn stop(mut self, stop: Stop) -> Self {
        self.stop = stop;
        self
    }

    /// Tokens: input that is not cached, read from the cache, written to the cache, output.
    pub const fn usage(mut self, input: u64, read: u64, written: u64, output: u64) -> Self {
        self.usage = [input, read, written, output];
        self
    }

    fn calls(&self) -> bool {
        self.parts.iter().any(|part| matches!(part, Part::Call { .. }))
    }

    fn reason(&self, wire: Wire) -> String {
        let (anthropic, chat) = match &self.stop {
            Stop::Natural if self.calls() => ("tool_use", "tool_calls"),
            Stop::Natural => ("end_turn", "stop"),
            Stop::MaxTokens => ("max_tokens", "length"),
            Stop::Refusal => ("refusal", "content_filter"),
            Stop::ContextFull => ("model_context_window_exceeded", "length"),
            Stop::Other(reason) => (reason.as_str(), reason.as_str()),
        };
        if wire == Wire::Anthropic { anthropic } else { chat }.to_owned()
    }

    /// The assistant message that must come back in the next request: the content blocks (Anthropic), or the message
    /// (chat). Arguments that were no object have `null` there, for anything goes.
    pub(crate) fn expected(&self, wire: Wire) -> Value {
        match wire {
            Wire::Anthropic => self.parts.iter().map(Part::block).collect(),
            Wire::Chat => {
                let text: String = self.parts.iter().filter_map(Part::said).collect();
                let calls: Vec<Value> = self.parts.iter().filter_map(Part::chat_call).collect();
                json!({"content": text, "tool_calls": calls})
            }
        }
    }

    /// As a whole, for a client that does not stream.
    pub(crate) fn whole(&self, wire: Wire) -> Value {
        let [input, read, written, output] = self.usage;
        match wire {
            Wire::Anthropic => json!({
                "id": "msg_1", "type": "message", "role": "assistant", "model": "scripted", "content": self.expected(wire),
                "stop_reason": self.reason(wire), "stop_sequence": null,
                "usage": {"input_tokens": input, "cache_read_input_tokens": read, "cache_creation_input_tokens": written,
                    "output_tokens": output},
            }),
            Wire::Chat => {
                let expected = self.expected(wire);
                let mut message = json!({"role": "assistant", "content": expected["content"], "refusal": null});
                if self.calls() {
                    message["tool_calls"] = expected["tool_calls"].clone();
                }
                json!({
                    "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "scripted",
                    "choices": [{"index": 0, "message": message, "finish_reason": self.reason(wire), "logprobs": null}],
                    "usage": self.chat_usage(),
                })
            }
        }
    }

    fn chat_usage(&self) -> Value {
        let [input, read, written, output] = self.usage;
        let prompt = input + read + written;
        json!({"prompt_tokens": prompt, "completion_tokens": output, "total_tokens": prompt + output,
            "prompt_tokens_details": {"cached_tokens": read}})
    }
}

impl Part {
    fn block(&self) -> Value {
        match self {
            Self::Text(text) => json!({"type": "text", "text": text}),
            Self::Thinking(text, signature) => json!({"type": "thinking", "thinking": text, "signature": signature}),
            Self::Redacted(data) => json!({"type": "redacted_thinking", "data": data}),
            Self::Call { id, name, input } => {
                let input = if input.is_empty() { Ok(json!({})) } else { serde_json::from_str::<Value>(input) };
                let input = input.ok().filter(Value::is_object);
                json!({"type": "tool_use", "id": id, "name": name, "input": input})
            }
            Self::Block(block) => block.clone(),
        }
    }

    fn said(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    fn chat_call(&self) -> Option<Value> {
        let Self::Call { id, name, input } = self else { return None };
        Some(json!({"id": id, "type": "function", "function": {"name": name, "arguments": input}}))
    }

    /// The block as it begins, and the deltas that complete it.
    fn streamed(&self) -> (Value, Vec<Value>) {
        let halves = |text: &str| -> Vec<String> {
            let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(at, _)| at);
            let (one, other) = text.split_at(middle);
            [one, other].into_iter().filter(|half| !half.is_empty()).map(str::to_owned).collect()
        };
        match self {
            Self::Text(text) => (
                json!({"type": "text", "text": ""}),
                halves(text).iter().map(|half| json!({"type": "text_delta", "text": half})).collect(),
            ),
            Self::Thinking(text, signature) => {
                let mut deltas: Vec<Value> =
                    halves(text).iter().map(|half| json!({"type": "thinking_delta", "thinking": half})).collect();
                deltas.push(json!({"type": "signature_delta", "signature": signature}));
                (json!({"type": "thinking", "thinking": "", "signature": ""}), deltas)
            }
            Self::Call { id, name, input } => (
                json!({"type": "tool_use", "id": id, "name": name, "input": {}}),
                halves(input).iter().map(|half| json!({"type": "input_json_delta", "partial_json": half})).collect(),
            ),
            Self::Redacted(_) | Self::Block(_) => (self.block(), Vec::new()),
        }
    }
}

/// The events of an answer, to be cut, broken and gated.
#[derive(Debug)]
pub struct Stream {
    pieces: Vec<Piece>,
    said: Said,
}

impl Stream {
    /// The events of a reply, a piece each. On Anthropic's wire: `message_start`, then for each block its start, its
    /// deltas (text and input in two halves) and its stop, then `message_delta` and `message_stop`. On the other: the role,
    /// the deltas, the finish, the usage and `[DONE]`.
    pub fn of(wire: Wire, reply: &Reply) -> Self {
        let stream = match wire {
            Wire::Anthropic => anthropic(reply),
            Wire::Chat => chat(reply),
        };
        Self { said: Said::This(reply.expected(wire)), ..stream }
    }

    /// Of these bytes.
    pub fn raw(pieces: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { pieces: pieces.into_iter().map(Piece::Bytes).collect(), said: Said::Anything }
    }

    /// With other bytes for the same words.
    fn spelled(self, pieces: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { said: self.said, ..Self::raw(pieces) }
    }

    /// How many pieces there are.
    pub const fn len(&self) -> usize {
        self.pieces.len()
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.pieces.is_empty()
    }

    /// With something more before piece `at`.
    pub fn insert(mut self, at: usize, bytes: &str) -> Self {
        self.pieces.insert(at, Piece::Bytes(bytes.as_bytes().to_vec()));
        self
    }

    /// Without piece `at`.
    pub fn without(mut self, at: usize) -> Self {
        self.pieces.remove(at);
        self.said = Said::Anything;
        self
    }

    /// Only the first `at` pieces, and then this.
    pub fn then(mut self, at: usize, piece: Piece) -> Self {
        self.pieces.truncate(at);
        self.pieces.push(piece);
        self.said = Said::Nothing;
        self
    }

    /// Only the first `at` pieces, and a clean end of the body.
    pub fn ends_at(mut self, at: usize) -> Self {
        self.pieces.truncate(at);
        self.said = Said::Nothing;
        self
    }

    /// With a gate before piece `at`.
    pub fn gated(mut self, at: usize) -> (Self, Opener) {
        let (gate, opener) = gate();
        self.pieces.insert(at, Piece::Gate(gate));
        (self, opener)
    }

    /// All of its bytes in pieces of `size`.
    pub fn cut_every(self, size: usize) -> Self {
        let bytes = self.bytes();
        self.spelled(bytes.chunks(size).map(<[u8]>::to_vec))
    }

    /// With carriage returns before the line feeds.
    pub fn crlf(self) -> Self {
        let text = String::from_utf8(self.bytes()).expect("events are text");
        self.spelled([text.replace('\n', "\r\n").into_bytes()])
    }

    /// All of its bytes.
    pub fn bytes(&self) -> Vec<u8> {
        let bytes =
            self.pieces.iter().filter_map(|piece| if let Piece::Bytes(bytes) = piece { Some(bytes) } else { None });
        bytes.flatten().copied().collect()
    }

    /// As an answer.
    pub fn answer(self) -> Answer {
        Answer::of(200, "text/event-stream; charset=utf-8", self.pieces, self.said)
    }
}

/// An event of Anthropic's wire.
pub fn event(data: &Value) -> Vec<u8> {
    let kind = data["type"].as_str().unwrap_or_default();
    format!("event: {kind}\ndata: {data}\n\n").into_bytes()
}

/// An event of the other wire.
pub fn chunk(data: &Value) -> Vec<u8> {
    format!("data: {data}\n\n").into_bytes()
}

fn anthropic(reply: &Reply) -> Stream {
    let [input, read, written, output] = reply.usage;
    let mut events = vec![json!({"type": "message_start", "message": {
        "id": "msg_1", "type": "message", "role": "assistant", "model": "scripted", "content": [],
        "stop_reason": null, "stop_sequence": null,
        "usage": {"input_tokens": input, "cache_read_input_tokens": read, "cache_creation_input_tokens": written,
            "output_tokens": 1},
    }})];
    for (index, part) in reply.parts.iter().enumerate() {
        let (start, deltas) = part.streamed();
        events.push(json!({"type": "content_block_start", "index": index, "content_block": start}));
        events.extend(
            deltas.into_iter().map(|delta| json!({"type": "content_block_delta", "index": index, "delta": delta})),
        );
        events.push(json!({"type": "content_block_stop", "index": index}));
    }
    events.push(json!({"type": "message_delta",
        "delta": {"stop_reason": reply.reason(Wire::Anthropic), "stop_sequence": null}, "usage": {"output_tokens": output}}));
    events.push(json!({"type": "message_stop"}));
    Stream::raw(events.iter().map(event))
}

fn chat(reply: &Reply) -> Stream {
    let chunk_of = |delta: Value, reason: Option<String>| {
        json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted",
            "choices": [{"index": 0, "delta": delta, "finish_reason": reason}]})
    };
    let mut chunks = vec![chunk_of(json!({"role": "assistant", "content": ""}), None)];
    let mut calls = 0;
    for part in &reply.parts {
        for delta in part.streamed().1 {
            chunks.push(match delta["type"].as_str() {
                Some("text_delta") => chunk_of(json!({"content": delta["text"]}), None),
                Some("thinking_delta") => chunk_of(json!({"reasoning_content": delta["thinking"]}), None),
                _ => continue,
            });
        }
        if let Part::Call { id, name, .. } = part {
            let function = json!({"name": name, "arguments": ""});
            let call = json!({"index": calls, "id": id, "type": "function", "function": function});
            chunks.push(chunk_of(json!({"tool_calls": [call]}), None));
            for delta in part.streamed().1 {
                let call = json!({"index": calls, "function": {"arguments": delta["partial_json"]}});
                chunks.push(chunk_of(json!({"tool_calls": [call]}), None));
            }
            calls += 1;
        }
    }
    chunks.push(chunk_of(json!({}), Some(reply.reason(Wire::Chat))));
    chunks.push(json!({"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "scripted",
        "choices": [], "usage": reply.chat_usage()}));
    Stream::raw(chunks.iter().map(chunk).chain([b"data: [DONE]\n\n".to_vec()]))
}
