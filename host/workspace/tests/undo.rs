//! Taking back what was done, on real folders: all of it, one file, again, and not any more.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use deskhand_workspace::{Standing, UndoOptions};
use std::{fs, os::unix::fs::PermissionsExt as _};
use support::{Desk, age_all, cp, differences, mv, outline, path, put, rm, set_xattr, shown};

#[test]
fn writes_copies_and_removals_can_be_undone() {
    let desk = Desk::new();
    desk.file("note.txt", "old");
    desk.file("photo.raw", "pixels");
    desk.file("Trash me/deep/file", "gone");
    fs::set_permissions(desk.folder.join("note.txt"), fs::Permissions::from_mode(0o600)).unwrap();
    set_xattr(&desk.folder.join("note.txt"), "user.tag", b"red");
    set_xattr(&desk.folder.join("photo.raw"), "user.tag", b"blue");
    age_all(&desk.folder);
    let before = desk.tree();
    let task = desk.open();
    put(&task, "note.txt", "new").unwrap();
    put(&task, "fresh.txt", "fresh").unwrap();
    cp(&task, "photo.raw", "photo copy.raw").unwrap();
    rm(&task, "Trash me").unwrap();
    assert_eq!(shown(&task), ["fresh.txt=fresh", "note.txt=new", "photo copy.raw=pixels", "photo.raw=pixels"]);
    let decision = desk.propose(&task);
    assert_eq!(decision.done.as_ref().unwrap().refused, []);
    assert_eq!(*desk.person.asked.lock().unwrap(), ["grant", "apply", "remove"]);
    let tree = desk.tree();
    assert_eq!(outline(&tree), ["fresh.txt=fresh", "note.txt=new", "photo copy.raw=pixels", "photo.raw=pixels"]);
    let (old, new) = (&before[&b"note.txt"[..]], &tree[&b"note.txt"[..]]);
    assert_eq!((old.mode, &old.xattrs), (new.mode, &new.xattrs), "mode and attributes stay with the name");
    let (old, new) = (&tree[&b"photo.raw"[..]], &tree[&b"photo copy.raw"[..]]);
    assert_eq!((old.mode, &old.xattrs, old.modified), (new.mode, &new.xattrs, new.modified));
    let (listed, shown) = desk.history().show(deskhand_vocabulary::CommitId(1)).unwrap();
    assert_eq!((listed.applied, shown.iter().filter(|shown| shown.kept).count()), (4, 2));
    desk.undo(1);
    assert_eq!(differences(&before, &desk.tree()), [""; 0], "the very files are back, inode and all");
    assert_eq!(desk.undo(2).done.unwrap().refused, []);
    assert_eq!(outline(&desk.tree()), outline(&tree));
    desk.undo(3);
    assert_eq!(differences(&before, &desk.tree()), [""; 0]);
}

#[test]
fn undo_leaves_what_a_person_changed_since() {
    let desk = Desk::new();
    desk.file("note.txt", "first");
    desk.file("list.txt", "list");
    desk.file("junk", "junk");
    let task = desk.open();
    put(&task, "note.txt", "second").unwrap();
    put(&task, "list.txt", "list 2").unwrap();
    rm(&task, "junk").unwrap();
    desk.propose(&task);
    desk.file("note.txt", "mine");
    desk.file("junk", "another junk");
    let (workspace, preview) = desk.preview(1, &UndoOptions::default()).unwrap();
    let left: Vec<_> = preview.left.iter().map(|l| (l.reason.as_str(), l.offer)).collect();
    assert_eq!(
        left,
        [
            ("something else is at `Files/junk` now; it is left as it is", true),
            ("you changed `Files/note.txt` since; it is left as it is", true),
        ]
    );
    drop((workspace, preview));
    let options = UndoOptions { beside: true, ..UndoOptions::default() };
    desk.undo_with(1, &options);
    assert_eq!(
        outline(&desk.tree()),
        ["junk=another junk", "junk (before 1)=junk", "list.txt=list", "note (before 1).txt=first", "note.txt=mine",]
    );
    assert_eq!(desk.history().list().unwrap()[1].standing, Standing::PartlyUndone);
}

