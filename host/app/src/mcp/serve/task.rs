//! A task of a client: what it called, its folders with what is pending there, and the plugins that it calls.

use super::client::Client;
use crate::{
    agent::{Folder, Owner},
    desk::Desk,
    failure::Result,
    outgoing::Outgoing,
    show::{counted, difference},
    task::{self, Opening, written},
};
use deskhand_agent::{
    Scribe,
    tool::{Call, Outcome, Output, Tools as _},
};
use deskhand_permissions::{Context, Duration, Standing, rules::name};
use deskhand_records::{Records, Subscription};
use deskhand_runtime::{Edition, Services};
use deskhand_tools::{Calling, Commands, PluginTools, RUN_COMMAND, Skills, USE_SKILL};
use deskhand_vocabulary::{Entry, Event, Log as _, Person, Stop, TaskId, text::shortened};
use deskhand_workspace::{State, Workspace, propose};
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration as Span,
};

/// The longest title of a plan, in characters.
const TITLE: usize = 120;

/// See the module.
pub(super) struct Task {
    pub(super) id: TaskId,
    pub(super) context: Context,
    pub(super) workspace: Workspace,
    records: Arc<Records>,
    services: Services,
    kit: Mutex<Arc<Kit>>,
    /// What became of plans, a line each, until the client is told.
    became: Arc<Mutex<Vec<String>>>,
    _hearing: Subscription,
    _owner: Owner,
}

/// How the folders of a task are opened.
#[derive(Clone, Copy)]
pub(super) enum Granted {
    /// The person names them on the command line, for this task.
    Task,
    /// The same, until they take it back.
    Always,
    /// They are granted already, or asked about.
    Before,
}

/// The plugins of one state of the list of them.
struct Kit {
    edition: Edition,
    calling: Calling,
    tools: PluginTools,
    commands: Commands,
    skills: Skills,
}

/// What became of what a call left pending.
pub(super) enum Settled {
    /// Nothing is pending any more.
    Nothing,
    /// It was not, for this reason, and is not pending any more.
    Unmade(String),
    /// It waits for the person.
    Waits,
}

impl Task {
    /// Begin one, on record.
    pub(super) fn begin(desk: &Desk, client: &Client, always: bool) -> Result<Self> {
        let id = desk.records()?.start_task(client.content())?;
        let granted = if always { Granted::Always } else { Granted::Task };
        Self::open(desk, id, client, granted, Standing::default())
    }

    /// One that is on record. What a person said in advance when they go on with it is in `standing`.
    pub(super) fn open(desk: &Desk, id: TaskId, client: &Client, granted: Granted, standing: Standing) -> Result<Self> {
        let owner = Owner::of(&desk.home, id)?;
        let folders: Vec<PathBuf> = client.folders.iter().map(Folder::path).collect();
        let granted = match granted {
            Granted::Task => Some(Duration::Task(id)),
            Granted::Always => Some(Duration::Always),
            Granted::Before => None,
        };
        let workspace = task::open_folders(desk, id, &folders, Opening { access: client.access(), granted })?;
        let context = Context::client(id, client.name.clone(), standing);
        let most = desk.settings.budget.limits().get(deskhand_agent::budget::Measure::BytesOut);
        let outgoing = Outgoing::within(desk, context.clone(), most)?;
        // no model and no sub-agent: the client has its own
        let services = task::services(desk, &outgoing)?;
        let kit = Mutex::new(Arc::new(Kit::of(desk, id, &workspace, &context, &services)?));
        let records = Arc::clone(desk.records()?);
        let became = Arc::<Mutex<Vec<String>>>::default();
        let told = Arc::clone(&became);
        let hearing = records.subscribe(move |recorded| {
            if let Some(line) = became_of(&recorded.event).filter(|_| recorded.task == Some(id)) {
                told.lock().unwrap_or_else(PoisonError::into_inner).push(line);
            }
        });
        Ok(Self { id, context, workspace, records, services, kit, became, _hearing: hearing, _owner: owner })
    }

