//! The template, as an author meets it: written, tested, built; and what comes out is what an install takes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use deskhand_build::{Built, Kind, Toolchain, build, make_toolchain, manifest_of, outline, scaffold};
use deskhand_vocabulary::Sha256;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// One target folder for all plugins of these tests, so that what they stand on is compiled once. A plugin's build honours
/// `CARGO_TARGET_DIR`, so where that is set it is this one.
fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR")
        .map_or_else(|| Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins"), PathBuf::from)
}

fn toolchain() -> &'static Toolchain {
    static TOOLCHAIN: OnceLock<Toolchain> = OnceLock::new();
    TOOLCHAIN.get_or_init(|| make_toolchain().unwrap())
}

/// A new plugin in a folder of its own, whose builds go to the shared target folder.
fn new_plugin(folder: &Path, name: &str, kind: Kind) -> Vec<String> {
    let scaffold = scaffold(folder, &name.parse().unwrap(), "Ada \"of\" London", kind).unwrap();
    fs::create_dir(folder.join(".cargo")).unwrap();
    fs::write(folder.join(".cargo/config.toml"), format!("[build]\ntarget-dir = {:?}\n", target())).unwrap();
    scaffold.files
}

/// Run the plugin's own tests; how many there are.
fn tested(folder: &Path) -> u32 {
    let tests = Command::new("cargo").args(["test", "--quiet", "--lib"]).current_dir(folder).output().unwrap();
    let said = String::from_utf8_lossy(&tests.stdout);
    assert!(tests.status.success(), "{said}{}", String::from_utf8_lossy(&tests.stderr));
    let (before, _) = said.split_once(" passed; 0 failed; 0 ignored").unwrap();
    before.rsplit(' ').next().unwrap().parse().unwrap()
}

fn make(folder: &Path) -> (Built, Vec<u8>) {
    let built = build(folder, toolchain()).unwrap();
    let bytes = fs::read(&built.file).unwrap();
    (built, bytes)
}

/// All of it in one test: the steps stand on each other, and on one target folder.
#[test]
fn a_new_plugin_passes_its_tests_and_becomes_one_file() {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("by-extension");
    let files = new_plugin(&folder, "by-extension", Kind::Command);
    assert_eq!(files, [".gitignore", "Cargo.toml", "README.md", "plugin.toml", "src/lib.rs"]);
    assert_eq!(tested(&folder), 5);

    let (built, bytes) = make(&folder);
    assert_eq!(built.file, target().join("plugin/by-extension.wasm"));
    assert_eq!((built.bytes, built.component), (bytes.len() as u64, Sha256::of(&bytes)));
    assert_eq!(built.findings, []);
    assert_eq!(manifest_of(&bytes).unwrap(), built.manifest);
    insta::assert_json_snapshot!("template_manifest", built.manifest);

    // exactly what the code uses, and what every Rust program brings along
    let outline = outline(&bytes).unwrap();
    assert_eq!(outline, built.outline);
    assert_eq!(outline.deskhand_imports().collect::<Vec<_>>(), ["changes", "files", "invocation"]);
    assert_eq!(outline.exports, ["deskhand:plugin/command@0.1.0"]);
    for import in &outline.imports {
        let inert = ["wasi:cli/", "wasi:clocks/", "wasi:filesystem/", "wasi:io/", "wasi:random/"];
        assert!(
            import.starts_with("deskhand:plugin/") || inert.iter().any(|known| import.starts_with(known)),
            "{import}"
        );
    }

    // the names of functions stay for backtraces; the folders of this machine do not
    assert!(contains(&bytes, b"by_extension"));
    for path in [place.path().as_os_str().as_encoded_bytes(), env!("CARGO_MANIFEST_DIR").as_bytes()] {
        assert!(!contains(&bytes, path), "{}", String::from_utf8_lossy(path));
    }
    if let Some(home) = std::env::var_os("HOME") {
        assert!(!contains(&bytes, home.as_encoded_bytes()), "the home folder is in the component");
    }

    // the same source elsewhere gives the same bytes
    let elsewhere = tempfile::tempdir().unwrap();
    let other = elsewhere.path().join("a/longer path/by-extension");
    new_plugin(&other, "by-extension", Kind::Command);
    fs::copy(folder.join("Cargo.lock"), other.join("Cargo.lock")).unwrap();
    let (_, again) = make(&other);
    assert!(again == bytes, "two builds of one source differ");

    // a clone without the SDK gets it back
    fs::remove_dir_all(other.join(".deskhand")).unwrap();
    let (_, restored) = make(&other);
    assert!(restored == bytes, "the SDK that was put back is another");

    mistakes(&folder);
}

/// A plugin of each other kind passes its tests, asks for what it uses, and is what it says.
#[test]
fn a_new_plugin_of_each_kind_is_one_of_it() {
    let place = tempfile::tempdir().unwrap();
    for (kind, tests, imports, export) in [
        (Kind::Tool, 3, &["files"][..], "tools"),
        (Kind::Skill, 3, &[], "skill"),
        (Kind::Agent, 2, &[], "agent"),
        (Kind::AgentLoop, 3, &["model"], "agent-loop"),
    ] {
        let name = format!("new-{}", kind.name());
        let folder = place.path().join(&name);
        new_plugin(&folder, &name, kind);
        assert_eq!(tested(&folder), tests, "{name}");
        let (built, _) = make(&folder);
        assert_eq!(built.findings, [], "{name}");
        assert_eq!(built.outline.deskhand_imports().collect::<Vec<_>>(), imports, "{name}");
        assert_eq!(built.outline.exports, [format!("deskhand:plugin/{export}@0.1.0")], "{name}");
    }
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

/// What an author does wrong is said in words that help.
fn mistakes(folder: &Path) {
    let error = |folder: &Path| build(folder, toolchain()).unwrap_err().to_string();
    let manifest = folder.join("plugin.toml");
    let good = fs::read_to_string(&manifest).unwrap();

    fs::write(&manifest, good.replace("kind = \"files.read\"", "kind = \"files.reed\"")).unwrap();
    assert!(error(folder).contains("unknown variant `files.reed`"), "{}", error(folder));
    fs::write(&manifest, good.replace("publisher", "publischer")).unwrap();
    assert!(error(folder).contains("unknown field `publischer`"), "{}", error(folder));
    fs::write(&manifest, "").unwrap();
    assert!(error(folder).starts_with("`publisher` is missing: write it into plugin.toml under [plugin]"));
    fs::remove_file(&manifest).unwrap();
    assert!(error(folder).contains("there is no `plugin.toml` in it"));
    fs::write(&manifest, good).unwrap();

    let code = folder.join("src/lib.rs");
    let text = fs::read_to_string(&code).unwrap();
    fs::write(&code, text.replace("deskhand_sdk::plugin!", "// deskhand_sdk::plugin!")).unwrap();
    assert!(error(folder).contains("deskhand_sdk::plugin! { commands: [...] }"), "{}", error(folder));
}
