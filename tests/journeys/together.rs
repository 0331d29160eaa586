//! Several runs at once on one home, as a person with several terminals has them.

use deskhand_tests::{Place, Ran, deskhand};
use std::{fs, process::Stdio};

/// How often, and how many at once.
const ROUNDS: usize = 8;
const AT_ONCE: usize = 6;

#[test]
fn runs_on_folders_of_their_own_do_not_disturb_each_other() {
    let place = Place::with_plugins();
    for round in 0..ROUNDS {
        let folders: Vec<_> = (0..AT_ONCE).map(|number| format!("{round}-{number}")).collect();
        for folder in &folders {
            fs::create_dir(place.path("home").join(folder)).unwrap();
            for name in ["note.txt", "list.txt"] {
                fs::write(place.path("home").join(folder).join(name), folder).unwrap();
            }
        }
        let start = |folder: &String| {
            let mut command = place.command(deskhand());
            command.args(["run", "--yes", "--folder", folder, "/organize by type"]);
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
        };
        let running: Vec<_> = folders.iter().map(start).collect();
        for (folder, child) in folders.iter().zip(running) {
            let ran = Ran::of(child.wait_with_output().unwrap());
            assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{folder}: {}", ran.stdout);
            for name in ["note.txt", "list.txt"] {
                let moved = place.path("home").join(folder).join("Documents").join(name);
                assert_eq!(&fs::read_to_string(moved).unwrap(), folder);
            }
        }
    }
    // each has a number of its own, and all that they kept for a moment is gone
    let history = place.deskhand(["history", "--json", "--limit", "1000"]).ok();
    let commit = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap()["commit"].as_u64().unwrap();
    let mut commits: Vec<u64> = history.lines().map(commit).collect();
    commits.sort_unstable();
    assert_eq!(commits, (1..=(ROUNDS * AT_ONCE) as u64).collect::<Vec<_>>());
    let left: Vec<_> = fs::read_dir(place.path("deskhand/data/store")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
}
