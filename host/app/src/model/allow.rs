//! `deskhand model allow`

use super::{choice::choose, command::Named, list::Row};
use crate::{desk::Desk, exit::Exit, failure::Result, output};
use deskhand_permissions::{Duration, Scope, is_here};

pub(super) fn run(options: &Named) -> Result {
    let desk = Desk::open(options.json.json)?;
    let chosen = choose(&desk.settings, Some(&options.name))?;
    let host = &chosen.host;
    let said = if is_here(host) {
        format!("`{}` is on this computer, so there is nothing to agree to.\n", chosen.name)
    } else {
        let grant = desk.gate()?.grant(None, Scope::Model { host: host.clone() }, Duration::Always)?;
        format!(
            "What you ask and what tasks read may go to {host} from now on.\nTake it back with: deskhand revoke {}\n",
            grant.id
        )
    };
    if options.json.json {
        Row::of(&desk, chosen.name, chosen.config)?.print();
    } else {
        output::text(&said);
    }
    Ok(Exit::Done)
}
