//! The loop at work: what is said meanwhile, a reply of the model, and what it leads to.

mod accounts;
mod act;
mod agreeing;
mod calls;
mod ending;
mod room;
mod waiting;

use crate::{
    agent::{Agent, Ended, Result, Task},
    budget::{Amounts, Budget, Measure},
    conversation::{Conversation, Scribe},
    own::offered,
    plan::Plan,
    prompt,
    reflect::Doings,
    repair::{Remedy, Repairs, Slip},
    screen::Seen,
    steering::{Next, Said},
    tool::{Effect, Outcome, Output},
};
use deskhand_models::{Call as Wanted, Failure, Happening, ModelError, Outcome as Replied, Reply, Turn};
use deskhand_vocabulary::Entry;
use std::{collections::HashMap, sync::Arc};

pub(crate) struct Work<'a> {
    agent: &'a Agent,
    scribe: Scribe,
    effects: HashMap<String, Effect>,
    /// As far as they are counted in the budget.
    bytes_out: u64,
    budget: Budget,
    repairs: Repairs,
    doings: Doings,
    /// What the last request alone took of the budget at the least.
    last: Amounts,
    /// Set by a call that is the end of the task.
    ending: Option<Ended>,
    /// What the model was told that is amiss, each time.
    told: Vec<Vec<String>>,
    /// True once something was done since the conversation was last made shorter.
    worked: bool,
    conversation: &'a mut Conversation,
}

/// What the person said between two steps.
enum Heard {
    Nothing,
    Words,
    Cancel,
}

/// What came of a request.
enum Spoken {
    Reply(Box<std::result::Result<Reply, Failure>>),
    /// The person spoke first.
    Nothing,
    /// The time was used up first.
    Late,
}

/// What follows a step.
enum Then {
    Go,
    End(Ended),
}

impl<'a> Work<'a> {
    /// Work on a task from where it is.
    pub(crate) fn on(agent: &'a Agent, task: &'a mut Task) -> Result<Self> {
        agent.resolve(task)?;
        let tools = offered(agent.tools.as_ref());
        let effects = tools.iter().map(|tool| (tool.told.name.clone(), tool.effect)).collect();
        let mut work = Self {
            agent,
            scribe: Scribe(task.id),
            effects,
            bytes_out: 0,
            budget: Budget::new(task.limits),
            repairs: Repairs::default(),
            doings: Doings::lost(&task.lost),
            last: Amounts::default(),
            ending: None,
            told: Vec::new(),
            worked: true,
            conversation: &mut task.conversation,
        };
        work.budget.spend(*work.conversation.spent());
        work.agent.steering.planned(work.conversation.plan());
        Ok(work)
    }
}

impl Work<'_> {
    fn record(&mut self, entry: Entry, durable: bool) -> Result<()> {
        self.agent.record(self.conversation, entry, durable)
    }

    /// Until the task ends.
    pub(crate) async fn run(mut self) -> Result<Ended> {
        if let Some(ended) = self.take_up().await? {
            return Ok(ended);
        }
        // what a process that is gone had heard last may be the end
        if let Some(Turn::Said(said)) = self.conversation.turns().turns().last() {
            let text = said.text();
            if let Then::End(ended) = self.finish(text).await? {
                return Ok(ended);
            }
        }
        loop {
            if matches!(self.listen().await?, Heard::Cancel) {
                return Ok(Ended::Cancelled);
            }
            for alert in self.budget.alerts() {
                self.agent.screen.show(Seen::Budget(alert));
            }
            if let Some(measure) = self.budget.over().or_else(|| self.too_little()) {
                return Ok(self.used_up(measure));
            }
            if let Then::End(ended) = self.step().await? {
                return Ok(ended);
            }
        }
    }

    /// Wait while the task is held, and take up what the person said meanwhile.
    async fn listen(&mut self) -> Result<Heard> {
        let held = self.agent.steering.is_paused();
        if held {
            self.agent.screen.show(Seen::Paused(true));
        }
        let next = self.agent.steering.next().await;
        if held {
            self.agent.screen.show(Seen::Paused(false));
        }
        match next {
            Next::Cancel => Ok(Heard::Cancel),
            Next::Go(said) => Ok(if self.hear_all(&said)? { Heard::Words } else { Heard::Nothing }),
        }
    }

    /// Take these up; whether there were any.
    fn hear_all(&mut self, said: &[Said]) -> Result<bool> {
        said.iter().try_for_each(|said| self.hear(said))?;
        Ok(!said.is_empty())
    }

    fn hear(&mut self, said: &Said) -> Result<()> {
        if let Some(plan) = &said.plan {
            self.set_plan("person", plan)?;
            self.tell_host("plan", &prompt::edited(plan))?;
        }
        if said.elsewhere && !said.words.is_empty() {
            self.agent.screen.show(Seen::Told(&said.words));
        }
        let pieces = prompt::said(&said.words, said.stopped);
        if !pieces.is_empty() {
            self.record(self.scribe.told("person", &pieces), true)?;
        }
        Ok(())
    }

    /// A new plan. What the person made of it is on record before anything follows.
    fn set_plan(&mut self, by: &str, plan: &Plan) -> Result<()> {
        self.record(self.scribe.steps(by, plan), by == "person")?;
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
                reply = self.agent.model.reply(self.conversation.turns(), &mut watch) => Spoken::Reply(Box::new(reply)),
                () = self.agent.steering.interrupted() => Spoken::Nothing,
                () = self.out_of_time() => Spoken::Late,
            }
        };
        // a model takes its time: what it is told becomes durable meanwhile, before anything follows from what it says
        let (reply, kept) = tokio::join!(reply, self.kept());
        kept?;
        let reply = match reply {
            Spoken::Reply(reply) => *reply,
            Spoken::Nothing => return Ok(Then::Go),
            Spoken::Late => {
                self.took(begun.elapsed());
                return Ok(Then::End(self.used_up(Measure::Time)));
            }
        };
        if let Err(failure) = &reply {
            self.failed(failure, begun.elapsed())?;
        }
        let reply = match reply {
            Ok(reply) => reply,
            Err(failure) if matches!(failure.error, ModelError::TooLong { .. }) && self.worked => {
                self.shorten(None)?;
                return Ok(Then::Go);
            }
            Err(failure) if failure.error.is_beyond() => {
                return Ok(Then::End(self.used_up(Measure::BytesOut)));
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
}

const fn stuck(slip: Slip) -> &'static str {
    match slip {
        Slip::EmptyReply => "The model replies with nothing, again and again.",
        Slip::BadArguments => "The model calls a tool with arguments that do not fit, again and again.",
        Slip::UnknownTool => "The model calls tools that there are not, again and again.",
        Slip::CutOff => "The model's replies are cut off again and again because they are too long.",
    }
}
