//! `deskhand mcp remove`

use super::{command::Named, declared::Declared, forget::revoke, named::named};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    keys::{Place, Stored, Whose},
    output,
    settings::Edit,
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
    let mut edit = Edit::of(desk.home.config_file())?;
    edit.remove_server(name.as_str());
    edit.save()?;
    revoke(&desk, |server| *server == name)?;
    let stored = Stored::of(&desk.home, Whose::Servers);
    let places = config.secrets.values().chain(&config.key).filter_map(|place| place.parse::<Place>().ok());
    for place in places {
        stored.remove(&place).map_err(|error| {
            Failure::failed(format!("the MCP server `{name}` is removed, but a key of it is not: {error}"))
        })?;
    }
    if options.json.json {
        output::text(&format!("{}\n", json!({"name": name, "removed": true})));
    } else {
        output::text(&format!("The MCP server `{name}` is removed, with its keys and what you allowed of it.\n"));
    }
    Ok(Exit::Done)
}
