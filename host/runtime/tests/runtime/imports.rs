//! What a component may import and must export, and what is said of one that does otherwise.

use crate::kit::{Bench, command, command_module, component, component_of, manifest, pure, with_manifest};
use deskhand_permissions::effect::InstallPlugin;
use deskhand_runtime::{InspectionRefused, InstallError, PluginFault, Refusal, Warning, inspect, read_manifest};
use deskhand_vocabulary::Manifest;
use semver::Version;
use serde_json::json;

/// What an install says, and that it left nothing behind.
fn refused(component: &[u8]) -> String {
    let bench = Bench::new();
    let error = bench.try_install(&bench.runtime, "official:test", component).unwrap_err();
    assert!(bench.runtime.plugins().unwrap().is_empty());
    let left = |folder: std::path::PathBuf| std::fs::read_dir(folder).map_or(0, Iterator::count);
    assert_eq!(left(bench.home.compiled()), 0);
    assert_eq!(left(bench.home.plugins().join("components")), 0);
    error.to_string()
}

const ASK: &str = r#"(import "deskhand:plugin/user@0.1.0" "confirm" (func $confirm (param i32 i32 i32)))"#;
const USER: &str = "import deskhand:plugin/user@0.1.0;";

#[test]
fn an_import_that_is_not_declared_is_refused_by_name() {
    assert_eq!(
        refused(&command(&["files.read"], USER, ASK, "unreachable")),
        "official:test was not installed: it imports `deskhand:plugin/user@0.1.0`, which its manifest does not ask for. Add the permission `person.ask` with a reason to `plugin.toml` and build it again, or stop using it"
    );
}

#[test]
fn an_import_that_is_declared_is_not_refused() {
    let bench = Bench::new();
    bench.install(&command(&["person.ask"], USER, ASK, "unreachable"));
    assert_eq!(bench.runtime.plugins().unwrap().len(), 1);
}

#[test]
fn an_interface_that_comes_later_is_refused_by_name() {
    let import = r#"(import "deskhand:plugin/tasks@0.1.0" "remove" (func $remove (param i32 i32 i32)))"#;
    assert_eq!(
        refused(&command(&[], "import deskhand:plugin/tasks@0.1.0;", import, "unreachable")),
        "official:test was not installed: it imports `deskhand:plugin/tasks@0.1.0`, which this version of Deskhand does not offer. Install a version of the plugin that does without, or a version of Deskhand that has it"
    );
}

#[test]
fn the_network_is_refused_by_name() {
    let package = "package wasi:http@0.2.6; interface outgoing-handler { handle: func(); }";
    let import = r#"(import "wasi:http/outgoing-handler@0.2.6" "handle" (func $handle))"#;
    let world = "import wasi:http/outgoing-handler@0.2.6; export deskhand:plugin/command@0.1.0;";
    let component = component_of(world, &[package], &command_module(import, "unreachable"));
    assert_eq!(
        refused(&with_manifest(component, &manifest(&[]))),
        "official:test was not installed: it imports `wasi:http/outgoing-handler@0.2.6`, which this version of Deskhand does not offer. A plugin reaches a network through `deskhand:plugin/http` alone; leave out what uses this one"
    );
}

#[test]
fn an_interface_of_nobody_is_refused_by_name() {
    let package = "package other:things@1.0.0; interface door { open: func(); }";
    let import = r#"(import "other:things/door@1.0.0" "open" (func $open))"#;
    let world = "import other:things/door@1.0.0; export deskhand:plugin/command@0.1.0;";
    let component = component_of(world, &[package], &command_module(import, "unreachable"));
    assert_eq!(
        refused(&with_manifest(component, &manifest(&[]))),
        "official:test was not installed: it imports `other:things/door@1.0.0`, which this version of Deskhand does not offer. Only interfaces of `deskhand:plugin` can be imported; build it again without this one"
    );
}

#[test]
fn a_known_wasi_interface_with_a_function_that_is_not_there_is_refused() {
    let package = "package wasi:random@0.2.6; interface random { get-luck: func() -> u64; }";
    let import = r#"(import "wasi:random/random@0.2.6" "get-luck" (func $luck (result i64)))"#;
    let world = "import wasi:random/random@0.2.6; export deskhand:plugin/command@0.1.0;";
    let component = component_of(world, &[package], &command_module(import, "unreachable"));
    let message = refused(&with_manifest(component, &manifest(&[])));
    assert!(
        message.starts_with("official:test was not installed: what it was built for (interface 0.1.0) does not fit this Deskhand, which offers 0.1.0: ")
            && message.contains("wasi:random/random@0.2.6"),
        "{message}"
    );
}

