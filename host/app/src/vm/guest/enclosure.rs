//! A guest as the enclosure: a virtual machine of the task's own, which is there from the first job on.

use super::{HOME, NoGuest, TaskGuest};
use deskhand_confine::{Excess, Extent, Input, Stream, overlay};
use deskhand_egress::Outlet;
use deskhand_permissions::{Context, Gate, Refused, effect::RunInGuest};
use deskhand_tools::shell::{Done, Enclosure, Ended, INTERPRETER, Job, reason};
use deskhand_vm_bridge::{Bridge, Ending, Event, Job as Running, Limits, PYTHON, Stream as Channel, VmError};
use deskhand_vm_image::{MODULES, PROGRAMS};
use deskhand_vocabulary::Stop;
use deskhand_workspace::{Moment, Workspace};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tokio::runtime::Handle;

/// How often it is looked whether a job has to end.
const LOOK: Duration = Duration::from_millis(50);
/// How long a piece of Python has to end that was interrupted.
const GRACE: Duration = Duration::from_secs(3);
/// What a job may use beside its time and its memory: processes, and bytes that it says. What an interpreter says in a whole
/// task is more.
const PROCESSES: u32 = 512;
const SAID: u64 = 64 << 20;
const SAID_IN_ALL: u64 = 4 << 30;

/// What wrote what came to be after a job had ended: something that it left in an interpreter.
const LATE: &str = "written after its command had ended";

/// See the module.
pub(crate) struct OnGuest {
    bridge: OnceLock<Bridge>,
    parts: Parts,
    held: Arc<Mutex<Held>>,
}

/// What a guest of a task is made of.
pub(crate) struct Parts {
    /// Finds what makes guests, which takes some time: only once it is needed.
    pub(crate) find: Box<dyn Fn() -> Result<Bridge, VmError> + Send + Sync>,
    /// The folders of the task.
    pub(crate) workspace: Workspace,
    /// How far those are in it.
    pub(crate) extent: Extent,
    /// Where what is pending lies for the guest, what its files hold, and the socket of its proxy.
    pub(crate) place: PathBuf,
    /// What decides on each host, and brings there what is sent.
    pub(crate) outlet: Outlet,
    /// Of a runtime with time and network.
    pub(crate) handle: Handle,
    /// Says how long the person was waited for until now.
    pub(crate) waited: Box<dyn Fn() -> Duration + Send + Sync>,
    /// The most bytes of memory that jobs have.
    pub(crate) memory: u64,
    /// How long a guest stays without a job.
    pub(crate) idle: Duration,
}

#[derive(Default)]
struct Held {
    open: Option<Open>,
    /// True where an interpreter was ended that may have known something.
    forgot: bool,
    /// How many jobs were run.
    jobs: u64,
}

/// A guest that is there.
struct Open {
    // what runs goes before what it runs in
    python: Option<Python>,
    guest: TaskGuest,
    /// The most bytes of memory that a job has.
    memory: u64,
    /// What was pending when it last saw the same.
    moment: Moment,
}

/// An interpreter at work in it.
struct Python {
    job: Running,
    works: u64,
}

/// How much of a job is over.
enum Over {
    Ended(Ending),
    /// An interpreter has done its work.
    Marked,
    Lost,
    NotStarted(String),
}

/// Why a job is ended.
#[derive(Clone, Copy)]
enum Enough {
    Time,
    Stop,
}

/// What is heard while a job runs.
struct Watch<'a> {
    clock: Clock<'a>,
    heard: &'a mut (dyn FnMut(Stream, &[u8]) + Send),
    /// What an interpreter says when its work is done.
    mark: Option<Vec<u8>>,
    /// What may be the beginning of it.
    held_back: Vec<u8>,
}

/// When a job has had enough.
struct Clock<'a> {
    stop: &'a Stop,
    begun: Instant,
    time: Duration,
    waited: &'a (dyn Fn() -> Duration + Send + Sync),
    before: Duration,
}

