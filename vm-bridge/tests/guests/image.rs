//! Building the image.

use crate::kit::{Late, alone, folder};
use deskhand_vm_image::{ImageError, Recipe, Store, build};
use std::{fs, os::unix::fs::FileExt as _};

#[test]
fn two_builds_have_one_digest_and_a_changed_image_is_not_used() {
    let _alone = alone();
    let recipe = Recipe::standard().unwrap();
    let build_in = |folder: &std::path::Path| {
        let store = Store::open(folder).unwrap();
        let image = build(&recipe, &Late(&recipe), &store, |_| ()).unwrap();
        (store, image)
    };
    let (first, second) = (tempfile::tempdir_in(folder()).unwrap(), tempfile::tempdir_in(folder()).unwrap());
    let ((store, one), (_, two)) = (build_in(first.path()), build_in(second.path()));
    assert_eq!(one.manifest, two.manifest);
    assert_eq!(one.digest, two.digest);
    let size = one.manifest.kernel.size + one.manifest.initramfs.size + one.manifest.root.size;
    assert!(size < 400_000_000, "{size}");

    let root = first.path().join("images").join(one.digest.to_string()).join("root");
    let file = fs::File::options().write(true).open(&root).unwrap();
    file.write_all_at(b"x", one.manifest.root.size / 2).unwrap();
    assert!(matches!(store.image(one.digest), Err(ImageError::Changed { part: "root" })));
    assert!(matches!(store.image(one.digest), Err(ImageError::Absent)));
    assert_eq!(store.list().unwrap(), []);
}
