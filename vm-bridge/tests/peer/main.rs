//! A guest that does not keep to the rules, as the host sees it. There is no machine here: the test is the guest.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod files;
mod monitor;

use deskhand_vm_bridge::{Command, Ending, Event, Guest, Limits, Lost, Patience, Refusal, Stream, Usage, VmError};
use deskhand_vm_protocol::{INPUT_WINDOW, OUTPUT_WINDOW, Receiver, Report, Request, Sender, VERSION};
use monitor::{Control, guest_of};
use proptest::{collection::vec, prelude::*};
use std::{io::Write as _, time::Duration};

const LIMITS: Limits = Limits { memory: 1, processes: 1, milliseconds: 600_000, output: 10 };

/// Give a guest up soon.
fn impatient() -> Patience {
    let short = Duration::from_millis(300);
    Patience { boot: Duration::from_secs(5), interval: Duration::from_millis(20), answer: short, end: short }
}

fn patient() -> Patience {
    Patience { interval: Duration::from_secs(600), ..Patience::default() }
}

/// A guest's end that greets and wakes as it should.
fn wake(control: Control) -> (Receiver<Control>, Sender<Control>) {
    let (mut requests, mut reports) = (Receiver::new(control.clone()), Sender::new(control));
    assert_eq!(requests.receive().unwrap(), Some(Request::Hello { version: VERSION }));
    reports.send(&Report::Hello { version: VERSION }).unwrap();
    let Some(Request::Wake(wake)) = requests.receive().unwrap() else { panic!("the guest is not woken") };
    reports.send(&Report::Awake { session: wake.session }).unwrap();
    (requests, reports)
}

fn run(guest: &Guest) -> deskhand_vm_bridge::Job {
    let command = Command::new(&["true"], "/");
    guest.start(command, LIMITS).unwrap()
}

/// What the host makes of a job whose guest says `reports`.
fn told(reports: &[Report]) -> Vec<Event> {
    let reports = reports.to_vec();
    let guest = guest_of(patient(), move |control| {
        let (mut requests, mut sender) = wake(control);
        while !matches!(requests.receive(), Ok(Some(Request::Run { .. }) | None) | Err(_)) {}
        reports.iter().for_each(|report| drop(sender.send(report)));
    });
    let guest = guest.unwrap();
    let job = run(&guest);
    let mut events = Vec::new();
    loop {
        events.push(job.next());
        if !matches!(events.last(), Some(Event::Output { .. })) {
            return events;
        }
    }
}

fn output(job: u32, stream: Stream, bytes: &[u8]) -> Report {
    Report::Output { job, stream, bytes: bytes.to_vec() }
}

fn hostile(why: &str) -> Event {
    Event::Lost(Lost::Hostile(why.to_owned()))
}

#[test]
fn a_guest_that_keeps_to_the_rules_is_heard() {
    let ended = Report::Ended { job: 1, ending: Ending::Exited(3), usage: Usage::default() };
    let events = told(&[output(1, Stream::Output, b"0123456789"), output(1, Stream::Error, b"abc"), ended]);
    let heard = |stream, bytes: &[u8]| Event::Output { stream, bytes: bytes.to_vec() };
    let end = Event::Ended { ending: Ending::Exited(3), usage: Usage::default() };
    assert_eq!(events, [heard(Stream::Output, b"0123456789"), heard(Stream::Error, b"abc"), end]);
    assert_eq!(told(&[Report::Refused { job: 1, why: Refusal::TooMany }]), [Event::Refused(Refusal::TooMany)]);
}

