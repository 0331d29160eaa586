//! From installed to loaded: find or make the compiled code, map it, link it, and keep the last ones used. Whoever asks for
//! a component that is being loaded waits for that one load; a failure that would be the same again is remembered.

use crate::{
    cache,
    call::Call,
    config::Config,
    fault::PluginFault,
    imports,
    index::{Index, Release},
    machine::Machine,
    roles::{self, Roles},
};
use deskhand_vocabulary::{PluginId, Sha256};
use std::{
    collections::HashMap,
    path::Path,
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
};
use wasmtime::component::{Component, InstancePre, Linker};

/// A component that is ready to be called.
pub(crate) struct Loaded {
    pub(crate) first: Linked,
    overflow: OnceLock<Option<Linked>>,
    component: Sha256,
    compiled: cache::Compiled,
}

/// A component linked for one engine.
pub(crate) struct Linked {
    pub(crate) pre: InstancePre<Call>,
    pub(crate) roles: Roles,
}

impl Linked {
    fn new(linker: &Linker<Call>, code: &Path) -> Result<Self, LinkError> {
        #[expect(unsafe_code, reason = "compiled code is native code; this is the one place where it is taken in")]
        // SAFETY: the file is one that this host's own compiler made for this engine, in a folder that only this person can
        // enter, and its digest was just found to be the one in the index.
        let component =
            unsafe { Component::deserialize_file(linker.engine(), code) }.map_err(|_| LinkError::Unusable)?;
        let pre = linker.instantiate_pre(&component).map_err(|error| LinkError::Import(format!("{error:#}")))?;
        let roles = Roles::of(&pre);
        Ok(Self { pre, roles })
    }
}

enum LinkError {
    /// The code is not what this engine takes.
    Unusable,
    /// It imports what is not there, or is not of that type.
    Import(String),
}

/// The components in memory.
pub(crate) struct Loads {
    most: usize,
    most_bytes: u64,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    uses: u64,
    flights: HashMap<Sha256, Flight>,
}

struct Flight {
    last_use: u64,
    result: Arc<OnceLock<Result<Arc<Loaded>, PluginFault>>>,
}

impl Flight {
    fn bytes(&self) -> u64 {
        match self.result.get() {
            Some(Ok(loaded)) => loaded.compiled.bytes,
            _ => 0,
        }
    }
}

/// What loading needs.
pub(crate) struct Loader<'a> {
    pub(crate) machine: &'a Machine,
    pub(crate) cache: &'a cache::Cache,
    pub(crate) components: &'a cache::Components,
    pub(crate) index: &'a Index,
    pub(crate) config: &'a Config,
}

