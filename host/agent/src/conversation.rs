//! What was said and done in a task, as the log has it. Every change of it is an entry of the log, applied here first;
//! whoever applies the same entries again has the same conversation, which is how a task goes on after a crash.

use crate::{
    approval::Approved,
    budget::{Amounts, Measure},
    memory,
    plan::{Plan, Step},
    reflect::Settled,
    tool::{Outcome, Output, Tool},
};
use deskhand_models::{Call, Conversation as Turns, Failure, Misplaced, Money, Piece, Reply, Said, ToolResult, Usage};
use deskhand_vocabulary::{
    Entry, Event, TaskId,
    text::{in_a_line, shortened},
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

/// As much of what a tool gives as a model is given at once, in bytes of text.
pub const PIECE: usize = 64 << 10;

/// See the module.
#[derive(Debug)]
pub struct Conversation {
    system: String,
    tools: Vec<deskhand_models::Tool>,
    turns: Turns,
    plan: Plan,
    spent: Amounts,
    /// The calls of the last reply, until all are answered.
    open: Vec<Open>,
    /// What tools gave that was too long for one piece, by number from 1.
    long: Vec<String>,
    ledger: Ledger,
    /// True once the person has agreed to a plan.
    approved: bool,
    /// The steps that the person set themselves, which the model does not drop.
    theirs: Vec<String>,
    /// True once the task is over, until the person asks for more.
    over: bool,
    /// The calls that wait for a person.
    parked: Vec<Waiting>,
    /// Those of them that waited when the task was taken up again, until the model is told.
    waited: Vec<Waiting>,
}

/// A call that waits for a person.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    pub(crate) call: Call,
    /// In a line.
    pub(crate) line: String,
}

/// What went on, in short: what stays when the turns themselves become too many.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ledger {
    /// What files say that instruct, in order, as the model was told it: by the file.
    pub instructions: Vec<(String, Vec<Piece>)>,
    /// The notes of earlier work that the task began with, as the model was told them.
    pub notes: Vec<Piece>,
    /// What the person said, in order, whole.
    pub said: Vec<String>,
    /// What the model said and did, a line each.
    pub done: Vec<String>,
    /// What was read, by the path with which it was asked for.
    pub read: BTreeSet<String>,
}

#[derive(Debug)]
struct Open {
    call: Call,
    begun: bool,
    output: Option<Output>,
}

