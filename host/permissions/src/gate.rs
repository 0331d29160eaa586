//! The gate: the one place where it is decided whether something happens.

use crate::{
    context::Context,
    decisions::Decisions,
    effect::{self, Effect},
    folder::OwnFolders,
    permit::Permit,
    rules::{Case, Finding, Verdict, findings, name, needed, place, strictest, written},
};
use deskhand_records::{Duration, Grant, Records, RecordsError, Scope};
use deskhand_vocabulary::{Action, Answer, Home, LogError, Person, Stop, TaskId, Unanswered};
use serde::Serialize;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// So often a decision is made anew because something that it rests on was used up or changed meanwhile.
const TRIES: usize = 16;

/// How an action is judged.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Judgement {
    /// Allow, ask or deny.
    pub verdict: Verdict,
    /// The rule that decided.
    pub rule: &'static str,
    /// Why, in one sentence for the person.
    pub explanation: String,
}

/// Why there is no permit.
#[derive(Debug, thiserror::Error)]
pub enum Refused {
    /// A rule says no.
    #[error("not allowed (rule `{rule}`): {explanation} `deskhand why` tells what can be done")]
    Denied {
        /// The rule.
        rule: &'static str,
        /// Why, in one sentence.
        explanation: String,
    },
    /// The person said no.
    #[error("you declined, and nothing was done")]
    Declined,
    /// The person edited the plan. It is another plan now: check it and ask again.
    #[error("you edited the plan; it is checked and shown again before anything is done")]
    Edited(String),
    /// The person could not be asked, or stopped the task.
    #[error("{0}, and nothing was done{advice}", advice = match .0 {
        Unanswered::Absent => ". Run it in a terminal, or answer in advance (`--yes`; for removals `--allow-removals N`, for a folder `--folder`, for a host `--host`)",
        Unanswered::Stopped => "",
    })]
    Unanswered(Unanswered),
    /// The decision could not be recorded.
    #[error(transparent)]
    Log(#[from] LogError),
    /// What was granted could not be read.
    #[error(transparent)]
    Records(#[from] RecordsError),
}

/// Why something was not granted.
#[derive(Debug, thiserror::Error)]
pub enum GrantError {
    /// Deskhand's own folders.
    #[error(
        "Deskhand keeps its log, its keys and what undo needs there, so it cannot be granted. Choose another folder"
    )]
    Home,
    /// Not an absolute, plain path.
    #[error("a folder is granted by its whole path, without `.` and `..`; got {0}")]
    NotAPath(String),
    /// The records failed.
    #[error(transparent)]
    Records(#[from] RecordsError),
}

/// The gate. One a process; share it by [`Arc`].
pub struct Gate {
    decisions: Decisions,
    person: Arc<dyn Person>,
    records: Arc<Records>,
    own: OwnFolders,
    removed: Mutex<HashMap<Option<TaskId>, u64>>,
}

impl std::fmt::Debug for Gate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Gate").field("own", &self.own).finish_non_exhaustive()
    }
}

/// What the rules say of each action of an effect, and the grants for a single use that this rests on.
struct Found {
    each: Vec<Finding>,
    once: Vec<u64>,
}

