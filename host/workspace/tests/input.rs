//! Folders that go wrong: what is there that nobody planned for, and two processes at once.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

mod support;

use deskhand_permissions::{CannotOpen, effect::OpenFolder};
use deskhand_vocabulary::{Access, FilePath, Home, Stop};
use deskhand_workspace::{
    Code, CommitError, Glob, Kind, ProposeError, UndoOptions, WalkOptions, Workspace, WorkspaceError,
};
use std::{
    fs,
    os::unix::{
        ffi::OsStrExt as _,
        fs::{FileExt as _, MetadataExt as _, PermissionsExt as _},
    },
    process::Command,
    sync::Arc,
};
use support::{Desk, age_all, cp, differences, mv, outline, path, put, rm, shown, snapshot, version};

fn walk(task: &Workspace, root: &FilePath, deep: bool) -> deskhand_workspace::Page {
    task.walk(root, &WalkOptions { deep, glob: None, hidden: true }, None, 10_000).unwrap()
}

fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

#[test]
fn a_folder_that_is_missing_or_no_folder_is_refused() {
    let desk = Desk::new();
    desk.file("file", "x");
    let open = |path: &std::path::Path| OpenFolder::at(path, Access::Write, &desk.home).unwrap_err();
    assert!(matches!(open(&desk.place().join("none")), CannotOpen::Missing(_)));
    assert!(matches!(open(&desk.folder.join("file")), CannotOpen::NotAFolder(_)));
    assert!(matches!(open(&desk.home.data), CannotOpen::Home(_)));
}

#[test]
fn links_are_listed_moved_and_copied_but_never_followed() {
    let desk = Desk::new();
    let secret = desk.place().join("secret");
    support::write(&secret.join("key"), b"key");
    desk.file("real", "real");
    let link = |to: &str, at: &str| std::os::unix::fs::symlink(to, desk.folder.join(at)).unwrap();
    link(secret.to_str().unwrap(), "out");
    link("loop b", "loop a");
    link("loop a", "loop b");
    link(".", "self");
    link("real", "inside");
    age_all(&desk.folder);
    let before = desk.tree();
    let task = desk.open();
    let page = walk(&task, &path(""), true);
    let kinds: Vec<_> = page.entries.iter().map(|entry| (entry.path.path.to_string(), entry.kind)).collect();
    assert_eq!(kinds.iter().filter(|(_, kind)| *kind == Kind::Link).count(), 5, "{kinds:?}");
    assert_eq!(kinds.len(), 6);
    assert_eq!(page.unread, []);
    for through in ["out/key", "self/real", "loop a/x"] {
        let refused = task.stat(&[path(through)]).remove(0).unwrap_err();
        assert!(matches!(refused.code, Code::Unsupported | Code::Invalid), "{through}: {refused}");
    }
    for link in ["out", "inside"] {
        assert_eq!(task.read(&path(link), None, 0, 10).unwrap_err().code, Code::Unsupported);
        assert_eq!(task.digest(&[path(link)]).remove(0).unwrap_err().code, Code::Unsupported);
    }
    assert!(task.write(&path("out/new"), b"x", None).is_err());
    assert!(task.make_folder(&path("self/new")).is_err());
    mv(&task, "out", "moved").unwrap();
    cp(&task, "inside", "copied").unwrap();
    rm(&task, "loop a").unwrap();
    assert_eq!(desk.propose(&task).done.unwrap().refused, []);
    assert_eq!(fs::read_link(desk.folder.join("moved")).unwrap(), secret);
    assert_eq!(fs::read_link(desk.folder.join("copied")).unwrap().to_str(), Some("real"));
    assert_eq!(fs::read(secret.join("key")).unwrap(), b"key");
    desk.undo(1);
    assert_eq!(differences(&before, &desk.tree()), [""; 0]);
}

