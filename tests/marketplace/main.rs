//! Marketplaces and the use of plugins, with the real binary: an admin publishes, a person installs.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod docs;

use deskhand_tests::{Place, Ran, deskhand, market::idle};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A component that does nothing, with a manifest.
pub(crate) fn component(name: &str, version: &str, permissions: &[&str], needs: &Value) -> Vec<u8> {
    let permissions: Vec<Value> =
        permissions.iter().map(|kind| json!({"kind": kind, "reason": format!("because {kind}")})).collect();
    let manifest = json!({
        "plugin": {
            "name": name, "version": version, "publisher": "Example Ltd", "summary": format!("What {name} does"),
            "interface": "0.1.0",
        },
        "permissions": permissions,
        "dependencies": needs,
    });
    idle(&manifest)
}

/// An admin and a user on one computer.
struct Two {
    place: Place,
}

impl Two {
    fn new() -> Self {
        let two = Self { place: Place::new() };
        two.market("acme");
        two
    }

    fn path(&self, below: &str) -> String {
        self.place.path(below).display().to_string()
    }

    fn run(&self, home: &str, arguments: &[&str]) -> Ran {
        let mut command = self.place.command(deskhand());
        command.env("DESKHAND_HOME", self.path(home)).args(arguments);
        Ran::of(command.output().unwrap())
    }

    fn admin(&self, arguments: &[&str]) -> Ran {
        self.run("admin", arguments)
    }

    fn user(&self, arguments: &[&str]) -> Ran {
        self.run("user", arguments)
    }

    /// Make a marketplace and add it.
    fn market(&self, name: &str) {
        let folder = self.path(&format!("markets/{name}"));
        let (one, other) = (self.path(&format!("stick/{name}.pem")), self.path(&format!("safe/{name}.pem")));
        let made =
            self.admin(&["market", "init", name, &folder, "--root-key-out", &one, "--root-key-out", &other, "--json"]);
        let made: Value = serde_json::from_str(&made.ok()).unwrap();
        let fingerprint = made["made"]["fingerprint"].as_str().unwrap();
        assert_eq!(
            self.user(&["market", "add", name, &folder, "--fingerprint", fingerprint]).ok(),
            format!(
                "The marketplace {name} is added. It offers 0 plugins.\nFind something with: deskhand plugin search\n"
            )
        );
    }

    fn publish(&self, market: &str, name: &str, version: &str, permissions: &[&str], needs: &Value) {
        let file = self.place.path(&format!("{name}-{version}.wasm"));
        std::fs::write(&file, component(name, version, permissions, needs)).unwrap();
        let published = self.admin(&["market", "publish", market, file.to_str().unwrap()]);
        assert_eq!((published.code, published.stdout), (0, format!("{name} {version} is published.\n")));
    }

    /// The versions that run and that wait, by plugin.
    fn installed(&self) -> Vec<(String, String, Value)> {
        let listed = self.user(&["plugin", "list", "--json"]).ok();
        let rows = listed.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        rows.filter(|row| row["revoked"].is_null())
            .map(|row| {
                let text = |field: &str| row[field].as_str().unwrap().to_owned();
                (text("plugin"), text("version"), row["waiting"].clone())
            })
            .collect()
    }
}

fn row(plugin: &str, version: &str, waiting: Value) -> (String, String, Value) {
    (plugin.to_owned(), version.to_owned(), waiting)
}