/// How many files these actions remove.
fn removals(actions: &[Action]) -> u64 {
    actions.iter().fold(0_u64, |sum, action| match action {
        Action::RemoveFiles { count, .. } => sum.saturating_add(*count),
        _ => sum,
    })
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Gate {
    /// A gate that asks `person`, writes to the records, and keeps everybody out of `home`.
    pub fn new(records: Arc<Records>, person: Arc<dyn Person>, home: &Home) -> Self {
        let decisions = Decisions::new(Arc::<Records>::clone(&records));
        Self { decisions, person, records, own: OwnFolders::of(home), removed: Mutex::default() }
    }

    /// How an action would be judged now. Changes nothing, asks nobody.
    pub fn judge(&self, context: &Context, action: &Action) -> Result<Judgement, RecordsError> {
        let grants = self.records.grants()?;
        let found = strictest(findings(&self.case(context, action, &grants)));
        Ok(Judgement { verdict: found.verdict, rule: found.rule, explanation: found.reason })
    }

    pub(crate) fn case<'a>(&'a self, context: &'a Context, action: &'a Action, grants: &'a [Grant]) -> Case<'a> {
        let used = locked(&self.removed).get(&context.task).copied().unwrap_or(0);
        let case = Case::of(action, context, grants, &self.own);
        Case { removals_left: context.standing.removals.saturating_sub(used), ..case }
    }

    /// Decide: judge, ask the person where the rules say so, put the decision on the record, and only then allow it.
    pub fn permit<E: Effect>(&self, context: &Context, effect: E) -> Result<Permit<E>, Refused> {
        self.permit_until(context, effect, &Stop::default())
    }

    /// The same for what is not wanted any more once `until` is stopped: a question about it is withdrawn then.
    pub fn permit_until<E: Effect>(&self, context: &Context, effect: E, until: &Stop) -> Result<Permit<E>, Refused> {
        let actions = effect.actions();
        let removals = removals(&actions);
        let mut approved = false;
        for _ in 0..TRIES {
            let Found { each, once } = self.find(context, &effect, &actions)?;
            let Finding { verdict, rule, reason, .. } = strictest(each.clone());
            match verdict {
                Verdict::Deny => {
                    self.decisions.record(context, &actions, false, |_| rule)?;
                    return Err(Refused::Denied { rule, explanation: reason });
                }
                Verdict::Ask if !approved => {
                    self.ask(context, &actions, &effect, (rule, reason), until)?;
                    approved = true; // and once more from the top: much can have changed while the question stood
                }
                Verdict::Ask | Verdict::Allow => {
                    let in_advance = each.iter().any(|found| found.rule == name::REMOVALS).then_some(removals);
                    if !self.use_up(context, &once, in_advance)? {
                        continue; // another call was first; what is left may give another answer
                    }
                    let rule_of = |at: usize| match each.get(at) {
                        Some(found) if !approved => found.rule,
                        _ => name::APPROVED,
                    };
                    self.decisions.record(context, &actions, true, rule_of)?;
                    return Ok(Permit::new(effect));
                }
            }
        }
        self.decisions.record(context, &actions, false, |_| name::DEFAULT)?;
        let explanation = "What it rests on keeps changing. Try again.".to_owned();
        Err(Refused::Denied { rule: name::DEFAULT, explanation })
    }

    /// A permit for what was decided once in this task and is on the record, at once: nobody is asked, nothing is written
    /// and nothing is used up. None where [`Gate::permit`] has to be asked.
    pub fn permit_again<E: Effect>(&self, context: &Context, effect: E) -> Option<Permit<E>> {
        let actions = effect.actions();
        let Found { each, once } = self.find(context, &effect, &actions).ok()?;
        if !once.is_empty() || removals(&actions) > 0 {
            return None;
        }
        if actions.is_empty() || each.iter().any(|found| found.verdict != Verdict::Allow) {
            return None;
        }
        self.decisions.allow(context, &actions, |at| each[at].rule).then(|| Permit::new(effect))
    }

    /// What the rules say of each action now.
    fn find<E: Effect>(&self, context: &Context, effect: &E, actions: &[Action]) -> Result<Found, RecordsError> {
        // most calls rest on no grant, and looking whether another process changed one costs as much as the rest
        let grants = if actions.iter().any(|action| needed(context, action, effect.opens()).is_some()) {
            self.records.grants()?
        } else {
            Arc::default()
        };
        let removals = removals(actions);
        let mut once = Vec::new();
        let mut judge = |action| {
            let case = self.case(context, action, &grants);
            let found = findings(&Case {
                opening: effect.opens(),
                asks_nothing_new: effect.asks_nothing_new(),
                removals,
                ..case
            });
            once.extend(found.iter().filter_map(|found| found.grant));
            strictest(found)
        };
        let each = actions.iter().map(&mut judge).collect();
        once.retain(|id| grants.iter().any(|grant| grant.id == *id && grant.duration == Duration::Once));
        Ok(Found { each, once })
    }

    /// Take what an allowed effect uses up. False if somebody else took it in the meantime.
    fn use_up(&self, context: &Context, once: &[u64], removals: Option<u64>) -> Result<bool, RecordsError> {
        for grant in once {
            if !self.records.use_grant(*grant, context.task)? {
                return Ok(false);
            }
        }
        let Some(removals) = removals else { return Ok(true) };
        let mut removed = locked(&self.removed);
        let used = removed.entry(context.task).or_default();
        let sum = used.checked_add(removals).filter(|sum| *sum <= context.standing.removals);
        *used = sum.unwrap_or(*used);
        Ok(sum.is_some())
    }

    /// Ask. Returns if the person agreed; all else is a refusal, on the record.
    fn ask<E: Effect>(
        &self,
        context: &Context,
        actions: &[Action],
        effect: &E,
        (rule, reason): (&'static str, String),
        until: &Stop,
    ) -> Result<(), Refused> {
        let Some(question) = effect.question() else {
            self.decisions.record(context, actions, false, |_| rule)?;
            let explanation =
                if rule == name::GRANT { "You have not granted the folder to this task.".into() } else { reason };
            return Err(Refused::Denied { rule, explanation });
        };
        let answer = self.person.ask_until(&question, until);
        let granted = |duration: Option<Duration>| {
            let scope = effect
                .granted_by_yes()
                .filter(|_| matches!(rule, name::GRANT | name::MODEL | name::INSTRUCTIONS | name::SERVER));
            if let (Some(scope), Some(duration)) = (scope, duration) {
                self.records.grant(context.task, scope, duration)?;
            }
            Ok(())
        };
        let (rule, refused) = match answer {
            Ok(Answer::Yes) => return granted(context.task.map(Duration::Task)),
            Ok(Answer::Chosen(choice)) if choice == effect::ONCE => return Ok(()),
            Ok(Answer::Chosen(choice)) if choice == effect::THIS_TASK => {
                return granted(context.task.map(Duration::Task));
            }
            Ok(Answer::Chosen(choice)) if choice == effect::ALWAYS => return granted(Some(Duration::Always)),
            Ok(Answer::Edited(text)) => (name::EDITED, Refused::Edited(text)),
            Ok(Answer::No | Answer::Chosen(_) | Answer::Filled(_)) => (name::DECLINED, Refused::Declined),
            Err(why @ Unanswered::Absent) => (name::ABSENT, Refused::Unanswered(why)),
            Err(why @ Unanswered::Stopped) if until.is_stopped() => (name::WITHDRAWN, Refused::Unanswered(why)),
            Err(why @ Unanswered::Stopped) => (name::STOPPED, Refused::Unanswered(why)),
        };
        self.decisions.record(context, actions, false, |_| rule)?;
        Err(refused)
    }

    /// Grant something. Only a command of the person may lead here. What is granted already is returned as it is.
    pub fn grant(&self, task: Option<TaskId>, scope: Scope, duration: Duration) -> Result<Grant, GrantError> {
        let scope = match scope {
            Scope::Folder { folder, access } => {
                let path = place(&folder).ok_or(GrantError::NotAPath(folder))?;
                if self.own.hold(&path) {
                    return Err(GrantError::Home);
                }
                Scope::Folder { folder: written(&path), access }
            }
            Scope::Instructions { folder } => {
                let path = place(&folder).ok_or(GrantError::NotAPath(folder))?;
                if self.own.hold(&path) {
                    return Err(GrantError::Home);
                }
                Scope::Instructions { folder: written(&path) }
            }
            other => other,
        };
        Ok(self.records.grant(task, scope, duration)?)
    }

    /// All grants that hold, the oldest first.
    pub fn grants(&self) -> Result<Vec<Grant>, RecordsError> {
        Ok(self.records.grants()?.to_vec())
    }

    /// Take a grant back. Returns what it was.
    pub fn revoke(&self, id: u64) -> Result<Grant, RecordsError> {
        self.records.revoke(id)
    }
}