#[test]
fn what_a_repository_still_names_stays() {
    let desk = Desk::new();
    for (name, text) in [("a/.git/index", "old"), ("b/.git/index", "old"), ("a/note", "one")] {
        desk.file(name, text);
    }
    let task = desk.open();
    for name in ["a", "b"] {
        put(&task, &format!("{name}/.git/index"), "names 12").unwrap();
        put(&task, &format!("{name}/.git/objects-12"), "no object").unwrap();
        task.make_folder(&path(&format!("{name}/.git/objects"))).unwrap();
        put(&task, &format!("{name}/.git/objects/12"), "object").unwrap();
    }
    put(&task, "a/note", "two").unwrap();
    desk.propose(&task);
    // git writes its index again whenever it looks
    desk.file("a/.git/index", "names 12, looked at");
    let (workspace, preview) = desk.preview(1, &UndoOptions::default()).unwrap();
    let left: Vec<_> = preview.left.iter().map(|left| left.reason.as_str()).collect();
    assert_eq!(
        left,
        [
            "you changed `Files/a/.git/index` since; it is left as it is",
            "`Files/a/.git/objects/12` may be needed by `Files/a/.git/index`, which stays; it is left as it is",
        ]
    );
    drop((workspace, preview));
    desk.undo(1);
    assert_eq!(
        outline(&desk.tree()),
        [
            "a/",
            "a/.git/",
            "a/.git/index=names 12, looked at",
            "a/.git/objects/",
            "a/.git/objects/12=object",
            "a/note=one",
            "b/",
            "b/.git/",
            "b/.git/index=old"
        ]
    );
}

#[test]
fn one_file_of_a_commit_is_undone_alone() {
    let desk = Desk::new();
    for name in ["a", "b"] {
        desk.file(name, name);
    }
    let task = desk.open();
    task.make_folder(&path("In")).unwrap();
    mv(&task, "a", "In/a").unwrap();
    mv(&task, "b", "In/b").unwrap();
    desk.propose(&task);
    let options = UndoOptions { only: vec![desk.folder.join("In/a")], beside: false };
    desk.undo_with(1, &options);
    assert_eq!(outline(&desk.tree()), ["In/", "In/b=b", "a=a"]);
    assert_eq!(desk.history().list().unwrap()[1].standing, Standing::PartlyUndone);
    assert_eq!(desk.history().list().unwrap()[1].state(), "partly undone by 2");
    // about the other file, the last is still the first; about this one, the undo
    let latest = |name: &str| desk.history().latest(&[desk.folder.join(name)]).unwrap();
    assert_eq!(
        [latest("b"), latest("In/b"), latest("a"), latest("c")],
        [1, 1, 2, 0].map(|n| (n > 0).then_some(deskhand_vocabulary::CommitId(n)))
    );
    desk.undo(1);
    assert_eq!(outline(&desk.tree()), ["a=a", "b=b"]);
    assert_eq!(desk.history().list().unwrap()[2].standing, Standing::Undone);
    let refused = desk.preview(1, &UndoOptions::default()).unwrap_err();
    assert!(refused.to_string().contains("undone already"), "{refused}");
}

#[test]
fn restore_and_purge() {
    let desk = Desk::new();
    desk.file("a", &"x".repeat(10_000));
    let task = desk.open();
    let change = rm(&task, "a").unwrap();
    desk.propose(&task);
    let task = desk.open();
    desk.history().restore(&task, deskhand_vocabulary::CommitId(1), change.0, &path("Restored/a copy")).unwrap();
    desk.propose(&task);
    assert_eq!(desk.read("Restored/a copy").len(), 10_000);
    let options = deskhand_workspace::PurgeOptions { quota: Some(0), dry_run: true, ..Default::default() };
    let now = "2026-03-02T00:00:00Z".parse().unwrap();
    let would = desk.history().purge(desk.log().as_ref(), now, &options).unwrap();
    assert_eq!(would.commits, [deskhand_vocabulary::CommitId(1)]);
    assert!(would.bytes >= 10_000 && would.kept == 0, "{would:?}");
    let options = deskhand_workspace::PurgeOptions { dry_run: false, ..options };
    assert_eq!(desk.history().purge(desk.log().as_ref(), now, &options).unwrap(), would);
    let refused = desk.preview(1, &UndoOptions::default()).unwrap_err();
    assert!(refused.to_string().contains("is not kept any more"), "{refused}");
    let after = desk.history().purge(desk.log().as_ref(), now, &options).unwrap();
    assert_eq!(after, deskhand_workspace::Purged::default());
}

#[test]
fn a_folder_that_came_back_goes_again_only_as_it_came() {
    let desk = Desk::new();
    desk.file("Old/deep/a", "a");
    let task = desk.open();
    rm(&task, "Old").unwrap();
    desk.propose(&task);
    desk.undo(1);
    desk.file("Old/mine", "mine");
    let refused = desk.preview(2, &UndoOptions::default()).unwrap_err();
    assert!(refused.to_string().contains("you changed what is in `Files/Old` since"), "{refused}");
    fs::remove_file(desk.folder.join("Old/mine")).unwrap();
    desk.file("Old/deep/a", "edited");
    assert!(desk.preview(2, &UndoOptions::default()).is_err());
    assert_eq!(desk.read("Old/deep/a"), "edited");
}
