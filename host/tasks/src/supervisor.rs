//! The supervisor: takes tasks from the queue when their turn comes, works on so many at once, and ends when there is nothing
//! left to do. Whatever becomes of its process, what the log says is what goes on.

use crate::{
    place::Holding,
    queue,
    service::{self, Service},
    stage::Stage,
    turn::Turns,
};
use deskhand_records::{Recorded, Records, RecordsError};
use deskhand_vocabulary::{Home, TaskId};
use std::{
    collections::HashMap,
    io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
    time::{Duration, Instant},
};
use tokio::sync::{Notify, mpsc};

/// How long a task is left alone that could not be begun.
const REST: Duration = Duration::from_secs(10);
/// How soon it is looked again for a task of the queue that another process holds, which may end just now.
const AGAIN: Duration = Duration::from_secs(1);
/// How long the supervisor stays though there is nothing to do, for the next that comes.
pub const IDLE: Duration = Duration::from_secs(30);

/// What tasks are worked on with.
pub trait Workshop: Send + Sync {
    /// How many are worked on at once; 0 holds what waits. Asked each time.
    fn at_once(&self) -> usize;

    /// True while a process works on this task.
    fn is_at_work(&self, task: TaskId) -> bool;

    /// Work on a task whose turn has come until it is over or waits for the person, on a thread of its own. False if it could
    /// not be begun, or not be put on record how it ended: it stays in the queue.
    fn work(&self, task: TaskId, stage: &Arc<Stage>) -> bool;
}

/// Why a supervisor ended before its time.
#[derive(Debug, thiserror::Error)]
pub enum SupervisorError {
    /// The log could not be read or written.
    #[error(transparent)]
    Records(#[from] RecordsError),
    /// There is no socket.
    #[error("no socket could be made in {folder}: {error}. Make the folder writable")]
    Socket {
        /// Where.
        folder: String,
        /// Why.
        error: io::Error,
    },
}

/// The stages of the tasks that are at work or followed.
#[derive(Debug, Default)]
pub(crate) struct Stages(Mutex<HashMap<TaskId, Arc<Stage>>>);

impl Stages {
    fn all(&self) -> MutexGuard<'_, HashMap<TaskId, Arc<Stage>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn of(&self, task: TaskId) -> Arc<Stage> {
        Arc::clone(self.all().entry(task).or_default())
    }

    fn recorded(&self, recorded: &Recorded) {
        let stage = recorded.task.and_then(|task| self.all().get(&task).cloned());
        if let Some(stage) = stage {
            stage.recorded(recorded.id);
        }
    }

    /// Let go of those that nobody needs; whether somebody follows.
    fn tidy(&self, at_work: impl Fn(&TaskId) -> bool) -> bool {
        let mut all = self.all();
        all.retain(|task, stage| at_work(task) || stage.is_followed());
        all.values().any(|stage| stage.is_followed())
    }
}

/// A task that is not at work any more, and whether it came to an end that is on record.
type Over = (TaskId, bool);

/// See the module.
pub struct Supervisor {
    records: Arc<Records>,
    workshop: Arc<dyn Workshop>,
    holding: Holding,
    idle: Duration,
    stages: Arc<Stages>,
    turns: Turns,
    /// Those at work, with the folders that they count for.
    at_work: HashMap<TaskId, String>,
    /// Those that could not be begun or put on record, until when they are left alone.
    resting: HashMap<TaskId, Instant>,
    look: Arc<Notify>,
    over: (mpsc::UnboundedSender<Over>, mpsc::UnboundedReceiver<Over>),
}

impl std::fmt::Debug for Supervisor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Supervisor").field("holding", &self.holding).finish_non_exhaustive()
    }
}

impl Supervisor {
    /// In a place that is held. It ends after so long without work, and without anybody who follows.
    pub fn new(records: Arc<Records>, workshop: Arc<dyn Workshop>, holding: Holding, idle: Duration) -> Self {
        Self {
            records,
            workshop,
            holding,
            idle,
            stages: Arc::default(),
            turns: Turns::default(),
            at_work: HashMap::new(),
            resting: HashMap::new(),
            look: Arc::default(),
            over: mpsc::unbounded_channel(),
        }
    }

