//! Connections over a port: whole, side by side, and none held up by another.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use deskhand_vm_protocol::{
    Receiver, Sender,
    streams::{MOST, Socket, Streams, StreamsError, WINDOW, Word},
};
use proptest::{collection::vec, prelude::*};
use std::{
    io::{Read as _, Write as _},
    net::Shutdown,
    os::unix::net::UnixStream,
    sync::{Arc, Barrier, mpsc},
    thread::{self, JoinHandle},
};

type Port = Arc<Streams<UnixStream>>;

/// Both ends of a port; the far one hands what is opened to `serve`, each on a thread.
fn ports(serve: fn(UnixStream)) -> (Port, UnixStream, JoinHandle<Result<(), StreamsError>>) {
    let (near, far) = UnixStream::pair().unwrap();
    let guest = Streams::new(Sender::new(near.try_clone().unwrap()));
    let listening = Arc::clone(&guest);
    let mut from_host = Receiver::new(near.try_clone().unwrap());
    thread::spawn(move || listening.listen(&mut from_host, || None::<UnixStream>));
    let host = Streams::new(Sender::new(far.try_clone().unwrap()));
    let mut from_guest = Receiver::new(far);
    let serving = thread::spawn(move || {
        host.listen(&mut from_guest, || {
            let (ours, theirs) = UnixStream::pair().unwrap();
            thread::spawn(move || serve(theirs));
            Some(ours)
        })
    });
    (guest, near, serving)
}

/// A connection through the port.
fn dial(port: &Port, number: u32) -> UnixStream {
    let (ours, theirs) = UnixStream::pair().unwrap();
    port.dial(number, theirs).unwrap();
    ours
}

fn echo(mut stream: UnixStream) {
    let mut reading = stream.try_clone().unwrap();
    let _ = std::io::copy(&mut reading, &mut stream);
    let _ = stream.shutdown(Shutdown::Write);
}

#[test]
fn what_is_said_comes_back_whole() {
    let (port, ..) = ports(echo);
    let said: Vec<u8> = (0..3_000_000_u32).map(|at| (at % 251) as u8).collect();
    let mut stream = dial(&port, 1);
    let mut speaking = stream.try_clone().unwrap();
    let whole = said.clone();
    thread::spawn(move || {
        speaking.write_all(&whole).unwrap();
        speaking.shutdown(Shutdown::Write).unwrap();
    });
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).unwrap();
    assert!(heard == said);
    // and its number is free
    let mut again = dial(&port, 1);
    again.write_all(b"again").unwrap();
    again.shutdown(Shutdown::Write).unwrap();
    let mut heard = String::new();
    again.read_to_string(&mut heard).unwrap();
    assert_eq!(heard, "again");
}

#[test]
fn a_thousand_streams_come_through_and_more_than_may_wait() {
    let (port, ..) = ports(echo);
    let together = Arc::new(Barrier::new(8));
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let (port, together) = (Arc::clone(&port), Arc::clone(&together));
            thread::spawn(move || {
                together.wait();
                for number in 0..125 {
                    let mut stream = dial(&port, thread * 1000 + number);
                    write!(stream, "stream {number}").unwrap();
                    stream.shutdown(Shutdown::Write).unwrap();
                    let mut heard = String::new();
                    stream.read_to_string(&mut heard).unwrap();
                    assert_eq!(heard, format!("stream {number}"));
                }
            })
        })
        .collect();
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    // as many as there may be at one time, and one more once one is over
    let held: Vec<UnixStream> = (0..u32::try_from(MOST).unwrap()).map(|number| dial(&port, number)).collect();
    let (say, said) = mpsc::channel();
    let waiting = Arc::clone(&port);
    thread::spawn(move || say.send(dial(&waiting, 9999)));
    assert!(said.try_recv().is_err());
    drop(held.into_iter().next());
    said.recv().unwrap();
}

#[test]
fn one_that_nobody_reads_holds_up_no_other() {
    let (port, ..) = ports(echo);
    let mut stuck = dial(&port, 1);
    let mut writing = stuck.try_clone().unwrap();
    // it is echoed, and the echo is not read: far more than any window
    thread::spawn(move || {
        let _ = writing.write_all(&vec![7; 8 << 20]);
        let _ = writing.shutdown(Shutdown::Write);
    });
    for number in 2..20 {
        let mut stream = dial(&port, number);
        stream.write_all(b"through").unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut heard = String::new();
        stream.read_to_string(&mut heard).unwrap();
        assert_eq!(heard, "through");
    }
    let mut heard = Vec::new();
    stuck.read_to_end(&mut heard).unwrap();
    assert_eq!(heard.len(), 8 << 20);
}

#[test]
fn with_the_port_all_of_them_end() {
    let (port, near, serving) = ports(echo);
    let mut stream = dial(&port, 1);
    near.shutdown(Shutdown::Both).unwrap();
    let mut heard = Vec::new();
    stream.read_to_end(&mut heard).unwrap();
    assert_eq!(heard, b"");
    // it ended between two frames
    serving.join().unwrap().unwrap();
}

/// There is room for one more at a time, and many who wait for it.
#[test]
fn who_waits_for_the_same_room_gets_it_one_after_the_other() {
    let (port, near, serving) = ports(echo);
    let most = u32::try_from(MOST).unwrap();
    let held: Vec<UnixStream> = (1..most).map(|number| dial(&port, number)).collect();
    let dialers: Vec<_> = (0..16)
        .map(|thread| {
            let port = Arc::clone(&port);
            thread::spawn(move || (0..50).for_each(|number| drop(dial(&port, most + thread * 1000 + number))))
        })
        .collect();
    dialers.into_iter().for_each(|dialer| dialer.join().unwrap());
    drop(held);
    near.shutdown(Shutdown::Both).unwrap();
    // the other end would have given it up
    serving.join().unwrap().unwrap();
}