/// The interface's package under another version.
fn other_version(version: &str) -> Vec<u8> {
    let package = format!(
        "package deskhand:plugin@{version};
         interface types {{
           variant body {{ text(string), bytes(list<u8>), uri(string) }}
           record content {{ media-type: string, body: body }}
           enum error-code {{ invalid, failed }}
           record error {{ code: error-code, message: string, retry-after-ms: option<u32> }}
         }}
         interface log {{ enum level {{ debug }} write: func(level: level, message: string); }}
         interface command {{
           use types.{{content, error}};
           record reply {{ show: list<content>, prompt: option<string> }}
           run: func(name: string, arguments: string) -> result<reply, error>;
         }}"
    );
    let import = format!(r#"(import "deskhand:plugin/log@{version}" "write" (func $log (param i32 i32 i32)))"#);
    let world = format!("import deskhand:plugin/log@{version}; export deskhand:plugin/command@{version};");
    let module = command_module(&import, "unreachable").replace("command@0.1.0", &format!("command@{version}"));
    component_of(&world, &[&package], &module)
}

#[test]
fn another_version_of_the_interface_is_refused_with_both_versions() {
    let mut newer = manifest(&[]);
    newer["plugin"]["interface"] = json!("0.2.0");
    assert_eq!(
        refused(&with_manifest(other_version("0.2.0"), &newer)),
        "official:test was not installed: it was built for `deskhand:plugin` 0.2.0, and this Deskhand offers 0.1.0. Update Deskhand, or install an older version of the plugin"
    );
    // the manifest may say what it likes: the component is asked as well
    let lies = with_manifest(other_version("0.0.9"), &manifest(&[]));
    assert_eq!(
        refused(&lies),
        "official:test was not installed: it was built for `deskhand:plugin/log` 0.0.9, and this Deskhand offers 0.1.0. Install a newer version of the plugin, or build it again with this version's SDK"
    );
    let inspection = inspect(&lies).unwrap();
    let version = |import: &str| {
        InspectionRefused::Import(Refusal::Version {
            import: import.to_owned(),
            wanted: Some(Version::new(0, 0, 9)),
            offered: Version::new(0, 1, 0),
        })
    };
    assert_eq!(inspection.refused[..2], [version("deskhand:plugin/log"), version("deskhand:plugin/types")]);
}

#[test]
fn a_manifest_that_declares_what_is_not_exported_is_refused() {
    let tools = r#"(module (memory (export "memory") 1) (func (export "deskhand:plugin/tools@0.1.0#call")
        (param i32 i32 i32 i32) (result i32) unreachable)
        (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable))"#;
    let component = component("export deskhand:plugin/tools@0.1.0;", tools);
    assert_eq!(
        refused(&with_manifest(component, &manifest(&[]))),
        "official:test was not installed: its manifest declares the command `go`, but the component does not export `deskhand:plugin/command@0.1.0`. Tell its publisher: a build with `deskhand plugin build` would have said so"
    );
}

#[test]
fn an_export_of_the_right_name_and_the_wrong_type_is_refused() {
    let package = "package deskhand:plugin@0.1.0; interface command { run: func(name: string) -> string; }";
    let mut resolve = wit_parser::Resolve::default();
    resolve.push_str("own.wit", package).unwrap();
    let test = resolve
        .push_str("test.wit", "package test:plugin; world plugin { export deskhand:plugin/command@0.1.0; }")
        .unwrap();
    let world = resolve.select_world(&[test], Some("plugin")).unwrap();
    let mut module = wat::parse_str(
        r#"(module (memory (export "memory") 1)
             (func (export "deskhand:plugin/command@0.1.0#run") (param i32 i32) (result i32) unreachable)
             (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) unreachable))"#,
    )
    .unwrap();
    let encoding = wit_component::StringEncoding::UTF8;
    wit_component::embed_component_metadata(&mut module, &resolve, world, encoding, false).unwrap();
    let component = wit_component::ComponentEncoder::default().module(&module).unwrap().encode().unwrap();
    let message = refused(&with_manifest(component, &manifest(&[])));
    assert!(message.contains("does not export `deskhand:plugin/command@0.1.0`"), "{message}");
}

#[test]
fn what_is_odd_and_harmless_is_a_warning() {
    let bench = Bench::new();
    let component = command(&["files.read", "files.change", "files.remove"], "", "", "unreachable");
    let outcome = bench.try_install(&bench.runtime, "official:test", &component).unwrap();
    let unused = |permission| Warning::UnusedPermission { permission };
    assert_eq!(outcome.warnings, [unused("files.read"), unused("files.change"), unused("files.remove")]);

    let mut silent = manifest(&[]);
    silent["commands"] = json!([]);
    let component = with_manifest(
        crate::kit::component("export deskhand:plugin/command@0.1.0;", &command_module("", "unreachable")),
        &silent,
    );
    let export = "deskhand:plugin/command@0.1.0".to_owned();
    assert_eq!(inspect(&component).unwrap().warnings, [Warning::UndeclaredRole { export }, Warning::Empty]);
}

