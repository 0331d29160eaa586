//! What instructs a model, by the trust of the person.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, id};
use deskhand_permissions::{
    Context, Duration, Gate, Refused, Scope, Standing,
    effect::{ALWAYS, FollowInstructions},
};
use deskhand_vocabulary::{Access, Answer, Unanswered};
use std::sync::Arc;

fn follow(gate: &Gate, context: &Context, folder: &str, text: &str) -> Result<(String, String), String> {
    match gate.permit(context, FollowInstructions::of(folder, &format!("{folder}/DESKHAND.md"), text, false)) {
        Ok(permit) => Ok(permit.redeem().into_text()),
        Err(Refused::Denied { rule, .. }) => Err(rule.to_owned()),
        Err(other) => Err(other.to_string().split(['.', ',']).next().unwrap_or_default().to_owned()),
    }
}

#[test]
fn a_text_takes_trust_in_its_folder_and_a_yes_to_itself() {
    let world = World::new();
    // nothing that was said in advance is a yes to it
    let agent = Context::agent(world.task, Standing { yes: true, removals: 9 });
    let gate = &world.gate;
    let denied = Err("instructions.trust".to_owned());
    let grant = |scope| gate.grant(None, scope, Duration::Always).unwrap();
    grant(Scope::Folder { folder: "/srv".into(), access: Access::Write });
    assert_eq!(follow(gate, &agent, "/srv/a", "Be brief."), denied);
    let trust = grant(Scope::Instructions { folder: "/srv".into() });
    world.answers([Err(Unanswered::Absent), Ok(Answer::Chosen("no".into())), Ok(Answer::Chosen(ALWAYS.into()))]);
    assert_eq!(follow(gate, &agent, "/srv/a", "Be brief."), Err("nobody is there to be asked".to_owned()));
    assert_eq!(follow(gate, &agent, "/srv/a", "Be brief."), Err("you declined".to_owned()));
    let followed = Ok(("/srv/a/DESKHAND.md".to_owned(), "Be brief.".to_owned()));
    assert_eq!(follow(gate, &agent, "/srv/a", "Be brief."), followed);
    assert_eq!(follow(gate, &agent, "/srv/a", "Be brief."), followed);
    assert_eq!(world.asked(), ["choose"; 3]);

    // another text, and the same text elsewhere, is another matter
    world.answers([Err(Unanswered::Absent), Err(Unanswered::Absent)]);
    assert!(follow(gate, &agent, "/srv/a", "Be rude.").is_err());
    assert!(follow(gate, &agent, "/srv/b", "Be brief.").is_err());
    assert_eq!(world.asked(), ["choose"; 2]);
    assert_eq!(follow(gate, &agent, "/srv2", "Be brief."), denied);

    // no plugin follows anything, and a text that was agreed to is nothing without the trust
    let plugin = Context::plugin(world.task, id("default:organize"), Arc::new([]), Standing::default());
    assert!(follow(gate, &plugin, "/srv/a", "Be brief.").is_err());
    gate.revoke(trust.id).unwrap();
    assert_eq!(follow(gate, &agent, "/srv/a", "Be brief."), denied);
}
