//! Which image guests start from.

use crate::{
    desk::Desk,
    failure::{Failure, Result},
};
use deskhand_vm_image::{Recipe, Store};
use deskhand_vocabulary::Sha256;

/// The best image that is built.
pub(super) struct Built {
    pub(super) digest: Sha256,
    /// Of all its parts.
    pub(super) bytes: u64,
    /// The packages that were left out of it for want of a package index.
    pub(super) left_out: Vec<String>,
}

/// The image of the guest that this program makes, where it is built: as a whole, or what comes next to that.
pub(super) fn built(desk: &Desk) -> Result<Option<Built>> {
    // asked first, since most have none and it costs nothing
    if !desk.home.guests().exists() {
        return Ok(None);
    }
    let store = Store::open(desk.home.guests()).map_err(Failure::failed)?;
    let whole = Recipe::standard().map_err(Failure::failed)?;
    let wheels = whole.wheels().iter().map(|wheel| wheel.name.clone()).collect();
    for (recipe, left_out) in [(whole.clone(), Vec::new()), (whole.without_wheels(), wheels)] {
        if let Some((digest, bytes)) = store.built(&recipe).map_err(Failure::failed)? {
            return Ok(Some(Built { digest, bytes, left_out }));
        }
    }
    Ok(None)
}