impl Clock<'_> {
    fn enough(&self) -> Option<Enough> {
        if self.stop.is_stopped() {
            return Some(Enough::Stop);
        }
        let waited = (self.waited)().saturating_sub(self.before);
        (self.begun.elapsed().saturating_sub(waited) >= self.time).then_some(Enough::Time)
    }
}

impl std::fmt::Debug for OnGuest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnGuest").finish_non_exhaustive()
    }
}

impl OnGuest {
    /// Of a task. Nothing is started before the first job.
    pub(crate) fn new(parts: Parts) -> Self {
        Self { bridge: OnceLock::new(), parts, held: Arc::default() }
    }

    fn bridge(&self) -> Result<&Bridge, VmError> {
        if let Some(bridge) = self.bridge.get() {
            return Ok(bridge);
        }
        let bridge = (self.parts.find)()?;
        Ok(self.bridge.get_or_init(|| bridge))
    }

    /// End the guest unless another job is run within the time that it stays without one.
    fn end_when_idle(&self, job: u64) {
        let (held, idle) = (Arc::downgrade(&self.held), self.parts.idle);
        self.parts.handle.spawn(async move {
            tokio::time::sleep(idle).await;
            let Some(held) = held.upgrade() else { return };
            // ending a machine waits until nothing of it is left
            let _ = tokio::task::spawn_blocking(move || {
                let mut held = locked(&held);
                if held.jobs == job {
                    held.let_go();
                }
            })
            .await;
        });
    }

    fn open(&self, needs_python: bool) -> Result<Open, NoGuest> {
        let bridge = self.bridge()?;
        let Parts { workspace, extent, place, outlet, handle, .. } = &self.parts;
        let moment = workspace.moment();
        let guest = TaskGuest::open(bridge, (workspace, *extent), place, (outlet, handle), needs_python)?;
        Ok(Open { python: None, guest, memory: self.parts.memory, moment })
    }

    fn attempt(
        &self,
        held: &mut Held,
        job: &Job,
        input: Option<Input>,
        clock: Clock<'_>,
        heard: &mut (dyn FnMut(Stream, &[u8]) + Send),
    ) -> Result<Done, NoGuest> {
        let mut taken = overlay::Taken::default();
        if let Some(open) = &mut held.open {
            let followed = open.follow(&self.parts.workspace, &mut taken, clock.stop);
            if !matches!(followed, Ok(true)) {
                held.let_go();
            }
            followed?;
        }
        let is_python = matches!(job, Job::Python { .. });
        let mut open = match held.open.take() {
            Some(open) => open,
            None => self.open(is_python)?,
        };
        let fresh = is_python && open.python.is_none();
        let stop = clock.stop;
        let mut watch = Watch { clock, heard, mark: None, held_back: Vec::new() };
        let (over, why, log) = match job {
            Job::Shell { command, folder } => open.shell(command, folder.as_deref(), &mut watch)?,
            Job::Program { words, folder } => open.program((words, folder.as_deref()), input, &mut watch)?,
            Job::Python { code } => open.python(code, &mut watch)?,
        };
        let forgot = fresh && std::mem::take(&mut held.forgot);
        let lost = matches!(over, Over::Lost);
        let lives = matches!(over, Over::Marked);
        if is_python && !lives {
            open.python = None;
            held.forgot |= !matches!(over, Over::NotStarted(_));
        }
        let ended = ended(over, why, lives);
        let reason = reason(job);
        if lost {
            held.forgot |= open.python.is_some();
            return Ok(Done { ended, forgot, log: None, taken, reason });
        }
        taken.add(open.guest.take(&self.parts.workspace, &reason, stop)?);
        open.moment = self.parts.workspace.moment();
        held.open = Some(open);
        Ok(Done { ended, forgot, log: Some(log), taken, reason })
    }
}

impl Held {
    /// End what is open.
    fn let_go(&mut self) {
        if let Some(open) = self.open.take() {
            self.forgot |= open.python.is_some();
        }
    }
}