#[test]
fn a_guest_that_breaks_a_rule_is_ended() {
    let more = [output(1, Stream::Output, b"0123456789"), output(1, Stream::Output, b"x")];
    assert_eq!(told(&more)[1], hostile("it sends more output than it was let"));
    let lie = [output(7, Stream::Output, b"x")];
    assert_eq!(told(&lie), [hostile("it speaks of a job 7 that was never asked for")]);
    assert_eq!(told(&[Report::Hello { version: VERSION }]), [hostile("it greets again")]);
    assert_eq!(told(&[Report::Awake { session: [0; 16] }]), [hostile("it greets again")]);
    assert_eq!(told(&[]), [Event::Lost(Lost::Gone)]);
    assert_eq!(told(&[Report::Goodbye]), [Event::Lost(Lost::Ended)]);
}

/// The next request that is none of those that everybody gets.
fn next(requests: &mut Receiver<Control>) -> Option<Request> {
    loop {
        match requests.receive() {
            Ok(Some(Request::Ping { .. } | Request::Run { .. })) => {}
            other => return other.ok().flatten(),
        }
    }
}

const PIECE: usize = 64 << 10;

/// What a job says waits in the guest until it is read: one that sends more than there is room for is ended.
#[test]
fn no_more_is_kept_of_what_is_not_read_than_there_is_room_for() {
    let guest = guest_of(patient(), move |control| {
        let (mut requests, mut reports) = wake(control);
        while !matches!(requests.receive(), Ok(Some(Request::Run { .. }) | None) | Err(_)) {}
        let mut say =
            |pieces: u64| (0..pieces).for_each(|_| drop(reports.send(&output(1, Stream::Output, &[b'x'; PIECE]))));
        say(OUTPUT_WINDOW / PIECE as u64);
        let Some(Request::Room { job: 1, stream: Stream::Output, bytes }) = next(&mut requests) else { return };
        say(bytes / PIECE as u64 + 1);
        while next(&mut requests).is_some() {}
    });
    let guest = guest.unwrap();
    let job = guest.start(Command::new(&["true"], "/"), Limits { output: u64::MAX, ..LIMITS }).unwrap();
    let mut heard = 0;
    while heard < OUTPUT_WINDOW / 4 {
        let Event::Output { bytes, .. } = job.next() else { panic!("it ended after {heard} bytes") };
        heard += bytes.len() as u64;
    }
    while guest.lost().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    let hostile = Lost::Hostile("it sends more output than there is room for".to_owned());
    assert_eq!(guest.lost(), Some(hostile));
}

/// What is given to a job to read waits on the host until it reads.
#[test]
fn no_more_is_sent_to_a_job_than_it_has_room_for() {
    let pieces = INPUT_WINDOW / PIECE as u64;
    let (full, is_full) = std::sync::mpsc::channel();
    let (asked, saw) = std::sync::mpsc::channel();
    let guest = guest_of(patient(), move |control| {
        let (mut requests, mut reports) = wake(control);
        for _ in 0..pieces {
            asked.send(next(&mut requests)).unwrap();
        }
        full.send(()).unwrap();
        asked.send(next(&mut requests)).unwrap();
        reports.send(&Report::Read { job: 1, bytes: PIECE as u64 }).unwrap();
        asked.send(next(&mut requests)).unwrap();
    });
    let guest = guest.unwrap();
    let job = run(&guest);
    let stdin = job.stdin();
    let writing = std::thread::spawn(move || stdin.write(&vec![b'x'; INPUT_WINDOW as usize + PIECE]));
    is_full.recv().unwrap();
    job.interrupt().unwrap();
    let input = || Some(Request::Input { job: 1, bytes: vec![b'x'; PIECE] });
    for _ in 0..pieces {
        assert!(saw.recv().unwrap() == input());
    }
    assert_eq!(saw.recv().unwrap(), Some(Request::Interrupt { job: 1 }));
    assert!(saw.recv().unwrap() == input());
    writing.join().unwrap().unwrap();
}

