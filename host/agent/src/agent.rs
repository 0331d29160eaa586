//! The loop.

use crate::{
    act,
    approval::{Approval, Approved},
    budget::{Amounts, Budget, Limits, Measure},
    conversation::{Conversation, NotAConversation, Scribe, piece},
    own::{MORE, PLAN, offered, plan_of},
    plan::Plan,
    prompt,
    reflect::{self, Doings, Effects, Settled, SettledState},
    repair::{Remedy, Repairs, Slip},
    screen::{Screen, Seen},
    shorter,
    steering::{Next, Said, Steering},
    tool::{Call, Effect, Outcome, Output, Tools},
};
use deskhand_models::{
    Call as Wanted, Failure, Happening, Misplaced, Model, ModelError, Outcome as Replied, Piece, Reply, Turn,
};
use deskhand_vocabulary::{Entry, Log, LogError, Stop, TaskId};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// So often the model is told at the end what is amiss; then it is the person who is told.
const ROUNDS: usize = 2;

/// What the loop stands on.
#[derive(Clone)]
pub struct Agent {
    /// Who answers.
    pub model: Arc<dyn Model>,
    /// What can be done.
    pub tools: Arc<dyn Tools>,
    /// What the task does to the world.
    pub effects: Arc<dyn Effects>,
    /// Where all of it is recorded.
    pub log: Arc<dyn Log>,
    /// Who looks on.
    pub screen: Arc<dyn Screen>,
    /// What the person says meanwhile.
    pub steering: Arc<Steering>,
    /// Who agrees to the plan before anything is changed; nobody where the person does not want to be shown it first.
    pub approval: Option<Arc<dyn Approval>>,
    /// Ends what runs.
    pub stop: Stop,
}

/// A task of an agent.
#[derive(Debug)]
pub struct Task {
    /// Its number.
    pub id: TaskId,
    /// What it may use up.
    pub limits: Limits,
    /// What was said and done so far.
    pub conversation: Conversation,
}

/// How a task ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The model says that it is done. What the host found amiss, a line each.
    Done {
        /// The last thing that the model said.
        text: String,
        /// What is not as it should be.
        amiss: Vec<String>,
    },
    /// It goes on when the person is there: what was said last, and what waits for them, a line each.
    Parked {
        /// The last thing that the model said.
        text: String,
        /// What waits.
        waits: Vec<String>,
    },
    /// The person ended it.
    Cancelled,
    /// Something is used up. It can go on with more.
    UsedUp(Measure),
    /// The model erred in the same way too often. It can go on when the person says how.
    Stuck(String),
    /// The model would not answer.
    Refused(String),
    /// The model could not be reached, or could not go on. It can go on later.
    Failed(Box<Failure>),
}

/// Why the loop broke off.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The log could not be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The record makes no sense.
    #[error(transparent)]
    Conversation(#[from] NotAConversation),
    /// Two tools have one name, or a name that no model takes.
    #[error(transparent)]
    Tools(#[from] Misplaced),
}

pub(crate) type Result<T> = std::result::Result<T, AgentError>;

impl Agent {
    /// Say something to the model before the loop begins or goes on.
    pub fn tell(&self, task: &mut Task, words: &str) -> Result<()> {
        self.record(&mut task.conversation, Scribe(task.id).told("person", &[Piece::text(words)]), true)
    }

    /// Say something to the model for the host, under a mark that says what it is.
    pub fn tell_from_host(&self, task: &mut Task, what: &str, text: &str) -> Result<()> {
        self.record(&mut task.conversation, Scribe(task.id).told("host", &[prompt::host(what, text)]), true)
    }

    /// Work until the task ends.
    pub async fn run(&self, task: &mut Task) -> Result<Ended> {
        self.resolve(task)?;
        let tools = offered(self.tools.as_ref());
        let effects = tools.iter().map(|tool| (tool.told.name.clone(), tool.effect)).collect();
        let mut work = Work {
            agent: self,
            scribe: Scribe(task.id),
            effects,
            bytes_out: self.effects.bytes_out(),
            budget: Budget::new(task.limits),
            repairs: Repairs::default(),
            doings: Doings::default(),
            ending: None,
            told: Vec::new(),
            worked: true,
            conversation: &mut task.conversation,
        };
        work.budget.spend(*work.conversation.spent());
        work.agent.steering.planned(work.conversation.plan());
        work.remind()?;
        work.run().await
    }

    pub(crate) fn record(&self, conversation: &mut Conversation, entry: Entry, durable: bool) -> Result<()> {
        conversation.apply(&entry.event, entry.content.as_ref())?;
        if durable {
            self.log.append(entry)?;
        } else {
            self.log.queue(entry);
        }
        Ok(())
    }
}

struct Work<'a> {
    agent: &'a Agent,
    scribe: Scribe,
    effects: HashMap<String, Effect>,
    /// As far as they are counted in the budget.
    bytes_out: u64,
    budget: Budget,
    repairs: Repairs,
    doings: Doings,
    /// Set by a call that is the end of the task.
    ending: Option<Ended>,
    /// What the model was told that is amiss, each time.
    told: Vec<Vec<String>>,
    /// True once something was done since the conversation was last made shorter.
    worked: bool,
    conversation: &'a mut Conversation,
}

