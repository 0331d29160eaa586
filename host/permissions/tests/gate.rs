//! What the gate allows, asks and refuses, and what it leaves on the record.
#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{World, change, id, plan, plugin, right};
use deskhand_permissions::{
    Context, Duration, Folders, Grant, GrantError, Refused, Scope, Standing, Verdict,
    effect::{
        AddMarketplace, ApplyPlan, AskPerson, CallTool, ChangeSensitive, InstallPlugin, KeepState, NotAPlan,
        OpenFolder, ReadFolder, RemoveFiles, RunCommand, UseModel,
    },
};
use deskhand_records::{Recorded, RecordsError, Verification};
use deskhand_vocabulary::{
    Access, Action, Answer, ChangeKind, Event, Sha256, Unanswered,
    manifest::{Permission, PermissionKind},
};
use std::{collections::BTreeMap, os::unix::ffi::OsStrExt as _, path::Path};

fn text(path: &Path) -> String {
    deskhand_vocabulary::path::encode(path.as_os_str().as_bytes())
}

fn folder(path: &Path, access: Access) -> Scope {
    Scope::Folder { folder: text(path), access }
}

fn folders(path: &Path) -> Folders {
    BTreeMap::from([("inbox".parse().unwrap(), text(path))])
}

/// The rule of a refusal by rule.
fn denied<T: std::fmt::Debug>(outcome: Result<T, Refused>) -> &'static str {
    match outcome {
        Err(Refused::Denied { rule, .. }) => rule,
        other => panic!("expected a refusal by rule: {other:?}"),
    }
}

const ALL: &[PermissionKind] = &PermissionKind::ALL;

#[test]
fn a_plugin_reads_what_is_granted_and_what_lies_below_it_and_nothing_else() {
    let world = World::new();
    let inbox = world.place("inbox");
    let read = |context: &Context, path: &Path| {
        world.gate.permit(context, ReadFolder { folder: text(path) }).map(|permit| permit.redeem())
    };
    let context = world.plugin(&[PermissionKind::FilesRead]);
    assert_eq!(denied(read(&context, &inbox)), "grant");
    world.gate.grant(Some(world.task), folder(&inbox, Access::Read), Duration::Task(world.task)).unwrap();
    read(&context, &inbox).unwrap();
    read(&context, &inbox.join("deeper/still")).unwrap();
    assert_eq!(denied(read(&context, &inbox.with_file_name("inbox2"))), "grant");
    assert_eq!(denied(read(&context, inbox.parent().unwrap())), "grant");
    assert_eq!(denied(read(&context, &inbox.join("../other"))), "home", "a path that is not plain is not judged");
    assert_eq!(denied(read(&world.plugin(&[PermissionKind::FilesChange]), &inbox)), "plugin.rights");
    let other = world.records.start_task(serde_json::json!({})).unwrap();
    assert_eq!(denied(read(&plugin(other, ALL), &inbox)), "grant", "the grant is for the other task");
    assert_eq!(world.asked(), [""; 0]);
}

#[test]
fn a_refusal_says_what_why_and_what_next() {
    let world = World::new();
    let refused =
        |context: &Context| world.gate.permit(context, ReadFolder { folder: "/srv".into() }).unwrap_err().to_string();
    assert_eq!(
        refused(&world.plugin(ALL)),
        "not allowed (rule `grant`): You have not granted the folder to this task. `deskhand why` tells what can be done"
    );
    assert_eq!(
        refused(&world.plugin(&[])),
        "not allowed (rule `plugin.rights`): default:organize does not declare the right `files.read` for it. \
         `deskhand why` tells what can be done"
    );
    assert_eq!(
        Refused::Unanswered(Unanswered::Absent).to_string(),
        "nobody is there to be asked, and nothing was done. Run it in a terminal, or answer in advance (`--yes`; \
         for removals `--allow-removals N`, for a folder `--folder`, for a host `--host`)"
    );
    assert_eq!(Refused::Unanswered(Unanswered::Stopped).to_string(), "stopped by you, and nothing was done");
}