impl Open {
    /// Let it see what has changed in the task by other hands. False where it has to be opened anew.
    ///
    /// What a job left to be written when it ended, such as by a thread of the interpreter, comes first, and is added to `late`.
    fn follow(&mut self, workspace: &Workspace, late: &mut overlay::Taken, stop: &Stop) -> Result<bool, NoGuest> {
        // one that died in between has told what its jobs wrote, and the next one sees that
        if self.guest.is_lost() {
            return Ok(false);
        }
        let now = workspace.moment();
        if now == self.moment {
            return Ok(true);
        }
        // what was applied lies below it now, and would be seen through what it wrote before
        if now.is_settled_since(self.moment) {
            return Ok(false);
        }
        late.add(self.guest.take(workspace, LATE, stop)?);
        let now = workspace.moment();
        let followed = self.guest.follow(workspace, stop)?;
        if followed {
            self.moment = now;
        }
        Ok(followed)
    }

    fn shell(&self, command: &str, folder: Option<&Path>, watch: &mut Watch<'_>) -> Result<Came, VmError> {
        let words = ["/bin/bash", "-c", command];
        let folder = folder.unwrap_or(Path::new(HOME));
        let job = self.guest.start(&words, folder, limits(self.memory, SAID), true)?;
        let log = job.log().into();
        if job.end_input().is_err() {
            return Ok((Over::Lost, None, log));
        }
        let (over, why) = attend(&job, watch, false);
        Ok((over, why, log))
    }

    fn program(
        &self,
        (words, folder): (&[OsString], Option<&Path>),
        input: Option<Input>,
        watch: &mut Watch<'_>,
    ) -> Result<Came, VmError> {
        let job = self.guest.start(words, folder.unwrap_or(Path::new(HOME)), limits(self.memory, SAID), false)?;
        let (log, stdin) = (job.log().into(), job.stdin());
        // it is given to read beside all that is heard of it, and ends with whoever gives
        thread::spawn(move || {
            for piece in input.into_iter().flat_map(|mut input| std::iter::from_fn(move || input.blocking_recv())) {
                if stdin.write(&piece).is_err() {
                    return;
                }
            }
            let _ = stdin.end(); // without a guest its end is heard
        });
        let (over, why) = attend(&job, watch, false);
        Ok((over, why, log))
    }

    fn python(&mut self, code: &str, watch: &mut Watch<'_>) -> Result<Came, VmError> {
        let python = match &mut self.python {
            Some(python) => python,
            None => {
                let [python, unbuffered, source] = PYTHON;
                let words = [python, unbuffered, source, INTERPRETER];
                let limits = limits(self.memory, SAID_IN_ALL);
                let job = self.guest.start(&words, Path::new(HOME), limits, true)?;
                self.python.insert(Python { job, works: 0 })
            }
        };
        python.works += 1;
        let (job, log) = (&python.job, python.job.log().into());
        let mark = format!("deskhand-done-{}", python.works);
        watch.mark = Some([b"\0", mark.as_bytes(), b"\0"].concat());
        let work = format!("{} {mark}\n{code}", code.len());
        let stdin = job.stdin();
        // one that does not read is ended as any other, and a guest that is gone is heard of
        thread::spawn(move || drop(stdin.write(work.as_bytes())));
        let (over, why) = attend(job, watch, true);
        Ok((over, why, log))
    }
}

/// Hear a job until it is over, and end it where it has had enough: `gently`, it is interrupted first.
fn attend(job: &Running, watch: &mut Watch<'_>, gently: bool) -> (Over, Option<Enough>) {
    let (mut why, mut until) = (None, None);
    loop {
        if let Some(over) = job.next_within(LOOK).and_then(|event| watch.hear(event)) {
            return (over, why);
        }
        // without a guest its end comes next, whatever it is told
        if why.is_none() {
            why = watch.clock.enough();
            if why.is_some() && gently {
                let _ = job.interrupt();
                until = Some(Instant::now() + GRACE);
            } else if why.is_some() {
                let _ = job.stop();
            }
        } else if until.is_some_and(|until| Instant::now() > until) {
            let _ = job.stop();
            until = None;
        }
    }
}

const fn limits(memory: u64, output: u64) -> Limits {
    Limits { memory, processes: PROCESSES, milliseconds: u64::MAX, output }
}

