//! A client that is served may use what the person installed, in its own name, and nothing more without them.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, id};
use deskhand_permissions::{
    Context, Refused, Standing,
    effect::{CallTool, Connect, Effect, ReadFolder, RunCommand, StartAgent, UseSkill},
};
use deskhand_vocabulary::{Answer, Unanswered};

fn client(world: &World) -> Context {
    Context::client(world.task, "editor".parse().unwrap(), Standing::default())
}

fn decided<E: Effect>(world: &World, effect: E) -> String {
    match world.gate.permit(&client(world), effect) {
        Ok(permit) => {
            permit.redeem();
            world.decisions().pop().unwrap().1
        }
        Err(Refused::Denied { rule, .. }) => rule.to_owned(),
        Err(Refused::Declined) => "declined".to_owned(),
        Err(other) => other.to_string(),
    }
}

#[test]
fn what_is_installed_serves_it() {
    let world = World::new();
    let plugin = id("acme:other");
    assert_eq!(decided(&world, CallTool { plugin: plugin.clone(), tool: "helper".into() }), "installed");
    assert_eq!(decided(&world, RunCommand { plugin: plugin.clone(), command: "tidy".into() }), "installed");
    assert_eq!(decided(&world, UseSkill { plugin, skill: "how".into() }), "installed");
    assert!(world.asked().is_empty());
}

#[test]
fn nothing_else_is_its_own() {
    let world = World::new();
    world.answers([Ok(Answer::No), Err(Unanswered::Absent)]);
    assert_eq!(decided(&world, StartAgent { plugin: id("acme:other"), agent: "reader".into() }), "declined");
    assert!(decided(&world, Connect::to("example.com")).starts_with("nobody is there to be asked"));
    assert_eq!(decided(&world, ReadFolder { folder: "/home/me".into() }), "grant");
    assert_eq!(world.asked(), ["confirm", "choose"]);
}
