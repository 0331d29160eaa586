//! What holds after any sequence of grants and revocations.
#![allow(clippy::unwrap_used)]

mod common;

use common::{World, id, right};
use deskhand_permissions::{Context, Duration, Kind, Scope, Standing, Verdict, kind::Right};
use deskhand_vocabulary::{Access, Action, Principal, Sha256, manifest::PermissionKind};
use proptest::prelude::*;

const FOLDERS: [&str; 6] = ["/", "/srv", "/srv/inbox", "/srv/inbox/a", "/srv/inbox2", "/home/ada"];

#[derive(Clone, Debug)]
enum Step {
    Grant { scope: Scope, duration: usize },
    Revoke(u64),
    Use { action: usize, folder: usize, other_task: bool },
}

fn scope() -> impl Strategy<Value = Scope> {
    let access = prop_oneof![Just(Access::Read), Just(Access::Write)];
    prop_oneof![
        4 => (0..FOLDERS.len(), access).prop_map(|(at, access)| Scope::Folder { folder: FOLDERS[at].into(), access }),
        1 => Just(Scope::Command { plugin: id("default:other"), command: "tidy".into() }),
        1 => (0..FOLDERS.len()).prop_map(|at| Scope::Instructions { folder: FOLDERS[at].into() }),
        1 => (0..FOLDERS.len())
            .prop_map(|at| Scope::InstructionText { folder: FOLDERS[at].into(), text: Sha256::of("read") }),
        1 => Just(Scope::Sandbox),
        1 => Just(Scope::Programs { plugin: id("default:organize") }),
        1 => Just(Scope::Host { host: "api.example.com".into() }),
        1 => Just(Scope::Model { host: "api.example.com".into() }),
        1 => Just(Scope::Agent { plugin: id("acme:other"), agent: "helper".into() }),
        1 => Just(Scope::Tool { plugin: id("acme:other"), tool: "helper".into() }),
    ]
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (scope(), 0..3_usize).prop_map(|(scope, duration)| Step::Grant { scope, duration }),
        1 => (1..8_u64).prop_map(Step::Revoke),
        2 => (0..Kind::ALL.len(), 0..FOLDERS.len(), any::<bool>())
            .prop_map(|(action, folder, other_task)| Step::Use { action, folder, other_task }),
    ]
}

