//! `delegate`: parts of the work given to sub-agents, each with a conversation and a budget of its own out of the task's,
//! and with grants at most the task's. Those that only read work side by side.

use super::{again, world::World};
use deskhand_agent::{
    Agent, Conversation, Effects, Ended, Settled, Task,
    budget::{Amounts, Limits},
    offered, prompt,
    screen::Dark,
    steering::{Steer, Steering},
    tool::{Call, Effect, Outcome, Output, Tool, Tools},
};
use deskhand_models::Model;
use deskhand_records::Records;
use deskhand_vocabulary::{Entry, Event, Log as _, Stop, TaskId};
use serde::Deserialize;
use serde_json::{Value, json};
use std::{sync::Arc, time::Duration};
use tokio::{runtime::Handle, sync::Semaphore, task::JoinSet};

const NAME: &str = "delegate";
/// So many work side by side.
const SIDE_BY_SIDE: usize = 6;
/// The most that one call may set to work.
const MOST: usize = 100;
/// How often an answer that does not fit its schema is asked for again.
const TRIES: u32 = 2;
/// How often it is looked whether the work is stopped.
const LOOK: Duration = Duration::from_millis(50);

/// What a sub-agent is made of; one per call.
pub(super) struct Staff {
    pub(super) model: Arc<dyn Model>,
    pub(super) records: Arc<Records>,
    pub(super) world: Arc<World>,
    pub(super) handle: Handle,
    /// The task that delegates.
    pub(super) task: TaskId,
    /// What a sub-agent works with: the tools of the task, without what it had seen.
    pub(super) tools: Box<dyn Fn() -> Arc<dyn Tools> + Send + Sync>,
}

/// See the module.
pub(super) struct Delegate(Arc<Staff>);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Arguments {
    tasks: Vec<Part>,
    #[serde(default)]
    may_change: bool,
    #[serde(default)]
    answer: Option<Value>,
}

#[derive(Clone, Deserialize)]
#[serde(untagged)]
enum Part {
    Words(String),
    Task { task: String },
}

impl Part {
    fn words(&self) -> &str {
        match self {
            Self::Words(words) | Self::Task { task: words } => words,
        }
    }
}

impl Delegate {
    pub(super) fn new(staff: Staff) -> Self {
        Self(Arc::new(staff))
    }
}

impl Tools for Delegate {
    fn tools(&self) -> Vec<Tool> {
        let schema = json!({
            "type": "object",
            "properties": {
                "tasks": {"type": "array", "items": {"type": "string"}, "description":
                    "A part of the work each, complete in itself: the other knows nothing of this conversation."},
                "may_change": {"type": "boolean", "description": "They may propose changes too; then they work one after another."},
                "answer": {"type": "object", "description": "JSON Schema that each answer must fit."}
            },
            "required": ["tasks"]
        });
        let what = "Give independent parts of the work, such as one file each, to others like you. They work side by side; \
            you get their answers.";
        vec![Tool::new(NAME, what, schema, Effect::Change)]
    }

    fn call(&self, call: &Call, stop: &Stop) -> Output {
        let arguments: Arguments = match serde_json::from_value(call.arguments.clone()) {
            Ok(arguments) => arguments,
            Err(error) => return Output::not_done(Outcome::Failed, format!("the arguments do not fit: {error}")),
        };
        if arguments.tasks.is_empty() || arguments.tasks.len() > MOST {
            return Output::not_done(Outcome::Failed, format!("give 1 to {MOST} tasks at once"));
        }
        let validator = match arguments.answer.as_ref().map(jsonschema::validator_for).transpose() {
            Ok(validator) => validator.map(Arc::new),
            Err(error) => return Output::not_done(Outcome::Failed, format!("`answer` is no JSON Schema: {error}")),
        };
        let wanted = Wanted {
            may_change: arguments.may_change,
            answer: arguments.answer.zip(validator),
            limits: call.left.shared(arguments.tasks.len() as u64),
        };
        self.0.handle.block_on(Arc::clone(&self.0).work(arguments.tasks, wanted, stop))
    }

