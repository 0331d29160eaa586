//! From the calls that a reply makes to their answers on record.

use super::{Then, Work, act, stuck};
use crate::{
    agent::{Ended, Result},
    conversation::piece,
    own::{MORE, PLAN, plan_of},
    prompt,
    repair::{Remedy, Slip},
    screen::Seen,
    tool::{Call, Effect, Outcome, Output},
};
use deskhand_models::{Call as Wanted, Piece};
use std::time::Duration;

impl Work<'_> {
    pub(super) fn answer_all(&mut self, calls: &[Wanted], output: &Output) -> Result<()> {
        for wanted in calls {
            self.record(self.scribe.called(wanted), false)?;
            self.record(self.scribe.answered(wanted, output, Duration::ZERO), false)?;
        }
        Ok(())
    }

    /// Make the calls of a reply.
    pub(super) async fn act(&mut self, calls: &[Wanted]) -> Result<Then> {
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

    pub(super) fn effect(&self, wanted: &Wanted) -> Effect {
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
        let made = self.wait_for(real, |at, output, took| {
            if let Some(wanted) = places.get(at) {
                self.show_called(wanted, output, took);
            }
        });
        let made = made.await;
        let mut made = made.into_iter();
        let lost = || (Output::not_done(Outcome::Unknown, "what it came to is not known"), Duration::ZERO);
        Ok(ended.into_iter().map(|here| here.or_else(|| made.next()).unwrap_or_else(lost)).collect())
    }

    /// Make these side by side, and wait for all of them. `ended` is told of each; waiting for the person is no work.
    async fn wait_for(&self, calls: Vec<Call>, ended: impl Fn(usize, &Output, Duration)) -> Vec<(Output, Duration)> {
        let before = self.agent.effects.waited();
        let waited = || self.agent.effects.waited().saturating_sub(before);
        let stop = self.agent.stop.part();
        let making = act::make(&self.agent.tools, calls, &stop, |at, output, took| {
            ended(at, output, took.saturating_sub(waited()));
        });
        tokio::pin!(making);
        let made = tokio::select! {
            biased;
            made = &mut making => made,
            () = self.agent.steering.interrupted() => {
                // what runs is told, and waited for: what it came to is on record
                stop.stop();
                if self.agent.steering.is_cancelled() {
                    self.agent.effects.withdraw();
                }
                making.await
            }
            () = self.out_of_time() => {
                stop.stop();
                making.await
            }
        };
        let waited = waited();
        made.into_iter().map(|(output, took)| (output, took.saturating_sub(waited))).collect()
    }

    /// Put a question again that waited for the person, and what it comes to.
    pub(super) async fn ask_again(&self, wanted: &Wanted) -> Output {
        let arguments = wanted.input.clone().unwrap_or_default();
        let call = Call { id: wanted.id.clone(), tool: wanted.name.clone(), arguments, left: self.budget.left() };
        self.agent.screen.show(Seen::Calling(wanted));
        let made = self.wait_for(vec![call], |_, output, took| self.show_called(wanted, output, took)).await;
        let lost = || Output::not_done(Outcome::Unknown, "what it came to is not known");
        made.into_iter().next().map_or_else(lost, |(output, _)| output)
    }

    fn show_called(&self, wanted: &Wanted, output: &Output, took: Duration) {
        self.agent.screen.show(Seen::Called(wanted, output.outcome, took, &output.gist()));
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
                    let dropped = plan.lacks(self.conversation.theirs());
                    if !dropped.is_empty() {
                        return failed(prompt::dropped(&dropped));
                    }
                    self.set_plan("model", &plan)?;
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

    fn nearest(&self, tool: &str) -> String {
        let mut known = self.conversation.turns().tools().iter().map(|known| known.name.as_str());
        let near = known.find(|known| known.eq_ignore_ascii_case(tool) || known.contains(tool) || tool.contains(known));
        near.map(|near| format!("; `{near}` is one")).unwrap_or_default()
    }

    /// Take in what a call came to.
    fn ended(&mut self, wanted: &Wanted, mut output: Output, took: Duration) -> Result<Then> {
        let text = output.gist();
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
        self.record(self.scribe.answered(wanted, &output, took), false)?;
        self.spend(&before);
        Ok(self.ending.take().map_or(then, Then::End))
    }
}
