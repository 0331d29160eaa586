//! Which models a server offers, for who does not know what it calls them.

use super::wait::wait;
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    outgoing::{Outgoing, Purpose},
    show::line,
};
use deskhand_egress::Secret;
use deskhand_models::{Chance, Client, Keys, ModelConfig, NoKey};
use deskhand_permissions::{Context, Standing};
use deskhand_vocabulary::{Answer, Principal, Question, Unanswered, person::Choice};
use std::sync::Arc;

/// So many are named in a message.
const NAMED: usize = 20;

/// Have the person choose one of the models that the server offers. Where nobody is there, those are named.
pub(super) fn choose(desk: &Desk, config: &ModelConfig, key: Option<Secret>) -> Result<String> {
    let host = config.host().unwrap_or_default();
    let offered = match ask(desk, config, key) {
        Ok(offered) => offered,
        Err(failure) if failure.exit == Exit::Stopped => return Err(failure),
        Err(failure) => {
            return Err(Failure::usage(format!(
                "say which model with --model, as its server calls it. The server could not be asked for its models: {}",
                failure.message
            )));
        }
    };
    let choices = offered.iter().map(|id| Choice { id: id.clone(), label: id.clone(), hint: String::new() }).collect();
    let text = format!("Which of the models at {host}?");
    let missing = || {
        let more = if offered.len() > NAMED { ", and more" } else { "" };
        let named: Vec<String> = offered.iter().take(NAMED).map(|id| line(id)).collect();
        let offers = if offered.is_empty() { "none".to_owned() } else { format!("{}{more}", named.join(", ")) };
        Failure::usage(format!("say which model with --model, as its server calls it. {host} offers: {offers}"))
    };
    if offered.is_empty() || desk.json {
        return Err(missing());
    }
    match desk.person.ask(&Question::Choose { origin: Principal::Person, text, choices }) {
        Ok(Answer::Chosen(id)) => Ok(id),
        Ok(_) => Err(Failure::new(Exit::Declined, "you chose none, so the model was not added")),
        Err(Unanswered::Absent) => Err(missing()),
        Err(why @ Unanswered::Stopped) => Err(Failure::new(Exit::Stopped, why)),
    }
}

fn ask(desk: &Desk, config: &ModelConfig, key: Option<Secret>) -> Result<Vec<String>> {
    let outgoing = Outgoing::of(desk, Context::person(None, Standing::default()))?;
    let purpose = Purpose::Inquiry { host: config.host().unwrap_or_default() };
    let config = ModelConfig { key: key.as_ref().map(|_| "given".to_owned()), ..config.clone() };
    let (outlet, clock) = (outgoing.outlet(purpose), Arc::clone(&desk.clock));
    let client = Client::new(config, outlet, Arc::new(Given(key)), clock, Arc::new(Chance)).map_err(Failure::usage)?;
    wait(&desk.stop, async { client.offered().await.map_err(|failure| failure.error) })
}

/// The key that was just given and is not kept yet.
struct Given(Option<Secret>);

impl Keys for Given {
    fn key(&self, name: &str) -> std::result::Result<Secret, NoKey> {
        self.0.clone().ok_or_else(|| NoKey { name: name.to_owned(), reason: "none was given".to_owned() })
    }
}
