//! What bounds a call while it runs: its own time, memory and tables. Each alone lets something through, so all three are
//! there: a loop is ended by the epoch, a wait by the clock, growth by the limiter.

use crate::{config::Config, engine::Engines, fault::Ended};
use deskhand_vocabulary::{Stop, manifest::Limits};
use std::{
    sync::{
        Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use wasmtime::ResourceLimiter;

/// How often a running plugin is looked at.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// How long the ticker goes on after the last call before it sleeps.
const LINGER: u32 = 100;

/// The clock of one call. It runs while the plugin works or waits for something of its own making, and stands still while
/// the host works for it, the person thinks, or a plugin that it called runs.
#[derive(Debug)]
pub(crate) struct Meter {
    started: Instant,
    limit: Duration,
    /// What the pauses that are over took, in nanoseconds.
    paused: AtomicU64,
    /// When the pause under way began, in nanoseconds since `started`, plus one; 0 without one.
    pause: AtomicU64,
    stop: Stop,
}

impl Meter {
    pub(crate) fn start(limit: Duration, stop: Stop) -> Arc<Self> {
        Arc::new(Self { started: Instant::now(), limit, paused: AtomicU64::new(0), pause: AtomicU64::new(0), stop })
    }

    fn elapsed(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_nanos()).unwrap_or(u64::MAX - 1)
    }

    /// Stand still until the guard is dropped. A pause within a pause changes nothing.
    pub(crate) fn pause(self: &Arc<Self>) -> Paused {
        let now = self.elapsed() + 1;
        let outermost = self.pause.compare_exchange(0, now, Ordering::SeqCst, Ordering::SeqCst).is_ok();
        Paused { meter: outermost.then(|| self.clone()) }
    }

    /// Whether the call has to end now.
    pub(crate) fn check(&self) -> Result<(), Ended> {
        if self.stop.is_stopped() {
            return Err(Ended::Stopped);
        }
        if self.pause.load(Ordering::SeqCst) == 0 && self.remaining().is_zero() {
            return Err(Ended::Deadline);
        }
        Ok(())
    }

    fn remaining(&self) -> Duration {
        let worked = self.elapsed().saturating_sub(self.paused.load(Ordering::SeqCst));
        self.limit.saturating_sub(Duration::from_nanos(worked))
    }

    /// Returns when the call has to end. Polled only while the plugin waits, so a call that never does costs no timer.
    pub(crate) async fn watch(&self) -> Ended {
        loop {
            if let Err(ended) = self.check() {
                return ended;
            }
            tokio::time::sleep(self.remaining().clamp(Duration::from_millis(1), TICK)).await;
        }
    }

    /// The limit in whole seconds, rounded up.
    pub(crate) fn seconds(&self) -> u64 {
        self.limit.as_secs() + u64::from(self.limit.subsec_nanos() > 0)
    }
}

/// A meter that stands still.
#[must_use = "the clock runs again when this is dropped"]
pub(crate) struct Paused {
    meter: Option<Arc<Meter>>,
}

impl Drop for Paused {
    fn drop(&mut self) {
        if let Some(meter) = &self.meter {
            let began = meter.pause.load(Ordering::SeqCst).saturating_sub(1);
            meter.paused.fetch_add(meter.elapsed().saturating_sub(began), Ordering::SeqCst);
            meter.pause.store(0, Ordering::SeqCst);
        }
    }
}

/// What a plugin wanted too much of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exceeded {
    Memory,
    Tables,
}

/// Bounds memory and tables of one call, over all memories and tables that its component has.
#[derive(Debug)]
pub(crate) struct Limiter {
    memory: usize,
    memory_used: usize,
    tables: usize,
    tables_used: usize,
    exceeded: Option<Exceeded>,
}

/// The most table entries of one call. A large program has some ten thousand.
pub(crate) const TABLE_ELEMENTS: usize = 50_000;

impl Limiter {
    pub(crate) fn new(limits: &Limits, config: &Config) -> Self {
        let mib = limits.memory_mib.clamp(1, config.memory_mib.max(1));
        Self {
            memory: usize::try_from(mib).unwrap_or(usize::MAX).saturating_mul(1 << 20),
            memory_used: 0,
            tables: TABLE_ELEMENTS,
            tables_used: 0,
            exceeded: None,
        }
    }