#[test]
fn an_update_that_may_do_more_waits_while_the_old_version_runs() {
    let two = Two::new();
    two.publish("acme", "tidy", "1.0.0", &["files.read"], &json!({}));
    let unanswered = two.user(&["plugin", "install", "tidy"]);
    assert_eq!(unanswered.code, 3, "{unanswered:?}");
    assert_eq!(two.installed(), []);
    assert_eq!(two.user(&["plugin", "install", "tidy", "--yes"]).code, 0);
    assert_eq!(two.user(&["plugin", "install", "tidy"]).ok(), "acme:tidy is installed already.\n");

    // One that asks for nothing new is installed without a question.
    two.publish("acme", "tidy", "1.1.0", &["files.read"], &json!({}));
    let updated = two.user(&["plugin", "update"]);
    assert_eq!(
        (updated.code, updated.stdout.as_str()),
        (0, "acme:tidy is updated from 1.0.0 to 1.1.0.\n"),
        "{updated:?}"
    );

    two.publish("acme", "tidy", "1.2.0", &["files.read", "files.change"], &json!({}));
    let waits = two.user(&["plugin", "update"]);
    assert_eq!((waits.code, waits.stdout.as_str()), (6, ""), "{waits:?}");
    assert!(
        waits.stderr.ends_with(
            "acme:tidy keeps running as 1.1.0. Version 1.2.0, which may do more, waits for you: deskhand plugin update \
             acme:tidy\n"
        ),
        "{waits:?}"
    );
    assert_eq!(two.installed(), [row("acme:tidy", "1.1.0", json!("1.2.0"))]);
    assert_eq!(two.user(&["plugin", "update", "tidy", "--yes"]).stdout, "acme:tidy is updated from 1.1.0 to 1.2.0.\n");
    assert_eq!(two.installed(), [row("acme:tidy", "1.2.0", Value::Null)]);
    assert_eq!(two.user(&["plugin", "update"]).ok(), "Everything is up to date.\n");
}

#[test]
fn what_is_needed_comes_along_and_is_not_taken_away_from_under_it() {
    let two = Two::new();
    two.publish("acme", "text", "1.0.0", &[], &json!({}));
    two.publish("acme", "text", "2.0.0", &[], &json!({}));
    two.publish("acme", "report", "1.0.0", &[], &json!({"text": "^1"}));
    let done = two.user(&["plugin", "install", "report", "--yes"]);
    assert_eq!(
        (done.code, done.stdout.as_str()),
        (0, "acme:text 1.0.0 is installed.\nacme:report 1.0.0 is installed.\n")
    );
    let refused = two.user(&["plugin", "install", "text@2.0.0", "--yes"]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.stderr.contains("report is installed") && refused.stderr.contains("You want text 2.0.0"),
        "{refused:?}"
    );
    let refused = two.user(&["plugin", "uninstall", "text"]);
    assert_eq!(
        (refused.code, refused.stderr.as_str()),
        (1, "acme:text is needed by acme:report. Uninstall that first, or use --force and do without.\n")
    );
    assert_eq!(two.user(&["plugin", "uninstall", "report"]).ok(), "acme:report is uninstalled.\n");
    assert_eq!(two.user(&["plugin", "uninstall", "text"]).ok(), "acme:text is uninstalled.\n");
    assert_eq!(two.installed(), []);
}

#[test]
fn one_name_in_two_marketplaces_is_two_plugins() {
    let two = Two::new();
    two.market("other");
    two.publish("acme", "tidy", "1.0.0", &[], &json!({}));
    two.publish("other", "tidy", "7.0.0", &["files.read"], &json!({}));
    let which = two.user(&["plugin", "install", "tidy", "--yes"]);
    assert_eq!(
        (which.code, which.stderr.as_str()),
        (3, "Several marketplaces offer tidy. Say which one you mean: acme:tidy or other:tidy.\n")
    );
    assert_eq!(two.user(&["plugin", "install", "acme:tidy", "--yes"]).code, 0);
    assert_eq!(two.user(&["plugin", "install", "other:tidy", "--yes"]).code, 0);
    assert_eq!(two.installed(), [row("acme:tidy", "1.0.0", Value::Null), row("other:tidy", "7.0.0", Value::Null)]);
    let which = two.user(&["plugin", "uninstall", "tidy"]);
    assert_eq!(which.code, 2);
    // A marketplace that is gone takes nothing with it.
    assert_eq!(two.user(&["market", "remove", "acme"]).code, 0);
    assert_eq!(two.installed().len(), 2);
}

