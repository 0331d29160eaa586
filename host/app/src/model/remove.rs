//! `deskhand model remove`

use super::{choice::choose, command::Named};
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
    let chosen = choose(&desk.settings, Some(&options.name))?;
    let name = chosen.name;
    let used = desk.settings.agent.model.as_deref() == Some(name);
    let mut edit = Edit::of(desk.home.config_file())?;
    edit.remove_model(name);
    if used {
        edit.use_model(None);
    }
    edit.save()?;
    let shared = desk.settings.models.iter().any(|(other, config)| other != name && config.key == chosen.config.key);
    let place: Option<Place> = chosen.config.key.as_deref().and_then(|key| key.parse().ok()).filter(|_| !shared);
    if let Some(place) = &place {
        Stored::of(&desk.home, Whose::Models)
            .remove(place)
            .map_err(|error| Failure::failed(format!("the model `{name}` is removed, but its key is not: {error}")))?;
    }
    if options.json.json {
        output::text(&format!(
            "{}\n",
            json!({"name": name, "removed": true, "key": place.map(|place| place.to_string())})
        ));
        return Ok(Exit::Done);
    }
    output::text(&format!("The model `{name}` is removed.\n"));
    match place {
        Some(Place::Keyring(_)) => output::text("Its key is removed from the system's keyring.\n"),
        Some(Place::File(_)) => output::text("Its key is removed.\n"),
        Some(Place::Environment(_)) | None => {}
    }
    if used {
        output::text("No model works on your requests now. Choose one with: deskhand model use NAME\n");
    }
    Ok(Exit::Done)
}
