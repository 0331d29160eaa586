//! What is made when the first plugin is called and not before: the engines, what they link components to, the threads that
//! watch over calls. A start of Deskhand that calls no plugin pays for none of it.

use crate::{bindings::wit, call::Call, config::Config, engine::Engines, fault::PluginFault, limits::Ticker};
use std::sync::{Arc, OnceLock};
use wasmtime::{
    Engine,
    component::{HasSelf, Linker},
};
use wasmtime_wasi::{WasiView as _, cli::WasiCli, filesystem::WasiFilesystem, p2, random::WasiRandom};

/// The engines and what belongs to them.
pub(crate) struct Machine {
    pub(crate) engines: Arc<Engines>,
    pub(crate) ticker: Ticker,
    pub(crate) key: String,
    linker: Linker<Call>,
    overflow: OnceLock<Option<Linker<Call>>>,
    executor: tokio::runtime::Runtime,
}

impl Machine {
    pub(crate) fn new(config: &Config) -> Result<Self, PluginFault> {
        let host = |reason: String| PluginFault::Host { reason };
        let engines = Arc::new(Engines::new(config)?);
        let linker = linker(engines.first()).map_err(|error| host(format!("{error:#}")))?;
        let executor = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("deskhand-waits")
            .enable_all()
            .build()
            .map_err(|error| host(error.to_string()))?;
        let ticker = Ticker::start(&engines).map_err(|error| host(error.to_string()))?;
        let key = crate::engine::code_key(engines.first());
        Ok(Self { engines, ticker, key, linker, overflow: OnceLock::new(), executor })
    }

    pub(crate) fn linker(&self) -> &Linker<Call> {
        &self.linker
    }

    /// The linker of the engine for calls that find the pool full.
    pub(crate) fn overflow(&self) -> Option<&Linker<Call>> {
        self.overflow.get_or_init(|| linker(self.engines.overflow()?).ok()).as_ref()
    }

    /// What calls wait for runs here.
    pub(crate) fn handle(&self) -> &tokio::runtime::Handle {
        self.executor.handle()
    }

    /// Drive a call to its end on this thread, which may be one that another executor lent out; what it waits for, our own sees
    /// to.
    pub(crate) fn block_on<T>(&self, future: impl Future<Output = T>) -> T {
        let _entered = self.executor.enter();
        pollster::block_on(future)
    }
}

/// One linker an engine, for all components and all calls: building one takes longer than a call.
fn linker(engine: &Engine) -> wasmtime::Result<Linker<Call>> {
    let mut linker = Linker::new(engine);
    let l = &mut linker;
    inert(l)?;
    wit::types::add_to_linker::<Call, HasSelf<Call>>(l, |call| call)?;
    wit::log::add_to_linker::<Call, HasSelf<Call>>(l, |call| call)?;
    wit::invocation::add_to_linker::<Call, HasSelf<Call>>(l, |call| call)?;
    wit::files::add_to_linker::<Call, HasSelf<Call>>(l, |call| call)?;
    wit::changes::add_to_linker::<Call, HasSelf<Call>>(l, |call| call)?;
    wit::user::add_to_linker::<Call, HasSelf<Call>>(l, |call| call)?;
    wit::store::add_to_linker::<Call, HasSelf<Call>>(l, |call| call)?;
    wit::toolbox::add_to_linker::<Call, HasSelf<Call>>(l, |call| call)?;
    wit::http::add_to_linker::<Call, HasSelf<Call>>(l, |call| call)?;
    wit::credentials::add_to_linker::<Call, HasSelf<Call>>(l, |call| call)?;
    wit::model::add_to_linker::<Call, HasSelf<Call>>(l, |call| call)?;
    wit::memory::add_to_linker::<Call, HasSelf<Call>>(l, |call| call)?;
    wit::vm::add_to_linker::<Call, HasSelf<Call>>(l, |call| call)?;
    Ok(linker)
}

/// The part of WASI that [`crate::imports`] lets every component have.
fn inert(l: &mut Linker<Call>) -> wasmtime::Result<()> {
    use p2::bindings::{cli, filesystem, random};
    // io, clocks, random and the three standard streams
    p2::add_to_linker_proxy_interfaces_async(l)?;
    random::insecure::add_to_linker::<Call, WasiRandom>(l, |call| call.ctx().ctx.random())?;
    random::insecure_seed::add_to_linker::<Call, WasiRandom>(l, |call| call.ctx().ctx.random())?;
    cli::exit::add_to_linker::<Call, WasiCli>(l, wasmtime_wasi::cli::WasiCliView::cli)?;
    cli::environment::add_to_linker::<Call, WasiCli>(l, wasmtime_wasi::cli::WasiCliView::cli)?;
    cli::terminal_input::add_to_linker::<Call, WasiCli>(l, wasmtime_wasi::cli::WasiCliView::cli)?;
    cli::terminal_output::add_to_linker::<Call, WasiCli>(l, wasmtime_wasi::cli::WasiCliView::cli)?;
    cli::terminal_stdin::add_to_linker::<Call, WasiCli>(l, wasmtime_wasi::cli::WasiCliView::cli)?;
    cli::terminal_stdout::add_to_linker::<Call, WasiCli>(l, wasmtime_wasi::cli::WasiCliView::cli)?;
    cli::terminal_stderr::add_to_linker::<Call, WasiCli>(l, wasmtime_wasi::cli::WasiCliView::cli)?;
    let filesystem = wasmtime_wasi::filesystem::WasiFilesystemView::filesystem;
    filesystem::types::add_to_linker::<Call, WasiFilesystem>(l, filesystem)?;
    filesystem::preopens::add_to_linker::<Call, WasiFilesystem>(l, filesystem)?;
    Ok(())
}
