//! `deskhand why`: every rule that was looked at, which one decided, and what the person can do.

use crate::{
    context::Context,
    gate::{Gate, Judgement},
    kind::{Kind, Needs, Right},
    rules::{Finding, Verdict, covering, findings, name, strictest},
    words::words,
};
use deskhand_records::{Duration, Grant, RecordsError};
use deskhand_vocabulary::{Access, Action, Principal, text::safe};
use serde::Serialize;
use std::fmt;

/// Why something may be done or not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Explanation {
    /// Who, in words.
    pub who: String,
    /// What, in words: completes "may …".
    pub what: String,
    /// How it is decided.
    pub judgement: Judgement,
    /// What every rule says that has a say.
    pub findings: Vec<Finding>,
    /// What else is good to know, such as what a plugin could do in the same folder.
    pub notes: Vec<String>,
    /// What the person can do about it.
    pub advice: Vec<String>,
}

impl Gate {
    /// Explain how an action would be judged now. Changes nothing, asks nobody.
    pub fn explain(&self, context: &Context, action: &Action) -> Result<Explanation, RecordsError> {
        let grants = self.grants()?;
        let found = findings(&self.case(context, action, &grants));
        let Finding { rule, verdict, reason, .. } = strictest(found.clone());
        let who = match &context.principal {
            Principal::Person => "You".to_owned(),
            Principal::Plugin(plugin) => plugin.to_string(),
            Principal::Agent => "The agent".to_owned(),
            Principal::Client(name) => format!("The client {name}"),
            Principal::Server(name) => format!("The MCP server {name}"),
        };
        Ok(Explanation {
            who,
            what: words(action),
            judgement: Judgement { verdict, rule, explanation: reason },
            notes: notes(context, action, &grants, verdict),
            advice: advice(rule, verdict, action, &grants, &found),
            findings: found,
        })
    }
}

/// What stands granted in a folder, for a person who asks about themselves and means their plugins. No grant counts where
/// nobody may, and none saves the question where the person is asked themselves.
fn notes(context: &Context, action: &Action, grants: &[Grant], verdict: Verdict) -> Vec<String> {
    let (may, asked) = match verdict {
        Verdict::Allow => ("have it", ""),
        Verdict::Ask => ("may propose it", "; you are asked all the same"),
        Verdict::Deny => return Vec::new(),
    };
    let (Principal::Person, Some(folder)) = (&context.principal, action.folder()) else { return Vec::new() };
    let Needs::Folder(access) = Kind::of(action).row().needs else { return Vec::new() };
    let reading = Action::ReadFolder { folder: folder.to_owned() };
    let tasks: Vec<_> = grants
        .iter()
        .filter(|grant| {
            let context = match grant.duration {
                Duration::Task(task) => Context { task: Some(task), ..context.clone() },
                Duration::Once | Duration::Always => context.clone(),
            };
            covering(&reading, access, &context, std::slice::from_ref(grant)).is_some()
        })
        .map(|grant| format!("Plugins that declare the right {may} by grant {} ({}){asked}.", grant.id, grant.duration))
        .collect();
    if tasks.is_empty() { vec!["No grant lets a plugin do it.".to_owned()] } else { tasks }
}

fn advice(rule: &'static str, verdict: Verdict, action: &Action, grants: &[Grant], found: &[Finding]) -> Vec<String> {
    let mut advice = Vec::new();
    let row = Kind::of(action).row();
    match (rule, action.folder()) {
        (name::INSTRUCTIONS, Some(folder)) if verdict != Verdict::Allow => {
            let what = if verdict == Verdict::Deny { "Trust it" } else { "See it, and agree" };
            advice.push(format!("{what}: `deskhand instructions trust '{}'`.", safe(folder, false)));
        }
        (name::GRANT, Some(folder)) if verdict != Verdict::Allow => {
            let folder = safe(folder, false);
            let read_only =
                if row.needs == Needs::Folder(Access::Read) { " (add `--read-only` to let it only look)" } else { "" };
            advice.push(format!("Grant it for one task: `deskhand run --folder '{folder}' …`{read_only}."));
            advice.push(format!("Keep the grant: `deskhand run --folder '{folder}' --always …`."));
        }
        (name::MODEL, _) if verdict != Verdict::Allow => {
            advice.push("Agree in advance: `deskhand model allow NAME`.".to_owned());
        }
        (name::SERVER, _) if verdict != Verdict::Allow => match action {
            Action::CallServerTool { server, tool, .. } => {
                let tool = safe(tool, false);
                advice.push(format!("Let it be called: `deskhand mcp allow {server} '{tool}' always`."));
            }
            Action::StartServer { server, .. } | Action::ReadServer { server } => {
                advice.push(format!("Agree in advance: `deskhand mcp allow {server}`."));
            }
            _ => {}
        },
        (name::SANDBOX, _) if verdict != Verdict::Allow => {
            advice.push("Allow it: `deskhand vm allow`.".to_owned());
        }
        (name::HOME, _) => advice.push("Give a folder that is not Deskhand's own.".to_owned()),
        (name::RIGHTS, _) => match row.right {
            Right::Declared(kind) => {
                advice.push(format!(
                    "A version of the plugin that declares `{}` could ask you for it at its update.",
                    kind.name()
                ));
            }
            Right::PersonOnly => advice.push("Do it yourself, by a command of `deskhand`.".to_owned()),
        },
        (name::APPROVAL, _) => match Kind::of(action) {
            Kind::ChangeFolder => advice.push("Answer in advance: `deskhand run --yes …`.".to_owned()),
            Kind::RemoveFiles => advice.push("Answer in advance: `deskhand run --allow-removals N …`.".to_owned()),
            Kind::InstallPlugin => advice.push("Answer in advance: `deskhand plugin install --yes …`.".to_owned()),
            _ => {}
        },
        _ => {}
    }
    let lasting = |id: &u64| grants.iter().any(|grant| grant.id == *id && grant.duration != Duration::Once);
    for id in found.iter().filter_map(|found| found.grant).filter(lasting) {
        advice.push(format!("Take the grant back: `deskhand revoke {id}`."));
    }
    advice
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Judgement { verdict, rule, explanation } = &self.judgement;
        let verdict = match verdict {
            Verdict::Allow => "may",
            Verdict::Ask => "may, if you agree when you are asked,",
            Verdict::Deny => "may not",
        };
        writeln!(f, "{} {verdict} {}.", self.who, self.what)?;
        writeln!(f, "  {explanation} (rule `{rule}`)")?;
        if self.findings.len() > 1 {
            writeln!(f, "Looked at, the strictest holds:")?;
            for finding in &self.findings {
                let verdict = match finding.verdict {
                    Verdict::Allow => "yes",
                    Verdict::Ask => "ask",
                    Verdict::Deny => "no",
                };
                writeln!(f, "  {verdict:4}{:16}{}", finding.rule, finding.reason)?;
            }
        }
        for line in self.notes.iter().chain(&self.advice) {
            writeln!(f, "{line}")?;
        }
        Ok(())
    }
}