/// An entry that does not belong where it stands: the log is not that of a task of an agent, or is damaged.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NotAConversation {
    /// Something is missing in the record.
    #[error("the record of this task cannot be followed: {0}. `deskhand doctor` checks the log")]
    Missing(&'static str),
    /// The turns do not follow on each other.
    #[error("the record of this task cannot be followed: {0}. `deskhand doctor` checks the log")]
    Misplaced(#[from] Misplaced),
}

/// Whether a task that ended with this `outcome` ([`Event::TaskEnded`]) has nothing left to go on with.
pub fn is_over(outcome: &str) -> bool {
    matches!(outcome, "done" | "cancelled")
}

impl Conversation {
    /// Nothing was said yet. `system` says who the model is here; `tools` what it can call, those of the loop itself
    /// included ([`crate::agent::offered`]).
    pub fn new(system: &str, tools: &[Tool]) -> Result<Self, NotAConversation> {
        let tools: Vec<_> = tools.iter().map(|tool| tool.told.clone()).collect();
        Ok(Self {
            turns: Turns::new(system, tools.clone())?,
            system: system.to_owned(),
            tools,
            plan: Plan::default(),
            spent: Amounts::default(),
            open: Vec::new(),
            long: Vec::new(),
            ledger: Ledger::default(),
            approved: false,
            theirs: Vec::new(),
            over: false,
            parked: Vec::new(),
            waited: Vec::new(),
        })
    }

    /// True if the model has said its last word, and nothing was said to it since.
    pub fn is_at_its_end(&self) -> bool {
        matches!(self.turns.turns().last(), Some(deskhand_models::Turn::Said(_)))
    }

    /// What was said so far, for a model.
    pub fn turns(&self) -> &Turns {
        &self.turns
    }

    /// The plan, without steps as long as there is none.
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the replies have used up.
    pub fn spent(&self) -> &Amounts {
        &self.spent
    }

    /// The steps that the person set themselves.
    pub(crate) fn theirs(&self) -> &[String] {
        &self.theirs
    }

    /// True once the person has agreed to a plan.
    pub fn is_approved(&self) -> bool {
        self.approved
    }

    /// The calls that waited for a person when the task was taken up again, as far as the model was not told of it.
    pub(crate) fn waited(&self) -> &[Waiting] {
        &self.waited
    }

    /// Something that was too long for one piece.
    pub fn long(&self, number: usize) -> Option<&str> {
        self.long.get(number.checked_sub(1)?).map(String::as_str)
    }

    /// What went on, in short.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The calls that wait for an answer, each with whether it had begun.
    pub fn open(&self) -> Vec<(Call, bool)> {
        let open = self.open.iter().filter(|open| open.output.is_none());
        open.map(|open| (open.call.clone(), open.begun)).collect()
    }

    /// Take in what was recorded. Entries of other kinds change nothing.
    pub fn apply(&mut self, event: &Event, content: Option<&Value>) -> Result<(), NotAConversation> {
        let none = Value::Null;
        let content = content.unwrap_or(&none);
        let read = |key: &str| content.get(key).cloned().unwrap_or_default();
        match event {
            Event::Told { by } => {
                let pieces: Vec<Piece> = parsed(read("pieces"), "what was said to the model is missing")?;
                if !self.ledger.instructed(by, content, &pieces) {
                    self.waited.clear();
                }
                if by == memory::BY {
                    self.ledger.notes.clone_from(&pieces);
                }
                if by == "person" {
                    if std::mem::take(&mut self.over) {
                        // what was planned before was planned for what they asked for before
                        self.plan = Plan::default();
                        self.theirs.clear();
                    }
                    self.ledger.said.extend(pieces.iter().filter_map(|piece| match piece {
                        Piece::Text { text } => Some(text.clone()),
                        Piece::Image { .. } => None,
                    }));
                }
                self.turns.say(pieces)?;
            }
            Event::ModelReplied { input, output, money, micros, .. } => {
                // a record is JSON to the byte, which a parsed document is not
                let said = content["said"].as_str().and_then(|said| serde_json::from_str::<Said>(said).ok());
                if let Some(said) = said {
                    let text = said.text();
                    if !text.trim().is_empty() {
                        self.ledger.done.push(format!("said: {}", shortened(&in_a_line(&text), 500)));
                    }
                    self.open =
                        said.calls().map(|call| Open { call: call.clone(), begun: false, output: None }).collect();
                    self.turns.accept(said)?;
                }
                for (measure, amount) in [
                    (Measure::Tokens, input.saturating_add(*output)),
                    (Measure::Money, *money),
                    (Measure::Time, micros / 1000),
                    (Measure::Steps, 1),
                ] {
                    self.spent = self.spent.and(Amounts::of(measure, amount));
                }
            }
            Event::ToolCalled { .. } => self.called(&read("id"))?.begun = true,
            Event::ToolAnswered { micros, .. } => {
                let output: Output = parsed(read("output"), "what a tool gave is missing")?;
                let used = output.spent;
                let output = self.in_pieces(output);
                let open = self.called(&read("id"))?;
                let (line, path) = told_of(&open.call, &output);
                let waits = || Waiting { call: open.call.clone(), line: line.clone() };
                let parked = (output.outcome == Outcome::Parked).then(waits);
                open.output = Some(output);
                self.parked.extend(parked);
                self.ledger.done.push(line);
                self.ledger.read.extend(path);
                // what others used for it is time of theirs, side by side; the call took what it took
                let mut spent = Amounts::of(Measure::Time, micros / 1000);
                for measure in [Measure::Tokens, Measure::Money, Measure::Steps] {
                    spent = spent.and(Amounts::of(measure, used.get(measure)));
                }
                self.spent = self.spent.and(spent);
                if self.open.iter().all(|open| open.output.is_some()) {
                    let results = self.open.drain(..).filter_map(|open| {
                        let Output { outcome, parts, .. } = open.output?;
                        Some(ToolResult { call: open.call.id, content: parts, failed: outcome != Outcome::Done })
                    });
                    self.turns.answer(results.collect())?;
                }
            }
            Event::StepsSet { .. } => {
                let steps: Vec<Step> = parsed(read("steps"), "the steps of a plan are missing")?;
                if content["by"] == "person" {
                    self.theirs = steps.iter().map(|step| step.text.clone()).collect();
                }
                self.plan = Plan { steps };
            }
            Event::TaskEnded { outcome } => self.over = is_over(outcome),
            Event::TaskResumed => self.waited.append(&mut self.parked),
            Event::StepsDecided { outcome } => self.approved |= matches!(outcome.as_str(), "agreed" | "edited"),
            Event::Shortened { .. } => {
                let pieces: Vec<Piece> = parsed(read("pieces"), "the summary of what was said is missing")?;
                self.turns = Turns::new(self.system.clone(), self.tools.clone())?;
                self.turns.say(pieces)?;
            }
            _ => {}
        }
        Ok(())
    }

    fn called(&mut self, id: &Value) -> Result<&mut Open, NotAConversation> {
        let id = id.as_str().unwrap_or_default();
        let open = self.open.iter_mut().find(|open| open.call.id == id && open.output.is_none());
        open.ok_or(NotAConversation::Missing("there is no such call"))
    }

    /// As much of what a tool gives as the model is given at once; the whole can be read on by number.
    fn in_pieces(&mut self, mut output: Output) -> Output {
        for part in &mut output.parts {
            if let Piece::Text { text } = part
                && text.len() > PIECE
            {
                self.long.push(std::mem::take(text));
                *text = piece(&self.long[self.long.len() - 1], self.long.len(), 0);
            }
        }
        output
    }
}

/// A piece of a long text, with how to read on.
pub(crate) fn piece(text: &str, number: usize, offset: usize) -> String {
    let start = text.floor_char_boundary(offset.min(text.len()));
    let end = text.floor_char_boundary((start + PIECE).min(text.len()));
    let more = match text.len() - end {
        0 => String::new(),
        left => format!("\n[{left} bytes more: `more` with result {number}, offset {end}]"),
    };
    format!("{}{more}", &text[start..end])
}

/// A call in a line, and what it has read.
fn told_of(call: &Call, output: &Output) -> (String, Option<String>) {
    let arguments = call.input.as_ref().map(ToString::to_string).unwrap_or_default();
    let (arguments, text) = (shortened(&in_a_line(&arguments), 200), shortened(&in_a_line(&output.text()), 200));
    let line = format!("called {} {arguments}: {} ({text})", call.name, output.outcome.name());
    let path = call.input.as_ref().ok().and_then(|given| given["path"].as_str());
    let path = path.filter(|_| call.name == "read" && output.outcome == Outcome::Done);
    (line, path.map(str::to_owned))
}

fn parsed<T: serde::de::DeserializeOwned>(value: Value, missing: &'static str) -> Result<T, NotAConversation> {
    serde_json::from_value(value).map_err(|_| NotAConversation::Missing(missing))
}

/// The entries that a conversation of a task is made of.
#[derive(Clone, Copy, Debug)]
pub struct Scribe(pub TaskId);

impl Scribe {
    fn entry(self, event: Event, content: Value) -> Entry {
        Entry { task: Some(self.0), event, content: Some(content) }
    }

    /// What was said to a model: by the `person`, or by the `host` on its own.
    pub fn told(self, by: &str, pieces: &[Piece]) -> Entry {
        self.entry(Event::Told { by: by.to_owned() }, json!({ "pieces": pieces }))
    }

    /// A reply. `kept` is whether it becomes part of what was said.
    pub fn replied(self, model: &str, reply: &Reply, kept: bool, took: Duration) -> Entry {
        let said = kept.then(|| serde_json::to_string(&reply.said).ok()).flatten();
        let event = used(model, end(reply), &reply.spent, reply.cost, took);
        self.entry(event, json!({ "said": said, "text": reply.said.text() }))
    }

    /// What a reply used that never came to its end; nothing if it used nothing.
    pub fn failed(self, failure: &Failure, took: Duration) -> Option<Entry> {
        if failure.spent == Usage::default() {
            return None;
        }
        let event = used(&failure.model, "failed", &failure.spent, failure.cost, took);
        Some(self.entry(event, json!({ "said": null, "text": "" })))
    }

    /// A call that begins.
    pub fn called(self, call: &Call) -> Entry {
        let arguments = call.input.clone().unwrap_or_else(|wrong| Value::String(wrong.to_string()));
        self.entry(Event::ToolCalled { tool: call.name.clone() }, json!({ "id": call.id, "arguments": arguments }))
    }

    /// What a call came to.
    pub fn answered(self, call: &Call, output: &Output, took: Duration) -> Entry {
        let outcome: Outcome = output.outcome;
        let event =
            Event::ToolAnswered { tool: call.name.clone(), outcome: outcome.name().to_owned(), micros: micros(took) };
        self.entry(event, json!({ "id": call.id, "output": output }))
    }

    /// A plan: of the `model`, or as the `person` made it.
    pub(crate) fn steps(self, by: &str, plan: &Plan) -> Entry {
        let over = plan.steps.len() - plan.open().count();
        let event = Event::StepsSet { steps: plan.steps.len() as u64, over: over as u64 };
        self.entry(event, json!({ "by": by, "steps": plan.steps }))
    }

    pub(crate) fn decided(self, said: &Approved) -> Entry {
        let outcome = said.name().to_owned();
        Entry { task: Some(self.0), event: Event::StepsDecided { outcome }, content: None }
    }

    pub(crate) fn settled(self, settled: &Settled) -> Entry {
        let event = Event::ChangesSettled {
            state: settled.state.name().to_owned(),
            applied: settled.applied,
            refused: settled.refused.len() as u64,
        };
        Entry { task: Some(self.0), event, content: None }
    }

    pub(crate) fn shortened(self, before: usize, pieces: &[Piece]) -> Entry {
        self.entry(Event::Shortened { turns: before as u64 }, json!({ "pieces": pieces }))
    }
}

fn used(model: &str, end: &str, spent: &Usage, cost: Option<Money>, took: Duration) -> Event {
    Event::ModelReplied {
        model: model.to_owned(),
        end: end.to_owned(),
        input: spent.prompt(),
        cached: spent.cache_read,
        output: spent.output,
        money: cost.map_or(0, |money| money.0),
        micros: micros(took),
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}

/// How a reply ended, for the log.
const fn end(reply: &Reply) -> &'static str {
    use deskhand_models::Outcome::*;
    match &reply.outcome {
        Finished => "finished",
        Calls => "calls",
        CutOff { .. } => "cut-off",
        ContextFull => "context-full",
        Refused { .. } => "refused",
        Paused => "paused",
        Empty => "empty",
        Other { .. } => "other",
    }
}
