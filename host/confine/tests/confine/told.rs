//! What a machine tells of a layer of its own becomes pending like what is written in a sandbox; what it may not tell is a rule
//! that it broke.

use crate::kit::Desk;
use deskhand_confine::{Extent, Layers, Taken, Telling, Thing, overlay::Step};
use deskhand_workspace::State;

const FOLDER: Thing = Thing::Folder { opaque: false };
const TIME: (i64, u32) = (1_700_000_000, 5);

fn layers(desk: &Desk) -> Layers {
    Layers::in_machine(&desk.workspace, Extent::Remove, &desk.dir.path().join("layers")).unwrap()
}

/// Tell of a file as a whole.
fn file(telling: &mut Telling<'_>, path: &str, content: &str, mode: u16) {
    telling.file(0, path.as_bytes(), (content.len() as u64, mode), TIME).unwrap();
    telling.content(content.as_bytes());
    telling.end(true);
}

fn thing(telling: &mut Telling<'_>, path: &str, thing: Thing) {
    telling.thing(0, path.as_bytes(), thing).unwrap();
}

fn take(desk: &Desk, layers: &mut Layers) -> Taken {
    layers.take(&desk.workspace, "told by a test").unwrap()
}

fn refused(taken: &Taken) -> Vec<String> {
    taken.refused.iter().map(|refused| format!("{}: {}", refused.path, refused.reason)).collect()
}

#[test]
fn what_is_told_is_pending_and_only_what_is_new_at_the_next_time() {
    let desk = Desk::new(&[("a.txt", "a"), ("in/b.txt", "b"), ("c.txt", "c"), ("d.txt", "d")]);
    let before = desk.disk();
    let mut layers = layers(&desk);
    assert_eq!(layers.iter().next().unwrap().pending(), None);
    let mut telling = layers.told();
    file(&mut telling, "a.txt", "amore", 0o644);
    thing(&mut telling, "c.txt", Thing::Nothing);
    thing(&mut telling, "in", FOLDER);
    file(&mut telling, "in/two.txt", "two", 0o644);
    thing(&mut telling, "new", FOLDER);
    file(&mut telling, "new/n.txt", "", 0o644);
    file(&mut telling, "zeros", "\0\0\0\0", 0o755);
    let taken = take(&desk, &mut layers);
    assert_eq!((taken.added(), refused(&taken), taken.more), (6, vec![], 0));
    let pending = [
        "make-folder  -> photos/new",
        "remove photos/c.txt -> ",
        "write  -> photos/a.txt",
        "write  -> photos/in/two.txt",
        "write  -> photos/new/n.txt",
        "write  -> photos/zeros",
    ];
    assert_eq!(desk.pending(), pending);
    assert_eq!(take(&desk, &mut layers), Taken::default());

    // written once more, gone, and a folder in whose place something else is
    let mut telling = layers.told();
    file(&mut telling, "a.txt", "again", 0o644);
    file(&mut telling, "in", "no folder", 0o644);
    telling.lost(0, b"in/two.txt").unwrap();
    telling.lost(0, b"zeros").unwrap();
    let taken = take(&desk, &mut layers);
    assert_eq!((refused(&taken), taken.more), (vec![], 0));
    assert_eq!(desk.disk(), before, "nothing is touched before the commit");
    assert_eq!(desk.propose().state, State::Applied);
    assert_eq!(desk.disk(), ["a.txt=again", "d.txt=d", "in=no folder", "new/", "new/n.txt="]);
}

#[test]
fn a_folder_that_hides_what_was_in_it_removes_that() {
    let desk = Desk::new(&[("in/b.txt", "b"), ("in/deep/c.txt", "c"), ("out.txt", "o")]);
    let mut layers = layers(&desk);
    let mut telling = layers.told();
    thing(&mut telling, "in", Thing::Folder { opaque: true });
    file(&mut telling, "in/b.txt", "B", 0o644);
    let taken = take(&desk, &mut layers);
    assert_eq!((refused(&taken), taken.more), (vec![], 0));
    assert_eq!(desk.pending(), ["remove photos/in/deep -> ", "write  -> photos/in/b.txt"]);
}

