//! The socket of the supervisor: for its owner alone, and whatever comes through it.

use super::{Background, end, greeting, wait_until};
use crate::kit::said;
use deskhand_tests::Ran;
use serde_json::{Value, json};
use std::{
    fs,
    io::{ErrorKind, Read as _, Write as _},
    os::unix::{
        fs::PermissionsExt as _,
        net::{UnixListener, UnixStream},
    },
};

fn framed(message: &[u8]) -> Vec<u8> {
    [&u32::try_from(message.len()).unwrap().to_be_bytes(), message].concat()
}

/// What comes until the other side hangs up, after its greeting.
fn answered(desk: &Background, bytes: &[u8]) -> Vec<u8> {
    let mut stream = UnixStream::connect(desk.socket()).unwrap();
    assert_eq!(greeting(&mut stream).unwrap()["speaks"], 1);
    let mut answer = Vec::new();
    // it may hang up while something is still on its way
    let heard = stream.write_all(bytes).and_then(|()| stream.read_to_end(&mut answer));
    if let Err(error) = heard {
        assert!([ErrorKind::ConnectionReset, ErrorKind::BrokenPipe].contains(&error.kind()), "{error}");
    }
    answer
}

#[test]
fn what_is_no_message_is_hung_up_on_and_the_rest_goes_on() {
    let desk = Background::new();
    desk.says([said("one"), said("two")]);
    desk.queued(&["count"]);
    desk.wait_for(1, "task-ended");
    let mode = |path: &str| fs::metadata(desk.place.path(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("deskhand/data/tasks"), mode("deskhand/data/tasks/supervisor.sock")), (0o700, 0o600));
    for (what, bytes) in [
        ("another protocol", b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec()),
        ("no JSON", framed(b"\xff\xfe")),
        ("JSON of another shape", framed(br#"{"do":"fly"}"#)),
        ("a huge one", vec![0xff; 1 << 20]),
        ("one just above the most", [&(4_u32 << 20 | 1).to_be_bytes()[..], &[b' '; 1000]].concat()),
        ("an answer to nothing", framed(br#"{"do":"answer","question":1,"answer":"yes"}"#)),
        ("one that begins and does not end", b"\0\0\0\x50{".to_vec()),
        ("nothing at all", Vec::new()),
    ] {
        assert_eq!(answered(&desk, &bytes), b"", "{what}");
    }
    // who asks one thing after another is answered each time
    let mut stream = UnixStream::connect(desk.socket()).unwrap();
    greeting(&mut stream).unwrap();
    for _ in 0..3 {
        stream.write_all(&framed(br#"{"do":"look"}"#)).unwrap();
        assert_eq!(greeting(&mut stream), Some(json!({"told": "heard"})));
    }
    desk.queued(&["count again"]);
    desk.wait_for(2, "task-ended");
    desk.server.finish();
}

#[test]
fn a_supervisor_of_another_version_is_named_with_what_to_do() {
    let desk = Background::new();
    let folder = desk.place.path("deskhand/data/tasks");
    fs::create_dir_all(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    let listener = UnixListener::bind(desk.socket()).unwrap();
    let old: Value = json!({"deskhand": "0.0.9", "speaks": 0, "process": 4242});
    let old = framed(old.to_string().as_bytes());
    let answering = std::thread::spawn(move || {
        for stream in listener.incoming().take(2) {
            stream.unwrap().write_all(&old).unwrap();
        }
    });
    let ran = desk.queue(&["count"]);
    assert_eq!(ran.stdout, "Task 1 is queued. Follow it with: deskhand tasks follow 1\n");
    assert_eq!(
        (ran.code, ran.stderr.as_str()),
        (
            1,
            "Task 1 is queued and not lost, but nobody works on it yet: the supervisor that runs now (process 4242) is of another version of Deskhand, 0.0.9, and cannot be spoken to. It ends by itself when its tasks are over. To end it now, so that they go on with this version: kill 4242.\n"
        )
    );
    let listed = desk.deskhand(&["tasks"]);
    assert_eq!(listed.code, 0);
    assert!(listed.stderr.contains("To end it now"), "{}", listed.stderr);
    assert!(listed.stdout.contains("queued, place 1"), "{}", listed.stdout);
    answering.join().unwrap();
    // the other has ended; its socket is left behind
    desk.says([said("one")]);
    assert_eq!(desk.states().len(), 1);
    desk.wait_for(1, "task-ended");
    desk.server.finish();
}

#[test]
fn another_user_is_not_spoken_to() {
    if !rustix::process::geteuid().is_root() {
        eprintln!("skipped: only root can be another user");
        return;
    }
    let desk = Background::new();
    desk.says([said("one")]);
    desk.queued(&["count"]);
    desk.wait_for(1, "task-ended");
    let connect = format!(
        "import socket\ns = socket.socket(socket.AF_UNIX)\ns.connect({:?})\nprint(s.recv(100))",
        desk.socket().to_str().unwrap()
    );
    let as_nobody = || {
        let mut command = desk.place.command("setpriv");
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups", "/usr/bin/python3", "-c", &connect]);
        Ran::of(command.current_dir("/").output().unwrap())
    };
    // the folder lets nobody else in
    let kept_out = as_nobody();
    assert!(kept_out.stderr.contains("PermissionError"), "{kept_out:?}");
    // and if it did, whoever they are is looked at
    for below in ["", "deskhand", "deskhand/data", "deskhand/data/tasks", "deskhand/data/tasks/supervisor.sock"] {
        fs::set_permissions(desk.place.path(below), fs::Permissions::from_mode(0o777)).unwrap();
    }
    let refused = as_nobody();
    assert_eq!((refused.code, refused.stdout.as_str()), (0, "b''\n"), "{}", refused.stderr);
}

#[test]
fn the_supervisor_ends_when_there_is_nothing_to_do() {
    let desk = Background::new();
    let mut command = desk.place.command(deskhand_tests::deskhand());
    let mut child = command.args(["supervise", "--idle", "0"]).spawn().unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0), "{}", desk.notes());
    assert!(!desk.socket().exists());
    // one that another stands in the way of ends as well
    let mut first = desk.place.command(deskhand_tests::deskhand()).arg("supervise").spawn().unwrap();
    wait_until("it answers", || desk.supervisor().is_some());
    let mut second = desk.place.command(deskhand_tests::deskhand()).arg("supervise").spawn().unwrap();
    assert_eq!(second.wait().unwrap().code(), Some(0));
    let process = desk.supervisor().unwrap();
    assert_eq!(u32::try_from(process).unwrap(), first.id());
    end(process);
    first.wait().unwrap();
}
