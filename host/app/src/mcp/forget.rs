//! What becomes of what the person allowed of servers, and gave for them, when they are gone.

use super::given::Given;
use crate::{
    desk::Desk,
    failure::{Failure, Result},
    keys::{Place, Stored, Whose},
};
use deskhand_mcp::client::{ServerConfig, sandbox::room};
use deskhand_permissions::Scope;
use deskhand_vocabulary::{PluginId, ServerName};
use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// Forget what is about a server of the person's, beside its login: what they allowed of it, and its keys, but for those of `next`,
/// which is there in its place. `done` says what has become of the server. Where what its program kept lies now, if there is anything.
pub(super) fn let_go(
    desk: &Desk,
    name: &ServerName,
    had: &ServerConfig,
    next: Option<&ServerConfig>,
    done: &str,
) -> Result<Option<PathBuf>> {
    revoke(desk, |server| server == name)?;
    let stored = Stored::of(&desk.home, Whose::Servers);
    let still: Vec<&String> = next.into_iter().flat_map(keys).collect();
    for place in keys(had).filter(|place| !still.contains(place)).filter_map(|place| place.parse::<Place>().ok()) {
        stored.remove(&place).map_err(|error| {
            Failure::failed(format!("the MCP server `{name}` is {done}, but a key of it is not removed: {error}"))
        })?;
    }
    put_aside(&desk.home.servers(), name).map_err(|error| {
        Failure::failed(format!(
            "the MCP server `{name}` is {done}, but what its program kept is not put aside: {error}"
        ))
    })
}

/// Where the keys of a server lie.
pub(super) fn keys(config: &ServerConfig) -> impl Iterator<Item = &String> {
    config.secrets.values().chain(&config.key).chain(&config.client_secret)
}

/// Forget all that is about the servers of a plugin that is uninstalled; how many values of variables there were.
pub(crate) fn forget(desk: &Desk, plugin: &PluginId) -> Result<usize> {
    let name = plugin.name.as_str();
    revoke(desk, |server| server.plugin() == Some(name))?;
    let servers = desk.home.servers();
    for room in fs::read_dir(&servers).into_iter().flatten().flatten() {
        let room = room.file_name().to_string_lossy().into_owned();
        if let Some(server) = room.strip_prefix(&format!("{name}~")).filter(|server| !server.contains('.')) {
            let server = format!("{name}/{server}").parse().map_err(Failure::failed)?;
            put_aside(&servers, &server).map_err(|error| Failure::failed(format!("{}: {error}", servers.display())))?;
        }
    }
    Given::of(&desk.home).forget(plugin)
}

/// Where what its program kept lies now, if there is anything: a server that is added under the name later is not to find it.
fn put_aside(servers: &Path, name: &ServerName) -> io::Result<Option<PathBuf>> {
    let name = room(name);
    let room = servers.join(&name);
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

/// Take back what is about these servers alone. That something may be sent to a host holds for others too, and stays.
fn revoke(desk: &Desk, is_meant: impl Fn(&ServerName) -> bool) -> Result<()> {
    let gate = desk.gate()?;
    for grant in gate.grants()?.iter().filter(|grant| server(&grant.scope).is_some_and(&is_meant)) {
        gate.revoke(grant.id)?;
    }
    Ok(())
}

/// The server that a grant is about.
const fn server(scope: &Scope) -> Option<&ServerName> {
    match scope {
        Scope::Server { server, .. }
        | Scope::ServerReading { server }
        | Scope::ServerTool { server, .. }
        | Scope::NoServerTool { server, .. } => Some(server),
        _ => None,
    }
}
