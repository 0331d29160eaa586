//! The engine: how components are compiled and where their memory comes from. Every setting says what it costs.

use crate::{config::Config, fault::PluginFault, limits::TABLE_ELEMENTS};
use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    num::NonZeroUsize,
    sync::OnceLock,
};
use wasmtime::{
    Enabled, Engine, InstanceAllocationStrategy, ModuleVersionStrategy, OptLevel, PoolingAllocationConfig, Strategy,
};

/// The version of wasmtime that made a piece of compiled code, to the patch: a fix of the code generator must not leave
/// the old code in use, and wasmtime by itself compares only the major version.
const CODE_VERSION: &str = "wasmtime-48.0.8";

/// How compiled code reserves linear memory: 4 GiB, so that bounds are checked by the memory's own edge and not by an
/// instruction at every access (1.2 to 1.5 times faster). Costs address space, not memory.
const RESERVATION: u64 = 4 << 30;

/// The guard after each memory. 32 MiB lets accesses with constant offsets go unchecked.
const GUARD: u64 = 32 << 20;

/// What shapes compiled code; the compiler's child process and every engine of the host have this in common, or code of
/// one would be refused by the other.
fn code() -> Result<wasmtime::Config, wasmtime::Error> {
    let mut config = wasmtime::Config::new();
    // Cranelift and never Winch: several escapes from the sandbox were Winch's alone. Costs six times the compile time,
    // once, at install.
    config.strategy(Strategy::Cranelift);
    config.cranelift_opt_level(OptLevel::Speed);
    // A counter checked at loop heads and function entries: what stops a plugin that spins. Costs 3 to 15 % of speed and
    // 9 % of code size. Fuel would be exact, and costs two to three times that.
    config.epoch_interruption(true);
    // Interface functions are synchronous, and the host suspends the caller. Offering WASI 0.3 would double the cost of a
    // call (0.44 to 0.85 µs) for nothing that a plugin can use yet.
    config.concurrency_support(false);
    config.module_version(ModuleVersionStrategy::Custom(CODE_VERSION.to_owned()))?;
    config.memory_reservation(RESERVATION);
    config.memory_guard_size(GUARD);
    config.memory_may_move(false);
    // One plugin has one thread, and memory that no other shares.
    config.shared_memory(false);
    // The same plugin gives the same answer on every processor.
    config.relaxed_simd_deterministic(true);
    // NaN bits are the one other thing that differs between processors. Costs a few per cent of float-heavy code.
    config.cranelift_nan_canonicalization(true);
    // The depth of a plugin's own stack. An overflow is a fault of the plugin; more only costs address space.
    config.max_wasm_stack(STACK);
    config.async_stack_size(STACK + (1 << 20));
    config.async_stack_zeroing(false);
    // Function names in a fault cost nothing until one happens; a trace is cut at this depth.
    config.wasm_backtrace_max_frames(NonZeroUsize::new(32));
    // Which byte of the component a trap is at, and tables for the system's own debuggers: nobody is shown either, and
    // together they are an eighth of a file that every first call reads. Traces by name need neither.
    config.generate_address_map(false);
    config.native_unwind_info(false);
    config.memory_init_cow(true);
    Ok(config)
}

/// The stack of a call, in bytes.
const STACK: usize = 1 << 20;

/// An engine that only compiles.
pub(crate) fn compiler() -> Result<Engine, wasmtime::Error> {
    Engine::new(&code()?)
}

/// The engines of one host: one for all calls, and a second that takes what does not fit into the first one's pool.
pub(crate) struct Engines {
    first: Engine,
    pooled: bool,
    overflow: OnceLock<Option<Engine>>,
}

impl Engines {
    /// Make the engine. A pool is asked for first; where the address space for it is not to be had (a container with a
    /// limit on it), memory is taken call by call, which costs about 25 µs a call.
    pub(crate) fn new(config: &Config) -> Result<Self, PluginFault> {
        let failed = |error: wasmtime::Error| PluginFault::Host { reason: format!("{error:#}") };
        let mut settings = code().map_err(failed)?;
        settings.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(config)));
        if let Ok(first) = Engine::new(&settings) {
            return Ok(Self { first, pooled: true, overflow: OnceLock::new() });
        }
        let first = Engine::new(&code().map_err(failed)?).map_err(failed)?;
        Ok(Self { first, pooled: false, overflow: OnceLock::new() })
    }

    /// The engine that calls use.
    pub(crate) fn first(&self) -> &Engine {
        &self.first
    }

    /// The engine for a call that finds the pool full, if there is a pool. Compiled code fits both.
    pub(crate) fn overflow(&self) -> Option<&Engine> {
        if !self.pooled {
            return None;
        }
        self.overflow.get_or_init(|| compiler().ok()).as_ref()
    }

    /// Move every deadline of every engine on by one tick.
    pub(crate) fn tick(&self) {
        self.first.increment_epoch();
        if let Some(Some(overflow)) = self.overflow.get() {
            overflow.increment_epoch();
        }
    }
}

/// The key of compiled code: what it was made with. Code of another key is never loaded, but made again.
pub(crate) fn code_key(engine: &Engine) -> String {
    let mut hasher = DefaultHasher::new();
    engine.precompile_compatibility_hash().hash(&mut hasher);
    (CODE_VERSION, crate::cache::DIGEST).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

fn pool(config: &Config) -> PoolingAllocationConfig {
    let slots = config.slots();
    let mut pool = PoolingAllocationConfig::new();
    pool.total_component_instances(slots);
    pool.total_stacks(slots);
    // A Rust component is three or four core instances with one memory and one or two tables; one of Python is twenty.
    // A component that needs more than these, or more than are left, runs outside the pool.
    pool.total_core_instances(slots * 6);
    pool.max_core_instances_per_component(64);
    pool.total_memories(slots + slots / 4);
    pool.max_memories_per_component(8);
    pool.total_tables(slots * 4);
    pool.max_tables_per_component(32);
    pool.table_elements(TABLE_ELEMENTS);
    pool.max_memory_size(usize::try_from(RESERVATION).unwrap_or(usize::MAX));
    // How much of a slot stays in memory between two calls and is wiped by hand, which is cheaper than giving it back
    // and faulting it in again. Costs this much resident memory a slot that was used.
    pool.linear_memory_keep_resident(64 << 10);
    pool.table_keep_resident(8 << 10);
    pool.async_stack_keep_resident(16 << 10);
    pool.max_unused_warm_slots(8);
    pool.pagemap_scan(Enabled::Auto);
    pool
}
