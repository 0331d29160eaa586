//! `deskhand model list`, and what is told of a model anywhere.

use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::Result,
    keys::Place,
    output,
    show::{columns, line},
};
use deskhand_models::{ModelConfig, Price, Wire};
use deskhand_permissions::{Scope, is_here};
use serde::Serialize;

/// A model, as it is listed.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) name: String,
    /// What its server calls it.
    pub(super) model: String,
    wire: Wire,
    url: String,
    pub(super) host: String,
    /// Whether it works on the person's requests.
    pub(super) used: bool,
    /// Where its key lies, as the settings write it.
    key: Option<String>,
    consent: Consent,
    price: Option<Price>,
}

/// Whether what tasks work on may go to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Consent {
    /// It is on this very computer, so nothing leaves it.
    Local,
    /// The person agreed, until they take it back.
    Given,
    /// The person is asked at the next task.
    Asked,
}

impl Row {
    pub(super) fn of(desk: &Desk, name: &str, config: &ModelConfig) -> Result<Self> {
        let host = config.host().unwrap_or_default();
        let granted = Scope::Model { host: host.clone() };
        let consent = if is_here(&host) {
            Consent::Local
        } else if desk
            .gate()?
            .grants()?
            .iter()
            .any(|grant| grant.scope == granted && grant.duration == deskhand_permissions::Duration::Always)
        {
            Consent::Given
        } else {
            Consent::Asked
        };
        Ok(Self {
            name: name.to_owned(),
            model: config.model.clone(),
            wire: config.wire,
            url: config.url.clone(),
            used: desk.settings.agent.model.as_deref() == Some(name),
            key: config.key.clone(),
            price: config.price,
            host,
            consent,
        })
    }

    pub(super) fn print(&self) {
        output::text(&format!("{}\n", serde_json::to_string(self).unwrap_or_default()));
    }

    /// What becomes of what tasks work on, in a sentence.
    pub(super) fn consent_said(&self) -> String {
        match self.consent {
            Consent::Local => "It is on this computer: what you ask and what tasks read stays here.\n".to_owned(),
            Consent::Given => format!("What you ask and what tasks read may go to {}, as you agreed.\n", self.host),
            Consent::Asked => {
                format!(
                    "Before the first task you are asked whether what you ask and what it reads may go to {}.\n",
                    self.host
                )
            }
        }
    }

    fn cells(&self) -> Vec<String> {
        let key = match self.key.as_deref().map(str::parse) {
            None => "none".to_owned(),
            Some(Ok(Place::Keyring(_))) => "keyring".to_owned(),
            Some(Ok(Place::File(_))) => "file".to_owned(),
            Some(Ok(Place::Environment(variable))) => format!("${variable}"),
            Some(Err(_)) => "not known".to_owned(),
        };
        let consent = match self.consent {
            Consent::Local => "stays here",
            Consent::Given => "may go there",
            Consent::Asked => "asks first",
        };
        let used = if self.used { "*" } else { "" };
        [used, &self.name, &self.model, &self.url, &key, consent].map(line).to_vec()
    }
}

pub(super) fn run(options: &cli::Json) -> Result {
    let desk = Desk::open(options.json)?;
    let rows: Vec<Row> =
        desk.settings.models.iter().map(|(name, config)| Row::of(&desk, name, config)).collect::<Result<_>>()?;
    if options.json {
        rows.iter().for_each(Row::print);
    } else if rows.is_empty() {
        output::text(
            "There is no model yet. Add one, such as: deskhand model add claude --preset anthropic --model MODEL\n",
        );
    } else {
        let heading = ["", "NAME", "MODEL", "SERVER", "KEY", "WHAT TASKS READ"].map(str::to_owned).to_vec();
        output::text(&columns(&std::iter::once(heading).chain(rows.iter().map(Row::cells)).collect::<Vec<_>>()));
        match rows.iter().any(|row| row.used) {
            true => output::aside("* works on your requests. Choose another with: deskhand model use NAME"),
            false => output::aside("None works on your requests. Choose one with: deskhand model use NAME"),
        }
    }
    Ok(Exit::Done)
}
