//! `deskhand grants` and `deskhand revoke`

use crate::{
    cli,
    desk::Desk,
    exit::Exit,
    failure::Result,
    output,
    show::{columns, line},
};
use deskhand_permissions::Grant;

pub(crate) fn list(options: &cli::Json) -> Result {
    let desk = Desk::open_whatever(options.json)?;
    let grants = desk.gate()?.grants()?;
    if options.json {
        for grant in &grants {
            output::text(&format!("{}\n", serde_json::to_string(grant).unwrap_or_default()));
        }
    } else if grants.is_empty() {
        output::text("Nothing is granted. `deskhand run --folder FOLDER --always` keeps a grant.\n");
    } else {
        let heading = ["NUMBER", "WHAT", "FOR"].map(str::to_owned).to_vec();
        let rows = grants
            .iter()
            .map(|grant| vec![grant.id.to_string(), line(&grant.scope.to_string()), grant.duration.to_string()]);
        output::text(&columns(&std::iter::once(heading).chain(rows).collect::<Vec<_>>()));
        output::aside("Take one back with: deskhand revoke NUMBER");
    }
    Ok(Exit::Done)
}

pub(crate) fn revoke(options: &cli::Revoke) -> Result {
    let desk = Desk::open_whatever(false)?;
    let Grant { id, scope, .. } = desk.gate()?.revoke(options.grant)?;
    output::text(&format!("Grant {id} is taken back: {}.\n", line(&scope.to_string())));
    Ok(Exit::Done)
}
