//! `deskhand mcp remove`

use super::{
    command::Named,
    login::{self, Ended},
    named::named,
};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    keys::{Place, Stored, Whose},
    output,
    settings::Edit,
    show::line,
};
use deskhand_permissions::Scope;
use deskhand_vocabulary::ServerName;
use serde_json::json;
use std::{
    fs, io,
    path::{Path, PathBuf},
};

pub(super) fn run(options: &Named) -> Result {
    let desk = Desk::open(options.json.json)?;
    let (name, config) = named(&desk, &options.name)?;
    let ended = login::end(&desk, &name)?;
    let mut edit = Edit::of(desk.home.config_file())?;
    edit.remove_server(name.as_str());
    edit.save()?;
    for grant in desk.gate()?.grants()?.iter().filter(|grant| is_about(&grant.scope, &name)) {
        desk.gate()?.revoke(grant.id)?;
    }
    let stored = Stored::of(&desk.home, Whose::Servers);
    let places = config
        .secrets
        .values()
        .chain(&config.key)
        .chain(&config.client_secret)
        .filter_map(|place| place.parse::<Place>().ok());
    for place in places {
        stored.remove(&place).map_err(|error| {
            Failure::failed(format!("the MCP server `{name}` is removed, but a key of it is not: {error}"))
        })?;
    }
    let kept = put_aside(&desk.home.servers(), &name).map_err(|error| {
        Failure::failed(format!(
            "the MCP server `{name}` is removed, but what its program kept is not put aside: {error}"
        ))
    })?;
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

/// Where what its program kept lies now, if there is anything: a server that is added under the name later is not to find it.
fn put_aside(servers: &Path, name: &ServerName) -> io::Result<Option<PathBuf>> {
    let room = servers.join(name.as_str());
    match fs::read_dir(room.join("home")).map(|mut entries| entries.next().is_some()) {
        Ok(true) => {}
        Ok(false) => return fs::remove_dir_all(room).map(|()| None),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    }
    let free = |number: &u32| !servers.join(format!("{name}.removed-{number}")).exists();
    let number = (1..).find(free).unwrap_or_default();
    let aside = servers.join(format!("{name}.removed-{number}"));
    fs::rename(room, &aside)?;
    Ok(Some(aside.join("home")))
}

/// Whether a grant is about this server alone. That something may be sent to a host holds for others too, and stays.
pub(super) fn is_about(scope: &Scope, name: &ServerName) -> bool {
    match scope {
        Scope::Server { server, .. }
        | Scope::ServerReading { server }
        | Scope::ServerTool { server, .. }
        | Scope::NoServerTool { server, .. } => server == name,
        _ => false,
    }
}