#[test]
fn what_is_pending_lies_in_a_layer_for_the_machine() {
    let desk = Desk::new(&[("a.txt", "a")]);
    let mut first = layers(&desk);
    file(&mut first.told(), "a.txt", "pending", 0o644);
    take(&desk, &mut first);
    let mut second = layers(&desk);
    let pending = second.iter().next().unwrap().pending().unwrap();
    assert_eq!(std::fs::read_to_string(pending.join("a.txt")).unwrap(), "pending");
    // and is changed like what lies below
    thing(&mut second.told(), "a.txt", Thing::Nothing);
    let taken = take(&desk, &mut second);
    assert_eq!((refused(&taken), taken.more), (vec![], 0));
    assert_eq!(desk.pending(), ["remove photos/a.txt -> "]);
}

#[test]
fn what_is_not_taken_of_a_sandbox_is_not_taken_of_a_machine() {
    let desk = Desk::new(&[("a.txt", "a"), ("same.txt", "s")]);
    let mut layers = layers(&desk);
    let mut telling = layers.told();
    thing(&mut telling, "link", Thing::Link);
    thing(&mut telling, "pipe", Thing::Special);
    file(&mut telling, "root", "x", 0o4755);
    telling.file(0, b"huge", (1 << 40, 0o644), TIME).unwrap();
    telling.end(false);
    telling.file(0, b"half", (10, 0o644), TIME).unwrap();
    telling.content(b"hal");
    telling.end(false);
    file(&mut telling, "SAME.txt", "other", 0o644);
    let long = vec![b'x'; 300];
    telling.thing(0, &long, Thing::Link).unwrap();
    let deep = (0..70).map(|_| "d").collect::<Vec<_>>();
    (1..=70).for_each(|depth| thing(&mut telling, &deep[..depth].join("/"), FOLDER));
    let taken = take(&desk, &mut layers);
    let told = refused(&taken);
    for (path, reason) in [
        ("photos/link", "it is a link"),
        ("photos/pipe", "it is a pipe, a socket or a device"),
        ("photos/root", "it is to run with the rights of its owner"),
        ("photos/huge", "it is 1099 GB long, and at most 4 are taken"),
        ("photos/half", "it cannot be read to its end"),
        ("photos/SAME.txt", "some disks take its name and `same.txt` for one"),
    ] {
        assert!(told.iter().any(|line| line.starts_with(&format!("{path}: {reason}"))), "{path}: {told:?}");
    }
    assert!(told.iter().any(|line| line.ends_with("it lies too deep. Use fewer folders in each other")), "{told:?}");
    // the long name, and what lies below what is too deep
    assert_eq!(taken.more, 1 + 6);
}

#[test]
fn what_changed_meanwhile_stays() {
    let desk = Desk::new(&[("a.txt", "a"), ("b.txt", "b")]);
    let mut layers = layers(&desk);
    crate::kit::write(&desk.folder.join("a.txt"), "by hand");
    let mut telling = layers.told();
    file(&mut telling, "a.txt", "told", 0o644);
    thing(&mut telling, "b.txt", Thing::Nothing);
    let taken = take(&desk, &mut layers);
    assert_eq!(taken.added(), 1);
    assert!(refused(&taken)[0].starts_with("photos/a.txt: it has changed in your folder meanwhile"), "{taken:?}");
}

#[test]
fn a_machine_that_tells_of_what_cannot_be_is_not_believed() {
    let desk = Desk::new(&[("a.txt", "a")]);
    let mut layers = layers(&desk);
    let mut telling = layers.told();
    file(&mut telling, "f", "f", 0o644);
    for path in ["", "/", "../x", "a/../../x", "/etc/passwd", "a//b", "a/", "./a", "a\0b"] {
        let said = telling.thing(0, path.as_bytes(), Thing::Link);
        assert_eq!(said, Err("it tells of a path that is none".to_owned()), "{path:?}");
        assert!(telling.file(0, path.as_bytes(), (1, 0o644), TIME).is_err(), "{path:?}");
        assert!(telling.lost(0, path.as_bytes()).is_err(), "{path:?}");
    }
    assert_eq!(telling.thing(1, b"x", Thing::Link), Err("it tells of a folder that it has not".to_owned()));
    for path in ["f/inner", "never/told", "a.txt/x"] {
        assert_eq!(telling.thing(0, path.as_bytes(), FOLDER), Err("it tells of what lies in no folder".to_owned()));
    }
    // content that belongs to nothing
    telling.content(b"x");
    telling.end(true);
    assert_eq!(take(&desk, &mut layers).added(), 1);
}

