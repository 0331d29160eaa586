//! `deskhand model add`

use super::{
    command::{self, Add},
    list::Row,
    offered,
    presets::{Preset, preset},
};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    keys::{self, Given, Place, Stored, Typed, Whose},
    output,
    settings::{Edit, is_name},
    show::line,
};
use deskhand_models::{Keys as _, ModelConfig, Price};
use deskhand_permissions::is_here;

/// What is not done without a key.
const UNDONE: &str = "the model was not added";

pub(super) fn run(options: &Add) -> Result {
    let desk = Desk::open(options.json.json)?;
    desk.stop_on_interrupt();
    let name = options.name.as_str();
    if !is_name(name) {
        return Err(Failure::usage(format!(
            "a model is called by letters, digits, `-`, `_` and `.`, at most 64 of them, not `{}`",
            line(name)
        )));
    }
    let had = desk.settings.models.get(name);
    let preset = options.preset.as_deref().and_then(preset);
    let mut config = described(options, had, preset)?;
    let other = had.filter(|had| had.host() != config.host());
    let same = had.filter(|_| other.is_none());
    let model = options.model.as_deref().or(same.map(|same| same.model.as_str()));
    // the server can be asked once it is known with which key
    model.unwrap_or("any").clone_into(&mut config.model);
    config.check().map_err(Failure::usage)?;
    let host = config.host().unwrap_or_default();
    if let Some(other) = other
        && let Some(exit) = may_replace(&desk, name, other, &host, options.yes)?
    {
        return Ok(exit);
    }

    let mut edit = Edit::of(desk.home.config_file())?;
    let stored = Stored::of(&desk.home, Whose::Models);
    let wanted = preset.map_or(!is_here(&host), |preset| preset.key);
    let known = known_key(&desk, name, &host);
    let given = given(&desk, &options.key, &host, wanted, known)?;
    if model.is_none() {
        let key = match &given {
            None => None,
            Some(Given::Secret(secret)) => Some(secret.clone()),
            Some(Given::Place(place)) => Some(stored.key(&place.to_string()).map_err(Failure::failed)?),
        };
        config.model = offered::choose(&desk, &config, key)?;
    }
    let (place, new) = match given {
        None => (None, false),
        Some(Given::Place(place)) => (Some(place), false),
        Some(Given::Secret(secret)) => {
            let place = stored.keep(&host, &secret, options.key.source.key_in_file).map_err(Failure::failed)?;
            (Some(place), true)
        }
    };
    config.key = place.as_ref().map(ToString::to_string);
    let used = desk.settings.agent.model.as_deref().is_none_or(|used| used == name);
    let save = || {
        edit.set_model(name, &config)?;
        if used {
            edit.use_model(Some(name));
        }
        edit.save()
    };
    if let Err(error) = save() {
        if let Some(place) = place.filter(|_| new) {
            // what failed is told; that the key could not be taken back either is the same trouble
            let _ = stored.remove(&place);
        }
        return Err(error.into());
    }

    let desk = Desk::open(options.json.json)?;
    let row = Row::of(&desk, name, &config)?;
    if options.json.json {
        row.print();
    } else {
        let done = match (had, other) {
            (_, Some(_)) => "replaced",
            (Some(_), None) => "changed",
            (None, None) => "added",
        };
        output::text(&said(&row, done, place.as_ref(), &stored, options.key.source.key_in_file));
    }
    Ok(Exit::Done)
}

/// Have the person agree that a model makes room for one at another host.
fn may_replace(desk: &Desk, name: &str, there: &ModelConfig, host: &str, yes: bool) -> Result<Option<Exit>> {
    let there = format!("{} at {}", line(&there.model), there.host().unwrap_or_default());
    let question = format!(
        "There is a model `{name}` already: {there}. Put one at {host} in its place? What you set for it is forgotten, and its key \
         is not sent there."
    );
    desk.confirm(question, &format!("the model `{name}` stays as it is ({there})"), yes)
}

