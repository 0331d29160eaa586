//! The task of an agent: a model works on what the person asked for, with the tools of Deskhand. Begun by `deskhand run`,
//! gone on with by `deskhand resume` and `deskhand run --continue`.

mod again;
mod approval;
mod budget;
mod command;
mod delegate;
mod door;
mod ended;
mod errand;
mod ground;
mod kit;
mod memory;
mod owner;
mod sampling;
mod serving;
mod since;
mod spec;
mod tiers;
mod world;

pub(crate) use budget::{Limit, hold, with as with_limits};
pub(crate) use command::{Assisted, Command};
pub(crate) use door::{Asked, Reached, Told, is_paused, reach};
pub(crate) use errand::{Errand, unsaid};
pub(crate) use owner::{Owner, is_at_work};
pub(crate) use spec::{Folder, Mode, Spec};

use crate::{
    desk::Desk,
    failure::{Failure, Result},
    instructions, mcp, memory as notes, model,
    outgoing::Outgoing,
    person, screen,
    task::{Opening, Seen, open_folders},
    vm::Shelter,
};
use approval::ByPerson;
use delegate::Delegate;
use deskhand_agent::{
    Agent, Conversation, Ended, Instruction, Task, budget::Measure, offered, prompt, screen::Screen, steering::Steering,
};
use deskhand_permissions::{Context, Standing};
use deskhand_records::Records;
use deskhand_tools::{Gathered, Joined, Labelled, shell::Written};
use deskhand_vocabulary::{Labels, Notice, Principal, TaskId};
use ended::Closing;
use ground::Ground;
use std::{path::PathBuf, sync::Arc, time::Duration};
use world::World;

/// How this process works on the task.
pub(crate) struct How {
    /// What was said in advance.
    pub(crate) standing: Standing,
    /// For how long folders that the person named are granted; none where they are asked about.
    pub(crate) granted: Option<deskhand_permissions::Duration>,
    /// In words, a line each, for a screen reader.
    pub(crate) plain: bool,
    /// Who looks on instead of who is at this terminal.
    pub(crate) screen: Option<Arc<dyn Screen>>,
}

/// What the person has said to the model before it begins.
#[derive(Debug, Default)]
pub(crate) struct Said {
    /// The request, or what follows on a task that is over.
    pub(crate) words: Option<String>,
    /// What was piped in.
    pub(crate) attachment: Option<String>,
}

impl Said {
    const fn is_nothing(&self) -> bool {
        self.words.is_none() && self.attachment.is_none()
    }
}

/// Work on a task that is held: a new one, or, with `resumed`, one that was begun before.
pub(crate) fn work(desk: &Desk, owner: &Owner, spec: &Spec, said: &Said, how: &How, resumed: bool) -> Result {
    let records = Arc::clone(desk.records()?);
    let task = owner.task();
    let seen = Seen::watch(&records, task, desk.json);
    let closing = Closing { desk, records: &records, task, seen: &seen, standing: how.standing };
    let ended = match Work::prepare(desk, task, spec, how, resumed) {
        Ok(work) => work.run(said, resumed),
        Err(failure) => Err(failure),
    };
    closing.close(ended)
}

/// All that a task works with.
struct Work<'a> {
    desk: &'a Desk,
    task: TaskId,
    spec: &'a Spec,
    runtime: tokio::runtime::Runtime,
    world: Arc<World>,
    servers: mcp::Servers,
    /// What instructs the model beside the person's words.
    instructions: Arc<[Instruction]>,
    /// What is known of where all came from that the model was told.
    gathered: Arc<Gathered>,
    agent: Agent,
}

