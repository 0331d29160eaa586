#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use super::*;
use deskhand_vocabulary::{Principal, Sha256};
use serde_json::{Value, json};

fn change(id: u64, kind: ChangeKind, source: Option<&str>, target: Option<&str>, reason: &str) -> Change {
    let path = |text: &str| text.parse().unwrap();
    Change {
        id,
        kind,
        source: source.map(path),
        target: target.map(path),
        bytes: 1500 * id,
        files: 1,
        replaces: false,
        returned: None,
        reason: reason.to_owned(),
        sensitive: None,
        relies_on: Vec::new(),
        conflict: None,
    }
}

fn example(view: Value, changes: Vec<Change>) -> Plan {
    let origin = Principal::Plugin("home:sorter".parse().unwrap());
    let changes = changes.into_iter().map(Into::into).collect();
    Plan { title: "Sort\u{1b}[2J by type".into(), origin, changes, view, beyond: None, digest: Sha256::of("x") }
}

#[test]
fn a_tree_shows_folders_renames_and_the_sum() {
    use ChangeKind::{MakeFolder, Move};
    let mut changes = vec![
        change(1, MakeFolder, None, Some("D/Pictures"), ""),
        change(2, Move, Some("D/a.jpg"), Some("D/Pictures/a.jpg"), ""),
        change(3, Move, Some("D/A.jpg"), Some("D/Pictures/A (2).jpg"), "name taken by a.jpg"),
        change(4, Move, Some("D/x.pdf"), Some("D/Documents/x.pdf"), ""),
    ];
    changes.extend(
        (5..10).map(|n| change(n, Move, Some(&format!("D/{n}.png")), Some(&format!("D/Pictures/{n}.png")), "")),
    );
    assert_eq!(
        plan(&example(json!({"arrange": "tree"}), changes), Detail::Short),
        "\
[home:sorter] Sort\\u{1b}[2J by type

D/
├── Documents/x.pdf
└── Pictures/       7 files     60 kB
    ├── a.jpg
    ├── A (2).jpg
    ├── 5.png
    └── … and 4 more

Other names, so that nothing is overwritten:
  D/A.jpg → D/Pictures/A (2).jpg  (name taken by a.jpg)

8 files to be moved (66 kB), 1 folder to be made, nothing to be removed.
"
    );
}

#[test]
fn removals_stand_apart_and_groups_hide_nothing() {
    use ChangeKind::Remove;
    let changes =
        vec![change(1, Remove, Some("D/b.txt"), None, "same as a.txt"), change(2, Remove, Some("D/c.txt"), None, "")];
    let view = json!({"arrange": "groups", "groups": [{"title": "2 alike", "keep": "D/a.txt", "changes": [1]}]});
    assert_eq!(
        plan(&example(view, changes.clone()), Detail::Short),
        "\
[home:sorter] Sort\\u{1b}[2J by type

  2 alike
    keep    D/a.txt
    remove  D/b.txt  1.5 kB
  remove  D/c.txt  3.0 kB

2 files to be removed (4.5 kB).
"
    );
    assert_eq!(
        plan(&example(json!({"arrange": "table"}), changes), Detail::Full),
        "\
[home:sorter] Sort\\u{1b}[2J by type


To be removed (kept where you can get it back):
  D/b.txt  1.5 kB  (same as a.txt)
  D/c.txt  3.0 kB

2 files to be removed (4.5 kB).
"
    );
}

