//! `deskhand run`: a request, from the words to the record.

use crate::{
    cli,
    commands::change::unanswered,
    configuration,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    output,
    person::print_json,
    request::{self, Candidate, Match},
    show::{self, line},
};
use deskhand_permissions::{
    Context, Duration, Scope, Standing,
    effect::{OpenFolder, RunCommand},
    rules::name,
};
use deskhand_records::{Recorded, Records, to_json_line};
use deskhand_runtime::{Body, CallError, Code, Content, Invocation, Reply};
use deskhand_vocabulary::{Access, Action, Change, CommitId, Entry, Event, Log as _, TaskId, path};
use deskhand_workspace::Workspace;
use serde_json::{Value, json};
use std::{
    os::unix::ffi::OsStrExt as _,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

pub(crate) fn run(options: &cli::Run) -> Result {
    let desk = Desk::open(options.json)?;
    desk.stop_on_interrupt();
    let records = Arc::clone(desk.records()?);
    desk.recover()?;
    let request = options.request.join(" ");
    let folders = if options.folder.is_empty() { vec![PathBuf::from(".")] } else { options.folder.clone() };
    let shown: Vec<String> = folders.iter().map(|folder| path::encode(folder.as_os_str().as_bytes())).collect();
    let task = records.start_task(json!({"request": request, "folders": shown}))?;
    let seen = Seen::watch(&records, task, options.json);
    let done = Task { desk: &desk, records: &records, task, options }.work(&request, &folders);
    let (outcome, result) = match done {
        Ok(reply) => {
            let result = seen.finish(&desk, Some(&reply), options.answers.standing());
            (ended(result.as_ref().map_or(Exit::Failed, |exit| *exit)), result)
        }
        Err(failure) => {
            let failure = match seen.has_applied() && failure.exit == Exit::Stopped {
                true => Failure::new(Exit::Stopped, "Stopped. What was done before that stays."),
                false => failure,
            };
            (ended(failure.exit), seen.finish(&desk, None, options.answers.standing()).and(Err(failure)))
        }
    };
    records.append(Entry {
        task: Some(task),
        event: Event::TaskEnded { outcome: outcome.to_owned() },
        content: None,
    })?;
    desk.tidy()?;
    crate::market::refresh(&desk)?;
    result
}

/// How a task that ends with this code is put on record.
fn ended(exit: Exit) -> &'static str {
    match exit {
        Exit::Done | Exit::Partial => "done",
        Exit::Unserved => "unserved",
        Exit::Declined | Exit::Unanswered => "cancelled",
        Exit::Stopped => "stopped",
        Exit::Failed | Exit::Usage | Exit::Denied => "failed",
    }
}

/// A command that serves the request.
struct Chosen {
    candidate: Candidate,
    arguments: Value,
    /// True if every word of the request counted.
    understood: bool,
}

struct Task<'a> {
    desk: &'a Desk,
    records: &'a Arc<Records>,
    task: TaskId,
    options: &'a cli::Run,
}

