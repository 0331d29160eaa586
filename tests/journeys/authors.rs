//! What those are told who write plugins.

use deskhand_tests::{Place, Ran, deskhand};
use std::fs;

#[test]
fn a_check_says_first_that_it_builds() {
    let place = Place::new();
    let folder = place.path("home/hello");
    fs::create_dir(&folder).unwrap();
    // nothing is found that could build it
    let check = || {
        let mut command = place.command(deskhand());
        Ran::of(command.args(["plugin", "check", "./hello"]).env("PATH", "").output().unwrap())
    };
    let ran = check();
    assert_eq!((ran.code, ran.stderr.starts_with("./hello holds no plugin: ")), (1, true), "{}", ran.stderr);
    fs::write(folder.join("plugin.toml"), "").unwrap();
    let ran = check();
    let building = "Building the plugin in ./hello. What its build runs, runs as you.\n";
    assert_eq!((ran.code, ran.stderr.starts_with(building)), (1, true), "{}", ran.stderr);
}