/// What it saw is what it was told of, and not what has come since.
#[test]
fn what_the_person_changes_while_a_machine_catches_up_is_not_overwritten() {
    let desk = Desk::new(&[("a.txt", "a"), ("b.txt", "b")]);
    let mut layers = layers(&desk);
    let path = "photos/b.txt".parse().unwrap();
    let version = desk.workspace.stat(std::slice::from_ref(&path)).remove(0).unwrap().version;
    desk.workspace.write(&path, b"other", Some(&version)).unwrap();
    let steps = layers.behind(&desk.workspace).unwrap().unwrap();
    assert_eq!(steps, [Step::Write("/mnt/photos/b.txt".into(), b"other".to_vec())]);
    std::fs::write(desk.folder.join("a.txt"), "work of an hour").unwrap();
    layers.caught_up().unwrap();
    let mut telling = layers.told();
    file(&mut telling, "a.txt", "changed", 0o644);
    let taken = take(&desk, &mut layers);
    assert_eq!(
        refused(&taken),
        [
            "photos/a.txt: it has changed in your folder meanwhile, and stays as it is there. Look at both, and write it again"
        ]
    );
    assert_eq!(desk.pending(), ["write  -> photos/b.txt"]);
}

/// Whatever a machine tells of a folder that it may not change, none of it is taken.
#[test]
fn no_more_is_taken_than_may_be() {
    let tell = |extent: Extent| {
        let desk = Desk::new(&[("a.txt", "a"), ("b.txt", "b"), ("c.txt", "c")]);
        let mut layers = Layers::in_machine(&desk.workspace, extent, &desk.dir.path().join("layers")).unwrap();
        let writable: Vec<bool> = layers.iter().map(|overlay| overlay.ground().writable).collect();
        if extent == Extent::Nothing {
            return (writable, desk.pending(), Vec::new());
        }
        let mut telling = layers.told();
        file(&mut telling, "a.txt", "amore", 0o644);
        thing(&mut telling, "b.txt", Thing::Nothing);
        // a folder in the place of a file
        thing(&mut telling, "c.txt", FOLDER);
        file(&mut telling, "new.txt", "new", 0o644);
        let taken = take(&desk, &mut layers);
        (writable, desk.pending(), refused(&taken))
    };
    // removals come last
    let all = ["a.txt", "c.txt", "new.txt", "b.txt"];
    let only_read = all.map(|name| format!("photos/{name}: the folder may only be read here"));
    assert_eq!(tell(Extent::Nothing), (vec![], vec![], vec![]));
    assert_eq!(tell(Extent::Read), (vec![false], vec![], only_read.to_vec()));
    let written = ["write  -> photos/a.txt".to_owned(), "write  -> photos/new.txt".to_owned()];
    let stays = ["c.txt", "b.txt"]
        .map(|name| format!("photos/{name}: nothing may be removed from the folder here, so it stays"));
    assert_eq!(tell(Extent::Change), (vec![true], written.to_vec(), stays.to_vec()));
    let all = [
        "make-folder  -> photos/c.txt",
        "remove photos/b.txt -> ",
        "remove photos/c.txt -> ",
        "write  -> photos/a.txt",
        "write  -> photos/new.txt",
    ];
    assert_eq!(tell(Extent::Remove), (vec![true], all.map(str::to_owned).to_vec(), vec![]));
}

#[test]
fn names_that_some_disks_take_for_one_are_told_and_not_taken() {
    let desk = Desk::new(&[("caf\u{e9}.txt", "c")]);
    let mut layers = layers(&desk);
    let mut telling = layers.told();
    file(&mut telling, "cafe\u{301}.txt", "other", 0o644);
    file(&mut telling, "ONE", "1", 0o644);
    file(&mut telling, "one", "2", 0o644);
    file(&mut telling, "Stra\u{df}e", "3", 0o644);
    let taken = take(&desk, &mut layers);
    let told = refused(&taken);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told.iter().all(|line| line.contains(": some disks take its name and `")), "{told:?}");
    assert_eq!(desk.pending(), ["write  -> photos/ONE", "write  -> photos/Stra\u{df}e"]);
}

