//! One session of a client: from what it asks for to the record. It works in one task until something waits for the person;
//! that task then waits in the inbox, with nothing at work on it, and what the client asks for next is a task of its own.

use super::{
    catalogue::Catalogue,
    client::Client,
    files, prompts,
    task::{Settled, Task, is_parked, title},
};
use crate::{
    desk::Desk,
    failure::{Failure, Result},
    person,
};
use deskhand_agent::{
    budget::Limits,
    tool::{Call, Effect, Outcome, Output, Tool},
};
use deskhand_mcp::server::{Content, Hello, NotServed, Offer, Page, Prompt, Resource, Telling, Template};
use deskhand_models::Piece;
use deskhand_tools::USE_SKILL;
use deskhand_vocabulary::{Event, Stop};
use serde_json::{Map, Value, json};
use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, TryLockError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// How often a call looks whether it is its turn.
const AGAIN: Duration = Duration::from_millis(5);

/// See the module.
pub(super) struct Session {
    desk: Desk,
    client: Client,
    /// True if the grants of its folders are kept.
    always: bool,
    person: Arc<person::Client>,
    hello: Mutex<Hello>,
    catalogue: Catalogue,
    /// What it works in now, from its first call on.
    now: Mutex<Option<Current>>,
    /// Calls that only look run beside all others; those that can change something one after the other.
    turn: Mutex<()>,
    reads: AtomicU64,
}

#[derive(Clone)]
struct Current {
    task: Arc<Task>,
    /// What waits for the person, a line each.
    waits: Arc<Mutex<Vec<String>>>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn failed(failure: Failure) -> NotServed {
    NotServed::Failed(failure.message)
}

impl Session {
    /// At a desk whose person is `person`.
    pub(super) fn new(desk: Desk, client: Client, always: bool, person: Arc<person::Client>) -> Self {
        Self {
            desk,
            client,
            always,
            person,
            hello: Mutex::default(),
            catalogue: Catalogue::default(),
            now: Mutex::default(),
            turn: Mutex::default(),
            reads: AtomicU64::new(0),
        }
    }

    /// The task that it works in; begun if there is none.
    fn current(&self) -> Result<Current> {
        let mut now = locked(&self.now);
        if let Some(current) = now.as_ref() {
            return Ok(current.clone());
        }
        let client = self.client.saying(&locked(&self.hello));
        let task = Arc::new(Task::begin(&self.desk, &client, self.always)?);
        Ok(now.insert(Current { task, waits: Arc::default() }).clone())
    }

    /// Make a call and put it on record. `alone` is whether it may change something.
    fn make(&self, call: &Call, alone: bool, progress: Telling, stop: &Stop) -> Result<Output> {
        let _turn = match alone {
            true => match self.turn(stop) {
                Some(turn) => Some(turn),
                None => return Ok(Output::not_done(Outcome::Stopped, "it was stopped before it began")),
            },
            false => None,
        };
        let (current, output, waits) = self.one(call, alone, progress, stop)?;
        if waits {
            self.park(&current)?;
        }
        Ok(output)
    }

    /// Wait until no other call is at work that may change something; none once this one is stopped.
    fn turn(&self, stop: &Stop) -> Option<MutexGuard<'_, ()>> {
        loop {
            match self.turn.try_lock() {
                Ok(turn) => return Some(turn),
                Err(TryLockError::Poisoned(turn)) => return Some(turn.into_inner()),
                Err(TryLockError::WouldBlock) if stop.is_stopped() => return None,
                // a person may be deciding about the other one
                Err(TryLockError::WouldBlock) => std::thread::sleep(AGAIN),
            }
        }
    }

