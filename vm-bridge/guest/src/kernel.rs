//! The few calls into the kernel for which there is no safe function.
#![allow(unsafe_code)]

use std::{
    fs::File,
    io,
    os::fd::{AsRawFd as _, BorrowedFd},
};

/// `struct rand_pool_info` of `linux/random.h` with 32 bytes of entropy.
#[repr(C)]
struct Entropy {
    bits: libc::c_int,
    bytes: libc::c_int,
    pool: [u8; 32],
}

/// `_IOW('R', 0x03, int[2])` and `_IO('R', 0x07)` of `linux/random.h`.
const ADD_ENTROPY: libc::c_ulong = 0x4008_5203;
const RESEED: libc::c_ulong = 0x5207;

fn checked(result: libc::c_long) -> io::Result<()> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Mix entropy into the kernel's generator, count it in full, and make all that is drawn from now on depend on it.
pub(crate) fn reseed(random: &File, entropy: [u8; 32]) -> io::Result<()> {
    let entropy = Entropy { bits: 256, bytes: 32, pool: entropy };
    // SAFETY: the descriptor is open; the request takes a `rand_pool_info`, which outlives the call and is only read
    checked(unsafe { libc::ioctl(random.as_raw_fd(), ADD_ENTROPY as _, &raw const entropy) }.into())?;
    // SAFETY: the descriptor is open, and the request takes no argument
    checked(unsafe { libc::ioctl(random.as_raw_fd(), RESEED as _) }.into())
}

/// Load a module that is open for reading.
pub(crate) fn load_module(module: BorrowedFd<'_>) -> io::Result<()> {
    // SAFETY: the descriptor is open, the parameters are a C string, and there are no flags
    checked(unsafe { libc::syscall(libc::SYS_finit_module, module.as_raw_fd(), c"".as_ptr(), 0) })
}

/// End the machine: the monitor of the host takes a restart as the end. Returns only where that failed.
pub(crate) fn restart() -> io::Error {
    // SAFETY: flushes nothing that is ours, and takes no pointer
    unsafe {
        libc::sync();
        libc::reboot(libc::RB_AUTOBOOT);
    }
    io::Error::last_os_error()
}

/// A system call by its number with arguments that are no pointers. For the probes, which only want to know whether it
/// is denied.
pub(crate) fn attempt(number: libc::c_long, arguments: [libc::c_long; 4]) -> io::Result<()> {
    let [a, b, c, d] = arguments;
    // SAFETY: the callers pass numbers and null pointers, which the kernel checks itself
    checked(unsafe { libc::syscall(number, a, b, c, d) })
}
