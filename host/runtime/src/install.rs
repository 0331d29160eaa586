//! Installing, updating and uninstalling. Everything that could be wrong with a component is found before the index says
//! that it is installed; until then, nothing that runs has changed.

use crate::{
    fault::PluginFault,
    index::{IndexError, Installed, Row, RowRelease},
    inspect::{self, Inspection, Warning},
    runtime::Runtime,
};
use deskhand_permissions::{
    Permit,
    effect::{Effect as _, InstallPlugin},
};
use deskhand_vocabulary::{Manifest, PluginId, Question, Sha256};
use serde_json::value::RawValue;
use std::io;

/// Why a plugin is not installed. What was installed before stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum InstallError {
    /// The component cannot be used.
    #[error("{plugin} was not installed: {fault}")]
    Fault {
        /// What was to be installed.
        plugin: PluginId,
        /// Why not.
        fault: PluginFault,
    },
    /// The file is not the one that was signed.
    #[error(
        "{plugin} was not installed: its file is not the one that was signed (expected {expected}, got {found}). Do not use it; tell the marketplace"
    )]
    Digest {
        /// What was to be installed.
        plugin: PluginId,
        /// The digest that was signed.
        expected: Sha256,
        /// What the file has.
        found: Sha256,
    },
    /// Its name is not the one that it is installed under.
    #[error("{plugin} was not installed: the component calls itself `{name}`. Do not use it; tell the marketplace")]
    Name {
        /// What was to be installed.
        plugin: PluginId,
        /// What it calls itself.
        name: String,
    },
    /// It asks for something else than the person was shown.
    #[error(
        "{0} was not installed: it asks for something else than you were shown, or is another version. Tell the marketplace"
    )]
    NotAgreed(PluginId),
    /// It could not be kept.
    #[error("{plugin} was not installed: its file could not be kept ({reason}). Free some space, then try again")]
    Io {
        /// What was to be installed.
        plugin: PluginId,
        /// What the system says.
        reason: String,
    },
    /// No update waits.
    #[error("no update of {0} waits for you. `deskhand plugin update` looks for one")]
    NothingStaged(PluginId),
    /// Not there.
    #[error("{0} is not installed. `deskhand plugin list` shows what is")]
    NotInstalled(PluginId),
    /// The list of what is installed cannot be used.
    #[error(transparent)]
    Index(#[from] IndexError),
}

/// What an install came to.
#[derive(Clone, Debug)]
pub struct Outcome {
    /// What is installed now.
    pub installed: Installed,
    /// What is odd about it.
    pub warnings: Vec<Warning>,
}

/// Which place of a row a release takes.
#[derive(Clone, Copy)]
enum Place {
    /// It runs from now on.
    Current,
    /// It waits; what is installed goes on running.
    Staged,
}

impl Runtime {
    /// Install the plugin that was permitted, or replace the version that runs. `component` must be just the file that the
    /// permit is for, and ask for just what the person was shown; `signed` is the manifest that was signed for it, if any.
    pub fn install(
        &self,
        permit: Permit<InstallPlugin>,
        component: &[u8],
        signed: Option<&Manifest>,
    ) -> Result<Outcome, InstallError> {
        let permitted = permit.redeem();
        let id = permitted.plugin();
        let inspection = self.look(id, component, permitted.component(), signed)?;
        agreed(&permitted, &inspection.manifest)?;
        self.place(id, component, inspection, Place::Current)
    }

    /// Keep a new version ready beside the one that runs, until the person agrees to what it asks for ([`Self::agree`]).
    /// Where nothing is installed under `id`, this is an error. Nothing of it runs, so it takes no permit.
    pub fn stage(
        &self,
        id: &PluginId,
        component: &[u8],
        expected: Sha256,
        signed: Option<&Manifest>,
    ) -> Result<Outcome, InstallError> {
        if self.plugins()?.get(id).is_none() {
            return Err(InstallError::NotInstalled(id.clone()));
        }
        let inspection = self.look(id, component, expected, signed)?;
        self.place(id, component, inspection, Place::Staged)
    }