/// A connection that is gone before it is carried.
struct Gone(UnixStream);

impl std::io::Read for Gone {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }
}

impl std::io::Write for Gone {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Socket for Gone {
    fn other(&self) -> std::io::Result<Self> {
        Err(std::io::ErrorKind::NotConnected.into())
    }

    fn shut(&self, how: Shutdown) {
        let _ = self.0.shutdown(how); // it may be over
    }
}

#[test]
fn what_cannot_be_carried_takes_nobodys_room() {
    let (port, ..) = ports(echo);
    for number in 0..u32::try_from(MOST).unwrap() + 10 {
        assert!(port.dial(number, Gone(UnixStream::pair().unwrap().0)).is_err());
    }
    drop(dial(&port, 9999));
}

/// What comes of a guest that says this.
fn said(words: &[Word]) -> Result<(), StreamsError> {
    let (near, far) = UnixStream::pair().unwrap();
    let (host, end) = (Streams::new(Sender::new(far.try_clone().unwrap())), far.try_clone().unwrap());
    let words = words.to_vec();
    // nothing that is said to it is read, which holds up nobody
    let guest = thread::spawn(move || {
        let mut sender = Sender::new(&near);
        words.iter().for_each(|word| drop(sender.send(word)));
        let _ = near.shutdown(Shutdown::Write); // who gave it up may have done so
        near
    });
    // and what it says is read by nobody either
    let mut unread = Vec::new();
    let heard = host.listen(&mut Receiver::new(far), || {
        let (ours, theirs) = UnixStream::pair().unwrap();
        unread.push(theirs);
        Some(ours)
    });
    // who is given up is not read any more, and does not wait for that
    end.shutdown(Shutdown::Both).unwrap();
    drop(guest.join().unwrap());
    heard
}

#[test]
fn an_end_that_breaks_a_rule_is_given_up() {
    let open = Word::Open { stream: 1 };
    let data = |count: u32| Word::Data { stream: 1, bytes: vec![0; count as usize] };
    let end = Word::End { stream: 1 };
    said(&[open.clone(), data(10), end.clone()]).unwrap();
    let cases: [(&[Word], &str); 8] = [
        (&[data(1)], "it speaks on a stream that is not open"),
        (&[open.clone(), end.clone(), data(1)], "it speaks on a stream that is not open"),
        (&[open.clone(), data(0)], "it says more on a stream than there is room for"),
        (&[open.clone(), open.clone()], "it opens a stream that is open"),
        (std::slice::from_ref(&end), "it ends a stream that is not open"),
        (&[open.clone(), end.clone(), end.clone()], "it ends a stream that is not open"),
        (&[open.clone(), Word::Room { stream: 1, bytes: 1 }], "it makes more room than there is"),
        (&[open.clone(), Word::Room { stream: 1, bytes: u32::MAX }], "it makes more room than there is"),
    ];
    for (words, rule) in cases {
        match said(words) {
            Err(StreamsError::Rule(said)) => assert_eq!(said, rule, "{words:?}"),
            other => panic!("{words:?}: {other:?}"),
        }
    }
    // more than the window and what a socket takes, without waiting for room
    let many: Vec<Word> = [open].into_iter().chain((0..64).map(|_| data(WINDOW / 16))).collect();
    let rule = |words: &[Word]| said(words).unwrap_err().to_string();
    assert_eq!(rule(&many), "it says more on a stream than there is room for");
    let more: Vec<Word> = (0..=u32::try_from(MOST).unwrap()).map(|stream| Word::Open { stream }).collect();
    assert_eq!(rule(&more), "it opens more streams than there may be");
}

/// Each end waits to be said on a thread, and none of these is heard.
#[test]
fn an_end_that_opens_and_never_hears_is_given_up_before_it_takes_all_threads() {
    let (near, far) = UnixStream::pair().unwrap();
    let (host, end) = (Streams::new(Sender::new(far.try_clone().unwrap())), far.try_clone().unwrap());
    let guest = thread::spawn(move || {
        let mut sender = Sender::new(&near);
        for stream in 0..20_000 {
            let said = sender.send(&Word::Open { stream }).and_then(|()| sender.send(&Word::End { stream }));
            if said.is_err() {
                break;
            }
        }
        let _ = near.shutdown(Shutdown::Write); // who gave it up may have done so
        near
    });
    let heard = host.listen(&mut Receiver::new(far), || None::<UnixStream>);
    end.shutdown(Shutdown::Both).unwrap();
    drop(guest.join().unwrap());
    assert_eq!(heard.unwrap_err().to_string(), "it opens streams and does not hear that others are over");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever comes, there is an end.
    #[test]
    fn garbage_is_given_up(bytes in vec(any::<u8>(), 0..2000)) {
        let (mut near, far) = UnixStream::pair().unwrap();
        let host = Streams::new(Sender::new(far.try_clone().unwrap()));
        near.write_all(&bytes).unwrap();
        near.shutdown(Shutdown::Write).unwrap();
        let heard = host.listen(&mut Receiver::new(far), || Some(UnixStream::pair().unwrap().0));
        prop_assert!(bytes.is_empty() == heard.is_ok());
    }
}
