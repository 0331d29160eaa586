//! What the person says to a task that runs: from its own terminal or from another. It is taken up between two steps, or
//! at once where it stops something.

use crate::plan::Plan;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};
use tokio::sync::Notify;

/// Something that the person says to a running task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Steer {
    /// Words for the model, taken up at the next step.
    Say(String),
    /// Give up the reply that is under way, and take up these words, if any, instead.
    Stop(String),
    /// Do not begin another step until [`Steer::Resume`].
    Pause,
    /// Go on.
    Resume,
    /// Keep to this plan from now on.
    Plan(Plan),
    /// End the task. Nothing pending is applied.
    Cancel,
}

impl Steer {
    /// What a line that a person typed means: `stop`, alone or before more words, takes effect at once; `pause`, `resume`
    /// and `cancel` alone are what they say; all else is said to the model. Nothing for an empty line.
    pub fn typed(line: &str) -> Option<Self> {
        let line = line.trim();
        let (word, rest) = line.split_once(|c: char| !c.is_alphanumeric()).unwrap_or((line, ""));
        let rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c.is_ascii_punctuation());
        Some(match word.to_ascii_lowercase().as_str() {
            "" if line.is_empty() => return None,
            "stop" => Self::Stop(rest.to_owned()),
            "pause" if rest.is_empty() => Self::Pause,
            "resume" if rest.is_empty() => Self::Resume,
            "cancel" if rest.is_empty() => Self::Cancel,
            _ => Self::Say(line.to_owned()),
        })
    }
}

/// What was said and not yet taken up, and whether the task is held. Shared between the loop and those who steer it.
#[derive(Debug, Default)]
pub struct Steering {
    state: Mutex<State>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct State {
    said: VecDeque<Said>,
    paused: bool,
    cancelled: bool,
    stopped: bool,
    plan: Plan,
}

/// Words that the loop takes up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The words; empty after a bare `stop`.
    pub words: String,
    /// True if the reply that was under way was given up for them.
    pub stopped: bool,
    /// A plan that the person has made of the model's.
    pub plan: Option<Plan>,
    /// True if it was said in another terminal than the task's.
    pub elsewhere: bool,
}

/// What the loop is to do between two steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Go on, with these words first.
    Go(Vec<Said>),
    /// End the task.
    Cancel,
}

impl Steering {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Say something to the task, at its own terminal.
    pub fn steer(&self, steer: Steer) {
        self.take(steer, false);
    }

    /// Say something to the task from another terminal.
    pub fn steer_from_elsewhere(&self, steer: Steer) {
        self.take(steer, true);
    }

    fn take(&self, steer: Steer, elsewhere: bool) {
        {
            let mut state = self.state();
            match steer {
                Steer::Say(words) => state.said.push_back(Said { words, stopped: false, plan: None, elsewhere }),
                Steer::Stop(words) => {
                    state.stopped = true;
                    state.said.push_back(Said { words, stopped: true, plan: None, elsewhere });
                }
                Steer::Plan(plan) => {
                    state.said.push_back(Said { words: String::new(), stopped: false, plan: Some(plan), elsewhere });
                }
                Steer::Pause => state.paused = true,
                Steer::Resume => state.paused = false,
                Steer::Cancel => state.cancelled = true,
            }
        }
        self.changed.notify_waiters();
    }

    /// The plan of the task as it stands.
    pub fn plan(&self) -> Plan {
        self.state().plan.clone()
    }

    /// The plan is this one now.
    pub(crate) fn planned(&self, plan: &Plan) {
        self.state().plan = plan.clone();
    }

    /// True while the task is held.
    pub fn is_paused(&self) -> bool {
        self.state().paused
    }

    /// Wait until the reply that is under way is to be given up. What was said stays to be taken up.
    pub async fn interrupted(&self) {
        self.wait_for(|state| state.stopped || state.cancelled).await;
    }

    /// What to do now. Waits while the task is held.
    pub async fn next(&self) -> Next {
        self.wait_for(|state| state.cancelled || !state.paused).await;
        self.said()
    }

    /// What was said until now, held or not.
    pub fn said(&self) -> Next {
        let mut state = self.state();
        state.stopped = false;
        if state.cancelled { Next::Cancel } else { Next::Go(state.said.drain(..).collect()) }
    }

    /// True once the task is to end.
    pub fn is_cancelled(&self) -> bool {
        self.state().cancelled
    }

    /// Wait until the task is to end.
    pub async fn cancelled(&self) {
        self.wait_for(|state| state.cancelled).await;
    }

    async fn wait_for(&self, holds: impl Fn(&State) -> bool) {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // registered before the look, so that what is said between the two is not missed
            changed.as_mut().enable();
            if holds(&self.state()) {
                return;
            }
            changed.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn what_a_line_means() {
        let typed = |line| Steer::typed(line);
        assert_eq!(typed("  "), None);
        assert_eq!(typed("stop"), Some(Steer::Stop(String::new())));
        assert_eq!(typed("Stop, leave the photos"), Some(Steer::Stop("leave the photos".to_owned())));
        assert_eq!(typed("stopped clocks go there"), Some(Steer::Say("stopped clocks go there".to_owned())));
        assert_eq!(typed("PAUSE"), Some(Steer::Pause));
        assert_eq!(typed("pause here"), Some(Steer::Say("pause here".to_owned())));
        assert_eq!(typed("resume"), Some(Steer::Resume));
        assert_eq!(typed("cancel"), Some(Steer::Cancel));
        assert_eq!(typed("…"), Some(Steer::Say("…".to_owned())));
    }

    #[tokio::test]
    async fn a_held_task_goes_on_with_all_that_was_said() {
        let steering = Arc::new(Steering::default());
        steering.steer(Steer::Pause);
        let other = Arc::clone(&steering);
        let waits = tokio::spawn(async move { other.next().await });
        tokio::task::yield_now().await;
        steering.steer(Steer::Say("first".to_owned()));
        steering.steer(Steer::Stop("second".to_owned()));
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        steering.interrupted().await;
        steering.steer(Steer::Resume);
        let said = |words: &str, stopped| Said { words: words.to_owned(), stopped, plan: None, elsewhere: false };
        assert_eq!(waits.await.ok(), Some(Next::Go(vec![said("first", false), said("second", true)])));
        assert_eq!(steering.next().await, Next::Go(Vec::new()));
    }

    #[tokio::test]
    async fn a_held_task_can_be_ended() {
        let steering = Steering::default();
        steering.steer(Steer::Pause);
        steering.steer(Steer::Cancel);
        assert_eq!(steering.next().await, Next::Cancel);
        assert_eq!(steering.next().await, Next::Cancel);
    }
}