    /// Run the staged version from now on, if it is the one that was permitted.
    pub fn agree(&self, permit: Permit<InstallPlugin>) -> Result<Installed, InstallError> {
        let permitted = permit.redeem();
        let id = permitted.plugin();
        let nothing = || InstallError::NothingStaged(id.clone());
        let staged = self.installed(id)?.staged.ok_or_else(nothing)?;
        let fault = |fault| InstallError::Fault { plugin: id.clone(), fault };
        agreed(&permitted, staged.manifest().map_err(fault)?)?;
        let replaced = self.inner.index.change(|rows| {
            let row = rows.iter_mut().find(|row| row.id == *id)?;
            let staged = row.staged.take_if(|staged| staged.component == permitted.component())?;
            Some(std::mem::replace(&mut row.current, staged).component)
        })?;
        self.clean(replaced.ok_or_else(nothing)?)?;
        self.installed(id)
    }

    /// Give the staged version up.
    pub fn discard_staged(&self, id: &PluginId) -> Result<(), InstallError> {
        let given_up = self.inner.index.change(|rows| {
            let row = rows.iter_mut().find(|row| row.id == *id)?;
            Some(row.staged.take()?.component)
        })?;
        self.clean(given_up.ok_or_else(|| InstallError::NothingStaged(id.clone()))?)
    }

    /// Remove a plugin, with its file and its compiled code. Calls under way come to their end.
    pub fn uninstall(&self, id: &PluginId) -> Result<(), InstallError> {
        let removed = self.inner.index.change(|rows| {
            let at = rows.iter().position(|row| row.id == *id)?;
            Some(rows.remove(at))
        })?;
        let row = removed.ok_or_else(|| InstallError::NotInstalled(id.clone()))?;
        self.clean(row.current.component)?;
        row.staged.map_or(Ok(()), |staged| self.clean(staged.component))
    }

    /// The file of an installed component.
    pub fn component_file(&self, component: Sha256) -> std::path::PathBuf {
        self.inner.components.path(component)
    }

    fn installed(&self, id: &PluginId) -> Result<Installed, InstallError> {
        self.plugins()?.get(id).cloned().ok_or_else(|| InstallError::NotInstalled(id.clone()))
    }

    /// Whether a file is what it is said to be, and could be installed.
    fn look(
        &self,
        id: &PluginId,
        component: &[u8],
        expected: Sha256,
        signed: Option<&Manifest>,
    ) -> Result<Inspection, InstallError> {
        let fault = |fault| InstallError::Fault { plugin: id.clone(), fault };
        let found = Sha256::of(component);
        if expected != found {
            return Err(InstallError::Digest { plugin: id.clone(), expected, found });
        }
        let inspection = inspect::inspect(component).map_err(fault)?;
        if let Some(signed) = signed.filter(|signed| **signed != inspection.manifest) {
            let difference = difference(signed, &inspection.manifest);
            return Err(fault(PluginFault::ManifestDiffers { difference }));
        }
        if inspection.manifest.plugin.name != id.name {
            let name = inspection.manifest.plugin.name.to_string();
            return Err(InstallError::Name { plugin: id.clone(), name });
        }
        match inspection.refused.first() {
            Some(refused) => Err(fault(refused.clone().into())),
            None => Ok(inspection),
        }
    }

