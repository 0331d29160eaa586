//! `deskhand mcp test`

use super::{
    command::Named,
    declared::Declared,
    named::usable,
    reach::{Tried, try_out},
};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::{counted, line, list},
};
use serde_json::json;

pub(super) fn run(options: &Named) -> Result {
    let desk = Desk::open(options.json.json)?;
    desk.stop_on_interrupt();
    let Declared { name, config, .. } = usable(&desk, &options.name)?;
    let tried = match try_out(&desk, &name, &config) {
        Err(failure) if options.json.json && failure.exit == Exit::Failed => {
            output::text(&format!("{}\n", json!({"name": name, "ok": false, "error": failure.message})));
            return Ok(Exit::Failed);
        }
        tried => tried?,
    };
    let Tried { offer, identity, took } = tried;
    let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let counts = [offer.tools.len(), offer.resources.len(), offer.prompts.len()].map(|count| count as u64);
    if options.json.json {
        let [tools, resources, prompts] = counts;
        let answer = json!({
            "name": name, "ok": true, "millis": millis, "server": identity, "tools": tools, "resources": resources,
            "prompts": prompts, "left_out": offer.left_out,
        });
        output::text(&format!("{answer}\n"));
        return Ok(Exit::Done);
    }
    let [tools, resources, prompts] = counts;
    let has = [counted(tools, "tool"), counted(resources, "resource"), counted(prompts, "prompt")];
    let who = if identity.is_empty() { "a server without a name".to_owned() } else { line(&identity) };
    output::text(&format!(
        "`{name}` is ready after {}.{:03} s: {who}, with {}.\n",
        millis / 1000,
        millis % 1000,
        list(&has)
    ));
    if offer.left_out > 0 {
        output::text(&format!("{} of what it has cannot be used and is left out.\n", offer.left_out));
    }
    if tools > 0 {
        output::text(&format!("See its tools with: deskhand mcp tools {name}\n"));
    }
    Ok(Exit::Done)
}

/// Why nothing can be said of a tool that is not there.
pub(super) fn no_tool(name: &deskhand_vocabulary::ServerName, tool: &str) -> Failure {
    Failure::usage(format!(
        "the MCP server `{name}` has no tool `{}`. `deskhand mcp tools {name}` lists those that it has",
        line(tool)
    ))
}
