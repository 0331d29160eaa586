//! What a job says, kept in a file in which another job can read on.

use crate::{
    boot::SCRATCH,
    sandbox::{GROUP, USER},
};
use deskhand_vm_protocol::JobId;
use rustix::fs::OFlags;
use std::{
    fs::{File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, fchown},
    sync::{Mutex, PoisonError},
};

/// The most bytes of one.
const MOST: usize = 32 << 20;

/// See the module.
#[derive(Debug)]
pub(crate) struct Log(Mutex<(File, usize)>);

impl Log {
    /// Of a job. The sandbox's `/tmp` is everybody's in it, so what has the name already is not written to.
    pub(crate) fn of(job: JobId) -> io::Result<Self> {
        let flags = OFlags::NOFOLLOW.bits().cast_signed();
        let path = format!("{SCRATCH}{}", deskhand_vm_protocol::log(job));
        let file = OpenOptions::new().write(true).create_new(true).mode(0o644).custom_flags(flags).open(path)?;
        fchown(&file, Some(USER), Some(GROUP))?;
        Ok(Self(Mutex::new((file, MOST))))
    }

    /// Keep more, as far as there is room.
    pub(crate) fn keep(&self, bytes: &[u8]) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (file, left) = &mut *kept;
        let most = bytes.len().min(*left);
        *left -= most;
        // a disk that is full is the job's
        if file.write_all(&bytes[..most]).is_err() {
            *left = 0;
        }
    }
}
