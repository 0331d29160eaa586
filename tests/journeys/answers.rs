//! Who answers when nobody is there: exit codes.

use deskhand_tests::{Place, deskhand, root, snapshot};
use std::{fs, process::Stdio};

/// A place with a folder of one file.
fn place() -> Place {
    let place = Place::with_plugins();
    fs::create_dir(place.path("home/Inbox")).unwrap();
    fs::write(place.path("home/Inbox/note.txt"), "note").unwrap();
    place
}

fn code(place: &Place, arguments: &[&str]) -> i32 {
    place.deskhand(arguments).code
}

#[test]
fn each_exit_code() {
    let place = place();
    let run = ["run", "--folder", "Inbox"];
    let with = |more: &[&'static str]| [&run[..], more].concat();
    let before = snapshot(&place.path("home/Inbox"));
    assert_eq!(code(&place, &with(&["/organize by type"])), 3);
    assert_eq!(code(&place, &with(&["--yes", "/organize by type and nonsense and more"])), 2);
    assert_eq!(code(&place, &["run"]), 2);
    assert_eq!(code(&place, &["run", "--no-such-option"]), 2);
    assert_eq!(code(&place, &["run", "--always", "/organize"]), 2);
    assert_eq!(code(&place, &with(&["--read-only", "--yes", "/organize"])), 5);
    assert_eq!(code(&place, &with(&["--yes", "Book a flight to Lisbon"])), 7);
    assert_eq!(code(&place, &["run", "--yes", "--folder", "Missing", "/organize"]), 1);
    assert_eq!(code(&place, &["undo", "99"]), 1);
    // not named and never granted: nobody is there to be asked
    assert_eq!(code(&place, &["run", "--yes", "/organize"]), 3);
    assert_eq!(snapshot(&place.path("home/Inbox")), before);
    assert_eq!(code(&place, &with(&["--yes", "/organize by type"])), 0);
    assert_eq!(code(&place, &with(&["--yes", "/organize by type"])), 0);
    assert_eq!(code(&place, &["undo"]), 3);
    fs::write(place.path("home/Inbox/Documents/note.txt"), "edited").unwrap();
    fs::write(place.path("home/Inbox/other.txt"), "other").unwrap();
    assert_eq!(code(&place, &["undo", "--yes"]), 1);
}

/// What lies on a pipe is not a person: a `y` in the input answers nothing.
#[test]
fn a_pipe_is_no_person() {
    let place = place();
    let before = snapshot(&place.path("home/Inbox"));
    let mut command = place.command("sh");
    let script = "yes A | \"$0\" run --folder Inbox '/organize by type'; echo \"code $?\"";
    let output = command.args(["-c", script]).arg(deskhand()).stdin(Stdio::null()).output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(said.ends_with("code 3\n"), "{said}");
    assert_eq!(snapshot(&place.path("home/Inbox")), before);
}

/// Who reads only the first line ends the output, not the work.
#[test]
fn a_reader_that_goes_away() {
    let place = place();
    let mut command = place.command("bash");
    let script = "set -o pipefail; \"$0\" run --yes --folder Inbox '/organize by type' | true; echo \"code $?\"";
    let output = command.args(["-c", script]).arg(deskhand()).output().unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "code 0\n");
    assert!(place.path("home/Inbox/Documents/note.txt").is_file());
}

/// The table in the documentation is the one of `deskhand --help`.
#[test]
fn the_documented_table() {
    let place = Place::new();
    let help = place.deskhand(["--help"]).ok();
    let (_, table) = help.split_once("Exit codes:\n").unwrap();
    // a long line of the help goes on in the next
    let mut meant: Vec<(String, String)> = Vec::new();
    for line in table.lines().filter(|line| !line.trim().is_empty()) {
        let (code, meaning) = line.trim().split_once("  ").unwrap_or(("", line.trim()));
        match (code.parse::<u8>(), meant.last_mut()) {
            (Ok(_), _) => meant.push((code.to_owned(), meaning.trim().to_owned())),
            (Err(_), Some((_, last))) => *last = format!("{last} {}", line.trim()),
            (Err(_), None) => panic!("{line}"),
        }
    }
    let page = fs::read_to_string(root().join("docs/command-line.md")).unwrap();
    let documented: Vec<(String, String)> = page
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| ")?.trim_end_matches(" |").splitn(2, " | ");
            let code = cells.next()?;
            code.parse::<u8>().ok()?;
            Some((code.to_owned(), cells.next()?.to_owned()))
        })
        .collect();
    assert_eq!(documented, meant);
    assert_eq!(meant.len(), 10);
}
