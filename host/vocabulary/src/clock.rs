//! Time as a parameter, so that tests can say what time it is.

use jiff::{Timestamp, tz::TimeZone};

/// What time it is, and in which zone the person lives.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
    /// The person's time zone.
    fn zone(&self) -> TimeZone;
}

/// The clock and the zone of the machine (`TZ`, else the system's).
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::now()
    }

    fn zone(&self) -> TimeZone {
        TimeZone::system()
    }
}
