use super::*;
use deskhand_vm_protocol::Wake;
use proptest::{collection::vec, prelude::*};
use rustix::net::{AddressFamily, SocketFlags, SocketType, socketpair};
use std::os::unix::net::UnixStream;

/// Serve a host that says `bytes`, on a machine without a sandbox: how it ended, and what the host heard.
fn serve_bytes(bytes: &[u8]) -> (Result<(), FrameError>, Vec<Report>) {
    let (runner, _) = socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None).unwrap();
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut agent = Agent {
        host: Arc::new(Host::new(File::from(OwnedFd::from(ours)))),
        runner: Arc::new(runner),
        running: Running::default(),
        used: HashSet::new(),
        awake: false,
        warm: mpsc::channel().1,
    };
    let served = serve(&mut agent, Receiver::new(bytes));
    drop(agent);
    let mut reports = Receiver::new(theirs);
    (served, std::iter::from_fn(|| reports.receive().unwrap()).collect())
}

fn serve_requests(requests: &[Request]) -> (Result<(), FrameError>, Vec<Report>) {
    let mut bytes = Vec::new();
    let mut sender = Sender::new(&mut bytes);
    requests.iter().for_each(|request| sender.send(request).unwrap());
    serve_bytes(&bytes)
}

const HELLO: Request = Request::Hello { version: VERSION };

fn run(job: JobId) -> Request {
    let command = Command::new(&["true"], "/");
    Request::Run { job, command, limits: Limits { memory: 0, processes: 0, milliseconds: 0, output: 0 } }
}

#[test]
fn a_host_that_does_not_greet_or_greets_in_another_version_is_not_served() {
    let (served, reports) = serve_requests(&[Request::Ping { number: 1 }]);
    assert!(matches!(served, Err(FrameError::Malformed)));
    assert_eq!(reports, []);
    let (served, reports) = serve_requests(&[Request::Hello { version: 99 }, Request::Ping { number: 1 }]);
    assert!(served.is_ok());
    assert_eq!(reports, [Report::Hello { version: VERSION }]);
    assert!(matches!(serve_requests(&[HELLO, HELLO]), (Err(FrameError::Malformed), _)));
}

#[test]
fn nothing_runs_before_the_guest_has_its_own_entropy() {
    let (served, reports) = serve_requests(&[HELLO, run(1), Request::Ping { number: 8 }]);
    assert!(served.is_ok());
    let refused = Report::Refused { job: 1, why: Refusal::NotAwake };
    assert_eq!(reports, [Report::Hello { version: VERSION }, refused, Report::Pong { number: 8 }]);
    let wrong = Wake { entropy: [0; 32], seconds: u64::MAX, nanoseconds: 0, session: [0; 16] };
    let (served, reports) = serve_requests(&[HELLO, Request::Wake(wrong)]);
    assert!(matches!(served, Err(FrameError::Port(_))));
    assert_eq!(reports, [Report::Hello { version: VERSION }]);
}

#[test]
fn what_is_said_of_jobs_that_are_not_there_changes_nothing() {
    let nothing = [
        HELLO,
        Request::Input { job: 5, bytes: vec![1] },
        Request::InputEnd { job: 5 },
        Request::Stop { job: 5 },
        Request::Shutdown,
        Request::Ping { number: 1 },
    ];
    let (served, reports) = serve_requests(&nothing);
    assert!(served.is_ok());
    assert_eq!(reports, [Report::Hello { version: VERSION }]);
}

#[test]
fn a_command_that_is_none_makes_no_sense() {
    let command = |words: &[&[u8]], variable: &[u8], folder: &[u8]| Command {
        words: words.iter().map(|word| word.to_vec()).collect(),
        environment: vec![(variable.to_vec(), b"x".to_vec())],
        folder: folder.to_vec(),
        logged: false,
        merged: false,
    };
    assert!(sensible(&command(&[b"true"], b"A", b"/")));
    let wrong = [
        command(&[], b"A", b"/"),
        command(&[b""], b"A", b"/"),
        command(&[b"a\0"], b"A", b"/"),
        command(&[b"true"], b"", b"/"),
        command(&[b"true"], b"A=B", b"/"),
        command(&[b"true"], b"A", b"relative"),
        command(&[&[b'x'; runner::PACKET]], b"A", b"/"),
    ];
    wrong.iter().for_each(|command| assert!(!sensible(command), "{command:?}"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    /// Bounded, as the tool that would do so without an end needs another compiler than ours.
    #[test]
    fn garbage_from_a_host_ends_the_serving(bytes in vec(any::<u8>(), 1..2000)) {
        prop_assert!(serve_bytes(&bytes).0.is_err());
    }

    #[test]
    fn garbage_after_a_greeting_ends_the_serving(bytes in vec(any::<u8>(), 1..2000)) {
        let mut said = Vec::new();
        Sender::new(&mut said).send(&HELLO).unwrap();
        said.extend(bytes);
        let (served, reports) = serve_bytes(&said);
        prop_assert!(served.is_err());
        prop_assert_eq!(reports, [Report::Hello { version: VERSION }]);
    }
}
