//! `deskhand model use`

use super::{choice::choose, command::Named, list::Row};
use crate::{desk::Desk, exit::Exit, failure::Result, output, settings::Edit};

pub(super) fn run(options: &Named) -> Result {
    let desk = Desk::open(options.json.json)?;
    let chosen = choose(&desk.settings, Some(&options.name))?;
    let mut edit = Edit::of(desk.home.config_file())?;
    edit.use_model(Some(chosen.name));
    edit.save()?;
    let desk = Desk::open(options.json.json)?;
    let row = Row::of(&desk, chosen.name, chosen.config)?;
    if options.json.json {
        row.print();
    } else {
        output::text(&format!("`{}` works on your requests from now on.\n{}", chosen.name, row.consent_said()));
    }
    Ok(Exit::Done)
}
