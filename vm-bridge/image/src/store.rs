//! Where images are kept: each in a folder that is named by the digest of its manifest, which names the digests of its
//! parts.
//!
//! ```text
//! packages/            fetched packages, by their digests
//! images/DIGEST/       manifest.json, kernel, initramfs, root, and a layer where the recipe has one
//! ```

use crate::{ImageError, Recipe, build};
use deskhand_files::Origin;
use deskhand_vocabulary::{Blake3, Sha256};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File},
    io::{self, Seek as _},
    os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// The most bytes of a manifest.
const MANIFEST_MOST: u64 = 64 << 10;

/// One part of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Part {
    /// Of its bytes: verified at each start, of hundreds of megabytes.
    pub digest: Blake3,
    /// How many.
    pub size: u64,
}

/// What an image is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// Of the recipe, the guest's program and the form of the image.
    pub recipe: Sha256,
    /// The kernel, an ELF file.
    pub kernel: Part,
    /// The first file system.
    pub initramfs: Part,
    /// The root image.
    pub root: Part,
    /// What lies over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layer: Option<Layer>,
}

/// More packages than those of the root image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layer {
    /// Of their names, and of the list in which they were looked up.
    pub packages: Sha256,
    /// A file system like the root image.
    #[serde(flatten)]
    pub part: Part,
}

/// What an image was made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) recipe: Sha256,
    pub(crate) layer: Option<Sha256>,
}

impl Manifest {
    /// Bytes of all parts.
    pub fn size(&self) -> u64 {
        let layer = self.layer.map_or(0, |layer| layer.part.size);
        self.kernel.size + self.initramfs.size + self.root.size + layer
    }

    fn key(&self) -> Key {
        Key { recipe: self.recipe, layer: self.layer.map(|layer| layer.packages) }
    }
}

/// An image that was just verified: its parts are open, so that what runs is what was looked at.
#[derive(Debug)]
pub struct Image {
    /// What it is.
    pub manifest: Manifest,
    /// Of the manifest; the image's name.
    pub digest: Sha256,
    /// Its files.
    pub parts: Parts,
}

/// The open files of an image.
#[derive(Debug)]
pub struct Parts {
    /// The kernel.
    pub kernel: File,
    /// The first file system.
    pub initramfs: File,
    /// The root image.
    pub root: File,
    /// What lies over it.
    pub layer: Option<File>,
}

/// Images in a folder of our own.
#[derive(Clone, Debug)]
pub struct Store(PathBuf);

impl Store {
    /// The store in a folder, which is made (mode 0700) where it is not there.
    pub fn open(folder: impl Into<PathBuf>) -> io::Result<Self> {
        let folder = folder.into();
        private(&folder.join("images"))?;
        Ok(Self(folder))
    }

    /// Where packages are kept.
    pub(crate) fn packages(&self) -> io::Result<PathBuf> {
        let folder = self.0.join("packages");
        private(&folder)?;
        Ok(folder)
    }

    /// The images that are there, by their digests.
    pub fn list(&self) -> io::Result<Vec<Sha256>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.0.join("images"))? {
            found.extend(entry?.file_name().to_str().and_then(|name| name.parse::<Sha256>().ok()));
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Open an image and verify all of it. One that is not what it was is removed.
    pub fn image(&self, digest: Sha256) -> Result<Image, ImageError> {
        let folder = self.folder(digest);
        let opened = open(&folder, digest);
        if let Err(ImageError::Changed { .. }) = opened {
            fs::remove_dir_all(&folder)?;
        }
        opened
    }

    /// The image of a recipe, if it is built: its digest, and its bytes. Its parts are not looked at.
    pub fn built(&self, recipe: &Recipe) -> io::Result<Option<(Sha256, u64)>> {
        Ok(self.of_recipe(recipe)?.map(|(digest, manifest)| (digest, manifest.size())))
    }

    /// The image of a recipe.
    pub(crate) fn open_recipe(&self, recipe: &Recipe) -> Result<Image, ImageError> {
        let (digest, _) = self.of_recipe(recipe)?.ok_or(ImageError::Absent)?;
        self.image(digest)
    }

    fn of_recipe(&self, recipe: &Recipe) -> io::Result<Option<(Sha256, Manifest)>> {
        let key = build::key(recipe)?;
        let known = |digest| Some((digest, manifest(&self.folder(digest), digest).ok()?));
        Ok(self.list()?.into_iter().filter_map(known).find(|(_, manifest)| manifest.key() == key))
    }

    /// Remove all images but those in `keep`, and all packages. Says how many bytes that freed.
    pub fn prune(&self, keep: &[Sha256]) -> io::Result<u64> {
        let mut freed = 0;
        for entry in fs::read_dir(self.0.join("images"))? {
            let entry = entry?;
            let kept =
                entry.file_name().to_str().and_then(|name| name.parse().ok()).is_some_and(|name| keep.contains(&name));
            if !kept {
                freed += remove(&entry.path())?;
            }
        }
        Ok(freed + remove(&self.packages()?)?)
    }

    fn folder(&self, digest: Sha256) -> PathBuf {
        self.0.join("images").join(digest.to_string())
    }
}

