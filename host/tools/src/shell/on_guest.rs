//! A guest as the enclosure: a virtual machine of the task's own, which is there from the first job on.

use super::{
    enclosure::{Done, Enclosure, Ended, INTERPRETER, Job, reason},
    guest::{HOME, NoGuest, TaskGuest},
};
use deskhand_confine::{Excess, overlay};
use deskhand_egress::Outlet;
use deskhand_permissions::{Context, Gate, Refused, effect::RunInGuest};
use deskhand_vm_bridge::{Bridge, Ending, Event, Job as Running, Limits, VmError};
use deskhand_vocabulary::Stop;
use deskhand_workspace::{Moment, Workspace};
use std::{
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, OnceLock, PoisonError},
    time::{Duration, Instant},
};
use tokio::runtime::Handle;

/// How often it is looked whether a job has to end.
const LOOK: Duration = Duration::from_millis(50);
/// How long a piece of Python has to end that was interrupted.
const GRACE: Duration = Duration::from_secs(3);
/// What a job may use beside its time: bytes of memory, which the guest has not many more of; processes; bytes that it says.
/// What an interpreter says in a whole task is more.
const LIMITS: Limits = Limits { memory: 768 << 20, processes: 512, milliseconds: u64::MAX, output: 64 << 20 };
const SAID: u64 = 4 << 30;

/// See the module.
pub struct OnGuest {
    /// What makes guests, which takes some time to find out: there once it was needed.
    bridge: OnceLock<Bridge>,
    find: Box<dyn Fn() -> Result<Bridge, VmError> + Send + Sync>,
    workspace: Workspace,
    /// Where what is pending lies for the guest, what its files hold, and the socket of its proxy.
    place: PathBuf,
    /// What decides on each host, and brings there what is sent.
    outlet: Outlet,
    handle: Handle,
    /// How long the person was waited for until now.
    waited: Box<dyn Fn() -> Duration + Send + Sync>,
    held: Mutex<Held>,
}

#[derive(Default)]
struct Held {
    open: Option<Open>,
    /// True where an interpreter was ended that may have known something.
    forgot: bool,
}

