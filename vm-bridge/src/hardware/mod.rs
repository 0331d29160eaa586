//! What this computer has for virtual machines.

mod clock;
mod kvm;

pub(crate) use clock::ticks_per_millisecond;
use std::fmt;

/// What a guest runs on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Accelerator {
    /// Linux' own, on a processor that helps.
    Kvm,
    /// Emulation in software, with the reason why.
    Emulation(String),
}

impl Accelerator {
    /// Find out, in at most 50 milliseconds.
    pub fn probe() -> Self {
        match kvm::probe() {
            Ok(()) => Self::Kvm,
            Err(why) => Self::Emulation(why),
        }
    }
}

impl fmt::Display for Accelerator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Kvm => f.write_str("KVM"),
            Self::Emulation(why) => write!(f, "software emulation, about 30 times slower than KVM ({why})"),
        }
    }
}