    fn again(&self, _: &Call, output: &Output, stop: &Stop) -> Result<(), String> {
        let parts: Vec<TaskId> = serde_json::from_value(output.again["tasks"].clone()).unwrap_or_default();
        let mut lost = Vec::new();
        for part in parts {
            // each had seen what it had seen, and no other
            let tools = (self.0.tools)();
            match again::take_up(&self.0.records, part, tools.as_ref(), stop) {
                Ok(lines) => lost.extend(lines),
                Err(failure) => lost.push(failure.message),
            }
        }
        if lost.is_empty() { Ok(()) } else { Err(lost.join("; ")) }
    }
}

/// What is wanted of each of them.
#[derive(Clone)]
struct Wanted {
    may_change: bool,
    answer: Option<(Value, Arc<jsonschema::Validator>)>,
    limits: Limits,
}

/// What came of one.
struct Answer {
    outcome: Outcome,
    text: String,
    spent: Amounts,
    task: TaskId,
}

impl Staff {
    async fn work(self: Arc<Self>, parts: Vec<Part>, wanted: Wanted, stop: &Stop) -> Output {
        let places = Arc::new(Semaphore::new(if wanted.may_change { 1 } else { SIDE_BY_SIDE }));
        let count = parts.len();
        let mut working = JoinSet::new();
        for (at, part) in parts.into_iter().enumerate() {
            let (staff, wanted, stop, places) = (Arc::clone(&self), wanted.clone(), stop.clone(), Arc::clone(&places));
            working.spawn(async move {
                let _place = places.acquire_owned().await;
                (at, staff.one(part.words(), &wanted, &stop).await)
            });
        }
        let mut answers: Vec<Option<Answer>> = (0..count).map(|_| None).collect();
        while let Some(ended) = working.join_next().await {
            if let Ok((at, answer)) = ended
                && let Some(place) = answers.get_mut(at)
            {
                *place = Some(answer);
            }
        }
        let mut all = Vec::new();
        let mut output = Output::done("");
        let mut tasks = Vec::new();
        let mut done = false;
        for (number, answer) in (1..).zip(answers) {
            let Some(answer) = answer else {
                all.push(json!({"task": number, "outcome": "unknown"}));
                continue;
            };
            done |= answer.outcome == Outcome::Done;
            output.spent = output.spent.and(answer.spent);
            tasks.push(answer.task);
            let said = match (&wanted.answer, answer.outcome) {
                // it was held against its schema, so it is JSON
                (Some(_), Outcome::Done) => serde_json::from_str(&answer.text).unwrap_or(Value::String(answer.text)),
                _ => Value::String(answer.text),
            };
            all.push(json!({"task": number, "outcome": answer.outcome.name(), "answer": said}));
        }
        output.parts = vec![deskhand_models::Piece::text(lines(&all))];
        output.again = json!({ "tasks": tasks });
        output.outcome = match done {
            true => Outcome::Done,
            false if stop.is_stopped() => Outcome::Stopped,
            false => Outcome::Failed,
        };
        output
    }

    /// One of them at work.
    async fn one(&self, words: &str, wanted: &Wanted, stop: &Stop) -> Answer {
        let content = json!({"request": words, "folders": [], "part-of": self.task});
        let started = self.records.start_task(content);
        let task = match started {
            Ok(task) => task,
            Err(error) => {
                let spent = Amounts::default();
                return Answer { outcome: Outcome::Failed, text: error.to_string(), spent, task: self.task };
            }
        };
        let (ended, spent) = match self.converse(task, words, wanted, stop).await {
            Ok(done) => done,
            Err(reason) => ((Outcome::Failed, reason), Amounts::default()),
        };
        let event = Event::TaskEnded { outcome: ended.0.name().to_owned() };
        self.records.queue(Entry { task: Some(task), event, content: None });
        Answer { outcome: ended.0, text: ended.1, spent, task }
    }

