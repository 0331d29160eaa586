//! From a recipe to an image in the store.

use crate::{
    Fetch, GUEST, Image, ImageError, Package, Place, Recipe, Store, fetch, initramfs, kernel, layer,
    list::List,
    package, root,
    store::{Key, Made},
    tree::Tree,
    wheel,
};
use deskhand_vocabulary::Sha256;
use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
    sync::LazyLock,
};

/// What a build is at.
#[derive(Clone, Copy, Debug)]
pub enum Step<'a> {
    /// The archive's list of packages is read, for the layer.
    List,
    /// A package is fetched or was there.
    Package {
        /// Which.
        package: &'a Package,
        /// The how manieth it is of those of the root image, or of the layer.
        at: usize,
        /// How many those are.
        of: usize,
    },
    /// The root image is written, which takes the longest.
    Root,
    /// The layer is written.
    Layer,
}

/// Make the image of a recipe, or find it in the store. `say` hears what goes on. That of a recipe with a layer shares all else with
/// the image of the recipe without it, which is in the store as well then.
pub fn build(
    recipe: &Recipe,
    fetch: &dyn Fetch,
    store: &Store,
    mut say: impl FnMut(Step<'_>),
) -> Result<Image, ImageError> {
    if GUEST.is_empty() {
        return Err(ImageError::Unsupported);
    }
    if let Ok(image) = store.open_recipe(recipe) {
        return Ok(image);
    }
    let folder = store.packages()?;
    let needed = match recipe.layer() {
        [] => None,
        _ => Some(resolve(recipe, fetch, &folder, &mut say)?),
    };
    let base = match store.open_recipe(&recipe.without_layer()) {
        Ok(base) => base,
        Err(_) => build_base(recipe, fetch, store, &mut say)?,
    };
    let image = match &needed {
        None => base,
        Some(packages) => lay_over(&base, recipe, packages, fetch, store, &mut say)?,
    };
    let kept: Vec<&Package> = recipe.packages().chain(needed.iter().flatten()).chain([&recipe.list]).collect();
    fetch::tidy(&kept, &folder)?;
    Ok(image)
}

/// The packages of the layer. An archive may have moved on, and then has another list.
fn resolve(
    recipe: &Recipe,
    fetch: &dyn Fetch,
    folder: &Path,
    say: &mut impl FnMut(Step<'_>),
) -> Result<Vec<Package>, ImageError> {
    say(Step::List);
    let file = fetch::file(&recipe.list, fetch, folder).map_err(|error| match error {
        ImageError::Fetch { why, .. } if why.kind() != io::ErrorKind::Interrupted => ImageError::List(why.to_string()),
        ImageError::Digest { expected, found, .. } => {
            ImageError::List(format!("its sha256 is {found} instead of {expected}"))
        }
        error => error,
    })?;
    let list = List::read(&file).map_err(|why| ImageError::List(why.to_string()))?;
    layer::choose(&list, recipe.packages.iter().map(|package| package.name.as_str()), recipe.layer())
}

fn fetch_all<'a>(
    packages: impl Iterator<Item = &'a Package> + Clone,
    fetch: &dyn Fetch,
    folder: &Path,
    say: &mut impl FnMut(Step<'_>),
) -> Result<Vec<(&'a Package, PathBuf)>, ImageError> {
    let of = packages.clone().count();
    let mut files = Vec::new();
    for (number, package) in packages.enumerate() {
        say(Step::Package { package, at: number + 1, of });
        files.push((package, fetch::file(package, fetch, folder)?));
    }
    Ok(files)
}

fn build_base(
    recipe: &Recipe,
    fetch: &dyn Fetch,
    store: &Store,
    say: &mut impl FnMut(Step<'_>),
) -> Result<Image, ImageError> {
    let files = fetch_all(recipe.packages(), fetch, &store.packages()?, say)?;
    let (mut system, mut boot) = (Tree::new()?, Tree::new()?);
    for (package, file) in files {
        let unpacked = match package.place {
            Place::Index(_) => wheel::unpack(&file, &mut system),
            _ if *package == recipe.kernel => package::unpack(&file, &mut boot, kernel::wanted),
            _ => package::unpack(&file, &mut system, |_| true),
        };
        unpacked.map_err(|why| ImageError::Package { package: package.name.clone(), why })?;
    }
    root::finish(&mut system)?;
    say(Step::Root);
    let made = Made::new(store)?;
    made.file("kernel")?.write_all(&kernel::extract(&boot)?)?;
    made.file("initramfs")?.write_all(&initramfs::make(&kernel::modules(&boot)?))?;
    root::write(&system, &made.file("root")?)?;
    made.keep(store, &recipe.without_layer())
}

fn lay_over(
    base: &Image,
    recipe: &Recipe,
    packages: &[Package],
    fetch: &dyn Fetch,
    store: &Store,
    say: &mut impl FnMut(Step<'_>),
) -> Result<Image, ImageError> {
    let mut layer = Tree::new()?;
    for (package, file) in fetch_all(packages.iter(), fetch, &store.packages()?, say)? {
        package::unpack(&file, &mut layer, |_| true)
            .map_err(|why| ImageError::Package { package: package.name.clone(), why })?;
    }
    say(Step::Layer);
    let made = Made::new(store)?;
    made.share(store, base.digest)?;
    root::write(&layer, &made.file("layer")?)?;
    made.keep(store, recipe)
}

/// Of all that an image is made from.
pub(crate) fn key(recipe: &Recipe) -> io::Result<Key> {
    let layer = match recipe.layer() {
        [] => None,
        names => Some(Sha256::of_json(&(names, recipe.list.sha256, FORM))?),
    };
    // of a megabyte, and asked for several times at each start of an agent
    static PROGRAM: LazyLock<Sha256> = LazyLock::new(|| Sha256::of(GUEST));
    Ok(Key { recipe: Sha256::of_json(&(recipe, *PROGRAM, FORM))?, layer })
}

/// Of what this crate makes of a recipe: another one makes another image.
const FORM: u32 = 5;
