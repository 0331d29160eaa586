//! Change sets, from proposal to undo, on real folders.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use deskhand_vocabulary::{Access, Answer, Unanswered};
use deskhand_workspace::{Code, Moving, Standing, State};
use std::{fs, os::unix::fs::PermissionsExt as _};
use support::{Desk, age_all, differences, mv, outline, path, put, raw, rm, set_xattr, shown, version};

#[test]
fn files_move_into_new_folders_and_back() {
    let desk = Desk::new();
    for name in ["a.pdf", "b.jpg", "c.txt"] {
        desk.file(name, name);
    }
    set_xattr(&desk.folder.join("a.pdf"), "user.origin", b"mail");
    fs::set_permissions(desk.folder.join("b.jpg"), fs::Permissions::from_mode(0o640)).unwrap();
    age_all(&desk.folder);
    let before = desk.tree();
    let task = desk.open();
    task.make_folder(&path("Documents")).unwrap();
    task.make_folder(&path("Documents/2026")).unwrap();
    mv(&task, "a.pdf", "Documents/2026/a.pdf").unwrap();
    mv(&task, "b.jpg", "Documents/picture.jpg").unwrap();
    assert_eq!(
        shown(&task),
        ["Documents/", "Documents/2026/", "Documents/2026/a.pdf=a.pdf", "Documents/picture.jpg=b.jpg", "c.txt=c.txt"]
    );
    assert_eq!(differences(&before, &desk.tree()), [""; 0], "nothing is touched before the commit");
    let decision = desk.propose(&task);
    assert_eq!(decision.state, State::Applied);
    let done = decision.done.unwrap();
    assert_eq!((done.id.0, done.applied, done.refused.len()), (1, 4, 0));
    assert_eq!(
        outline(&desk.tree()),
        ["Documents/", "Documents/2026/", "Documents/2026/a.pdf=a.pdf", "Documents/picture.jpg=b.jpg", "c.txt=c.txt"]
    );
    let tree = desk.tree();
    let (old, new) = (&before[&b"a.pdf"[..]], &tree[&b"Documents/2026/a.pdf"[..]]);
    assert_eq!(old, new, "all that belongs to the file came along");
    assert!(task.is_unchanged());

    let undone = desk.undo(1).done.unwrap();
    assert_eq!((undone.id.0, undone.undone, undone.refused.len()), (2, 4, 0));
    assert_eq!(differences(&before, &desk.tree()), [""; 0]);
    let listed = desk.history().list().unwrap();
    assert_eq!(
        listed.iter().map(|l| (l.commit.0, l.standing)).collect::<Vec<_>>(),
        [(2, Standing::Applied), (1, Standing::Undone)]
    );

    let redone = desk.undo(2).done.unwrap();
    assert_eq!(redone.id.0, 3);
    let mut again = desk.tree();
    for (path, thing) in &tree {
        if thing.mode & 0o170_000 == 0o040_000 {
            let now = again.get_mut(path).unwrap();
            now.modified = thing.modified; // a folder's own time is that of the last change in it
        }
    }
    assert_eq!(differences(&tree, &again), [""; 0], "an undo can be undone");
    let standing: Vec<_> = desk.history().list().unwrap().iter().map(|l| l.standing).collect();
    assert_eq!(standing, [Standing::Applied, Standing::Undone, Standing::Applied]);
    let states: Vec<_> = desk.history().list().unwrap().iter().map(|l| (l.state(), l.title.clone())).collect();
    let told =
        [("applied", "Redo commit 1: Test"), ("undone by 3", "Undo commit 1: Test"), ("applied again by 3", "Test")];
    assert_eq!(states, told.map(|(state, title)| (state.to_owned(), title.to_owned())));
    assert!(
        desk.history().list().unwrap()[2]
            .not_undoable
            .as_ref()
            .unwrap()
            .contains("undone by 2 and applied again by 3. Undo 3 instead")
    );
    desk.undo(3);
    assert_eq!(differences(&before, &desk.tree()), [""; 0]);
}

#[test]
fn what_lies_there_can_be_read_beside_what_is_pending() {
    let desk = Desk::new();
    desk.file("a", "now");
    desk.file("b", "other");
    let task = desk.open();
    task.write(&path("a"), b"later", Some(&version(&task, &path("a")))).unwrap();
    task.write(&path("new"), b"new", None).unwrap();
    mv(&task, "b", "c").unwrap();
    assert_eq!(task.read(&path("a"), None, 0, 100).unwrap(), b"later");
    assert_eq!(task.read_as_it_lies(&path("a"), 100).unwrap(), b"now");
    assert_eq!(task.read_as_it_lies(&path("a"), 2).unwrap(), b"no");
    assert_eq!(task.read_as_it_lies(&path("b"), 100).unwrap(), b"other");
    for absent in ["new", "c"] {
        assert_eq!(task.read_as_it_lies(&path(absent), 100).unwrap_err().code, Code::NotFound);
    }
}

