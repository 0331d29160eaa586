//! What a guest may tell of its folders.

use crate::{monitor::guest_with, patient, wake};
use deskhand_vm_bridge::{Collector, Lost, Share, Step, VmError, What};
use deskhand_vm_protocol::{
    Receiver, Request, Sender,
    files::{Ask, Folder, Tell},
};
use proptest::{collection::vec, prelude::*};
use std::io::Write as _;

/// What was told, a line each.
#[derive(Default)]
struct Lines(Vec<String>);

impl Collector for Lines {
    fn found(&mut self, folder: usize, path: &[u8], what: &What) -> Result<(), String> {
        let what = match what {
            What::File { size, .. } => format!("file {size}"),
            other => format!("{other:?}"),
        };
        self.0.push(format!("{folder} {} {what}", String::from_utf8_lossy(path)));
        Ok(())
    }

    fn content(&mut self, bytes: &[u8]) {
        self.0.push(String::from_utf8_lossy(bytes).into_owned());
    }

    fn hole(&mut self, bytes: u64) {
        self.0.push(format!("{bytes} zeros"));
    }

    fn is_given_up(&mut self) -> bool {
        self.0.iter().any(|line| line.contains("too long"))
    }

    fn end(&mut self, whole: bool) {
        self.0.push(if whole { "whole" } else { "cut short" }.to_owned());
    }

    fn lost(&mut self, folder: usize, path: &[u8]) -> Result<(), String> {
        if path == b"unknown" {
            return Err("it loses what it never told".to_owned());
        }
        self.0.push(format!("{folder} {} lost", String::from_utf8_lossy(path)));
        Ok(())
    }
}

fn share() -> Share {
    Share {
        name: b"Files".to_vec(),
        path: "/nowhere".into(),
        id: (1, 2),
        covered: Vec::new(),
        pending: None,
        writable: true,
        live: true,
    }
}

/// What comes of collecting where the guest answers with `answer`.
fn collected(
    answer: impl FnOnce(&mut Sender<crate::Control>, &crate::Control) + Send + 'static,
) -> (Vec<String>, Result<(), VmError>) {
    let guest = guest_with(patient(), &[share()], move |control, files| {
        let mut requests = {
            let (mut asks, mut tells) = (Receiver::new(files.clone()), Sender::new(files.clone()));
            let (requests, _reports) = wake(control);
            let folder = Folder { name: b"Files".to_vec(), writable: true, seeded: false, imported: false };
            assert_eq!(asks.receive::<Ask>().unwrap(), Some(Ask::Lay { folders: vec![folder] }));
            tells.send(&Tell::Done).unwrap();
            if asks.receive::<Ask>().unwrap() == Some(Ask::Collect) {
                answer(&mut tells, &files);
            }
            requests
        };
        while let Ok(Some(_)) = requests.receive::<Request>() {}
    });
    let (guest, mut lines) = (guest.unwrap(), Lines::default());
    let came = guest.collect(&mut lines);
    if let Err(VmError::Lost(lost)) = &came {
        assert_eq!(guest.lost().as_ref(), Some(lost));
    }
    (lines.0, came)
}

fn told(tells: &[Tell]) -> (Vec<String>, Result<(), VmError>) {
    let tells = tells.to_vec();
    collected(move |sender, _| tells.iter().for_each(|tell| drop(sender.send(tell))))
}

fn file(path: &str, size: u64) -> Tell {
    let what = What::File { size, mode: 0o644, seconds: 0, nanoseconds: 0 };
    Tell::Found { folder: 0, path: path.as_bytes().to_vec(), what }
}

fn content(bytes: &[u8]) -> Tell {
    Tell::Content { bytes: bytes.to_vec() }
}

