//! What a plugin may reach is what the person granted: to the task, or for good.

use super::{Case, Finding, Verdict, name};
use crate::{
    context::Context,
    kind::{Kind, Needs},
};
use deskhand_records::{Duration, Grant, Scope};
use deskhand_vocabulary::{
    Access, Action, Principal,
    path::{decode, encode},
};
use std::{
    ffi::OsString,
    os::unix::ffi::{OsStrExt as _, OsStringExt as _},
    path::{Component, Path, PathBuf},
};

/// How far the person must have granted what an action is about; none where this rule has no say in it.
pub(super) fn needed(context: &Context, action: &Action, opening: Option<Access>) -> Option<Access> {
    match &context.principal {
        // opening a folder hands it to the plugins of the task, so that takes a grant from the person as well
        Principal::Person => opening.filter(|_| context.task.is_some()),
        principal => match (Kind::of(action).row().needs, principal) {
            (Needs::Nothing | Needs::Consent | Needs::Trust | Needs::Program | Needs::Described | Needs::Server, _) => {
                None
            }
            // the agent's commands are the person's own choice of a place; a plugin's are asked about
            (Needs::Sandbox | Needs::Programs, Principal::Plugin(_)) => Some(Access::Read),
            (Needs::Sandbox | Needs::Programs, _) => None,
            (Needs::Folder(access), _) => Some(opening.map_or(access, |more| more.max(access))),
            // what is installed serves the agent; what it does itself is decided each time
            (Needs::Tool | Needs::Agent, Principal::Agent) => None,
            // and a client whom the person has it served to; a command shows the person its plan itself
            (Needs::Tool | Needs::Command, Principal::Client(_)) => None,
            (Needs::Tool | Needs::Agent, Principal::Plugin(caller)) => match action {
                Action::CallTool { plugin, .. } | Action::StartAgent { plugin, .. }
                    if plugin.marketplace == caller.marketplace =>
                {
                    None
                }
                _ => Some(Access::Read),
            },
            // what a plugin declares; the agent is sent wherever a model says
            (Needs::Host, Principal::Plugin(_)) if matches!(action, Action::Connect { local: true, .. }) => None,
            (Needs::Tool | Needs::Agent | Needs::Command | Needs::Host, _) => Some(Access::Read),
        },
    }
}

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    let access = needed(case.context, case.action, case.opening)?;
    if let Some(grant) = covering(case.action, access, case.context, case.grants) {
        let reason = match grant.duration {
            Duration::Always => format!("You granted it until you revoke it (grant {}).", grant.id),
            Duration::Task(_) => format!("You granted it for this task (grant {}).", grant.id),
            Duration::Once => format!("You granted it for one use (grant {}).", grant.id),
        };
        return Some(Finding { grant: Some(grant.id), ..Finding::new(name::GRANT, Verdict::Allow, reason) });
    }
    let read_only = case.opening.is_none()
        && access == Access::Write
        && covering(case.action, Access::Read, case.context, case.grants).is_some();
    Some(match case.action {
        _ if read_only => Finding::new(name::GRANT, Verdict::Deny, "The folder is granted for reading only."),
        // opening the folder asks; what is done in it later has nothing to ask with
        Action::ReadFolder { .. } => Finding::new(
            name::GRANT,
            Verdict::Ask,
            "You have not granted the folder, so you are asked before it is opened.",
        ),
        Action::CallTool { .. }
        | Action::StartAgent { .. }
        | Action::RunCommand { .. }
        | Action::Connect { .. }
        | Action::RunInSandbox
        | Action::RunInGuest => Finding::new(name::GRANT, Verdict::Ask, "You have not granted it, so you are asked."),
        _ => Finding::new(name::GRANT, Verdict::Deny, "You have not granted the folder to this task."),
    })
}

/// The grant that covers an action: one that stays before one that is used up.
pub(crate) fn covering<'a>(
    action: &Action,
    access: Access,
    context: &Context,
    grants: &'a [Grant],
) -> Option<&'a Grant> {
    let wanted = action.folder().and_then(place).map(|path| written(&path));
    let covers = |grant: &Grant| match (&grant.scope, action) {
        // that a folder may be worked on says nothing of who wrote what is in it
        (Scope::Folder { .. }, Action::FollowInstructions { .. }) => false,
        (Scope::Instructions { folder }, Action::FollowInstructions { .. }) => {
            wanted.as_deref().is_some_and(|wanted| is_within(wanted, folder))
        }
        (Scope::Folder { folder, access: granted }, _) => {
            *granted >= access && wanted.as_deref().is_some_and(|wanted| is_within(wanted, folder))
        }
        (Scope::Command { plugin, command }, Action::RunCommand { plugin: p, command: c }) => {
            plugin == p && command == c
        }
        (Scope::Tool { plugin, tool }, Action::CallTool { plugin: p, tool: t }) => plugin == p && tool == t,
        (Scope::Agent { plugin, agent }, Action::StartAgent { plugin: p, agent: a }) => plugin == p && agent == a,
        (Scope::Host { host }, Action::Connect { host: h, .. })
        | (Scope::Model { host }, Action::SendToModel { host: h, .. }) => host == h,
        (
            Scope::Server { server, setup },
            Action::StartServer { server: s, setup: x } | Action::ConfineServer { server: s, setup: x },
        ) => server == s && setup == x,
        // what is said of the place is not said of a plugin
        (Scope::Sandbox, Action::RunInSandbox) => !matches!(context.principal, Principal::Plugin(_)),
        (Scope::Programs { plugin }, Action::RunInSandbox | Action::RunInGuest) => {
            matches!(&context.principal, Principal::Plugin(caller) if caller == plugin)
        }
        (Scope::ServerReading { server }, Action::ReadServer { server: s }) => server == s,
        (Scope::ServerTool { server, tool, offer }, Action::CallServerTool { server: s, tool: t, offer: o, .. }) => {
            server == s && tool == t && offer == o
        }
        (
            Scope::Instructions { .. }
            | Scope::InstructionText { .. }
            | Scope::Command { .. }
            | Scope::Tool { .. }
            | Scope::Agent { .. }
            | Scope::Host { .. }
            | Scope::Model { .. }
            | Scope::Server { .. }
            | Scope::ServerReading { .. }
            | Scope::ServerTool { .. }
            | Scope::Sandbox
            | Scope::Programs { .. }
            | Scope::NoServerTool { .. },
            _,
        ) => false,
    };
    let holds = |grant: &Grant| match grant.duration {
        Duration::Task(task) => context.task == Some(task),
        Duration::Always | Duration::Once => true,
    };
    let order = |grant: &&Grant| match grant.duration {
        Duration::Always => 0,
        Duration::Task(_) => 1,
        Duration::Once => 2,
    };
    grants.iter().filter(|grant| holds(grant) && covers(grant)).min_by_key(order)
}

/// True if a folder is the granted one or lies below it, both as [`written`] writes them.
fn is_within(wanted: &str, granted: &str) -> bool {
    let below = wanted.strip_prefix(granted.trim_end_matches('/'));
    below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// The one text for a path: two texts can stand for one path, but only one is written for it.
pub(crate) fn written(path: &Path) -> String {
    encode(path.components().collect::<PathBuf>().as_os_str().as_bytes())
}

/// The path that a text of [`deskhand_vocabulary::path::encode`] stands for; none if it is not absolute or not plain.
pub(crate) fn place(folder: &str) -> Option<PathBuf> {
    let path = PathBuf::from(OsString::from_vec(decode(folder)));
    let plain = path.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    (path.is_absolute() && plain).then_some(path)
}
