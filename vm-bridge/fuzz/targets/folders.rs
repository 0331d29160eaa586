//! Folders in the guest: a host that makes anything anywhere in them changes nothing beside them, and what is told of them after
//! that is what the host takes.
#![no_main]

#[path = "../../guest/src/files/collect.rs"]
mod collect;
#[path = "../../guest/src/files/make.rs"]
mod make;

use collect::Known;
use deskhand_vm_fuzz::Script;
use deskhand_vm_protocol::files::{Step, Tell, What};
use libfuzzer_sys::fuzz_target;
use rustix::{
    fd::OwnedFd,
    fs::{CWD, Mode, OFlags},
};
use std::{fs, os::unix::fs::symlink};

/// Who runs jobs.
mod sandbox {
    pub(crate) const USER: u32 = 1000;
    pub(crate) const GROUP: u32 = 1000;
}

const NAMES: [&[u8]; 10] = [b"a", b"b", b"in", b"out", b"..", b".", b"", b"\0", b"deep", b"loop"];

fuzz_target!(|data: &[u8]| {
    let place = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir()).unwrap();
    let (layer, outside) = (place.path().join("layer"), place.path().join("outside"));
    fs::create_dir_all(layer.join("in/deep")).unwrap();
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("a"), "kept").unwrap();
    // what a job may have put in the way
    symlink(&outside, layer.join("out")).unwrap();
    symlink(outside.join("a"), layer.join("in/out")).unwrap();
    symlink("loop", layer.join("loop")).unwrap();
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let seen: OwnedFd = rustix::fs::openat(CWD, &layer, flags, Mode::empty()).unwrap();

    let mut known = Known::default();
    let mut script = Script(data);
    while !script.is_over() {
        let kind = script.byte();
        let count = script.byte();
        let path = match count {
            200.. => script.bytes(usize::from(count - 200)).to_vec(),
            _ => {
                let names = (0..=count % 4).map(|_| NAMES[usize::from(script.byte()) % NAMES.len()]);
                names.collect::<Vec<_>>().join(&b'/')
            }
        };
        let step = match kind % 8 {
            0 | 1 => Step::Remove,
            2 | 3 => Step::Folder,
            4..7 => Step::Write { more: kind % 2 == 0, bytes: script.bytes(usize::from(kind >> 4)).to_vec() },
            _ => {
                tell(&seen, &mut known, u64::from(kind));
                continue;
            }
        };
        let _ = make::make(&seen, &path, &step);
    }
    tell(&seen, &mut known, 1000);
    let mut names: Vec<_> = fs::read_dir(&outside).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.pop().unwrap(), "a");
    assert!(names.is_empty());
    assert_eq!(fs::read_to_string(outside.join("a")).unwrap(), "kept");
    assert_eq!(fs::read_dir(place.path()).unwrap().count(), 2);
});

/// What is told is a path that lies in a folder which was told, and of a file as many bytes as it has, or word that they are not.
fn tell(layer: &OwnedFd, known: &mut Known, mut may: u64) {
    let (mut left, most) = (None::<u64>, may);
    let mut said = 0;
    let told = collect::collect(0, layer, known, &mut may, &mut |tell: &Tell| {
        match tell {
            Tell::Found { path, what, .. } => {
                assert_eq!(left, None);
                let names = path.split(|byte| *byte == b'/');
                assert!(names.into_iter().all(|name| !matches!(name, b"" | b"." | b"..")));
                left = match what {
                    What::File { size: size @ 1.., .. } => Some(*size),
                    _ => None,
                };
            }
            Tell::Content { .. } | Tell::Hole { .. } => {
                let bytes = match tell {
                    Tell::Content { bytes } => bytes.len() as u64,
                    Tell::Hole { bytes } => *bytes,
                    _ => 0,
                };
                assert!(bytes > 0);
                said += bytes;
                left = left.unwrap().checked_sub(bytes).map(Some).unwrap().filter(|left| *left > 0);
            }
            Tell::CutShort => assert!(left.take().is_some()),
            Tell::Lost { .. } => assert_eq!(left, None),
            Tell::Done | Tell::Failed { .. } => unreachable!("that is said by who asks for this"),
        }
        Ok(())
    });
    told.unwrap();
    assert!(left.is_none() && said <= most);
}
