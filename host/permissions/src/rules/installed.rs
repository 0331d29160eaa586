//! What the person installed serves their agent, and the clients that they have it served to. What a plugin then does itself,
//! in a folder or on a network, is decided each time, with the plugin as the one who acts.

use super::{Case, Finding, Verdict, name};
use deskhand_vocabulary::{Action, Principal};

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    let (plugin, whose) = match (&case.context.principal, case.action) {
        (
            Principal::Agent,
            Action::CallTool { plugin, .. }
            | Action::ListTools { plugin }
            | Action::UseSkill { plugin, .. }
            | Action::ExtractText { plugin }
            | Action::StartAgent { plugin, .. },
        ) => (plugin, "your agent".to_owned()),
        // to a client no model and no sub-agent of Deskhand's is lent, and a command shows its plan to the person
        (
            Principal::Client(name),
            Action::CallTool { plugin, .. }
            | Action::ListTools { plugin }
            | Action::UseSkill { plugin, .. }
            | Action::RunCommand { plugin, .. },
        ) => (plugin, format!("the client {name}, as you set it up")),
        _ => return None,
    };
    let reason = format!("You installed {plugin}, and it serves {whose}.");
    Some(Finding::new(name::INSTALLED, Verdict::Allow, reason))
}
