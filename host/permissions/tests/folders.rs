//! Opening folders: what is judged is what is used, and Deskhand's own home is never in it.
#![allow(clippy::unwrap_used)]

mod common;

use common::World;
use deskhand_permissions::{CannotOpen, effect::OpenFolder};
use deskhand_vocabulary::{Access, Home};
use std::{
    ffi::OsStr,
    os::{
        fd::AsRawFd as _,
        unix::{ffi::OsStrExt as _, fs::symlink},
    },
    path::{Path, PathBuf},
};

fn open(world: &World, path: &Path) -> Result<PathBuf, CannotOpen> {
    OpenFolder::at(path, Access::Read, &world.home).map(|open| open.path().to_owned())
}

#[test]
fn a_folder_is_known_by_its_true_path_however_it_is_reached() {
    let world = World::new();
    let inbox = world.place("inbox");
    let beside = world.place("beside");
    symlink(&inbox, beside.join("link")).unwrap();
    for path in [inbox.clone(), beside.join("link"), beside.join("../inbox/."), beside.join("link/../inbox")] {
        assert_eq!(open(&world, &path), Ok(inbox.clone()), "{}", path.display());
    }
}

#[test]
fn the_handle_stays_with_what_was_judged_though_the_path_is_exchanged() {
    let world = World::new();
    let inbox = world.place("inbox");
    std::fs::write(inbox.join("mine"), "").unwrap();
    let opened = OpenFolder::at(&inbox, Access::Read, &world.home).unwrap();
    std::fs::rename(&inbox, inbox.with_file_name("moved")).unwrap();
    symlink("/etc", &inbox).unwrap();
    let handle = opened.into_handle();
    let seen = std::fs::read_dir(format!("/proc/self/fd/{}", handle.as_raw_fd())).unwrap();
    assert_eq!(seen.map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>(), ["mine"]);
}

#[test]
fn a_name_that_is_not_text_is_kept_byte_by_byte() {
    let world = World::new();
    let path = world.place("x").join(OsStr::from_bytes(b"caf\xe9\n"));
    std::fs::create_dir(&path).unwrap();
    let opened = OpenFolder::at(&path, Access::Write, &world.home).unwrap();
    assert_eq!(deskhand_vocabulary::path::decode(opened.folder()), path.as_os_str().as_bytes());
}

#[test]
fn what_is_no_folder_is_refused_with_its_reason() {
    let world = World::new();
    let place = world.place("place");
    std::fs::write(place.join("file"), "").unwrap();
    symlink("two", place.join("one")).unwrap();
    symlink("one", place.join("two")).unwrap();
    symlink("nowhere", place.join("dangling")).unwrap();
    rustix::fs::mknodat(rustix::fs::CWD, place.join("fifo"), rustix::fs::FileType::Fifo, rustix::fs::Mode::RUSR, 0)
        .unwrap();
    let case = |name: &str, expected: fn(PathBuf) -> CannotOpen| {
        assert_eq!(open(&world, &place.join(name)), Err(expected(place.join(name))), "{name}");
    };
    case("missing", CannotOpen::Missing);
    case("dangling", CannotOpen::Missing);
    case("file", CannotOpen::NotAFolder);
    case("fifo", CannotOpen::NotAFolder);
    case("one", CannotOpen::Loop);
}

#[test]
fn deskhand_s_home_and_all_in_it_is_refused_under_any_name() {
    let world = World::new();
    let data = world.home.data.canonicalize().unwrap();
    std::fs::create_dir_all(data.join("commits/7")).unwrap();
    let place = world.place("place");
    symlink(&data, place.join("link")).unwrap();
    symlink(data.join("commits"), place.join("deep")).unwrap();
    let refused = [
        (data.clone(), data.clone()),
        (data.join("commits/7"), data.join("commits/7")),
        (place.join("link"), data.clone()),
        (place.join("deep/7"), data.join("commits/7")),
        (world.home.config.clone(), world.home.config.canonicalize().unwrap()),
        (world.home.cache.clone(), world.home.cache.canonicalize().unwrap()),
    ];
    for (path, found) in refused {
        assert_eq!(open(&world, &path), Err(CannotOpen::Home(found)), "{}", path.display());
    }
    // and where the home is itself named by a link
    symlink(data.parent().unwrap(), place.join("home")).unwrap();
    let by_link = Home::within(&place.join("home"));
    let refused = OpenFolder::at(&data, Access::Read, &by_link).map(|open| open.path().to_owned());
    assert_eq!(refused, Err(CannotOpen::Home(data)));
}

#[test]
fn what_is_kept_for_undo_on_another_disk_is_refused_under_any_name() {
    let world = World::new();
    let user = rustix::process::geteuid().as_raw();
    let disk = world.place("disk");
    let store = disk.join(Home::store_elsewhere(user));
    let kept = store.join("606301a6d463f838/7");
    std::fs::create_dir_all(&kept).unwrap();
    let place = world.place("place");
    symlink(&kept, place.join("link")).unwrap();
    for (path, found) in [
        (store.clone(), store.clone()),
        (store.join("606301a6d463f838"), store.join("606301a6d463f838")),
        (kept.clone(), kept.clone()),
        (place.join("link"), kept.clone()),
    ] {
        assert_eq!(open(&world, &path), Err(CannotOpen::Home(found)), "{}", path.display());
    }
    // the disk itself is granted, and another user's store is for the system to guard
    let other = disk.join(Home::store_elsewhere(user + 1));
    std::fs::create_dir(&other).unwrap();
    assert_eq!((open(&world, &disk), open(&world, &other)), (Ok(disk.clone()), Ok(other.clone())));
}

#[test]
fn a_folder_around_the_home_says_what_is_hidden_in_it() {
    let world = World::new();
    let around = world.folder.path().canonicalize().unwrap();
    let opened = OpenFolder::at(&around, Access::Write, &world.home).unwrap();
    let hidden: Vec<_> = opened.hidden().iter().map(|own| (own.path.clone(), own.identity.is_some())).collect();
    assert_eq!(hidden, [(around.join("deskhand"), true)]);
    // the folder that all of it lies in is as much its own as what lies in it
    let top = around.join("deskhand");
    let refused = OpenFolder::at(&top, Access::Read, &world.home).map(|open| open.path().to_owned());
    assert_eq!(refused, Err(CannotOpen::Home(top)));
    assert_eq!(OpenFolder::at(&world.place("inbox"), Access::Write, &world.home).unwrap().hidden(), []);
}

#[test]
fn a_home_that_is_not_there_yet_is_hidden_all_the_same() {
    let world = World::new();
    let place = world.place("place");
    symlink(&place, world.place("other").join("link")).unwrap();
    let later = Home::within(&world.place("other").join("link/later"));
    let opened = OpenFolder::at(&place, Access::Read, &later).unwrap();
    let hidden: Vec<_> = opened.hidden().iter().map(|own| (own.path.clone(), own.identity)).collect();
    assert_eq!(hidden, [(place.join("later"), None)]);
}
