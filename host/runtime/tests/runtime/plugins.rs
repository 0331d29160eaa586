//! The list of what is installed: installing, updating, staging and uninstalling, in one process and in several.

use crate::kit::{
    Bench, Fixed, Scripted, command, command_module, compiler, component, config, id, manifest, pure, text,
    with_manifest,
};
use deskhand_permissions::{Context, Gate, Standing, effect::InstallPlugin};
use deskhand_records::Records;
use deskhand_runtime::{CallError, InstallError, Runtime};
use deskhand_vocabulary::{Answer, Home, Sha256};
use serde_json::{Value, json};
use std::{path::Path, sync::Arc};

/// A plugin of a version, which answers with `text/plain` up to `length`.
fn version(number: &str, length: u32, permissions: &[&str]) -> Vec<u8> {
    let mut manifest = manifest(permissions);
    manifest["plugin"]["version"] = json!(number);
    let body = format!("(call $answer (i32.const 1200) (i32.const {length}))");
    with_manifest(component("export deskhand:plugin/command@0.1.0;", &command_module("", &body)), &manifest)
}

fn running(bench: &Bench) -> String {
    bench.runtime.plugins().unwrap().get(&id()).unwrap().release.listing().unwrap().plugin.version.to_string()
}

fn files(folder: &Path) -> usize {
    std::fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn what_lists_need_is_there_without_the_schemas() {
    let bench = Bench::new();
    let mut manifest = manifest(&["files.read"]);
    manifest["commands"][0]["triggers"] = json!(["go there"]);
    manifest["commands"][0]["not_for"] = json!(["stay here"]);
    manifest["limits"] = json!({ "seconds": 7, "memory_mib": 3 });
    let component = component("export deskhand:plugin/command@0.1.0;", &command_module("", "unreachable"));
    bench.install(&with_manifest(component, &manifest));
    let plugins = bench.runtime.plugins().unwrap();
    let [installed] = &plugins[..] else { panic!() };
    let listing = installed.release.listing().unwrap();
    assert_eq!(installed.id, id());
    assert_eq!((listing.plugin.summary.as_str(), listing.plugin.publisher.as_str()), ("A test.", "Deskhand"));
    assert_eq!(listing.commands[0].triggers, ["go there"]);
    assert_eq!(listing.commands[0].not_for, ["stay here"]);
    assert_eq!((listing.limits.seconds, listing.limits.memory_mib), (7, 3));
    assert!(installed.release.is_compiled());
    let whole: deskhand_vocabulary::Manifest = serde_json::from_value(manifest).unwrap();
    assert_eq!(installed.release.manifest().unwrap(), &whole);
    assert_eq!(bench.runtime.loaded(), 0, "nothing is loaded before it is called");
}

#[test]
fn a_new_version_takes_the_place_of_the_old() {
    let bench = Bench::new();
    bench.install(&version("1.0.0", 4, &[]));
    assert_eq!(text(&bench.go().unwrap()), "text");
    bench.install(&version("1.1.0", 10, &[]));
    assert_eq!((running(&bench).as_str(), text(&bench.go().unwrap())), ("1.1.0", "text/plain"));
    assert_eq!(files(&bench.home.compiled()), 1, "the old code is gone");
    assert_eq!(files(&bench.home.plugins().join("components")), 1);
}

#[test]
fn a_staged_version_waits_until_the_person_agrees() {
    let bench = Bench::new();
    let (old, new) = (version("1.0.0", 4, &[]), version("2.0.0", 10, &["files.read"]));
    assert!(matches!(bench.runtime.stage(&id(), &new, Sha256::of(&new), None), Err(InstallError::NotInstalled(_))));
    bench.install(&old);
    bench.runtime.stage(&id(), &new, Sha256::of(&new), None).unwrap();
    let plugins = bench.runtime.plugins().unwrap();
    let staged = plugins.get(&id()).unwrap().staged.as_ref().unwrap().listing().unwrap().plugin.version.to_string();
    assert_eq!((running(&bench).as_str(), staged.as_str(), text(&bench.go().unwrap())), ("1.0.0", "2.0.0", "text"));

    bench.runtime.discard_staged(&id()).unwrap();
    assert!(matches!(bench.runtime.agree(bench.agreed("official:test", &new)), Err(InstallError::NothingStaged(_))));
    assert_eq!(files(&bench.home.compiled()), 1);

    bench.runtime.stage(&id(), &new, Sha256::of(&new), None).unwrap();
    // an agreement to something else does not count
    let modest = InstallPlugin::new(id(), "2.0.0".to_owned(), Sha256::of(&new), Vec::new());
    assert!(matches!(bench.runtime.agree(bench.agreed_to(modest)), Err(InstallError::NotAgreed(_))));
    assert!(matches!(bench.runtime.agree(bench.agreed("official:test", &old)), Err(InstallError::NotAgreed(_))));
    assert_eq!(running(&bench), "1.0.0");
    bench.runtime.agree(bench.agreed("official:test", &new)).unwrap();
    assert_eq!((running(&bench).as_str(), text(&bench.go().unwrap())), ("2.0.0", "text/plain"));
    assert_eq!(files(&bench.home.compiled()), 1);
}

#[test]
fn a_failed_update_leaves_the_old_version_running() {
    let bench = Bench::new();
    bench.install(&version("1.0.0", 4, &[]));
    let import = r#"(import "deskhand:plugin/user@0.1.0" "confirm" (func $confirm (param i32 i32 i32)))"#;
    let bad = command(&[], "import deskhand:plugin/user@0.1.0;", import, "unreachable");
    bench.try_install(&bench.runtime, "official:test", &bad).unwrap_err();
    assert_eq!((running(&bench).as_str(), text(&bench.go().unwrap())), ("1.0.0", "text"));
    assert_eq!(files(&bench.home.plugins().join("components")), 1);
}

#[test]
fn an_uninstalled_plugin_leaves_nothing() {
    let bench = Bench::new();
    bench.install(&version("1.0.0", 4, &[]));
    bench.go().unwrap();
    bench.runtime.uninstall(&id()).unwrap();
    assert!(matches!(bench.go(), Err(CallError::NotInstalled(_))));
    assert_eq!((files(&bench.home.compiled()), files(&bench.home.plugins().join("components"))), (0, 0));
    assert!(matches!(bench.runtime.uninstall(&id()), Err(InstallError::NotInstalled(_))));
}

#[test]
fn two_plugins_may_be_the_same_file() {
    let bench = Bench::new();
    let component = version("1.0.0", 4, &[]);
    bench.install(&component);
    bench.install_as("company:test", &component);
    bench.runtime.uninstall(&id()).unwrap();
    let reply = bench.run_command("company:test", "go", &json!({})).unwrap();
    assert_eq!(text(&reply), "text");
}

#[test]
fn what_another_process_installs_is_seen() {
    let bench = Bench::new();
    assert!(bench.runtime.plugins().unwrap().is_empty());
    let other = Runtime::new(&bench.home, config());
    bench.try_install(&other, "official:test", &version("1.0.0", 4, &[])).unwrap();
    assert_eq!(text(&bench.go().unwrap()), "text");
}

/// The part of a second process: installs twenty plugins into the home that it is told.
#[test]
fn installer() {
    let (Ok(home), Ok(name)) = (std::env::var("INSTALL_INTO"), std::env::var("INSTALL_NAME")) else { return };
    let records = Arc::new(Records::open(&Home::within(Path::new(&home)).log_file(), Arc::new(Fixed)).unwrap());
    let home = Home::within(Path::new(&home));
    let gate = Gate::new(records, Scripted::new(|_| Ok(Answer::Yes)), &home);
    let runtime = Runtime::new(&home, config());
    let install = |id: &str, number: String, component: Vec<u8>| {
        let effect = InstallPlugin::new(id.parse().unwrap(), number, Sha256::of(&component), Vec::new());
        let permit = gate.permit(&Context::person(None, Standing::default()), effect).unwrap();
        runtime.install(permit, &component, None).unwrap();
    };
    for number in 0..5 {
        let own = format!("{name}:test");
        let (first, second) = (format!("1.0.{number}"), format!("2.{number}.0"));
        install(&own, first.clone(), version(&first, 4, &[]));
        install("official:test", second.clone(), version(&second, 10, &[]));
    }
}

#[test]
fn two_processes_install_the_same_plugin() {
    let mut bench = Bench::new();
    let spawn = |name: &str| {
        std::process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "plugins::installer", "--nocapture"])
            .env("INSTALL_INTO", bench.folder.path().join("home"))
            .env("INSTALL_NAME", name)
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap()
    };
    let children = [spawn("one"), spawn("two"), spawn("three")];
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    bench.runtime = Runtime::new(&bench.home, config());
    let plugins = bench.runtime.plugins().unwrap();
    let all: Vec<_> = plugins
        .iter()
        .map(|one| (one.id.to_string(), one.release.listing().unwrap().plugin.version.to_string()))
        .collect();
    let row = |id: &str, version: &str| (id.to_owned(), version.to_owned());
    let last =
        [row("official:test", "2.4.0"), row("one:test", "1.0.4"), row("three:test", "1.0.4"), row("two:test", "1.0.4")];
    assert_eq!(all, last);
    assert_eq!(text(&bench.go().unwrap()), "text/plain");
    // one file for the three that are the same, one for the fourth, and no drafts
    assert_eq!(files(&bench.home.plugins().join("components")), 2);
    assert_eq!(files(&bench.home.compiled()), 2);
}

