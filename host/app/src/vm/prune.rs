//! `deskhand vm prune`

use super::{built::in_use, command::Prune};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::bytes,
};
use deskhand_vm_bridge::Snapshots;
use deskhand_vm_image::Store;
use serde_json::json;

pub(super) fn run(options: &Prune) -> Result {
    let desk = Desk::open_whatever(options.json.json)?;
    let mut freed = 0;
    if desk.home.guests().exists() {
        let kept = if options.all { Vec::new() } else { in_use(&desk)? };
        let store = Store::open(desk.home.guests()).map_err(Failure::failed)?;
        let snapshots = Snapshots::open(desk.home.guests().join(super::shelter::SNAPSHOTS)).map_err(Failure::failed)?;
        freed = store.prune(&kept).and_then(|freed| Ok(freed + snapshots.clear()?)).map_err(Failure::failed)?;
    }
    output::text(&match options.json.json {
        true => format!("{}\n", json!({ "freed": freed })),
        false => format!("Freed {}.\n", bytes(freed)),
    });
    Ok(Exit::Done)
}
