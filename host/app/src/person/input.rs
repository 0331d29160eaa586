//! A line from the terminal, which Ctrl-C can interrupt.

use deskhand_vocabulary::Stop;
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use std::{
    io::{BufRead as _, stdin},
    time::Duration,
};

/// How often a waiting question looks whether the person has stopped the task.
const LOOK: Duration = Duration::from_millis(50);

/// What came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Input {
    Line(String),
    /// The input has ended (Ctrl-D).
    End,
    Stopped,
}

/// Wait for a line.
pub(super) fn line(stop: &Stop) -> Input {
    let wait = Timespec::try_from(LOOK).unwrap_or_default();
    loop {
        if stop.is_stopped() {
            return Input::Stopped;
        }
        let stdin = stdin();
        let mut polled = [PollFd::new(&stdin, PollFlags::IN)];
        match poll(&mut polled, Some(&wait)) {
            Ok(0) | Err(rustix::io::Errno::INTR) => continue,
            Ok(_) => break,
            Err(_) => return Input::End,
        }
    }
    let mut line = String::new();
    match stdin().lock().read_line(&mut line) {
        Ok(0) | Err(_) => Input::End,
        Ok(_) => Input::Line(line.trim().to_owned()),
    }
}
