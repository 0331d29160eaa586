//! Where instructions lie: beside the settings, above a folder as far as the person trusts, in it, and below it.

use super::file::{self, Found, NAMES};
use crate::{desk::Desk, failure::Result};
use deskhand_permissions::Scope;
use deskhand_vocabulary::path::{decode, encode};
use serde::Serialize;
use std::{
    ffi::OsString,
    fs,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Path, PathBuf},
};

/// So many levels below a folder are looked through,
const DEPTH: usize = 3;
/// and so many folders in all.
const FOLDERS: usize = 1000;
/// Not looked into: what programs fetch from others lies there.
const FETCHED: &str = "node_modules";

/// Where a file of instructions stands, seen from a folder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Place {
    /// Beside Deskhand's settings: for all folders.
    Settings,
    /// Above the folder.
    Above,
    /// In the folder.
    Folder,
    /// Below the folder.
    Below,
}

/// A file of instructions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Placed {
    pub(super) place: Place,
    /// The folder that it lies in, canonical, as [`encode`] writes it.
    pub(super) folder: String,
    /// The file, likewise.
    pub(super) path: String,
    /// What it says, or why it is not read.
    pub(super) content: std::result::Result<file::Text, String>,
}

/// As [`encode`] writes it.
pub(super) fn written(path: &Path) -> String {
    encode(path.as_os_str().as_bytes())
}

fn placed(place: Place, folder: &Path, (name, content): Found) -> Placed {
    Placed { place, folder: written(folder), path: written(&folder.join(name)), content }
}

/// The person's own file for all folders.
pub(super) fn own(desk: &Desk) -> PathBuf {
    desk.home.config.join(NAMES[0])
}

/// The folders that the person trusts.
pub(super) fn trusted(desk: &Desk) -> Result<Vec<PathBuf>> {
    let grants = desk.gate()?.grants()?;
    let trusted = grants.iter().filter_map(|grant| match &grant.scope {
        Scope::Instructions { folder } => Some(PathBuf::from(OsString::from_vec(decode(folder)))),
        _ => None,
    });
    Ok(trusted.collect())
}

/// All that could instruct in these folders, the nearest last. Outside of what the person trusts only a folder's own file
/// is looked at.
pub(super) fn around(desk: &Desk, folders: &[PathBuf]) -> Result<Vec<Placed>> {
    let trusted = trusted(desk)?;
    let mut found: Vec<Placed> = Vec::new();
    found.extend(file::of(&desk.home.config, &NAMES[..1]).map(|one| placed(Place::Settings, &desk.home.config, one)));
    for folder in folders {
        let folder = folder.canonicalize().unwrap_or_else(|_| folder.clone());
        let mut look = |place, folder: &Path| {
            let one = file::of(folder, &NAMES).map(|one| placed(place, folder, one));
            // a folder of the task may lie in another
            found.extend(
                one.filter(|one| found.iter().all(|known| known.path != one.path)).into_iter().collect::<Vec<_>>(),
            );
        };
        let is_trusted = |folder: &Path| trusted.iter().any(|root| folder.starts_with(root));
        let mut above: Vec<&Path> = folder.ancestors().skip(1).filter(|above| is_trusted(above)).collect();
        above.reverse();
        above.into_iter().for_each(|above| look(Place::Above, above));
        look(Place::Folder, &folder);
        if is_trusted(&folder) {
            below(&folder).iter().for_each(|below| look(Place::Below, below));
        } else {
            for root in trusted.iter().filter(|root| root.starts_with(&folder)) {
                look(Place::Below, root);
                below(root).iter().for_each(|below| look(Place::Below, below));
            }
        }
    }
    Ok(found)
}

/// The folders below, level by level and by name; no hidden ones and no links.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = Vec::new();
    let mut level = vec![folder.to_owned()];
    for _ in 0..DEPTH {
        let mut next: Vec<PathBuf> =
            level.iter().flat_map(|folder| inside(folder)).take(FOLDERS - found.len()).collect();
        next.sort();
        found.extend_from_slice(&next);
        level = next;
    }
    found
}

fn inside(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let folders = entries.filter(|entry| {
        let name = entry.file_name();
        entry.file_type().is_ok_and(|kind| kind.is_dir()) && !name.as_bytes().starts_with(b".") && name != FETCHED
    });
    folders.map(|entry| entry.path()).collect()
}
