//! What a task works on goes to a model only where the person agreed to it.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, id};
use deskhand_permissions::{
    Context, Duration, Gate, Refused, Scope, Standing, Verdict,
    effect::{ALWAYS, Connect, SendToModel, THIS_TASK},
};
use deskhand_vocabulary::{Action, Answer, Principal, TaskId, Unanswered};
use serde_json::json;
use std::sync::Arc;

const HOST: &str = "api.example.com";

fn agent(task: TaskId) -> Context {
    Context::agent(task, Standing { yes: true, removals: 9 })
}

fn send(gate: &Gate, context: &Context, host: &str) -> Result<String, String> {
    match gate.permit(context, SendToModel::at(host)) {
        Ok(permit) => Ok(permit.redeem().host().to_owned()),
        Err(Refused::Denied { rule, .. }) => Err(rule.to_owned()),
        Err(other) => Err(other.to_string().split(['.', ',']).next().unwrap_or_default().to_owned()),
    }
}

fn scopes(world: &World) -> Vec<(Scope, Duration)> {
    world.gate.grants().unwrap().into_iter().map(|grant| (grant.scope, grant.duration)).collect()
}

#[test]
fn the_person_agrees_for_the_task() {
    let world = World::new();
    let other = world.records.start_task(json!({})).unwrap();
    world.answers([Ok(Answer::Chosen(THIS_TASK.into())), Ok(Answer::No)]);
    for _ in 0..3 {
        assert_eq!(send(&world.gate, &agent(world.task), "API.example.com"), Ok(HOST.to_owned()));
    }
    // asked once, although `--yes` was said: it does not cover this
    assert_eq!(scopes(&world), [(Scope::Model { host: HOST.into() }, Duration::Task(world.task))]);
    assert_eq!(send(&world.gate, &agent(other), HOST), Err("you declined".to_owned()));
    assert_eq!(world.asked(), ["choose", "choose"]);
    // that the person asks for the work is no consent
    world.answers([Ok(Answer::No)]);
    let person = Context::person(Some(other), Standing { yes: true, removals: 0 });
    assert_eq!(send(&world.gate, &person, HOST), Err("you declined".to_owned()));
    assert_eq!(world.asked(), ["choose"]);
    let decisions =
        [(true, "person.approved"), (true, "model.consent"), (false, "person.declined"), (false, "person.declined")];
    assert_eq!(world.decisions(), decisions.map(|(allowed, rule)| (allowed, rule.to_owned())));
}

#[test]
fn the_person_agrees_until_they_take_it_back() {
    let world = World::new();
    let other = world.records.start_task(json!({})).unwrap();
    world.answers([Ok(Answer::Chosen(ALWAYS.into()))]);
    assert_eq!(send(&world.gate, &agent(world.task), HOST), Ok(HOST.to_owned()));
    assert_eq!(send(&world.gate, &agent(other), HOST), Ok(HOST.to_owned()));
    let grant = world.gate.revoke(1).unwrap();
    assert_eq!(grant.scope.to_string(), "send what tasks work on to the model at api.example.com");
    world.answers([Err(Unanswered::Absent)]);
    assert_eq!(send(&world.gate, &agent(other), HOST), Err("nobody is there to be asked".to_owned()));
    assert_eq!(world.asked(), ["choose", "choose"]);
}

#[test]
fn a_server_on_this_computer_needs_no_consent() {
    let world = World::new();
    for host in ["localhost", "127.0.0.1", "127.8.0.1", "::1"] {
        assert_eq!(send(&world.gate, &agent(world.task), host), Ok(host.to_owned()));
    }
    assert!(world.decisions().iter().all(|decision| *decision == (true, "local".to_owned())));
    // a name that only begins so is somebody else's, and so is the next computer
    for host in ["localhost.example.com", "192.168.0.7", "127.0.0.1.example.com"] {
        world.answers([Ok(Answer::No)]);
        assert_eq!(send(&world.gate, &agent(world.task), host), Err("you declined".to_owned()));
    }
}

#[test]
fn other_grants_are_no_consent_and_consent_is_no_other_grant() {
    let world = World::new();
    world.gate.grant(None, Scope::Host { host: HOST.into() }, Duration::Always).unwrap();
    world.gate.grant(None, Scope::Model { host: "other.example.com".into() }, Duration::Always).unwrap();
    world.answers([Ok(Answer::No)]);
    assert_eq!(send(&world.gate, &agent(world.task), HOST), Err("you declined".to_owned()));
    world.answers([Ok(Answer::No)]);
    let connect = world.gate.permit(&agent(world.task), Connect::to("other.example.com"));
    assert!(matches!(connect, Err(Refused::Declined)), "{connect:?}");
    // a plugin cannot have it at all
    let plugin = Context::plugin(world.task, id("default:organize"), Arc::new([]), Standing::default());
    world.gate.grant(None, Scope::Model { host: HOST.into() }, Duration::Always).unwrap();
    assert_eq!(send(&world.gate, &plugin, HOST), Err("plugin.rights".to_owned()));
}

#[test]
fn why_says_what_can_be_done() {
    let world = World::new();
    let context =
        Context { task: None, principal: Principal::Agent, rights: Arc::new([]), standing: Standing::default() };
    let action = Action::SendToModel { host: HOST.into(), local: false };
    let why = world.gate.explain(&context, &action).unwrap();
    assert_eq!(
        why.to_string(),
        "The agent may, if you agree when you are asked, send what a task works on to the model at api.example.com.\n  \
         You have not agreed yet that what the task works on goes there, so you are asked. (rule `model.consent`)\n\
         Agree in advance: `deskhand model allow NAME`.\n"
    );
    world.gate.grant(None, Scope::Model { host: HOST.into() }, Duration::Always).unwrap();
    let why = world.gate.explain(&context, &action).unwrap();
    assert_eq!((why.judgement.verdict, why.judgement.rule), (Verdict::Allow, "model.consent"));
    assert_eq!(why.advice, ["Take the grant back: `deskhand revoke 1`."]);
}
