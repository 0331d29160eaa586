//! Conversations of plugins with the models of the task. Each has a record of its own, as sub-agents have; what it uses comes
//! out of the budget of the call that it belongs to.

use super::{delegate::Staff, serving::used_up};
use deskhand_agent::{
    Meter, Scribe,
    budget::{Amounts, Measure},
};
use deskhand_egress::EgressError;
use deskhand_models::{
    BadInput, Conversation, Failure, Happening, Misplaced, Model, ModelError, Money, Outcome, Part, Piece, Reply,
    ToolResult, Usage,
};
use deskhand_runtime::{Body, Code, Content, ModelCall, ModelReply, Models, Opening, Refused, Talk, ToolOutput};
use deskhand_tools::piece;
use deskhand_vocabulary::{Entry, Event, Log as _, PluginId, Stop, TaskId, text::shortened};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, RecvTimeoutError, channel},
    },
    time::{Duration, Instant},
};
use tokio::task::AbortHandle;

/// How often it is looked whether the person has stopped it.
const LOOK: Duration = Duration::from_millis(50);
/// The most of what was said first that names a conversation in the record, in characters.
const NAMED: usize = 200;

/// Who speaks for plugins.
pub(super) struct Sampling {
    pub(super) staff: Arc<Staff>,
    pub(super) meter: Meter,
}

impl Models for Sampling {
    fn start(&self, opening: &Opening) -> Result<Box<dyn Talk>, Refused> {
        let (mut tools, mut names) = (Vec::new(), HashMap::new());
        for asked in &opening.tools {
            let tool = self.staff.kit.plugins.tools.told(asked).ok_or_else(|| {
                let message = format!("no tool, or more than one, is called `{}`", shortened(asked, 100));
                Refused::new(Code::NotFound, message)
            })?;
            names.insert(tool.told.name.clone(), asked.clone());
            tools.push(tool.told);
        }
        let conversation = Conversation::new(opening.system.as_str(), tools).map_err(misplaced)?;
        Ok(Box::new(Talking {
            model: Arc::clone(self.staff.models.of(opening.tier)),
            staff: Arc::clone(&self.staff),
            meter: self.meter.clone(),
            plugin: opening.plugin.clone(),
            conversation,
            names,
            results: Vec::new(),
            record: None,
            turn: None,
        }))
    }
}

struct Talking {
    model: Arc<dyn Model>,
    staff: Arc<Staff>,
    meter: Meter,
    plugin: PluginId,
    conversation: Conversation,
    /// What the plugin calls a tool, by what the model calls it.
    names: HashMap<String, String>,
    /// The answers of calls, until all are there.
    results: Vec<ToolResult>,
    record: Option<TaskId>,
    turn: Option<Turn>,
}

/// A reply under way.
struct Turn {
    /// Its text, and then the whole.
    heard: Mutex<Receiver<Heard>>,
    under_way: AbortHandle,
    begun: Instant,
    /// The end of it, once it was heard.
    ended: Option<Result<Reply, Box<Failure>>>,
}

enum Heard {
    Text(String),
    Ended(Result<Reply, Box<Failure>>),
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.under_way.abort();
    }
}

impl Drop for Talking {
    fn drop(&mut self) {
        if let Some(task) = self.record {
            let event = Event::TaskEnded { outcome: "done".to_owned() };
            self.staff.records.queue(Entry { task: Some(task), event, content: None });
        }
    }
}

impl Turn {
    /// The next of it; nothing after its end.
    fn next(&mut self, stop: &Stop) -> Result<Option<String>, Refused> {
        while self.ended.is_none() {
            match self.heard.get_mut().unwrap_or_else(PoisonError::into_inner).recv_timeout(LOOK) {
                Ok(Heard::Text(text)) => return Ok(Some(text)),
                Ok(Heard::Ended(ended)) => self.ended = Some(ended),
                Err(RecvTimeoutError::Timeout) if stop.is_stopped() => {
                    return Err(Refused::new(Code::Cancelled, "stopped by the person"));
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Refused::new(Code::Unavailable, "the model's reply broke off"));
                }
            }
        }
        Ok(None)
    }
}