#[test]
fn what_is_revoked_stops_with_its_reason() {
    let two = Two::new();
    two.publish("acme", "tidy", "1.0.0", &[], &json!({}));
    assert_eq!(two.user(&["plugin", "install", "tidy", "--yes"]).code, 0);
    assert_eq!(two.admin(&["market", "yank", "acme", "tidy@1.0.0", "--reason", "old"]).code, 0);
    let yanked = two.user(&["plugin", "update"]);
    assert_eq!(
        (yanked.code, yanked.stderr.as_str()),
        (0, "acme:tidy 1.0.0 is not offered any more: old. It keeps running; an update may be there.\n")
    );
    assert_eq!(two.installed().len(), 1);
    assert_eq!(
        two.admin(&["market", "revoke", "acme", "tidy@1.0.0", "--yes", "--reason", "bad \u{1b}[2J\u{202e}"]).code,
        0
    );
    let stopped = two.user(&["plugin", "update"]);
    assert_eq!(
        stopped.stderr,
        "acme:tidy 1.0.0 was revoked by its marketplace: bad \\u{1b}[2J\\u{202e}. It runs no more. What was \
         installed is kept aside until you remove it: deskhand plugin uninstall acme:tidy. Another version may be there: \
         deskhand plugin install acme:tidy\n"
    );
    let listed = two.user(&["plugin", "list"]).stdout;
    assert!(listed.contains("acme:tidy  1.0.0    revoked  stopped: bad \\u{1b}[2J\\u{202e}. Remove what"), "{listed}");
    let kept = two.place.path("user/data/plugins/revoked");
    let files = || std::fs::read_dir(&kept).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let same = files().iter().any(|file| std::fs::read(file).unwrap() == component("tidy", "1.0.0", &[], &json!({})));
    assert!(same && files().len() == 2, "{:?}", files());
    assert_eq!(two.installed(), []);
    let refused = two.user(&["plugin", "install", "tidy@1.0.0", "--yes"]);
    assert!(refused.code == 1 && refused.stderr.contains("is revoked"), "{refused:?}");
    // what is kept goes when the person says so
    let removed = two.user(&["plugin", "uninstall", "tidy"]).ok();
    assert_eq!(removed, "What was kept of acme:tidy 1.0.0, which was revoked, is removed.\n");
    assert_eq!(files(), Vec::<PathBuf>::new());
    assert!(two.user(&["plugin", "list"]).ok().starts_with("No plugin is installed."));
}

/// Files of what was verified before, which are changed, cut short or gone.
#[test]
fn what_was_verified_before_is_not_lost_without_a_word() {
    let two = Two::new();
    two.publish("acme", "tidy", "1.0.0", &[], &json!({}));
    assert_eq!(two.user(&["plugin", "install", "tidy", "--yes"]).code, 0);
    let trusted = two.place.path("user/data/marketplaces/acme/trusted");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&trusted).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.is_file());
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let whole = std::fs::read(&file).unwrap();
        let mut flipped = whole.clone();
        flipped[whole.len() / 2] ^= 1;
        for damage in [Some(flipped), Some(whole[..whole.len() / 2].to_vec()), Some(Vec::new()), None] {
            match &damage {
                Some(bytes) => std::fs::write(&file, bytes).unwrap(),
                None => std::fs::remove_file(&file).unwrap(),
            }
            let refused = two.user(&["plugin", "install", "acme:tidy@1.0.0"]);
            assert_eq!(refused.code, 1, "{refused:?}");
            let said = "What was verified of this marketplace before is damaged: ";
            assert!(refused.stderr.starts_with(said) && refused.stderr.contains("market remove"), "{refused:?}");
        }
        std::fs::write(&file, &whole).unwrap();
    }
    assert_eq!(two.user(&["plugin", "install", "acme:tidy@1.0.0"]).ok(), "acme:tidy is installed already.\n");
    // mended by adding it anew
    std::fs::remove_dir_all(&trusted).unwrap();
    let searched = two.user(&["plugin", "search"]);
    assert_eq!((searched.code, searched.stdout.as_str()), (1, ""));
    assert!(searched.stderr.ends_with("No marketplace that you added can be used now, so nothing was searched.\n"));
    let listed = two.admin(&["market", "list", "--json"]).ok();
    let listed: Value = serde_json::from_str(listed.lines().next().unwrap()).unwrap();
    let (folder, fingerprint) = (listed["folder"].as_str().unwrap(), listed["fingerprint"].as_str().unwrap());
    assert_eq!(two.user(&["market", "remove", "acme"]).code, 0);
    assert_eq!(two.user(&["market", "add", "acme", folder, "--fingerprint", fingerprint]).code, 0);
    assert_eq!(two.user(&["plugin", "install", "acme:tidy@1.0.0"]).ok(), "acme:tidy is installed already.\n");
}