/// A guest that is there.
struct Open {
    // what runs goes before what it runs in
    python: Option<Python>,
    guest: TaskGuest,
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
    heard: &'a mut (dyn FnMut(&[u8]) + Send),
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
    /// Of a task with this workspace; `find` finds what makes guests. What is pending lies below `place` for the guest, and what
    /// it sends goes by `outlet`. `handle` is of a runtime with time and network; `waited` says how long the person was waited
    /// for until now.
    pub fn new(
        find: impl Fn() -> Result<Bridge, VmError> + Send + Sync + 'static,
        (workspace, place): (Workspace, PathBuf),
        (outlet, handle): (Outlet, Handle),
        waited: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Self {
        let (find, waited) = (Box::new(find), Box::new(waited));
        Self { bridge: OnceLock::new(), find, workspace, place, outlet, handle, waited, held: Mutex::default() }
    }

    fn bridge(&self) -> Result<&Bridge, VmError> {
        if let Some(bridge) = self.bridge.get() {
            return Ok(bridge);
        }
        let bridge = (self.find)()?;
        Ok(self.bridge.get_or_init(|| bridge))
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<Open, NoGuest> {
        let moment = self.workspace.moment();
        let guest = TaskGuest::open(self.bridge()?, &self.workspace, &self.place, (&self.outlet, &self.handle))?;
        Ok(Open { python: None, guest, moment })
    }

    fn attempt(
        &self,
        held: &mut Held,
        job: &Job,
        clock: Clock<'_>,
        heard: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Done, NoGuest> {
        if let Some(open) = &mut held.open
            && !open.follow(&self.workspace)?
        {
            held.let_go();
        }
        let mut open = match held.open.take() {
            Some(open) => open,
            None => self.open()?,
        };
        let is_python = matches!(job, Job::Python { .. });
        let fresh = is_python && open.python.is_none();
        let mut watch = Watch { clock, heard, mark: None, held_back: Vec::new() };
        let (over, why, log) = match job {
            Job::Shell { command, folder } => open.shell(command, folder.as_deref(), &mut watch)?,
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
            return Ok(Done { ended, forgot, log: None, taken: overlay::Taken::default(), reason });
        }
        let taken = open.guest.take(&self.workspace, &reason)?;
        open.moment = self.workspace.moment();
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
    fn follow(&mut self, workspace: &Workspace) -> Result<bool, NoGuest> {
        let now = workspace.moment();
        if now == self.moment {
            return Ok(true);
        }
        // what was applied lies below it now, and would be seen through what it wrote before
        if now.is_settled_since(self.moment) {
            return Ok(false);
        }
        let followed = self.guest.follow(workspace)?;
        if followed {
            self.moment = now;
        }
        Ok(followed)
    }

    fn shell(&self, command: &str, folder: Option<&Path>, watch: &mut Watch<'_>) -> Result<Came, VmError> {
        let words = ["/bin/sh", "-c", "exec \"$@\" 2>&1", "sh", "/bin/bash", "-c", command];
        let folder = folder.unwrap_or(Path::new(HOME));
        let job = self.guest.start(&words, folder, LIMITS)?;
        let log = job.log().into();
        if job.end_input().is_err() {
            return Ok((Over::Lost, None, log));
        }
        let mut why = None;
        loop {
            match job.next_within(LOOK) {
                Some(event) => {
                    if let Some(over) = watch.hear(event) {
                        return Ok((over, why, log));
                    }
                }
                None if why.is_none() => {
                    why = watch.clock.enough();
                    if why.is_some() {
                        // without a guest its end comes next
                        let _ = job.stop();
                    }
                }
                None => {}
            }
        }
    }

    fn python(&mut self, code: &str, watch: &mut Watch<'_>) -> Result<Came, VmError> {
        let python = match &mut self.python {
            Some(python) => python,
            None => {
                let words = ["/bin/sh", "-c", "exec python3 -u -c \"$0\" 2>&1", INTERPRETER];
                let limits = Limits { output: SAID, ..LIMITS };
                let job = self.guest.start(&words, Path::new(HOME), limits)?;
                self.python.insert(Python { job, works: 0 })
            }
        };
        python.works += 1;
        let (job, log) = (&python.job, python.job.log().into());
        let mark = format!("deskhand-done-{}", python.works);
        watch.mark = Some([b"\0", mark.as_bytes(), b"\0"].concat());
        let work = format!("{} {mark}\n{code}", code.len());
        if job.input(work.as_bytes()).is_err() {
            return Ok((Over::Lost, None, log));
        }
        let (mut why, mut until) = (None, None);
        loop {
            match job.next_within(LOOK) {
                Some(event) => {
                    if let Some(over) = watch.hear(event) {
                        return Ok((over, why, log));
                    }
                }
                None if why.is_none() => {
                    why = watch.clock.enough();
                    if why.is_some() {
                        let _ = job.interrupt();
                        until = Some(Instant::now() + GRACE);
                    }
                }
                None if until.is_some_and(|until| Instant::now() > until) => {
                    let _ = job.stop();
                    until = None;
                }
                None => {}
            }
        }
    }
}

/// How a job ended, why it was ended, and where all that it said is.
type Came = (Over, Option<Enough>, PathBuf);

impl Watch<'_> {
    /// Take in what becomes of the job; something where that is its end.
    fn hear(&mut self, event: Event) -> Option<Over> {
        match event {
            Event::Output { bytes, .. } => self.said(&bytes).then_some(Over::Marked),
            Event::Ended { ending, .. } => {
                self.give_up_mark();
                Some(Over::Ended(ending))
            }
            Event::Refused(why) => Some(Over::NotStarted(why.to_string())),
            Event::Lost(_) => Some(Over::Lost),
        }
    }

    /// Whether the mark has been said.
    fn said(&mut self, bytes: &[u8]) -> bool {
        let Some(mark) = &self.mark else {
            (self.heard)(bytes);
            return false;
        };
        self.held_back.extend(bytes);
        if let Some(at) = self.held_back.windows(mark.len()).position(|window| window == mark) {
            (self.heard)(&self.held_back[..at]);
            self.held_back.clear();
            return true;
        }
        // what could still become the mark is held back
        let most = mark.len().min(self.held_back.len() + 1);
        let keep = (0..most).rev().find(|count| self.held_back.ends_with(&mark[..*count])).unwrap_or(0);
        let rest = self.held_back.split_off(self.held_back.len() - keep);
        let said = std::mem::replace(&mut self.held_back, rest);
        if !said.is_empty() {
            (self.heard)(&said);
        }
        false
    }

    fn give_up_mark(&mut self) {
        if !self.held_back.is_empty() {
            (self.heard)(&std::mem::take(&mut self.held_back));
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

    fn permit(&self, gate: &Gate, context: &Context) -> Result<(), Refused> {
        gate.permit(context, RunInGuest)?.redeem();
        Ok(())
    }

    fn has_python(&self) -> bool {
        true
    }

    fn run(
        &self,
        job: &Job,
        time: Duration,
        stop: &Stop,
        heard: &mut (dyn FnMut(&[u8]) + Send),
    ) -> Result<Done, String> {
        let mut held = self.held();
        let clock = Clock { stop, begun: Instant::now(), time, waited: &*self.waited, before: (self.waited)() };
        self.attempt(&mut held, job, clock, heard).map_err(|error| error.to_string())
    }

    fn close(&self) {
        self.held().let_go();
    }
}
