//! One call: a fresh store, its limits, what it may reach, and the way in and out.

use crate::{
    fault::{self, Cause, PluginFault},
    index::Release,
    invocation::Invocation,
    limits::{Allowance, Limiter, Meter},
    load::{Linked, Loaded},
    output::{Console, PluginLog},
    reply::{CallError, Code, Refused, Sized as _},
    rights::Rights,
    roles::Ask,
    runtime::Inner,
    services::Place,
    slots::Slot,
};
use deskhand_vocabulary::{Entry, Event, FolderName, PluginId, manifest::Credential};
use deskhand_workspace::Workspace;
use serde_json::json;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use wasmtime::{PoolConcurrencyLimitError, Store, UpdateDeadline, component::ResourceTable};
use wasmtime_wasi::{HostWallClock, WasiCtx, WasiCtxView, WasiView};

/// What is called.
pub(crate) struct Request<A> {
    pub(crate) plugin: PluginId,
    /// What it is asked.
    pub(crate) ask: A,
    /// How many calls led here.
    pub(crate) depth: u32,
    /// What it and all that it calls may still write.
    pub(crate) allowance: Arc<Allowance>,
}

/// The state of one call: what its store holds, and what the capabilities work with.
pub(crate) struct Call {
    pub(crate) runtime: Arc<Inner>,
    pub(crate) plugin: PluginId,
    pub(crate) invocation: Invocation,
    pub(crate) rights: Rights,
    /// The credentials that its manifest names.
    pub(crate) credentials: Vec<Credential>,
    pub(crate) meter: Arc<Meter>,
    pub(crate) slot: Slot,
    pub(crate) log: Arc<PluginLog>,
    pub(crate) depth: u32,
    pub(crate) allowance: Arc<Allowance>,
    /// This call's own layer of the task's pending changes.
    pub(crate) workspace: Workspace,
    /// Which folders may be looked at, as far as it was decided.
    pub(crate) readable: BTreeMap<FolderName, Result<(), Refused>>,
    /// How many things that could not be read it still tells the person.
    pub(crate) unread: u32,
    pub(crate) limiter: Limiter,
    /// How many questions and notices it may still put to the person.
    pub(crate) questions: u32,
    /// How many parts of its answer it may still show before it answers.
    pub(crate) parts: u32,
    /// How many answers of hosts it holds open.
    pub(crate) open: u32,
    /// How many conversations with a model it may still begin.
    pub(crate) conversations: u32,
    wasi: WasiCtx,
    pub(crate) table: ResourceTable,
    /// Where its programs run, once it has started one. After the table, which holds those.
    pub(crate) place: Option<Box<dyn Place>>,
    /// How many programs it may still start.
    pub(crate) programs: u32,
}