    fn one(&self, call: &Call, alone: bool, progress: Telling, stop: &Stop) -> Result<(Current, Output, bool)> {
        let current = self.current()?;
        let task = &current.task;
        task.called(call, alone)?;
        if alone {
            self.person.begin(task.id, stop);
        }
        let begun = Instant::now();
        let person = person::OfCall { client: Arc::<person::Client>::clone(&self.person), progress };
        let mut output = task.make(&self.desk, call, Arc::new(person), stop)?;
        let mut waits = Vec::new();
        if alone {
            waits = self.settled(task, call, &mut output, stop);
        } else if is_parked(&output) {
            waits.push(format!("{}: {}", title(call), output.gist()));
        }
        let is_waiting = !waits.is_empty();
        if is_waiting {
            output.outcome = Outcome::Parked;
            output.parts.push(Piece::text(told(task, &waits)));
            locked(&current.waits).append(&mut waits);
        }
        task.answered(call, &output, begun.elapsed());
        Ok((current, output, is_waiting))
    }

    /// What became of a call that could change something; what waits of it, a line each.
    fn settled(&self, task: &Task, call: &Call, output: &mut Output, stop: &Stop) -> Vec<String> {
        let settled =
            if output.outcome == Outcome::Done { task.settle(&self.desk, call, stop) } else { Settled::Nothing };
        let said = self.person.end();
        output.parts.extend(said.notices.into_iter().map(Piece::text));
        let became = task.became();
        let settles = matches!(settled, Settled::Waits);
        match settled {
            // the reason says what became of them
            Settled::Unmade(reason) => {
                output.outcome = Outcome::Denied;
                output.parts.push(Piece::text(format!("Its changes were not made: {reason}.")));
            }
            Settled::Nothing | Settled::Waits => output.parts.extend(became.into_iter().map(Piece::text)),
        }
        if !settles && said.unanswered.is_empty() && !is_parked(output) {
            return Vec::new();
        }
        output.parts.extend(said.plan.map(Piece::text));
        let unanswered = if said.unanswered.is_empty() { vec![output.gist()] } else { said.unanswered };
        unanswered.into_iter().map(|line| format!("{}: {line}", title(call))).collect()
    }

    /// Let a task wait for the person, who can take it up as soon as nothing is at work on it.
    fn park(&self, current: &Current) -> Result<()> {
        let mut now = locked(&self.now);
        current.task.record(Event::TaskParked, Some(json!({ "waits": *locked(&current.waits) })))?;
        if now.as_ref().is_some_and(|now| Arc::ptr_eq(&now.task, &current.task)) {
            *now = None;
        }
        Ok(())
    }

    /// Do something that only looks, on record as a call of this name.
    fn look<T>(
        &self,
        name: &str,
        arguments: Value,
        stop: &Stop,
        look: impl FnOnce(&Task, &Desk, &Stop) -> std::result::Result<(T, String), NotServed>,
    ) -> std::result::Result<T, NotServed> {
        let task = self.current().map_err(failed)?.task;
        let call = self.call_of(name, arguments);
        task.called(&call, false).map_err(failed)?;
        let begun = Instant::now();
        let looked = look(&task, &self.desk, stop);
        let output = match &looked {
            Ok((_, gist)) => Output::done(gist.clone()),
            Err(NotServed::Unknown(reason)) => Output::not_done(Outcome::NotFound, reason.clone()),
            Err(NotServed::Failed(reason)) => Output::not_done(Outcome::Failed, reason.clone()),
        };
        task.answered(&call, &output, begun.elapsed());
        looked.map(|(what, _)| what)
    }

    fn call_of(&self, name: &str, arguments: Value) -> Call {
        let id = format!("look-{}", self.reads.fetch_add(1, Ordering::SeqCst) + 1);
        Call { id, tool: name.to_owned(), arguments, left: Limits::default() }
    }

    /// Open a skill, or read a reference of one.
    fn skill(&self, arguments: Value, stop: &Stop) -> std::result::Result<String, NotServed> {
        let call = self.call_of(USE_SKILL, arguments);
        let output = self.make(&call, false, Arc::new(|_| ()), stop).map_err(failed)?;
        match output.outcome {
            Outcome::Done => Ok(output.text()),
            _ => Err(NotServed::Failed(output.text())),
        }
    }
}