#[test]
fn two_texts_of_one_path_are_one_folder() {
    let world = World::new();
    let read = |folder: &str| {
        world.gate.permit(&world.plugin(ALL), ReadFolder { folder: folder.into() }).map(|permit| permit.redeem())
    };
    // U+F761 is the byte `a` written as a byte, and U+F72F is `/`
    let odd = Scope::Folder { folder: "/srv\u{f72f}\u{f761}b//".into(), access: Access::Read };
    let granted = world.gate.grant(None, odd, Duration::Always).unwrap();
    assert_eq!(granted.scope, Scope::Folder { folder: "/srv/ab".into(), access: Access::Read });
    for same in ["/srv/ab", "/srv/ab/", "/srv/\u{f761}b/c", "/srv/ab\u{f72f}c"] {
        read(same).unwrap();
    }
    for other in ["/srv/abc", "/srv/a", "/srv", "/srv/ab/\u{f72e}\u{f72e}/x", ""] {
        denied(read(other));
    }
}

#[test]
fn a_decision_that_stands_is_recorded_once_until_it_turns_out_differently() {
    let world = World::new();
    let inbox = world.place("inbox");
    let context = world.plugin(ALL);
    let read = || world.gate.permit(&context, ReadFolder { folder: text(&inbox) });
    denied(read());
    denied(read());
    let Grant { id, .. } = world.gate.grant(Some(world.task), folder(&inbox, Access::Read), Duration::Always).unwrap();
    drop((read().unwrap(), read().unwrap()));
    world.gate.revoke(id).unwrap();
    denied(read());
    let grant = |allowed| (allowed, "grant".to_owned());
    assert_eq!(world.decisions(), [grant(false), grant(true), grant(false)]);
    let decided = |allowed| {
        let (principal, action) = (context.principal.clone(), Action::ReadFolder { folder: text(&inbox) });
        (Some(world.task), Event::Decided { principal, action, allowed, rule: "grant".into() })
    };
    let events = world.events().into_iter().map(|recorded| (recorded.task, recorded.event));
    let decisions: Vec<_> = events.filter(|(_, event)| matches!(event, Event::Decided { .. })).collect();
    assert_eq!(decisions, [decided(false), decided(true), decided(false)]);
}

#[test]
fn what_only_computes_begins_meanwhile_and_an_effect_waits_for_all_that_was_decided() {
    let world = World::new();
    let context = world.plugin(ALL);
    drop(world.gate.permit(&context, KeepState).unwrap());
    assert!(world.gate.permit_again(&context, KeepState).is_some());

    // whoever writes the record is held up after what it has just written
    let (written, held) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let listening = world.records.subscribe(move |_| {
        let _ = written.send(());
        let _ = released.recv();
    });
    drop(world.gate.permit(&context, AskPerson).unwrap());
    held.recv().unwrap();
    drop(world.gate.permit(&context, UseModel).unwrap());
    let pure = |recorded: &[Recorded]| recorded.iter().filter(|one| is_pure(&one.event)).count();
    assert_eq!(pure(&world.on_disk()), 1);
    drop(world.gate.permit(&context, UseModel).unwrap());
    assert!(world.gate.permit_again(&context, KeepState).is_none(), "the second is not on record yet");
    std::thread::scope(|threads| {
        let effect = threads.spawn(|| {
            drop(world.gate.permit(&context, KeepState).unwrap());
            pure(&world.on_disk())
        });
        drop(release);
        assert_eq!(effect.join().unwrap(), 2);
    });
    assert!(world.gate.permit_again(&context, KeepState).is_some());
    drop(listening);
}

fn is_pure(event: &Event) -> bool {
    matches!(event, Event::Decided { action: Action::AskPerson | Action::UseModel, allowed: true, .. })
}

#[test]
fn another_process_revokes_and_the_next_call_is_refused() {
    let world = World::new();
    let inbox = world.place("inbox");
    let context = world.plugin(ALL);
    let grant = world.gate.grant(None, folder(&inbox, Access::Read), Duration::Always).unwrap();
    let read = || world.gate.permit(&context, ReadFolder { folder: text(&inbox) }).map(|permit| permit.redeem());
    read().unwrap();
    let other =
        deskhand_records::Records::open(world.records.path(), std::sync::Arc::new(deskhand_vocabulary::SystemClock))
            .unwrap();
    assert_eq!(other.revoke(grant.id).unwrap(), grant);
    denied(read());
    other.grant(None, folder(&inbox, Access::Read), Duration::Always).unwrap();
    read().unwrap();
}