impl Loads {
    pub(crate) fn new(config: &Config) -> Self {
        Self { most: config.loaded.max(1), most_bytes: config.loaded_bytes, known: Mutex::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The component of a release, loaded now if it is not.
    pub(crate) fn get(
        &self,
        id: &PluginId,
        release: &Release,
        loader: &Loader<'_>,
    ) -> Result<Arc<Loaded>, PluginFault> {
        let result = {
            let mut known = self.lock();
            known.uses += 1;
            let last_use = known.uses;
            let flight =
                known.flights.entry(release.component).or_insert_with(|| Flight { last_use, result: Arc::default() });
            flight.last_use = last_use;
            flight.result.clone()
        };
        if let Some(Ok(loaded)) = result.get() {
            return Ok(loaded.clone());
        }
        let outcome = result.get_or_init(|| loader.load(id, release).map(Arc::new)).clone();
        match &outcome {
            Ok(_) => self.trim(release.component),
            // worth another try, and a damaged file may be put back
            Err(fault) if fault.is_retryable() || matches!(fault, PluginFault::Damaged { .. }) => {
                self.forget(release.component);
            }
            Err(_) => {}
        }
        outcome
    }

    /// Forget a component, loaded or failed. Calls that use it go on.
    pub(crate) fn forget(&self, component: Sha256) {
        self.lock().flights.remove(&component);
    }

    /// How many components are loaded.
    pub(crate) fn count(&self) -> usize {
        self.lock().flights.values().filter(|flight| matches!(flight.result.get(), Some(Ok(_)))).count()
    }

    /// Drop those that were used longest ago until the rest fits. The one just loaded stays.
    fn trim(&self, keep: Sha256) {
        let mut known = self.lock();
        let mut bytes: u64 = known.flights.values().map(Flight::bytes).sum();
        while known.flights.len() > self.most || bytes > self.most_bytes {
            let oldest = known
                .flights
                .iter()
                .filter(|(component, flight)| **component != keep && flight.result.get().is_some())
                .min_by_key(|(_, flight)| flight.last_use)
                .map(|(component, _)| *component);
            let Some(flight) = oldest.and_then(|component| known.flights.remove(&component)) else { return };
            bytes = bytes.saturating_sub(flight.bytes());
        }
    }
}

impl Loader<'_> {
    /// Map and link the compiled code of a release; make it first if it is missing or not what was made.
    pub(crate) fn load(&self, id: &PluginId, release: &Release) -> Result<Loaded, PluginFault> {
        if let Some(compiled) = release.compiled.as_ref().filter(|compiled| compiled.key == self.machine.key)
            && let Some(path) = self.cache.find(release.component, compiled)
        {
            match Linked::new(self.machine.linker(), &path) {
                Ok(first) => return self.loaded(release, compiled.clone(), first),
                Err(LinkError::Import(reason)) => return Err(unlinkable(release, reason)),
                Err(LinkError::Unusable) => {}
            }
        }
        let compiled = self.compile(id, release.component)?;
        let made = compiled.clone();
        let component = release.component;
        // the code is good for this process even where the list cannot be written; the next one makes it again
        let _ = self.index.change(move |rows| {
            for release in rows.iter_mut().flat_map(|row| std::iter::once(&mut row.current).chain(row.staged.as_mut()))
            {
                if release.component == component {
                    release.compiled = Some(made.clone());
                }
            }
        });
        let first = self.link(release, &compiled)?;
        self.loaded(release, compiled, first)
    }

    /// Make the code of an installed component.
    pub(crate) fn compile(&self, id: &PluginId, component: Sha256) -> Result<cache::Compiled, PluginFault> {
        let file = self
            .components
            .open(component)
            .map_err(|problem| PluginFault::Damaged { problem, name: id.to_string() })?;
        self.cache.make(component, file, &self.machine.key, &self.config.compiler).map_err(PluginFault::CompileFailed)
    }

    /// Link code that was just made.
    pub(crate) fn link(&self, release: &Release, compiled: &cache::Compiled) -> Result<Linked, PluginFault> {
        let unreadable = || PluginFault::Host { reason: "the code that was just compiled cannot be read".to_owned() };
        let path = self.cache.find(release.component, compiled).ok_or_else(unreadable)?;
        match Linked::new(self.machine.linker(), &path) {
            Ok(linked) => Ok(linked),
            Err(LinkError::Import(reason)) => Err(unlinkable(release, reason)),
            Err(LinkError::Unusable) => Err(unreadable()),
        }
    }

    fn loaded(&self, release: &Release, compiled: cache::Compiled, first: Linked) -> Result<Loaded, PluginFault> {
        if let Some((declared, role)) = first.roles.missing(&roles::listed(release.listing()?)) {
            let export = format!("{}/{role}@{}", imports::PACKAGE, imports::INTERFACE);
            return Err(PluginFault::RoleMissing { declared, export });
        }
        Ok(Loaded { first, overflow: OnceLock::new(), component: release.component, compiled })
    }
}

impl Loaded {
    /// The component linked for the engine that has no pool.
    pub(crate) fn overflow(&self, machine: &Machine, cache: &cache::Cache) -> Option<&Linked> {
        let link = || {
            let path = cache.find(self.component, &self.compiled)?;
            Linked::new(machine.overflow()?, &path).ok()
        };
        self.overflow.get_or_init(link).as_ref()
    }
}

fn unlinkable(release: &Release, reason: String) -> PluginFault {
    let wanted = release.manifest().map_or_else(|_| "unknown".to_owned(), |it| it.plugin.interface.to_string());
    PluginFault::Unlinkable { wanted, reason }
}
