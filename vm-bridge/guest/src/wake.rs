//! Entropy and time, without which two guests of one snapshot would be the same machine.

use crate::kernel;
use deskhand_vm_protocol::Wake;
use rustix::time::{ClockId, Timespec, clock_settime};
use std::{fs::File, io};

/// Reseed the generator and set the clock. Nothing may run before this has succeeded.
pub(crate) fn wake(wake: &Wake) -> io::Result<()> {
    let seconds = i64::try_from(wake.seconds).map_err(|_| io::ErrorKind::InvalidInput)?;
    if wake.nanoseconds >= 1_000_000_000 {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    kernel::reseed(&File::open("/dev/urandom")?, wake.entropy)?;
    clock_settime(ClockId::Realtime, Timespec { tv_sec: seconds, tv_nsec: wake.nanoseconds.into() })?;
    Ok(())
}
