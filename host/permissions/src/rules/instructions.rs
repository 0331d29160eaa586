//! Text that lies in a folder instructs the model only where the person trusts the folder and has agreed to that very text.
//! The second is there because others can write into a folder that is trusted, an earlier task among them: what they
//! write is data until the person has read it.

use super::{Case, Finding, Verdict, grant::covering, name};
use deskhand_records::Scope;
use deskhand_vocabulary::{Access, Action, Principal};

/// Whether the trust of the person has a say.
pub(super) const fn needed(action: &Action) -> bool {
    matches!(action, Action::FollowInstructions { .. })
}

pub(super) fn look(case: &Case<'_>) -> Option<Finding> {
    let Action::FollowInstructions { folder, text } = case.action else { return None };
    if case.context.principal != Principal::Agent {
        return None;
    }
    let Some(trust) = covering(case.action, Access::Read, case.context, case.grants) else {
        let reason = "You have not marked the folder as trusted, so what is in it is data.";
        return Some(Finding::new(name::INSTRUCTIONS, Verdict::Deny, reason));
    };
    let agreed = case.grants.iter().any(|grant| {
        matches!(&grant.scope, Scope::InstructionText { folder: read_in, text: read } if read_in == folder && read == text)
    });
    let (verdict, reason) = if agreed {
        (Verdict::Allow, format!("You trust the folder (grant {}), and you agreed to the text as it is.", trust.id))
    } else {
        let reason = "You trust the folder (grant {}), but have not agreed to the text as it is now, so you are asked.";
        (Verdict::Ask, reason.replace("{}", &trust.id.to_string()))
    };
    Some(Finding { grant: Some(trust.id), ..Finding::new(name::INSTRUCTIONS, verdict, reason) })
}