#[test]
fn a_folder_swapped_for_a_link_while_we_work_is_not_followed() {
    let desk = Desk::new();
    let outside = desk.place().join("outside");
    support::write(&outside.join("a"), b"theirs");
    desk.file("in/a", "mine");
    desk.file("b", "b");
    let task = desk.open();
    mv(&task, "in/a", "c").unwrap();
    mv(&task, "b", "in/b").unwrap();
    fs::rename(desk.folder.join("in"), desk.folder.join("was in")).unwrap();
    std::os::unix::fs::symlink(&outside, desk.folder.join("in")).unwrap();
    let done = desk.propose(&task).done.unwrap();
    assert_eq!((done.applied, done.refused.len()), (0, 2));
    assert_eq!(outline(&snapshot(&outside)), ["a=theirs"]);
    assert_eq!(desk.read("b"), "b");
}

#[test]
fn what_is_no_file_is_listed_and_left_alone() {
    let desk = Desk::new();
    let fifo = desk.folder.join("fifo");
    rustix::fs::mknodat(rustix::fs::CWD, &fifo, rustix::fs::FileType::Fifo, rustix::fs::Mode::RWXU, 0).unwrap();
    let _socket = std::os::unix::net::UnixListener::bind(desk.folder.join("socket")).unwrap();
    let device = desk.folder.join("device");
    let made = rustix::fs::mknodat(
        rustix::fs::CWD,
        &device,
        rustix::fs::FileType::CharacterDevice,
        rustix::fs::Mode::RWXU,
        rustix::fs::makedev(1, 3),
    );
    let mut expected = vec![("fifo", Kind::Fifo), ("socket", Kind::Socket)];
    if made.is_ok() {
        expected.insert(0, ("device", Kind::Device));
    }
    let task = desk.open();
    let page = walk(&task, &path(""), true);
    let found: Vec<_> = page.entries.iter().map(|entry| (entry.path.path.to_string(), entry.kind)).collect();
    assert_eq!(found.iter().map(|(name, kind)| (name.as_str(), *kind)).collect::<Vec<_>>(), expected);
    for (name, _) in expected {
        assert_eq!(task.read(&path(name), None, 0, 1).unwrap_err().code, Code::Failed, "{name}");
        for refused in
            [mv(&task, name, "x").unwrap_err(), rm(&task, name).unwrap_err(), cp(&task, name, "x").unwrap_err()]
        {
            assert_eq!(refused.code, Code::Unsupported);
        }
        assert!(put(&task, name, "x").is_err());
        assert!(
            task.attributes(&[path(name)], &["media-type".to_owned()], &jiff::tz::TimeZone::UTC, &Stop::default())[0]
                .is_ok()
        );
    }
    assert!(task.is_unchanged());
}

#[test]
fn hard_links_keep_their_old_content_apart() {
    let desk = Desk::new();
    desk.file("a", "shared");
    fs::hard_link(desk.folder.join("a"), desk.folder.join("b")).unwrap();
    age_all(&desk.folder);
    let before = desk.tree();
    let task = desk.open();
    let entries = task.stat(&[path("a"), path("b")]);
    let ids: Vec<_> = entries.iter().map(|entry| entry.as_ref().unwrap().file_id.clone()).collect();
    assert_eq!((ids[0] == ids[1], entries[0].as_ref().unwrap().links), (true, 2));
    put(&task, "a", "new").unwrap();
    desk.propose(&task);
    assert_eq!(outline(&desk.tree()), ["a=new", "b=shared"]);
    desk.undo(1);
    assert_eq!(differences(&before, &desk.tree()), [""; 0], "still two names of one file");
    // changed through its other name: what it was is kept all the same
    desk.undo(2);
    fs::write(desk.folder.join("b"), "changed through b").unwrap();
    desk.undo(3);
    assert_eq!(outline(&desk.tree()), ["a=shared", "b=changed through b"]);
}