/// What the host makes of a guest that writes `bytes` in the middle of a job.
fn heard_bytes(bytes: &[u8]) -> Event {
    let bytes = bytes.to_vec();
    let guest = guest_of(patient(), move |control| {
        let (mut requests, _) = wake(control.clone());
        while !matches!(requests.receive(), Ok(Some(Request::Run { .. }) | None) | Err(_)) {}
        let _ = (&control).write_all(&bytes);
    });
    let guest = guest.unwrap();
    run(&guest).next()
}

#[test]
fn frames_that_are_none_end_the_guest() {
    let frame =
        |length: u32, number: u32, message: &[u8]| [&length.to_le_bytes()[..], &number.to_le_bytes(), message].concat();
    let length = "a frame claims 4294967295 bytes; a message has 1 to 262144";
    assert_eq!(heard_bytes(&frame(u32::MAX, 2, b"")), hostile(length));
    assert_eq!(heard_bytes(&frame(1, 9, &[6])), hostile("frame 9 came where frame 2 belongs"));
    assert_eq!(heard_bytes(&frame(1, 1, &[6])), hostile("frame 1 came where frame 2 belongs"));
    assert_eq!(heard_bytes(&frame(3, 2, &[0xff; 3])), hostile("a frame holds no message of this protocol"));
    // cut off: as when it dies
    assert_eq!(heard_bytes(&frame(100, 2, b"short")), Event::Lost(Lost::Gone));
    assert_eq!(heard_bytes(b"abc"), Event::Lost(Lost::Gone));
}

#[test]
fn a_guest_that_greets_wrongly_is_not_taken() {
    let greeted = |report: Report| {
        let guest = guest_of(patient(), move |control| {
            let (mut requests, mut reports) = (Receiver::new(control.clone()), Sender::new(control));
            requests.receive::<Request>().unwrap();
            let _ = reports.send(&report);
        });
        guest.err().unwrap().to_string()
    };
    let wrong = greeted(Report::Hello { version: VERSION + 1 });
    assert!(wrong.starts_with("the guest broke the rules of its channel (it greets with Hello"), "{wrong}");
    let wrong = greeted(Report::Pong { number: 1 });
    assert!(wrong.starts_with("the guest broke the rules of its channel (it greets with Pong"), "{wrong}");
    let silent = guest_of(patient(), drop);
    assert!(matches!(silent, Err(VmError::Lost(Lost::Gone))));
    let forged = guest_of(patient(), |control| {
        let (mut requests, mut reports) = (Receiver::new(control.clone()), Sender::new(control));
        requests.receive::<Request>().unwrap();
        reports.send(&Report::Hello { version: VERSION }).unwrap();
        requests.receive::<Request>().unwrap();
        let _ = reports.send(&Report::Awake { session: [7; 16] });
    });
    assert!(matches!(forged, Err(VmError::Lost(Lost::Hostile(_)))));
}

#[test]
fn a_guest_that_falls_silent_is_ended_and_so_is_one_that_never_ends_a_job() {
    let silent = guest_of(impatient(), |control| {
        let (mut requests, _reports) = wake(control);
        while let Ok(Some(_)) = requests.receive::<Request>() {}
    });
    let silent = silent.unwrap();
    assert_eq!(run(&silent).next(), Event::Lost(Lost::Silent));
    let endless = guest_of(impatient(), |control| {
        let (mut requests, mut reports) = wake(control);
        while let Ok(Some(request)) = requests.receive() {
            if let Request::Ping { number } = request {
                let _ = reports.send(&Report::Pong { number });
            }
        }
    });
    let command = Command::new(&["true"], "/");
    let endless = endless.unwrap();
    let job = endless.start(command, Limits { milliseconds: 1, ..LIMITS }).unwrap();
    assert_eq!(job.next(), Event::Lost(Lost::Silent));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever a guest says, the host ends it or goes on, and no job waits for ever.
    #[test]
    fn garbage_from_a_guest_ends_it(bytes in vec(any::<u8>(), 0..2000)) {
        prop_assert!(matches!(heard_bytes(&bytes), Event::Lost(_)));
    }
}
