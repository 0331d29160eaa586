//! How fast the processor's time stamp counter runs.
#![allow(unsafe_code)]

use std::{
    thread,
    time::{Duration, Instant},
};

/// The counter of an emulated processor is the host's, and the emulated machine has no other clock to measure it by at
/// boot: so it is measured here, and the guest's kernel told. `None` on other processors.
pub(crate) fn ticks_per_millisecond() -> Option<u64> {
    let (start, first) = (Instant::now(), ticks()?);
    thread::sleep(Duration::from_millis(20));
    let passed = ticks()?.checked_sub(first)?;
    let nanoseconds = u64::try_from(start.elapsed().as_nanos()).ok()?;
    passed.checked_mul(1_000_000)?.checked_div(nanoseconds)
}

#[cfg(target_arch = "x86_64")]
fn ticks() -> Option<u64> {
    // SAFETY: reads a register; every processor of this architecture has it
    Some(unsafe { std::arch::x86_64::_rdtsc() })
}

#[cfg(not(target_arch = "x86_64"))]
fn ticks() -> Option<u64> {
    None
}
