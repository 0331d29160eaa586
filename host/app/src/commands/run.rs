//! `deskhand run`: a request, from the words to the record.

use crate::{
    agent::{self, Assisted, Folder, Mode, Owner, Spec},
    attachment, background, cli, commands,
    desk::Desk,
    exit::Exit,
    failure::{Failure, Result},
    outgoing::{Outgoing, grant_hosts},
    output,
    request::{self, Candidate, Match},
    show,
    task::{self, STOPPED, Seen, open_folders},
};
use deskhand_agent::budget::Measure;
use deskhand_permissions::{Context, Standing, effect::RunCommand};
use deskhand_records::Records;
use deskhand_runtime::{CallError, Code, Reply};
use deskhand_vocabulary::{
    Entry, Event, Log as _, PluginId, TaskId,
    manifest::{Permission, PermissionKind},
    path,
};
use serde_json::{Value, json};
use std::{os::unix::ffi::OsStrExt as _, path::PathBuf, sync::Arc};

pub(crate) fn run(options: &cli::Run) -> Result {
    let desk = Desk::open(options.json)?;
    desk.stop_on_interrupt();
    let records = Arc::clone(desk.records()?);
    desk.recover()?;
    let request = options.request.join(" ");
    if request.trim().is_empty() {
        return Err(Failure::usage(
            "the request is empty. Say what is to be done, such as: deskhand run \"sort this folder\"",
        ));
    }
    if let Some(task) = options.follow {
        return commands::resume::follow(&desk, task, request, options);
    }
    let folders = if options.folder.is_empty() { vec![PathBuf::from(".")] } else { options.folder.clone() };
    if is_for_agent(&desk, options, &request) {
        return by_agent(&desk, options, request, &folders);
    }
    if options.background {
        return Err(Failure::usage(background::NOT_A_COMMAND));
    }
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
    let ended = Entry { task: Some(task), event: Event::TaskEnded { outcome: outcome.to_owned() }, content: None };
    if let Err(error) = records.append(ended) {
        // what went wrong first says more
        return result.and_then(|_| Err(seen.unended(error)));
    }
    desk.tidy()?;
    crate::market::refresh(&desk)?;
    result
}

/// Whether a model works on it: one is chosen, and no command is typed.
fn is_for_agent(desk: &Desk, options: &cli::Run, request: &str) -> bool {
    let chosen = options.model.is_some() || desk.settings.agent.model.is_some();
    chosen && !request.trim_start().starts_with('/')
}

fn by_agent(desk: &Desk, options: &cli::Run, request: String, folders: &[PathBuf]) -> Result {
    agent::hold(desk, options.model.as_deref(), &options.agent.budget)?;
    let mode = if options.plan { Mode::Plan } else { options.mode.unwrap_or_default() };
    let spec = Spec {
        folders: folders.iter().map(|folder| Folder::of(folder)).collect(),
        read_only: options.read_only,
        model: options.model.clone(),
        limits: agent::with_limits(desk.settings.budget.limits(), &options.agent.budget),
        mode,
        request,
    };
    let attachment = attachment::piped()?;
    let task = desk.records()?.start_task(spec.content())?;
    grant_hosts(desk, task, &options.host)?;
    if options.background {
        return background::queue_new(desk, task, &spec, attachment, options);
    }
    let said = agent::Said { words: Some(spec.request.clone()), attachment };
    let how = agent::How {
        standing: options.answers.standing(),
        granted: options.opening(task).granted,
        plain: options.agent.plain,
        screen: None,
    };
    let exit = agent::work(desk, &Owner::of(&desk.home, task)?, &spec, &said, &how, false);
    crate::market::refresh(desk)?;
    exit
}

/// How a task that ends with this code is put on record.
fn ended(exit: Exit) -> &'static str {
    match exit {
        Exit::Done | Exit::Partial => "done",
        Exit::Unserved => "unserved",
        Exit::Declined | Exit::Unanswered => "cancelled",
        Exit::Stopped => "stopped",
        Exit::Failed | Exit::Usage | Exit::Denied | Exit::UsedUp => "failed",
    }
}

