//! What a marketplace has revoked: it runs no more, and what was installed is kept aside until the person removes it, so
//! that it can be looked at. What the plugin had kept for itself is not touched.

use super::PluginId;
use crate::{
    desk::Desk,
    failure::{Failure, Result},
    output,
};
use deskhand_files::{MOST, Origin};
use deskhand_marketplace::Published;
use deskhand_vocabulary::Sha256;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File},
    io::{self, Write as _},
    os::unix::fs::DirBuilderExt as _,
    path::{Path, PathBuf},
};

/// One that is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) plugin: PluginId,
    pub(super) version: String,
    pub(super) component: Sha256,
    /// Why, in the words of the marketplace. Not trusted.
    pub(super) reason: Option<String>,
    pub(super) at: Timestamp,
}

impl Kept {
    /// The files of it: the record, and the component where it could be kept.
    fn files(&self, desk: &Desk) -> [PathBuf; 2] {
        let PluginId { marketplace, name } = &self.plugin;
        // neither name can have a dot in it
        let stem = format!("{marketplace}.{name}.{}", self.component);
        ["json", "wasm"].map(|end| folder(desk).join(format!("{stem}.{end}")))
    }
}

fn folder(desk: &Desk) -> PathBuf {
    desk.home.plugins().join("revoked")
}

/// Keep an installed version aside. It is stopped whether or not that succeeds.
pub(super) fn keep(desk: &Desk, plugin: &PluginId, version: &Published) -> Result<()> {
    let kept = Kept {
        plugin: plugin.clone(),
        version: version.version().to_string(),
        component: version.component,
        reason: version.reason.clone(),
        at: desk.clock.now(),
    };
    let [record, component] = kept.files(desk);
    let installed = desk.runtime()?.component_file(version.component);
    let write = || -> io::Result<()> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder(desk))?;
        let bytes = deskhand_files::read(&installed, Origin::Own, MOST)?;
        durably(&component, &bytes)?;
        durably(&record, &serde_json::to_vec_pretty(&kept)?)
    };
    if let Err(error) = write() {
        output::aside(&format!("{plugin} could not be kept aside: {error}. It is stopped all the same."));
    }
    Ok(())
}

fn durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = tempfile::NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    File::open(folder)?.sync_all()
}

/// All that is kept, by name.
pub(super) fn all(desk: &Desk) -> Result<Vec<Kept>> {
    let folder = folder(desk);
    let failed = |error: io::Error| Failure::failed(format!("{} could not be read: {error}", folder.display()));
    let entries = match fs::read_dir(&folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(failed(error)),
    };
    let mut found = Vec::new();
    for entry in entries {
        let path = entry.map_err(failed)?.path();
        if path.extension().is_some_and(|end| end == "json") {
            let kept: Option<Kept> = deskhand_files::read(&path, Origin::Own, MOST)
                .ok()
                .and_then(|bytes| serde_json::from_slice(&bytes).ok());
            match kept {
                Some(kept) => found.push(kept),
                None => output::aside(&format!("{} is damaged. Remove it if it is not needed.", path.display())),
            }
        }
    }
    found.sort_by(|one, two| (&one.plugin, &one.version).cmp(&(&two.plugin, &two.version)));
    Ok(found)
}

/// Those that a name or a whole id means.
pub(super) fn named(desk: &Desk, name: &str) -> Result<Vec<Kept>> {
    let means = |kept: &Kept| kept.plugin.to_string() == name || kept.plugin.name.as_str() == name;
    Ok(all(desk)?.into_iter().filter(means).collect())
}

/// Give one up.
pub(super) fn remove(desk: &Desk, kept: &Kept) -> Result<()> {
    // the record goes last: what is not removed is still listed
    for path in kept.files(desk).iter().rev() {
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(Failure::failed(format!("{} could not be removed: {error}", path.display())));
            }
            _ => {}
        }
    }
    Ok(())
}
