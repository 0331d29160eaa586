//! What the agent may do with an MCP server is what the person said of it: its program runs in a sandbox, or where there is
//! none, or a plugin brings it, once they agreed to it as it is; a tool is called as they allowed it, and another description of it is another tool.
//! What a server says of its tools, such as that one only reads, decides nothing. A server itself may do nothing but ask the
//! person and send to hosts.

use super::{Case, Finding, Verdict, grant::covering, name};
use deskhand_records::{Duration, Scope};
use deskhand_vocabulary::{Access, Action, Principal};

/// Whether what the person said of a server has a say.
pub(super) const fn needed(action: &Action) -> bool {
    matches!(
        action,
        Action::StartServer { .. }
            | Action::ConfineServer { .. }
            | Action::CallServerTool { .. }
            | Action::ReadServer { .. }
    )
}

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    let find = |verdict, reason: String| Some(Finding::new(name::SERVER, verdict, reason));
    if let Principal::Server(server) = &case.context.principal {
        let own = matches!(case.action, Action::AskPerson | Action::Connect { .. });
        return (!own).then(|| {
            let reason = format!("The MCP server {server} may ask you and send to hosts, and nothing else.");
            Finding::new(name::SERVER, Verdict::Deny, reason)
        });
    }
    if let Action::ConfineServer { server, .. } = case.action
        && server.plugin().is_none()
    {
        let reason =
            "It runs in a sandbox: of what is yours it sees the folders of the task, and what it writes is a proposal.";
        return find(Verdict::Allow, reason.to_owned());
    }
    // by a command of their own the person reads and calls what they name; a program is agreed to by whoever has it run
    let asks = match case.context.principal {
        Principal::Agent => needed(case.action),
        _ => matches!(case.action, Action::StartServer { .. } | Action::ConfineServer { .. }),
    };
    if !asks {
        return None;
    }
    if refused(case) {
        return find(Verdict::Deny, "You said that it is never called.".to_owned());
    }
    let Some(grant) = covering(case.action, Access::Read, case.context, case.grants) else {
        return find(Verdict::Ask, missing(case));
    };
    let reason = match grant.duration {
        Duration::Always => format!("You allowed it until you take that back (grant {}).", grant.id),
        Duration::Task(_) => format!("You allowed it for this task (grant {}).", grant.id),
        Duration::Once => format!("You allowed it for one use (grant {}).", grant.id),
    };
    Some(Finding { grant: Some(grant.id), ..Finding::new(name::SERVER, Verdict::Allow, reason) })
}

/// Whether the person said never.
fn refused(case: &Case<'_>) -> bool {
    let Action::CallServerTool { server, tool, .. } = case.action else { return false };
    let never = Scope::NoServerTool { server: server.clone(), tool: tool.clone() };
    case.grants.iter().any(|grant| grant.scope == never)
}

/// Why the person is asked.
fn missing(case: &Case<'_>) -> String {
    let before = |scope: &Scope| match (scope, case.action) {
        (
            Scope::Server { server, .. },
            Action::StartServer { server: s, .. } | Action::ConfineServer { server: s, .. },
        ) => server == s,
        (Scope::ServerTool { server, tool, .. }, Action::CallServerTool { server: s, tool: t, .. }) => {
            server == s && tool == t
        }
        _ => false,
    };
    if case.grants.iter().any(|grant| before(&grant.scope)) {
        return "It is not as you allowed it any more, so you are asked.".to_owned();
    }
    "You have not allowed it, so you are asked.".to_owned()
}