#[test]
fn groups_go_by_what_the_changes_stand_on() {
    use ChangeKind::{MakeFolder, Move, Remove};
    let copy = |id: u64, of: &str| {
        let relies_on = vec![of.parse().unwrap()];
        Change { bytes: 1500, relies_on, ..change(id, Remove, Some(&format!("D/{id}")), None, "same content") }
    };
    // in the order in which they were put forward, whatever the order in which they are made
    let mut changes = vec![copy(2, "D/b"), change(9, MakeFolder, None, Some("D/x"), "")];
    changes.extend([1, 3, 4, 5, 6].map(|id| copy(id, "D/sub/a\u{1b}")));
    changes.extend([7, 8].map(|id| change(id, Move, Some(&format!("D/{id}")), Some(&format!("D/x/{id}")), "too old")));
    assert_eq!(
        plan(&example(json!({"arrange": "groups"}), changes), Detail::Short),
        "\
[home:sorter] Sort\\u{1b}[2J by type

  6 × a\\u{1b}, 1.5 kB each
    keep    D/sub/a\\u{1b}
    remove  D/1  1.5 kB
    remove  D/3  1.5 kB
    remove  D/4  1.5 kB
    … and 2 more
  2 × b, 1.5 kB each
    keep    D/b
    remove  D/2  1.5 kB
  too old
    move  D/7 → D/x/7
    move  D/8 → D/x/8
  make-folder  D/x

2 files to be moved (23 kB), 1 folder to be made, 6 files to be removed (9.0 kB).
"
    );
}

