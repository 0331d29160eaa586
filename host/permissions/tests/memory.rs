//! What may be remembered, and when the person is asked.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, id};
use deskhand_permissions::{
    Context, Gate, Refused, Standing,
    effect::{ALWAYS, ForgetNote, Recall, Remember},
};
use deskhand_records::{Draft, NoteOrigin, NoteScope};
use deskhand_vocabulary::{
    Answer, Labels, Unanswered,
    manifest::{Permission, PermissionKind},
};

fn draft(labels: Labels) -> Draft {
    let origin = NoteOrigin::Model { model: "m".into() };
    Draft { text: "Ada pays.".parse().unwrap(), scope: NoteScope::All, origin, task: None, labels }
}

fn remember(gate: &Gate, context: &Context, labels: Labels) -> Result<(), String> {
    gate.permit(context, Remember::of(draft(labels))).map(|permit| drop(permit.redeem())).map_err(said)
}

fn said(refused: Refused) -> String {
    match refused {
        Refused::Denied { rule, .. } => rule.to_owned(),
        other => other.to_string().split(['.', ',']).next().unwrap_or_default().to_owned(),
    }
}

#[test]
fn others_words_are_remembered_with_a_yes_alone() {
    let world = World::new();
    // nothing that was said in advance is a yes to it
    let agent = Context::agent(world.task, Standing { yes: true, removals: 9 });
    let person = Context::person(None, Standing { yes: true, removals: 9 });
    let (own, read) = (Labels::default, Labels::of_what_was_read);
    assert_eq!(remember(&world.gate, &agent, own()), Ok(()));
    assert_eq!(remember(&world.gate, &person, own()), Ok(()));
    assert_eq!(world.asked(), [] as [&str; 0]);
    world.answers([
        Err(Unanswered::Absent),
        Ok(Answer::Chosen("no".into())),
        Ok(Answer::Chosen(ALWAYS.into())),
        Ok(Answer::Chosen(ALWAYS.into())),
        Ok(Answer::Chosen("no".into())),
    ]);
    assert_eq!(remember(&world.gate, &agent, read()), Err("nobody is there to be asked".to_owned()));
    assert_eq!(remember(&world.gate, &agent, read()), Err("you declined".to_owned()));
    assert_eq!(remember(&world.gate, &agent, read()), Ok(()));
    // a yes is for that note alone
    assert_eq!(remember(&world.gate, &agent, read()), Ok(()));
    assert_eq!(remember(&world.gate, &person, read()), Err("you declined".to_owned()));
    assert_eq!(world.asked(), ["choose"; 5]);
}

#[test]
fn a_plugin_needs_the_right() {
    let world = World::new();
    let with = |kind: Option<PermissionKind>| {
        let right = kind.map(|kind| Permission { kind, scope: vec![], reason: "to test".into() });
        Context::plugin(world.task, id("default:organize"), right.into_iter().collect(), Standing::default())
    };
    let (none, reads, keeps) =
        (with(None), with(Some(PermissionKind::MemoryRead)), with(Some(PermissionKind::MemoryKeep)));
    let recall = |context| {
        let permit = world.gate.permit(context, Recall).map_err(said)?;
        assert_eq!(permit.redeem(), Recall);
        Ok(())
    };
    let forget = |context| {
        let permit = world.gate.permit(context, ForgetNote { note: 1 }).map_err(said)?;
        assert_eq!(permit.redeem().note, 1);
        Ok(())
    };
    let denied = Err("plugin.rights".to_owned());
    assert_eq!([recall(&none), recall(&keeps), forget(&none), forget(&reads)], [(); 4].map(|()| denied.clone()));
    assert_eq!([recall(&reads), forget(&keeps)], [Ok(()), Ok(())]);
    for context in [&none, &reads] {
        assert_eq!(remember(&world.gate, context, Labels::of_what_was_read()), denied);
    }
    world.answers([Ok(Answer::Chosen(ALWAYS.into()))]);
    assert_eq!(remember(&world.gate, &keeps, Labels::of_what_was_read()), Ok(()));
    // the agent forgets nothing by itself
    let agent = Context::agent(world.task, Standing::default());
    assert_eq!(forget(&agent), Err("default".to_owned()));
    assert_eq!(recall(&agent), Ok(()));
}
