//! How long the person is waited for. It is no time at work.

use deskhand_vocabulary::{Answer, Notice, Person, Plan, Progress, Question, Unanswered};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// A person who is waited for, in microseconds.
pub(crate) struct Waiting {
    person: Arc<dyn Person>,
    micros: AtomicU64,
}

impl Waiting {
    pub(crate) fn new(person: Arc<dyn Person>) -> Self {
        Self { person, micros: AtomicU64::new(0) }
    }

    /// How long until now.
    pub(crate) fn total(&self) -> Duration {
        Duration::from_micros(self.micros.load(Ordering::SeqCst))
    }
}

impl Person for Waiting {
    fn present(&self) -> bool {
        self.person.present()
    }

    fn show(&self, plan: &Plan) {
        self.person.show(plan);
    }

    fn ask(&self, question: &Question) -> Result<Answer, Unanswered> {
        let asked = Instant::now();
        let answer = self.person.ask(question);
        let micros = u64::try_from(asked.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.micros.fetch_add(micros, Ordering::SeqCst);
        answer
    }

    fn tell(&self, notice: &Notice) {
        self.person.tell(notice);
    }

    fn progress(&self, progress: &Progress) {
        self.person.progress(progress);
    }
}
