//! What was decided, on its way to the record.

use crate::{
    context::Context,
    kind::{Kind, Recorded},
};
use deskhand_vocabulary::{Action, Entry, Event, Log, LogError, Principal, TaskId};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::SeqCst},
    },
};

/// So many decisions that stand are kept; beyond it they are forgotten and put on the record once more.
const STANDING: usize = 4096;

/// What is decided once per task: for whom, and what.
type Standing = (Option<TaskId>, Principal, Action);

/// See the module.
pub(crate) struct Decisions {
    log: Arc<dyn Log>,
    standing: Mutex<HashMap<Standing, (bool, &'static str)>>,
    queued: AtomicU64,
    durable: AtomicU64,
}

impl Decisions {
    pub(crate) fn new(log: Arc<dyn Log>) -> Self {
        Self { log, standing: Mutex::default(), queued: AtomicU64::new(0), durable: AtomicU64::new(0) }
    }

    fn standing(&self) -> MutexGuard<'_, HashMap<Standing, (bool, &'static str)>> {
        self.standing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Put a decision on the record, one that stands for the task once. Unless it is about what by itself only looks or
    /// computes, and is allowed, all that was decided until now is durable when this returns.
    pub(crate) fn record(
        &self,
        context: &Context,
        actions: &[Action],
        allowed: bool,
        rule: impl Fn(usize) -> &'static str,
    ) -> Result<(), LogError> {
        for (at, action) in actions.iter().enumerate() {
            let rule = rule(at);
            if self.stands(context, action, allowed, rule) {
                continue;
            }
            let (principal, action) = (context.principal.clone(), action.clone());
            let once = Kind::of(&action).row().recorded != Recorded::EachTime;
            let key = once.then(|| (context.task, principal.clone(), action.clone()));
            let event = Event::Decided { principal, action, allowed, rule: rule.to_owned() };
            self.log.queue(Entry { task: context.task, event, content: None });
            self.queued.fetch_add(1, SeqCst);
            if let Some(key) = key {
                let mut standing = self.standing();
                if standing.len() >= STANDING {
                    standing.clear();
                }
                standing.insert(key, (allowed, rule));
            }
        }
        if allowed && may_begin(actions) { Ok(()) } else { self.wait() }
    }

    /// True if this was decided already in this task, and in the same way.
    fn stands(&self, context: &Context, action: &Action, allowed: bool, rule: &str) -> bool {
        if Kind::of(action).row().recorded == Recorded::EachTime {
            return false;
        }
        let key = (context.task, context.principal.clone(), action.clone());
        self.standing().get(&key).is_some_and(|(was, why)| (*was, *why) == (allowed, rule))
    }

    /// True if each of these was allowed already in this task, and may happen without anything being written before it.
    pub(crate) fn allow(&self, context: &Context, actions: &[Action], rule: impl Fn(usize) -> &'static str) -> bool {
        let mut each = actions.iter().enumerate();
        (may_begin(actions) || !self.are_on_the_way())
            && each.all(|(at, action)| self.stands(context, action, true, rule(at)))
    }

    fn are_on_the_way(&self) -> bool {
        self.durable.load(SeqCst) < self.queued.load(SeqCst)
    }

    /// Wait until all that was decided before this call is durable.
    fn wait(&self) -> Result<(), LogError> {
        let queued = self.queued.load(SeqCst);
        if self.durable.load(SeqCst) < queued {
            self.log.flush()?;
            self.durable.fetch_max(queued, SeqCst);
        }
        Ok(())
    }
}

/// True for what by itself only looks or computes, and so may begin while its decision is on the way.
fn may_begin(actions: &[Action]) -> bool {
    actions.iter().all(|action| Kind::of(action).row().recorded == Recorded::Meanwhile)
}