/// The model without its key, and without what its server calls it.
fn described(options: &Add, had: Option<&ModelConfig>, preset: Option<&Preset>) -> Result<ModelConfig> {
    let wire = options.wire.map(Into::into).or(preset.map(|preset| preset.wire)).or(had.map(|had| had.wire));
    let url = options.url.as_deref().or(preset.map(|preset| preset.url)).or(had.map(|had| had.url.as_str()));
    let (Some(wire), Some(url)) = (wire, url) else {
        return Err(Failure::usage(
            "say where the model is: one of the usual servers with --preset, or else --wire and --url. `deskhand model add --help` lists them",
        ));
    };
    let new = ModelConfig::new(wire, url, "");
    // what is particular about a server, such as headers and prices, holds for no other
    let mut config = had.filter(|had| had.host() == new.host()).cloned().unwrap_or(new);
    (config.wire, config.url) = (wire, url.to_owned());
    config.context = options.context.or(config.context);
    if let (Some(input), Some(output)) = (options.price_input, options.price_output) {
        config.price = Some(Price { input, output, cache_read: None, cache_write: None });
    }
    Ok(config)
}

/// Where the key lies that this model, or another at the same host, has already. A key never goes to another host than the
/// one that it was given for.
fn known_key(desk: &Desk, name: &str, host: &str) -> Option<Place> {
    let models = &desk.settings.models;
    let at_host = |config: &&ModelConfig| config.host().as_deref() == Some(host);
    let own = models.get(name).filter(at_host).and_then(|own| own.key.as_deref());
    own.or_else(|| models.values().filter(at_host).find_map(|other| other.key.as_deref()))?.parse().ok()
}

/// The key, as the person wants to give it; none where the server wants none.
fn given(desk: &Desk, options: &command::Key, host: &str, wanted: bool, known: Option<Place>) -> Result<Option<Given>> {
    if options.no_key {
        return Ok(None);
    }
    if let Some(given) = options.source.given(UNDONE)? {
        return Ok(Some(given));
    }
    if !wanted && known.is_none() && !options.source.key_in_file {
        return Ok(None);
    }
    let keep = if known.is_some() { " (nothing to keep the one that is there)" } else { "" };
    let prompt = format!("Key for {host}, which is not shown{keep}: ");
    match (keys::typed(desk, &prompt, UNDONE)?, known) {
        (Typed::Key(secret), _) => Ok(Some(Given::Secret(secret))),
        (Typed::Nothing | Typed::Nobody, Some(known)) => Ok(Some(Given::Place(known))),
        (Typed::Nothing, None) => Err(Failure::new(
            Exit::Declined,
            "no key was given, so the model was not added. If its server wants none, add --no-key",
        )),
        (Typed::Nobody, None) => Err(Failure::new(
            Exit::Unanswered,
            format!(
                "the key for {host} is missing, and nobody is there to be asked, so the model was not added. Give it with --key-stdin or --key-env VARIABLE, or say --no-key"
            ),
        )),
    }
}

fn said(row: &Row, done: &str, place: Option<&Place>, stored: &Stored, in_file: bool) -> String {
    let name = &row.name;
    let mut out = format!("The model `{name}` is {done}: {} at {}.\n", line(&row.model), row.host);
    match place {
        Some(Place::Keyring(_)) => out.push_str("Its key lies in the system's keyring.\n"),
        Some(Place::File(_)) => {
            let why = if in_file { "" } else { "No keyring answers here, so its" };
            let whose = if why.is_empty() { "Its" } else { why };
            out.push_str(&format!("{whose} key lies in {}, which only you can read.\n", stored.file().display()));
        }
        Some(Place::Environment(variable)) => {
            out.push_str(&format!("Its key is taken from the variable {variable} each time.\n"));
        }
        None => {}
    }
    out.push_str(&row.consent_said());
    if row.used {
        out.push_str("It works on your requests.\n");
    } else {
        out.push_str(&format!("Choose it with: deskhand model use {name}\n"));
    }
    out.push_str(&format!("Try it with: deskhand model test {name}\n"));
    out
}
