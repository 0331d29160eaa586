//! The host's end, and a guest that wakes as it should and then says anything on its ports.
#![no_main]

#[path = "../../tests/peer/monitor.rs"]
mod monitor;

use deskhand_vm_bridge::{Collector, Command, Event, Limits, Patience, Share, Step, Stream, VmError, What};
use deskhand_vm_fuzz::Script;
use deskhand_vm_protocol::{
    Receiver, Report, Request, Sender, VERSION,
    files::{Ask, Tell},
};
use libfuzzer_sys::fuzz_target;
use monitor::{Control, guest_of, guest_with};
use std::{io::Write as _, time::Duration};

const LIMITS: Limits = Limits { memory: 1, processes: 1, milliseconds: 600_000, output: 100 };

fuzz_target!(|data: &[u8]| {
    let mut script = Script(data);
    let what = script.byte();
    match what % 8 {
        0 => speaks(script.framed(0), false),
        1..4 => speaks(script.framed(2), true),
        4 => tells(script.framed(0), false),
        _ => tells(script.framed(1), true),
    }
});

fn patience() -> Patience {
    let (seconds, interval) = (Duration::from_secs(5), Duration::from_millis(5));
    Patience { boot: seconds, interval, answer: seconds, end: seconds }
}

/// It says this on its control port, while a job runs where it wakes first.
fn speaks(said: Vec<u8>, wakes: bool) {
    let guest = guest_of(patience(), move |mut control| {
        let mut requests = Receiver::new(control.clone());
        if wakes {
            wake(&mut requests, &control);
            while !matches!(requests.receive(), Ok(Some(Request::Run { .. }) | None) | Err(_)) {}
        }
        let _ = control.write_all(&said);
    });
    let Ok(guest) = guest else { return };
    let words = vec![b"true".to_vec()];
    let command = Command { words, environment: Vec::new(), folder: b"/".to_vec(), logged: false, merged: false };
    let Ok(job) = guest.start(command, LIMITS) else { return };
    let mut heard = [0; 2];
    let last = loop {
        match job.next() {
            Event::Output { stream, bytes } => heard[usize::from(stream == Stream::Error)] += bytes.len() as u64,
            last => break last,
        }
    };
    assert!(heard.iter().all(|bytes| *bytes <= LIMITS.output));
    if let Event::Lost(lost) = last {
        assert_eq!(guest.lost(), Some(lost));
    }
}

/// It tells this of its folders, having laid them or not.
fn tells(told: Vec<u8>, lays: bool) {
    let guest = guest_with(patience(), &[share(), share()], move |control, mut files| {
        let mut requests = Receiver::new(control.clone());
        wake(&mut requests, &control);
        if lays {
            let _ = Receiver::new(files.clone()).receive::<Ask>();
            let _ = Sender::new(files.clone()).send(&Tell::Done);
        }
        let _ = files.write_all(&told);
        files.hang_up();
        while let Ok(Some(_)) = requests.receive::<Request>() {}
    });
    let Ok(guest) = guest else { return };
    for _ in 0..3 {
        let mut collected = Collected::default();
        if let Err(VmError::Lost(lost)) = guest.collect(&mut collected) {
            assert_eq!(guest.lost(), Some(lost));
        }
        let _ = guest.make(1, b"a", Step::Remove);
    }
    // whoever hangs up is gone for everybody
    assert!(guest.lost().is_some());
}

fn wake(requests: &mut Receiver<Control>, control: &Control) {
    let mut reports = Sender::new(control.clone());
    let _ = requests.receive::<Request>();
    let _ = reports.send(&Report::Hello { version: VERSION });
    if let Ok(Some(Request::Wake(wake))) = requests.receive() {
        let _ = reports.send(&Report::Awake { session: wake.session });
    }
}

fn share() -> Share {
    let (name, path) = (b"Files".to_vec(), "/nowhere".into());
    Share { name, path, id: (1, 2), covered: Vec::new(), pending: None, writable: true, live: true }
}

/// Holds what is told to what a collector is promised.
#[derive(Default)]
struct Collected {
    /// How much of a file is still to come.
    left: Option<u64>,
}

impl Collector for Collected {
    fn found(&mut self, folder: usize, _: &[u8], what: &What) -> Result<(), String> {
        assert!(folder < 2 && self.left.is_none());
        if let What::File { size, .. } = what {
            self.left = Some(*size);
        }
        Ok(())
    }

    fn content(&mut self, bytes: &[u8]) {
        self.hole(bytes.len() as u64);
    }

    fn hole(&mut self, bytes: u64) {
        let left = self.left.unwrap().checked_sub(bytes);
        self.left = Some(left.unwrap());
    }

    fn end(&mut self, whole: bool) {
        let left = self.left.take();
        assert!(left.is_some() && (!whole || left == Some(0)));
    }

    fn lost(&mut self, folder: usize, _: &[u8]) -> Result<(), String> {
        assert!(folder < 2 && self.left.is_none());
        Ok(())
    }
}
