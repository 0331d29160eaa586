//! How long the person is waited for. It is no time at work.

use deskhand_vocabulary::{Answer, Notice, Person, Plan, Progress, Question, Stop, Unanswered};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

/// A person who is waited for.
pub(crate) struct Waiting {
    person: Arc<dyn Person>,
    waits: Mutex<Waits>,
}

#[derive(Default)]
struct Waits {
    /// Those that are over, together.
    over: Duration,
    /// How many questions wait now, and since when there are any.
    now: u32,
    since: Option<Instant>,
}

impl Waiting {
    pub(crate) fn new(person: Arc<dyn Person>) -> Self {
        Self { person, waits: Mutex::default() }
    }

    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long until now. Where several questions wait at once, the time counts once.
    pub(crate) fn total(&self) -> Duration {
        let waits = self.waits();
        waits.over + waits.since.map_or(Duration::ZERO, |since| since.elapsed())
    }
}

impl Person for Waiting {
    fn present(&self) -> bool {
        self.person.present()
    }

    fn show(&self, plan: &Plan) {
        self.person.show(plan);
    }

    fn ask_until(&self, question: &Question, until: &Stop) -> Result<Answer, Unanswered> {
        {
            let mut waits = self.waits();
            waits.now += 1;
            waits.since.get_or_insert_with(Instant::now);
        }
        let answer = self.person.ask_until(question, until);
        let mut waits = self.waits();
        waits.now -= 1;
        if waits.now == 0 {
            let since = waits.since.take();
            waits.over += since.map_or(Duration::ZERO, |since| since.elapsed());
        }
        answer
    }

    fn tell(&self, notice: &Notice) {
        self.person.tell(notice);
    }

    fn progress(&self, progress: &Progress) {
        self.person.progress(progress);
    }
}