/// One action of each kind.
fn action(kind: Kind, folder: &str) -> Action {
    let (folder, plan) = (folder.to_owned(), Sha256([3; 32]));
    match kind {
        Kind::ReadFolder => Action::ReadFolder { folder },
        Kind::ChangeFolder => Action::ChangeFolder { folder, plan, changes: 2 },
        Kind::RemoveFiles => Action::RemoveFiles { folder, plan, count: 2 },
        Kind::ChangeSensitive => Action::ChangeSensitive { folder, plan, count: 2 },
        Kind::FollowInstructions => Action::FollowInstructions { folder, text: plan },
        Kind::RunCommand => Action::RunCommand { plugin: id("default:other"), command: "tidy".into() },
        Kind::CallTool => Action::CallTool { plugin: id("acme:other"), tool: "helper".into() },
        Kind::ListTools => Action::ListTools { plugin: id("acme:other") },
        Kind::UseSkill => Action::UseSkill { plugin: id("acme:other"), skill: "helper".into() },
        Kind::StartAgent => Action::StartAgent { plugin: id("acme:other"), agent: "helper".into() },
        Kind::ExtractText => Action::ExtractText { plugin: id("acme:other") },
        Kind::StartServer => Action::StartServer { server: "git".parse().unwrap(), setup: plan },
        Kind::ConfineServer => Action::ConfineServer { server: "git".parse().unwrap(), setup: plan },
        Kind::CallServerTool => Action::CallServerTool {
            server: "git".parse().unwrap(),
            tool: "status".into(),
            offer: plan,
            arguments: plan,
        },
        Kind::ReadServer => Action::ReadServer { server: "git".parse().unwrap() },
        Kind::RunInSandbox => Action::RunInSandbox,
        Kind::RunInGuest => Action::RunInGuest,
        Kind::UseCredential => Action::UseCredential { credential: "key".into(), host: "api.example.com".into() },
        Kind::UseModel => Action::UseModel,
        Kind::Connect => Action::Connect { host: "api.example.com".into(), local: false },
        Kind::SendToModel => Action::SendToModel { host: "api.example.com".into(), local: false },
        Kind::AskPerson => Action::AskPerson,
        Kind::KeepState => Action::KeepState,
        Kind::Remember => Action::Remember { note: plan, untrusted: true },
        Kind::Recall => Action::Recall,
        Kind::ForgetNote => Action::ForgetNote { note: 7 },
        Kind::InstallPlugin => Action::InstallPlugin {
            plugin: id("default:other"),
            version: "1.0.0".into(),
            component: plan,
            permissions: vec![],
        },
        Kind::AddMarketplace => Action::AddMarketplace { location: "/srv/market".into(), fingerprint: plan },
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_grant_replaces_a_right_and_none_covers_a_removal(
        steps in prop::collection::vec(step(), 1..24),
        rights in prop::sample::subsequence(PermissionKind::ALL.to_vec(), 0..=9),
        yes in any::<bool>(),
    ) {
        let world = World::new();
        let other = world.records.start_task(serde_json::json!({})).unwrap();
        let mut live: Vec<(u64, Scope, Duration)> = Vec::new();
        for step in steps {
            match step {
                Step::Grant { scope, duration } => {
                    let duration = [Duration::Once, Duration::Task(world.task), Duration::Always][duration];
                    let grant = world.gate.grant(None, scope.clone(), duration).unwrap();
                    if live.iter().all(|(id, _, _)| *id != grant.id) {
                        live.push((grant.id, scope, duration));
                    }
                }
                Step::Revoke(id) => {
                    let was_there = live.iter().any(|(live, _, _)| *live == id);
                    prop_assert_eq!(world.gate.revoke(id).is_ok(), was_there);
                    live.retain(|(live, _, _)| *live != id);
                }
                Step::Use { action: at, folder, other_task } => {
                    let task = if other_task { other } else { world.task };
                    let context = Context {
                        standing: Standing { yes, removals: 0 },
                        ..Context::plugin(
                            task,
                            id("default:organize"),
                            rights.iter().map(|kind| right(*kind, &["helper", "other/tidy"])).collect(),
                            Standing::default(),
                        )
                    };
                    let kind = Kind::ALL[at];
                    let action = action(kind, FOLDERS[folder]);
                    let verdict = world.gate.judge(&context, &action).unwrap().verdict;
                    let declared = match kind.row().right {
                        Right::Declared(right) => rights.contains(&right),
                        Right::PersonOnly => false,
                    };
                    if !declared {
                        prop_assert_eq!(verdict, Verdict::Deny, "{:?}", action);
                    }
                    if matches!(kind, Kind::RemoveFiles | Kind::ChangeSensitive) {
                        prop_assert_ne!(verdict, Verdict::Allow, "{:?}", action);
                        let person = Context { principal: Principal::Person, ..context.clone() };
                        prop_assert_eq!(world.gate.judge(&person, &action).unwrap().verdict, Verdict::Ask);
                    }
                    // and what is said of a folder is what a plain model of the grants says
                    let (Kind::ReadFolder | Kind::ChangeFolder, true) = (kind, declared) else { continue };
                    let wanted = if kind == Kind::ReadFolder { Access::Read } else { Access::Write };
                    let below = |granted: &str| {
                        let granted = granted.trim_end_matches('/');
                        FOLDERS[folder].strip_prefix(granted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
                    };
                    let covered = live.iter().any(|(_, scope, duration)| match scope {
                        Scope::Folder { folder, access } => {
                            *access >= wanted && below(folder) && (*duration != Duration::Task(world.task) || !other_task)
                        }
                        _ => false,
                    });
                    let expected = match (kind, covered) {
                        (Kind::ReadFolder, true) => Verdict::Allow,
                        (Kind::ReadFolder, false) => Verdict::Ask,
                        (_, true) if yes => Verdict::Allow,
                        (_, true) => Verdict::Ask,
                        (_, false) => Verdict::Deny,
                    };
                    prop_assert_eq!(verdict, expected, "{:?} with {:?}", action, live);
                }
            }
        }
    }
}
