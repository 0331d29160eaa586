//! The rules, each in its own file. Every rule looks at a case and says allow, ask or deny, or nothing where it has no say.
//! The strictest finding holds; where no rule speaks, the answer is no. Policies of an organisation join here as one
//! more rule, which by the same principle can only narrow.

mod approval;
mod grant;
mod guest;
mod home;
mod installed;
mod instructions;
mod local;
mod memory;
mod model;
mod person;
mod rights;
mod sandbox;
mod server;

use crate::{
    context::Context,
    folder::OwnFolders,
    kind::{Kind, Row},
};
use deskhand_records::Grant;
use deskhand_vocabulary::{Access, Action};
use serde::Serialize;

/// The names of the rules, as the log and `deskhand why` write them.
pub mod name {
    /// Deskhand's own folders are nobody's.
    pub const HOME: &str = "home";
    /// What the person asks for by a command of their own.
    pub const PERSON: &str = "person.command";
    /// What a plugin declared in its manifest.
    pub const RIGHTS: &str = "plugin.rights";
    /// What does not leave this computer.
    pub const LOCAL: &str = "local";
    /// What a model may read, by the consent of the person.
    pub const MODEL: &str = "model.consent";
    /// What the person installed, for their agent.
    pub const INSTALLED: &str = "installed";
    /// What the agent keeps in memory for the person, who is shown each note, and what it looks for there.
    pub const MEMORY: &str = "memory";
    /// What instructs a model, by the trust of the person.
    pub const INSTRUCTIONS: &str = "instructions.trust";
    /// What the person said of an MCP server and its tools.
    pub const SERVER: &str = "mcp.server";
    /// What the person said of commands in a sandbox of this computer.
    pub const SANDBOX: &str = "sandbox";
    /// What runs in a virtual machine of the task.
    pub const GUEST: &str = "guest";
    /// What the person granted.
    pub const GRANT: &str = "grant";
    /// What the person is asked each time.
    pub const APPROVAL: &str = "approval";
    /// The same, answered in advance by `--yes`.
    pub const YES: &str = "approval.yes";
    /// The same, answered in advance by `--allow-removals`.
    pub const REMOVALS: &str = "approval.removals";
    /// The same, not asked because an update asks for nothing new.
    pub const UPDATE: &str = "approval.update";
    /// No rule allows it.
    pub const DEFAULT: &str = "default";
    /// The person agreed.
    pub const APPROVED: &str = "person.approved";
    /// The person did not agree.
    pub const DECLINED: &str = "person.declined";
    /// The person edited the plan, which is then another plan.
    pub const EDITED: &str = "person.edited";
    /// Nobody was there to be asked.
    pub const ABSENT: &str = "person.absent";
    /// Nobody waited for the answer any more.
    pub const WITHDRAWN: &str = "person.withdrawn";
    /// The person stopped the task.
    pub const STOPPED: &str = "person.stopped";
}

/// What a rule says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// Go ahead.
    Allow,
    /// The person decides.
    Ask,
    /// No.
    Deny,
}

/// What one rule says of a case, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The rule's name.
    pub rule: &'static str,
    /// What it says.
    pub verdict: Verdict,
    /// Why, in one sentence for the person.
    pub reason: String,
    /// The grant that it rests on, if any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub grant: Option<u64>,
}

impl Finding {
    fn new(rule: &'static str, verdict: Verdict, reason: impl Into<String>) -> Self {
        Self { rule, verdict, reason: reason.into(), grant: None }
    }
}

/// What the rules look at.
pub(crate) struct Case<'a> {
    pub(crate) action: &'a Action,
    pub(crate) row: &'static Row,
    pub(crate) context: &'a Context,
    pub(crate) grants: &'a [Grant],
    pub(crate) own: &'a OwnFolders,
    /// Set where a folder is opened for a task: how far. There the person can be asked for the grant.
    pub(crate) opening: Option<Access>,
    pub(crate) asks_nothing_new: bool,
    /// Removals of the whole effect, and how many more may go without a question.
    pub(crate) removals: u64,
    pub(crate) removals_left: u64,
}

impl<'a> Case<'a> {
    pub(crate) fn of(action: &'a Action, context: &'a Context, grants: &'a [Grant], own: &'a OwnFolders) -> Self {
        let removals = match action {
            Action::RemoveFiles { count, .. } => *count,
            _ => 0,
        };
        Self {
            action,
            row: Kind::of(action).row(),
            context,
            grants,
            own,
            opening: None,
            asks_nothing_new: false,
            removals,
            removals_left: context.standing.removals,
        }
    }
}

/// What every rule says, in the order in which they are looked at.
pub(crate) fn findings(case: &Case<'_>) -> Vec<Finding> {
    let rules = [
        home::look,
        person::look,
        rights::look,
        installed::look,
        local::look,
        model::look,
        instructions::look,
        memory::look,
        server::look,
        sandbox::look,
        guest::look,
        grant::look,
        approval::look,
    ];
    let mut found: Vec<_> = rules.iter().filter_map(|look| look(case)).collect();
    if found.is_empty() {
        found.push(Finding::new(name::DEFAULT, Verdict::Deny, "No rule allows it."));
    }
    found
}

/// The finding that decides: the first of the strictest; among findings that all allow, the last, which is the most
/// particular.
pub(crate) fn strictest(findings: Vec<Finding>) -> Finding {
    findings
        .into_iter()
        .reduce(|held, next| match next.verdict.cmp(&held.verdict) {
            std::cmp::Ordering::Greater => next,
            std::cmp::Ordering::Equal if next.verdict == Verdict::Allow => next,
            _ => held,
        })
        .unwrap_or_else(|| Finding::new(name::DEFAULT, Verdict::Deny, "No rule allows it."))
}

pub(crate) use grant::{covering, place, written};

/// How far the person must have granted what an action is about; none where grants have no say in it, so that they need
/// not be looked up.
pub(crate) fn needed(context: &Context, action: &Action, opening: Option<Access>) -> Option<Access> {
    let trusted =
        model::needed(action) || instructions::needed(action) || server::needed(action) || sandbox::needed(action);
    grant::needed(context, action, opening).or_else(|| trusted.then_some(Access::Read))
}
