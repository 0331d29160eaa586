//! Waiting for a server, at most so long, and no longer than until the person stops the task.

use deskhand_vocabulary::Stop;
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// How often it is looked whether the person has stopped the task.
const LOOK: Duration = Duration::from_millis(25);

/// How long the person was asked by a server, which is no time at work. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked(Arc<Mutex<Asking>>);

#[derive(Debug, Default)]
struct Asking {
    over: Duration,
    since: Option<Instant>,
}

impl Asked {
    /// The person is asked from now on. Questions of a server are put one at a time.
    pub(crate) fn begin(&self) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).since = Some(Instant::now());
    }

    /// They have answered.
    pub(crate) fn end(&self) {
        let mut asking = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let since = asking.since.take();
        asking.over += since.map_or(Duration::ZERO, |since| since.elapsed());
    }

    fn total(&self) -> Duration {
        let asking = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        asking.over + asking.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

/// Why waiting ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Over {
    /// It took too long.
    Late,
    /// The person stopped the task.
    Stopped,
}

/// Ends when so much time has passed in which nobody was asked anything, or the task is stopped.
pub(crate) async fn over(limit: Duration, asked: &Asked, stop: &Stop) -> Over {
    let (begun, before) = (Instant::now(), asked.total());
    loop {
        if stop.is_stopped() {
            return Over::Stopped;
        }
        let at_work = begun.elapsed().saturating_sub(asked.total().saturating_sub(before));
        match limit.checked_sub(at_work) {
            None | Some(Duration::ZERO) => return Over::Late,
            Some(left) => tokio::time::sleep(left.min(LOOK)).await,
        }
    }
}
