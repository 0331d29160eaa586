//! QEMU's monitor (QMP, `docs/interop/qmp-spec.txt` of QEMU): lines of JSON.

use rustix::{
    fd::AsFd as _,
    net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg},
};
use serde_json::{Value, json};
use std::{
    fs::File,
    io::{self, BufRead as _, BufReader, IoSlice, Read as _, Write as _},
    mem::MaybeUninit,
    os::unix::net::UnixStream,
    thread,
    time::Duration,
};

/// The most bytes of one line.
const LINE: u64 = 1 << 20;
/// How often a migration is asked for, at most.
const ASKED: u32 = 6000;

/// A connection to the monitor.
#[derive(Debug)]
pub(super) struct Monitor(BufReader<UnixStream>);

impl Monitor {
    /// Take the greeting, and be ready for commands.
    pub(super) fn new(stream: UnixStream) -> io::Result<Self> {
        let mut monitor = Self(BufReader::new(stream));
        monitor.line()?;
        monitor.execute(&json!({ "execute": "qmp_capabilities" }))?;
        Ok(monitor)
    }

    /// Stop the machine, and write all but its memory, which is in a file already.
    pub(super) fn save(&mut self, to: File) -> io::Result<()> {
        self.execute(&json!({ "execute": "stop" }))?;
        self.leave_memory()?;
        self.hand_over(to)?;
        self.execute(&json!({ "execute": "migrate", "arguments": { "uri": "fd:devices" } }))?;
        self.finish()?;
        // flushes the disks, and closes the files
        self.execute(&json!({ "execute": "quit" }))?;
        while self.line().is_ok() {}
        Ok(())
    }

    /// Read what [`Self::save`] wrote, and let the machine go on.
    pub(super) fn restore(&mut self, from: File) -> io::Result<()> {
        self.leave_memory()?;
        self.hand_over(from)?;
        self.execute(&json!({ "execute": "migrate-incoming", "arguments": { "uri": "fd:devices" } }))?;
        self.finish()?;
        self.execute(&json!({ "execute": "cont" }))?;
        Ok(())
    }

    fn leave_memory(&mut self) -> io::Result<()> {
        let capability = json!([{ "capability": "x-ignore-shared", "state": true }]);
        self.execute(&json!({ "execute": "migrate-set-capabilities", "arguments": { "capabilities": capability } }))?;
        Ok(())
    }

    /// Hand QEMU an open file, under the name `devices`.
    fn hand_over(&mut self, file: File) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut ancillary = SendAncillaryBuffer::new(&mut space);
        let descriptors = [file.as_fd()];
        ancillary.push(SendAncillaryMessage::ScmRights(&descriptors));
        let line = format!("{}\n", json!({ "execute": "getfd", "arguments": { "fdname": "devices" } }));
        sendmsg(self.0.get_ref(), &[IoSlice::new(line.as_bytes())], &mut ancillary, SendFlags::NOSIGNAL)?;
        self.answer()?;
        Ok(())
    }

    /// Wait until a migration is over.
    fn finish(&mut self) -> io::Result<()> {
        for _ in 0..ASKED {
            let answer = self.execute(&json!({ "execute": "query-migrate" }))?;
            match answer["status"].as_str() {
                Some("completed") => return Ok(()),
                Some("failed" | "cancelled") => return Err(io::Error::other(format!("QEMU says: {answer}"))),
                _ => thread::sleep(Duration::from_millis(5)),
            }
        }
        Err(io::ErrorKind::TimedOut.into())
    }

    fn execute(&mut self, command: &Value) -> io::Result<Value> {
        let line = format!("{command}\n");
        self.0.get_mut().write_all(line.as_bytes())?;
        self.answer()
    }

    /// The next answer; events between are of no interest.
    fn answer(&mut self) -> io::Result<Value> {
        loop {
            let mut line = self.line()?;
            if let Some(answer) = line.get_mut("return") {
                return Ok(answer.take());
            }
            if let Some(error) = line.get("error") {
                return Err(io::Error::other(format!("QEMU says: {}", error["desc"])));
            }
        }
    }

    fn line(&mut self) -> io::Result<Value> {
        let mut line = String::new();
        if self.0.by_ref().take(LINE).read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        serde_json::from_str(&line).map_err(io::Error::from)
    }
}