/// What follows a step.
enum Then {
    Go,
    End(Ended),
}

impl Work<'_> {
    fn record(&mut self, entry: Entry, durable: bool) -> Result<()> {
        self.agent.record(self.conversation, entry, durable)
    }

    async fn run(&mut self) -> Result<Ended> {
        // what a process that is gone had heard last may be the end
        if let Some(Turn::Said(said)) = self.conversation.turns().turns().last() {
            let text = said.text();
            if let Then::End(ended) = self.finish(text).await? {
                return Ok(ended);
            }
        }
        loop {
            let held = self.agent.steering.is_paused();
            if held {
                self.agent.screen.show(Seen::Paused(true));
            }
            let next = self.agent.steering.next().await;
            if held {
                self.agent.screen.show(Seen::Paused(false));
            }
            match next {
                Next::Cancel => return Ok(Ended::Cancelled),
                Next::Go(said) => {
                    for said in said {
                        self.hear(&said)?;
                    }
                }
            }
            for alert in self.budget.alerts() {
                self.agent.screen.show(Seen::Budget(alert));
            }
            if let Some(measure) = self.budget.over() {
                return Ok(Ended::UsedUp(measure));
            }
            if let Then::End(ended) = self.step().await? {
                return Ok(ended);
            }
        }
    }

    /// Take up what the person said meanwhile.
    fn hear(&mut self, said: &Said) -> Result<()> {
        if let Some(plan) = &said.plan {
            self.set_plan(plan, true)?;
            self.tell_host("plan", &prompt::edited(plan))?;
        }
        let pieces = prompt::said(&said.words, said.stopped);
        if !pieces.is_empty() {
            self.record(self.scribe.told("person", &pieces), true)?;
        }
        Ok(())
    }

    fn set_plan(&mut self, plan: &Plan, durable: bool) -> Result<()> {
        self.record(self.scribe.steps(plan), durable)?;
        self.agent.steering.planned(plan);
        self.agent.screen.show(Seen::Plan(plan));
        Ok(())
    }

    /// One reply, and what it leads to.
    async fn step(&mut self) -> Result<Then> {
        let screen = Arc::clone(&self.agent.screen);
        let mut watch = move |happening: Happening<'_>| screen.show(Seen::Reply(&happening));
        let begun = tokio::time::Instant::now();
        let reply = async {
            tokio::select! {
                biased;
                reply = self.agent.model.reply(self.conversation.turns(), &mut watch) => Some(reply),
                () = self.agent.steering.interrupted() => None,
            }
        };
        // a model takes its time: what it is told becomes durable meanwhile, before anything follows from what it says
        let (reply, kept) = tokio::join!(reply, self.kept());
        kept?;
        let Some(reply) = reply else { return Ok(Then::Go) };
        let reply = match reply {
            Ok(reply) => reply,
            Err(failure) if matches!(failure.error, ModelError::TooLong { .. }) && self.worked => {
                self.shorten(None)?;
                return Ok(Then::Go);
            }
            Err(failure) => return Ok(Then::End(Ended::Failed(Box::new(failure)))),
        };
        self.agent.screen.show(Seen::Replied);
        let kept = !reply.said.is_empty() && !matches!(reply.outcome, Replied::Refused { .. });
        self.replied(&reply, kept, begun.elapsed())?;
        let text = || reply.said.text();
        match &reply.outcome {
            Replied::Refused { reason } => return Ok(Then::End(Ended::Refused(reason.clone()))),
            Replied::CutOff { in_call: true } => {
                let calls: Vec<Wanted> = reply.said.calls().cloned().collect();
                let output = Output::not_done(Outcome::Failed, prompt::slipped(Slip::CutOff));
                self.answer_all(&calls, &output)?;
                return self.slip(Slip::CutOff);
            }
            Replied::CutOff { in_call: false } => {
                self.tell_host("note", "Your reply was cut off because it was too long. Go on from where it ends.")?;
                return self.slip(Slip::CutOff);
            }
            Replied::ContextFull if self.worked => {
                let calls: Vec<Wanted> = reply.said.calls().cloned().collect();
                self.answer_all(
                    &calls,
                    &Output::not_done(Outcome::Failed, "There was no room left: it was not done."),
                )?;
                self.shorten(None)?;
                return Ok(Then::Go);
            }
            Replied::ContextFull => {
                let why = "The conversation is longer than the model can read, and making it shorter did not help.";
                return Ok(Then::End(Ended::Stuck(why.to_owned())));
            }
            Replied::Paused => {
                self.tell_host("note", "Go on.")?;
                return Ok(Then::Go);
            }
            Replied::Calls | Replied::Finished | Replied::Empty | Replied::Other { .. } => {}
        }
        let calls: Vec<Wanted> = reply.said.calls().cloned().collect();
        if !calls.is_empty() {
            let then = self.act(&calls).await?;
            if self.is_nearly_full(&reply) && self.worked && matches!(then, Then::Go) {
                self.summarize().await?;
            }
            return Ok(then);
        }
        if text().trim().is_empty() {
            self.tell_host("note", prompt::slipped(Slip::EmptyReply))?;
            return self.slip(Slip::EmptyReply);
        }
        self.finish(text()).await
    }

    /// Wait until all that was recorded is durable.
    async fn kept(&self) -> Result<()> {
        let log = Arc::clone(&self.agent.log);
        let flushed = tokio::task::spawn_blocking(move || log.flush()).await;
        flushed.unwrap_or_else(|error| Err(LogError { reason: error.to_string() })).map_err(Into::into)
    }

    /// Whether more than four fifths of what the model can read are used.
    fn is_nearly_full(&self, reply: &Reply) -> bool {
        let prompt = reply.usage.unwrap_or(reply.spent).prompt();
        self.agent.model.config().context.is_some_and(|context| prompt.saturating_mul(5) > context.saturating_mul(4))
    }

    fn replied(&mut self, reply: &Reply, kept: bool, took: Duration) -> Result<()> {
        let before = *self.conversation.spent();
        self.record(self.scribe.replied(&self.agent.model.config().model, reply, kept, micros(took)), false)?;
        self.spend(&before);
        Ok(())
    }

    /// What the conversation has used up since `before`, and what left the machine.
    fn spend(&mut self, before: &Amounts) {
        for measure in Measure::ALL {
            let more = self.conversation.spent().get(measure).saturating_sub(before.get(measure));
            self.budget.spend(Amounts::of(measure, more));
        }
        let out = self.agent.effects.bytes_out();
        self.budget.spend(Amounts::of(Measure::BytesOut, out.saturating_sub(self.bytes_out)));
        self.bytes_out = out;
    }

    fn tell_host(&mut self, what: &str, text: &str) -> Result<()> {
        let piece = prompt::host(what, text);
        self.record(self.scribe.told("host", &[piece]), true)
    }

    fn slip(&mut self, slip: Slip) -> Result<Then> {
        Ok(match self.repairs.slip(slip) {
            Remedy::Tell | Remedy::TellRepeats => Then::Go,
            Remedy::Ask => Then::End(Ended::Stuck(stuck(slip).to_owned())),
        })
    }

    fn answer_all(&mut self, calls: &[Wanted], output: &Output) -> Result<()> {
        for wanted in calls {
            self.record(self.scribe.called(wanted), false)?;
            self.record(self.scribe.answered(wanted, output, 0), false)?;
        }
        Ok(())
    }

    /// Make the calls of a reply.
    async fn act(&mut self, calls: &[Wanted]) -> Result<Then> {
        let mut then = Then::Go;
        let mut left = calls;
        while !left.is_empty() {
            let effects: Vec<Effect> = left.iter().map(|wanted| self.effect(wanted)).collect();
            let (now, later) = left.split_at(act::together(&effects).clamp(1, left.len()));
            left = later;
            let ended = self.make(now, effects.first() == Some(&Effect::Change)).await?;
            for (wanted, (output, took)) in now.iter().zip(ended) {
                if let Then::End(ended) = self.ended(wanted, output, took)? {
                    then = Then::End(ended);
                }
            }
        }
        Ok(then)
    }

    fn effect(&self, wanted: &Wanted) -> Effect {
        self.effects.get(&wanted.name).copied().unwrap_or(Effect::Read)
    }

    /// Make these calls together. What can change something is on record before it begins.
    async fn make(&mut self, calls: &[Wanted], durable: bool) -> Result<Vec<(Output, Duration)>> {
        let mut ended: Vec<Option<(Output, Duration)>> = Vec::with_capacity(calls.len());
        let mut real = Vec::new();
        let mut places = Vec::new();
        for wanted in calls {
            self.record(self.scribe.called(wanted), durable)?;
            let here = self.own(wanted).await?;
            if let Some(output) = &here {
                self.show_called(wanted, output, Duration::ZERO);
            }
            if here.is_none()
                && let Ok(arguments) = &wanted.input
            {
                self.agent.screen.show(Seen::Calling(wanted));
                places.push(wanted);
                real.push(Call {
                    id: wanted.id.clone(),
                    tool: wanted.name.clone(),
                    arguments: arguments.clone(),
                    left: self.budget.left(),
                });
            }
            ended.push(here.map(|output| (output, Duration::ZERO)));
        }
        let before = self.agent.effects.waited();
        // waiting for the person is no work
        let waited = || self.agent.effects.waited().saturating_sub(before);
        let stop = self.agent.stop.part();
        let making = act::make(&self.agent.tools, real, &stop, |at, output, took| {
            if let Some(wanted) = places.get(at) {
                self.show_called(wanted, output, took.saturating_sub(waited()));
            }
        });
        tokio::pin!(making);
        let made = tokio::select! {
            biased;
            made = &mut making => made,
            () = self.agent.steering.interrupted() => {
                // what runs is told, and waited for: what it came to is on record
                stop.stop();
                making.await
            }
        };
        let mut made = made.into_iter();
        let lost = || (Output::not_done(Outcome::Unknown, "what it came to is not known"), Duration::ZERO);
        let waited = waited();
        let mut made = made.by_ref().map(|(output, took)| (output, took.saturating_sub(waited)));
        Ok(ended.into_iter().map(|here| here.or_else(|| made.next()).unwrap_or_else(lost)).collect())
    }

    fn show_called(&self, wanted: &Wanted, output: &Output, took: Duration) {
        self.agent.screen.show(Seen::Called(wanted, output.outcome, took, &gist(output)));
    }

    /// What is answered here, without a tool of others: the loop's own tools, and what is wrong with a call.
    async fn own(&mut self, wanted: &Wanted) -> Result<Option<Output>> {
        let failed = |text: String| Ok(Some(Output::not_done(Outcome::Failed, text)));
        let arguments = match &wanted.input {
            Ok(arguments) => arguments,
            Err(wrong) => {
                let wrong = deskhand_vocabulary::text::shortened(&wrong.to_string(), 500);
                return failed(format!("{} Now {wrong}", prompt::slipped(Slip::BadArguments)));
            }
        };
        match wanted.name.as_str() {
            PLAN => match plan_of(arguments) {
                Ok(plan) => {
                    self.set_plan(&plan, false)?;
                    match self.unapproved() {
                        Some(approval) => self.approve(approval, plan).await.map(Some),
                        None => Ok(Some(Output::done("The plan is set."))),
                    }
                }
                Err(reason) => failed(format!("The plan was not taken: {reason}.")),
            },
            MORE => {
                let number = arguments["result"].as_u64().and_then(|number| usize::try_from(number).ok());
                let offset = arguments["offset"].as_u64().and_then(|offset| usize::try_from(offset).ok());
                let long = number.and_then(|number| Some((number, self.conversation.long(number)?)));
                match long {
                    Some((number, text)) => Ok(Some(Output::done(piece(text, number, offset.unwrap_or(0))))),
                    None => {
                        failed("There is no such result. `more` goes on with one that says so at its end.".to_owned())
                    }
                }
            }
            tool => match self.effects.get(tool) {
                Some(Effect::Propose | Effect::Change) if self.unapproved().is_some() => {
                    Ok(Some(Output::not_done(Outcome::Failed, prompt::UNAPPROVED)))
                }
                Some(_) => Ok(None),
                None => {
                    let nearest = self.nearest(tool);
                    failed(format!("{} `{tool}` is none{nearest}.", prompt::slipped(Slip::UnknownTool)))
                }
            },
        }
    }

    /// Who is to agree to the plan, if that is still to be done.
    fn unapproved(&self) -> Option<Arc<dyn Approval>> {
        self.agent.approval.clone().filter(|_| !self.conversation.is_approved())
    }

    /// Show the plan to the person, and keep to what they say.
    async fn approve(&mut self, approval: Arc<dyn Approval>, plan: Plan) -> Result<Output> {
        let shown = plan.clone();
        let said = tokio::task::spawn_blocking(move || approval.approve(&shown)).await.unwrap_or(Approved::Absent);
        self.record(self.scribe.decided(&said), true)?;
        Ok(match said {
            Approved::Yes => Output::done("The plan is set, and the person agrees to it."),
            Approved::Edited(plan) => {
                self.set_plan(&plan, true)?;
                Output::done(prompt::edited(&plan))
            }
            Approved::No => {
                self.ending = Some(Ended::Cancelled);
                Output::not_done(Outcome::Denied, "The person declined the plan.")
            }
            Approved::Absent => {
                let waits = vec!["the plan waits for you to agree to it".to_owned()];
                self.ending = Some(Ended::Parked { text: String::new(), waits });
                Output::not_done(Outcome::Parked, "Nobody is there to agree to the plan.")
            }
        })
    }

    fn nearest(&self, tool: &str) -> String {
        let mut known = self.conversation.turns().tools().iter().map(|known| known.name.as_str());
        let near = known.find(|known| known.eq_ignore_ascii_case(tool) || known.contains(tool) || tool.contains(known));
        near.map(|near| format!("; `{near}` is one")).unwrap_or_default()
    }

    /// Take in what a call came to.
    fn ended(&mut self, wanted: &Wanted, mut output: Output, took: Duration) -> Result<Then> {
        let text = gist(&output);
        if self.effects.contains_key(&wanted.name) {
            self.doings.ended(wanted, &output);
        }
        let remedy = match (&wanted.input, output.outcome) {
            (_, Outcome::Done) => {
                self.worked = true;
                self.repairs.succeeded();
                None
            }
            (Err(_), _) => Some((self.repairs.slip(Slip::BadArguments), stuck(Slip::BadArguments).to_owned())),
            (Ok(_), _) if !self.effects.contains_key(&wanted.name) => {
                Some((self.repairs.slip(Slip::UnknownTool), stuck(Slip::UnknownTool).to_owned()))
            }
            (Ok(arguments), _) => {
                let remedy = self.repairs.failed(&wanted.name, arguments, &text);
                Some((
                    remedy,
                    format!("The model makes the same call of `{}` over and over, and it fails: {text}", wanted.name),
                ))
            }
        };
        let then = match remedy {
            Some((Remedy::TellRepeats, _)) => {
                output.parts.push(Piece::text(prompt::REPEATS));
                Then::Go
            }
            Some((Remedy::Ask, why)) => Then::End(Ended::Stuck(why)),
            Some((Remedy::Tell, _)) | None => Then::Go,
        };
        let before = *self.conversation.spent();
        self.record(self.scribe.answered(wanted, &output, micros(took)), false)?;
        self.spend(&before);
        Ok(self.ending.take().map_or(then, Then::End))
    }

    /// Tell the model of what waited for a person: it is asked for again now.
    fn remind(&mut self) -> Result<()> {
        let waited = self.conversation.waited();
        if waited.is_empty() {
            return Ok(());
        }
        let text = prompt::waited(waited);
        self.tell_host("note", &text)
    }

    /// There is little room left: have the model sum up what matters, and go on from there.
    async fn summarize(&mut self) -> Result<()> {
        self.tell_host("summary", shorter::ASK)?;
        let begun = tokio::time::Instant::now();
        let Ok(reply) = self.agent.model.reply(self.conversation.turns(), &mut |_| ()).await else {
            return self.shorten(None);
        };
        // it is the summary that is kept, and calls in it are not made
        self.replied(&reply, false, begun.elapsed())?;
        let text = reply.said.text();
        self.shorten(Some(text.trim()).filter(|text| !text.is_empty()))
    }

    /// Put a summary in the place of what was said: the model's, or else the host's own notes.
    fn shorten(&mut self, summary: Option<&str>) -> Result<()> {
        let before = self.conversation.turns().turns().len();
        let pieces = shorter::pieces(self.conversation.ledger(), self.conversation.plan(), summary);
        self.worked = false;
        self.agent.screen.show(Seen::Shorter(before));
        self.record(self.scribe.shortened(before, &pieces), true)
    }

    /// The model says that it is done: have what is pending decided, and look back.
    async fn finish(&mut self, text: String) -> Result<Then> {
        let effects = Arc::clone(&self.agent.effects);
        let settled = tokio::task::spawn_blocking(move || effects.settle()).await.unwrap_or_else(|_| Settled {
            state: SettledState::Failed,
            applied: 0,
            refused: vec![("the changes".to_owned(), "something broke off while they were shown".to_owned())],
        });
        if settled.state != SettledState::Nothing {
            self.record(self.scribe.settled(&settled), false)?;
        }
        let mut waits = self.doings.parked().to_vec();
        if settled.state == SettledState::Parked {
            waits.push("the changes wait for you: none is made yet".to_owned());
        }
        if !waits.is_empty() {
            return Ok(Then::End(Ended::Parked { text, waits }));
        }
        let amiss = reflect::amiss(self.conversation.plan(), &self.doings, &settled);
        if amiss.is_empty() || self.told.len() >= ROUNDS || self.told.contains(&amiss) {
            return Ok(Then::End(Ended::Done { text, amiss }));
        }
        let found = amiss.join("\n");
        self.told.push(amiss);
        self.agent.screen.show(Seen::Reflected(&found));
        let advice = "This is what Deskhand itself recorded. Mend what can be mended, or set the plan right and tell the \
            person plainly what was not done.";
        self.tell_host("what was done", &format!("{found}\n{advice}"))?;
        Ok(Then::Go)
    }
}

/// What a call says, shortened.
fn gist(output: &Output) -> String {
    deskhand_vocabulary::text::shortened(&output.text(), 300)
}

const fn stuck(slip: Slip) -> &'static str {
    match slip {
        Slip::EmptyReply => "The model replies with nothing, again and again.",
        Slip::BadArguments => "The model calls a tool with arguments that do not fit, again and again.",
        Slip::UnknownTool => "The model calls tools that there are not, again and again.",
        Slip::CutOff => "The model's replies are cut off again and again because they are too long.",
    }
}

fn micros(time: Duration) -> u64 {
    u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
}
