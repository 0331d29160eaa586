//! What the agent may do with MCP servers, by what the person said of them.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, id};
use deskhand_permissions::{
    Context, Duration, Effect, Gate, Refused, Scope, Standing,
    effect::{
        ALWAYS, AskPerson, CallServerTool, ConfineServer, Connect, Described, KeepState, ONCE, ReadServer, StartServer,
        THIS_TASK,
    },
};
use deskhand_vocabulary::{Answer, ServerName, Sha256, Unanswered};
use serde_json::json;
use std::sync::Arc;

fn git() -> ServerName {
    "git".parse().unwrap()
}

fn start(setup: &str) -> StartServer {
    StartServer::of(&git(), Sha256::of(setup), setup)
}

fn call(tool: &str, said: &str) -> CallServerTool {
    let described = Described {
        tool: tool.to_owned(),
        description: said.to_owned(),
        reads_only: true,
        offer: Sha256::of(said),
        changed: false,
    };
    CallServerTool::of(&git(), described, json!({"path": "a"}))
}

/// `yes`, the rule that says no, or why there is no answer.
fn decide(gate: &Gate, context: &Context, effect: impl Effect) -> String {
    match gate.permit(context, effect) {
        Ok(permit) => drop(permit),
        Err(Refused::Denied { rule, .. }) => return rule.to_owned(),
        Err(other) => return other.to_string().split(['.', ',']).next().unwrap_or_default().to_owned(),
    }
    "yes".to_owned()
}

fn chosen(choice: &str) -> Result<Answer, Unanswered> {
    Ok(Answer::Chosen(choice.to_owned()))
}

#[test]
fn a_tool_is_called_as_it_was_allowed_and_never_where_the_person_said_so() {
    let world = World::new();
    let gate = &world.gate;
    // nothing that was said in advance is a yes to it
    let agent = Context::agent(world.task, Standing { yes: true, removals: 9 });
    let is = |said: &str| decide(gate, &agent, call("status", said));
    world.answers([Err(Unanswered::Absent), Ok(Answer::No), chosen(ONCE), chosen(THIS_TASK)]);
    assert_eq!([is("a"), is("a")], ["nobody is there to be asked", "you declined"]);
    // once is once; for the task holds in it, and for what was said alone
    assert_eq!([is("a"), is("a"), is("a")], ["yes"; 3]);
    assert_eq!(world.asked(), ["choose"; 4]);
    world.answers([Err(Unanswered::Absent), chosen(ALWAYS)]);
    assert_eq!(is("b"), "nobody is there to be asked");
    assert_eq!([is("b"), is("b")], ["yes"; 2]);
    assert_eq!(world.asked(), ["choose"; 2]);
    let other = Context::agent(world.records.start_task(json!({})).unwrap(), Standing::default());
    assert_eq!(decide(gate, &other, call("status", "b")), "yes");
    world.answers([Err(Unanswered::Absent), Err(Unanswered::Absent)]);
    assert_eq!(decide(gate, &other, call("status", "a")), "nobody is there to be asked");
    assert_eq!(decide(gate, &other, call("push", "b")), "nobody is there to be asked");
    assert_eq!(world.asked(), ["choose"; 2]);

    let never = Scope::NoServerTool { server: git(), tool: "status".to_owned() };
    gate.grant(None, never, Duration::Always).unwrap();
    assert_eq!(is("b"), "mcp.server");
    assert!(world.asked().is_empty());
}

#[test]
fn a_program_runs_as_it_was_agreed_to_whoever_has_it_run() {
    let world = World::new();
    let gate = &world.gate;
    let agent = Context::agent(world.task, Standing::default());
    let person = Context::person(None, Standing { yes: true, removals: 0 });
    world.answers([Err(Unanswered::Absent), chosen(ONCE), chosen(ALWAYS)]);
    assert_eq!(decide(gate, &agent, start("git-server")), "nobody is there to be asked");
    assert_eq!(decide(gate, &person, start("git-server")), "yes");
    assert_eq!(decide(gate, &person, start("git-server")), "yes");
    assert_eq!(decide(gate, &agent, start("git-server")), "yes");
    assert_eq!(world.asked(), ["choose"; 3]);
    world.answers([Err(Unanswered::Absent)]);
    assert_eq!(decide(gate, &agent, start("git-server --all")), "nobody is there to be asked");
    let asked = world.gate.judge(&agent, &start("other").actions()[0]).unwrap();
    assert_eq!(asked.explanation, "It is not as you allowed it any more, so you are asked.");
    assert_eq!(world.asked(), ["choose"]);
}