#[test]
fn sparse_empty_and_large_files() {
    let desk = Desk::new();
    let sparse = fs::File::create(desk.folder.join("sparse")).unwrap();
    sparse.set_len(1 << 30).unwrap();
    sparse.write_all_at(b"data", 512 << 20).unwrap();
    desk.file("empty", "");
    let task = desk.open();
    cp(&task, "sparse", "copy").unwrap();
    mv(&task, "empty", "nothing").unwrap();
    put(&task, "blank", "").unwrap();
    desk.propose(&task);
    let meta = desk.folder.join("copy").metadata().unwrap();
    assert_eq!(meta.len(), 1 << 30);
    assert!(meta.blocks() * 512 < 1 << 20, "holes stay holes");
    let mut found = [0; 4];
    fs::File::open(desk.folder.join("copy")).unwrap().read_exact_at(&mut found, 512 << 20).unwrap();
    assert_eq!(&found, b"data");
    assert_eq!(desk.read("nothing") + &desk.read("blank"), "");
}

#[test]
fn deskhands_own_home_is_in_no_view() {
    let desk = Desk::new();
    // the person grants the folder that the home is in
    let task = Workspace::for_task(&desk.home, Arc::new(support::Standstill), desk.log(), desk.task).unwrap();
    let name = desk.add(&task, &desk.place(), Access::Write);
    let at = |text: &str| -> FilePath { format!("{name}/{text}").trim_end_matches('/').parse().unwrap() };
    let page = walk(&task, &at(""), true);
    let found: Vec<_> = page.entries.iter().map(|entry| entry.path.path.to_string()).collect();
    assert_eq!(found, ["Files"], "the home is not there");
    for hidden in ["home", "home/data", "home/data/log.db", "home/config", "home/data/store"] {
        assert_eq!(task.stat(&[at(hidden)]).remove(0).unwrap_err().code, Code::NotFound, "{hidden}");
        assert!(task.write(&at(&format!("{hidden}/x")), b"", None).is_err());
    }
}

/// What holds the home is neither moved nor removed, and another name of one of its files is no way in.
#[test]
fn deskhands_own_files_have_no_other_name() {
    let desk = Desk::new();
    let around = desk.place().join("around");
    let home = Home::within(&around.join("deskhand"));
    for folder in home.folders() {
        fs::create_dir_all(folder).unwrap();
    }
    fs::create_dir_all(home.commits().join("1")).unwrap();
    fs::write(home.commits().join("1/journal"), "journal").unwrap();
    fs::write(home.log_file(), "log").unwrap();
    desk.file("in/twice", "a person's own");
    let link = |file: &std::path::Path, name: &str| fs::hard_link(file, desk.folder.join(name)).unwrap();
    link(&home.log_file(), "in/log");
    link(&home.commits().join("1/journal"), "journal");
    link(&desk.folder.join("in/twice"), "another name");
    let task = Workspace::for_task(&home, Arc::new(support::Standstill), desk.log(), desk.task).unwrap();
    let name = desk.add(&task, &desk.place(), Access::Write);
    let at = |text: &str| -> FilePath { format!("{name}/{text}").trim_end_matches('/').parse().unwrap() };
    let seen = version(&task, &at("around"));
    assert_eq!(task.move_(&at("around"), &seen, &at("elsewhere"), None).unwrap_err().code, Code::Denied);
    assert_eq!(task.remove(&at("around"), &seen).unwrap_err().code, Code::Denied);
    let page = walk(&task, &at("Files"), true);
    let found: Vec<_> = page.entries.iter().map(|entry| entry.path.path.to_string()).collect();
    assert_eq!(found, ["Files/another name", "Files/in", "Files/in/twice"]);
    for hidden in ["Files/in/log", "Files/journal"] {
        assert_eq!(task.stat(&[at(hidden)]).remove(0).unwrap_err().code, Code::NotFound, "{hidden}");
        assert_eq!(task.read(&at(hidden), None, 0, 100).unwrap_err().code, Code::NotFound, "{hidden}");
        assert_eq!(task.digest(&[at(hidden)]).remove(0).unwrap_err().code, Code::NotFound, "{hidden}");
    }
    // what is not seen is not removed with what it lies in, and its name is not given away
    assert!(task.remove(&at("Files/in"), &version(&task, &at("Files/in"))).is_err());
    let seen = version(&task, &at("Files/another name"));
    task.move_(&at("Files/another name"), &seen, &at("Files/journal"), None).unwrap();
    let done = desk.propose(&task).done.unwrap();
    assert_eq!((done.applied, done.refused.len()), (0, 1));
    assert_eq!(fs::read_to_string(home.commits().join("1/journal")).unwrap(), "journal");
}

