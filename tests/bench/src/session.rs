//! A program at a pseudo-terminal: what a person sees, and when.

use anyhow::{Context as _, Result, anyhow, bail};
use rustix::{
    event::{PollFd, PollFlags, Timespec, poll},
    process::{Pid, WaitId, WaitIdOptions, waitid},
    pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt},
    termios::Winsize,
};
use std::{
    fs::OpenOptions,
    io::ErrorKind,
    os::{
        fd::OwnedFd,
        unix::{ffi::OsStrExt as _, fs::OpenOptionsExt as _},
    },
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

/// A running program, and what it has written.
pub(crate) struct Session {
    child: Child,
    terminal: OwnedFd,
    text: Vec<u8>,
    /// Up to where what was waited for has come.
    seen: usize,
    /// When it was started.
    pub(crate) started: Instant,
    /// The most memory that it was seen to have, in KiB; looked at only if wanted, for looking takes time.
    watched: Option<u64>,
    /// The processor time that it has used up, in seconds; known once it has ended.
    processor: f64,
}

/// How often its memory is looked at.
const LOOK: Duration = Duration::from_millis(5);

impl Session {
    /// Start `command` with a terminal of its own of 120 columns.
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        let terminal = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&terminal)?;
        unlockpt(&terminal)?;
        let name = ptsname(&terminal, Vec::new())?;
        let path = Path::new(std::ffi::OsStr::from_bytes(name.as_bytes()));
        let no_control = i32::try_from(rustix::fs::OFlags::NOCTTY.bits())?;
        let other = OpenOptions::new().read(true).write(true).custom_flags(no_control).open(path)?;
        rustix::termios::tcsetwinsize(&other, Winsize { ws_row: 50, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 })?;
        command
            .stdin(Stdio::from(other.try_clone()?))
            .stdout(Stdio::from(other.try_clone()?))
            .stderr(Stdio::from(other));
        let started = Instant::now();
        let child = command.spawn().with_context(|| format!("{command:?}"))?;
        Ok(Self { child, terminal, text: Vec::new(), seen: 0, started, watched: None, processor: 0.0 })
    }

    /// Look at its memory while it is waited for.
    pub(crate) fn watch(mut self) -> Self {
        self.watched = Some(0);
        self
    }

    /// Until `what` has been written after all that was waited for before; when it came.
    pub(crate) fn until(&mut self, what: &str, limit: Duration) -> Result<Instant> {
        let end = Instant::now() + limit;
        let mut from = self.seen;
        loop {
            let unread = &self.text[from..];
            if let Some(at) = unread.windows(what.len()).position(|window| window == what.as_bytes()) {
                self.seen = from + at + what.len();
                return Ok(Instant::now());
            }
            from = self.text.len().saturating_sub(what.len()).max(self.seen);
            if Instant::now() > end {
                bail!("`{what}` did not come within {limit:?}; what came:\n{}", self.tail());
            }
            if !self.read()? {
                bail!("the program ended without `{what}`; what it said:\n{}", self.tail());
            }
        }
    }

    /// Type a line; when it was typed.
    pub(crate) fn line(&mut self, line: &str) -> Result<Instant> {
        let typed = Instant::now();
        let text = format!("{line}\n");
        let written = rustix::io::write(&self.terminal, text.as_bytes())?;
        if written == text.len() { Ok(typed) } else { Err(anyhow!("the terminal took {written} bytes")) }
    }

    /// Read on until the program ends.
    pub(crate) fn end(&mut self) -> Result<ExitStatus> {
        while self.read()? {}
        let process = Pid::from_child(&self.child);
        // it is told while the process is there, ended and not yet taken leave of
        waitid(WaitId::Pid(process), WaitIdOptions::EXITED | WaitIdOptions::NOWAIT)?;
        self.processor = processor(self.child.id()).context("the program is gone")?;
        Ok(self.child.wait()?)
    }

    /// As [`Self::end`], and an error if it failed.
    pub(crate) fn succeed(&mut self) -> Result<()> {
        let status = self.end()?;
        if status.success() { Ok(()) } else { Err(anyhow!("the program ended with {status}:\n{}", self.tail())) }
    }

    /// The most memory that it has had so far, in KiB, while it runs.
    pub(crate) fn resident(&self) -> Result<u64> {
        peak(self.child.id()).context("the program is gone")
    }

    /// The most memory that it was seen to have, in KiB.
    pub(crate) fn watched(&self) -> u64 {
        self.watched.unwrap_or(0)
    }

    /// The processor time that it used up, in seconds, once it has ended.
    pub(crate) fn processor(&self) -> f64 {
        self.processor
    }

    /// The end of what it wrote.
    pub(crate) fn tail(&self) -> String {
        String::from_utf8_lossy(&self.text[self.text.len().saturating_sub(2000)..]).into_owned()
    }

    /// What comes next; false if nothing more will.
    fn read(&mut self) -> Result<bool> {
        let wait = Timespec::try_from(if self.watched.is_some() { LOOK } else { Duration::from_millis(500) })?;
        let mut polled = [PollFd::new(&self.terminal, PollFlags::IN)];
        let ready = poll(&mut polled, Some(&wait));
        if let Some(watched) = &mut self.watched {
            *watched = peak(self.child.id()).unwrap_or(0).max(*watched);
        }
        match ready {
            Ok(0) | Err(rustix::io::Errno::INTR) => return Ok(true),
            Ok(_) => {}
            Err(error) => return Err(error.into()),
        }
        let mut buffer = [0; 16 << 10];
        match rustix::io::read(&self.terminal, &mut buffer) {
            Ok(0) | Err(rustix::io::Errno::IO) => Ok(false),
            Ok(length) => {
                self.text.extend_from_slice(&buffer[..length]);
                Ok(true)
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => Ok(true),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        // does nothing to one that has ended
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// `VmHWM` of a process, in KiB.
fn peak(process: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches(" kB").parse().ok()
}

/// The processor time of a process, by itself and by the system for it, in seconds: fields 14 and 15 of proc_pid_stat(5), in
/// hundredths.
fn processor(process: u32) -> Option<f64> {
    let stat = std::fs::read_to_string(format!("/proc/{process}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let ticks =
        fields.split_whitespace().skip(11).take(2).map(|field| field.parse::<f64>().ok()).sum::<Option<f64>>()?;
    Some(ticks / 100.0)
}
