//! `deskhand model test`

use super::{choice::choose, command::Tested, wait::wait};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    outgoing::{Outgoing, Purpose},
    output,
    show::{counted, line},
};
use deskhand_models::{Client, Conversation, Happening, Outcome, Patience, Piece, Reply};
use deskhand_permissions::{Context, Standing};
use deskhand_vocabulary::{Stop, text::shortened};
use serde_json::json;
use std::time::{Duration, Instant};

/// Who tests wants to know now, not once a server has recovered.
const PATIENCE: Patience = Patience {
    tries: 2,
    within: Duration::from_secs(10),
    first: Duration::from_millis(500),
    most: Duration::from_secs(5),
};

pub(super) fn run(options: &Tested) -> Result {
    let desk = Desk::open(options.json.json)?;
    desk.stop_on_interrupt();
    let choice = choose(&desk.settings, options.name.as_deref())?;
    let outgoing = Outgoing::of(&desk, Context::person(None, Standing::default()))?;
    let purpose = Purpose::Inquiry { host: choice.host.clone() };
    let client = choice.client(&desk, &outgoing, purpose)?.patience(PATIENCE);
    let begun = Instant::now();
    let asked = ask(&client, &desk.stop).map_err(|failure| match failure.exit {
        Exit::Failed => Failure::failed(format!("`{}` does not work: {}", choice.name, failure.message)),
        _ => failure,
    });
    let millis = u64::try_from(begun.elapsed().as_millis()).unwrap_or(u64::MAX);
    let asked = match asked {
        Ok(reply) => Ok(reply),
        Err(failure) if options.json.json && failure.exit == Exit::Failed => {
            let answer = json!({"name": choice.name, "model": choice.config.model, "host": choice.host, "ok": false, "error": failure.message});
            output::text(&format!("{answer}\n"));
            return Ok(Exit::Failed);
        }
        Err(failure) => Err(failure),
    };
    let reply = asked?;
    let said = shortened(reply.said.text().trim(), 200);
    if options.json.json {
        let answer = json!({
            "name": choice.name, "model": choice.config.model, "host": choice.host, "ok": true, "millis": millis,
            "said": said, "outcome": reply.outcome, "usage": reply.spent, "cost": reply.cost, "sent": outgoing.sent(),
        });
        output::text(&format!("{answer}\n"));
        return Ok(Exit::Done);
    }
    output::text(&format!(
        "{} at {} answered in {}.{:03} s: {}\n",
        line(&choice.config.model),
        choice.host,
        millis / 1000,
        millis % 1000,
        what(&reply, &said)
    ));
    let spent = reply.spent;
    let cost = match reply.cost {
        Some(cost) => format!("It cost {cost}."),
        None => "What it cost is not known, because its table in the settings has no price.".to_owned(),
    };
    output::text(&format!(
        "It read {} and wrote {}. {cost}\n",
        counted(spent.prompt(), "token"),
        counted(spent.output, "token")
    ));
    Ok(Exit::Done)
}

fn ask(client: &Client, stop: &Stop) -> Result<Reply> {
    let mut conversation = Conversation::new("Answer with one word.", Vec::new()).map_err(Failure::failed)?;
    conversation.say(vec![Piece::text("Say hello.")]).map_err(Failure::failed)?;
    let mut watch = |_: Happening<'_>| ();
    wait(stop, client.reply(&conversation, &mut watch))
}

/// What came back, in a line.
fn what(reply: &Reply, said: &str) -> String {
    match &reply.outcome {
        _ if !said.is_empty() => line(said),
        Outcome::Refused { reason } => format!("it declined ({})", line(reason)),
        _ => "no text, but a whole reply".to_owned(),
    }
}