#[test]
fn applying_a_plan_takes_rights_a_grant_for_changes_and_a_yes() {
    let world = World::new();
    let inbox = world.place("inbox");
    let changes = plan(vec![change(1, ChangeKind::Move, Some("inbox/a"), Some("inbox/b"))]);
    let apply = |context: &Context| {
        world
            .gate
            .permit(context, ApplyPlan::of(changes.clone(), &folders(&inbox)).unwrap())
            .map(|permit| permit.redeem().plan().digest)
    };
    let context = world.plugin(&[PermissionKind::FilesRead, PermissionKind::FilesChange]);
    let yes = Context { standing: Standing { yes: true, removals: 9 }, ..context.clone() };
    assert_eq!(denied(apply(&yes)), "grant", "nothing is granted");
    world.gate.grant(None, folder(&inbox, Access::Read), Duration::Always).unwrap();
    assert_eq!(denied(apply(&yes)), "grant", "granted for reading only");
    world.gate.grant(None, folder(&inbox, Access::Write), Duration::Always).unwrap();
    assert_eq!(denied(apply(&world.plugin(&[PermissionKind::FilesRead]))), "plugin.rights");
    assert_eq!(world.asked(), [""; 0]);

    world.answers([Ok(Answer::Yes)]);
    assert_eq!(apply(&context).unwrap(), changes.digest);
    assert_eq!(world.asked(), ["apply"]);
    world.answers([Ok(Answer::No), Ok(Answer::Edited("mv".into())), Err(Unanswered::Absent), Err(Unanswered::Stopped)]);
    assert!(matches!(apply(&context), Err(Refused::Declined)));
    assert!(matches!(apply(&context), Err(Refused::Edited(text)) if text == "mv"));
    assert!(matches!(apply(&context), Err(Refused::Unanswered(Unanswered::Absent))));
    assert!(matches!(apply(&context), Err(Refused::Unanswered(Unanswered::Stopped))));
    world.asked();
    apply(&yes).unwrap();
    assert_eq!(world.asked(), [""; 0]);
    let rules: Vec<_> = world.decisions().into_iter().skip(3).collect();
    let expected = [
        (true, "person.approved"),
        (false, "person.declined"),
        (false, "person.edited"),
        (false, "person.absent"),
        (false, "person.stopped"),
        (true, "approval.yes"),
    ];
    assert_eq!(rules, expected.map(|(allowed, rule)| (allowed, rule.to_owned())));
}

#[test]
fn removals_are_asked_about_whatever_is_granted_and_the_allowance_is_for_all_of_them_together() {
    let world = World::new();
    let inbox = world.place("inbox");
    world.gate.grant(None, folder(&inbox, Access::Write), Duration::Always).unwrap();
    let mut large = change(2, ChangeKind::Remove, Some("inbox/old"), None);
    large.files = 3;
    let changes = plan(vec![change(1, ChangeKind::Remove, Some("inbox/a"), None), large]);
    let remove = |standing: Standing| {
        let effect = RemoveFiles::of(changes.clone(), &folders(&inbox)).unwrap();
        assert_eq!(effect.count(), 4);
        world.gate.permit(&Context { standing, ..world.plugin(ALL) }, effect).map(|permit| permit.redeem().count())
    };
    world.answers([Ok(Answer::Yes), Ok(Answer::No)]);
    assert_eq!(remove(Standing { yes: true, removals: 0 }).unwrap(), 4);
    assert!(matches!(remove(Standing { yes: true, removals: 3 }), Err(Refused::Declined)), "three are not four");
    assert_eq!(world.asked(), ["remove", "remove"]);
    // ten are allowed in advance: four, and four more, and then the rest is too little
    let ten = Standing { yes: false, removals: 10 };
    remove(ten).unwrap();
    remove(ten).unwrap();
    world.answers([Err(Unanswered::Absent)]);
    assert!(matches!(remove(ten), Err(Refused::Unanswered(Unanswered::Absent))));
    assert_eq!(world.asked(), ["remove"]);
    let rules: Vec<_> = world.decisions().into_iter().map(|(_, rule)| rule).collect();
    assert_eq!(
        rules,
        ["person.approved", "person.declined", "approval.removals", "approval.removals", "person.absent"]
    );
}

