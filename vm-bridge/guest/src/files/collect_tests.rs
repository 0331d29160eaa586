use super::*;
use rustix::fs::CWD;
use std::{env, fs, process};

/// What is told of a layer, a line each, where so many bytes of content may be told.
fn told(layer: &OwnedFd, known: &mut Known, mut left: u64) -> Vec<String> {
    let mut lines = Vec::new();
    let text = |path: &[u8]| String::from_utf8_lossy(path).into_owned();
    let mut tell = |tell: &Tell| {
        lines.push(match tell {
            Tell::Found { path, what: What::File { size, .. }, .. } => format!("{} of {size}", text(path)),
            Tell::Found { path, what, .. } => format!("{} {what:?}", text(path)),
            Tell::Content { bytes } => text(bytes),
            Tell::Hole { bytes } => format!("{bytes} zeros"),
            Tell::Lost { path, .. } => format!("{} lost", text(path)),
            other => format!("{other:?}"),
        });
        Ok(())
    };
    collect(0, layer, known, &mut left, &mut tell).unwrap();
    lines
}

#[test]
fn what_is_more_than_may_be_told_is_cut_short_and_the_rest_is_told() {
    let place = env::temp_dir().join(format!("deskhand-layer-{}", process::id()));
    fs::create_dir(&place).unwrap();
    let layer = rustix::fs::openat(CWD, &place, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
    [("a", "12345"), ("b", "123456"), ("c", "1"), ("d", "")]
        .iter()
        .for_each(|(name, content)| fs::write(place.join(name), content).unwrap());
    // a file of holes takes no room, and is as long as it says
    fs::File::create(place.join("huge")).unwrap().set_len(1 << 40).unwrap();
    let huge = format!("huge of {}", 1_u64 << 40);
    let mut known = Known::default();
    let first = told(&layer, &mut known, 6);
    fs::remove_file(place.join("huge")).unwrap();
    fs::write(place.join("c"), "12").unwrap();
    let second = told(&layer, &mut known, 6);
    fs::remove_dir_all(&place).unwrap();
    let expected = ["a of 5", "12345", "b of 6", "CutShort", "c of 1", "1", "d of 0", &huge, "CutShort"];
    assert_eq!(first, expected);
    assert_eq!(second, ["c of 2", "12", "huge lost"]);
}

#[test]
fn what_a_file_has_no_room_for_is_told_as_zeros() {
    let place = env::temp_dir().join(format!("deskhand-holes-{}", process::id()));
    fs::create_dir(&place).unwrap();
    let layer = rustix::fs::openat(CWD, &place, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty()).unwrap();
    let file = fs::File::create(place.join("a")).unwrap();
    let mega = 1_u64 << 20;
    rustix::io::pwrite(&file, &[b'x'; 4096], 2 * mega).unwrap();
    file.set_len(3 * mega).unwrap();
    let lines = told(&layer, &mut Known::default(), u64::MAX);
    fs::remove_dir_all(&place).unwrap();
    let zeros = |count: u64| format!("{count} zeros");
    assert_eq!(lines, [format!("a of {}", 3 * mega), zeros(2 * mega), "x".repeat(4096), zeros(mega - 4096)]);
}
