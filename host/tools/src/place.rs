//! Where the tools work: the folders of the task, and what of them the model has seen. A file is overwritten or edited only
//! in the version that was read, so nothing is lost that the model does not know of.

use crate::{documents::Documents, own::NotDone};
use deskhand_permissions::{Context, Gate, effect::ReadFolder};
use deskhand_vocabulary::{FilePath, FolderName, Stop};
use deskhand_workspace::{Entry, Kind, Workspace, holds_the_same};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    os::unix::ffi::OsStrExt as _,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// What the versions of pending content begin with.
const PENDING: &str = "new-";

/// A file in the version that the model knows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Known {
    pub(crate) path: FilePath,
    pub(crate) version: String,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) workspace: Workspace,
    gate: Arc<Gate>,
    context: Context,
    /// The version of each file that was read or written, as it then was.
    seen: Mutex<BTreeMap<FilePath, String>>,
    /// What turns documents into text; without it, none is.
    pub(crate) documents: Option<Documents>,
}

impl Place {
    pub(crate) fn new(workspace: Workspace, gate: Arc<Gate>, context: Context) -> Self {
        Self { workspace, gate, context, seen: Mutex::default(), documents: None }
    }

    /// Have the gate decide about looking at a folder of the task.
    fn permit(&self, folder: &FolderName) -> Result<(), NotDone> {
        let folders = self.workspace.folder_map();
        let Some(path) = folders.get(folder) else {
            return Err(NotDone::failed(format!("this task has no folder `{folder}`")));
        };
        let effect = ReadFolder { folder: path.clone() };
        self.gate.permit(&self.context, effect)?.redeem();
        Ok(())
    }

    fn seen(&self) -> MutexGuard<'_, BTreeMap<FilePath, String>> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The version of a file in which the model knows it.
    pub(crate) fn known(&self, path: &FilePath) -> Option<String> {
        self.seen().get(path).cloned()
    }

    /// The model knows this file as it is now. Returns what another process needs to know of that.
    pub(crate) fn saw(&self, path: &FilePath) -> Value {
        let Ok(entry) = self.stat(path) else { return Value::Null };
        self.seen().insert(path.clone(), entry.version.clone());
        json!(Known { path: path.clone(), version: entry.version })
    }

    /// The model had read this version of a file in a process that is gone. Where the file has changed since, the version
    /// stays the one that was read, so that nothing unseen is overwritten.
    pub(crate) fn knew(&self, path: FilePath, version: String) {
        let now = self.stat(&path).map(|entry| entry.version).unwrap_or_default();
        let pending = |version: &str| version.starts_with(PENDING);
        // what is pending is numbered anew; what a commit had moved and recovery has brought back was not changed by that
        let same = pending(&version) && pending(&now) || !pending(&now) && holds_the_same(&version, &now);
        let version = if same { now } else { version };
        self.seen().insert(path, version);
    }

    /// The model knows what was at one path, and it is at another now.
    pub(crate) fn moved(&self, from: &FilePath, to: &FilePath) {
        if self.seen().remove(from).is_some() {
            self.saw(to);
        }
    }

    /// What is at a path.
    pub(crate) fn stat(&self, path: &FilePath) -> Result<Entry, NotDone> {
        let found = self.workspace.stat(std::slice::from_ref(path)).pop();
        Ok(found.ok_or_else(|| NotDone::failed(format!("`{path}` could not be looked at")))??)
    }

    /// What is at a path, if it is a file.
    pub(crate) fn file(&self, path: &FilePath) -> Result<Entry, NotDone> {
        let entry = self.stat(path)?;
        match entry.kind {
            Kind::File => Ok(entry),
            other => Err(NotDone::failed(format!("`{path}` is a {}, not a file", other.name()))),
        }
    }

    /// What kind a file is (RFC 6838).
    pub(crate) fn media_type(&self, path: &FilePath, stop: &Stop) -> String {
        let names = ["media-type".to_owned()];
        let facts = self.workspace.attributes(std::slice::from_ref(path), &names, &jiff::tz::TimeZone::UTC, stop).pop();
        let kind = facts.and_then(Result::ok).and_then(|facts| facts.get("media-type")?.as_str().map(str::to_owned));
        kind.unwrap_or_else(|| "application/octet-stream".to_owned())
    }