#[test]
fn what_can_make_something_run_is_always_asked() {
    let world = World::new();
    let inbox = world.place("inbox");
    world.gate.grant(None, folder(&inbox, Access::Write), Duration::Always).unwrap();
    let mut hook = change(1, ChangeKind::Write, None, Some("inbox/.git/hooks/post-commit"));
    hook.sensitive = Some("git runs it".into());
    let effect = || ChangeSensitive::of(plan(vec![hook.clone()]), &folders(&inbox)).unwrap();
    let context = Context { standing: Standing { yes: true, removals: 9 }, ..world.plugin(ALL) };
    world.answers([Err(Unanswered::Absent), Ok(Answer::Yes)]);
    assert!(matches!(world.gate.permit(&context, effect()), Err(Refused::Unanswered(_))));
    let _ = world.gate.permit(&context, effect()).unwrap();
    assert_eq!(world.asked(), ["sensitive", "sensitive"]);
}

#[test]
fn a_plan_over_folders_is_judged_in_each_of_them() {
    let world = World::new();
    let (one, two) = (world.place("one"), world.place("two"));
    let both: Folders = BTreeMap::from([("one".parse().unwrap(), text(&one)), ("two".parse().unwrap(), text(&two))]);
    let across = plan(vec![change(1, ChangeKind::Move, Some("one/a"), Some("two/a"))]);
    let apply = || {
        let context = Context { standing: Standing { yes: true, removals: 0 }, ..world.plugin(ALL) };
        world.gate.permit(&context, ApplyPlan::of(across.clone(), &both).unwrap()).map(|permit| permit.redeem())
    };
    world.gate.grant(None, folder(&one, Access::Write), Duration::Always).unwrap();
    assert_eq!(denied(apply()), "grant");
    world.gate.grant(None, folder(&two, Access::Write), Duration::Always).unwrap();
    apply().unwrap();
    let changed: Vec<_> = world
        .events()
        .into_iter()
        .filter_map(|event| match event.event {
            Event::Decided { action: Action::ChangeFolder { folder, plan, changes }, allowed: true, .. } => {
                Some((folder, plan, changes))
            }
            _ => None,
        })
        .collect();
    assert_eq!(changed, [(text(&one), across.digest, 1), (text(&two), across.digest, 1)]);
    let unknown = ApplyPlan::of(across, &folders(&one)).unwrap_err();
    assert_eq!(unknown, NotAPlan::Folder("one".parse().unwrap()));
    assert_eq!(RemoveFiles::of(plan(vec![]), &both).unwrap_err(), NotAPlan::Empty);
}

#[test]
fn opening_a_folder_for_a_task_takes_a_grant_and_asks_for_it() {
    let world = World::new();
    let inbox = world.place("inbox");
    let open = |context: &Context, access| {
        let effect = OpenFolder::at(&inbox, access, &world.home).unwrap();
        world.gate.permit(context, effect).map(|permit| permit.redeem().path().to_owned())
    };
    let person = Context::person(Some(world.task), Standing { yes: true, removals: 9 });
    world.answers([Ok(Answer::No), Ok(Answer::Yes)]);
    assert!(matches!(open(&person, Access::Read), Err(Refused::Declined)));
    assert_eq!(open(&person, Access::Read).unwrap(), inbox);
    // the yes is a grant for the task
    open(&person, Access::Read).unwrap();
    let grants = world.gate.grants().unwrap();
    let seen: Vec<_> = grants.iter().map(|grant| (&grant.scope, grant.duration)).collect();
    assert_eq!(seen, [(&folder(&inbox, Access::Read), Duration::Task(world.task))]);
    let _ = world.gate.permit(&world.plugin(ALL), ReadFolder { folder: text(&inbox) }).unwrap();
    assert_eq!(world.asked(), ["grant", "grant"]);
    // more is asked anew, and a plugin can ask for it as well
    world.answers([Ok(Answer::Yes)]);
    open(&world.plugin(ALL), Access::Write).unwrap();
    open(&person, Access::Write).unwrap();
    assert_eq!(denied(open(&world.plugin(&[]), Access::Write)), "plugin.rights");
    // outside of a task it is for the person themselves
    open(&Context::person(None, Standing::default()), Access::Write).unwrap();
    assert_eq!(world.asked(), ["grant"]);
}

