//! The sandbox of this computer as an enclosure.

use super::enclosure::{Done, Enclosure, Ended, INTERPRETER, Job, reason};
use crate::sandbox::{NoSandbox, Sandboxes, Way};
use deskhand_confine::{self as confine, Came, HOME, Input, Layers, Outcome, Session, Stream};
use deskhand_permissions::{Context, Gate, Refused, effect::RunInSandbox};
use deskhand_vocabulary::Stop;
use deskhand_workspace::{Moment, Workspace};
use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{runtime::Handle, time::Instant};

/// The shells that there may be, the one that most commands are written for first.
const SHELLS: [&str; 2] = ["/bin/bash", "/bin/sh"];
/// Where Python is looked for, as in the sandbox.
const PYTHON: [&str; 2] = ["/usr/local/bin/python3", "/usr/bin/python3"];
/// How often it is looked whether a job has to end.
const LOOK: Duration = Duration::from_millis(50);

/// See the module.
pub struct OnHost {
    sandboxes: Sandboxes,
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

/// A sandbox that is open.
struct Open {
    // what runs goes before what it runs on
    session: Session,
    layers: Layers,
    _way: Way,
    /// What was pending when it last saw the same.
    moment: Moment,
    /// Whether an interpreter is at work in it.
    python: bool,
}

/// Why a job is ended.
#[derive(Clone, Copy)]
enum Enough {
    Time,
    Stop,
}

impl std::fmt::Debug for OnHost {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("OnHost").finish_non_exhaustive()
    }
}