/// As it lies at the top of another disk. Of this home's own store there, see the next.
#[test]
fn what_another_home_keeps_for_undo_is_not_seen_either() {
    let desk = Desk::new();
    let store = deskhand_vocabulary::Home::store_elsewhere(rustix::process::geteuid().as_raw());
    let kept = format!("{store}/606301a6d463f838/7/c1");
    desk.file(&kept, "kept");
    desk.file("a", "a");
    let task = desk.open();
    assert_eq!(shown(&task), ["a=a"]);
    for hidden in [&store, &kept] {
        assert_eq!(task.stat(&[path(hidden)]).remove(0).unwrap_err().code, Code::NotFound, "{hidden}");
    }
    assert!(task.write(&path(&format!("{store}/x")), b"", None).is_err());
    assert_eq!(fs::read_to_string(desk.folder.join(&kept)).unwrap(), "kept");
}

#[test]
fn a_crossed_mount_is_told_and_not_entered() {
    if !is_root() {
        return;
    }
    let desk = Desk::new();
    desk.file("mount/hidden by the mount", "");
    desk.file("a", "a");
    let mount = desk.folder.join("mount");
    let mounted = Command::new("mount").args(["-t", "tmpfs", "none"]).arg(&mount).status();
    if !mounted.is_ok_and(|status| status.success()) {
        return;
    }
    fs::write(mount.join("other disk"), "x").unwrap();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let task = desk.open();
        let page = walk(&task, &path(""), true);
        assert_eq!(page.entries.iter().map(|e| e.path.path.to_string()).collect::<Vec<_>>(), ["a"]);
        assert_eq!(page.unread.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>(), ["Files/mount"]);
        assert!(page.unread[0].1.contains("another disk"), "{}", page.unread[0].1);
        assert_eq!(task.stat(&[path("mount/other disk")]).remove(0).unwrap_err().code, Code::Unsupported);
        assert!(task.write(&path("mount/x"), b"", None).is_err());
        // granted itself, it has a store of its own, which it does not show
        let name = desk.add(&task, &mount, Access::Write);
        let at = |text: &str| -> FilePath { format!("{name}/{text}").parse().unwrap() };
        let root: FilePath = name.as_str().parse().unwrap();
        let seen = version(&task, &at("other disk"));
        task.remove(&at("other disk"), &seen).unwrap();
        let seen = version(&task, &path("a"));
        task.move_(&path("a"), &seen, &at("a from elsewhere"), None).unwrap();
        desk.propose(&task);
        let page = walk(&task, &root, true);
        assert_eq!(page.entries.iter().map(|e| e.path.path.to_string()).collect::<Vec<_>>(), ["a from elsewhere"]);
        assert!(!desk.folder.join("a").exists());
        let preview = desk.history().preview(&task, deskhand_vocabulary::CommitId(1), &UndoOptions::default()).unwrap();
        let undone = desk
            .history()
            .undo(&task, &desk.gate, &desk.context, desk.person.as_ref(), &preview, &Stop::default())
            .unwrap();
        assert_eq!(undone.done.unwrap().refused, []);
        assert_eq!(
            (desk.read("a").as_str(), fs::read_to_string(mount.join("other disk")).unwrap().as_str()),
            ("a", "x")
        );
    }));
    let unmounted = Command::new("umount").arg("-l").arg(&mount).status().unwrap();
    assert!(unmounted.success());
    result.unwrap();
}

