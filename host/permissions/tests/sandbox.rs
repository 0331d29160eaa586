//! Who may run commands, in a sandbox of this computer or in a machine of the task.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, id, plugin};
use deskhand_permissions::{
    Context, Duration, Scope, Standing, Verdict,
    effect::{Effect, RunInGuest, RunInSandbox, THIS_TASK},
};
use deskhand_vocabulary::{Action, Answer, Principal, manifest::PermissionKind};

/// All rights but that to run programs.
fn others_than_programs() -> Vec<PermissionKind> {
    PermissionKind::ALL.into_iter().filter(|kind| *kind != PermissionKind::ProgramsRun).collect()
}

#[test]
fn the_agent_may_once_the_person_allows_it_and_no_other_program_ever() {
    let world = World::new();
    let yes = Standing { yes: true, removals: 9 };
    let agent = Context::agent(world.task, yes);
    let others = [
        plugin(world.task, &others_than_programs()),
        Context::client(world.task, "editor".parse().unwrap(), yes),
        Context::of_server("git".parse().unwrap()),
    ];
    let judged = |context: &Context| {
        let judged = world.gate.judge(context, &Action::RunInSandbox).unwrap();
        (judged.verdict, judged.rule)
    };
    assert_eq!(judged(&agent), (Verdict::Deny, "sandbox"));
    assert_eq!(judged(&Context::person(None, Standing::default())), (Verdict::Allow, "person.command"));
    let grant = world.gate.grant(None, Scope::Sandbox, Duration::Always).unwrap();
    assert_eq!(judged(&agent), (Verdict::Allow, "sandbox"));
    for other in &others {
        assert_eq!(judged(other).0, Verdict::Deny, "{:?}", other.principal);
    }
    world.gate.revoke(grant.id).unwrap();
    assert_eq!(judged(&agent), (Verdict::Deny, "sandbox"));
}

#[test]
fn the_agent_may_in_a_guest_and_no_other_program_ever() {
    let world = World::new();
    let yes = Standing { yes: true, removals: 9 };
    let judged = |context: &Context| world.gate.judge(context, &Action::RunInGuest).unwrap();
    let agent = judged(&Context::agent(world.task, Standing::default()));
    assert_eq!((agent.verdict, agent.rule), (Verdict::Allow, "guest"));
    for other in [
        plugin(world.task, &others_than_programs()),
        Context::client(world.task, "editor".parse().unwrap(), yes),
        Context::of_server("git".parse().unwrap()),
    ] {
        assert_eq!(judged(&other).verdict, Verdict::Deny, "{:?}", other.principal);
    }
}

/// The place is allowed on the computer, the plugin on its own; neither stands for the other.
#[test]
fn a_plugin_with_the_right_is_asked_about_and_only_where_the_place_is_allowed() {
    let world = World::new();
    let right = plugin(world.task, &[PermissionKind::ProgramsRun]);
    let judged = |context: &Context, action: &Action| {
        let judged = world.gate.judge(context, action).unwrap();
        (judged.verdict, judged.rule)
    };
    assert_eq!(judged(&right, &Action::RunInSandbox), (Verdict::Deny, "sandbox"));
    assert_eq!(judged(&right, &Action::RunInGuest), (Verdict::Ask, "grant"));
    world.gate.grant(None, Scope::Sandbox, Duration::Always).unwrap();
    assert_eq!(judged(&right, &Action::RunInSandbox), (Verdict::Ask, "grant"));
    // nothing answers it in advance
    let yes = Context { standing: Standing { yes: true, removals: 9 }, ..right.clone() };
    assert_eq!(judged(&yes, &Action::RunInGuest), (Verdict::Ask, "grant"));

    // a yes to the programs of another is none to these
    world.gate.grant(None, Scope::Programs { plugin: id("acme:other") }, Duration::Always).unwrap();
    assert_eq!(judged(&right, &Action::RunInGuest), (Verdict::Ask, "grant"));
    let own = Scope::Programs { plugin: id("default:organize") };
    let grant = world.gate.grant(None, own, Duration::Always).unwrap();
    for action in [Action::RunInGuest, Action::RunInSandbox] {
        assert_eq!(judged(&right, &action), (Verdict::Allow, "grant"));
        // nor does it stand for the right
        assert_eq!(judged(&plugin(world.task, &others_than_programs()), &action), (Verdict::Deny, "plugin.rights"));
    }
    // nor for the place, nor for the agent in it
    world.gate.revoke(1).unwrap();
    assert_eq!(judged(&right, &Action::RunInSandbox), (Verdict::Deny, "sandbox"));
    let agent = Context::agent(world.task, Standing::default());
    assert_eq!(judged(&agent, &Action::RunInSandbox), (Verdict::Deny, "sandbox"));
    world.gate.revoke(grant.id).unwrap();
    assert_eq!(judged(&right, &Action::RunInGuest), (Verdict::Ask, "grant"));
}

#[test]
fn what_the_person_says_of_a_plugins_programs_holds_for_the_task() {
    let world = World::new();
    let right = plugin(world.task, &[PermissionKind::ProgramsRun]);
    world.answers([Ok(Answer::No)]);
    world.gate.permit(&right, RunInGuest::by(&right.principal)).unwrap_err();
    world.answers([Ok(Answer::Chosen(THIS_TASK.into()))]);
    for _ in 0..2 {
        let _ = world.gate.permit(&right, RunInGuest::by(&right.principal)).unwrap().redeem();
    }
    assert_eq!(world.asked(), ["choose", "choose"]);
    let said: Vec<_> = world.decisions();
    assert_eq!(
        said,
        [(false, "person.declined".to_owned()), (true, "person.approved".to_owned()), (true, "grant".to_owned())]
    );
    // the agent has no question: it is allowed or not
    for who in [Principal::Agent, Principal::Person] {
        assert!(RunInGuest::by(&who).question().is_none() && RunInSandbox::by(&who).question().is_none());
    }
}
