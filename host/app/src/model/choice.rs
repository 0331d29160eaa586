//! Which of the models of the settings is meant.

use crate::{
    desk::Desk,
    failure::{Failure, Result},
    settings::Settings,
    show::{line, sentence},
};
use deskhand_models::ModelConfig;
use deskhand_permissions::is_here;
use deskhand_vocabulary::{Notice, Principal};

/// A model of the settings.
#[derive(Clone, Debug)]
pub(crate) struct Choice<'a> {
    /// What the person calls it.
    pub(crate) name: &'a str,
    pub(crate) config: &'a ModelConfig,
    /// The host of its server.
    pub(crate) host: String,
}

impl Choice<'_> {
    /// What it costs is counted, so that a budget of money holds. The person is told where it is not, which is no trouble for a
    /// model on this computer.
    ///
    /// # Errors
    /// Where it has no price and is elsewhere: a budget that holds nothing would be believed.
    pub(crate) fn require_price(&self, desk: &Desk) -> Result<()> {
        if self.config.price.is_some() {
            return Ok(());
        }
        let name = line(self.name);
        let text = format!(
            "what the model `{name}` costs is not known, so money is not counted. Say it with: deskhand model add {name} --price-input AMOUNT --price-output AMOUNT"
        );
        if !is_here(&self.host) {
            return Err(Failure::usage(format!("{text}; or leave `money` out of the budget")));
        }
        desk.person.tell(&Notice { origin: Principal::Person, text: sentence(&text) });
        Ok(())
    }
}

/// The model of this name, or without one the model that the settings choose.
pub(crate) fn choose<'a>(settings: &'a Settings, name: Option<&str>) -> Result<Choice<'a>> {
    let Some(wanted) = name.or(settings.agent.model.as_deref()) else {
        return Err(Failure::failed(match settings.models.is_empty() {
            true => {
                "there is no model yet. Add one, such as: deskhand model add claude --preset anthropic --model MODEL"
                    .to_owned()
            }
            false => format!("no model is chosen. Choose {} with: deskhand model use NAME", one_of(settings)),
        }));
    };
    let Some((name, config)) = settings.models.get_key_value(wanted) else {
        let by = if name.is_none() { ", which `agent.model` in the settings chooses" } else { "" };
        let others = match settings.models.is_empty() {
            true => "There is none yet. Add one with: deskhand model add".to_owned(),
            false => format!("There is {}; choose with: deskhand model use NAME", one_of(settings)),
        };
        return Err(Failure::failed(format!("there is no model `{}`{by}. {others}", line(wanted))));
    };
    // it was checked when the settings were read
    let host =
        config.host().ok_or_else(|| Failure::failed(format!("the model `{name}` has no address that can be used")))?;
    Ok(Choice { name, config, host })
}

/// `a`, `a or b`, `a, b or c`.
fn one_of(settings: &Settings) -> String {
    let names: Vec<String> = settings.models.keys().map(|name| format!("`{name}`")).collect();
    match &names[..] {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::choose;
    use crate::settings::Settings;

    fn settings(text: &str) -> Settings {
        Settings::of(text, "FILE".into()).unwrap().0
    }

    #[test]
    fn who_is_meant_or_what_to_do() {
        let two = "[models.fast]\nwire = 'chat'\nurl = 'http://localhost:1/v1'\nmodel = 'm'\n\
                   [models.good]\nwire = 'anthropic'\nurl = 'https://API.example.com'\nmodel = 'm'\n";
        let of = |text: &str, name: Option<&str>| {
            let settings = settings(text);
            let chosen = choose(&settings, name);
            chosen.map(|choice| format!("{} {}", choice.name, choice.host)).map_err(|failure| failure.message)
        };
        let none =
            "there is no model yet. Add one, such as: deskhand model add claude --preset anthropic --model MODEL";
        assert_eq!(of("", None), Err(none.to_owned()));
        assert_eq!(
            of("[agent]\nmodel = 'x'", None),
            Err("there is no model `x`, which `agent.model` in the settings chooses. There is none yet. Add one with: deskhand model add".to_owned())
        );
        assert_eq!(
            of(two, None),
            Err("no model is chosen. Choose `fast` or `good` with: deskhand model use NAME".to_owned())
        );
        assert_eq!(
            of(two, Some("god")),
            Err("there is no model `god`. There is `fast` or `good`; choose with: deskhand model use NAME".to_owned())
        );
        assert_eq!(of(two, Some("good")), Ok("good api.example.com".to_owned()));
        assert_eq!(of(&format!("{two}[agent]\nmodel = 'fast'"), None), Ok("fast localhost".to_owned()));
    }
}
