//! Changes by which something may come to run, each asked about for itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use deskhand_vocabulary::Answer;
use deskhand_workspace::{State, Workspace};
use std::{fs, os::unix::fs::PermissionsExt as _};
use support::{Desk, mv, outline, path, put, rm};

#[test]
fn sensitive_changes_get_their_own_question() {
    let desk = Desk::new();
    desk.file("run.sh", "#!/bin/sh");
    fs::set_permissions(desk.folder.join("run.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    desk.file("notes", "x");
    let task = desk.open();
    put(&task, ".bashrc", "evil").unwrap();
    put(&task, "run.sh", "evil").unwrap();
    mv(&task, "notes", "game.desktop").unwrap();
    let plan = task.plan("t", support::principal(), serde_json::json!({})).unwrap();
    assert_eq!(plan.sensitive().count(), 3);
    desk.answer(Answer::Yes);
    desk.answer(Answer::No);
    assert_eq!(desk.propose(&task).state, State::Cancelled);
    assert_eq!(*desk.person.asked.lock().unwrap(), ["grant", "apply", "sensitive"]);
    assert_eq!(desk.read("run.sh"), "#!/bin/sh");
}

/// Why each change can make something run, in their order; empty for one that cannot.
fn reasons(task: &Workspace) -> Vec<String> {
    let plan = task.plan("t", support::principal(), serde_json::json!({})).unwrap();
    plan.changes().map(|change| change.sensitive.clone().unwrap_or_default()).collect()
}

/// A desk where all is agreed to in advance that can be.
fn agreed() -> Desk {
    let mut desk = Desk::new();
    desk.context.standing = deskhand_permissions::Standing { yes: true, removals: 100 };
    desk
}

#[test]
fn what_is_hidden_already_does_not_come_to_run_unasked() {
    for (file, from, to) in [
        (".stuff/hooks/post-commit", ".stuff", "repo/.git"),
        (".c2/autostart/a.desktop", ".c2", ".config"),
        (".a", ".a", ".Rprofile"),
        (".x/b", ".x/b", ".irbrc"),
        ("x/.Rprofile", "x/.Rprofile", ".Rprofile"),
        ("x/.git/config", "x/.git", "repo/.git"),
        (".cache/a", ".cache/a", ".config/a"),
    ] {
        let desk = agreed();
        desk.file(file, "");
        fs::create_dir(desk.folder.join("repo")).unwrap();
        // a folder that is there is not taken
        if to != ".config" {
            fs::create_dir(desk.folder.join(".config")).unwrap();
        }
        let task = desk.open();
        mv(&task, from, to).unwrap();
        let hidden = format!("`Files/{to}`: it is hidden, and programs take their settings from hidden files");
        assert_eq!(reasons(&task), [hidden]);
        desk.person.asked.lock().unwrap().clear();
        desk.answer(Answer::No);
        assert_eq!(desk.propose(&task).state, State::Cancelled, "{from} -> {to}");
        assert_eq!(*desk.person.asked.lock().unwrap(), ["sensitive"], "{from} -> {to}");
    }
}

#[test]
fn what_moves_along_with_all_around_it_is_not_asked_about() {
    let desk = agreed();
    for file in [
        "repo/.git/config",
        "repo/.git/hooks/post-commit",
        "repo/.config/autostart/a.desktop",
        "repo/main.py",
        "weights/resnet.pth",
        ".cache/a/b",
    ] {
        desk.file(file, "");
    }
    let task = desk.open();
    for (from, to) in [("repo", "project"), ("weights", "models"), (".cache/a", ".cache/c")] {
        mv(&task, from, to).unwrap();
    }
    assert_eq!(reasons(&task), ["", "", ""]);
    desk.person.asked.lock().unwrap().clear();
    assert_eq!(desk.propose(&task).state, State::Applied);
    assert_eq!(*desk.person.asked.lock().unwrap(), [""; 0]);
}

#[test]
fn what_is_in_a_folder_that_moves_is_judged_by_where_it_comes_to_be() {
    let desk = agreed();
    for file in
        ["stuff/post-commit", "packages/site-packages/first.pth", "old/units/a.service", "project.git/description"]
    {
        desk.file(file, "");
    }
    std::os::unix::fs::symlink("/tmp", desk.folder.join("link")).unwrap();
    fs::create_dir(desk.folder.join("other.git")).unwrap();
    let task = desk.open();
    for (from, to) in
        [("packages", "environment"), ("old", "new"), ("stuff", "project.git/hooks"), ("link", "other.git/hooks")]
    {
        mv(&task, from, to).unwrap();
    }
    assert_eq!(
        reasons(&task),
        [
            "`Files/environment/site-packages/first.pth`: Python runs what is in it when it starts",
            "`Files/new/units/a.service`: the system may run the program that it names",
            "`Files/project.git/hooks/post-commit`: git runs it",
            "`Files/other.git/hooks` leads elsewhere, and of what is in a folder of this name: git runs it",
        ]
    );
    desk.person.asked.lock().unwrap().clear();
    desk.answer(Answer::No);
    assert_eq!(desk.propose(&task).state, State::Cancelled);
    assert_eq!(*desk.person.asked.lock().unwrap(), ["sensitive"]);
}

/// Whoever takes something back in advance is not there to be asked once more.
#[test]
fn what_an_undo_puts_back_in_a_folder_is_not_asked_about() {
    let desk = agreed();
    desk.file("old/units/a.service", "");
    let task = desk.open();
    rm(&task, "old").unwrap();
    assert_eq!(desk.propose(&task).state, State::Applied);
    desk.person.asked.lock().unwrap().clear();
    assert_eq!(desk.undo(1).state, State::Applied);
    assert!(!desk.person.asked.lock().unwrap().contains(&"sensitive".to_owned()));
    assert_eq!(outline(&desk.tree()), ["old/", "old/units/", "old/units/a.service="]);
}

#[test]
fn a_repository_is_seen_by_whatever_completes_it() {
    let why = |name: &str| {
        format!(
            "with what is beside `Files/repo/sub/{name}`: they make a repository, and git runs commands that its settings name"
        )
    };
    let desk = agreed();
    desk.file("repo/file", "");
    let task = desk.open();
    task.make_folder(&path("repo/sub")).unwrap();
    for name in ["objects", "refs"] {
        task.make_folder(&path(&format!("repo/sub/{name}"))).unwrap();
    }
    put(&task, "repo/sub/HEAD", "ref: refs/heads/main").unwrap();
    assert_eq!(reasons(&task), [""; 4]);
    assert_eq!(desk.propose(&task).state, State::Applied);
    // what is to leave may yet stay
    rm(&task, "repo/sub/refs").unwrap();
    put(&task, "repo/sub/config", "[core]").unwrap();
    assert_eq!(reasons(&task), [String::new(), why("config")]);
    desk.person.asked.lock().unwrap().clear();
    desk.answer(Answer::No);
    assert_eq!(desk.propose(&task).state, State::Cancelled);
    assert_eq!(*desk.person.asked.lock().unwrap(), ["sensitive"]);
    // all at once, each part says so; and a whole one that moves
    fs::remove_dir_all(desk.folder.join("repo/sub")).unwrap();
    fs::create_dir(desk.folder.join("repo/sub")).unwrap();
    let task = desk.open();
    for name in ["objects", "refs"] {
        task.make_folder(&path(&format!("repo/sub/{name}"))).unwrap();
    }
    for name in ["HEAD", "config"] {
        put(&task, &format!("repo/sub/{name}"), "").unwrap();
    }
    assert_eq!(reasons(&task), ["objects", "refs", "HEAD", "config"].map(why));
    assert_eq!(desk.propose(&task).state, State::Applied);
    let task = desk.open();
    mv(&task, "repo/sub", "vendor").unwrap();
    let inside = "of what is in `Files/vendor`: they make a repository, and git runs commands that its settings name";
    assert_eq!(reasons(&task), [inside]);
}