impl OnHost {
    /// With these sandboxes. `handle` is of a runtime with time and network; `waited` says how long the person was waited for
    /// until now.
    pub fn new(sandboxes: Sandboxes, handle: Handle, waited: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { sandboxes, handle, waited: Box::new(waited), held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn open(&self) -> Result<Open, NoSandbox> {
        let moment = self.sandboxes.workspace.moment();
        let (mut confined, layers, way) = self.sandboxes.make("")?;
        // plots are drawn into files
        confined.environment.push(("MPLBACKEND".into(), "Agg".into()));
        let session = Session::open(&self.sandboxes.helper, confined).await?;
        Ok(Open { session, layers, _way: way, moment, python: false })
    }

    /// Until the time is over or the person stops it.
    async fn enough(&self, time: Duration, stop: &Stop) -> Enough {
        let (begun, before) = (Instant::now(), (self.waited)());
        loop {
            tokio::time::sleep(LOOK).await;
            if stop.is_stopped() {
                return Enough::Stop;
            }
            let waited = (self.waited)().saturating_sub(before);
            if begun.elapsed().saturating_sub(waited) >= time {
                return Enough::Time;
            }
        }
    }

    async fn attempt(
        &self,
        held: &mut Held,
        job: &Job,
        input: Option<Input>,
        (time, stop): (Duration, &Stop),
        heard: &mut (dyn FnMut(Stream, &[u8]) + Send),
    ) -> Result<Done, NoSandbox> {
        if let Some(open) = &mut held.open
            && !open.follow(&self.sandboxes.workspace).await?
        {
            held.let_go().await;
        }
        let mut open = match held.open.take() {
            Some(open) => open,
            None => self.open().await?,
        };
        let mut why = None;
        let enough = async { why = Some(self.enough(time, stop).await) };
        let came = open.session.run(&asked(job), input, enough, heard).await;
        let log = came.is_ok().then(|| open.session.log());
        // whatever it wrote it has written, however it ended
        let reason = reason(job);
        let taken = open.layers.take(&self.sandboxes.workspace, &reason);
        let is_python = matches!(job, Job::Python { .. });
        let (ended, forgot) = match came {
            Ok(Came { outcome, fresh, cut_short }) => {
                let forgot = is_python && fresh && std::mem::take(&mut held.forgot);
                if is_python {
                    open.python = outcome == Outcome::Done;
                    held.forgot |= matches!(outcome, Outcome::Exited(_));
                }
                open.moment = self.sandboxes.workspace.moment();
                if taken.is_ok() {
                    held.open = Some(open);
                }
                (ended(outcome, why.filter(|_| cut_short)), forgot)
            }
            Err(over) => {
                held.forgot |= open.python || is_python;
                open.session.close().await;
                (broken(over, why), false)
            }
        };
        Ok(Done { ended, forgot, log, taken: taken?, reason })
    }
}

impl Open {
    /// Let it see what has changed in the task by other hands. False where it has to be opened anew.
    async fn follow(&mut self, workspace: &Workspace) -> Result<bool, NoSandbox> {
        let now = workspace.moment();
        if now == self.moment {
            return Ok(true);
        }
        // what was applied lies below it now, and would be seen through what it wrote before
        if now.is_settled_since(self.moment) {
            return Ok(false);
        }
        let Some(steps) = self.layers.behind(workspace)? else { return Ok(false) };
        for step in steps {
            if !self.session.follow(step).await {
                return Ok(false);
            }
        }
        self.layers.caught_up()?;
        self.moment = now;
        Ok(true)
    }
}

impl Held {
    /// End what is open.
    async fn let_go(&mut self) {
        if let Some(open) = self.open.take() {
            self.forgot |= open.python;
            open.session.close().await;
        }
    }
}

/// A job as the session takes it.
fn asked(job: &Job) -> confine::Job {
    let words = |words: &[&str]| words.iter().map(OsString::from).collect::<Vec<_>>();
    match job {
        Job::Shell { command, folder } => {
            let shell = SHELLS.iter().find(|shell| Path::new(shell).exists()).unwrap_or(&SHELLS[1]);
            let folder = folder.clone().unwrap_or_else(|| PathBuf::from(HOME));
            confine::Job::Command { words: words(&[shell, "-c", command]), folder }
        }
        Job::Program { words, folder } => {
            let folder = folder.clone().unwrap_or_else(|| PathBuf::from(HOME));
            confine::Job::Program { words: words.clone(), folder }
        }
        Job::Python { code } => confine::Job::Work {
            interpreter: words(&["python3", "-u", "-c", INTERPRETER]),
            folder: PathBuf::from(HOME),
            work: code.clone(),
        },
    }
}

fn ended(outcome: Outcome, why: Option<Enough>) -> Ended {
    let lives = outcome == Outcome::Done;
    match (outcome, why) {
        (Outcome::NotStarted(reason), _) => Ended::NotStarted(reason),
        (_, Some(Enough::Stop)) => Ended::Stopped,
        (_, Some(Enough::Time)) => Ended::TimedOut(lives),
        (Outcome::Done, None) => Ended::Exited(None),
        (Outcome::Exited(status), None) => Ended::Exited(Some(status)),
    }
}

fn broken(over: confine::Ended, why: Option<Enough>) -> Ended {
    match (over, why) {
        (confine::Ended::Beyond(excess), _) => Ended::Beyond(excess),
        (_, Some(Enough::Stop)) => Ended::Stopped,
        (_, Some(Enough::Time)) => Ended::TimedOut(false),
        (confine::Ended::Exited(_) | confine::Ended::Stopped, None) => Ended::Broken,
    }
}

impl Enclosure for OnHost {
    fn name(&self) -> &'static str {
        "a sandbox of the person's computer"
    }

    fn holds(&self) -> [String; 2] {
        Default::default()
    }

    fn word(&self) -> &'static str {
        "sandbox"
    }

    fn permit(&self, gate: &Gate, context: &Context) -> Result<(), Refused> {
        gate.permit(context, RunInSandbox::by(&context.principal))?.redeem();
        Ok(())
    }

    fn has_python(&self) -> bool {
        PYTHON.iter().any(|path| Path::new(path).exists())
    }

    fn run(
        &self,
        job: &Job,
        input: Option<Input>,
        (time, stop): (Duration, &Stop),
        heard: &mut (dyn FnMut(Stream, &[u8]) + Send),
    ) -> Result<Done, String> {
        let mut held = self.held();
        self.handle
            .block_on(self.attempt(&mut held, job, input, (time, stop), heard))
            .map_err(|error| error.to_string())
    }

    fn close(&self) {
        let mut held = self.held();
        self.handle.block_on(held.let_go());
    }
}