impl WasiView for Call {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

/// The most questions and notices of one call.
const QUESTIONS: u32 = 100;
/// The most parts that one call may show before it answers.
const PARTS: u32 = 200;
/// The most WASI handles that one call may hold.
const HANDLES: usize = 4096;
/// The most randomness that is given in one piece, in bytes.
const RANDOM: u64 = 64 << 10;

impl Call {
    /// Let somebody else have this call's place, and its clock stand still, while `wait` runs.
    pub(crate) fn waiting<T>(&mut self, wait: impl FnOnce(&mut Self) -> T) -> Result<T, Refused> {
        let _paused = self.meter.pause();
        self.slot.leave();
        let result = wait(self);
        self.slot.retake(&self.invocation.stop).map_err(|_| stopped())?;
        Ok(result)
    }
}

/// What a capability answers once the person has stopped the task.
pub(crate) fn stopped() -> Refused {
    Refused::new(Code::Cancelled, "stopped by the person")
}

/// Make a call, and put it on the record.
pub(crate) async fn call<A: Ask>(
    runtime: &Arc<Inner>,
    invocation: Invocation,
    request: Request<A>,
) -> Result<A::Answer, CallError> {
    let installed =
        runtime.index.plugin(&request.plugin)?.ok_or_else(|| CallError::NotInstalled(request.plugin.clone()))?;
    let release = &installed.release;
    let failed = |fault| CallError::Fault { plugin: request.plugin.clone(), fault };
    let listing = release.listing().map_err(failed)?;
    if !request.ask.is_declared(listing) {
        let name = request.ask.name().to_owned();
        return Err(CallError::NoSuch { plugin: request.plugin, role: A::WORD, name });
    }
    if request.depth > runtime.config.depth {
        return Err(CallError::TooDeep { plugin: request.plugin, limit: runtime.config.depth });
    }
    let plugin = request.plugin.clone();
    let log = invocation.log.clone();
    let task = Some(invocation.task);
    let started = Event::CallStarted {
        plugin: plugin.clone(),
        role: A::ROLE.to_owned(),
        name: request.ask.name().to_owned(),
        component: release.component,
    };
    log.queue(Entry { task, event: started, content: Some(request.ask.record()) });
    let begun = std::time::Instant::now();
    let result = run(runtime, invocation, &request, release).await;
    let (outcome, content) = match &result {
        Ok(_) => ("ok", None),
        Err(error) => (error.outcome(), Some(json!({ "message": error.to_string() }))),
    };
    let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
    let ended = Event::CallEnded { plugin, outcome: outcome.to_owned(), micros };
    log.queue(Entry { task, event: ended, content });
    result
}

async fn run<A: Ask>(
    runtime: &Arc<Inner>,
    invocation: Invocation,
    request: &Request<A>,
    release: &Arc<Release>,
) -> Result<A::Answer, CallError> {
    let failed = |fault| CallError::Fault { plugin: request.plugin.clone(), fault };
    let slot = runtime.slots.take(&invocation.stop).map_err(|_| CallError::Stopped)?;
    let machine = runtime.machine().map_err(failed)?;
    let loader = runtime.loader(machine);
    let loaded = runtime.loads.get(&request.plugin, release, &loader).map_err(failed)?;
    let _ticking = machine.ticker.call();

    let listing = release.listing().map_err(failed)?;
    let own = Duration::from_secs(u64::from(listing.limits.seconds.max(1)));
    let meter = Meter::start(own.min(runtime.config.time), invocation.stop.clone());
    let log = PluginLog::new(invocation.log.clone(), invocation.task, request.plugin.clone(), runtime.config.log_bytes);
    let out = Console::new(log.clone(), "info");
    let err = Console::new(log.clone(), "warn");
    // dropped with all that is in it, unless the call succeeds
    let changes = invocation.workspace.nested();
    let rights = if A::ALONE {
        Rights::none(&request.plugin, &invocation)
    } else {
        Rights::new(&request.plugin, listing, &invocation)
    };
    let call = Call {
        runtime: runtime.clone(),
        plugin: request.plugin.clone(),
        rights,
        credentials: listing.credentials.clone(),
        meter: meter.clone(),
        slot,
        log: log.clone(),
        depth: request.depth,
        allowance: request.allowance.clone(),
        workspace: changes.workspace().clone(),
        readable: BTreeMap::new(),
        unread: crate::capability::files::unread(),
        questions: QUESTIONS,
        parts: PARTS,
        open: 0,
        conversations: crate::capability::model::conversations(),
        limiter: Limiter::new(&listing.limits, &runtime.config),
        wasi: wasi(&invocation, &out, &err),
        table: table(),
        place: None,
        programs: crate::capability::vm::programs(),
        invocation,
    };
    let result = drive(runtime, &loaded, call, request, &meter).await;
    out.end();
    err.end();
    log.end();
    match result {
        Ok(Ok(answer)) => match changes.join() {
            Ok(()) => Ok(answer),
            Err(error) => {
                let refused = crate::capability::files::of_file(&error).into();
                Err(CallError::Lost { plugin: request.plugin.clone(), refused })
            }
        },
        Ok(Err(refused)) => Err(CallError::Refused { plugin: request.plugin.clone(), refused }),
        Err(Cause::Stopped) => Err(CallError::Stopped),
        Err(Cause::Fault(fault)) => Err(failed(fault)),
    }
}

fn table() -> ResourceTable {
    let mut table = ResourceTable::new();
    table.set_max_capacity(HANDLES);
    table
}

fn wasi(invocation: &Invocation, out: &Console, err: &Console) -> WasiCtx {
    struct Wall(Arc<dyn deskhand_vocabulary::Clock>);
    impl HostWallClock for Wall {
        fn resolution(&self) -> Duration {
            Duration::from_nanos(1)
        }

        fn now(&self) -> Duration {
            // before 1970 there is no time in WASI 0.2
            Duration::try_from(self.0.now().as_duration()).unwrap_or_default()
        }
    }
    WasiCtx::builder()
        .stdout(out.clone())
        .stderr(err.clone())
        .max_random_size(RANDOM)
        .wall_clock(Wall(invocation.clock.clone()))
        .allow_tcp(false)
        .allow_udp(false)
        .build()
}

type Outcome<T> = Result<Result<T, Refused>, Cause>;

/// Run the component in the pool, or outside of it where the pool is full or too small for it.
async fn drive<A: Ask>(
    runtime: &Arc<Inner>,
    loaded: &Arc<Loaded>,
    call: Call,
    request: &Request<A>,
    meter: &Arc<Meter>,
) -> Outcome<A::Answer> {
    let piece = runtime.config.piece_bytes;
    let mut store = store(&loaded.first, call, piece);
    let linked = &loaded.first;
    let instance = match linked.pre.instantiate_async(&mut store).await {
        Ok(instance) => instance,
        Err(error) if error.is::<PoolConcurrencyLimitError>() => {
            let call = store.into_data();
            let machine = runtime.machine().map_err(Cause::Fault)?;
            let Some(linked) = loaded.overflow(machine, &runtime.cache) else {
                let reason = "there is no memory left for another call".to_owned();
                return Err(Cause::Fault(PluginFault::Host { reason }));
            };
            let mut store = self::store(linked, call, piece);
            return match linked.pre.instantiate_async(&mut store).await {
                Ok(instance) => enter(&mut store, linked, &instance, request, meter, piece).await,
                Err(error) => Err(fault::classify_start(&error, &store.data().limiter, meter.seconds(), piece)),
            };
        }
        Err(error) => return Err(fault::classify_start(&error, &store.data().limiter, meter.seconds(), piece)),
    };
    enter(&mut store, linked, &instance, request, meter, piece).await
}

fn store(linked: &Linked, call: Call, piece: usize) -> Store<Call> {
    let mut store = Store::new(linked.pre.engine(), call);
    store.limiter(|call| &mut call.limiter);
    store.set_hostcall_fuel(piece);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(|context| {
        context.data().meter.check()?;
        Ok(UpdateDeadline::Continue(1))
    });
    store
}

async fn enter<A: Ask>(
    store: &mut Store<Call>,
    linked: &Linked,
    instance: &wasmtime::component::Instance,
    request: &Request<A>,
    meter: &Arc<Meter>,
    piece: usize,
) -> Outcome<A::Answer> {
    let limit = store.data().runtime.config.reply_bytes;
    let result = {
        let answer = request.ask.put(store, &linked.roles, instance);
        tokio::select! {
            biased;
            result = answer => result,
            ended = meter.watch() => Err(wasmtime::Error::from(ended)),
        }
    };
    match result {
        Ok(Ok(answer)) => {
            let bytes = answer.bytes();
            if bytes > limit {
                let fault = PluginFault::TooMuchOutput { bytes: bytes as u64, limit: limit as u64 };
                return Err(Cause::Fault(fault));
            }
            Ok(Ok(answer))
        }
        Ok(Err(mut refused)) => {
            refused.message = deskhand_vocabulary::text::shortened(&refused.message, 2000);
            Ok(Err(refused))
        }
        Err(error) => Err(fault::classify(&error, &store.data().limiter, meter.seconds(), piece)),
    }
}
