//! How many calls run at once. A call that waits (for the person, for a plugin that it called) gives its place away and
//! takes one again before it goes on, so neither waiting nor nesting can use the places up.

use deskhand_vocabulary::Stop;
use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// The places.
#[derive(Debug)]
pub(crate) struct Slots {
    places: u32,
    taken: Mutex<u32>,
    freed: Condvar,
}

impl Slots {
    pub(crate) fn new(places: u32) -> Arc<Self> {
        Arc::new(Self { places: places.max(1), taken: Mutex::new(0), freed: Condvar::new() })
    }

    fn lock(&self) -> MutexGuard<'_, u32> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Wait for a place, unless the person stops the task.
    pub(crate) fn take(self: &Arc<Self>, stop: &Stop) -> Result<Slot, Stopped> {
        let mut slot = Slot { slots: self.clone(), held: false };
        slot.retake(stop)?;
        Ok(slot)
    }
}

/// The person stopped the task while it waited for a place.
#[derive(Debug)]
pub(crate) struct Stopped;

/// A place, or one that was given away for a while.
#[derive(Debug)]
pub(crate) struct Slot {
    slots: Arc<Slots>,
    held: bool,
}

impl Slot {
    /// Give the place away.
    pub(crate) fn leave(&mut self) {
        if std::mem::take(&mut self.held) {
            *self.slots.lock() -= 1;
            self.slots.freed.notify_one();
        }
    }

    /// Take a place again.
    pub(crate) fn retake(&mut self, stop: &Stop) -> Result<(), Stopped> {
        if self.held {
            return Ok(());
        }
        let mut taken = self.slots.lock();
        while *taken >= self.slots.places {
            if stop.is_stopped() {
                return Err(Stopped);
            }
            // woken by a place; the time is for noticing a stop, which wakes nobody
            let wait = self.slots.freed.wait_timeout(taken, Duration::from_millis(50));
            taken = wait.unwrap_or_else(PoisonError::into_inner).0;
        }
        *taken += 1;
        self.held = true;
        Ok(())
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.leave();
    }
}
