//! `deskhand mcp remove`

use super::{
    command::Named,
    declared::Declared,
    forget::let_go,
    login::{self, Ended},
    named::named,
};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    settings::Edit,
    show::line,
};
use serde_json::json;

pub(super) fn run(options: &Named) -> Result {
    let desk = Desk::open(options.json.json)?;
    let server = named(&desk, &options.name)?;
    if let Some(plugin) = server.plugin() {
        return Err(Failure::usage(format!(
            "the MCP server `{}` comes with the plugin {plugin}, and is off as long as you do not allow it. It goes with the plugin: deskhand plugin uninstall {plugin}",
            server.name
        )));
    }
    let Declared { name, config, .. } = server;
    let ended = login::end(&desk, &name)?;
    let mut edit = Edit::of(desk.home.config_file())?;
    edit.remove_server(name.as_str());
    edit.save()?;
    let kept = let_go(&desk, &name, &config, None, "removed")?;
    if options.json.json {
        output::text(&format!("{}\n", json!({"name": name, "removed": true, "kept": kept})));
        return Ok(Exit::Done);
    }
    output::text(&format!("The MCP server `{name}` is removed, with its keys and what you allowed of it.\n"));
    if let Ended::Here(why) = ended {
        output::text(&format!("Its login is forgotten here. {why}\n"));
    }
    if let Some(kept) = kept {
        output::text(&format!("What its program kept is yours, and lies in {}\n", line(&kept.display().to_string())));
    }
    Ok(Exit::Done)
}