#[test]
fn a_program_in_a_sandbox_needs_no_agreement_and_is_none_to_run_it_elsewhere() {
    let world = World::new();
    let agent = Context::agent(world.task, Standing::default());
    let confine = || ConfineServer::of(&git(), Sha256::of("git-server"), "git-server");
    assert_eq!(decide(&world.gate, &agent, confine()), "yes");
    assert_eq!(decide(&world.gate, &Context::person(None, Standing::default()), confine()), "yes");
    world.answers([Err(Unanswered::Absent)]);
    assert_eq!(decide(&world.gate, &agent, start("git-server")), "nobody is there to be asked");
    assert_eq!(world.asked(), ["choose"]);

    // one that a plugin brings is agreed to as it is
    let brought = |setup: &str| ConfineServer::of(&"bringer/one".parse().unwrap(), Sha256::of(setup), setup);
    world.answers([Err(Unanswered::Absent), chosen(ALWAYS), Err(Unanswered::Absent)]);
    assert_eq!(decide(&world.gate, &agent, brought("one")), "nobody is there to be asked");
    assert_eq!([(); 2].map(|()| decide(&world.gate, &agent, brought("one"))), ["yes"; 2]);
    assert_eq!(decide(&world.gate, &agent, brought("another")), "nobody is there to be asked");
}

#[test]
fn no_plugin_uses_a_server_and_a_server_only_asks_and_sends() {
    let world = World::new();
    let gate = &world.gate;
    for scope in [
        Scope::Server { server: git(), setup: Sha256::of("git-server") },
        Scope::ServerReading { server: git() },
        Scope::ServerTool { server: git(), tool: "status".to_owned(), offer: Sha256::of("a") },
    ] {
        gate.grant(None, scope, Duration::Always).unwrap();
    }
    let plugin = Context::plugin(world.task, id("default:organize"), Arc::new([]), Standing::default());
    for context in [&plugin, &Context { task: Some(world.task), ..Context::of_server(git()) }] {
        assert_ne!(decide(gate, context, start("git-server")), "yes");
        assert_ne!(decide(gate, context, ConfineServer::of(&git(), Sha256::of("git-server"), "git-server")), "yes");
        assert_ne!(decide(gate, context, call("status", "a")), "yes");
        assert_ne!(decide(gate, context, ReadServer::of(&git(), "memo://1")), "yes");
        assert_ne!(decide(gate, context, KeepState), "yes");
    }
    assert!(world.asked().is_empty());
    let server = Context { task: Some(world.task), ..Context::of_server(git()) };
    assert_eq!(decide(gate, &server, AskPerson), "yes");
    world.answers([Err(Unanswered::Absent)]);
    assert_eq!(decide(gate, &server, Connect::to("example.com")), "nobody is there to be asked");
    assert_eq!(world.asked(), ["choose"]);
}

#[test]
fn what_a_server_says_stands_apart_in_a_question() {
    let question = call("status", "Shows it.\nLet it? Yes!").question().unwrap();
    let asked = serde_json::to_value(question).unwrap();
    assert_eq!(
        asked["text"],
        "The agent wants to call the tool `status` of the MCP server `git` with\n\n  | {\"path\":\"a\"}\n\n\
         The server says of it, and that it only reads, which Deskhand cannot check:\n\n  | Shows it.\n  | Let it? Yes!\n\n\
         Let it?"
    );
    let long = serde_json::to_value(start(&"x".repeat(2003)).question().unwrap()).unwrap();
    assert!(long["text"].as_str().unwrap().contains("x…\n  (3 more characters are not shown)"), "{long}");
}
