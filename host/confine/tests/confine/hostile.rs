//! What a program writes that is no plain file is refused with a reason; the rest is taken.

use crate::kit::Desk;
use std::{fs, os::unix::fs::MetadataExt as _};

/// What is refused: paths with the beginning of each reason.
async fn refused(desk: &Desk, script: &str) -> Vec<String> {
    let (said, taken) = desk.shell(script).await;
    assert_eq!(said.err, "");
    let mut lines: Vec<_> = taken
        .refused
        .iter()
        .map(|refused| format!("{}: {}", refused.path, refused.reason.split(['.', ',', '(']).next().unwrap().trim()))
        .collect();
    lines.sort();
    lines
}

#[tokio::test]
async fn links_pipes_and_sockets_are_refused() {
    let desk = Desk::new(&[("a.txt", "a"), ("real/b.txt", "b")]);
    let script = "ln -s /etc/passwd link; ln -s . loop; ln -s ../../../secret up; mkfifo pipe; echo ok > ok.txt; \
                  python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind(\"socket\")'; rm -r real; ln -s / real; \
                  rm a.txt; mkfifo a.txt";
    let special = "it is a pipe";
    assert_eq!(
        refused(&desk, script).await,
        [
            format!("photos/a.txt: {special}"),
            "photos/link: it is a link".to_owned(),
            "photos/loop: it is a link".to_owned(),
            format!("photos/pipe: {special}"),
            "photos/real: it is a link".to_owned(),
            format!("photos/socket: {special}"),
            "photos/up: it is a link".to_owned(),
        ]
    );
    // what they took the place of stays
    assert_eq!(desk.pending(), ["write  -> photos/ok.txt"]);
}

/// A layer in which somebody else than the kernel wrote, as where that has a hole.
#[tokio::test]
async fn a_forged_layer_is_refused() {
    let desk = Desk::new(&[("a.txt", "a"), ("in/b.txt", "b")]);
    let mut overlay = desk.overlay();
    let layer = fs::read_dir(desk.place()).unwrap().next().unwrap().unwrap().path().join("upper");
    let outside = desk.dir.path().join("outside");
    crate::kit::write(&outside.join("secret.txt"), "secret");
    let attribute = |path: &str, name: &str| {
        rustix::fs::setxattr(layer.join(path), name, b"/../outside", rustix::fs::XattrFlags::empty()).unwrap();
    };
    for path in ["redirected", "meta", "white", "fine.txt", "case/Name.txt", "case/name.txt", "a.TXT"] {
        crate::kit::write(&layer.join(path), "x");
    }
    fs::create_dir(layer.join("redirected-folder")).unwrap();
    attribute("redirected", "user.overlay.redirect");
    attribute("redirected-folder", "user.overlay.redirect");
    attribute("meta", "user.overlay.metacopy");
    attribute("white", "user.overlay.whiteout");
    // a link where a folder was, and below it what would be written through it
    std::os::unix::fs::symlink(&outside, layer.join("in")).unwrap();
    fs::hard_link(outside.join("secret.txt"), layer.join("hard.txt")).unwrap();
    let root = rustix::process::geteuid().is_root();
    if root {
        let device = |name: &str, kind| {
            let mode = rustix::fs::Mode::from_raw_mode(0o600);
            rustix::fs::mknodat(rustix::fs::CWD, layer.join(name), kind, mode, rustix::fs::makedev(1, 3)).unwrap();
        };
        device("null", rustix::fs::FileType::CharacterDevice);
        device("disk", rustix::fs::FileType::BlockDevice);
    }
    let taken = overlay.take(&desk.workspace, "test").unwrap();
    let mut refused: Vec<_> =
        taken.refused.iter().map(|refused| refused.path.path.as_path().display().to_string()).collect();
    refused.sort();
    let mut expected = vec!["a.TXT", "case/name.txt", "in", "meta", "redirected", "redirected-folder", "white"];
    if root {
        expected.splice(2..2, ["disk"]);
        expected.splice(5..5, ["null"]);
    }
    assert_eq!(refused, expected, "{taken:#?}");
    // another name of a file is that file's content, and no way to it
    assert_eq!(
        desk.pending(),
        [
            "make-folder  -> photos/case",
            "write  -> photos/case/Name.txt",
            "write  -> photos/fine.txt",
            "write  -> photos/hard.txt"
        ]
    );
    desk.propose();
    assert_eq!(fs::metadata(outside.join("secret.txt")).unwrap().nlink(), 2);
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 1);
}