impl Talking {
    /// The record of this conversation, begun with what is said first.
    fn record(&mut self, pieces: &[Piece]) -> Result<TaskId, Refused> {
        if let Some(task) = self.record {
            return Ok(task);
        }
        let said = pieces.iter().find_map(|piece| match piece {
            Piece::Text { text } => Some(shortened(text, NAMED)),
            Piece::Image { .. } => None,
        });
        let content =
            json!({"request": said.unwrap_or_default(), "folders": [], "part-of": self.staff.task, "by": self.plugin});
        let task = self.staff.records.start_task(content);
        let task = task.map_err(|error| Refused::new(Code::Failed, error.to_string()))?;
        self.record = Some(task);
        Ok(task)
    }

    /// The reply under way, begun where there is none.
    fn turn(&mut self) -> Result<&mut Turn, Refused> {
        let turn = match self.turn.take() {
            Some(turn) => turn,
            None => self.begin()?,
        };
        Ok(self.turn.insert(turn))
    }

    fn begin(&self) -> Result<Turn, Refused> {
        if let Some(measure) = self.meter.over() {
            return Err(used_up(measure));
        }
        let (said, heard) = channel();
        let (model, conversation) = (Arc::clone(&self.model), self.conversation.clone());
        let speaking = self.staff.handle.spawn(async move {
            let texts = said.clone();
            let mut watch = move |happening: Happening<'_>| {
                if let Happening::Text(text) = happening {
                    // a plugin that is gone hears nothing more
                    let _ = texts.send(Heard::Text(text.to_owned()));
                }
            };
            let reply = model.reply(&conversation, &mut watch).await;
            let _ = said.send(Heard::Ended(reply.map_err(Box::new)));
        });
        Ok(Turn { heard: Mutex::new(heard), under_way: speaking.abort_handle(), begun: Instant::now(), ended: None })
    }

    /// Put on record and count what a reply used that never came to its end.
    fn failed(&self, failure: &Failure, took: Duration) {
        if let Some(entry) = self.record.and_then(|task| Scribe(task).failed(failure, took)) {
            self.staff.records.queue(entry);
            self.spend(&failure.spent, failure.cost);
        }
    }

    fn spend(&self, used: &Usage, cost: Option<Money>) {
        for (measure, amount) in
            [(Measure::Tokens, used.total()), (Measure::Money, cost.map_or(0, |money| money.0)), (Measure::Steps, 1)]
        {
            self.meter.spend(Amounts::of(measure, amount));
        }
    }

    /// Put a reply on record, count it, and keep it.
    fn replied(&mut self, reply: &Reply, took: Duration) -> Result<(), Refused> {
        let kept = !reply.said.is_empty() && !matches!(reply.outcome, Outcome::Refused { .. });
        if let Some(task) = self.record {
            self.staff.records.queue(Scribe(task).replied(&self.model.config().model, reply, kept, took));
        }
        self.spend(&reply.spent, reply.cost);
        if kept {
            self.conversation.accept(reply.said.clone()).map_err(misplaced)?;
        }
        Ok(())
    }
}

impl Talk for Talking {
    fn say(&mut self, content: Vec<Content>) -> Result<(), Refused> {
        let pieces: Vec<Piece> = content.into_iter().map(piece).collect();
        let task = self.record(&pieces)?;
        self.conversation.say(pieces.clone()).map_err(misplaced)?;
        self.staff.records.queue(Scribe(task).told("host", &pieces));
        Ok(())
    }

