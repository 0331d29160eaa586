//! Every command of the README and of the pages in `docs/`, as it stands there, run in the order of its page.
//!
//! A page's commands are the lines of its `sh` blocks, and of its indented blocks those that begin with a program that
//! readers are told to run. Each page with commands needs a scene below: what its reader has before the first line.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that finds something wrong ends")]

mod page;
mod scene;

use deskhand_tests::{Place, Ran, deskhand, root};
use scene::Scene;
use std::{collections::BTreeSet, fs, path::Path};

/// The pages that are tested, by their path from the root.
fn pages() -> Vec<String> {
    let mut pages: Vec<String> = ["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(str::to_owned).to_vec();
    let mut docs: Vec<String> = fs::read_dir(root().join("docs"))
        .unwrap()
        .map(|entry| format!("docs/{}", entry.unwrap().file_name().to_str().unwrap()))
        .filter(|name| name.ends_with(".md"))
        .collect();
    docs.sort();
    pages.extend(docs);
    pages
}

fn text(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap()
}

/// Run the commands of one page. What a scene expects to fail must fail as it says.
fn run(name: &str) {
    if !root().join(name).exists() {
        // a page that nobody can read promises nothing; `no_page_is_forgotten` finds one under a new name
        return;
    }
    let commands = page::commands(name, &text(name));
    assert!(!commands.is_empty(), "{name} has no commands any more: take its scene away");
    let mut scene =
        Scene::of(name).unwrap_or_else(|| panic!("{name} has commands, but no scene in tests/docs/scene.rs"));
    for command in commands {
        if let Some(target) = command.strip_prefix("make ") {
            let target = target.split_whitespace().next().unwrap_or_default();
            assert!(targets().contains(target), "{name}: the Makefile has no target `{target}`");
            continue;
        }
        if let Some(program) = command.strip_prefix("target/release/") {
            // what `make bench` builds; it takes long, and `make bench` is where it runs
            let program = program.split_whitespace().next().unwrap_or_default();
            assert!(
                text("tests/bench/Cargo.toml").contains(&format!("\"{program}\"")),
                "{name}: no program `{program}`"
            );
            continue;
        }
        scene.before(name, &command);
        let line = scene.line(&command);
        let ran = shell(&scene.place, &scene.folder, &line);
        let wanted = scene.code(&command);
        assert_eq!(ran.code, wanted, "{name}: {line}\n{}{}", ran.stdout, ran.stderr);
        scene.after(&command, &ran);
    }
}

/// The targets of the Makefile.
fn targets() -> BTreeSet<String> {
    let makefile = text("Makefile");
    let rules = makefile.lines().filter(|line| !line.starts_with(['\t', ' ', '#', '.']) && !line.contains('='));
    rules
        .filter_map(|line| line.split_once(':'))
        .flat_map(|(names, _)| names.split_whitespace())
        .map(str::to_owned)
        .collect()
}

/// What the reader's shell does with a line.
fn shell(place: &Place, folder: &Path, line: &str) -> Ran {
    let binary = deskhand();
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = place.command("bash");
    command.args(["-c", line]).env("PATH", path).current_dir(folder);
    // the Rust of whoever runs the tests, which is found by its home
    let home = std::env::var("HOME").unwrap_or_default();
    for (name, below) in [("CARGO_HOME", ".cargo"), ("RUSTUP_HOME", ".rustup")] {
        command.env(name, std::env::var(name).unwrap_or_else(|_| format!("{home}/{below}")));
    }
    for name in ["RUSTUP_AUTO_INSTALL", "RUSTUP_TOOLCHAIN", "CARGO_NET_OFFLINE", "XDG_DATA_HOME"] {
        command.envs(std::env::var(name).map(|value| (name, value)));
    }
    Ran::of(command.output().unwrap())
}

macro_rules! pages {
    ($($test:ident: $page:literal,)*) => {
        $(#[test]
        fn $test() {
            run($page);
        })*

        const TESTED: &[&str] = &[$($page),*];
    };
}

pages! {
    readme: "README.md",
    contributing: "CONTRIBUTING.md",
    admin: "docs/admin.md",
    authoring: "docs/authoring.md",
    agent: "docs/agent.md",
    bench: "docs/bench.md",
    command_line: "docs/command-line.md",
    instructions: "docs/instructions.md",
    keys: "docs/keys.md",
    log: "docs/log.md",
    marketplace: "docs/marketplace.md",
    mcp_login: "docs/mcp-login.md",
    mcp: "docs/mcp.md",
    mcp_server: "docs/mcp-server.md",
    memory: "docs/memory.md",
    models: "docs/models.md",
    permissions: "docs/permissions.md",
    sandbox: "docs/sandbox.md",
    commands: "docs/shell.md",
    tasks: "docs/tasks.md",
    transcripts: "docs/transcripts.md",
    undo: "docs/undo.md",
    vm: "docs/vm.md",
}

#[test]
fn no_page_is_forgotten() {
    let with_commands: BTreeSet<String> =
        pages().into_iter().filter(|name| !page::commands(name, &text(name)).is_empty()).collect();
    assert_eq!(
        with_commands,
        TESTED.iter().filter(|name| root().join(name).exists()).map(|name| (*name).to_owned()).collect()
    );
}

/// Not for people, and without help of their own.
const HIDDEN: [&str; 5] = ["compile-component", "sandbox-helper", "supervise", "tuf-conformance", "watch-program"];

/// What stands within a sentence, such as `deskhand why`, is a command that there is.
#[test]
fn commands_in_sentences_exist() {
    let place = Place::new();
    let mut unknown = Vec::new();
    for name in pages() {
        for words in page::mentioned(&text(&name)).into_iter().filter(|words| !HIDDEN.contains(&words[0].as_str())) {
            let help: Vec<&str> = words.iter().map(String::as_str).chain(["--help"]).collect();
            if place.deskhand(&help).code != 0 {
                unknown.push(format!("{name}: deskhand {}", words.join(" ")));
            }
        }
    }
    assert_eq!(unknown, [""; 0]);
}

/// The links between the pages lead somewhere.
#[test]
fn links_lead_somewhere() {
    let mut dead = Vec::new();
    for name in pages() {
        let folder = root().join(&name).parent().unwrap().to_owned();
        for link in page::links(&text(&name)) {
            let (path, _) = link.split_once('#').unwrap_or((&link, ""));
            if !path.is_empty() && !path.contains("://") && !folder.join(path).exists() {
                dead.push(format!("{name}: {link}"));
            }
        }
    }
    assert_eq!(dead, [""; 0]);
}
