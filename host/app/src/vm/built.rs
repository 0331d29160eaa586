//! Which image guests start from.

use crate::{
    desk::Desk,
    failure::{Failure, Result},
    settings::Vm,
};
use deskhand_vm_image::{Recipe, Store};
use deskhand_vocabulary::{Home, Sha256};

/// The image that guests start from, with what it lacks.
pub(super) struct Built {
    pub(super) digest: Sha256,
    /// Of all its parts.
    pub(super) bytes: u64,
    /// The packages that were left out of it for want of a package index.
    pub(super) left_out: Vec<String>,
    /// Whether the packages that the settings name are not in it.
    pub(super) is_behind: bool,
}

/// Where the image lacks what the settings name, for people.
pub(super) const BEHIND: &str = "without the packages that the settings name (deskhand vm build)";

/// The image of the guest that this program makes, where it is built: with the packages of the settings, else without any beside
/// those that every image has. One with other packages is not used.
pub(super) fn built(home: &Home, vm: &Vm) -> Result<Option<Built>> {
    // asked first, since most have none and it costs nothing
    if !home.guests().exists() {
        return Ok(None);
    }
    let store = Store::open(home.guests()).map_err(Failure::failed)?;
    let whole = Recipe::standard().map_err(Failure::failed)?;
    let wheels: Vec<String> = whole.wheels().iter().map(|wheel| wheel.name.clone()).collect();
    let packages = &vm.packages;
    for packages in [packages.as_slice(), &[]] {
        let whole = whole.clone().with(packages);
        for (recipe, left_out) in [(whole.clone(), &[][..]), (whole.without_wheels(), &wheels)] {
            if let Some((digest, bytes)) = store.built(&recipe).map_err(Failure::failed)? {
                let is_behind = packages.len() != vm.packages.len();
                return Ok(Some(Built { digest, bytes, left_out: left_out.to_vec(), is_behind }));
            }
        }
    }
    Ok(None)
}

/// That image, and the one that it shares its parts with.
pub(super) fn in_use(desk: &Desk) -> Result<Vec<Sha256>> {
    let Some(built) = built(&desk.home, &desk.settings.vm)? else { return Ok(Vec::new()) };
    let store = Store::open(desk.home.guests()).map_err(Failure::failed)?;
    let whole = Recipe::standard().map_err(Failure::failed)?;
    let base = if built.left_out.is_empty() { whole } else { whole.without_wheels() };
    let base = store.built(&base).map_err(Failure::failed)?.map(|(digest, _)| digest);
    Ok([Some(built.digest), base].into_iter().flatten().collect())
}