    pub(crate) fn exceeded(&self) -> Option<Exceeded> {
        self.exceeded
    }

    pub(crate) fn memory_mib(&self) -> u64 {
        (self.memory >> 20) as u64
    }

    pub(crate) fn table_elements(&self) -> u64 {
        self.tables as u64
    }
}

impl ResourceLimiter for Limiter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.memory_used.saturating_sub(current).saturating_add(desired);
        if used > self.memory {
            self.exceeded = Some(Exceeded::Memory);
            return Ok(false);
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.memory_used = used;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        let used = self.tables_used.saturating_sub(current).saturating_add(desired);
        if used > self.tables {
            self.exceeded = Some(Exceeded::Tables);
            return Ok(false);
        }
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        self.tables_used = used;
        Ok(true)
    }

    fn instances(&self) -> usize {
        64
    }

    fn tables(&self) -> usize {
        64
    }

    fn memories(&self) -> usize {
        8
    }
}

/// How much a call, with all the calls that it makes, may still hand over to be written, in bytes. What is proposed waits on
/// the disk of Deskhand's own folders until it is decided, and a plugin must not fill that.
#[derive(Debug)]
pub(crate) struct Allowance {
    most: u64,
    left: AtomicU64,
}

impl Allowance {
    pub(crate) fn new(most: u64) -> Arc<Self> {
        Arc::new(Self { most, left: AtomicU64::new(most) })
    }

    /// Take so much of it. False if there is not so much left; then nothing is taken.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(bytes)).is_ok()
    }

    /// All that there was.
    pub(crate) const fn most(&self) -> u64 {
        self.most
    }
}

/// Moves the epoch on while calls run, on a thread of its own that sleeps when there are none: a desktop program must not
/// wake the processor a hundred times a second for nothing.
pub(crate) struct Ticker {
    running: Arc<Running>,
}

struct Running {
    calls: AtomicU64,
    asleep: AtomicBool,
    over: AtomicBool,
    wake: Mutex<()>,
    waker: Condvar,
}

impl Ticker {
    /// Start the thread. It ends when the engines are gone.
    pub(crate) fn start(engines: &Arc<Engines>) -> std::io::Result<Self> {
        let running = Arc::new(Running {
            calls: AtomicU64::new(0),
            asleep: AtomicBool::new(false),
            over: AtomicBool::new(false),
            wake: Mutex::new(()),
            waker: Condvar::new(),
        });
        let (thread_running, engines) = (running.clone(), Arc::downgrade(engines));
        std::thread::Builder::new().name("deskhand-epoch".to_owned()).spawn(move || tick(&thread_running, &engines))?;
        Ok(Self { running })
    }

    /// Tick until the guard is dropped.
    pub(crate) fn call(&self) -> Ticking {
        self.running.calls.fetch_add(1, Ordering::SeqCst);
        if self.running.asleep.load(Ordering::SeqCst) {
            drop(lock(&self.running.wake));
            self.running.waker.notify_one();
        }
        Ticking { running: self.running.clone() }
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.running.over.store(true, Ordering::SeqCst);
        drop(lock(&self.running.wake));
        self.running.waker.notify_all();
    }
}

/// A call that needs the ticker.
pub(crate) struct Ticking {
    running: Arc<Running>,
}

impl Drop for Ticking {
    fn drop(&mut self) {
        self.running.calls.fetch_sub(1, Ordering::SeqCst);
    }
}

fn lock(mutex: &Mutex<()>) -> MutexGuard<'_, ()> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn tick(running: &Running, engines: &Weak<Engines>) {
    let mut idle = 0;
    loop {
        std::thread::sleep(TICK);
        let Some(engines) = engines.upgrade() else { return };
        if running.calls.load(Ordering::SeqCst) > 0 {
            idle = 0;
            engines.tick();
            continue;
        }
        idle += 1;
        if idle >= LINGER {
            drop(engines);
            running.asleep.store(true, Ordering::SeqCst);
            let mut guard = lock(&running.wake);
            while running.calls.load(Ordering::SeqCst) == 0 && !running.over.load(Ordering::SeqCst) {
                guard = running.waker.wait(guard).unwrap_or_else(PoisonError::into_inner);
            }
            drop(guard);
            running.asleep.store(false, Ordering::SeqCst);
            idle = 0;
        }
    }
}
