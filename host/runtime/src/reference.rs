//! What a call costs without us: the bare pooled call of the same component, for benchmarks to set beside ours in the same
//! run. No gate, no record, no limits, no clock; the same compiled code, the same pool, a fresh store with an empty WASI.

use crate::{
    bindings::command::{WithCommand, WithCommandIndices},
    fault::PluginFault,
    runtime::{Inner, Runtime},
};
use deskhand_vocabulary::PluginId;
use std::sync::Arc;
use wasmtime::{
    Store,
    component::{Component, InstancePre, Linker, ResourceTable},
};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView, p2};

/// A component with a command, ready to be called without any of ours around it.
pub struct BareCommand {
    inner: Arc<Inner>,
    pre: InstancePre<Empty>,
    indices: WithCommandIndices,
}

struct Empty {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Empty {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl std::fmt::Debug for BareCommand {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BareCommand").finish_non_exhaustive()
    }
}

fn failed(error: &wasmtime::Error) -> PluginFault {
    PluginFault::Host { reason: format!("{error:#}") }
}

/// What bare calls share: the runtime, and a linker of theirs.
pub struct Bare {
    runtime: Runtime,
    linker: Linker<Empty>,
}

impl std::fmt::Debug for Bare {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Bare").finish_non_exhaustive()
    }
}

impl Bare {
    /// A linker with WASI in it and nothing else.
    pub fn new(runtime: &Runtime) -> Result<Self, PluginFault> {
        let machine = runtime.inner.machine()?;
        let mut linker = Linker::<Empty>::new(machine.engines.first());
        p2::add_to_linker_async(&mut linker).map_err(|error| failed(&error))?;
        Ok(Self { runtime: runtime.clone(), linker })
    }
}

impl BareCommand {
    /// The component of an installed plugin, mapped and linked. What its command uses of `deskhand:plugin` traps.
    pub fn load(bare: &Bare, plugin: &PluginId) -> Result<Self, PluginFault> {
        let inner = bare.runtime.inner.clone();
        let gone = || PluginFault::Host { reason: format!("{plugin} is not installed and compiled") };
        let machine = inner.machine()?;
        let plugins = bare.runtime.plugins().map_err(|error| PluginFault::Host { reason: error.to_string() })?;
        let release = &plugins.get(plugin).ok_or_else(gone)?.release;
        let code = release.compiled.as_ref().and_then(|code| inner.cache.find(release.component, code));
        #[expect(unsafe_code, reason = "the same file as a call's, found in the same way")]
        // SAFETY: as in `load`: the file is this host's own, and its digest was just found to be the one in the index.
        let component = unsafe { Component::deserialize_file(machine.engines.first(), code.ok_or_else(gone)?) }
            .map_err(|error| failed(&error))?;
        let mut linker = bare.linker.clone();
        linker.define_unknown_imports_as_traps(&component).map_err(|error| failed(&error))?;
        let pre = linker.instantiate_pre(&component).map_err(|error| failed(&error))?;
        let indices = WithCommandIndices::new(&pre).map_err(|error| failed(&error))?;
        Ok(Self { inner, pre, indices })
    }

    /// One call: a fresh store, an instance, the command, and the end of both. True if the command succeeded.
    pub fn call(&self, name: &str, arguments: &str) -> Result<bool, PluginFault> {
        let machine = self.inner.machine()?;
        let arguments = arguments.to_owned();
        let call = async {
            let state = Empty { wasi: WasiCtx::builder().build(), table: ResourceTable::new() };
            let mut store = Store::new(self.pre.engine(), state);
            store.set_epoch_deadline(u64::MAX / 2);
            let instance = self.pre.instantiate_async(&mut store).await?;
            let world: WithCommand = self.indices.load(&mut store, &instance)?;
            world.deskhand_plugin_command().call_run(&mut store, name, &arguments).await
        };
        machine.block_on(call).map(|reply| reply.is_ok()).map_err(|error| failed(&error))
    }
}
