//! A budget that several spend at the same time: what a call sets to work, out of what the task has left.

use crate::budget::{Amounts, Budget, Limits, Measure};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// See the module. Those that are cloned of one count together.
#[derive(Clone, Debug, Default)]
pub struct Meter(Arc<Mutex<Budget>>);

impl Meter {
    /// Nothing is used yet.
    pub fn new(limits: Limits) -> Self {
        Self(Arc::new(Mutex::new(Budget::new(limits))))
    }

    fn budget(&self) -> MutexGuard<'_, Budget> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What may still be used.
    pub fn left(&self) -> Limits {
        self.budget().left()
    }

    /// What is used.
    pub fn spent(&self) -> Amounts {
        *self.budget().spent()
    }

    /// Something was used.
    pub fn spend(&self, amounts: Amounts) {
        self.budget().spend(amounts);
    }

    /// The first measure that is used up.
    pub fn over(&self) -> Option<Measure> {
        self.budget().over()
    }
}
