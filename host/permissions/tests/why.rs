//! `deskhand why`, and the page of the documentation that is made from the same table.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, id};
use deskhand_permissions::{
    Context, Duration, Kind, NotAnAction, Scope, Standing, Verdict, parse_action, parse_action_of, words,
};
use deskhand_vocabulary::{Access, Action, manifest::PermissionKind, path::encode};
use std::{os::unix::ffi::OsStrExt as _, path::Path};

fn said(words: &str) -> Vec<String> {
    words.split_whitespace().map(str::to_owned).collect()
}

fn read(text: &str) -> Result<Action, NotAnAction> {
    parse_action_of(&said(text), Path::new("/nowhere"), |_, name| match name {
        "organize" => vec![id("default:organize")],
        "sort" => vec![id("default:sort"), id("acme:sort")],
        _ => vec![],
    })
}

#[test]
fn every_row_is_read_from_its_verb_and_its_name_and_put_into_words() {
    let cases = [
        ("read inbox", "folder.read /nowhere/inbox", "read /nowhere/inbox"),
        ("change /nowhere/a/../b", "folder.change /nowhere/b", "change /nowhere/b"),
        ("remove /nowhere", "folder.remove /nowhere", "remove files from /nowhere"),
        ("arm /nowhere", "folder.sensitive /nowhere", "put something that can run by itself into /nowhere"),
        ("follow /srv", "instructions.follow /srv", "follow the instructions in /srv"),
        ("run organize", "command.run default:organize/organize", "run the command default:organize/organize"),
        ("run /organize", "command.run default:organize/organize", "run the command default:organize/organize"),
        ("call acme:x/tidy", "tool.call acme:x/tidy", "call the tool acme:x/tidy"),
        ("list default:organize", "tools.list default:organize", "ask default:organize which tools it has"),
        ("use acme:x/tidy", "skill.use acme:x/tidy", "take up the skill acme:x/tidy"),
        ("delegate acme:x/tidy", "agent.start acme:x/tidy", "give work to the sub-agent acme:x/tidy"),
        ("extract acme:x", "document.extract acme:x", "have acme:x turn documents into text"),
        ("start git", "mcp.start git", "run the MCP server git"),
        ("confine git", "mcp.confine git", "run the MCP server git in a sandbox"),
        ("invoke git/git_status", "mcp.call git/git_status", "call the MCP tool git/git_status"),
        ("consult git", "mcp.read git", "read what the MCP server git has"),
        ("execute", "sandbox.run", "run commands and code in a sandbox of this computer"),
        ("compute", "guest.run", "run commands and code in a virtual machine of the task"),
        ("sign-in acme:x/key", "credential.use acme:x/key", "send the credential acme:x/key"),
        ("think", "model.use", "let your model work for it"),
        ("connect API.example.com", "host.connect api.example.com", "send data to api.example.com"),
        (
            "send API.example.com",
            "model.send api.example.com",
            "send what a task works on to the model at api.example.com",
        ),
        ("ask", "person.ask", "ask you questions"),
        ("keep", "state.keep", "keep notes of its own on this computer"),
        ("remember", "memory.keep", "keep a note that later tasks are told"),
        ("recall", "memory.read", "look for notes that are kept"),
        ("forget", "memory.forget", "forget a note of its own"),
        ("install default:organize", "plugin.install default:organize", "install default:organize"),
        ("trust /srv/market", "marketplace.add /srv/market", "trust the marketplace /srv/market"),
    ];
    for (verb, name, expected) in cases {
        let action = read(verb).unwrap();
        assert_eq!(words(&action), expected);
        assert_eq!(read(name).unwrap(), action);
    }
    let mut seen: Vec<_> = cases.iter().map(|(verb, ..)| Kind::of(&read(verb).unwrap())).collect();
    seen.dedup();
    assert_eq!(seen, Kind::ALL);
    let mut names: Vec<_> = Kind::ALL.iter().flat_map(|kind| [kind.row().name, kind.row().verb]).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), 2 * Kind::ALL.len(), "no name stands twice");
}