#[test]
fn a_grant_for_one_use_is_the_first_task_s_and_nobody_else_s() {
    let world = World::new();
    let inbox = world.place("inbox");
    world.gate.grant(None, folder(&inbox, Access::Read), Duration::Once).unwrap();
    let other = world.records.start_task(serde_json::json!({})).unwrap();
    let read = |context: &Context| {
        world.gate.permit(context, ReadFolder { folder: text(&inbox) }).map(|permit| permit.redeem())
    };
    read(&world.plugin(ALL)).unwrap();
    read(&world.plugin(ALL)).unwrap();
    assert_eq!(denied(read(&plugin(other, ALL))), "grant");
    assert_eq!(world.gate.grants().unwrap()[0].duration, Duration::Task(world.task));
    let end = Event::TaskEnded { outcome: "done".into() };
    let entry = deskhand_vocabulary::Entry { task: Some(world.task), event: end, content: None };
    deskhand_vocabulary::Log::append(&*world.records, entry).unwrap();
    assert_eq!(world.gate.grants().unwrap(), [], "it ends with its task");
}

#[test]
fn of_many_who_use_up_one_grant_one_wins() {
    let world = World::new();
    let tool = Scope::Tool { plugin: id("acme:other"), tool: "helper".into() };
    world.gate.grant(None, tool, Duration::Once).unwrap();
    world.answers((0..7).map(|_| Ok(Answer::No)));
    let call = || {
        let effect = CallTool { plugin: id("acme:other"), tool: "helper".into() };
        world.gate.permit(&world.plugin(ALL), effect).is_ok()
    };
    let won = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|_| scope.spawn(call)).collect();
        threads.into_iter().filter(|_| true).map(|thread| thread.join().unwrap()).filter(|won| *won).count()
    });
    assert_eq!((won, world.asked().len()), (1, 7));
    assert_eq!(world.gate.grants().unwrap(), []);
}

#[test]
fn tools_are_called_as_declared_and_those_of_another_marketplace_as_granted() {
    let world = World::new();
    let context = world.plugin(&[PermissionKind::ToolsCall]); // declares `helper` and `other/tidy`
    let call = |plugin: &str, tool: &str| {
        world.gate.permit(&context, CallTool { plugin: id(plugin), tool: tool.into() }).map(|permit| permit.redeem())
    };
    call("default:any", "helper").unwrap();
    call("default:other", "tidy").unwrap();
    assert_eq!(denied(call("default:any", "tidy")), "plugin.rights");
    assert_eq!(denied(call("default:any", "undeclared")), "plugin.rights");
    assert_eq!(world.asked(), [""; 0]);
    world.answers([Ok(Answer::No), Ok(Answer::Yes)]);
    assert!(matches!(call("acme:other", "tidy"), Err(Refused::Declined)));
    call("acme:other", "tidy").unwrap();
    call("acme:other", "tidy").unwrap(); // the yes holds for the task
    assert_eq!(world.asked(), ["confirm", "confirm"]);
    // a command of another plugin is granted even where it is declared
    world.answers([Err(Unanswered::Absent)]);
    let run = RunCommand { plugin: id("default:other"), command: "tidy".into() };
    assert!(matches!(world.gate.permit(&context, run.clone()), Err(Refused::Unanswered(_))));
    let scope = Scope::Command { plugin: id("default:other"), command: "tidy".into() };
    world.gate.grant(None, scope, Duration::Always).unwrap();
    assert_eq!(world.gate.permit(&context, run.clone()).unwrap().redeem(), run);
    let _ = world.gate.permit(&Context::person(Some(world.task), Standing::default()), run).unwrap();
}

#[test]
fn the_small_rights_are_enough_by_themselves() {
    let world = World::new();
    let _ = world.gate.permit(&world.plugin(&[PermissionKind::PersonAsk]), AskPerson).unwrap();
    let _ = world.gate.permit(&world.plugin(&[PermissionKind::StateKeep]), KeepState).unwrap();
    assert_eq!(denied(world.gate.permit(&world.plugin(&[PermissionKind::StateKeep]), AskPerson)), "plugin.rights");
    assert_eq!(denied(world.gate.permit(&world.plugin(&[]), KeepState)), "plugin.rights");
}

