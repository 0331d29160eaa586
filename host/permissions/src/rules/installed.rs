//! What the person installed serves their agent. What a plugin then does itself, in a folder or on a network, is decided
//! each time, with the plugin as the one who acts.

use super::{Case, Finding, Verdict, name};
use deskhand_vocabulary::{Action, Principal};

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    let (Action::CallTool { plugin, .. }
    | Action::ListTools { plugin }
    | Action::UseSkill { plugin, .. }
    | Action::ExtractText { plugin }
    | Action::StartAgent { plugin, .. }) = case.action
    else {
        return None;
    };
    (case.context.principal == Principal::Agent).then(|| {
        Finding::new(name::INSTALLED, Verdict::Allow, format!("You installed {plugin}, and it serves your agent."))
    })
}
