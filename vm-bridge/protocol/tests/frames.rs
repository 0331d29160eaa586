//! Frames between two ends that do not trust each other: what goes in comes out, and whatever else comes is refused.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use deskhand_vm_protocol::{
    Command, Ending, FrameError, Limits, MOST, Receiver, Refusal, Report, Request, Sender, Stream, Usage, Wake,
};
use proptest::{collection::vec, prelude::*};
use serde::Serialize;

fn sent(messages: &[impl Serialize]) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut sender = Sender::new(&mut bytes);
    messages.iter().for_each(|message| sender.send(message).unwrap());
    bytes
}

fn received(bytes: &[u8]) -> (Vec<Report>, Option<FrameError>) {
    let mut receiver = Receiver::new(bytes);
    let mut reports = Vec::new();
    loop {
        match receiver.receive() {
            Ok(Some(report)) => reports.push(report),
            Ok(None) => return (reports, None),
            Err(error) => return (reports, Some(error)),
        }
    }
}

fn bytes() -> impl Strategy<Value = Vec<u8>> {
    vec(any::<u8>(), 0..300)
}

fn request() -> impl Strategy<Value = Request> {
    let command = (vec(bytes(), 0..4), vec((bytes(), bytes()), 0..3), bytes());
    let limits = any::<(u64, u32, u64, u64)>();
    prop_oneof![
        any::<u16>().prop_map(|version| Request::Hello { version }),
        any::<([u8; 32], u64, u32, [u8; 16])>().prop_map(|(entropy, seconds, nanoseconds, session)| {
            Request::Wake(Wake { entropy, seconds, nanoseconds, session })
        }),
        (any::<u32>(), command, limits).prop_map(|(job, (words, environment, folder), limits)| Request::Run {
            job,
            command: Command { words, environment, folder, logged: true, merged: false },
            limits: Limits { memory: limits.0, processes: limits.1, milliseconds: limits.2, output: limits.3 },
        }),
        (any::<u32>(), bytes()).prop_map(|(job, bytes)| Request::Input { job, bytes }),
        any::<u32>().prop_map(|job| Request::InputEnd { job }),
        any::<u32>().prop_map(|job| Request::Stop { job }),
        any::<u32>().prop_map(|job| Request::Interrupt { job }),
        any::<u32>().prop_map(|number| Request::Ping { number }),
        Just(Request::Shutdown),
    ]
}

