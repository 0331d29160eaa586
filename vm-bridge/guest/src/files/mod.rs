//! The folders of the task in its sandbox: laid there, watched for what is written, and brought up to date, as the host asks
//! on a port of its own.

mod collect;
mod lay;
mod make;

use crate::cgroup::Held;
use collect::Known;
use deskhand_vm_protocol::{
    FrameError, Receiver, Sender,
    files::{Ask, MOST, Tell},
};
pub(crate) use lay::{SEEN, prepare};
use rustix::fd::OwnedFd;
use std::{
    fs::File,
    io::{self, BufWriter, Write as _},
    thread,
};

/// Bytes that are told at once: each time costs the machine more than what is told.
const BUFFER: usize = 64 << 10;

/// A folder of the task, as the sandbox has it.
struct Laid {
    /// What was written, and what the host knows of it.
    layer: OwnedFd,
    known: Known,
    /// As the sandbox sees it.
    seen: OwnedFd,
}

/// Answer the host for as long as it speaks. What is not understood is the last that is heard: the host then gives the guest up.
pub(crate) fn serve(port: File, mut log: File) -> io::Result<()> {
    let told = Sender::new(BufWriter::with_capacity(BUFFER, port.try_clone()?));
    thread::spawn(move || {
        if let Err(error) = answer(Receiver::new(port), told) {
            let _ = writeln!(log, "the host is not understood on the files port: {error}");
        }
    });
    Ok(())
}

fn answer(mut asks: Receiver<File>, mut told: Sender<BufWriter<File>>) -> Result<(), FrameError> {
    let mut folders = Vec::new();
    while let Some(ask) = asks.receive()? {
        let done = match ask {
            Ask::Lay { folders: wanted } if folders.is_empty() => lay::lay(&wanted).map(|laid| folders = laid),
            Ask::Lay { .. } => Err(io::ErrorKind::AlreadyExists.into()),
            Ask::Collect => Held::all().and_then(|_held| {
                let mut left = MOST;
                let mut tell = |tell: &Tell| told.post(tell).map_err(io::Error::other);
                (0..).zip(&mut folders).try_for_each(|(number, folder)| {
                    collect::collect(number, &folder.layer, &mut folder.known, &mut left, &mut tell)
                })
            }),
            Ask::Make { folder, path, step } => match folders.get(usize::from(folder)) {
                Some(folder) => Held::all().and_then(|_held| make::make(&folder.seen, &path, &step)),
                None => Err(io::ErrorKind::NotFound.into()),
            },
        };
        told.send(&match done {
            Ok(()) => Tell::Done,
            Err(error) => Tell::Failed { code: error.raw_os_error().unwrap_or(libc::EIO) },
        })?;
    }
    Ok(())
}
