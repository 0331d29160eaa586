//! `deskhand vm prune`

use super::{
    built::in_use,
    command::Prune,
    shelter::{SNAPSHOTS, bridge},
};
use crate::{
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    show::bytes,
};
use deskhand_vm_bridge::Snapshots;
use deskhand_vm_image::Store;
use deskhand_vocabulary::Sha256;
use serde_json::json;
use std::io;

/// Remove the guests that were saved, but for those of an image that is in use.
fn saved(desk: &Desk, image: Option<&Sha256>) -> io::Result<u64> {
    match image.map(|image| bridge(&desk.home, &desk.settings.vm, *image)) {
        Some(Ok(bridge)) => bridge.tidy(),
        // what nothing here can start is of no use
        Some(Err(_)) | None => Snapshots::open(desk.home.guests().join(SNAPSHOTS))?.clear(),
    }
}

pub(super) fn run(options: &Prune) -> Result {
    let desk = Desk::open_whatever(options.json.json)?;
    let mut freed = 0;
    if desk.home.guests().exists() {
        let kept = if options.all { Vec::new() } else { in_use(&desk)? };
        let store = Store::open(desk.home.guests()).map_err(Failure::failed)?;
        freed =
            store.prune(&kept).and_then(|freed| Ok(freed + saved(&desk, kept.first())?)).map_err(Failure::failed)?;
    }
    output::text(&match options.json.json {
        true => format!("{}\n", json!({ "freed": freed })),
        false => format!("Freed {}.\n", bytes(freed)),
    });
    Ok(Exit::Done)
}