fn report() -> impl Strategy<Value = Report> {
    let ending = prop_oneof![
        any::<i32>().prop_map(Ending::Exited),
        any::<i32>().prop_map(Ending::Signal),
        Just(Ending::OutOfTime),
        Just(Ending::OutOfMemory),
        Just(Ending::Stopped),
    ];
    let usage = any::<(u64, u64, bool, u64, u64)>().prop_map(|(processor, memory, out_of_processes, output, error)| {
        Usage { processor, memory, out_of_processes, output, error }
    });
    let stream = prop_oneof![Just(Stream::Output), Just(Stream::Error)];
    prop_oneof![
        any::<u16>().prop_map(|version| Report::Hello { version }),
        any::<[u8; 16]>().prop_map(|session| Report::Awake { session }),
        (any::<u32>(), any::<i32>()).prop_map(|(job, code)| Report::Refused { job, why: Refusal::Start(code) }),
        (any::<u32>(), stream, bytes()).prop_map(|(job, stream, bytes)| Report::Output { job, stream, bytes }),
        (any::<u32>(), ending, usage).prop_map(|(job, ending, usage)| Report::Ended { job, ending, usage }),
        any::<u32>().prop_map(|number| Report::Pong { number }),
        Just(Report::Goodbye),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn requests_come_out_as_they_went_in(requests in vec(request(), 0..20)) {
        let bytes = sent(&requests);
        let mut receiver = Receiver::new(&bytes[..]);
        for request in &requests {
            let found = receiver.receive::<Request>().unwrap();
            prop_assert_eq!(found.as_ref(), Some(request));
        }
        prop_assert_eq!(receiver.receive::<Request>().unwrap(), None);
    }

    #[test]
    fn reports_come_out_as_they_went_in(reports in vec(report(), 0..20)) {
        let (found, error) = received(&sent(&reports));
        prop_assert!(error.is_none());
        prop_assert_eq!(found, reports);
    }

    /// Whatever comes, what is given out is a start of what was sent or nothing, and reading ends.
    #[test]
    fn garbage_ends_the_reading(bytes in vec(any::<u8>(), 0..4000)) {
        let (_, error) = received(&bytes);
        prop_assert!(bytes.is_empty() == error.is_none());
        let mut receiver = Receiver::new(&bytes[..]);
        while let Ok(Some(_)) = receiver.receive::<Request>() {}
    }

    #[test]
    fn a_stream_that_is_cut_gives_what_was_whole(reports in vec(report(), 1..10), at in any::<prop::sample::Index>()) {
        let bytes = sent(&reports);
        let at = at.index(bytes.len());
        let (found, error) = received(&bytes[..at]);
        prop_assert_eq!(&found[..], &reports[..found.len()]);
        prop_assert!(error.is_none_or(|error| matches!(error, FrameError::CutShort(_))));
    }

    #[test]
    fn a_bit_that_flips_is_never_more_than_another_message(
        reports in vec(report(), 1..6), at in any::<prop::sample::Index>(), bit in 0u8..8
    ) {
        let mut bytes = sent(&reports);
        let at = at.index(bytes.len());
        bytes[at] ^= 1u8 << bit;
        let (found, _) = received(&bytes);
        prop_assert!(found.len() <= reports.len() + bytes.len() / 9);
    }

    #[test]
    fn frames_in_another_order_are_refused(reports in vec(report(), 2..8), swap in any::<prop::sample::Index>()) {
        let mut frames: Vec<Vec<u8>> = Vec::new();
        let mut whole = &sent(&reports)[..];
        while let [a, b, c, d, ..] = *whole {
            let (frame, rest) = whole.split_at(8 + u32::from_le_bytes([a, b, c, d]) as usize);
            frames.push(frame.to_vec());
            whole = rest;
        }
        let first = swap.index(frames.len() - 1);
        frames.swap(first, first + 1);
        let (found, error) = received(&frames.concat());
        prop_assert_eq!(&found[..], &reports[..first]);
        let (expected, found) = (first as u32, first as u32 + 1);
        let in_place = matches!(error, Some(FrameError::Order { expected: e, found: f }) if (e, f) == (expected, found));
        prop_assert!(in_place);
    }
}

fn header(length: u32, number: u32) -> Vec<u8> {
    [length.to_le_bytes(), number.to_le_bytes()].concat()
}

#[test]
fn a_length_that_no_message_has_is_refused_before_anything_is_read() {
    for length in [0, MOST as u32 + 1, u32::MAX] {
        let (found, error) = received(&header(length, 0));
        assert!(found.is_empty());
        assert!(matches!(error, Some(FrameError::Length(claimed)) if claimed == length), "{length}");
    }
}

#[test]
fn two_messages_in_one_frame_are_refused() {
    let mut frame = header(2, 0);
    frame.extend([6, 6]);
    assert!(matches!(received(&frame).1, Some(FrameError::Malformed)));
}

#[test]
fn a_repeated_frame_is_refused() {
    let frame = sent(&[Report::Goodbye]);
    let (found, error) = received(&[frame.clone(), frame].concat());
    assert_eq!(found, [Report::Goodbye]);
    assert!(matches!(error, Some(FrameError::Order { expected: 1, found: 0 })));
}

#[test]
fn a_message_that_is_too_long_is_not_sent_and_the_next_is() {
    let mut bytes = Vec::new();
    let mut sender = Sender::new(&mut bytes);
    let long = Report::Output { job: 1, stream: Stream::Output, bytes: vec![0; MOST] };
    assert!(matches!(sender.send(&long), Err(FrameError::TooLong(_))));
    sender.send(&Report::Goodbye).unwrap();
    assert_eq!(received(&bytes).0, [Report::Goodbye]);
}