    /// Until there is nothing to do. `version` is that of Deskhand.
    pub async fn run(mut self, home: &Home, version: &str) -> Result<(), SupervisorError> {
        let stages = Arc::clone(&self.stages);
        let subscription = self.records.subscribe(move |recorded| stages.recorded(recorded));
        let socket = |error| SupervisorError::Socket { folder: home.data.display().to_string(), error };
        loop {
            let service = Service { stages: Arc::clone(&self.stages), look: Arc::clone(&self.look) };
            let listener = self.holding.listen().map_err(socket)?;
            let serving = service::open(listener, service, version).map_err(socket)?;
            self.work_until_idle().await?;
            // whoever comes from here on finds nobody and starts another, which waits for this one to let go
            self.holding.close();
            serving.abort();
            if self.queue()?.is_empty() || self.workshop.at_once() == 0 {
                drop(subscription);
                return Ok(());
            }
        }
    }

    async fn work_until_idle(&mut self) -> Result<(), SupervisorError> {
        loop {
            let held = self.begin()?;
            let followed = self.stages.tidy(|task| self.at_work.contains_key(task));
            let rests = self.resting.values().min().map(|until| until.saturating_duration_since(Instant::now()));
            let idle = self.at_work.is_empty() && self.resting.is_empty() && !followed && !held;
            let wait = if idle { self.idle } else { rests.unwrap_or(REST) };
            let wait = if held { wait.min(AGAIN) } else { wait };
            tokio::select! {
                () = self.look.notified() => {}
                over = self.over.1.recv() => {
                    if let Some((task, well)) = over {
                        self.over(task, well)?;
                    }
                }
                () = tokio::time::sleep(wait) => if idle { return Ok(()) },
            }
        }
    }

    /// A task is not at work any more.
    fn over(&mut self, task: TaskId, well: bool) -> Result<(), SupervisorError> {
        self.at_work.remove(&task);
        if !well {
            // a log that takes nothing more ends the supervisor: what was at work goes on with the next
            self.records.flush()?;
            self.resting.insert(task, Instant::now() + REST);
        }
        Ok(())
    }

    /// The tasks in the queue that are not at work here.
    fn queue(&self) -> Result<Vec<queue::Waiting>, RecordsError> {
        queue::read(&self.records, |task| self.at_work.contains_key(&task))
    }

    /// Begin what can be begun. True if another process holds something of the queue.
    fn begin(&mut self) -> Result<bool, SupervisorError> {
        let now = Instant::now();
        self.resting.retain(|_, until| *until > now);
        let most = self.workshop.at_once();
        if self.at_work.len() >= most {
            return Ok(false);
        }
        let mut waiting = self.queue()?;
        let all = waiting.len();
        waiting.retain(|one| !self.workshop.is_at_work(one.task));
        let held = waiting.len() < all;
        waiting.retain(|one| !self.resting.contains_key(&one.task));
        while self.at_work.len() < most {
            let busy: Vec<String> = self.at_work.values().cloned().collect();
            let Some(next) = self.turns.next(&waiting, &busy) else { break };
            let (task, folder) = (next.task, next.folder.clone());
            waiting.retain(|one| one.task != task);
            self.turns.took(&folder);
            self.at_work.insert(task, folder);
            if self.start(task).is_err() {
                self.at_work.remove(&task);
                self.resting.insert(task, now + REST);
            }
        }
        Ok(held)
    }

    fn start(&self, task: TaskId) -> io::Result<()> {
        let (workshop, stage, over) = (Arc::clone(&self.workshop), self.stages.of(task), self.over.0.clone());
        let work = move || {
            // a task that breaks takes no other with it
            let well = catch_unwind(AssertUnwindSafe(|| workshop.work(task, &stage))).unwrap_or(false);
            // nobody hears it where the supervisor has ended
            let _ = over.send((task, well));
        };
        thread::Builder::new().name(format!("task {task}")).spawn(work).map(drop)
    }
}