    /// What became of plans since this was asked last, a line each.
    pub(super) fn became(&self) -> Vec<String> {
        std::mem::take(&mut *self.became.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The plugins as they are installed now.
    fn kit(&self, desk: &Desk) -> Result<Arc<Kit>> {
        let mut kit = self.kit.lock().unwrap_or_else(PoisonError::into_inner);
        if kit.edition != desk.plugins()?.edition() {
            *kit = Arc::new(Kit::of(desk, self.id, &self.workspace, &self.context, &self.services)?);
        }
        Ok(Arc::clone(&kit))
    }

    /// Make a call. Plugins ask and tell `person`.
    pub(super) fn make(&self, desk: &Desk, call: &Call, person: Arc<dyn Person>, stop: &Stop) -> Result<Output> {
        let kit = self.kit(desk)?;
        let calling = kit.calling.asking(person);
        Ok(match call.tool.as_str() {
            RUN_COMMAND => kit.commands.with(calling).call(call, stop),
            USE_SKILL => kit.skills.call(call, stop),
            _ => kit.tools.with(calling).call(call, stop),
        })
    }

    /// Have what is pending shown, decided and made.
    pub(super) fn settle(&self, desk: &Desk, call: &Call, stop: &Stop) -> Settled {
        if self.workspace.is_unchanged() {
            return Settled::Nothing;
        }
        let unmade = |reason: String| {
            self.workspace.discard();
            Settled::Unmade(reason)
        };
        if call.tool == RUN_COMMAND {
            // a command shows its plan itself: what it left was not answered
            return match stop.is_stopped() {
                true => unmade("it was stopped, and nothing was changed".to_owned()),
                false => Settled::Waits,
            };
        }
        let gate = match desk.gate() {
            Ok(gate) => gate,
            Err(failure) => return unmade(failure.message),
        };
        let view = match written(&self.workspace, self.context.principal.clone()) {
            Ok(written) => difference::view(&written),
            Err(error) => return unmade(error.to_string()),
        };
        let title = shortened(&title(call), TITLE);
        match propose(&self.workspace, gate, &self.context, desk.person.as_ref(), &title, view, stop) {
            Ok(decision) => match decision.state {
                State::Applied => Settled::Nothing,
                State::Parked => Settled::Waits,
                State::Cancelled if decision.stopped => unmade("it was stopped, and nothing was changed".to_owned()),
                State::Cancelled => unmade("the person declined, and nothing was changed".to_owned()),
            },
            Err(error) => unmade(error.to_string()),
        }
    }

    /// Put on record that a call begins. What can change something is durable before it does.
    pub(super) fn called(&self, call: &Call, durable: bool) -> Result<()> {
        let entry = Scribe(self.id).called(&on_record(call));
        if durable {
            self.records.append(entry)?;
        } else {
            self.records.queue(entry);
        }
        Ok(())
    }

    /// Put on record what it came to.
    pub(super) fn answered(&self, call: &Call, output: &Output, took: Span) {
        self.records.queue(Scribe(self.id).answered(&on_record(call), output, took));
    }

    /// Put something else of it on record.
    pub(super) fn record(&self, event: Event, content: Option<serde_json::Value>) -> Result<()> {
        self.records.append(Entry { task: Some(self.id), event, content })?;
        Ok(())
    }
}

impl Kit {
    fn of(desk: &Desk, id: TaskId, workspace: &Workspace, context: &Context, services: &Services) -> Result<Self> {
        let edition = desk.plugins()?.edition();
        let invocation = task::invocation(desk, id, workspace.clone(), context.standing, services.clone())?;
        let calling = Calling::new(desk.runtime()?.as_ref().clone(), invocation)?;
        let calling = calling.within(context.clone(), workspace.clone());
        let tools = PluginTools::every(calling.clone());
        let commands = Commands::new(calling.clone());
        let skills = Skills::new(calling.clone(), tools.clone());
        Ok(Self { edition, calling, tools, commands, skills })
    }
}

/// What became of a plan, if this says so.
fn became_of(event: &Event) -> Option<String> {
    match event {
        Event::CommitEnded { commit, outcome, applied, refused } if outcome == "applied" => {
            let refused = match refused {
                0 => String::new(),
                _ => format!(", {} could not be", counted(*refused, "change")),
            };
            let made = counted(*applied, "change");
            Some(format!("Done: {made} made{refused} (commit {commit}, which `deskhand undo {commit}` takes back)."))
        }
        Event::CommitEnded { .. } => Some("Nothing was changed: it could not be made as a whole.".to_owned()),
        Event::Decided { allowed: false, rule, .. } if rule == name::DECLINED => {
            Some("The person declined, and nothing was changed.".to_owned())
        }
        _ => None,
    }
}

/// What a call is about, in a few words.
pub(super) fn title(call: &Call) -> String {
    match call.arguments["command"].as_str().filter(|_| call.tool == RUN_COMMAND) {
        Some(command) => format!("/{}", command.trim_start_matches('/')),
        None => call.tool.clone(),
    }
}

fn on_record(call: &Call) -> deskhand_models::Call {
    deskhand_models::Call { id: call.id.clone(), name: call.tool.clone(), input: Ok(call.arguments.clone()) }
}

/// Whether a call has ended with a question that nobody answered.
pub(super) fn is_parked(output: &Output) -> bool {
    output.outcome == Outcome::Parked
}