/// A look that hangs, as on a network that is gone, holds nothing up: here another process has the marketplace locked.
#[test]
fn a_marketplace_that_does_not_answer_is_gone_on_without() {
    let two = Two::new();
    assert_eq!(two.user(&["plugin", "search"]).code, 0);
    let lock = std::fs::File::open(two.place.path("user/data/marketplaces/acme/.lock")).unwrap();
    lock.lock().unwrap();
    let doctor = two.user(&["doctor"]);
    assert!(doctor.stdout.contains("note  marketplaces       acme (does not answer)\n"), "{doctor:?}");
    let ran = two.user(&["run", "--folder", &two.path("home"), "/nothing"]);
    assert!(ran.stderr.contains("The marketplace acme does not answer ("), "{ran:?}");
    assert!(ran.stderr.contains("No installed command is called `/nothing`."), "{ran:?}");
    assert_eq!(ran.code, 2);
}

#[test]
fn a_swapped_component_is_not_installed() {
    let two = Two::new();
    two.publish("acme", "tidy", "1.0.0", &[], &json!({}));
    let folder = two.place.path("markets/acme/targets/tidy/1.0.0");
    let file: PathBuf = std::fs::read_dir(folder).unwrap().next().unwrap().unwrap().path();
    std::fs::write(&file, component("tidy", "1.0.0", &["files.remove"], &json!({}))).unwrap();
    let refused = two.user(&["plugin", "install", "tidy", "--yes"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    assert_eq!(two.installed(), []);
}

#[test]
fn a_yanked_version_is_listed_as_such() {
    let two = Two::new();
    two.publish("acme", "tidy", "1.0.0", &["files.read"], &json!({}));
    assert_eq!(two.user(&["plugin", "install", "--yes", "tidy"]).code, 0);
    assert_eq!(two.admin(&["market", "yank", "acme", "tidy@1.0.0", "--reason", "it sorts backwards"]).code, 0);
    // what is listed is what was known when the marketplace was looked at last
    assert_eq!(two.user(&["plugin", "search", "tidy"]).code, 0);
    assert_eq!(
        two.user(&["plugin", "list"]).ok(),
        "PLUGIN     VERSION  UPDATE                      WHAT IT DOES\n\
         acme:tidy  1.0.0    yanked: it sorts backwards  What tidy does\n"
    );
    let listed: Value = serde_json::from_str(&two.user(&["plugin", "list", "--json"]).ok()).unwrap();
    assert_eq!(listed["yanked"], "it sorts backwards");
}

#[test]
fn a_wrong_fingerprint_is_not_answered_with_the_right_one() {
    let two = Two::new();
    let (folder, wrong) = (two.path("markets/acme"), "0".repeat(64));
    let refused = two.user(&["market", "add", "other", &folder, "--fingerprint", &wrong]);
    let expected = format!(
        "{folder} is not the marketplace whose fingerprint you gave ({wrong}). Nothing was added. See that it was typed as \
         it was told to you; else have the admin tell you the fingerprint again, by another way than this folder: \
         `deskhand market list` shows it to them.\n"
    );
    assert_eq!((refused.code, refused.stdout, refused.stderr), (1, String::new(), expected));
}