/// What a client is told of what waits.
fn told(task: &Task, waits: &[String]) -> String {
    let id = task.id;
    format!(
        "Nothing was changed: this waits for the person at the computer, in their inbox as task {id}.\n{}\nThey answer with: \
         deskhand resume {id}\nDo not make the call again. What you call from now on does not see its changes before that.",
        waits.iter().map(|line| format!("- {line}")).collect::<Vec<_>>().join("\n")
    )
}

impl Offer for Session {
    fn hello(&self, hello: Hello) {
        let safe = |text: &str| deskhand_vocabulary::text::safe(text, false);
        *locked(&self.hello) = Hello { name: safe(&hello.name), version: safe(&hello.version) };
    }

    fn instructions(&self) -> String {
        prompts::instructions(&self.client)
    }

    fn tools(&self) -> std::result::Result<Vec<Tool>, NotServed> {
        let offered = self.catalogue.now(&self.desk).map_err(failed)?;
        Ok(offered.tools.clone())
    }

    fn call(&self, call: &Call, progress: Telling, stop: &Stop) -> std::result::Result<Output, NotServed> {
        let offered = self.catalogue.now(&self.desk).map_err(failed)?;
        let Some(tool) = offered.tools.iter().find(|tool| tool.told.name == call.tool) else {
            let name = deskhand_vocabulary::text::shortened(&call.tool, 100);
            return Err(NotServed::Unknown(format!("there is no tool `{name}`")));
        };
        self.make(call, tool.effect != Effect::Read, progress, stop).map_err(failed)
    }

    fn prompts(&self) -> std::result::Result<Vec<Prompt>, NotServed> {
        let offered = self.catalogue.now(&self.desk).map_err(failed)?;
        Ok(prompts::list(&offered))
    }

    fn prompt(
        &self,
        name: &str,
        arguments: &Map<String, Value>,
        stop: &Stop,
    ) -> std::result::Result<String, NotServed> {
        let offered = self.catalogue.now(&self.desk).map_err(failed)?;
        match prompts::find(&offered, name) {
            Some(prompts::Found::Command(command)) => Ok(prompts::command(command, arguments, &self.client)),
            Some(prompts::Found::Skill(skill)) => {
                let text = self.skill(prompts::opening(skill, arguments)?, stop)?;
                Ok(format!("{text}\n\n{}", prompts::references(&skill.name)))
            }
            None => {
                let name = deskhand_vocabulary::text::shortened(name, 100);
                Err(NotServed::Unknown(format!("there is no prompt `{name}`")))
            }
        }
    }

    fn resources(&self, cursor: Option<&str>, stop: &Stop) -> std::result::Result<Page<Resource>, NotServed> {
        self.look("resources/list", json!({ "cursor": cursor }), stop, |task, desk, _| {
            let page = files::list(task, desk, cursor)?;
            let gist = format!("{} files", page.items.len());
            Ok((page, gist))
        })
    }

    fn templates(&self) -> Vec<Template> {
        files::templates()
    }

    fn read(&self, uri: &str, stop: &Stop) -> std::result::Result<Content, NotServed> {
        if let Some((skill, reference)) = files::reference(uri) {
            let text = self.skill(json!({ "skill": skill, "reference": reference }), stop)?;
            return Ok(Content { media_type: "text/markdown".to_owned(), bytes: text.into_bytes() });
        }
        self.look("resources/read", json!({ "uri": uri }), stop, |task, desk, stop| {
            let content = files::read(task, desk, uri, stop)?;
            let gist = format!("{} bytes of {}", content.bytes.len(), content.media_type);
            Ok((content, gist))
        })
    }

    fn edition(&self) -> u64 {
        self.catalogue.edition(&self.desk)
    }

    fn end(&self) {
        self.desk.stop.stop();
        let Some(current) = locked(&self.now).take() else { return };
        let ended = current.task.record(Event::TaskEnded { outcome: "done".to_owned() }, None);
        if let Err(failure) = ended {
            crate::output::aside(&crate::show::sentence(&failure.message));
        }
    }
}