    fn answer(&mut self, tool_use: &str, output: Result<ToolOutput, Refused>) -> Result<(), Refused> {
        let open: Vec<String> = self.conversation.open_calls().into_iter().map(|call| call.id.clone()).collect();
        if !open.iter().any(|id| id == tool_use) || self.results.iter().any(|result| result.call == tool_use) {
            let call = shortened(tool_use, 100);
            return Err(misplaced(Misplaced::NoSuchCall { call }));
        }
        let (content, failed) = match output {
            Ok(output) => {
                let alone = output.content.is_empty();
                let structured = output.structured.filter(|_| alone).map(Piece::text);
                (output.content.into_iter().map(piece).chain(structured).collect(), false)
            }
            Err(refused) => (vec![Piece::text(refused.message)], true),
        };
        self.results.push(ToolResult { call: tool_use.to_owned(), content, failed });
        if self.results.len() == open.len() {
            self.conversation.answer(std::mem::take(&mut self.results)).map_err(misplaced)?;
        }
        Ok(())
    }

    fn next(&mut self, stop: &Stop) -> Result<ModelReply, Refused> {
        let turn = self.turn()?;
        while turn.next(stop)?.is_some() {}
        let took = turn.begun.elapsed();
        let ended = self.turn.take().and_then(|mut turn| turn.ended.take());
        let broke = || Refused::new(Code::Unavailable, "the model's reply broke off");
        let reply = match ended.ok_or_else(broke)? {
            Ok(reply) => reply,
            Err(failure) => {
                self.failed(&failure, took);
                return Err(of_failure(&failure));
            }
        };
        self.replied(&reply, took)?;
        Ok(self.told(&reply))
    }

    fn piece(&mut self, stop: &Stop) -> Result<Option<String>, Refused> {
        self.turn()?.next(stop)
    }
}

impl Talking {
    /// A reply, as the plugin is told of it.
    fn told(&self, reply: &Reply) -> ModelReply {
        let texts = reply.said.parts().iter().filter_map(|part| match part {
            Part::Text(text) => {
                Some(Content { media_type: "text/markdown".to_owned(), body: Body::Text(text.clone()) })
            }
            Part::Thinking(_) | Part::Call(_) | Part::Other(_) => None,
        });
        let calls = reply.said.calls().map(|call| ModelCall {
            id: call.id.clone(),
            tool: self.names.get(&call.name).unwrap_or(&call.name).clone(),
            // what is no object is for the plugin to see, and for its tool to refuse
            arguments: match &call.input {
                Ok(input) => input.to_string(),
                Err(BadInput::NotJson { raw, .. } | BadInput::NotObject { raw } | BadInput::CutOff { raw }) => {
                    Value::String(raw.clone()).to_string()
                }
            },
        });
        let stop = match &reply.outcome {
            Outcome::Finished | Outcome::Empty | Outcome::Paused | Outcome::Other { .. } => "end",
            Outcome::Calls => "tool-use",
            Outcome::CutOff { .. } | Outcome::ContextFull => "length",
            Outcome::Refused { .. } => "refused",
        };
        let count = |tokens: u64| u32::try_from(tokens).unwrap_or(u32::MAX);
        ModelReply {
            content: texts.collect(),
            calls: calls.collect(),
            stop: stop.to_owned(),
            input_tokens: count(reply.spent.prompt()),
            output_tokens: count(reply.spent.output),
        }
    }
}

fn misplaced(misplaced: Misplaced) -> Refused {
    Refused::new(Code::Invalid, misplaced.to_string())
}

fn of_failure(failure: &Failure) -> Refused {
    let code = match &failure.error {
        ModelError::TooLong { .. } => Code::TooLarge,
        ModelError::Conversation(_) => Code::Invalid,
        ModelError::Egress(EgressError::Waits { .. }) => Code::Parked,
        ModelError::Egress(EgressError::Refused { .. }) => Code::Denied,
        ModelError::NoCredit { .. } | ModelError::Egress(EgressError::Beyond { .. }) => Code::Exhausted,
        _ => Code::Unavailable,
    };
    let wait = failure.error.retry_after().and_then(|wait| u32::try_from(wait.as_millis()).ok());
    Refused { retry_after_ms: wait, ..Refused::new(code, failure.to_string()) }
}
