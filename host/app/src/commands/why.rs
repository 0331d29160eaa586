//! `deskhand why`

use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::{line, lines},
};
use deskhand_permissions::{Context, Standing, Verdict, kind::Object, parse_action_of};
use deskhand_vocabulary::{PluginId, Principal, path};
use std::{ffi::OsString, os::unix::ffi::OsStringExt as _, path::PathBuf, sync::Arc};

pub(crate) fn run(options: &cli::Why) -> Result {
    let desk = Desk::open_whatever(options.json.json)?;
    let of = |principal| Context { task: None, principal, rights: Arc::new([]), standing: Standing::default() };
    let context = match (&options.plugin, &options.client) {
        (Some(name), _) => plugin(&desk, name)?,
        (None, Some(client)) => of(Principal::Client(client.clone())),
        (None, None) if options.agent => of(Principal::Agent),
        (None, None) => Context::person(None, Standing::default()),
    };
    let folder =
        std::env::current_dir().map_err(|error| Failure::failed(format!("there is no folder here: {error}")))?;
    let plugins = desk.plugins()?;
    let owners = |object: Object, name: &str| {
        let has = |plugin: &&deskhand_runtime::Installed| {
            let Ok(listing) = plugin.release.listing() else { return false };
            match object {
                Object::Command => listing.commands.iter().any(|command| command.name.as_str() == name),
                Object::Tool => listing.tools.iter().any(|tool| tool.name.as_str() == name),
                Object::Skill => listing.skill.as_ref().is_some_and(|skill| skill.name.as_str() == name),
                Object::Agent => listing.agent.as_ref().is_some_and(|agent| agent.name.as_str() == name),
                _ => plugin.id.name.as_str() == name,
            }
        };
        plugins.iter().filter(has).map(|plugin| plugin.id.clone()).collect()
    };
    let action = parse_action_of(&options.action, &folder, owners).map_err(Failure::usage)?;
    let action = crate::mcp::as_allowed(&desk, crate::instructions::as_they_read(action))?;
    if let Some(folder) = action.folder() {
        let path = PathBuf::from(OsString::from_vec(path::decode(folder)));
        if path.symlink_metadata().is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound) {
            return Err(Failure::usage(format!(
                "{} does not exist. Check the spelling, then try again",
                path.display()
            )));
        }
    }
    let explanation = desk.gate()?.explain(&context, &action)?;
    if desk.json {
        output::text(&format!("{}\n", serde_json::to_string(&explanation).unwrap_or_default()));
    } else {
        output::text(&format!("{}\n", lines(&explanation.to_string())));
    }
    Ok(if explanation.judgement.verdict == Verdict::Deny { Exit::Denied } else { Exit::Done })
}

/// The context of an installed plugin, by its whole id or its name.
fn plugin(desk: &Desk, name: &str) -> Result<Context> {
    let plugins = desk.plugins()?;
    let plugin = plugins
        .iter()
        .find(|plugin| plugin.id.to_string() == name || plugin.id.name.as_str() == name)
        .ok_or_else(|| Failure::usage(format!("no plugin `{}` is installed; see: deskhand plugin list", line(name))))?;
    let id: PluginId = plugin.id.clone();
    Ok(Context {
        task: None,
        principal: Principal::Plugin(id),
        rights: plugin.release.listing()?.permissions.clone(),
        standing: Standing::default(),
    })
}