#[test]
fn names_at_their_limits() {
    let desk = Desk::new();
    let long = "n".repeat(255);
    desk.file(&long, "long");
    desk.file("Case", "upper");
    desk.file("case", "lower");
    let task = desk.open();
    mv(&task, "Case", "CASE").unwrap();
    mv(&task, "case", "Case").unwrap();
    mv(&task, &long, &"m".repeat(255)).unwrap();
    assert!(format!("Files/{}", "x".repeat(256)).parse::<FilePath>().is_err());
    desk.propose(&task);
    assert_eq!(outline(&desk.tree()), ["CASE=upper", "Case=lower", &format!("{}=long", "m".repeat(255))]);
    // an undo beside a name that is as long as can be
    let task = desk.open();
    rm(&task, &"m".repeat(255)).unwrap();
    desk.propose(&task);
    desk.file(&"m".repeat(255), "another");
    let options = UndoOptions { beside: true, ..UndoOptions::default() };
    desk.undo_with(2, &options);
    assert_eq!(desk.read(&format!("{} (before 2)", "m".repeat(244))), "long");
}

#[test]
fn a_hundred_pages_and_a_folder_that_changes_meanwhile() {
    let desk = Desk::new();
    for index in 0..500 {
        desk.file(&format!("{index:03}"), "");
    }
    let task = desk.open();
    let options = WalkOptions::default();
    let first = task.walk(&path(""), &options, None, 100).unwrap();
    let cursor = first.next.clone().unwrap();
    desk.file("0500 between", "");
    for gone in 200..300 {
        fs::remove_file(desk.folder.join(format!("{gone:03}"))).unwrap();
    }
    let mut rest = Vec::new();
    let mut next = Some(cursor.clone());
    while let Some(at) = next {
        let page = task.walk(&path(""), &options, Some(&at), 37).unwrap();
        rest.extend(page.entries.iter().map(|entry| entry.path.path.to_string()));
        next = page.next;
    }
    assert_eq!(rest.len(), 300);
    // a cursor that is not remembered any more still leads on
    let again = desk.open().walk(&path(""), &options, Some(&cursor), 10_000).unwrap();
    assert_eq!(again.entries.len(), 300);
    assert!(task.walk(&path(""), &options, Some("Files/../x"), 10).is_err());
    let glob = WalkOptions { glob: Some(Glob::new("00?").unwrap()), ..WalkOptions::default() };
    assert_eq!(task.walk(&path(""), &glob, None, 100).unwrap().entries.len(), 10);
}

#[test]
fn a_read_only_disk_and_a_full_one_refuse_before_the_first_effect() {
    if !is_root() {
        return;
    }
    let desk = Desk::new();
    let disk = desk.place().join("Disk");
    fs::create_dir(&disk).unwrap();
    let mount = |options: &str| {
        Command::new("mount")
            .args(["-t", "tmpfs", "-o", options, "none"])
            .arg(&disk)
            .status()
            .is_ok_and(|s| s.success())
    };
    if !mount("size=2m") {
        return;
    }
    fs::write(disk.join("a"), vec![7; 1 << 20]).unwrap();
    let result = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let open = || {
            let task = Workspace::for_task(&desk.home, Arc::new(support::Standstill), desk.log(), desk.task).unwrap();
            desk.add(&task, &disk, Access::Write);
            task
        };
        let at = |text: &str| -> FilePath { format!("Disk/{text}").parse().unwrap() };
        let task = open();
        let seen = version(&task, &at("a"));
        task.copy(&at("a"), &seen, &at("b"), None).unwrap();
        task.copy(&at("a"), &seen, &at("c"), None).unwrap();
        let before = snapshot(&disk);
        match desk.try_propose(&task, &Stop::default()) {
            Err(ProposeError::Commit(CommitError::NoSpace { folder, needed, free })) => {
                assert_eq!(folder, disk.display().to_string());
                assert!(needed >= 2 << 20 && free <= 1 << 20, "{needed} needed, {free} free");
            }
            other => panic!("{other:?}"),
        }
        let without_store = |tree: support::Tree| -> Vec<String> {
            outline(&tree).into_iter().filter(|line| !line.starts_with(".deskhand-")).collect()
        };
        assert_eq!(without_store(snapshot(&disk)), without_store(before));
        let full = task.write(&at("d"), &vec![0; 4 << 20], None).unwrap_err();
        assert_eq!(full.code, Code::Exhausted, "{full}");
        drop(task);
        assert!(Command::new("mount").args(["-o", "remount,ro"]).arg(&disk).status().unwrap().success());
        let task = open();
        let seen = version(&task, &at("a"));
        task.move_(&at("a"), &seen, &at("b"), None).unwrap();
        match desk.try_propose(&task, &Stop::default()) {
            Err(ProposeError::Commit(
                CommitError::ReadOnly { .. } | CommitError::Workspace(WorkspaceError::Folder { .. }),
            )) => {}
            other => panic!("{other:?}"),
        }
        assert!(disk.join("a").exists());
    }));
    assert!(Command::new("umount").arg("-l").arg(&disk).status().unwrap().success());
    result.unwrap();
}