#[test]
fn installing_is_the_person_s_and_an_update_asks_only_for_more() {
    let world = World::new();
    let install = |rights: &[Permission]| {
        InstallPlugin::new(id("default:organize"), "1.1.0".into(), Sha256([1; 32]), rights.to_vec())
    };
    let had = [right(PermissionKind::FilesRead, &[]), right(PermissionKind::ToolsCall, &["a"])];
    let mut reworded = had.to_vec();
    reworded[0].reason = "other words".into();
    let person = Context::person(None, Standing::default());
    let permit = |context: &Context, effect: InstallPlugin| {
        world.gate.permit(context, effect).map(|permit| permit.redeem().widened().to_vec())
    };

    assert_eq!(denied(permit(&world.plugin(ALL), install(&had))), "plugin.rights");
    assert_eq!(permit(&person, install(&reworded).update("1.0.0".into(), &had)).unwrap(), []);
    assert_eq!(permit(&person, install(&had[..1]).update("1.0.0".into(), &had)).unwrap(), []);
    assert_eq!(world.asked(), [""; 0]);

    let wider = [right(PermissionKind::ToolsCall, &["a", "b"]), right(PermissionKind::PersonAsk, &[])];
    let widened = [right(PermissionKind::ToolsCall, &["b"]), right(PermissionKind::PersonAsk, &[])];
    world.answers([Ok(Answer::Yes), Ok(Answer::No), Ok(Answer::Yes)]);
    assert_eq!(permit(&person, install(&wider).update("1.0.0".into(), &had)).unwrap(), widened);
    assert!(matches!(permit(&person, install(&wider).update("1.0.0".into(), &had)), Err(Refused::Declined)));
    assert_eq!(permit(&person, install(&had)).unwrap(), []);
    assert_eq!(world.asked(), ["install", "install", "install"]);
    let add = AddMarketplace { location: "/srv/market".into(), fingerprint: Sha256([2; 32]) };
    assert_eq!(denied(world.gate.permit(&world.plugin(ALL), add.clone())), "plugin.rights");
    assert_eq!(world.gate.permit(&person, add.clone()).unwrap().redeem(), add);
}

#[test]
fn deskhand_s_own_home_is_nobody_s() {
    let world = World::new();
    let inside = world.home.data.canonicalize().unwrap().join("deep");
    let store = deskhand_vocabulary::Home::store_elsewhere(rustix::process::geteuid().as_raw());
    let elsewhere = world.place("disk").join(store).join("606301a6d463f838");
    for path in [world.home.data.canonicalize().unwrap(), inside, elsewhere] {
        let refused = world.gate.grant(None, folder(&path, Access::Read), Duration::Always).unwrap_err();
        assert!(matches!(refused, GrantError::Home), "{refused}");
        // a grant of what contains it does not help
        let around = path.ancestors().nth(3).unwrap().to_owned();
        world.gate.grant(None, folder(&around, Access::Write), Duration::Always).unwrap();
        for context in [Context::person(None, Standing::default()), world.plugin(ALL)] {
            let read = world.gate.permit(&context, ReadFolder { folder: text(&path) });
            assert_eq!(denied(read), "home");
        }
    }
}