#[test]
fn a_damaged_list_is_said_and_left_alone() {
    let bench = Bench::new();
    bench.install(&pure("unreachable"));
    let index = bench.home.plugins().join("index.json");
    let cut = std::fs::read_to_string(&index).unwrap()[..100].to_owned();
    std::fs::write(&index, &cut).unwrap();
    let other = Runtime::new(&bench.home, config());
    let message = other.plugins().unwrap_err().to_string();
    assert!(
        message.starts_with(&format!("the list of installed plugins, {}, is damaged (", index.display())),
        "{message}"
    );
    assert!(matches!(bench.try_install(&other, "official:test", &pure("unreachable")), Err(InstallError::Index(_))));
    assert_eq!(std::fs::read_to_string(&index).unwrap(), cut);
}

#[test]
fn a_list_of_a_newer_version_is_said_and_left_alone() {
    let bench = Bench::new();
    let index = bench.home.plugins().join("index.json");
    std::fs::create_dir_all(bench.home.plugins()).unwrap();
    std::fs::write(&index, r#"{"format": 2, "plugins": {"different": true}}"#).unwrap();
    assert_eq!(
        bench.runtime.plugins().unwrap_err().to_string(),
        format!(
            "the list of installed plugins, {}, was written by a newer Deskhand (format 2). Use that one",
            index.display()
        )
    );
}

#[test]
fn the_ones_used_last_stay_loaded() {
    let config = deskhand_runtime::Config { loaded: 3, compiler: compiler(), ..config() };
    let bench = Bench::with(config, Scripted::new(|_| Ok(Answer::Yes)));
    for number in 0..5_u32 {
        let component = version(&format!("1.0.{number}"), number, &[]);
        bench.install_as(&format!("m{number}:test"), &component);
    }
    for number in [0, 1, 2, 3, 4, 0, 0, 4] {
        bench.run_command(&format!("m{number}:test"), "go", &Value::Null).unwrap();
        assert!(bench.runtime.loaded() <= 3);
    }
    assert_eq!(bench.runtime.loaded(), 3);
}

#[test]
fn a_thousand_plugins_are_one_read() {
    let bench = Bench::new();
    bench.install(&version("1.0.0", 4, &[]));
    let index = bench.home.plugins().join("index.json");
    let mut document: Value = serde_json::from_str(&std::fs::read_to_string(&index).unwrap()).unwrap();
    let row = document["plugins"][0].clone();
    let rows = (0..1000).map(|number| {
        let mut row = row.clone();
        row["id"] = json!(format!("m{number}:test"));
        row
    });
    document["plugins"] = rows.collect();
    std::fs::write(&index, document.to_string()).unwrap();
    let runtime = Runtime::new(&bench.home, config());
    let plugins = runtime.plugins().unwrap();
    assert_eq!(plugins.len(), 1000);
    assert!(plugins.get(&"m777:test".parse().unwrap()).is_some());
    // an unchanged file is not read again
    assert!(std::sync::Arc::ptr_eq(&plugins, &runtime.plugins().unwrap()));
    assert_eq!(runtime.loaded(), 0);
}
