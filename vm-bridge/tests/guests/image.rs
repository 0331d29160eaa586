//! Building the image.

use crate::kit::{Managers, alone, folder};
use deskhand_vm_image::{ImageError, Manifest, Recipe, Store, build};
use std::{fs, os::unix::fs::FileExt as _};

#[test]
fn two_builds_have_one_digest_and_a_changed_image_is_not_used() {
    let _alone = alone();
    let recipe = Recipe::standard().unwrap().with(&["yajl-tools".parse().unwrap()]);
    let build_in = |folder: &std::path::Path| {
        let store = Store::open(folder).unwrap();
        let image = build(&recipe, &Managers(&recipe), &store, |_| ()).unwrap();
        (store, image)
    };
    let (first, second) = (tempfile::tempdir_in(folder()).unwrap(), tempfile::tempdir_in(folder()).unwrap());
    let ((store, one), (_, two)) = (build_in(first.path()), build_in(second.path()));
    assert_eq!(one.manifest, two.manifest);
    assert_eq!(one.digest, two.digest);
    let size = one.manifest.size();
    assert!(size < 400_000_000, "{size}");
    // without the layer it is the image of the recipe that has none
    let (base, _) = store.built(&recipe.without_layer()).unwrap().unwrap();
    let base = store.image(base).unwrap().manifest;
    assert_eq!(Manifest { layer: None, ..one.manifest.clone() }, base);

    let layer = first.path().join("images").join(one.digest.to_string()).join("layer");
    fs::File::options().write(true).open(layer).unwrap().write_all_at(b"x", 100).unwrap();
    assert!(matches!(store.image(one.digest), Err(ImageError::Changed { part: "layer" })));
    let one = build(&recipe.without_layer(), &Managers(&recipe), &store, |_| ()).unwrap();
    let root = first.path().join("images").join(one.digest.to_string()).join("root");
    let file = fs::File::options().write(true).open(&root).unwrap();
    file.write_all_at(b"x", one.manifest.root.size / 2).unwrap();
    assert!(matches!(store.image(one.digest), Err(ImageError::Changed { part: "root" })));
    assert!(matches!(store.image(one.digest), Err(ImageError::Absent)));
    assert_eq!(store.list().unwrap(), []);
}