impl<'a> Work<'a> {
    fn prepare(desk: &'a Desk, task: TaskId, spec: &'a Spec, how: &How, resumed: bool) -> Result<Self> {
        let choice = model::choose(&desk.settings, spec.model.as_deref())?;
        let standing = Standing { yes: how.standing.yes || spec.mode == Mode::Auto, ..how.standing };
        let context = Context::agent(task, standing);
        choice.consent(desk, &Context::person(Some(task), Standing::default()))?;
        let runtime =
            // one thread for all that waits: what works has threads of its own, and a connection that has served a request
            // is free again before the next
            tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::no_thread)?;
        let folders: Vec<PathBuf> = spec.folders.iter().map(Folder::path).collect();
        let access = spec.access();
        let workspace = open_folders(desk, task, &folders, Opening { access, granted: how.granted })?;
        let instructions: Arc<[Instruction]> = instructions::of_task(desk, task, &folders, !resumed)?.into();
        let outgoing = Outgoing::within(desk, context.clone(), spec.limits.get(Measure::BytesOut))?;
        let gathered = Arc::<Gathered>::default();
        if resumed {
            memory::gather(desk.records()?, task, &gathered)?;
        }
        let memory = memory::tools(desk, &context, &workspace, choice.name, &gathered)?;
        let servers = mcp::of_task(desk, task, &workspace, &outgoing)?;
        let shelter = Arc::new(Shelter::of_task(desk, task, &context, &workspace, &outgoing, &runtime)?);
        let shell = shelter.tools(&workspace, desk.gate()?, &context, &desk.person);
        let ground = Ground {
            desk,
            task,
            context,
            workspace,
            outgoing,
            servers: Arc::clone(&servers),
            shelter: Some(shelter),
            title: &spec.request,
            limits: &spec.limits,
            choice: &choice,
            instructions: Arc::clone(&instructions),
            handle: runtime.handle().clone(),
        };
        let (staff, _) = ground.staff()?;
        let (model, world) = (Arc::clone(&staff.models.chosen), Arc::clone(&staff.world));
        let tools = [staff.kit.all(), Arc::new(Delegate::new(staff)) as _].into_iter().chain(shell).chain(memory);
        let tools = Joined::new(tools);
        let tools = Labelled::new(Arc::new(tools), Arc::clone(&gathered));
        let agent = Agent {
            model,
            tools: Arc::new(tools),
            effects: Arc::clone(&world) as _,
            log: Arc::<Records>::clone(desk.records()?),
            screen: how.screen.clone().unwrap_or_else(|| screen::find(desk.json, how.plain)),
            steering: Arc::new(Steering::default()),
            approval: (spec.mode == Mode::Plan).then(|| ByPerson::asking(Arc::clone(&desk.person))),
            stop: desk.stop.clone(),
        };
        Ok(Self { desk, task, spec, runtime, world, servers, instructions, gathered, agent })
    }

    fn run(self, said: &Said, resumed: bool) -> Result<(Ended, Task)> {
        let conversation =
            Conversation::new(prompt::SYSTEM, &offered(self.agent.tools.as_ref())).map_err(Failure::failed)?;
        let mut task = Task { id: self.task, limits: self.spec.limits, conversation, lost: Vec::new() };
        if resumed {
            again::fold(self.desk.records()?, &mut task)?;
            let lost = self.take_up()?;
            self.agent.resume(&mut task).map_err(Failure::failed)?;
            task.lost.clone_from(&lost);
            if !lost.is_empty() && said.is_nothing() && task.conversation.is_at_its_end() {
                self.tell_lost(&lost);
            } else if !lost.is_empty() {
                let text = format!(
                    "Deskhand ended while changes were pending. These could not be taken up again, so they are not pending any more:\n{}",
                    lost.join("\n")
                );
                self.agent.tell_from_host(&mut task, "note", &text).map_err(Failure::failed)?;
            }
        }
        self.agent.instruct(&mut task, &self.instructions).map_err(Failure::failed)?;
        if !resumed {
            self.remind(&mut task)?;
        }
        self.tell(&mut task, said, resumed)?;
        let _door = door::open(&self.desk.home, self.task, Arc::clone(&self.agent.steering), self.runtime.handle())?;
        let _typing = person::listen(self.desk.json, &self.agent.steering);
        let ended = self.runtime.block_on(async {
            let steering = Arc::clone(&self.agent.steering);
            let stop = self.desk.stop.clone();
            let watching = tokio::spawn(async move {
                while !stop.is_stopped() {
                    tokio::time::sleep(LOOK).await;
                }
                steering.steer(deskhand_agent::steering::Steer::Cancel);
            });
            let ended = self.agent.run(&mut task).await;
            watching.abort();
            futures_util::future::join_all(self.servers.iter().map(|server| server.close())).await;
            if let Some(shelter) = self.world.shelter.clone() {
                let closing = tokio::task::spawn_blocking(move || shelter.close());
                // a command that does not end goes with this process
                let _ = tokio::time::timeout(CLOSING, closing).await;
            }
            ended
        });
        // a call that does not look up is not waited for
        self.runtime.shutdown_timeout(Duration::from_millis(500));
        drop(self.world);
        Ok((ended.map_err(Failure::failed)?, task))
    }

    /// Make again what was pending, on a thread that may wait while connections are served on this one.
    fn take_up(&self) -> Result<Vec<String>> {
        let (records, tools) = (Arc::clone(self.desk.records()?), Arc::clone(&self.agent.tools));
        let (task, workspace, stop) = (self.task, self.world.workspace.clone(), self.desk.stop.clone());
        let written = Written { kept: self.world.kept.clone(), workspace };
        let taking = move || again::take_up(&records, task, tools.as_ref(), &written, &stop);
        self.runtime
            .block_on(self.runtime.spawn_blocking(taking))
            .unwrap_or_else(|error| Err(Failure::failed(format!("what was pending could not be taken up: {error}"))))
    }

    /// The model was at its end, so the person is asked about the rest at once: they hear first of what is not part of it. The
    /// model hears of it with what came of the rest.
    fn tell_lost(&self, lost: &[String]) {
        let lost: Vec<String> = lost.iter().map(|line| format!("  {line}")).collect();
        let text = format!(
            "These could not be taken up again, so they are not pending any more. Your files are left as they are:\n{}",
            lost.join("\n")
        );
        self.desk.person.tell(&Notice { origin: Principal::Person, text });
    }

    /// Tell the model of earlier work.
    fn remind(&self, task: &mut Task) -> Result<()> {
        let Some(reminder) = notes::offer(self.desk, &self.world.workspace, &self.spec.request)? else { return Ok(()) };
        self.gathered.add(&reminder.labels);
        self.agent.remind(task, &reminder).map_err(Failure::failed)
    }

    fn tell(&self, task: &mut Task, said: &Said, resumed: bool) -> Result<()> {
        if let Some(attachment) = &said.attachment {
            self.gathered.add(&Labels::of_what_was_read());
            self.agent.tell_from_host(task, memory::ATTACHMENT, attachment).map_err(Failure::failed)?;
        }
        let Some(words) = &said.words else { return Ok(()) };
        if resumed && let Some(since) = since::told(self.desk, self.task)? {
            self.agent.tell_from_host(task, "what became of your changes", &since).map_err(Failure::failed)?;
        }
        self.agent.tell(task, words).map_err(Failure::failed)?;
        self.agent.tell_from_host(task, "now", &self.now()).map_err(Failure::failed)
    }

    /// When and where the task is worked on.
    fn now(&self) -> String {
        let today = self.desk.clock.now().to_zoned(self.desk.clock.zone()).strftime("%A %F");
        let folder = |folder: deskhand_workspace::Folder| {
            let how = if folder.writable { "" } else { " (to be read only)" };
            format!("{}{how}", folder.name)
        };
        let folders: Vec<String> = self.world.workspace.folders().into_iter().map(folder).collect();
        let lacks = self.world.shelter.as_ref().and_then(|shelter| shelter.lacks());
        let lacks = lacks.map(|lacks| format!(". There is {lacks}")).unwrap_or_default();
        format!("{today}. Folders: {}{lacks}", folders.join(", "))
    }
}

/// How long the sandbox of a task may take to end.
const CLOSING: Duration = Duration::from_secs(5);
/// How often it is looked whether the person has pressed Ctrl-C.
const LOOK: Duration = Duration::from_millis(50);
