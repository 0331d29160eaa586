//! `deskhand commands`: what can be asked for, and which command a request would get.

use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::Result,
    output,
    request::{self, Candidate, Match},
    show::{columns, line},
};
use serde_json::json;

pub(crate) fn run(options: &cli::Commands) -> Result {
    let desk = Desk::open(options.json.json)?;
    let candidates = desk.candidates(None)?;
    let request = options.request.join(" ");
    if request.trim().is_empty() { list(&desk, &candidates) } else { explain(&desk, &candidates, &request) }
}

fn list(desk: &Desk, candidates: &[Candidate]) -> Result {
    if desk.json {
        for candidate in candidates {
            output::text(&format!("{}\n", json!({"plugin": candidate.plugin, "command": candidate.command})));
        }
        return Ok(Exit::Done);
    }
    if candidates.is_empty() {
        output::text("No command is installed. Find plugins with: deskhand plugin search\n");
        return Ok(Exit::Done);
    }
    let heading = ["COMMAND", "PLUGIN", "WHAT IT DOES"].map(str::to_owned).to_vec();
    let row = |candidate: &Candidate| {
        let command = &candidate.command;
        vec![format!("/{}", command.name), candidate.plugin.to_string(), line(&command.summary)]
    };
    output::text(&columns(&std::iter::once(heading).chain(candidates.iter().map(row)).collect::<Vec<_>>()));
    Ok(Exit::Done)
}

fn explain(desk: &Desk, candidates: &[Candidate], text: &str) -> Result {
    let (exit, found) = match request::parse(text, candidates, |_| None) {
        Some(Ok(typed)) => (Exit::Done, Ok((typed.candidate, typed.arguments, "typed".to_owned(), Vec::new()))),
        Some(Err(error)) => (Exit::Usage, Err((error.to_string(), Vec::new()))),
        None => match request::choose(text, candidates) {
            Match::Chosen { candidate, arguments, trigger, uncounted } => {
                (Exit::Done, Ok((candidate, arguments, trigger, uncounted)))
            }
            Match::Unsure(nearest) => (Exit::Unserved, Err((request::unsure(candidates, &nearest), nearest))),
        },
    };
    match found {
        Ok((index, arguments, trigger, uncounted)) => {
            let candidate = &candidates[index];
            if desk.json {
                output::text(&format!(
                    "{}\n",
                    json!({"plugin": candidate.plugin, "command": candidate.command.name, "arguments": arguments, "trigger": trigger, "uncounted": uncounted})
                ));
            } else {
                output::text(&request::reason(candidate, text, &arguments, &trigger, &uncounted));
            }
        }
        Err((message, nearest)) => {
            let nearest: Vec<_> = nearest.iter().map(|index| &candidates[*index].command.name).collect();
            if desk.json {
                output::text(&format!("{}\n", json!({"command": null, "nearest": nearest, "message": message})));
            } else {
                output::text(&format!("{message}\n"));
            }
        }
    }
    Ok(exit)
}