impl Task<'_> {
    fn work(&self, request: &str, folders: &[PathBuf]) -> Result<Reply> {
        let Chosen { candidate, arguments, understood } = self.choose(request)?;
        let workspace = Workspace::for_task(
            &self.desk.home,
            Arc::clone(&self.desk.clock),
            Arc::<Records>::clone(self.records),
            self.task,
        )
        .map_err(Failure::failed)?;
        self.desk.limit_kept(&workspace);
        for folder in folders {
            self.open(&workspace, folder)?;
        }
        let gate = self.desk.gate()?;
        let mut standing = self.options.answers.standing();
        if standing.yes && !understood {
            // what was said in advance was said of the whole request
            output::aside(&format!(
                "Not all of the request was understood, so --yes does not cover it. Type the command instead: /{}",
                candidate.command.name
            ));
            standing = Standing::default();
        }
        let plugin = candidate.plugin;
        let command = candidate.command.name;
        let permit = gate.permit(
            &Context::person(Some(self.task), standing),
            RunCommand { plugin: plugin.clone(), command: command.to_string() },
        )?;
        let configurations = configuration::configurations(
            &self.desk.settings.plugins,
            &*self.desk.plugins()?,
            &self.desk.home.config_file(),
        )?;
        let invocation = Invocation {
            task: self.task,
            workspace,
            gate: Arc::clone(gate),
            standing,
            person: Arc::clone(&self.desk.person),
            log: Arc::<Records>::clone(self.records),
            records: Arc::clone(self.records),
            clock: Arc::clone(&self.desk.clock),
            stop: self.desk.stop.clone(),
            locale: locale(),
            configurations: Arc::new(configurations),
        };
        let reply = self.desk.runtime()?.call_command(invocation, permit, &arguments);
        reply.map_err(|error| if self.desk.stop.is_stopped() { stopped(&error) } else { failed(error) })
    }

    /// Which command serves the request; said, and put on the record.
    fn choose(&self, request: &str) -> Result<Chosen> {
        let name = request.trim().strip_prefix('/').map(|rest| rest.split_whitespace().next().unwrap_or_default());
        let catalogue = self.desk.catalogue()?;
        let preferred = |name: &str| self.desk.preferred(name);
        let typed = |typed: request::Typed| (typed.candidate, typed.arguments, "typed".to_owned(), Vec::new());
        let (candidate, arguments, trigger, uncounted) = match request::parse(request, &catalogue, preferred) {
            Some(Ok(found)) => typed(found),
            Some(Err(request::NotTyped::Ambiguous { name, plugins })) => {
                let plugin = self.desk.prefer(&name, &plugins)?;
                match request::parse(request, &catalogue, |_| Some(plugin.clone())) {
                    Some(Ok(found)) => typed(found),
                    Some(Err(error)) => return Err(Failure::usage(error)),
                    None => return Err(Failure::usage(format!("`/{name}` was not understood"))),
                }
            }
            Some(Err(error)) => return Err(Failure::usage(error)),
            None => match request::choose(request, &catalogue)? {
                Match::Chosen { candidate, arguments, trigger, uncounted } => {
                    (catalogue.candidate(candidate)?, arguments, trigger, uncounted)
                }
                Match::Unsure(nearest) => {
                    return Err(Failure::new(Exit::Unserved, request::unsure(&catalogue, &nearest)?));
                }
            },
        };
        if name.is_none() && !self.desk.json {
            output::text(&request::reason(&candidate, request, &arguments, &trigger, &uncounted));
        }
        self.records.append(Entry {
            task: Some(self.task),
            event: Event::CommandChosen {
                plugin: candidate.plugin.clone(),
                command: candidate.command.name.to_string(),
                reason: trigger,
            },
            content: Some(json!({"arguments": arguments, "uncounted": uncounted})),
        })?;
        Ok(Chosen { candidate, arguments, understood: uncounted.is_empty() })
    }

    /// Open a folder for the task. Named on the command line, it is granted by that.
    fn open(&self, workspace: &Workspace, folder: &Path) -> Result<()> {
        let access = if self.options.read_only { Access::Read } else { Access::Write };
        let open = OpenFolder::at(folder, access, &self.desk.home).map_err(Failure::failed)?;
        let hidden: Vec<PathBuf> = open.hidden().iter().map(|own| own.path.clone()).collect();
        let gate = self.desk.gate()?;
        if !self.options.folder.is_empty() {
            let scope = Scope::Folder { folder: open.folder().to_owned(), access };
            let duration = if self.options.always { Duration::Always } else { Duration::Task(self.task) };
            gate.grant(Some(self.task), scope, duration)?;
        }
        // a folder that is not named is asked about, whatever was said in advance about changes
        let permit = gate.permit(&Context::person(Some(self.task), Standing::default()), open)?;
        workspace.add_folder(permit).map_err(Failure::failed)?;
        for own in hidden {
            output::aside(&format!(
                "{} is left out: Deskhand keeps its own things there.",
                line(&path::encode(own.as_os_str().as_bytes()))
            ));
        }
        Ok(())
    }
}

/// What the log says of this task while it runs: what was committed, for the summary; and every line, for a program.
struct Seen(Arc<Mutex<Said>>);

#[derive(Default)]
struct Said {
    commits: Vec<Committed>,
    /// How the last plan was turned down, if it was.
    turned_down: Option<Exit>,
    /// What nobody was there to be asked about.
    unasked: Option<Action>,
}

struct Committed {
    commit: CommitId,
    outcome: String,
    done: show::Done,
}

impl Committed {
    /// From what is on record of it.
    fn of(commit: CommitId, outcome: &str, applied: u64, content: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let refused = content["refused"].as_array().into_iter().flatten().map(|one| {
            let change: Option<Change> = serde_json::from_value(one["change"].clone()).ok();
            let path = change.as_ref().and_then(Change::subject).map(ToString::to_string);
            (path.unwrap_or_default(), text(&one["reason"]))
        });
        let done = show::Done {
            applied,
            made: serde_json::from_value(content["made"].clone()).unwrap_or_default(),
            refused: refused.collect(),
            warnings: content["warnings"].as_array().into_iter().flatten().map(text).collect(),
        };
        Self { commit, outcome: outcome.to_owned(), done }
    }

    fn is_applied(&self) -> bool {
        self.outcome == "applied"
    }
}

