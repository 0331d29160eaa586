//! What the supervisor works on tasks with: the same as a terminal has, but for the person, who is whoever follows.

use super::{announce, screen::Staged};
use crate::{
    agent::{self, Errand, How, Owner, Said, Spec},
    desk::Desk,
    failure::{Failure, Result},
    settings::Settings,
    show,
};
use deskhand_records::Records;
use deskhand_tasks::{Stage, Standing, Workshop, queue, stage::Followers};
use deskhand_vocabulary::{Entry, Event, Log as _, Stop, TaskId};
use serde_json::json;
use std::{
    io::Write as _,
    sync::{Arc, PoisonError, RwLock},
};

/// So often a task is begun whose process breaks off each time, before it waits for the person.
const BEGINNINGS: u32 = 3;

/// See the module.
pub(super) struct Shop {
    desk: Desk,
    /// The settings as they were read last.
    settings: RwLock<Settings>,
}

/// A line in the supervisor's own log.
pub(super) fn note(line: &str) {
    // whoever cannot write it has nobody to tell
    let _ = writeln!(std::io::stderr().lock(), "{} {line}", jiff::Timestamp::now());
}

impl Shop {
    pub(super) fn of(desk: Desk) -> Self {
        let settings = RwLock::new(desk.settings.clone());
        Self { desk, settings }
    }

    fn records(&self) -> Result<&Arc<Records>> {
        self.desk.records()
    }

    fn settings(&self) -> Settings {
        self.settings.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn take(&self, task: TaskId, stage: &Arc<Stage>) -> Result<()> {
        // who works on it in a terminal works on it
        let Some(owner) = Owner::hold(&self.desk.home, task)? else { return Ok(()) };
        let records = self.records()?;
        // looked at again now that it is held: it may have been ended or taken up meanwhile
        let Some(waiting) = queue::of(records, task)? else { return Ok(()) };
        if matches!(waiting.standing, Standing::Begun(times) if times >= BEGINNINGS) {
            return park(records, task);
        }
        records.append(Entry { task: Some(task), event: Event::TaskBegun, content: None })?;
        let worked = self.work_on(&owner, stage);
        if let Err(failure) = worked
            && queue::of(records, task)?.is_some()
        {
            // it could not even be begun, and would not be the next time
            let said = json!({ "said": [show::sentence(&failure.message)] });
            let event = Event::TaskEnded { outcome: "failed".to_owned() };
            records.append(Entry { task: Some(task), event, content: Some(said) })?;
        }
        if self.settings().tasks.notify {
            announce::task(records, task)?;
        }
        Ok(())
    }

    fn work_on(&self, owner: &Owner, stage: &Arc<Stage>) -> Result {
        let (task, records) = (owner.task(), self.records()?);
        let spec = Spec::of(records, task)?;
        let errand = Errand::of(records, task)?.unwrap_or_default();
        let (said, begun) = agent::unsaid(records, task, &spec, Said::default())?;
        let desk = self
            .desk
            .beside(self.settings(), Stop::default(), |asking| Arc::new(Followers::new(Arc::clone(stage), asking)))?;
        let screen = Arc::new(Staged::new(Arc::clone(stage), Arc::clone(records)));
        let how = How { standing: errand.standing(), granted: None, plain: false, screen: Some(screen) };
        agent::work(&desk, owner, &spec, &said, &how, begun)
    }
}

/// Leave to the person what ends each process that works on it.
fn park(records: &Records, task: TaskId) -> Result<()> {
    let waits = format!(
        "Deskhand ended {BEGINNINGS} times while it worked on this. Look what happens, with: deskhand resume {task}"
    );
    let content = Some(json!({ "waits": [waits], "said": [waits] }));
    records.append(Entry { task: Some(task), event: Event::TaskParked, content })?;
    Ok(())
}

impl Workshop for Shop {
    fn at_once(&self) -> usize {
        // settings that are not right hold what waits, until they are
        let Ok(read) = Settings::read(self.desk.home.config_file()) else { return 0 };
        let at_once = read.tasks.at_once.into();
        *self.settings.write().unwrap_or_else(PoisonError::into_inner) = read;
        at_once
    }

    fn is_at_work(&self, task: TaskId) -> bool {
        agent::is_at_work(&self.desk.home, task)
    }

    fn work(&self, task: TaskId, stage: &Arc<Stage>) -> bool {
        match self.take(task, stage) {
            Ok(()) => true,
            Err(Failure { message, .. }) => {
                note(&format!("task {task} stays in the queue: {message}"));
                false
            }
        }
    }
}