fn private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// Remove a folder of files, and say how many bytes that freed: images share parts.
fn remove(folder: &Path) -> io::Result<u64> {
    let mut freed = 0;
    for entry in fs::read_dir(folder)? {
        let facts = entry?.metadata()?;
        freed += if facts.nlink() == 1 { facts.len() } else { 0 };
    }
    fs::remove_dir_all(folder)?;
    Ok(freed)
}

fn manifest(folder: &Path, digest: Sha256) -> Result<Manifest, ImageError> {
    let bytes = match deskhand_files::read(&folder.join("manifest.json"), Origin::Own, MANIFEST_MOST) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(ImageError::Absent),
        bytes => bytes?,
    };
    let changed = ImageError::Changed { part: "manifest" };
    if Sha256::of(&bytes) != digest {
        return Err(changed);
    }
    serde_json::from_slice(&bytes).map_err(|_| changed)
}

fn open(folder: &Path, digest: Sha256) -> Result<Image, ImageError> {
    let manifest = manifest(folder, digest)?;
    let part = |part: &'static str, expected: Part| {
        let changed = || ImageError::Changed { part };
        let mut file = deskhand_files::open(&folder.join(part), Origin::Own).map_err(|_| changed())?;
        if file.metadata()?.len() != expected.size || Blake3::of_reader(&file)? != expected.digest {
            return Err(changed());
        }
        file.rewind()?;
        Ok::<_, ImageError>(file)
    };
    let parts = Parts {
        kernel: part("kernel", manifest.kernel)?,
        initramfs: part("initramfs", manifest.initramfs)?,
        root: part("root", manifest.root)?,
        layer: manifest.layer.map(|layer| part("layer", layer.part)).transpose()?,
    };
    Ok(Image { manifest, digest, parts })
}

/// An image in the making. Dropped, nothing of it stays.
pub(crate) struct Made(tempfile::TempDir);

/// What every image has.
const PARTS: [&str; 3] = ["kernel", "initramfs", "root"];

impl Made {
    pub(crate) fn new(store: &Store) -> io::Result<Self> {
        tempfile::Builder::new().prefix(".making-").tempdir_in(store.0.join("images")).map(Self)
    }

    /// A new part.
    pub(crate) fn file(&self, name: &str) -> io::Result<File> {
        File::options().write(true).create_new(true).mode(0o600).open(self.0.path().join(name))
    }

    /// Have the parts that every image has from another one.
    pub(crate) fn share(&self, store: &Store, other: Sha256) -> io::Result<()> {
        PARTS.iter().try_for_each(|name| fs::hard_link(store.folder(other).join(name), self.0.path().join(name)))
    }

    /// Put it in its place, whole or not at all.
    pub(crate) fn keep(self, store: &Store, recipe: &Recipe) -> Result<Image, ImageError> {
        let folder = self.0.path();
        let part = |name: &str| {
            let file = File::open(folder.join(name))?;
            file.sync_all()?;
            Ok::<_, io::Error>(Part { digest: Blake3::of_reader(&file)?, size: file.metadata()?.len() })
        };
        let [kernel, initramfs, root] = PARTS.map(part);
        let key = build::key(recipe)?;
        let layer =
            key.layer.map(|packages| Ok::<_, io::Error>(Layer { packages, part: part("layer")? })).transpose()?;
        let manifest = Manifest { recipe: key.recipe, kernel: kernel?, initramfs: initramfs?, root: root?, layer };
        let bytes = serde_json::to_vec_pretty(&manifest).map_err(io::Error::from)?;
        let digest = Sha256::of(&bytes);
        fs::write(folder.join("manifest.json"), bytes)?;
        File::open(folder)?.sync_all()?;
        match fs::rename(folder, store.folder(digest)) {
            // another build of the same image was quicker
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            Err(error) => return Err(error.into()),
            Ok(()) => drop(self.0.keep()),
        }
        store.image(digest)
    }
}