#[test]
fn a_manifest_that_cannot_be_read_is_refused() {
    let bare = crate::kit::component("export deskhand:plugin/command@0.1.0;", &command_module("", "unreachable"));
    assert_eq!(inspect(&bare).unwrap_err(), PluginFault::ManifestMissing);
    let with = |text: &str| crate::kit::with_section(bare.clone(), "deskhand:manifest", text.as_bytes());
    let bad = |component: &[u8]| match inspect(component).unwrap_err() {
        PluginFault::ManifestBad { reason } => reason,
        other => panic!("{other:?}"),
    };
    assert_eq!(bad(&with("{")), "EOF while parsing an object at line 1 column 1");
    assert_eq!(bad(&with_manifest(pure("unreachable"), &manifest(&[]))), "there are two of them");
    // a field that is not known may be a right that cannot be enforced
    let mut unknown = manifest(&[]);
    unknown["network"] = json!(["*"]);
    assert!(bad(&with_manifest(bare.clone(), &unknown)).starts_with("unknown field `network`"));
    let mut unknown = manifest(&[]);
    unknown["permissions"] = json!([{ "kind": "files.own", "reason": "to have them" }]);
    assert!(bad(&with_manifest(bare.clone(), &unknown)).starts_with("unknown variant `files.own`"));
    let long = format!("\"{}\"", "x".repeat(300_000));
    assert_eq!(bad(&with(&long)), "it has 300002 bytes, and 262144 is the most");
    let mut twice = manifest(&["files.read", "files.read"]);
    assert_eq!(bad(&with_manifest(bare.clone(), &twice)), "it asks for `files.read` twice");
    twice = manifest(&[]);
    twice["commands"] = json!([twice["commands"][0], twice["commands"][0]]);
    assert_eq!(bad(&with_manifest(bare, &twice)), "it declares the command `go` twice");
}

#[test]
fn a_manifest_is_read_without_the_rest() {
    let component = command(&["person.ask"], USER, ASK, "unreachable");
    let manifest: Manifest = serde_json::from_value(manifest(&["person.ask"])).unwrap();
    assert_eq!(read_manifest(&component).unwrap(), manifest);
    let inspection = inspect(&component).unwrap();
    assert_eq!(inspection.manifest, manifest);
    assert_eq!(inspection.imports, ["deskhand:plugin/types@0.1.0", "deskhand:plugin/user@0.1.0"]);
    assert_eq!(inspection.exports, ["deskhand:plugin/command@0.1.0"]);
    assert_eq!(inspection.bytes, component.len() as u64);
    assert_eq!((&inspection.refused[..], &inspection.warnings[..]), (&[][..], &[][..]));
}

#[test]
fn what_was_signed_is_what_is_installed() {
    let bench = Bench::new();
    let component = command(&["person.ask"], USER, ASK, "unreachable");
    let digest = deskhand_vocabulary::Sha256::of(&component);
    let signed = read_manifest(&component).unwrap();
    let install = |id: &str, shown: &Manifest, signed: &Manifest, digest| {
        let version = shown.plugin.version.to_string();
        let effect = InstallPlugin::new(id.parse().unwrap(), version, digest, shown.permissions.clone());
        bench.runtime.install(bench.agreed_to(effect), &component, Some(signed))
    };
    let other = deskhand_vocabulary::Sha256::of("another file");
    assert!(matches!(install("official:test", &signed, &signed, other), Err(InstallError::Digest { .. })));
    assert!(matches!(install("official:mail", &signed, &signed, digest), Err(InstallError::Name { .. })));
    let mut modest = signed.clone();
    modest.permissions.clear();
    assert_eq!(
        install("official:test", &signed, &modest, digest).unwrap_err().to_string(),
        "official:test was not installed: its manifest is not the one that was signed for it (what it asks for differs). Do not use it; tell the marketplace"
    );
    // what the person was shown, and not only what was signed
    assert!(matches!(install("official:test", &modest, &signed, digest), Err(InstallError::NotAgreed(_))));
    let mut older = signed.clone();
    older.plugin.version = Version::new(0, 9, 0);
    assert!(matches!(install("official:test", &older, &signed, digest), Err(InstallError::NotAgreed(_))));
    assert!(bench.runtime.plugins().unwrap().is_empty());
    install("official:test", &signed, &signed, digest).unwrap();
}