#[test]
fn what_is_written_over_is_found_wherever_it_lies() {
    let desk = Desk::new();
    for (name, content) in
        [("here", "1"), ("old", "12"), ("a", "123"), ("b", "1234"), ("F/in", "12345"), ("x", "123456")]
    {
        desk.file(name, content);
    }
    desk.file("gone", "1234567");
    let task = desk.open();
    // one moves twice, two trade names, a folder takes one along, a copy takes the place of one, one is removed
    mv(&task, "old", "middle").unwrap();
    mv(&task, "middle", "new").unwrap();
    mv(&task, "a", "third").unwrap();
    mv(&task, "b", "a").unwrap();
    mv(&task, "third", "b").unwrap();
    mv(&task, "F", "G").unwrap();
    let (source, target) = (path("here"), path("x"));
    task.copy(&source, &version(&task, &source), &target, Some(&version(&task, &target))).unwrap();
    rm(&task, "gone").unwrap();
    for name in ["here", "new", "a", "b", "G/in", "x", "gone", "fresh"] {
        put(&task, name, "").unwrap();
    }
    let over = |name| task.written_over(&path(name)).map(|entry| (entry.path, entry.size));
    assert_eq!(over("here"), Some((path("here"), 1)));
    assert_eq!(over("new"), Some((path("old"), 2)));
    assert_eq!(over("a"), Some((path("b"), 4)));
    assert_eq!(over("b"), Some((path("a"), 3)));
    assert_eq!(over("G/in"), Some((path("F/in"), 5)));
    assert_eq!(over("x"), Some((path("x"), 6)));
    // what is removed is not written over, it is gone
    assert_eq!([over("gone"), over("fresh"), over("nowhere")], [None, None, None]);
    assert_eq!(task.read_as_it_lies(&over("new").unwrap().0, 100).unwrap(), b"12");
}

#[test]
fn swaps_chains_and_folders_that_change_places() {
    let desk = Desk::new();
    for name in ["a", "b", "1", "2", "3", "F/x", "G/y"] {
        desk.file(name, name);
    }
    age_all(&desk.folder);
    let before = desk.tree();
    let task = desk.open();
    // a swap through a third name is two moves
    mv(&task, "a", "third").unwrap();
    mv(&task, "b", "a").unwrap();
    mv(&task, "third", "b").unwrap();
    // a chain from its free end
    mv(&task, "3", "4").unwrap();
    mv(&task, "2", "3").unwrap();
    mv(&task, "1", "2").unwrap();
    // two folders that change places, each with a file of the other
    mv(&task, "F", "H").unwrap();
    mv(&task, "G", "F").unwrap();
    mv(&task, "H", "G").unwrap();
    mv(&task, "G/x", "F/x").unwrap();
    assert_eq!(task.pending(None, 100).len(), 8);
    let expected = ["2=1", "3=2", "4=3", "F/", "F/x=F/x", "F/y=G/y", "G/", "a=b", "b=a"];
    assert_eq!(shown(&task), expected);
    let decision = desk.propose(&task);
    assert_eq!(decision.done.unwrap().refused, []);
    assert_eq!(outline(&desk.tree()), expected);
    desk.undo(1);
    assert_eq!(differences(&before, &desk.tree()), [""; 0]);
}

#[test]
fn a_move_over_a_file_keeps_the_old_one() {
    let desk = Desk::new();
    desk.file("new", "new");
    desk.file("target", "old");
    age_all(&desk.folder);
    let before = desk.tree();
    let task = desk.open();
    let refused = mv(&task, "new", "target").unwrap_err();
    assert_eq!(refused.code, Code::Conflict);
    let versions = (version(&task, &path("new")), version(&task, &path("target")));
    task.move_(&path("new"), &versions.0, &path("target"), Some(&versions.1)).unwrap();
    let plan = task.plan("t", support::principal(), serde_json::json!({})).unwrap();
    assert!(plan.changes[0].replaces);
    assert_eq!(desk.propose(&task).done.unwrap().applied, 1);
    assert_eq!(outline(&desk.tree()), ["target=new"]);
    desk.undo(1);
    assert_eq!(differences(&before, &desk.tree()), [""; 0]);
}