#[test]
fn what_is_told_in_order_is_heard() {
    let folder = Tell::Found { folder: 0, path: b"a".to_vec(), what: What::Folder { opaque: true } };
    let lost = Tell::Lost { folder: 0, path: b"old".to_vec() };
    let (lines, came) = told(&[
        folder,
        file("a/b", 5),
        content(b"hel"),
        content(b"lo"),
        file("sparse", 1 << 33),
        Tell::Hole { bytes: (1 << 33) - 1 },
        content(b"."),
        file("empty", 0),
        file("long", 9),
        content(b"x"),
        Tell::CutShort,
        lost,
        Tell::Done,
    ]);
    came.unwrap();
    let expected = [
        "0 a Folder { opaque: true }",
        "0 a/b file 5",
        "hel",
        "lo",
        "whole",
        "0 sparse file 8589934592",
        "8589934591 zeros",
        ".",
        "whole",
        "0 empty file 0",
        "whole",
        "0 long file 9",
        "x",
        "cut short",
        "0 old lost",
    ];
    assert_eq!(lines, expected);
}

#[test]
fn what_nobody_waits_for_any_more_is_given_up_unless_it_is_the_last() {
    let (lines, came) = told(&[file("too long", 0), Tell::Done]);
    came.unwrap();
    assert_eq!(lines, ["0 too long file 0", "whole"]);
    let (lines, came) = told(&[file("too long", 1 << 30), content(b"x"), content(b"x")]);
    assert!(matches!(came, Err(VmError::Lost(Lost::GivenUp))), "{came:?}");
    assert_eq!(lines, ["0 too long file 1073741824"]);
}

#[test]
fn a_guest_that_lies_about_its_files_is_ended() {
    let order = "it tells of a file out of order";
    let cases: [(&[Tell], &str); 11] = [
        (&[content(b"x")], order),
        (&[Tell::CutShort], order),
        (&[Tell::Hole { bytes: 1 }], order),
        (&[file("a", 2), Tell::Hole { bytes: 3 }], "it tells more of a file than there is"),
        (&[file("a", 2), Tell::Hole { bytes: 0 }], "it tells more of a file than there is"),
        (&[file("a", 2), content(b"x"), Tell::Done], order),
        (&[file("a", 2), file("b", 1)], order),
        (&[file("a", 1), content(b"xy")], "it tells more of a file than there is"),
        (&[file("a", 1), content(b"")], "it tells more of a file than there is"),
        (&[Tell::Found { folder: 1, path: b"a".to_vec(), what: What::Link }], "it tells of a folder that it has not"),
        (&[Tell::Lost { folder: 0, path: b"unknown".to_vec() }], "it loses what it never told"),
    ];
    for (tells, why) in cases {
        match told(tells).1 {
            Err(VmError::Lost(Lost::Hostile(said))) => assert_eq!(said, why),
            other => panic!("{tells:?}: {other:?}"),
        }
    }
    // one that could not do it is not hostile
    assert!(matches!(told(&[Tell::Failed { code: 5 }]).1, Err(VmError::Folders(_))));
}

#[test]
fn a_change_is_made_or_said_not_to_be() {
    let guest = guest_with(patient(), &[share()], move |control, files| {
        let (mut asks, mut tells) = (Receiver::new(files.clone()), Sender::new(files));
        let (mut requests, _reports) = wake(control);
        for answer in [Tell::Done, Tell::Done, Tell::Failed { code: 13 }] {
            asks.receive::<Ask>().unwrap();
            tells.send(&answer).unwrap();
        }
        asks.receive::<Ask>().unwrap();
        tells.send(&Tell::CutShort).unwrap();
        while let Ok(Some(_)) = requests.receive::<Request>() {}
    });
    let guest = guest.unwrap();
    guest.make(0, b"a", Step::Folder).unwrap();
    assert!(
        matches!(guest.make(0, b"a", Step::Remove), Err(VmError::Folders(error)) if error.raw_os_error() == Some(13))
    );
    assert!(matches!(guest.make(0, b"a", Step::Remove), Err(VmError::Lost(Lost::Hostile(_)))));
    assert!(matches!(guest.make(0, b"a", Step::Remove), Err(VmError::Lost(Lost::Hostile(_)))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a guest writes to the files port, there is an answer to whoever asked.
    #[test]
    fn garbage_on_the_files_port_ends_it(bytes in vec(any::<u8>(), 0..2000)) {
        let (_, came) = collected(move |_, files| {
            let mut files = files;
            let _ = files.write_all(&bytes);
            files.hang_up();
        });
        prop_assert!(matches!(came, Err(VmError::Lost(_))));
    }
}
