//! Who is told of what was recorded.

use crate::{locked, public::Recorded};
use std::{
    fmt,
    sync::{Arc, Mutex, Weak},
};

/// Called with each event once it is durable, in order. Runs on the writing thread: be brief, write nothing.
pub(crate) type Listener = Box<dyn Fn(&Recorded) + Send>;
/// All of them, each with a number of its own.
pub(crate) type Listeners = Arc<Mutex<Heard>>;

#[derive(Default)]
pub(crate) struct Heard {
    last: u64,
    by: Vec<(u64, Listener)>,
}

impl Heard {
    pub(crate) fn by_nobody(&self) -> bool {
        self.by.is_empty()
    }

    pub(crate) fn tell(&self, recorded: &[Recorded]) {
        for event in recorded {
            self.by.iter().for_each(|(_, listener)| listener(event));
        }
    }
}

/// Somebody is told of what is recorded until this is dropped. Not to be dropped by the listener itself.
#[must_use = "nothing is heard any more once this is dropped"]
pub struct Subscription {
    // only the records keep listeners alive
    listeners: Weak<Mutex<Heard>>,
    number: u64,
}

impl fmt::Debug for Subscription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subscription({})", self.number)
    }
}

impl Subscription {
    pub(crate) fn of(listeners: &Listeners, listener: Listener) -> Self {
        let mut heard = locked(listeners);
        heard.last += 1;
        let number = heard.last;
        heard.by.push((number, listener));
        Self { listeners: Arc::downgrade(listeners), number }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        if let Some(listeners) = self.listeners.upgrade() {
            locked(&listeners).by.retain(|(number, _)| *number != self.number);
        }
    }
}
