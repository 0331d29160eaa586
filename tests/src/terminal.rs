//! A person at a terminal: a pseudo-terminal with 80 columns, and what stands on its screen.

#![allow(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that finds something wrong ends")]

use crate::{Place, deskhand, said::masked};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    fs::{Mode, OFlags},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::{Winsize, tcsetwinsize},
};
use std::{
    num::NonZero,
    os::fd::OwnedFd,
    path::Path,
    process::{Child, Stdio},
    time::{Duration, Instant},
};

/// How long a program may take to ask its next question before it counts as hanging.
const PATIENCE: Duration = Duration::from_secs(60);
/// More than any test prints, so that nothing scrolls away.
const ROWS: NonZero<u16> = NonZero::new(400).unwrap();
const COLUMNS: NonZero<u16> = NonZero::new(80).unwrap();

/// A program that believes in a person.
pub struct Terminal<'a> {
    place: &'a Place,
    master: OwnedFd,
    child: Child,
    screen: vt100::Parser,
    /// How much of the screen's text earlier waits have passed.
    passed: usize,
}

impl<'a> Terminal<'a> {
    /// Start `deskhand` at a terminal of 80 columns.
    pub fn run(place: &'a Place, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::run_in(place, &place.path("home"), arguments, environment)
    }

    /// The same in another folder.
    pub fn run_in(place: &'a Place, folder: &Path, arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::start(place, folder, &[], arguments, environment)
    }

    /// The same as the first, by another program that runs it, such as one that traces it.
    pub fn run_by(place: &'a Place, by: &[&str], arguments: &[&str]) -> Self {
        Self::start(place, &place.path("home"), by, arguments, &[])
    }

    fn start(place: &'a Place, folder: &Path, by: &[&str], arguments: &[&str], environment: &[(&str, &str)]) -> Self {
        let master = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        tcsetwinsize(&master, Winsize { ws_row: ROWS.get(), ws_col: COLUMNS.get(), ws_xpixel: 0, ws_ypixel: 0 })
            .unwrap();
        let name = ptsname(&master, Vec::new()).unwrap();
        let slave = rustix::fs::open(&name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let copy = || Stdio::from(slave.try_clone().unwrap());
        let mut command = place.command("setsid");
        command.arg("--ctty").args(by).arg(deskhand()).args(arguments).envs(environment.iter().copied());
        command.current_dir(folder);
        let child = command.stdin(copy()).stdout(copy()).stderr(copy()).spawn().unwrap();
        Self { place, master, child, screen: vt100::Parser::new(ROWS, COLUMNS, 0), passed: 0 }
    }

    /// What stands on the screen.
    pub fn screen(&self) -> String {
        let contents = self.screen.screen().contents();
        let lines: Vec<&str> = contents.trim_end().lines().map(str::trim_end).collect();
        masked(self.place, &lines.join("\n"))
    }

    /// Read what comes, until `enough` or the end of the program's output.
    fn read(&mut self, mut enough: impl FnMut(&str) -> bool) -> bool {
        let end = Instant::now() + PATIENCE;
        let mut buffer = [0; 65536];
        loop {
            // what is there already is read before the screen is looked at: a progress bar comes in many small pieces
            let mut wait = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
            while poll(&mut [PollFd::new(&self.master, PollFlags::IN)], Some(&wait)).unwrap() > 0 {
                // a terminal whose last program has gone gives an error
                match rustix::io::read(&self.master, &mut buffer) {
                    Ok(0) | Err(_) => return enough(&self.screen.screen().contents()),
                    Ok(count) => self.screen.process(&buffer[..count]),
                }
                wait = Timespec { tv_sec: 0, tv_nsec: 0 };
            }
            if enough(&self.screen.screen().contents()) {
                return true;
            }
            assert!(Instant::now() < end, "it hangs; on the screen:\n{}", self.screen());
        }
    }

    /// Wait until `text` stands on the screen, after what was waited for before.
    pub fn wait(&mut self, text: &str) -> &mut Self {
        let passed = self.passed;
        let mut at = 0;
        let found = self.read(|screen| {
            let found = screen.get(passed..).and_then(|new| new.find(text));
            at = found.map_or(at, |found| passed + found + text.len());
            found.is_some()
        });
        assert!(found, "`{text}` never came; on the screen:\n{}", self.screen());
        self.passed = at;
        self
    }

    /// Type something, as it is.
    pub fn press(&mut self, keys: &str) -> &mut Self {
        let mut rest = keys.as_bytes();
        while !rest.is_empty() {
            rest = &rest[rustix::io::write(&self.master, rest).unwrap()..];
        }
        self
    }

    /// Wait for a question and answer it.
    pub fn answer(&mut self, question: &str, answer: &str) -> &mut Self {
        self.wait(question).press(&format!("{answer}\r"))
    }

    /// The terminal goes, as where its window is closed; the exit code of the program.
    pub fn hang_up(mut self) -> i32 {
        self.master = rustix::fs::open("/dev/null", OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty()).unwrap();
        let end = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(Instant::now() < end, "it goes on without its terminal");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Wait for the end: the exit code, and what stands on the screen.
    pub fn end(mut self) -> (i32, String) {
        self.read(|_| false);
        let status = self.child.wait().unwrap();
        (status.code().unwrap_or(-1), self.screen())
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        // only what this test started, and only if it still runs
        if matches!(self.child.try_wait(), Ok(None)) {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}
