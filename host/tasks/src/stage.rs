//! Where a task is seen while it is at work: whoever follows it is told what it does, and answers its questions.

use crate::{
    frame::{self, MOST_TOLD},
    message::{Live, Told},
};
use deskhand_vocabulary::{Answer, EventId, Notice, Person, Plan, Progress, Question, Stop, Unanswered};
use std::{
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::mpsc::Sender;

/// How often somebody who waits for an answer looks whether the task was stopped.
const LOOK: Duration = Duration::from_millis(50);
/// The most bytes of a reply that are kept for who comes while it is under way. The whole is in the log in the end.
const KEPT: usize = 256 << 10;

/// A message, ready to be sent.
pub(crate) type Frame = Arc<[u8]>;

/// See the module.
#[derive(Debug, Default)]
pub struct Stage {
    state: Mutex<State>,
    changed: Condvar,
    /// Questions are put one at a time.
    asking: Mutex<()>,
}

#[derive(Debug, Default)]
struct State {
    followers: Vec<Follower>,
    numbers: u64,
    /// The last event of the task on record.
    last: u64,
    reply: Under,
    /// The plan that was shown last, for who comes while a question about it stands.
    plan: Option<Frame>,
    question: Option<Standing>,
}

/// The reply that is under way.
#[derive(Debug, Default)]
struct Under {
    number: u64,
    text: String,
    /// How much of it was told.
    told: usize,
    /// The last event before it, once all that came before it is on record.
    after: Option<u64>,
}

#[derive(Debug)]
struct Follower {
    number: u64,
    answers: bool,
    to: Sender<Frame>,
}

#[derive(Debug)]
struct Standing {
    number: u64,
    asked: Frame,
    answer: Option<Answer>,
}

fn framed(told: &Told) -> Option<Frame> {
    // what is too long for a message is seen in the record
    frame::bytes(told, MOST_TOLD).ok().map(Into::into)
}

impl State {
    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn tell(&mut self, frame: &Frame, only_who_answers: bool) {
        self.followers.retain(|follower| {
            // one that does not keep up is left behind: it comes again, and reads the record
            (only_who_answers && !follower.answers) || follower.to.try_send(Arc::clone(frame)).is_ok()
        });
    }

    fn live(&mut self, live: Live) {
        if !self.followers.is_empty()
            && let Some(frame) = framed(&Told::Live { live })
        {
            self.tell(&frame, false);
        }
    }

    /// Tell what was not told of the reply.
    fn tell_text(&mut self) {
        let Some(after) = self.reply.after else { return };
        let from = self.reply.told;
        let text = self.reply.text.get(from..).unwrap_or_default().to_owned();
        if !text.is_empty() {
            self.reply.told = self.reply.text.len();
            self.live(Live::Text { after, from: from as u64, text });
        }
    }

    fn is_answered_for(&self) -> bool {
        self.followers.iter().any(|follower| follower.answers)
    }
}

impl Stage {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Somebody follows from now on, as far as they keep up. Their number here.
    pub(crate) fn join(&self, to: Sender<Frame>, answers: bool) -> u64 {
        let mut state = self.state();
        let number = state.number();
        let under = match (&state.reply.text, state.reply.after) {
            (text, Some(after)) if !text.is_empty() => {
                let text = text[..state.reply.told].to_owned();
                framed(&Told::Live { live: Live::Text { after, from: 0, text } })
            }
            _ => None,
        };
        let question = state.question.as_ref().filter(|_| answers).map(|standing| Arc::clone(&standing.asked));
        let plan = state.plan.clone().filter(|_| question.is_some());
        for frame in [framed(&Told::More), under, plan, question].into_iter().flatten() {
            // there is room: nothing was sent before
            let _ = to.try_send(frame);
        }
        state.followers.push(Follower { number, answers, to });
        number
    }

    pub(crate) fn leave(&self, follower: u64) {
        self.state().followers.retain(|one| one.number != follower);
        self.changed.notify_all();
    }

    pub(crate) fn is_followed(&self) -> bool {
        !self.state().followers.is_empty()
    }

    /// There is more on record.
    pub(crate) fn recorded(&self, event: EventId) {
        let mut state = self.state();
        state.last = event.0;
        if !state.followers.is_empty()
            && let Some(frame) = framed(&Told::More)
        {
            state.tell(&frame, false);
        }
    }

    /// A follower answers.
    pub(crate) fn answer(&self, question: u64, answer: Answer) {
        if let Some(standing) = self.state().question.as_mut().filter(|standing| standing.number == question) {
            standing.answer.get_or_insert(answer);
        }
        self.changed.notify_all();
    }

    /// A reply begins. It is not told before [`Stage::release`] is called with its number: what came before it is to be on record
    /// first, so that all is seen in its order.
    pub fn begin_reply(&self) -> u64 {
        let mut state = self.state();
        state.reply = Under { number: state.reply.number + 1, ..Under::default() };
        state.live(Live::Began);
        state.reply.number
    }

    /// All that came before this reply is on record.
    pub fn release(&self, reply: u64) {
        let mut state = self.state();
        if state.reply.number == reply {
            state.reply.after = Some(state.last);
            state.tell_text();
        }
    }

    /// More of the text of the reply.
    pub fn text(&self, text: &str) {
        let mut state = self.state();
        if state.reply.text.len() + text.len() <= KEPT {
            state.reply.text.push_str(text);
            state.tell_text();
        }
    }

    /// What the reply said so far does not count.
    pub fn void(&self, why: String) {
        let mut state = self.state();
        state.reply.text.clear();
        state.reply.told = 0;
        state.live(Live::Void { why });
    }

    /// The reply is whole, or given up: what follows of it is in the log.
    pub fn end_reply(&self) {
        let mut state = self.state();
        state.reply.text.clear();
        state.reply.told = 0;
        state.reply.after = None;
    }

    /// Something else is seen.
    pub fn show(&self, live: Live) {
        self.state().live(live);
    }

    /// True if a person follows who can be asked.
    pub fn has_person(&self) -> bool {
        self.state().is_answered_for()
    }

    fn ask(&self, question: &Question, stop: &Stop) -> Result<Answer, Unanswered> {
        let _one = self.asking.lock().unwrap_or_else(PoisonError::into_inner);
        let mut state = self.state();
        let number = state.number();
        let asked = framed(&Told::Question { number, question: Box::new(question.clone()) });
        // a question that is too long to be asked waits for a terminal of the task's own
        let asked = asked.filter(|_| state.is_answered_for()).ok_or(Unanswered::Absent)?;
        state.tell(&asked, true);
        state.question = Some(Standing { number, asked, answer: None });
        let answer = loop {
            if stop.is_stopped() {
                break Err(Unanswered::Stopped);
            }
            if let Some(answer) = state.question.as_mut().and_then(|standing| standing.answer.take()) {
                break Ok(answer);
            }
            if !state.is_answered_for() {
                break Err(Unanswered::Absent);
            }
            state = self.changed.wait_timeout(state, LOOK).unwrap_or_else(PoisonError::into_inner).0;
        };
        state.question = None;
        if let Some(frame) = framed(&Told::Settled { number }) {
            state.tell(&frame, true);
        }
        answer
    }
}

/// The person, as far as they follow the task.
#[derive(Debug)]
pub struct Followers {
    stage: Arc<Stage>,
    stop: Stop,
}

impl Followers {
    /// `stop` ends their questions.
    pub fn new(stage: Arc<Stage>, stop: Stop) -> Self {
        Self { stage, stop }
    }
}

impl Person for Followers {
    fn present(&self) -> bool {
        self.stage.has_person()
    }

    fn show(&self, plan: &Plan) {
        let frame = framed(&Told::Live { live: Live::Plan { plan: Box::new(plan.clone()) } });
        let mut state = self.stage.state();
        if let Some(frame) = &frame {
            state.tell(frame, false);
        }
        state.plan = frame;
    }

    fn ask_until(&self, question: &Question, until: &Stop) -> Result<Answer, Unanswered> {
        self.stage.ask(question, &self.stop.or(until))
    }

    fn tell(&self, notice: &Notice) {
        self.stage.show(Live::Notice { notice: notice.clone() });
    }

    fn progress(&self, progress: &Progress) {
        self.stage.show(Live::Progress { progress: progress.clone() });
    }
}