#[test]
fn what_has_changed_since_is_refused_and_the_rest_goes_on() {
    let desk = Desk::new();
    for name in ["a", "b", "c", "d"] {
        desk.file(name, name);
    }
    let task = desk.open();
    task.make_folder(&path("In")).unwrap();
    for name in ["a", "b", "c", "d"] {
        mv(&task, name, &format!("In/{name}")).unwrap();
    }
    let plan = task.plan("t", support::principal(), serde_json::json!({})).unwrap();
    assert_eq!(plan.changes.len(), 5);
    desk.file("a", "edited since");
    fs::remove_file(desk.folder.join("b")).unwrap();
    let decision = desk.propose(&task);
    let done = decision.done.unwrap();
    assert_eq!(done.applied, 3);
    let refused: Vec<_> =
        done.refused.iter().map(|(c, why)| (c.source.clone().unwrap().to_string(), why.clone())).collect();
    assert_eq!(
        refused,
        [
            ("Files/a".to_owned(), "`Files/a` has changed since it was read".to_owned()),
            ("Files/b".to_owned(), "`Files/b` is not there. Check the path, then ask for it again".to_owned()),
        ]
    );
    assert_eq!(outline(&desk.tree()), ["In/", "In/c=c", "In/d=d", "a=edited since"]);
}

