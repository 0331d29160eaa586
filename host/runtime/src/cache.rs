//! Compiled code on disk. It is native code, so it is loaded only if this host made it: its digest is in the index, in the
//! data folder, and anything else under its name is made again from the component.

use crate::{
    compile::{self, CompileFailure},
    config::Compiler,
    durable::{self, Draft},
};
use deskhand_files::Origin;
use deskhand_vocabulary::{Blake3, Home, Sha256};
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    fs::File,
    io::{self, Seek as _},
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
};

/// What the digest of compiled code is made with; part of its key. BLAKE3 and not SHA-256, which takes most of the time of
/// a first call.
pub(crate) const DIGEST: &str = "blake3";

/// What is known of a piece of compiled code.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Compiled {
    /// What it was made with.
    pub(crate) key: String,
    /// Its digest.
    pub(crate) digest: Blake3,
    /// Its size, in bytes.
    pub(crate) bytes: u64,
}

/// The folder of compiled code.
pub(crate) struct Cache {
    folder: PathBuf,
    /// Files whose digest was found right in this process, as they were then.
    verified: Mutex<HashMap<PathBuf, (Stamp, Blake3)>>,
}

/// What tells that a file is still the one that was read.
type Stamp = (u64, u64, u64, i64, i64);

fn stamp(file: &File) -> io::Result<Stamp> {
    let facts = file.metadata()?;
    Ok((facts.dev(), facts.ino(), facts.len(), facts.mtime(), facts.mtime_nsec()))
}

impl Cache {
    pub(crate) fn new(home: &Home) -> Self {
        Self { folder: home.compiled(), verified: Mutex::new(HashMap::new()) }
    }

    fn path(&self, component: Sha256, key: &str) -> PathBuf {
        self.folder.join(format!("{component}-{key}.cwasm"))
    }

    /// Compile a component and keep the code. `component` is a file whose digest was verified through this handle.
    pub(crate) fn make(
        &self,
        digest: Sha256,
        component: File,
        key: &str,
        settings: &Compiler,
    ) -> Result<Compiled, CompileFailure> {
        let failed = |error: io::Error| CompileFailure::NotRun {
            reason: format!("{} could not be written: {error}", self.folder.display()),
        };
        durable::private_folder(&self.folder).map_err(failed)?;
        durable::sweep(&self.folder);
        let draft = Draft::in_folder(&self.folder).map_err(failed)?;
        compile::compile(component, draft.file.try_clone().map_err(failed)?, settings)?;
        let code = code_digest_of(&draft.file).map_err(failed)?;
        let bytes = draft.file.metadata().map_err(failed)?.len();
        let path = self.path(digest, key);
        draft.publish(&path).map_err(failed)?;
        self.forget_but(digest, Some(&path));
        Ok(Compiled { key: key.to_owned(), digest: code, bytes })
    }

    /// The file of code made for `component` with `key`, if it is there and is what was made; its digest is computed once
    /// per process and file.
    pub(crate) fn find(&self, component: Sha256, compiled: &Compiled) -> Option<PathBuf> {
        let path = self.path(component, &compiled.key);
        let file = deskhand_files::open(&path, Origin::Own).ok()?;
        let stamp = stamp(&file).ok()?;
        let mut verified = self.verified.lock().unwrap_or_else(PoisonError::into_inner);
        if verified.get(&path) == Some(&(stamp, compiled.digest)) {
            return Some(path);
        }
        if code_digest_of(&file).ok()? != compiled.digest {
            return None;
        }
        verified.insert(path.clone(), (stamp, compiled.digest));
        Some(path)
    }

    /// Remove what was made for a component, whatever it was made with.
    pub(crate) fn forget(&self, component: Sha256) {
        self.forget_but(component, None);
    }

    /// Remove all but one of what was made for a component: what an older engine made is of no use any more.
    fn forget_but(&self, component: Sha256, keep: Option<&Path>) {
        let prefix = component.to_string();
        let Ok(entries) = std::fs::read_dir(&self.folder) else { return };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) && Some(entry.path().as_path()) != keep {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }
}

/// The digest of a whole file, through a handle.
pub(crate) fn digest_of(file: &File) -> io::Result<Sha256> {
    whole(file, |file| Sha256::of_reader(file))
}

/// The digest of compiled code, through a handle.
fn code_digest_of(file: &File) -> io::Result<Blake3> {
    whole(file, |file| Blake3::of_reader(file))
}

fn whole<T>(mut file: &File, of: impl FnOnce(&File) -> io::Result<T>) -> io::Result<T> {
    file.rewind()?;
    let digest = of(file)?;
    file.rewind()?;
    Ok(digest)
}

/// Installed components, by digest.
pub(crate) struct Components {
    folder: PathBuf,
}

impl Components {
    pub(crate) fn new(home: &Home) -> Self {
        Self { folder: home.plugins().join("components") }
    }

    pub(crate) fn path(&self, component: Sha256) -> PathBuf {
        self.folder.join(format!("{component}.wasm"))
    }

    /// Keep a component. One that is there already is left alone if it is whole.
    pub(crate) fn keep(&self, component: Sha256, bytes: &[u8]) -> io::Result<()> {
        durable::private_folder(&self.folder)?;
        durable::sweep(&self.folder);
        let path = self.path(component);
        if deskhand_files::open(&path, Origin::Own)
            .and_then(|file| digest_of(&file))
            .is_ok_and(|there| there == component)
        {
            return Ok(());
        }
        durable::write(&path, bytes)
    }

    /// A component's file, with its digest verified through the handle that is returned.
    pub(crate) fn open(&self, component: Sha256) -> Result<File, &'static str> {
        let file = deskhand_files::open(&self.path(component), Origin::Own).map_err(|_| "is gone or cannot be read")?;
        match digest_of(&file) {
            Ok(digest) if digest == component => Ok(file),
            Ok(_) => Err("is not what was installed"),
            Err(_) => Err("cannot be read"),
        }
    }

    pub(crate) fn remove(&self, component: Sha256) {
        let _ = std::fs::remove_file(self.path(component));
    }
}
