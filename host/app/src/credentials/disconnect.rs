//! `deskhand plugin disconnect`, and what becomes of the keys of a plugin that is uninstalled.

use super::{Connected, Connection, Disconnect};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    keys::Place,
    output,
    show::line,
};
use deskhand_marketplace::naming::{self, Meaning};
use deskhand_vocabulary::PluginId;
use serde_json::json;

pub(super) fn run(options: &Disconnect) -> Result {
    let desk = Desk::open(options.json.json)?;
    let connected = Connected::of(&desk.home);
    // also of plugins that are not installed any more
    let all = connected.all().map_err(Failure::failed)?;
    let asked = &options.which.plugin;
    let id = match naming::plugin(asked, all.keys().map(|(plugin, _)| plugin)) {
        Meaning::One(id) => id,
        Meaning::Several(several) => {
            let names: Vec<String> = several.iter().map(PluginId::to_string).collect();
            return Err(Failure::usage(format!(
                "several plugins are called so. Say which one: {}",
                names.join(" or ")
            )));
        }
        Meaning::Nothing => return Err(nothing(asked)),
    };
    let keys: Vec<(&str, &Connection)> =
        all.iter().filter(|((plugin, _), _)| *plugin == id).map(|((_, name), one)| (name.as_str(), one)).collect();
    let (name, connection) = match (&keys[..], options.which.credential.as_deref()) {
        ([only], None) => *only,
        (several, None) => {
            let names: Vec<String> = several.iter().map(|(name, _)| format!("`{name}`")).collect();
            return Err(Failure::usage(format!("{id} has several keys: {}. Say which one", names.join(", "))));
        }
        (several, Some(wanted)) => match several.iter().find(|(name, _)| *name == wanted) {
            Some(found) => *found,
            None => return Err(nothing(&format!("{id} {wanted}"))),
        },
    };
    remove(&desk, &connected, &id, name, connection)?;
    if desk.json {
        output::text(&format!("{}\n", json!({"plugin": id, "credential": name, "connected": false})));
    } else {
        let kept = match connection.key.parse() {
            Ok(Place::Environment(variable)) => format!(" The variable {variable} is yours, and stays."),
            _ => " It is forgotten.".to_owned(),
        };
        output::text(&format!("The key `{name}` of {id} is disconnected.{kept}\n"));
    }
    Ok(Exit::Done)
}

fn nothing(asked: &str) -> Failure {
    Failure::failed(format!(
        "no key of {} is connected. `deskhand plugin connections` lists those that are",
        line(asked)
    ))
}

/// Forget all keys of a plugin; what they were called.
pub(crate) fn forget(desk: &Desk, id: &PluginId) -> Result<Vec<String>> {
    let connected = Connected::of(&desk.home);
    let all = connected.all().map_err(Failure::failed)?;
    let mut forgotten = Vec::new();
    for ((plugin, name), connection) in all {
        if plugin == *id {
            remove(desk, &connected, id, &name, &connection)?;
            forgotten.push(name);
        }
    }
    Ok(forgotten)
}

/// The connection first: without it the key is sent nowhere.
fn remove(desk: &Desk, connected: &Connected, id: &PluginId, name: &str, connection: &Connection) -> Result<()> {
    connected.remove(id, name).map_err(Failure::failed)?;
    desk.record_credential(id, name, "disconnected", &connection.hosts)?;
    if let Ok(place) = connection.key.parse::<Place>() {
        connected.keys().remove(&place).map_err(|error| {
            Failure::failed(format!(
                "the key `{name}` of {id} is sent nowhere any more, but it is not removed: {error}"
            ))
        })?;
    }
    Ok(())
}