#[test]
fn an_edited_plan_is_taken_whole_or_not_at_all() {
    let desk = Desk::new();
    for name in ["a", "b", "c"] {
        desk.file(name, name);
    }
    let task = desk.open();
    task.make_folder(&path("In")).unwrap();
    for name in ["a", "b", "c"] {
        mv(&task, name, &format!("In/{name}")).unwrap();
    }
    let plan = task.plan("Tidy", support::principal(), serde_json::json!({})).unwrap();
    let text = deskhand_workspace::edit_text(&plan);
    let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#') && !line.is_empty()).collect();
    assert_eq!(
        lines,
        ["2 move Files/a -> Files/In/a", "3 move Files/b -> Files/In/b", "4 move Files/c -> Files/In/c",]
    );
    let bad =
        "2 move Files/a -> Files/../etc\n3 copy Files/b -> Files/In/b\n9 move x -> y\n4 move Files/c -> Files/In/b\n";
    let problems = task.edit(&plan, bad).unwrap_err();
    assert_eq!(problems.iter().map(|problem| problem.line).collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(task.edit(&plan, "3 move Files/b -> Files/In/b\n4 move Files/c -> Files/In/b\n").unwrap_err().len(), 1);
    // a swap, a deleted line and a new folder
    task.edit(&plan, "2 move Files/a -> Files/b\n3 move Files/b -> Files/New/deep/b\n").unwrap();
    assert_eq!(shown(&task), ["New/", "New/deep/", "New/deep/b=b", "b=a", "c=c"]);
    desk.answer(Answer::Edited("2 move Files/a -> Files/z\n".to_owned()));
    desk.propose(&task);
    assert_eq!(outline(&desk.tree()), ["b=b", "c=c", "z=a"]);
}

#[test]
fn a_declined_plan_changes_nothing() {
    let desk = Desk::new();
    desk.file("a", "a");
    desk.file("b", "b");
    let before = desk.tree();
    let task = desk.open();
    mv(&task, "a", "c").unwrap();
    rm(&task, "b").unwrap();
    desk.answer(Answer::Yes);
    desk.answer(Answer::No); // the removals
    let decision = desk.propose(&task);
    assert_eq!(decision.state, State::Cancelled);
    assert_eq!(differences(&before, &desk.tree()), [""; 0]);
    assert!(desk.history().list().unwrap().is_empty());
}

#[test]
fn nested_sets_join_or_leave_nothing() {
    let desk = Desk::new();
    for name in ["a", "b"] {
        desk.file(name, name);
    }
    let task = desk.open();
    {
        let failed = task.nested();
        mv(&failed, "a", "x").unwrap();
        assert_eq!(shown(&failed), ["b=b", "x=a"]);
    }
    assert!(task.is_unchanged());
    let outer = task.nested();
    mv(&outer, "a", "x").unwrap();
    let inner = outer.nested();
    mv(&inner, "x", "y").unwrap();
    mv(&inner, "b", "x").unwrap();
    inner.join().unwrap();
    assert_eq!(shown(&outer), ["x=b", "y=a"]);
    assert!(task.is_unchanged());
    // proposed from within, it is what is pending above as well
    assert_eq!(desk.propose(&outer).done.unwrap().applied, 2);
    assert_eq!(outline(&desk.tree()), ["x=b", "y=a"]);
    outer.join().unwrap();
    assert!(task.is_unchanged());
    let one = task.nested();
    let two = task.nested();
    mv(&one, "x", "1").unwrap();
    mv(&two, "y", "2").unwrap();
    one.join().unwrap();
    assert_eq!(two.join().unwrap_err().code, Code::Conflict);
}

#[test]
fn withdrawing_takes_back_one_change() {
    let desk = Desk::new();
    for name in ["a", "b"] {
        desk.file(name, name);
    }
    let task = desk.open();
    let folder = task.make_folder(&path("In")).unwrap();
    let a = mv(&task, "a", "In/a").unwrap();
    let b = mv(&task, "b", "a").unwrap();
    assert_eq!(task.withdraw(folder).unwrap_err().code, Code::Conflict);
    assert_eq!(task.withdraw(a).unwrap_err().code, Code::Conflict);
    task.explain(a, "because").unwrap();
    assert_eq!(task.pending(None, 10)[1].reason, "because");
    task.withdraw(b).unwrap();
    task.withdraw(a).unwrap();
    task.withdraw(folder).unwrap();
    assert!(task.is_unchanged());
    // moving home is no change
    mv(&task, "a", "z").unwrap();
    mv(&task, "z", "a").unwrap();
    assert!(task.is_unchanged());
}

#[test]
fn of_many_moves_each_is_made_or_refused_by_itself() {
    let desk = Desk::new();
    for name in ["a", "b", "c", "d"] {
        desk.file(name, name);
    }
    let task = desk.open();
    task.make_folder(&path("In")).unwrap();
    mv(&task, "d", "e").unwrap();
    let seen = |name: &str| version(&task, &path(name));
    let moving = |source: &str, version: &str, target: &str, reason: &str| Moving {
        source: path(source),
        source_version: version.to_owned(),
        target: path(target),
        target_version: None,
        reason: reason.to_owned(),
    };
    let moves = [
        Ok(moving("a", &seen("a"), "In/a", "because")),
        Err(None),
        Ok(moving("b", "another", "In/b", "")),
        Ok(moving("c", &seen("c"), "In/a", "")),
        Ok(moving("b", &seen("b"), "a", "")),
        Ok(moving("e", &seen("e"), "d", "home again")),
    ];
    let made = task.move_all(moves, |error| Some(error.code));
    let codes: Vec<_> = made.iter().map(|made| made.as_ref().err().copied()).collect();
    assert_eq!(codes, [None, Some(None), Some(Some(Code::Conflict)), Some(Some(Code::Conflict)), None, None]);
    let pending: Vec<_> = task.pending(Some(1), 10).into_iter().map(|it| (it.source, it.target, it.reason)).collect();
    assert_eq!(
        pending,
        [
            (Some(path("a")), Some(path("In/a")), "because".to_owned()),
            (Some(path("b")), Some(path("a")), String::new())
        ]
    );
    assert_eq!(made[0], Ok(deskhand_workspace::ChangeId(task.pending(Some(1), 1)[0].id)));
}

#[test]
fn removing_what_was_moved_over_something_needs_its_own_approval() {
    let desk = Desk::new();
    for name in ["a", "b"] {
        desk.file(name, name);
    }
    let task = desk.open();
    let versions = (version(&task, &path("a")), version(&task, &path("b")));
    task.move_(&path("a"), &versions.0, &path("b"), Some(&versions.1)).unwrap();
    mv(&task, "b", "c").unwrap(); // now b is simply gone
    let plan = task.plan("t", support::principal(), serde_json::json!({})).unwrap();
    assert_eq!(plan.removals().map(|change| change.source.clone().unwrap()).collect::<Vec<_>>(), [path("b")]);
    desk.propose(&task);
    assert_eq!(outline(&desk.tree()), ["c=a"]);
    desk.undo(1);
    assert_eq!(outline(&desk.tree()), ["a=a", "b=b"]);
}

#[test]
fn what_moved_out_of_a_folder_stays_as_it_is_when_the_folder_goes() {
    let desk = Desk::new();
    desk.file("old/year/letter.txt", "a letter");
    desk.file("old/rest.txt", "the rest");
    let before = desk.tree();
    let task = desk.open();
    mv(&task, "old/year", "year").unwrap();
    put(&task, "year/letter.txt", "a better letter").unwrap();
    mv(&task, "old/rest.txt", "year/rest.txt").unwrap();
    mv(&task, "year/rest.txt", "old/rest.txt").unwrap();
    put(&task, "year/new.txt", "a new one").unwrap();
    // neither what is written there nor what comes there has to do with the folder it once lay in
    rm(&task, "old").unwrap();
    let wanted = ["year/", "year/letter.txt=a better letter", "year/new.txt=a new one"];
    assert_eq!(shown(&task), wanted);
    let done = desk.propose(&task).done.unwrap();
    assert_eq!(done.refused, []);
    assert_eq!(outline(&desk.tree()), wanted);
    desk.undo(done.id.0);
    assert_eq!(differences(&before, &desk.tree()), [""; 0]);
}

#[test]
fn a_folder_granted_for_reading_is_not_changed() {
    let desk = Desk::new();
    let other = desk.place().join("Other");
    support::write(&other.join("a"), b"a");
    let task = desk.open();
    let name = desk.add(&task, &other, Access::Read);
    assert_eq!(name.as_str(), "Other");
    let source: deskhand_vocabulary::FilePath = "Other/a".parse().unwrap();
    let seen = version(&task, &source);
    assert_eq!(task.move_(&source, &seen, &path("a"), None).unwrap_err().code, Code::Denied);
    assert_eq!(task.write(&"Other/b".parse().unwrap(), b"", None).unwrap_err().code, Code::Denied);
    task.copy(&source, &seen, &path("a"), None).unwrap();
    desk.propose(&task);
    assert_eq!(outline(&desk.tree()), ["a=a"]);
}

#[test]
fn what_could_not_be_kept_takes_a_yes_of_its_own() {
    let mut desk = Desk::new();
    desk.file("small", "little");
    desk.file("large", &"x".repeat(300_000));
    desk.context.standing = deskhand_permissions::Standing { yes: true, removals: 100 };
    let asked = |desk: &Desk| std::mem::take(&mut *desk.person.asked.lock().unwrap());
    let begin = |desk: &Desk| {
        let task = desk.open();
        task.keep_at_most(100_000);
        task
    };
    // what can be kept is covered by what was said in advance
    let task = begin(&desk);
    rm(&task, "small").unwrap();
    assert_eq!(desk.propose(&task).state, State::Applied);
    asked(&desk);
    // what cannot is not: neither a removal nor a file that another takes the place of
    for (what, kind) in [("remove", 0), ("replace", 1)] {
        for (answer, state) in [
            (Err(Unanswered::Absent), State::Parked),
            (Ok(Answer::No), State::Cancelled),
            (Ok(Answer::Yes), State::Applied),
        ] {
            let before = desk.tree();
            let task = begin(&desk);
            match kind {
                0 => drop(rm(&task, "large").unwrap()),
                _ => drop(task.write(&path("large"), b"new", Some(&version(&task, &path("large")))).unwrap()),
            }
            let plan = task.plan("Test", deskhand_vocabulary::Principal::Person, serde_json::Value::Null).unwrap();
            let beyond = plan.beyond.expect(what);
            assert!(beyond.bytes >= 300_000 && beyond.limit == 100_000, "{beyond:?}");
            asked(&desk);
            desk.person.answers.lock().unwrap().push_back(answer);
            assert_eq!(desk.propose(&task).state, state, "{what}");
            assert_eq!(asked(&desk), ["remove"], "{what}");
            if state != State::Applied {
                assert_eq!(differences(&before, &desk.tree()), [""; 0], "{what}");
            }
        }
        desk.file("large", &"y".repeat(300_000));
    }
}

#[test]
fn names_of_any_bytes() {
    let desk = Desk::new();
    let names: [&[u8]; 6] =
        [b"not \xff utf-8", b"new\nline", &[b'n'; 255], b"a -> b", b"\"quoted\\", "\u{f7ff}".as_bytes()];
    for name in names {
        support::write(&desk.folder.join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name)), name);
    }
    age_all(&desk.folder);
    let before = desk.tree();
    let task = desk.open();
    task.make_folder(&path("In")).unwrap();
    for name in names {
        let from = raw(name);
        let seen = version(&task, &from);
        let to =
            deskhand_vocabulary::FilePath { folder: from.folder.clone(), path: path("In").path.join(name).unwrap() };
        task.move_(&from, &seen, &to, None).unwrap();
    }
    let plan = task.plan("t", support::principal(), serde_json::json!({})).unwrap();
    let text = deskhand_workspace::edit_text(&plan);
    assert_eq!(text.lines().filter(|line| line.contains(" move ")).count(), 6);
    task.edit(&plan, &text).unwrap();
    assert_eq!(task.pending(None, 100).len(), 7, "unedited text changes nothing");
    assert_eq!(desk.propose(&task).done.unwrap().applied, 7);
    desk.undo(1);
    assert_eq!(differences(&before, &desk.tree()), [""; 0]);
}