    async fn converse(
        &self,
        id: TaskId,
        words: &str,
        wanted: &Wanted,
        stop: &Stop,
    ) -> Result<((Outcome, String), Amounts), String> {
        let tools: Arc<dyn Tools> = match wanted.may_change {
            true => (self.tools)(),
            false => Arc::new(OnlyReading((self.tools)())),
        };
        let conversation =
            Conversation::new(prompt::PART, &offered(tools.as_ref())).map_err(|error| error.to_string())?;
        let mut task = Task { id, limits: wanted.limits, conversation };
        let agent = Agent {
            model: Arc::clone(&self.model),
            tools,
            effects: Arc::new(Within(Arc::clone(&self.world))),
            log: Arc::<Records>::clone(&self.records),
            screen: Arc::new(Dark),
            steering: Arc::new(Steering::default()),
            approval: None,
            stop: stop.clone(),
        };
        agent.tell(&mut task, words).map_err(|error| error.to_string())?;
        if let Some((schema, _)) = &wanted.answer {
            let text =
                format!("Your last reply must be JSON alone, without a fence, that fits this JSON Schema:\n{schema}");
            agent.tell_from_host(&mut task, "answer", &text).map_err(|error| error.to_string())?;
        }
        let steering = Arc::clone(&agent.steering);
        let stopping = stop.clone();
        let watching = tokio::spawn(async move {
            while !stopping.is_stopped() {
                tokio::time::sleep(LOOK).await;
            }
            steering.steer(Steer::Cancel);
        });
        let ended = Self::answered(&agent, &mut task, wanted).await;
        watching.abort();
        ended.map(|ended| (ended, *task.conversation.spent()))
    }

    /// Work until there is an answer that fits.
    async fn answered(agent: &Agent, task: &mut Task, wanted: &Wanted) -> Result<(Outcome, String), String> {
        let mut tries = 0;
        loop {
            let ended = agent.run(task).await.map_err(|error| error.to_string())?;
            let (text, amiss) = match ended {
                Ended::Done { text, amiss } => (text, amiss),
                Ended::Parked { waits, .. } => return Ok((Outcome::Parked, waits.join("; "))),
                Ended::Cancelled => return Ok((Outcome::Stopped, "stopped by the person".to_owned())),
                Ended::UsedUp(measure) => {
                    return Ok((Outcome::Failed, format!("its share of the budget ({measure}) was used up")));
                }
                Ended::Stuck(reason) | Ended::Refused(reason) => return Ok((Outcome::Failed, reason)),
                Ended::Failed(failure) => return Ok((Outcome::Failed, failure.to_string())),
            };
            let Some((_, validator)) = &wanted.answer else {
                let notes: String = amiss.iter().map(|line| format!("\n[on record: {line}]")).collect();
                return Ok((Outcome::Done, format!("{text}{notes}")));
            };
            let wrong = match serde_json::from_str::<Value>(bare(&text)) {
                Ok(value) => match validator.validate(&value) {
                    Ok(()) => return Ok((Outcome::Done, value.to_string())),
                    Err(error) => error.to_string(),
                },
                Err(error) => error.to_string(),
            };
            tries += 1;
            if tries > TRIES {
                return Ok((Outcome::Failed, format!("its answer does not fit: {wrong}")));
            }
            let text = format!("That does not fit: {wrong}. Reply with JSON alone.");
            agent.tell_from_host(task, "answer", &text).map_err(|error| error.to_string())?;
        }
    }
}

/// A text without the fence that a model likes to put around JSON.
fn bare(text: &str) -> &str {
    let text = text.trim();
    let inner = text.strip_prefix("```json").or(text.strip_prefix("```")).and_then(|text| text.strip_suffix("```"));
    inner.unwrap_or(text).trim()
}

fn lines(all: &[Value]) -> String {
    all.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The tools of a sub-agent that changes nothing.
struct OnlyReading(Arc<dyn Tools>);

impl Tools for OnlyReading {
    fn tools(&self) -> Vec<Tool> {
        self.0.tools().into_iter().filter(|tool| tool.effect == Effect::Read).collect()
    }

    fn call(&self, call: &Call, stop: &Stop) -> Output {
        self.0.call(call, stop)
    }
}

/// What a sub-agent changes is pending for the whole task, and is shown with all of it.
struct Within(Arc<World>);

impl Effects for Within {
    fn settle(&self) -> Settled {
        Settled::default()
    }

    fn bytes_out(&self) -> u64 {
        self.0.bytes_out()
    }

    fn waited(&self) -> Duration {
        self.0.waited()
    }
}
