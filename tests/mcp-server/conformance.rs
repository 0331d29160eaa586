//! The official conformance suite of the protocol, for servers: each scenario that it has, against our own plugins and a
//! folder. Those that fail are those that `docs/mcp-server.md` explains.

use crate::{http::Server, kit::place};
use deskhand_tests::{
    conformance::{checks, explained, scenarios, suite_with, wrong},
    login::modules,
    root,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

#[test]
fn the_suite_finds_what_the_page_says() {
    let (place, folder) = place();
    let server = Server::start(&place, &["--folder", folder.to_str().unwrap()]);
    let (all, found) = (scenarios(&place, "Server"), place.path("found"));
    let token = root().join("tests/mcp-server/conformance/token.mjs");
    let mut run = suite_with(&place, &["--import", token.to_str().unwrap()]);
    run.args(["server", "--suite", "all", "--url", &format!("http://127.0.0.1:{}/mcp", server.port)]);
    run.arg("-o").arg(&found).env("TOKEN", &server.token).env("MODULES", modules().join("node_modules"));
    let ran = run.output().unwrap();
    // a folder for each scenario: its name, and when it was run
    let folders: Vec<_> = fs::read_dir(&found).unwrap().map(|entry| entry.unwrap().path()).collect();
    let of = |scenario: &String| {
        let begins = format!("server-{scenario}-20");
        let its = |path: &&PathBuf| path.file_name().unwrap().to_str().unwrap().starts_with(&begins);
        let checks: Vec<_> = folders.iter().filter(its).flat_map(|folder| checks(folder)).collect();
        let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
        assert!(!checks.is_empty(), "{scenario}: {out}{err}");
        (scenario.clone(), wrong(&checks))
    };
    let failing: BTreeMap<_, _> = all.iter().map(of).filter(|(_, wrong)| !wrong.is_empty()).collect();
    assert_eq!(failing.keys().cloned().collect::<BTreeSet<_>>(), explained("docs/mcp-server.md"), "{failing:#?}");
}