fn locked(held: &Mutex<Held>) -> MutexGuard<'_, Held> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How a job ended, why it was ended, and where all that it said is.
type Came = (Over, Option<Enough>, PathBuf);

impl Watch<'_> {
    /// Take in what becomes of the job; something where that is its end.
    fn hear(&mut self, event: Event) -> Option<Over> {
        match event {
            Event::Output { stream, bytes } => self.said(stream, &bytes).then_some(Over::Marked),
            Event::Ended { ending, .. } => {
                self.give_up_mark();
                Some(Over::Ended(ending))
            }
            Event::Refused(why) => Some(Over::NotStarted(why.to_string())),
            Event::Lost(_) => Some(Over::Lost),
        }
    }

    /// Whether the mark has been said.
    fn said(&mut self, stream: Channel, bytes: &[u8]) -> bool {
        let Some(mark) = &self.mark else {
            let stream = if stream == Channel::Error { Stream::Error } else { Stream::Output };
            (self.heard)(stream, bytes);
            return false;
        };
        self.held_back.extend(bytes);
        if let Some(at) = self.held_back.windows(mark.len()).position(|window| window == mark) {
            (self.heard)(Stream::Output, &self.held_back[..at]);
            self.held_back.clear();
            return true;
        }
        // what could still become the mark is held back
        let most = mark.len().min(self.held_back.len() + 1);
        let keep = (0..most).rev().find(|count| self.held_back.ends_with(&mark[..*count])).unwrap_or(0);
        let rest = self.held_back.split_off(self.held_back.len() - keep);
        let said = std::mem::replace(&mut self.held_back, rest);
        if !said.is_empty() {
            (self.heard)(Stream::Output, &said);
        }
        false
    }

    fn give_up_mark(&mut self) {
        if !self.held_back.is_empty() {
            (self.heard)(Stream::Output, &std::mem::take(&mut self.held_back));
        }
    }
}

fn ended(over: Over, why: Option<Enough>, lives: bool) -> Ended {
    match (over, why) {
        (Over::NotStarted(reason), _) => Ended::NotStarted(reason),
        (Over::Ended(Ending::OutOfMemory), _) => Ended::Beyond(Excess::Memory),
        (_, Some(Enough::Stop)) => Ended::Stopped,
        (_, Some(Enough::Time)) => Ended::TimedOut(lives),
        (Over::Marked, None) => Ended::Exited(None),
        (Over::Ended(Ending::Exited(code)), None) => Ended::Exited(Some(u8::try_from(code).unwrap_or(u8::MAX))),
        // as shells say it
        (Over::Ended(Ending::Signal(signal)), None) => {
            Ended::Exited(Some(u8::try_from(128 + signal).unwrap_or(u8::MAX)))
        }
        (Over::Ended(Ending::Stopped | Ending::OutOfTime) | Over::Lost, None) => Ended::Broken,
    }
}

impl Enclosure for OnGuest {
    fn name(&self) -> &'static str {
        "a virtual machine of this task"
    }

    fn holds(&self) -> [String; 2] {
        let programs = format!("It has the usual programs, and {}.", PROGRAMS.join(", "));
        [programs, format!("It has {}; pip installs more.", MODULES.join(", "))]
    }

    fn word(&self) -> &'static str {
        "guest"
    }

    fn permit(&self, gate: &Gate, context: &Context) -> Result<(), Refused> {
        gate.permit(context, RunInGuest::by(&context.principal))?.redeem();
        Ok(())
    }

    fn has_python(&self) -> bool {
        true
    }

    fn run(
        &self,
        job: &Job,
        input: Option<Input>,
        (time, stop): (Duration, &Stop),
        heard: &mut (dyn FnMut(Stream, &[u8]) + Send),
    ) -> Result<Done, String> {
        let mut held = locked(&self.held);
        held.jobs += 1;
        let waited = &*self.parts.waited;
        let clock = Clock { stop, begun: Instant::now(), time, waited, before: waited() };
        let done = self.attempt(&mut held, job, input, clock, heard).map_err(|error| error.to_string());
        self.end_when_idle(held.jobs);
        done
    }

    fn close(&self) {
        locked(&self.held).let_go();
    }
}
