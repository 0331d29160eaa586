//! Every command of the pages for people who use and who run marketplaces, as it stands there.

use super::component;
use deskhand_tests::{Place, deskhand, root};
use serde_json::{Value, json};

/// The lines in `sh` blocks of a page.
fn commands(page: &str) -> Vec<String> {
    let text = std::fs::read_to_string(root().join("docs").join(page)).unwrap();
    let mut inside = false;
    let mut found = Vec::new();
    for line in text.lines() {
        match line {
            "```sh" => inside = true,
            "```" => inside = false,
            _ if inside => found.push(line.to_owned()),
            _ => {}
        }
    }
    found
}

/// Run a line in a shell, as the owner of the Deskhand home `home`; what it printed.
fn run(place: &Place, home: &str, line: &str) -> String {
    let binary = deskhand();
    let path = format!("{}:{}", binary.parent().unwrap().display(), std::env::var("PATH").unwrap());
    let ran = place
        .command("sh")
        .args(["-c", line])
        .env("PATH", path)
        .env("DESKHAND_HOME", place.path(home))
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success(), "{line}\n{out}{err}");
    out.into_owned()
}

fn ours(place: &Place) -> Value {
    let listed = run(place, "admin", "deskhand market list --json");
    serde_json::from_str(listed.lines().next().unwrap()).unwrap()
}

#[test]
fn the_page_for_admins_is_true() {
    let place = Place::new();
    std::fs::write(place.path("home/organize.wasm"), component("organize", "1.0.0", &["files.read"], &json!({})))
        .unwrap();
    let lines = commands("admin.md");
    assert!(lines.len() >= 10, "{lines:?}");
    for line in lines {
        let line = if line.contains("KEYID") {
            line.replace("KEYID", &ours(&place)["root_keys"][2]["id"].as_str().unwrap()[..8])
        } else {
            line
        };
        run(&place, "admin", &line);
    }
}

#[test]
fn the_page_for_users_is_true() {
    let place = Place::new();
    let at = |below: &str| place.path(below).display().to_string();
    std::fs::write(place.path("home/organize.wasm"), component("organize", "1.0.0", &["files.read"], &json!({})))
        .unwrap();
    let (stick, safe) = (at("stick/key.pem"), at("safe/key.pem"));
    run(&place, "admin", &format!("deskhand market init acme ~/market --root-key-out {stick} --root-key-out {safe}"));
    run(&place, "admin", "deskhand market publish acme organize.wasm");
    let fingerprint = ours(&place)["fingerprint"].as_str().unwrap().to_owned();
    let lines = commands("marketplace.md");
    assert!(lines.len() >= 9, "{lines:?}");
    for line in lines {
        // Nobody is there to say yes.
        let line = match line.split_once('#') {
            Some((command, _)) => command.trim_end().to_owned(),
            None => line,
        };
        let asks = line.starts_with("deskhand plugin install");
        let line = line.replace("FINGERPRINT", &fingerprint) + if asks { " --yes" } else { "" };
        run(&place, "user", &line);
    }
}