impl Seen {
    fn watch(records: &Records, task: TaskId, json: bool) -> Self {
        let said = Arc::new(Mutex::new(Said::default()));
        let seen = Arc::clone(&said);
        records.subscribe(move |recorded: &Recorded| {
            if recorded.task != Some(task) {
                return;
            }
            if json {
                output::text(&format!("{}\n", to_json_line(recorded)));
            }
            let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
            if let Event::Decided { action, allowed, rule, .. } = &recorded.event
                && let Some(exit) = turned_down(action, *allowed, rule)
            {
                seen.turned_down = exit;
                seen.unasked = (exit == Some(Exit::Unanswered)).then(|| action.clone());
            }
            if let Event::CommitEnded { commit, outcome, applied, .. } = &recorded.event {
                let content = recorded.content.as_ref().unwrap_or(&Value::Null);
                seen.commits.push(Committed::of(*commit, outcome, *applied, content));
            }
        });
        Self(said)
    }

    fn has_applied(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).commits.iter().any(Committed::is_applied)
    }

    /// Say what came of it.
    fn finish(&self, desk: &Desk, reply: Option<&Reply>, standing: Standing) -> Result {
        let said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let commits = &said.commits;
        let exit = said.exit(desk.stop.is_stopped());
        if desk.json {
            if let Some(reply) = reply {
                print_json("reply", &json!({"show": reply.show}));
            }
            return Ok(exit);
        }
        for content in reply.iter().flat_map(|reply| &reply.show) {
            output::text(&shown(content));
        }
        for commit in commits {
            match commit.outcome.as_str() {
                "applied" | "nothing" => output::text(&commit.done.text(commit.commit)),
                "rolled-back" if desk.stop.is_stopped() => {}
                "rolled-back" => output::text(&commit.done.taken_back()),
                _ => {}
            }
        }
        match exit {
            Exit::Unanswered => output::aside(&unanswered(said.unasked.as_ref(), standing)),
            Exit::Declined => output::text("Nothing was changed.\n"),
            Exit::Stopped if reply.is_some() => output::aside(STOPPED),
            _ => {}
        }
        Ok(exit)
    }
}

/// What is said of a task that was stopped before anything of it was made.
const STOPPED: &str = "Stopped. Everything is as it was before.";

impl Said {
    fn exit(&self, stopped: bool) -> Exit {
        let applied = self.commits.iter().any(Committed::is_applied);
        let refused = self.commits.iter().any(|commit| !commit.done.refused.is_empty());
        match self.turned_down {
            _ if applied && refused => Exit::Partial,
            _ if applied => Exit::Done,
            _ if stopped => Exit::Stopped,
            Some(exit) => exit,
            // it was agreed to, and taken back or refused as a whole
            None if !self.commits.is_empty() => Exit::Failed,
            None => Exit::Done,
        }
    }
}

/// How a decision about a plan ends the task: nothing to say of it if it is about something else, and no end if allowed.
fn turned_down(action: &Action, allowed: bool, rule: &str) -> Option<Option<Exit>> {
    if !matches!(action, Action::ChangeFolder { .. } | Action::ChangeSensitive { .. } | Action::RemoveFiles { .. }) {
        return None;
    }
    Some(match rule {
        _ if allowed => None,
        name::ABSENT => Some(Exit::Unanswered),
        name::DECLINED => Some(Exit::Declined),
        name::STOPPED => Some(Exit::Stopped),
        // unless the edited plan is decided on after this, nothing was left of it
        name::EDITED => Some(Exit::Declined),
        _ => Some(Exit::Denied),
    })
}

fn shown(content: &Content) -> String {
    match &content.body {
        Body::Text(text) => format!("{}\n", show::lines(text.trim_end())),
        Body::Bytes(bytes) => format!("({}, {})\n", line(&content.media_type), show::bytes(bytes.len() as u64)),
        Body::Uri(uri) => format!("{}\n", line(uri)),
    }
}

/// A call that ended because the person stopped it, in whatever way it says so.
fn stopped(error: &CallError) -> Failure {
    match error {
        CallError::Stopped => Failure::new(Exit::Stopped, STOPPED),
        CallError::Refused { refused, .. } if refused.code == Code::Cancelled => Failure::new(Exit::Stopped, STOPPED),
        error => Failure::new(Exit::Stopped, show::lines(&error.to_string()).replace('\n', "\n  ")),
    }
}

fn failed(error: CallError) -> Failure {
    let exit = match &error {
        CallError::Stopped => Exit::Stopped,
        CallError::Refused { refused, .. } => match refused.code {
            Code::Parked => Exit::Unanswered,
            Code::Cancelled => Exit::Declined,
            Code::Denied => Exit::Denied,
            _ => Exit::Failed,
        },
        _ => Exit::Failed,
    };
    // what a plugin says over several lines stays visibly its own
    Failure::new(exit, show::lines(&error.to_string()).replace('\n', "\n  "))
}

/// The person's language, from the environment, as BCP 47 has it; `en` if none is set.
fn locale() -> String {
    let set =
        ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| std::env::var(name).ok().filter(|v| !v.is_empty()));
    let tag = set.unwrap_or_default().split(['.', '@']).next().unwrap_or_default().replace('_', "-");
    if tag.is_empty() || tag == "C" || tag == "POSIX" { "en".to_owned() } else { tag }
}
