//! Durations as a parameter, so that a test says when a wait is over.

use std::{
    future::Future,
    pin::Pin,
    time::{Duration, Instant},
};

/// A wait.
pub type Waiting = Pin<Box<dyn Future<Output = ()> + Send>>;

/// Time that only passes: for deadlines and waits. What time it is on the wall is `deskhand_vocabulary::Clock`.
pub trait Timer: Send + Sync {
    /// How much has passed since some fixed moment.
    fn elapsed(&self) -> Duration;
    /// Wait this long.
    fn sleep(&self, time: Duration) -> Waiting;
}

/// The machine's own time.
#[derive(Clone, Copy, Debug)]
pub struct SystemTimer {
    start: Instant,
}

impl Default for SystemTimer {
    fn default() -> Self {
        Self { start: Instant::now() }
    }
}

impl Timer for SystemTimer {
    fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    fn sleep(&self, time: Duration) -> Waiting {
        Box::pin(tokio::time::sleep(time))
    }
}