/// These run again without root's powers, which pass every permission.
#[test]
fn files_and_folders_without_permission() {
    if is_root() {
        // a copy, for a folder of builds need not be open to others
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), fs::Permissions::from_mode(0o777)).unwrap();
        let own = place.path().join("tests");
        fs::copy(std::env::current_exe().unwrap(), &own).unwrap();
        let status = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
            .arg(&own)
            .args(["--exact", "files_and_folders_without_permission"])
            .current_dir("/")
            .env("TMPDIR", place.path())
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    let desk = Desk::new();
    for name in ["locked file", "shut/inside", "read only/kept", "free"] {
        desk.file(name, name);
    }
    let mode =
        |name: &str, mode: u32| fs::set_permissions(desk.folder.join(name), fs::Permissions::from_mode(mode)).unwrap();
    mode("locked file", 0o000);
    mode("shut", 0o000);
    mode("read only", 0o555);
    let task = desk.open();
    let page = walk(&task, &path(""), true);
    let found: Vec<_> = page.entries.iter().map(|entry| entry.path.path.to_string()).collect();
    assert_eq!(found, ["free", "locked file", "read only", "read only/kept", "shut"]);
    assert_eq!(page.unread.iter().map(|(path, _)| path.to_string()).collect::<Vec<_>>(), ["Files/shut"]);
    assert_eq!(task.read(&path("locked file"), None, 0, 1).unwrap_err().code, Code::Denied);
    // a file needs no permission to be moved, only its folder does
    task.make_folder(&path("In")).unwrap();
    mv(&task, "locked file", "In/locked file").unwrap();
    mv(&task, "read only/kept", "In/kept").unwrap();
    mv(&task, "free", "In/free").unwrap();
    rm(&task, "shut").unwrap_err();
    let done = desk.propose(&task).done.unwrap();
    assert_eq!(done.applied, 3);
    assert_eq!(
        done.refused.iter().map(|(change, _)| change.source.clone().unwrap()).collect::<Vec<_>>(),
        [path("read only/kept")]
    );
    assert!(done.refused[0].1.contains("may not be used by you"), "{}", done.refused[0].1);
    desk.undo(1);
    assert!(desk.folder.join("locked file").exists() && desk.folder.join("free").exists());
    // nothing at all may be written: told before anything is done
    let task = desk.open();
    mv(&task, "read only/kept", "read only/other").unwrap();
    match desk.try_propose(&task, &Stop::default()) {
        Err(ProposeError::Commit(CommitError::ReadOnly { folder, .. })) => {
            assert!(folder.ends_with("read only"), "{folder}")
        }
        other => panic!("{other:?}"),
    }
    mode("shut", 0o755);
    mode("read only", 0o755);
}

#[test]
fn two_tasks_on_one_folder_do_not_overwrite_each_other() {
    let desk = Desk::new();
    for name in ["a", "b", "c"] {
        desk.file(name, name);
    }
    let (one, two) = (desk.open(), desk.open());
    mv(&one, "a", "x").unwrap();
    mv(&two, "b", "x").unwrap();
    mv(&two, "a", "y").unwrap();
    mv(&two, "c", "z").unwrap();
    assert_eq!(desk.propose(&one).done.unwrap().applied, 1);
    let done = desk.propose(&two).done.unwrap();
    assert_eq!((done.applied, done.refused.len()), (1, 2));
    assert_eq!(outline(&desk.tree()), ["b=b", "x=a", "z=c"]);
    assert_eq!(shown(&two), ["b=b", "x=a", "z=c"]);
}

