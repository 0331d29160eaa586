//! `deskhand plugin connect`

use super::{
    Connect, Connected, Connection,
    connected::label,
    declared, hosts_of,
    list::{Row, print},
};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    keys::{self, Given, Place, Typed},
    market::named,
    output,
    show::line,
};
use deskhand_vocabulary::{PluginId, manifest::Credential};

/// What is not done without a key.
const UNDONE: &str = "nothing was connected";

pub(super) fn run(options: &Connect) -> Result {
    let desk = Desk::open(options.json.json)?;
    desk.stop_on_interrupt();
    let id = named(&desk, &options.which.plugin)?;
    let plugins = desk.plugins()?;
    let Some(plugin) = plugins.get(&id) else { return Err(Failure::failed(format!("{id} is not installed"))) };
    let credential = declared(plugin, options.which.credential.as_deref())?;
    let name = credential.name.as_str();
    let hosts = hosts_of(credential, &id, &desk.configurations()?);
    if hosts.is_empty() {
        return Err(Failure::failed(format!(
            "the key `{name}` of {id} may go nowhere yet: its host is the one that you set under [plugins.{}] in the settings. Set it first, then connect the key",
            id.name
        )));
    }
    let connected = Connected::of(&desk.home);
    let had = connected.connection(&id, name).map_err(Failure::failed)?;
    let given = given(&desk, options, &id, credential, &hosts, had.as_ref())?;
    let in_file = options.source.key_in_file;
    let place = match given {
        Given::Place(place) => place,
        Given::Secret(secret) => connected.keys().keep(&label(&id, name), &secret, in_file).map_err(Failure::failed)?,
    };
    // on record before it can be used
    desk.record_credential(&id, name, "connected", &hosts)?;
    let connection = Connection { key: place.to_string(), hosts };
    connected.keep(&id, name, connection.clone()).map_err(Failure::failed)?;
    if let Some(old) = had.filter(|had| had.key != connection.key).and_then(|had| had.key.parse::<Place>().ok()) {
        connected.keys().remove(&old).map_err(|error| {
            Failure::failed(format!("the new key is connected, but the old one is not removed: {error}"))
        })?;
    }
    let row = Row::of(&id, credential, connection.hosts.clone(), Some(&connection));
    if desk.json {
        print(&row);
        return Ok(Exit::Done);
    }
    let lies = match place {
        Place::Keyring(_) => "It lies in the system's keyring.".to_owned(),
        Place::File(_) => {
            let why = if in_file { "It" } else { "No keyring answers here, so it" };
            format!("{why} lies in {}, which only you can read.", connected.keys().file().display())
        }
        Place::Environment(variable) => format!("It is taken from the variable {variable} each time."),
    };
    output::text(&format!(
        "The key `{name}` of {id} is connected. Deskhand sends it to {} alone; the plugin does not see it.\n{lies}\n",
        connection.hosts.join(" and ")
    ));
    Ok(Exit::Done)
}

/// The key, as the person wants to give it. Where there is one, they may keep it.
fn given(
    desk: &Desk,
    options: &Connect,
    id: &PluginId,
    credential: &Credential,
    hosts: &[String],
    had: Option<&Connection>,
) -> Result<Given> {
    if let Some(given) = options.source.given(UNDONE)? {
        return Ok(given);
    }
    let name = &credential.name;
    let known: Option<Place> = had.and_then(|had| had.key.parse().ok());
    let keep = if known.is_some() { " (nothing to keep the one that is there)" } else { "" };
    let prompt = format!(
        "{}\nIt goes to {}, and nowhere else.\nKey `{name}` of {id}, which is not shown{keep}: ",
        line(&credential.title),
        hosts.join(" and ")
    );
    match (keys::typed(desk, &prompt, UNDONE)?, known) {
        (Typed::Key(secret), _) => Ok(Given::Secret(secret)),
        (Typed::Nothing, Some(known)) => Ok(Given::Place(known)),
        (Typed::Nothing, None) => Err(Failure::new(Exit::Declined, format!("no key was given, so {UNDONE}"))),
        (Typed::Nobody, _) => Err(Failure::new(
            Exit::Unanswered,
            format!(
                "the key `{name}` of {id} is missing, and nobody is there to be asked, so {UNDONE}. Give it with --key-stdin or --key-env VARIABLE"
            ),
        )),
    }
}
