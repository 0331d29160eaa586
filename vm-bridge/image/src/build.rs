//! From a recipe to an image in the store.

use crate::{
    Fetch, GUEST, Image, ImageError, Package, Place, Recipe, Store, fetch, initramfs, kernel, package, root,
    store::Made, tree::Tree, wheel,
};
use deskhand_vocabulary::Sha256;
use std::{
    io::{self, Write as _},
    path::PathBuf,
};

/// What a build is at.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// A package is fetched or was there.
    Package(&'a Package),
    /// The root image is written, which takes the longest.
    Root,
}

/// Make the image of a recipe, or find it in the store. `say` hears what goes on.
pub fn build(
    recipe: &Recipe,
    fetch: &dyn Fetch,
    store: &Store,
    mut say: impl FnMut(Step<'_>),
) -> Result<Image, ImageError> {
    if GUEST.is_empty() {
        return Err(ImageError::Unsupported);
    }
    let recipe_digest = digest(recipe)?;
    if let Ok(image) = store.open_recipe(recipe_digest) {
        return Ok(image);
    }
    let folder = store.packages()?;
    let mut files: Vec<(&Package, PathBuf)> = Vec::new();
    for package in recipe.packages() {
        say(Step::Package(package));
        files.push((package, fetch::file(package, fetch, &folder)?));
    }
    let (mut system, mut boot) = (Tree::new()?, Tree::new()?);
    for (package, file) in files {
        let unpacked = match package.place {
            Place::Archive(_) if *package == recipe.kernel => package::unpack(&file, &mut boot, kernel::wanted),
            Place::Archive(_) => package::unpack(&file, &mut system, |_| true),
            Place::Index(_) => wheel::unpack(&file, &mut system),
        };
        unpacked.map_err(|why| ImageError::Package { package: package.name.clone(), why })?;
    }
    root::finish(&mut system)?;
    say(Step::Root);
    let mut made = Made::new(store)?;
    made.kernel.write_all(&kernel::extract(&boot)?)?;
    made.initramfs.write_all(&initramfs::make(&kernel::modules(&boot)?))?;
    root::write(&system, made.root.as_file())?;
    let image = made.keep(store, recipe_digest)?;
    fetch::tidy(&recipe.packages().cloned().collect::<Vec<_>>(), &folder)?;
    Ok(image)
}

/// Of all that an image is made from.
pub(crate) fn digest(recipe: &Recipe) -> io::Result<Sha256> {
    Ok(Sha256::of_json(&(recipe, Sha256::of(GUEST), FORM))?)
}

/// Of what this crate makes of a recipe: another one makes another image.
const FORM: u32 = 4;