#[test]
fn words_that_are_no_action_say_what_would_be() {
    let refused = |text: &str| read(text).unwrap_err().to_string();
    assert_eq!(
        refused("delete /"),
        "`delete` is nothing that Deskhand decides about. It decides about: read, change, remove, arm, follow, run, call, list, use, \
         delegate, extract, start, confine, invoke, consult, execute, compute, sign-in, think, connect, send, ask, keep, remember, recall, forget, install, trust"
    );
    assert_eq!(refused("read"), "`read` takes a folder, such as `deskhand why read ~/Downloads`");
    assert_eq!(refused("ask me"), "`ask` takes nothing more, such as `deskhand why ask`");
    assert_eq!(refused("run sort"), "several plugins have `sort`. Say which one: default:sort/sort, acme:sort/sort");
    assert!(refused("run nothing").starts_with("no installed plugin has `nothing`"), "{}", refused("run nothing"));
    assert!(refused("install organize").contains("MARKETPLACE:PLUGIN"), "{}", refused("install organize"));
    assert!(refused("\u{1b}[2J").starts_with("`\\u{1b}[2J` is nothing"), "{}", refused("\u{1b}[2J"));
    assert!(matches!(parse_action(&said("run organize"), Path::new("/")), Err(NotAnAction::Nobody(_))));
    assert!(matches!(parse_action(&[], Path::new("/")), Err(NotAnAction::Verb { .. })));
}

#[test]
fn a_name_cannot_steer_the_terminal() {
    let action = Action::ReadFolder { folder: "/a\u{1b}]0;x\u{7}\u{202e}b\nc".into() };
    assert_eq!(words(&action), "read /a\\u{1b}]0;x\\u{7}\\u{202e}b\\u{a}c");
}

#[test]
fn an_explanation_names_every_rule_and_what_can_be_done() {
    let world = World::new();
    let change = read("change /srv/inbox").unwrap();
    let explain = |context: &Context| world.gate.explain(context, &change).unwrap().to_string();
    let organize = world.plugin(&[PermissionKind::FilesChange]);
    assert_eq!(
        explain(&organize),
        "default:organize may not change /srv/inbox.\n\
         \x20 You have not granted the folder to this task. (rule `grant`)\n\
         Looked at, the strictest holds:\n\
         \x20 yes plugin.rights   default:organize declares the right `files.change`, which you agreed to.\n\
         \x20 no  grant           You have not granted the folder to this task.\n\
         \x20 ask approval        You are shown it first and asked each time.\n\
         Grant it for one task: `deskhand run --folder '/srv/inbox' …`.\n\
         Keep the grant: `deskhand run --folder '/srv/inbox' --always …`.\n"
    );
    let person = Context::person(None, Standing::default());
    assert_eq!(
        explain(&person),
        "You may, if you agree when you are asked, change /srv/inbox.\n\
         \x20 You are shown it first and asked each time. (rule `approval`)\n\
         Looked at, the strictest holds:\n\
         \x20 yes person.command  You ask for it yourself.\n\
         \x20 ask approval        You are shown it first and asked each time.\n\
         No grant lets a plugin do it.\n\
         Answer in advance: `deskhand run --yes …`.\n"
    );
    let scope = Scope::Folder { folder: "/srv".into(), access: Access::Write };
    world.gate.grant(None, scope, Duration::Always).unwrap();
    assert_eq!(
        explain(&organize),
        "default:organize may, if you agree when you are asked, change /srv/inbox.\n\
         \x20 You are shown it first and asked each time. (rule `approval`)\n\
         Looked at, the strictest holds:\n\
         \x20 yes plugin.rights   default:organize declares the right `files.change`, which you agreed to.\n\
         \x20 yes grant           You granted it until you revoke it (grant 1).\n\
         \x20 ask approval        You are shown it first and asked each time.\n\
         Answer in advance: `deskhand run --yes …`.\n\
         Take the grant back: `deskhand revoke 1`.\n"
    );
    assert!(
        explain(&person).contains(
            "Plugins that declare the right may propose it by grant 1 (always); you are asked all the same.\n"
        ),
        "{}",
        explain(&person)
    );
    // and where nobody is let in, no grant is said to help
    let written = |path: &Path| encode(path.canonicalize().unwrap().as_os_str().as_bytes());
    let scope = Scope::Folder { folder: written(world.folder.path()), access: Access::Write };
    world.gate.grant(None, scope, Duration::Always).unwrap();
    let own = Action::ReadFolder { folder: written(&world.home.data) };
    let explained = world.gate.explain(&person, &own).unwrap();
    assert_eq!((explained.judgement.verdict, explained.notes), (Verdict::Deny, vec![]));
    let json = serde_json::to_value(world.gate.explain(&organize, &change).unwrap()).unwrap();
    assert_eq!(json["judgement"]["verdict"], "ask");
    assert_eq!(json["findings"][1]["grant"], 1);
}

#[test]
fn the_documentation_shows_the_table_that_decides() {
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/permissions.md")).unwrap();
    let table = deskhand_permissions::table::markdown();
    assert!(page.contains(&table), "docs/permissions.md must hold this table:\n\n{table}");
    for kind in PermissionKind::ALL {
        assert!(
            page.contains(&format!("| `{}` | {} |", kind.name(), kind.words())),
            "docs/permissions.md lacks {kind:?}"
        );
    }
}