#[test]
fn grants_are_listed_once_and_revoked_by_number() {
    let world = World::new();
    let inbox = world.place("inbox");
    let first = world.gate.grant(None, folder(&inbox, Access::Read), Duration::Always).unwrap();
    let again = world.gate.grant(None, folder(&inbox, Access::Read), Duration::Always).unwrap();
    let second = world.gate.grant(Some(world.task), folder(&inbox, Access::Read), Duration::Task(world.task)).unwrap();
    assert_eq!((first.id, second.id), (1, 2));
    assert_eq!(first, again);
    assert_eq!(world.gate.grants().unwrap(), [first.clone(), second]);
    assert_eq!(world.gate.revoke(1).unwrap(), first);
    let gone = world.gate.revoke(1).unwrap_err();
    assert_eq!(gone, RecordsError::Unknown { what: "grant", id: 1, list: "grants" });
    let third = world.gate.grant(None, folder(&inbox, Access::Read), Duration::Always).unwrap();
    assert_eq!(third.id, 3, "a number is never used again");
    assert!(matches!(
        world.gate.grant(None, Scope::Folder { folder: "relative".into(), access: Access::Read }, Duration::Once),
        Err(GrantError::NotAPath(_))
    ));
    let kinds: Vec<_> = world
        .events()
        .into_iter()
        .filter_map(|event| match event.event {
            Event::Granted { grant, duration, .. } => Some((grant, duration)),
            Event::Revoked { grant } => Some((grant, "revoked".into())),
            _ => None,
        })
        .collect();
    assert_eq!(
        kinds,
        [(1, "always"), (2, "task"), (1, "revoked"), (3, "always")].map(|(grant, what)| (grant, what.to_owned()))
    );
    assert_eq!(world.records.verify().unwrap(), Verification::Whole { events: 5 });
}

#[test]
fn without_a_record_there_is_no_permit() {
    let world = World::new();
    let inbox = world.place("inbox");
    world.gate.grant(None, folder(&inbox, Access::Write), Duration::Always).unwrap();
    let log = rusqlite::Connection::open(world.records.path()).unwrap();
    log.execute_batch("CREATE TRIGGER full BEFORE INSERT ON events BEGIN SELECT RAISE(ABORT, 'no more'); END").unwrap();
    let refused = world.gate.permit(&world.plugin(ALL), ReadFolder { folder: text(&inbox) });
    assert!(matches!(refused, Err(Refused::Log(_))), "{refused:?}");
    world.answers([Ok(Answer::Yes)]);
    let apply =
        ApplyPlan::of(plan(vec![change(1, ChangeKind::MakeFolder, None, Some("inbox/a"))]), &folders(&inbox)).unwrap();
    let refused = world.gate.permit(&world.plugin(ALL), apply);
    assert!(matches!(refused, Err(Refused::Log(_))), "{refused:?}");
}

#[test]
fn a_yes_does_not_outlive_what_was_revoked_while_the_question_stood() {
    struct Revoking(std::sync::OnceLock<std::sync::Arc<deskhand_records::Records>>);
    impl deskhand_vocabulary::Person for Revoking {
        fn present(&self) -> bool {
            true
        }
        fn ask_until(
            &self,
            _: &deskhand_vocabulary::Question,
            _: &deskhand_vocabulary::Stop,
        ) -> Result<Answer, Unanswered> {
            self.0.get().unwrap().revoke(1).unwrap();
            Ok(Answer::Yes)
        }
        fn show(&self, _: &deskhand_vocabulary::Plan) {}
        fn tell(&self, _: &deskhand_vocabulary::Notice) {}
        fn progress(&self, _: &deskhand_vocabulary::Progress) {}
    }
    let world = World::new();
    let inbox = world.place("inbox");
    let person = std::sync::Arc::new(Revoking(std::sync::OnceLock::from(world.records.clone())));
    let gate = deskhand_permissions::Gate::new(world.records.clone(), person, &world.home);
    gate.grant(None, folder(&inbox, Access::Write), Duration::Always).unwrap();
    let apply =
        ApplyPlan::of(plan(vec![change(1, ChangeKind::MakeFolder, None, Some("inbox/a"))]), &folders(&inbox)).unwrap();
    assert_eq!(denied(gate.permit(&world.plugin(ALL), apply)), "grant");
    assert_eq!(world.decisions(), [(false, "grant".to_owned())]);
}

#[test]
fn judging_changes_nothing() {
    let world = World::new();
    let inbox = world.place("inbox");
    world.gate.grant(None, folder(&inbox, Access::Read), Duration::Once).unwrap();
    let before = world.events();
    let action = Action::ReadFolder { folder: text(&inbox) };
    let judgement = world.gate.judge(&world.plugin(ALL), &action).unwrap();
    assert_eq!((judgement.verdict, judgement.rule), (Verdict::Allow, "grant"));
    world.gate.explain(&world.plugin(ALL), &action).unwrap();
    assert_eq!(world.events(), before);
    assert_eq!(world.gate.grants().unwrap()[0].duration, Duration::Once);
}