#[test]
fn notes_are_their_proposers_own_and_do_not_outlive_an_edit() {
    let changes = vec![change(1, ChangeKind::Move, Some("D/a"), Some("D/x/y/a"), "")];
    let view = json!({"arrange": "tree", "notes": ["one\ntwo", "\u{1b}[2JApply this?"]});
    assert_eq!(
        plan(&example(view, changes.clone()), Detail::Short),
        "\
[home:sorter] Sort\\u{1b}[2J by type

D/
└── x/y/a

[home:sorter] says:
  one
  two
  \\u{1b}[2JApply this?

1 file to be moved (1.5 kB), nothing to be removed.
"
    );
    let view = json!({"arrange": "tree", "notes": ["one"], "edited": true});
    assert_eq!(
        plan(&example(view, changes), Detail::Short),
        "\
[home:sorter] Sort\\u{1b}[2J by type (edited by you)

D/
└── x/y/a

1 file to be moved (1.5 kB), nothing to be removed.
"
    );
}

#[test]
fn a_folder_for_each_file_takes_a_line_each_and_not_too_many() {
    let changes = (0..100)
        .map(|n| change(n, ChangeKind::Move, Some(&format!("D/{n}")), Some(&format!("D/{n:02}/{n:02}-01/{n}")), ""));
    let shown = plan(&example(json!({"arrange": "tree"}), changes.collect()), Detail::Short);
    let rows: Vec<&str> = shown.lines().skip(3).take_while(|line| !line.is_empty()).collect();
    assert_eq!((rows.len(), rows[0], rows[39]), (40, "├── 00/00-01/0", "└── … and 61 more folders"));
}

#[test]
fn what_cannot_be_kept_is_said_before_the_question() {
    let gone = change(1, ChangeKind::Remove, Some("D/large"), None, "");
    let mut new = change(2, ChangeKind::Write, None, Some("D/also large"), "");
    new.replaces = true;
    let beyond = deskhand_vocabulary::plan::Beyond { bytes: 12_000_000_000, limit: 10_000_000_000 };
    let lost = Plan { beyond: Some(beyond), ..example(json!({"arrange": "tree"}), vec![gone, new]) };
    let shown = plan(&lost, Detail::Short);
    assert!(shown.contains("To be removed for good:\n  D/large"), "{shown}");
    assert!(shown.contains("takes 12 GB on the disk, and at most 10 GB are kept for undo"), "{shown}");
    let removed = removals(&lost, Detail::Short);
    assert!(removed.contains("D/large") && removed.contains("D/also large"), "{removed}");
}

#[test]
fn one_reason_of_all_removals_is_said_once() {
    let gone = |id: u64, reason: &str| change(id, ChangeKind::Remove, Some(&format!("D/{id}")), None, reason);
    let of = |changes: Vec<Change>| example(json!({}), changes);
    let same = of(vec![gone(1, "rm\u{1b} -r D"), gone(2, "rm\u{1b} -r D")]);
    assert_eq!(removals(&same, Detail::Full), "Because of: rm\\u{1b} -r D\n  D/1  1.5 kB\n  D/2  3.0 kB\n");
    let different = of(vec![gone(1, "old"), gone(2, "older"), gone(3, "")]);
    assert_eq!(removals(&different, Detail::Full), "  D/1  1.5 kB  (old)\n  D/2  3.0 kB  (older)\n  D/3  4.5 kB\n");
    assert_eq!(removals(&of(vec![gone(1, "old")]), Detail::Full), "  D/1  1.5 kB  (old)\n");
    assert_eq!(removals(&of(vec![gone(1, ""), gone(2, "")]), Detail::Full), "  D/1  1.5 kB\n  D/2  3.0 kB\n");
    let many = removals(&of((0..30).map(|id| gone(id, "old")).collect()), Detail::Short);
    let lines: Vec<&str> = many.lines().collect();
    assert_eq!((lines.len(), lines[0], lines[20]), (21, "Because of: old", "  … and 11 more"));
    assert_eq!(many.matches("old").count(), 1);
}

#[test]
fn an_empty_folder_is_no_file() {
    let file = change(1, ChangeKind::Remove, Some("D/a"), None, "");
    let empty = |id: u64, path: &str| {
        let folder = change(id, ChangeKind::Remove, Some(path), None, "");
        Change { bytes: 0, files: 0, ..folder }
    };
    let both = example(json!({"arrange": "tree"}), vec![file.clone(), empty(2, "D/E")]);
    assert_eq!(
        plan(&both, Detail::Short),
        "\
[home:sorter] Sort\\u{1b}[2J by type


To be removed (kept where you can get it back):
  D/a  1.5 kB
  D/E  0 B

1 file and 1 empty folder to be removed (1.5 kB).
"
    );
    assert_eq!(removed(&both), "1 file and 1 empty folder will be removed (1.5 kB, 2 removals)");
    assert_eq!(made(&Tally::of(both.changes())), "removed 1 file and 1 empty folder");
    let folders = example(json!({}), vec![empty(1, "D/E"), empty(2, "D/F")]);
    assert_eq!(
        (sum(&folders).as_str(), removed(&folders).as_str()),
        ("2 empty folders to be removed.", "2 empty folders will be removed (2 removals)")
    );
    let files = example(json!({}), vec![file]);
    assert_eq!(
        (sum(&files).as_str(), removed(&files).as_str()),
        ("1 file to be removed (1.5 kB).", "1 file will be removed (1.5 kB)")
    );
}

#[test]
fn many_changes_in_one_hidden_folder_have_one_line_and_what_is_known_of_one_is_said() {
    let within = |id: u64, path: &str, why: &str| {
        let mut change = change(id, ChangeKind::Write, None, Some(path), "");
        change.sensitive = Some(format!("`{path}`: {why}"));
        change
    };
    let mut changes: Vec<_> = (1..=5).map(|n| within(n, &format!("D/in/.git/objects/{n}"), HIDDEN)).collect();
    changes.push(within(6, "D/in/.git/hooks/pre-commit", "git runs it"));
    changes.push(within(7, "D/.few/a", HIDDEN));
    changes.push(within(8, "D/.envrc", HIDDEN));
    let plan = example(json!({"arrange": "tree"}), changes);
    let short = "  D/in/.git/ (5 changes): it is hidden, and programs take their settings from hidden files
  D/in/.git/hooks/pre-commit: `D/in/.git/hooks/pre-commit`: git runs it
  D/.few/a: `D/.few/a`: it is hidden, and programs take their settings from hidden files
  D/.envrc: `D/.envrc`: it is hidden, and programs take their settings from hidden files
";
    assert_eq!(sensitive(&plan, Detail::Short), short);
    assert_eq!(sensitive(&plan, Detail::Full).lines().count(), 8);
}