    /// All that a file holds, in the version that was looked at.
    pub(crate) fn bytes(&self, path: &FilePath, entry: &Entry) -> Result<Vec<u8>, NotDone> {
        let mut bytes = Vec::new();
        while (bytes.len() as u64) < entry.size {
            let piece = self.workspace.read(path, Some(&entry.version), bytes.len() as u64, 1 << 20)?;
            if piece.is_empty() {
                break;
            }
            bytes.extend(piece);
        }
        Ok(bytes)
    }

    /// The path that the model means: `folder/name`, as the tools write it; a whole path of the disk that lies in a folder of
    /// the task; or, where the task has but one folder, a path below it.
    pub(crate) fn path(&self, text: &str) -> Result<FilePath, NotDone> {
        let path = self.meant(text)?;
        self.permit(&path.folder)?;
        Ok(path)
    }

    fn meant(&self, text: &str) -> Result<FilePath, NotDone> {
        let folders = self.workspace.folders();
        let names = || folders.iter().map(|folder| format!("`{}`", folder.name)).collect::<Vec<_>>().join(", ");
        let text = text.trim_end_matches('/');
        if text.starts_with('/') {
            let bytes = deskhand_vocabulary::path::decode(text);
            let whole = Path::new(std::ffi::OsStr::from_bytes(&bytes));
            for folder in &folders {
                if let Ok(below) = whole.strip_prefix(&folder.path)
                    && let Ok(path) = deskhand_vocabulary::RelativePath::from_bytes(below.as_os_str().as_bytes())
                {
                    return Ok(FilePath { folder: folder.name.clone(), path });
                }
            }
            return Err(NotDone::failed(format!(
                "`{text}` is in no folder of this task. Its folders are: {}",
                names()
            )));
        }
        let plain = text.strip_prefix("./").unwrap_or(text);
        let first = plain.split('/').next().unwrap_or_default();
        let known = folders.iter().any(|folder| folder.name.as_str() == first);
        let whole = match folders.as_slice() {
            [only] if matches!(plain, "" | ".") => only.name.to_string(),
            [only] if !known => format!("{}/{plain}", only.name),
            _ => plain.to_owned(),
        };
        let path: FilePath = whole
            .parse()
            .map_err(|error| NotDone::failed(format!("`{text}` is no path: {error}. Write it as `folder/name`")))?;
        if folders.iter().any(|folder| folder.name == path.folder) {
            return Ok(path);
        }
        Err(NotDone::failed(format!("this task has no folder `{}`. Its folders are: {}", path.folder, names())))
    }

    /// Where to look if the model does not say: the one folder of the task, else each.
    pub(crate) fn roots(&self, text: Option<&str>) -> Result<Vec<FilePath>, NotDone> {
        match text {
            Some(text) => Ok(vec![self.path(text)?]),
            None => {
                let root = deskhand_vocabulary::RelativePath::root;
                let roots = self.workspace.folders().into_iter().map(|folder| {
                    self.permit(&folder.name)?;
                    Ok(FilePath { folder: folder.name, path: root() })
                });
                roots.collect()
            }
        }
    }
}

/// The most folders that are made for one file.
const DEEPEST: usize = 32;

/// The folders that `path` lies in, as far as they are missing.
pub(crate) fn make_parents(workspace: &Workspace, path: &FilePath) -> Result<(), NotDone> {
    let mut missing = Vec::new();
    let mut next = path.path.parent();
    while let Some(above) = next {
        let folder = FilePath { folder: path.folder.clone(), path: above };
        if matches!(workspace.stat(std::slice::from_ref(&folder)).pop(), Some(Ok(_))) {
            break;
        }
        next = folder.path.parent();
        missing.push(folder);
        if missing.len() > DEEPEST {
            return Err(NotDone::failed(format!(
                "more than {DEEPEST} new folders would lie inside each other. Choose a shorter path"
            )));
        }
    }
    for folder in missing.iter().rev() {
        workspace.make_folder(folder)?;
    }
    Ok(())
}
