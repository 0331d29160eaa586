//! `deskhand vm allow`

use crate::{
    cli::Json,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output, sandbox,
};
use deskhand_permissions::{Duration, Scope};

pub(super) fn run(options: &Json) -> Result {
    let desk = Desk::open(options.json)?;
    sandbox::available(&desk).map_err(|missing| Failure::failed(format!("{missing}. Nothing was allowed")))?;
    let grant = desk.gate()?.grant(None, Scope::Sandbox, Duration::Always)?;
    if options.json {
        output::text(&format!("{}\n", serde_json::to_string(&grant).unwrap_or_default()));
        return Ok(Exit::Done);
    }
    output::text(&format!(
        "Your agent may run commands and code in a sandbox of this computer from now on. It is a weaker boundary than a virtual \
         machine: the kernel is the same.\nTake it back with: deskhand revoke {}\n",
        grant.id
    ));
    Ok(Exit::Done)
}
