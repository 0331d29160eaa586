//! `deskhand commands`: what can be asked for, and which command a request would get.

use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::Result,
    output,
    request::{self, Match},
    show::{columns, line},
};
use serde_json::json;

pub(crate) fn run(options: &cli::Commands) -> Result {
    let desk = Desk::open(options.json.json)?;
    let request = options.request.join(" ");
    if request.trim().is_empty() { list(&desk) } else { explain(&desk, &request) }
}

fn list(desk: &Desk) -> Result {
    let plugins = desk.plugins()?;
    let mut rows = vec![["COMMAND", "PLUGIN", "WHAT IT DOES"].map(str::to_owned).to_vec()];
    for plugin in plugins.iter() {
        for command in &plugin.release.manifest()?.commands {
            if desk.json {
                output::text(&format!("{}\n", json!({"plugin": plugin.id, "command": command})));
            } else {
                rows.push(vec![format!("/{}", command.name), plugin.id.to_string(), line(&command.summary)]);
            }
        }
    }
    if desk.json {
        return Ok(Exit::Done);
    }
    if rows.len() == 1 {
        output::text("No command is installed. Find plugins with: deskhand plugin search\n");
        return Ok(Exit::Done);
    }
    output::text(&columns(&rows));
    Ok(Exit::Done)
}

fn explain(desk: &Desk, text: &str) -> Result {
    let catalogue = desk.catalogue()?;
    let (exit, found) = match request::parse(text, &catalogue, |_| None) {
        Some(Ok(typed)) => (Exit::Done, Ok((typed.candidate, typed.arguments, "typed".to_owned(), Vec::new()))),
        Some(Err(error)) => (Exit::Usage, Err((error.to_string(), Vec::new()))),
        None => match request::choose(text, &catalogue)? {
            Match::Chosen { candidate, arguments, trigger, uncounted } => {
                (Exit::Done, Ok((catalogue.candidate(candidate)?, arguments, trigger, uncounted)))
            }
            Match::Lacking { candidate, arguments, trigger, uncounted } => {
                let candidate = catalogue.candidate(candidate)?;
                let message = request::lacking(&catalogue, &candidate, text, &trigger);
                let (plugin, command) = (&candidate.plugin, &candidate.command.name);
                output::text(&if desk.json {
                    let lacks = json!({"plugin": plugin, "command": command, "arguments": arguments, "uncounted": uncounted, "message": message});
                    format!("{lacks}\n")
                } else {
                    format!("{message}\n")
                });
                return Ok(Exit::Unserved);
            }
            Match::Unsure(nearest) => (Exit::Unserved, Err((request::unsure(&catalogue, &nearest)?, nearest))),
        },
    };
    match found {
        Ok((candidate, arguments, trigger, uncounted)) => {
            if desk.json {
                output::text(&format!(
                    "{}\n",
                    json!({"plugin": candidate.plugin, "command": candidate.command.name, "arguments": arguments, "trigger": trigger, "uncounted": uncounted})
                ));
            } else {
                output::text(&request::would_use(&candidate, text, &arguments, &trigger, &uncounted));
            }
        }
        Err((message, nearest)) => {
            let nearest: Vec<_> = nearest.iter().filter_map(|index| Some(&catalogue.names().get(*index)?.1)).collect();
            if desk.json {
                output::text(&format!("{}\n", json!({"command": null, "nearest": nearest, "message": message})));
            } else {
                output::text(&format!("{message}\n"));
            }
        }
    }
    Ok(exit)
}
