//! What a machine tells of a layer of its own becomes pending like what is written in a sandbox; what it may not tell is a rule
//! that it broke.

use crate::kit::Desk;
use deskhand_confine::{Extent, Layers, Taken, Telling, Thing};
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
