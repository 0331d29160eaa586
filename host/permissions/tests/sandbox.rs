//! Who may run commands, in a sandbox of this computer or in a machine of the task.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, plugin};
use deskhand_permissions::{Context, Duration, Scope, Standing, Verdict};
use deskhand_vocabulary::{Action, manifest::PermissionKind};

#[test]
fn the_agent_may_once_the_person_allows_it_and_nobody_else_ever() {
    let world = World::new();
    let yes = Standing { yes: true, removals: 9 };
    let agent = Context::agent(world.task, yes);
    let others = [
        plugin(world.task, &PermissionKind::ALL),
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
fn the_agent_may_in_a_guest_and_nobody_else_ever() {
    let world = World::new();
    let yes = Standing { yes: true, removals: 9 };
    let judged = |context: &Context| world.gate.judge(context, &Action::RunInGuest).unwrap();
    let agent = judged(&Context::agent(world.task, Standing::default()));
    assert_eq!((agent.verdict, agent.rule), (Verdict::Allow, "guest"));
    for other in [
        plugin(world.task, &PermissionKind::ALL),
        Context::client(world.task, "editor".parse().unwrap(), yes),
        Context::of_server("git".parse().unwrap()),
    ] {
        assert_eq!(judged(&other).verdict, Verdict::Deny, "{:?}", other.principal);
    }
}
