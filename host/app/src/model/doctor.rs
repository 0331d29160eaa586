//! Whether a model can work on requests: which, where it is, and whether its key can be read. Nothing is sent.

use super::choose;
use crate::{
    commands::doctor::Check,
    desk::Desk,
    keys::{Stored, Whose},
};
use deskhand_models::Keys as _;

const WHAT: &str = "model";

pub(crate) fn check(desk: &Desk) -> Check {
    if desk.slip.is_some() {
        return Check::note(WHAT, "cannot be told while the settings are not understood", "");
    }
    if desk.settings.models.is_empty() {
        return Check::works(WHAT, "none: commands of plugins work without one");
    }
    let choice = match choose(&desk.settings, None) {
        Ok(choice) => choice,
        Err(failure) => return Check::note(WHAT, "none works on requests", failure.message),
    };
    let found = format!("{} at {}", choice.name, choice.host);
    let Some(key) = &choice.config.key else { return Check::works(WHAT, format!("{found}, without a key")) };
    match Stored::of(&desk.home, Whose::Models).key(key) {
        Ok(_) => Check::works(WHAT, format!("{found}; its key can be read")),
        Err(error) => Check::broken(
            WHAT,
            format!("{found}: {error}"),
            format!("Give its key anew: deskhand model add {}", choice.name),
        ),
    }
}