/// What was told is pending for places that are others by the time of the commit: nothing is made where a link leads.
#[test]
fn what_is_a_link_by_the_time_of_the_commit_leads_nowhere() {
    let desk = Desk::new(&[("in/b.txt", "b"), ("in/gone.txt", "g"), ("a.txt", "a"), ("c.txt", "c")]);
    let outside = desk.dir.path().join("outside");
    ["new.txt.not", "b.txt", "gone.txt", "a.txt"]
        .iter()
        .for_each(|name| crate::kit::write(&outside.join(name), "outside"));
    let mut layers = layers(&desk);
    let mut telling = layers.told();
    thing(&mut telling, "in", FOLDER);
    file(&mut telling, "in/new.txt", "told", 0o644);
    file(&mut telling, "in/b.txt", "told", 0o644);
    thing(&mut telling, "in/gone.txt", Thing::Nothing);
    file(&mut telling, "a.txt", "told", 0o644);
    file(&mut telling, "c.txt", "told", 0o644);
    assert_eq!(take(&desk, &mut layers).added(), 5);
    std::fs::rename(desk.folder.join("in"), desk.dir.path().join("moved")).unwrap();
    std::os::unix::fs::symlink(&outside, desk.folder.join("in")).unwrap();
    std::fs::remove_file(desk.folder.join("a.txt")).unwrap();
    std::os::unix::fs::symlink(outside.join("a.txt"), desk.folder.join("a.txt")).unwrap();
    let done = desk.propose().done.unwrap();
    let mut refused: Vec<_> =
        done.refused.iter().map(|(change, _)| change.subject().unwrap().path.to_string()).collect();
    refused.sort();
    assert_eq!(
        (done.applied, refused),
        (1, ["a.txt", "in/b.txt", "in/gone.txt", "in/new.txt"].map(str::to_owned).to_vec())
    );
    let mut there: Vec<_> = std::fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().path()).collect();
    there.sort();
    assert_eq!(there, ["a.txt", "b.txt", "gone.txt", "new.txt.not"].map(|name| outside.join(name)));
    assert!(there.iter().all(|path| std::fs::read_to_string(path).unwrap() == "outside"));
    assert_eq!(desk.disk(), ["a.txt@", "c.txt=told", "in@"]);
}

/// Set where the disk that this test tells to is a small one.
const SMALL: &str = "DESKHAND_TEST_SMALL_DISK";

#[test]
fn what_the_disk_has_no_room_for_is_not_taken_and_the_rest_is() {
    let Some(small) = std::env::var_os(SMALL) else {
        // the mount ends with the process that has it
        let script = "mount -t tmpfs -o size=512k tmpfs /mnt && DESKHAND_TEST_SMALL_DISK=/mnt exec \"$0\" --exact \
            told::what_the_disk_has_no_room_for_is_not_taken_and_the_rest_is --nocapture";
        let mut command = std::process::Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-c"]);
        let tried = command.args(["mount -t tmpfs tmpfs /mnt"]).output();
        if !tried.is_ok_and(|output| output.status.success()) {
            eprintln!("skipped: this machine lets nobody mount a small disk");
            return;
        }
        let mut command = std::process::Command::new("unshare");
        command.args(["--mount", "--map-root-user", "sh", "-c", script]).arg(std::env::current_exe().unwrap());
        let ran = command.output().unwrap();
        let said = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&ran.stderr));
        return;
    };
    let desk = Desk::new(&[("a.txt", "a"), ("b.txt", "b")]);
    let mut layers =
        Layers::in_machine(&desk.workspace, Extent::Remove, &std::path::Path::new(&small).join("layers")).unwrap();
    let large = "x".repeat(1 << 20);
    let mut telling = layers.told();
    file(&mut telling, "large.txt", &large, 0o644);
    thing(&mut telling, "in", FOLDER);
    file(&mut telling, "in/c.txt", &large, 0o644);
    let taken = take(&desk, &mut layers);
    let full = "it cannot be kept on the disk of this computer: No space left on device (os error 28)";
    assert_eq!(refused(&taken), ["in/c.txt", "large.txt"].map(|path| format!("photos/{path}: {full}")));
    // what the machine takes back makes room
    let mut telling = layers.told();
    telling.lost(0, b"large.txt").unwrap();
    telling.lost(0, b"in/c.txt").unwrap();
    file(&mut telling, "b.txt", "told", 0o644);
    let taken = take(&desk, &mut layers);
    assert_eq!((refused(&taken), taken.more), (vec![], 0));
    desk.propose();
    assert_eq!(std::fs::read_to_string(desk.folder.join("a.txt")).unwrap(), "a");
    assert_eq!(std::fs::read_to_string(desk.folder.join("b.txt")).unwrap(), "told");
}