/// A command that serves the request.
struct Chosen {
    candidate: Candidate,
    /// How it is typed so that no other is meant.
    typed: String,
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
        let Chosen { candidate, typed, arguments, understood } = self.choose(request)?;
        self.look_only(&candidate, &typed)?;
        self.desk.runtime()?.load_ahead(&candidate.plugin);
        grant_hosts(self.desk, self.task, &self.options.host)?;
        let workspace = open_folders(self.desk, self.task, folders, self.options.opening(self.task))?;
        let gate = self.desk.gate()?;
        let mut standing = self.options.answers.standing();
        if standing.yes && !understood {
            // what was said in advance was said of the whole request
            output::aside(&format!(
                "Not all of the request was understood, so --yes does not cover it. Type the command instead: {typed}"
            ));
            standing = Standing::default();
        }
        let plugin = candidate.plugin;
        let command = candidate.command.name;
        let permit = gate.permit(
            &Context::person(Some(self.task), standing),
            RunCommand { plugin: plugin.clone(), command: command.to_string() },
        )?;
        let limits = agent::with_limits(self.desk.settings.budget.limits(), &self.options.agent.budget);
        let most = limits.get(Measure::BytesOut);
        let outgoing = Outgoing::within(self.desk, Context::person(Some(self.task), standing), most)?;
        let mut services = task::services(self.desk, &outgoing)?;
        let assisted = Assisted::of(
            self.desk,
            &agent::Command {
                task: self.task,
                workspace: &workspace,
                outgoing: &outgoing,
                request,
                model: self.options.model.as_deref(),
                standing,
                limits,
                rights: &self.rights(&plugin)?,
            },
        )?;
        if let Some(assisted) = &assisted {
            services = assisted.serve(&services);
        }
        let invocation = task::invocation(self.desk, self.task, workspace, standing, services)?;
        let reply = self.desk.runtime()?.call_command(invocation, permit, &arguments);
        reply.map_err(|error| if self.desk.stop.is_stopped() { stopped(&error) } else { failed(error) })
    }

    /// What a plugin declares.
    fn rights(&self, plugin: &PluginId) -> Result<Vec<Permission>> {
        let plugins = self.desk.plugins()?;
        let manifest = plugins.get(plugin).map(|plugin| plugin.release.manifest()).transpose()?;
        Ok(manifest.map(|manifest| manifest.permissions.clone()).unwrap_or_default())
    }

    /// Refuse a command of a plugin that changes files where the folders are there to be looked at alone: nothing that it
    /// proposes could be applied.
    fn look_only(&self, candidate: &Candidate, typed: &str) -> Result<()> {
        if !self.options.read_only {
            return Ok(());
        }
        let changes = [PermissionKind::FilesChange, PermissionKind::FilesRemove];
        if self.rights(&candidate.plugin)?.iter().all(|right| !changes.contains(&right.kind)) {
            return Ok(());
        }
        Err(Failure::new(
            Exit::Denied,
            format!(
                "{typed} is there to change files, and --read-only lets this folder only be looked at, so nothing was done. \
                 Leave out --read-only: you see the whole plan, and nothing is changed before you agree to it"
            ),
        ))
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
                Match::Lacking { candidate, trigger, .. } => {
                    let candidate = catalogue.candidate(candidate)?;
                    let message = request::lacking(&catalogue, &candidate, request, &trigger);
                    return Err(Failure::new(Exit::Unserved, message));
                }
                Match::Unsure(nearest) => {
                    return Err(Failure::new(Exit::Unserved, request::unsure(&catalogue, &nearest)?));
                }
            },
        };
        if name.is_none() && !self.desk.json {
            output::text(&request::using(&candidate, request, &arguments, &trigger, &uncounted));
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
        let typed = request::typed(&candidate, &catalogue);
        Ok(Chosen { candidate, typed, arguments, understood: uncounted.is_empty() })
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
            Code::Exhausted => Exit::UsedUp,
            _ => Exit::Failed,
        },
        _ => Exit::Failed,
    };
    // what a plugin says over several lines stays visibly its own
    Failure::new(exit, show::lines(&error.to_string()).replace('\n', "\n  "))
}