#[test]
fn a_folder_that_another_task_has_made_meanwhile_is_there() {
    let desk = Desk::new();
    let (one, two) = (desk.open(), desk.open());
    for (task, name) in [(&one, "a"), (&two, "b")] {
        task.make_folder(&path("all")).unwrap();
        put(task, &format!("all/{name}"), name).unwrap();
    }
    let came = |done: Option<deskhand_workspace::Commit>| {
        let done = done.unwrap();
        (done.applied, done.refused)
    };
    assert_eq!(came(desk.propose(&one).done), (2, vec![]));
    assert_eq!(came(desk.propose(&two).done), (1, vec![]));
    assert_eq!(outline(&desk.tree()), ["all/", "all/a=a", "all/b=b"]);
    // whoever made it takes it back, and nobody else
    desk.undo(2);
    assert_eq!(outline(&desk.tree()), ["all/", "all/a=a"]);
    desk.undo(1);
    assert_eq!(outline(&desk.tree()), Vec::<String>::new());
}

#[test]
fn many_tasks_at_once_get_numbers_of_their_own() {
    let desk = Desk::new();
    for index in 0..8 {
        desk.file(&format!("{index}"), "");
    }
    std::thread::scope(|scope| {
        for index in 0..8 {
            let place = desk.place();
            scope.spawn(move || {
                let desk = Desk::existing(&place);
                let task = desk.open();
                mv(&task, &format!("{index}"), &format!("moved {index}")).unwrap();
                // a start while others apply takes back nothing of theirs
                assert_eq!(deskhand_workspace::recover(&desk.home, desk.log().as_ref()).unwrap(), []);
                assert_eq!(desk.propose(&task).done.unwrap().applied, 1);
            });
        }
    });
    let numbers: Vec<u64> = desk.history().list().unwrap().iter().map(|listed| listed.commit.0).collect();
    assert_eq!(numbers, [8, 7, 6, 5, 4, 3, 2, 1]);
    for number in numbers {
        desk.undo(number);
    }
    assert_eq!(outline(&desk.tree()), ["0=", "1=", "2=", "3=", "4=", "5=", "6=", "7="]);
}

#[test]
fn a_damaged_journal_is_told_and_touches_nothing() {
    let desk = Desk::new();
    desk.file("a", "a");
    let task = desk.open();
    mv(&task, "a", "b").unwrap();
    desk.propose(&task);
    let journal = desk.home.commits().join("1/journal");
    let whole = fs::read(&journal).unwrap();
    let before = desk.tree();
    for at in (0..whole.len()).step_by(7) {
        let mut bytes = whole.clone();
        bytes[at] ^= 0x20;
        fs::write(&journal, &bytes).unwrap();
        // whatever is made of it, nothing panics and nothing moves
        let _ = desk.history().list();
        let _ = desk.history().show(deskhand_vocabulary::CommitId(1));
        let _ = deskhand_workspace::recover(&desk.home, desk.log().as_ref()).unwrap();
        assert_eq!(differences(&before, &desk.tree()), [""; 0]);
    }
    let later = String::from_utf8_lossy(&whole[12..]).into_owned();
    assert!(later.starts_with("{\"head\":{\"version\":1"), "the version comes first");
}

#[test]
fn a_name_of_every_byte_is_listed_as_it_is() {
    let desk = Desk::new();
    let mut expected = Vec::new();
    for byte in (1..=255_u8).filter(|byte| *byte != b'/' && *byte != b'.') {
        fs::write(desk.folder.join(std::ffi::OsStr::from_bytes(&[byte])), [byte]).unwrap();
        expected.push(vec![byte]);
    }
    let page = walk(&desk.open(), &path(""), false);
    let found: Vec<Vec<u8>> = page.entries.iter().map(|entry| entry.path.path.as_bytes().to_vec()).collect();
    assert_eq!(found, expected);
}