#[tokio::test]
async fn what_would_run_as_somebody_else_is_refused() {
    let desk = Desk::new(&[]);
    let script = "for n in user group both; do echo x > $n; done; chmod 4755 user; chmod 2755 group; chmod 6755 both";
    let reason = "it is to run with the rights of its owner";
    assert_eq!(refused(&desk, script).await, ["both", "group", "user"].map(|name| format!("photos/{name}: {reason}")));
    assert_eq!(desk.pending(), [""; 0]);
}

#[tokio::test]
async fn a_file_of_a_tebibyte_of_holes_is_refused() {
    let desk = Desk::new(&[("a.txt", "a")]);
    let mut overlay = desk.overlay();
    let mut confined =
        crate::kit::script("truncate -s 1T huge; truncate -s 64M large; echo end >> large; echo ok > ok.txt");
    confined.limits.file = u64::MAX;
    confined.working_folder = Some(overlay.mount().inside().to_owned());
    confined.folders.push(overlay.mount());
    let said = crate::kit::run(confined).await;
    assert_eq!(said.err, "");
    let taken = overlay.take(&desk.workspace, "test").unwrap();
    let told: Vec<_> = taken.refused.iter().map(|refused| format!("{}: {}", refused.path, refused.reason)).collect();
    assert_eq!(told, ["photos/huge: it is 1099 GB long, and at most 4 are taken. Write a shorter file"]);
    assert_eq!(desk.pending(), ["write  -> photos/large", "write  -> photos/ok.txt"]);
    desk.propose();
    let large = fs::metadata(desk.folder.join("large")).unwrap();
    assert_eq!(large.len(), (64 << 20) + 4);
    assert!(large.blocks() < 1000, "its holes stay holes: {}", large.blocks());
}

#[tokio::test]
async fn names_that_some_disks_take_for_one_are_refused() {
    let desk = Desk::new(&[("Photo.jpg", "p"), ("caf\u{e9}.txt", "c")]);
    let script =
        "echo x > photo.JPG; printf x > \"$(printf 'cafe\\314\\201.txt')\"; echo x > one; echo x > ONE; echo x > other";
    let told = refused(&desk, script).await;
    assert_eq!(told.len(), 3, "{told:?}");
    assert!(told.iter().all(|line| line.contains(": some disks take its name and `")), "{told:?}");
    assert_eq!(desk.pending(), ["write  -> photos/ONE", "write  -> photos/other"]);
}

#[tokio::test]
async fn too_deep_and_too_many_are_refused() {
    let desk = Desk::new(&[]);
    let script = "mkdir deep; cd deep; for n in $(seq 80); do mkdir d; cd d; done; echo x > x";
    let told = refused(&desk, script).await;
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].ends_with(": it lies too deep"), "{told:?}");
    let desk = Desk::new(&[]);
    // a name of bytes that are no text is a name
    let (_, taken) = desk.shell("printf x > \"$(printf 'bytes\\377')\"").await;
    assert_eq!((taken.added(), taken.refused.len()), (1, 0));
}

/// Attributes of the program's own are not carried; those that would mean something to an overlay it cannot give.
#[tokio::test]
async fn attributes_are_left_behind() {
    let desk = Desk::new(&[("in/a.txt", "a"), ("in/b.txt", "b")]);
    let script = "python3 - <<'PY'
import os
os.makedirs('in2')
open('note', 'w').write('x')
for path, name in (('note', 'user.own'), ('in', 'user.overlay.opaque'), ('in2', 'user.overlay.redirect'),
                   ('note', 'user.overlay.metacopy'), ('note', 'trusted.overlay.opaque'), ('note', 'security.capability')):
    try:
        os.setxattr(path, name, b'y')
    except OSError:
        pass
PY
ls in";
    let (said, taken) = desk.shell(script).await;
    assert_eq!((said.out.as_str(), said.err.as_str()), ("a.txt\nb.txt", ""));
    assert_eq!((taken.refused.as_slice(), desk.pending().len()), (&[][..], 2), "{taken:?}");
    desk.propose();
    let mut list = [0; 256];
    let length = rustix::fs::listxattr(desk.folder.join("note"), &mut list[..]).unwrap();
    assert_eq!(String::from_utf8_lossy(&list[..length]), "");
}
