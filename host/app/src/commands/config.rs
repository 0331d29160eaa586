//! `deskhand config`: every setting as it holds, and where it comes from.

use crate::{
    cli, desk,
    exit::Exit,
    failure::Result,
    output,
    settings::{self, Held, Settings},
};
use serde_json::json;

pub(crate) fn run(options: &cli::Config) -> Result {
    let path = desk::home()?.config_file();
    if options.path {
        output::text(&format!("{}\n", path.display()));
        Settings::read(path)?;
        return Ok(Exit::Done);
    }
    let held = match Settings::held(path.clone()) {
        Ok(held) => held,
        Err(error) => {
            // whoever mends the file wants to see what can stand in it
            if !options.json {
                output::text(settings::DOCUMENTED);
            }
            return Err(error.into());
        }
    };
    if options.json {
        let rows = held.iter().map(|one| format!("{}\n", serde_json::to_string(one).unwrap_or_default()));
        output::text(&rows.collect::<String>());
        return Ok(Exit::Done);
    }
    output::text(&shown(&held));
    let state = if path.exists() { "is there" } else { "is not there, so the defaults hold" };
    output::aside(&format!("\nYour settings file {} {state}.", path.display()));
    Ok(Exit::Done)
}

/// The documented settings, with what holds instead of each default, and the models after them. It can be taken as a
/// settings file.
fn shown(held: &[Held]) -> String {
    let mut section = "";
    let mut out = String::new();
    for line in settings::DOCUMENTED.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name;
        }
        let key = line.split_once(" = ").map(|(key, _)| format!("{section}.{key}"));
        match key.and_then(|key| held.iter().find(|one| one.key == key)) {
            Some(Held { key, value, default, set }) => {
                let key = key.rsplit('.').next().unwrap_or_default();
                let from = if *set {
                    format!("from your settings file; the default is {default}")
                } else {
                    "the default".to_owned()
                };
                out.push_str(&format!("{key} = {value}  # {from}\n"));
            }
            None => out.push_str(&format!("{line}\n")),
        }
    }
    let models = held.iter().filter_map(|one| Some((one.key.strip_prefix("models.")?, &one.value)));
    for (name, model) in models {
        let table = json!({"models": {name: model}});
        // what was read from TOML can be written as TOML
        out.push_str(&format!("\n{}", toml::to_string(&table).unwrap_or_default()));
    }
    out
}