    fn place(
        &self,
        id: &PluginId,
        component: &[u8],
        inspection: Inspection,
        place: Place,
    ) -> Result<Outcome, InstallError> {
        let fault = |fault| InstallError::Fault { plugin: id.clone(), fault };
        let io = |error: io::Error| InstallError::Io { plugin: id.clone(), reason: error.to_string() };
        let found = inspection.component;
        let raw = inspect::raw_manifest(component).map_err(fault)?;
        let bad = |error: serde_json::Error| fault(PluginFault::ManifestBad { reason: error.to_string() });
        let manifest = RawValue::from_string(raw.to_owned()).map_err(bad)?;

        let inner = &self.inner;
        inner.components.keep(found, component).map_err(io)?;
        inner.loads.forget(found);
        let machine = inner.machine().map_err(fault)?;
        let loader = inner.loader(machine);
        let kept = RowRelease { component: found, bytes: inspection.bytes, compiled: None, manifest };
        let compiled = match self.known_code(found)? {
            Some(compiled) => compiled,
            None => loader.compile(id, found).map_err(fault)?,
        };
        let release = RowRelease { compiled: Some(compiled), ..kept };
        // links it and finds its roles, so that what would fail at the first call fails now
        let trial = crate::index::release(release.clone());
        if let Err(refused) = loader.load(id, &trial) {
            if !self.is_used(found)? {
                inner.cache.forget(found);
                inner.components.remove(found);
            }
            return Err(fault(refused));
        }
        let row = release.clone();
        let replaced = inner.index.change(|rows| {
            // another process may have uninstalled the same file while this one compiled it
            let kept = inner.components.keep(found, component);
            let replaced = match (rows.iter_mut().find(|row| row.id == *id), place) {
                (Some(row), Place::Current) => {
                    row.staged = None;
                    Some(std::mem::replace(&mut row.current, release).component)
                }
                (Some(row), Place::Staged) => row.staged.replace(release).map(|staged| staged.component),
                (None, _) => {
                    rows.push(Row { id: id.clone(), current: release, staged: None });
                    None
                }
            };
            kept.map(|()| replaced)
        })?;
        let replaced = replaced.map_err(io)?;
        if let Some(replaced) = replaced.filter(|replaced| *replaced != row.component) {
            self.clean(replaced)?;
        }
        Ok(Outcome { installed: self.installed(id)?, warnings: inspection.warnings })
    }

    /// Code that is there for a component already, of this engine and whole.
    fn known_code(&self, component: Sha256) -> Result<Option<crate::cache::Compiled>, InstallError> {
        let Ok(machine) = self.inner.machine() else { return Ok(None) };
        let plugins = self.plugins()?;
        let releases = plugins.iter().flat_map(|plugin| std::iter::once(&plugin.release).chain(plugin.staged.as_ref()));
        Ok(releases
            .filter(|release| release.component == component)
            .filter_map(|release| release.compiled.clone())
            .find(|compiled| compiled.key == machine.key && self.inner.cache.find(component, compiled).is_some()))
    }

    fn is_used(&self, component: Sha256) -> Result<bool, InstallError> {
        Ok(self.plugins()?.iter().any(|plugin| {
            plugin.release.component == component
                || plugin.staged.as_ref().is_some_and(|staged| staged.component == component)
        }))
    }

    /// Remove the files of a component that no plugin is any more. Under the lock of the index, so that nobody else is
    /// about to say that one is.
    fn clean(&self, component: Sha256) -> Result<(), InstallError> {
        let inner = &self.inner;
        inner.loads.forget(component);
        inner.index.change(|rows| {
            let used = |row: &Row| {
                row.current.component == component || row.staged.as_ref().is_some_and(|row| row.component == component)
            };
            if !rows.iter().any(used) {
                inner.components.remove(component);
                inner.cache.forget(component);
            }
        })?;
        Ok(())
    }
}

/// Whether what the person agreed to is what the component asks for.
fn agreed(permitted: &InstallPlugin, manifest: &Manifest) -> Result<(), InstallError> {
    let shown = match permitted.question() {
        Some(Question::Install { permissions, .. }) => permissions,
        _ => Vec::new(),
    };
    if shown == manifest.asks() && permitted.version() == manifest.plugin.version.to_string() {
        return Ok(());
    }
    Err(InstallError::NotAgreed(permitted.plugin().clone()))
}

/// The first part of a manifest in which two differ.
fn difference(expected: &Manifest, found: &Manifest) -> String {
    let parts = [
        ("who and what it is", expected.plugin == found.plugin),
        ("what it asks for", expected.asks() == found.asks()),
        ("its commands", expected.commands == found.commands),
        ("its tools", expected.tools == found.tools),
        ("what it depends on", expected.dependencies == found.dependencies),
        ("its configuration", expected.config == found.config),
        ("its limits", expected.limits == found.limits),
    ];
    parts.into_iter().find(|(_, same)| !same).map_or_else(|| "something".to_owned(), |(part, _)| part.to_owned())
}
